// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's structures, as C declares them: offsets come from C's rules and not from our tables.
//!
//! Source: `NVA081_CTRL_VGPU_INFO` of NVIDIA's MIT-licensed `ctrla081.h` in the releases named. The
//! older ones, and those of command 0xa0820102, are in no header; their order of fields was read from
//! the drivers' handlers (see `layout/mod.rs`).

use std::collections::BTreeMap;

/// The command that asks for a type by its number.
pub const BY_NUMBER: u32 = 0xa081_0103;
/// The command that asks for the type of a vGPU.
pub const OF_VGPU: u32 = 0xa082_0102;

/// The parameters of a command: offset and length of each field.
pub struct Structure {
    /// The first driver branch that has it.
    pub name: &'static str,
    /// Command.
    pub cmd: u32,
    /// Length of the parameters, in bytes.
    pub size: usize,
    fields: BTreeMap<&'static str, (usize, usize)>,
}

impl Structure {
    /// Lays `members` out, each of which is a type, a name and possibly a number of elements.
    fn new(name: &'static str, cmd: u32, size: usize, members: &[&'static str]) -> Self {
        let (mut at, mut fields) = (0usize, BTreeMap::new());
        for member in members.iter().flat_map(|m| m.split(';')).map(str::trim) {
            let mut words = member.split(' ');
            let width = match words.next().unwrap() {
                "u8" => 1,
                "u16" => 2,
                "u32" => 4,
                "u64" => 8,
                "" => continue,
                other => panic!("{other}"),
            };
            let name = words.next().unwrap();
            let count: usize = words.next().map_or(1, |n| n.parse().unwrap());
            at = at.next_multiple_of(width);
            fields.insert(name, (at, width * count));
            at += width * count;
        }
        assert_eq!(at.next_multiple_of(8), size, "{name}");
        Self { name, cmd, size, fields }
    }

    /// Where a field lies: offset and length. By its name in NVIDIA's header.
    pub fn place(&self, field: &str) -> Option<(usize, usize)> {
        self.fields.get(field).copied()
    }

    /// Parameters in which no byte is like its neighbours, of the type with this number.
    ///
    /// # Panics
    /// Never: every structure has the type's number.
    pub fn filled(&self, vgpu_type: u32) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            (0..self.size).map(|i| (i * 151 + i / 256 * 7 + 1) as u8).collect();
        let (at, len) = self.place("vgpuType").unwrap();
        bytes[at..at + len].copy_from_slice(&vgpu_type.to_le_bytes());
        bytes
    }
}

/// What is in front of the type where it is asked for by number; aligned like a u64.
const NUMBER: &str = "u32 asked; u32 padding";
const NAMES_32: &str =
    "u32 vgpuType; u8 vgpuName 32; u8 vgpuClass 32; u8 vgpuSignature 128; u8 license 128";
const NAMES_64: &str =
    "u32 vgpuType; u8 vgpuName 64; u8 vgpuClass 64; u8 vgpuSignature 128; u8 license 128";
const NUMBERS: &str = "u32 maxInstance; u32 numHeads; u32 maxResolutionX; u32 maxResolutionY; \
    u32 maxPixels; u32 frlConfig; u32 cudaEnabled; u32 eccSupported; u32 gpuInstanceSize; \
    u32 multiVgpuSupported";
const IDS: &str = "u64 vdevId; u64 pdevId";
const MEMORY: &str = "u64 profileSize; u64 fbLength; u64 gspHeapSize; u64 fbReservation; \
    u64 mappableVideoSize";
const OLD_MEMORY: &str = "u64 fbLength; u64 mappableVideoSize; u64 fbReservation";
const ENCODER: &str = "u32 encoderCapacity";
const BAR1_AND_FRL: &str = "u64 bar1Length; u32 frlEnable";
const SUBSYSTEM_VENDOR: &str = "u16 vgpuSsvid";
const ADAPTER: &str = "u8 adapterName 64; u16 adapterName_Unicode 64; u8 shortGpuNameString 64; \
    u8 licensedProductName 128";
