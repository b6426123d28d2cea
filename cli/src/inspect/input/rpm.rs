// SPDX-License-Identifier: GPL-2.0
//! An RPM package, as far as its files are wanted: the lead, two headers that are passed over, and
//! a cpio archive, packed.

use std::io::{Read, sink};

use anyhow::{Context, Result, bail};

/// Length of the lead, which begins with the magic number.
const LEAD: u64 = 96;

const HEADER: [u8; 4] = *b"\x8e\xad\xe8\x01";

/// A header of this length is damaged; rpm itself takes 256 MiB.
const MAX_HEADER: u64 = 256 << 20;

/// The packed archive in a package.
///
/// # Errors
/// The package is damaged or cut off.
pub fn payload<R: Read>(mut from: R) -> Result<R> {
    const CUT: &str = "the package is cut off";
    pass(&mut from, LEAD).context(CUT)?;
    // The signatures end at a multiple of eight bytes, the header proper wherever it ends.
    let signatures = header(&mut from).context("its signatures")?;
    pass(&mut from, signatures.next_multiple_of(8) - signatures).context(CUT)?;
    header(&mut from).context("its header")?;
    Ok(from)
}

/// Passes a header over, and says how long it is.
fn header(from: &mut impl Read) -> Result<u64> {
    let mut start = [0; 16];
    from.read_exact(&mut start).context("the package is cut off")?;
    let [m0, m1, m2, m3, _, _, _, _, counts @ ..] = start;
    if [m0, m1, m2, m3] != HEADER {
        bail!("are not where they must be: the package is damaged");
    }
    let (entries, data) = counts.split_at(4);
    let number =
        |bytes: &[u8]| bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte));
    let len = number(entries) * 16 + number(data);
    if len > MAX_HEADER {
        bail!("have {len} bytes: the package is damaged");
    }
    pass(from, len).context("the package is cut off")?;
    Ok(len)
}

fn pass(from: &mut impl Read, len: u64) -> std::io::Result<()> {
    match std::io::copy(&mut from.take(len), &mut sink())? {
        passed if passed == len => Ok(()),
        _ => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}
