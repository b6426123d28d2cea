// SPDX-License-Identifier: GPL-2.0
//! An interpreter of the few instructions that a board check is made of. Whatever it does not know, it
//! refuses: an answer is right or there is none.
//!
//! Of every value it is kept whether the board's subsystem ID went into it, so that only boards for
//! which that ID matters are tried with every one.

use iced_x86::{ConditionCode, Instruction, Mnemonic, OpKind, Register};

/// Made-up addresses: of the driver's object of the board, and of its two stacks.
const OBJECT: u64 = 0x1000_0000;
const OBJECT_LEN: u64 = 0x1_0000;
const STACKS: [u64; 2] = [0x2000_0000, 0x3000_0000];
const STACK_LEN: u64 = 64;

/// The subsystem ID lies so far behind the device ID: both are the upper half of their word.
const SUBSYSTEM: u64 = 8;
const SUBSYSTEM_END: u64 = SUBSYSTEM + 2;

/// Stands for every other function.
pub const ELSEWHERE: u64 = u64::MAX;

/// Numbers of registers.
const RSP: usize = 4;
const RBP: usize = 5;
const RDI: usize = 7;

/// A number, and whether the subsystem ID went into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Value {
    bits: u64,
    tainted: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    zero: bool,
    sign: bool,
    carry: bool,
    /// Not known behind some instructions.
    overflow: Option<bool>,
    tainted: bool,
}

/// One run.
pub struct Run {
    device: u16,
    subsystem: u16,
    registers: [Value; 16],
    flags: Flags,
    stacks: [[Option<(u8, bool)>; STACK_LEN as usize]; 2],
    /// The subsystem ID has had to do with where the run went.
    pub by_subsystem: bool,
}

/// Where a run goes on.
pub enum Next {
    On,
    To(usize),
    /// With what the function says.
    End(bool),
}

impl Run {
    /// A board with these IDs.
    pub fn new(device: u16, subsystem: u16) -> Self {
        let mut registers = [Value::default(); 16];
        registers[RDI].bits = OBJECT;
        registers[RSP].bits = STACKS[0] + STACK_LEN;
        registers[RBP].bits = STACKS[1] + STACK_LEN;
        Self {
            device,
            subsystem,
            registers,
            flags: Flags::default(),
            stacks: [[None; STACK_LEN as usize]; 2],
            by_subsystem: false,
        }
    }

    /// One instruction; `None` if it is not known. Where the device ID lies in the driver's object of
    /// the board, the first instruction that takes it says.
    pub fn step(&mut self, it: &Instruction, device_at: &mut Option<u64>) -> Option<Next> {
        use Mnemonic::*;
        match it.mnemonic() {
            Nop | Endbr64 => {}
            Mov | Movzx => {
                let value = self.read(it, 1, device_at)?;
                self.write(it, value)?;
            }
            Lea => {
                let bits = self.address(it)?;
                self.write(it, Value { bits, tainted: false })?;
            }
            Push => {
                let value = self.register(it.op0_register())?;
                let top = self.registers[RSP].bits.checked_sub(8)?;
                self.registers[RSP].bits = top;
                self.store(top, 8, value)?;
            }
            Pop => {
                let top = self.registers[RSP].bits;
                let value = self.load(top, 8, device_at)?;
                self.registers[RSP].bits = top.checked_add(8)?;
                self.write(it, value)?;
            }
            Add | Sub | Cmp | And | Test | Or | Xor | Shl | Shr | Bt => {
                let one = self.read(it, 0, device_at)?;
                let other = self.read(it, 1, device_at)?;
                let result = self.calculate(it, one, other)?;
                if !matches!(it.mnemonic(), Cmp | Test | Bt) {
                    self.write(it, result)?;
                }
            }
            Jmp => return target(it),
            Ret => {
                let answer = self.register(Register::AL)?;
                self.by_subsystem |= answer.tainted;
                return Some(Next::End(answer.bits != 0));
            }
            // Something else than the ID decides.
            Call => return Some(Next::End(false)),
            Seta | Setae | Setb | Setbe | Sete | Setg | Setge | Setl | Setle | Setne | Setns
            | Sets => {
                let bits = self.flags.hold(it)?.into();
                self.write(it, Value { bits, tainted: self.flags.tainted })?;
            }
            _ if it.is_jcc_short_or_near() => {
                self.by_subsystem |= self.flags.tainted;
                if self.flags.hold(it)? {
                    return target(it);
                }
            }
            _ => return None,
        }
        Some(Next::On)
    }

