// SPDX-License-Identifier: GPL-2.0
//! A made-up host, built file by file below a temporary directory.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use object::{Architecture, BinaryFormat, Endianness, SectionKind, write};
use tempfile::TempDir;

use super::Host;

/// The files of a host that exists in a test only; none at first.
pub struct MadeUp {
    dir: TempDir,
    refused: Vec<String>,
}

impl Default for MadeUp {
    fn default() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), refused: vec![] }
    }
}

impl MadeUp {
    /// Writes a file, with the directories above it.
    pub fn file(&mut self, path: &str, content: impl AsRef<[u8]>) -> &mut Self {
        let path = self.place(path);
        fs::write(path, content).unwrap();
        self
    }

    /// Adds to a file.
    pub fn append(&mut self, path: &str, content: &str) -> &mut Self {
        let old = fs::read_to_string(self.path(path)).unwrap_or_default();
        self.file(path, old + content)
    }

    /// Makes a directory.
    pub fn dir(&mut self, path: &str) -> &mut Self {
        fs::create_dir_all(self.path(path)).unwrap();
        self
    }

    /// Makes a symbolic link, or another one of the one that is there.
    pub fn link(&mut self, path: &str, target: &str) -> &mut Self {
        let path = self.place(path);
        let _ = fs::remove_file(&path);
        symlink(target, path).unwrap();
        self
    }

    /// Takes a file, a link or a whole directory away. There has to be one.
    pub fn remove(&mut self, path: &str) -> &mut Self {
        let path = self.path(path);
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        self
    }

    /// Has everything below `path` refused, as the kernel refuses it to who is not root.
    pub fn refuse(&mut self, path: &str) -> &mut Self {
        self.refused.push(path.to_owned());
        self
    }

    /// The host, to be asked.
    pub fn host(&self) -> Host {
        let mut host = Host::below(self.dir.path()).unwrap();
        host.refused.clone_from(&self.refused);
        host
    }

    /// Where a file of it really lies.
    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path.trim_start_matches('/'))
    }

    fn place(&self, path: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }
}

/// A kernel module that has nothing but these words about itself.
pub fn module(info: &str, signed: bool) -> Vec<u8> {
    let mut object =
        write::Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let section = object.add_section(vec![], b".modinfo".to_vec(), SectionKind::ReadOnlyData);
    object.append_section_data(section, info.as_bytes(), 1);
    let mut bytes = object.write().unwrap();
    if signed {
        bytes.extend(b"signature~Module signature appended~\n");
    }
    bytes
}
