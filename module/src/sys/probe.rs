// SPDX-License-Identifier: GPL-2.0
//! Kprobes that change what a piece of the driver does, and kretprobes that watch a function.
//!
//! A kprobe handler runs in an INT3 trap, where no lock may be taken and nothing allocated: the one
//! here changes registers, or one word on the driver's stack, and counts.
//!
//! Registering is not firing: a probe is registered disabled and then enabled, because only the
//! latter reports that the kernel could not arm it. That all kprobes were switched off by hand no
//! call reports; see [`super::canary`].

use core::cell::UnsafeCell;
use core::ptr::{addr_of, addr_of_mut};
use core::sync::atomic::{AtomicU64, Ordering};

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KBox;

use super::bindings as b;
use super::{check, Errno, NO_MEMORY};
use crate::logic::status::Reason;

/// What a probe does where it stands.
#[derive(Clone, Copy)]
pub enum Effect {
    /// Returns this value to the caller of the function that begins here.
    Return(u32),
    /// Stores a value and goes on elsewhere.
    Store {
        /// The variable's distance from `%rbp`.
        displacement: u8,
        /// What is stored, four bytes.
        value: u32,
        /// Address to go on at.
        resume: usize,
    },
    /// Counts, and lets the instruction run.
    Count,
}

/// A kprobe in place. Dropping it puts the instruction back and waits for running handlers.
pub struct Probe(KBox<ProbeInner>);

/// What the handler sees.
///
/// Invariant: `probe` comes first, so that a pointer to it is one to the whole; `effect` does not
/// change while the probe is registered.
#[repr(C)]
struct ProbeInner {
    probe: UnsafeCell<b::kprobe>,
    effect: Effect,
    hits: AtomicU64,
}

// SAFETY: The kernel looks after the kprobe itself; the rest is constant or atomic.
unsafe impl Send for Probe {}
// SAFETY: As above.
unsafe impl Sync for Probe {}

impl Probe {
    /// Places a probe at `address`.
    ///
    /// The caller has proven, by its bytes, that an instruction begins there at which `effect`
    /// makes sense: [`Effect::Return`] where the stack pointer still points to the return address,
    /// [`Effect::Store`] where `%rbp` points to the frame that holds the variable.
    ///
    /// # Errors
    /// The kernel's error number, or [`DISARMED`]; nothing is left behind.
    pub fn place(address: usize, effect: Effect) -> Result<Self, Errno> {
        // SAFETY: All-zero is what the kernel expects of the members that are not set below.
        let mut probe = unsafe { core::mem::zeroed::<b::kprobe>() };
        probe.addr = address as *mut _;
        probe.flags = b::KPROBE_FLAG_DISABLED;
        probe.pre_handler = Some(before);
        // Without one, the kernel would replace the trap by a jump, which loses the changed
        // instruction pointer.
        probe.post_handler = Some(after);
        let inner = ProbeInner { probe: UnsafeCell::new(probe), effect, hits: AtomicU64::new(0) };
        let inner = KBox::new(inner, GFP_KERNEL).map_err(|_| NO_MEMORY)?;
        // SAFETY: The kprobe stays where it is, in the box, until `drop` has unregistered it.
        check(unsafe { b::register_kprobe(inner.probe.get()) })?;
        let placed = Self(inner);
        // SAFETY: Just registered. On failure `placed` is dropped, which unregisters.
        unsafe { enable(placed.0.probe.get())? };
        Ok(placed)
    }

    /// How often the probe was hit.
    pub fn hits(&self) -> u64 {
        self.0.hits.load(Ordering::Relaxed)
    }

    /// How often the kernel skipped it, because another probe's handler was running.
    pub fn misses(&self) -> u64 {
        // SAFETY: The kernel only ever increments the counter; a stale value is good enough.
        unsafe { addr_of!((*self.0.probe.get()).nmissed).read_volatile() }
    }
}

/// The kernel took the probe but did not arm it, because someone switched all kprobes off
/// (EAGAIN). It would stay off even if they are switched on again.
pub const DISARMED: Errno = -11;

/// What a hook that is called `name` was refused for.
pub fn reason(name: &'static str, errno: Errno) -> Reason {
    match errno {
        DISARMED => Reason::KprobesOff,
        errno => Reason::Hook(name, errno),
    }
}

