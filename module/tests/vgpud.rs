// SPDX-License-Identifier: GPL-2.0
//! The refusing loop of `nvidia-vgpud`, in every form that a compiler could give it, and in none.
//!
//! NVIDIA's program is not to be had here. The bytes are put together from what is known of it, and
//! two programs are what GCC 12 makes of a C loop of our own.

use hex_literal::hex;
use proptest::prelude::*;
use vgpu_unlock::driver::vgpud::{find, ids, search, NotOne, Refusal, FIRST};

/// Where a text lies that is not position-independent.
const ADDRESS: u64 = 0x40_2000;

/// The registers of a loop: the pointer into the table, what is read from it, the board's ID, the
/// record, and the table's end where a register has it.
#[derive(Clone, Copy, Debug)]
struct Registers {
    pointer: u8,
    read: u8,
    id: u8,
    record: u8,
    end: Option<u8>,
}

/// Those of NVIDIA's program: `%rax`, `%edx`, `%ecx`, `%rbx`.
const KNOWN: Registers = Registers { pointer: 0, read: 2, id: 1, record: 3, end: None };

/// A loop that is to be put together.
#[derive(Clone, Debug)]
struct Form {
    registers: Registers,
    /// The addresses are relative to the instruction.
    relative: bool,
    /// The operands of the comparison the other way round.
    turned: bool,
    /// A jump of six bytes to where the board is given up, or one of two.
    near: bool,
    /// What stands behind the first ID: nothing, or an instruction of three bytes.
    gap: Vec<u8>,
    /// What stands between the jump into the loop and the loop, and is never run.
    padding: Vec<u8>,
    first: u16,
    table: u64,
    /// IDs of the table.
    count: u64,
}

impl Form {
    /// The form that the guides show for 550.163.02, with a table of eight IDs.
    fn known() -> Self {
        Self {
            registers: KNOWN,
            relative: false,
            turned: false,
            near: true,
            gap: vec![],
            padding: hex!("0f1f8000000000").to_vec(),
            first: FIRST,
            table: 0x41_70a0,
            count: 8,
        }
    }

    fn end(&self) -> u64 {
        self.table + 4 * self.count
    }

    /// The bytes of the loop at `address`, and what is to be found.
    fn build(&self, address: u64) -> (Vec<u8>, Refusal) {
        let Registers { pointer, read, id, record, end } = self.registers;
        let mut code = vec![];
        if let Some(end) = end {
            // Far from the loop, and with something between.
            self.set(&mut code, address, end, self.end());
            code.extend([0x48, 0x29, 0xf0, 0xeb, 0x11]);
        }
        self.set(&mut code, address, pointer, self.table + 4);
        mov(&mut code, read, self.first.into());
        code.extend(&self.gap);
        rex(&mut code, 0, id, record);
        code.extend([0x0f, 0xb7, modrm(1, id, record)]);
        // %rsp and %r12 as a base need one more byte: no test has them.
        code.push(0xa);
        let jump_in = code.len();
        code.extend([0xeb, 0]);
        code.extend(&self.padding);

        let start = code.len();
        rex(&mut code, 0, read, pointer);
        code.extend([0x0f, 0xb7, modrm(0, read, pointer)]);
        rex(&mut code, 8, 0, pointer);
        code.extend([0x83, modrm(3, 0, pointer), 4]);
        code[jump_in + 1] = (code.len() - jump_in - 2) as u8;
        code.push(0x66);
        let (reg, rm) = if self.turned { (id, read) } else { (read, id) };
        rex(&mut code, 0, reg, rm);
        code.extend([0x39, modrm(3, reg, rm)]);
        let jump = code.len();
        code.extend(if self.near { vec![0x0f, 0x84, 0x3f, 1, 0, 0] } else { vec![0x74, 0x24] });
        let resumed = code.len();
        match end {
            Some(end) => {
                let (reg, rm) = if self.turned { (pointer, end) } else { (end, pointer) };
                rex(&mut code, 8, reg, rm);
                code.extend([0x39, modrm(3, reg, rm)]);
            }
            None => {
                rex(&mut code, 8, 0, pointer);
                match pointer {
                    0 => code.push(0x3d),
                    _ => code.extend([0x81, modrm(3, 7, pointer)]),
                }
                code.extend((self.end() as u32).to_le_bytes());
            }
        }
        code.push(0x75);
        code.push((start as i64 - code.len() as i64 - 1) as u8);
        let expected = Refusal {
            jump: address + jump as u64..address + resumed as u64,
            table: self.table..self.end(),
            register: id,
        };
        (code, expected)
    }

