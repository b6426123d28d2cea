// SPDX-License-Identifier: GPL-2.0
//! From the file a person has to the object file that matters: out of a Debian package, or out of
//! a module compressed as the kernel's modules are.

use std::{
    fs::File,
    io::{BufReader, Cursor, Read},
    path::Path,
};

use anyhow::{Context, Result, bail};

/// More than this is no driver; it keeps a decompression bomb from taking the machine's memory.
const MAX_LEN: u64 = 1 << 30;

const ELF: &[u8] = b"\x7fELF";
const AR: &[u8] = b"!<arch>\n";

/// Reads the object file that `path` is or holds.
///
/// # Errors
/// The file cannot be read, or there is no driver's object file in it.
pub fn object_file(path: &Path) -> Result<Vec<u8>> {
    read(path).with_context(|| format!("reading {}", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        bail!("it is a directory");
    }
    let mut file = BufReader::new(file);
    let mut magic = Vec::new();
    file.by_ref().take(8).read_to_end(&mut magic)?;
    let whole = Cursor::new(magic.clone()).chain(file);
    if magic.starts_with(ELF) {
        all(whole)
    } else if magic == AR {
        from_package(whole)
    } else if let Some(packing) = Packing::of(&magic) {
        let inner = all(packing.unpack(whole)?).context("decompressing it")?;
        if !inner.starts_with(ELF) {
            bail!("what is compressed in it is no ELF object file");
        }
        Ok(inner)
    } else if magic.is_empty() {
        bail!("the file is empty");
    } else {
        bail!(
            "it is neither an ELF object file (nv-kernel.o_binary, nvidia.ko) nor a Debian package"
        );
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

/// How a file is compressed.
#[derive(Clone, Copy)]
enum Packing {
    Gzip,
    Xz,
    Zstd,
}

impl Packing {
    /// Tells it by the file's first bytes.
    fn of(magic: &[u8]) -> Option<Self> {
        if magic.starts_with(b"\x1f\x8b") {
            Some(Packing::Gzip)
        } else if magic.starts_with(b"\xfd7zXZ\0") {
            Some(Packing::Xz)
        } else if magic.starts_with(b"\x28\xb5\x2f\xfd") {
            Some(Packing::Zstd)
        } else {
            None
        }
    }

    fn unpack<'a>(self, from: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(from)),
            Packing::Xz => Box::new(liblzma::read::XzDecoder::new_multi_decoder(from)),
            Packing::Zstd => Box::new(zstd::Decoder::new(from)?),
        })
    }
}

/// The driver's blob out of a Debian package: of all `nv-kernel*.o_binary` the one for x86-64, or
/// another machine's where there is none, so that the caller can say which machine that is.
fn from_package(from: impl Read) -> Result<Vec<u8>> {
    let mut members = ar::Archive::new(from);
    while let Some(member) = members.next_entry() {
        let member = member.context("the package is cut off or damaged")?;
        let name = String::from_utf8_lossy(member.header().identifier()).into_owned();
        let Some(suffix) = name.trim_end_matches('/').strip_prefix("data.tar") else { continue };
        let data: Box<dyn Read> = match suffix {
            "" => Box::new(member),
            ".gz" => Packing::Gzip.unpack(member)?,
            ".xz" => Packing::Xz.unpack(member)?,
            ".zst" => Packing::Zstd.unpack(member)?,
            other => bail!("the package's data.tar{other} is compressed in a way not known here"),
        };
        return from_tar(data).with_context(|| format!("unpacking {name}"));
    }
    bail!("it is an archive without data.tar: not a Debian package");
}

fn from_tar(data: impl Read) -> Result<Vec<u8>> {
    let mut foreign = None;
    for entry in tar::Archive::new(data).entries()? {
        let entry = entry?;
        let path = entry.path()?.into_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_blob = name.starts_with("nv-kernel") && name.ends_with(".o_binary");
        if !is_blob || !entry.header().entry_type().is_file() {
            continue;
        }
        let file = all(entry)?;
        if is_x86_64(&file) {
            return Ok(file);
        }
        foreign.get_or_insert(file);
    }
    foreign.context("there is no nv-kernel*.o_binary in it (the package with the driver's kernel module source has it)")
}

