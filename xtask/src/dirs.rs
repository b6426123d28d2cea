// SPDX-License-Identifier: GPL-2.0
//! Directories that are made anew, and copies that are brought up to date.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// Removes `dir` with all that is in it, if it is there.
///
/// # Errors
/// It can't be removed.
pub fn remove(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("removing {}", dir.display()))?;
    }
    Ok(())
}

/// Makes `dir` an empty directory.
///
/// # Errors
/// What is there can't be removed, or it can't be made.
pub fn empty(dir: &Path) -> Result<()> {
    remove(dir)?;
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))
}

/// Makes the file `to` what `from` is. One that is the same already keeps its time, so that nothing is built anew
/// because of it.
///
/// # Errors
/// One can't be read, or the other not be written.
pub fn update(from: &Path, to: &Path) -> Result<()> {
    let new = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
    }
    // With its mode: there are programs among them.
    fs::copy(from, to).with_context(|| format!("writing {}", to.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_is_gone() {
        let dir = std::env::temp_dir().join(format!("vgpu-unlock-dirs-{}", std::process::id()));
        for _ in 0..2 {
            empty(&dir.join("a/b")).unwrap();
            assert_eq!(fs::read_dir(dir.join("a/b")).unwrap().count(), 0);
            fs::write(dir.join("a/b/c"), "").unwrap();
        }
        remove(&dir).unwrap();
        assert!(!dir.exists());
        remove(&dir).unwrap();
    }
}
