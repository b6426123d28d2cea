// SPDX-License-Identifier: GPL-2.0
//! vGPU types that are registered with the kernel.
//!
//! Source: the kernel's vfio-mediated-device.rst for mdev, NVIDIA's vGPU guide for SR-IOV and for
//! the files of virtual functions that newer kernels have instead.

use super::{Finding, State, facts::Facts};
use crate::{
    apply::memory,
    host::{Board, Host, Seen},
};

/// The types of a board or of its virtual functions, each once: `nvidia-46`.
pub(super) fn of_board(host: &Host, board: &Board) -> Seen<Vec<String>> {
    let mut types = vec![];
    for address in std::iter::once(&board.address).chain(&board.functions) {
        types.extend(host.names(&format!("/sys/class/mdev_bus/{address}/mdev_supported_types"))?);
        let list = format!("/sys/bus/pci/devices/{address}/nvidia/creatable_vgpu_types");
        // A line is "1145 : NVIDIA A40-1Q", below a heading.
        let text = host.text(&list)?.unwrap_or_default();
        let numbers =
            text.lines().filter_map(|line| line.split(':').next()?.trim().parse::<u32>().ok());
        types.extend(numbers.map(|number| format!("nvidia-{number}")));
    }
    types.sort_unstable();
    types.dedup();
    Ok(types)
}

pub(super) fn types(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    if let Some(nothing) = facts.without_board()? {
        return Ok(nothing);
    }
    let mut findings = vec![];
    for board in facts.boards()? {
        let types = of_board(facts.host, board)?;
        findings.push(match types.len() {
            0 => missing(facts, board)?,
            count => Finding::ok(format!("{}: {count}", board.address)),
        });
    }
    // One board with types is what vGPUs need.
    if findings.iter().any(|finding| finding.state == State::Ok) {
        findings
            .iter_mut()
            .filter(|it| it.state != State::Ok)
            .for_each(|it| it.state = State::Note);
    }
    for board in facts.boards()? {
        findings.extend(memory::of_types(facts.host, &board.address).map(Finding::note));
    }
    if let Some(reason) = facts.status().ok().and_then(|status| status.types_reason()) {
        findings.push(
            Finding::note(format!("shown as the driver has them, not as overridden: {reason}"))
                .cure("whatever else hooks the kernel's mdev core has to go; overrides work all the same"),
        );
    }
    Ok(findings)
}

/// Why a board has none, as far as can be told.
fn missing(facts: &Facts<'_>, board: &Board) -> Seen<Finding> {
    let finding = Finding::broken(format!("{}: none registered", board.address));
    if board.total_functions != 0 && board.functions.is_empty() {
        let address = &board.address;
        return Ok(finding.cure(format!(
            "/usr/lib/nvidia/sriov-manage -e {address} makes its virtual functions"
        )));
    }
    if !facts.host.exists("/sys/module/nvidia_vgpu_vfio")? {
        return Ok(finding.cure("modprobe nvidia-vgpu-vfio"));
    }
    let status = facts.status().ok().and_then(|status| status.board(&board.address));
    Ok(match status.and_then(|board| board.missing()) {
        Some(("types registered" | "nvidia-vgpud asked", advice)) => finding.cure(advice),
        _ => finding.cure("systemctl restart nvidia-vgpud, and see journalctl -u nvidia-vgpud"),
    })
}
