// SPDX-License-Identifier: GPL-2.0
//! Complaints that are known, and the driver's status codes.
//!
//! Each has a public thread as its source; we have seen none of them ourselves. The codes are in
//! NVIDIA's published nvstatuscodes.h.

use crate::host::journal::{Entry, UNITS};

const VGPUD: &str = UNITS[0];
const MANAGER: &str = UNITS[1];
const KERNEL: &str = "kernel";

/// A complaint that is known.
pub(super) struct Known {
    /// Who says it.
    source: &'static str,
    /// Words that stand in it, all of them.
    words: &'static [&'static str],
    /// The driver's status code in it, where it depends on that.
    code: Option<u32>,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub cure: &'static [&'static str],
    /// It follows from another one, mostly.
    pub follows: bool,
    /// It is a guest's fault, and the host is fine.
    pub guest: bool,
}

impl Known {
    pub fn fits(&self, entry: &Entry) -> bool {
        entry.source == self.source
            && self.words.iter().all(|word| entry.message.contains(word))
            && (self.code.is_none() || self.code == code(&entry.message))
    }
}

const PLAIN: Known = Known {
    source: "",
    words: &[],
    code: None,
    meaning: "",
    cure: &[],
    follows: false,
    guest: false,
};

/// In the order in which they are looked for: what says most comes first.
pub(super) const KNOWN: &[Known] = &[
    // DualCoder/vgpu_unlock#41
    Known {
        source: MANAGER,
        words: &["vGPU is supported only on VGX capable boards"],
        meaning: "the driver did not take the board for capable when the vGPU started",
        cure: &["see above that the board is unlocked, then start the virtual machine again"],
        ..PLAIN
    },
    // mbilker/vgpu_unlock-rs#5, #10
    Known {
        source: MANAGER,
        words: &["init_device_instance failed", "error setting vGPU configuration information"],
        meaning: "the driver has no such type for the board, or refuses what an override makes of it",
        cure: &[
            "see above that the board is unlocked and has its types",
            "try it without this type's overrides: framebuffer and framebuffer_reservation first",
        ],
        ..PLAIN
    },
    // DualCoder/vgpu_unlock#99
    Known {
        source: MANAGER,
        words: &["Failed to get blacklisted pages"],
        meaning: "seen with GeForce boards of the Ampere generation, on which nobody has vGPUs working",
        cure: &["take a board of the Turing generation or an older one"],
        ..PLAIN
    },
    // DualCoder/vgpu_unlock#71, and #9 for the cure
    Known {
        source: MANAGER,
        words: &["Failed to get VM UUID from QEMU command-line"],
        meaning: "QEMU was started without the UUID of its virtual machine, by which it is told apart",
        cure: &[
            "Proxmox: `args: -uuid 00000000-0000-0000-0000-000000000100` for virtual machine 100",
            "QEMU by hand: -uuid; libvirt has it by itself",
        ],
        ..PLAIN
    },
    // mrzenc/vgpu4nixos#4
    Known {
        source: MANAGER,
        words: &["Failed to initialize RM client"],
        meaning: "it found no board that NVIDIA's driver holds when it started",
        cure: &[
            "see above that the driver is loaded and holds a board, then systemctl restart nvidia-vgpu-mgr",
        ],
        ..PLAIN
    },
    // mbilker/vgpu_unlock-rs#10
    Known {
        source: MANAGER,
        words: &["Incompatible Guest/Host drivers"],
        meaning: "the guest's driver does not fit the host's",
        cure: &["install the guest driver that came with this vGPU release"],
        guest: true,
        ..PLAIN
    },
    // polloloco/vgpu-proxmox
    Known {
        source: MANAGER,
        words: &["XID 43 detected"],
        meaning: "a program in the guest, or the guest's driver, was stopped; the host is fine",
        cure: &["install the guest driver that came with this vGPU release"],
        guest: true,
        ..PLAIN
    },
    // mbilker/vgpu_unlock-rs#30 and others: nothing but a reload helps
    Known {
        source: MANAGER,
        words: &["init_device_instance failed", "init frame copy engine"],
        meaning: "the board does not take new work since a vGPU was stopped",
        cure: &["stop all vGPUs, then reload NVIDIA's driver, or reboot"],
        ..PLAIN
    },
    // nvidiavgpuarchive/index#1
    Known {
        source: KERNEL,
        words: &["NVRM: API mismatch"],
        meaning: "a program is of another version than the driver in the kernel",
        cure: &[
            "after an upgrade: reboot",
            "else install driver and daemons from one and the same vGPU package",
        ],
        ..PLAIN
    },
    Known {
        source: KERNEL,
        words: &["NVRM: ", "RmInitAdapter failed"],
        meaning: "NVIDIA's driver could not start the board",
        cure: &[
            "cold-start the host; if that does not help, the board or its power is at fault, or \
             the version does not support it",
        ],
        ..PLAIN
    },
    // DualCoder/vgpu_unlock#1 and #9; its README says where the code comes from
    Known {
        source: MANAGER,
        words: &["NVOS status"],
        code: Some(0x56),
        meaning: "the driver does not take the board for one with vGPUs: it was not unlocked when the vGPU \
                  started",
        cure: &["see above that the board is unlocked, then start the virtual machine again"],
        ..PLAIN
    },
    // The driver names no reason; overrides are what a user can have given it.
    Known {
        source: MANAGER,
        words: &["NVOS status"],
        code: Some(0x1f),
        meaning: "the driver refuses a value that it was given",
        cure: &[
            "try it without this type's overrides: framebuffer and framebuffer_reservation first",
        ],
        ..PLAIN
    },
    // VGPU-Community-Drivers/vGPU-Unlock-patcher, its parameter vup_swrlwar
    Known {
        source: MANAGER,
        words: &["NVOS status"],
        code: Some(0x1),
        meaning: "seen with drivers that were merged with a desktop driver",
        cure: &["install NVIDIA's original vGPU package"],
        follows: true,
        ..PLAIN
    },
    Known {
        source: MANAGER,
        words: &["NVOS status"],
        meaning: "the driver refused a call",
        cure: &["journalctl -b -u nvidia-vgpu-mgr has what it was about"],
        follows: true,
        ..PLAIN
    },
    Known {
        source: MANAGER,
        words: &["init_device_instance failed"],
        meaning: "a vGPU could not be started",
        cure: &["journalctl -b -u nvidia-vgpu-mgr has what came before it"],
        follows: true,
        ..PLAIN
    },
    // mbilker/vgpu_unlock-rs#29
    Known {
        source: VGPUD,
        words: &["failed to send vGPU configuration info to RM"],
        meaning: "it found no board that it could register types for",
        cure: &["see above that the board is unlocked, then systemctl restart nvidia-vgpud"],
        follows: true,
        ..PLAIN
    },
    // From the driver's interface file for vGPUs, which its packages have as source.
    Known {
        source: KERNEL,
        words: &["NVRM: Failed to start vGPU: 0x"],
        meaning: "a vGPU could not be started",
        cure: &["journalctl -b -u nvidia-vgpu-mgr has what came before it"],
        follows: true,
        ..PLAIN
    },
    // NVIDIA/gpu-operator#527
    Known {
        source: KERNEL,
        words: &["[nvidia-vgpu-vfio]", "start failed. status: 0x0"],
        meaning: "nvidia-vgpu-mgr did not answer",
        cure: &["see above that it runs, then start the virtual machine again"],
        follows: true,
        ..PLAIN
    },
    // mbilker/vgpu_unlock-rs#49, DualCoder/vgpu_unlock#95
    Known {
        source: KERNEL,
        words: &["[nvidia-vgpu-vfio]", "start failed. status: 0x1"],
        meaning: "nvidia-vgpu-mgr could not start the vGPU",
        cure: &["journalctl -b -u nvidia-vgpu-mgr says why"],
        follows: true,
        ..PLAIN
    },
    Known {
        source: VGPUD,
        words: &["nvidia-vgpud.service: Failed with result"],
        meaning: "it has ended with an error",
        cure: &["journalctl -b -u nvidia-vgpud has what came before it"],
        follows: true,
        ..PLAIN
    },
    Known {
        source: MANAGER,
        words: &["nvidia-vgpu-mgr.service: Failed with result"],
        meaning: "it has ended with an error",
        cure: &["journalctl -b -u nvidia-vgpu-mgr has what came before it"],
        follows: true,
        ..PLAIN
    },
];

