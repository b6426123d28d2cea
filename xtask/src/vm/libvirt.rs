// SPDX-License-Identifier: GPL-2.0
//! Debian's libvirt for the guest: the daemon with its driver for host devices, and virsh. Nobody's root grows by
//! it: its packages are fetched once and unpacked in the cache.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{initramfs::Initramfs, programs};
use crate::{
    apt::{self, Apt},
    paths,
};

/// It, and what of its dependencies the root does not have.
const PACKAGES: [&str; 8] = [
    "libvirt-daemon",
    "libvirt-daemon-driver-nodedev",
    "libvirt-clients",
    "libvirt0",
    "libpciaccess0",
    "libjson-c5",
    "libssh-4",
    "libtirpc3t64",
];

/// What is run, and the one driver that the daemon is to have.
const FILES: [&str; 3] = [
    "usr/sbin/libvirtd",
    "usr/bin/virsh",
    "usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_nodedev.so",
];

/// Adds it, with the libraries that it needs.
///
/// # Errors
/// The archive cannot be reached, or something is missing.
pub fn add(image: &mut Initramfs) -> Result<()> {
    let root = unpacked()?;
    FILES.iter().try_for_each(|file| programs::add_below(image, &root, &root.join(file)))
}

/// Where its packages are unpacked; they are fetched first where they have to be.
fn unpacked() -> Result<PathBuf> {
    let into = paths::cache().join("libvirt");
    if into.exists() {
        return Ok(into);
    }
    let apt = Apt::for_root()?;
    let mut debs = vec![];
    for package in PACKAGES {
        let (name, version) = apt.newest(package)?;
        debs.push(apt.download(&name, &version)?);
    }
    apt::unpack(&debs, &into, |_| Ok(())).context("unpacking libvirt")?;
    Ok(into)
}
