// SPDX-License-Identifier: GPL-2.0
//! The kernel calls us: for each of its events, who deals with it.

use super::lifecycle::{self, News};
use super::settings::{self, Change};
use super::{answers, report, types};
use crate::logic::mdev::{File, Line};
use crate::sys::calls::Answered;
use crate::sys::mdev::{Registration, Type, TypeFiles};
use crate::sys::param::{Param, Parameters};
use crate::sys::target::{self, Notifiers, Target, Which};
use crate::sys::user::UserAddress;
use crate::sys::{files, work, Errno, INVALID};

/// All of them.
pub struct Events;

/// The module is loaded.
///
/// # Errors
/// The kernel's error number; nothing is left behind.
pub fn start() -> Result<Notifiers, Errno> {
    let (notifiers, news) = lifecycle::start()?;
    tell(news);
    files::create();
    Ok(notifiers)
}

/// The module is unloaded. Nothing calls us any more afterwards.
pub fn stop(notifiers: Notifiers) {
    files::remove();
    lifecycle::stop(notifiers);
}

fn tell(news: News) {
    match news {
        News::Nothing => {}
        News::Attached => report::log_boards(),
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

impl work::Job for Events {
    fn run() {
        lifecycle::settle();
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
