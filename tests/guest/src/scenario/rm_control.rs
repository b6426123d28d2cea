// SPDX-License-Identifier: GPL-2.0
//! What the daemons are told: whole structures compared byte by byte with what the driver answered,
//! for the structures of each branch.

use anyhow::{Context, Result, ensure};

use super::{
    standin::path,
    steps::{self, DRIVER, MODULE, attached, hears_times, soon},
};
use crate::{
    kernel::{self, Log},
    report::{Report, equal},
    rm::{
        answer::{Answer, Answered},
        expected::{Ids, Settings, told},
        overrides,
        question::{NEED_VGPUS, SECOND_UUID_TEXT, UUID_TEXT, VMID, name},
        run::{self, OTHER, VGPU_MGR, VGPUD},
    },
    status::Status,
};

/// The stand-in that is loaded, and the branch whose structures it has.
const BRANCHES: [(&str, &str); 9] = [
    ("525", "450"),
    ("525", "460"),
    ("525", "470"),
    ("525", "525"),
    ("535", "535"),
    ("550", "550"),
    ("550", "570"),
    ("550", "580"),
    ("550", "58094"),
];

/// How many of two daemons' questions have parameters of a length that nobody knows: one, asked both
/// ways, where the stand-in had to make the length up.
fn unknown_sizes(branch: &str) -> usize {
    if branch == "58094" { 4 } else { 0 }
}

/// The stand-in's board, a GTX 1080 Ti, is answered as a Tesla P40 with its own subsystem ID.
pub const PASCAL: Settings = Settings {
    ids: Ids { device: 0x1b38, subsystem: 0x120f },
    migration: false,
    overridden: false,
};
/// Both IDs of such a board change, so that half of a change would show.
pub const TURING_BOARD: &str = "device=0x1e04 subsystem=0x12a4";
pub const TURING: Settings = Settings {
    ids: Ids { device: 0x1e30, subsystem: 0x12ba },
    migration: false,
    overridden: false,
};
/// A board that the driver lists: it may host vGPUs without us.
pub const LISTED_BOARD: &str = "device=0x1db6";

/// With the parameters `migration` and `overrides`.
const OVERRIDDEN: Settings = Settings { migration: true, overridden: true, ..PASCAL };

/// How many of a daemon's answers change where nothing is overridden: PCI info, mode and three
/// statuses, each asked both ways.
const CHANGED: usize = 10;

/// Parameters of the stand-in.
pub fn set_driver(parameter: &str, value: impl ToString) -> Result<()> {
    kernel::write(&format!("/sys/module/nvidia/parameters/{parameter}"), &value.to_string())
}

/// Parameters of the module.
pub fn set_module(parameter: &str, value: &str) -> Result<()> {
    // As echo does it: without the new line, an empty value would be no write at all.
    kernel::write(&format!("/sys/module/vgpu_unlock/parameters/{parameter}"), &format!("{value}\n"))
}

pub fn prepare(report: &mut Report, taint: &str) -> Result<()> {
    report.announce_taint(taint);
    steps::prepare()?;
    run::install()
}

pub fn run(report: &mut Report) -> Result<()> {
    prepare(report, "OE")?;
    for (variant, branch) in BRANCHES {
        structures(report, variant, branch)?;
    }
    ask_again(report)?;
    unknown_size(report)?;
    both_ids(report)?;
    two_vgpus(report)
}

/// The answer to `name`, asked the first way.
pub fn find<'a>(answers: &'a [Answered], name: &str) -> Result<&'a Answer> {
    let found = answers.iter().find(|answered| answered.name == name);
    found.map(|answered| &answered.answer).with_context(|| format!("no answer to {name}"))
}

/// Fails unless both lists have the same answers in the same order.
pub fn same(actual: &[Answered], expected: &[Answered]) -> Result<()> {
    equal(actual.len(), expected.len())?;
    for (actual, expected) in actual.iter().zip(expected) {
        equal((&actual.name, actual.route), (&expected.name, expected.route))?;
        if let Some(difference) = expected.answer.difference(&actual.answer) {
            anyhow::bail!("{}, {:?}: {difference}", actual.name, actual.route);
        }
    }
    Ok(())
}

