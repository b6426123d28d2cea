// SPDX-License-Identifier: GPL-2.0
//! What a driver has registered for a device, and its being registered anew.

use core::ffi::c_uint;

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::KVec;

use super::vgpu_type::name_of;
use super::{b, hook};
use crate::logic::gpu::Address;
use crate::sys::{check, clock, memory, pci, Errno, NO_MEMORY};

/// Types that a driver has registered for a device, and what it takes to register them anew.
///
/// Invariant: made from what the driver handed to `mdev_register_parent()`. The pointers are good
/// until it has unregistered them; [`super::TypeFiles`] makes it wait for whoever uses this. The device
/// has a reference of ours.
pub struct Registration {
    raw: b::vu_registration,
    /// What was registered in the place of the driver's types, where any of these were left out. The
    /// core reads it until the types are unregistered.
    left: Option<KVec<*mut b::mdev_type>>,
    /// The board that the device is, or is a virtual function of.
    pub board: Address,
}

// SAFETY: Pointers to what the mdev core and the driver synchronise themselves.
unsafe impl Send for Registration {}

/// What was registered for a GPU before we came.
pub enum Found {
    /// Nothing.
    Nothing,
    /// This, with the device's lock: as long as it is held, the driver does not unregister the types.
    Types(Registration, Locked),
    /// It can't be told at the moment, or never: of virtual functions.
    Unknown,
}

impl Registration {
    /// What the driver hands over.
    ///
    /// # Safety
    /// The type's invariant, but for the reference to the device, which is taken here.
    pub(super) unsafe fn new(raw: b::vu_registration) -> Self {
        // SAFETY: The device is alive; `drop` gives the reference back.
        unsafe { b::vu_device_get(raw.device) };
        // SAFETY: The reference.
        let board = unsafe { board_of(raw.device) };
        Self { raw, left: None, board }
    }

    /// Those of a GPU that were registered before we came.
    ///
    /// NVIDIA's module that registers types can't be unloaded meanwhile.
    pub fn find(gpu: &pci::Gpu) -> Found {
        // SAFETY: Plain pointers and numbers, for which zero is a value.
        let mut raw: b::vu_registration = unsafe { core::mem::zeroed() };
        // SAFETY: Fills what it is given, and takes reference and lock where it has found something.
        match unsafe { b::vu_mdev_registered(gpu.place(), &mut raw) } {
            b::vu_found_VU_FOUND_NONE => Found::Nothing,
            b::vu_found_VU_FOUND_SOME => {
                // INVARIANT: The mdev core has kept what the driver handed over.
                let found = Self { raw, left: None, board: gpu.board() };
                let locked = found.locked();
                Found::Types(found, locked)
            }
            _ => Found::Unknown,
        }
    }

    /// Something to tell it from others by.
    pub fn parent(&self) -> usize {
        self.raw.parent as usize
    }

    /// How many of the driver's types were left out.
    pub fn hidden(&self) -> usize {
        (self.raw.count as usize).saturating_sub(self.registered())
    }

    /// How many types are registered.
    pub fn registered(&self) -> usize {
        self.left.as_ref().map_or(self.raw.count as usize, |left| left.len())
    }

