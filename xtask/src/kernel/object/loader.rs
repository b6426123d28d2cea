// SPDX-License-Identifier: GPL-2.0
//! What the kernel's module loader and its list of symbols can take.

use object::elf;

use super::elf::Object;

/// The relocations that arch/x86/kernel/module.c applies, in all kernels from 5.10 on.
const KNOWN: [u32; 7] = [
    elf::R_X86_64_NONE,
    elf::R_X86_64_64,
    elf::R_X86_64_32,
    elf::R_X86_64_32S,
    elf::R_X86_64_PC32,
    elf::R_X86_64_PLT32,
    elf::R_X86_64_PC64,
];

/// Relocations of other kinds: by a table of addresses, or of a thread's own.
pub fn unknown_relocations(object: &Object) -> Vec<String> {
    let mut complaints = vec![];
    for section in object.sections.iter().filter(|section| section.loaded) {
        for reference in section.references.iter().filter(|r| !KNOWN.contains(&r.kind)) {
            let (name, at, kind) = (&section.name, reference.at, reference.kind);
            complaints.push(format!("{name}+{at:#x}: number {kind}"));
        }
    }
    complaints
}

/// Names that the kernel would cut off; `limit` counts the byte that ends them.
pub fn long_names(object: &Object, limit: usize) -> Vec<String> {
    let long = object.names.iter().filter(|name| name.len() >= limit);
    long.map(|name| format!("{name} has {} characters", name.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::object::made::{Made, Piece::Call};

    #[test]
    fn relocations_are_told_apart() {
        for (kind, complaints) in [
            (elf::R_X86_64_64, 0),
            (elf::R_X86_64_PC64, 0),
            (elf::R_X86_64_GOTPCREL, 1),
            (elf::R_X86_64_REX_GOTPCRELX, 1),
            (elf::R_X86_64_TPOFF32, 1),
        ] {
            let object = Made::of(&[("f", &[Call("g")])]).pointing(".data", "f", kind).done();
            assert_eq!(unknown_relocations(&object).len(), complaints, "{kind}");
        }
    }

    #[test]
    fn a_name_and_its_end_fit() {
        let name = "x".repeat(127);
        let object = Made::of(&[(&name, &[Call("g")])]).done();
        assert_eq!(long_names(&object, 128), [""; 0]);
        assert_eq!(long_names(&object, 127), [format!("{name} has 127 characters")]);
    }
}
