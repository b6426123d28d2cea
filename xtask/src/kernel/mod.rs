// SPDX-License-Identifier: GPL-2.0
//! Kernels to build against and to boot: fetched from Debian or built of upstream's source, prepared by the
//! script that users have too.

mod archive;
pub mod bindings;
pub mod build;
mod compilers;
pub mod dkms_test;
pub mod object;
mod own;
mod release;
mod target;
pub mod upstream;
mod warnings;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

pub use compilers::Compilers;
pub use target::{TARGETS, Target, find, targets};

use crate::{apt::Apt, paths, sh};
use release::Release;

/// A kernel with everything that building for it and booting it take.
#[derive(Debug)]
pub struct Prepared {
    /// Which one it is.
    pub target: &'static Target,
    /// As `uname -r` prints it.
    pub release: String,
    /// Its headers.
    pub headers: PathBuf,
    /// What scripts/build-module takes: how to build for it.
    pub runtime: PathBuf,
    /// The kernel's image.
    pub vmlinuz: PathBuf,
    /// The directory that holds `lib/modules/<release>`.
    pub modules_dir: PathBuf,
    /// Where modules are built for it.
    pub builds: PathBuf,
}

/// What a user's machine has otherwise than [`prepare`] finds it.
#[derive(Debug, Default)]
pub struct Otherwise {
    /// The kernel's headers.
    pub headers: Option<PathBuf>,
    /// The compiler that is taken before all others.
    pub rustc: Option<PathBuf>,
}

impl Prepared {
    /// Where the headers that all flavours of this kernel share are: Debian's Makefile includes theirs. Other
    /// kernels have one flavour.
    ///
    /// # Errors
    /// There is no Makefile.
    pub fn common_headers(&self) -> Result<PathBuf> {
        let makefile = self.headers.join("Makefile");
        let text = fs::read_to_string(&makefile)
            .with_context(|| format!("reading {}", makefile.display()))?;
        let included = text.lines().filter_map(|line| line.strip_prefix("include "));
        let common = included.map(Path::new).find(|path| path.is_absolute());
        Ok(common.and_then(Path::parent).unwrap_or(&self.headers).to_owned())
    }

    /// The C compiler that modules are built with for it.
    ///
    /// # Errors
    /// scripts/prepare-runtime has not said so.
    pub fn compiler(&self) -> Result<String> {
        let said = self.runtime.join("runtime");
        let text =
            fs::read_to_string(&said).with_context(|| format!("reading {}", said.display()))?;
        let cc = text.lines().find_map(|line| line.strip_prefix("cc='")?.strip_suffix('\''));
        cc.map(str::to_owned).with_context(|| format!("{} names no compiler", said.display()))
    }

    /// All that counts for what is built for it.
    pub fn inputs(&self) -> String {
        fs::read_to_string(self.runtime.join("inputs")).unwrap_or_default()
    }
}

/// Fetches (or builds) and prepares `target`; does next to nothing where that was done before.
///
/// # Errors
/// The archive cannot be reached, or scripts/prepare-runtime refuses.
pub fn prepare(target: &'static Target) -> Result<Prepared> {
    prepare_in(target, &runtimes(target))
}

/// As [`prepare`], with the runtime in a place of its own.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_in(target: &'static Target, runtimes: &Path) -> Result<Prepared> {
    prepare_otherwise(target, runtimes, &Otherwise::default())
}

/// As [`prepare_in`], on another machine.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_otherwise(
    target: &'static Target,
    runtimes: &Path,
    otherwise: &Otherwise,
) -> Result<Prepared> {
    let release = fetched(target)?;
    let packages = directory(target).join("unpacked");
    let sources = packages.join("usr/src");
    let usual = || sources.join(format!("linux-headers-{}", release.release));
    let headers = otherwise.headers.clone().unwrap_or_else(usual);
    let bar = sh::progress(&format!("preparing the Rust runtime of {}", target.name));
    let mut prepare = target.root.command("scripts/prepare-runtime")?;
    if let Some(rustc) = &otherwise.rustc {
        prepare.env("RUSTC", rustc);
    }
    prepare.arg("--headers").arg(&headers).args(["--mode", target.mode.name()]);
    if let Some(source) = target.source {
        prepare.arg("--source").arg(sources.join(format!("{source}.tar.xz")));
    }
    sh::output(prepare.arg(&release.release).arg(runtimes))
        .with_context(|| format!("preparing {}", target.name))?;
    drop(bar);

    Ok(Prepared {
        target,
        vmlinuz: image(&packages, &release.release)?,
        modules_dir: packages.join("usr"),
        runtime: runtimes.join(&release.release),
        builds: paths::cache().join("build").join(target.name),
        headers,
        release: release.release,
    })
}

/// Forgets which point release `target` is at and fetches the newest. What we have built ourselves stays.
///
/// # Errors
/// The archive cannot be reached.
pub fn update(target: &'static Target) -> Result<()> {
    if target.own.is_some() {
        return Ok(());
    }
    let apt = Apt::new()?;
    let newest = archive::newest(&apt, target)?;
    match recorded(target) {
        Some(old) if old.version == newest.version => Ok(()),
        _ => fetch_release(&apt, target, &newest),
    }
}

/// The release of `target` that is here.
pub fn state(target: &Target) -> Option<String> {
    Some(recorded(target)?.release)
}

/// What [`Prepared::inputs`] are of `target`, as far as it was prepared before.
pub fn known_inputs(target: &Target) -> Option<String> {
    fs::read_to_string(runtimes(target).join(state(target)?).join("inputs")).ok()
}

fn runtimes(target: &Target) -> PathBuf {
    paths::cache().join("runtimes").join(target.name)
}

fn directory(target: &Target) -> PathBuf {
    paths::cache().join("kernels").join(target.name)
}

/// What is unpacked says which release it is; written last.
fn recorded(target: &Target) -> Option<Release> {
    let unpacked = directory(target).join("unpacked");
    if target.own.is_some_and(|recipe| !recipe.is_of(&unpacked)) {
        return None;
    }
    let text = fs::read_to_string(unpacked.join("release.json")).ok()?;
    serde_json::from_str(&text).ok()
}

/// The point release of `target` that is here, or the newest, which is here then.
fn fetched(target: &Target) -> Result<Release> {
    if let Some(release) = recorded(target) {
        return Ok(release);
    }
    if let Some(recipe) = target.own {
        let packages = directory(target).join("unpacked");
        let release = recipe.build(&packages)?;
        record(&release, &packages)?;
        return Ok(release);
    }
    let apt = Apt::new()?;
    let release = archive::newest(&apt, target)?;
    fetch_release(&apt, target, &release)?;
    Ok(release)
}

fn fetch_release(apt: &Apt, target: &Target, release: &Release) -> Result<()> {
    let packages = directory(target).join("unpacked");
    archive::unpack(apt, target, release, &packages)?;
    record(release, &packages)
}

fn record(release: &Release, packages: &Path) -> Result<()> {
    let record = packages.join("release.json");
    fs::write(&record, serde_json::to_string(release)?)
        .with_context(|| format!("writing {}", record.display()))
}

fn image(packages: &Path, release: &str) -> Result<PathBuf> {
    let places = [
        format!("boot/vmlinuz-{release}"),
        format!("usr/lib/modules/{release}/vmlinuz"),
        format!("usr/lib/modules/{release}/vmlinuz.unsigned"),
    ];
    match places.iter().map(|place| packages.join(place)).find(|path| path.exists()) {
        Some(path) => Ok(path),
        None => bail!("no kernel image in {}", packages.display()),
    }
}
