// SPDX-License-Identifier: GPL-2.0
//! `overrides`: what is changed about vGPU types and about single vGPUs.

use super::number::{take_number, take_switch};
use super::scan::Scanner;
use super::ParseError;
use crate::logic::profile::{
    self, parse_size, BadText, Editor, Key, Kind, Skipped, Text, Uuid, Value, EXPECTED_KEY,
    VRAM_MIN,
};

/// What a section is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// All vGPUs of the type `nvidia-N`.
    Type(u32),
    /// The vGPU with this UUID.
    Mdev(Uuid),
    /// The vGPUs of the Proxmox virtual machine with this number.
    Vm(u64),
}

/// Which vGPU is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    /// Its type's number, as the driver has it.
    pub vgpu_type: u32,
    /// Its UUID, where it is known.
    pub mdev: Option<Uuid>,
}

impl Which {
    /// Whether a section is for this vGPU, and as the how many-th it is applied.
    fn rank(&self, target: Target) -> Option<u8> {
        match target {
            Target::Type(number) => (number == self.vgpu_type).then_some(0),
            Target::Mdev(uuid) => (self.mdev == Some(uuid)).then_some(1),
            Target::Vm(number) => {
                (self.mdev.and_then(|uuid| uuid.vmid()) == Some(number)).then_some(2)
            }
        }
    }
}

/// What became of the overrides for one vGPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Keys of `nvidia-N` sections that were written.
    pub by_type: u16,
    /// Keys of `mdev/` sections that were written.
    pub by_mdev: u16,
    /// Keys of `vm/` sections that were written.
    pub by_vm: u16,
    /// The first key that could not be written, and why. All others were.
    pub skipped: Option<(Key, Skipped)>,
}

/// The parameter `overrides`, read and found right. See the module's documentation for its grammar.
///
/// It is nothing but the text: what is asked for is read out of it again each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides<'a>(pub(crate) &'a [u8]);

impl<'a> Overrides<'a> {
    /// Reads all sections.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        for item in Items::new(text) {
            item?;
        }
        Ok(Self(text))
    }

    /// A text that [`Overrides::parse`] has accepted before.
    ///
    /// Of another one, what stands in front of its first error is in force.
    pub const fn accepted(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The settings for one vGPU in the order in which they are applied: sections for its type, then
    /// for its UUID, then for its virtual machine, each kind in the order in which it is written.
    pub fn matching(&self, which: Which) -> impl Iterator<Item = (Target, Key, Value<'a>)> {
        let text = self.0;
        (0..3).flat_map(move |rank| {
            Items::new(text)
                .map_while(Result::ok)
                .filter(move |(target, ..)| which.rank(*target) == Some(rank))
        })
    }

    /// Applies everything that is set for one vGPU; what is applied later wins.
    pub fn apply(&self, which: Which, editor: &mut dyn Editor) -> Applied {
        let mut applied = Applied::default();
        for (target, key, value) in self.matching(which) {
            if key.field().is_none() && key != Key::Vram {
                continue;
            }
            match profile::write(editor, key, &value) {
                Ok(()) => {
                    let count = match target {
                        Target::Type(_) => &mut applied.by_type,
                        Target::Mdev(_) => &mut applied.by_mdev,
                        Target::Vm(_) => &mut applied.by_vm,
                    };
                    *count = count.saturating_add(1);
                }
                Err(why) => applied.skipped = applied.skipped.or(Some((key, why))),
            }
        }
        applied
    }

    /// The value of `key` that is in force for one vGPU, where it is set.
    ///
    /// `framebuffer` and `framebuffer_reservation` don't show what `vram` sets.
    pub fn value(&self, which: Which, key: Key) -> Option<Value<'a>> {
        self.matching(which).filter(|(_, k, _)| *k == key).last().map(|(_, _, value)| value)
    }

    /// Whether the type `nvidia-N` is to be kept off the list of types.
    pub fn hides(&self, vgpu_type: u32) -> bool {
        let which = Which { vgpu_type, mdev: None };
        self.value(which, Key::Hidden) == Some(Value::Number(1))
    }
}

/// The settings of a text; ends with the first error.
pub(crate) struct Items<'a> {
    scan: Scanner<'a>,
    /// The section that the scanner is in, and the keys that it has had, as bits.
    section: Option<(Target, u32)>,
    failed: bool,
}

const EXPECTED_TARGET: &str = "a section: nvidia-N, mdev/UUID or vm/N";
const EXPECTED_UUID: &str = "a UUID such as 00000000-0000-0000-0000-000000000100";

