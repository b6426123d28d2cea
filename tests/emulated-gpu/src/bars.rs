// SPDX-License-Identifier: GPL-2.0
//! The board's memory: three BARs, of which only a few words are not zero.

use std::{
    fs::File,
    os::{fd::AsFd, unix::fs::FileExt},
};

use anyhow::{Context, Result, ensure};
use rustix::fs::{MemfdFlags, memfd_create};

/// A BAR's register.
#[derive(Clone, Copy, Debug)]
pub struct BarLayout {
    /// Which of the six registers; a 64-bit one takes the next, too.
    pub index: usize,
    /// Bytes.
    pub size: u64,
    /// 64-bit and prefetchable, or else 32-bit and not.
    pub is_64bit: bool,
}

impl BarLayout {
    /// The register's read-only bits.
    pub fn flags(&self) -> u8 {
        if self.is_64bit { 0xc } else { 0 }
    }
}

/// The BARs of all boards: a GTX 1080 Ti's, with less video memory to see.
pub const LAYOUT: [BarLayout; 3] = [
    BarLayout { index: 0, size: 16 << 20, is_64bit: false },
    BarLayout { index: 1, size: 256 << 20, is_64bit: true },
    BarLayout { index: 3, size: 32 << 20, is_64bit: true },
];

/// `PMC_BOOT_0` and `PMC_BOOT_42` of BAR0, by which the driver tells the chip: its number, then the stepping.
fn boot(chip: u16) -> [(u64, u32); 2] {
    let number = u32::from(chip) << 20;
    [(0x000, number | 0xa1), (0xa00, number | 0xa1000)]
}

const MAGIC_OFFSET: u64 = 0x29624;
const KEY_OFFSET: u64 = 0x29634;

/// What a vGPU's start reads from BAR3.
#[derive(Clone, Copy, Debug)]
pub struct Secrets {
    /// Tells the board's entries in the driver's tables.
    pub magic: [u8; 16],
    /// Decrypts them.
    pub key: [u8; 16],
}

/// One BAR's memory, shared with QEMU.
pub struct Bar {
    layout: BarLayout,
    memory: File,
}

impl Bar {
    fn new(layout: BarLayout) -> Result<Self> {
        let fd = memfd_create(format!("bar{}", layout.index), MemfdFlags::CLOEXEC)
            .with_context(|| format!("making memory for BAR{}", layout.index))?;
        let memory = File::from(fd);
        memory
            .set_len(layout.size)
            .with_context(|| format!("giving BAR{} {:#x} bytes", layout.index, layout.size))?;
        Ok(Self { layout, memory })
    }

    /// The register that describes it.
    pub fn layout(&self) -> &BarLayout {
        &self.layout
    }

    /// The memory, to be mapped by QEMU.
    pub fn memory(&self) -> impl AsFd + '_ {
        &self.memory
    }

    /// Reads `data.len()` bytes at `offset`.
    ///
    /// # Errors
    /// The access reaches beyond the BAR.
    pub fn read(&self, offset: u64, data: &mut [u8]) -> Result<()> {
        self.check(offset, data.len())?;
        self.memory.read_exact_at(data, offset).context("reading a BAR's memory")
    }

    /// Writes `data` at `offset`.
    ///
    /// # Errors
    /// The access reaches beyond the BAR.
    pub fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.check(offset, data.len())?;
        self.memory.write_all_at(data, offset).context("writing a BAR's memory")
    }

    fn check(&self, offset: u64, len: usize) -> Result<()> {
        let end = u64::try_from(len).ok().and_then(|len| offset.checked_add(len));
        ensure!(
            end.is_some_and(|end| end <= self.layout.size),
            "{len} bytes at {offset:#x} are not within BAR{}",
            self.layout.index
        );
        Ok(())
    }
}

/// Makes the memory of a board with `chip` and `secrets`.
///
/// # Errors
/// There is no memory.
pub fn make(chip: u16, secrets: &Secrets) -> Result<Vec<Bar>> {
    let bars = LAYOUT.into_iter().map(Bar::new).collect::<Result<Vec<_>>>()?;
    for bar in &bars {
        match bar.layout.index {
            0 => {
                for (offset, value) in boot(chip) {
                    bar.write(offset, &value.to_le_bytes())?;
                }
            }
            3 => {
                bar.write(MAGIC_OFFSET, &secrets.magic)?;
                bar.write(KEY_OFFSET, &secrets.key)?;
            }
            _ => {}
        }
    }
    Ok(bars)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars() -> Vec<Bar> {
        make(0x132, &Secrets { magic: [0x11; 16], key: [0x22; 16] }).unwrap()
    }

    #[test]
    fn the_chip_stands_in_both_words() {
        for (offset, expected) in [(0, 0x1320_00a1), (0xa00, 0x132a_1000)] {
            let mut word = [0; 4];
            bars()[0].read(offset, &mut word).unwrap();
            assert_eq!(u32::from_le_bytes(word), expected, "at {offset:#x}");
        }
    }

    #[test]
    fn magic_and_key_follow_each_other() {
        let mut data = [0; 34];
        bars()[2].read(MAGIC_OFFSET - 1, &mut data).unwrap();
        assert_eq!(data, *[[0].as_slice(), &[0x11; 16], &[0x22; 16], &[0]].concat());
    }

    #[test]
    fn accesses_beyond_a_bar_are_refused() {
        let bars = bars();
        assert!(bars[0].read((16 << 20) - 3, &mut [0; 4]).is_err());
        assert!(bars[0].write(u64::MAX - 1, &[0; 4]).is_err());
        assert!(bars[0].write((16 << 20) - 4, &[0; 4]).is_ok());
    }
}
