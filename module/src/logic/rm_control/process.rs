// SPDX-License-Identifier: GPL-2.0
//! What is remembered of a process: which vGPUs it started.
//!
//! The question for a vGPU's type does not say which vGPU it is for. `nvidia-vgpu-mgr` learns the
//! UUID from the driver when a vGPU starts, and then either asks itself or lets a child ask that it
//! forks for the virtual machine. So each process has a memory, and a child's takes over from its
//! parent's what concerns it.
//!
//! Where a virtual machine has several vGPUs, the one that is meant is the last one started that has
//! the type asked about. They start one after the other, so that is right even for two of one type.

use crate::logic::params::Applied;
use crate::logic::profile::Uuid;

/// The most vGPUs that are remembered of a process; the oldest is forgotten first. Only those of the
/// last few seconds matter.
const MAX_STARTS: usize = 8;

/// The start of a vGPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// When, on the clock of [`ProcessMemory::set_time`].
    pub at: u64,
    /// The vGPU.
    pub uuid: Uuid,
    /// Its type's number, where the driver said it.
    pub vgpu_type: Option<u32>,
    /// Process ID of the virtual machine, where the driver said it.
    pub vm: Option<u32>,
}

/// What is remembered of a process.
#[derive(Clone, Copy, Debug)]
pub struct ProcessMemory {
    /// In the order of their times; the last is the newest.
    starts: [Option<Start>; MAX_STARTS],
    now: u64,
    last: Option<(u32, Option<Uuid>, Applied)>,
}

impl Default for ProcessMemory {
    fn default() -> Self {
        Self::new()
    }
}

impl ProcessMemory {
    /// Of a process that has asked nothing yet.
    pub const fn new() -> Self {
        Self { starts: [None; MAX_STARTS], now: 0, last: None }
    }

    /// Sets the time of what is remembered from now on. Any clock that does not go backwards will do,
    /// if [`ProcessMemory::adopt`] gets times of the same one. Without, all is at time 0.
    pub fn set_time(&mut self, now: u64) {
        self.now = now;
    }

    /// The starts that are remembered, oldest first.
    pub fn starts(&self) -> impl Iterator<Item = &Start> {
        self.starts.iter().flatten()
    }

    /// Remembers that a vGPU was started just now.
    pub(super) fn remember(&mut self, uuid: Uuid, vgpu_type: Option<u32>, vm: Option<u32>) {
        self.insert(Start { at: self.now, uuid, vgpu_type, vm });
    }

    /// Adds a start behind those that are not newer.
    fn insert(&mut self, start: Start) {
        if self.starts().any(|known| *known == start) {
            return;
        }
        // From the newest on, each that is not newer moves down by one place; the oldest falls out.
        let mut carried = Some(start);
        for slot in self.starts.iter_mut().rev() {
            if slot.map(|known| known.at) <= carried.map(|carried| carried.at) {
                core::mem::swap(slot, &mut carried);
            }
        }
    }

    /// Takes over from the memory of the process that forked this one, at time `born`: the vGPU that
    /// was the last one started by then, and those started later for the same virtual machine.
    ///
    /// To be called whenever a process with a parent is about to be answered; more than once changes
    /// nothing.
    pub fn adopt(&mut self, parent: &ProcessMemory, born: u64) {
        let Some(first) = parent.starts().filter(|start| start.at <= born).last() else { return };
        self.take_over(*first);
        for later in parent.starts().filter(|start| start.at > born) {
            if first.vm.is_some() && later.vm == first.vm {
                self.take_over(*later);
            }
        }
    }

    /// Adds another process's start, unless one that is as new would have to go for it: they would
    /// push each other out in turns.
    fn take_over(&mut self, start: Start) {
        let oldest = self.starts.first().copied().flatten().map(|known| known.at);
        if oldest < Some(start.at) {
            self.insert(start);
        }
    }

    /// The vGPU that a question about type number `vgpu_type` is about: the last one started with
    /// that type, or with a type that is not known.
    pub fn vgpu(&self, vgpu_type: u32) -> Option<Uuid> {
        self.starts()
            .filter(|start| start.vgpu_type.unwrap_or(vgpu_type) == vgpu_type)
            .last()
            .map(|start| start.uuid)
    }

    /// Remembers what was done to an answer.
    pub(super) fn answered(&mut self, vgpu_type: u32, applied: Applied) {
        self.last = Some((vgpu_type, self.vgpu(vgpu_type), applied));
    }

