// SPDX-License-Identifier: GPL-2.0
//! The course of things: we come, the driver comes and goes, we go, in any order.
//!
//! All state is under the module's one mutex. The driver's notifiers, the work and our exit take
//! it, so whoever comes first finishes first: while we unhook in our exit, a driver that is going
//! waits in its notifier, and its memory stays.

mod driver;
mod said;
mod types;

pub use driver::Driver;
pub use said::Said;
pub use types::Types;

use kernel::alloc::KBox;

use crate::logic::driver::version::Version;
use crate::logic::status::{DriverState, Reason};
use crate::sys::canary::Hooks;
use crate::sys::lock::{LifecycleMutex, Mutexed};
use crate::sys::target::{self, Notifiers, Target, Which};
use crate::sys::{calls, clock, hook, log, mdev, work, Errno};
use crate::unlock::attachment::Attachment;
use crate::unlock::tables::Keys;
use crate::unlock::types as vgpu_types;
use driver::Named;

/// How it stands.
pub struct State {
    /// Between `start` and `stop`. The parameters are set before, too.
    running: bool,
    /// The user wants the driver unlocked.
    enabled: bool,
    hooks: Hooks,
    driver: Driver,
    types: Types,
    /// NVIDIA's module that registers types is loaded.
    types_loaded: bool,
    /// What the driver has read of boards, for attachments that come later.
    keys: Keys,
    /// What the log says about boards.
    said: Said,
}

static STATE: Mutexed<State, LifecycleMutex> = Mutexed::new(State {
    running: false,
    enabled: true,
    hooks: Hooks::NONE,
    driver: Driver::Absent,
    types: Types::Absent,
    types_loaded: false,
    keys: Keys::NONE,
    said: Said::NOTHING,
});

/// What a step has come to.
#[must_use]
pub enum News {
    /// Nothing that is not in the log.
    Nothing,
    /// The driver was attached to: there is something to say about its boards. It has taken none of them
    /// where it is just coming.
    Attached {
        /// It is just coming.
        coming: bool,
    },
    /// Boards may stand otherwise than before.
    Boards,
}

/// Starts: from now on, a driver that is loaded or will be is unlocked.
///
/// # Errors
/// The kernel's error number; nothing is left behind.
pub fn start() -> Result<(Notifiers, News), Errno> {
    // The notifiers come first: a driver that comes meanwhile is seen by one side or by both, and
    // the second one finds it done.
    let notifiers = Notifiers::register()?;
    let mut state = STATE.lock();
    state.running = true;
    // SAFETY: The mutex is held, which `going` takes.
    state.types_loaded = unsafe { target::with_loaded(Which::Types, |_| ()) }.is_some();
    // ftrace is to be held from now on. Where that fails nothing is lost yet: it is tried again
    // for the driver.
    let armed = if state.enabled { state.hooks.arm() } else { Ok(()) };
    let news = state.look();
    match (state.enabled, &state.driver, armed) {
        (false, ..) => log::info(format_args!("loaded, and switched off by enabled=0")),
        (true, Driver::Absent, Ok(())) => {
            log::info(format_args!("loaded; NVIDIA's driver is not, waiting for it"));
        }
        (true, Driver::Absent, Err(reason)) => {
            log::warn(format_args!("loaded, but can't do anything yet: {reason}"));
        }
        // That has its own line.
        (true, Driver::Attached(_) | Driver::Refused { .. }, _) => {}
    }
    Ok((notifiers, news))
}

/// Stops: afterwards the driver is exactly as it was before us, and nothing calls us any more.
pub fn stop(notifiers: Notifiers) {
    let hooks = {
        let mut state = STATE.lock();
        state.running = false;
        state.let_types_go();
        state.let_go(true);
        state.keys.forget();
        core::mem::replace(&mut state.hooks, Hooks::NONE)
    };
    drop(notifiers);
    mdev::wait_for_calls();
    work::cancel();
    calls::wait_for_all();
    drop(hooks);
    // A task may still be in the tail of a hook.
    hook::wait_for_tails();
    if hook::is_stuck() {
        log::warn(format_args!(
            "the kernel's ftrace broke down and may call us for ever: this rmmod will not end"
        ));
        // A crash would be the alternative.
        clock::sleep_for_ever();
    }
    log::info(format_args!("unloaded; NVIDIA's driver is as it was"));
}

/// Unlocks the driver, or puts everything back, as the user wants it. May sleep.
pub fn set_enabled(enabled: bool) -> News {
    let mut state = STATE.lock();
    if state.enabled == enabled {
        return News::Nothing;
    }
    state.enabled = enabled;
    if enabled {
        return state.look();
    }
    state.let_types_go();
    if state.driver.identity().is_some() {
        state.let_go(true);
        log::info(format_args!("switched off, NVIDIA's driver is as it was"));
    }
    News::Nothing
}

/// Does everything anew, because what boards are answered as has changed. May sleep.
pub fn reconsider() -> News {
    let mut state = STATE.lock();
    if !state.running {
        return News::Nothing;
    }
    if state.let_go(true) {
        log::info(format_args!("boards are to be answered otherwise: everything was put back"));
    }
    let news = state.look();
    // Where the driver is not attached to any more, what is shown would not be true.
    if !state.tells() {
        state.let_types_go();
    }
    news
}

/// Hides and shows vGPU types, because which are to be hidden may have changed. May sleep.
pub fn reconsider_types() {
    let mut state = STATE.lock();
    if state.types.are_replaced() {
        state.refresh_types();
    } else {
        // Who stood in our way may be gone.
        state.look_for_types();
    }
}

