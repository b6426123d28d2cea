// SPDX-License-Identifier: GPL-2.0
//! The kernel's mdev core: functions of ours that stand in for some of its own, for NVIDIA's types.
//!
//! Calls to them are sent to ours by ftrace, in the caller's context, where sleeping is allowed. Ours
//! call the original, and what it said is changed in between. Calls for other drivers' types are left
//! alone. Other than a hook, one of ours may be asleep in the driver when we go, so those that are
//! under way are counted, and the last one is waited for.

mod registration;
mod vgpu_type;

pub use registration::{Choice, Found, Registration};
pub use vgpu_type::Type;

use core::ffi::{c_char, c_int, c_long, c_uint, c_void, CStr};
use core::ptr;

use super::bindings as b;
use super::count::Count;
use super::hook::{self, Hook};
use super::{clock, Errno};
use crate::logic::mdev::{File, Line};
use crate::logic::placed::Placed;

/// Bytes of what sysfs hands a function to write into.
const PAGE: usize = 4096;

/// Calls to ours that are under way.
static RUNNING: Count = Count::ZERO;

/// Who decides about NVIDIA's types. All may sleep.
pub trait TypeFiles {
    /// Writes what a type's file is to say, given what the driver has `written`, both without the new
    /// line; `None` where that is right.
    fn shown(ty: &Type, file: File, written: &[u8], line: &mut Line) -> Option<()>;

    /// A vGPU of this type is to be created, by `create`.
    ///
    /// # Errors
    /// It is not, for this reason.
    fn creating(ty: &Type, create: impl FnOnce() -> isize) -> Result<isize, Errno>;

    /// The driver registers its types.
    ///
    /// # Errors
    /// As the mdev core says; none is registered.
    fn registering(registration: Registration) -> Result<(), Errno>;

    /// The driver unregisters types, by `original`.
    fn unregistering(parent: usize, original: impl FnOnce());
}

const COUNT: usize = 6;

/// What is replaced. Unregistering comes first and goes last: whatever was registered with us is
/// unregistered with us.
static FUNCTIONS: [(b::vu_hook_kind, &CStr); COUNT] = [
    (b::vu_hook_kind_VU_HOOK_MDEV_UNREGISTER, c"mdev:mdev_unregister_parent"),
    (b::vu_hook_kind_VU_HOOK_MDEV_REGISTER, c"mdev:mdev_register_parent"),
    (b::vu_hook_kind_VU_HOOK_MDEV_CREATE, c"mdev:create_store"),
    (b::vu_hook_kind_VU_HOOK_MDEV_NAME, c"mdev:name_show"),
    (b::vu_hook_kind_VU_HOOK_MDEV_DESCRIPTION, c"mdev:description_show"),
    (b::vu_hook_kind_VU_HOOK_MDEV_INSTANCES, c"mdev:available_instances_show"),
];

