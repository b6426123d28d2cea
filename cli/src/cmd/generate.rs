// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock generate`: what packages ship besides the program.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::Shell;

use crate::cmd;

/// Writes what packages ship besides the program.
#[derive(clap::Subcommand)]
pub enum Args {
    /// Completions for a shell, to stdout.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// The manual page to stdout, or one for each command into a directory.
    Man {
        /// The directory.
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
}

/// Writes it. `command` is the whole program's.
///
/// # Errors
/// It can't be written.
pub fn run(args: &Args, mut command: Command) -> Result<()> {
    match args {
        Args::Completions { shell } => {
            let mut text = vec![];
            let name = command.get_name().to_owned();
            clap_complete::generate(*shell, &mut command, name, &mut text);
            cmd::print(&String::from_utf8(text)?)
        }
        Args::Man { output: None } => {
            let mut text = vec![];
            clap_mangen::Man::new(command).render(&mut text)?;
            cmd::print(&String::from_utf8(text)?)
        }
        Args::Man { output: Some(dir) } => {
            // Hidden commands get no page, but the one that every command line has is none either.
            clap_mangen::generate_to(command.disable_help_subcommand(true), dir)
                .with_context(|| format!("writing into {}", dir.display()))
        }
    }
}
