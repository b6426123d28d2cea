// SPDX-License-Identifier: GPL-2.0
//! Developer commands of vgpu_unlock. This file only parses and dispatches.

mod apt;
mod check;
mod cmd;
mod coverage;
mod dirs;
mod driver;
mod fuzzing;
mod generated;
mod kernel;
mod markdown;
mod matrix;
mod mutants;
mod mutate;
mod package;
mod paths;
mod records;
mod root;
mod sh;
mod toolchains;
mod vm;

use clap::{Parser, Subcommand};
use vgpu_unlock_cli::cmd as users;

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
    Bindings(cmd::bindings::Args),
    Build(cmd::build::Args),
    Object(cmd::object::Args),
    Toolchains(cmd::toolchains::Args),
    Inspect(users::inspect::Args),
    #[command(subcommand)]
    Profile(users::profile::Args),
    Vm(cmd::vm::Args),
    Matrix(cmd::matrix::Args),
    Mutate(cmd::mutate::Args),
    Mutants(cmd::mutants::Args),
    Demo(cmd::demo::Args),
    Test(cmd::test::Args),
    Signatures(cmd::signatures::Args),
    Bench(cmd::bench::Args),
    Miri(cmd::miri::Args),
    Coverage(cmd::coverage::Args),
    Fuzz(cmd::fuzz::Args),
    Package(cmd::package::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Kernel(args) => cmd::kernel::run(&args),
        Command::Bindings(args) => cmd::bindings::run(&args),
        Command::Build(args) => cmd::build::run(&args),
        Command::Object(args) => cmd::object::run(&args),
        Command::Toolchains(args) => cmd::toolchains::run(&args),
        Command::Inspect(args) => users::inspect::run(&args),
        Command::Profile(args) => users::profile::run(&args),
        Command::Vm(args) => cmd::vm::run(&args),
        Command::Matrix(args) => cmd::matrix::run(&args),
        Command::Mutate(args) => cmd::mutate::run(&args),
        Command::Mutants(args) => cmd::mutants::run(&args),
        Command::Demo(args) => cmd::demo::run(&args),
        Command::Test(args) => cmd::test::run(&args),
        Command::Signatures(args) => cmd::signatures::run(&args),
        Command::Bench(args) => cmd::bench::run(&args),
        Command::Miri(args) => cmd::miri::run(&args),
        Command::Coverage(args) => cmd::coverage::run(&args),
        Command::Fuzz(args) => cmd::fuzz::run(&args),
        Command::Package(args) => cmd::package::run(&args),
    }
}
