// SPDX-License-Identifier: GPL-2.0
//! The kernel's mdev core: functions of ours that stand in for some of its own, for NVIDIA's types.
//!
//! Calls to them are sent to ours by ftrace, in the caller's context, where sleeping is allowed. Ours
//! call the original, and what it said is changed in between. Calls for other drivers' types are left
//! alone. Other than a hook, one of ours may be asleep in the driver when we go, so those that are
//! under way are counted, and the last one is waited for.

use core::ffi::{c_char, c_int, c_uint, c_void, CStr};
use core::ptr::NonNull;

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KVec;

use super::bindings as b;
use super::count::Count;
use super::hook::{Call, Listener, Listening, Mode};
use super::{check, clock, probe, pci, Errno, NO_ENTRY, NO_MEMORY};
use crate::logic::mdev::{self, File, Line};
use crate::logic::profile::Uuid;
use crate::logic::status::{Address, Vgpu};
use crate::unlock::types;

/// Bytes of what sysfs hands a function to write into.
const PAGE: usize = 4096;

/// Calls to ours that are under way.
static RUNNING: Count = Count::ZERO;

/// A function of the mdev core, what it is there, and what stands in for it.
struct Function {
    which: b::vu_mdev_function,
    name: &'static CStr,
    /// Invariant: it is below, has the signature of the function of that name in `drivers/vfio/mdev`,
    /// and hands on what it is called with.
    ours: *const (),
}

// SAFETY: Never changes.
unsafe impl Sync for Function {}

const FUNCTION_COUNT: usize = 6;

/// Unregistering comes first and goes last: whatever was registered with us is unregistered with us.
static FUNCTIONS: [Function; FUNCTION_COUNT] = [
    Function {
        which: b::vu_mdev_function_VU_MDEV_UNREGISTER,
        name: c"mdev:mdev_unregister_parent",
        ours: vu_mdev_unregister_parent as *const (),
    },
    Function {
        which: b::vu_mdev_function_VU_MDEV_REGISTER,
        name: c"mdev:mdev_register_parent",
        ours: vu_mdev_register_parent as *const (),
    },
    Function {
        which: b::vu_mdev_function_VU_MDEV_CREATE,
        name: c"mdev:create_store",
        ours: vu_mdev_create_store as *const (),
    },
    Function {
        which: b::vu_mdev_function_VU_MDEV_NAME,
        name: c"mdev:name_show",
        ours: vu_mdev_name_show as *const (),
    },
    Function {
        which: b::vu_mdev_function_VU_MDEV_DESCRIPTION,
        name: c"mdev:description_show",
        ours: vu_mdev_description_show as *const (),
    },
    Function {
        which: b::vu_mdev_function_VU_MDEV_INSTANCES,
        name: c"mdev:available_instances_show",
        ours: vu_mdev_instances_show as *const (),
    },
];

impl Function {
    /// The function's name without its module's.
    fn label(&self) -> &'static str {
        let name = self.name.to_str().unwrap_or("mdev");
        name.strip_prefix("mdev:").unwrap_or(name)
    }
}

impl Listener for Function {
    fn called(&self, call: &Call) {
        let [first, second, _] = call.arguments();
        // SAFETY: These are the arguments of the function that `which` says.
        let concerns = || unsafe { b::vu_mdev_concerns(self.which, first as _, second as _) };
        if !call.is_ours() && concerns() {
            // SAFETY: Placed to divert (`Replaced::place`); `ours` is such a function (the type's
            // invariant); `Replaced` waits for it when it is dropped.
            unsafe { call.divert(self.ours) };
        }
    }
}

/// All functions replaced. Dropping it puts the originals back; calls to ours may be under way for a
/// while, and [`wait_for_calls`] waits for them.
pub struct Replaced([Option<Listening<Function>>; FUNCTION_COUNT]);

