// SPDX-License-Identifier: GPL-2.0
//! A driver's object file, laid out as the module's pure code wants to see it.
//!
//! In a file the capability tables' pointers are relocations, not values. Sections get made-up
//! addresses here, as the kernel's module loader would give them real ones, and the pointers in
//! `.rodata` are filled in for those.

use anyhow::{Context, Result, bail};
use memchr::memmem;
use object::{
    Architecture, File, Object, ObjectKind, ObjectSection, ObjectSymbol, Relocation,
    RelocationFlags, RelocationTarget, SectionIndex, elf::R_X86_64_64,
};
use serde::Serialize;
use vgpu_unlock::{
    capability::image::Image,
    driver::{stranger, version::Version},
};

/// Where `.rodata` is made to lie: a multiple of the page size in a range that no number in a
/// driver is likely to look like a pointer into.
const RODATA_BASE: u64 = 0x5d1a_7c00_0000_0000;

/// Where all other sections are made to begin.
const OTHER_BASE: u64 = 0x2b00_0000_0000_0000;

/// Sections begin at multiples of this.
const PAGE: u64 = 4096;

/// What stands in front of the version in the driver's own identification, by flavour.
const IDENTIFICATIONS: [(&[u8], Flavour); 2] = [
    (b"NVIDIA UNIX x86_64 Kernel Module", Flavour::Proprietary),
    (b"NVIDIA UNIX Open Kernel Module for x86_64", Flavour::Open),
];

/// The licence that NVIDIA's open kernel modules name.
const OPEN_LICENCE: &[u8] = b"Dual MIT/GPL";

/// The parts of a driver that decide.
#[derive(Debug)]
pub struct DriverFile {
    /// The version, or why there is none.
    pub version: Result<Version, String>,
    /// Which of NVIDIA's two kernel modules it is, where the file says so.
    pub flavour: Option<Flavour>,
    /// Of a whole module: whether it has what `nvidia-vgpu-vfio` needs of it.
    pub hosts: Option<bool>,
    /// Whether it is as NVIDIA built it, as far as its strings and symbols say, or why not, in a sentence.
    pub changed: Option<&'static str>,
    /// `.text` as it is in the file.
    pub text: Option<Vec<u8>>,
    /// Where in `.text` an address is filled in when it is loaded, in order.
    pub text_relocations: Vec<u64>,
    /// `.rodata` with its pointers filled in.
    rodata: Option<Vec<u8>>,
}

/// NVIDIA's two kernel modules of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// With the closed part that decides; in `kernel/` of an installer.
    Proprietary,
    /// Built from published sources; in `kernel-open/`.
    Open,
}

/// What `nvidia-vgpu-vfio` asks the driver by.
const HOST_INTERFACE: &[u8] = b"nvidia_vgpu_vfio_get_ops";

/// What an object file turned out to be.
#[derive(Debug)]
pub enum Parsed {
    /// One that can be a driver.
    Driver(DriverFile),
    /// One that cannot, with the reason in a sentence.
    Foreign(String),
}

impl DriverFile {
    /// `.rodata` at the address that its pointers are filled in for.
    pub fn rodata(&self) -> Option<Image<'_>> {
        self.rodata.as_deref().map(|bytes| Image::new(RODATA_BASE, bytes))
    }
}

/// Reads an object file.
///
/// # Errors
/// It is damaged or cut off.
pub fn parse(bytes: &[u8]) -> Result<Parsed> {
    let file = File::parse(bytes).context("no whole ELF file: it is cut off or damaged")?;
    match file.architecture() {
        Architecture::X86_64 => {}
        other => {
            return Ok(Parsed::Foreign(format!(
                "The file is for {}; vgpu_unlock is for x86-64 only.",
                machine(other)
            )));
        }
    }
    if file.kind() != ObjectKind::Relocatable {
        return Ok(Parsed::Foreign(
            "The file is a program or a library, not a kernel module or a part of one.".into(),
        ));
    }
    let info = section(&file, ".modinfo")?.map(|(_, info)| info).unwrap_or_default();
    let identifications = identifications(bytes);
    Ok(Parsed::Driver(DriverFile {
        version: version(&info, &identifications),
        flavour: flavour(&info, &identifications),
        changed: changed(bytes),
        hosts: field(&info, b"vermagic=").map(|_| defines(&file, HOST_INTERFACE)),
        text: section(&file, ".text")?.map(|(_, text)| text),
        text_relocations: text_relocations(&file),
        rodata: rodata(&file)?,
    }))
}

