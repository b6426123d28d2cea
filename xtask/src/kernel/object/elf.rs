// SPDX-License-Identifier: GPL-2.0
//! A module's object as the kernel's loader sees it: its code, instruction by instruction, and everything
//! in it that points somewhere.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context, Result, bail};
use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction};
use object::{
    Object as _, ObjectSection, ObjectSymbol, Relocation, RelocationFlags, RelocationTarget,
    SectionFlags, SectionIndex, SymbolFlags, elf,
};

/// Where static calls jump on: nothing but jumps, which the kernel writes.
pub const TRAMPOLINES: &str = ".static_call.text";

/// An offset into a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The section, by its place in [`Object::sections`].
    pub section: usize,
    /// From its beginning.
    pub offset: u64,
}

impl Place {
    /// The place that many bytes away.
    pub fn plus(self, bytes: i64) -> Self {
        Self { offset: self.offset.wrapping_add_signed(bytes), ..self }
    }
}

/// What is pointed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Something of the object's own.
    Place(Place),
    /// A symbol that somebody else has.
    Import(String),
    /// A number.
    Absolute,
}

/// A relocation.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Where it stands in its section.
    pub at: u64,
    /// ELF's number for its kind.
    pub kind: u32,
    /// The symbol that it names, and what it adds.
    pub target: Target,
}

/// A section.
#[derive(Debug)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Whether it is code.
    pub executable: bool,
    /// Whether the kernel loads it.
    pub loaded: bool,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The pointers in it, in order.
    pub references: Vec<Reference>,
}

/// A function.
#[derive(Debug)]
pub struct Function {
    /// Its symbol.
    pub name: String,
    /// Its first byte.
    pub start: Place,
    /// How long it is.
    pub size: u64,
}

impl Function {
    /// A part of a function that the compiler has put elsewhere. It is jumped to, and never called.
    pub fn is_part(&self) -> bool {
        self.name.contains(".cold")
    }
}

/// An instruction, with where it stands.
#[derive(Debug)]
pub struct Step {
    /// Its first byte.
    pub at: Place,
    /// What it does.
    pub does: Instruction,
}

impl Step {
    /// The byte behind it.
    pub fn end(&self) -> Place {
        Place { offset: self.at.offset.wrapping_add(self.does.len() as u64), ..self.at }
    }

    /// Whether it jumps, calls or returns.
    pub fn branches(&self) -> bool {
        self.does.flow_control() != FlowControl::Next
    }
}

/// An object.
#[derive(Debug)]
pub struct Object {
    /// Its sections.
    pub sections: Vec<Section>,
    /// Its functions, in order. Several may have one start.
    pub functions: Vec<Function>,
    /// All its code, in order.
    pub code: Vec<Step>,
    /// The names of all its symbols.
    pub names: Vec<String>,
    /// Those that somebody else has to have.
    pub imports: Vec<String>,
}

