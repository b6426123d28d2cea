// SPDX-License-Identifier: GPL-2.0
//! Everything comes and goes at once, very often, and nothing is left of it.
//!
//! How many rounds there are, the kernel's command line says: `vgpu_unlock.rounds`. Of these our module takes all,
//! NVIDIA's driver three in ten, the board one in ten.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    mdev::{VFIO, load_drivers, load_vfio, load_with_types, prepare, unload_drivers},
    rm_control::set_module,
    standin::{TABLES, path},
    steps::{DRIVER, MODULE, attached, soon, unchanged},
};
use crate::{
    argument,
    board::Board,
    hooked::Hooked,
    hotplug::Hotplug,
    kernel,
    mdev::{Parent, Types},
    memory::Memory,
    probe,
    report::{Report, equal},
    rm::run::{self, Load, OTHER, VGPU_MGR},
    status::Status,
    vgpu_load::Readers,
};

const BRANCH: &str = "550";
/// Asked by loads: whatever is asked before it, the answer is the same.
const QUESTIONS: &str = "cost";
/// Overrides of a type, which change its files and what daemons are told of it.
const OVERRIDES: &str = "nvidia-46:card_name=Mine,num_displays=1,max_instances=3;\
                         nvidia-47:frl_config=30";

/// What one round leaves behind shows as one object a round. Less than half of that is noise; with few rounds, what
/// the kernel keeps of things that have nothing to do with us is more than that: a processor that goes and comes a
/// hundred times leaves some eighty of ACPI's names.
fn tolerated(rounds: u32) -> i64 {
    i64::from(rounds) / 2 + 100
}

/// Memory of each processor's own comes in chunks, so this can't be told exactly: hooks count in 8 bytes each, and
/// a round has ten of them.
const PERCPU_KB: i64 = 64;

pub fn run(report: &mut Report) -> Result<()> {
    let rounds: u32 = argument("vgpu_unlock.rounds")?.parse().context("how many rounds")?;
    let board = prepare(report)?;
    warm_up(&board)?;
    let (found, memory) = (Hooked::now()?, Memory::settled()?);
    modules(report, &board, rounds)?;
    drivers(report, &board, rounds * 3 / 10)?;
    boards(report, &board, rounds / 10)?;

    report.part("afterwards");
    report.check("the kernel knows the hooks that it knew before", || found.as_found());
    let (Some(memory), Some(now)) = (memory, Memory::settled()?) else {
        report.skip("what is left of it", "this kernel has no /proc/slabinfo");
        return Ok(());
    };
    report.show(&format!("more than before the storm: {}", now.more_than(&memory)));
    report.check("of nothing there is one more for each second round", || {
        now.fewer_more_than(&memory, tolerated(rounds))
    });
    report.check("what each processor has of its own has not grown", || {
        now.percpu_stays(&memory, PERCPU_KB)
    });
    report.check("each module has as many references as before", || now.same_references(&memory));
    Ok(())
}

/// What the kernel sets up once, when something is done for the first time, is none of the storm's.
fn warm_up(board: &Board) -> Result<()> {
    for branch in [BRANCH, TABLES, BRANCH, TABLES] {
        kernel::load(MODULE)?;
        load_drivers_of(branch)?;
        soon(attached)?;
        if branch == TABLES {
            probe::play(board.bar3()?)?;
        } else {
            run::register(BRANCH)?;
        }
        rebind(board)?;
        unload_drivers_of(branch)?;
        kernel::unload(MODULE)?;
    }
    let hotplug = Hotplug::default();
    thread::scope(|scope| {
        let plugging = scope.spawn(|| hotplug.run(20, 20));
        sleep(Duration::from_secs(1));
        hotplug.stop();
        plugging.join().ok().context("a thread panicked")?
    })
}

/// The tables' stand-in is loaded alone.
fn load_drivers_of(branch: &str) -> Result<()> {
    if branch == TABLES { kernel::load(&path(branch)) } else { load_drivers(branch) }
}

fn unload_drivers_of(branch: &str) -> Result<()> {
    if branch == TABLES { kernel::unload(DRIVER) } else { unload_drivers() }
}

fn rebind(board: &Board) -> Result<()> {
    for what in ["unbind", "bind"] {
        let path = format!("/sys/bus/pci/drivers/{DRIVER}/{what}");
        // The kernel holds its lock while it is looked at.
        kernel::write(&path, &board.address)?;
    }
    Ok(())
}

/// What goes on while something else is done.
#[derive(Default)]
struct Weather {
    stop: AtomicBool,
    hotplug: Hotplug,
    /// Writes that were taken, and that were not because our module was not there.
    written: AtomicUsize,
    refused: AtomicUsize,
    looks: AtomicUsize,
}

