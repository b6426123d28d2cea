// SPDX-License-Identifier: GPL-2.0
//! vGPU types and vGPUs under load: while our module, NVIDIA's modules, the board and single types
//! come and go.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    mdev::{
        KIND, OTHER_KIND, VFIO, all_told, equal_types, factory, load_drivers, load_vfio,
        load_with_types, prepare, shown, unload_drivers,
    },
    rm_control::{set_driver, set_module},
    steps::{DRIVER, LOG_PREFIX, MODULE, attached, soon},
};
use crate::{
    expected::OFFERED,
    kernel::{self, Log},
    mdev::{self, Parent, Types},
    report::{Report, equal},
    rm::run,
    status::Status,
    vgpu_load::{Creators, Readers},
};

const BRANCH: &str = "550";
const HIDDEN: &str = "nvidia-47:hidden=1";
/// A vGPU that a thread creates.
const UUID: &str = "00000001-0000-0000-0000-0000000000ee";

pub fn run(report: &mut Report) -> Result<()> {
    let board = prepare(report)?;
    let parent = Parent(&board.address);
    reading(report, &parent)?;
    creating_under_rmmod(report, &parent)?;
    creating_under_parameters(report, &parent)?;
    creating_at_a_limit(report, &parent)?;
    reader_asleep(report, &parent, "")?;
    reader_asleep(report, &parent, HIDDEN)?;
    creator_asleep(report, &parent)?;
    creator_was_first(report, &parent)?;
    coming_and_going(report, &parent)
}

/// How long something is repeated at most until there was enough of it, where the kernel is very slow.
const AT_MOST: Duration = Duration::from_secs(120);
/// Fewer rounds than these are none under load.
const ROUNDS: u32 = 3;

/// Repeats `step` for some seconds, and on until there were rounds, and all else is `enough`; returns how often.
fn repeat(
    seconds: u64,
    enough: impl Fn() -> bool,
    mut step: impl FnMut(u32) -> Result<()>,
) -> Result<u32> {
    let began = Instant::now();
    let mut rounds = 0;
    let is_over = |rounds| {
        let least = Duration::from_secs(seconds);
        began.elapsed() >= if rounds >= ROUNDS && enough() { least } else { AT_MOST }
    };
    while !is_over(rounds) {
        step(rounds).with_context(|| format!("round {rounds}"))?;
        rounds += 1;
    }
    Ok(rounds)
}

fn pause(milliseconds: u64) {
    sleep(Duration::from_millis(milliseconds));
}

/// Overrides of every type, of which nothing is as in another set.
fn overrides(word: &str, displays: u32, frl: u32) -> String {
    let section = |number: u32| {
        format!(
            "nvidia-{number}:card_name='{word} {number}',num_displays={displays},frl_config={frl},\
             max_instances=1"
        )
    };
    let sections: Vec<String> = OFFERED.iter().map(|offered| section(offered.number)).collect();
    sections.join(";")
}

/// What files say with such overrides.
fn overridden(word: &str, displays: u32, frl: u32) -> Types {
    let mut types = factory();
    for offered in &OFFERED {
        let Some(files) = types.get_mut(&format!("nvidia-{}", offered.number)) else { continue };
        files.name = format!("{word} {}", offered.number);
        files.available = "1".to_owned();
        let (_, rest) = offered.description.split_once("framebuffer").unwrap_or_default();
        let (rest, _) = rest.split_once("max_instance=").unwrap_or_default();
        files.description =
            format!("num_heads={displays}, frl_config={frl}, framebuffer{rest}max_instance=1");
    }
    types
}

