// SPDX-License-Identifier: GPL-2.0
//! What the guest says on its second serial port, line by line; its other end is the guest's
//! `report.rs`.

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The scenario begins, on a kernel of this release.
    Hello { scenario: String, release: String },
    /// A check holds.
    Ok(String),
    /// A check does not hold.
    NotOk { name: String, reason: String },
    /// A check was not made.
    Skip { name: String, why: String },
    /// The scenario came to this part.
    Note(String),
    /// Something for a person to read.
    Show(String),
    /// The kernel will complain with these words.
    Announce(String),
    /// Taint flags that are meant to be set in the end.
    AnnounceTaint(String),
    /// Taint flags that are set in the end.
    Taint(String),
    /// The guest could not get to its checks.
    SetupFailed(String),
    /// The end: how many checks passed, failed, were skipped.
    Verdict { passed: u32, failed: u32, skipped: u32 },
    /// None of the above.
    Garbled(String),
}

impl Line {
    /// Reads a line, which may still have its line end.
    pub fn parse(line: &str) -> Self {
        let line = line.trim_end();
        Self::known(line).unwrap_or_else(|| Line::Garbled(line.to_owned()))
    }

    fn known(line: &str) -> Option<Self> {
        // Two colons separate a name from what follows: one is common within names.
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let text = rest.to_owned();
        Some(match word {
            "hello" => {
                let (scenario, release) = rest.split_once(' ')?;
                Line::Hello { scenario: scenario.to_owned(), release: release.to_owned() }
            }
            "ok" => Line::Ok(text),
            "not" => {
                let (name, reason) = rest.strip_prefix("ok ")?.split_once(":: ")?;
                Line::NotOk { name: name.to_owned(), reason: reason.to_owned() }
            }
            "skip" => {
                let (name, why) = rest.split_once(":: ")?;
                Line::Skip { name: name.to_owned(), why: why.to_owned() }
            }
            "note" => Line::Note(text),
            "show" => Line::Show(text),
            "announce" => Line::Announce(text),
            "announce-taint" => Line::AnnounceTaint(text),
            "taint" => Line::Taint(text),
            "setup-failed" => Line::SetupFailed(text),
            "verdict" => {
                let mut numbers = rest.split(' ').map(str::parse);
                let mut number = || numbers.next()?.ok();
                Line::Verdict { passed: number()?, failed: number()?, skipped: number()? }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_guest_writes() {
        for (text, line) in [
            (
                "hello real 6.12.1+deb13-amd64\r\n",
                Line::Hello { scenario: "real".into(), release: "6.12.1+deb13-amd64".into() },
            ),
            ("ok part: a name\r\n", Line::Ok("part: a name".into())),
            (
                "not ok part: a name:: reason: inner",
                Line::NotOk { name: "part: a name".into(), reason: "reason: inner".into() },
            ),
            ("skip a:: b", Line::Skip { name: "a".into(), why: "b".into() }),
            ("show", Line::Show(String::new())),
            ("taint", Line::Taint(String::new())),
            ("taint OE", Line::Taint("OE".into())),
            ("verdict 3 2 1", Line::Verdict { passed: 3, failed: 2, skipped: 1 }),
        ] {
            assert_eq!(Line::parse(text), line, "{text}");
        }
    }

    #[test]
    fn what_it_does_not_know_is_garbled() {
        for text in ["", "verdict 1 2", "verdict a b c", "not so", "hello", "okay"] {
            assert_eq!(Line::parse(text), Line::Garbled(text.into()), "{text}");
        }
    }
}
