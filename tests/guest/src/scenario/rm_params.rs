// SPDX-License-Identifier: GPL-2.0
//! How the module's parameters are set: what is wrong is refused and said, what was right stays.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::MetadataExt,
};

use anyhow::{Context, Result, ensure};

use super::{
    rm_control::{find, set_module},
    rm_parts,
    rm_policy::{ids_are, load_both, unload_both},
    steps::{LOG_PREFIX, MODULE, attached, says, soon},
};
use crate::{
    kernel::{self, Log},
    report::{Report, equal},
    rm::{
        expected::Ids,
        question::{TYPE, name},
        run::{self, VGPUD},
    },
};

/// A parameter, a value of it that is right, one that is wrong, and what the log must say of that:
/// the byte, the key that stands there, what was expected.
struct Wrong {
    parameter: &'static str,
    right: &'static str,
    wrong: &'static str,
    said: &'static str,
}

const WRONG: [Wrong; 10] = [
    wrong("enabled", "1", "2", "byte 0, enabled: expected 0 or 1"),
    wrong("enabled", "1", " ", "byte 1, enabled: expected 0 or 1"),
    wrong("migration", "1", "1 yes", "byte 2, migration: expected nothing more"),
    wrong("vgpud", "0", "on", "byte 0, vgpud: expected 0 or 1"),
    wrong("verbosity", "2", "3", "byte 0, verbosity: expected 0, 1 or 2"),
    wrong("gpus", "1b06=1e30:12ba", "1b06", "byte 4, gpus: expected = behind the board"),
    wrong(
        "gpus",
        "1b06=1e30:12ba",
        "1b06=1e30:12ba,1b07=on",
        "byte 20, gpus: expected off, auto, or a device ID",
    ),
    wrong(
        "overrides",
        "nvidia-46:num_displays=2",
        "nvidia-46:num_displays=3,frl_enabled=7",
        "byte 37, frl_enabled: expected 0 or 1",
    ),
    wrong(
        "overrides",
        "nvidia-46:num_displays=2",
        "nvidia-46:num_displays=3;nvidia:num_displays=4",
        "byte 25, section: expected ",
    ),
    wrong(
        "overrides",
        "nvidia-46:num_displays=2",
        "nvidia-46:framebuffer=4 GiB,framebuffer=5 GiB",
        "byte 28, framebuffer: expected each key once in a section",
    ),
];

const fn wrong(
    parameter: &'static str,
    right: &'static str,
    wrong: &'static str,
    said: &'static str,
) -> Wrong {
    Wrong { parameter, right, wrong, said }
}

const PARAMETERS: [&str; 6] = ["enabled", "gpus", "migration", "overrides", "verbosity", "vgpud"];
/// Which can only be written.
const PART: &str = "overrides_part";

/// The longest value, by README and modinfo: a page, less a new line and what ends it.
pub const LONGEST: usize = 4094;

pub fn run(report: &mut Report) -> Result<()> {
    files(report)?;
    refused(report)?;
    refused_at_load(report)?;
    quoted(report)?;
    long(report)?;
    rm_parts::run(report)
}

fn file(parameter: &str) -> String {
    format!("/sys/module/{MODULE}/parameters/{parameter}")
}

pub fn value(parameter: &str) -> Result<String> {
    let path = file(parameter);
    fs::read_to_string(&path).with_context(|| format!("reading {path}"))
}

/// Fails unless the value's file has `expected` and a new line.
pub fn is_set(parameter: &str, expected: &str) -> Result<()> {
    equal(value(parameter)?, format!("{expected}\n"))
}

/// Sets a parameter by one write, which is one value for the kernel; returns its error number.
pub fn set(parameter: &str, value: &str) -> Result<Option<i32>> {
    let path = file(parameter);
    let mut file =
        OpenOptions::new().write(true).open(&path).with_context(|| format!("opening {path}"))?;
    match file.write(value.as_bytes()) {
        // The kernel passes no more than a page on, and says so; here nothing of it is right.
        Ok(written) => {
            equal(written, value.len())?;
            Ok(None)
        }
        Err(error) => Ok(Some(error.raw_os_error().context("no number")?)),
    }
}

/// The module refused it.
pub const EINVAL: Option<i32> = Some(22);

/// What is in force of what the tests here set: the board's IDs, and how many displays a type has.
fn in_force(ids: Ids, displays: u8) -> Result<()> {
    ids_are(VGPUD, ids)?;
    equal(displays_of(&vgpu_type()?), displays)
}