    fn calculate(&mut self, it: &Instruction, one: Value, other: Value) -> Option<Value> {
        use Mnemonic::*;
        let width = 8 * width(it, 0)? as u32;
        let mask = u64::MAX >> (64 - width);
        let (a, b) = (one.bits & mask, other.bits & mask);
        let top = |bits: u64| (bits >> (width - 1)) & 1 != 0;
        let mut flags = Flags { tainted: one.tainted || other.tainted, ..self.flags };
        let zeroing = matches!(it.mnemonic(), Xor | Sub)
            && it.op1_kind() == OpKind::Register
            && it.op0_register() == it.op1_register();
        let bits = match it.mnemonic() {
            Add => {
                let sum = a.wrapping_add(b) & mask;
                flags.carry = sum < a;
                flags.overflow = Some(top(a) == top(b) && top(sum) != top(a));
                sum
            }
            Sub | Cmp => {
                let difference = a.wrapping_sub(b) & mask;
                flags.carry = a < b;
                flags.overflow = Some(top(a) != top(b) && top(difference) != top(a));
                difference
            }
            logic @ (And | Test | Or | Xor) => {
                (flags.carry, flags.overflow) = (false, Some(false));
                match logic {
                    And | Test => a & b,
                    Or => a | b,
                    _ => a ^ b,
                }
            }
            shift @ (Shl | Shr) => {
                let count = (other.bits & if width == 64 { 63 } else { 31 }) as u32;
                if count == 0 && !other.tainted {
                    // No flag changes.
                    return Some(one);
                }
                if count == 0 || count >= width {
                    return None;
                }
                flags.overflow = None;
                flags.carry =
                    if shift == Shl { a >> (width - count) } else { a >> (count - 1) } & 1 != 0;
                (if shift == Shl { a << count } else { a >> count }) & mask
            }
            Bt if it.op0_kind() == OpKind::Register => {
                flags.carry = (a >> (b % u64::from(width))) & 1 != 0;
                flags.overflow = None;
                self.flags = flags;
                return Some(one);
            }
            _ => return None,
        };
        (flags.zero, flags.sign) = (bits == 0, top(bits));
        flags.tainted &= !zeroing;
        self.flags = flags;
        Some(Value { bits, tainted: flags.tainted })
    }

    fn read(&self, it: &Instruction, operand: u32, device_at: &mut Option<u64>) -> Option<Value> {
        match it.op_kind(operand) {
            OpKind::Register => self.register(it.op_register(operand)),
            OpKind::Memory => self.load(self.address(it)?, width(it, operand)?, device_at),
            _ => Some(Value { bits: it.try_immediate(operand).ok()?, tainted: false }),
        }
    }

    fn write(&mut self, it: &Instruction, value: Value) -> Option<()> {
        let width = width(it, 0)?;
        if it.op0_kind() == OpKind::Memory {
            return self.store(self.address(it)?, width, value);
        }
        let register = plain(it.op0_register())?;
        let old = self.registers.get_mut(register)?;
        let mask = u64::MAX >> (64 - 8 * width);
        *old = match width {
            // A write of 32 bits clears the rest.
            4 | 8 => Value { bits: value.bits & mask, tainted: value.tainted },
            _ => Value {
                bits: old.bits & !mask | value.bits & mask,
                tainted: old.tainted || value.tainted,
            },
        };
        Some(())
    }

    fn register(&self, register: Register) -> Option<Value> {
        let whole = self.registers.get(plain(register)?)?;
        Some(Value { bits: whole.bits & (u64::MAX >> (64 - 8 * register.size())), ..*whole })
    }

    fn address(&self, it: &Instruction) -> Option<u64> {
        if it.has_segment_prefix() || it.is_ip_rel_memory_operand() {
            return None;
        }
        let part = |register| match register {
            Register::None => Some(0),
            _ => self.register(register).filter(|value| !value.tainted).map(|value| value.bits),
        };
        let index = part(it.memory_index())?.wrapping_mul(it.memory_index_scale().into());
        Some(part(it.memory_base())?.wrapping_add(index).wrapping_add(it.memory_displacement64()))
    }

