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

/// A key, what is written for it, what that means, and where: offset and length in the type by number
/// until 575, in 580's, and in 580's type of a vGPU.
struct Override {
    key: &'static str,
    written: &'static str,
    value: Value,
    places: [(usize, usize); 3],
}

const fn at(
    key: &'static str,
    written: &'static str,
    value: Value,
    places: [(usize, usize); 3],
) -> Override {
    Override { key, written, value, places }
}

/// A number at three offsets.
const fn word(key: &'static str, written: &'static str, value: u32, at3: [usize; 3]) -> Override {
    at(key, written, Word(value), [(at3[0], 4), (at3[1], 4), (at3[2], 4)])
}

const fn long(key: &'static str, written: &'static str, value: u64, at3: [usize; 3]) -> Override {
    at(key, written, Long(value), [(at3[0], 8), (at3[1], 8), (at3[2], 8)])
}

const KEYS: [Override; 25] = [
    word("gpu_type", "99", 99, [0, 0, 0]),
    at("card_name", "'Stand-in 1'", Text("Stand-in 1"), [(4, 32), (4, 64), (4, 64)]),
    at("vgpu_type", "Compute", Text("Compute"), [(36, 32), (68, 64), (68, 64)]),
    at("features", "'A,1.0;B,2.0'", Text("A,1.0;B,2.0"), [(196, 128), (260, 128), (260, 128)]),
    word("max_instances", "3", 3, [324, 388, 388]),
    word("num_displays", "2", 2, [328, 392, 392]),
    word("display_width", "1920", 1920, [332, 396, 396]),
    word("display_height", "1080", 1080, [336, 400, 400]),
    word("max_pixels", "0x1fa400", 2_073_600, [340, 404, 404]),
    word("frl_config", "45", 45, [344, 408, 408]),
    word("cuda_enabled", "0", 0, [348, 412, 412]),
    word("ecc_supported", "1", 1, [352, 416, 416]),
    word("mig_instance_size", "5", 5, [356, 420, 420]),
    word("multi_vgpu_supported", "0", 0, [360, 424, 424]),
    long("pci_id", "0x1eb81234deadbeef", 0x1eb8_1234_dead_beef, [368, 432, 432]),
    long("pci_device_id", "0x1eb8", 0x1eb8, [376, 440, 440]),
    long("framebuffer", "1GiB", 1 << 30, [392, 456, 448]),
    long("framebuffer_reservation", "64MiB", 64 << 20, [408, 472, 464]),
    long("mappable_video_size", "1.5 GB", 1_500_000_000, [416, 480, 456]),
    word("encoder_capacity", "50", 50, [424, 488, 472]),
    long("bar1_length", "0x100", 0x100, [432, 496, 480]),
    word("frl_enabled", "0", 0, [440, 504, 488]),
    at("adapter_name", "'My adapter'", Text("My adapter"), [(444, 64), (508, 64), (492, 64)]),
    at("short_gpu_name", "Short", Text("Short"), [(636, 64), (700, 64), (684, 64)]),
    at("license_type", "'Any license'", Text("Any license"), [(700, 128), (764, 128), (748, 128)]),
];

/// The adapter's name once more, in UTF-16.
const UNICODE: [(usize, usize); 3] = [(508, 128), (572, 128), (556, 128)];
/// `num_displays` and `framebuffer` again.
const HEADS: [usize; 3] = [328, 392, 392];
const FRAMEBUFFER: [usize; 3] = [392, 456, 448];

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
    let (base, layout) = match (name, answer.params.len()) {
        (name::TYPE_BY_NUMBER, 4960 | 5096 | 5232) => (8, 0),
        (name::TYPE_BY_NUMBER, 5424) => (8, 1),
        (name::TYPE_OF_VGPU, 1872) => (0, 0),
        (name::TYPE_OF_VGPU, 2328) => (0, 2),
        _ => return,
    };
    let info = &mut answer.params[base..];
    let mut put = |(offset, len): (usize, usize), bytes: &[u8]| {
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
