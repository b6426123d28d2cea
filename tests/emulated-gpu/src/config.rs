// SPDX-License-Identifier: GPL-2.0
//! PCI configuration space: which bits read as what, and which of them a driver may change.
//!
//! Every rule is a bit of the write mask. Sizing a BAR needs none of its own: the address bits below
//! the BAR's size are read-only zeros, so writing all ones reads back as the size's complement.

use anyhow::{Result, bail, ensure};

use crate::bars::BarLayout;

/// Bytes of conventional configuration space; the driver needs no extended one.
pub const SIZE: usize = 256;

const VENDOR_NVIDIA: u16 = 0x10de;
/// Display controller, VGA compatible.
const CLASS_VGA: u8 = 0x03;
/// The stepping of a GP102, as in `PMC_BOOT_0`.
const REVISION: u8 = 0xa1;

const COMMAND: usize = 0x04;
const STATUS: usize = 0x06;
const BAR0: usize = 0x10;
const SUBSYSTEM: usize = 0x2c;
const CAPABILITIES: usize = 0x34;
const INTERRUPT_LINE: usize = 0x3c;
const INTERRUPT_PIN: usize = 0x3d;
const POWER_MANAGEMENT: usize = 0x60;
const PCI_EXPRESS: usize = 0x78;

/// Memory decoding, bus mastering, parity and system errors, INTx disable.
const COMMAND_WRITABLE: u16 = 0x0546;
const STATUS_HAS_CAPABILITIES: u16 = 0x0010;
/// The two bits that select D0 to D3.
const POWER_STATE: u16 = 0x0003;

/// What distinguishes one board from another.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// PCI device ID.
    pub device: u16,
    /// PCI subsystem ID.
    pub subsystem: u16,
}

/// The function's configuration space.
///
/// Invariant: a bit that `writable` lacks keeps the value that [`ConfigSpace::new`] gave it.
pub struct ConfigSpace {
    bytes: [u8; SIZE],
    writable: [u8; SIZE],
}

impl ConfigSpace {
    /// Builds the space of `identity` with `bars`.
    ///
    /// # Errors
    /// A BAR's size is no power of two, or a BAR has no register.
    pub fn new(identity: Identity, bars: &[BarLayout]) -> Result<Self> {
        let mut space = Self { bytes: [0; SIZE], writable: [0; SIZE] };
        space.set16(0x00, VENDOR_NVIDIA);
        space.set16(0x02, identity.device);
        space.allow16(COMMAND, COMMAND_WRITABLE);
        space.set16(STATUS, STATUS_HAS_CAPABILITIES);
        space.bytes[0x08] = REVISION;
        space.bytes[0x0b] = CLASS_VGA;
        for bar in bars {
            space.add_bar(bar)?;
        }
        space.set16(SUBSYSTEM, VENDOR_NVIDIA);
        space.set16(SUBSYSTEM + 2, identity.subsystem);
        space.writable[INTERRUPT_LINE] = 0xff;
        space.bytes[INTERRUPT_PIN] = 1;

        space.bytes[CAPABILITIES] = POWER_MANAGEMENT as u8;
        space.bytes[POWER_MANAGEMENT] = 0x01;
        space.bytes[POWER_MANAGEMENT + 1] = PCI_EXPRESS as u8;
        space.set16(POWER_MANAGEMENT + 2, 0x0003);
        space.allow16(POWER_MANAGEMENT + 4, POWER_STATE);
        space.bytes[PCI_EXPRESS] = 0x10;
        // Version 2, an endpoint.
        space.set16(PCI_EXPRESS + 2, 0x0002);
        // Device and link control.
        space.allow16(PCI_EXPRESS + 0x08, 0x7fff);
        space.allow16(PCI_EXPRESS + 0x10, 0x0fff);
        Ok(space)
    }

    fn add_bar(&mut self, bar: &BarLayout) -> Result<()> {
        let words = if bar.is_64bit { 2 } else { 1 };
        ensure!(
            bar.size.is_power_of_two() && bar.size >= 16 && bar.index + words <= 6,
            "BAR{} of {:#x} bytes cannot be described by its register",
            bar.index,
            bar.size
        );
        let at = BAR0 + 4 * bar.index;
        self.bytes[at] = bar.flags();
        let mask = !(bar.size - 1);
        self.writable[at..at + 4 * words].copy_from_slice(&mask.to_le_bytes()[..4 * words]);
        Ok(())
    }

    fn set16(&mut self, at: usize, value: u16) {
        self.bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }

    fn allow16(&mut self, at: usize, bits: u16) {
        self.writable[at..at + 2].copy_from_slice(&bits.to_le_bytes());
    }

    /// Reads `data.len()` bytes at `offset`.
    ///
    /// # Errors
    /// The access reaches beyond the space.
    pub fn read(&self, offset: u64, data: &mut [u8]) -> Result<()> {
        let start = Self::start(offset, data.len())?;
        data.copy_from_slice(&self.bytes[start..start + data.len()]);
        Ok(())
    }

