// SPDX-License-Identifier: GPL-2.0
//! Overrides of vGPU types, explained.

use anyhow::{Result, anyhow, bail};
use clap::Subcommand;
use vgpu_unlock::profile::Uuid;

use super::print;
use crate::apply::InForce;
use crate::host::Host;
use crate::profile::{Branch, Question, explain, shown_error};
use crate::status;

/// Overrides of vGPU types: says what is in force.
#[derive(Subcommand)]
pub enum Args {
    /// Says what a vGPU type has after the overrides, field by field.
    ///
    /// That is what the driver's answers to NVIDIA's daemons have, and the files in sysfs that mdevctl,
    /// libvirt and Proxmox read.
    #[command(after_help = "Example: vgpu-unlock explain --type nvidia-46 --branch 550 --vm 100")]
    Explain {
        /// The type: nvidia-55, or 55.
        #[arg(long = "type", value_name = "nvidia-N", value_parser = super::vgpu_type)]
        vgpu_type: u32,
        /// The driver's version or branch, or its vGPU release: 550.163.01, 550 or 17.5.
        #[arg(long, value_name = "VERSION", value_parser = Branch::parse)]
        branch: Branch,
        /// Overrides in the grammar of the module's parameter; otherwise those that are in force.
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
                None => running(&Host::running())?,
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

/// What the running module has in force; nothing where there is none.
fn running(host: &Host) -> Result<String> {
    if !host.exists(status::MODULE).map_err(|unseen| anyhow!("{unseen}"))? {
        eprintln!("vgpu_unlock is not loaded, and there is no --overrides: nothing is overridden");
        return Ok(String::new());
    }
    let found = InForce::read(host).map_err(|unseen| anyhow!("{unseen}"))?;
    if let Some(unseen) = found.partly {
        eprintln!("only the first overrides that are in force can be seen: {unseen}");
    }
    Ok(found.text)
}

/// The UUID that Proxmox gives the first vGPU of a virtual machine.
fn proxmox(vm: u64) -> Option<Uuid> {
    Uuid::parse(format!("00000000-0000-0000-0000-{vm:012}").as_bytes())
}

fn uuid(text: &str) -> Result<Uuid, String> {
    Uuid::parse(text.as_bytes())
        .ok_or_else(|| "expected a UUID such as 00000000-0000-0000-0000-000000000100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::running;
    use crate::host::made_up::MadeUp;

    #[test]
    fn all_that_is_in_force_is_explained() {
        let mut made_up = MadeUp::default();
        assert_eq!(running(&made_up.host()).unwrap(), "");
        made_up.file("/sys/module/vgpu_unlock/parameters/overrides", "vm/1:gpu_type=1;...\n");
        assert_eq!(running(&made_up.host()).unwrap(), "vm/1:gpu_type=1");
        made_up
            .file("/sys/kernel/debug/vgpu_unlock/overrides", "vm/1:gpu_type=1\nvm/2:gpu_type=1\n");
        assert_eq!(running(&made_up.host()).unwrap(), "vm/1:gpu_type=1;vm/2:gpu_type=1");
    }
}
