// SPDX-License-Identifier: GPL-2.0
//! vGPUs being created: no more than the user allows, and none of types that are registered anew.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::files::{available, told};
use super::soon::soon;
use crate::logic::mdev::{self, File};
use crate::sys::count::Count;
use crate::sys::lock::{CreateMutex, Mutexed};
use crate::sys::mdev::Type;
use crate::sys::{log, Errno, AGAIN};

/// Bytes of a decimal number, with some to spare.
const NUMBER: usize = 16;

/// No more can be created (EUSERS), as the mdev core itself says it.
const TOO_MANY: Errno = -87;

/// vGPUs that are being created.
static CREATING: Count = Count::ZERO;
/// Of these types, by [`Registration::parent`](crate::sys::mdev::Registration::parent), no vGPU can be
/// created, because they are being registered anew. 0 is nobody's.
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// Held from looking whether the user allows one more vGPU until it is there.
static LIMITED: Mutexed<(), CreateMutex> = Mutexed::new(());

/// A vGPU of this type is to be created, by `create`.
///
/// # Errors
/// It is not: as many as the user allows are there, or the types are just being registered anew.
pub fn creating(ty: &Type, create: impl FnOnce() -> isize) -> Result<isize, Errno> {
    let _creating = CREATING.enter();
    if BUSY.load(Ordering::SeqCst) == ty.parent() {
        return Err(AGAIN);
    }
    if !told(ty).is_some_and(|told| told.limits_instances()) {
        return Ok(create());
    }
    let _limited = LIMITED.lock();
    let mut number = [0; NUMBER];
    let left =
        told(ty).and_then(|told| available(ty, &told, ty.read(File::Instances, &mut number)?));
    if left == Some(0) {
        let number = mdev::number(ty.name()).unwrap_or(0);
        log::warn(format_args!("no more vGPUs of nvidia-{number}: max_instances allows no more"));
        return Err(TOO_MANY);
    }
    Ok(create())
}

/// Refuses new vGPUs of these types while `f` runs, which is told whether none is just being created.
pub fn without_new<R>(parent: usize, f: impl FnOnce(bool) -> R) -> R {
    BUSY.store(parent, Ordering::SeqCst);
    let result = f(soon(|| CREATING.is_zero().then_some(())).is_some());
    BUSY.store(0, Ordering::SeqCst);
    result
}
