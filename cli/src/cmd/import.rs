// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock import`: takes over the files of vgpu_unlock-rs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::profile::{BoardMemory, Import};

/// Takes over profile_override.toml and config.toml of vgpu_unlock-rs.
///
/// What each line does is said on stderr, and what is wrong with it. Nothing is written while a line is
/// wrong. Files with overrides become overrides.toml, in the same language and with their comments;
/// what a config.toml says becomes parameters of the module. `vgpu-unlock apply` loads overrides.toml.
#[derive(clap::Args)]
#[command(
    after_help = "Example: vgpu-unlock import profile_override.toml --output /etc/vgpu_unlock/overrides.toml"
)]
pub struct Args {
    /// profile_override.toml and config.toml, in any order.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to write, such as /etc/vgpu_unlock/overrides.toml; otherwise to stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where to write what came of config.toml, such as /etc/modprobe.d/vgpu_unlock-import.conf, beside
    /// the package's own file; otherwise it is said.
    #[arg(long, value_name = "FILE", conflicts_with = "modprobe")]
    parameters: Option<PathBuf>,
    /// Write one line for modprobe.d with everything in it, of at most 4094 bytes of overrides, in
    /// place of overrides.toml.
    #[arg(long)]
    modprobe: bool,
    /// Replace files that say something else.
    #[arg(long)]
    force: bool,
    /// How much memory the board has, such as 11GiB; otherwise this host's boards are looked at.
    #[arg(long, value_name = "SIZE", value_parser = super::size)]
    board_memory: Option<u64>,
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read or written, or what it says is wrong.
pub fn run(args: &Args) -> Result<()> {
    let files = args.files.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    let mut import = Import::default();
    let given = args.board_memory.map(|bytes| BoardMemory { name: "the board".to_owned(), bytes });
    if let Some(memory) = given.or_else(|| BoardMemory::of_host(Path::new("/"))) {
        import.set_board(memory);
    }
    import.files(&files);
    eprint!("{}", import.report());
    if args.modprobe {
        return write(args.output.as_deref(), &import.modprobe_conf()?, args.force);
    }
    let (overrides, parameters) = (import.overrides_toml()?, import.parameters_conf()?);
    if let Some(text) = overrides {
        write(args.output.as_deref(), &text, args.force)?;
    }
    match (parameters, &args.parameters) {
        (Some(text), Some(path)) => write(Some(path), &text, args.force)?,
        (Some(text), None) => eprint!(
            "config.toml asks for parameters of the module: --parameters FILE writes them, or put this \
             into a file of /etc/modprobe.d:\n{text}"
        ),
        (None, Some(_)) => eprintln!("no file asks for parameters of the module: none are written"),
        (None, None) => {}
    }
    Ok(())
}

/// A file's name and text.
fn read(path: &Path) -> Result<(String, String)> {
    let name = path.display().to_string();
    let text = super::read(path)?.with_context(|| format!("{name}: there is no such file"))?;
    Ok((name, text))
}

fn write(path: Option<&Path>, text: &str, force: bool) -> Result<()> {
    let Some(path) = path else {
        print!("{text}");
        return Ok(());
    };
    super::write(path, text, force)
}
