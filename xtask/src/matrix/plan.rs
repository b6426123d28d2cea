// SPDX-License-Identifier: GPL-2.0
//! What there is to run.

use crate::{
    kernel::{TARGETS, Target},
    vm::{self, Scenario},
};

/// One scenario on one kernel.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The kernel.
    pub target: &'static Target,
    /// The scenario.
    pub scenario: &'static Scenario,
}

impl Run {
    /// How many seconds it may well take, where nobody has run it yet.
    pub fn usual_seconds(&self) -> u64 {
        60 * u64::from(self.target.patience)
    }
}

/// The whole matrix, kernel by kernel, the oldest first.
pub fn runs() -> Vec<Run> {
    let of = |target: &'static Target| {
        vm::all()
            .filter(|scenario| scenario.targets.contains(&target.name))
            .map(move |scenario| Run { target, scenario })
    };
    TARGETS.iter().flat_map(of).collect()
}

/// Whether continuous integration takes it every time: all that is on the kernel on which everything is.
pub fn always(run: &Run) -> bool {
    vm::STABLE.contains(&run.target.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_run_every_time_on_one_kernel() {
        let names: Vec<_> = runs().iter().filter(|r| always(r)).map(|r| r.scenario.name).collect();
        assert_eq!(names, vm::all().map(|scenario| scenario.name).collect::<Vec<_>>());
    }
}
