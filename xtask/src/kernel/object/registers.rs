// SPDX-License-Identifier: GPL-2.0
//! Registers that a kernel's code may not touch: they hold what user space has left there.

use iced_x86::{CpuidFeature, Instruction, InstructionInfoFactory, Register};

use super::elf::Object;

/// Instructions that use a register of SSE, AVX, MMX or the x87.
pub fn foreign(object: &Object) -> Vec<String> {
    let mut factory = InstructionInfoFactory::new();
    let mut complaints = vec![];
    for step in &object.code {
        let used = factory.info(&step.does).used_registers();
        if used.iter().any(|used| is_foreign(used.register())) || is_x87(&step.does) {
            let place = object.describe(step.at);
            complaints.push(format!("{place}: {:?}", step.does.code()));
        }
    }
    complaints
}

fn is_foreign(register: Register) -> bool {
    register.is_vector_register()
        || register.is_mm()
        || register.is_st()
        || register.is_k()
        || register.is_bnd()
        || register.is_tmm()
}

/// Some have no register to tell them by.
fn is_x87(instruction: &Instruction) -> bool {
    instruction.cpuid_features().contains(&CpuidFeature::FPU)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::object::made::{Made, Piece::Bytes};

    #[test]
    fn other_registers_are_found_and_the_cpus_own_are_not() {
        let rows: [(&str, &[u8], bool); 9] = [
            ("movaps %xmm0,(%rsp)", &[0x0f, 0x29, 0x04, 0x24], true),
            ("movq %rax,%xmm1", &[0x66, 0x48, 0x0f, 0x6e, 0xc8], true),
            ("vmovdqu %ymm0,(%rdi)", &[0xc5, 0xfe, 0x7f, 0x07], true),
            ("movq %rax,%mm0", &[0x48, 0x0f, 0x6e, 0xc0], true),
            ("fldz", &[0xd9, 0xee], true),
            ("fninit", &[0xdb, 0xe3], true),
            ("mfence", &[0x0f, 0xae, 0xf0], false),
            ("rep movsb", &[0xf3, 0xa4], false),
            ("mov %rsp,%rbp", &[0x48, 0x89, 0xe5], false),
        ];
        for (what, bytes, foreign_one) in rows {
            let object = Made::of(&[("f", &[Bytes(bytes)])]).done();
            assert_eq!(foreign(&object).len(), usize::from(foreign_one), "{what}");
        }
    }
}
