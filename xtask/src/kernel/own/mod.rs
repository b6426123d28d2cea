// SPDX-License-Identifier: GPL-2.0
//! Kernels that we build ourselves, of what upstream has released and with a configuration that no kernel of a
//! distribution's has. That takes its time: only who asks for one by its name gets it.

use std::{
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Context, Result, ensure};

use super::{release::Release, upstream};
use crate::{dirs, sh};

/// What all of them have: what our module, its tests and QEMU's machine take, and little else.
const BASE: &str = include_str!("base.config");

/// As a hypervisor's: see there.
const VANILLA: &str = include_str!("vanilla.config");

/// All that watches what modules do.
const DEBUG: &str = include_str!("debug.config");

/// What of the source is needed for nothing here, and is a good part of it.
const LEFT_OUT: [&str; 5] = [
    "*/Documentation/[A-Za-z]*/*",
    "*/drivers/gpu/drm/amd/include/*",
    "*/tools/testing/*",
    "*/tools/perf/*",
    "*/arch/*/boot/dts/*/*",
];

/// What a kernel is built of.
#[derive(Debug)]
pub struct Recipe {
    /// The series whose newest release that can be had it is.
    series: &'static str,
    /// Parts of its configuration; what they do not name is off, or as it has to be.
    config: &'static [&'static str],
}

/// The first series whose module versions and Rust go together is 6.14, and the last that is preempted only where
/// it says so is 6.19.
pub const HYPERVISOR: Recipe = Recipe { series: "6.18", config: &[BASE, VANILLA] };

/// The series of Debian's stable release.
pub const WATCHFUL: Recipe = Recipe { series: "6.12", config: &[BASE, DEBUG] };

impl Recipe {
    /// Its whole configuration, as far as it is asked for.
    fn fragment(&self) -> String {
        self.config.concat()
    }

    /// Whether what is unpacked there was built of this.
    pub fn is_of(&self, unpacked: &Path) -> bool {
        fs::read_to_string(fragment_in(unpacked)).is_ok_and(|fragment| fragment == self.fragment())
    }

    /// Builds it and puts what its packages would be below `into`, which is complete afterwards or not there.
    ///
    /// # Errors
    /// The source cannot be had, or this release of it does not have an option (any more), or does not compile.
    pub fn build(&self, into: &Path) -> Result<Release> {
        let tarball = upstream::tarball(self.series)?;
        let name = tarball.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let dir = into.with_file_name("building");
        let build = Build {
            source: dir.join("source"),
            objects: dir.join("objects"),
            done: dir.join("done"),
            log: into.with_file_name("build.log"),
        };
        // Of what was begun before, all that was compiled still counts.
        let begun = dir.join("begun");
        if fs::read_to_string(&begun).ok().as_ref() != Some(&name) {
            dirs::remove(&dir)?;
            build.unpack(&tarball)?;
            fs::write(&begun, &name).with_context(|| format!("writing {}", begun.display()))?;
        }
        build.configure(&self.fragment())?;
        let release = build.compile()?;
        build.install(&release)?;
        let fragment = fragment_in(&build.done);
        fs::write(&fragment, self.fragment())
            .with_context(|| format!("writing {}", fragment.display()))?;
        dirs::remove(into)?;
        fs::rename(&build.done, into).with_context(|| format!("renaming to {}", into.display()))?;
        dirs::remove(&dir)?;
        // It is large, and another of its series is not built every day.
        fs::remove_file(&tarball).with_context(|| format!("removing {}", tarball.display()))?;
        Ok(Release { release, version: name })
    }
}

/// Where what is unpacked says what it was built of.
fn fragment_in(unpacked: &Path) -> PathBuf {
    unpacked.join("fragment.config")
}

/// The directories of a build.
struct Build {
    source: PathBuf,
    objects: PathBuf,
    /// What comes of it.
    done: PathBuf,
    log: PathBuf,
}

impl Build {
    fn unpack(&self, tarball: &Path) -> Result<()> {
        let _bar = sh::progress(&format!("unpacking {}", tarball.display()));
        for dir in [&self.source, &self.objects] {
            fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
        }
        let mut tar = Command::new("tar");
        tar.args(["-x", "--strip-components=1", "--wildcards-match-slash"]);
        tar.args(LEFT_OUT.map(|pattern| format!("--exclude={pattern}")));
        sh::output(tar.arg("-C").arg(&self.source).arg("-f").arg(tarball)).map(drop)
    }