    fn load(&self, address: u64, width: usize, device_at: &mut Option<u64>) -> Option<Value> {
        let mut value = Value::default();
        for byte in (0..width as u64).rev() {
            let address = address.checked_add(byte)?;
            let (bits, tainted) = match place(address) {
                Some((stack, at)) => self.stacks[stack][at]?,
                None => {
                    let offset =
                        address.checked_sub(OBJECT).filter(|offset| *offset < OBJECT_LEN)?;
                    // Smaller things than IDs are asked for before.
                    let device = match (*device_at, width) {
                        (Some(known), _) => Some(known),
                        (None, 1) => None,
                        // The upper half of it, of which this is the last byte.
                        (None, 2 | 4) => {
                            *device_at = offset.checked_sub(1);
                            *device_at
                        }
                        _ => return None,
                    };
                    self.of_board(device.and_then(|device| offset.checked_sub(device)))
                }
            };
            value.bits = (value.bits << 8) | u64::from(bits);
            value.tainted |= tainted;
        }
        Some(value)
    }

    /// A byte of the object, so far behind the device ID.
    fn of_board(&self, behind: Option<u64>) -> (u8, bool) {
        let [device, subsystem] = [self.device, self.subsystem].map(u16::to_le_bytes);
        match behind {
            Some(at @ 0..2) => (device[at as usize], false),
            Some(at @ SUBSYSTEM..SUBSYSTEM_END) => (subsystem[(at - SUBSYSTEM) as usize], true),
            _ => (0, false),
        }
    }

    fn store(&mut self, address: u64, width: usize, value: Value) -> Option<()> {
        for (byte, bits) in value.bits.to_le_bytes().into_iter().take(width).enumerate() {
            let (stack, at) = place(address.checked_add(byte as u64)?)?;
            self.stacks[stack][at] = Some((bits, value.tainted));
        }
        Some(())
    }
}

impl Flags {
    /// Whether an instruction's condition holds.
    fn hold(&self, it: &Instruction) -> Option<bool> {
        let Flags { zero, sign, carry, overflow, .. } = *self;
        Some(match it.condition_code() {
            ConditionCode::e => zero,
            ConditionCode::ne => !zero,
            ConditionCode::b => carry,
            ConditionCode::ae => !carry,
            ConditionCode::be => carry || zero,
            ConditionCode::a => !(carry || zero),
            ConditionCode::s => sign,
            ConditionCode::ns => !sign,
            ConditionCode::l => sign != overflow?,
            ConditionCode::ge => sign == overflow?,
            ConditionCode::le => zero || sign != overflow?,
            ConditionCode::g => !zero && sign == overflow?,
            _ => return None,
        })
    }
}

/// Where an address lies on one of the two stacks.
fn place(address: u64) -> Option<(usize, usize)> {
    STACKS.iter().enumerate().find_map(|(stack, base)| {
        let at = address.checked_sub(*base).filter(|at| *at < STACK_LEN)?;
        Some((stack, at as usize))
    })
}

/// Where a jump leads. Where that is another function, something else than the ID decides.
fn target(it: &Instruction) -> Option<Next> {
    match (it.op0_kind(), it.near_branch64()) {
        (OpKind::NearBranch64, ELSEWHERE) => Some(Next::End(false)),
        (OpKind::NearBranch64, target) => Some(Next::To(target.try_into().ok()?)),
        _ => None,
    }
}

/// A register's number, unless it is the second byte of one or none of the sixteen.
fn plain(register: Register) -> Option<usize> {
    use Register::{AH, BH, CH, DH};
    (register.is_gpr() && ![AH, BH, CH, DH].contains(&register))
        .then(|| register.full_register().number())
}

/// Bytes of an operand.
fn width(it: &Instruction, operand: u32) -> Option<usize> {
    let width = match it.op_kind(operand) {
        OpKind::Register => it.op_register(operand).size(),
        OpKind::Memory => it.memory_size().size(),
        _ => return None,
    };
    matches!(width, 1 | 2 | 4 | 8).then_some(width)
}
