// SPDX-License-Identifier: GPL-2.0
//! Watching the status: it is said again when something has changed.

use serde_json::Value;

use super::{json, text};
use crate::host::Host;

/// Numbers that go up all the time and tell nothing by themselves.
const COUNTERS: [&str; 9] = [
    "hits",
    "misses",
    "calls",
    "seen",
    "changed",
    "unknown",
    "locate_us",
    "nvidia-vgpud",
    "nvidia-vgpu-mgr",
];

/// What was said last.
#[derive(Debug, Default)]
pub struct Follower {
    last: Option<String>,
}

impl Follower {
    /// What is to be said now; nothing where it is what was said last.
    pub fn next(&mut self, host: &Host, as_json: bool) -> Option<String> {
        let (say, key) = match (json(host), text(host)) {
            (Ok(json), Ok(text)) => {
                let key = without_counters(&json);
                (if as_json { json } else { text }, key)
            }
            (Err(missing), _) | (_, Err(missing)) => {
                let say = format!("{}: {}\n", missing.what(), missing.cure());
                (say.clone(), say)
            }
        };
        if self.last.as_ref() == Some(&key) {
            return None;
        }
        self.last = Some(key);
        Some(say)
    }
}

/// The status with its counters left out, but for whether they are 0: that a daemon has asked for
/// the first time is news.
fn without_counters(json: &str) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_u64() {
                        Some(count) if COUNTERS.contains(&name.as_str()) => {
                            *value = Value::Bool(count != 0);
                        }
                        _ => strip(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    match serde_json::from_str::<Value>(json) {
        Ok(mut value) => {
            strip(&mut value);
            value.to_string()
        }
        Err(_) => json.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{JSON, MODULE, TEXT};
    use super::*;
    use crate::host::made_up::MadeUp;

    #[test]
    fn it_is_said_again_when_something_but_a_counter_changes() {
        let mut made_up = MadeUp::default();
        let mut follower = Follower::default();
        let mut next = |made_up: &MadeUp| follower.next(&made_up.host(), false);
        assert!(next(&made_up).unwrap().contains("not loaded: modprobe vgpu_unlock"));
        assert_eq!(next(&made_up), None);
        let set = |made_up: &mut MadeUp, state: &str, hits: u32, asked: u32| {
            let json = format!(
                r#"{{"driver":{{"state":"{state}"}},"hooks":[{{"hits":{hits}}}],"asked":{{"nvidia-vgpud":{asked}}}}}"#
            );
            made_up.dir(MODULE).file(JSON, json).file(TEXT, format!("{state} {hits}\n"));
        };
        set(&mut made_up, "absent", 0, 0);
        assert_eq!(next(&made_up).as_deref(), Some("absent 0\n"));
        set(&mut made_up, "attached", 3, 0);
        assert_eq!(next(&made_up).as_deref(), Some("attached 3\n"));
        set(&mut made_up, "attached", 4, 0);
        assert_eq!(next(&made_up), None);
        set(&mut made_up, "attached", 4, 1);
        assert_eq!(next(&made_up).as_deref(), Some("attached 4\n"));
        made_up.remove(MODULE);
        assert!(next(&made_up).unwrap().contains("not loaded"));
    }
}
