// SPDX-License-Identifier: GPL-2.0
//! The kernel's own modules that ours depend on.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{kernel::Prepared, sh};

/// The name that a module's file has in the guest.
///
/// # Errors
/// It has no name.
pub fn file_name(module: &Path) -> Result<String> {
    let name = module.file_name().with_context(|| format!("{} has no name", module.display()))?;
    Ok(name.to_string_lossy().into_owned())
}

/// A module's name: its file's, up to the first dot.
///
/// # Errors
/// It has no name.
pub fn name(module: &Path) -> Result<String> {
    let name = file_name(module)?;
    Ok(name.split('.').next().unwrap_or_default().replace('-', "_"))
}

/// What `modules` need of the kernel's, and its modules `besides`, each behind those that it needs itself.
/// Where they need one another, that is left out.
///
/// # Errors
/// The kernel has no such module.
pub fn dependencies(
    kernel: &Prepared,
    modules: &[PathBuf],
    besides: &[&str],
) -> Result<Vec<PathBuf>> {
    let dir = kernel.modules_dir.join("lib/modules").join(&kernel.release);
    let list = dir.join("modules.dep");
    let text = fs::read_to_string(&list).with_context(|| format!("reading {}", list.display()))?;
    let available = parse(&text);
    let ours: Vec<String> = modules.iter().map(|module| name(module)).collect::<Result<_>>()?;
    let mut found = vec![];
    let mut add = |needed: &str, by: &str| {
        let line = available
            .get(needed)
            .with_context(|| format!("{by} needs {needed}, which {} has not", kernel.release))?;
        // Each file is followed by what it needs, the most basic one last.
        for file in line.iter().rev() {
            let file = dir.join(file);
            if !found.contains(&file) {
                found.push(file);
            }
        }
        anyhow::Ok(())
    };
    for module in besides {
        add(module, "the scenario")?;
    }
    for module in modules {
        let names = sh::output(Command::new("modinfo").args(["-F", "depends"]).arg(module))?;
        let needed = |name: &&str| !name.is_empty() && !ours.iter().any(|ours| ours == name);
        for needed in names.trim().split(',').filter(needed) {
            add(needed, &module.display().to_string())?;
        }
    }
    Ok(found)
}

/// By name: a module's file and those that it needs.
fn parse(modules_dep: &str) -> HashMap<String, Vec<&str>> {
    modules_dep
        .lines()
        .filter_map(|line| {
            let (file, needed) = line.split_once(':')?;
            let name = name(Path::new(file)).ok()?;
            Some((name, std::iter::once(file).chain(needed.split_whitespace()).collect()))
        })
        .collect()
}

/// The bytes of a module, which may be compressed.
///
/// # Errors
/// It cannot be read or decompressed.
pub fn decompressed(module: &Path) -> Result<Vec<u8>> {
    let program = match module.extension().and_then(|extension| extension.to_str()) {
        Some("ko") => {
            return fs::read(module).with_context(|| format!("reading {}", module.display()));
        }
        Some("xz") => "xz",
        Some("zst") => "zstd",
        Some("gz") => "gzip",
        _ => bail!("{} is compressed in an unknown way", module.display()),
    };
    let mut command = Command::new(program);
    command.arg("-dcq").arg(module);
    let out = command.output().with_context(|| format!("starting {command:?}"))?;
    if !out.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(out.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_dep_is_read_by_module_name() {
        let text = "kernel/a/drm-kms.ko.xz: kernel/b/drm.ko.xz kernel/c/base.ko.xz\n\
                    kernel/b/drm.ko.xz: kernel/c/base.ko.xz\n";
        let parsed = parse(text);
        assert_eq!(
            parsed["drm_kms"],
            ["kernel/a/drm-kms.ko.xz", "kernel/b/drm.ko.xz", "kernel/c/base.ko.xz"]
        );
        assert_eq!(parsed.len(), 2);
    }
}