impl<'a> Items<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let mut scan = Scanner::new(text);
        scan.skip_space();
        Self { scan, section: None, failed: false }
    }

    fn item(&mut self) -> Result<(Target, Key, Value<'a>), ParseError> {
        let (target, before) = match self.section {
            Some(section) => section,
            None => {
                let target = self.target()?;
                self.scan.skip_space();
                if !self.scan.eat(b":") {
                    return Err(self.scan.error("section", ": behind the section"));
                }
                (target, 0)
            }
        };
        self.scan.skip_space();
        let key = self.key(before, target)?;
        self.scan.skip_space();
        if !self.scan.eat(b"=") {
            return Err(self.scan.error(key.name(), "= behind the key"));
        }
        self.scan.skip_space();
        let value = self.value(key)?;
        self.scan.skip_space();
        self.section = if self.scan.eat(b",") {
            Some((target, before | key.bit()))
        } else if self.scan.is_at_end() || self.scan.eat(b";") {
            None
        } else {
            return Err(self.scan.error(key.name(), "a comma, a semicolon or the end"));
        };
        self.scan.skip_space();
        Ok((target, key, value))
    }

    fn target(&mut self) -> Result<Target, ParseError> {
        if self.scan.eat(b"nvidia-") {
            let number = self.decimal(u32::MAX.into(), "a type's number, such as nvidia-55")?;
            // The limit makes it fit.
            return Ok(Target::Type(u32::try_from(number).unwrap_or(u32::MAX)));
        }
        if self.scan.eat(b"vm/") {
            return self
                .decimal(u64::MAX, "a virtual machine's number, such as vm/100")
                .map(Target::Vm);
        }
        if self.scan.eat(b"mdev/") {
            let error = self.scan.error("section", EXPECTED_UUID);
            let uuid = self.scan.take_while(|c| c.is_ascii_alphanumeric() || c == b'-');
            return Uuid::parse(uuid).map(Target::Mdev).ok_or(error);
        }
        Err(self.scan.error("section", EXPECTED_TARGET))
    }

    /// A decimal number in a section's name.
    fn decimal(&mut self, max: u64, expected: &'static str) -> Result<u64, ParseError> {
        let error = self.scan.error("section", expected);
        let hexadecimal = self.scan.clone().eat(b"0x");
        match self.scan.peek() {
            Some(b'0'..=b'9') if !hexadecimal => {
                take_number(&mut self.scan, max, "section", expected)
            }
            _ => Err(error),
        }
    }

    fn key(&mut self, before: u32, target: Target) -> Result<Key, ParseError> {
        let at = self.scan.at();
        let error = |what, expected| ParseError { at, what, expected };
        let name = self.scan.take_while(|c| c.is_ascii_alphanumeric() || c == b'_');
        let key = Key::find(name).ok_or(error("key", EXPECTED_KEY))?;
        if before & key.bit() != 0 {
            return Err(error(key.name(), "each key once in a section"));
        }
        if before & key.conflicts() != 0 {
            return Err(error(key.name(), "either vram or framebuffer and its reservation"));
        }
        match (key, target) {
            (Key::Hidden, Target::Mdev(_) | Target::Vm(_)) => {
                Err(error(key.name(), "the section of a type: only a type can be hidden"))
            }
            _ => Ok(key),
        }
    }

    fn value(&mut self, key: Key) -> Result<Value<'a>, ParseError> {
        let kind = key.kind();
        let number = |scan: &mut Scanner<'a>, max| {
            take_number(scan, max, key.name(), kind.expected()).map(Value::Number)
        };
        match kind {
            Kind::U32 => number(&mut self.scan, u32::MAX.into()),
            Kind::U64 => number(&mut self.scan, u64::MAX),
            Kind::Switch => {
                take_switch(&mut self.scan, key.name()).map(|on| Value::Number(on.into()))
            }
            Kind::Size => self.size(key, 0),
            Kind::Vram => self.size(key, VRAM_MIN),
            Kind::Text(max) => self.text(key, max),
        }
    }

    fn size(&mut self, key: Key, min: u64) -> Result<Value<'a>, ParseError> {
        let error = self.scan.error(key.name(), key.kind().expected());
        // The unit may stand apart from its number.
        let size = self.scan.take_while(|c| c.is_ascii_alphanumeric() || c == b'.' || c == b' ');
        let spaces = size.iter().rev().take_while(|&&c| c == b' ').count();
        let size = size.get(..size.len().saturating_sub(spaces)).unwrap_or(&[]);
        match parse_size(size) {
            Ok(bytes) if bytes >= min => Ok(Value::Number(bytes)),
            _ => Err(error),
        }
    }

    fn text(&mut self, key: Key, max: usize) -> Result<Value<'a>, ParseError> {
        let start = self.scan.at();
        let error = self.scan.error(key.name(), key.kind().expected());
        let (inside, raw) = match self.scan.peek() {
            Some(quote @ (b'\'' | b'"')) => {
                self.scan.eat(&[quote]);
                let inside = self.scan.at();
                let raw = self.scan.take_while(|c| c != quote);
                if !self.scan.eat(&[quote]) {
                    self.scan.back_to(start);
                    return Err(self.scan.error(key.name(), "a closing quotation mark"));
                }
                (inside, raw)
            }
            _ => {
                let raw =
                    self.scan.take_while(|c| !c.is_ascii_whitespace() && !b",;'\"".contains(&c));
                if raw.is_empty() {
                    return Err(error);
                }
                (start, raw)
            }
        };
        let wrong = |offset: usize, expected| ParseError {
            at: inside.saturating_add(offset),
            what: key.name(),
            expected,
        };
        let text = Text::new(raw);
        match text.decode() {
            Ok(decoded) if decoded.as_str().len() <= max => Ok(Value::Text(text)),
            Ok(_) | Err(BadText::TooLong) => Err(error),
            Err(BadText::Escape(at)) => {
                Err(wrong(at, "two hexadecimal digits behind %; %25 is a per cent sign"))
            }
            Err(BadText::Control(at)) => Err(wrong(at, "a control character written as %XX")),
            Err(BadText::Nul(at)) => Err(wrong(at, "no NUL, which would end the text")),
            Err(BadText::Utf8) => Err(wrong(0, "text in UTF-8")),
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<(Target, Key, Value<'a>), ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        // A comma at the end promises a setting, a semicolon does not promise a section.
        if self.failed || (self.scan.is_at_end() && self.section.is_none()) {
            return None;
        }
        let item = self.item();
        self.failed = item.is_err();
        Some(item)
    }
}
