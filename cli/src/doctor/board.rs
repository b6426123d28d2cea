// SPDX-License-Identifier: GPL-2.0
//! The boards, and which kernel driver holds each.

use vgpu_unlock::{gpu::Answer, status::GpuState};

use super::{Finding, State, facts::Facts};
use crate::host::{Board, Seen};

/// Kernel drivers for NVIDIA's boards that are not the one which hosts vGPUs, by the name that they have on the PCI
/// bus, and the module of each. Source of nova-core's: `module_pci_driver!` in Linux's drivers/gpu/nova-core.
const OTHER_DRIVERS: [(&str, &str); 5] = [
    ("nouveau", "nouveau"),
    ("NovaCore", "nova_core"),
    ("nova-core", "nova_core"),
    ("nvidiafb", "nvidiafb"),
    ("rivafb", "rivafb"),
];

/// Whether there is a board, and what it is to the module.
pub(super) fn present(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let boards = facts.all_boards()?;
    if boards.is_empty() {
        return Ok(vec![Finding::broken("there is no NVIDIA display board on the PCI bus").cure(
            "`lspci -nn -d 10de:` has to show it: see that it sits, has power, and is \
                     switched on in the firmware's setup",
        )]);
    }
    let findings: Vec<_> = boards.iter().map(|board| kind(facts, board)).collect();
    Ok(one_is_enough(findings))
}

fn kind(facts: &Facts<'_>, board: &Board) -> Finding {
    let mut name = board.name();
    if board.total_functions != 0 {
        name +=
            &format!(" ({} of {} virtual functions)", board.functions.len(), board.total_functions);
    }
    match facts.answer(board) {
        Answer::NoSriov => Finding::note(format!("{name}: {}", GpuState::NoSriov.explanation()))
            .cure(
                "take a board of the Turing generation or an older one, or one that NVIDIA lists",
            ),
        Answer::As(_, sibling) => {
            Finding::ok(format!("{name}: answered as 10de:{:04x} {}", sibling.device, sibling.name))
        }
        Answer::Dropped => Finding::ok(format!(
            "{name}: NVIDIA lists it in older branches, this driver's no longer does"
        )),
        Answer::NotYet => Finding::note(format!("{name}: {}", GpuState::NotYet.explanation()))
            .cure("install a newer driver"),
        Answer::Listed => Finding::ok(format!("{name}: NVIDIA lists this board, it needs nothing")),
        Answer::Unknown => Finding::note(format!(
            "{name}: no vGPU-capable board with this silicon is known"
        ))
        .cure(
            "if NVIDIA lists it, it needs nothing of vgpu_unlock; else README.md has the boards \
             that can be unlocked",
        ),
    }
}

/// Who holds the boards.
pub(super) fn holder(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    if facts.all_boards()?.is_empty() {
        return Ok(vec![Finding::not_asked("not asked: there is no board")]);
    }
    let mut findings = vec![];
    for board in facts.all_boards()? {
        findings.push(held(facts, board)?);
    }
    Ok(one_is_enough(findings))
}

fn held(facts: &Facts<'_>, board: &Board) -> Seen<Finding> {
    let name = board.name();
    Ok(match board.driver.as_deref() {
        Some("nvidia") => Finding::ok(format!("{name}: nvidia")),
        None if facts.host.exists("/sys/module/nvidia")? => {
            Finding::note(format!("{name}: NVIDIA's driver is loaded, and has not taken it"))
                .cure("journalctl -k -g NVRM says why")
        }
        None => Finding::ok(format!("{name}: no driver yet")),
        Some("vfio-pci") => {
            let finding = Finding::note(format!(
                "{name}: used by vfio-pci, so it is for one virtual machine as a whole"
            ));
            let places = given_away(facts, board)?;
            let distribution = facts.distribution()?;
            if places.is_empty() {
                finding.cure("whatever started with the board gives it back when it is shut down")
            } else {
                finding
                    .cures(places.into_iter().map(|place| format!("take it out of {place}")))
                    .cure(distribution.refresh_initramfs())
                    .cure("then reboot")
            }
        }
        Some(driver) => {
            let finding = Finding::note(format!("{name}: {driver} holds it, not NVIDIA's driver"));
            match OTHER_DRIVERS.iter().find(|(name, _)| *name == driver) {
                Some((_, module)) => finding.cures(blacklist(facts, &[module])?),
                None => finding.cure(format!("have {driver} leave it alone, then reboot")),
            }
        }
    })
}

