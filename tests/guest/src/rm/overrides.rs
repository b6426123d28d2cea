// SPDX-License-Identifier: GPL-2.0
//! Every key overridden, and what must come of it: places as NVIDIA's ctrla081.h has them, or as the
//! drivers' binaries do where that has none, effects as the documentation of `profile_override.toml`
//! has them. Not from the module.

use super::{
    answer::Answer,
    question::{TYPE, UUID_TEXT, VMID, name},
};

enum Value {
    /// Four bytes.
    Word(u32),
    /// Eight bytes.
    Long(u64),
    /// A text, and zeros behind it.
    Text(&'static str),
}

use Value::{Long, Text, Word};

/// The structures, in the order of the columns below: the type by number of 525 to 575 (whose type of
/// a vGPU is the same), 580's, 580's type of a vGPU; the type by number of 450 to 470, their type of a
/// vGPU; the type by number from 580.94 on.
const STRUCTURES: usize = 6;

/// Offset and length of a field in each structure; where a structure has no such field, the length is
/// zero.
type Places = [(usize, usize); STRUCTURES];

/// A key, what is written for it, what that means, and where.
struct Override {
    key: &'static str,
    written: &'static str,
    value: Value,
    places: Places,
}

const fn at(key: &'static str, written: &'static str, value: Value, places: Places) -> Override {
    Override { key, written, value, places }
}

/// A field of one length that every structure has.
const fn places(len: usize, offsets: [usize; STRUCTURES]) -> Places {
    let [a, b, c, d, e, f] = offsets;
    [(a, len), (b, len), (c, len), (d, len), (e, len), (f, len)]
}

/// A name of 32 bytes, which 580 made longer.
const fn names(offsets: [usize; STRUCTURES]) -> Places {
    let [a, b, c, d, e, f] = offsets;
    [(a, 32), (b, 64), (c, 64), (d, 32), (e, 32), (f, 64)]
}

/// A field that the type by number did not have until 470.
const fn newer(len: usize, offsets: [usize; STRUCTURES]) -> Places {
    let mut places = places(len, offsets);
    places[3].1 = 0;
    places
}

const fn word(
    key: &'static str,
    written: &'static str,
    value: u32,
    offsets: [usize; STRUCTURES],
) -> Override {
    at(key, written, Word(value), places(4, offsets))
}

const fn long(
    key: &'static str,
    written: &'static str,
    value: u64,
    offsets: [usize; STRUCTURES],
) -> Override {
    at(key, written, Long(value), places(8, offsets))
}

#[rustfmt::skip]
const KEYS: [Override; 25] = [
    word("gpu_type", "99", 99, [0, 0, 0, 0, 0, 0]),
    at("card_name", "'Stand-in 1'", Text("Stand-in 1"), names([4, 4, 4, 4, 4, 4])),
    at("vgpu_type", "Compute", Text("Compute"), names([36, 68, 68, 36, 36, 68])),
    at("features", "'A,1.0;B,2.0'", Text("A,1.0;B,2.0"), places(128, [196, 260, 260, 196, 196, 260])),
    word("max_instances", "3", 3, [324, 388, 388, 328, 324, 388]),
    word("num_displays", "2", 2, HEADS),
    word("display_width", "1920", 1920, [332, 396, 396, 336, 332, 396]),
    word("display_height", "1080", 1080, [336, 400, 400, 340, 336, 400]),
    word("max_pixels", "0x1fa400", 2_073_600, [340, 404, 404, 344, 340, 404]),
    word("frl_config", "45", 45, [344, 408, 408, 348, 344, 408]),
    word("cuda_enabled", "0", 0, [348, 412, 412, 352, 348, 412]),
    word("ecc_supported", "1", 1, [352, 416, 416, 356, 352, 416]),
    word("mig_instance_size", "5", 5, [356, 420, 420, 360, 356, 420]),
    word("multi_vgpu_supported", "0", 0, [360, 424, 424, 364, 360, 424]),
    long("pci_id", "0x1eb81234deadbeef", 0x1eb8_1234_dead_beef, [368, 432, 432, 376, 368, 432]),
    long("pci_device_id", "0x1eb8", 0x1eb8, [376, 440, 440, 384, 376, 440]),
    long("framebuffer", "1GiB", 1 << 30, FRAMEBUFFER),
    long("framebuffer_reservation", "64MiB", 64 << 20, [408, 472, 464, 408, 400, 472]),
    long("mappable_video_size", "1.5 GB", 1_500_000_000, [416, 480, 456, 400, 392, 480]),
    word("encoder_capacity", "50", 50, [424, 488, 472, 368, 408, 488]),
    long("bar1_length", "0x100", 0x100, [432, 496, 480, 416, 416, 496]),
    word("frl_enabled", "0", 0, [440, 504, 488, 424, 424, 504]),
    at("adapter_name", "'My adapter'", Text("My adapter"), newer(64, [444, 508, 492, 0, 428, 510])),
    at("short_gpu_name", "Short", Text("Short"), newer(64, [636, 700, 684, 0, 620, 702])),
    at("license_type", "'Any license'", Text("Any license"), newer(128, [700, 764, 748, 0, 684, 766])),
];

/// The adapter's name once more, in UTF-16.
const UNICODE: Places = newer(128, [508, 572, 556, 0, 492, 574]);
/// What the vGPU and its machine override again.
const HEADS: [usize; STRUCTURES] = [328, 392, 392, 332, 328, 392];
const FRAMEBUFFER: [usize; STRUCTURES] = [392, 456, 448, 392, 384, 456];

/// The module's parameter: every key for the type, two of them once more for the vGPU, and one of
/// those a third time for its virtual machine.
pub fn parameter() -> String {
    let keys: Vec<String> = KEYS.iter().map(|o| format!("{}={}", o.key, o.written)).collect();
    format!(
        "vm/{VMID}:num_displays=6;mdev/{UUID_TEXT}:num_displays=1,framebuffer=2GiB;nvidia-{TYPE}:{}",
        keys.join(",")
    )
}

/// Applies the parameter to the answer to question `name`.
///
/// The vGPU is known to the daemon when it asks for the vGPU's type, and is not yet known when it
/// asks for a type by number (the order of the questions).
pub fn apply(name: &str, answer: &mut Answer) {
    let Some((base, layout)) = structure(name, answer.params.len()) else { return };
    let info = &mut answer.params[base..];
    let mut put = |(offset, len): (usize, usize), bytes: &[u8]| {
        if len == 0 {
            return;
        }
        info[offset..][..len].fill(0);
        info[offset..][..bytes.len()].copy_from_slice(bytes);
    };
    for Override { key, value, places, .. } in &KEYS {
        let place = places[layout];
        match value {
            Word(number) => put(place, &number.to_le_bytes()),
            Long(number) => put(place, &number.to_le_bytes()),
            Text(text) => put(place, text.as_bytes()),
        }
        if let ("adapter_name", Text(text)) = (*key, value) {
            let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            put(UNICODE[layout], &units);
        }
    }
    if name == name::TYPE_OF_VGPU {
        put((HEADS[layout], 4), &6u32.to_le_bytes());
        put((FRAMEBUFFER[layout], 8), &(2u64 << 30).to_le_bytes());
    }
}

/// Where the information begins in an answer of `len` bytes to question `name`, and which structure that is.
fn structure(name: &str, len: usize) -> Option<(usize, usize)> {
    Some(match (name, len) {
        (name::TYPE_BY_NUMBER, 4960 | 5096 | 5232) => (8, 0),
        (name::TYPE_BY_NUMBER, 5424) => (8, 1),
        (name::TYPE_BY_NUMBER, 4536) => (8, 3),
        (name::TYPE_BY_NUMBER, 5432) => (8, 5),
        (name::TYPE_OF_VGPU, 1872) => (0, 0),
        (name::TYPE_OF_VGPU, 2328) => (0, 2),
        (name::TYPE_OF_VGPU, 1840 | 1848) => (0, 4),
        _ => return None,
    })
}

/// The keys whose fields are not the same in two answers to question `name`.
pub fn changed(name: &str, raw: &Answer, told: &Answer) -> Vec<&'static str> {
    let Some((base, layout)) = structure(name, raw.params.len()) else { return vec![] };
    let differs = |o: &&Override| {
        let (offset, len) = o.places[layout];
        let field = base + offset..base + offset + len;
        raw.params.get(field.clone()) != told.params.get(field)
    };
    KEYS.iter().filter(differs).map(|o| o.key).collect()
}
