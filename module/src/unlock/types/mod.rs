// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's mdev types: which of them there are, and what their files say.
//!
//! The files are written anew each time they are read, so there is nothing to put back. Types that
//! the user hides are left out when the driver registers its types; where that changes later, all of
//! a board's types are registered anew, if it has no vGPU.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::logic::mdev::{describe, File, Line, Told};
use crate::logic::status::{Address, Vgpu};
use crate::sys::count::Count;
use crate::sys::lock::{CreateMutex, Mutexed, TypesMutex};
use crate::sys::mdev::{Choice, Registration, Type};
use crate::sys::{clock, log, pci, Errno};
use crate::unlock::settings;

/// Bytes of the driver's descriptions that are looked at.
const DESCRIPTION: usize = 256;
/// Bytes of a decimal number, with some to spare.
const NUMBER: usize = 16;

/// Someone else is at it; try again (EAGAIN).
const AGAIN: Errno = -11;
/// No more can be created (EUSERS), as the mdev core itself says it.
const TOO_MANY: Errno = -87;

fn told(ty: &Type) -> Told {
    settings::with(|user| Told::of(&user.overrides, ty.number))
}

/// Writes what a type's file is to say, given what the driver has `written`, both without the new
/// line; `None` where that is right. May sleep.
pub fn shown(ty: &Type, file: File, written: &[u8], line: &mut Line) -> Option<()> {
    let told = told(ty);
    if told.nothing() {
        return None;
    }
    match file {
        File::Name => told.name(line),
        File::Description => describe(&told, core::str::from_utf8(written).ok()?, line),
        File::Instances => {
            let available = available(ty, &told, written)?;
            line.put_number(available.into())
        }
    }
}

/// How many can be created, where that is not the driver's number.
fn available(ty: &Type, told: &Told, driver: &[u8]) -> Option<u32> {
    if !told.limits_instances() {
        return None;
    }
    let mut description = [0; DESCRIPTION];
    told.available(driver, ty.read(File::Description, &mut description)?)
}

/// vGPUs that are being created.
static CREATING: Count = Count::ZERO;
/// Of these types, by [`Registration::parent`], no vGPU can be created, because they are being
/// registered anew. 0 is nobody's.
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
    if !told(ty).limits_instances() {
        return Ok(create());
    }
    let _limited = LIMITED.lock();
    let told = told(ty);
    let mut number = [0; NUMBER];
    let left = ty.read(File::Instances, &mut number).and_then(|n| available(ty, &told, n));
    if left == Some(0) {
        let number = ty.number;
        log::warn(format_args!("no more vGPUs of nvidia-{number}: max_instances allows no more"));
        return Err(TOO_MANY);
    }
    Ok(create())
}

/// The most boards, or functions of boards, whose types are looked after.
const MAX_REGISTRATIONS: usize = 32;

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
struct Place(usize);

impl Place {
    /// Takes a free one for these types; `None` where there is none.
    fn take(parent: usize) -> Option<Self> {
        let mut table = TABLE.lock();
        let at = table.iter().position(|slot| matches!(slot, Slot::Free))?;
        *table.get_mut(at)? = Slot::Taken(parent);
        Some(Self(at))
    }

