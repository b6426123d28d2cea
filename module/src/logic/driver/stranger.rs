// SPDX-License-Identifier: GPL-2.0
//! What stands in a driver that is not NVIDIA's proprietary one, as NVIDIA built it.

use super::site::Branch;
use crate::logic::signature::{self, Hits, Pattern};

/// `vGPU unlock patch applied.`, which DualCoder's `vgpu_unlock_hooks.c` writes to the log.
static HOOKS: Pattern =
    Pattern::new("76 47 50 55 20 75 6e 6c 6f 63 6b 20 70 61 74 63 68 20 61 70 70 6c 69 65 64 2e");

/// `NVIDIA UNIX Open Kernel Module for`, as NVIDIA's open modules call themselves. Their licence says less:
/// published patches give the proprietary module the same one, so that newer kernels let it use more.
static OPEN: Pattern = Pattern::new(
    "4e 56 49 44 49 41 20 55 4e 49 58 20 4f 70 65 6e 20 4b 65 72 6e 65 6c 20 4d 6f 64 75 6c 65 20 66 6f 72",
);

/// Whether `vgpu_unlock_hooks.c` is compiled into the driver whose constants these are.
pub fn has_hooks(constants: &[u8]) -> bool {
    stands(&HOOKS, constants)
}

/// Whether these are the constants of NVIDIA's open module.
pub fn is_open(constants: &[u8]) -> bool {
    stands(&OPEN, constants)
}

/// Whether a site in `text` is as published patches leave it.
pub fn is_patched(branch: &Branch, text: &[u8]) -> bool {
    branch.sites.iter().any(|site| site.patched.iter().any(|patched| stands(patched, text)))
}

fn stands(pattern: &Pattern, bytes: &[u8]) -> bool {
    let [hits] = signature::search([pattern], bytes);
    hits != Hits::None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::driver::branch;
    use crate::logic::driver::version::Version;
    use std::vec::Vec;

    #[test]
    fn strings_are_found_wherever_they_stand() {
        let hooks = b"\0\x014vGPU unlock patch applied.\n\0";
        let open = b"nvidia id: NVIDIA UNIX Open Kernel Module for x86_64  570.124.03  Release\0";
        let closed = b"nvidia id: NVIDIA UNIX x86_64 Kernel Module  570.124.03  Tue Apr\0";
        for (bytes, expected) in
            [(&hooks[..], (true, false)), (open, (false, true)), (closed, (false, false))]
        {
            assert_eq!((has_hooks(bytes), is_open(bytes)), expected);
        }
    }

    #[test]
    fn each_published_patch_is_recognised() {
        let bytes = |text: &str| -> Vec<u8> {
            text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
        };
        const CHECK_550: &str = "80 bf da 07 00 00 00 c7 45 1c 00 00 00 00 8b 9f a0 0a 00 00 \
                                 44 8b b7 a8 0a 00 00 75 10";
        const GATE_570: &str = "80 bb 72 07 00 00 00 75 10 44 0f b6 b3 73 07 00 00";
        const CHECK_535: &str =
            "80 bf b2 07 00 00 00 b8 01 00 00 00 75 11 80 bf 12 3f 00 00 00 75 08 \
                                 0f b7 8f 6a 0a 00 00 81 f9 30 1e 00 00";
        const GATE_535: &str =
            "48 8b b7 f0 1b 00 00 ba 1a 00 00 ff c7 45 0c 00 00 00 00 48 8d 4d 0c \
                                48 8b 86 b8 01 00 00 e8 00 00 00 00 8b 45 0c 85 c0 0f";
        let frame = "48 83 ec 08 48 83 ed 10";
        for (version, start, rest, end, patched) in [
            // 570.124.03, .133.10, .148.06, .158.02 and 580.126.08: return 1.
            ("570.124.03", "b8 01 00 00 00 c3 cc cc cc", CHECK_550, "", true),
            ("580.126.08", "b8 01 00 00 00 c3 cc cc cc", CHECK_550, "", true),
            ("550.163.02", "b8 01 00 00 00 c3 90 90 90", CHECK_550, "", true),
            ("555.58.02", "b8 01 00 00 00 c3 90 90 90", CHECK_550, "", true),
            ("550.163.02", "41 56 41 55 53 48 83 ed 20", CHECK_550, "", false),
            // Returns 0.
            ("550.163.02", "b8 00 00 00 00 c3 90 90 90", CHECK_550, "", false),
            // In the file, and by vGPU-Unlock-patcher when it is loaded.
            ("570.124.03", "90 90 e9 9e 00 00 00 cc", GATE_570, "", true),
            ("570.124.03", "90 c7 45 0c 01 00 00 00", GATE_570, "", true),
            ("570.124.03", "85 c0 0f 85 9d 00 00 00", GATE_570, "", false),
            ("535.216.03", "b8 01 00 00 00 c3 90 90", CHECK_535, "", true),
            ("535.216.03", frame, CHECK_535, "", false),
            // setae for setne.
            ("535.216.03", frame, GATE_535, "93 c0", true),
            ("525.147.05", frame, GATE_535, "93 c0", true),
            ("535.216.03", frame, GATE_535, "95 c0", false),
        ] {
            let branch = branch::of(&Version::parse(version.as_bytes()).unwrap()).unwrap();
            let text = [bytes("90 90 90"), bytes(start), bytes(rest), bytes(end)].concat();
            assert_eq!(is_patched(branch, &text), patched, "{version}: {start} {end}");
            assert!(!is_patched(branch, &text[..text.len() - 1]), "{version}: {start} {end}");
        }
    }
}
