// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock apply`: loads overrides.toml into the running module.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Result, anyhow, bail};

use crate::{
    apply::{self, Step, Wanted},
    cmd,
    host::Host,
    profile::OVERRIDES,
    status,
};

/// Loads overrides.toml into the running module, all of it or nothing.
///
/// What changes is printed, key by key. Nothing is loaded while a line is wrong, and what was in force
/// stays. It replaces everything that is in force, what modprobe.d says included. vGPUs that run keep
/// what they were started with.
///
/// Exit status: 0, it is in force, or there is no file; 1, it is not.
#[derive(clap::Args)]
#[command(after_help = "Example: vgpu-unlock apply --dry-run")]
pub struct Args {
    /// The file, in profile_override.toml's language; otherwise /etc/vgpu_unlock/overrides.toml.
    file: Option<PathBuf>,
    /// Only check the file.
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
    /// For the unit that does so at boot: that the module is not loaded is no error.
    #[arg(long)]
    boot: bool,
    /// The module is the one whose files lie below DIR, and so is the file that is not named.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// Loads it.
///
/// # Errors
/// A line is wrong, or the module does not take it.
pub fn run(args: &Args) -> Result<ExitCode> {
    let host = Host::chosen(args.root.as_deref())?;
    let path = args.file.clone().unwrap_or_else(|| host.path(OVERRIDES));
    let name = path.display();
    let Some(text) = cmd::read(&path)? else {
        if args.file.is_some() {
            bail!("{name}: there is no such file");
        }
        cmd::print(&format!("there is no {name}: nothing to do\n"))?;
        return Ok(ExitCode::SUCCESS);
    };
    let import = apply::read(&host, &name.to_string(), &text);
    eprint!("{}", import.complaints());
    let wanted = Wanted::of(&import)?;
    if args.check {
        cmd::print(&format!("{name} is right: {}\n", wanted.settings))?;
        return Ok(ExitCode::SUCCESS);
    }
    if host.exists(status::MODULE).map_err(|unseen| anyhow!("{unseen}"))? {
        return step(args, &host, &path, &wanted);
    }
    eprintln!("vgpu_unlock is not loaded, so nothing was: modprobe vgpu_unlock");
    Ok(if args.boot { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn step(args: &Args, host: &Host, path: &Path, wanted: &Wanted) -> Result<ExitCode> {
    let (name, settings) = (path.display(), &wanted.settings);
    let step = Step::new(host, wanted);
    match step.changes() {
        Ok(changes) if changes.is_empty() => {
            say(&format!("{name} is in force already: {settings}\n"));
            return Ok(ExitCode::SUCCESS);
        }
        Ok(changes) => {
            let lines: Vec<_> = changes.iter().map(|change| format!("{change}\n")).collect();
            say(&lines.concat());
        }
        Err(unseen) if args.dry_run => bail!("what would change can't be told: {unseen}"),
        Err(unseen) => eprintln!("what changes can't be told: {unseen}"),
    }
    if args.dry_run {
        say("nothing was loaded: that was --dry-run\n");
        return Ok(ExitCode::SUCCESS);
    }
    step.load(host)?;
    say(&format!("{name} is in force: {settings}\n"));
    Ok(ExitCode::SUCCESS)
}

/// Prints a text. That nobody reads it keeps nothing from being loaded.
fn say(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}
