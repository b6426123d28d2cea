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

use core::{fmt, ops::Range};

/// The first ID of the table, a Tesla M60's.
pub const FIRST: u16 = 0x13f2;

/// Bytes from one ID of the table to the next.
const STRIDE: u64 = 4;

/// The most IDs that a table is taken to have; those that are known have eight.
const MAX_IDS: u64 = 64;

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
            .filter_map(move |at| program.refusal(at))
    })
}

/// The device IDs in a table's bytes.
pub fn ids(table: &[u8]) -> impl Iterator<Item = u16> + '_ {
    table
        .chunks_exact(STRIDE as usize)
        .filter_map(|id| Some(u16::from_le_bytes(*id.first_chunk()?)))
}

/// A text at its address.
#[derive(Clone, Copy)]
struct Program<'a> {
    text: &'a [u8],
    address: u64,
}

/// The end of the table, as the loop has it.
#[derive(Clone, Copy)]
enum End {
    Constant(u64),
    Register(u8),
}

impl<'a> Program<'a> {
    /// The loop whose first instruction, which is not its entry, is at `start`.
    fn refusal(self, start: usize) -> Option<Refusal> {
        let mut code = self.code(start);
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
            self.before(start, SETUP, Code::jump).filter(|(_, to)| *to == entry).last()?;
        let set = || self.before(setup, SETUP, |code| code.set_register()).map(|(_, set)| set);
        set().find(|set| *set == (read, u64::from(FIRST)))?;
        self.before(setup, SETUP, |code| code.load_word())
            .find(|(_, (to, _, offset))| *to == register && *offset == Some(DEVICE))?;
        let second = set().filter(|(to, _)| *to == pointer).map(|(_, second)| second);
        let table = match end {
            End::Constant(end) => second.filter_map(|second| table(second, end)).last(),
            End::Register(register) => {
                let ends = || self.before(setup, OUTER, |code| code.set_register());
                let ends = || ends().filter(|(_, (to, _))| *to == register);
                second
                    .filter_map(|second| {
                        ends().filter_map(|(_, (_, end))| table(second, end)).last()
                    })
                    .last()
            }
        }?;
        Some(Refusal { jump: self.address_of(jump)?..self.address_of(resumed)?, table, register })
    }

    fn code(self, at: usize) -> Code<'a> {
        Code { program: self, at }
    }

    /// What `decode` makes of each place in the `window` bytes in front of `at`, with the place.
    fn before<T: 'a>(
        self,
        at: usize,
        window: usize,
        decode: impl Fn(&mut Code<'a>) -> Option<T> + 'a,
    ) -> impl Iterator<Item = (usize, T)> + 'a {
        (at.saturating_sub(window)..at).filter_map(move |place| {
            let mut code = self.code(place);
            let found = decode(&mut code)?;
            (code.at <= at).then_some((place, found))
        })
    }

    fn address_of(self, at: usize) -> Option<u64> {
        self.address.checked_add(u64::try_from(at).ok()?)
    }
}

/// The table with this second entry and this end, if there can be one.
fn table(second: u64, end: u64) -> Option<Range<u64>> {
    let start = second.checked_sub(STRIDE)?;
    let behind_first = end.checked_sub(second)?;
    let whole = behind_first > 0 && behind_first % STRIDE == 0;
    (whole && behind_first / STRIDE < MAX_IDS).then_some(start..end)
}

/// A place in a text, from which instructions are taken. Where one of them is `None`, the place
/// means nothing any more.
struct Code<'a> {
    program: Program<'a>,
    at: usize,
}