pub fn vgpu_type() -> Result<Vec<u8>> {
    Ok(find(&run::ask(VGPUD, "550")?, name::TYPE_BY_NUMBER)?.params.clone())
}

/// Places in the type by number of 550, behind the eight bytes in front of it.
const NAME: usize = 8 + 4;
const DISPLAYS: usize = 8 + 328;

pub fn displays_of(info: &[u8]) -> u8 {
    info[DISPLAYS]
}

fn name_of(info: &[u8]) -> String {
    let name = &info[NAME..][..32];
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..end]).into_owned()
}

const RTX_6000: Ids = Ids { device: 0x1e30, subsystem: 0x12ba };
const TESLA_P40: Ids = Ids { device: 0x1b38, subsystem: 0x120f };

fn files(report: &mut Report) -> Result<()> {
    report.part("parameter files");
    kernel::load(MODULE)?;
    report.check("there are those of the README, and no others", || {
        let mut names = vec![];
        let dir = format!("/sys/module/{MODULE}/parameters");
        for entry in fs::read_dir(&dir).with_context(|| format!("listing {dir}"))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        let mut expected = PARAMETERS.map(str::to_owned).to_vec();
        expected.insert(4, PART.to_owned());
        equal(names, expected)
    });
    report.check("overrides_part is for root only, who can't read it", || {
        let found = fs::metadata(file(PART)).context("looking at it")?;
        equal((found.mode() & 0o7777, found.uid(), found.gid()), (0o200, 0, 0))
    });
    for parameter in PARAMETERS {
        report.check(&format!("{parameter} is for root only"), || {
            let file = fs::metadata(file(parameter)).context("looking at it")?;
            equal((file.mode() & 0o7777, file.uid(), file.gid()), (0o600, 0, 0))
        });
    }
    report.check("the defaults can be read", || {
        let defaults = ["1", "", "0", "", "1", "1"];
        PARAMETERS.iter().zip(defaults).try_for_each(|(name, expected)| is_set(name, expected))
    });
    kernel::unload(MODULE)
}

fn refused(report: &mut Report) -> Result<()> {
    report.part("wrong values");
    load_both(report, "")?;
    // All are right to begin with, so that what is in force can be told from the defaults.
    for Wrong { parameter, right, .. } in &WRONG {
        set_module(parameter, right)?;
    }
    let mut log = Log::from_now()?;
    for Wrong { parameter, right, wrong, said } in &WRONG {
        let what = format!("{parameter}={wrong:?}");
        log.lines("")?;
        report.check(&format!("{what} is refused"), || equal(set(parameter, wrong)?, EINVAL));
        report.check(&format!("{what}: the log says where it is wrong"), || {
            let lines = log.lines(LOG_PREFIX)?;
            let line = format!("parameter {parameter} is wrong, nothing was changed: {said}");
            says(&lines, &line)?;
            equal(lines.len(), 1)
        });
        report.check(&format!("{what}: the old value can be read"), || is_set(parameter, right));
    }
    report.check("the old values are in force", || in_force(RTX_6000, 2));
    report.check("it still is attached", || soon(attached));
    unload_both()
}

fn refused_at_load(report: &mut Report) -> Result<()> {
    report.part("wrong values at load");
    for Wrong { parameter, wrong, said, .. } in &WRONG {
        let what = format!("{parameter}={wrong:?}");
        let mut log = Log::from_now()?;
        let loaded = kernel::load_with(MODULE, &format!("{parameter}=\"{wrong}\""));
        report.check(&format!("{what}: the module does not load"), || match &loaded {
            Ok(()) => anyhow::bail!("it does"),
            Err(error) => {
                let number = error.downcast_ref::<rustix::io::Errno>().copied();
                equal(number, Some(rustix::io::Errno::INVAL))
            }
        });
        report.check(&format!("{what}: the log says where it is wrong"), || {
            says(&log.lines(LOG_PREFIX)?, said)
        });
        if loaded.is_ok() {
            kernel::unload(MODULE)?;
        }
    }
    Ok(())
}