/// Whether an ELF header names the one machine that the module is for.
fn is_x86_64(file: &[u8]) -> bool {
    file.starts_with(ELF) && file.get(18..20) == Some(&object::elf::EM_X86_64.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn elf(machine: u16, tail: &str) -> Vec<u8> {
        let mut bytes = ELF.to_vec();
        bytes.resize(18, 0);
        bytes.extend(machine.to_le_bytes());
        bytes.extend(tail.as_bytes());
        bytes
    }

    fn tarball(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, path, *content).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn package(data_name: &str, data: &[u8]) -> Vec<u8> {
        let mut ar = ar::Builder::new(Vec::new());
        for (name, content) in [("debian-binary", b"2.0\n".as_slice()), (data_name, data)] {
            let header = ar::Header::new(name.into(), content.len() as u64);
            ar.append(&header, content).unwrap();
        }
        ar.into_inner().unwrap()
    }

    fn read_bytes(bytes: &[u8]) -> Result<Vec<u8>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        object_file(file.path())
    }

    fn complaint(bytes: &[u8]) -> String {
        format!("{:#}", read_bytes(bytes).unwrap_err())
    }

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).unwrap()
    }

    #[test]
    fn a_package_gives_its_x86_64_blob_whatever_it_is_packed_with() {
        let wanted = elf(62, "wanted");
        let tar = tarball(&[
            ("./usr/src/x/nvidia/nv-kernel-arm64.o_binary", &elf(183, "arm64")),
            ("./usr/src/x/nvidia/nv-modeset-kernel.o_binary", &elf(62, "modeset")),
            ("./usr/src/x/nvidia/nv-kernel-amd64.o_binary", &wanted),
        ]);
        for (name, data) in [
            ("data.tar", tar.clone()),
            ("data.tar.xz", xz(&tar)),
            ("data.tar.zst", zstd(&tar)),
            ("data.tar.gz", gzip(&tar)),
        ] {
            assert_eq!(read_bytes(&package(name, &data)).unwrap(), wanted, "{name}");
        }
    }

    #[test]
    fn a_package_for_another_machine_gives_what_it_has() {
        let arm = elf(183, "");
        let tar = tarball(&[("./usr/src/x/nvidia/nv-kernel.o_binary", &arm)]);
        assert_eq!(read_bytes(&package("data.tar", &tar)).unwrap(), arm);
    }

    #[test]
    fn a_compressed_module_is_unpacked() {
        let module = elf(62, "module");
        for packed in [xz(&module), zstd(&module), gzip(&module)] {
            assert_eq!(read_bytes(&packed).unwrap(), module);
        }
    }

    #[test]
    fn what_holds_no_driver_is_refused_with_the_reason() {
        assert!(complaint(b"").ends_with("the file is empty"));
        assert!(complaint(b"#!/bin/sh\n").contains("neither an ELF object file"));
        assert!(complaint(&xz(b"#!/bin/sh\n")).contains("no ELF object file"));
        assert!(complaint(AR).contains("not a Debian package"));
        let without = tarball(&[("./usr/share/doc/copyright", b"text")]);
        assert!(complaint(&package("data.tar", &without)).contains("no nv-kernel*.o_binary"));
        assert!(complaint(&package("data.tar.lz", &without)).contains("data.tar.lz"));
    }

    #[test]
    fn cut_off_files_are_refused_at_every_length() {
        let tar = tarball(&[("./nv-kernel.o_binary", &elf(62, &"x".repeat(2000)))]);
        let whole = package("data.tar.xz", &xz(&tar));
        // Any prefix ends in the middle of the blob's own compressed bytes, or before them.
        for len in 8..whole.len() / 2 {
            assert!(read_bytes(&whole[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn a_directory_and_a_missing_file_are_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(format!("{:#}", object_file(dir.path()).unwrap_err()).contains("directory"));
        let missing = dir.path().join("nvidia.ko");
        let complaint = format!("{:#}", object_file(&missing).unwrap_err());
        assert!(complaint.contains("nvidia.ko") && complaint.contains("No such file"));
    }
}
