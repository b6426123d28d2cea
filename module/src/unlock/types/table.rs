// SPDX-License-Identifier: GPL-2.0
//! What is known of the types of each board. A slot's content is looked at and changed without the table's
//! lock, by whoever has taken it out.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::soon::POLL_MS;
use crate::logic::gpu::Address;
use crate::logic::mdev;
use crate::logic::profile::Uuid;
use crate::logic::status::Vgpu;
use crate::sys::clock;
use crate::sys::lock::{Mutexed, TypesMutex};
use crate::sys::mdev::Registration;

/// The most boards, or functions of boards, whose types are looked after: eight boards with as many virtual
/// functions as they have.
pub const MAX_REGISTRATIONS: usize = 256;

/// What is known of a board's types.
enum Slot {
    Free,
    /// Of these types, by [`Registration::parent`], somebody else is looking after.
    Taken(usize),
    Held(Registration),
}

impl Slot {
    /// Whether it is about these types, by [`Registration::parent`].
    fn is_of(&self, parent: usize) -> bool {
        match self {
            Slot::Free => false,
            Slot::Taken(of) => *of == parent,
            Slot::Held(registration) => registration.parent() == parent,
        }
    }
}

static TABLE: Mutexed<[Slot; MAX_REGISTRATIONS], TypesMutex> =
    Mutexed::new([const { Slot::Free }; MAX_REGISTRATIONS]);

/// A slot that is taken. It has to be given back.
pub struct Place(usize);

impl Place {
    /// Takes a free one for these types; `None` where there is none.
    pub fn take(parent: usize) -> Option<Self> {
        let mut table = TABLE.lock();
        let at = table.iter().position(|slot| matches!(slot, Slot::Free))?;
        *table.get_mut(at)? = Slot::Taken(parent);
        Some(Self(at))
    }

    /// Takes what is held there.
    pub fn take_held(at: usize) -> Option<(Self, Registration)> {
        let mut table = TABLE.lock();
        let slot = table.get_mut(at)?;
        let Slot::Held(registration) = slot else { return None };
        let taken = Slot::Taken(registration.parent());
        match core::mem::replace(slot, taken) {
            Slot::Held(registration) => Some((Self(at), registration)),
            // It has just been looked.
            Slot::Free | Slot::Taken(_) => None,
        }
    }

    /// Takes what is held of these types, if anything is; waits for somebody else who has taken it.
    pub fn take_held_of(parent: usize) -> Option<(Self, Registration)> {
        loop {
            let at = TABLE.lock().iter().position(|slot| slot.is_of(parent))?;
            if let Some(held) = Self::take_held(at) {
                return Some(held);
            }
            clock::sleep_ms(POLL_MS);
        }
    }

    /// Holds what was registered, unless we have gone since `times` was read: then nobody would notice
    /// when it goes.
    pub fn hold(self, registration: Registration, times: usize) {
        let mut table = TABLE.lock();
        let Some(slot) = table.get_mut(self.0) else { return };
        if TIMES.load(Ordering::SeqCst) == times {
            *slot = Slot::Held(registration);
        } else {
            *slot = Slot::Free;
            drop(table);
            registration.give_up();
        }
    }

    /// Gives it back as it was.
    pub fn give_back(self, registration: Registration) {
        self.give(Slot::Held(registration));
    }

    /// Gives it back with nothing in it.
    pub fn free(self) {
        self.give(Slot::Free);
    }

    fn give(self, slot: Slot) {
        // Dropped without the lock: what is dropped is nobody else's.
        let _old = TABLE.lock().get_mut(self.0).map(|place| core::mem::replace(place, slot));
    }
}

/// Whether somebody has taken what is in a slot.
pub fn is_taken(at: usize) -> bool {
    matches!(TABLE.lock().get(at), Some(Slot::Taken(_)))
}

/// Whether these types are looked after.
pub fn knows(parent: usize) -> bool {
    TABLE.lock().iter().any(|slot| slot.is_of(parent))
}

/// How often we have gone. What was registered at another time is not looked after.
static TIMES: AtomicUsize = AtomicUsize::new(0);

/// What [`Place::hold`] wants to be told, read before the types are.
pub fn times() -> usize {
    TIMES.load(Ordering::SeqCst)
}

/// Nobody is sent to us any more, so what is registered now is not looked after.
pub fn gone() {
    TIMES.fetch_add(1, Ordering::SeqCst);
}

/// There was no room for types, or it could not be told whether there are any: none in the table is no
/// proof that there are none.
static INCOMPLETE: AtomicBool = AtomicBool::new(false);

/// Says whether the table lacks something.
pub fn set_incomplete(incomplete: bool) {
    INCOMPLETE.store(incomplete, Ordering::SeqCst);
}

/// How many types are registered for a board, and how many vGPUs it has, of which the first are shown
/// to `each`; `None` where that can't be told. Where virtual functions have the types, they are the same on
/// each.
pub fn of_board(board: Address, mut each: impl FnMut(Vgpu)) -> Option<(u32, u32)> {
    let (mut types, mut vgpus) = (0, 0u32);
    let mut found = false;
    if TABLE.lock().iter().any(|slot| matches!(slot, Slot::Taken(_))) {
        return None;
    }
    for at in 0..MAX_REGISTRATIONS {
        let is_its = matches!(TABLE.lock().get(at), Some(Slot::Held(registration)) if registration.board == board);
        if !is_its {
            continue;
        }
        // The driver waits with unregistering them as long as they are taken.
        let (place, registration) = Place::take_held(at)?;
        found = true;
        types = types.max(u32::try_from(registration.registered()).unwrap_or(u32::MAX));
        vgpus = vgpus.saturating_add(registration.each_vgpu(|uuid, name| {
            each(Vgpu { gpu: board, uuid: Uuid::from_guid(uuid), vgpu_type: mdev::number(name) });
        }));
        place.give_back(registration);
    }
    (found || !INCOMPLETE.load(Ordering::SeqCst)).then_some((types, vgpus))
}

/// How many types of all boards are hidden.
pub fn hidden() -> usize {
    TABLE.lock().iter().fold(0, |hidden, slot| match slot {
        Slot::Held(registration) => registration.hidden().saturating_add(hidden),
        Slot::Free | Slot::Taken(_) => hidden,
    })
}
