// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock`: the users' command. This file only parses and dispatches.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
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
    Status(cmd::status::Args),
    Doctor(cmd::doctor::Args),
    Apply(cmd::apply::Args),
    Import(cmd::import::Args),
    Inspect(cmd::inspect::Args),
    Plan(cmd::plan::Args),
    #[command(flatten)]
    Profile(cmd::profile::Args),
    Report(cmd::report::Args),
    #[command(subcommand, hide = true)]
    Generate(cmd::generate::Args),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Status(args) => return cmd::status::run(&args),
        Command::Doctor(args) => return cmd::doctor::run(&args),
        Command::Apply(args) => return cmd::apply::run(&args),
        Command::Import(args) => cmd::import::run(&args)?,
        Command::Inspect(args) => cmd::inspect::run(&args)?,
        Command::Plan(args) => cmd::plan::run(&args)?,
        Command::Profile(args) => cmd::profile::run(&args)?,
        Command::Report(args) => cmd::report::run(&args)?,
        Command::Generate(args) => cmd::generate::run(&args, Cli::command())?,
    }
    Ok(ExitCode::SUCCESS)
}
