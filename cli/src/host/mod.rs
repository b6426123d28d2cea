// SPDX-License-Identifier: GPL-2.0
//! The host that is asked about: the running one, or one whose files lie below a directory.
//!
//! Everything is read through [`Host`], so that a made-up host is enough for a test, and so that
//! what could not be read is told apart from what is not there.

mod boot;
mod distribution;
pub mod journal;
mod kernel;
mod modprobe;
mod module_info;
mod pci;
mod process;
mod unit;

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

pub use distribution::Distribution;
pub use kernel::Kernel;
pub use modprobe::{Directive, directives, modules_load};
pub use module_info::ModuleInfo;
pub use pci::{Board, boards};
pub use process::{Process, processes};
pub use unit::{is_enabled, is_installed};

/// Where files are read and whether commands may be run.
#[derive(Debug)]
pub struct Host {
    root: PathBuf,
    /// Files lie below a directory, and belong to no kernel that runs.
    made_up: bool,
    /// Paths that are refused as the kernel refuses them to users; tests run as root.
    #[cfg(test)]
    pub(crate) refused: Vec<String>,
}

/// What kept us from looking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// What was to be read.
    pub what: String,
    /// The kernel's words, or ours.
    pub why: String,
    /// Root could have read it.
    pub needs_root: bool,
}

/// What was read, or why nothing was.
pub type Seen<T> = Result<T, Unseen>;

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)?;
        if self.needs_root { f.write_str(" (needs root)") } else { Ok(()) }
    }
}

impl Unseen {
    fn of(path: &str, error: &io::Error) -> Self {
        let needs_root = error.kind() == ErrorKind::PermissionDenied;
        Self { what: path.to_owned(), why: error.to_string(), needs_root }
    }
}

impl Host {
    /// The host that this program runs on.
    pub fn running() -> Self {
        Self::at(PathBuf::from("/"), false)
    }

    /// A host whose files lie below `root`. No command is run for it.
    ///
    /// # Errors
    /// `root` is no directory.
    pub fn below(root: &Path) -> Result<Self> {
        ensure!(root.is_dir(), "--root {}: there is no such directory", root.display());
        Ok(Self::at(root.to_owned(), true))
    }

    /// The one below `root` where that is given, else the running one.
    ///
    /// # Errors
    /// `root` is no directory.
    pub fn chosen(root: Option<&Path>) -> Result<Self> {
        root.map_or_else(|| Ok(Self::running()), Self::below)
    }

    fn at(root: PathBuf, made_up: bool) -> Self {
        Self {
            root,
            made_up,
            #[cfg(test)]
            refused: vec![],
        }
    }

    /// Whether no command may be run for it.
    pub fn is_made_up(&self) -> bool {
        self.made_up
    }

    /// Where `path`, which is absolute on the host, really lies.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The bytes of a file; `None` where there is none.
    ///
    /// # Errors
    /// There is something, but it can't be read.
    pub fn read(&self, path: &str) -> Seen<Option<Vec<u8>>> {
        self.ask(path, |path| fs::read(path))
    }

    /// The text of a file, whatever stands in it.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn text(&self, path: &str) -> Seen<Option<String>> {
        Ok(self.read(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The text of a file without white space around it, as files in sysfs want to be read.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn line(&self, path: &str) -> Seen<Option<String>> {
        Ok(self.text(path)?.map(|text| text.trim().to_owned()))
    }

    /// The names in a directory, in order; none where there is no directory.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn names(&self, path: &str) -> Seen<Vec<String>> {
        let names = self.ask(path, |path| {
            fs::read_dir(path)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<Vec<_>>>()
        })?;
        let mut names = names.unwrap_or_default();
        names.sort_unstable();
        Ok(names)
    }

    /// Whether there is anything of this name; a link that leads nowhere is something.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn exists(&self, path: &str) -> Seen<bool> {
        Ok(self.ask(path, |path| fs::symlink_metadata(path))?.is_some())
    }