impl Replaced {
    /// Replaces all of them, or none. The mdev core is loaded, and stays so until this is dropped.
    ///
    /// # Errors
    /// Which one could not be, and the kernel's error number.
    pub fn place() -> Result<Self, (&'static str, Errno)> {
        let mut replaced = Self([const { None }; FUNCTION_COUNT]);
        // All originals are known before the first call can come.
        for function in &FUNCTIONS {
            let address = probe::address_of(function.name).ok_or((function.label(), NO_ENTRY))?;
            // SAFETY: The function of that name has the signature that `which` says. One of ours that
            // is still under way from an earlier time has the same original.
            unsafe { b::vu_mdev_set_original(function.which, address as *mut c_void) };
        }
        for (slot, function) in replaced.0.iter_mut().zip(&FUNCTIONS) {
            // SAFETY: The listener is a static.
            let placed = unsafe { Listening::place(function.name, Mode::Divert, function) };
            *slot = Some(placed.map_err(|errno| (function.label(), errno))?);
        }
        Ok(replaced)
    }

    /// How often they were called.
    pub fn hits(&self) -> u64 {
        self.0.iter().flatten().fold(0, |hits, placed| hits.saturating_add(placed.hits()))
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        self.0.iter_mut().rev().for_each(|placed| drop(placed.take()));
    }
}

/// Waits for the last call of ours, after all functions were put back. Such a call may be asleep in the
/// driver, or in the kernel until a virtual machine ends: no lock may be held.
///
/// A task may still be in the tail of the last one afterwards.
pub fn wait_for_calls() {
    // A call that was sent to ours may not have counted itself yet.
    super::wait_for_hooks();
    while !RUNNING.is_zero() {
        clock::sleep_ms(1);
    }
}

/// A type of an NVIDIA GPU's.
///
/// Invariant: it is registered, and stays so while this lives: made for a call by sysfs, which ends
/// before the type goes.
pub struct Type {
    raw: NonNull<b::mdev_type>,
    attribute: *mut c_void,
    /// The N of `nvidia-N`.
    pub number: u32,
}

impl Type {
    /// What sysfs calls us with; `None` where its name is none of NVIDIA's.
    ///
    /// # Safety
    /// The type's invariant.
    unsafe fn new(raw: *mut b::mdev_type, attribute: *mut c_void) -> Option<Self> {
        let raw = NonNull::new(raw)?;
        // SAFETY: As the caller promises.
        let number = unsafe { number_of(raw.as_ptr()) }?;
        Some(Self { raw, attribute, number })
    }

    /// The [`Registration::parent`] of the types that it was registered with.
    pub fn parent(&self) -> usize {
        // SAFETY: The type's invariant.
        unsafe { b::vu_mdev_type_parent(self.raw.as_ptr()) as usize }
    }

    /// Has the kernel write a file of the type's to `page`; returns the length, or an error number.
    fn show(&self, file: File, page: &mut [u8; PAGE]) -> isize {
        let which = which(file);
        // SAFETY: The type's invariant; a page is what the original expects.
        unsafe {
            b::vu_mdev_show(which, self.raw.as_ptr(), self.attribute, page.as_mut_ptr().cast())
        }
    }

    /// Reads the first bytes of a file of the type's as the driver has it, without the new line.
    pub fn read<'a>(&self, file: File, to: &'a mut [u8]) -> Option<&'a [u8]> {
        let (start, len) = (to.as_mut_ptr(), to.len());
        // SAFETY: The type's invariant; it writes `len` bytes at most.
        let len = unsafe { b::vu_mdev_read(which(file), self.raw.as_ptr(), start.cast(), len) };
        let text = to.get(..usize::try_from(len).ok()?)?;
        Some(text.strip_suffix(b"\n").unwrap_or(text))
    }
}

fn which(file: File) -> b::vu_mdev_function {
    match file {
        File::Name => b::vu_mdev_function_VU_MDEV_NAME,
        File::Description => b::vu_mdev_function_VU_MDEV_DESCRIPTION,
        File::Instances => b::vu_mdev_function_VU_MDEV_INSTANCES,
    }
}

/// The number of a type of NVIDIA's.
///
/// # Safety
/// The type is alive.
unsafe fn number_of(raw: *mut b::mdev_type) -> Option<u32> {
    // SAFETY: The driver has set the name before it registered the type.
    let name = unsafe { b::vu_mdev_type_name(raw) };
    if name.is_null() {
        return None;
    }
    // SAFETY: A string that lives as long as the type.
    mdev::number(unsafe { CStr::from_ptr(name.cast()) }.to_bytes())
}

