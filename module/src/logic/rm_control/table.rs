// SPDX-License-Identifier: GPL-2.0
//! The processes that are remembered.

use super::ProcessMemory;

/// A process. Numbers are used again, so it is known by its time of birth, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub number: i32,
    /// When it was made, on the clock of [`ProcessTable::recall`].
    pub born: u64,
}

/// Processes that are remembered: a daemon, and one for each virtual machine that is starting.
const PROCESSES: usize = 32;

#[derive(Clone, Copy)]
struct Remembered {
    process: Process,
    memory: ProcessMemory,
    /// When it or a child of it asked last.
    used: u64,
}

/// What is remembered of the processes that asked last.
///
/// Who asked longest ago is forgotten first, and a child's question counts for its parent: the daemon
/// that starts all virtual machines is not to go before the children that take over from it.
pub struct ProcessTable([Remembered; PROCESSES]);

impl ProcessTable {
    /// Nobody is remembered.
    pub const EMPTY: Self = Self(
        [Remembered {
            process: Process { number: 0, born: 0 },
            memory: ProcessMemory::new(),
            used: 0,
        }; PROCESSES],
    );

    /// The memory of the process `own`, which asks at `now`, forked by `parent`. It has taken over
    /// what it inherits. `None` never happens.
    pub fn recall(
        &mut self,
        own: Process,
        parent: Process,
        now: u64,
    ) -> Option<&mut ProcessMemory> {
        let inherited = self.of(parent).map(|parent| {
            parent.used = now;
            parent.memory
        });
        if self.of(own).is_none() {
            let oldest = self.0.iter_mut().min_by_key(|remembered| remembered.used)?;
            *oldest = Remembered { process: own, memory: ProcessMemory::new(), used: now };
        }
        let remembered = self.of(own)?;
        remembered.used = now;
        if let Some(inherited) = inherited {
            remembered.memory.adopt(&inherited, own.born);
        }
        remembered.memory.set_time(now);
        Some(&mut remembered.memory)
    }

    fn of(&mut self, process: Process) -> Option<&mut Remembered> {
        self.0.iter_mut().find(|remembered| remembered.process == process)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::profile::Uuid;

    const SHELL: Process = Process { number: 1, born: 1 };
    const MANAGER: Process = Process { number: 100, born: 10 };

    fn uuid(n: u8) -> Uuid {
        Uuid::from_bytes([n; 16])
    }

    #[test]
    fn the_manager_outlives_any_number_of_children() {
        let mut table = ProcessTable::EMPTY;
        for n in 0..100u8 {
            let now = 1000 + u64::from(n) * 10;
            let manager = table.recall(MANAGER, SHELL, now).unwrap();
            manager.remember(uuid(n), Some(55), Some(n.into()));
            let child = Process { number: 1000 + i32::from(n), born: now + 1 };
            let memory = table.recall(child, MANAGER, now + 2).unwrap();
            assert_eq!(memory.vgpu(55), Some(uuid(n)), "virtual machine {n}");
        }
    }

    #[test]
    fn a_second_vgpu_reaches_a_child_that_asks_for_it_late() {
        let mut table = ProcessTable::EMPTY;
        let manager = table.recall(MANAGER, SHELL, 100).unwrap();
        manager.remember(uuid(1), Some(55), Some(7));
        let child = Process { number: 200, born: 101 };
        table.recall(child, MANAGER, 102).unwrap();
        let manager = table.recall(MANAGER, SHELL, 103).unwrap();
        manager.remember(uuid(2), Some(56), Some(7));
        let memory = table.recall(child, MANAGER, 104).unwrap();
        assert_eq!((memory.vgpu(55), memory.vgpu(56)), (Some(uuid(1)), Some(uuid(2))));
    }

    #[test]
    fn a_number_that_is_used_again_is_another_process() {
        let mut table = ProcessTable::EMPTY;
        table.recall(MANAGER, SHELL, 100).unwrap().remember(uuid(1), Some(55), None);
        let later = Process { born: 500, ..MANAGER };
        assert_eq!(table.recall(later, SHELL, 501).unwrap().vgpu(55), None);
    }
}
