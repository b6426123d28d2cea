// SPDX-License-Identifier: GPL-2.0
//! vGPU types and vGPUs on the kernel's own mdev core, managed by Debian's mdevctl.

use anyhow::{Context, Result, ensure};

use super::{
    mdev_overridden,
    rm_control::{LISTED_BOARD, find, same, set_driver, set_module},
    standin::{BRANCHES, path},
    steps::{self, DRIVER, LOG_PREFIX, MODULE, attached, says, soon},
};
use crate::{
    board::Board,
    expected::OFFERED,
    kernel::{self, Log},
    mdev::{self, Files, Parent, Types, mdevctl},
    report::{Report, equal},
    rm::{
        question::{SECOND_UUID_TEXT, UUID_TEXT, name},
        run::{self, OTHER, Registered, VGPU_MGR},
    },
};

/// The second module of the driver's.
pub const VFIO: &str = "nvidia_vgpu_vfio";
const VFIO_LOG: &str = "nvidia-vgpu-vfio: ";
const VFIO_FILE: &str = "nvidia-vgpu-vfio";
/// The type that vGPUs are made of, another one, and one with room for three.
pub const KIND: &str = "nvidia-46";
pub const OTHER_KIND: &str = "nvidia-47";
const THREE: &str = "nvidia-51";
/// The emulated board, and what it is answered as.
const OWN: u16 = 0x1b06;
const ANSWERED: u16 = 0x1b38;

/// Loads the stand-in's second module.
pub fn load_vfio(branch: &str) -> Result<()> {
    kernel::load(&format!("standin-{branch}/{VFIO_FILE}"))
}

/// Loads both of the stand-in's modules.
pub fn load_drivers(branch: &str) -> Result<()> {
    kernel::load(&path(branch))?;
    load_vfio(branch)
}

/// The same with a board that needs none of us, and with types that are there without us.
pub fn load_with_types(branch: &str) -> Result<()> {
    kernel::load_with(&path(branch), LISTED_BOARD)?;
    load_vfio(branch)?;
    run::ask(OTHER, &format!("announce/{branch}")).map(drop)
}

pub fn unload_drivers() -> Result<()> {
    kernel::unload(VFIO)?;
    kernel::unload(DRIVER)
}

pub fn prepare(report: &mut Report) -> Result<Board> {
    report.announce_taint("OE");
    let board = Board::find()?;
    steps::prepare()?;
    run::install()?;
    mdev::prepare()?;
    Ok(board)
}

/// The driver's own types.
pub fn factory() -> Types {
    let files = |offered: &crate::expected::Offered| Files {
        name: offered.name.to_owned(),
        description: offered.description.to_owned(),
        available: offered.instances.to_string(),
        api: "vfio-pci".to_owned(),
    };
    OFFERED.iter().map(|offered| (format!("nvidia-{}", offered.number), files(offered))).collect()
}

/// Fails unless both are the same types, and says how they differ.
pub fn equal_types(actual: &Types, expected: &Types) -> Result<()> {
    let missing: Vec<_> = expected.keys().filter(|name| !actual.contains_key(*name)).collect();
    let more: Vec<_> = actual.keys().filter(|name| !expected.contains_key(*name)).collect();
    ensure!(missing.is_empty() && more.is_empty(), "without {missing:?}, with {more:?}");
    for (name, files) in actual {
        equal(files, &expected[name]).with_context(|| name.clone())?;
    }
    Ok(())
}

/// Fails unless sysfs and mdevctl show these types.
pub fn shown(parent: &Parent, expected: &Types) -> Result<()> {
    equal_types(&mdev::trimmed(&parent.types()?), expected).context("in sysfs")?;
    equal_types(&mdev::mdevctl_types(parent)?, expected).context("by mdevctl")
}

/// `types` while there are `count` vGPUs of `kind`, and none of another one.
pub fn with_vgpus(types: &Types, kind: &str, count: u32) -> Types {
    let mut types = types.clone();
    for (name, files) in &mut types {
        let left = files.available.parse().unwrap_or(0u32).saturating_sub(count);
        files.available = if name == kind { left } else { 0 }.to_string();
    }
    types
}

