// SPDX-License-Identifier: GPL-2.0
//! What is left of older ways to unlock, which does the same as the module, or undoes it.
//!
//! Source: the READMEs of DualCoder/vgpu_unlock (the script before the daemons, hooks.c and kern.ld
//! in the driver's sources) and mbilker/vgpu_unlock-rs (the preloaded library and its drop-ins), and
//! the parameters that vGPU-Unlock-patcher adds to nvidia.ko.

use super::{Finding, facts::Facts};
use crate::{
    host::{Host, Seen, journal, processes},
    profile::OVERRIDES,
};

const NAME: &str = "vgpu_unlock";

/// The daemons that older unlocks stand before.
pub(super) const DAEMONS: [&str; 2] = ["nvidia-vgpud", "nvidia-vgpu-mgr"];

pub(super) fn leftovers(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let mut findings = vec![];
    findings.extend(units(facts.host)?);
    findings.extend(daemons(facts.host)?);
    findings.extend(sources(facts.host)?);
    findings.extend(patched(facts)?);
    let in_use = !findings.is_empty();
    findings.extend(files(facts.host, in_use)?);
    if findings.is_empty() {
        findings.push(Finding::ok("none"));
    }
    Ok(findings)
}

/// Units of the daemons that start something of theirs.
fn units(host: &Host) -> Seen<Vec<Finding>> {
    let mut findings = vec![];
    let merged = host.link_name("/lib")?.is_some();
    let mut dirs = vec!["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"];
    dirs.extend((!merged).then_some("/lib/systemd/system"));
    for unit in journal::UNITS {
        for dir in &dirs {
            let mut files = vec![format!("{dir}/{unit}")];
            for name in host.names(&format!("{dir}/{unit}.d"))? {
                files.push(format!("{dir}/{unit}.d/{name}"));
            }
            for file in files {
                let text = host.text(&file)?.unwrap_or_default();
                findings.extend(unit_file(&file, &text, unit));
            }
        }
    }
    if host.text("/etc/ld.so.preload")?.is_some_and(|text| text.contains(NAME)) {
        findings.push(
            Finding::broken("/etc/ld.so.preload loads the library of an older unlock everywhere")
                .cure("take its line out, then reboot"),
        );
    }
    Ok(findings)
}

fn unit_file(file: &str, text: &str, unit: &str) -> Option<Finding> {
    let settings: Vec<_> = text.lines().map(str::trim).enumerate().collect();
    let is_setting = |line: &str| !line.is_empty() && !line.starts_with(['#', ';', '[']);
    let starts = |line: &str| {
        is_setting(line)
            && line.contains(NAME)
            && (line.contains("LD_PRELOAD") || line.starts_with("ExecStart"))
    };
    let (number, line) = settings.iter().find(|(_, line)| starts(line))?;
    let alone = settings.iter().filter(|(_, line)| is_setting(line)).count() == 1;
    let finding = Finding::broken(format!("{file}:{}: {line}", number + 1));
    let daemon = unit.trim_end_matches(".service");
    let finding = if line.starts_with("ExecStart") {
        finding.cure(format!("write ExecStart=/usr/bin/{daemon} there, as NVIDIA's package has it"))
    } else if alone {
        finding.cure(format!("rm {file}"))
    } else {
        finding.cure(format!("take line {} out of {file}", number + 1))
    };
    Some(finding.cure(format!("systemctl daemon-reload && systemctl restart {daemon}")))
}

/// Daemons that run with something of theirs.
fn daemons(host: &Host) -> Seen<Vec<Finding>> {
    let mut findings = vec![];
    for daemon in DAEMONS {
        for process in processes(host, daemon)? {
            let mut unseen = None;
            let mut has = |file: &str| match host.text(&format!("/proc/{}/{file}", process.pid)) {
                Ok(text) => text.filter(|text| text.contains(NAME)).is_some(),
                Err(it) => {
                    unseen = Some(it);
                    false
                }
            };
            // A library that was removed from the disk is still in a process that had it.
            if has("maps") || has("environ") {
                findings.push(
                    Finding::broken(format!(
                        "{daemon} ({}) runs with the library of an older unlock",
                        process.pid
                    ))
                    .cure(format!(
                        "systemctl daemon-reload && systemctl restart {daemon}, while no vGPU runs"
                    )),
                );
            } else if let Some(unseen) = unseen {
                findings.push(unseen.into());
            }
        }
    }
    Ok(findings)
}