/// As modprobe hands a line of modprobe.d over: double quotation marks are the kernel's.
fn quoted(report: &mut Report) -> Result<()> {
    report.part("values with spaces and quotation marks");
    let lines = [
        (
            r#"overrides="nvidia-46:card_name='My GPU',num_displays=3" gpus=1b06=1e30:12ba"#,
            "nvidia-46:card_name='My GPU',num_displays=3",
            "My GPU",
        ),
        (
            r#"gpus="1b06 = 1e30:12ba" overrides="nvidia-46: card_name = 'My %22GPU%22' , num_displays = 3 ;""#,
            "nvidia-46: card_name = 'My %22GPU%22' , num_displays = 3 ;",
            r#"My "GPU""#,
        ),
        (
            "gpus=1b06=1e30:12ba overrides=nvidia-46:card_name=My%20%22GPU%22,num_displays=3",
            "nvidia-46:card_name=My%20%22GPU%22,num_displays=3",
            r#"My "GPU""#,
        ),
    ];
    for (line, overrides, card) in lines {
        load_both(report, line)?;
        report.check(&format!("{line}: the values are in force"), || {
            in_force(RTX_6000, 3)?;
            equal(name_of(&vgpu_type()?), card.to_owned())
        });
        report.check(&format!("{line}: the value can be read"), || is_set("overrides", overrides));
        unload_both()?;
    }

    load_both(report, "")?;
    let text = r#"nvidia-46:card_name="My GPU",num_displays=3"#;
    report.check("at run time double quotation marks are the value's own", || {
        equal(set("overrides", text)?, None)?;
        is_set("overrides", text)?;
        in_force(TESLA_P40, 3)?;
        equal(name_of(&vgpu_type()?), "My GPU".to_owned())
    });
    unload_both()
}

/// Overrides of many types, as long as is wanted. What counts stands at the end.
fn overrides_of(length: usize, displays: u8) -> String {
    let end = format!("nvidia-{TYPE}:num_displays={displays}");
    let mut text = String::new();
    for number in 1000.. {
        let section = format!("nvidia-{number}:num_displays=1;");
        if text.len() + section.len() + end.len() > length {
            break;
        }
        text.push_str(&section);
    }
    let spaces = length - text.len() - end.len();
    text + &" ".repeat(spaces) + &end
}

/// Rules for many boards, likewise.
fn gpus_of(length: usize) -> String {
    let end = "1b06=1e30:12ba";
    let mut text = String::new();
    for number in 0x3000.. {
        let rule = format!("{number:04x}=off,");
        if text.len() + rule.len() + end.len() > length {
            break;
        }
        text.push_str(&rule);
    }
    let spaces = length - text.len() - end.len();
    text + &" ".repeat(spaces) + end
}

fn long(report: &mut Report) -> Result<()> {
    report.part("long values");
    load_both(report, "")?;
    let (overrides, gpus) = (overrides_of(LONGEST, 2), gpus_of(LONGEST));
    report.check("values of 4094 bytes are taken and in force", || {
        equal((overrides.len(), gpus.len()), (LONGEST, LONGEST))?;
        equal(set("overrides", &overrides)?, None)?;
        equal(set("gpus", &gpus)?, None)?;
        in_force(RTX_6000, 2)
    });
    report.check("they can be read", || {
        is_set("overrides", &overrides)?;
        is_set("gpus", &gpus)
    });
    report.check("echo may end such a value with a new line", || {
        equal(set("overrides", &(overrides_of(LONGEST, 4) + "\n"))?, None)?;
        in_force(RTX_6000, 4)
    });
    for longer in [1, 2, 100] {
        let length = LONGEST + longer;
        // No page holds more, and the kernel cuts what is written at the end of one.
        let cut = if length > 4096 { "a page of " } else { "" };
        report.check(&format!("{cut}{length} bytes are refused, the old values stay"), || {
            let mut log = Log::from_now()?;
            for (parameter, value) in
                [("overrides", overrides_of(length, 5)), ("gpus", gpus_of(length))]
            {
                equal(set(parameter, &value)?, EINVAL)?;
                let line = format!("{parameter}: expected no more than 4094 bytes");
                says(&log.lines(LOG_PREFIX)?, &line)?;
            }
            is_set("overrides", &overrides_of(LONGEST, 4))?;
            is_set("gpus", &gpus)?;
            in_force(RTX_6000, 4)
        });
    }
    unload_both()?;

    let line = |length| format!("overrides=\"{}\"", overrides_of(length, 2));
    load_both(report, &line(LONGEST))?;
    report.check("4094 bytes at load are in force", || in_force(TESLA_P40, 2));
    unload_both()?;
    report.check("4095 bytes at load are refused", || {
        ensure!(kernel::load_with(MODULE, &line(LONGEST + 1)).is_err(), "it loads");
        Ok(())
    });
    Ok(())
}
