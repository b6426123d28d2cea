// SPDX-License-Identifier: GPL-2.0
//! What several links want to know about a host, read when the first one asks.

use std::cell::OnceCell;

use vgpu_unlock::{driver::version::Version, gpu::Answer};

use crate::{
    host::{
        self, Board, Directive, Distribution, Host, Kernel, Seen,
        journal::{self, Entry},
    },
    status::{Missing, Status},
};

use super::{
    Finding,
    nvidia::{self, Driver},
};

/// A host, and what was learned about it.
pub(super) struct Facts<'h> {
    pub host: &'h Host,
    distribution: OnceCell<Seen<Distribution>>,
    kernel: OnceCell<Seen<Kernel>>,
    boards: OnceCell<Seen<Vec<Board>>>,
    directives: OnceCell<Seen<Vec<Directive>>>,
    driver: OnceCell<Seen<Driver>>,
    journal: OnceCell<Seen<Vec<Entry>>>,
    status: OnceCell<Result<Status, Missing>>,
}

impl<'h> Facts<'h> {
    pub fn new(host: &'h Host) -> Self {
        Self {
            host,
            distribution: OnceCell::new(),
            kernel: OnceCell::new(),
            boards: OnceCell::new(),
            directives: OnceCell::new(),
            driver: OnceCell::new(),
            journal: OnceCell::new(),
            status: OnceCell::new(),
        }
    }

    pub fn distribution(&self) -> Seen<&Distribution> {
        once(&self.distribution, || Distribution::of(self.host))
    }

    pub fn kernel(&self) -> Seen<&Kernel> {
        once(&self.kernel, || Kernel::of(self.host))
    }

    /// NVIDIA's boards, whoever holds them.
    pub fn all_boards(&self) -> Seen<&[Board]> {
        once(&self.boards, || host::boards(self.host)).map(Vec::as_slice)
    }

    /// The boards that vGPUs can be had from: those that nobody but NVIDIA's driver holds.
    pub fn boards(&self) -> Seen<Vec<&Board>> {
        let ours = |board: &&Board| matches!(board.driver.as_deref(), None | Some("nvidia"));
        Ok(self.all_boards()?.iter().filter(ours).collect())
    }

    /// Nothing but why a link is not asked, where there is no board that vGPUs can be had from.
    pub fn without_board(&self) -> Seen<Option<Vec<Finding>>> {
        let why = "not asked: there is no board that NVIDIA's driver could have";
        Ok(self.boards()?.is_empty().then(|| vec![Finding::not_asked(why)]))
    }

    /// Likewise, where NVIDIA's driver is not there.
    pub fn without_driver(&self) -> Seen<Option<Vec<Finding>>> {
        let driver = self.driver()?;
        let missing = !driver.loaded && driver.file.is_none();
        Ok(missing.then(|| vec![Finding::not_asked("not asked: NVIDIA's driver is not there")]))
    }

    /// What modprobe.d says.
    pub fn directives(&self) -> Seen<&[Directive]> {
        once(&self.directives, || host::directives(self.host)).map(Vec::as_slice)
    }

    pub fn driver(&self) -> Seen<&Driver> {
        once(&self.driver, || nvidia::find(self.host, self.kernel()))
    }

    pub fn journal(&self) -> Seen<&[Entry]> {
        once(&self.journal, || journal::entries(self.host)).map(Vec::as_slice)
    }

    pub fn status(&self) -> Result<&Status, &Missing> {
        self.status.get_or_init(|| Status::read(self.host)).as_ref()
    }

    pub fn driver_version(&self) -> Option<Version> {
        let version = self.driver().ok()?.version.as_deref()?;
        Version::parse(version.as_bytes())
    }

    /// The PCI device ID that the daemons see for a board, and the name of that board: what the
    /// module says where it runs, else what its table says.
    pub fn seen_as(&self, board: &Board) -> (u16, &str) {
        let status = self.status().ok().and_then(|status| status.board(&board.address));
        match (status.map(|board| board.answered_as()), self.answer(board)) {
            (Some(Some(other)), _) => other,
            (None, Answer::As(_, sibling)) => (sibling.device, sibling.name),
            _ => (board.device, "the board itself"),
        }
    }

    /// What the module answers a board as, where no parameter says otherwise.
    pub fn answer(&self, board: &Board) -> Answer {
        board.answer(self.driver_version().map(|version| version.branch))
    }

    /// Whether the module is of use to a board: not where NVIDIA's driver takes it by itself.
    pub fn needs_us(&self, board: &Board) -> bool {
        self.answer(board).needs_unlock()
    }

    /// Whether the module is of use to any board.
    pub fn any_needs_us(&self) -> Seen<bool> {
        Ok(self.boards()?.into_iter().any(|board| self.needs_us(board)))
    }
}

fn once<T>(cell: &OnceCell<Seen<T>>, f: impl FnOnce() -> Seen<T>) -> Seen<&T> {
    cell.get_or_init(f).as_ref().map_err(Clone::clone)
}
