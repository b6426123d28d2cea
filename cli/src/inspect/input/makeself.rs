// SPDX-License-Identifier: GPL-2.0
//! A `.run` file: a shell script with an archive behind it. It is read, never run.
//!
//! The script says where the archive begins, each generation of makeself in its own way:
//!
//! | written by | the script has | the archive begins |
//! | --- | --- | --- |
//! | 1.5, 1.6.0-nv (NVIDIA's) | `skip=1022`, `tail -n +$skip $0` | at that line, counted from 1 |
//! | 2.0 | `tail +246 $0` | at that line |
//! | 2.1 to 2.3 | `` offset=`head -n 375 "$0" \| wc -c` `` | behind as many lines |
//! | 2.4 and newer | `skip="713"`, `head -n "$skip" "$0"` | behind as many lines |
//! | others | `tail -c +4097 $0`, `offset=4096` | behind as many bytes |
//!
//! So a number of lines means one of two places; the archive's own first bytes tell which.
//! Sources: makeself 2.4.5; Gentoo's unpacker.eclass for the older ones; nixpkgs and public notes on
//! NVIDIA's, up to 1.6.0-nv9 of driver 610.

use std::io::{BufRead, BufReader, Cursor, Read};

use anyhow::{Result, bail};

use super::packing::{HEAD, Kind};

/// A longer script is none of makeself's. NVIDIA's have 160 kB and a thousand lines.
const MAX_SCRIPT: usize = 16 << 20;

/// Where the archive begins, as the script says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    /// At this line, counted from 1, or at the next.
    Line(usize),
    /// Behind as many bytes.
    Byte(usize),
}

/// The archive in the script `from`, packed as it is, or `None` where the script says of none.
///
/// # Errors
/// The script is cut off, or no archive begins where it says.
pub fn archive<'a>(from: impl Read + 'a) -> Result<Option<Box<dyn BufRead + 'a>>> {
    let mut script = Script { from: BufReader::with_capacity(1 << 16, from), lines: 0, bytes: 0 };
    let begins = loop {
        match script.line()? {
            None => return Ok(None),
            Some(line) => {
                if let Some(begins) = says(&line) {
                    break begins;
                }
            }
        }
    };
    let (reached, place) = match begins {
        Begins::Line(number) => (script.behind_line(number.saturating_sub(1))?, "at line"),
        Begins::Byte(number) => (script.behind_byte(number)?, "behind byte"),
    };
    let mut from: Box<dyn BufRead + 'a> = Box::new(script.from);
    let places = if let Begins::Line(_) = begins { 2 } else { 1 };
    for place in 0..if reached { places } else { 0 } {
        if place > 0 {
            from.by_ref().take(MAX_SCRIPT as u64).skip_until(b'\n')?;
        }
        let mut head = Vec::new();
        from.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let packed = matches!(Kind::of(&head), Kind::Packed(_) | Kind::Tar);
        from = Box::new(Cursor::new(head).chain(from));
        if packed {
            return Ok(Some(from));
        }
    }
    let (Begins::Line(number) | Begins::Byte(number)) = begins;
    bail!("its script says that an archive begins {place} {number}, but none does");
}

/// A script that is being read.
struct Script<R> {
    from: BufReader<R>,
    lines: usize,
    bytes: usize,
}

impl<R: Read> Script<R> {
    /// The next line, or `None` where there is none, or none that is a script's.
    fn line(&mut self) -> Result<Option<String>> {
        let mut line = Vec::new();
        let room = MAX_SCRIPT.saturating_sub(self.bytes) as u64;
        self.from.by_ref().take(room).read_until(b'\n', &mut line)?;
        self.lines += 1;
        self.bytes += line.len();
        let line = (!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned());
        Ok(line)
    }

    /// Goes on behind this line; `false` if there is no such place any more.
    fn behind_line(&mut self, number: usize) -> Result<bool> {
        while self.lines < number {
            if self.line()?.is_none() {
                return Ok(false);
            }
        }
        Ok(self.lines == number)
    }

    /// Likewise behind this byte.
    fn behind_byte(&mut self, number: usize) -> Result<bool> {
        let Some(left) = number.checked_sub(self.bytes).filter(|_| number <= MAX_SCRIPT) else {
            return Ok(false);
        };
        let mut skipped = self.from.by_ref().take(left as u64);
        Ok(std::io::copy(&mut skipped, &mut std::io::sink())? == left as u64)
    }
}

/// Where a line of the script says that the archive begins, if it does.
fn says(line: &str) -> Option<Begins> {
    if let Some(value) = line.strip_prefix("skip=") {
        return number(value.trim().trim_matches('"')).map(Begins::Line);
    }
    if let Some(bytes) = line.strip_prefix("offset=").and_then(|value| number(value.trim())) {
        return Some(Begins::Byte(bytes));
    }
    let words = line.split(|c: char| c.is_whitespace() || "`()|;\"".contains(c));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    // Other files are of no interest.
    words.iter().find(|word| matches!(**word, "$0" | "${0}"))?;
    words.iter().enumerate().find_map(|(at, word)| {
        let arguments = words.get(at + 1..)?;
        match (*word, arguments) {
            ("tail", ["-c", from, ..]) => {
                Some(Begins::Byte(number(from.strip_prefix('+')?)?.checked_sub(1)?))
            }
            ("tail", ["-n", from, ..] | [from, ..]) => {
                number(from.strip_prefix('+')?).map(Begins::Line)
            }
            ("head", ["-n", lines, ..]) => number(lines).map(Begins::Line),
            ("head", [lines, ..]) => number(lines.strip_prefix('-')?).map(Begins::Line),
            _ => None,
        }
    })
}

fn number(digits: &str) -> Option<usize> {
    digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok())?
}