/// Where it is said that vfio-pci gets a board.
fn given_away(facts: &Facts<'_>, board: &Board) -> Seen<Vec<String>> {
    let mut places = vec![];
    let id = format!("10de:{:04x}", board.device);
    let names_it =
        |ids: &str| ids.to_lowercase().split([',', '=', '"']).any(|it| it.starts_with(&id));
    for directive in facts.directives()? {
        let options = directive.about("options", "vfio_pci").unwrap_or_default();
        if options.iter().any(|option| option.starts_with("ids=") && names_it(option)) {
            places.push(directive.place());
        }
    }
    if facts.kernel()?.parameter("vfio_pci.ids").is_some_and(names_it) {
        places.push("the kernel's command line (vfio-pci.ids)".into());
    }
    let override_file = format!("/etc/driverctl.d/{}", board.address);
    if facts.host.exists(&override_file)? {
        places.push(format!("driverctl: driverctl unset-override {}", board.address));
    }
    for (number, line) in super::vgpus::proxmox_devices(facts.host)? {
        if !line.contains("mdev=") && super::vgpus::names_board(&line, &board.address) {
            places.push(format!("virtual machine {number} ({line})"));
        }
    }
    Ok(places)
}

/// Whether nouveau, or what is to follow it, can take a board before NVIDIA's driver does.
pub(super) fn nouveau(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let release = &facts.kernel()?.release;
    let mut wanted = vec![];
    for module in ["nouveau", "nova_core"] {
        let loaded = facts.host.exists(&format!("/sys/module/{module}"))?;
        let there = loaded || facts.host.module_file(release, module)?.is_some();
        if there && !is_blacklisted(facts, module)? {
            wanted.push((module, loaded));
        } else if loaded {
            return Ok(vec![
                Finding::note(format!("{module} is blacklisted, and loaded all the same"))
                    .cure(facts.distribution()?.refresh_initramfs())
                    .cure("then reboot"),
            ]);
        }
    }
    let names: Vec<_> = wanted.iter().map(|(module, _)| *module).collect();
    let list = names.join(" and ");
    Ok(vec![match wanted.iter().any(|(_, loaded)| *loaded) {
        true => Finding::note(format!("{list}: loaded, and not blacklisted"))
            .cures(blacklist(facts, &names)?),
        false if !names.is_empty() => Finding::note(format!(
            "{list}: not blacklisted, and so may take a board at the next boot"
        ))
        .cures(blacklist(facts, &names)?),
        false => Finding::ok("out of the way"),
    }])
}

fn is_blacklisted(facts: &Facts<'_>, module: &str) -> Seen<bool> {
    let refused = facts.directives()?.iter().any(|directive| {
        let command = directive.about("install", module).and_then(<[String]>::first);
        directive.about("blacklist", module).is_some()
            || command
                .is_some_and(|command| command.ends_with("/false") || command.ends_with("/true"))
    });
    let kernel = facts.kernel()?;
    let words = ["modprobe.blacklist", "module_blacklist", "rd.driver.blacklist"];
    Ok(refused
        || words
            .iter()
            .filter_map(|name| kernel.parameter(name)?.split_once('='))
            .any(|(_, list)| list.split(',').any(|name| name.replace('-', "_") == module)))
}

fn blacklist(facts: &Facts<'_>, modules: &[&str]) -> Seen<Vec<String>> {
    let lines: Vec<_> = modules.iter().map(|module| format!("blacklist {module}\\n")).collect();
    Ok(vec![
        format!("printf '{}' >> /etc/modprobe.d/blacklist-nouveau.conf", lines.concat()),
        facts.distribution()?.refresh_initramfs(),
        "then reboot".into(),
    ])
}

/// One board that is fine is what vGPUs need. Where there is none, what was only to be known about
/// the others is what keeps them from working.
fn one_is_enough(mut findings: Vec<Finding>) -> Vec<Finding> {
    if findings.iter().all(|finding| finding.state == State::Note) {
        for finding in &mut findings {
            finding.state = State::Broken;
        }
    }
    findings
}
