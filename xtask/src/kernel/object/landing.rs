// SPDX-License-Identifier: GPL-2.0
//! Where calls through a pointer may land: on a CPU with IBT, on an ENDBR and nowhere else.

use iced_x86::Mnemonic;

use super::{
    elf::{Object, TRAMPOLINES},
    uses::uses,
};

/// Functions whose address is taken and that cannot be called through it: they have no ENDBR, or one that
/// the kernel takes away when it loads the module.
pub fn missing(object: &Object) -> Vec<String> {
    let sealed = object.listed(&[".ibt_endbr_seal"]);
    let mut complaints = vec![];
    let mut taken = uses(object);
    // The kernel is told where to write a jump, and jumps there directly.
    taken.retain(|used| used.taken && object.section(used.of) != Some(TRAMPOLINES));
    taken.sort_by_key(|used| used.of);
    taken.dedup_by_key(|used| used.of);
    for used in taken {
        let step = object.step(used.of);
        let endbr = step.is_some_and(|step| step.does.mnemonic() == Mnemonic::Endbr64);
        let (name, by) = (object.describe(used.of), used.by);
        if !endbr {
            complaints.push(format!("{name}: no ENDBR, but {by} has its address"));
        } else if sealed.binary_search(&used.of).is_ok() {
            complaints.push(format!("{name}: its ENDBR is sealed, but {by} has its address"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::object::made::{
        ENDBR, Made,
        Piece::{Address, Bytes, Call, Load},
    };

    const RET: &[u8] = &[0xc3];

    #[test]
    fn an_address_that_is_taken_wants_an_endbr() {
        let (sound, unsound) = ([ENDBR, Bytes(RET)], [Bytes(RET)]);
        for (target, complaints) in [(&sound[..], 0), (&unsound[..], 1)] {
            let by_data = Made::of(&[("f", target)]).data(".data", &["f"]);
            assert_eq!(missing(&by_data.done()).len(), complaints);
            for piece in [Address("f"), Load("f")] {
                let by_code = Made::of(&[("f", target), ("g", &[piece])]);
                assert_eq!(missing(&by_code.done()).len(), complaints, "{piece:?}");
            }
        }
        let object = Made::of(&[("f", &[Bytes(RET)])]).data(".data", &["f"]).done();
        assert_eq!(missing(&object), ["f: no ENDBR, but .data has its address"]);
    }

    #[test]
    fn a_trampoline_is_written_and_not_called() {
        let tramp = [Bytes(&[0xe9, 0, 0, 0, 0])];
        let made = Made::of(&[("f", &[Load("__SCT__g")])]).within(TRAMPOLINES, "__SCT__g", &tramp);
        assert_eq!(missing(&made.done()), [""; 0]);
    }

    #[test]
    fn a_sealed_endbr_is_none() {
        let made = Made::of(&[("f", &[ENDBR]), ("g", &[ENDBR])]);
        let object = made.data(".rodata", &["f"]).table(".ibt_endbr_seal", &["f", "g"]).done();
        assert_eq!(missing(&object), ["f: its ENDBR is sealed, but .rodata has its address"]);
    }

    #[test]
    fn calls_and_the_kernels_tables_take_no_address() {
        let made = Made::of(&[("f", &[Bytes(RET)]), ("g", &[Call("f")])]);
        let object = made.table("__mcount_loc", &["f"]).done();
        assert_eq!(missing(&object), [""; 0]);
    }
}
