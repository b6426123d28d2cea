// SPDX-License-Identifier: GPL-2.0
//! Overrides that are written in parts: any number of them, all or nothing, or those of single targets.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::{
    rm_params::{EINVAL, LONGEST, displays_of, is_set, set, value, vgpu_type},
    rm_policy::{load_both, unload_both},
    steps::{LOG_PREFIX, says},
};
use crate::{
    kernel::Log,
    report::{Report, equal},
    rm::question::TYPE,
};

/// The file with all sections in force, a line each.
const LIST: &str = "/sys/kernel/debug/vgpu_unlock/overrides";
const PART: &str = "overrides_part";
/// Bytes that all of them may have.
const MOST: usize = 65536;

pub fn run(report: &mut Report) -> Result<()> {
    load_both(report, "")?;
    staged(report)?;
    single(report)?;
    refused(report)?;
    unload_both()
}

fn part(text: &str) -> Result<()> {
    equal(set(PART, text)?, None).with_context(|| format!("writing {text:.60}"))
}

fn listed() -> Result<Vec<String>> {
    let text = fs::read_to_string(LIST).with_context(|| format!("reading {LIST}"))?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn displays(number: u8) -> Result<()> {
    equal(displays_of(&vgpu_type()?), number)
}

/// Sections of types that nobody asks for, as many as come to `bytes` with one semicolon less.
fn others(bytes: usize) -> Vec<String> {
    let section = |number| format!("nvidia-{number}:card_name='a name that is as long as can be'");
    let mut sections: Vec<String> = vec![];
    let mut length = 0;
    for number in 1000.. {
        let section = section(number);
        if length + section.len() + 1 > bytes {
            break;
        }
        length += section.len() + 1;
        sections.push(section);
    }
    sections
}

/// Writes sections in as few writes as there can be.
fn write_all(sections: &[String]) -> Result<usize> {
    let mut writes = 0;
    let mut text = String::new();
    for section in sections {
        if text.len() + 1 + section.len() > LONGEST {
            part(&text)?;
            text.clear();
            writes += 1;
        }
        text += if text.is_empty() { "" } else { ";" };
        text += section;
    }
    part(&text)?;
    Ok(writes + 1)
}

fn staged(report: &mut Report) -> Result<()> {
    report.part("overrides in parts");
    let mut sections = others(MOST - 100);
    sections.push(format!("nvidia-{TYPE}:num_displays=3"));
    equal(set("overrides", &format!("nvidia-{TYPE}:num_displays=2"))?, None)?;
    report.check("until they are committed, the old ones are in force", || {
        part("begin")?;
        let writes = write_all(&sections)?;
        ensure!(writes > 15, "{writes} writes are too few to show anything");
        displays(2)?;
        equal(listed()?, vec![format!("nvidia-{TYPE}:num_displays=2")])
    });
    report.check("committed, all of them are in force", || {
        part("commit\n")?;
        displays(3)?;
        equal(listed()?, sections.clone())
    });
    report.check("a read of overrides says that there are more", || {
        let text = value("overrides")?;
        let shown = text.trim_end().strip_suffix(";...").context("it does not")?;
        ensure!(text.len() <= 4096 && text.len() > 3900, "{} bytes", text.len());
        let shown: Vec<&str> = shown.split(';').collect();
        let expected: Vec<&str> = sections.iter().map(String::as_str).take(shown.len()).collect();
        equal(shown, expected)
    });
    report.check("aborted, nothing has changed", || {
        part("begin")?;
        part(&format!("nvidia-{TYPE}:num_displays=1"))?;
        part("abort")?;
        displays(3)?;
        equal(set(PART, "commit")?, EINVAL)?;
        equal(listed()?, sections.clone())
    });
    report.check("begun anew, what was put together before is forgotten", || {
        part("begin")?;
        part(&format!("nvidia-{TYPE}:num_displays=1"))?;
        part("begin")?;
        part("nvidia-1:num_displays=1")?;
        part("nvidia-2:num_displays=2;nvidia-1:frl_enabled=0")?;
        part("commit")?;
        let expected =
            ["nvidia-1:num_displays=1", "nvidia-2:num_displays=2", "nvidia-1:frl_enabled=0"];
        equal(listed()?, expected.map(str::to_owned).to_vec())
    });
    report.check("an empty set is one, too", || {
        part("begin")?;
        part("commit")?;
        equal(listed()?, vec![])?;
        is_set("overrides", "")
    });
    Ok(())
}

fn single(report: &mut Report) -> Result<()> {
    report.part("overrides of single targets");
    let all = "nvidia-1:num_displays=1;vm/7:frl_enabled=0 ; nvidia-1 : cuda_enabled=1;";
    equal(set("overrides", all)?, None)?;
    report.check("a new target's are added", || {
        part(&format!("nvidia-{TYPE}:num_displays=4"))?;
        displays(4)?;
        let mine = format!("nvidia-{TYPE}:num_displays=4");
        let expected =
            ["nvidia-1:num_displays=1", "vm/7:frl_enabled=0", "nvidia-1 : cuda_enabled=1", &mine];
        equal(listed()?, expected.map(str::to_owned).to_vec())
    });
    report.check("a known target's are replaced, the others stay", || {
        part(&format!("nvidia-{TYPE}:num_displays=2;nvidia-1:num_displays=3"))?;
        displays(2)?;
        let mine = format!("nvidia-{TYPE}:num_displays=2");
        let expected = ["vm/7:frl_enabled=0", &mine, "nvidia-1:num_displays=3"];
        equal(listed()?, expected.map(str::to_owned).to_vec())?;
        is_set("overrides", &expected.join(";"))
    });
    Ok(())
}

fn refused(report: &mut Report) -> Result<()> {
    report.part("wrong overrides in parts");
    let before = listed()?;
    let mut log = Log::from_now()?;
    let wrong = |log: &mut Log, text: &str, said: &str| {
        log.lines("")?;
        equal(set(PART, text)?, EINVAL)?;
        let lines = log.lines(LOG_PREFIX)?;
        says(&lines, &format!("parameter overrides_part is wrong, nothing was changed: {said}"))?;
        equal(lines.len(), 1)
    };
    report.check("without a begin, a wrong text changes nothing", || {
        wrong(&mut log, "nvidia-1:num_displays=9;nvidia-2:x=1", "byte 33, key: expected a key")?;
        equal(listed()?, before.clone())
    });
    report.check("behind one, what was right before it stays", || {
        part("begin")?;
        part("nvidia-5:num_displays=1")?;
        wrong(&mut log, "nvidia-6:num_displays=", "byte 22, num_displays: expected a number")?;
        part("nvidia-7:num_displays=1")?;
        part("commit")?;
        let expected = ["nvidia-5:num_displays=1", "nvidia-7:num_displays=1"];
        equal(listed()?, expected.map(str::to_owned).to_vec())
    });
    report.check("a commit without a begin is refused", || {
        wrong(&mut log, "commit", "commit: expected a begin before it")
    });
    report.check("more than 65536 bytes are refused, those before them can be committed", || {
        let sections = others(MOST + 4000);
        let (fit, rest) = sections.split_at(others(MOST).len());
        part("begin")?;
        write_all(fit)?;
        let more = rest.join(";");
        wrong(&mut log, &more, "all overrides together would have more than 65536 bytes")?;
        part("commit")?;
        equal(listed()?, fit.to_vec())?;
        // Nor one target's beside the others.
        wrong(&mut log, &more, "all overrides together would have more than 65536 bytes")?;
        equal(listed()?, fit.to_vec())
    });
    report.check("one write replaces all of them", || {
        equal(set("overrides", "\n")?, None)?;
        equal(listed()?, vec![])
    });
    // Begun and never ended: what is left of it goes with the module.
    part("begin")?;
    part("nvidia-5:num_displays=1")
}