impl Weather {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Writes parameters over and over.
    fn write(&self) -> Result<()> {
        const WRITES: [(&str, &str); 8] = [
            ("overrides", OVERRIDES),
            ("migration", "1"),
            ("gpus", "any=auto"),
            ("overrides_part", "nvidia-46:num_displays=1"),
            ("verbosity", "0"),
            ("overrides", ""),
            ("migration", "0"),
            ("gpus", ""),
        ];
        for (parameter, value) in WRITES.iter().cycle() {
            if self.is_over() {
                return Ok(());
            }
            match set_module(parameter, value) {
                Ok(()) => self.written.fetch_add(1, Ordering::Relaxed),
                Err(_) => self.refused.fetch_add(1, Ordering::Relaxed),
            };
            sleep(Duration::from_millis(15));
        }
        Ok(())
    }

    /// Reads the status, where there is one.
    fn look(&self) {
        while !self.is_over() {
            if Status::read().is_ok() {
                self.looks.fetch_add(1, Ordering::Relaxed);
            }
            sleep(Duration::from_millis(30));
        }
    }

    fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.hotplug.stop();
    }

    fn show(&self, report: &mut Report) {
        let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        report.show(&format!(
            "meanwhile: a processor went and came {} times, {} parameters written, {} refused, {} looks at the status",
            self.hotplug.rounds(),
            count(&self.written),
            count(&self.refused),
            count(&self.looks)
        ));
    }

    fn was_one(&self, rounds: u32) -> Result<()> {
        let (rounds, written) = (rounds as usize, self.written.load(Ordering::Relaxed));
        let (plugged, looks) = (self.hotplug.rounds(), self.looks.load(Ordering::Relaxed));
        let enough = written > rounds && plugged > rounds / 4 && looks > rounds / 4;
        ensure!(enough, "{written} writes, {plugged} times a processor, {looks} looks");
        Ok(())
    }
}

/// Repeats `step`, and says how far it is.
fn repeat(report: &mut Report, rounds: u32, mut step: impl FnMut(u32) -> Result<()>) -> Result<()> {
    let began = Instant::now();
    for round in 0..rounds {
        step(round).with_context(|| format!("round {round}"))?;
        if (round + 1) % (rounds / 10).max(1) == 0 {
            report.show(&format!("{} of {rounds} rounds in {:.0?}", round + 1, began.elapsed()));
        }
    }
    Ok(())
}

/// What a thread does until the weather is over.
type Work<'a> = &'a (dyn Fn(&Weather) -> Result<()> + Sync);

