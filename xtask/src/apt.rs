// SPDX-License-Identifier: GPL-2.0
//! Asking Debian's archive for packages of several suites, with package lists of our own: what the root
//! itself installs from is not touched.

use std::{
    cmp::Ordering,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{dirs, paths, sh};

/// All suites that kernels and drivers come from. An index is good for a week only, and a mirror that lags, or a
/// machine whose clock is ahead, would otherwise have no sid at all; its signature is checked all the same.
const SOURCES: &str = "\
    deb [check-valid-until=no] http://deb.debian.org/debian sid main contrib non-free\n\
    deb [check-valid-until=no] http://deb.debian.org/debian experimental non-free\n\
    deb [check-valid-until=no] http://deb.debian.org/debian bookworm-backports non-free\n\
    deb http://deb.debian.org/debian trixie main contrib non-free\n\
    deb [check-valid-until=no] http://deb.debian.org/debian trixie-backports main\n\
    deb [check-valid-until=no] http://security.debian.org/debian-security trixie-security main\n\
    deb [check-valid-until=no] http://security.debian.org/debian-security bookworm-security main\n\
    deb [check-valid-until=no] http://security.debian.org/debian-security bullseye-security main\n";

/// Where the sources of kernels are. Their lists are long, and few things need them.
const KERNEL_SOURCES: &str = "\
    deb-src [check-valid-until=no] http://deb.debian.org/debian sid main\n\
    deb-src http://deb.debian.org/debian trixie main\n\
    deb-src http://deb.debian.org/debian bookworm main\n\
    deb-src [check-valid-until=no] http://deb.debian.org/debian trixie-backports main\n\
    deb-src [check-valid-until=no] http://security.debian.org/debian-security trixie-security main\n\
    deb-src [check-valid-until=no] http://security.debian.org/debian-security bookworm-security main\n\
    deb-src [check-valid-until=no] http://security.debian.org/debian-security bullseye-security main\n";

/// What the root itself is made of (scripts/make-root): programs that run with its libraries.
const ROOT_SOURCES: &str = "\
    deb http://deb.debian.org/debian trixie main\n\
    deb [check-valid-until=no] http://security.debian.org/debian-security trixie-security main\n";

/// Which signatures are good: of all of Debian's suites, those that have ended included.
const KEYS: &str = "/usr/share/keyrings";

/// apt with sources and state of its own.
pub struct Apt {
    debs: PathBuf,
    options: Vec<String>,
}

impl Apt {
    /// Fetches the lists.
    ///
    /// # Errors
    /// The archive cannot be reached.
    pub fn new() -> Result<Self> {
        Self::with("apt", SOURCES)
    }

    /// Fetches the lists of sources, and nothing else can be had of it.
    ///
    /// # Errors
    /// As [`Apt::new`].
    pub fn for_kernel_sources() -> Result<Self> {
        Self::with("apt-sources", KERNEL_SOURCES)
    }

    /// Fetches the lists of what fits into the root.
    ///
    /// # Errors
    /// As [`Apt::new`].
    pub fn for_root() -> Result<Self> {
        Self::with("apt-root", ROOT_SOURCES)
    }

    fn with(name: &str, lines: &str) -> Result<Self> {
        let debs = paths::cache().join("debs");
        let dir = debs.join(name);
        for part in ["lists/partial", "cache/archives/partial", "keys"] {
            let part = dir.join(part);
            fs::create_dir_all(&part).with_context(|| format!("creating {}", part.display()))?;
        }
        let sources = dir.join("sources.list");
        fs::write(&sources, lines).with_context(|| format!("writing {}", sources.display()))?;
        for entry in fs::read_dir(KEYS).with_context(|| format!("reading {KEYS}"))? {
            let key = entry?.path();
            if key.extension().is_some_and(|extension| extension == "gpg") {
                let to = dir.join("keys").join(key.file_name().unwrap_or_default());
                fs::copy(&key, &to).with_context(|| format!("copying {}", key.display()))?;
            }
        }
        let options = [
            format!("Dir::Etc::SourceList={}", sources.display()),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::Etc::TrustedParts={}", dir.join("keys").display()),
            format!("Dir::State::Lists={}", dir.join("lists").display()),
            format!("Dir::Cache={}", dir.join("cache").display()),
            // The unprivileged user that apt downloads as may not write here.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
        ];
        let apt = Self { debs, options: options.into_iter().collect() };
        let _bar = sh::progress("asking Debian's archive what it has");
        sh::output(apt.command("apt-get").args(["-qq", "update"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.debs);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }

    /// The versions of a package, as the archive lists them.
    ///
    /// # Errors
    /// apt cannot be run.
    pub fn versions(&self, package: &str) -> Result<Vec<String>> {
        let lines = sh::output(self.command("apt-cache").args(["madison", package]))?;
        let version = |line: &str| Some(line.split('|').nth(1)?.trim().to_owned());
        Ok(lines.lines().filter_map(version).collect())
    }

    /// Of the packages whose whole names match, the newest: its name and version.
    ///
    /// # Errors
    /// There is none.
    pub fn newest(&self, pattern: &str) -> Result<(String, String)> {
        let anchored = format!("^{pattern}$");
        let lines = sh::output(self.command("apt-cache").args([
            "search",
            "--names-only",
            anchored.as_str(),
        ]))?;
        let mut newest: Option<(String, String)> = None;
        for name in lines.lines().filter_map(|line| Some(line.split_once(' ')?.0)) {
            for version in self.versions(name)? {
                let newer = match &newest {
                    None => true,
                    Some((_, old)) => compare(&version, old)? == Ordering::Greater,
                };
                if newer {
                    newest = Some((name.to_owned(), version));
                }
            }
        }
        newest.with_context(|| format!("Debian has no package {pattern}"))
    }

    /// The packages that this version of one depends on, by their names, alternatives and all.
    ///
    /// # Errors
    /// apt cannot be run.
    pub fn depends(&self, package: &str, version: &str) -> Result<Vec<String>> {
        let wanted = format!("{package}={version}");
        let lines = sh::output(self.command("apt-cache").args(["depends", wanted.as_str()]))?;
        let name = |line: &str| {
            let name = line.trim().trim_start_matches('|').strip_prefix("Depends: ")?;
            Some(name.to_owned())
        };
        Ok(lines.lines().filter_map(name).collect())
    }

    /// Fetches a package, unless it is here; returns its file.
    ///
    /// # Errors
    /// The archive does not have it (any more).
    pub fn download(&self, package: &str, version: &str) -> Result<PathBuf> {
        if let Some(deb) = downloaded(&self.debs, package, version)? {
            return Ok(deb);
        }
        let _bar = sh::progress(&format!("downloading {package} {version}"));
        let wanted = format!("{package}={version}");
        sh::output(self.command("apt-get").args(["-qq", "download", &wanted]))?;
        downloaded(&self.debs, package, version)?
            .with_context(|| format!("apt-get left no {package} in {}", self.debs.display()))
    }

    /// Fetches the tarballs of a source package into `dir`.
    ///
    /// # Errors
    /// As [`Apt::download`].
    pub fn download_source(&self, package: &str, version: &str, dir: &Path) -> Result<()> {
        let _bar = sh::progress(&format!("downloading the source of {package} {version}"));
        let wanted = format!("{package}={version}");
        let mut command = self.command("apt-get");
        command.current_dir(dir).args(["-qq", "source", "--download-only", "--tar-only", &wanted]);
        sh::output(&mut command).map(drop)
    }
}

/// How two versions of packages compare.
fn compare(a: &str, b: &str) -> Result<Ordering> {
    let is = |relation: &str| -> Result<bool> {
        let mut dpkg = Command::new("dpkg");
        let status = dpkg.args(["--compare-versions", a, relation, b]).status();
        Ok(status.context("starting dpkg")?.success())
    };
    Ok(match (is("gt")?, is("lt")?) {
        (true, _) => Ordering::Greater,
        (_, true) => Ordering::Less,
        _ => Ordering::Equal,
    })
}

/// A package's file in `debs`. `version` may be the beginning of one, up to a dash.
///
/// # Errors
/// The directory cannot be read.
pub fn downloaded(debs: &Path, package: &str, version: &str) -> Result<Option<PathBuf>> {
    if !debs.exists() {
        return Ok(None);
    }
    // As apt-get names the file: an epoch's colon is escaped.
    let prefix = format!("{package}_{}", version.replace(':', "%3a"));
    for entry in fs::read_dir(debs).with_context(|| format!("reading {}", debs.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let rest = name.strip_prefix(&prefix);
        if rest.is_some_and(|rest| rest.starts_with(['_', '-']) && rest.ends_with(".deb")) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Unpacks packages below `into`, which is complete afterwards or not there, also when another process does
/// the same. `finish` gets to change what was unpacked before it is.
///
/// # Errors
/// There is no room, or `finish` fails.
pub fn unpack(debs: &[PathBuf], into: &Path, finish: impl Fn(&Path) -> Result<()>) -> Result<()> {
    let Some(name) = into.file_name() else { bail!("{} has no name", into.display()) };
    let partial = format!("{}.new.{}", name.to_string_lossy(), std::process::id());
    let partial = into.with_file_name(partial);
    // dpkg-deb makes the last directory of the path only.
    fs::create_dir_all(&partial).with_context(|| format!("creating {}", partial.display()))?;
    for deb in debs {
        let _bar = sh::progress(&format!("unpacking {}", deb.display()));
        sh::output(Command::new("dpkg-deb").arg("-x").arg(deb).arg(&partial))?;
    }
    finish(&partial)?;
    dirs::remove(into)?;
    fs::rename(&partial, into).with_context(|| format!("renaming to {}", into.display()))
}
