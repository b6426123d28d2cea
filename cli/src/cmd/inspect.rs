// SPDX-License-Identifier: GPL-2.0
//! `inspect`: what the module would do to a driver's file.

use std::path::PathBuf;

use anyhow::Result;

use super::print;
use crate::inspect;

/// Says what would be done to a driver, before it is installed.
///
/// It also says which vGPU release the driver is, whether it can host vGPUs at all, and which boards it
/// lists itself. Neither a GPU nor root is needed.
#[derive(clap::Args)]
#[command(after_help = "Example: vgpu-unlock inspect NVIDIA-Linux-x86_64-550.144.02-vgpu-kvm.run")]
pub struct Args {
    /// NVIDIA's installer (.run), a package or archive (.zip, .deb, .rpm, .tar), a directory, nvidia.ko
    /// (also .xz, .zst, .gz) or nv-kernel.o_binary. Nothing of it is run.
    file: PathBuf,
    /// Print JSON; offsets are into the named sections of the file.
    #[arg(long)]
    json: bool,
    /// A board's magic (16 bytes): also say what it is unlocked with.
    #[arg(long, value_name = "HEX", value_parser = sixteen_bytes, requires = "key")]
    magic: Option<[u8; 16]>,
    /// The board's key (16 bytes).
    #[arg(long, value_name = "HEX", value_parser = sixteen_bytes, requires = "magic")]
    key: Option<[u8; 16]>,
}

/// Prints the report.
///
/// # Errors
/// The file cannot be read, or holds no whole object file. A driver that is not supported is no
/// error: the report says so.
pub fn run(args: &Args) -> Result<()> {
    let report = inspect::inspect(&args.file, args.magic.zip(args.key))?;
    match args.json {
        true => print(&format!("{}\n", serde_json::to_string_pretty(&report)?)),
        false => print(&report.to_string()),
    }
}

fn sixteen_bytes(text: &str) -> Result<[u8; 16], String> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| "expected 32 hexadecimal digits (16 bytes)".to_owned())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bytes_are_32_digits() {
        assert_eq!(sixteen_bytes("000102030405060708090a0b0c0d0eFf").unwrap()[14..], [14, 255]);
        for text in ["", "00", &"0".repeat(31), &"0".repeat(33), &"g".repeat(32), &"é".repeat(16)]
        {
            assert!(sixteen_bytes(text).is_err(), "{text}");
        }
    }
}