/// The status code in a message, and its name.
pub(super) fn status(message: &str) -> Option<(u32, &'static str)> {
    let code = code(message)?;
    let (_, name) = CODES.iter().find(|(known, _)| *known == code)?;
    Some((code, name))
}

fn code(message: &str) -> Option<u32> {
    let before = [
        "NVOS status 0x",
        "Failed to start vGPU: 0x",
        "RM client: 0x",
        "pages:0x",
        "with error 0x",
    ];
    let (_, rest) = before.iter().find_map(|before| message.split_once(before))?;
    let digits = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    u32::from_str_radix(digits, 16).ok()
}

/// The codes that vGPU hosts see.
const CODES: &[(u32, &str)] = &[
    (0x01, "NV_ERR_BROKEN_FB"),
    (0x02, "NV_ERR_BUFFER_TOO_SMALL"),
    (0x03, "NV_ERR_BUSY_RETRY"),
    (0x05, "NV_ERR_CARD_NOT_PRESENT"),
    (0x0f, "NV_ERR_GPU_IS_LOST"),
    (0x16, "NV_ERR_ILLEGAL_ACTION"),
    (0x17, "NV_ERR_IN_USE"),
    (0x1a, "NV_ERR_INSUFFICIENT_RESOURCES"),
    (0x1b, "NV_ERR_INSUFFICIENT_PERMISSIONS"),
    (0x1d, "NV_ERR_INVALID_ACCESS_TYPE"),
    (0x1e, "NV_ERR_INVALID_ADDRESS"),
    (0x1f, "NV_ERR_INVALID_ARGUMENT"),
    (0x22, "NV_ERR_INVALID_CLASS"),
    (0x23, "NV_ERR_INVALID_CLIENT"),
    (0x25, "NV_ERR_INVALID_DATA"),
    (0x26, "NV_ERR_INVALID_DEVICE"),
    (0x2d, "NV_ERR_INVALID_IRQ_LEVEL"),
    (0x2e, "NV_ERR_INVALID_LIMIT"),
    (0x31, "NV_ERR_INVALID_OBJECT"),
    (0x33, "NV_ERR_INVALID_OBJECT_HANDLE"),
    (0x36, "NV_ERR_INVALID_OBJECT_PARENT"),
    (0x3a, "NV_ERR_INVALID_PARAM_STRUCT"),
    (0x3b, "NV_ERR_INVALID_PARAMETER"),
    (0x3f, "NV_ERR_INVALID_REQUEST"),
    (0x40, "NV_ERR_INVALID_STATE"),
    (0x51, "NV_ERR_NO_MEMORY"),
    (0x54, "NV_ERR_NOT_COMPATIBLE"),
    (0x55, "NV_ERR_NOT_READY"),
    (0x56, "NV_ERR_NOT_SUPPORTED"),
    (0x57, "NV_ERR_OBJECT_NOT_FOUND"),
    (0x59, "NV_ERR_OPERATING_SYSTEM"),
    (0x5b, "NV_ERR_OUT_OF_RANGE"),
    (0x62, "NV_ERR_RESET_REQUIRED"),
    (0x63, "NV_ERR_STATE_IN_USE"),
    (0x65, "NV_ERR_TIMEOUT"),
    (0x6a, "NV_ERR_LIB_RM_VERSION_MISMATCH"),
    (0x72, "NV_ERR_MEMORY_ERROR"),
    (0xffff, "NV_ERR_GENERIC"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_where_they_are_codes() {
        for (message, expected) in [
            ("error: vmiop_log: NVOS status 0x56", Some((0x56, "NV_ERR_NOT_SUPPORTED"))),
            (
                "error: vmiop_env_log: Failed to initialize RM client: 0x26",
                Some((0x26, "NV_ERR_INVALID_DEVICE")),
            ),
            ("NVRM: Failed to start vGPU: 0x1f\n", Some((0x1f, "NV_ERR_INVALID_ARGUMENT"))),
            (
                "error: vmiop_log: (0x0): Failed to get blacklisted pages:0x56",
                Some((0x56, "NV_ERR_NOT_SUPPORTED")),
            ),
            ("error: vmiop_log: NVOS status 0x99", None),
            ("error: vmiop_log: NVOS status 0x", None),
            ("error: vmiop_log: Assertion Failed at 0xf69873bf:293", None),
        ] {
            assert_eq!(status(message), expected, "{message}");
        }
    }
}
