// SPDX-License-Identifier: GPL-2.0
//! `vgpu-unlock import`: takes over the files of vgpu_unlock-rs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::board::{self, host};
use crate::profile::{BoardMemory, Import, decode};
use crate::store::{self, Put};

/// Checks the files of vgpu_unlock-rs and takes them over.
///
/// What each line does is said on stderr, and what is wrong with it. Nothing is written while a line is
/// wrong. Files with overrides become overrides.toml, in the same language and with their comments;
/// what a config.toml says becomes parameters of the module.
#[derive(clap::Args)]
pub struct Args {
    /// profile_override.toml and config.toml, in any order.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to write, such as /etc/vgpu_unlock/overrides.toml; otherwise to stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where to write what came of config.toml, such as /etc/modprobe.d/vgpu_unlock.conf; otherwise it
    /// is said.
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
    if let Some(memory) = memory(args.board_memory, Path::new("/")) {
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
             into /etc/modprobe.d/vgpu_unlock.conf:\n{text}"
        ),
        (None, Some(_)) => eprintln!("no file asks for parameters of the module: none are written"),
        (None, None) => {}
    }
    Ok(())
}

/// A file's name and text.
fn read(path: &Path) -> Result<(String, String)> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("reading {name}"))?;
    let text = decode(&bytes).map_err(|why| anyhow!("{name}: {why}"))?;
    Ok((name, text))
}

fn write(path: Option<&Path>, text: &str, force: bool) -> Result<()> {
    let Some(path) = path else {
        print!("{text}");
        return Ok(());
    };
    match store::put(path, text, force)? {
        Put::Written => eprintln!("{} was written", path.display()),
        Put::Same => eprintln!("{} says so already", path.display()),
    }
    Ok(())
}

/// The memory that overrides have to fit into: what the user says, or that of the largest board of this
/// host, if that of all of them is known.
fn memory(given: Option<u64>, root: &Path) -> Option<BoardMemory> {
    if let Some(bytes) = given {
        return Some(BoardMemory { name: "the board".to_owned(), bytes });
    }
    let known = |board: &host::HostBoard| {
        let known = board::find(board.device)?;
        let name = format!("the {} of this host", known.name);
        Some(BoardMemory { name, bytes: known.memory()? })
    };
    let boards = host::boards(root);
    let known = boards.iter().map(known).collect::<Option<Vec<_>>>()?;
    known.into_iter().max_by_key(|board| board.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::host::tests::add;

    #[test]
    fn the_largest_board_counts_if_all_are_known() {
        let root = tempfile::tempdir().unwrap();
        let bytes = |root: &Path| memory(None, root).map(|memory| memory.bytes);
        assert_eq!(bytes(root.path()), None);
        assert_eq!(memory(Some(5), root.path()).unwrap().bytes, 5);
        add(root.path(), "0000:01:00.0", ["0x10de", "0x1b06", "0x030000"]);
        add(root.path(), "0000:02:00.0", ["0x10de", "0x1c03", "0x030000"]);
        assert_eq!(bytes(root.path()), Some(11 << 30));
        // An RTX 6000 or an RTX 8000.
        add(root.path(), "0000:03:00.0", ["0x10de", "0x1e30", "0x030000"]);
        assert_eq!(bytes(root.path()), None);
    }
}
