// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock status`: what the module says about itself.

use std::{path::PathBuf, process::ExitCode, thread, time::Duration};

use anyhow::Result;

use crate::{
    cmd,
    host::Host,
    status::{self, Follower},
};

/// How often a status that is followed is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Prints what the module did, for each board, or why it did nothing.
///
/// Exit status: 0, there is one; 1, the module is not loaded, or there is no debugfs; 2, it can't be
/// read, for want of root mostly.
#[derive(clap::Args)]
pub struct Args {
    /// Print JSON, as the module writes it.
    #[arg(long)]
    json: bool,
    /// Print it again whenever something but a counter has changed, until interrupted.
    #[arg(long)]
    follow: bool,
    /// Read it below DIR instead.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// Prints it.
///
/// # Errors
/// It can't be printed.
pub fn run(args: &Args) -> Result<ExitCode> {
    let host = Host::chosen(args.root.as_deref())?;
    if args.follow {
        let mut follower = Follower::default();
        loop {
            if let Some(text) = follower.next(&host, args.json) {
                cmd::print(&text)?;
            }
            thread::sleep(PERIOD);
        }
    }
    let found = if args.json { status::json(&host) } else { status::text(&host) };
    match found {
        Ok(text) => {
            cmd::print(&text)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(missing) => {
            eprintln!("{}: {}", missing.what(), missing.cure());
            Ok(missing.exit_status().into())
        }
    }
}
