// SPDX-License-Identifier: GPL-2.0
//! What a module wants of the kernel. A distribution may export more than upstream does, and then the module
//! loads there and nowhere else.

use super::elf::Object;
use crate::kernel::upstream::exports::Exports;

/// The imports that upstream does not export, and what it says of them.
pub fn missing(object: &Object, exports: &Exports) -> Vec<String> {
    // The kernel's Rust crates export all that they have, by lists that are made when they are compiled.
    let rusts = |name: &str| ["_R", "rust_helper_"].iter().any(|prefix| name.starts_with(prefix));
    let imports = object.imports.iter().filter(|name| !rusts(name));
    imports.filter_map(|name| exports.offers(name).err()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{
        object::made::{Made, Piece::Call},
        upstream::exports::Scanner,
    };

    #[test]
    fn what_only_a_distribution_exports_is_told() {
        let mut scanner = Scanner::default();
        scanner.file("mm/slub.c", "EXPORT_SYMBOL(kfree);");
        scanner.file("virt/kvm/a.c", "EXPORT_SYMBOL_FOR_MODULES(kvm_a, \"kvm-intel\");");
        let exports = scanner.done("linux_6.12.118.orig.tar.xz");
        let calls = ["kfree", "task_work_add", "kvm_a", "_RNvXs1_kernel", "rust_helper_krealloc"];
        let object = Made::of(&[("f", &calls.map(Call)), ("g", &[Call("f")])]).done();
        assert_eq!(
            missing(&object, &exports),
            [
                "task_work_add: linux_6.12.118.orig.tar.xz does not export it",
                "kvm_a: linux_6.12.118.orig.tar.xz exports it to kvm-intel only",
            ]
        );
    }
}