/// Has `step` repeated in such weather, and `also` done by threads until that is over.
fn storm(
    report: &mut Report,
    rounds: u32,
    also: &[Work<'_>],
    step: impl FnMut(u32) -> Result<()>,
) -> (Weather, Result<()>) {
    let weather = Weather::default();
    let result = thread::scope(|scope| {
        let mut threads = vec![
            scope.spawn(|| weather.hotplug.run(30, 500)),
            scope.spawn(|| weather.write()),
            scope.spawn(|| {
                weather.look();
                Ok(())
            }),
        ];
        for work in also {
            threads.push(scope.spawn(|| work(&weather)));
        }
        let result = repeat(report, rounds, step);
        weather.end();
        let joined = threads
            .into_iter()
            .try_for_each(|thread| thread.join().ok().context("a thread panicked")?);
        result.and(joined)
    });
    weather.show(report);
    (weather, result)
}

/// What files say and daemons are told, whatever the parameters are; asked in peace.
fn learn(parent: &Parent) -> Result<Vec<Types>> {
    let mut types = vec![parent.types()?];
    let raw = run::ask(OTHER, QUESTIONS)?;
    kernel::load(MODULE)?;
    soon(attached)?;
    let open = run::ask(OTHER, QUESTIONS)?;
    let mut told = [raw.clone(), open.clone()].concat();
    for overrides in ["", OVERRIDES, "nvidia-46:num_displays=1"] {
        for migration in ["0", "1"] {
            set_module("overrides", overrides)?;
            set_module("migration", migration)?;
            told.extend(run::ask(VGPU_MGR, QUESTIONS)?);
        }
        types.push(parent.types()?);
    }
    // A part is put to what is there.
    set_module("overrides", OVERRIDES)?;
    set_module("overrides_part", "nvidia-46:num_displays=1")?;
    told.extend(run::ask(VGPU_MGR, QUESTIONS)?);
    types.push(parent.types()?);
    kernel::unload(MODULE)?;
    run::allow(VGPU_MGR, &told)?;
    run::allow(OTHER, &[raw, open].concat())?;
    Ok(types)
}

/// Our module comes and goes under eight threads that call the driver and read types' files and the tables.
fn modules(report: &mut Report, board: &Board, rounds: u32) -> Result<()> {
    report.part("our module");
    let parent = Parent(&board.address);
    load_with_types(BRANCH)?;
    let types = learn(&parent)?;
    let (before, tables) = (probe::digests()?, probe::rodata()?.bytes);
    let readers = Readers::new(&types.iter().collect::<Vec<_>>(), false);
    let loads = [(VGPU_MGR, 3), (OTHER, 2)]
        .map(|(name, threads)| (name, Load::resting(name, QUESTIONS, (threads, 0), 2)));
    let reads = AtomicUsize::new(0);
    let [first, second] = [0, 1].map(|number| {
        let (readers, parent) = (&readers, &parent);
        move |_: &Weather| -> Result<()> {
            readers.read(parent, number);
            Ok(())
        }
    });
    let stop = |weather: &Weather| -> Result<()> {
        while !weather.is_over() {
            sleep(Duration::from_millis(50));
        }
        readers.stop();
        Ok(())
    };
    let read_tables = |weather: &Weather| -> Result<()> {
        while !weather.is_over() {
            ensure!(probe::rodata()?.bytes == tables, "the driver's constants differ");
            reads.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(30));
        }
        Ok(())
    };
    let (weather, result) =
        storm(report, rounds, &[&first, &second, &read_tables, &stop], |round| {
            kernel::load(MODULE)?;
            sleep(Duration::from_millis(u64::from(round) * 7 % 40));
            kernel::unload(MODULE)
        });
    let (answers, reads) = (readers.count().0, reads.load(Ordering::Relaxed));
    report.show(&format!("{answers} answers of files, {reads} times all constants"));
    report.check("our module comes and goes under eight threads", || {
        result?;
        weather.was_one(rounds)?;
        let enough = answers > rounds as usize && reads > rounds as usize / 2;
        ensure!(enough, "{answers} answers of files, {reads} times all constants");
        Ok(())
    });
    report.check("each answer of a file is the driver's or an overridden one", || {
        readers.all_allowed()
    });
    for (name, load) in loads {
        let calls = load?.end()?;
        report.show(&format!("{name}: {} calls", calls.made));
        report.check(&format!("{name}: each answer is the driver's or all of ours"), || {
            ensure!(calls.made > 10 * rounds as usize, "only {} calls", calls.made);
            calls.all_allowed()
        });
    }
    report.check("constants and code are byte-identical afterwards", || {
        unchanged(&before, &probe::digests()?)
    });
    unload_drivers()
}

/// NVIDIA's driver comes and goes, and we stay: by turns one whose checks decide, with its second module, and one
/// that goes by its tables.
fn drivers(report: &mut Report, board: &Board, rounds: u32) -> Result<()> {
    report.part("the driver");
    kernel::load(MODULE)?;
    let bar3 = board.bar3()?;
    let (weather, result) = storm(report, rounds, &[], |round| {
        let branch = if round % 2 == 0 { BRANCH } else { TABLES };
        load_drivers_of(branch)?;
        if branch == TABLES {
            probe::play(bar3)?;
        } else if round % 10 == 0 {
            soon(attached)?;
            run::register(BRANCH)?;
        }
        unload_drivers_of(branch)
    });
    report.check("the driver comes and goes, and we stay", || {
        result?;
        weather.was_one(rounds)
    });
    kernel::load(&path(BRANCH))?;
    report.check("then it is unlocked as ever", || {
        soon(attached)?;
        equal(probe::board_check(super::answers::UNLISTED, 0)?, 1)
    });
    kernel::unload(MODULE)?;
    report.check("and is its own when we go", || {
        equal(probe::board_check(super::answers::UNLISTED, 0)?, 0)
    });
    kernel::unload(DRIVER)
}

/// The board goes and comes, and so does the driver's second module.
fn boards(report: &mut Report, board: &Board, rounds: u32) -> Result<()> {
    report.part("the board");
    load_drivers(BRANCH)?;
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    soon(attached)?;
    let (weather, result) = storm(report, rounds, &[], |round| {
        rebind(board)?;
        if round % 3 == 0 {
            kernel::unload(VFIO)?;
            load_vfio(BRANCH)?;
        }
        Ok(())
    });
    report.check("the board goes and comes", || {
        result?;
        weather.was_one(rounds)?;
        soon(|| Status::read()?.is("/gpus/0/state", "unlocked"))
    });
    kernel::unload(MODULE)?;
    report.check("constants and code are byte-identical afterwards", || {
        unchanged(&before, &probe::digests()?)
    });
    unload_drivers()
}
