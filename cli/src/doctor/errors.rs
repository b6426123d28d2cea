// SPDX-License-Identifier: GPL-2.0
//! What NVIDIA's daemons and the kernel complained about, and what is known about each complaint.
//!
//! An error counts as long as nothing has come after it that shows it overcome: the daemon was
//! started anew, or a vGPU has started since.

mod known;

use std::time::Duration;

use super::{Finding, facts::Facts, types};
use crate::host::{
    Seen,
    journal::{Entry, UNITS},
};
use known::{KNOWN, Known};

/// nvidia-vgpu-mgr says this when a vGPU has started.
const STARTED: &str = "display_init inst: 0 successful";

/// nvidia-vgpud gives a board up, and names the ID that it sees.
const NOT_SUPPORTED: &str = "GPU not supported by vGPU at PCI Id";

pub(super) fn errors(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let journal = match facts.journal() {
        Ok(journal) => journal,
        Err(unseen) if unseen.needs_root => return Err(unseen),
        Err(unseen) => {
            return Ok(vec![
                Finding::note(format!("{unseen}"))
                    .cure("the daemons' messages may be in /var/log/syslog or /var/log/messages"),
            ]);
        }
    };
    let current = current(journal);
    let mut findings = vec![];
    for entry in current.iter().filter(|entry| entry.message.contains(NOT_SUPPORTED)) {
        findings.extend(not_supported(facts, entry)?);
    }
    let mut specific = !findings.is_empty();
    for known in KNOWN {
        // What follows from something else tells nothing where that is known.
        if known.follows && specific {
            continue;
        }
        let mut hits = current.iter().filter(|entry| known.fits(entry));
        if let Some(entry) = hits.next_back() {
            findings.push(explained(known, entry));
            specific |= !known.follows;
        }
    }
    if findings.is_empty() {
        let unknown = current.iter().rfind(|entry| is_error(entry));
        findings.push(match unknown {
            Some(entry) => {
                Finding::note(format!("not known here: {}: {}", daemon(entry), line(entry)))
                    .cure(format!("journalctl -b -u {} has what came before it", daemon(entry)))
            }
            None => Finding::ok("none"),
        });
    }
    Ok(findings)
}

/// The entries that nothing later has overcome.
fn current(journal: &[Entry]) -> Vec<&Entry> {
    let [vgpud, manager] = UNITS;
    let last = |fits: &dyn Fn(&Entry) -> bool| {
        journal.iter().rfind(|entry| fits(entry)).map_or(Duration::ZERO, |entry| entry.at)
    };
    let begun = last(&|entry| entry.source == vgpud && entry.starting);
    let started = last(&|entry| entry.source == manager && entry.message.contains(STARTED));
    let managed = last(&|entry| entry.source == manager && entry.starting).max(started);
    let counts = |entry: &&Entry| match entry.source.as_str() {
        source if source == vgpud => entry.at >= begun,
        source if source == manager => entry.at >= managed,
        _ => entry.at >= started,
    };
    journal.iter().filter(counts).collect()
}

fn explained(known: &Known, entry: &Entry) -> Finding {
    let status = known::status(&entry.message);
    let status = status.map_or_else(String::new, |(code, name)| format!(" ({code:#x} is {name})"));
    let what = format!("{}: {}{status}: {}", daemon(entry), line(entry), known.meaning);
    let finding = if known.guest { Finding::note(what) } else { Finding::broken(what) };
    finding.cures(known.cure.iter().map(|&step| step.to_owned()))
}

/// nvidia-vgpud has given a board up.
fn not_supported(facts: &Facts<'_>, entry: &Entry) -> Seen<Option<Finding>> {
    let ids = entry.message.split_once("DevID:").map_or("", |(_, ids)| ids);
    let device = ids.split('/').nth(1).and_then(|id| id.trim().strip_prefix("0x"));
    let device = device.and_then(|id| u16::from_str_radix(id, 16).ok());
    let boards = facts.boards()?;
    let own = boards.iter().find(|board| Some(board.device) == device);
    let what = format!("{}: {}", daemon(entry), line(entry));
    Ok(match own {
        Some(board) if facts.answer(board).sibling().is_some() => Some(
            Finding::broken(format!(
                "{what}: it saw the board's own ID, so the module was not in force when it asked"
            ))
            .cure("have vgpu_unlock loaded, then systemctl restart nvidia-vgpud"),
        ),
        // A board that is there for something else.
        Some(_) if any_types(facts)? => None,
        _ => Some(
            Finding::broken(format!(
                "{what}: vgpuConfig.xml has no types for this ID, or nvidia-vgpud refuses it by itself, as \
                 it does with Maxwell and Pascal from 550 on"
            ))
            .cure(
                "for such boards: vgpuConfig.xml of a vGPU 16.x (535) package, and the module's parameter vgpud \
                 at 1, or that package as a whole, which refuses none",
            ),
        ),
    })
}

fn any_types(facts: &Facts<'_>) -> Seen<bool> {
    for board in facts.boards()? {
        if !types::of_board(facts.host, board)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_error(entry: &Entry) -> bool {
    entry.source != "kernel" && entry.message.starts_with("error:")
}

fn daemon(entry: &Entry) -> &str {
    entry.source.trim_end_matches(".service")
}

/// The message on one line, at most this long.
fn line(entry: &Entry) -> String {
    const LENGTH: usize = 140;
    let line = entry.message.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
