// SPDX-License-Identifier: GPL-2.0
//! What the daemons are told under load: while the module comes and goes, while they are killed, and
//! when there are very many of them.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{
    rm_control::{TURING, TURING_BOARD, all_told, prepare, same, set_driver},
    rm_slow,
    standin::path,
    steps::{DRIVER, MODULE, attached, soon},
};
use crate::{
    kernel,
    report::{Report, equal},
    rm::{
        answer::Answered,
        expected::Settings,
        run::{self, Calls, Load, OTHER, VGPU_MGR, VGPUD},
    },
    status::Status,
};

/// Loads a stand-in whose answers change by more than one field, and allows a load whatever may be
/// told before, while and after the module is there. Returns what is told without it, and with it to others and to a
/// daemon.
pub fn prepare_load(settings: &Settings) -> Result<(Vec<Answered>, Vec<Answered>, Vec<Answered>)> {
    kernel::load_with(&path("550"), TURING_BOARD)?;
    let raw = run::ask(VGPUD, "550")?;
    kernel::load(MODULE)?;
    soon(attached)?;
    let open = run::ask(OTHER, "550")?;
    kernel::unload(MODULE)?;
    let told = all_told(&open, settings);
    run::allow(VGPU_MGR, &[raw.as_slice(), &open, &told].concat())?;
    run::allow(OTHER, &[raw.as_slice(), &open].concat())?;
    Ok((raw, open, told))
}

pub fn run(report: &mut Report) -> Result<()> {
    prepare(report, "OE")?;
    coming_and_going(report)?;
    killed(report)?;
    asleep(report)?;
    many(report)?;
    too_many(report)?;
    rm_slow::run(report)
}

fn coming_and_going(report: &mut Report) -> Result<()> {
    report.part("coming and going");
    let (raw, ..) = prepare_load(&TURING)?;
    let loads = [(VGPU_MGR, 8), (OTHER, 2)]
        .map(|(name, threads)| (name, Load::start(name, "550", threads, 0)));
    report.check("the module comes and goes 10 times under the calls of 10 threads", || {
        for _ in 0..10 {
            kernel::load(MODULE)?;
            sleep(Duration::from_millis(200));
            soon(|| {
                let status = Status::read()?;
                status.is("/driver/state", "attached")
            })?;
            kernel::unload(MODULE)?;
        }
        Ok(())
    });
    for (name, load) in loads {
        let calls = load?.end()?;
        report.show(&format!("{name}: {} calls", calls.made));
        report.check(&format!("{name}: the load was one"), || enough(&calls));
        report.check(&format!("{name}: each answer is the driver's or all of ours"), || {
            calls.all_allowed()
        });
        report.check(&format!("{name}: every answer that may come did come"), || {
            ensure!(calls.unseen.is_empty(), "not those to {}", calls.unseen);
            Ok(())
        });
    }
    report.check("afterwards all is as before", || same(&run::ask(VGPUD, "550")?, &raw));
    kernel::unload(DRIVER)
}

fn enough(calls: &Calls) -> Result<()> {
    ensure!(calls.made > 1000, "only {} calls were made", calls.made);
    Ok(())
}

fn killed(report: &mut Report) -> Result<()> {
    report.part("killed");
    let (raw, ..) = prepare_load(&TURING)?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    report.check("a daemon is killed 10 times with calls on their way", || {
        for round in 0..10 {
            // Asleep in the driver, and awake anywhere.
            set_driver("sleep_ms", if round % 2 == 0 { 200 } else { 0 })?;
            let mut load = Load::start(VGPU_MGR, "550", 8, 0)?;
            sleep(Duration::from_millis(300));
            ensure!(load.runs()?, "it ended by itself");
            load.kill()?;
        }
        set_driver("sleep_ms", 0)
    });
    report.check("the next daemon is told what it must be", || {
        same(&run::ask(VGPUD, "550")?, &all_told(&run::ask(OTHER, "550")?, &TURING))
    });
    kernel::unload(MODULE)?;
    report.check("afterwards all is as before", || same(&run::ask(VGPUD, "550")?, &raw));
    kernel::unload(DRIVER)
}

/// The module goes while calls of a daemon sleep in the driver.
fn asleep(report: &mut Report) -> Result<()> {
    report.part("asleep");
    prepare_load(&TURING)?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    // How long it takes when nobody is asleep: a kernel that looks at everything takes its time.
    let start = Instant::now();
    kernel::unload(MODULE)?;
    let alone = start.elapsed();
    kernel::load(MODULE)?;
    soon(attached)?;
    set_driver("sleep_ms", (5 * alone).as_millis().max(6000))?;
    let mut load = Load::start(VGPU_MGR, "550", 8, 1)?;
    sleep(Duration::from_millis(1000));
    let start = Instant::now();
    kernel::unload(MODULE)?;
    let took = start.elapsed();
    report.show(&format!("rmmod with 8 calls asleep in the driver: {took:.1?}"));
    report.check("rmmod does not wait for them", || {
        ensure!(load.runs()?, "they were over before it was: {took:?}");
        Ok(())
    });
    let calls = load.end()?;
    report.check("they return, each with the driver's answer", || {
        equal(calls.made, 8)?;
        calls.all_allowed()
    });
    kernel::unload(DRIVER)
}

/// As many daemons as a host may have, all of whose calls sleep in the driver at once.
fn many(report: &mut Report) -> Result<()> {
    const THREADS: usize = 200;
    report.part("many");
    let (.., told) = prepare_load(&TURING)?;
    run::allow(VGPU_MGR, &told)?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    set_driver("sleep_ms", 4000)?;
    let calls = Load::start(VGPU_MGR, "550", THREADS, 1)?.end()?;
    report.check("200 calls at once: each answer is ours", || {
        equal(calls.made, THREADS)?;
        calls.all_allowed()
    });
    report.check("none is lost, by the status", || {
        equal(Status::read()?.missed("nvidia_unlocked_ioctl")?, 0)
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

/// More calls at once than the module has room for. One daemon could not have so many files open.
fn too_many(report: &mut Report) -> Result<()> {
    const DAEMONS: usize = 6;
    const THREADS: usize = 200;
    report.part("too many");
    prepare_load(&TURING)?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    // All of them have to be there before the first one wakes up.
    let start = Instant::now();
    Load::start(VGPU_MGR, "550", THREADS, 1)?.end()?;
    let few = start.elapsed();
    set_driver("sleep_ms", (5 * DAEMONS as u32 * few).as_millis().max(8000))?;
    let daemons: Vec<Load> =
        (0..DAEMONS).map(|_| Load::start(VGPU_MGR, "550", THREADS, 1)).collect::<Result<_>>()?;
    let calls: Vec<Calls> = daemons.into_iter().map(Load::end).collect::<Result<_>>()?;
    report.check("1200 calls at once: each answer is the driver's or all of ours", || {
        equal(calls.iter().map(|calls| calls.made).sum(), DAEMONS * THREADS)?;
        calls.iter().try_for_each(Calls::all_allowed)
    });
    report.check("those that there is no room for are lost, by the status", || {
        let status = Status::read()?;
        let lost = status.number("/answers/lost")?;
        ensure!(lost > 0, "none is said to be");
        equal(status.missed("nvidia_unlocked_ioctl")?, lost)
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}