    /// The driver's types.
    fn all(&self) -> impl Iterator<Item = *mut b::mdev_type> + '_ {
        // SAFETY: The driver has handed over an array of `count` types (the type's invariant).
        (0..self.raw.count).map(|i| unsafe { b::vu_mdev_type_at(self.raw.types, i) })
    }

    /// Chooses the types whose names `shown` does not refuse.
    ///
    /// # Errors
    /// The kernel has no memory left.
    pub fn choose(&self, shown: impl Fn(&[u8]) -> bool) -> Result<Choice, Errno> {
        let mut left = KVec::new();
        for raw in self.all() {
            // SAFETY: The driver's types are alive (the type's invariant).
            if shown(unsafe { name_of(raw) }) {
                left.push(raw, GFP_KERNEL).map_err(|_| NO_MEMORY)?;
            }
        }
        Ok(Choice((left.len() != self.raw.count as usize).then_some(left)))
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
        let b::vu_registration { parent, device, driver, types, count } = self.raw;
        let (types, count) = match &mut choice.0 {
            None => (types, count),
            Some(left) => (left.as_mut_ptr(), left.len() as c_uint),
        };
        // SAFETY: What the driver handed over, or part of it in an array that is kept below.
        match check(unsafe { b::vu_mdev_register(parent, device, driver, types, count) }) {
            Ok(()) => {
                self.left = choice.0;
                Ok(())
            }
            Err(errno) => Err((errno, choice)),
        }
    }

    /// Whether there is no vGPU on the device, nor one that is being made or removed.
    pub fn is_idle(&self) -> bool {
        // SAFETY: The types of this list are registered, and stay so (the type's invariant).
        let idle = |raw: *mut b::mdev_type| unsafe { b::vu_mdev_idle(raw) };
        let types = match &self.left {
            None => self.all().all(idle),
            Some(left) => left.iter().all(|raw| idle(*raw)),
        };
        types && self.vgpus(&mut []) == 0
    }

    /// Unregisters the types, of which none may have a vGPU. The driver must be kept from unregistering
    /// them meanwhile.
    pub fn unregister(&mut self) {
        // SAFETY: They are registered; as the caller promises, nobody else unregisters them.
        unsafe { b::vu_mdev_unregister(self.raw.parent) };
        self.left = None;
    }

    /// Has types that are not registered any more as they were before they were for the first time. May
    /// sleep.
    pub fn renew(&mut self) {
        for raw in self.all() {
            // SAFETY: It is not registered, and alive.
            while unsafe { b::vu_mdev_holds(raw) } {
                clock::sleep_ms(10);
            }
        }
        // Whoever gave the last reference back, or left a lock, may still be on the way out.
        hook::wait_for_tails();
        for raw in self.all() {
            // SAFETY: As above, and nobody holds it.
            unsafe { b::vu_mdev_reset(raw) };
        }
    }

    /// How many vGPUs there are on the device; the first are written to `list`.
    fn vgpus(&self, list: &mut [b::vu_vgpu]) -> u32 {
        let max = c_uint::try_from(list.len()).unwrap_or(0);
        // SAFETY: The device has a reference of ours, its types stay (the type's invariant), and no
        // more is written than there is room for.
        unsafe { b::vu_mdev_vgpus(self.raw.device, list.as_mut_ptr(), max) }
    }

    /// How many vGPUs there are on the device; of the first, `each` is shown the UUID and the type's name.
    pub fn each_vgpu(&self, mut each: impl FnMut([u8; 16], &[u8])) -> u32 {
        let mut list = [b::vu_vgpu { uuid: [0; 16], type_: [0; 16] }; MAX_VGPUS];
        let count = self.vgpus(&mut list);
        for vgpu in list.iter().take(count as usize) {
            each(vgpu.uuid, vgpu.type_.split(|&c| c == 0).next().unwrap_or(&[]));
        }
        count
    }

    /// Takes the lock that the driver's probe() and remove() for the device are called with, if it
    /// can be had.
    pub fn lock(&self) -> Option<Locked> {
        // SAFETY: The device has a reference of ours; `Locked` takes its own.
        unsafe { b::vu_device_trylock(self.raw.device) }.then(|| self.locked())
    }

    /// The device's lock, which is held.
    fn locked(&self) -> Locked {
        // SAFETY: The device has a reference of ours.
        unsafe { b::vu_device_get(self.raw.device) };
        Locked(self.raw.device)
    }

    /// Forgets about it. An array of ours that the mdev core reads stays: it is as long as a handful
    /// of pointers, and nobody can tell us any more when the core is done with it.
    pub fn give_up(mut self) {
        if let Some(left) = self.left.take() {
            memory::leave_all(left);
        }
    }
}

/// Where the board is that a GPU is a function of.
///
/// # Safety
/// The device is a PCI device, and alive.
unsafe fn board_of(device: *mut b::device) -> Address {
    let mut board = pci::Place { domain: 0, bus: 0, slot: 0, function: 0 };
    // SAFETY: As the caller promises.
    unsafe { b::vu_device_board(device, &mut board) };
    Address::from(&board)
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
        unsafe { b::vu_device_put(self.raw.device) };
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