/// A function's name without its module's.
fn label(symbol: &'static CStr) -> &'static str {
    let name = symbol.to_str().unwrap_or("mdev");
    name.strip_prefix("mdev:").unwrap_or(name)
}

/// Whether the kernel's mdev core is one whose functions can be replaced: that of Linux 6.1 and newer.
pub fn is_known() -> bool {
    // SAFETY: Says what was built.
    unsafe { b::vu_mdev_is_known() }
}

/// All functions replaced. Dropping it puts the originals back, the last one first; calls to ours may be under way for a
/// while, and [`wait_for_calls`] waits for them.
pub struct Replaced(Placed<Hook, COUNT>);

impl Replaced {
    /// Replaces all of them, or none. The mdev core is loaded, and stays so until this is dropped.
    ///
    /// # Errors
    /// Which one could not be, and the kernel's error number.
    pub fn place() -> Result<Self, (&'static str, Errno)> {
        let mut missing = ptr::null();
        // All originals are known before the first call can come.
        // SAFETY: Writes the name of the function that is missing, a static string.
        match unsafe { b::vu_mdev_find(&mut missing) } {
            0 => {}
            // SAFETY: As above.
            errno => return Err((label(unsafe { CStr::from_ptr(missing) }), errno)),
        }
        let mut replaced = Self(Placed::none());
        for (slot, (kind, symbol)) in replaced.0.slots().zip(&FUNCTIONS) {
            // SAFETY: The table says which is which, and the originals were found above.
            let placed = unsafe { Hook::divert(*kind, symbol) };
            *slot = Some(placed.map_err(|errno| (label(symbol), errno))?);
        }
        Ok(replaced)
    }

    /// How often they were called.
    pub fn hits(&self) -> u64 {
        self.0.iter().fold(0, |hits, placed| hits.saturating_add(placed.hits()))
    }
}

/// Waits for the last call of ours, after all functions were put back. Such a call may be asleep in the
/// driver, or in the kernel until a virtual machine ends: no lock may be held.
///
/// A task may still be in the tail of the last one afterwards.
pub fn wait_for_calls() {
    // A call that was sent to ours may not have counted itself yet.
    hook::wait_for_tails();
    while !RUNNING.is_zero() {
        clock::sleep_ms(1);
    }
}

/// sysfs has a type's file written.
///
/// # Safety
/// The type is registered, and stays so; `page` is a page, and `attribute` what sysfs handed out.
pub unsafe fn show<T: TypeFiles>(
    file: b::vu_type_file,
    ty: *mut b::mdev_type,
    attribute: *mut c_void,
    page: *mut c_char,
) -> c_long {
    let _running = RUNNING.enter();
    // SAFETY: The original, with what it was called with.
    let len = unsafe { b::vu_mdev_show(file, ty, attribute, page) };
    // SAFETY: As the caller promises.
    let page = unsafe { &mut *page.cast::<[u8; PAGE]>() };
    let Some(written) = usize::try_from(len).ok().and_then(|len| page.get(..len)) else {
        return len;
    };
    let file = match file {
        b::vu_type_file_VU_TYPE_NAME => File::Name,
        b::vu_type_file_VU_TYPE_DESCRIPTION => File::Description,
        _ => File::Instances,
    };
    // SAFETY: As the caller promises.
    let ty = unsafe { Type::new(ty) };
    let mut line = Line::new();
    let ends = written.ends_with(b"\n");
    if T::shown(&ty, file, written.strip_suffix(b"\n").unwrap_or(written), &mut line).is_none() {
        return len;
    }
    let text = line.as_bytes().iter().chain(ends.then_some(&b'\n'));
    // A line is shorter than a page.
    page.iter_mut().zip(text).map(|(to, from)| *to = *from).count() as c_long
}

/// Somebody creates a vGPU.
///
/// # Safety
/// The type is registered, and stays so; the rest is what sysfs handed out.
pub unsafe fn create<T: TypeFiles>(
    ty: *mut b::mdev_type,
    attribute: *mut c_void,
    text: *const c_char,
    count: usize,
) -> c_long {
    let _running = RUNNING.enter();
    // SAFETY: The original, with what it was called with.
    let create = || unsafe { b::vu_mdev_create(ty, attribute, text, count) as isize };
    // SAFETY: As the caller promises.
    let ty = unsafe { Type::new(ty) };
    T::creating(&ty, create).unwrap_or_else(|errno| errno as isize) as c_long
}

/// The driver registers types.
///
/// # Safety
/// The arguments are those of a call of mdev_register_parent() for an NVIDIA GPU.
pub unsafe fn register<T: TypeFiles>(
    parent: *mut b::mdev_parent,
    device: *mut b::device,
    driver: *mut b::mdev_driver,
    types: *mut *mut b::mdev_type,
    count: c_uint,
) -> c_int {
    let _running = RUNNING.enter();
    let raw = b::vu_registration { parent, device, driver, types, count };
    // SAFETY: As the caller promises.
    let registration = unsafe { Registration::new(raw) };
    T::registering(registration).map_or_else(|errno| errno, |()| 0)
}

/// The driver unregisters types.
///
/// # Safety
/// The argument is that of a call of mdev_unregister_parent() for an NVIDIA GPU.
pub unsafe fn unregister<T: TypeFiles>(parent: *mut b::mdev_parent) {
    let _running = RUNNING.enter();
    // SAFETY: The original, with what it was called with.
    T::unregistering(parent as usize, || unsafe { b::vu_mdev_unregister(parent) });
}
