// SPDX-License-Identifier: GPL-2.0
//! What the kernel and NVIDIA's daemons have said since the host was booted.
//!
//! On the running host, journalctl is asked. A made-up host has its answer in a file.

use std::{process::Command, time::Duration};

use serde_json::Value;

use super::{Host, Seen, Unseen};

/// Where a made-up host has what `journalctl -b -o json` printed.
pub const MADE_UP: &str = "/journal.json";

/// NVIDIA's daemons, as units.
pub const UNITS: [&str; 2] = ["nvidia-vgpud.service", "nvidia-vgpu-mgr.service"];

/// systemd's own number for "a unit is being started"; sd-messages.h has it.
const UNIT_STARTING: &str = "7d4958e842da4a758f6c1cdc7b36dcc5";

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Since the kernel was started.
    pub at: Duration,
    /// Who said it: `kernel`, or a unit.
    pub source: String,
    /// systemd says that it starts the unit now.
    pub starting: bool,
    /// The text.
    pub message: String,
}

/// Reads the journal of this boot: the kernel's lines and the daemons', in the order of time.
///
/// # Errors
/// It can't be read, or whoever asks may not see it.
pub fn entries(host: &Host) -> Seen<Vec<Entry>> {
    let text = if host.is_made_up() {
        host.text(MADE_UP)?.unwrap_or_default()
    } else {
        let mut text = run(&["-k"])?;
        text += &run(&["-u", UNITS[0], "-u", UNITS[1]])?;
        if text.is_empty() && !host.is_root() {
            let why = "nothing in it is shown to this user".into();
            return Err(Unseen { what: "the journal".into(), why, needs_root: true });
        }
        text
    };
    Ok(parse(&text))
}

fn run(arguments: &[&str]) -> Seen<String> {
    let unseen = |why: String| Unseen { what: "the journal".into(), why, needs_root: false };
    let output = Command::new("journalctl")
        .args(["-b", "-o", "json", "--no-pager", "-q"])
        .args(arguments)
        .output()
        .map_err(|error| unseen(format!("journalctl can't be run: {error}")))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(unseen(format!("journalctl failed: {}", complaint.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads one JSON object a line; what is none is passed over.
fn parse(text: &str) -> Vec<Entry> {
    let mut entries: Vec<_> = text.lines().filter_map(entry).collect();
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn entry(line: &str) -> Option<Entry> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let kernel = text("_TRANSPORT") == Some("kernel");
    // What systemd says about a unit has it in UNIT; its own is init.scope.
    let unit = text("UNIT").or(text("_SYSTEMD_UNIT"));
    // The kernel stamps its lines itself, journald later.
    let at = text("_SOURCE_MONOTONIC_TIMESTAMP").or(text("__MONOTONIC_TIMESTAMP"));
    Some(Entry {
        at: Duration::from_micros(at.and_then(|at| at.parse().ok()).unwrap_or(0)),
        source: if kernel { "kernel".into() } else { unit?.to_owned() },
        starting: text("MESSAGE_ID") == Some(UNIT_STARTING),
        message: message(value.get("MESSAGE")?)?,
    })
}

/// A text; journalctl prints one that is not UTF-8 as numbers.
fn message(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(bytes) => {
            let byte = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
            let bytes: Option<Vec<u8>> = bytes.iter().map(byte).collect();
            Some(String::from_utf8_lossy(&bytes?).into_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::MadeUp;
    use super::*;

    #[test]
    fn entries_come_in_order_with_who_said_them() {
        let mut made_up = MadeUp::default();
        made_up.file(
            MADE_UP,
            r#"{"_TRANSPORT":"journal","UNIT":"nvidia-vgpud.service","MESSAGE_ID":"7d4958e842da4a758f6c1cdc7b36dcc5","MESSAGE":"Starting","__MONOTONIC_TIMESTAMP":"9000000"}
{"_TRANSPORT":"syslog","_SYSTEMD_UNIT":"nvidia-vgpu-mgr.service","MESSAGE":[78,255,33],"__MONOTONIC_TIMESTAMP":"9500000"}
{"_TRANSPORT":"kernel","MESSAGE":"vgpu_unlock: loaded","_SOURCE_MONOTONIC_TIMESTAMP":"5000000","__MONOTONIC_TIMESTAMP":"9600000"}
{"_TRANSPORT":"kernel","MESSAGE":null}
{"_TRANSPORT":"stdout","MESSAGE":"whose?"}
not JSON
"#,
        );
        let found = entries(&made_up.host()).unwrap();
        let brief: Vec<_> = found
            .iter()
            .map(|e| (e.at.as_millis(), e.source.as_str(), e.message.as_str()))
            .collect();
        assert_eq!(
            brief,
            [
                (5000, "kernel", "vgpu_unlock: loaded"),
                (9000, "nvidia-vgpud.service", "Starting"),
                (9500, "nvidia-vgpu-mgr.service", "N\u{fffd}!"),
            ]
        );
        assert!(found[1].starting && !found[2].starting);
        assert_eq!(entries(&MadeUp::default().host()).unwrap(), []);
    }
}