/// Types that a driver has registered for a device, and what it takes to register them anew.
///
/// Invariant: made from what the driver handed to `mdev_register_parent()`. The pointers are good
/// until it has unregistered them; `types` makes it wait for whoever uses this. The device has a
/// reference of ours.
pub struct Registration {
    parent: *mut b::mdev_parent,
    device: *mut b::device,
    driver: *mut b::mdev_driver,
    types: *mut *mut b::mdev_type,
    count: c_uint,
    /// What was registered in the place of `types`, where any of these were left out. The core reads
    /// it until the types are unregistered.
    left: Option<KVec<*mut b::mdev_type>>,
    /// The board.
    pub address: Address,
}

// SAFETY: Pointers to what the mdev core and the driver synchronise themselves.
unsafe impl Send for Registration {}

impl Registration {
    /// Something to tell it from others by.
    pub fn parent(&self) -> usize {
        self.parent as usize
    }

    /// How many of the driver's types were left out.
    pub fn hidden(&self) -> usize {
        (self.count as usize).saturating_sub(self.registered())
    }

    /// How many types are registered.
    pub fn registered(&self) -> usize {
        self.left.as_ref().map_or(self.count as usize, |left| left.len())
    }

    /// The driver's type number `i`.
    fn type_at(&self, i: c_uint) -> *mut b::mdev_type {
        // SAFETY: The driver has handed over an array of `count` types (the type's invariant).
        unsafe { b::vu_mdev_type_at(self.types, i) }
    }

    /// Chooses the types whose numbers `shown` does not refuse.
    ///
    /// # Errors
    /// The kernel has no memory left.
    pub fn choose(&self, shown: impl Fn(u32) -> bool) -> Result<Choice, Errno> {
        let mut left = KVec::new();
        for raw in (0..self.count).map(|i| self.type_at(i)) {
            // SAFETY: The driver's types are alive (the type's invariant).
            let number = unsafe { number_of(raw) };
            if number.map_or(true, &shown) {
                left.push(raw, GFP_KERNEL).map_err(|_| NO_MEMORY)?;
            }
        }
        Ok(Choice((left.len() != self.count as usize).then_some(left)))
    }

    /// Whether this is what is registered.
    pub fn is(&self, choice: &Choice) -> bool {
        self.left.as_deref() == choice.0.as_deref()
    }

    /// Registers types. None may be registered; where some were, [`Registration::renew`] comes first.
    ///
    /// # Errors
    /// The kernel's error number; none is registered.
    pub fn register(&mut self, choice: Choice) -> Result<(), (Errno, Choice)> {
        let mut choice = choice;
        let (types, count) = match &mut choice.0 {
            None => (self.types, self.count),
            Some(left) => (left.as_mut_ptr(), left.len() as c_uint),
        };
        // SAFETY: What the driver handed over, or part of it in an array that is kept below.
        let ret = check(unsafe {
            b::vu_mdev_register(self.parent, self.device, self.driver, types, count)
        });
        match ret {
            Ok(()) => {
                self.left = choice.0;
                Ok(())
            }
            Err(errno) => Err((errno, choice)),
        }
    }

    /// Whether there is no vGPU on the device, nor one that is being made or removed.
    pub fn is_idle(&self) -> bool {
        let idle = |raw| {
            // SAFETY: The types of this list are registered, and stay so (the type's invariant).
            unsafe { b::vu_mdev_idle(raw) }
        };
        let types = match &self.left {
            None => (0..self.count).all(|i| idle(self.type_at(i))),
            Some(left) => left.iter().all(|raw| idle(*raw)),
        };
        types && self.vgpus(&mut []) == 0
    }

    /// Unregisters the types, of which none may have a vGPU. The driver must be kept from unregistering
    /// them meanwhile.
    pub fn unregister(&mut self) {
        // SAFETY: They are registered; as the caller promises, nobody else unregisters them.
        unsafe { b::vu_mdev_unregister(self.parent) };
        self.left = None;
    }

