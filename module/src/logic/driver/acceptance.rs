// SPDX-License-Identifier: GPL-2.0
//! Whether `nvidia-vgpud` accepts a board, and what has to be otherwise in its memory so that it does.

use core::{fmt, ops::Range};

use super::vgpud::{self, NotOne, FIRST, MAX_TABLE};

/// How it stands with a device ID that `nvidia-vgpud` was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It does not give up boards with this ID.
    Accepted,
    /// It would, but its own copy of its program was changed.
    Kept,
    /// It gives it up, or nobody knows whether it does.
    GivenUp(Obstacle),
}

/// What keeps `nvidia-vgpud` from accepting a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The user wants it left alone.
    SwitchedOff,
    /// Its loop that gives boards up is not known.
    Loop(NotOne),
    /// Its program is longer than any that is looked through: this many bytes.
    TooLong(u64),
    /// Its program can't be read.
    Unreadable,
    /// There is no memory for looking through its program.
    NoMemory,
    /// Its program can't be written to: the kernel's error number.
    Unwritable(i32),
}

impl Obstacle {
    /// Whether it is known that the board is given up, and not only possible.
    pub fn is_certain(self) -> bool {
        matches!(self, Obstacle::SwitchedOff | Obstacle::Unwritable(_))
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::SwitchedOff => {
                f.write_str("it gives such boards up, and the parameter vgpud is 0")
            }
            Obstacle::Loop(why) => write!(f, "it may give such boards up: {why}"),
            Obstacle::TooLong(bytes) => {
                write!(f, "it may give such boards up: its program has {bytes} bytes")
            }
            Obstacle::Unreadable => {
                f.write_str("it may give such boards up: its program can't be read")
            }
            Obstacle::NoMemory => {
                f.write_str("it may give such boards up: no memory to look through its program")
            }
            Obstacle::Unwritable(errno) => {
                write!(
                    f,
                    "it gives such boards up, and its memory can't be changed (error {errno})"
                )
            }
        }
    }
}

/// The first driver branch whose `nvidia-vgpud` gives boards up (see [`vgpud`]).
pub const FIRST_BRANCH: u16 = 550;

/// The longest program that is looked through. Those that are known have less than 1 MiB.
pub const MAX_TEXT: u64 = 8 << 20;

/// What was found in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It does not give up the board.
    Accepts,
    /// It does, by a jump that goes nowhere once these bytes are 0: its displacement, four bytes at most.
    /// The instructions stay where they are, so it does not matter who is just running them.
    GivesUp(Range<u64>),
}

/// Looks for the loop in a program's `text`, which lies at `address`. `read` reads from the process.
///
/// # Errors
/// What `nvidia-vgpud` does can't be told.
pub fn look(
    text: &[u8],
    address: u64,
    device: u16,
    read: impl FnOnce(u64, &mut [u8]) -> Option<()>,
) -> Result<Finding, Obstacle> {
    let found = vgpud::find(text, address).map_err(Obstacle::Loop)?;
    let mut table = [0; MAX_TABLE];
    let len = found.table.end.saturating_sub(found.table.start);
    let table = usize::try_from(len).ok().and_then(|len| table.get_mut(..len));
    let table = table.ok_or(Obstacle::Unreadable)?;
    read(found.table.start, table).ok_or(Obstacle::Unreadable)?;
    if device != FIRST && !vgpud::ids(table).any(|id| id == device) {
        return Ok(Finding::Accepts);
    }
    let displacement = found.displacement();
    let place = |at: u64| usize::try_from(at.checked_sub(address)?).ok();
    let now = place(displacement.start).zip(place(displacement.end));
    let now = now.and_then(|(start, end)| text.get(start..end)).ok_or(Obstacle::Unreadable)?;
    Ok(match now.iter().all(|byte| *byte == 0) {
        true => Finding::Accepts,
        false => Finding::GivesUp(displacement),
    })
}