/// Files are read while the module comes and goes, and while overrides change.
fn reading(report: &mut Report, parent: &Parent) -> Result<()> {
    const SETS: [(&str, u32, u32); 2] = [("First", 2, 30), ("The second one", 3, 45)];
    const THREADS: usize = 4;
    report.part("reading");
    load_with_types(BRANCH)?;
    let mut pictures = vec![parent.types()?];
    report.check("without us, files say what the driver has", || {
        equal_types(&mdev::trimmed(&pictures[0]), &factory())
    });
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    for (word, displays, frl) in SETS {
        set_module("overrides", &overrides(word, displays, frl))?;
        let picture = parent.types()?;
        report.check(&format!("all 25 types are overridden ({word})"), || {
            equal_types(&mdev::trimmed(&picture), &overridden(word, displays, frl))
        });
        pictures.push(picture);
    }
    kernel::unload(MODULE)?;

    let texts = SETS.map(|(word, displays, frl)| overrides(word, displays, frl));
    let readers = Readers::new(&pictures.iter().collect::<Vec<_>>(), false);
    let rounds = thread::scope(|scope| {
        for number in 0..THREADS {
            let readers = &readers;
            scope.spawn(move || readers.read(parent, number));
        }
        let rounds = repeat(
            18,
            || readers.count().0 > 1000,
            |round| {
                let [first, second] = [0, 1].map(|n| &texts[(n + round as usize) % 2]);
                kernel::load_with(MODULE, &format!("overrides=\"{first}\""))?;
                pause(60);
                for text in [second, first, second] {
                    set_module("overrides", text)?;
                    pause(20);
                }
                kernel::unload(MODULE)?;
                pause(20);
                Ok(())
            },
        );
        readers.stop();
        rounds
    });
    let (answers, _) = readers.count();
    report.show(&format!("{THREADS} threads: {answers} answers, {rounds:?} rounds"));
    report.check("the module comes and goes, and overrides change, while files are read", || {
        let rounds = rounds?;
        ensure!(rounds >= ROUNDS && answers > 1000, "{rounds} rounds, {answers} answers");
        Ok(())
    });
    report.check("each answer is the driver's or an overridden one", || readers.all_allowed());
    report.check("every answer that may come did come", || readers.all_seen());
    report.check("afterwards all is as before, byte for byte", || {
        equal_types(&parent.types()?, &pictures[0])
    });
    unload_drivers()
}

/// Fewer vGPUs than these are no load.
const CREATED: usize = 20;

/// Has `threads` threads create and remove vGPUs, with a rest of up to `rest` milliseconds each time,
/// while `step` is repeated until there is `enough`.
fn creating(
    report: &mut Report,
    parent: &Parent,
    (threads, rest, seconds): (u32, u32, u64),
    enough: impl Fn() -> bool,
    step: impl FnMut(u32) -> Result<()>,
) -> (Creators, Result<u32>) {
    let creators = Creators::resting(rest);
    let rounds = thread::scope(|scope| {
        for thread in 0..threads {
            let creators = &creators;
            scope.spawn(move || creators.create(parent, KIND, thread));
        }
        let enough = || creators.count().0 > CREATED && enough();
        let rounds = repeat(seconds, enough, step);
        creators.stop();
        rounds
    });
    let ((created, most), refused) = (creators.count(), creators.refused());
    report.show(&format!(
        "{threads} threads: {created} vGPUs created, {most} at once; refused, by error: \
         {refused:?}; {rounds:?} rounds"
    ));
    report.check("vGPUs are created meanwhile", || {
        ensure!(created > CREATED, "only {created}");
        Ok(())
    });
    report.check("none goes by itself or can't be removed, and errors are those expected", || {
        creators.none_lost()
    });
    (creators, rounds)
}