impl Object {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It is no object file, or has no function.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&bytes).with_context(|| format!("{}", path.display()))
    }

    /// Reads an object file.
    ///
    /// # Errors
    /// As [`Object::read`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let file = object::File::parse(bytes)?;
        let mut numbers = HashMap::new();
        for (number, section) in file.sections().enumerate() {
            numbers.insert(section.index(), number);
        }
        let sections = file
            .sections()
            .map(|section| read_section(&file, &section, &numbers))
            .collect::<Result<Vec<_>>>()?;
        let mut functions = vec![];
        let (mut names, mut imports) = (vec![], vec![]);
        for symbol in file.symbols() {
            let name = symbol.name().context("a symbol's name is not UTF-8")?;
            if !name.is_empty() {
                names.push(name.to_owned());
                imports.extend(symbol.is_undefined().then(|| name.to_owned()));
            }
            let place = symbol.section_index().and_then(|section| numbers.get(&section));
            if let (true, Some(&section)) = (is_function(&symbol), place) {
                let start = Place { section, offset: symbol.address() };
                functions.push(Function { name: name.to_owned(), start, size: symbol.size() });
            }
        }
        functions.sort_by(|a, b| (a.start, &a.name).cmp(&(b.start, &b.name)));
        if functions.is_empty() {
            bail!("no function is in it");
        }
        let code = decode(&sections, &functions)?;
        Ok(Self { sections, functions, code, names, imports })
    }

    /// The name of the section that a place is in.
    pub fn section(&self, place: Place) -> Option<&str> {
        self.sections.get(place.section).map(|section| section.name.as_str())
    }

    /// The function of that name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// What a function consists of. Where its end is not known, that is all up to the next one.
    pub fn steps(&self, function: &Function) -> &[Step] {
        let from = self.code.partition_point(|step| step.at < function.start);
        let end = function.start.plus(i64::try_from(function.size).unwrap_or(i64::MAX));
        let to = self.code.partition_point(|step| step.at < end);
        self.code.get(from..to).unwrap_or_default()
    }

    /// The instruction that begins there.
    pub fn step(&self, place: Place) -> Option<&Step> {
        let at = self.code.partition_point(|step| step.at < place);
        self.code.get(at).filter(|step| step.at == place)
    }

    /// The pointers within an instruction.
    pub fn references(&self, step: &Step) -> &[Reference] {
        let Some(section) = self.sections.get(step.at.section) else { return &[] };
        let from = section.references.partition_point(|r| r.at < step.at.offset);
        let to = section.references.partition_point(|r| r.at < step.end().offset);
        section.references.get(from..to).unwrap_or_default()
    }

    /// Where a pointer within an instruction leads to, in the object itself. What is counted from the
    /// instruction's end is counted from the pointer in the file.
    pub fn leads_to(&self, step: &Step, reference: &Reference) -> Option<Place> {
        let Target::Place(place) = reference.target else { return None };
        let relative = [elf::R_X86_64_PC32, elf::R_X86_64_PLT32].contains(&reference.kind);
        let rest = step.end().offset.saturating_sub(reference.at);
        Some(if relative { place.plus(i64::try_from(rest).unwrap_or(0)) } else { place })
    }

    /// The symbol that an instruction jumps to or calls, if somebody else has it.
    pub fn jumps_to_import(&self, step: &Step) -> Option<&str> {
        self.references(step).iter().find_map(|reference| match &reference.target {
            Target::Import(name) if step.branches() => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether the place is code.
    pub fn is_code(&self, place: Place) -> bool {
        self.sections.get(place.section).is_some_and(|section| section.executable)
    }

    /// All places in code that the tables of these names list.
    pub fn listed(&self, tables: &[&str]) -> Vec<Place> {
        let mut places = vec![];
        for section in self.sections.iter().filter(|s| tables.contains(&s.name.as_str())) {
            for reference in &section.references {
                match reference.target {
                    Target::Place(place) if self.is_code(place) => places.push(place),
                    _ => {}
                }
            }
        }
        places.sort_unstable();
        places
    }

    /// The function that a place is in.
    pub fn within(&self, place: Place) -> Option<&Function> {
        let within = |f: &&Function| f.start.section == place.section && f.start <= place;
        self.functions.iter().rev().find(within)
    }

    /// A place as people say it: a function and an offset.
    pub fn describe(&self, place: Place) -> String {
        let (name, start) = match self.within(place) {
            Some(function) => (function.name.as_str(), function.start.offset),
            None => (self.section(place).unwrap_or("?"), 0),
        };
        match place.offset.saturating_sub(start) {
            0 => name.to_owned(),
            offset => format!("{name}+{offset:#x}"),
        }
    }
}

fn is_function<'a>(symbol: &impl ObjectSymbol<'a>) -> bool {
    let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { return false };
    // Before a function, there may be a symbol for the room in front of it.
    st_info & 0xf == elf::STT_FUNC && !symbol.name().is_ok_and(|name| name.starts_with("__pfx_"))
}

fn read_section<'a>(
    file: &object::File<'a>,
    section: &impl ObjectSection<'a>,
    numbers: &HashMap<SectionIndex, usize>,
) -> Result<Section> {
    let name = section.name().context("a section's name is not UTF-8")?.to_owned();
    let SectionFlags::Elf { sh_flags } = section.flags() else { bail!("it is no ELF file") };
    let has = |flag: u32| sh_flags & u64::from(flag) != 0;
    let mut references = section
        .relocations()
        .map(|(at, relocation)| reference(file, at, &relocation, numbers))
        .collect::<Result<Vec<_>>>()
        .with_context(|| format!("relocations of {name}"))?;
    references.sort_by_key(|reference| reference.at);
    Ok(Section {
        executable: has(elf::SHF_EXECINSTR),
        loaded: has(elf::SHF_ALLOC),
        bytes: section.data().with_context(|| format!("reading {name}"))?.to_vec(),
        references,
        name,
    })
}

fn reference(
    file: &object::File<'_>,
    at: u64,
    relocation: &Relocation,
    numbers: &HashMap<SectionIndex, usize>,
) -> Result<Reference> {
    let RelocationFlags::Elf { r_type: kind } = relocation.flags() else {
        bail!("it is no ELF file");
    };
    let target = match relocation.target() {
        RelocationTarget::Symbol(index) => {
            let symbol = file.symbol_by_index(index)?;
            match symbol.section_index().and_then(|section| numbers.get(&section)) {
                Some(&section) => {
                    let place = Place { section, offset: symbol.address() };
                    Target::Place(place.plus(relocation.addend()))
                }
                None if symbol.is_undefined() => Target::Import(symbol.name()?.to_owned()),
                None => Target::Absolute,
            }
        }
        _ => Target::Absolute,
    };
    Ok(Reference { at, kind, target })
}

/// Decoding begins anew at each function, wherever it had come to.
fn decode(sections: &[Section], functions: &[Function]) -> Result<Vec<Step>> {
    let mut code = vec![];
    for (number, section) in sections.iter().enumerate().filter(|(_, s)| s.executable) {
        let starts = functions.iter().filter(|f| f.start.section == number);
        let mut cuts: Vec<u64> = starts.map(|f| f.start.offset).collect();
        cuts.extend([0, section.bytes.len() as u64]);
        cuts.sort_unstable();
        cuts.dedup();
        for (&from, &to) in cuts.iter().zip(cuts.iter().skip(1)) {
            let range = usize::try_from(from)?..usize::try_from(to)?;
            let bytes = section
                .bytes
                .get(range)
                .with_context(|| format!("a function of {} lies outside of it", section.name))?;
            let mut decoder = Decoder::with_ip(64, bytes, from, DecoderOptions::NONE);
            while decoder.can_decode() {
                let does = decoder.decode();
                let at = Place { section: number, offset: does.ip() };
                if does.is_invalid() {
                    bail!("{}+{:#x} is no instruction", section.name, at.offset);
                }
                code.push(Step { at, does });
            }
        }
    }
    Ok(code)
}
