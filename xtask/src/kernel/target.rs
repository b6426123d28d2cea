// SPDX-License-Identifier: GPL-2.0
//! The kernels this project is built and tested for.

use anyhow::{Context, Result};

/// A kernel series of a distribution. Point releases move on; the newest is looked up.
#[derive(Debug)]
pub struct Target {
    /// What the command line calls it.
    pub name: &'static str,
    /// The upstream series, as in `linux-source-<series>`.
    pub series: &'static str,
    /// Prefixes of the packages that are unpacked; the release follows.
    pub packages: &'static [&'static str],
    /// What would have to be done before this target works, if it does not.
    pub missing: Option<&'static str>,
}

/// From 7.1 on Debian splits what used to be one image package.
const SPLIT: &[&str] =
    &["linux-base-", "linux-headers-", "linux-modules-", "linux-binary-unsigned-"];

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "debian-6.12",
        series: "6.12",
        packages: &["linux-headers-", "linux-image-"],
        missing: None,
    },
    Target { name: "debian-7.2", series: "7.2", packages: SPLIT, missing: None },
    Target {
        name: "debian-7.3",
        series: "7.3",
        packages: SPLIT,
        missing: Some("known, not built for yet"),
    },
    Target {
        name: "sid-7.2",
        series: "7.2",
        packages: SPLIT,
        missing: Some("needs a root of Debian sid with gcc-16 and rustc 1.97"),
    },
];

/// The targets that work.
pub fn available() -> impl Iterator<Item = &'static Target> {
    TARGETS.iter().filter(|target| target.missing.is_none())
}

/// Looks a target up by its name.
///
/// # Errors
/// There is none of that name, or it is known but does not work yet.
pub fn find(name: &str) -> Result<&'static Target> {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.with_context(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        format!("no target {name}; there are {}", names.join(", "))
    })?;
    match target.missing {
        None => Ok(target),
        Some(reason) => anyhow::bail!("target {name}: {reason}"),
    }
}
