// SPDX-License-Identifier: GPL-2.0
//! Developer commands of vgpu_unlock. This file only parses and dispatches.

mod cmd;
mod inspect;
mod kernel;
mod paths;
mod sh;

use clap::{Parser, Subcommand};

/// Build, boot, test and inspect vgpu_unlock.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(subcommand)]
    Kernel(cmd::kernel::Args),
    Build(cmd::build::Args),
    Inspect(cmd::inspect::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Kernel(args) => cmd::kernel::run(&args),
        Command::Build(args) => cmd::build::run(&args),
        Command::Inspect(args) => cmd::inspect::run(&args),
    }
}
