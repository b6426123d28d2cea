// SPDX-License-Identifier: GPL-2.0
//! An NVIDIA board for QEMU's `vfio-user-pci`, real enough for NVIDIA's driver to bind to.

mod bars;
mod config;
mod server;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

/// Emulates an NVIDIA board for one QEMU (-device vfio-user-pci).
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where to listen; the file must not exist.
    #[arg(long)]
    socket: PathBuf,
    /// PCI device ID, hexadecimal. The default is a GeForce GTX 1080 Ti.
    #[arg(long, default_value = "1b06", value_parser = pci_id)]
    device: u16,
    /// PCI subsystem ID, hexadecimal.
    #[arg(long, default_value = "120f", value_parser = pci_id)]
    subsystem: u16,
    /// Number of its chip, hexadecimal, as nouveau counts them. The default is a GP102.
    #[arg(long, default_value = "132", value_parser = chip)]
    chip: u16,
    /// 16 bytes that BAR3 holds at 0x29624, hexadecimal. The default is a Quadro P400's.
    #[arg(long, default_value = "479cb6e1451af84c1af948cc3b9ae8b9", value_parser = secret)]
    magic: [u8; 16],
    /// 16 bytes that BAR3 holds at 0x29634, hexadecimal. The default is a Quadro P400's.
    #[arg(long, default_value = "ad6321fc4c3e17f8bc68ad6505c77938", value_parser = secret)]
    key: [u8; 16],
}

fn pci_id(text: &str) -> Result<u16, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u16::from_str_radix(digits, 16)
        .map_err(|error| format!("not a 16-bit hexadecimal number such as 1b06: {error}"))
}

/// It has nine bits of a register.
fn chip(text: &str) -> Result<u16, String> {
    match pci_id(text)? {
        number @ 0..=0x1ff => Ok(number),
        _ => Err("not a chip's number such as 132: more than nine bits".to_owned()),
    }
}

fn secret(text: &str) -> Result<[u8; 16], String> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|error| format!("not 16 bytes in hexadecimal: {error}"))?;
    Ok(bytes)
}

fn main() -> Result<()> {
    let options = Options::parse();
    let secrets = bars::Secrets { magic: options.magic, key: options.key };
    let identity = config::Identity { device: options.device, subsystem: options.subsystem };
    let config = config::ConfigSpace::new(identity, &bars::LAYOUT)?;
    let bars = bars::make(options.chip, &secrets).context("making the board's memory")?;
    server::serve(&options.socket, config, bars)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn errors_name_option_and_value() {
        for (option, value) in [
            ("--device", "1b0g"),
            ("--subsystem", "12345"),
            ("--chip", "200"),
            ("--magic", "47"),
            ("--key", "xx"),
        ] {
            let result = Options::try_parse_from(["emulated-gpu", "--socket", "s", option, value]);
            let message = result.err().unwrap().to_string();
            assert!(message.contains(option) && message.contains(value), "{message}");
        }
    }

    #[test]
    fn ids_are_hexadecimal_with_or_without_prefix() {
        assert_eq!(pci_id("1b06"), Ok(0x1b06));
        assert_eq!(pci_id("0x1b06"), Ok(0x1b06));
    }
}