    fn set(&self, code: &mut Vec<u8>, address: u64, register: u8, value: u64) {
        if !self.relative {
            return mov(code, register, value as u32);
        }
        rex(code, 8, register, 0);
        code.extend([0x8d, modrm(0, register, 5)]);
        let behind = address + code.len() as u64 + 4;
        code.extend((value.wrapping_sub(behind) as i32).to_le_bytes());
    }
}

/// The prefix that the registers or the width need, if any.
fn rex(code: &mut Vec<u8>, wide: u8, reg: u8, rm: u8) {
    let bits = wide | ((reg >> 3) << 2) | (rm >> 3);
    if bits != 0 {
        code.push(0x40 | bits);
    }
}

/// A mode, a register and another one or memory.
fn modrm(mode: u8, reg: u8, rm: u8) -> u8 {
    (mode << 6) | ((reg & 7) << 3) | (rm & 7)
}

fn mov(code: &mut Vec<u8>, register: u8, value: u32) {
    rex(code, 0, 0, register);
    code.push(0xb8 | (register & 7));
    code.extend(value.to_le_bytes());
}

/// `%rsp` never, and not what needs a SIB byte or a displacement as a base.
fn registers() -> impl Strategy<Value = Registers> {
    let bases = prop::sample::subsequence(vec![0u8, 1, 2, 3, 6, 7, 8, 9, 10, 11, 14, 15], 5);
    (bases.prop_shuffle(), any::<bool>()).prop_map(|(chosen, in_register)| Registers {
        pointer: chosen[0],
        read: chosen[1],
        id: chosen[2],
        record: chosen[3],
        end: in_register.then_some(chosen[4]),
    })
}

fn form() -> impl Strategy<Value = Form> {
    let gap = prop_oneof![Just(vec![]), prop::collection::vec(any::<u8>(), 3)];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let padding = prop::collection::vec(any::<u8>(), 0..10);
    (registers(), flags, gap, padding, 0x41_0000..0x42_0000u64, 2..64u64).prop_map(
        |(registers, (relative, turned, near), gap, padding, table, count)| Form {
            registers,
            // The end as a constant is an absolute one.
            relative: relative && registers.end.is_some(),
            turned,
            near,
            gap,
            padding,
            first: FIRST,
            table,
            count,
        },
    )
}

/// A byte that begins none of the instructions.
const FILLER: u8 = 0x90;

fn filled(len: usize, code: &[u8]) -> Vec<u8> {
    let mut text = vec![FILLER; len];
    text.extend(code);
    text.extend([FILLER; 40]);
    text
}

#[test]
fn the_form_that_guides_show_is_found() {
    let (code, expected) = Form::known().build(ADDRESS + 100);
    let shown = hex!(
        "b8a4704100 baf2130000 0fb74b0a eb0e 0f1f8000000000"
        "0fb710 4883c004 6639d1 0f843f010000 483dc0704100 75e8"
    );
    assert_eq!(code, shown);
    assert_eq!(find(&filled(100, &code), ADDRESS), Ok(expected.clone()));
    assert_eq!((expected.table.end - expected.table.start) / 4, 8);
}

/// GCC 12.2, -O2 -fno-pie, of a loop over eight records of 0x38 bytes.
#[test]
fn what_gcc_makes_of_such_a_loop_is_found() {
    let text = hex!(
        "4889df e800000000 85c0 75eb 0fb74b0a b8241a4000 baf2130000 eb0a 0f1f00"
        "0fb710 4883c004 6639d1 7424 483d401a4000 75ec 4883c338 4183c401 4839eb 75c0"
    );
    let expected = Refusal { jump: 0x1029..0x102b, table: 0x40_1a20..0x40_1a40, register: 1 };
    assert_eq!(find(&text, 0x1000), Ok(expected));
}

