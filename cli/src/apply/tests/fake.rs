// SPDX-License-Identifier: GPL-2.0
//! A module that takes overrides as ours does, and shows them in the files of a made-up host.

use std::{
    cell::{Cell, RefCell},
    io,
};

use vgpu_unlock::params::overrides::target::Target;

use super::super::{MAX_OVERRIDES, Module, Parameter};
use crate::{host::made_up::MadeUp, profile::settings};

const EINVAL: i32 = 22;
const PAGE: usize = 4096;
const DIR: &str = "/sys/module/vgpu_unlock/parameters";

/// The module.
pub struct Fake {
    pub host: RefCell<MadeUp>,
    /// Sections as they were written, in their order.
    pub in_force: RefCell<Vec<String>>,
    staged: RefCell<Option<Vec<String>>>,
    /// Every write, with the parameter's name.
    pub writes: RefCell<Vec<(String, String)>>,
    /// The write that fails, from 0 on, and the error's number.
    pub fails: Cell<Option<(usize, i32)>>,
}

/// What debugfs shows and which parameters there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Age {
    Today,
    /// Before it took pieces.
    Old,
}

impl Fake {
    pub fn new(age: Age, overrides: &str) -> Self {
        let mut host = MadeUp::default();
        host.file(&format!("{DIR}/overrides"), "");
        if age == Age::Today {
            host.file(&format!("{DIR}/overrides_part"), "");
            host.dir("/sys/kernel/debug/vgpu_unlock");
        }
        let fake = Self {
            host: RefCell::new(host),
            in_force: RefCell::default(),
            staged: RefCell::default(),
            writes: RefCell::default(),
            fails: Cell::new(None),
        };
        *fake.in_force.borrow_mut() = sections(overrides);
        fake.show();
        fake
    }

    fn is_today(&self) -> bool {
        self.host.borrow().path(&format!("{DIR}/overrides_part")).exists()
    }

    /// Writes what is in force where people see it.
    fn show(&self) {
        let sections = self.in_force.borrow();
        let mut shown = sections.join(";");
        let mut count = sections.len();
        while self.is_today() && shown.len() + 1 > PAGE {
            count -= 1;
            shown = [&sections[..count], &["...".to_owned()]].concat().join(";");
        }
        let mut host = self.host.borrow_mut();
        host.file(&format!("{DIR}/overrides"), shown + "\n");
        if host.path(&format!("{DIR}/overrides_part")).exists() {
            host.file("/sys/kernel/debug/vgpu_unlock/overrides", sections.join("\n") + "\n");
        }
    }

    fn write(&self, name: &str, value: &str) -> io::Result<()> {
        let number = self.writes.borrow().len();
        self.writes.borrow_mut().push((name.to_owned(), value.to_owned()));
        if let Some((_, error)) = self.fails.get().filter(|(at, _)| *at == number) {
            return Err(io::Error::from_raw_os_error(error));
        }
        let taken = match name {
            "overrides" => self.replace(value),
            "overrides_part" => self.part(value),
            name => panic!("{name} is no parameter"),
        };
        taken.ok_or_else(|| io::Error::from_raw_os_error(EINVAL))?;
        self.show();
        Ok(())
    }

    fn replace(&self, value: &str) -> Option<()> {
        // Nobody is called for a write of no bytes.
        if !value.is_empty() {
            *self.in_force.borrow_mut() = checked(value)?;
        }
        Some(())
    }

    fn part(&self, value: &str) -> Option<()> {
        let mut staged = self.staged.borrow_mut();
        match value {
            "begin" => *staged = Some(vec![]),
            "commit" => *self.in_force.borrow_mut() = staged.take()?,
            "abort" => *staged = None,
            value => {
                let more = checked(value)?;
                let Some(staged) = &mut *staged else {
                    let mut all = self.in_force.borrow_mut();
                    all.retain(|old| more.iter().all(|new| target(new) != target(old)));
                    all.extend(more);
                    return Some(());
                };
                let all = [&staged[..], &more[..]].concat();
                (all.join(";").len() <= MAX_OVERRIDES).then(|| *staged = all)?;
            }
        }
        Some(())
    }
}

impl Module for Fake {
    fn open(&self, name: &str) -> io::Result<Box<dyn Parameter + '_>> {
        Ok(Box::new(Open { fake: self, name: name.to_owned() }))
    }
}

struct Open<'a> {
    fake: &'a Fake,
    name: String,
}

impl Parameter for Open<'_> {
    fn write(&mut self, value: &str) -> io::Result<()> {
        self.fake.write(&self.name, value)
    }
}

/// The sections of a value that a parameter can have.
fn checked(value: &str) -> Option<Vec<String>> {
    let fits = value.len() <= PAGE - 2;
    (fits && settings(value).is_ok()).then(|| sections(value))
}

fn target(section: &str) -> Target {
    settings(section).unwrap()[0].0
}

/// A text's sections: what stands between semicolons that stand in no text.
pub fn sections(text: &str) -> Vec<String> {
    let mut mark = None;
    let ends = |c: char| {
        match (mark, c) {
            (None, '\'' | '"') => mark = Some(c),
            (Some(open), c) if c == open => mark = None,
            _ => {}
        }
        c == ';' && mark.is_none()
    };
    let sections = text.trim().split(ends).map(str::trim).filter(|section| !section.is_empty());
    sections.map(str::to_owned).collect()
}