/// Types are hidden and shown by our coming and going, in each round another one: where there is a
/// vGPU when we go, the type of that round stays hidden until the driver registers its types again.
fn creating_under_rmmod(report: &mut Report, parent: &Parent) -> Result<()> {
    const LEFT: &str = "when the driver registers them again";
    report.part("creating, and our module comes and goes");
    load_with_types(BRANCH)?;
    let before = parent.types()?;
    let others: Vec<&String> = before.keys().filter(|kind| *kind != KIND).collect();
    let mut log = Log::from_now()?;
    let hidden = Cell::new(0);
    let (_, rounds) = creating(
        report,
        parent,
        (2, 150, 15),
        || hidden.get() > 0,
        |round| {
            let kind = others[round as usize % others.len()];
            let plain = round % 4 == 3;
            let parameters =
                if plain { String::new() } else { format!("overrides={kind}:hidden=1") };
            kernel::load_with(MODULE, &parameters)?;
            pause(u64::from(round % 4) * 20);
            hidden.set(hidden.get() + u32::from(!parent.has(kind)));
            kernel::unload(MODULE)?;
            pause(u64::from(round % 3) * 10);
            Ok(())
        },
    );
    let hidden = hidden.get();
    let now = parent.types()?;
    let left = before.len() - now.len();
    report.show(&format!("a type was hidden in {hidden} rounds; {left} were left hidden"));
    report.check("the module comes and goes, and sometimes hides a type", || {
        let rounds = rounds?;
        ensure!(rounds >= ROUNDS && hidden > 0, "{rounds} rounds, {hidden} with a hidden type");
        Ok(())
    });
    report.check("where vGPUs keep it from showing a type again, the log says so", || {
        let lines = log.lines(LOG_PREFIX)?;
        let said = lines.iter().filter(|line| line.contains(LEFT)).count();
        ensure!(left <= said, "{left} are hidden, {said} lines say so: {lines:#?}");
        let present = before.iter().filter(|(kind, _)| now.contains_key(*kind));
        equal_types(&now, &present.map(|(kind, files)| (kind.clone(), files.clone())).collect())
    });
    kernel::unload(VFIO)?;
    load_vfio(BRANCH)?;
    report.check("when the driver registers its types again, all is as before", || {
        equal_types(&parent.types()?, &before)
    });
    unload_drivers()
}

/// Types are hidden and shown by the parameter.
fn creating_under_parameters(report: &mut Report, parent: &Parent) -> Result<()> {
    report.part("creating, and a type comes and goes");
    load_with_types(BRANCH)?;
    let before = parent.types()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    let (changes, mut present) = (Cell::new(0), true);
    let (_, rounds) = creating(
        report,
        parent,
        (2, 40, 10),
        || changes.get() >= 2,
        |round| {
            set_module("overrides", if round % 2 == 0 { HIDDEN } else { "" })?;
            let now = parent.has(OTHER_KIND);
            changes.set(changes.get() + u32::from(now != present));
            present = now;
            pause(u64::from(round % 4) * 10);
            Ok(())
        },
    );
    let changes = changes.get();
    report.show(&format!("a type came or went {changes} times"));
    report.check("a type comes and goes", || {
        let rounds = rounds?;
        ensure!(changes >= 2, "{changes} times in {rounds} rounds");
        Ok(())
    });
    // What could not be done under vGPUs is done now.
    set_module("overrides", HIDDEN)?;
    set_module("overrides", "")?;
    report.check("afterwards all is as before, byte for byte", || {
        soon(|| equal_types(&parent.types()?, &before))
    });
    kernel::unload(MODULE)?;
    unload_drivers()
}

/// Several at once want the last one that the user allows.
fn creating_at_a_limit(report: &mut Report, parent: &Parent) -> Result<()> {
    report.part("creating at a limit");
    load_with_types(BRANCH)?;
    kernel::load_with(MODULE, "overrides=nvidia-46:max_instances=1")?;
    report.check("attached, all hooks placed", || soon(attached));
    // A vGPU is on its way for longer than the others take to ask whether there is room.
    set_vfio("add_sleep_ms", 5)?;
    let (creators, rounds) = creating(
        report,
        parent,
        (4, 40, 5),
        || true,
        |_| {
            pause(50);
            Ok(())
        },
    );
    rounds?;
    report.check("there is never more than one", || equal(creators.count().1, 1));
    kernel::unload(MODULE)?;
    unload_drivers()
}

fn set_vfio(parameter: &str, value: u32) -> Result<()> {
    kernel::write(&format!("/sys/module/{VFIO}/parameters/{parameter}"), &value.to_string())
}

/// How long somebody sleeps in the driver, and how soon after that rmmod has to be over.
const ASLEEP_MS: u64 = 3_000;
const SOON: Duration = Duration::from_secs(3);

/// Loads our module with these overrides; returns how long it takes to unload it when nobody is in its way.
fn load_with_overrides(report: &mut Report, overrides: &str) -> Result<Duration> {
    let load = || {
        kernel::load_with(MODULE, &format!("overrides={overrides}"))?;
        soon(attached)
    };
    load()?;
    let start = Instant::now();
    kernel::unload(MODULE)?;
    let alone = start.elapsed();
    report.check("attached, all hooks placed", load);
    Ok(alone)
}

