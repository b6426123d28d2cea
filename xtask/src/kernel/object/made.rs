// SPDX-License-Identifier: GPL-2.0
//! Small objects, made by hand for the tests.

use std::collections::HashMap;

use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionFlags, SectionKind,
    SymbolFlags, SymbolKind, SymbolScope, elf,
    write::{Object as Writer, Relocation, SectionId, Symbol, SymbolId, SymbolSection},
};

use super::elf::Object;

/// A piece of a function.
#[derive(Clone, Copy, Debug)]
pub enum Piece {
    /// These instructions.
    Bytes(&'static [u8]),
    /// A call.
    Call(&'static str),
    /// A jump.
    Jump(&'static str),
    /// lea to %rax
    Address(&'static str),
    /// mov to %rdi
    Load(&'static str),
}

/// endbr64
pub const ENDBR: Piece = Piece::Bytes(&[0xf3, 0x0f, 0x1e, 0xfa]);

/// An object in the making.
pub struct Made {
    writer: Writer<'static>,
    symbols: HashMap<String, SymbolId>,
}

impl Made {
    /// One with these functions. What they name and is none of them is somebody else's.
    pub fn of(functions: &[(&str, &[Piece])]) -> Self {
        let mut writer = Writer::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        let text = writer.add_section(vec![], b".text".to_vec(), SectionKind::Text);
        let mut made = Self { writer, symbols: HashMap::new() };
        for (name, _) in functions {
            made.symbol(name);
        }
        for (name, pieces) in functions {
            made.function(text, name, pieces);
        }
        made
    }

    /// And a function in a section of its own.
    pub fn within(mut self, section: &str, name: &str, pieces: &[Piece]) -> Self {
        let kind = SectionKind::Text;
        let section = self.writer.add_section(vec![], section.as_bytes().to_vec(), kind);
        self.function(section, name, pieces);
        self
    }

    fn symbol(&mut self, name: &str) -> SymbolId {
        let writer = &mut self.writer;
        *self.symbols.entry(name.to_owned()).or_insert_with(|| {
            writer.add_symbol(Symbol {
                name: name.as_bytes().to_vec(),
                value: 0,
                size: 0,
                kind: SymbolKind::Text,
                scope: SymbolScope::Dynamic,
                weak: false,
                section: SymbolSection::Undefined,
                flags: SymbolFlags::None,
            })
        })
    }

    fn function(&mut self, section: SectionId, name: &str, pieces: &[Piece]) {
        let symbol = self.symbol(name);
        let mut bytes = vec![];
        let mut pointers = vec![];
        for piece in pieces {
            let (opcode, target, kind): (&[u8], _, _) = match piece {
                Piece::Bytes(these) => {
                    bytes.extend_from_slice(these);
                    continue;
                }
                Piece::Call(target) => (&[0xe8], target, elf::R_X86_64_PLT32),
                Piece::Jump(target) => (&[0xe9], target, elf::R_X86_64_PLT32),
                Piece::Address(target) => (&[0x48, 0x8d, 0x05], target, elf::R_X86_64_PC32),
                Piece::Load(target) => (&[0x48, 0xc7, 0xc7], target, elf::R_X86_64_32S),
            };
            bytes.extend_from_slice(opcode);
            pointers.push((bytes.len() as u64, self.symbol(target), kind));
            bytes.extend_from_slice(&[0; 4]);
        }
        let start = self.writer.append_section_data(section, &bytes, 1);
        let entry = self.writer.symbol_mut(symbol);
        (entry.value, entry.size) = (start, bytes.len() as u64);
        entry.section = SymbolSection::Section(section);
        for (at, symbol, kind) in pointers {
            let addend = if kind == elf::R_X86_64_32S { 0 } else { -4 };
            self.point(section, start + at, symbol, kind, addend);
        }
    }

    fn point(&mut self, section: SectionId, offset: u64, symbol: SymbolId, kind: u32, addend: i64) {
        let flags = RelocationFlags::Elf { r_type: kind };
        let relocation = Relocation { offset, symbol, addend, flags };
        self.writer.add_relocation(section, relocation).expect("it is ELF");
    }

    fn section(&mut self, name: &str) -> SectionId {
        let id = self.writer.add_section(vec![], name.as_bytes().to_vec(), SectionKind::Data);
        let flags = u64::from(elf::SHF_ALLOC);
        self.writer.section_mut(id).flags = SectionFlags::Elf { sh_flags: flags };
        id
    }

    /// A table of the kernel's that names these functions, or what stands as far behind their beginning as
    /// they say: f+4
    pub fn table(mut self, name: &str, places: &[&str]) -> Self {
        let section = self.section(name);
        for place in places {
            let (function, offset) = place.split_once('+').unwrap_or((place, "0"));
            let at = self.writer.append_section_data(section, &[0; 4], 1);
            let symbol = self.symbol(function);
            let addend = offset.parse().expect("an offset is a number");
            self.point(section, at, symbol, elf::R_X86_64_PC32, addend);
        }
        self
    }

    /// Pointers to these.
    pub fn data(mut self, name: &str, functions: &[&str]) -> Self {
        for function in functions {
            self = self.pointing(name, function, elf::R_X86_64_64);
        }
        self
    }

    /// A pointer of that kind.
    pub fn pointing(mut self, name: &str, function: &str, kind: u32) -> Self {
        let section = self.section(name);
        let at = self.writer.append_section_data(section, &[0; 8], 8);
        let symbol = self.symbol(function);
        self.point(section, at, symbol, kind, 0);
        self
    }

    /// As it is read.
    pub fn done(self) -> Object {
        let bytes = self.writer.write().expect("it can be written");
        Object::parse(&bytes).expect("it can be read")
    }
}
