// SPDX-License-Identifier: GPL-2.0
//! Debian packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::tree;
use crate::{dirs, root::Root, sh};

/// The version that everything here has.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// One that is higher, which nothing has: what an upgrade is tested with.
const NEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "+next");

/// The binary and source packages of what is committed. They are built twice, in different directories, and have
/// to come out the same; lintian has to be content.
///
/// # Errors
/// They can't be built, differ, or are not as packages have to be.
pub fn debs() -> Result<Vec<PathBuf>> {
    let (room, wanted) = (tree::room(), tree::commit()?);
    if tree::has_more()? {
        eprintln!("what is not committed is not in the packages");
    }
    let stamp = room.join("stamp");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return made(&room.join("one"));
    }
    if stamp.exists() {
        fs::remove_file(&stamp).with_context(|| format!("removing {}", stamp.display()))?;
    }
    tree::fetch_crates()?;
    for name in ["one", "two"] {
        let dir = room.join(name);
        dirs::empty(&dir)?;
        let sources = dir.join(format!("vgpu-unlock-{VERSION}"));
        tree::export(&wanted, &sources)?;
        build(name, &sources, &[])?;
    }
    let (one, two) = (made(&room.join("one"))?, made(&room.join("two"))?);
    compare(&one, &two)?;
    lint(&room.join("one"))?;
    fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
    Ok(one)
}

/// The binary packages of the same with a higher version. [`debs`] were made before.
///
/// # Errors
/// They can't be built.
pub fn next() -> Result<Vec<PathBuf>> {
    let room = tree::room();
    let dir = room.join("next");
    let sources = dir.join(format!("vgpu-unlock-{NEXT}"));
    let stamp = dir.join("stamp");
    let wanted = tree::commit()?;
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return made(&dir);
    }
    dirs::empty(&dir)?;
    tree::export(&wanted, &sources)?;
    renumber(&sources)?;
    // What was compiled of other people's crates is the same.
    let compiled = room.join("two").join(format!("vgpu-unlock-{VERSION}/debian/target"));
    sh::output(Command::new("cp").arg("-a").arg(&compiled).arg(sources.join("debian")))?;
    build("next", &sources, &["--build=binary", "--no-pre-clean"])?;
    fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
    made(&dir)
}

/// Gives a tree the higher version, wherever the tidy test wants the version to be the same.
fn renumber(sources: &Path) -> Result<()> {
    for file in ["Cargo.toml", "dkms.conf", "module/src/unlock/report.rs", "debian/changelog"] {
        let path = sources.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {file}"))?;
        let marks = [("\"", "\""), ("(", ")")];
        let text = marks.iter().fold(text, |text, (left, right)| {
            text.replace(&format!("{left}{VERSION}{right}"), &format!("{left}{NEXT}{right}"))
        });
        fs::write(&path, text).with_context(|| format!("writing {file}"))?;
    }
    let mut cargo = Command::new("cargo");
    sh::output(cargo.current_dir(sources).args(["update", "--quiet", "--offline", "--workspace"]))
        .map(drop)
}

fn build(name: &str, sources: &Path, options: &[&str]) -> Result<()> {
    let _bar = sh::progress(&format!("building the Debian packages: {name}"));
    let mut command = Root::Packages.program("env")?;
    command
        .args(["CARGO_NET_OFFLINE=true", "dpkg-buildpackage", "--no-sign"])
        .args(options)
        .current_dir(sources);
    sh::run_logged(&mut command, &tree::room().join(format!("{name}.log")))
}

/// The packages in a directory: what users get, and what is the same whoever builds it.
fn made(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut packages = vec![];
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let path = entry?.path();
        let kind = path.extension().unwrap_or_default();
        if ["deb", "dsc", "xz"].iter().any(|known| kind == *known) {
            packages.push(path);
        }
    }
    packages.sort();
    Ok(packages)
}

fn compare(one: &[PathBuf], two: &[PathBuf]) -> Result<()> {
    let names = |paths: &[PathBuf]| -> Vec<_> {
        paths.iter().map(|path| path.file_name().map(ToOwned::to_owned)).collect()
    };
    ensure!(names(one) == names(two), "two builds made different packages: {one:?}, {two:?}");
    for (one, two) in one.iter().zip(two) {
        let read =
            |path: &Path| fs::read(path).with_context(|| format!("reading {}", path.display()));
        ensure!(
            read(one)? == read(two)?,
            "two builds of the same differ: {} and {}",
            one.display(),
            two.display()
        );
    }
    Ok(())
}

fn lint(dir: &Path) -> Result<()> {
    let _bar = sh::progress("lintian");
    let changes = dir.join(format!("vgpu-unlock_{VERSION}_amd64.changes"));
    let mut lintian = Root::Packages.program("lintian")?;
    lintian
        .args(["--allow-root", "--display-info", "--fail-on", "error,warning,info"])
        .arg(changes);
    sh::run_logged(&mut lintian, &tree::room().join("lintian.log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_that_differs_is_noticed() {
        let dir = std::env::temp_dir().join(format!("vgpu-unlock-packages.{}", std::process::id()));
        let build = |name: &str, files: &[(&str, &str)]| {
            let dir = dir.join(name);
            fs::create_dir_all(&dir).unwrap();
            for (name, text) in files {
                fs::write(dir.join(name), text).unwrap();
            }
            made(&dir).unwrap()
        };
        // What says where and when it was built is not compared.
        let one = build("one", &[("a.deb", "1"), ("a.dsc", "2"), ("a.buildinfo", "3")]);
        let same = build("same", &[("a.deb", "1"), ("a.dsc", "2"), ("a.buildinfo", "4")]);
        let other = build("other", &[("a.deb", "1"), ("a.dsc", "3")]);
        let more = build("more", &[("a.deb", "1"), ("a.dsc", "2"), ("b.deb", "1")]);
        compare(&one, &same).unwrap();
        for differs in [other, more] {
            compare(&one, &differs).unwrap_err();
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
