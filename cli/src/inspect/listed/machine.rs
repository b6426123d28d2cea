// SPDX-License-Identifier: GPL-2.0
//! A board check that is followed again and again.

use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind};

use super::run::{ELSEWHERE, Next, Run};

/// A function that goes further from its start is none that is meant.
const MAX_CODE: usize = 0x2000;

/// Nor is one that runs longer.
const MAX_STEPS: usize = 2000;

/// What a check says of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// It says yes.
    pub listed: bool,
    /// The subsystem ID has to do with it.
    pub by_subsystem: bool,
}

/// A function that is run again and again.
pub struct Machine<'a> {
    code: &'a [u8],
    start: usize,
    /// Where in the whole text an address is still to be filled in, in order.
    relocations: &'a [u64],
    decoded: Vec<Option<Instruction>>,
    /// Where the device ID lies in the object, once the function has asked for it.
    device_at: Option<u64>,
}

impl<'a> Machine<'a> {
    /// The function at `start` of `text`. At `relocations`, which are in order, the text has no addresses.
    pub fn new(text: &'a [u8], start: usize, relocations: &'a [u64]) -> Self {
        let code = text.get(start..).unwrap_or_default();
        let code = &code[..code.len().min(MAX_CODE)];
        Self { code, start, relocations, decoded: vec![None; code.len()], device_at: None }
    }

    /// What the function says of a board.
    ///
    /// # Errors
    /// It does what is not known here.
    pub fn run(&mut self, device: u16, subsystem: u16) -> Result<Outcome, String> {
        let mut run = Run::new(device, subsystem);
        let mut at = 0;
        for _ in 0..MAX_STEPS {
            let it = self.decode(at)?;
            let next = match run.step(&it, &mut self.device_at) {
                Some(next) => next,
                None => return Err(self.unknown(at, &it)),
            };
            match next {
                Next::On => at += it.len(),
                Next::To(target) => at = target,
                Next::End(listed) => {
                    return Ok(Outcome { listed, by_subsystem: run.by_subsystem });
                }
            }
        }
        Err(format!("the function at .text+{:#x} does not end", self.start))
    }

    fn decode(&mut self, at: usize) -> Result<Instruction, String> {
        let known = self.decoded.get(at).copied();
        let known =
            known.ok_or_else(|| format!("the function at .text+{:#x} goes too far", self.start))?;
        if let Some(it) = known {
            return Ok(it);
        }
        let mut it =
            Decoder::with_ip(64, &self.code[at..], at as u64, DecoderOptions::NONE).decode();
        if self.is_relocated(at, &it) {
            // Another function: where it is does not matter, and nothing else may use an address.
            match it.op0_kind() {
                OpKind::NearBranch64 => it.set_near_branch64(ELSEWHERE),
                _ => return Err(self.unknown(at, &it)),
            }
        }
        self.decoded[at] = Some(it);
        Ok(it)
    }

    fn is_relocated(&self, at: usize, it: &Instruction) -> bool {
        let start = (self.start + at) as u64;
        let first = self.relocations.partition_point(|relocation| *relocation < start);
        self.relocations.get(first).is_some_and(|at| *at < start + it.len() as u64)
    }

    fn unknown(&self, at: usize, it: &Instruction) -> String {
        let bytes = self.code.get(at..at + it.len()).unwrap_or_default();
        let place = self.start + at;
        format!("it is not known here what {} at .text+{place:#x} does", hex::encode(bytes))
    }
}