/// Arms a probe that was registered disabled.
///
/// # Safety
/// `probe` is registered.
unsafe fn enable(probe: *mut b::kprobe) -> Result<(), Errno> {
    // SAFETY: As the caller promises.
    check(unsafe { b::enable_kprobe(probe) })?;
    // SAFETY: As above; the flag is set and cleared under a lock that enabling has just released.
    let flags = unsafe { addr_of!((*probe).flags).read_volatile() };
    if flags & b::KPROBE_FLAG_DISABLED != 0 {
        return Err(DISARMED);
    }
    Ok(())
}

impl Drop for Probe {
    fn drop(&mut self) {
        // SAFETY: Registered by `place`. Returns when no handler runs any more.
        unsafe { b::unregister_kprobe(self.0.probe.get()) };
    }
}

/// The address a probe of the kernel or of a module's `name` (`module:symbol`) would get.
///
/// For a function that begins with ENDBR that is the instruction behind it. `name` ends in NUL.
pub fn address_of(name: &'static core::ffi::CStr) -> Option<usize> {
    // SAFETY: As in `place`.
    let mut probe = unsafe { core::mem::zeroed::<b::kprobe>() };
    probe.symbol_name = name.as_ptr().cast();
    probe.flags = b::KPROBE_FLAG_DISABLED;
    // SAFETY: The probe is disabled, so nothing is patched, and is gone again before we return.
    let registered = unsafe { b::register_kprobe(&mut probe) } == 0;
    let address = probe.addr as usize;
    if registered {
        // SAFETY: Registered right above.
        unsafe { b::unregister_kprobe(&mut probe) };
    }
    (registered && address != 0).then_some(address)
}

unsafe extern "C" fn before(probe: *mut b::kprobe, regs: *mut b::pt_regs) -> core::ffi::c_int {
    // SAFETY: Only `place` registers this handler, with a kprobe that is the first member of a
    // `ProbeInner` which lives until after the last handler.
    let inner = unsafe { &*probe.cast::<ProbeInner>() };
    // SAFETY: The kernel hands us the interrupted context, which nobody else touches meanwhile.
    let regs = unsafe { &mut *regs };
    inner.hits.fetch_add(1, Ordering::Relaxed);
    match inner.effect {
        Effect::Count => return 0,
        Effect::Return(value) => {
            regs.ax = value.into();
            // SAFETY: At a function's first instruction the stack pointer points to the return
            // address (`place`'s caller has proven that it is one).
            regs.ip = unsafe { (regs.sp as *const core::ffi::c_ulong).read() };
            regs.sp = regs.sp.wrapping_add(8);
        }
        Effect::Store { displacement, value, resume } => {
            let variable = regs.bp.wrapping_add(displacement.into()) as *mut u32;
            // SAFETY: The instruction that we stand in for stores there itself.
            unsafe { variable.write_unaligned(value) };
            regs.ip = resume as core::ffi::c_ulong;
        }
    }
    1
}

unsafe extern "C" fn after(_: *mut b::kprobe, _: *mut b::pt_regs, _: core::ffi::c_ulong) {}

/// Someone who is told what a function was called with and what it returned.
///
/// Both are called with preemption off, and may be called in an INT3 trap: they must not sleep,
/// nor take a lock that anyone may hold who can be trapped.
pub trait Watcher: Sync {
    /// Whether it is worth being told of the return of a call with these first three arguments. That
    /// is all that most calls cost, so it does without the watcher, which would have to be found.
    fn wants(arguments: [usize; 3]) -> bool;

    /// The function returned `value` after a call that was wanted.
    fn returned(&self, arguments: [usize; 3], value: usize);
}

/// A kretprobe in place. Dropping it takes it away and waits for running handlers.
pub struct ReturnProbe<W: Watcher + 'static>(KBox<ReturnInner<W>>);

/// As [`ProbeInner`]: the kretprobe comes first.
#[repr(C)]
struct ReturnInner<W> {
    probe: UnsafeCell<b::kretprobe>,
    watcher: *const W,
    hits: AtomicU64,
}

// SAFETY: The kernel looks after the kretprobe; the watcher is `Sync` and outlives us (`place`).
unsafe impl<W: Watcher> Send for ReturnProbe<W> {}
// SAFETY: As above.
unsafe impl<W: Watcher> Sync for ReturnProbe<W> {}

