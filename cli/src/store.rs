// SPDX-License-Identifier: GPL-2.0
//! Writes files of the user's: whole or not at all.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was written.
    Written,
    /// It had that text before.
    Same,
}

/// Writes a file. One that has another text is replaced only with `replace`; its permissions stay.
///
/// # Errors
/// It has another text, or it cannot be read or written; nothing is changed then.
pub fn put(path: &Path, text: &str, replace: bool) -> Result<Put> {
    let shown = path.display();
    // A link stays, and what it points to is written.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let before = match fs::metadata(&target) {
        Ok(metadata) if !metadata.is_file() => {
            fs::write(&target, text).with_context(|| format!("writing {shown}"))?;
            return Ok(Put::Written);
        }
        Ok(metadata) => {
            let old = fs::read(&target).with_context(|| format!("reading {shown}"))?;
            if old == text.as_bytes() {
                return Ok(Put::Same);
            }
            if !replace {
                bail!(
                    "{shown} is there and says something else: nothing was written; --force replaces it"
                );
            }
            Some(metadata.permissions())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("reading {shown}")),
    };
    let (dir, name) = match (target.parent(), target.file_name()) {
        (Some(dir), Some(name)) if !dir.as_os_str().is_empty() => (dir, name),
        (_, Some(name)) => (Path::new("."), name),
        _ => bail!("{shown} is no name for a file"),
    };
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    // In the same directory, so that renaming it is one step.
    let new = dir.join(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    let written = (|| {
        let mut file = fs::File::create_new(&new)?;
        file.write_all(text.as_bytes())?;
        if let Some(permissions) = before {
            file.set_permissions(permissions)?;
        }
        file.sync_all()?;
        fs::rename(&new, &target)
    })();
    if written.is_err() {
        // The error is what counts.
        let _ = fs::remove_file(&new);
    }
    written.with_context(|| format!("writing {shown}"))?;
    Ok(Put::Written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_says_something_else_is_replaced_on_demand_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/overrides.toml");
        assert_eq!(put(&path, "a", false).unwrap(), Put::Written);
        assert_eq!(put(&path, "a", false).unwrap(), Put::Same);
        let error = put(&path, "b", false).unwrap_err().to_string();
        assert!(error.contains("--force replaces it"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "a");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(put(&path, "b", true).unwrap(), Put::Written);
        assert_eq!(fs::read_to_string(&path).unwrap(), "b");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(path.parent().unwrap()), ["overrides.toml"]);
    }

    #[test]
    fn links_stay_and_what_cannot_be_written_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "a").unwrap();
        symlink(&file, &link).unwrap();
        put(&link, "b", true).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "b");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(put(&file.join("below"), "c", true).is_err());
        assert!(put(Path::new("/"), "c", true).is_err());
        assert_eq!(names(dir.path()), ["file", "link"]);
        assert_eq!(put(Path::new("/dev/null"), "c", false).unwrap(), Put::Written);
    }
}
