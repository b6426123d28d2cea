// SPDX-License-Identifier: GPL-2.0
//! Reads overrides: their text becomes sections and settings, so that nobody who asks for one reads the text
//! again.

use core::ops::Range;

use super::target::Target;
use crate::logic::params::error::ParseError;
use crate::logic::params::number::{take_number, take_switch};
use crate::logic::params::scan::Scanner;
use crate::logic::profile::{
    parse_size, BadText, Key, Kind, Text, Uuid, Value, EXPECTED_KEY, VRAM_MIN,
};

/// A part of a text, or of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// What lies beyond 4 GiB is cut off; no text is that long.
    fn new(range: Range<usize>) -> Self {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: short(range.start), end: short(range.end) }
    }

    /// That part; nothing where it is another text's, or another list's.
    fn of<T>(self, all: &[T]) -> &[T] {
        all.get(self.start as usize..self.end as usize).unwrap_or(&[])
    }
}

/// A section that was read, of a text that is kept beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    target: Target,
    text: Span,
    settings: Span,
}

impl Section {
    /// What it is for.
    pub fn target(&self) -> Target {
        self.target
    }

    /// How it is written.
    pub(super) fn text<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        self.text.of(text)
    }

    /// Its settings.
    pub(crate) fn settings<'a>(
        &self,
        text: &'a [u8],
        settings: &'a [Setting],
    ) -> impl DoubleEndedIterator<Item = (Target, Key, Value<'a>)> {
        let target = self.target;
        let own = self.settings.of(settings).iter();
        own.map(move |setting| (target, setting.key, setting.value(text)))
    }
}

/// A setting that was read, of a text that is kept beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    key: Key,
    value: Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Number(u64),
    Text(Span),
}

impl Setting {
    fn value<'a>(&self, text: &'a [u8]) -> Value<'a> {
        match self.value {
            Read::Number(number) => Value::Number(number),
            Read::Text(span) => Value::Text(Text::new(span.of(text))),
        }
    }
}

/// Where what is read is put.
pub trait Store {
    /// Why reading ends early: the text is wrong, or there is no more room.
    type Error: From<ParseError>;
    /// Takes a section, whose settings it has taken before.
    ///
    /// # Errors
    /// There is no more room.
    fn add_section(&mut self, section: Section) -> Result<(), Self::Error>;
    /// Takes a setting of the section to come.
    ///
    /// # Errors
    /// There is no more room.
    fn add_setting(&mut self, setting: Setting) -> Result<(), Self::Error>;
}

/// Reads all sections of `text` into `store`, which is empty.
///
/// # Errors
/// The first thing that is wrong with the text, or there is no more room. What was stored so far stands in
/// front of it.
pub fn read<S: Store>(text: &[u8], store: &mut S) -> Result<(), S::Error> {
    let mut reader = Reader::new(text);
    let mut count = 0usize;
    while !reader.scan.is_at_end() {
        let start = reader.scan.at();
        let first = count;
        let target = reader.head()?;
        let mut had = 0;
        let end = loop {
            let setting = reader.setting(had, target)?;
            had |= setting.key.bit();
            store.add_setting(setting)?;
            count = count.saturating_add(1);
            let end = reader.scan.at();
            // A comma promises a setting, a semicolon does not promise a section.
            if !reader.goes_on(setting.key)? {
                break end;
            }
        };
        store.add_section(Section {
            target,
            text: Span::new(start..end),
            settings: Span::new(first..count),
        })?;
    }
    Ok(())
}

struct Reader<'a> {
    scan: Scanner<'a>,
}

const EXPECTED_TARGET: &str = "a section: nvidia-N, mdev/UUID or vm/N";
const EXPECTED_UUID: &str = "a UUID such as 00000000-0000-0000-0000-000000000100";

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Self {
        let mut scan = Scanner::new(text);
        scan.skip_space();
        Self { scan }
    }

    /// What a section begins with.
    fn head(&mut self) -> Result<Target, ParseError> {
        let target = self.target()?;
        self.scan.skip_space();
        if !self.scan.eat(b":") {
            return Err(self.scan.error("section", ": behind the section"));
        }
        Ok(target)
    }

    /// A setting, in a section that has had the keys `before`.
    fn setting(&mut self, before: u32, target: Target) -> Result<Setting, ParseError> {
        self.scan.skip_space();
        let key = self.key(before, target)?;
        self.scan.skip_space();
        if !self.scan.eat(b"=") {
            return Err(self.scan.error(key.name(), "= behind the key"));
        }
        self.scan.skip_space();
        Ok(Setting { key, value: self.value(key)? })
    }

    /// Whether the section goes on behind a setting.
    fn goes_on(&mut self, key: Key) -> Result<bool, ParseError> {
        self.scan.skip_space();
        let on = self.scan.eat(b",");
        if !on && !self.scan.is_at_end() && !self.scan.eat(b";") {
            return Err(self.scan.error(key.name(), "a comma, a semicolon or the end"));
        }
        self.scan.skip_space();
        Ok(on)
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

    fn value(&mut self, key: Key) -> Result<Read, ParseError> {
        let kind = key.kind();
        let number = |scan: &mut Scanner<'a>, max| {
            take_number(scan, max, key.name(), kind.expected()).map(Read::Number)
        };
        match kind {
            Kind::U32 => number(&mut self.scan, u32::MAX.into()),
            Kind::U64 => number(&mut self.scan, u64::MAX),
            Kind::Switch => {
                take_switch(&mut self.scan, key.name()).map(|on| Read::Number(on.into()))
            }
            Kind::Size => self.size(key, 0),
            Kind::Vram => self.size(key, VRAM_MIN),
            Kind::Text(max) => self.text(key, max),
        }
    }

    fn size(&mut self, key: Key, min: u64) -> Result<Read, ParseError> {
        let error = self.scan.error(key.name(), key.kind().expected());
        // The unit may stand apart from its number.
        let size = self.scan.take_while(|c| c.is_ascii_alphanumeric() || c == b'.' || c == b' ');
        let spaces = size.iter().rev().take_while(|&&c| c == b' ').count();
        let size = size.get(..size.len().saturating_sub(spaces)).unwrap_or(&[]);
        match parse_size(size) {
            Ok(bytes) if bytes >= min => Ok(Read::Number(bytes)),
            _ => Err(error),
        }
    }

    fn text(&mut self, key: Key, max: usize) -> Result<Read, ParseError> {
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
        match Text::new(raw).decode() {
            Ok(decoded) if decoded.as_str().len() <= max => {
                let end = inside.saturating_add(raw.len());
                Ok(Read::Text(Span::new(inside..end)))
            }
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
