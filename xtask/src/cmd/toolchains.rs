// SPDX-License-Identifier: GPL-2.0
//! `toolchains`: our module with every compiler that users may have.

use anyhow::{Result, bail, ensure};
use clap::Args as ClapArgs;

use crate::{
    sh,
    toolchains::{self, Record, Toolchain},
    vm::Line,
};

/// Build the module with every rustc that is supported, distributions' compilers and clang, and run what some of them
/// built.
///
/// It goes on after a failure, and where it was ended.
#[derive(ClapArgs)]
pub struct Args {
    /// Only these; `--list` has their names.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    only: Vec<String>,
    /// Also what passed and has not changed since.
    #[arg(long)]
    again: bool,
    /// Run nothing; show what there is, and what came of it the last time.
    #[arg(long)]
    list: bool,
    /// Run nothing; write docs/toolchains.md.
    #[arg(long, conflicts_with_all = ["list", "again", "only"])]
    write: bool,
}

/// Runs the command.
///
/// # Errors
/// There is none of a name, or one does not build our module, or what it built does not pass.
pub fn run(args: &Args) -> Result<()> {
    let all = toolchains::all()?;
    if args.write {
        return toolchains::write(&all);
    }
    if let Some(name) = args.only.iter().find(|name| !all.iter().any(|t| t.name == **name)) {
        let names: Vec<_> = all.iter().map(|toolchain| toolchain.name.as_str()).collect();
        bail!("no compilers {name}; there are {}", names.join(", "));
    }
    let chosen: Vec<_> =
        all.iter().filter(|t| args.only.is_empty() || args.only.contains(&t.name)).collect();
    let mut bad = 0;
    for (at, toolchain) in chosen.iter().enumerate() {
        let record = if args.list {
            Record::load(toolchain)
        } else {
            Some(one(toolchain, at, &chosen, args.again)?)
        };
        let line = record.as_ref().map_or_else(|| "not run".to_owned(), said);
        println!("{:12} {line}", toolchain.name);
        bad += usize::from(record.is_some_and(|record| record.problem.is_some()));
    }
    ensure!(args.list || bad == 0, "{bad} of {} failed", chosen.len());
    Ok(())
}

fn one(toolchain: &Toolchain, at: usize, all: &[&Toolchain], again: bool) -> Result<Record> {
    let said = format!("{} of {}: {}", at + 1, all.len(), toolchain.name);
    let bar = sh::progress(&said);
    toolchains::run(toolchain, again, &mut |line| {
        if let Line::Note(part) = line {
            bar.set_message(format!("{said}: {part}"));
        }
    })
}

fn said(record: &Record) -> String {
    let Record { rustc, cc, cold, warm, size, passed, problem, date, .. } = record;
    if let Some(problem) = problem {
        return format!("not ok  {date}: {problem}");
    }
    let ran = passed.map_or_else(String::new, |passed| format!(", {passed} checks passed"));
    format!("ok      {date}: rustc {rustc}, C {cc}: {cold} s, {warm} s, {size} bytes{ran}")
}
