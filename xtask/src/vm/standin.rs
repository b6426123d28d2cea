// SPDX-License-Identifier: GPL-2.0
//! Stand-ins for NVIDIA's driver: what tests/modules/standin cannot say in C is generated here,
//! above all capability tables in the real format, with one entry that the public key opens.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use aes::{
    Aes128,
    cipher::{BlockEncrypt, KeyInit},
};
use anyhow::{Context, Result};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::{
    dirs,
    kernel::{self, Prepared},
    paths,
};

/// One build of the stand-in.
#[derive(Debug)]
pub struct Variant {
    /// What the guest's scenarios call it.
    pub name: &'static str,
    version: &'static str,
    /// 550, 570, or the form that 525 and 535 share; before 525 there are no checks.
    branch: u32,
    /// How many second gates its text has.
    gates: u32,
    /// What about it is not NVIDIA's.
    changed: Changed,
    /// Where 570's second gate stores its 0, from the frame.
    stored_at: u32,
    /// Triples from the sacrificial one on; without any, that one is missing, too.
    sacrificial: usize,
}

/// What about a driver is not as NVIDIA built it, or not of its proprietary kind.
#[derive(Clone, Copy, Debug)]
enum Changed {
    Nothing,
    /// Its second gate is as a published patch leaves it (570's form).
    Text,
    /// It has a function of vGPU-Unlock-patcher.
    Patcher,
    /// The same, of which the kernel does not say where it is.
    Hidden,
    /// It has a string of vgpu_unlock_hooks.c.
    Hooks,
    /// It calls itself open.
    Open,
    /// ftrace does not know the function that has to be hooked on it: its ioctl, or before 525 what copies memory.
    Untraceable,
}

impl Changed {
    const ALL: [(Self, &str); 7] = [
        (Self::Nothing, "CHANGED_NOTHING"),
        (Self::Text, "CHANGED_IN_TEXT"),
        (Self::Patcher, "CHANGED_BY_PATCHER"),
        (Self::Hidden, "CHANGED_AND_HIDDEN"),
        (Self::Hooks, "CHANGED_BY_HOOKS"),
        (Self::Open, "CHANGED_OPEN"),
        (Self::Untraceable, "CHANGED_UNTRACEABLE"),
    ];
}

const GOOD: Variant = Variant {
    name: "550",
    version: "550.163.01",
    branch: 550,
    gates: 1,
    changed: Changed::Nothing,
    stored_at: 0xc,
    sacrificial: 40,
};

/// A branch that goes by the capability tables alone.
const TABLES: Variant =
    Variant { name: "470", version: "470.256.02", branch: 470, gates: 0, ..GOOD };

const FORM_535: Variant = Variant { name: "535", version: "535.216.03", branch: 535, ..GOOD };
const FORM_570: Variant = Variant { name: "570", version: "570.124.03", branch: 570, ..GOOD };
const FORM_525: Variant = Variant { name: "525", version: "525.147.05", branch: 525, ..GOOD };

/// Those whose checks are overridden, with the structures of their own branches.
pub const BRANCHES: &[Variant] = &[GOOD, FORM_535, FORM_525];

/// Of each way to unlock, the newest.
pub const WAYS: &[Variant] = &[GOOD, TABLES];

/// All that are to be unlocked.
pub const ALL: &[Variant] = &[GOOD, FORM_570, FORM_535, FORM_525, TABLES];

/// For what is the same on all branches.
pub const NEWEST: &[Variant] = &[GOOD];

/// Those of which something must be left alone.
pub const FAULTS: &[Variant] = &[
    Variant { name: "no-signature", gates: 0, ..GOOD },
    Variant { name: "double-signature", gates: 2, ..GOOD },
    Variant { name: "570-double-signature", gates: 2, ..FORM_570 },
    Variant { name: "570-wrong-store", stored_at: 8, ..FORM_570 },
    Variant { name: "570-patched", changed: Changed::Text, ..FORM_570 },
    Variant { name: "patcher", changed: Changed::Patcher, ..GOOD },
    Variant { name: "patcher-hidden", changed: Changed::Hidden, ..GOOD },
    Variant { name: "hooks", changed: Changed::Hooks, ..TABLES },
    Variant { name: "570-open", changed: Changed::Open, gates: 0, ..FORM_570 },
    Variant { name: "untraceable", changed: Changed::Untraceable, ..GOOD },
    Variant { name: "470-untraceable", changed: Changed::Untraceable, ..TABLES },
    // Its checks are not known, its structures are.
    Variant { name: "590", version: "590.44.01", ..GOOD },
    Variant { name: "unknown-version", version: "999.10.01", ..GOOD },
    Variant { name: "no-tables", sacrificial: 0, ..GOOD },
    Variant { name: "no-sacrificial", sacrificial: 0, ..TABLES },
    Variant { name: "short-sacrificial", sacrificial: 10, ..TABLES },
];