/// As many UUIDs.
fn uuids(count: u32) -> impl Iterator<Item = String> {
    (1..=count).map(|number| format!("{number:08x}-0000-0000-0000-0000000000aa"))
}

/// Creates as many vGPUs past mdevctl, has `check` look, and removes them, however it went.
pub fn with_created(
    parent: &Parent,
    kind: &str,
    count: u32,
    check: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let created = uuids(count).try_for_each(|uuid| parent.create(kind, &uuid));
    let result = created.and_then(|()| check());
    uuids(count).filter(|uuid| mdev::exists(uuid)).try_for_each(|uuid| mdev::remove(&uuid))?;
    result
}

/// What nvidia-vgpud does on a board that it knows, where all goes well.
pub fn all_told() -> Registered {
    let types = OFFERED.iter().map(|offered| (offered.number, 0, 0)).collect();
    Registered { device: ANSWERED, types }
}

/// The stand-ins without us.
pub fn baseline(report: &mut Report) -> Result<()> {
    let board = prepare(report)?;
    let parent = Parent(&board.address);
    for (branch, _) in BRANCHES {
        report.part(&format!("branch {branch}"));
        load_drivers(branch)?;
        report.check("nvidia-vgpud does not know the board that it is told", || {
            equal(run::register(branch)?, Registered { device: OWN, types: vec![] })
        });
        report.check("the driver does not take types, whoever tells it", || {
            let answers = run::ask(OTHER, &format!("announce/{branch}"))?;
            equal(find(&answers, name::SET_INFO)?.status, 0x56)
        });
        report.check("it gives none, and creates no vGPU", || {
            let answers = run::ask(OTHER, branch)?;
            equal(find(&answers, name::TYPE_BY_NUMBER)?.status, 0x56)?;
            equal(find(&answers, name::CREATE)?.status, 0x56)
        });
        report.check("the board has no mediated devices", || parent.is_none());
        report.check("mdevctl prints no types", || equal(mdevctl(&["types"])?.trim(), ""));
        unload_drivers()?;

        // So it is the board's check that all of this hangs on.
        kernel::load_with(&path(branch), LISTED_BOARD)?;
        load_vfio(branch)?;
        report.check("of a board that the driver lists it takes types, and offers them", || {
            let answers = run::ask(OTHER, &format!("announce/{branch}"))?;
            equal(find(&answers, name::SET_INFO)?.status, 0)?;
            shown(&parent, &factory())
        });
        unload_drivers()?;
        report.check("they go with the driver", || parent.is_none());
    }
    report.part("versions");
    let [(first, _), (second, _), _] = BRANCHES;
    kernel::load(&path(first))?;
    report.check("a module of another version does not load, and says why", || {
        let mut log = Log::from_now()?;
        ensure!(load_vfio(second).is_err(), "it loaded");
        says(&log.lines(VFIO_LOG)?, &format!("nvidia.ko is {first}."))
    });
    kernel::unload(DRIVER)
}

pub fn run(report: &mut Report) -> Result<()> {
    let board = prepare(report)?;
    let parent = Parent(&board.address);
    for (i, (branch, _)) in BRANCHES.into_iter().enumerate() {
        report.part(&format!("branch {branch}"));
        // Whichever comes first.
        if i == 0 {
            load_drivers(branch)?;
            kernel::load(MODULE)?;
        } else {
            kernel::load(MODULE)?;
            load_drivers(branch)?;
        }
        report.check("attached, all hooks placed", || soon(attached));
        types(report, &parent, branch);
        by_mdevctl(report, &parent);
        vgpu_of_daemon(report, &parent, branch)?;
        limits(report, &parent)?;
        mdev_overridden::run(report, &parent, branch)?;
        afterwards(report, &parent, branch)?;
    }
    orders(report, &parent)
}