/// Sources of the driver that hooks.c was put into.
fn sources(host: &Host) -> Seen<Vec<Finding>> {
    let mut findings = vec![];
    for name in host.names("/usr/src")?.into_iter().filter(|name| name.starts_with("nvidia")) {
        for (file, word) in
            [("nvidia/os-interface.c", "vgpu_unlock_hooks.c"), ("nvidia/nvidia.Kbuild", "kern.ld")]
        {
            let path = format!("/usr/src/{name}/{file}");
            let text = host.text(&path)?.unwrap_or_default();
            if let Some((number, _)) =
                text.lines().enumerate().find(|(_, line)| line.contains(word))
            {
                let version = name.split_once('-').map_or("", |(_, version)| version);
                findings.push(
                    Finding::broken(format!("{path}:{}: has {word} of an older unlock in it", number + 1))
                        .cure("install NVIDIA's package anew, which brings its own sources back")
                        .cure(format!(
                            "or take the line out, then dkms remove nvidia/{version} --all && dkms install \
                             nvidia/{version}"
                        ))
                        .cure("then reboot"),
                );
            }
        }
    }
    Ok(findings)
}

/// A driver in the kernel that is not as NVIDIA built it.
fn patched(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let mut findings = vec![];
    let parameters = facts.host.names("/sys/module/nvidia/parameters")?;
    if let Some(parameter) = parameters.iter().find(|name| name.starts_with("vup_")) {
        findings.push(
            Finding::broken(format!(
                "NVIDIA's driver is patched: it has the parameter {parameter} of vGPU-Unlock-patcher"
            ))
            .cure("install NVIDIA's original, and take the options vup_… out of modprobe.d"),
        );
    }
    // Where the journal can't be read, the link that is about it says so.
    let journal = facts.journal().unwrap_or_default();
    if journal
        .iter()
        .any(|e| e.source == "kernel" && e.message.contains("vGPU unlock patch applied"))
    {
        findings.push(
            Finding::broken("NVIDIA's driver has hooks.c of an older unlock compiled in")
                .cure("install NVIDIA's original, then reboot"),
        );
    }
    Ok(findings)
}

/// What lies about. It does nothing by itself.
fn files(host: &Host, in_use: bool) -> Seen<Vec<Finding>> {
    let mut findings = vec![];
    for name in host.names("/opt")?.into_iter().filter(|name| name.starts_with(NAME)) {
        let finding = Finding::note(format!("/opt/{name} is there"));
        findings.push(if in_use {
            finding.cure(format!("rm -r /opt/{name}, when nothing above names it any more"))
        } else {
            finding.cure(format!("nothing uses it: rm -r /opt/{name}"))
        });
    }
    let overrides = format!("/etc/{NAME}/profile_override.toml");
    let config = format!("/etc/{NAME}/config.toml");
    let has_text = |path: &str| -> Seen<bool> {
        Ok(host.text(path)?.is_some_and(|text| !text.trim().is_empty()))
    };
    let unread =
        |path: &str| Finding::note(format!("{path}: settings that the module does not read"));
    let (has_overrides, has_config) = (has_text(&overrides)?, has_text(&config)?);
    if has_overrides {
        findings.push(
            unread(&overrides)
                .cure(format!("vgpu-unlock import {overrides} --output {OVERRIDES}"))
                .cure("vgpu-unlock apply"),
        );
    }
    if has_config {
        findings.push(if has_overrides {
            unread(&config).cure(format!("vgpu-unlock import {overrides} {config}"))
        } else {
            unread(&config).cure("what it can say, the module's parameters gpus and migration do")
        });
    }
    Ok(findings)
}
