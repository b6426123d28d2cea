// SPDX-License-Identifier: GPL-2.0
//! What runs the driver's callers gets in the way: processors that go and come, and debuggers.

use std::{
    thread::{self, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    faults::Known,
    steps::{DRIVER, MODULE, attached, soon, unchanged},
};
use crate::{
    hotplug::Hotplug,
    kernel, probe,
    report::{Report, equal},
    rm::{
        run::{self, Load, OTHER, VGPU_MGR, VGPUD},
        traced::Traced,
    },
    status::Status,
};

pub fn run(report: &mut Report) -> Result<()> {
    processors(report)?;
    traced(report)
}

fn processors(report: &mut Report) -> Result<()> {
    const ROUNDS: usize = 6;
    report.part("a processor goes and comes");
    let known = Known::of_loaded()?;
    let before = probe::digests()?;
    let hotplug = Hotplug::default();
    let loads = [(VGPU_MGR, 4), (OTHER, 2)]
        .map(|(name, threads)| (name, Load::start(name, "550", threads, 0)));
    let (result, stayed, plugged) = thread::scope(|scope| {
        let plugging = scope.spawn(|| hotplug.run(60, 60));
        let result = (0..ROUNDS).try_for_each(|_| {
            kernel::load(MODULE)?;
            sleep(Duration::from_millis(150));
            soon(|| Status::read()?.is("/driver/state", "attached"))?;
            kernel::unload(MODULE)
        });
        // And while we stay.
        let stayed = kernel::load(MODULE).and_then(|()| {
            soon(attached)?;
            let until = hotplug.rounds() + 3;
            soon(|| {
                known.unlocked()?;
                ensure!(hotplug.rounds() >= until, "the processor does not move");
                Ok(())
            })
        });
        hotplug.stop();
        (result, stayed, plugging.join())
    });
    report.show(&format!("a processor went and came {} times", hotplug.rounds()));
    report.check("the module comes and goes while a processor goes and comes", || {
        plugged.ok().context("a thread panicked")??;
        result?;
        ensure!(hotplug.rounds() >= ROUNDS, "{} times", hotplug.rounds());
        Ok(())
    });
    report.check("everybody is told what they must be meanwhile", || stayed);
    for (name, load) in loads {
        let calls = load?.end()?;
        report.check(&format!("{name}: each answer is the driver's or all of ours"), || {
            ensure!(calls.made > 500, "only {} calls were made", calls.made);
            calls.all_allowed()
        });
    }
    report.check("none is lost, by the status", || {
        equal(Status::read()?.missed("nvidia_unlocked_ioctl")?, 0)
    });
    kernel::unload(MODULE)?;
    report.check("afterwards all is as before", || {
        unchanged(&before, &probe::digests()?)?;
        known.factory()
    });
    kernel::unload(DRIVER)
}

/// Daemons under a debugger, which stops them at each system call.
fn traced(report: &mut Report) -> Result<()> {
    report.part("a daemon is traced");
    let known = Known::of_loaded()?;
    let questions = run::ask(OTHER, "550")?.len();
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    let mut daemon = Traced::start(VGPUD, "550")?;
    let mut stops = 0;
    while daemon.run_to_next_call()? {
        stops += 1;
    }
    let answers = daemon.answers()?;
    report.check("a daemon that is stopped at each call is told what it must be", || {
        // Once before the driver is asked, once afterwards.
        equal(stops, 2 * questions)?;
        known.is_told(&answers)
    });
    report.check("a daemon is killed by its debugger at each of its stops", || {
        for stop in (1..=12).chain([2 * questions - 1, 2 * questions]) {
            let mut daemon = Traced::start(VGPU_MGR, "550")?;
            for _ in 0..stop {
                ensure!(daemon.run_to_next_call()?, "it ended before stop {stop}");
            }
            daemon.kill()?;
        }
        known.unlocked()
    });
    for (when, stop) in [("before", 7), ("after", 8)] {
        let mut daemon = Traced::start(VGPUD, "550")?;
        for _ in 0..stop {
            daemon.run_to_next_call()?;
        }
        let start = Instant::now();
        kernel::unload(MODULE)?;
        let took = start.elapsed();
        report.show(&format!("rmmod with a daemon stopped {when} a call: {took:.1?}"));
        while daemon.run_to_next_call()? {}
        let answers = daemon.answers()?;
        report.check(
            &format!("rmmod does not wait for a daemon that is stopped {when} a call"),
            || {
                equal(answers.len(), questions)?;
                known.told_at_first(&answers)
            },
        );
        kernel::load(MODULE)?;
        soon(attached)?;
    }
    kernel::unload(MODULE)?;
    report.check("afterwards all is as before", || known.factory());
    kernel::unload(DRIVER)
}
