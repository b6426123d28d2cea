// SPDX-License-Identifier: GPL-2.0
//! Overrides of vGPU types, explained.

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use vgpu_unlock::profile::Uuid;

use super::print;
use crate::profile::{Branch, Question, explain, shown_error};

/// Overrides of vGPU types: says what is in force.
#[derive(Subcommand)]
pub enum Args {
    /// Prints what the driver's answers and the mdev files say of a vGPU type after the overrides.
    Explain {
        /// The type: nvidia-55, or 55.
        #[arg(long = "type", value_name = "nvidia-N", value_parser = super::vgpu_type)]
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
/// The parameter cannot be read, or what it says is wrong.
pub fn run(args: &Args) -> Result<()> {
    match args {
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