fn types(report: &mut Report, parent: &Parent, branch: &str) {
    report.check("before nvidia-vgpud, the board has no mediated devices", || parent.is_none());
    report.check("nvidia-vgpud knows the board, and tells its 25 types", || {
        equal(run::register(branch)?, all_told())
    });
    report.check("they are in sysfs, and mdevctl prints them", || shown(parent, &factory()));
    report.check("nvidia-vgpud, started once more, changes nothing", || {
        equal(run::register(branch)?, all_told())?;
        shown(parent, &factory())
    });
}

/// The life of a vGPU.
fn by_mdevctl(report: &mut Report, parent: &Parent) {
    const UUID: &str = UUID_TEXT;
    let listed = |arguments: &[&str], expected: bool| {
        let text = mdevctl(arguments)?;
        let listed = text.lines().any(|line| line.contains(UUID) && line.contains(KIND));
        ensure!(listed == expected, "mdevctl {arguments:?} prints {text:?}");
        Ok(())
    };
    report.check("mdevctl defines a vGPU", || {
        mdevctl(&["define", "--uuid", UUID, "--parent", parent.0, "--type", KIND])?;
        listed(&["list", "--defined"], true)?;
        listed(&["list"], false)
    });
    report.check("mdevctl starts it", || {
        mdevctl(&["start", "--uuid", UUID])?;
        listed(&["list"], true)?;
        equal(mdev::exists(UUID), true)
    });
    report.check("one less is available of its type, and none of another one", || {
        shown(parent, &with_vgpus(&factory(), KIND, 1))
    });
    report.check("mdevctl starts none of another type", || {
        let arguments =
            ["start", "--uuid", SECOND_UUID_TEXT, "--parent", parent.0, "--type", OTHER_KIND];
        ensure!(mdevctl(&arguments).is_err(), "it did");
        equal(mdev::exists(SECOND_UUID_TEXT), false)
    });
    report.check("mdevctl stops it", || {
        mdevctl(&["stop", "--uuid", UUID])?;
        listed(&["list"], false)?;
        listed(&["list", "--defined"], true)?;
        equal(mdev::exists(UUID), false)
    });
    report.check("all are available again", || shown(parent, &factory()));
    report.check("mdevctl forgets it", || {
        mdevctl(&["undefine", "--uuid", UUID])?;
        listed(&["list", "--defined"], false)
    });
}

/// What nvidia-vgpu-mgr is told of a vGPU that exists, with overrides for it.
fn vgpu_of_daemon(report: &mut Report, parent: &Parent, branch: &str) -> Result<()> {
    const NAME: (usize, usize) = (4, 32);
    const HEADS: usize = 328;
    const FRL: usize = 344;
    const VMID: u32 = 100;
    set_driver("uuid", "none was created")?;
    report.check("without a vGPU there is none to start", || {
        let answers = run::start(VGPU_MGR, branch)?;
        equal(find(&answers, name::START_DATA)?.status, 0x1f)
    });
    set_module(
        "overrides",
        &format!("mdev/{UUID_TEXT}:card_name='My vGPU',num_displays=2;vm/{VMID}:frl_config=30"),
    )?;
    parent.create(KIND, UUID_TEXT)?;
    let mut expected = run::start(OTHER, branch)?;
    report.check("another process is told the vGPU that exists, and its type", || {
        let data = find(&expected, name::START_DATA)?;
        equal(hex::encode(&data.params[..16]), "01000000000000000000000000000100".to_owned())?;
        equal(&data.params[16..][..16], b"vgpu_type_id=46\0")?;
        let of_vgpu = find(&expected, name::TYPE_OF_VGPU)?;
        equal(of_vgpu.status, 0)?;
        equal(&of_vgpu.params[NAME.0..][..12], b"GRID P40-1Q\0")
    });
    for answered in expected.iter_mut().filter(|answered| answered.name == name::TYPE_OF_VGPU) {
        let params = &mut answered.answer.params;
        params[NAME.0..][..NAME.1].fill(0);
        params[NAME.0..][..7].copy_from_slice(b"My vGPU");
        params[HEADS..][..4].copy_from_slice(&2u32.to_le_bytes());
        params[FRL..][..4].copy_from_slice(&30u32.to_le_bytes());
    }
    report.check("nvidia-vgpu-mgr is told the same, overridden for this vGPU", || {
        same(&run::start(VGPU_MGR, branch)?, &expected)
    });
    mdev::remove(UUID_TEXT)?;
    set_module("overrides", "")
}

