// SPDX-License-Identifier: GPL-2.0
//! vGPU types as Proxmox VE shows them and makes vGPUs of them.

use anyhow::{Result, ensure};

use super::{
    mdev::{KIND, OTHER_KIND, all_told, load_drivers, prepare, unload_drivers},
    rm_control::set_module,
    steps::{MODULE, attached, soon},
};
use crate::{
    expected::OFFERED,
    kernel, mdev,
    proxmox::{self, Type},
    report::{Report, equal},
    rm::run,
};

const BRANCH: &str = "550";
const OVERRIDES: &str = "nvidia-46:card_name='My vGPU',num_displays=1,display_width=1920,\
                         display_height=1080,frl_config=30,vram=2GiB,max_instances=3";
const DESCRIPTION: &str = "num_heads=1, frl_config=30, framebuffer=2048M, max_resolution=1920x1080, \
                           max_instance=3\n";
const HIDDEN: &str = "nvidia-47:hidden=1";
const MACHINE: u64 = 100;

pub fn run(report: &mut Report) -> Result<()> {
    let board = prepare(report)?;
    let address = board.address.as_str();
    kernel::load(MODULE)?;
    load_drivers(BRANCH)?;
    report.check("attached, all hooks placed", || soon(attached));
    report
        .check("before nvidia-vgpud, no device is offered", || equal(proxmox::devices()?, vec![]));
    report.check("nvidia-vgpud knows the board, and tells its 25 types", || {
        equal(run::register(BRANCH)?, all_told())
    });
    report.check("the board is offered, and no other device", || {
        equal(proxmox::devices()?, vec![address.to_owned()])
    });
    shown(report, address)?;
    made(report, address)?;
    kernel::unload(MODULE)?;
    report.check("after rmmod the list is the driver's own", || is(address, &offered()));
    unload_drivers()
}

/// What the driver has of its types, as Proxmox would show it.
fn offered() -> Vec<Type> {
    let mut types: Vec<_> = OFFERED
        .iter()
        .map(|offered| Type {
            kind: format!("nvidia-{}", offered.number),
            name: Some(offered.name.to_owned()),
            description: format!("{}\n", offered.description),
            available: offered.instances.into(),
        })
        .collect();
    types.sort_by(|one, other| one.kind.cmp(&other.kind));
    types
}

/// The same with other texts for [`KIND`].
fn overridden() -> Vec<Type> {
    let mut types = offered();
    for of in types.iter_mut().filter(|of| of.kind == KIND) {
        of.name = Some("My vGPU".to_owned());
        of.description = DESCRIPTION.to_owned();
        of.available = 3;
    }
    types
}

fn is(address: &str, expected: &[Type]) -> Result<()> {
    let types = proxmox::types(address)?;
    equal(types.len(), expected.len())?;
    types.into_iter().zip(expected).try_for_each(|(of, expected)| equal(&of, expected))
}

fn shown(report: &mut Report, address: &str) -> Result<()> {
    report.check("names, descriptions and instances are the driver's own", || {
        is(address, &offered())
    });
    set_module("overrides", OVERRIDES)?;
    report.check("a type's other name, description and number are shown", || {
        is(address, &overridden())
    });
    set_module("overrides", HIDDEN)?;
    report.check("a hidden type is not in the list", || {
        let mut types = offered();
        types.retain(|of| of.kind != OTHER_KIND);
        soon(|| is(address, &types))
    });
    set_module("overrides", "")?;
    report.check("without overrides all is as before", || soon(|| is(address, &offered())));
    Ok(())
}

/// Virtual machines that start.
fn made(report: &mut Report, address: &str) -> Result<()> {
    set_module("overrides", OVERRIDES)?;
    let available = || -> Result<u64> {
        let types = proxmox::types(address)?;
        let others = types.iter().filter(|of| of.kind != KIND).map(|of| of.available).sum::<u64>();
        ensure!(others == 0, "{others} of other types are available");
        Ok(types.iter().find(|of| of.kind == KIND).map_or(0, |of| of.available))
    };
    let mut vgpus = vec![];
    for index in 0..3 {
        report.check(
            &format!("hostpci{index} of a machine gets its vGPU, and one less is left"),
            || {
                let uuid = proxmox::create(address, KIND, MACHINE, index)?;
                equal(mdev::exists(&uuid), true)?;
                vgpus.push(uuid);
                equal(available()?, u64::from(2 - index))
            },
        );
    }
    report.check("a fourth is refused before the kernel is asked: none is available", || {
        let error = proxmox::create(address, KIND, MACHINE, 3).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        ensure!(error.contains("no available instances of nvidia-46: \"0\""), "{error:?}");
        equal(mdev::exists(&proxmox::uuid(MACHINE, 3)), false)
    });
    report.check("when the machine is shut down, all are available again", || {
        vgpus.iter().try_for_each(|uuid| mdev::remove(uuid))?;
        is(address, &overridden())
    });
    set_module("overrides", "")
}