/// Fails unless what began and ended at these moments waited for who woke up at `woke`, not for long.
fn waited((began, ended): (Instant, Instant), woke: Instant, alone: Duration) -> Result<()> {
    let took = ended - began;
    ensure!(took > Duration::from_millis(ASLEEP_MS / 2), "it did not wait: {took:?}");
    let late = ended.saturating_duration_since(woke);
    ensure!(late < SOON.max(4 * alone), "it ended {late:?} after who was asleep");
    Ok(())
}

/// Unloads our module while `sleeper` is in the driver, and looks after both.
fn rmmod_while<T: Send>(
    report: &mut Report,
    alone: Duration,
    sleeper: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let (result, moments, woke) = thread::scope(|scope| -> Result<_> {
        let sleeper = scope.spawn(|| (sleeper(), Instant::now()));
        pause(700);
        let began = Instant::now();
        let unloaded = kernel::unload(MODULE);
        let ended = Instant::now();
        let (result, woke) = sleeper.join().ok().context("a thread panicked")?;
        unloaded?;
        Ok((result, (began, ended), woke))
    })?;
    let (took, late) = (moments.1 - moments.0, moments.1.saturating_duration_since(woke));
    report.show(&format!("rmmod took {took:.1?}, and ended {late:.1?} after the one asleep"));
    report.check("rmmod waits for who is asleep in the driver, and not for long after", || {
        waited(moments, woke, alone)
    });
    result
}

/// Our module goes while somebody reads how many vGPUs there can be, asleep in the driver.
fn reader_asleep(report: &mut Report, parent: &Parent, also: &str) -> Result<()> {
    let what = if also.is_empty() { "a reader is asleep" } else { "a reader of a hidden board" };
    report.part(&format!("rmmod, and {what} in the driver"));
    load_with_types(BRANCH)?;
    let before = parent.types()?;
    let limit = "nvidia-46:max_instances=3";
    let alone = load_with_overrides(report, &format!("{limit};{also}"))?;
    set_driver("mdev_sleep_ms", ASLEEP_MS)?;
    let result = rmmod_while(report, alone, || parent.file(KIND, "available_instances"));
    set_driver("mdev_sleep_ms", 0)?;
    report.check("who was asleep reads the driver's number or the overridden one", || {
        let text = result?;
        ensure!(["3\n", "24\n"].contains(&text.as_str()), "{text:?}");
        Ok(())
    });
    report.check("afterwards all is as before, byte for byte", || {
        equal_types(&parent.types()?, &before)
    });
    unload_drivers()
}

/// Our module goes while a vGPU is being created.
fn creator_asleep(report: &mut Report, parent: &Parent) -> Result<()> {
    report.part("rmmod, and a vGPU is being created");
    load_with_types(BRANCH)?;
    let before = parent.types()?;
    let alone = load_with_overrides(report, HIDDEN)?;
    set_vfio("add_sleep_ms", ASLEEP_MS as u32)?;
    let result = rmmod_while(report, alone, || parent.create(KIND, UUID));
    set_vfio("add_sleep_ms", 0)?;
    report.check("the vGPU is created, and stays", || {
        result?;
        equal(mdev::exists(UUID), true)?;
        mdev::remove(UUID)
    });
    unload_drivers()?;
    load_with_types(BRANCH)?;
    report.check("afterwards all is as before, byte for byte", || {
        equal_types(&parent.types()?, &before)
    });
    unload_drivers()
}

/// A vGPU was being created before we came, so that call is none that we see; then we hide a type.
fn creator_was_first(report: &mut Report, parent: &Parent) -> Result<()> {
    report.part("we come, and a vGPU is being created");
    load_with_types(BRANCH)?;
    set_vfio("add_sleep_ms", ASLEEP_MS as u32)?;
    let (created, loaded) = thread::scope(|scope| {
        let creator = scope.spawn(|| parent.create(KIND, UUID));
        pause(700);
        let loaded = kernel::load_with(MODULE, &format!("overrides={HIDDEN}"));
        (creator.join(), loaded)
    });
    loaded?;
    let created = created.ok().context("a thread panicked")?;
    set_vfio("add_sleep_ms", 0)?;
    report.check("where it is created it stays, whatever is hidden", || {
        if created.is_ok() {
            equal(mdev::exists(UUID), true)?;
            mdev::remove(UUID)?;
        }
        Ok(())
    });
    kernel::unload(MODULE)?;
    unload_drivers()
}

