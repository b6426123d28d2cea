// SPDX-License-Identifier: GPL-2.0
//! Sizes and texts as they are written down.

/// Bytes with the largest binary unit that divides them; hexadecimal where that is small.
pub fn size(bytes: u64) -> String {
    for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB")] {
        if bytes != 0 && bytes % (1 << shift) == 0 {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    format!("{bytes:#x}")
}

/// A size as TOML has it, in the largest unit that is whole.
pub fn quoted_size(bytes: u64) -> String {
    let size = size(bytes);
    if size.starts_with("0x") { size } else { quoted(&size) }
}

/// Text as TOML has it.
pub fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}
