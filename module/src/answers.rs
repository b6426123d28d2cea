// SPDX-License-Identifier: GPL-2.0
//! What the vGPU daemons are told: RM control calls, changed after the driver has answered.
//!
//! A kretprobe on the driver's ioctl function notices that a daemon's call returns, and has [`run`]
//! called by the daemon's own task before it is back in user space. There the answer lies in the
//! daemon's memory, and that is what is changed. So nothing of ours is on the stack while the
//! driver works, and no other process can gain anything: it could only be told what it can write
//! into its own memory anyway.

use crate::sys::task::{self, Arguments};
use crate::sys::user::{self, UserAddress};

/// An RM control call: the driver's escape 0x2a, with an NVOS54 of 32 bytes.
const RM_CONTROL: u32 = 0x2a;
/// An escape whose own parameter is elsewhere: 211, with 16 bytes.
const XFER: u32 = 211;
/// Bytes of an NVOS54.
const NVOS54_LEN: usize = 32;
/// Bytes of a transfer: `u32 cmd, u32 size, u64 pointer`.
const XFER_LEN: usize = 16;

/// The number in an ioctl command, its lowest eight bits.
fn number(command: u32) -> u32 {
    command & 0xff
}

/// The size of the argument in an ioctl command, fourteen bits from bit 16 on.
fn size(command: u32) -> usize {
    (command >> 16 & 0x3fff) as usize
}

/// Whether a call of the driver's ioctl function could be an RM control call of a daemon.
pub fn wants(command: u32) -> bool {
    matches!(number(command), RM_CONTROL | XFER) && user::is_daemon()
}

/// An ioctl with this command and argument has returned.
pub fn returned(command: u32, argument: usize) {
    task::schedule([command as usize, argument]);
}

/// Changes the answer of an ioctl, in the task that made it.
pub fn run([command, argument]: Arguments) {
    let _ = nvos54(command as u32, UserAddress(argument as u64));
}

/// Where the NVOS54 of a call is, if it is an RM control call.
fn nvos54(command: u32, argument: UserAddress) -> Option<UserAddress> {
    match (number(command), size(command)) {
        (RM_CONTROL, NVOS54_LEN) => Some(argument),
        (XFER, XFER_LEN) => {
            let mut transfer = [0; XFER_LEN];
            argument.read(&mut transfer)?;
            let [c0, c1, c2, c3, s0, s1, s2, s3, pointer @ ..] = transfer;
            let real = u32::from_le_bytes([c0, c1, c2, c3]) == RM_CONTROL
                && u32::from_le_bytes([s0, s1, s2, s3]) as usize == NVOS54_LEN;
            real.then(|| UserAddress(u64::from_le_bytes(pointer)))
        }
        _ => None,
    }
}