    /// The type that was asked about last, the vGPU it was for, and what was overridden; once.
    pub fn take_answer(&mut self) -> Option<(u32, Option<Uuid>, Applied)> {
        self.last.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn uuid(n: u8) -> Uuid {
        Uuid::from_bytes([n; 16])
    }

    fn started(list: &[(u64, u8, Option<u32>, Option<u32>)]) -> ProcessMemory {
        let mut memory = ProcessMemory::new();
        for &(at, n, vgpu_type, vm) in list {
            memory.set_time(at);
            memory.remember(uuid(n), vgpu_type, vm);
        }
        memory
    }

    #[test]
    fn the_last_vgpu_of_the_type_is_meant() {
        let memory = started(&[(1, 1, Some(55), None), (2, 2, Some(56), None)]);
        assert_eq!(memory.vgpu(55), Some(uuid(1)));
        assert_eq!(memory.vgpu(56), Some(uuid(2)));
        assert_eq!(memory.vgpu(57), None);
        let memory = started(&[(1, 1, Some(55), None), (2, 2, Some(55), None)]);
        assert_eq!(memory.vgpu(55), Some(uuid(2)));
        let memory = started(&[(1, 1, Some(55), None), (2, 2, None, None)]);
        assert_eq!(memory.vgpu(55), Some(uuid(2)));
        assert_eq!(ProcessMemory::new().vgpu(55), None);
    }

    #[test]
    fn without_a_clock_the_order_of_calls_counts() {
        let memory = started(&[(0, 9, None, None), (0, 1, None, None), (0, 5, None, None)]);
        assert_eq!(memory.vgpu(55), Some(uuid(5)));
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let list: Vec<_> = (1..=10).map(|n| (n.into(), n, Some(n.into()), None)).collect();
        let memory = started(&list);
        assert_eq!(memory.starts().count(), MAX_STARTS);
        assert_eq!(memory.vgpu(2), None);
        assert_eq!(memory.vgpu(3), Some(uuid(3)));
        assert_eq!(memory.vgpu(10), Some(uuid(10)));
    }

    #[test]
    fn a_child_takes_over_the_vgpu_it_was_forked_for() {
        let parent = started(&[(10, 1, Some(55), Some(100)), (30, 2, Some(55), Some(200))]);
        let mut first = ProcessMemory::new();
        first.adopt(&parent, 20);
        assert_eq!(first.vgpu(55), Some(uuid(1)));
        let mut second = ProcessMemory::new();
        second.adopt(&parent, 40);
        assert_eq!(second.vgpu(55), Some(uuid(2)));
        let mut early = ProcessMemory::new();
        early.adopt(&parent, 5);
        assert_eq!(early.vgpu(55), None);
    }

    #[test]
    fn a_second_vgpu_of_the_same_machine_reaches_the_child() {
        let parent = started(&[
            (10, 1, Some(55), Some(100)),
            (30, 2, Some(56), Some(100)),
            (31, 3, Some(56), Some(200)),
        ]);
        let mut child = ProcessMemory::new();
        child.adopt(&parent, 20);
        child.adopt(&parent, 20);
        assert_eq!(child.starts().count(), 2);
        assert_eq!(child.vgpu(55), Some(uuid(1)));
        assert_eq!(child.vgpu(56), Some(uuid(2)));
    }

    #[test]
    fn of_vgpus_started_as_a_child_is_forked_it_takes_over_the_last() {
        let parent = started(&[(20, 1, Some(55), Some(100)), (20, 2, Some(55), Some(100))]);
        let mut child = ProcessMemory::new();
        child.adopt(&parent, 20);
        assert_eq!(child.vgpu(55), Some(uuid(2)));
        assert_eq!(child.starts().count(), 1);
    }

    #[test]
    fn what_a_child_started_itself_is_newer_than_what_it_took_over() {
        let parent = started(&[(10, 1, None, None)]);
        let mut child = started(&[(30, 3, None, None)]);
        child.adopt(&parent, 20);
        assert_eq!(child.vgpu(55), Some(uuid(3)));
    }

    /// Found by fuzzing: what a later start had pushed out was taken over again, and pushed out
    /// another one of the same time.
    #[test]
    fn taking_over_once_more_changes_nothing() {
        let parent = started(&[(10, 1, Some(55), Some(100)), (50, 9, Some(55), Some(100))]);
        let mut child = started(&[
            (10, 1, Some(55), Some(100)),
            (10, 2, Some(55), Some(200)),
            (20, 3, Some(55), None),
            (20, 4, Some(55), None),
            (20, 5, Some(55), None),
            (20, 6, Some(55), None),
            (20, 7, Some(55), None),
            (20, 8, Some(55), None),
        ]);
        child.adopt(&parent, 20);
        let once: Vec<Start> = child.starts().copied().collect();
        assert_eq!(once.last().map(|start| start.uuid), Some(uuid(9)));
        child.adopt(&parent, 20);
        assert!(child.starts().eq(once.iter()));
    }
}
