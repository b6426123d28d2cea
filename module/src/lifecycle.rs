// SPDX-License-Identifier: GPL-2.0
//! The course of things: we come, the driver comes and goes, we go, in any order.
//!
//! All state is under the module's one mutex. The driver's notifiers, the work and our exit take
//! it, so whoever comes first finishes first: while we unhook in our exit, a driver that is going
//! waits in its notifier, and its memory stays.

use core::fmt;

use kernel::alloc::KBox;

use crate::driver::version::Version;
use crate::gpu;
use crate::status::{DriverState, Reason};
use crate::sys::canary::{Canary, Dead};
use crate::sys::lock::{LifecycleMutex, Mutexed};
use crate::sys::target::{self, Notifiers, Target};
use crate::sys::{log, pci, seq, work, Errno};
use crate::unlock::attachment::{Attachment, Retired};

/// How it stands.
pub struct State {
    /// Between `start` and `stop`. The parameters are set before, too.
    running: bool,
    /// The user wants the driver unlocked.
    enabled: bool,
    canary: Option<Canary>,
    driver: Driver,
}

/// How it stands with NVIDIA's driver.
pub enum Driver {
    /// It is not loaded.
    Absent,
    /// It is hooked.
    Attached(KBox<Attachment>),
    /// It is loaded, and was left exactly as it was.
    Refused {
        /// Which load of it.
        identity: usize,
        /// Its version, if it could be told.
        version: Option<Version>,
        /// Why.
        reason: Reason,
    },
}

static STATE: Mutexed<State, LifecycleMutex> =
    Mutexed::new(State { running: false, enabled: true, canary: None, driver: Driver::Absent });

/// Starts: from now on, a driver that is loaded or will be is unlocked.
///
/// # Errors
/// The kernel's error number; nothing is left behind.
pub fn start() -> Result<Notifiers, Errno> {
    // The notifiers come first: a driver that comes meanwhile is then seen by one side or by both,
    // and the second one finds it done.
    STATE.lock().running = true;
    let notifiers = Notifiers::register()?;
    target::with_loaded(coming);
    {
        let state = STATE.lock();
        if !state.enabled {
            log::info(format_args!("loaded, and switched off by enabled=0"));
        } else if matches!(state.driver, Driver::Absent) {
            log::info(format_args!("loaded; NVIDIA's driver is not, waiting for it"));
        }
    }
    seq::create();
    Ok(notifiers)
}

/// Whether the user wants the driver unlocked.
pub fn is_enabled() -> bool {
    STATE.lock().enabled
}

/// Unlocks the driver, or puts everything back, as the user wants it. May sleep.
pub fn set_enabled(enabled: bool) {
    let retired = {
        let mut state = STATE.lock();
        if state.enabled == enabled {
            return;
        }
        state.enabled = enabled;
        if enabled {
            None
        } else {
            let driver = core::mem::replace(&mut state.driver, Driver::Absent);
            if driver.identity().is_some() {
                log::info(format_args!("switched off, NVIDIA's driver is as it was"));
            }
            detach(driver)
        }
    };
    if retired.is_some() {
        crate::sys::wait_for_hooks();
        drop(retired);
    }
    if enabled {
        target::with_loaded(coming);
    }
}

/// Stops: afterwards the driver is exactly as it was before us, and nothing calls us any more.
pub fn stop(notifiers: Notifiers) {
    seq::remove();
    let (retired, canary) = {
        let mut state = STATE.lock();
        state.running = false;
        let driver = core::mem::replace(&mut state.driver, Driver::Absent);
        (detach(driver), state.canary.take())
    };
    drop(notifiers);
    work::cancel();
    drop(canary);
    // A task may still be looking at entries that it found in the tables, or be in the tail of a
    // hook.
    crate::sys::wait_for_hooks();
    drop(retired);
    log::info(format_args!("unloaded; NVIDIA's driver is as it was"));
}

fn detach(driver: Driver) -> Option<Retired> {
    match driver {
        Driver::Attached(attachment) => Some(Attachment::detach(attachment)),
        Driver::Absent | Driver::Refused { .. } => None,
    }
}