    /// Writes those bits of `data` that are writable at `offset`.
    ///
    /// # Errors
    /// The access reaches beyond the space.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> Result<()> {
        let start = Self::start(offset, data.len())?;
        for (i, value) in data.iter().enumerate() {
            let mask = self.writable[start + i];
            let byte = &mut self.bytes[start + i];
            *byte = (*byte & !mask) | (value & mask);
        }
        Ok(())
    }

    fn start(offset: u64, len: usize) -> Result<usize> {
        match usize::try_from(offset) {
            Ok(start) if start.checked_add(len).is_some_and(|end| end <= SIZE) => Ok(start),
            _ => bail!("{len} bytes at {offset:#x} are not within configuration space"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bars::LAYOUT;

    fn space() -> ConfigSpace {
        ConfigSpace::new(Identity { device: 0x1b06, subsystem: 0x120f }, &LAYOUT).unwrap()
    }

    fn read32(space: &ConfigSpace, at: u64) -> u32 {
        let mut data = [0; 4];
        space.read(at, &mut data).unwrap();
        u32::from_le_bytes(data)
    }

    #[test]
    fn ids_and_class_read_as_given() {
        let space = space();
        assert_eq!(read32(&space, 0x00), 0x1b06_10de);
        assert_eq!(read32(&space, 0x08), 0x0300_00a1);
        assert_eq!(read32(&space, 0x2c), 0x120f_10de);
    }

    #[test]
    fn ids_and_class_are_read_only() {
        let mut space = space();
        for at in [0x00, 0x08, 0x2c] {
            let before = read32(&space, at);
            space.write(at, &[0xff; 4]).unwrap();
            space.write(at, &[0x00; 4]).unwrap();
            assert_eq!(read32(&space, at), before, "at {at:#x}");
        }
    }

    #[test]
    fn writing_ones_to_a_bar_tells_its_size_and_kind() {
        let mut space = space();
        for at in (0x10..0x28).step_by(4) {
            space.write(at, &[0xff; 4]).unwrap();
        }
        assert_eq!(read32(&space, 0x10), 0xff00_0000, "BAR0: 16 MiB, 32-bit");
        assert_eq!(read32(&space, 0x14), 0xf000_000c, "BAR1: 256 MiB, 64-bit, prefetchable");
        assert_eq!(read32(&space, 0x18), 0xffff_ffff, "BAR1, upper half");
        assert_eq!(read32(&space, 0x1c), 0xfe00_000c, "BAR3: 32 MiB, 64-bit, prefetchable");
        assert_eq!(read32(&space, 0x20), 0xffff_ffff, "BAR3, upper half");
        assert_eq!(read32(&space, 0x24), 0, "there is no BAR5");
    }

    #[test]
    fn a_bar_keeps_an_address_however_it_is_written() {
        let mut space = space();
        space.write(0x14, &0x8000_0000u32.to_le_bytes()).unwrap();
        space.write(0x18, &[0x38]).unwrap();
        assert_eq!(read32(&space, 0x14), 0x8000_000c);
        assert_eq!(read32(&space, 0x18), 0x38);
        space.write(0x17, &[0x90]).unwrap();
        assert_eq!(read32(&space, 0x14), 0x9000_000c);
    }

    #[test]
    fn there_is_no_rom() {
        let mut space = space();
        space.write(0x30, &[0xff; 4]).unwrap();
        assert_eq!(read32(&space, 0x30), 0);
    }

    #[test]
    fn command_takes_what_a_device_without_io_ports_has() {
        let mut space = space();
        space.write(0x04, &[0xff, 0xff]).unwrap();
        assert_eq!(read32(&space, 0x04), 0x0010_0546);
    }

    #[test]
    fn the_capability_list_ends() {
        let space = space();
        let mut at = space.bytes[CAPABILITIES];
        let mut ids = vec![];
        while at != 0 && ids.len() < 8 {
            ids.push(space.bytes[usize::from(at)]);
            at = space.bytes[usize::from(at) + 1];
        }
        assert_eq!(ids, [0x01, 0x10]);
    }

    #[test]
    fn accesses_beyond_the_space_are_refused() {
        let mut space = space();
        assert!(space.read(253, &mut [0; 4]).is_err());
        assert!(space.read(u64::MAX, &mut [0; 4]).is_err());
        assert!(space.write(256, &[0]).is_err());
        assert!(space.write(252, &[0; 4]).is_ok());
    }

    #[test]
    fn a_bar_that_has_no_register_is_refused() {
        let identity = Identity { device: 1, subsystem: 1 };
        for bar in [
            BarLayout { index: 5, size: 1 << 20, is_64bit: true },
            BarLayout { index: 0, size: 3 << 20, is_64bit: false },
        ] {
            assert!(ConfigSpace::new(identity, &[bar]).is_err());
        }
    }
}
