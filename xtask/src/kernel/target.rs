// SPDX-License-Identifier: GPL-2.0
//! The kernels this project is built and tested for.

use anyhow::{Context, Result};

use super::own::{self, Recipe};
use crate::root::Root;

/// Where the Rust runtime comes from; see scripts/prepare-runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// This project's own crate in the place of the kernel's.
    Portable,
    /// The kernel's own crates, rebuilt from its source.
    Linked,
}

impl Mode {
    /// As the script calls it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Portable => "portable",
            Mode::Linked => "linked",
        }
    }
}

/// A kernel series of a distribution. Point releases move on; the newest is looked up.
#[derive(Debug)]
pub struct Target {
    /// What the command line calls it.
    pub name: &'static str,
    /// Its releases as `uname -r` prints them: a pattern.
    pub releases: &'static str,
    /// Prefixes of the packages with image and modules; the release follows.
    pub image: &'static [&'static str],
    /// The package with its source, where that is used.
    pub source: Option<&'static str>,
    /// Where the Rust runtime comes from.
    pub mode: Mode,
    /// What we build it of, where it is not a distribution's.
    pub own: Option<&'static Recipe>,
    /// With the compilers of which system it is built for.
    pub root: Root,
    /// How many times as long as others it may take in a virtual machine.
    pub patience: u32,
}

/// Up to 7.0.
const WHOLE: &[&str] = &["linux-image-"];
/// From 7.1 on Debian splits what used to be one image package.
const SPLIT: &[&str] = &["linux-base-", "linux-modules-", "linux-binary-unsigned-"];

const PORTABLE: Target = Target {
    name: "",
    releases: "",
    image: WHOLE,
    source: None,
    mode: Mode::Portable,
    own: None,
    root: Root::Trixie,
    patience: 1,
};

/// All targets, the oldest first.
pub const TARGETS: &[Target] = &[
    Target { name: "debian-5.10", releases: r"5\.10\.0-[0-9]+-amd64", ..PORTABLE },
    Target { name: "debian-6.1", releases: r"6\.1\.0-[0-9]+-amd64", ..PORTABLE },
    Target { name: "debian-6.12", releases: r"6\.12\.[0-9]+\+deb13[.0-9]*-amd64", ..PORTABLE },
    Target {
        name: "debian-6.12-rt",
        releases: r"6\.12\.[0-9]+\+deb13[.0-9]*-rt-amd64",
        // Every lock is one that sleeps, and interrupts are threads: without KVM that takes its time.
        patience: 4,
        ..PORTABLE
    },
    Target {
        name: "debian-7.2",
        releases: r"7\.2\.[0-9]+\+deb13[.0-9]*-amd64",
        image: SPLIT,
        ..PORTABLE
    },
    Target {
        name: "debian-7.2-linked",
        releases: r"7\.2\.[0-9]+\+deb13[.0-9]*-amd64",
        image: SPLIT,
        source: Some("linux-source-7.2"),
        mode: Mode::Linked,
        ..PORTABLE
    },
    Target {
        name: "debian-7.3",
        releases: r"7\.3\.[0-9]+\+deb13[.0-9]*-amd64",
        image: SPLIT,
        ..PORTABLE
    },
    Target {
        name: "debian-7.3-linked",
        releases: r"7\.3\.[0-9]+\+deb13[.0-9]*-amd64",
        image: SPLIT,
        source: Some("linux-source-7.3"),
        mode: Mode::Linked,
        ..PORTABLE
    },
    Target {
        name: "sid",
        releases: r"[0-9]+\.[0-9]+\.[0-9]+\+deb14[.0-9]*-amd64",
        image: SPLIT,
        root: Root::Sid,
        ..PORTABLE
    },
];

/// Kernels of our own, which take long to build: nothing that works on all targets works on these.
pub const OWN: &[Target] = &[
    Target { name: "vanilla", own: Some(&own::HYPERVISOR), ..PORTABLE },
    Target {
        name: "debug",
        own: Some(&own::WATCHFUL),
        // All that watches the module takes time, too.
        patience: 6,
        ..PORTABLE
    },
];

/// Those of distributions, and behind them our own.
pub fn targets() -> impl Iterator<Item = &'static Target> + Clone {
    TARGETS.iter().chain(OWN)
}

/// Looks a target up by its name.
///
/// # Errors
/// There is none of that name.
pub fn find(name: &str) -> Result<&'static Target> {
    targets().find(|target| target.name == name).with_context(|| {
        let names: Vec<_> = targets().map(|target| target.name).collect();
        format!("no target {name}; there are {}", names.join(", "))
    })
}
