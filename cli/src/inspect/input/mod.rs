// SPDX-License-Identifier: GPL-2.0
//! From what a person has to the files that matter: out of NVIDIA's `.run`, out of the packages and
//! archives that it comes in, out of a directory, or out of a compressed module.
//!
//! Everything is read as it comes, layer by layer; only the files that matter are kept.

mod cpio;
mod makeself;
mod names;
mod packing;
mod rpm;

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, Cursor, Read, Seek},
    path::Path,
};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use names::{Meaning, meaning};
use packing::{Kind, recognise};

/// More than this is no driver; it keeps a decompression bomb from taking the machine's memory.
const MAX_LEN: u64 = 1 << 30;

/// As many layers of packing are taken off. A module in a package in an archive has six.
const MAX_LAYERS: usize = 10;

/// As many directories below the given one are looked into.
const MAX_DIRECTORIES: usize = 16;

/// A smaller file is read too fast for a progress bar.
const BAR_FROM: u64 = 32 << 20;

/// What was found. Files with the same bytes are there once.
#[derive(Debug, Default)]
pub struct Contents {
    /// Object files that can be a driver. There is one at least.
    pub drivers: Vec<Found>,
    /// `nvidia-vgpud`.
    pub daemons: Vec<Found>,
    /// What else only a vGPU host has.
    pub of_host: BTreeSet<&'static str>,
    /// Whether what a host has would have been seen: not in a single file.
    pub is_package: bool,
    /// Packages for virtual machines. They were not looked into.
    for_guests: Vec<String>,
}

/// A file that matters.
#[derive(Debug)]
pub struct Found {
    /// Its path in the package, that of a package in a package in front; empty for a file that was
    /// given itself.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Takes apart what `path` is.
///
/// # Errors
/// It cannot be read, is damaged, or holds no driver's object file.
pub fn contents(path: &Path) -> Result<Contents> {
    read(path).with_context(|| format!("reading {}", path.display()))
}

/// The driver's object file that `path` is or holds: of several, one for x86-64.
///
/// # Errors
/// It cannot be read, is damaged, or holds no driver's object file.
pub fn object_file(path: &Path) -> Result<Vec<u8>> {
    let drivers = contents(path)?.drivers;
    let (fitting, others): (Vec<_>, Vec<_>) =
        drivers.into_iter().partition(|d| is_x86_64(&d.bytes));
    let first = fitting.into_iter().chain(others).next();
    first.map(|driver| driver.bytes).context("there is no driver in it")
}

/// Whether an ELF header names the one machine that the module is for.
pub fn is_x86_64(file: &[u8]) -> bool {
    let machine = file.get(18..20) == Some(&object::elf::EM_X86_64.to_le_bytes());
    Kind::of(file) == Kind::Elf && machine
}

fn read(path: &Path) -> Result<Contents> {
    let mut contents = Contents::default();
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        contents.is_package = true;
        contents.directory(path, "", 0)?;
    } else {
        let file = File::open(path)?;
        contents.file("", file, 0)?;
    }
    if contents.drivers.is_empty() {
        let what = if metadata.is_dir() { "in this directory" } else { "in it" };
        match contents.for_guests.first() {
            Some(guest) => bail!(
                "{guest} and what else is {what} is for virtual machines: the host's driver is a file \
                 such as NVIDIA-Linux-x86_64-550.144.02-vgpu-kvm.run"
            ),
            None => bail!(
                "there is no nv-kernel*.o_binary and no nvidia.ko {what} (the package with the \
                 driver's kernel module source has one of them)"
            ),
        }
    }
    Ok(contents)
}

