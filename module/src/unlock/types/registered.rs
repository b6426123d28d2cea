// SPDX-License-Identifier: GPL-2.0
//! Types being registered, unregistered, hidden and shown.

use core::sync::atomic::{AtomicBool, Ordering};

use super::creating::without_new;
use super::soon::{soon, PATIENCE_MS};
use super::table::{self, Place};
use crate::logic::mdev;
use crate::sys::mdev::{Choice, Found, Registration};
use crate::sys::{clock, log, pci, Errno};
use crate::unlock::settings;

/// We are about to go, or have gone, so nothing is hidden any more.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Which of a board's types there are to be.
fn wanted(registration: &Registration) -> Choice {
    if LEAVING.load(Ordering::SeqCst) {
        return Choice::ALL;
    }
    let chosen = settings::with(|user| {
        // A name that is none of NVIDIA's can't be hidden.
        registration
            .choose(|name| mdev::number(name).map_or(true, |number| !user.overrides.hides(number)))
    });
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
    let times = table::times();
    let Some(place) = Place::take(registration.parent()) else {
        table::set_incomplete(true);
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
            place.free();
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
    // Somebody may be registering them anew, and will be done in a moment.
    let held = Place::take_held_of(parent);
    original();
    if let Some((place, registration)) = held {
        drop(registration);
        place.free();
    }
}

/// Begins. NVIDIA's module that registers types can't go meanwhile. May sleep.
pub fn begin() {
    LEAVING.store(false, Ordering::SeqCst);
    refresh();
}

/// Hides and shows types as the user wants it now, those that were registered before we came, too.
/// NVIDIA's module that registers types can't go meanwhile. May sleep.
pub fn refresh() {
    find();
    for at in 0..table::MAX_REGISTRATIONS {
        // Those that are being registered may have been chosen by what the user wanted before.
        if soon(|| (!table::is_taken(at)).then_some(())).is_none() {
            continue;
        }
        if let Some((place, mut registration)) = Place::take_held(at) {
            settle(&mut registration);
            place.give_back(registration);
        }
    }
}

/// Finds types that were registered before we came.
fn find() {
    let times = table::times();
    let mut incomplete = false;
    for gpu in pci::functions() {
        match Registration::find(&gpu) {
            Found::Nothing => {}
            Found::Unknown => incomplete = true,
            Found::Types(registration, locked) => {
                let parent = registration.parent();
                if !table::knows(parent) {
                    match Place::take(parent) {
                        Some(place) => place.hold(registration, times),
                        None => incomplete = true,
                    }
                }
                drop(locked);
            }
        }
    }
    table::set_incomplete(incomplete);
}

/// Nothing is hidden from now on; [`refresh`] shows what was.
pub fn leave() {
    LEAVING.store(true, Ordering::SeqCst);
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
    let idle = without_new(registration.parent(), |quiet| {
        let idle = quiet && registration.is_idle();
        if idle {
            registration.unregister();
        }
        idle
    });
    // Nobody can create a vGPU of a type that is not there; those that come are there for everyone.
    if idle {
        register(registration, choice);
        tell(registration);
    } else {
        postpone("there are vGPUs, or some are being made");
    }
}

/// Looks after no types any more. Nobody is sent to us any more, but calls may be under way.
pub fn forget() {
    table::gone();
    for at in 0..table::MAX_REGISTRATIONS {
        if let Some((place, registration)) = Place::take_held(at) {
            if registration.hidden() != 0 {
                postpone("the module is unloaded or switched off");
            }
            registration.give_up();
            place.free();
        }
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