/// The same, -O2 -fPIE. The table's end is set before the outer loop.
#[test]
fn what_gcc_makes_of_it_position_independent_is_found() {
    let text = hex!(
        "4c8d35030f0000 4531e4 488d04f500000000 4c8d2d00000000 4829f0 488d2cc7 eb11"
        "0f1f840000000000 4883c338 4839eb 7445 4889df e800000000 85c0 75eb 0fb74b0a"
        "488d05a40e0000 baf2130000 eb10 660f1f840000000000"
        "0fb710 4883c004 6639d1 7424 4c39f0 75ef 4883c338"
    );
    let address = 0x5555_5555_5016;
    let table = address + 7 + 0xf03 - 32..address + 7 + 0xf03;
    let jump = address + 0x64..address + 0x66;
    assert_eq!(find(&text, address), Ok(Refusal { jump, table, register: 1 }));
}

#[test]
fn ids_are_read_from_every_fourth_byte() {
    let table = hex!("f2130000 381b9911 bb130000 aa");
    assert_eq!(ids(&table).collect::<Vec<_>>(), [0x13f2, 0x1b38, 0x13bb]);
}

#[test]
fn a_loop_that_only_resembles_it_is_not_meant() {
    let known = Form::known;
    let (whole, _) = known().build(ADDRESS);
    assert!(find(&whole, ADDRESS).is_ok());
    for (what, form) in [
        ("another first ID", Form { first: 0x1b38, ..known() }),
        ("a table of one", Form { count: 1, ..known() }),
        ("a table of one too many", Form { count: 65, ..known() }),
        ("a table of thousands", Form { count: 5000, ..known() }),
    ] {
        let (code, _) = form.build(ADDRESS);
        assert_eq!(find(&code, ADDRESS), Err(NotOne::None), "{what}");
    }
    // What these bytes mean as a base is another byte behind, or the instruction's own address.
    for pointer in [4, 5, 12, 13] {
        let form = Form { registers: Registers { pointer, ..KNOWN }, ..known() };
        assert_eq!(find(&form.build(ADDRESS).0, ADDRESS), Err(NotOne::None), "{pointer}");
    }
    for record in [4, 12] {
        let form = Form { registers: Registers { record, ..KNOWN }, ..known() };
        assert_eq!(find(&form.build(ADDRESS).0, ADDRESS), Err(NotOne::None), "{record}");
    }
    // Each of these bytes decides: another register, another distance, another instruction.
    let padding = 16..23;
    // The rest of the table's address and of the jump's distance is anything.
    let free = [1, 2, 3, 4, 35, 36, 37, 38, 41, 42, 43, 44];
    for at in (0..whole.len()).filter(|at| !padding.contains(at) && !free.contains(at)) {
        let mut code = whole.clone();
        code[at] ^= 0x10;
        assert_eq!(find(&code, ADDRESS), Err(NotOne::None), "byte {at}");
    }
}

#[test]
fn a_prefix_counts_where_it_stands() {
    let (whole, expected) = Form::known().build(ADDRESS);
    for prefix in 0x40..=0x4f {
        // In the place of the padding's last byte, and the loop goes back to it.
        let mut code = whole.clone();
        code[22] = prefix;
        *code.last_mut().unwrap() -= 1;
        let found = match prefix {
            0x40 => Ok(expected.clone()),
            _ => Err(NotOne::None),
        };
        assert_eq!(find(&code, ADDRESS), found, "{prefix:#x}");
    }
}

#[test]
fn only_the_prefixes_that_compilers_write_are_taken() {
    // Of the addition and the comparison with the end, which for `%rax` has a form of its own.
    for pointer in [0, 6] {
        let form = Form { registers: Registers { pointer, ..KNOWN }, ..Form::known() };
        let (whole, expected) = form.build(ADDRESS);
        for at in [26, 39] {
            assert_eq!(whole[at], 0x48);
            for prefix in 0x40..=0x4f {
                let mut code = whole.clone();
                code[at] = prefix;
                let found = match prefix {
                    0x48 => Ok(expected.clone()),
                    _ => Err(NotOne::None),
                };
                assert_eq!(find(&code, ADDRESS), found, "{pointer}: {prefix:#x} at {at}");
            }
        }
    }
}