impl Contents {
    fn directory(&mut self, path: &Path, inside: &str, depth: usize) -> Result<()> {
        let mut entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let inside = if inside.is_empty() { name } else { format!("{inside}/{name}") };
            // A link may lead anywhere, and back.
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < MAX_DIRECTORIES {
                self.directory(&entry.path(), &inside, depth + 1)?;
            } else if kind.is_file() && meaning(&inside).is_some() {
                let file = File::open(entry.path()).with_context(|| inside.clone())?;
                match meaning(&inside) {
                    Some(Meaning::Package) => {
                        self.file(&inside, file, 0).with_context(|| inside.clone())?;
                    }
                    _ => self.entry("", &inside, &mut BufReader::new(file), 0)?,
                }
            }
        }
        Ok(())
    }

    /// A file of its own. Only such a one can be read from the end, as zip archives want it.
    fn file(&mut self, path: &str, file: File, layer: usize) -> Result<()> {
        let len = file.metadata()?.len();
        let bar = if len >= BAR_FROM { ProgressBar::new(len) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes}")?;
        let mut file = BufReader::with_capacity(1 << 16, bar.with_style(style).wrap_read(file));
        let mut head = Vec::new();
        file.by_ref().take(8).read_to_end(&mut head)?;
        file.rewind()?;
        match Kind::of(&head) {
            Kind::Zip => self.zip(path, file, layer),
            _ => self.layer(path, &mut file, layer),
        }
    }

    /// What `from` is, whatever it is called. `path` says where that is.
    fn layer(&mut self, path: &str, from: &mut dyn Read, layer: usize) -> Result<()> {
        if layer > MAX_LAYERS {
            bail!("it is packed in more than {MAX_LAYERS} layers");
        }
        let (kind, mut from) = recognise(from)?;
        let inner = layer + 1;
        match kind {
            Kind::Elf => {
                let bytes = all(from)?;
                add(&mut self.drivers, path, bytes);
                Ok(())
            }
            Kind::Ar => self.debian(path, &mut from, inner),
            Kind::Rpm => self.layer(path, &mut rpm::payload(from)?, inner),
            Kind::Tar => self.tar(path, &mut from, inner),
            Kind::Cpio => {
                self.is_package = true;
                cpio::files(from, |name, content| self.entry(path, name, content, inner))
            }
            Kind::Zip => self.zip(path, Cursor::new(all(from)?), inner),
            Kind::Packed(packing) => {
                let (kind, mut inside) =
                    recognise(packing.unpack(from)?).context("decompressing it")?;
                if matches!(kind, Kind::Unknown | Kind::Empty | Kind::Script) {
                    bail!("what is compressed in it is no ELF object file, nor an archive");
                }
                self.layer(path, &mut inside, inner).context("decompressing it")
            }
            Kind::Script => match makeself::archive(from)? {
                Some(mut archive) => self.layer(path, &mut archive, inner),
                None => bail!(
                    "it is a script without an archive: neither an ELF object file (nv-kernel.o_binary, \
                     nvidia.ko) nor an installer (.run)"
                ),
            },
            Kind::Empty if layer == 0 => bail!("the file is empty"),
            Kind::Empty => bail!("it is cut off: what it should hold is empty"),
            Kind::Unknown => bail!(
                "it is neither an ELF object file (nv-kernel.o_binary, nvidia.ko) nor a package or \
                 archive (.run, .deb, .rpm, .zip, .tar)"
            ),
        }
    }

    /// A file in an archive at `outer`, which has the path `path` there.
    fn entry(&mut self, outer: &str, path: &str, from: &mut dyn Read, layer: usize) -> Result<()> {
        let path = path.strip_prefix("./").unwrap_or(path);
        let Some(meaning) = meaning(path) else { return Ok(()) };
        let whole = if outer.is_empty() { path.to_owned() } else { format!("{outer} > {path}") };
        let context = || whole.clone();
        match meaning {
            Meaning::Driver => {
                let (kind, mut from) = recognise(from)?;
                // What is named so and is none says more of the name than of the package.
                if matches!(kind, Kind::Elf | Kind::Packed(_)) {
                    self.layer(&whole, &mut from, layer).with_context(context)?;
                }
            }
            Meaning::Daemon => {
                let (kind, from) = recognise(from)?;
                if kind == Kind::Elf {
                    add(&mut self.daemons, &whole, all(from).with_context(context)?);
                }
            }
            Meaning::OfHost(name) => {
                self.of_host.insert(name);
            }
            Meaning::Package => self.layer(&whole, from, layer).with_context(context)?,
            Meaning::ForGuests => self.for_guests.push(whole),
        }
        Ok(())
    }

    /// A Debian package: what it installs is in one of its members.
    fn debian(&mut self, path: &str, from: &mut dyn Read, layer: usize) -> Result<()> {
        let mut members = ar::Archive::new(from);
        while let Some(member) = members.next_entry() {
            let mut member = member.context("the package is cut off or damaged")?;
            let name = String::from_utf8_lossy(member.header().identifier()).into_owned();
            let Some(suffix) = name.trim_end_matches('/').strip_prefix("data.tar") else {
                continue;
            };
            if !["", ".gz", ".xz", ".zst", ".bz2", ".lzma"].contains(&suffix) {
                bail!("the package's data.tar{suffix} is compressed in a way not known here");
            }
            return self
                .layer(path, &mut member, layer)
                .with_context(|| format!("unpacking {name}"));
        }
        bail!("it is an archive without data.tar: not a Debian package");
    }

    fn tar(&mut self, outer: &str, from: &mut dyn Read, layer: usize) -> Result<()> {
        self.is_package = true;
        for entry in tar::Archive::new(from).entries()? {
            let mut entry = entry?;
            if entry.header().entry_type().is_file() {
                let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                self.entry(outer, &path, &mut entry, layer)?;
            }
        }
        Ok(())
    }

    fn zip(&mut self, outer: &str, from: impl Read + Seek, layer: usize) -> Result<()> {
        self.is_package = true;
        let mut archive =
            zip::ZipArchive::new(from).context("the archive is cut off or damaged")?;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            if entry.is_file() {
                let path = entry.name().to_owned();
                self.entry(outer, &path, &mut entry, layer)?;
            }
        }
        Ok(())
    }
}

/// Takes a file in, if it is new.
fn add(files: &mut Vec<Found>, path: &str, bytes: Vec<u8>) {
    if files.iter().all(|known| known.bytes != bytes) {
        files.push(Found { path: path.to_owned(), bytes });
    }
}

fn all(from: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LEN {
        bail!("it is larger than {} MiB: no driver is", MAX_LEN >> 20);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