impl Code<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = self.program.text.get(self.at..)?.first_chunk::<N>()?;
        self.at = self.at.checked_add(N)?;
        Some(*bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// Goes on only if these bytes stand here.
    fn exactly<const N: usize>(&mut self, bytes: [u8; N]) -> Option<()> {
        (self.array()? == bytes).then_some(())
    }

    /// A REX prefix if there is one, as its bits W, R, X and B.
    fn rex(&mut self) -> Option<u8> {
        match self.program.text.get(self.at) {
            Some(0x40..=0x4f) => self.byte().map(|byte| byte & 0xf),
            _ => Some(0),
        }
    }

    /// The displacement that follows, added to where the code goes on behind it.
    fn relative(&mut self, displacement: i32) -> Option<usize> {
        let displacement = isize::try_from(displacement).ok()?;
        self.at.checked_add_signed(displacement)
    }

    /// `movzx offset(%base),%to` of 16 bits: to, base and offset.
    fn load_word(&mut self) -> Option<(u8, u8, Option<u8>)> {
        let rex = self.rex()?;
        self.exactly([0x0f, 0xb7])?;
        let (mode, reg, base) = split(self.byte()?, rex);
        // Without a SIB byte and relative to nothing else.
        let offset = match (mode, base & 7) {
            (_, 4) | (0, 5) => return None,
            (0, _) => None,
            (1, _) => Some(self.byte()?),
            _ => return None,
        };
        (rex & (W | X) == 0).then_some((reg, base, offset))
    }

    /// `add $4,%register`
    fn add_stride(&mut self, register: u8) -> Option<()> {
        let rex = self.rex()?;
        self.exactly([0x83])?;
        let found = split(self.byte()?, rex) == (3, 0, register) && rex & !B == W;
        found.then_some(())?;
        self.exactly([STRIDE as u8])
    }

    /// `cmp` of two registers, 16 bits of each.
    fn compare_words(&mut self) -> Option<(u8, u8)> {
        self.exactly([0x66])?;
        let rex = self.rex()?;
        matches!(self.byte()?, 0x39 | 0x3b).then_some(())?;
        let (mode, reg, rm) = split(self.byte()?, rex);
        (mode == 3 && rex & (W | X) == 0).then_some((reg, rm))
    }

    /// `cmp` of a 64-bit register with a constant or another register.
    fn compare_with(&mut self, register: u8) -> Option<End> {
        let rex = self.rex()?;
        if rex & (W | X) != W {
            return None;
        }
        match self.byte()? {
            0x3d if register == 0 && rex == W => {}
            0x81 if split(self.byte()?, rex) == (3, 7, register) && rex & R == 0 => {}
            0x39 | 0x3b => {
                let (mode, reg, rm) = split(self.byte()?, rex);
                let other = match (mode, reg == register, rm == register) {
                    (3, true, false) => rm,
                    (3, false, true) => reg,
                    _ => return None,
                };
                return Some(End::Register(other));
            }
            _ => return None,
        }
        // Sign-extended, but no program lies that high.
        let end = i32::from_le_bytes(self.array()?);
        Some(End::Constant(u64::try_from(end).ok()?))
    }

    /// `je`, near or far.
    fn jump_if_equal(&mut self) -> Option<()> {
        match self.byte()? {
            0x74 => self.byte().map(drop),
            0x0f => self.exactly([0x84]).and_then(|()| self.array::<4>()).map(drop),
            _ => None,
        }
    }

    /// `jne` over a short distance: where to.
    fn jump_if_not_equal(&mut self) -> Option<usize> {
        self.exactly([0x75])?;
        let displacement = self.byte()? as i8;
        self.relative(displacement.into())
    }

    /// `jmp` over a short distance: where to.
    fn jump(&mut self) -> Option<usize> {
        self.exactly([0xeb])?;
        let displacement = self.byte()? as i8;
        self.relative(displacement.into())
    }

    /// `mov $constant,%register` of 32 bits, or `lea constant(%rip),%register`: the register and what
    /// it gets.
    fn set_register(&mut self) -> Option<(u8, u64)> {
        let rex = self.rex()?;
        match self.byte()? {
            opcode @ 0xb8..=0xbf if rex & !B == 0 => {
                let value = u32::from_le_bytes(self.array()?);
                Some(((opcode & 7) | ((rex & B) << 3), value.into()))
            }
            0x8d if rex & (W | X | B) == W => {
                let (mode, reg, rm) = split(self.byte()?, rex);
                let displacement = i32::from_le_bytes(self.array()?);
                let behind = self.program.address_of(self.at)?;
                let value = behind.checked_add_signed(displacement.into())?;
                (mode == 0 && rm == 5).then_some((reg, value))
            }
            _ => None,
        }
    }
}

/// The bits of a REX prefix: 64-bit operands, and the fourth bit of the registers.
const W: u8 = 8;
const R: u8 = 4;
const X: u8 = 2;
const B: u8 = 1;

/// A ModRM byte's mode, register and register or memory, with the bits of `rex`.
fn split(modrm: u8, rex: u8) -> (u8, u8, u8) {
    (modrm >> 6, ((modrm >> 3) & 7) | ((rex & R) << 1), (modrm & 7) | ((rex & B) << 3))
}