    /// Has types that are not registered any more as they were before they were for the first time. May
    /// sleep.
    pub fn renew(&mut self) {
        for raw in (0..self.count).map(|i| self.type_at(i)) {
            // SAFETY: It is not registered, and alive.
            while unsafe { b::vu_mdev_holds(raw) } {
                clock::sleep_ms(10);
            }
        }
        // Whoever gave the last reference back, or left a lock, may still be on the way out.
        super::wait_for_hooks();
        for raw in (0..self.count).map(|i| self.type_at(i)) {
            // SAFETY: As above, and nobody holds it.
            unsafe { b::vu_mdev_reset(raw) };
        }
    }

    /// How many vGPUs there are on the device; the first are written to `list`.
    fn vgpus(&self, list: &mut [b::vu_vgpu]) -> u32 {
        let max = c_uint::try_from(list.len()).unwrap_or(0);
        // SAFETY: The device has a reference of ours, its types stay (the type's invariant), and no
        // more is written than there is room for.
        unsafe { b::vu_mdev_vgpus(self.device, list.as_mut_ptr(), max) }
    }

    /// How many vGPUs there are on the device; the first are shown to `each`.
    pub fn each_vgpu(&self, mut each: impl FnMut(Vgpu)) -> u32 {
        let mut list = [b::vu_vgpu { uuid: [0; 16], type_: [0; 16] }; MAX_VGPUS];
        let count = self.vgpus(&mut list);
        for vgpu in list.iter().take(count as usize) {
            let name = vgpu.type_.map(|c| c as u8);
            let name = name.split(|&c| c == 0).next().unwrap_or(&[]);
            let uuid = Uuid::from_guid(vgpu.uuid);
            each(Vgpu { gpu: self.address, uuid, vgpu_type: mdev::number(name) });
        }
        count
    }

    /// Takes the lock that the driver's probe() and remove() for the device are called with, if it
    /// can be had.
    pub fn lock(&self) -> Option<Locked> {
        // SAFETY: The device has a reference of ours; `Locked` takes its own.
        unsafe { b::vu_device_trylock(self.device) }.then(|| self.locked())
    }

    /// The device's lock, which is held.
    fn locked(&self) -> Locked {
        // SAFETY: The device has a reference of ours.
        unsafe { b::vu_device_get(self.device) };
        Locked(self.device)
    }

    /// Forgets about it. An array of ours that the mdev core reads stays: it is as long as a handful
    /// of pointers, and nobody can tell us any more when the core is done with it.
    pub fn give_up(mut self) {
        core::mem::forget(self.left.take());
    }

    /// Those of a GPU that were registered before we came, and its lock, if that can be had: as long
    /// as it is held, the driver does not unregister them.
    ///
    /// NVIDIA's module that registers types can't be unloaded meanwhile.
    pub fn found(gpu: &pci::Gpu) -> Option<(Self, Locked)> {
        // SAFETY: Plain pointers and numbers, for which zero is a value.
        let mut raw: b::vu_registration = unsafe { core::mem::zeroed() };
        // SAFETY: Fills what it is given, and takes reference and lock where it says true.
        if !unsafe { b::vu_gpu_registration(gpu, &mut raw) } {
            return None;
        }
        // INVARIANT: The mdev core has kept what the driver handed over.
        let found = Self {
            parent: raw.parent,
            device: raw.device,
            driver: raw.driver,
            types: raw.types,
            count: raw.nr_types,
            left: None,
            address: Address::from(gpu),
        };
        let locked = found.locked();
        Some((found, locked))
    }
}

/// The most vGPUs of one GPU that are listed.
const MAX_VGPUS: usize = 32;

/// Types that are to be registered: all of a driver's, or those in an array.
pub struct Choice(Option<KVec<*mut b::mdev_type>>);

impl Choice {
    /// All of them.
    pub const ALL: Self = Self(None);
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: The reference that was taken when it was made.
        unsafe { b::vu_device_put(self.device) };
    }
}

/// A device's lock, held.
pub struct Locked(*mut b::device);

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: Taken by `Registration::lock`, with a reference.
        unsafe {
            b::vu_device_unlock(self.0);
            b::vu_device_put(self.0);
        }
    }
}

