// SPDX-License-Identifier: GPL-2.0
//! Rust's panics, of which the module is to have none: one stops the host and all its guests.

use iced_x86::Mnemonic;

use super::{
    elf::{Object, Place},
    uses::uses,
};

/// Panics that stay in the object although nobody can come to them: parts of the names of the function and
/// of those that use it; anybody may, where none is given.
const UNREACHABLE: &[(&str, &[&str])] = &[
    // Counts down over a buffer that has room for the digits of the widest number.
    ("core3fmt3num3imp", &[]),
    // read_16 copies words of four bytes to pieces of four bytes.
    ("copy_from_slice", &["sys..hook..Copies"]),
];

/// What of Rust's panic machinery is in the object, or wanted by it.
pub fn named(object: &Object) -> Vec<String> {
    // core's are called so: panicking::panic, slice_end_index_len_fail, unwrap_failed, ...
    let is_panic = |name: &&String| {
        let rusts = ["_R", "_ZN", "rust_"].iter().any(|prefix| name.starts_with(prefix));
        rusts && ["panic", "_fail", "begin_unwind"].iter().any(|part| name.contains(part))
    };
    object.names.iter().filter(is_panic).cloned().collect()
}

/// Instructions that end the task where a panic would have been. A WARN or BUG of C's is one, too, but is in
/// the kernel's list of these.
pub fn traps(object: &Object) -> Vec<String> {
    let bugs = object.listed(&["__bug_table"]);
    let traps = object.code.iter().filter(|step| {
        step.does.mnemonic() == Mnemonic::Ud2
            && bugs.binary_search(&step.at).is_err()
            && !is_unreachable(object, step.at)
    });
    traps.map(|step| object.describe(step.at)).collect()
}

fn is_unreachable(object: &Object, place: Place) -> bool {
    let Some(function) = object.within(place) else { return false };
    UNREACHABLE.iter().filter(|(name, _)| function.name.contains(name)).any(|(_, users)| {
        let known = |by: &str| users.is_empty() || users.iter().any(|user| by.contains(user));
        uses(object).iter().filter(|used| used.of == function.start).all(|used| known(&used.by))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::object::made::{
        Made,
        Piece::{self, Bytes, Call},
    };

    const UD2: Piece = Bytes(&[0x0f, 0x0b]);
    const COPY: &str = "_ZN4core5slice15copy_from_slice17h0123456789abcdefE";
    const READ_16: &str = "_ZN8Unlocker$u20$as$u20$vgpu_unlock..sys..hook..Copies17h0E";

    #[test]
    fn names_tell_panics() {
        let rows = [
            ("_ZN4core9panicking5panic17hE", 1),
            ("_RNvNtCs_4core9panicking18panic_bounds_check", 1),
            ("_RNvNtNtCs_4core5slice5index26slice_start_index_len_fail", 1),
            ("rust_begin_unwind", 1),
            ("_ZN4core3fmt5write17hE", 0),
            // C's are C's affair.
            ("panic", 0),
            ("__stack_chk_fail", 0),
        ];
        for (name, complaints) in rows {
            let wanted = Made::of(&[("f", &[Call(name)])]).done();
            assert_eq!(named(&wanted).len(), complaints, "{name}");
            let there = Made::of(&[(name, &[UD2])]).done();
            assert_eq!(named(&there).len(), complaints, "{name}");
        }
    }

    #[test]
    fn a_trap_is_one_unless_it_is_a_warning_of_cs() {
        let object = Made::of(&[("f", &[UD2])]).done();
        assert_eq!(traps(&object), ["f"]);
        let object = Made::of(&[("f", &[UD2])]).table("__bug_table", &["f"]).done();
        assert_eq!(traps(&object), [""; 0]);
    }

    #[test]
    fn what_is_unreachable_is_so_for_those_who_are_known() {
        let object = Made::of(&[(COPY, &[UD2]), (READ_16, &[Call(COPY)])]).done();
        assert_eq!(traps(&object), [""; 0]);
        let object = Made::of(&[(COPY, &[UD2]), (READ_16, &[Call(COPY)]), ("f", &[Call(COPY)])]);
        assert_eq!(traps(&object.done()), [COPY]);
        let object = Made::of(&[(COPY, &[UD2])]).data(".rodata", &[COPY]).done();
        assert_eq!(traps(&object), [COPY]);
    }
}
