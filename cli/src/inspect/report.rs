// SPDX-License-Identifier: GPL-2.0
//! What `inspect` says, for programs and for people.

use std::fmt;

use serde::Serialize;

/// The whole answer. Offsets are into the named section of the file.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The driver.
    pub driver: Driver,
    /// The device-ID checks that were found.
    pub sites: Vec<Site>,
    /// The capability tables, if they were found.
    pub capability_tables: Option<Tables>,
    /// With magic and key only; `Some(None)` where they unlock nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlock: Option<Option<Unlock>>,
    /// The sum of it.
    pub verdict: Verdict,
    /// What is missing or should be known, in sentences.
    pub reasons: Vec<String>,
}

/// Which driver it is.
#[derive(Debug, Serialize)]
pub struct Driver {
    /// Such as `550.163.01`.
    pub version: Option<String>,
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
    /// The branch is known, but only some of what it needs is there.
    Partial,
    /// Nothing would be changed.
    Unsupported,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Supported => "supported",
            Verdict::Partial => "partly supported",
            Verdict::Unsupported => "not supported",
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.driver.version.as_deref().unwrap_or("of unknown version");
        writeln!(f, "driver {version}: {}", self.verdict)?;
        for site in &self.sites {
            let does = match site.action {
                Action::Return => "returns",
                Action::Store => "stores",
            };
            let (place, value) = (format!("{}+{:#x}", site.section, site.offset), site.value);
            writeln!(f, "  {:<14} {place:<20} {does} {value}", site.name)?;
        }
        if let Some(tables) = &self.capability_tables {
            let place = |offset| format!("{}+{offset:#x}", tables.section);
            let (gpus, spare) = (place(tables.gpu_list_first), place(tables.sacrificial_first));
            writeln!(f, "  {:<14} {gpus:<20} {} boards", "GPU list", tables.gpu_list_count)?;
            writeln!(f, "  {:<14} {spare}", "new entries at")?;
        }
        if let Some(Some(unlock)) = &self.unlock {
            let Board { device, subsystem, name } = &unlock.board;
            writeln!(f, "board {device} (subsystem {subsystem}), {name}")?;
            let count = unlock.entries.len();
            writeln!(f, "  answered as {}, with {count} new entries:", unlock.spoofed_device)?;
            for Entry { offset, device, subsystem, name, .. } in &unlock.entries {
                writeln!(f, "  .rodata+{offset:#x}  {device} {subsystem}  {name}")?;
            }
        }
        self.reasons.iter().try_for_each(|reason| writeln!(f, "- {reason}"))
    }
}