    fn make(&self) -> Command {
        let jobs = thread::available_parallelism().map_or(1, NonZero::get);
        let mut make = Command::new("make");
        make.arg("-s").arg(format!("-j{jobs}")).arg("-C").arg(&self.source);
        make.arg(format!("O={}", self.objects.display()));
        make
    }

    fn configure(&self, fragment: &str) -> Result<()> {
        let asked = self.objects.join("asked.config");
        fs::write(&asked, fragment).with_context(|| format!("writing {}", asked.display()))?;
        let mut make = self.make();
        make.env("KCONFIG_ALLCONFIG", &asked).arg("allnoconfig");
        sh::run_logged(&mut make, &self.log)?;
        let config = self.objects.join(".config");
        let config =
            fs::read_to_string(&config).with_context(|| format!("reading {}", config.display()))?;
        let missing = missing(fragment, &config);
        ensure!(missing.is_empty(), "this kernel cannot have {}", missing.join(", "));
        Ok(())
    }

    /// Builds it, and returns its release.
    fn compile(&self) -> Result<String> {
        let _bar =
            sh::progress(&format!("building {}, which takes its time", self.source.display()));
        sh::run_logged(self.make().args(["bzImage", "modules"]), &self.log)?;
        let release = self.objects.join("include/config/kernel.release");
        let release = fs::read_to_string(&release)
            .with_context(|| format!("reading {}", release.display()))?;
        Ok(release.trim().to_owned())
    }

    /// Puts everything where packages would.
    fn install(&self, release: &str) -> Result<()> {
        dirs::remove(&self.done)?;
        let usr = self.done.join("usr");
        let mut modules = self.make();
        modules.arg(format!("INSTALL_MOD_PATH={}", usr.display())).arg("INSTALL_MOD_STRIP=1");
        sh::run_logged(modules.arg("modules_install"), &self.log)?;
        // To where it was built.
        let link = usr.join("lib/modules").join(release).join("build");
        fs::remove_file(&link).with_context(|| format!("removing {}", link.display()))?;

        let headers = usr.join("src").join(format!("linux-headers-{release}"));
        let script =
            format!("$(srctree)/scripts/package/install-extmod-build {}", headers.display());
        let mut make = self.make();
        make.arg("run-command").arg(format!("KBUILD_RUN_COMMAND=+{script}"));
        sh::run_logged(&mut make, &self.log)?;

        let boot = self.done.join("boot");
        fs::create_dir_all(&boot).with_context(|| format!("creating {}", boot.display()))?;
        for (from, to) in [
            ("arch/x86/boot/bzImage", boot.join(format!("vmlinuz-{release}"))),
            (".config", headers.join(".config")),
        ] {
            let from = self.objects.join(from);
            fs::copy(&from, to).with_context(|| format!("copying {}", from.display()))?;
        }
        Ok(())
    }
}

/// The lines of a fragment that did not become part of the configuration.
fn missing<'a>(fragment: &'a str, config: &str) -> Vec<&'a str> {
    let asked = fragment.lines().filter(|line| line.starts_with("CONFIG_"));
    asked.filter(|asked| config.lines().all(|line| line != *asked)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_was_not_taken_is_missed() {
        let fragment = "# words\nCONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D=\"-x\"\n";
        assert_eq!(missing(fragment, "CONFIG_A=y\nCONFIG_B=m\nCONFIG_D=\"-x\"\n"), [""; 0]);
        let taken_otherwise = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_D=\"-xy\"\n";
        assert_eq!(missing(fragment, taken_otherwise), ["CONFIG_B=m", "CONFIG_D=\"-x\""]);
        assert_eq!(missing("CONFIG_RUST=y\n", "CONFIG_RUST_IS_AVAILABLE=y\n"), ["CONFIG_RUST=y"]);
    }

    /// What comes later replaces what comes first, but then the first is missed.
    #[test]
    fn no_option_is_asked_for_twice() {
        for recipe in [&HYPERVISOR, &WATCHFUL] {
            let fragment = recipe.fragment();
            let lines = fragment.lines().filter_map(|line| line.strip_prefix("CONFIG_"));
            let mut names: Vec<_> = lines.filter_map(|line| line.split('=').next()).collect();
            let asked = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), asked, "{}", recipe.series);
        }
    }

    #[test]
    fn what_was_built_of_something_else_is_not_current() {
        let dir = std::env::temp_dir().join(format!("vgpu-unlock-own-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        assert!(!WATCHFUL.is_of(&dir));
        fs::write(fragment_in(&dir), WATCHFUL.fragment()).unwrap();
        assert!(WATCHFUL.is_of(&dir));
        assert!(!HYPERVISOR.is_of(&dir));
        fs::remove_dir_all(&dir).unwrap();
    }
}
