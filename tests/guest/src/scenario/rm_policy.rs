// SPDX-License-Identifier: GPL-2.0
//! What the user wants is what the daemons are told: boards answered otherwise, everything switched
//! off and on, and single vGPUs changed. How values are set is another file's: `rm_params`.

use anyhow::{Context, Result, bail, ensure};

use super::{
    rm_control::{PASCAL, all_told, find, prepare, same, set_module},
    rm_params,
    standin::path,
    steps::{self, DRIVER, MODULE, attached, soon, unchanged},
};
use crate::{
    board::Board,
    kernel, probe,
    report::Report,
    rm::{
        answer::Answered,
        expected::{Ids, Settings},
        family::{ASKED, MACHINES, WAYS},
        question::name,
        run::{self, OTHER, VGPU_MGR, VGPUD},
    },
    status::Status,
};

/// The board's own IDs.
const OWN: Ids = Ids { device: 0x1b06, subsystem: 0x120f };
/// What it is answered as by default, and where the user says so.
const TESLA_P40: Ids = PASCAL.ids;
const RTX_6000: Ids = Ids { device: 0x1e30, subsystem: 0x12ba };

pub fn run(report: &mut Report) -> Result<()> {
    prepare(report, "OE")?;
    boards(report)?;
    switched_off_from_the_start(report)?;
    switched_while_it_runs(report)?;
    children(report)?;
    rm_params::run(report)
}

/// Loads the stand-in, then the module.
pub fn load_both(report: &mut Report, parameters: &str) -> Result<()> {
    kernel::load(&path("550"))?;
    kernel::load_with(MODULE, parameters)?;
    report.check("attached, all hooks placed", || soon(attached));
    Ok(())
}