impl<W: Watcher + 'static> ReturnProbe<W> {
    /// Tells `watcher` whenever the function `name` (`module:symbol`) returns.
    ///
    /// # Safety
    /// `watcher` outlives the value that is returned.
    ///
    /// # Errors
    /// The kernel's error number, or [`DISARMED`]; nothing is left behind.
    pub unsafe fn place(name: &'static core::ffi::CStr, watcher: &W) -> Result<Self, Errno> {
        // SAFETY: All-zero is what the kernel expects of the members that are not set below.
        let mut probe = unsafe { core::mem::zeroed::<b::kretprobe>() };
        probe.kp.symbol_name = name.as_ptr().cast();
        probe.kp.flags = b::KPROBE_FLAG_DISABLED;
        probe.entry_handler = Some(entered::<W>);
        probe.handler = Some(returned::<W>);
        probe.data_size = core::mem::size_of::<[usize; 3]>();
        probe.maxactive = MAX_ACTIVE;
        let inner = ReturnInner {
            probe: UnsafeCell::new(probe),
            watcher: watcher as *const W,
            hits: AtomicU64::new(0),
        };
        let inner = KBox::new(inner, GFP_KERNEL).map_err(|_| NO_MEMORY)?;
        // SAFETY: The kretprobe stays in the box until `drop` has unregistered it.
        check(unsafe { b::register_kretprobe(inner.probe.get()) })?;
        let placed = Self(inner);
        // SAFETY: Just registered; enabling takes the kprobe inside, as enable_kretprobe() does.
        unsafe { enable(addr_of_mut!((*placed.0.probe.get()).kp))? };
        Ok(placed)
    }

    /// How often the function returned.
    pub fn hits(&self) -> u64 {
        self.0.hits.load(Ordering::Relaxed)
    }

    /// How many calls were lost.
    pub fn misses(&self) -> u64 {
        // SAFETY: As in `Probe::misses`.
        let missed = unsafe { addr_of!((*self.0.probe.get()).nmissed).read_volatile() };
        u64::try_from(missed).unwrap_or(0)
    }
}

/// Calls that may be under way at once and are not lost; only the daemons' are wanted.
const MAX_ACTIVE: i32 = 64;

impl<W: Watcher> Drop for ReturnProbe<W> {
    fn drop(&mut self) {
        // SAFETY: Registered by `place`. Returns when no handler runs any more.
        unsafe { b::unregister_kretprobe(self.0.probe.get()) };
    }
}

/// Where the instance keeps the arguments between entry and return.
///
/// # Safety
/// `instance` is one of a kretprobe that `ReturnProbe::place` registered, with its data size.
unsafe fn arguments_of(instance: *mut b::kretprobe_instance) -> *mut [usize; 3] {
    // SAFETY: The kernel allocates `data_size` bytes behind the instance, aligned to a word.
    unsafe { (*instance).data.as_mut_ptr().cast() }
}

unsafe extern "C" fn entered<W: Watcher>(
    instance: *mut b::kretprobe_instance,
    regs: *mut b::pt_regs,
) -> core::ffi::c_int {
    // SAFETY: The registers are the interrupted context's, which nobody changes meanwhile.
    let arguments = unsafe { [(*regs).di as usize, (*regs).si as usize, (*regs).dx as usize] };
    if !W::wants(arguments) {
        return SKIP;
    }
    // SAFETY: Only `place` registers this handler, with room for the arguments.
    unsafe { arguments_of(instance).write(arguments) };
    0
}

/// What an entry handler returns for a call whose return is of no interest.
const SKIP: core::ffi::c_int = 1;

/// What an instance belongs to, unless it is being taken away.
///
/// # Safety
/// `instance` is a live one of a kretprobe that `ReturnProbe::<W>::place` registered, and the
/// reference does not leave the handler.
unsafe fn inner_of<'a, W: Watcher>(
    instance: *mut b::kretprobe_instance,
) -> Option<&'a ReturnInner<W>> {
    // SAFETY: The instance is live.
    let probe = unsafe { b::vu_kretprobe_of(instance) };
    // SAFETY: The kretprobe is the first member of a `ReturnInner`, which lives until after the
    // last handler. NULL is no reference.
    unsafe { probe.cast::<ReturnInner<W>>().as_ref() }
}

unsafe extern "C" fn returned<W: Watcher>(
    instance: *mut b::kretprobe_instance,
    regs: *mut b::pt_regs,
) -> core::ffi::c_int {
    // SAFETY: The kernel hands us a live instance of a probe that `place` registered.
    let Some(inner) = (unsafe { inner_of::<W>(instance) }) else { return 0 };
    inner.hits.fetch_add(1, Ordering::Relaxed);
    // SAFETY: `entered` wrote the arguments; the watcher outlives the probe (`place`).
    unsafe { (*inner.watcher).returned(arguments_of(instance).read(), (*regs).ax as usize) };
    0
}
