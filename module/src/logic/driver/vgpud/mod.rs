// SPDX-License-Identifier: GPL-2.0
//! The loop by which `nvidia-vgpud` gives boards up, 550 and newer.
//!
//! For each GPU it asks for the PCI device ID (so it gets the one that we answer), compares it with
//! 0x13f2 and then with the rest of a table, and gives the GPU up where one is equal. The table has
//! a word of 16 bits every four bytes. Known from the bytes that public guides replace in the host
//! builds 550.163.02 and 570.124.03 to 570.148.06, which are these, at fixed addresses:
//!
//! ```text
//!        mov   $table+4,%eax          the first entry is compared as a constant
//!        mov   $0x13f2,%edx
//!        movzx 0xa(%rbx),%ecx         in the middle of a record of 0x38 bytes
//!        jmp   2f
//!     1: movzx (%rax),%edx
//!        add   $4,%rax
//!     2: cmp   %dx,%cx
//!        je    give up
//!        cmp   $table end,%rax
//!        jne   1b
//! ```
//!
//! A position-independent program has `lea table+4(%rip)` in place of the first constant, and the
//! table's end in a register, which is set before the loop around this one. That form, other
//! registers and the order of what stands in front of the jump are what GCC makes of such a loop.

mod code;

use core::{fmt, ops::Range};

use self::code::{Code, End, Program, STRIDE};

/// The first ID of the table, a Tesla M60's.
pub const FIRST: u16 = 0x13f2;

/// The most IDs that a table is taken to have; those that are known have eight.
const MAX_IDS: u64 = 64;

/// Bytes of the longest table.
pub const MAX_TABLE: usize = (STRIDE * MAX_IDS) as usize;

/// Where the device ID lies in the daemon's record of a GPU.
const DEVICE: u8 = 0xa;

/// How far in front of the loop its registers are set. The known forms need 20 bytes.
const SETUP: usize = 48;

/// How far in front of the loop the table's end is set, where a register has it.
const OUTER: usize = 512;

/// The loop in a program's text. Everything is an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The conditional jump that is taken for a board that is given up: two bytes or six.
    pub jump: Range<u64>,
    /// The table of device IDs.
    pub table: Range<u64>,
    /// Number of the register that has the board's device ID at the jump: 0 is `%rax`, 1 `%rcx`.
    pub register: u8,
}

impl Refusal {
    /// Where the jump says how far it goes; one that goes 0 bytes far changes nothing.
    pub fn displacement(&self) -> Range<u64> {
        let len = if self.jump.end.saturating_sub(self.jump.start) == 2 { 1 } else { 4 };
        self.jump.end.saturating_sub(len)..self.jump.end
    }
}

/// Why there is no loop that can be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOne {
    /// It stands nowhere.
    None,
    /// It stands more than once: nobody can say which one is meant.
    Many,
}

impl fmt::Display for NotOne {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotOne::None => "the loop that refuses device IDs is not in it",
            NotOne::Many => "the loop that refuses device IDs is in it more than once",
        })
    }
}

/// Finds the loop in the text that lies at `address`.
///
/// # Errors
/// It is not there exactly once.
pub fn find(text: &[u8], address: u64) -> Result<Refusal, NotOne> {
    let mut all = search(text, address);
    match (all.next(), all.next()) {
        (None, _) => Err(NotOne::None),
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(NotOne::Many),
    }
}

/// Every place in the text where the loop stands.
pub fn search(text: &[u8], address: u64) -> impl Iterator<Item = Refusal> + '_ {
    let program = Program { text, address };
    let opcodes = text.windows(2).enumerate().filter(|(_, bytes)| *bytes == [0x0f, 0xb7]);
    // The instruction begins there, or with the prefix in front.
    opcodes.flat_map(move |(at, _)| {
        [Some(at), at.checked_sub(1)]
            .into_iter()
            .flatten()
            .filter_map(move |at| refusal(program, at))
    })
}

/// The device IDs in a table's bytes.
pub fn ids(table: &[u8]) -> impl Iterator<Item = u16> + '_ {
    table
        .chunks_exact(STRIDE as usize)
        .filter_map(|id| Some(u16::from_le_bytes(*id.first_chunk()?)))
}

/// The loop whose first instruction, which is not its entry, is at `start`.
fn refusal(program: Program<'_>, start: usize) -> Option<Refusal> {
    let mut code = program.code(start);
    let (read, pointer, _) = code.load_word().filter(|(_, _, offset)| offset.is_none())?;
    code.add_stride(pointer)?;
    let entry = code.at;
    let register = match code.compare_words()? {
        (one, other) if one == read && other != read => other,
        (one, other) if other == read && one != read => one,
        _ => return None,
    };
    let jump = code.at;
    code.jump_if_equal()?;
    let resumed = code.at;
    let end = code.compare_with(pointer)?;
    if code.jump_if_not_equal()? != start {
        return None;
    }

    let (setup, _) =
        program.before(start, SETUP, Code::jump).filter(|(_, to)| *to == entry).last()?;
    let set = || program.before(setup, SETUP, |code| code.set_register()).map(|(_, set)| set);
    set().find(|set| *set == (read, u64::from(FIRST)))?;
    program
        .before(setup, SETUP, |code| code.load_word())
        .find(|(_, (to, _, offset))| *to == register && *offset == Some(DEVICE))?;
    let second = set().filter(|(to, _)| *to == pointer).map(|(_, second)| second);
    let table = match end {
        End::Constant(end) => second.filter_map(|second| table(second, end)).last(),
        End::Register(register) => {
            let ends = || program.before(setup, OUTER, |code| code.set_register());
            let ends = || ends().filter(|(_, (to, _))| *to == register);
            second
                .filter_map(|second| ends().filter_map(|(_, (_, end))| table(second, end)).last())
                .last()
        }
    }?;
    Some(Refusal { jump: program.address_of(jump)?..program.address_of(resumed)?, table, register })
}

/// The table with this second entry and this end, if there can be one.
fn table(second: u64, end: u64) -> Option<Range<u64>> {
    let start = second.checked_sub(STRIDE)?;
    let behind_first = end.checked_sub(second)?;
    let whole = behind_first > 0 && behind_first % STRIDE == 0;
    (whole && behind_first / STRIDE < MAX_IDS).then_some(start..end)
}