/// For a machine that is a user's: what people have whose `vgpuConfig.xml` need not come from elsewhere.
pub const PEOPLES: &Variant = &FORM_535;

/// Builds the modules of `variant` for `kernel`: `nvidia`, and `nvidia-vgpu-vfio` on top of it.
///
/// # Errors
/// They do not compile.
pub fn build(kernel: &Prepared, variant: &Variant) -> Result<Vec<PathBuf>> {
    // A kernel has its own: it may be at work on another one, too.
    let sources = paths::cache().join("vm/sources").join(kernel.target.name);
    let staged = sources.join(format!("standin-{}", variant.name));
    stage(variant, &staged)?;
    kernel::build::c_modules(kernel, &staged)
}

/// Makes `staged` a directory that a kernel's build makes the modules of `variant` of.
///
/// # Errors
/// It can't be written.
pub fn stage(variant: &Variant, staged: &Path) -> Result<()> {
    write(variant, staged).with_context(|| format!("preparing the stand-in {}", variant.name))
}

fn write(variant: &Variant, staged: &Path) -> Result<()> {
    let source = &paths::repo().join("tests/modules/standin");
    dirs::empty(staged)?;
    for entry in fs::read_dir(source).with_context(|| format!("reading {}", source.display()))? {
        let from = entry?.path();
        let to = staged.join(from.file_name().unwrap_or_default());
        fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
    }
    let Variant { version, branch, gates, changed, stored_at, .. } = variant;
    let names = Changed::ALL.map(|(it, name)| format!("#define {name} {}\n", it as u32)).concat();
    let header = format!(
        "/* SPDX-License-Identifier: GPL-2.0 */\n\
         #define STANDIN_VERSION \"{version}\"\n\
         #define STANDIN_BRANCH {branch}\n\
         #define STANDIN_GATES {gates}\n\
         #define STANDIN_STORED_AT {stored_at}\n\
         {names}\
         #define STANDIN_CHANGED {}\n",
        *changed as u32
    );
    fs::write(staged.join("variant.h"), header).context("writing variant.h")?;
    fs::write(staged.join("tables.S"), tables(variant)).context("writing tables.S")
}

/// Published for a Quadro P400.
const MAGIC: [u8; 16] = *b"\x47\x9c\xb6\xe1\x45\x1a\xf8\x4c\x1a\xf9\x48\xcc\x3b\x9a\xe8\xb9";
const KEY: [u8; 16] = *b"\xad\x63\x21\xfc\x4c\x3e\x17\xf8\xbc\x68\xad\x65\x05\xc7\x79\x38";
/// By these the two tables are recognised.
const GPU_LIST: [u8; 16] = *b"\xf3\xf5\x9e\x3d\x13\x91\x75\x18\x6a\x7b\x55\xed\xce\x5d\x84\x67";
const SACRIFICIAL: [u8; 16] = *b"\x9d\x72\xd9\x06\xa6\x20\xf4\x39\xe1\x11\x7d\x17\xb4\x53\x1d\x73";

/// Boards in the list, and where in it ours is.
const GPUS: usize = 60;
const OURS: usize = 37;
/// Triples in front of the sacrificial one, in the same table.
const IN_FRONT: usize = 5;

/// What a triple points to.
struct Triple {
    magic: [u8; 16],
    blocks: Vec<u8>,
    signature: [u8; 32],
}

