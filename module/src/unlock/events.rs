// SPDX-License-Identifier: GPL-2.0
//! The kernel calls us: for each of its events, who deals with it.

use super::lifecycle::{self, News};
use super::settings::{self, Change};
use super::{answers, boards, report, types};
use crate::logic::mdev::{File, Line};
use crate::sys::calls::Answered;
use crate::sys::mdev::{Registration, Type, TypeFiles};
use crate::sys::param::{Param, Parameters};
use crate::sys::target::{self, Notifiers, Target, Which};
use crate::sys::user::UserAddress;
use crate::sys::{clock, files, pci, work, Errno, INVALID};

/// All of them.
pub struct Events;

/// How long a board whose driver can't be told yet is left in peace.
const SETTLING_MS: u32 = 50;

/// What tells us of events, for as long as the module is loaded.
pub struct Sources {
    notifiers: Notifiers,
    boards: pci::Watch,
}

/// The module is loaded.
///
/// # Errors
/// The kernel's error number; nothing is left behind.
pub fn start() -> Result<Sources, Errno> {
    // The last to lock them is who gives back what parameters hold, when the module is half gone already: a kernel
    // that checks locks wants to have seen that one before.
    settings::with(|_| ());
    let boards = pci::Watch::start()?;
    let (notifiers, news) = lifecycle::start()?;
    tell(news);
    files::create();
    Ok(Sources { notifiers, boards })
}

/// The module is unloaded. Nothing calls us any more afterwards.
pub fn stop(sources: Sources) {
    files::remove();
    let Sources { notifiers, boards } = sources;
    // Before the work is cancelled that it schedules.
    drop(boards);
    lifecycle::stop(notifiers);
}

fn tell(news: News) {
    if left_untold(news) {
        work::schedule();
    }
}

/// Tells, too; whether there is a board of which nothing can be said yet.
fn left_untold(news: News) -> bool {
    match news {
        News::Nothing => false,
        News::Attached { coming } => report::log_boards(coming),
        News::Boards => report::log_boards(false),
    }
}

impl target::Events for Events {
    fn coming(which: Which, target: &Target) {
        tell(lifecycle::coming(which, target));
    }

    fn going(which: Which, target: &Target) {
        lifecycle::going(which, target);
    }
}

impl pci::Changes for Events {
    fn changed() {
        // The kernel is not done with the board yet, and holds its lock.
        work::schedule();
    }
}

impl work::Job for Events {
    fn run() {
        // Looked at first: what happens to a board behind our back from here on has us called again.
        let settling = boards::are_settling();
        if left_untold(lifecycle::settle()) || settling {
            clock::sleep_ms(SETTLING_MS);
            work::schedule();
        }
    }
}

impl Answered for Events {
    fn answered(command: u32, argument: UserAddress) {
        answers::answered(command, argument);
    }
}

impl files::Show for Events {
    fn text(file: &mut files::File) {
        report::text(file);
    }

    fn json(file: &mut files::File) {
        report::json(file);
    }

    fn overrides(file: &mut files::File) {
        settings::sections(|section| {
            file.write(section);
            file.write(b"\n");
        });
    }
}

impl Parameters for Events {
    fn set(param: Param, value: &[u8]) -> Result<(), Errno> {
        match settings::set(param, value).map_err(|()| INVALID)? {
            Change::Nothing => {}
            Change::Switch(on) => tell(lifecycle::set_enabled(on)),
            Change::Boards => tell(lifecycle::reconsider()),
            Change::Types => lifecycle::reconsider_types(),
        }
        Ok(())
    }

    fn get(param: Param, page: &mut [u8]) -> usize {
        settings::get(param, page)
    }

    fn free(param: Param) {
        settings::free(param);
    }
}

impl TypeFiles for Events {
    fn shown(ty: &Type, file: File, written: &[u8], line: &mut Line) -> Option<()> {
        types::shown(ty, file, written, line)
    }

    fn creating(ty: &Type, create: impl FnOnce() -> isize) -> Result<isize, Errno> {
        types::creating(ty, create)
    }

    fn registering(registration: Registration) -> Result<(), Errno> {
        types::registering(registration)
    }

    fn unregistering(parent: usize, original: impl FnOnce()) {
        types::unregistering(parent, original);
    }
}
