// SPDX-License-Identifier: GPL-2.0
//! The few instructions that the loop is made of, taken from a program's text.

/// Bytes from one ID of the table to the next.
pub const STRIDE: u64 = 4;

/// A text at its address.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    pub text: &'a [u8],
    pub address: u64,
}

/// The end of the table, as the loop has it.
#[derive(Clone, Copy)]
pub enum End {
    Constant(u64),
    Register(u8),
}

impl<'a> Program<'a> {
    pub fn code(self, at: usize) -> Code<'a> {
        Code { program: self, at }
    }

    /// What `decode` makes of each place in the `window` bytes in front of `at`, with the place.
    pub fn before<T: 'a>(
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

    pub fn address_of(self, at: usize) -> Option<u64> {
        self.address.checked_add(u64::try_from(at).ok()?)
    }
}

/// A place in a text, from which instructions are taken. Where one of them is `None`, the place
/// means nothing any more.
pub struct Code<'a> {
    program: Program<'a>,
    pub at: usize,
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
    pub fn load_word(&mut self) -> Option<(u8, u8, Option<u8>)> {
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
    pub fn add_stride(&mut self, register: u8) -> Option<()> {
        let rex = self.rex()?;
        self.exactly([0x83])?;
        let found = split(self.byte()?, rex) == (3, 0, register) && rex & !B == W;
        found.then_some(())?;
        self.exactly([STRIDE as u8])
    }

    /// `cmp` of two registers, 16 bits of each.
    pub fn compare_words(&mut self) -> Option<(u8, u8)> {
        self.exactly([0x66])?;
        let rex = self.rex()?;
        matches!(self.byte()?, 0x39 | 0x3b).then_some(())?;
        let (mode, reg, rm) = split(self.byte()?, rex);
        (mode == 3 && rex & (W | X) == 0).then_some((reg, rm))
    }

    /// `cmp` of a 64-bit register with a constant or another register.
    pub fn compare_with(&mut self, register: u8) -> Option<End> {
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
    pub fn jump_if_equal(&mut self) -> Option<()> {
        match self.byte()? {
            0x74 => self.byte().map(drop),
            0x0f => self.exactly([0x84]).and_then(|()| self.array::<4>()).map(drop),
            _ => None,
        }
    }

    /// `jne` over a short distance: where to.
    pub fn jump_if_not_equal(&mut self) -> Option<usize> {
        self.exactly([0x75])?;
        let displacement = self.byte()? as i8;
        self.relative(displacement.into())
    }

    /// `jmp` over a short distance: where to.
    pub fn jump(&mut self) -> Option<usize> {
        self.exactly([0xeb])?;
        let displacement = self.byte()? as i8;
        self.relative(displacement.into())
    }

    /// `mov $constant,%register` of 32 bits, or `lea constant(%rip),%register`: the register and what
    /// it gets.
    pub fn set_register(&mut self) -> Option<(u8, u64)> {
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
