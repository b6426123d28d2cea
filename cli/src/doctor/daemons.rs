// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's daemons: running, since when, and whether they have asked.

use std::time::Duration;

use super::{Finding, facts::Facts, leftovers::DAEMONS, module};
use crate::host::{Seen, is_enabled, processes};

pub(super) fn daemons(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let [vgpud, manager] = DAEMONS;
    if !facts.host.has_program(vgpud) && !facts.host.has_program(manager) {
        return Ok(vec![Finding::not_asked("not asked: they are not installed")]);
    }
    Ok(vec![asked(facts, vgpud)?, running(facts, manager)?])
}

/// nvidia-vgpud asks the driver for boards when it starts, and is done then: that it does not run
/// any more is no fault.
fn asked(facts: &Facts<'_>, daemon: &str) -> Seen<Finding> {
    let status = facts.status().ok();
    let missing = status.into_iter().flat_map(|status| {
        let boards = facts.boards().unwrap_or_default().into_iter();
        boards.filter_map(|board| status.board(&board.address)?.missing())
    });
    let asked = status.and_then(|status| status.asked(daemon));
    // The module says it of every board at once.
    if let Some((_, advice)) = missing.into_iter().find(|(link, _)| *link == "nvidia-vgpud asked") {
        let finding =
            Finding::broken(format!("{daemon} has not asked since the module was loaded"));
        return Ok(if enabled(facts, daemon)? {
            finding.cure(advice)
        } else {
            finding.cure(format!("systemctl enable --now {daemon}"))
        });
    }
    Ok(match asked {
        Some(0) => Finding::ok(format!("{daemon} was there before the module, and its types are")),
        Some(count) => Finding::ok(format!("{daemon} has asked {count} times")),
        None if enabled(facts, daemon)? => Finding::ok(format!("{daemon} is started at boot")),
        None => Finding::broken(format!("{daemon} is not started at boot"))
            .cure(format!("systemctl enable --now {daemon}")),
    })
}

/// nvidia-vgpu-mgr has to be there when a virtual machine starts.
fn running(facts: &Facts<'_>, daemon: &str) -> Seen<Finding> {
    let all = processes(facts.host, daemon)?;
    // The first is the daemon; each vGPU has one of its own.
    let Some(process) = all.first() else {
        let finding = Finding::broken(format!("{daemon} does not run"));
        return Ok(if enabled(facts, daemon)? {
            finding.cure(format!("systemctl restart {daemon}, and see journalctl -u {daemon}"))
        } else {
            finding.cure(format!("systemctl enable --now {daemon}"))
        });
    };
    let uptime = facts.host.uptime()?.unwrap_or_default();
    let age = uptime.saturating_sub(process.started);
    let what = format!("{daemon} ({}) has been running for {}", process.pid, words(age));
    let journal = facts.journal().unwrap_or_default();
    let since = module::life(journal).next();
    Ok(match since {
        Some(first) if process.started < first.at => {
            Finding::note(format!("{what}, since before the module was loaded"))
                .cure(format!("systemctl restart {daemon}, while no vGPU runs"))
        }
        _ => Finding::ok(what),
    })
}

fn enabled(facts: &Facts<'_>, daemon: &str) -> Seen<bool> {
    is_enabled(facts.host, &format!("{daemon}.service"))
}

/// A length of time, as exact as people want it.
fn words(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match (minutes / (24 * 60), minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => format!("{} s", time.as_secs()),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_exact_as_people_want_them() {
        for (seconds, expected) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (11_040, "3 h 4 min"), (180_000, "2 d 2 h")]
        {
            assert_eq!(words(Duration::from_secs(seconds)), expected);
        }
    }
}
