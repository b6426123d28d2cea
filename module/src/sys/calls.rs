// SPDX-License-Identifier: GPL-2.0
//! Something for a task to do before it returns to user space, where it may sleep and touch its
//! memory. Asked for from probe handlers, which may not.
//!
//! The jobs are static, for the driver may be gone before a task gets round to its job.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::bindings as b;
use super::clock;

/// What a job is called with.
pub type Arguments = [usize; 2];

/// One job, and room for the kernel to queue it.
///
/// Invariant: `head` comes first. `head` and `arguments` belong to whoever set `taken`, until the
/// job is done and clears it.
#[repr(C)]
struct Job {
    head: UnsafeCell<b::callback_head>,
    arguments: UnsafeCell<Arguments>,
    taken: AtomicBool,
}

// SAFETY: The invariant gives the two cells one owner at a time.
unsafe impl Sync for Job {}

impl Job {
    #[allow(clippy::declare_interior_mutable_const, reason = "a template for the array below")]
    const FREE: Self = Self {
        head: UnsafeCell::new(b::callback_head { next: core::ptr::null_mut(), func: None }),
        arguments: UnsafeCell::new([0; 2]),
        taken: AtomicBool::new(false),
    };
}

/// Jobs that may be waiting at once. The daemons have a handful of threads each.
const JOBS: usize = 64;

static POOL: [Job; JOBS] = [Job::FREE; JOBS];

/// Where to begin to look for a free job, so that callers do not fight for the first one.
static NEXT: AtomicUsize = AtomicUsize::new(0);

static LOST: AtomicU64 = AtomicU64::new(0);

/// Has [`crate::unlock::answers::run`] called with `arguments` by the current task before it returns to
/// user space. Callable from probe handlers. A call that can't be made is counted in [`lost`].
pub fn schedule(arguments: Arguments) {
    let start = NEXT.fetch_add(1, Ordering::Relaxed);
    for i in 0..JOBS {
        let Some(job) = POOL.get(start.wrapping_add(i) % JOBS) else { continue };
        if job.taken.swap(true, Ordering::Acquire) {
            continue;
        }
        // SAFETY: The job is ours since the swap.
        unsafe { job.arguments.get().write(arguments) };
        // SAFETY: The job is static and ours; `vu_task_run` below gives it back.
        if unsafe { b::vu_task_add(job.head.get()) } == 0 {
            return;
        }
        // The task is exiting: it will never look at its memory again.
        job.taken.store(false, Ordering::Release);
        break;
    }
    LOST.fetch_add(1, Ordering::Relaxed);
}

/// How many calls could not be made, because the task was exiting or too many were waiting.
pub fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Waits until every job is done. Nobody may ask for new ones any more.
pub fn wait_for_all() {
    while POOL.iter().any(|job| job.taken.load(Ordering::Acquire)) {
        clock::sleep_ms(1);
    }
}

/// Never returns.
pub fn sleep_for_ever() -> ! {
    loop {
        clock::sleep_ms(60_000);
    }
}

#[no_mangle]
unsafe extern "C" fn vu_task_run(head: *mut b::callback_head) {
    // SAFETY: Only `schedule` queues this, with the first member of a job in the static pool.
    let job = unsafe { &*head.cast::<Job>() };
    // SAFETY: The job is the caller's until `taken` is cleared.
    let arguments = unsafe { job.arguments.get().read() };
    crate::unlock::answers::run(arguments);
    job.taken.store(false, Ordering::Release);
}