    /// The last part of where a symbolic link leads: a device's driver, for one. `None` where there
    /// is no link.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn link_name(&self, path: &str) -> Seen<Option<String>> {
        let target = self.ask(path, |path| match fs::read_link(path) {
            // It is something else.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(None),
            target => target.map(Some),
        })?;
        let target = target.flatten();
        Ok(target.and_then(|target| Some(target.file_name()?.to_string_lossy().into_owned())))
    }

    /// Whether a program is installed.
    pub fn has_program(&self, name: &str) -> bool {
        // A directory that can't be read has no program for us either.
        ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
            .iter()
            .any(|dir| self.exists(&format!("{dir}/{name}")).unwrap_or(false))
    }

    /// Whether a package of ours is installed, as far as pacman's files or the package's own tell: each has its
    /// copyright where Debian wants it, or its licence where RPM does, and what is removed has neither.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn has_package(&self, name: &str) -> Seen<bool> {
        let is_it = |entry: &String| {
            let version = entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
            version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        };
        Ok(self.exists(&format!("/usr/share/doc/{name}/copyright"))?
            || self.names("/var/lib/pacman/local")?.iter().any(is_it)
            || self.exists(&format!("/usr/share/licenses/{name}"))?)
    }

    /// Whether we are root, as far as files go. A made-up host is read as it is.
    pub fn is_root(&self) -> bool {
        if self.made_up {
            return true;
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        uids.and_then(|uids| uids.split_whitespace().nth(1)) == Some("0")
    }

    fn ask<T>(&self, path: &str, f: impl FnOnce(&Path) -> io::Result<T>) -> Seen<Option<T>> {
        #[cfg(test)]
        if self.refused.iter().any(|refused| path.starts_with(refused.as_str())) {
            return Err(Unseen::of(path, &io::Error::from(ErrorKind::PermissionDenied)));
        }
        match f(&self.path(path)) {
            Ok(it) => Ok(Some(it)),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(Unseen::of(path, &error)),
        }
    }
}

#[cfg(test)]
pub mod made_up;

#[cfg(test)]
mod tests {
    use super::made_up::MadeUp;
    use super::*;

    #[test]
    fn packages_are_told_by_what_each_manager_leaves() {
        for (file, there) in [
            ("/usr/share/doc/vgpu-unlock/copyright", true),
            // Removed, and not purged.
            ("/var/lib/dpkg/info/vgpu-unlock.list", false),
            ("/usr/share/doc/vgpu-unlock-dkms/copyright", false),
            ("/var/lib/pacman/local/vgpu-unlock-0.1.0-1/desc", true),
            ("/var/lib/pacman/local/vgpu-unlock-dkms-0.1.0-1/desc", false),
            ("/usr/share/licenses/vgpu-unlock/LICENSE", true),
            ("/usr/bin/vgpu-unlock", false),
        ] {
            let mut made_up = MadeUp::default();
            made_up.file(file, "");
            assert_eq!(made_up.host().has_package("vgpu-unlock"), Ok(there), "{file}");
        }
    }

    #[test]
    fn what_is_not_there_is_told_apart_from_what_cannot_be_read() {
        let mut made_up = MadeUp::default();
        made_up.file("/a/b", "text\n").link("/a/driver", "../../bus/pci/drivers/nvidia");
        made_up.refuse("/secret");
        let host = made_up.host();
        assert_eq!(host.line("/a/b"), Ok(Some("text".into())));
        assert_eq!(host.text("/a/c"), Ok(None));
        assert_eq!(host.text("/a/b/c"), Ok(None));
        assert_eq!(host.names("/a"), Ok(vec!["b".into(), "driver".into()]));
        assert_eq!(host.names("/none"), Ok(vec![]));
        assert_eq!(host.exists("/a/driver"), Ok(true));
        assert_eq!(host.link_name("/a/driver"), Ok(Some("nvidia".into())));
        assert_eq!(host.link_name("/a/b"), Ok(None));
        assert!(!host.text("/a").unwrap_err().needs_root);
        let refused = host.text("/secret/file").unwrap_err();
        assert!(refused.needs_root);
        assert_eq!(refused.to_string(), "/secret/file: permission denied (needs root)");
        assert!(Host::below(Path::new("/there/is/none")).is_err());
    }
}
