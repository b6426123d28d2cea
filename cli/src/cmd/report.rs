// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock report`: one file for a bug report.

use std::{fs::File, io::Write, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{cmd, host::Host, report};

/// Writes one file for a bug report, and says before what it will hold.
///
/// UUIDs and the host's name are masked. It is yours to read before you send it.
#[derive(clap::Args)]
pub struct Args {
    /// Where to write; `-` is stdout. A file that exists is not written over.
    #[arg(long, value_name = "FILE", default_value = "vgpu-unlock-report.txt")]
    output: PathBuf,
    /// Report about the host whose files lie below DIR.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// Writes it.
///
/// # Errors
/// The file exists already, or can't be written.
pub fn run(args: &Args) -> Result<()> {
    let host = Host::chosen(args.root.as_deref())?;
    let path = args.output.display();
    let to_stdout = args.output.as_os_str() == "-";
    if !to_stdout && args.output.exists() {
        bail!("{path} exists: name another file with --output, or remove it");
    }
    let name = if to_stdout { "the report".to_owned() } else { path.to_string() };
    eprintln!("{name} will hold:");
    for section in report::SECTIONS {
        eprintln!("  {}", section.what);
    }
    eprintln!("UUIDs and the host's name are masked in it.");
    if !host.is_root() {
        eprintln!("Much of it only root can read: ask again as root, where you can.");
    }
    let text = report::write(&host);
    if to_stdout {
        return cmd::print(&text);
    }
    let mut file = File::create_new(&args.output).with_context(|| format!("creating {path}"))?;
    file.write_all(text.as_bytes()).with_context(|| format!("writing {path}"))?;
    eprintln!("{path} is written: read it before you send it.");
    Ok(())
}
