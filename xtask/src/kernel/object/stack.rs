// SPDX-License-Identifier: GPL-2.0
//! What lies below the stack pointer: nothing, for an interrupt writes there at any moment. Nor may the
//! unwinder lose its way.

use iced_x86::{Mnemonic, OpKind, Register};

use super::elf::{Function, Object, Step, TRAMPOLINES};

/// Accesses to what lies below the stack pointer.
pub fn red_zone(object: &Object) -> Vec<String> {
    let mut complaints = vec![];
    for function in &object.functions {
        let steps = object.steps(function);
        let frame = Frame::of(steps);
        let below = |step: &&Step| match access(step) {
            Some((Register::RSP, offset)) => offset < 0,
            Some((Register::RBP, offset)) => frame.is_below(offset),
            _ => false,
        };
        for step in steps.iter().filter(below) {
            complaints.push(format!("{}: {:?}", object.describe(step.at), step.does.code()));
        }
    }
    complaints
}

/// Functions that call others and do not keep the chain of frame pointers.
pub fn frameless(object: &Object) -> Vec<String> {
    let calls = |step: &Step| {
        let traced = object.jumps_to_import(step) == Some("__fentry__");
        step.does.mnemonic() == Mnemonic::Call && !traced
    };
    let frameless = |function: &&Function| {
        let steps = object.steps(function);
        !function.is_part() && steps.iter().any(calls) && Frame::of(steps).at.is_none()
    };
    object.functions.iter().filter(frameless).map(|f| f.name.clone()).collect()
}

/// Sections with functions that objtool has told the unwinder nothing about.
pub fn unknown_to_orc(object: &Object) -> Vec<String> {
    let known = object.listed(&[".orc_unwind_ip"]);
    let mut complaints = vec![];
    for (number, section) in object.sections.iter().enumerate() {
        let has = object.functions.iter().any(|f| f.start.section == number);
        if has && section.name != TRAMPOLINES && !known.iter().any(|place| place.section == number)
        {
            complaints.push(section.name.clone());
        }
    }
    complaints
}

/// The base register and the offset of a memory operand without an index.
fn access(step: &Step) -> Option<(Register, i64)> {
    let does = &step.does;
    let memory = (0..does.op_count()).any(|i| does.op_kind(i) == OpKind::Memory);
    let counts = !matches!(does.mnemonic(), Mnemonic::Lea | Mnemonic::Nop);
    let plain = memory && counts && does.memory_index() == Register::None;
    plain.then(|| (does.memory_base(), does.memory_displacement64() as i64))
}

/// How a function uses the stack, at most: what it gives back is not counted, for code that stands behind
/// a return is come to from elsewhere.
#[derive(Default)]
struct Frame {
    /// How deep the stack is where the frame pointer points to, if there is one.
    at: Option<i64>,
    /// How deep it becomes; nothing is known if that is decided at run time.
    deepest: Option<i64>,
}

impl Frame {
    fn of(steps: &[Step]) -> Self {
        let mut frame = Self { at: None, deepest: Some(0) };
        for step in steps {
            frame.deepest = match (frame.deepest, grows(step)) {
                (Some(deepest), Some(bytes)) => Some(deepest.saturating_add(bytes)),
                _ => None,
            };
            if let (None, Some(offset)) = (frame.at, frame_pointer(step)) {
                frame.at = frame.deepest.map(|depth| depth.saturating_sub(offset));
            }
        }
        frame
    }

    /// Whether an offset from the frame pointer lies below all that the function ever takes.
    fn is_below(&self, offset: i64) -> bool {
        match (self.at, self.deepest) {
            (Some(at), Some(deepest)) => at.saturating_sub(offset) > deepest,
            _ => false,
        }
    }
}

/// By how much an instruction makes the stack deeper, if that is known.
fn grows(step: &Step) -> Option<i64> {
    let does = &step.does;
    let to_stack = does.op_count() > 0
        && does.op0_kind() == OpKind::Register
        && does.op0_register() == Register::RSP;
    let number = || does.immediate(1) as i64;
    let constant = does.op_count() > 1 && does.op1_kind() != OpKind::Register;
    match does.mnemonic() {
        Mnemonic::Push | Mnemonic::Pushfq => Some(8),
        Mnemonic::Sub if to_stack && constant => Some(number().max(0)),
        Mnemonic::Add if to_stack && constant => Some(number().saturating_neg().max(0)),
        // To a boundary of as many bytes, at most.
        Mnemonic::And if to_stack && constant => Some(number().saturating_neg()),
        Mnemonic::Lea if to_stack => match access_of_lea(step) {
            (Register::RSP, offset) => Some(offset.saturating_neg().max(0)),
            // Back to where it was.
            (Register::RBP, _) => Some(0),
            _ => None,
        },
        Mnemonic::Mov | Mnemonic::Pop if to_stack => Some(0),
        Mnemonic::Sub if to_stack => None,
        _ => Some(0),
    }
}

