// SPDX-License-Identifier: GPL-2.0
//! Programs of the root's that the guest starts: they come with the libraries that they need.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::initramfs::Initramfs;
use crate::sh;

/// Adds `program`, its libraries and its loader under the paths that they have here.
///
/// # Errors
/// It is not there, or a library that it needs is not.
pub fn add(image: &mut Initramfs, program: &Path) -> Result<()> {
    add_below(image, Path::new("/"), program)
}

/// The same of a program in packages that were unpacked below `root`: what lies there, libraries too, gets the
/// path that it has there.
///
/// # Errors
/// As [`add`].
pub fn add_below(image: &mut Initramfs, root: &Path, program: &Path) -> Result<()> {
    let mut files = needed(root, program)?;
    files.push(program.to_owned());
    add_files(image, root, &files)
}

/// The same of a program, or a library, that was built and gets the path `path`.
///
/// # Errors
/// As [`add`].
pub fn add_as(image: &mut Initramfs, path: &str, program: &Path) -> Result<()> {
    let root = Path::new("/");
    add_files(image, root, &needed(root, program)?)?;
    image.add(path, program)
}

fn needed(root: &Path, program: &Path) -> Result<Vec<PathBuf>> {
    let mut ldd = Command::new("ldd");
    ldd.env("LD_LIBRARY_PATH", root.join(LIBRARIES)).arg(program);
    let list = sh::output(&mut ldd)
        .with_context(|| format!("looking for the libraries of {}", program.display()))?;
    libraries(&list)
}

fn add_files(image: &mut Initramfs, root: &Path, files: &[PathBuf]) -> Result<()> {
    for file in files {
        let path = file.strip_prefix(root).or_else(|_| file.strip_prefix("/")).unwrap_or(file);
        let path = path.to_str().with_context(|| format!("the name of {}", file.display()))?;
        if !image.contains(path) {
            image.add(path, file)?;
        }
    }
    Ok(())
}

/// Where libraries are.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// The files in a list of `ldd`'s.
fn libraries(list: &str) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    for line in list.lines().map(str::trim) {
        ensure!(!line.ends_with("not found"), "{line}");
        // "name => file (address)", or "file (address)"; the kernel's own has no file.
        let file = line.rsplit_once("=> ").map_or(line, |(_, file)| file);
        let file = file.split(" (").next().unwrap_or(file);
        if file.starts_with('/') {
            files.push(PathBuf::from(file));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_libraries_is_read() {
        let list = "\tlinux-vdso.so.1 (0x00007f87dca88000)\n\
                    \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f87dc40c000)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f87dca8a000)\n";
        let files = libraries(list).unwrap();
        let expected = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"];
        assert_eq!(files, expected.map(PathBuf::from));
        assert!(libraries("\tlibx.so.1 => not found\n").is_err());
        assert_eq!(libraries("\tstatically linked\n").unwrap(), Vec::<PathBuf>::new());
    }
}
