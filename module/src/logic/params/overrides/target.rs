// SPDX-License-Identifier: GPL-2.0
//! What a section is for, and which vGPU is asked about.

use crate::logic::profile::Uuid;

/// What a section is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// All vGPUs of the type `nvidia-N`.
    Type(u32),
    /// The vGPU with this UUID.
    Mdev(Uuid),
    /// The vGPUs of the Proxmox virtual machine with this number.
    Vm(u64),
}

/// Which vGPU is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    /// Its type's number, as the driver has it.
    pub vgpu_type: u32,
    /// Its UUID, where it is known.
    pub mdev: Option<Uuid>,
}

impl Which {
    /// Whether a section is for this vGPU, and as the how many-th it is applied.
    pub(super) fn rank(&self, target: Target) -> Option<u8> {
        match target {
            Target::Type(number) => (number == self.vgpu_type).then_some(0),
            Target::Mdev(uuid) => (self.mdev == Some(uuid)).then_some(1),
            Target::Vm(number) => {
                (self.mdev.and_then(|uuid| uuid.vmid()) == Some(number)).then_some(2)
            }
        }
    }
}
