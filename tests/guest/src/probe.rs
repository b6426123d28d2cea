// SPDX-License-Identifier: GPL-2.0
//! Requests to tests/modules/probe, which sees the driver from inside.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::board::Bar;

const DIR: &str = "/sys/kernel/debug/vgpu_unlock_probe";

fn file(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

fn request(command: &str, request: &str) -> Result<String> {
    let path = file(command);
    fs::write(&path, request).with_context(|| format!("probe: {command} {request:?}"))?;
    let reply = fs::read_to_string(&path).with_context(|| format!("probe: reply of {command}"))?;
    Ok(reply.trim().to_owned())
}

/// What the driver's board check returns for a board with these IDs.
pub fn board_check(device: u16, subsystem: u16) -> Result<u32> {
    let reply = request("board_check", &format!("{device:x} {subsystem:x}"))?;
    reply.parse().with_context(|| format!("board check replied {reply:?}"))
}

/// What the variable behind the second gate is, `before` in front of it and the call's status
/// `status`. Of a gate that is a function of its own: what it returns.
pub fn second_gate(status: u32, before: u32) -> Result<u32> {
    let reply = request("second_gate", &format!("{status:x} {before:x}"))?;
    reply.parse().with_context(|| format!("second gate replied {reply:?}"))
}

/// Has the driver read magic and key from a board's BAR3, as the start of a vGPU does.
pub fn play(bar3: Bar) -> Result<Vec<u8>> {
    let reply = request("play", &format!("{:x} {:x}", bar3.address, bar3.size))?;
    hex::decode(&reply).with_context(|| format!("play replied {reply:?}"))
}

/// Has `threads` threads play the blob, until [`load_stop`].
pub fn load_start(bar3: Bar, threads: u32) -> Result<()> {
    request("load", &format!("{:x} {:x} {threads}", bar3.address, bar3.size)).map(drop)
}

/// Returns how often magic and key were read.
pub fn load_stop() -> Result<u64> {
    let reply = request("load", "stop")?;
    reply.parse().with_context(|| format!("load replied {reply:?}"))
}

pub fn warn() -> Result<()> {
    request("warn", "now").map(drop)
}

/// `len` bytes at a kernel address.
pub fn peek(address: u64, len: usize) -> Result<Vec<u8>> {
    let reply = request("peek", &format!("{address:x} {len}"))?;
    let bytes = hex::decode(&reply).with_context(|| format!("peek replied {reply:?}"))?;
    ensure!(bytes.len() == len, "peek gave {} of {len} bytes", bytes.len());
    Ok(bytes)
}

fn region(name: &str) -> Result<Vec<u8>> {
    let mut bytes = vec![];
    let mut region = File::open(file(name)).with_context(|| format!("probe: opening {name}"))?;
    region.read_to_end(&mut bytes).with_context(|| format!("probe: reading {name}"))?;
    Ok(bytes)
}

/// The driver's constants, and where they are.
pub struct Rodata {
    pub base: u64,
    pub bytes: Vec<u8>,
}

pub fn rodata() -> Result<Rodata> {
    let bounds = request("bounds", "all")?;
    let base = bounds
        .lines()
        .find_map(|line| line.strip_prefix("rodata ")?.split_whitespace().next())
        .and_then(|base| u64::from_str_radix(base, 16).ok())
        .with_context(|| format!("bounds replied {bounds:?}"))?;
    Ok(Rodata { base, bytes: region("rodata")? })
}

/// Digests over all of the driver's constants and code, as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    pub rodata: String,
    pub text: String,
}

pub fn digests() -> Result<Digests> {
    let digest = |name| region(name).map(|bytes| hex::encode(Sha256::digest(bytes)));
    Ok(Digests { rodata: digest("rodata")?, text: digest("text")? })
}
