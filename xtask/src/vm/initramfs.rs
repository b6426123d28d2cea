// SPDX-License-Identifier: GPL-2.0
//! An initramfs: a cpio archive in the "newc" format.
//!
//! It is not compressed: QEMU hands it over in memory, and the emulated CPU would spend seconds on
//! unpacking what the host packs in one.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result};

const DIRECTORY: u32 = 0o040_755;
const EXECUTABLE: u32 = 0o100_755;

/// Files, in the order in which they were added.
#[derive(Default)]
pub struct Initramfs {
    files: Vec<(String, Vec<u8>)>,
}

impl Initramfs {
    /// Without any file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a copy of `from` as `path`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn add(&mut self, path: &str, from: &Path) -> Result<()> {
        let bytes = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
        self.add_bytes(path, bytes);
        Ok(())
    }

    /// Adds `bytes` as `path`.
    pub fn add_bytes(&mut self, path: &str, bytes: Vec<u8>) {
        self.files.push((path.to_owned(), bytes));
    }

    /// Whether there is a file `path`.
    pub fn contains(&self, path: &str) -> bool {
        self.files.iter().any(|(file, _)| file == path)
    }

    /// Writes the archive.
    ///
    /// # Errors
    /// `to` cannot be written.
    pub fn write(&self, to: &Path) -> Result<()> {
        let file = File::create(to).with_context(|| format!("creating {}", to.display()))?;
        let mut archive = BufWriter::new(file);
        self.write_to(&mut archive).with_context(|| format!("writing {}", to.display()))
    }

    fn write_to(&self, archive: &mut impl Write) -> Result<()> {
        let mut number = 0;
        let mut entry = |path: &str, mode: u32, data: &[u8]| {
            number += 1;
            write_entry(archive, number, path, mode, data)
        };
        for directory in self.directories() {
            entry(directory, DIRECTORY, &[])?;
        }
        for (path, data) in &self.files {
            entry(path, EXECUTABLE, data)?;
        }
        entry("TRAILER!!!", 0, &[])?;
        archive.flush().context("flushing")
    }

    /// All directories of the files, and the one that the console needs before anything is mounted.
    fn directories(&self) -> BTreeSet<&str> {
        let mut directories = BTreeSet::from(["dev"]);
        for (path, _) in &self.files {
            directories.extend(path.match_indices('/').map(|(end, _)| &path[..end]));
        }
        directories
    }
}

fn write_entry(
    archive: &mut impl Write,
    number: u32,
    path: &str,
    mode: u32,
    data: &[u8],
) -> Result<()> {
    let size = u32::try_from(data.len()).with_context(|| format!("{path} is too large"))?;
    let name_size = path.len() as u32 + 1;
    // Inode, mode, owner, group, links, time, size, four device numbers, name size, checksum.
    let fields = [number, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
    let mut header = b"070701".to_vec();
    for field in fields {
        write!(header, "{field:08x}")?;
    }
    header.extend_from_slice(path.as_bytes());
    header.push(0);
    header.resize(header.len().next_multiple_of(4), 0);
    archive.write_all(&header)?;
    archive.write_all(data)?;
    archive.write_all(&[0; 3][..data.len().next_multiple_of(4) - data.len()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_come_before_the_files_in_them() {
        let mut image = Initramfs::new();
        image.add_bytes("a/b/c", vec![1, 2, 3]);
        let mut archive = vec![];
        image.write_to(&mut archive).unwrap();
        assert_eq!(archive.len() % 4, 0);
        let text = String::from_utf8_lossy(&archive);
        let names: Vec<&str> = text
            .split("070701")
            .skip(1)
            .map(|entry| entry[104..].split('\0').next().unwrap())
            .collect();
        assert_eq!(names, ["a", "a/b", "dev", "a/b/c", "TRAILER!!!"]);
    }
}