/// What a daemon must be told instead of `raw`.
pub fn all_told(raw: &[Answered], settings: &Settings) -> Vec<Answered> {
    let told =
        |raw: &Answered| Answered { answer: told(&raw.name, &raw.answer, settings), ..raw.clone() };
    raw.iter().map(told).collect()
}

/// One check for each question.
fn check_told(report: &mut Report, who: &str, actual: &[Answered], expected: &[Answered]) {
    report.check(&format!("{who}: as many answers as questions"), || {
        equal(actual.len(), expected.len())
    });
    for (actual, expected) in actual.chunks(2).zip(expected.chunks(2)) {
        let name = &actual[0].name;
        report.check(&format!("{who}: {name} is as it must be, both ways"), || {
            same(actual, expected)
        });
    }
}

fn refused(answers: &[Answered]) -> Result<()> {
    for name in NEED_VGPUS {
        equal(find(answers, name)?.status, 0x56).with_context(|| name.to_owned())?;
    }
    Ok(())
}

fn structures(report: &mut Report, variant: &str, branch: &str) -> Result<()> {
    report.part(&format!("structures of {branch}"));
    let parameters = format!("branch={branch}");

    // A listed board shows what the driver answers where nothing of ours is in its way.
    kernel::load_with(&path(variant), &format!("{parameters} {LISTED_BOARD}"))?;
    let listed = run::ask(OTHER, branch)?;
    report.check("the driver creates vGPUs on a board that it lists", || {
        NEED_VGPUS.iter().try_for_each(|name| equal(find(&listed, name)?.status, 0))
    });
    kernel::unload(DRIVER)?;

    kernel::load_with(&path(variant), &parameters)?;
    let raw = run::ask(VGPUD, branch)?;
    report.check("without the module vGPU creation is refused with 0x56", || refused(&raw));
    report.check("without the module the board's own IDs are told", || {
        let info = find(&raw, name::PCI_INFO)?;
        equal(info.status, 0)?;
        equal(hex::encode(&info.params[..8]), "de10061bde100f12".to_owned())
    });
    report.check("without the module there is no virtualization mode", || {
        let mode = find(&raw, name::MODE)?;
        ensure!(mode.status != 0 && mode.params[..4] == [0; 4], "it is {mode:?}");
        Ok(())
    });
    report.check("without the module the daemon's name makes no difference", || {
        same(&run::ask(OTHER, branch)?, &raw)?;
        same(&run::ask(VGPU_MGR, branch)?, &raw)
    });

    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    let open = run::ask(OTHER, branch)?;
    report.check("another process: vGPU creation works, all else is the driver's answer", || {
        for (open, (listed, raw)) in open.iter().zip(listed.iter().zip(&raw)) {
            let factory = if NEED_VGPUS.contains(&open.name.as_str()) { listed } else { raw };
            same(std::slice::from_ref(open), std::slice::from_ref(factory))?;
        }
        equal(open.len(), raw.len())
    });
    let expected = all_told(&open, &PASCAL);
    for daemon in [VGPUD, VGPU_MGR] {
        let answers = run::ask(daemon, branch)?;
        check_told(report, daemon, &answers, &expected);
    }
    report.check("each changed answer is counted, none is lost, each unknown size is", || {
        let status = Status::read()?;
        status.is("/answers/changed", CHANGED * 2)?;
        status.is("/answers/lost", 0)?;
        status.is("/answers/unknown", unknown_sizes(branch))
    });
    report.check("a daemon's name does not help another user", || {
        same(&run::ask_as_nobody(VGPUD, branch)?, &open)
    });
    report.check("nor a container's root", || same(&run::ask_contained(VGPUD, branch)?, &open));
    report.check("it is the process's name that counts, and not the thread's", || {
        same(&run::ask_in_thread(OTHER, VGPUD, branch)?, &open)?;
        same(&run::ask_in_thread(VGPUD, "worker", branch)?, &expected)
    });
    set_module("migration", "1")?;
    set_module("overrides", &overrides::parameter())?;
    let expected = all_told(&open, &OVERRIDDEN);
    for daemon in [VGPUD, VGPU_MGR] {
        let answers = run::ask(daemon, branch)?;
        check_told(report, &format!("{daemon}, all overridden"), &answers, &expected);
    }
    report.check("another process does not see the overrides", || {
        same(&run::ask(OTHER, branch)?, &open)
    });
    kernel::unload(MODULE)?;
    report.check("after rmmod all is as before", || {
        same(&run::ask(VGPUD, branch)?, &raw)?;
        same(&run::ask(OTHER, branch)?, &raw)
    });
    kernel::unload(DRIVER)
}

