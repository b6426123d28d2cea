// SPDX-License-Identifier: GPL-2.0
//! What `inspect` says, for programs and for people.

mod text;

use serde::Serialize;

pub use super::{
    driver_file::Flavour,
    listed::{Board as ListedBoard, Subsystems},
};

/// The whole answer. Offsets are into the named section of the file.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The package that the driver is in, if it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
    /// The driver. Of several, the first proprietary one.
    pub driver: Driver,
    /// Which of NVIDIA's two kernel modules it is, where that can be told.
    pub flavour: Option<Flavour>,
    /// Its path in the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The device-ID checks that were found.
    pub sites: Vec<Site>,
    /// Where else signatures stand, of its own branch or of others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resembles: Vec<Resemblance>,
    /// Which boards the driver lists itself, if it has a board check that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed_boards: Option<Listed>,
    /// The capability tables, if they were found.
    pub capability_tables: Option<Tables>,
    /// With magic and key only; `Some(None)` where they unlock nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlock: Option<Option<Unlock>>,
    /// The sum of it.
    pub verdict: Verdict,
    /// What is missing or should be known, in sentences.
    pub reasons: Vec<String>,
    /// What the package's daemons refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nvidia_vgpud: Vec<Daemon>,
    /// The package's other drivers, open kernel modules among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_drivers: Vec<Report>,
}

/// A package, an archive or a directory.
#[derive(Debug, Serialize)]
pub struct Package {
    /// Whether it is for a host of vGPUs.
    pub for_hosts: bool,
    /// What it has of what only such a host has.
    pub host_parts: Vec<&'static str>,
}

/// Which driver it is.
#[derive(Debug, Serialize)]
pub struct Driver {
    /// Such as `550.163.01`.
    pub version: Option<String>,
    /// The vGPU releases whose host driver it is, such as `17.5`.
    pub releases: Vec<String>,
}

/// What `nvidia-vgpud` refuses. Addresses are the program's own.
#[derive(Debug, Serialize)]
pub struct Daemon {
    /// Its path in the package.
    pub file: String,
    /// How often the loop that refuses device IDs stands in it.
    pub loops: usize,
    /// What that loop is like, if there is exactly one.
    pub refusal: Option<Refusal>,
}

/// The loop by which `nvidia-vgpud` refuses device IDs.
#[derive(Debug, Serialize)]
pub struct Refusal {
    /// The conditional jump that is taken for a board that is refused.
    pub jump: u64,
    /// The table of device IDs.
    pub table: u64,
    /// What stands in it.
    pub devices: Vec<String>,
    /// Those of them that other boards are answered as.
    pub boards_answered_as: Vec<RefusedAs>,
}

/// A board that is refused, and whose ID others are answered with.
#[derive(Debug, Serialize)]
pub struct RefusedAs {
    /// PCI device ID.
    pub device: String,
    /// Marketing name.
    pub name: &'static str,
}

/// A place in the driver's code that is overridden.
#[derive(Debug, Serialize)]
pub struct Site {
    /// What the driver asks there.
    pub name: &'static str,
    /// The section that `offset` counts in.
    pub section: &'static str,
    /// A function's first byte, or the first byte of the signature in the middle of one.
    pub offset: usize,
    /// What is done there.
    pub action: Action,
    /// The value that is returned or stored.
    pub value: u32,
}

/// A place that looks like a site of other branches.
#[derive(Debug, Serialize)]
pub struct Resemblance {
    /// What the driver asks there in those.
    pub name: &'static str,
    /// The section that `offset` counts in.
    pub section: &'static str,
    /// As of a site; `None` where there are several such places.
    pub offset: Option<usize>,
    /// The numbers of the branches.
    pub branches: Vec<u16>,
}

/// What a driver's board check says of every device ID, for a board of which nothing else is known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    /// These.
    Boards(Vec<ListedBoard>),
    /// The check does something that is not known here.
    Unread(String),
}

/// How a site's answer is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A function returns at once.
    Return,
    /// A local variable gets a value.
    Store,
}

/// Where the capability tables are.
#[derive(Debug, Serialize)]
pub struct Tables {
    /// The section that the offsets count in.
    pub section: &'static str,
    /// First triple of the GPU list.
    pub gpu_list_first: usize,
    /// Its triples.
    pub gpu_list_count: usize,
    /// First triple that may be written over.
    pub sacrificial_first: usize,
    /// The driver's branch goes by them; otherwise the module leaves them alone.
    pub needed: bool,
}

/// What magic and key of a board lead to.
#[derive(Debug, Serialize)]
pub struct Unlock {
    /// What the board's own entry says.
    pub board: Board,
    /// PCI device ID of the board that it is answered as.
    pub spoofed_device: String,
    /// What would be written.
    pub entries: Vec<Entry>,
}

/// A board, as its entry in the driver describes it.
#[derive(Debug, Serialize)]
pub struct Board {
    /// PCI device ID.
    pub device: String,
    /// PCI subsystem ID.
    pub subsystem: String,
    /// Marketing name.
    pub name: String,
}

/// An entry that would be written.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// The triple that would point to it.
    pub offset: usize,
    /// PCI device ID.
    pub device: String,
    /// PCI subsystem ID.
    pub subsystem: String,
    /// The vGPU type.
    pub name: String,
    /// HMAC-SHA256 over its count byte and blocks.
    pub signature: String,
}

/// Whether vgpu_unlock serves this driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The branch is known, and everything it needs is there.
    Supported,
    /// What its branch needs is not known, or not all there: only its answers to the daemons are changed,
    /// so that overrides work for boards that it lists itself.
    #[serde(rename = "answers only")]
    AnswersOnly,
    /// Nothing would be changed.
    Unsupported,
}