/// One of NVIDIA's modules is there.
pub fn coming(which: Which, target: &Target) -> News {
    let mut state = STATE.lock();
    match which {
        Which::Driver => match state.take_hold(target) {
            News::Attached { .. } => News::Attached { coming: true },
            news => news,
        },
        Which::Types => {
            state.types_loaded = true;
            // Once it is alive, it may have registered types already.
            if matches!(state.types, Types::Absent) && state.tells() {
                let State { types, hooks, .. } = &mut *state;
                types.take_hold(hooks);
            }
            News::Nothing
        }
    }
}

/// One of NVIDIA's modules goes; its memory stays until we return.
pub fn going(which: Which, target: &Target) {
    let mut state = STATE.lock();
    if which == Which::Types {
        // It has unregistered its types, or never came to register any.
        state.types_loaded = false;
        state.types.end();
        return;
    }
    if state.driver.identity() != Some(target.identity()) {
        return;
    }
    // Nobody runs the driver any more, so nobody can be looking at its entries.
    let let_go = state.let_go(false);
    // Another load may be at the same address, and reads everything anew.
    state.keys.forget();
    if let_go {
        log::info(format_args!("NVIDIA's driver is going, everything was put back"));
    }
}

/// Something happened in a hook, or to a board, that wants process context.
pub fn settle() -> News {
    let mut state = STATE.lock();
    let State { driver, keys, .. } = &mut *state;
    match driver {
        Driver::Attached(attachment) => {
            attachment.settle(keys);
            News::Boards
        }
        Driver::Absent | Driver::Refused { .. } => News::Nothing,
    }
}

/// Shows the state to `f`.
pub fn with_state<R>(f: impl FnOnce(&State) -> R) -> R {
    f(&STATE.lock())
}

/// Shows the state to `f`, with what the log says about boards.
pub fn with_said<R>(f: impl FnOnce(&State, &mut Said) -> R) -> R {
    let mut state = STATE.lock();
    let mut said = core::mem::replace(&mut state.said, Said::NOTHING);
    let result = f(&state, &mut said);
    state.said = said;
    result
}

impl State {
    /// Looks for a driver that is there already.
    fn look(&mut self) -> News {
        if !self.running || !self.enabled {
            return News::Nothing;
        }
        // SAFETY: `self` is only reachable with the mutex held, which `going` takes.
        let news = unsafe { target::with_loaded(Which::Driver, |target| self.take_hold(target)) };
        self.look_for_types();
        news.unwrap_or(News::Nothing)
    }

    /// Whether daemons are told what the user wants, so that this can be shown of types, too.
    fn tells(&self) -> bool {
        self.running && self.enabled && self.driver.is_watched()
    }

    /// Looks for NVIDIA's module that registers types.
    fn look_for_types(&mut self) {
        if self.tells() {
            // SAFETY: `self` is only reachable with the mutex held, which `going` takes.
            unsafe {
                target::with_loaded(Which::Types, |_| self.types.take_hold(&mut self.hooks));
            }
        }
    }

    /// Hides and shows types as the user wants it now.
    fn refresh_types(&self) {
        // SAFETY: `self` is only reachable with the mutex held, which `going` takes. Where the module is
        // just being unloaded, it unregisters its types itself.
        unsafe { target::with_loaded(Which::Types, |_| vgpu_types::refresh()) };
    }

    /// Shows all types, as the driver has them.
    fn let_types_go(&mut self) {
        if self.types.are_replaced() {
            vgpu_types::leave();
            self.refresh_types();
        }
        self.types.end();
    }

    /// Unlocks the driver, unless that was done or is not wanted.
    fn take_hold(&mut self, target: &Target) -> News {
        let known = self.driver.identity() == Some(target.identity());
        if known || !self.running || !self.enabled {
            return News::Nothing;
        }
        let version = target.version().and_then(Version::parse);
        match self.attach(target, version) {
            Ok(mut attachment) => {
                driver::log_attached(&attachment);
                attachment.settle(&mut self.keys);
                self.driver = Driver::Attached(attachment);
                self.said = Said::NOTHING;
                News::Attached { coming: false }
            }
            Err(reason) => {
                let what = Named(version);
                log::warn(format_args!("NVIDIA's driver{what} is left exactly as it is: {reason}"));
                self.driver = Driver::Refused { identity: target.identity(), version, reason };
                News::Nothing
            }
        }
    }

    fn attach(
        &mut self,
        target: &Target,
        version: Option<Version>,
    ) -> Result<KBox<Attachment>, Reason> {
        let version = version.ok_or(Reason::NoVersion)?;
        self.hooks.arm()?;
        Attachment::new(target, version, &self.hooks, &self.keys)
    }

    /// Puts everything back; says whether there was something to put back.
    fn let_go(&mut self, driver_lives: bool) -> bool {
        self.driver.let_go(driver_lives, &mut self.keys)
    }

    /// How it stands with the files of vGPU types.
    pub fn types(&self) -> &Types {
        &self.types
    }

    /// Whether NVIDIA's module that registers types is loaded.
    pub fn types_loaded(&self) -> bool {
        self.types_loaded
    }

    /// How it stands with the driver.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// The same in a word, having looked whether hooks do anything at the moment.
    pub fn driver_state(&self) -> DriverState {
        if self.enabled {
            self.driver.state(&self.hooks)
        } else {
            DriverState::Disabled
        }
    }
}