/// Each command that is answered differently, answered with status 3.
fn ask_again(report: &mut Report) -> Result<()> {
    report.part("ask again");
    const COMMANDS: [(&str, u32); 10] = [
        (name::PCI_INFO, 0x2080_1801),
        (name::MODE, 0x80_0289),
        (name::INFOROM, 0x2080_014b),
        (name::ZBC, 0x9096_0103),
        (name::TYPE_BY_NUMBER, 0xa081_0103),
        (name::MIGRATION, 0xa081_0112),
        (name::START_DATA, 0xc01),
        (name::CREATE, 0xc02),
        (name::TYPE_OF_VGPU, 0xa082_0102),
        (name::HOST_0104, 0xa082_0104),
    ];
    kernel::load(&path("550"))?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    for (name, command) in COMMANDS {
        set_driver("busy", command)?;
        report.check(&format!("{name} with status 3 is left alone"), || {
            let open = run::ask(OTHER, "550")?;
            equal(find(&open, name)?.status, 3)?;
            same(&run::ask(VGPUD, "550")?, &all_told(&open, &PASCAL))
        });
    }
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

/// As after an update of the driver that made a structure longer.
fn unknown_size(report: &mut Report) -> Result<()> {
    const SIZE: usize = 5500;
    report.part("unknown size");
    kernel::load(&path("550"))?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    set_driver("odd_size", SIZE)?;
    let mut log = Log::from_now()?;
    let set = format!("odd/{SIZE}");
    let open = run::ask(OTHER, &set)?;
    report.check("the driver answers parameters of that size", || {
        open.iter().try_for_each(|answered| equal(answered.answer.status, 0))
    });
    report.check("a daemon is told what the driver answered", || {
        same(&run::ask(VGPUD, &set)?, &open)
    });
    report.check("each such call is counted, and the last one shown", || {
        let status = Status::read()?;
        status.is("/answers/unknown", open.len())?;
        status.mentions("/answers/last_unknown", &SIZE.to_string())
    });
    report.check("the text of the status says it", || {
        let text = crate::status::text()?;
        ensure!(text.contains(&SIZE.to_string()), "it does not:\n{text}");
        Ok(())
    });
    let more = run::ask(VGPUD, &set)?;
    report.check("the log says it once for each command, however often it is asked", || {
        equal(more.len(), 4)?;
        let size = SIZE.to_string();
        hears_times(&mut log, &[&size], 2)
    });
    report.check("what has a known size is changed as ever", || {
        same(&run::ask(VGPUD, "550")?, &all_told(&run::ask(OTHER, "550")?, &PASCAL))
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

/// A board of which the subsystem ID changes, too.
fn both_ids(report: &mut Report) -> Result<()> {
    report.part("both IDs");
    kernel::load_with(&path("550"), TURING_BOARD)?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    report.check("a Turing board is answered with another subsystem ID", || {
        same(&run::ask(VGPUD, "550")?, &all_told(&run::ask(OTHER, "550")?, &TURING))
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

/// Two vGPUs of one type in one virtual machine.
fn two_vgpus(report: &mut Report) -> Result<()> {
    const HEADS: usize = 328;
    const FRL: usize = 344;
    report.part("two vGPUs");
    kernel::load(&path("550"))?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    set_module(
        "overrides",
        &format!(
            "mdev/{UUID_TEXT}:num_displays=1;mdev/{SECOND_UUID_TEXT}:num_displays=2;\
             vm/{VMID}:frl_config=30"
        ),
    )?;
    let mut expected = run::ask(OTHER, "two")?;
    let types = expected.iter_mut().filter(|answered| answered.name == name::TYPE_OF_VGPU);
    // Each is asked both ways.
    for (heads, answered) in [1u8, 1, 2, 2].into_iter().zip(types) {
        answered.answer.params[HEADS..][..4].copy_from_slice(&[heads, 0, 0, 0]);
        answered.answer.params[FRL..][..4].copy_from_slice(&[30, 0, 0, 0]);
    }
    report.check("each has its own overrides, and both have their machine's", || {
        same(&run::ask(VGPU_MGR, "two")?, &expected)
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}