#[test]
fn it_is_the_pointer_that_is_compared_with_the_end() {
    let form = Form { registers: Registers { pointer: 6, ..KNOWN }, ..Form::known() };
    let (whole, _) = form.build(ADDRESS);
    assert_eq!(whole[39..42], hex!("4881fe"));
    for bit in 0..8 {
        let mut code = whole.clone();
        code[41] ^= 1 << bit;
        assert_eq!(find(&code, ADDRESS), Err(NotOne::None), "bit {bit}");
    }
    // `%rax` is not the pointer here.
    let mut code = whole.clone();
    code.splice(39..42, hex!("483d"));
    *code.last_mut().unwrap() += 1;
    assert_eq!(find(&code, ADDRESS), Err(NotOne::None));
}

#[test]
fn registers_are_set_by_what_compilers_write() {
    let with = |registers, relative| Form { registers, relative, ..Form::known() };
    // `mov` of 32 bits to `%r10d`, which another prefix makes another instruction.
    let (whole, expected) = with(Registers { read: 10, ..KNOWN }, false).build(ADDRESS);
    assert_eq!(whole[5..7], hex!("41ba"));
    for prefix in 0x40..=0x4f {
        let mut code = whole.clone();
        code[5] = prefix;
        let found = if prefix == 0x41 { Ok(expected.clone()) } else { Err(NotOne::None) };
        assert_eq!(find(&code, ADDRESS), found, "{prefix:#x}");
    }
    // `lea` of 64 bits.
    let (whole, expected) = with(Registers { end: Some(14), ..KNOWN }, true).build(ADDRESS);
    assert_eq!(whole[12..15], hex!("488d05"));
    for prefix in 0x40..=0x4f {
        let mut code = whole.clone();
        code[12] = prefix;
        let found = if prefix == 0x48 { Ok(expected.clone()) } else { Err(NotOne::None) };
        assert_eq!(find(&code, ADDRESS), found, "{prefix:#x}");
    }
    // Of another register, or relative to one.
    for bit in 0..8 {
        let mut code = whole.clone();
        code[14] ^= 1 << bit;
        assert_eq!(find(&code, ADDRESS), Err(NotOne::None), "bit {bit}");
    }
}

#[test]
fn words_of_two_registers_are_compared() {
    let (whole, _) = Form::known().build(ADDRESS);
    assert_eq!(whole[30..33], hex!("6639d1"));
    // Memory in the place of a register.
    for mode in [0x40, 0x80, 0xc0] {
        let mut code = whole.clone();
        code[32] ^= mode;
        assert_eq!(find(&code, ADDRESS), Err(NotOne::None), "{mode:#x}");
    }
    // Another register than the one that an ID was read to.
    let (turned, _) = Form { turned: true, ..Form::known() }.build(ADDRESS);
    for register in 1..8 {
        let mut code = turned.clone();
        code[32] ^= register;
        assert_eq!(find(&code, ADDRESS), Err(NotOne::None), "{register}");
    }
    // A prefix that says nothing, and two that do.
    for (prefix, found) in [(0x40, true), (0x48, false), (0x42, false)] {
        let mut code = whole.clone();
        code.insert(31, prefix);
        *code.last_mut().unwrap() -= 1;
        assert_eq!(find(&code, ADDRESS).is_ok(), found, "{prefix:#x}");
    }
}

#[test]
fn the_reasons_are_sentences() {
    assert!(NotOne::None.to_string().ends_with("is not in it"));
    assert!(NotOne::Many.to_string().ends_with("more than once"));
}

proptest! {
    #[test]
    fn every_form_is_found_wherever_it_stands(form in form(), front in 0..600usize) {
        let (code, expected) = form.build(ADDRESS + front as u64);
        prop_assert_eq!(find(&filled(front, &code), ADDRESS), Ok(expected));
    }

    #[test]
    fn two_are_none_of_them(one in form(), other in form(), gap in 0..600usize) {
        let (mut text, _) = one.build(ADDRESS);
        text.extend(vec![FILLER; gap]);
        let (code, _) = other.build(ADDRESS + text.len() as u64);
        text.extend(code);
        prop_assert_eq!(find(&text, ADDRESS), Err(NotOne::Many));
    }

    #[test]
    fn a_cut_off_loop_is_none(form in form(), cut in 1..90usize) {
        let (mut code, _) = form.build(ADDRESS);
        code.truncate(code.len().saturating_sub(cut));
        prop_assert_eq!(find(&code, ADDRESS), Err(NotOne::None));
    }

    #[test]
    fn whatever_is_found_lies_in_the_text(
        form in form(),
        damage in prop::collection::vec((0..120usize, any::<u8>()), 0..4),
        address in any::<u64>(),
    ) {
        let (code, _) = form.build(ADDRESS);
        let mut text = filled(20, &code);
        for (at, byte) in damage {
            let len = text.len();
            text[at % len] = byte;
        }
        for refusal in search(&text, address) {
            let at = (refusal.jump.start - address) as usize;
            let jump = &text[at..(refusal.jump.end - address) as usize];
            prop_assert!(matches!(jump, [0x74, _] | [0x0f, 0x84, _, _, _, _]));
            let bytes = refusal.table.end - refusal.table.start;
            prop_assert!(bytes % 4 == 0 && (8..=256).contains(&bytes));
            prop_assert!(refusal.register < 16);
        }
    }

    #[test]
    fn anything_at_all_is_survived(text in prop::collection::vec(any::<u8>(), 0..300), address: u64) {
        prop_assert!(search(&text, address).count() <= text.len());
    }
}

