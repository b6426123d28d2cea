// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock`: the users' command. This file only parses and dispatches.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use vgpu_unlock_cli::cmd;

/// Sets up vGPUs on NVIDIA boards that NVIDIA does not list, and says what is missing.
///
/// Begin with `vgpu-unlock doctor`: it walks the way from the board to a vGPU, and says at the first link
/// that is broken what to do about it.
#[derive(Parser)]
#[command(name = "vgpu-unlock", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

// In the order in which people need them.
#[derive(Subcommand)]
enum Command {
    Doctor(cmd::doctor::Args),
    Status(cmd::status::Args),
    Plan(cmd::plan::Args),
    Import(cmd::import::Args),
    Apply(cmd::apply::Args),
    #[command(flatten)]
    Profile(cmd::profile::Args),
    Inspect(cmd::inspect::Args),
    Report(cmd::report::Args),
    #[command(subcommand, hide = true)]
    Generate(cmd::generate::Args),
}

fn main() -> anyhow::Result<ExitCode> {
    let Some(command) = Cli::parse().command else {
        // Who stops reading has read enough.
        let _ = Cli::command().print_long_help();
        return Ok(ExitCode::SUCCESS);
    };
    match command {
        Command::Doctor(args) => return cmd::doctor::run(&args),
        Command::Status(args) => return cmd::status::run(&args),
        Command::Plan(args) => cmd::plan::run(&args)?,
        Command::Import(args) => cmd::import::run(&args)?,
        Command::Apply(args) => return cmd::apply::run(&args),
        Command::Profile(args) => cmd::profile::run(&args)?,
        Command::Inspect(args) => cmd::inspect::run(&args)?,
        Command::Report(args) => cmd::report::run(&args)?,
        Command::Generate(args) => cmd::generate::run(&args, Cli::command())?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that the program takes a line.
    fn takes(line: &str) {
        let words = line.split_whitespace();
        if let Err(error) = Cli::try_parse_from(words) {
            panic!("{line}: {error}");
        }
    }

    #[test]
    fn what_help_gives_as_an_example_is_right() {
        let command = Cli::command();
        let examples = command.get_subcommands().filter_map(|command| {
            let text = command.get_after_help()?.to_string();
            Some(text.strip_prefix("Example: ").expect("that is how it begins").to_owned())
        });
        let examples: Vec<_> = examples.collect();
        assert!(examples.len() > 4, "{examples:?}");
        examples.iter().for_each(|line| takes(line));
    }

    #[test]
    fn what_the_documents_tell_to_type_is_right() {
        for (document, at_least) in [
            (include_str!("../../README.md"), 12),
            (include_str!("../../docs/distributions.md"), 7),
            (include_str!("../../docs/migrating.md"), 4),
            (include_str!("../../docs/faq.md"), 3),
            (include_str!("../../docs/adding-a-driver.md"), 1),
        ] {
            let code = document.lines().filter_map(|line| {
                let line =
                    line.trim_start().strip_prefix("$ ").or_else(|| line.strip_prefix("    "))?;
                line.trim_start().split("  #").next()
            });
            // Every second piece stands between the marks of code.
            let inline = document.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
            let ours = |line: &&str| line.split_whitespace().next() == Some("vgpu-unlock");
            let lines: Vec<_> = code.chain(inline).filter(ours).collect();
            assert!(lines.len() >= at_least, "{lines:?}");
            lines.into_iter().for_each(takes);
        }
    }
}
