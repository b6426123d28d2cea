// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock doctor`: what keeps this host from having vGPUs.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;

use crate::{cmd, doctor, host::Host};

/// Says what keeps this host from having vGPUs, and what to do about it.
///
/// It walks the whole way from the board to a vGPU, up to the first link that is broken. Nothing is
/// changed.
///
/// Exit status: 0, every link holds; 1, one is broken; 2, none is known to be broken, but one could
/// not be looked at, for want of root mostly.
#[derive(clap::Args)]
pub struct Args {
    /// Go on behind the first link that is broken.
    #[arg(long)]
    all: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Ask about the host whose files lie below DIR. No command is run for it; its journal is
    /// DIR/journal.json, as `journalctl -b -o json` prints it.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// Prints what was found.
///
/// # Errors
/// It can't be printed. A host that can't be looked at is no error, but an exit status of 2.
pub fn run(args: &Args) -> Result<ExitCode> {
    let host = match Host::chosen(args.root.as_deref()) {
        Ok(host) => host,
        Err(error) => {
            eprintln!("Error: {error:#}");
            return Ok(doctor::Verdict::Unseen.exit_status().into());
        }
    };
    let report = doctor::examine(&host, args.all);
    if args.json {
        cmd::print(&format!("{}\n", serde_json::to_string_pretty(&report)?))?;
    } else {
        cmd::print(&report.to_string())?;
    }
    Ok(report.verdict().exit_status().into())
}
