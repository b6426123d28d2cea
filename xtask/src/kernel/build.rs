// SPDX-License-Identifier: GPL-2.0
//! Building modules with the script that DKMS uses, in copies of their sources: one per kernel,
//! since kbuild before 6.13 writes its objects next to them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use object::{File, Object, ObjectSection};

use super::{Prepared, warnings::warnings};
use crate::{dirs, paths, sh};

/// In a copy of sources: all that counted when it was built.
const BUILT_WITH: &str = ".built-with";

/// Builds our module and returns the path of its `.ko`.
///
/// # Errors
/// It does not compile, or not without a warning; the compiler's words are in the error.
pub fn module(kernel: &Prepared) -> Result<PathBuf> {
    module_in(kernel, &directory(kernel, "vgpu_unlock"))
}

/// As [`module`], in a directory of its own.
///
/// # Errors
/// As [`module`].
pub fn module_in(kernel: &Prepared, dir: &Path) -> Result<PathBuf> {
    copy(kernel, dir, &paths::repo(), &["Kbuild", "module/src", "module/kernel/src"])?;
    make(kernel, dir)?;
    Ok(dir.join("module/src/vgpu_unlock.ko"))
}

/// Builds the C modules of `source`, a directory with a Kbuild file, and returns their paths.
///
/// # Errors
/// As [`module`].
pub fn c_modules(kernel: &Prepared, source: &Path) -> Result<Vec<PathBuf>> {
    let name = source.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{} has no name", source.display()))?;
    let dir = directory(kernel, name);
    copy(kernel, &dir, source, &["."])?;
    make(kernel, &dir)?;
    let mut modules: Vec<PathBuf> = files(&dir)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "ko"))
        .collect();
    modules.sort();
    Ok(modules)
}

/// Bytes of code and constants in a module.
///
/// # Errors
/// It cannot be read.
pub fn size(module: &Path) -> Result<u64> {
    let bytes = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    let file = File::parse(&*bytes).with_context(|| format!("reading {}", module.display()))?;
    let counts = |name: &str| name.starts_with(".text") || name.starts_with(".rodata");
    let sections = file.sections().filter(|section| section.name().is_ok_and(counts));
    Ok(sections.map(|section| section.size()).sum())
}

/// How a build as a user's machine does it went.
#[derive(Debug)]
pub struct Measured {
    /// The kernel, prepared.
    pub kernel: Prepared,
    /// Seconds where nothing was there before.
    pub cold: u64,
    /// Seconds where the runtime had been kept.
    pub warm: u64,
    /// Bytes of code and constants.
    pub size: u64,
}

/// Builds our module below the empty directory `dir`, from nothing and with the runtime kept.
///
/// # Errors
/// As [`module`], and those of `prepare`.
pub fn measured(dir: &Path, prepare: &dyn Fn() -> Result<Prepared>) -> Result<Measured> {
    let timed = |name: &str| {
        let started = Instant::now();
        let kernel = prepare()?;
        let module = module_in(&kernel, &dir.join(name))?;
        anyhow::Ok((kernel, module, started.elapsed().as_secs_f64().round() as u64))
    };
    let (_, _, cold) = timed("cold")?;
    let (kernel, module, warm) = timed("warm")?;
    Ok(Measured { kernel, cold, warm, size: size(&module)? })
}

fn make(kernel: &Prepared, dir: &Path) -> Result<()> {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let _bar = sh::progress(&format!("building {name} for {}", kernel.release));
    let mut build = kernel.target.root.command("scripts/build-module")?;
    let log = dir.with_extension("log");
    sh::run_logged(build.arg(&kernel.runtime).arg(dir), &log)?;
    let text = fs::read_to_string(&log).with_context(|| format!("reading {}", log.display()))?;
    let warnings = warnings(&text);
    if !warnings.is_empty() {
        // What is built already, make would not build again, and not warn of.
        let built_with = dir.join(BUILT_WITH);
        fs::remove_file(&built_with)
            .with_context(|| format!("removing {}", built_with.display()))?;
        bail!("building {name} for {}:\n{}", kernel.target.name, warnings.join("\n"));
    }
    Ok(())
}

fn directory(kernel: &Prepared, name: &str) -> PathBuf {
    kernel.builds.join(name)
}

/// Brings the copy `dir` of `parts` below `from` up to date. Unchanged files keep their time, so that
/// make does no more than it has to.
fn copy(kernel: &Prepared, dir: &Path, from: &Path, parts: &[&str]) -> Result<()> {
    // Another kernel, another compiler: nothing that was built before counts.
    let inputs = kernel.inputs();
    let built_with = dir.join(BUILT_WITH);
    if fs::read_to_string(&built_with).ok().as_ref() != Some(&inputs) {
        dirs::remove(dir)?;
    }
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    fs::write(&built_with, inputs)?;

    let mut sources = BTreeSet::new();
    for part in parts {
        for path in files(&from.join(part))? {
            sources.insert(path.strip_prefix(from)?.to_owned());
        }
    }
    let list = dir.join(".sources");
    for old in fs::read_to_string(&list).unwrap_or_default().lines().map(Path::new) {
        if !sources.contains(old) {
            // It may be gone already; all that counts is that it does not stay.
            let _ = fs::remove_file(dir.join(old));
        }
    }
    for source in &sources {
        dirs::update(&from.join(source), &dir.join(source))?;
    }
    let names: Vec<_> = sources.iter().map(|path| path.display().to_string()).collect();
    fs::write(&list, names.join("\n"))?;
    Ok(())
}

/// All files at and below `path`.
///
/// # Errors
/// A directory cannot be read, or has something else in it.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let entries = fs::read_dir(path).with_context(|| format!("reading {}", path.display()))?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(files(&entry.path())?);
        } else if kind.is_file() {
            found.push(entry.path());
        } else {
            bail!("{} is neither a file nor a directory", entry.path().display());
        }
    }
    Ok(found)
}