const EXTRA_4096: &str = "u32 vgpuExtraParams 1024";
const EXTRA_1024: &str = "u8 vgpuExtraParams 1024";
const TAIL: &str = "u32 ftraceEnable; u32 gpuDirectSupported; u32 nvlinkP2PSupported";
const EXCLUSIVE: &str =
    "u32 multiVgpuExclusive; u32 exclusiveType; u32 exclusiveSize; u32 gpuInstanceProfileId";

/// Every structure of every driver branch that is known.
#[must_use]
pub fn all() -> Vec<Structure> {
    let info = [NUMBER, NAMES_32, NUMBERS, IDS, MEMORY, ENCODER, BAR1_AND_FRL, ADAPTER, EXTRA_4096];
    let with = |more: &[&'static str]| [&info[..], more].concat();
    let placement_550 = "u32 placementSize; u32 placementCount; u32 placementIds 32";
    let placement_570 = "u32 placementSize; u32 homogeneousCount; u32 homogeneousIds 32; \
        u32 heterogeneousCount; u32 heterogeneousIds 32";
    let placement_580 = "u32 placementSize; u32 homogeneousCount; u32 homogeneousIds 48; \
        u32 heterogeneousCount; u32 heterogeneousIds 48";
    let per_gi = "u32 maxInstancePerGI";
    let info_580 = |ssvid: &'static str| {
        [
            NUMBER,
            NAMES_64,
            NUMBERS,
            IDS,
            MEMORY,
            ENCODER,
            BAR1_AND_FRL,
            ssvid,
            ADAPTER,
            EXTRA_4096,
            TAIL,
            per_gi,
            EXCLUSIVE,
            placement_580,
        ]
    };
    let old_vgpu = [
        NAMES_32,
        NUMBERS,
        IDS,
        OLD_MEMORY,
        ENCODER,
        BAR1_AND_FRL,
        ADAPTER,
        EXTRA_1024,
        "u32 ftraceEnable",
    ];
    vec![
        Structure::new(
            "450 by number",
            BY_NUMBER,
            4536,
            &[
                NUMBER,
                NAMES_32,
                "u32 gpuInstanceProfileId",
                NUMBERS,
                ENCODER,
                IDS,
                OLD_MEMORY,
                BAR1_AND_FRL,
                EXTRA_4096,
            ],
        ),
        Structure::new("450", OF_VGPU, 1840, &old_vgpu),
        Structure::new(
            "470",
            OF_VGPU,
            1848,
            &[&old_vgpu[..], &["u32 gpuDirectSupported"]].concat(),
        ),
        Structure::new("525 by number", BY_NUMBER, 4960, &with(&[TAIL, EXCLUSIVE])),
        Structure::new(
            "525",
            OF_VGPU,
            1872,
            &[
                NAMES_32,
                NUMBERS,
                IDS,
                MEMORY,
                ENCODER,
                BAR1_AND_FRL,
                ADAPTER,
                EXTRA_1024,
                TAIL,
                "u32 multiVgpuExclusive; u32 last",
            ],
        ),
        Structure::new("550 by number", BY_NUMBER, 5096, &with(&[TAIL, EXCLUSIVE, placement_550])),
        Structure::new("570 by number", BY_NUMBER, 5232, &with(&[TAIL, EXCLUSIVE, placement_570])),
        Structure::new(
            "575 by number",
            BY_NUMBER,
            5232,
            &with(&[TAIL, per_gi, EXCLUSIVE, placement_570]),
        ),
        Structure::new("580 by number", BY_NUMBER, 5424, &info_580("")),
        Structure::new("580.94 by number", BY_NUMBER, 5432, &info_580(SUBSYSTEM_VENDOR)),
        Structure::new(
            "580",
            OF_VGPU,
            2328,
            &[
                NAMES_64,
                NUMBERS,
                IDS,
                OLD_MEMORY,
                ENCODER,
                BAR1_AND_FRL,
                ADAPTER,
                EXTRA_1024,
                TAIL,
                per_gi,
                EXCLUSIVE,
                placement_580,
            ],
        ),
    ]
}
