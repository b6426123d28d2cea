// SPDX-License-Identifier: GPL-2.0
//! Keeping `nvidia-vgpud` from giving up the boards that it is told.
//!
//! From 550 on, the daemon itself refuses some of the device IDs that boards are answered with (see
//! [`crate::logic::driver::vgpud`]). Its own task, which has just been told such an ID, looks for the loop
//! that does so in its program, and has its own copy of that page changed, as a debugger would: the file stays as it is,
//! and so does every other process. What was changed goes with the process.

use core::sync::atomic::{AtomicU16, Ordering};

use kernel::alloc::{flags::GFP_KERNEL, KVVec};

use crate::logic::driver::acceptance::{
    self, Acceptance, Finding, Obstacle, FIRST_BRANCH, MAX_TEXT,
};
use crate::logic::driver::version::Version;
use crate::logic::rm_control::Process;
use crate::sys::lock::{Mutexed, VgpudMutex};
use crate::sys::log;
use crate::sys::user::{self, UserAddress};
use crate::unlock::settings;

/// The driver's branch; 0 where there was none yet.
static BRANCH: AtomicU16 = AtomicU16::new(0);

/// What became of the last question.
#[derive(Clone, Copy)]
struct Seen {
    process: Process,
    device: u16,
    acceptance: Acceptance,
}

static SEEN: Mutexed<Option<Seen>, VgpudMutex> = Mutexed::new(None);

/// A driver of this version is attached.
pub fn attached(version: &Version) {
    BRANCH.store(version.branch, Ordering::Relaxed);
    *SEEN.lock() = None;
}

/// The device ID of those that need an unlock that `nvidia-vgpud` was told last, and what it makes of it;
/// `None` where it was told none, or is of a branch that takes them all.
pub fn report() -> Option<(u16, Acceptance)> {
    let seen = *SEEN.lock();
    seen.map(|seen| (seen.device, seen.acceptance))
}

/// The driver's branch, if it is one whose `nvidia-vgpud` gives boards up.
pub fn branch() -> Option<u16> {
    Some(BRANCH.load(Ordering::Relaxed)).filter(|branch| *branch >= FIRST_BRANCH)
}

/// The calling process, which is `nvidia-vgpud` of such a branch, is about to be told that a board has this
/// device ID, which the driver accepts only because of us. May sleep.
pub fn told(device: u16) {
    let (process, _) = user::processes();
    let before = *SEEN.lock();
    let same = before.filter(|seen| seen.process == process && seen.device == device);
    // What could not be done may be possible now, what was done stays done.
    if same.is_some_and(|seen| !matches!(seen.acceptance, Acceptance::GivenUp(_))) {
        return;
    }
    let acceptance = accept(device).unwrap_or_else(Acceptance::GivenUp);
    *SEEN.lock() = Some(Seen { process, device, acceptance });
    if same.is_some_and(|seen| seen.acceptance == acceptance) {
        return;
    }
    match acceptance {
        Acceptance::Accepted => {}
        Acceptance::Kept => log::info(format_args!(
            "nvidia-vgpud would give up boards answered as {device:04x}: its own copy of its program was changed"
        )),
        Acceptance::GivenUp(why) => {
            log::warn(format_args!("nvidia-vgpud and boards answered as {device:04x}: {why}"));
        }
    }
}

fn accept(device: u16) -> Result<Acceptance, Obstacle> {
    let (start, len) = user::text().ok_or(Obstacle::Unreadable)?;
    if len > MAX_TEXT {
        return Err(Obstacle::TooLong(len));
    }
    let text = copy(start, len).ok_or(Obstacle::NoMemory)?;
    let read = |from, to: &mut [u8]| UserAddress(from).read(to);
    match acceptance::look(&text, start.0, device, read)? {
        Finding::Accepts => Ok(Acceptance::Accepted),
        Finding::GivesUp(_) if !settings::with(|user| user.vgpud) => Err(Obstacle::SwitchedOff),
        Finding::GivesUp(displacement) => {
            let len = displacement.end.saturating_sub(displacement.start);
            let nowhere = [0; 4];
            let nowhere = nowhere.get(..len as usize).ok_or(Obstacle::Unreadable)?;
            UserAddress(displacement.start).poke(nowhere).map_err(Obstacle::Unwritable)?;
            Ok(Acceptance::Kept)
        }
    }
}

/// A copy of the program, with zeroes for what is not there. `None` without memory.
fn copy(start: UserAddress, len: u64) -> Option<KVVec<u8>> {
    const PIECE: usize = 256;
    let mut text = KVVec::new();
    let mut at = 0;
    while at < len as usize {
        let mut piece = [0; PIECE];
        let wanted = PIECE.min((len as usize).saturating_sub(at));
        if let Some(piece) = piece.get_mut(..wanted) {
            if start.add(at).read(piece).is_none() {
                piece.fill(0);
            }
            text.extend_from_slice(piece, GFP_KERNEL).ok()?;
        }
        at = at.saturating_add(wanted);
    }
    Some(text)
}
