// SPDX-License-Identifier: GPL-2.0
//! `cargo xtask profile`: overrides of vGPU types, taken over from files and explained.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use vgpu_unlock::profile::Uuid;

use super::print;
use crate::profile::{Branch, Import, Question, explain, shown_error};

/// Overrides of vGPU types: takes over profile_override.toml, and says what is in force.
#[derive(Subcommand)]
pub enum Args {
    /// Checks the files of vgpu_unlock-rs and writes the line for modprobe.d that says the same.
    ///
    /// What each line of the files does is said on stderr. Nothing is written while a line is wrong.
    Import {
        /// profile_override.toml
        file: PathBuf,
        /// config.toml
        config: Option<PathBuf>,
        /// Where to write, such as /etc/modprobe.d/vgpu_unlock.conf; otherwise to stdout.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Prints what the driver's answers and the mdev files say of a vGPU type after the overrides.
    Explain {
        /// The type: nvidia-55, or 55.
        #[arg(long = "type", value_name = "nvidia-N", value_parser = vgpu_type)]
        vgpu_type: u32,
        /// The driver's version or branch, or its vGPU release: 550.163.01, 550 or 17.5.
        #[arg(long, value_name = "VERSION", value_parser = Branch::parse)]
        branch: Branch,
        /// The parameter `overrides`; otherwise the running module's.
        #[arg(long, value_name = "TEXT")]
        overrides: Option<String>,
        /// The UUID of the vGPU.
        #[arg(long, value_name = "UUID", value_parser = uuid)]
        mdev: Option<Uuid>,
        /// The number of the Proxmox virtual machine.
        #[arg(long, value_name = "N", conflicts_with = "mdev")]
        vm: Option<u64>,
        /// What the driver has in the type's file `description`, to see what will be there instead:
        /// 'num_heads=4, frl_config=60, ...'.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read or written, or what it says is wrong.
pub fn run(args: &Args) -> Result<()> {
    match args {
        Args::Import { file, config, output } => {
            let read = |path: &PathBuf| {
                std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
            };
            let mut import = Import::default();
            import.profiles(&file.display().to_string(), &read(file)?);
            if let Some(config) = config {
                import.config(&config.display().to_string(), &read(config)?);
            }
            eprint!("{}", import.report());
            let text = import.modprobe_conf()?;
            match output {
                Some(path) => std::fs::write(path, text)
                    .with_context(|| format!("writing {}", path.display())),
                None => {
                    print!("{text}");
                    Ok(())
                }
            }
        }
        Args::Explain { vgpu_type, branch, overrides, mdev, vm, description } => {
            let text = match overrides {
                Some(text) => text.clone(),
                None => running()?,
            };
            let mdev = mdev.or_else(|| vm.and_then(proxmox));
            if vm.is_some() && mdev.is_none() {
                bail!("a virtual machine's number has at most 12 digits");
            }
            let (vgpu_type, branch) = (*vgpu_type, *branch);
            let question =
                Question { vgpu_type, mdev, branch, description: description.as_deref() };
            match explain(&text, &question) {
                Ok(answer) => print(&answer),
                Err(error) => bail!("{}", shown_error("overrides", &text, error)),
            }
        }
    }
}

/// The parameter of the running module; nothing where there is none.
fn running() -> Result<String> {
    const PATH: &str = "/sys/module/vgpu_unlock/parameters/overrides";
    match std::fs::read_to_string(PATH) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!(
                "vgpu_unlock is not loaded, and there is no --overrides: nothing is overridden"
            );
            Ok(String::new())
        }
        Err(error) => Err(error).with_context(|| format!("reading {PATH}")),
    }
}

/// The UUID that Proxmox gives the first vGPU of a virtual machine.
fn proxmox(vm: u64) -> Option<Uuid> {
    Uuid::parse(format!("00000000-0000-0000-0000-{vm:012}").as_bytes())
}

fn uuid(text: &str) -> Result<Uuid, String> {
    Uuid::parse(text.as_bytes())
        .ok_or_else(|| "expected a UUID such as 00000000-0000-0000-0000-000000000100".to_owned())
}

fn vgpu_type(text: &str) -> Result<u32, String> {
    let number = text.strip_prefix("nvidia-").unwrap_or(text);
    number.parse().map_err(|_| "expected a type such as nvidia-55".to_owned())
}