/// The board, its driver's second module, and a type come and go at once, and files are read.
fn coming_and_going(report: &mut Report, parent: &Parent) -> Result<()> {
    report.part("all come and go");
    load_drivers(BRANCH)?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    equal(run::register(BRANCH)?, all_told())?;
    let before = parent.types()?;
    let mut log = Log::from_now()?;
    // With a vGPU of one type, there is no room for another type.
    let mut with_one = before.clone();
    for (kind, files) in &mut with_one {
        files.available = if kind == KIND { "23\n" } else { "0\n" }.to_owned();
    }
    let readers = Readers::new(&[&before, &with_one], true);
    let (stop, writes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let looks = AtomicUsize::new(0);
    let (rounds, written, looked) = thread::scope(|scope| {
        scope.spawn(|| readers.read(parent, 0));
        // The status looks at types and vGPUs that others take away meanwhile.
        let looker = scope.spawn(|| -> Result<()> {
            while !stop.load(Ordering::Relaxed) {
                Status::read()?;
                looks.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        let writer = scope.spawn(|| -> Result<()> {
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                set_module("overrides", if number % 2 == 0 { HIDDEN } else { "" })?;
                writes.fetch_add(1, Ordering::Relaxed);
                pause(number % 5 * 10);
            }
            Ok(())
        });
        let rounds = repeat(
            16,
            || true,
            |round| {
                let driver = |what: &str| format!("/sys/bus/pci/drivers/{DRIVER}/{what}");
                kernel::write(&driver("unbind"), parent.0)?;
                parent.is_none()?;
                kernel::write(&driver("bind"), parent.0)?;
                equal(run::register(BRANCH)?, all_told())?;
                pause(u64::from(round % 3) * 20);
                if round % 3 == 2 {
                    // One that goes with the module. While types are registered anew, none is created.
                    let _ = parent.create(KIND, UUID);
                }
                kernel::unload(VFIO)?;
                parent.is_none()?;
                load_vfio(BRANCH)?;
                pause(u64::from(round % 4) * 20);
                Ok(())
            },
        );
        readers.stop();
        stop.store(true, Ordering::Relaxed);
        (rounds, writer.join(), looker.join())
    });
    let ((answers, gone), writes) = (readers.count(), writes.load(Ordering::Relaxed));
    let anew =
        log.lines(LOG_PREFIX)?.iter().filter(|line| line.contains("hidden vGPU types: ")).count();
    report.show(&format!(
        "{rounds:?} rounds, {writes} writes, {looks:?} looks at the status, {answers} answers, \
         {gone} times a file was gone, \
         types registered {anew} times with a hidden one"
    ));
    report.check("the board and nvidia-vgpu-vfio come and go under all of that", || {
        let rounds = rounds?;
        ensure!(rounds >= ROUNDS, "{rounds} rounds");
        Ok(())
    });
    report.check("a type comes and goes under all of that", || {
        written.ok().context("a thread panicked")??;
        ensure!(writes >= 5 && anew >= 2, "{writes} writes, {anew} times hidden");
        Ok(())
    });
    report.check("the status can be read under all of that", || {
        looked.ok().context("a thread panicked")??;
        ensure!(looks.load(Ordering::Relaxed) >= 20, "{looks:?} looks");
        Ok(())
    });
    report.check("each answer is the driver's", || readers.all_allowed());
    set_module("overrides", HIDDEN)?;
    set_module("overrides", "")?;
    report.check("afterwards all is as before, byte for byte", || {
        soon(|| equal_types(&parent.types()?, &before))?;
        shown(parent, &factory())
    });
    kernel::unload(MODULE)?;
    unload_drivers()
}