/// The driver creates no more than it says.
fn limits(report: &mut Report, parent: &Parent) -> Result<()> {
    let refused = |kind: &str| {
        let mut log = Log::from_now()?;
        ensure!(parent.create(kind, UUID_TEXT).is_err(), "it is created");
        equal(mdev::exists(UUID_TEXT), false)?;
        says(&log.lines(VFIO_LOG)?, "status: 0x1a")
    };
    report.check("three vGPUs of 8 GiB leave no room for a fourth", || {
        with_created(parent, THREE, 3, || {
            equal(parent.available(THREE)?, 0)?;
            refused(THREE)
        })
    });
    report.check("a vGPU of one type leaves no room for another type", || {
        with_created(parent, THREE, 1, || refused(KIND))
    });
    report.check("then all are available again", || shown(parent, &factory()));
    Ok(())
}

/// Unloading, our module first. Types that are registered stay, but nothing comes of them.
fn afterwards(report: &mut Report, parent: &Parent, branch: &str) -> Result<()> {
    kernel::unload(MODULE)?;
    report.check("after rmmod the types are as they were", || shown(parent, &factory()));
    report.check("no vGPU is created any more, and the log has the status", || {
        let mut log = Log::from_now()?;
        ensure!(parent.create(KIND, UUID_TEXT).is_err(), "it is created");
        says(&log.lines(VFIO_LOG)?, "status: 0x56")
    });
    report.check("nvidia stays while nvidia-vgpu-vfio uses it", || {
        equal(kernel::is_used(DRIVER)?, true)
    });
    kernel::unload(VFIO)?;
    report.check("the types go with nvidia-vgpu-vfio", || parent.is_none());
    kernel::unload(DRIVER)?;
    load_drivers(branch)?;
    report.check("after a reload of the driver there are none", || {
        equal(run::register(branch)?, Registered { device: OWN, types: vec![] })?;
        parent.is_none()
    });
    unload_drivers()
}

/// What else may come before what.
fn orders(report: &mut Report, parent: &Parent) -> Result<()> {
    const BRANCH: &str = "550";
    report.part("orders");
    kernel::load(&path(BRANCH))?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    report.check("nvidia-vgpud tells types although nvidia-vgpu-vfio is not there", || {
        equal(run::register(BRANCH)?, all_told())?;
        parent.is_none()
    });
    load_vfio(BRANCH)?;
    report.check("they are registered when it comes", || shown(parent, &factory()));
    parent.create(KIND, UUID_TEXT)?;
    let mut log = Log::from_now()?;
    kernel::unload(VFIO)?;
    report.check("its vGPUs go with nvidia-vgpu-vfio, without a complaint", || {
        equal(mdev::exists(UUID_TEXT), false)?;
        parent.is_none()?;
        equal(log.lines(VFIO_LOG)?, vec![])
    });
    load_vfio(BRANCH)?;
    report.check("all are available when it comes back", || shown(parent, &factory()));
    kernel::write(&format!("/sys/bus/pci/drivers/{DRIVER}/unbind"), parent.0)?;
    report.check("the types go with the board", || parent.is_none());
    kernel::write(&format!("/sys/bus/pci/drivers/{DRIVER}/bind"), parent.0)?;
    report.check("the board comes back without types, and nvidia-vgpud tells them again", || {
        parent.is_none()?;
        equal(run::register(BRANCH)?, all_told())?;
        shown(parent, &factory())
    });
    unload_drivers()?;
    report.check("our module outlives both of the driver's", || {
        let mut log = Log::from_now()?;
        kernel::unload(MODULE)?;
        equal(log.lines(LOG_PREFIX)?.iter().filter(|line| line.contains("error")).count(), 0)
    });
    Ok(())
}