impl Triple {
    /// An entry of a board whose key nobody knows: any bytes will do, the same in each build.
    fn unknown(number: usize) -> Self {
        let digest = |what: &str| -> [u8; 32] { Sha256::digest(format!("{what} {number}")).into() };
        let mut magic = [0; 16];
        magic.copy_from_slice(&digest("magic")[..16]);
        let mut blocks = vec![2];
        blocks.extend_from_slice(&digest("blocks"));
        Self { magic, blocks, signature: digest("signature") }
    }

    /// The Quadro P400's own entry.
    fn ours() -> Self {
        let name = b"Stand-in for a Quadro P400";
        let mut plain = vec![name.len() as u8, name.len() as u8];
        // Device, any vendor, subsystem, any vendor.
        for word in [0x1cb3u16, 0, 0x11be, 0] {
            plain.extend_from_slice(&word.to_le_bytes());
        }
        plain.extend_from_slice(name);
        plain.extend_from_slice(name);
        plain.resize(plain.len().next_multiple_of(16), 0);
        let cipher = Aes128::new(&KEY.into());
        for block in plain.chunks_exact_mut(16) {
            cipher.encrypt_block(block.into());
        }
        let mut blocks = vec![(plain.len() / 16) as u8];
        blocks.extend_from_slice(&plain);
        // An HMAC takes a key of any length; this type of key block needs no check of it.
        let mut padded = [0; 64];
        padded[..16].copy_from_slice(&KEY);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&padded.into());
        mac.update(&blocks);
        Self { magic: MAGIC, blocks, signature: mac.finalize().into_bytes().into() }
    }
}

/// The tables as an assembler's source.
fn tables(variant: &Variant) -> String {
    let mut gpus: Vec<Triple> = (0..GPUS).map(Triple::unknown).collect();
    gpus[0].magic = GPU_LIST;
    gpus[OURS] = Triple::ours();

    let mut others: Vec<Triple> =
        (0..IN_FRONT + variant.sacrificial).map(|i| Triple::unknown(1000 + i)).collect();
    if let Some(triple) = others.get_mut(IN_FRONT) {
        triple.magic = SACRIFICIAL;
    }
    // As in the real ones, our magic heads a second triple, and the lower one counts.
    others.push(Triple { magic: MAGIC, ..Triple::unknown(2000) });

    let mut source = String::from("/* SPDX-License-Identifier: GPL-2.0 */\n");
    let mut pointers = String::new();
    // The data that is pointed to is not aligned, in the real ones neither.
    source.push_str("\t.section .rodata, \"a\"\n\t.byte 0\n");
    for (table, triples) in [("gpu_list", &gpus), ("others", &others)] {
        // The zero in front separates the tables.
        let _ = writeln!(pointers, "\t.balign 8\n\t.quad 0\n{table}:");
        for (i, triple) in triples.iter().enumerate() {
            let label = format!(".L{table}_{i}");
            for (part, bytes) in
                [("m", &triple.magic[..]), ("b", &triple.blocks), ("s", &triple.signature)]
            {
                let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:#04x}")).collect();
                let _ = writeln!(source, "{label}_{part}:\n\t.byte {}", bytes.join(", "));
            }
            let _ = writeln!(pointers, "\t.quad {label}_m, {label}_b, {label}_s");
        }
    }
    source.push_str(&pointers);
    source.push_str("\t.quad 0\n\t.section .note.GNU-stack, \"\", @progbits\n");
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_has_the_tables_it_says() {
        let magic = |magic: [u8; 16]| {
            let bytes: Vec<String> = magic.iter().map(|byte| format!("{byte:#04x}")).collect();
            bytes.join(", ")
        };
        for variant in ALL.iter().chain(FAULTS) {
            let source = tables(variant);
            let count = |text: &str| source.matches(text).count();
            assert_eq!(count(&magic(GPU_LIST)), 1, "{}", variant.name);
            assert_eq!(count(&magic(MAGIC)), 2, "{}", variant.name);
            assert_eq!(count(&magic(SACRIFICIAL)), usize::from(variant.sacrificial > 0));
            assert_eq!(count("_s\n"), GPUS + IN_FRONT + variant.sacrificial + 1);
        }
    }

    #[test]
    fn names_differ() {
        let mut names: Vec<&str> = ALL.iter().chain(FAULTS).map(|v| v.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len() + FAULTS.len());
    }
}
