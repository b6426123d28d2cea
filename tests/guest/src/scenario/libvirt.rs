// SPDX-License-Identifier: GPL-2.0
//! vGPU types and vGPUs as libvirt sees and makes them.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::{
    mdev::{KIND, OTHER_KIND, all_told, load_drivers, prepare, unload_drivers},
    rm_control::set_module,
    steps::{MODULE, attached, soon},
};
use crate::{
    expected::OFFERED,
    kernel,
    libvirt::{Libvirt, settle, virsh},
    mdev,
    report::{Report, equal},
    rm::{question::UUID_TEXT, run},
};

const BRANCH: &str = "550";
/// Where the description of the vGPU to be is.
const XML: &str = "/run/vgpu.xml";

pub fn run(report: &mut Report) -> Result<()> {
    let board = prepare(report)?;
    let device = format!("pci_{}", board.address.replace([':', '.'], "_"));
    let vgpu =
        format!("mdev_{}_{}", UUID_TEXT.replace('-', "_"), board.address.replace([':', '.'], "_"));
    let libvirt = Libvirt::start()?;
    kernel::load(MODULE)?;
    load_drivers(BRANCH)?;
    report.check("attached, all hooks placed", || soon(attached));
    report.check("before nvidia-vgpud, no device has types of mediated devices", || {
        settle()?;
        equal(virsh(&["nodedev-list", "--cap", "mdev_types"])?.trim(), "")
    });
    report.check("nvidia-vgpud knows the board, and tells its 25 types", || {
        equal(run::register(BRANCH)?, all_told())
    });
    report.check("nodedev-list has the board by its types", || {
        soon(|| equal(virsh(&["nodedev-list", "--cap", "mdev_types"])?.trim(), device.as_str()))
    });
    report.check("nodedev-dumpxml has every type with its name and what is available", || {
        soon(|| {
            let types = types(&device)?;
            equal(types.len(), OFFERED.len())?;
            for offered in &OFFERED {
                let kind = format!("nvidia-{}", offered.number);
                has(&types, &kind, offered.name, offered.instances)?;
            }
            Ok(())
        })
    });
    set_module("overrides", "nvidia-46:card_name='My vGPU',max_instances=3;nvidia-47:hidden=1")?;
    report.check("an overridden type has its other name and number, a hidden one is gone", || {
        soon(|| {
            let types = types(&device)?;
            has(&types, KIND, "My vGPU", 3)?;
            let hidden = format!("id='{OTHER_KIND}'");
            ensure!(!types.iter().any(|of| of.contains(&hidden)), "{OTHER_KIND} is there");
            equal(types.len(), OFFERED.len() - 1)
        })
    });
    created(report, &device, &vgpu)?;
    set_module("overrides", "")?;
    libvirt.stop()?;
    kernel::unload(MODULE)?;
    unload_drivers()
}

/// The life of a vGPU.
fn created(report: &mut Report, device: &str, vgpu: &str) -> Result<()> {
    let xml = format!(
        "<device><parent>{device}</parent><capability type='mdev'><type id='{KIND}'/>\
         <uuid>{UUID_TEXT}</uuid></capability></device>"
    );
    fs::write(XML, xml).with_context(|| format!("writing {XML}"))?;
    report.check("nodedev-create makes a vGPU", || {
        virsh(&["nodedev-create", XML])?;
        equal(mdev::exists(UUID_TEXT), true)
    });
    report.check("nodedev-dumpxml of the vGPU names its type and its board", || {
        let text = virsh(&["nodedev-dumpxml", vgpu])?;
        for words in [
            format!("<type id='{KIND}'/>"),
            format!("<parent>{device}</parent>"),
            format!("<uuid>{UUID_TEXT}</uuid>"),
        ] {
            ensure!(text.contains(&words), "{words} is not in {text}");
        }
        Ok(())
    });
    report.check("one less of its type is available, and none of another one", || {
        let types = types(device)?;
        has(&types, KIND, "My vGPU", 2)?;
        let free = types.iter().filter(|of| !of.contains("<availableInstances>0<")).count();
        equal(free, 1)
    });
    report.check("nodedev-destroy removes it", || {
        virsh(&["nodedev-destroy", vgpu])?;
        equal(mdev::exists(UUID_TEXT), false)
    });
    report.check("then all are available again", || {
        soon(|| has(&types(device)?, KIND, "My vGPU", 3))
    });
    Ok(())
}

/// The elements of a device's types in its XML.
fn types(device: &str) -> Result<Vec<String>> {
    let text = virsh(&["nodedev-dumpxml", device])?;
    let (_, types) =
        text.split_once("<capability type='mdev_types'>").context("it has no types")?;
    let types = types.split_once("</capability>").map_or(types, |(types, _)| types);
    Ok(types.split("<type ").skip(1).map(str::to_owned).collect())
}

/// Fails unless one of the types is this one, with this name and number.
fn has(types: &[String], kind: &str, name: &str, available: u32) -> Result<()> {
    let begins = format!("id='{kind}'");
    let of = types.iter().find(|of| of.starts_with(&begins));
    let of = of.with_context(|| format!("there is no {kind}"))?;
    for words in [
        format!("<name>{name}</name>"),
        "<deviceAPI>vfio-pci</deviceAPI>".to_owned(),
        format!("<availableInstances>{available}</availableInstances>"),
    ] {
        ensure!(of.contains(&words), "{kind}: {words} is not in {of}");
    }
    Ok(())
}
