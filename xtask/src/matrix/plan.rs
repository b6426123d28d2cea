// SPDX-License-Identifier: GPL-2.0
//! What there is to run.

use crate::{
    kernel::{self, Target},
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

/// The whole matrix, kernel by kernel, the oldest first; kernels that we build ourselves come last.
pub fn runs() -> Vec<Run> {
    let of = |target: &'static Target| {
        vm::all()
            .filter(|scenario| scenario.is_for(target))
            .map(move |scenario| Run { target, scenario })
    };
    kernel::targets().flat_map(of).collect()
}

/// What is run regularly: a kernel of our own takes longer to build than all of it to run, and is run when somebody
/// asks for it; so are scenarios that say so.
pub fn regular() -> Vec<Run> {
    runs().into_iter().filter(|run| run.target.own.is_none() && !run.scenario.by_command).collect()
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
        let names: Vec<_> =
            regular().iter().filter(|r| always(r)).map(|r| r.scenario.name).collect();
        // NVIDIA's older drivers do not compile for it.
        let older = |name: &str| ["real-525", "real-listed"].contains(&name);
        let all = vm::all().filter(|scenario| !scenario.by_command).map(|scenario| scenario.name);
        assert_eq!(names, all.filter(|name| !older(name)).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_run_by_command_is_none_of_it() {
        assert!(runs().iter().any(|run| run.scenario.name == "storm"));
        assert!(!regular().iter().any(|run| run.scenario.by_command));
        let long: Vec<_> = vm::all().filter(|s| s.by_command).map(|s| s.name).collect();
        assert_eq!(long, ["no-memory", "rm-cost-rs", "storm"]);
    }
}
