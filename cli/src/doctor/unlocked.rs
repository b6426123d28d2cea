// SPDX-License-Identifier: GPL-2.0
//! What the module itself says: the driver hooked, and the boards unlocked.

use super::{Finding, State, facts::Facts};
use crate::{
    host::Seen,
    status::{Board, Missing, Status},
};

pub(super) fn unlocked(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let status = match facts.status() {
        Ok(status) => status,
        Err(Missing::NotLoaded) if !facts.any_needs_us()? => {
            return Ok(vec![Finding::ok("no board here needs it")]);
        }
        Err(Missing::NotLoaded) => {
            return Ok(vec![Finding::not_asked("not asked: vgpu_unlock is not loaded")]);
        }
        Err(Missing::Unseen(unseen)) if unseen.needs_root => {
            return Ok(vec![unseen.clone().into()]);
        }
        Err(missing) => return Ok(vec![Finding::broken(missing.what()).cure(missing.cure())]),
    };
    let mut findings = vec![driver(facts, status)?];
    if findings.iter().any(|finding| finding.state == State::Broken) {
        return Ok(findings);
    }
    let held: Vec<_> = facts.boards()?.iter().map(|board| board.address.clone()).collect();
    let boards: Vec<_> = status
        .boards()
        .filter(|it| it.address().is_some_and(|at| held.iter().any(|h| h == at)))
        .collect();
    let mut findings_of_boards: Vec<_> = boards.iter().map(|board| unlock(*board)).collect();
    // One board that is unlocked is what vGPUs need.
    if findings_of_boards.iter().all(|(finding, fatal)| *fatal && finding.state == State::Note) {
        for (finding, _) in &mut findings_of_boards {
            finding.state = State::Broken;
        }
    }
    findings.extend(findings_of_boards.into_iter().map(|(finding, _)| finding));
    if boards.is_empty() {
        findings.push(Finding::note("the module has none of the boards in its status").cure(
            "modprobe -r vgpu_unlock && modprobe vgpu_unlock; if that does not help, report it",
        ));
    }
    Ok(findings)
}

/// How it stands with the driver.
fn driver(facts: &Facts<'_>, status: &Status) -> Seen<Finding> {
    let version = status.driver_version().unwrap_or("NVIDIA's driver");
    let because = status.reason().map_or_else(String::new, |reason| format!(": {reason}"));
    Ok(match status.driver() {
        Some("attached") => Finding::ok(format!("{version} is hooked")),
        Some("answers only") => {
            let what = format!("{version}: only its answers to the daemons are changed{because}");
            match facts.any_needs_us()? {
                true => Finding::broken(what).cures(cure(status.reason().unwrap_or_default())),
                // What NVIDIA lists needs no more.
                false => Finding::ok(what),
            }
        }
        Some("absent") => Finding::broken("NVIDIA's driver is not loaded").cure("modprobe nvidia"),
        Some("disabled") => {
            let finding = Finding::broken("switched off by enabled=0")
                .cure("echo 1 > /sys/module/vgpu_unlock/parameters/enabled");
            let places = facts.directives()?.iter().filter(|directive| {
                let options = directive.about("options", super::module::MODULE).unwrap_or_default();
                options.iter().any(|option| option.trim_matches('"') == "enabled=0")
            });
            finding.cures(places.map(|it| format!("take enabled=0 out of {}", it.place())))
        }
        Some(state @ ("refused" | "silent")) => {
            let word =
                if state == "refused" { "is left exactly as it is" } else { "is hooked in vain" };
            let reason = status.reason().unwrap_or_default();
            Finding::broken(format!("{version} {word}{because}")).cures(cure(reason))
        }
        // A later module's word.
        Some(other) => Finding::note(format!("{version}: {other}{because}")),
        None => Finding::note("the module does not say how it stands with the driver"),
    })
}

/// What to do about a reason of the module's. Some say it themselves, in parentheses.
fn cure(reason: &str) -> Vec<String> {
    let reload = "rmmod vgpu_unlock && modprobe vgpu_unlock";
    let steps: &[&str] = if reason.contains("ftrace is off") {
        &["sysctl kernel.ftrace_enabled=1", reload]
    } else if reason.contains("kprobes are off") {
        &["echo 1 > /sys/kernel/debug/kprobes/enabled", reload]
    } else if reason.contains("open modules") {
        &["run NVIDIA's installer with --kernel-module-type=proprietary, then reboot"]
    } else if reason.contains("patched") || reason.contains("compiled into") {
        &["install NVIDIA's original driver"]
    } else if reason.contains("signature") || reason.contains("capability table") {
        &[
            "if the driver was patched (merged, vGPU-Unlock-patcher, hooks.c): install NVIDIA's original",
            "if it is the original: please report it, with what `vgpu-unlock report` writes",
        ]
    } else if reason.contains("not known") {
        return vec![format!(
            "install a driver of a branch that is known: {}",
            vgpu_unlock::host::KNOWN_BRANCHES
        )];
    } else {
        &["README.md, \"When it doesn't work\", has more; please report what it does not have"]
    };
    steps.iter().map(|&step| step.to_owned()).collect()
}

/// How it stands with a board, and whether that keeps it from having vGPUs.
fn unlock(board: Board<'_>) -> (Finding, bool) {
    let name = board.address().unwrap_or("a board");
    let reason = board.reason().unwrap_or_default();
    let as_what = board.answered_as().map_or_else(String::new, |(device, other)| {
        format!(", answered as 10de:{device:04x} {other}")
    });
    match board.state() {
        Some("unlocked" | "listed" | "waiting") => {
            (Finding::ok(format!("{name}{as_what}: {reason}")), false)
        }
        Some("off") => (
            Finding::note(format!("{name}: {reason}"))
                .cure("`off` for it in the parameter gpus is what keeps it locked"),
            true,
        ),
        Some(
            "unknown" | "not unlocked" | "no driver" | "unbound" | "no sr-iov" | "open modules"
            | "not yet listed",
        ) => (Finding::note(format!("{name}{as_what}: {reason}")), true),
        // A later module's word: whatever it means, it may be fine.
        other => {
            let state = other.unwrap_or("no state");
            let said = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            (Finding::note(format!("{name}{as_what}: {state}{said}")), false)
        }
    }
}