pub fn unload_both() -> Result<()> {
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

/// Fails unless PCI info has these IDs, asked by `who` in both ways.
pub fn ids_are(who: &str, ids: Ids) -> Result<()> {
    let answers = run::ask(who, "550")?;
    let mut expected = find(&answers, name::PCI_INFO)?.clone();
    expected.params[..4].copy_from_slice(&word(ids.device));
    expected.params[4..8].copy_from_slice(&word(ids.subsystem));
    for told in answers.iter().filter(|answered| answered.name == name::PCI_INFO) {
        ensure!(told.answer.status == 0, "status {:#x}", told.answer.status);
        if let Some(difference) = expected.difference(&told.answer) {
            bail!("{:?}: {difference}", told.route);
        }
    }
    Ok(())
}

/// An ID above NVIDIA's own.
fn word(id: u16) -> [u8; 4] {
    ((u32::from(id) << 16) | 0x10de).to_le_bytes()
}

fn boards(report: &mut Report) -> Result<()> {
    report.part("gpus");
    let at = Board::find()?.address;
    load_both(report, "")?;
    let rules = [
        ("".to_owned(), TESLA_P40),
        ("1b06=off".to_owned(), OWN),
        ("10de:1b06=off".to_owned(), OWN),
        ("10de:1b06:120f=off".to_owned(), OWN),
        (format!("{at}=off"), OWN),
        ("1b06=auto".to_owned(), TESLA_P40),
        ("1b06=1e30:12ba".to_owned(), RTX_6000),
        // The board keeps its own subsystem ID.
        ("1b06=1e30".to_owned(), Ids { subsystem: OWN.subsystem, ..RTX_6000 }),
        (format!("{at}=1e30:12ba"), RTX_6000),
        // What says more of the board counts, wherever it stands.
        (format!("{at}=auto,10de:1b06:120f=1e30:12ba,1b06=off"), TESLA_P40),
        ("1b06=off,10de:1b06:120f=1e30:12ba".to_owned(), RTX_6000),
        // Not this board.
        ("1b07=off,10de:1b06:1210=off,0000:7f:1f.7=off".to_owned(), TESLA_P40),
    ];
    for (rule, ids) in rules {
        set_module("gpus", &rule)?;
        let rule = rule.replace(&at, "ADDRESS");
        report.check(&format!("gpus={rule}: the daemons are told what it says"), || {
            ids_are(VGPUD, ids)?;
            ids_are(VGPU_MGR, ids)
        });
        report.check(&format!("gpus={rule}: another process is told the board's own IDs"), || {
            ids_are(OTHER, OWN)
        });
    }
    unload_both()?;

    report.part("gpus at load");
    load_both(report, "gpus=1b06=1e30:12ba")?;
    report.check("the daemons are told what it says", || ids_are(VGPUD, RTX_6000));
    report.check("another process is told the board's own IDs", || ids_are(OTHER, OWN));
    report.check("all else is as with the default", || {
        let settings = Settings { ids: RTX_6000, ..PASCAL };
        same(&run::ask(VGPUD, "550")?, &all_told(&run::ask(OTHER, "550")?, &settings))
    });
    unload_both()
}

/// Fails unless everybody is told `raw`.
fn all_raw(raw: &[Answered]) -> Result<()> {
    for who in [OTHER, VGPUD, VGPU_MGR] {
        same(&run::ask(who, "550")?, raw).with_context(|| who.to_owned())?;
    }
    Ok(())
}

/// Fails unless vGPUs can be made, and the daemons are told what they must be.
fn unlocked() -> Result<()> {
    let open = run::ask(OTHER, "550")?;
    ensure!(find(&open, name::TYPE_BY_NUMBER)?.status == 0, "no vGPU types");
    let told = all_told(&open, &PASCAL);
    for who in [VGPUD, VGPU_MGR] {
        same(&run::ask(who, "550")?, &told).with_context(|| who.to_owned())?;
    }
    Ok(())
}

fn switched_off_from_the_start(report: &mut Report) -> Result<()> {
    report.part("enabled=0 at load");
    kernel::load(&path("550"))?;
    let raw = run::ask(VGPUD, "550")?;
    let before = probe::digests()?;
    kernel::load_with(MODULE, "enabled=0")?;
    report.check("the status says that it is switched off, and shows no hook", || {
        let status = Status::read()?;
        status.is("/driver/state", "disabled")?;
        ensure!(status.hooks()?.is_empty(), "it shows {:?}", status.hooks()?);
        Ok(())
    });
    report.check("everybody is told what the driver answers", || all_raw(&raw));
    report.check("the driver's constants and code are untouched", || {
        unchanged(&before, &probe::digests()?)
    });
    set_module("enabled", "1")?;
    report.check("switched on, it attaches", || soon(attached));
    report.check("switched on, the daemons are told what they must be", unlocked);
    unload_both()?;

    report.part("enabled=0 at load, and the driver comes later");
    kernel::load_with(MODULE, "enabled=0")?;
    kernel::load(&path("550"))?;
    report.check("everybody is told what the driver answers", || all_raw(&raw));
    kernel::unload(DRIVER)?;
    set_module("enabled", "1")?;
    kernel::load(&path("550"))?;
    report.check("switched on while it is away: the daemons are told what they must be", || {
        soon(attached)?;
        unlocked()
    });
    unload_both()
}

fn switched_while_it_runs(report: &mut Report) -> Result<()> {
    report.part("enabled at run time");
    kernel::load(&path("550"))?;
    let raw = run::ask(VGPUD, "550")?;
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    for round in 1..=2 {
        set_module("enabled", "0")?;
        report.check(&format!("switched off ({round}), the status says it"), || {
            Status::read()?.is("/driver/state", "disabled")
        });
        report.check(&format!("switched off ({round}), everybody is told the raw answers"), || {
            all_raw(&raw)
        });
        report.check(&format!("switched off ({round}), constants and code are untouched"), || {
            unchanged(&before, &probe::digests()?)
        });
        set_module("enabled", "1")?;
        report.check(&format!("switched on ({round}), it attaches"), || soon(attached));
        report.check(&format!("switched on ({round}), the daemons are told"), unlocked);
    }
    unload_both()
}

/// Where the type of a vGPU has what is overridden here, on 550.
const HEADS: usize = 328;
const FRL: usize = 344;

/// A daemon that has a child for each virtual machine.
fn children(report: &mut Report) -> Result<()> {
    // By machine: what is overridden for its vGPU, and for itself.
    const VALUES: [(u8, u8); 2] = [(1, 30), (2, 45)];
    report.part("children");
    load_both(report, "")?;
    let sections: Vec<String> = MACHINES
        .iter()
        .zip(VALUES)
        .map(|(machine, (heads, frl))| {
            let (uuid, vmid) = (machine.uuid, machine.vmid);
            format!("mdev/{uuid}:num_displays={heads};vm/{vmid}:frl_config={frl}")
        })
        .collect();
    set_module("overrides", &sections.join(";"))?;
    for way in WAYS {
        let open = run::family(OTHER, way)?;
        report.check(&format!("{way}: another process's children are told nothing else"), || {
            ensure!(open.len() == ASKED.len(), "{} answers", open.len());
            for answered in &open {
                same(std::slice::from_ref(answered), &open[..1])?;
                ensure!(answered.answer.status == 0, "status {:#x}", answered.answer.status);
            }
            Ok(())
        });
        let told = run::family(VGPU_MGR, way)?;
        report.check(&format!("{way}: as many answers as questions"), || {
            ensure!(told.len() == open.len(), "{} answers", told.len());
            Ok(())
        });
        for (number, machine) in ASKED.into_iter().enumerate() {
            let when = if number < MACHINES.len() { "at once" } else { "when both have started" };
            let (heads, frl) = VALUES[machine];
            let what = format!("{way}: the child for machine {} asks {when}", machine + 1);
            report.check(&format!("{what}: it has its own vGPU's overrides"), || {
                let mut expected = open.get(number).context("no raw answer")?.clone();
                expected.answer.params[HEADS..][..4].copy_from_slice(&[heads, 0, 0, 0]);
                expected.answer.params[FRL..][..4].copy_from_slice(&[frl, 0, 0, 0]);
                let actual = told.get(number).context("no answer")?;
                same(std::slice::from_ref(actual), &[expected])
            });
        }
    }
    steps::soon(|| Status::read()?.is("/answers/lost", 0))?;
    unload_both()
}