/// How far above the stack pointer the frame pointer is put, if the instruction does that.
fn frame_pointer(step: &Step) -> Option<i64> {
    let does = &step.does;
    if does.op_count() != 2
        || does.op0_kind() != OpKind::Register
        || does.op0_register() != Register::RBP
    {
        return None;
    }
    match does.mnemonic() {
        Mnemonic::Mov if does.op1_register() == Register::RSP => Some(0),
        Mnemonic::Lea => match access_of_lea(step) {
            (Register::RSP, offset) => Some(offset),
            _ => None,
        },
        _ => None,
    }
}

/// Base and offset of an address that is taken; no base where there is an index, too.
fn access_of_lea(step: &Step) -> (Register, i64) {
    let does = &step.does;
    let plain = does.memory_index() == Register::None;
    let base = if plain { does.memory_base() } else { Register::None };
    (base, does.memory_displacement64() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::object::made::{
        Made,
        Piece::{self, Bytes, Call},
    };

    const PUSH_RBP: Piece = Bytes(&[0x55]);
    const RBP_IS_RSP: Piece = Bytes(&[0x48, 0x89, 0xe5]);
    const SUB_16: Piece = Bytes(&[0x48, 0x83, 0xec, 0x10]);
    const SUB_RAX: Piece = Bytes(&[0x48, 0x29, 0xc4]);
    const BELOW_RSP: Piece = Bytes(&[0x48, 0x89, 0x44, 0x24, 0xf8]);
    const ABOVE_RSP: Piece = Bytes(&[0x48, 0x89, 0x44, 0x24, 0x08]);
    const INDEXED: Piece = Bytes(&[0x48, 0x89, 0x44, 0xc4, 0xf8]);
    const LEA_BELOW: Piece = Bytes(&[0x48, 0x8d, 0x64, 0x24, 0xf8]);
    const AT_RBP_8: Piece = Bytes(&[0x48, 0x89, 0x45, 0xf8]);
    const AT_RBP_24: Piece = Bytes(&[0x48, 0x89, 0x45, 0xe8]);

    #[test]
    fn what_lies_below_the_stack_pointer_is_left_alone() {
        let rows: [(&str, &[Piece], usize); 9] = [
            ("mov %rax,-8(%rsp)", &[BELOW_RSP], 1),
            ("mov %rax,8(%rsp)", &[ABOVE_RSP], 0),
            ("mov %rax,-8(%rsp,%rax,8)", &[INDEXED], 0),
            ("lea -8(%rsp),%rsp", &[LEA_BELOW], 0),
            ("a frame without room", &[PUSH_RBP, RBP_IS_RSP, AT_RBP_8], 1),
            ("a frame with room", &[PUSH_RBP, RBP_IS_RSP, SUB_16, AT_RBP_8], 0),
            ("a frame that is too small", &[PUSH_RBP, RBP_IS_RSP, SUB_16, AT_RBP_24], 1),
            ("a frame of any size", &[PUSH_RBP, RBP_IS_RSP, SUB_RAX, AT_RBP_24], 0),
            ("%rbp for something else", &[PUSH_RBP, AT_RBP_8], 0),
        ];
        for (what, pieces, complaints) in rows {
            let object = Made::of(&[("f", pieces)]).done();
            assert_eq!(red_zone(&object).len(), complaints, "{what}");
        }
    }

    #[test]
    fn who_calls_has_a_frame() {
        let rows: [(&str, &[Piece], usize); 4] = [
            ("a frame", &[Call("__fentry__"), PUSH_RBP, RBP_IS_RSP, Call("g")], 0),
            ("none", &[Call("__fentry__"), PUSH_RBP, Call("g")], 1),
            ("none, and no call", &[Call("__fentry__")], 0),
            ("%rbp saved only", &[PUSH_RBP, Call("g")], 1),
        ];
        for (what, pieces, complaints) in rows {
            let object = Made::of(&[("f", pieces)]).done();
            assert_eq!(frameless(&object).len(), complaints, "{what}");
        }
    }

    #[test]
    fn orc_knows_every_section() {
        let made = Made::of(&[("f", &[PUSH_RBP])]);
        assert_eq!(unknown_to_orc(&made.done()), [".text"]);
        let made = Made::of(&[("f", &[PUSH_RBP])]).table(".orc_unwind_ip", &["f"]);
        assert_eq!(unknown_to_orc(&made.done()), [""; 0]);
    }
}