fn machine(architecture: Architecture) -> String {
    match architecture {
        Architecture::Aarch64 => "arm64".into(),
        Architecture::I386 => "32-bit x86".into(),
        Architecture::PowerPc64 => "ppc64".into(),
        Architecture::Unknown => "a machine that is not known here".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// A section's index and bytes, if the file has it.
fn section(file: &File<'_>, name: &str) -> Result<Option<(SectionIndex, Vec<u8>)>> {
    let Some(section) = file.section_by_name(name) else { return Ok(None) };
    let data = section.data().with_context(|| format!("{name} is cut off or damaged"))?;
    Ok(Some((section.index(), data.to_vec())))
}

fn text_relocations(file: &File<'_>) -> Vec<u64> {
    let text = file.section_by_name(".text");
    let mut places: Vec<_> =
        text.iter().flat_map(|text| text.relocations()).map(|(place, _)| place).collect();
    places.sort_unstable();
    places
}

fn rodata(file: &File<'_>) -> Result<Option<Vec<u8>>> {
    let Some((index, mut bytes)) = section(file, ".rodata")? else { return Ok(None) };
    let layout = Layout::of(file, index);
    let relocations = file.section_by_index(index)?.relocations();
    for (offset, relocation) in relocations {
        // Nothing else that stands in read-only data makes a pointer.
        let (RelocationFlags::Elf { r_type: R_X86_64_64 }, RelocationTarget::Symbol(_)) =
            (relocation.flags(), relocation.target())
        else {
            continue;
        };
        let place = usize::try_from(offset)
            .ok()
            .and_then(|at| bytes.get_mut(at..)?.first_chunk_mut::<8>())
            .with_context(|| format!("a relocation lies outside of .rodata, at {offset:#x}"))?;
        if let Some(value) = layout.value(file, &relocation)? {
            *place = value.to_le_bytes();
        }
    }
    Ok(Some(bytes))
}

fn defines(file: &File<'_>, name: &[u8]) -> bool {
    let mut symbols = file.symbols().filter(ObjectSymbol::is_definition);
    symbols.any(|symbol| symbol.name_bytes() == Ok(name))
}

/// Made-up addresses of all sections.
struct Layout {
    /// By section index, which begins at 0 (no section) or 1.
    bases: Vec<Option<u64>>,
}

impl Layout {
    fn of(file: &File<'_>, rodata: SectionIndex) -> Self {
        let mut bases = Vec::new();
        let mut next = OTHER_BASE;
        for section in file.sections() {
            let index = section.index();
            let base = if index == rodata {
                RODATA_BASE
            } else {
                let base = next;
                next = next
                    .saturating_add(section.size().min(RODATA_BASE >> 8))
                    .next_multiple_of(PAGE)
                    .saturating_add(PAGE);
                base
            };
            if bases.len() <= index.0 {
                bases.resize(index.0 + 1, None);
            }
            bases[index.0] = Some(base);
        }
        Self { bases }
    }

    /// What a pointer becomes; `None` where it is another module's or the kernel's to give.
    fn value(&self, file: &File<'_>, relocation: &Relocation) -> Result<Option<u64>> {
        let RelocationTarget::Symbol(symbol) = relocation.target() else { return Ok(None) };
        let symbol = file.symbol_by_index(symbol).context("a relocation names no symbol")?;
        let Some(index) = symbol.section_index() else { return Ok(None) };
        let base = self.bases.get(index.0).copied().flatten();
        Ok(base.map(|base| {
            base.wrapping_add(symbol.address()).wrapping_add_signed(relocation.addend())
        }))
    }
}

/// The version: what a kernel module says of itself, else what the blob says of itself.
fn version(info: &[u8], identifications: &[(Version, Flavour)]) -> Result<Version, String> {
    if let Some(text) = field(info, b"version=") {
        return Version::parse(text).ok_or_else(|| {
            format!(
                "The module's version is \"{}\", which is no version of NVIDIA's driver.",
                text.escape_ascii()
            )
        });
    }
    let mut versions = identifications.iter().map(|(version, _)| *version);
    let first = versions.next().ok_or("The file names no version of NVIDIA's driver.")?;
    match versions.find(|version| *version != first) {
        None => Ok(first),
        Some(other) => Err(format!("The file names two versions, {first} and {other}.")),
    }
}

/// What the driver calls itself, unless it has two names; else what its licence tells. Published
/// patches give the proprietary module the other licence, so that newer kernels let it use more.
fn flavour(info: &[u8], identifications: &[(Version, Flavour)]) -> Option<Flavour> {
    let mut names = identifications.iter().map(|(_, flavour)| *flavour);
    let first = names.next();
    if first.is_some() && names.all(|flavour| Some(flavour) == first) {
        return first;
    }
    match field(info, b"license=")? {
        OPEN_LICENCE => Some(Flavour::Open),
        b"NVIDIA" => Some(Flavour::Proprietary),
        _ => None,
    }
}

fn changed(bytes: &[u8]) -> Option<&'static str> {
    if stranger::has_hooks(bytes) {
        Some("vgpu_unlock_hooks.c is compiled into this driver: reinstall the original.")
    } else if memmem::find(bytes, vgpu_unlock::host::PATCHER).is_some() {
        Some(
            "This driver is patched (by vGPU-Unlock-patcher, when it is loaded): reinstall the original.",
        )
    } else {
        None
    }
}

/// A field of a module's `.modinfo`.
fn field<'a>(info: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    info.split(|&c| c == 0).find_map(|field| field.strip_prefix(name))
}

/// Wherever the driver says what it is, with a version.
fn identifications(bytes: &[u8]) -> Vec<(Version, Flavour)> {
    let named = |(name, flavour): (&'static [u8], Flavour)| {
        memmem::find_iter(bytes, name).filter_map(move |at| {
            let rest = &bytes[at + name.len()..];
            let rest = &rest[..rest.len().min(64)];
            let word = rest.trim_ascii_start().split(|c| !c.is_ascii_graphic()).next()?;
            Some((Version::parse(word)?, flavour))
        })
    };
    IDENTIFICATIONS.into_iter().flat_map(named).collect()
}

/// Like [`parse`], for callers to whom anything but a driver is an error.
///
/// # Errors
/// The file is damaged, or none of a driver for this machine.
pub fn parse_driver(bytes: &[u8]) -> Result<DriverFile> {
    match parse(bytes)? {
        Parsed::Driver(driver) => Ok(driver),
        Parsed::Foreign(reason) => bail!("{reason}"),
    }
}