/// The driver is there.
pub fn coming(target: &Target) {
    let mut state = STATE.lock();
    let known = state.driver.identity() == Some(target.identity());
    if known || !state.running || !state.enabled {
        return;
    }
    let version = target.version().and_then(Version::parse);
    state.driver = match attach(&mut state, target, version) {
        Ok(attachment) => {
            welcome(&attachment);
            Driver::Attached(attachment)
        }
        Err(reason) => {
            let what = Named(version);
            log::warn(format_args!("NVIDIA's driver{what} is left exactly as it is: {reason}"));
            Driver::Refused { identity: target.identity(), version, reason }
        }
    };
}

fn attach(
    state: &mut State,
    target: &Target,
    version: Option<Version>,
) -> Result<KBox<Attachment>, Reason> {
    let version = version.ok_or(Reason::NoVersion)?;
    let canary = match state.canary.take() {
        Some(canary) => canary,
        None => Canary::place().map_err(|(dead, errno)| match (dead, errno) {
            (Dead::Ftrace, EBUSY) => Reason::FtraceOff,
            (Dead::Ftrace, errno) => Reason::Hook("ftrace canary", errno),
            (Dead::Kprobes, errno) => Reason::Hook("kprobe canary", errno),
        })?,
    };
    let canary = state.canary.insert(canary);
    Attachment::new(target, version, canary)
}

/// A permanent ftrace hook where ftrace is off.
const EBUSY: Errno = -16;

/// The driver goes; its memory stays until we return.
pub fn going(target: &Target) {
    let mut state = STATE.lock();
    if state.driver.identity() != Some(target.identity()) {
        return;
    }
    let driver = core::mem::replace(&mut state.driver, Driver::Absent);
    let attached = matches!(driver, Driver::Attached(_));
    // Nobody runs the driver any more, so nobody can be reading the entries.
    drop(detach(driver));
    if attached {
        log::info(format_args!("NVIDIA's driver is going, everything was put back"));
    }
}

/// Something happened in a hook that wants process context.
pub fn settle() {
    if let Driver::Attached(attachment) = &mut STATE.lock().driver {
        attachment.settle();
    }
}

/// Shows the state to `f`.
pub fn with_state<R>(f: impl FnOnce(&State) -> R) -> R {
    f(&STATE.lock())
}

impl State {
    /// How it stands with the driver.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// The same in a word, having looked whether hooks do anything at the moment.
    pub fn driver_state(&self) -> DriverState {
        match &self.driver {
            _ if !self.enabled => DriverState::Disabled,
            Driver::Absent => DriverState::Absent,
            Driver::Attached(_) => match self.canary.as_ref().map(Canary::check) {
                Some(Err(dead)) => DriverState::Silent(dead.into()),
                Some(Ok(())) | None => DriverState::Attached,
            },
            Driver::Refused { reason, .. } => DriverState::Refused(*reason),
        }
    }
}

impl Driver {
    fn identity(&self) -> Option<usize> {
        match self {
            Driver::Absent => None,
            Driver::Attached(attachment) => Some(attachment.identity()),
            Driver::Refused { identity, .. } => Some(*identity),
        }
    }

    /// The driver's version, if it is loaded and says it.
    pub fn version(&self) -> Option<Version> {
        match self {
            Driver::Absent => None,
            Driver::Attached(attachment) => Some(attachment.version()),
            Driver::Refused { version, .. } => *version,
        }
    }
}

/// One line for the driver, and one for each board.
fn welcome(attachment: &Attachment) {
    log::info(format_args!(
        "attached to NVIDIA's driver {}: {} checks overridden, {} boards in its capability tables",
        attachment.version(),
        attachment.overrides().count(),
        attachment.unlocker().gpu_list_count()
    ));
    for gpu in pci::gpus() {
        let gpu = crate::report::gpu(&gpu, &DriverState::Attached, Some(attachment));
        match gpu.answer {
            gpu::Answer::As(_, sibling) => log::info(format_args!(
                "{} 10de:{:04x} answered as 10de:{:04x} {}: {}",
                gpu.address,
                gpu.device,
                sibling.device,
                sibling.name,
                gpu.state.explanation()
            )),
            gpu::Answer::Listed | gpu::Answer::Unknown => log::info(format_args!(
                "{} 10de:{:04x}: {}",
                gpu.address,
                gpu.device,
                gpu.state.explanation()
            )),
        }
    }
}

/// " 550.163.01", or nothing where the version is not known.
struct Named(Option<Version>);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(version) => write!(f, " {version}"),
            None => Ok(()),
        }
    }
}
