// SPDX-License-Identifier: GPL-2.0
//! Which overrides the running module has.

use super::settings::Settings;
use crate::host::{Host, Seen, Unseen};

/// All of them, a section a line.
const WHOLE: &str = "/sys/kernel/debug/vgpu_unlock/overrides";

/// As many as fit into a page; where that is not all, `...` stands in place of the others.
const PARAMETER: &str = "/sys/module/vgpu_unlock/parameters/overrides";

/// What the module shows of its overrides, in the grammar of its parameter.
#[derive(Debug)]
pub struct InForce {
    /// The text.
    pub text: String,
    /// Why that is not the whole, if it is not.
    pub partly: Option<Unseen>,
}

impl InForce {
    /// Asks the module.
    ///
    /// # Errors
    /// It can't be asked, or is not loaded.
    pub fn read(host: &Host) -> Seen<Self> {
        let whole = host.text(WHOLE);
        if let Ok(Some(lines)) = &whole {
            return Ok(Self { text: joined(lines), partly: None });
        }
        let unseen = |what: &str, why: &str| Unseen {
            what: what.to_owned(),
            why: why.to_owned(),
            needs_root: false,
        };
        let Some(shown) = host.line(PARAMETER)? else {
            return Err(unseen(PARAMETER, "the module has no such parameter"));
        };
        Ok(match first_sections(&shown) {
            None => Self { text: shown, partly: None },
            Some(first) => Self {
                text: first.to_owned(),
                partly: Some(match whole {
                    Err(unseen) => unseen,
                    Ok(_) => unseen(WHOLE, "there is no such file; is debugfs mounted?"),
                }),
            },
        })
    }

    /// What all of it comes to.
    ///
    /// # Errors
    /// It is not all, or another version's.
    pub fn settings(&self) -> Seen<Settings> {
        if let Some(unseen) = &self.partly {
            return Err(unseen.clone());
        }
        Settings::parse(&self.text).map_err(|error| Unseen {
            what: "the module's overrides".to_owned(),
            why: format!("this command does not understand them: {error}"),
            needs_root: false,
        })
    }
}

/// Sections that stand on lines of their own. Who wrote one on several lines has it shown so.
fn joined(lines: &str) -> String {
    let begins = |line: &str| ["nvidia-", "mdev/", "vm/"].iter().any(|kind| line.starts_with(kind));
    let mut text = String::new();
    for line in lines.lines().map(|line| line.trim().trim_end_matches(';')) {
        if !text.is_empty() && !line.is_empty() {
            text.push(if begins(line) { ';' } else { ' ' });
        }
        text.push_str(line);
    }
    text
}

/// What stands in front of a last section `...`, if there is one.
fn first_sections(shown: &str) -> Option<&str> {
    let before = shown.strip_suffix("...")?.trim_end();
    match before.is_empty() {
        true => Some(before),
        // A text may end so, too.
        false => before.strip_suffix(';'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::made_up::MadeUp;

    #[test]
    fn all_is_read_where_all_is_shown() {
        let mut made_up = MadeUp::default();
        let read = |made_up: &MadeUp| InForce::read(&made_up.host());
        assert_eq!(read(&made_up).unwrap_err().what, PARAMETER);
        made_up.file(PARAMETER, "vm/1:gpu_type=1\n");
        assert_eq!(read(&made_up).unwrap().text, "vm/1:gpu_type=1");
        made_up.file(WHOLE, "vm/2:gpu_type=1;\n\nvm/3:card_name='a;'\n");
        let found = read(&made_up).unwrap();
        assert_eq!(found.text, "vm/2:gpu_type=1;vm/3:card_name='a;'");
        assert_eq!(found.settings().unwrap().to_string(), "2 settings of 2 targets");
        made_up.file(WHOLE, "vm/2:gpu_type=1,\n  frl_config=\n60\nvm/3:gpu_type=1\n");
        assert_eq!(
            read(&made_up).unwrap().settings().unwrap().to_string(),
            "3 settings of 2 targets"
        );
        made_up.file(WHOLE, "");
        assert_eq!(read(&made_up).unwrap().text, "");
        // Another version's keys.
        made_up.file(WHOLE, "vm/2:new_key=1\n");
        let why = read(&made_up).unwrap().settings().unwrap_err().why;
        assert!(why.starts_with("this command does not understand them: byte 5, key"), "{why}");
    }

    #[test]
    fn what_is_left_out_is_noticed() {
        for (shown, text) in [
            ("vm/1:gpu_type=1;...\n", Some("vm/1:gpu_type=1")),
            ("vm/1:gpu_type=1; ...\n", Some("vm/1:gpu_type=1")),
            ("...\n", Some("")),
            (";...\n", Some("")),
            ("vm/1:card_name=a...\n", None),
            ("vm/1:card_name='a;...'\n", None),
        ] {
            let mut made_up = MadeUp::default();
            made_up.file(PARAMETER, shown);
            let found = InForce::read(&made_up.host()).unwrap();
            assert_eq!(found.partly.is_some(), text.is_some(), "{shown}");
            assert_eq!(found.text, text.unwrap_or(shown.trim()));
            assert_eq!(found.settings().is_err(), text.is_some());
            made_up.refuse(WHOLE);
            let found = InForce::read(&made_up.host()).unwrap();
            assert_eq!(found.partly.is_some_and(|it| it.needs_root), text.is_some(), "{shown}");
        }
    }
}