mod accepting {
    use super::*;
    use vgpu_unlock::driver::acceptance::{look, Finding, Obstacle, MAX_TEXT};

    const TABLE: [u8; 16] = hex!("f2130000 381b0000 b31b0000 ffff0000");

    fn form(near: bool) -> Form {
        Form { near, count: 4, ..Form::known() }
    }

    fn read(from: u64, to: &mut [u8]) -> Option<()> {
        assert_eq!((from, to.len()), (Form::known().table, TABLE.len()));
        to.copy_from_slice(&TABLE);
        Some(())
    }

    #[test]
    fn a_board_that_is_given_up_is_accepted_once_the_jump_goes_nowhere() {
        for (near, bytes) in [(true, 4), (false, 1)] {
            let (code, refusal) = form(near).build(ADDRESS + 7);
            let mut text = filled(7, &code);
            for device in [FIRST, 0x1b38, 0xffff] {
                let found = look(&text, ADDRESS, device, read).unwrap();
                let Finding::GivesUp(place) = found else { panic!("{device:x} is accepted") };
                assert_eq!((place.end, place.end - place.start), (refusal.jump.end, bytes));
            }
            assert_eq!(look(&text, ADDRESS, 0x1eb8, read), Ok(Finding::Accepts));

            let Ok(Finding::GivesUp(place)) = look(&text, ADDRESS, FIRST, read) else { panic!() };
            text[(place.start - ADDRESS) as usize..(place.end - ADDRESS) as usize].fill(0);
            for device in [FIRST, 0x1b38, 0xffff, 0x1eb8] {
                assert_eq!(look(&text, ADDRESS, device, read), Ok(Finding::Accepts));
            }
        }
    }

    #[test]
    fn the_longest_table_is_read() {
        let (code, _) = Form { count: 64, ..Form::known() }.build(ADDRESS);
        let read = |_, to: &mut [u8]| {
            assert_eq!(to.len(), 256);
            Some(())
        };
        assert_eq!(look(&filled(0, &code), ADDRESS, 0x1b38, read), Ok(Finding::Accepts));
    }

    /// Known programs have less than 1 MiB; what is looked through is copied to the kernel's memory.
    #[test]
    fn as_much_is_looked_through_as_programs_have_and_the_kernel_can_spare() {
        assert!((1 << 20..=64 << 20).contains(&MAX_TEXT));
    }

    #[test]
    fn what_can_not_be_told_is_left_alone() {
        let (code, _) = form(true).build(ADDRESS);
        let never = |_, _: &mut [u8]| -> Option<()> { panic!("nothing is to be read") };
        let look_at = |text: &[u8]| look(text, ADDRESS, 0x1b38, never);
        assert_eq!(look_at(&[]), Err(Obstacle::Loop(NotOne::None)));
        assert_eq!(look_at(&[FILLER; 100]), Err(Obstacle::Loop(NotOne::None)));
        let twice = [filled(0, &code), filled(0, &code)].concat();
        assert_eq!(look_at(&twice), Err(Obstacle::Loop(NotOne::Many)));
        // The first ID is a constant, but without the table nobody knows what the loop is.
        let one = filled(0, &code);
        assert_eq!(look(&one, ADDRESS, FIRST, |_, _| None), Err(Obstacle::Unreadable));
    }
}
