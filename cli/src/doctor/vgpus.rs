// SPDX-License-Identifier: GPL-2.0
//! vGPUs: those that are defined, by mdevctl or for Proxmox's virtual machines, and those that exist.
//!
//! Source: mdevctl(8) for /etc/mdevctl.d, Proxmox's qm.conf for hostpciN.

use serde_json::Value;

use super::{Finding, facts::Facts, types};
use crate::{
    apply::memory,
    host::{Board, Host, Seen},
};

const DEVICES: &str = "/sys/bus/mdev/devices";

/// A vGPU that is to be.
struct Wanted {
    /// Who wants it.
    who: String,
    /// The address of the board or of a virtual function.
    parent: String,
    /// Such as `nvidia-46`.
    vgpu_type: String,
    /// It should exist now, and this makes it.
    start: Option<String>,
}

pub(super) fn vgpus(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let existing = facts.host.names(DEVICES)?;
    let mut findings = vec![match existing.len() {
        0 => Finding::ok("none yet"),
        count => Finding::ok(format!("{count} exist")),
    }];
    let status = facts.status().ok();
    let too_large = status.map(|status| memory::of_vgpus(status.needs())).unwrap_or_default();
    findings.extend(too_large.iter().map(|it| Finding::note(it.to_string())));
    let mut wanted = mdevctl(facts.host, &existing)?;
    wanted.extend(proxmox(facts.host)?);
    for it in wanted {
        findings.extend(fault(facts.host, facts.all_boards()?, &it)?);
    }
    Ok(findings)
}

/// What keeps a vGPU from being made.
fn fault(host: &Host, boards: &[Board], wanted: &Wanted) -> Seen<Option<Finding>> {
    let Wanted { who, parent, vgpu_type, start } = wanted;
    let board = boards.iter().find(|board| {
        names_board(parent, &board.address)
            || board.functions.iter().any(|it| names_board(parent, it))
    });
    let Some(board) = board else {
        return Ok(Some(
            Finding::note(format!("{who}: there is no board at {parent} for it"))
                .cure("the board may have moved: `lspci -D -d 10de:` shows where it is"),
        ));
    };
    let types = types::of_board(host, board)?;
    if !types.is_empty() && !types.contains(vgpu_type) {
        let finding = Finding::note(format!("{who}: {} has no type {vgpu_type}", board.address));
        return Ok(Some(finding.cure(format!("choose one of: {}", types.join(" ")))));
    }
    Ok(start
        .as_ref()
        .map(|start| Finding::note(format!("{who}: does not exist")).cure(start.as_str())))
}

/// What mdevctl has defined: a file for each, in a directory for each parent.
fn mdevctl(host: &Host, existing: &[String]) -> Seen<Vec<Wanted>> {
    const DIR: &str = "/etc/mdevctl.d";
    let mut wanted = vec![];
    for parent in host.names(DIR)?.into_iter().filter(|name| !name.ends_with(".d")) {
        for uuid in host.names(&format!("{DIR}/{parent}"))? {
            let text = host.text(&format!("{DIR}/{parent}/{uuid}"))?.unwrap_or_default();
            let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
            let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
            // Other vendors' are none of ours.
            if !field("mdev_type").starts_with("nvidia-") {
                continue;
            }
            let missing = field("start") == "auto" && !existing.contains(&uuid);
            wanted.push(Wanted {
                who: format!("mdevctl's {uuid}"),
                vgpu_type: field("mdev_type").to_owned(),
                start: missing.then(|| format!("mdevctl start -u {uuid}")),
                parent: parent.clone(),
            });
        }
    }
    Ok(wanted)
}

/// What Proxmox makes when a virtual machine starts.
fn proxmox(host: &Host) -> Seen<Vec<Wanted>> {
    let wanted = proxmox_devices(host)?.into_iter().filter_map(|(number, line)| {
        let value = line.split_once(':')?.1.trim();
        let vgpu_type = value.split(',').find_map(|part| part.strip_prefix("mdev="))?;
        let parent =
            value.split(',').find(|part| !part.contains('=') || part.starts_with("host="))?;
        Some(Wanted {
            who: format!("virtual machine {number}"),
            parent: parent.trim_start_matches("host=").to_owned(),
            vgpu_type: vgpu_type.to_owned(),
            start: None,
        })
    });
    Ok(wanted.collect())
}

/// The lines `hostpciN` of Proxmox's virtual machines, with the machine's number. What stands below
/// a heading belongs to a snapshot.
pub(super) fn proxmox_devices(host: &Host) -> Seen<Vec<(String, String)>> {
    const DIR: &str = "/etc/pve/qemu-server";
    let mut found = vec![];
    for file in host.names(DIR)? {
        let Some(number) = file.strip_suffix(".conf") else { continue };
        let text = host.text(&format!("{DIR}/{file}"))?.unwrap_or_default();
        let now = text.lines().take_while(|line| !line.starts_with('['));
        let devices = now.filter(|line| line.starts_with("hostpci"));
        found.extend(devices.map(|line| (number.to_owned(), line.to_owned())));
    }
    Ok(found)
}

/// Whether a text such as `hostpci0: 01:00,pcie=1` is about the device at an address: without its
/// domain it is domain 0, without its function all of them.
pub(super) fn names_board(text: &str, address: &str) -> bool {
    let without_domain = address.strip_prefix("0000:").unwrap_or(address);
    let without_function = |address: &str| address.split('.').next().unwrap_or_default().to_owned();
    let forms = [
        address.to_owned(),
        without_domain.to_owned(),
        without_function(address),
        without_function(without_domain),
    ];
    text.split([' ', ',', ';', '=']).any(|word| forms.iter().any(|form| form == word))
}
