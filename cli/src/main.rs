// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock`: the users' command. This file only parses and dispatches.

use clap::{Parser, Subcommand};
use vgpu_unlock_cli::cmd;

/// Ask about vGPU on boards that NVIDIA does not list, and set it up.
#[derive(Parser)]
#[command(name = "vgpu-unlock", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Import(cmd::import::Args),
    Inspect(cmd::inspect::Args),
    Plan(cmd::plan::Args),
    #[command(flatten)]
    Profile(cmd::profile::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Import(args) => cmd::import::run(&args),
        Command::Inspect(args) => cmd::inspect::run(&args),
        Command::Plan(args) => cmd::plan::run(&args),
        Command::Profile(args) => cmd::profile::run(&args),
    }
}