    /// Takes what is held there.
    fn take_held(at: usize) -> Option<(Self, Registration)> {
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

    /// Holds what was registered, unless we have gone since `times` was read: then nobody would notice
    /// when it goes.
    fn hold(self, registration: Registration, times: usize) {
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

    /// Gives it back.
    fn give(self, slot: Slot) {
        // Dropped without the lock: what is dropped is nobody else's.
        let _old = TABLE.lock().get_mut(self.0).map(|place| core::mem::replace(place, slot));
    }
}

/// We are about to go, or have gone, so nothing is hidden any more.
static LEAVING: AtomicBool = AtomicBool::new(false);
/// How often we have gone. What was registered at another time is not looked after.
static TIMES: AtomicUsize = AtomicUsize::new(0);
/// There may be types that are not looked after, so none is no proof that there are none.
static INCOMPLETE: AtomicBool = AtomicBool::new(false);

/// Which of a board's types there are to be.
fn wanted(registration: &Registration) -> Choice {
    if LEAVING.load(Ordering::SeqCst) {
        return Choice::ALL;
    }
    let chosen = settings::with(|user| registration.choose(|number| !user.overrides.hides(number)));
    chosen.unwrap_or_else(|_| {
        log::warn(format_args!("out of memory: no vGPU type is hidden"));
        Choice::ALL
    })
}

/// The driver registers its types. May sleep.
///
/// # Errors
/// As the mdev core says; none is registered.
pub fn registering(mut registration: Registration) -> Result<(), Errno> {
    let times = TIMES.load(Ordering::SeqCst);
    let Some(place) = Place::take(registration.parent()) else {
        INCOMPLETE.store(true, Ordering::SeqCst);
        log::warn(format_args!("too many boards with vGPU types: none is hidden on the next one"));
        return registration.register(Choice::ALL).map_err(|(errno, _)| errno);
    };
    let choice = wanted(&registration);
    match registration.register(choice) {
        Ok(()) => {
            tell(&registration);
            place.hold(registration, times);
            Ok(())
        }
        Err((errno, _)) => {
            place.give(Slot::Free);
            Err(errno)
        }
    }
}

fn tell(registration: &Registration) {
    match registration.hidden() {
        0 => {}
        hidden => log::info(format_args!("hidden vGPU types: {hidden}")),
    }
}

/// The driver unregisters types, by `original`. May sleep.
pub fn unregistering(parent: usize, original: impl FnOnce()) {
    let held = loop {
        let at = TABLE.lock().iter().position(|slot| slot.is_of(parent));
        match at.map(Place::take_held) {
            None => break None,
            Some(Some(held)) => break Some(held),
            // Somebody is registering them anew, and will be done in a moment.
            Some(None) => clock::sleep_ms(POLL_MS),
        }
    };
    original();
    if let Some((place, registration)) = held {
        drop(registration);
        place.give(Slot::Free);
    }
}

const POLL_MS: u32 = 10;
/// How long something that takes moments is waited for.
const PATIENCE_MS: u32 = 2_000;

/// Waits until `ready` has something, or too long.
fn soon<T>(ready: impl Fn() -> Option<T>) -> Option<T> {
    (0..PATIENCE_MS / POLL_MS).find_map(|_| {
        let found = ready();
        if found.is_none() {
            clock::sleep_ms(POLL_MS);
        }
        found
    })
}

/// Begins. NVIDIA's module that registers types can't go meanwhile. May sleep.
pub fn begin() {
    INCOMPLETE.store(false, Ordering::SeqCst);
    LEAVING.store(false, Ordering::SeqCst);
    refresh();
}

/// Hides and shows types as the user wants it now, those that were registered before we came, too.
/// NVIDIA's module that registers types can't go meanwhile. May sleep.
pub fn refresh() {
    find();
    for at in 0..MAX_REGISTRATIONS {
        // Those that are being registered may have been chosen by what the user wanted before.
        let taken = || matches!(TABLE.lock().get(at), Some(Slot::Taken(_)));
        if soon(|| (!taken()).then_some(())).is_none() {
            continue;
        }
        if let Some((place, mut registration)) = Place::take_held(at) {
            settle(&mut registration);
            place.give(Slot::Held(registration));
        }
    }
}

/// Finds types that were registered before we came.
fn find() {
    let times = TIMES.load(Ordering::SeqCst);
    for gpu in pci::gpus() {
        let Some((registration, locked)) = Registration::found(&gpu) else { continue };
        let parent = registration.parent();
        let known = TABLE.lock().iter().any(|slot| slot.is_of(parent));
        if !known {
            match Place::take(parent) {
                Some(place) => place.hold(registration, times),
                None => INCOMPLETE.store(true, Ordering::SeqCst),
            }
        }
        drop(locked);
    }
}

/// Nothing is hidden from now on; [`refresh`] shows what was.
pub fn leave() {
    LEAVING.store(true, Ordering::SeqCst);
}

/// Looks after no types any more. Nobody is sent to us any more, but calls may be under way.
pub fn forget() {
    TIMES.fetch_add(1, Ordering::SeqCst);
    for at in 0..MAX_REGISTRATIONS {
        if let Some((place, registration)) = Place::take_held(at) {
            if registration.hidden() != 0 {
                postpone("the module is unloaded or switched off");
            }
            registration.give_up();
            place.give(Slot::Free);
        }
    }
}

/// How many types are registered for a board, and how many vGPUs it has, of which the first are shown
/// to `each`; `None` where that can't be told.
pub fn of_board(board: Address, each: impl FnMut(Vgpu)) -> Option<(u32, u32)> {
    let at = {
        let table = TABLE.lock();
        if table.iter().any(|slot| matches!(slot, Slot::Taken(_))) {
            return None;
        }
        table.iter().position(|slot| match slot {
            Slot::Held(registration) => registration.address == board,
            Slot::Free | Slot::Taken(_) => false,
        })
    };
    let Some(at) = at else {
        return (!INCOMPLETE.load(Ordering::SeqCst)).then_some((0, 0));
    };
    // The driver waits with unregistering them as long as they are taken.
    let (place, registration) = Place::take_held(at)?;
    let types = u32::try_from(registration.registered()).ok();
    let vgpus = registration.each_vgpu(each);
    place.give(Slot::Held(registration));
    Some((types?, vgpus))
}

/// How many types of all boards are hidden.
pub fn hidden() -> usize {
    TABLE.lock().iter().fold(0, |hidden, slot| match slot {
        Slot::Held(registration) => registration.hidden().saturating_add(hidden),
        Slot::Free | Slot::Taken(_) => hidden,
    })
}

/// Registers a board's types anew where others are wanted.
fn settle(registration: &mut Registration) {
    let choice = wanted(registration);
    if registration.is(&choice) {
        return;
    }
    // The driver's probe() and remove() stay out, and then new vGPUs.
    let Some(_locked) = soon(|| registration.lock()) else {
        return postpone("the driver is busy with the board");
    };
    BUSY.store(registration.parent(), Ordering::SeqCst);
    let quiet = soon(|| CREATING.is_zero().then_some(())).is_some();
    let idle = quiet && registration.is_idle();
    if idle {
        registration.unregister();
    }
    // Nobody can create a vGPU of a type that is not there; those that come are there for everyone.
    BUSY.store(0, Ordering::SeqCst);
    if idle {
        register(registration, choice);
        tell(registration);
    } else {
        postpone("there are vGPUs, or some are being made");
    }
}

fn postpone(why: &str) {
    log::warn(format_args!(
        "which vGPU types are hidden changes when the driver registers them again: {why}"
    ));
}

/// The driver believes that its types are registered, so they have to be, whatever it takes.
fn register(registration: &mut Registration, choice: Choice) {
    let mut choice = choice;
    loop {
        registration.renew();
        let Err((errno, again)) = registration.register(choice) else { return };
        choice = again;
        log::warn(format_args!("vGPU types can't be registered (error {errno}), trying again"));
        clock::sleep_ms(PATIENCE_MS);
    }
}
