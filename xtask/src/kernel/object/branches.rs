// SPDX-License-Identifier: GPL-2.0
//! Where code goes on: by thunks of the kernel's, where the CPU must not guess.

use iced_x86::{FlowControl, Mnemonic};

use super::elf::{Object, Place, Step};

/// The kernel's thunks for calls and jumps through a register.
const THUNKS: &str = "__x86_indirect_thunk_";

/// Returns that are no jump to the kernel's return thunk.
pub fn bare_returns(object: &Object) -> Vec<String> {
    all(object, |step| step.does.flow_control() == FlowControl::Return)
}

/// Calls and jumps through a pointer that no thunk makes.
pub fn bare_pointers(object: &Object) -> Vec<String> {
    let patched = patched(object);
    all(object, |step| goes_by_pointer(step) && patched.binary_search(&step.at).is_err())
}

/// Calls and jumps through a pointer, by a thunk or without.
pub fn pointers(object: &Object) -> Vec<String> {
    let patched = patched(object);
    all(object, |step| {
        let thunk = object.jumps_to_import(step).is_some_and(|name| name.starts_with(THUNKS));
        (thunk || goes_by_pointer(step)) && patched.binary_search(&step.at).is_err()
    })
}

/// Returns and jumps through a pointer behind which the CPU may guess on.
pub fn open_ends(object: &Object) -> Vec<String> {
    let stops = |at: Place| object.step(at).is_some_and(|s| s.does.mnemonic() == Mnemonic::Int3);
    all(object, |step| {
        let flow = step.does.flow_control();
        matches!(flow, FlowControl::Return | FlowControl::IndirectBranch) && !stops(step.end())
    })
}

fn all(object: &Object, wrong: impl Fn(&Step) -> bool) -> Vec<String> {
    let steps = object.code.iter().filter(|step| wrong(step));
    steps.map(|step| format!("{}: {:?}", object.describe(step.at), step.does.code())).collect()
}

fn goes_by_pointer(step: &Step) -> bool {
    matches!(step.does.flow_control(), FlowControl::IndirectCall | FlowControl::IndirectBranch)
}

/// What the kernel makes a direct call of when it loads a module, or has found harmless.
fn patched(object: &Object) -> Vec<Place> {
    object.listed(&[".altinstructions", ".parainstructions", ".discard.retpoline_safe"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::object::made::{
        Made,
        Piece::{self, Bytes, Call, Jump},
    };

    const RET: Piece = Bytes(&[0xc3]);
    const INT3: Piece = Bytes(&[0xcc]);
    const CALL_RAX: Piece = Bytes(&[0xff, 0xd0]);
    const JMP_RAX: Piece = Bytes(&[0xff, 0xe0]);

    #[test]
    fn each_way_out_is_seen() {
        // Bare returns, bare pointers, pointers of any kind, and what nothing stops.
        let rows: [(&str, &[Piece], [usize; 4]); 7] = [
            ("ret", &[RET], [1, 0, 0, 1]),
            ("ret and int3", &[RET, INT3], [1, 0, 0, 0]),
            ("return thunk", &[Jump("__x86_return_thunk")], [0, 0, 0, 0]),
            ("call *%rax", &[CALL_RAX, RET, INT3], [1, 1, 1, 0]),
            ("jmp *%rax", &[JMP_RAX], [0, 1, 1, 1]),
            ("jmp *%rax and int3", &[JMP_RAX, INT3], [0, 1, 1, 0]),
            ("a thunk", &[Call("__x86_indirect_thunk_rax")], [0, 0, 1, 0]),
        ];
        for (what, pieces, expected) in rows {
            let object = Made::of(&[("f", pieces)]).done();
            let found = [bare_returns, bare_pointers, pointers, open_ends];
            assert_eq!(found.map(|find| find(&object).len()), expected, "{what}");
        }
    }

    #[test]
    fn what_the_kernel_patches_is_its_own_affair() {
        for table in [".altinstructions", ".parainstructions", ".discard.retpoline_safe"] {
            let object = Made::of(&[("f", &[CALL_RAX])]).table(table, &["f"]).done();
            assert_eq!(bare_pointers(&object), [""; 0], "{table}");
            assert_eq!(pointers(&object), [""; 0], "{table}");
        }
        let object = Made::of(&[("f", &[CALL_RAX])]).table(".smp_locks", &["f"]).done();
        assert_eq!(bare_pointers(&object), ["f: Call_rm64"]);
    }
}
