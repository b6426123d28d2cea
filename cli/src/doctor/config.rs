// SPDX-License-Identifier: GPL-2.0
//! vgpuConfig.xml: whether it has vGPU types for what a board is answered as.
//!
//! Source for its form: xen-api's and vgpuConfig generators' public code that reads and writes it.
//! `<pgpu>` has a `<devId deviceId= subsystemId=>`, where 0 is any, and a `<supportedVgpu>` a type.

use roxmltree::{Document, Node, ParsingOptions};
use vgpu_unlock::gpu;

use super::{Finding, facts::Facts};
use crate::host::{Board, Seen};

const FILE: &str = "/usr/share/nvidia/vgpu/vgpuConfig.xml";

pub(super) fn config(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    if let Some(nothing) = facts.without_board()? {
        return Ok(nothing);
    }
    let reinstall = "install NVIDIA's vGPU package anew; the file is part of it";
    let Some(text) = facts.host.text(FILE)? else {
        return Ok(vec![Finding::broken(format!("{FILE} does not exist")).cure(reinstall)]);
    };
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = match Document::parse_with_options(&text, options) {
        Ok(document) => document,
        Err(error) => {
            return Ok(vec![
                Finding::broken(format!("{FILE} is damaged: {error}")).cure(reinstall),
            ]);
        }
    };
    let boards = facts.boards()?;
    let mut findings: Vec<_> =
        boards.into_iter().map(|board| of_board(facts, &document, board)).collect();
    // One board with types is what vGPUs need.
    if findings.iter().any(|(_, types)| *types != 0) {
        for (finding, types) in &mut findings {
            if *types == 0 {
                finding.state = super::State::Note;
            }
        }
    }
    Ok(findings.into_iter().map(|(finding, _)| finding).collect())
}

/// What there is for a board, and how many types these are.
fn of_board(facts: &Facts<'_>, document: &Document<'_>, board: &Board) -> (Finding, usize) {
    let (device, other) = facts.seen_as(board);
    let types = supported(document, device, board.subsystem);
    let name = format!("{}, seen as 10de:{device:04x} {other}", board.address);
    if types != 0 {
        return (Finding::ok(format!("{name}: {types} types")), types);
    }
    let finding = Finding::broken(format!("{name}: no types for it in {FILE}"));
    let status = facts.status().ok().and_then(|status| status.board(&board.address));
    let gone = facts
        .driver_version()
        .is_some_and(|version| !gpu::lists(&gpu::chosen(device, None), version.branch))
        || status.is_some_and(|board| board.profiles_gone());
    let finding = if gone {
        finding
            .cure(format!(
                "take vgpuConfig.xml from a vGPU 16.x (535) package, and put it in {FILE}"
            ))
            .cure("systemctl restart nvidia-vgpud")
    } else {
        finding
            .cure("take a vGPU package that supports this board, or name another one in the parameter gpus")
    };
    (finding, 0)
}

/// How many types there are for a device. An entry for its own subsystem counts as well as one for
/// all.
fn supported(document: &Document<'_>, device: u16, subsystem: u16) -> usize {
    let pgpus = document.descendants().filter(|node| node.has_tag_name("pgpu"));
    let of_device = pgpus.filter(|pgpu| {
        let ids = pgpu.children().filter(|node| node.has_tag_name("devId"));
        ids.into_iter().any(|id| {
            let subsystems = [None, Some(0), Some(subsystem)];
            number(id, "deviceId") == Some(device)
                && subsystems.contains(&number(id, "subsystemId"))
        })
    });
    let children = of_device.flat_map(|pgpu| pgpu.children());
    children.filter(|node| node.has_tag_name("supportedVgpu")).count()
}

fn number(node: Node<'_, '_>, attribute: &str) -> Option<u16> {
    let text = node.attribute(attribute)?.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u16::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