/// Writes a file of a type's as it is true.
///
/// # Safety
/// Called by sysfs for a registered type, with a page.
unsafe fn shown(file: File, raw: *mut b::mdev_type, attr: *mut c_void, page: *mut c_char) -> isize {
    let _running = RUNNING.enter();
    // SAFETY: As the caller promises.
    let Some(ty) = (unsafe { Type::new(raw, attr) }) else {
        // SAFETY: Handed through.
        return unsafe { b::vu_mdev_show(which(file), raw, attr, page) };
    };
    // SAFETY: sysfs hands out a page of its own.
    let page = unsafe { &mut *page.cast::<[u8; PAGE]>() };
    let len = ty.show(file, page);
    let Some(written) = usize::try_from(len).ok().and_then(|len| page.get(..len)) else {
        return len;
    };
    let mut line = Line::new();
    if types::shown(&ty, file, written.strip_suffix(b"\n").unwrap_or(written), &mut line).is_none()
    {
        return len;
    }
    let ends = written.ends_with(b"\n");
    let text = line.as_bytes().iter().chain(ends.then_some(&b'\n'));
    // A line is shorter than a page.
    page.iter_mut().zip(text).map(|(to, from)| *to = *from).count() as isize
}

#[no_mangle]
unsafe extern "C" fn vu_mdev_name_show(
    raw: *mut b::mdev_type,
    attr: *mut c_void,
    page: *mut c_char,
) -> isize {
    // SAFETY: The kernel calls this in the place of a show function.
    unsafe { shown(File::Name, raw, attr, page) }
}

#[no_mangle]
unsafe extern "C" fn vu_mdev_description_show(
    raw: *mut b::mdev_type,
    attr: *mut c_void,
    page: *mut c_char,
) -> isize {
    // SAFETY: As above.
    unsafe { shown(File::Description, raw, attr, page) }
}

#[no_mangle]
unsafe extern "C" fn vu_mdev_instances_show(
    raw: *mut b::mdev_type,
    attr: *mut c_void,
    page: *mut c_char,
) -> isize {
    // SAFETY: As above.
    unsafe { shown(File::Instances, raw, attr, page) }
}

#[no_mangle]
unsafe extern "C" fn vu_mdev_create_store(
    raw: *mut b::mdev_type,
    attr: *mut c_void,
    text: *const c_char,
    count: usize,
) -> isize {
    let _running = RUNNING.enter();
    // SAFETY: The kernel calls this in the place of a store function.
    let create = || unsafe { b::vu_mdev_create(raw, attr, text, count) };
    // SAFETY: As above.
    match unsafe { Type::new(raw, attr) } {
        Some(ty) => types::creating(&ty, create).unwrap_or_else(|errno| errno as isize),
        None => create(),
    }
}

#[no_mangle]
unsafe extern "C" fn vu_mdev_register_parent(
    parent: *mut b::mdev_parent,
    device: *mut b::device,
    driver: *mut b::mdev_driver,
    list: *mut *mut b::mdev_type,
    count: c_uint,
) -> c_int {
    let _running = RUNNING.enter();
    // SAFETY: Plain numbers, for which zero is a value.
    let mut gpu: pci::Gpu = unsafe { core::mem::zeroed() };
    // SAFETY: Only calls for NVIDIA's GPUs are sent here. The device is alive; `Registration` gives the
    // reference back.
    unsafe {
        b::vu_device_address(device, &mut gpu);
        b::vu_device_get(device);
    }
    let address = Address::from(&gpu);
    // INVARIANT: What the driver hands over.
    let registration =
        Registration { parent, device, driver, types: list, count, left: None, address };
    match types::registering(registration) {
        Ok(()) => 0,
        Err(errno) => errno,
    }
}

#[no_mangle]
unsafe extern "C" fn vu_mdev_unregister_parent(parent: *mut b::mdev_parent) {
    let _running = RUNNING.enter();
    // SAFETY: Handed through.
    types::unregistering(parent as usize, || unsafe { b::vu_mdev_unregister(parent) });
}
