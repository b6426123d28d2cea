// SPDX-License-Identifier: GPL-2.0
//! What can go wrong around a module that hooks another one, as far as no other scenario brings it about.
//! docs/faults.md has all of it.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    answers::{self, Gate, UNLISTED},
    faults_hooks, faults_tasks,
    rm_control::{TURING, TURING_BOARD, prepare, same},
    rm_load::prepare_load,
    standin::path,
    steps::{DRIVER, LOG_PREFIX, MODULE, attached, says, soon, unchanged},
};
use crate::{
    hooked::{self, Hooked},
    kernel::{self, Log},
    probe,
    report::{Report, equal},
    rm::{
        answer::Answered,
        run::{self, Load, OTHER, VGPU_MGR, VGPUD},
    },
    status::Status,
};

/// Sleeps where others are told that the driver comes or goes.
const DELAY: &str = "vgpu_unlock_delay";
/// Calls the driver from within a kprobe's handler.
const NESTED: &str = "vgpu_unlock_nested";

const OPTIMISATION: &str = "/proc/sys/debug/kprobes-optimization";

/// What the driver answers, and what a daemon is told.
pub struct Known {
    /// Without us.
    raw: Vec<Answered>,
    /// With us, to others.
    open: Vec<Answered>,
    told: Vec<Answered>,
}

impl Known {
    /// Loads the stand-in, of which more than one field is answered otherwise, and asks. A load may get all of
    /// these answers.
    pub fn of_loaded() -> Result<Self> {
        let (raw, open, told) = prepare_load(&TURING)?;
        Ok(Self { raw, open, told })
    }

    /// Fails unless everybody is told what the driver would say without us.
    pub fn are_told_the_drivers(&self) -> Result<()> {
        same(&run::ask(VGPUD, "550")?, &self.raw)?;
        same(&run::ask(OTHER, "550")?, &self.raw)
    }

    /// Fails unless a daemon is told what others are, of a driver that is unlocked.
    pub fn daemon_is_told_as_others(&self) -> Result<()> {
        same(&run::ask(VGPUD, "550")?, &self.open)
    }

    /// Fails unless everybody is told what they must be.
    pub fn are_told_ours(&self) -> Result<()> {
        same(&run::ask(VGPUD, "550")?, &self.told)?;
        same(&run::ask(OTHER, "550")?, &self.open)
    }

    /// Fails unless the driver says and does what it would without us.
    pub fn factory(&self) -> Result<()> {
        self.are_told_the_drivers()?;
        equal(probe::board_check(UNLISTED, 0)?, 0)
    }

    /// Fails unless it is unlocked, and everybody is told so.
    pub fn unlocked(&self) -> Result<()> {
        self.are_told_ours()?;
        equal(probe::board_check(UNLISTED, 0)?, 1)
    }

    /// Fails unless a daemon's answers are these.
    pub fn is_told(&self, answers: &[Answered]) -> Result<()> {
        same(answers, &self.told)
    }

    /// Given what a daemon was told, fails unless that is ours at first; it may have been told the driver's own answers to the last calls.
    pub fn told_at_first(&self, answers: &[Answered]) -> Result<()> {
        let ours = answers.iter().zip(&self.told).take_while(|(answer, told)| answer == told);
        let ours = ours.count();
        ensure!(ours > 0, "not even the first answer is ours");
        let rest = (answers.get(ours..), self.raw.get(ours..));
        let (Some(answers), Some(raw)) = rest else { anyhow::bail!("{ours} answers") };
        same(answers, raw)
    }
}

pub fn run(report: &mut Report) -> Result<()> {
    prepare(report, "OE")?;
    let known = Known::of_loaded()?;
    kernel::unload(DRIVER)?;
    for moment in &MOMENTS {
        rmmod_meanwhile(report, &known, moment)?;
    }
    we_come_meanwhile(report, &known)?;
    storm_of_both(report, &known)?;
    optimisation(report)?;
    nested(report)?;
    faults_hooks::run(report)?;
    faults_tasks::run(report)
}

/// When our module is unloaded in the course of the driver's coming or going.
struct Moment {
    part: &'static str,
    /// What is checked of the log, which has these lines and no other but [`UNBOUND`].
    check: &'static str,
    lines: &'static [&'static str],
    going: bool,
    /// Of the one who sleeps there. Ours are the lowest and the highest there are; who has the same is told after
    /// who was there first.
    priority: i32,
    was_first: bool,
}

const UNLOADED: &str = "unloaded; NVIDIA's driver is as it was";
const ATTACHED: &str = "attached to NVIDIA's driver 550.163.01: 2 checks overridden";
const ANSWERED: &str = "0000:00:01.0 10de:1b06 answered as 10de:1b38 Tesla P40: unlocked";
/// Before it goes, the driver gives its board up, which is said as soon as somebody gets round to it.
const UNBOUND: &str =
    "0000:00:01.0 10de:1b06 answered as 10de:1b38 Tesla P40: no driver is bound to it";
const PUT_BACK: &str = "NVIDIA's driver is going, everything was put back";

const MOMENTS: [Moment; 4] = [
    Moment {
        part: "rmmod while the driver is coming, before we are told",
        check: "a driver that is coming when we go is not attached to",
        lines: &[UNLOADED],
        going: false,
        priority: i32::MIN + 1,
        was_first: true,
    },
    Moment {
        part: "rmmod while the driver is coming, after we were told",
        check: "a driver that is coming, and was attached to, is put back",
        lines: &[ATTACHED, ANSWERED, UNLOADED],
        going: false,
        priority: i32::MIN,
        was_first: false,
    },
    Moment {
        part: "rmmod while the driver is going, before we are told",
        check: "a driver that is going is put back when we go",
        lines: &[UNLOADED],
        going: true,
        priority: i32::MAX,
        was_first: true,
    },
    Moment {
        part: "rmmod while the driver is going, after we were told",
        check: "a driver that is going, and was put back, is left alone when we go",
        lines: &[PUT_BACK, UNLOADED],
        going: true,
        priority: i32::MAX - 1,
        was_first: false,
    },
];

/// Long enough for our module to come or go meanwhile, on a slow kernel, too.
const ASLEEP_MS: u32 = 4000;

/// Has whoever loads or unloads the driver sleep on the way for that long.
fn load_delay(going: bool, priority: i32) -> Result<()> {
    let going = u8::from(going);
    kernel::load_with(DELAY, &format!("going={going} priority={priority} sleep_ms={ASLEEP_MS}"))
}

/// Loads or unloads the driver, and does something else while that sleeps.
fn meanwhile<T>(going: bool, act: impl FnOnce() -> Result<T>) -> Result<T> {
    const ASLEEP: &str = "/sys/module/vgpu_unlock_delay/parameters/asleep";
    thread::scope(|scope| {
        let driver = scope.spawn(|| match going {
            true => kernel::unload(DRIVER),
            false => kernel::load_with(&path("550"), TURING_BOARD),
        });
        let asleep = || equal(fs::read_to_string(ASLEEP)?.trim_end(), "1");
        let result = soon(asleep).and_then(|()| act());
        driver.join().ok().context("a thread panicked")??;
        result
    })
}

fn rmmod_meanwhile(report: &mut Report, known: &Known, moment: &Moment) -> Result<()> {
    report.part(moment.part);
    let found = Hooked::now()?;
    if moment.going {
        kernel::load_with(&path("550"), TURING_BOARD)?;
    }
    if moment.was_first {
        load_delay(moment.going, moment.priority)?;
        kernel::load(MODULE)?;
    } else {
        kernel::load(MODULE)?;
        load_delay(moment.going, moment.priority)?;
    }
    if moment.going {
        soon(attached)?;
    }
    let mut log = Log::from_now()?;
    let result = meanwhile(moment.going, || kernel::unload(MODULE));
    report.check(moment.check, || {
        result?;
        let lines = log.lines(LOG_PREFIX)?;
        let lines = lines.iter().filter_map(|line| line.strip_prefix(LOG_PREFIX));
        let lines: Vec<_> = lines.filter(|line| !moment.going || *line != UNBOUND).collect();
        equal(lines.as_slice(), moment.lines)
    });
    if !moment.going {
        report.check("the driver is its own", || known.factory());
        kernel::unload(DRIVER)?;
    }
    kernel::unload(DELAY)?;
    report.check("the kernel knows the hooks that it knew before", || found.as_found());
    Ok(())
}

/// The other way round: our module is loaded in the course of the driver's coming or going.
fn we_come_meanwhile(report: &mut Report, known: &Known) -> Result<()> {
    report.part("we come while the driver is coming");
    let found = Hooked::now()?;
    load_delay(false, i32::MIN + 1)?;
    meanwhile(false, || kernel::load(MODULE))?;
    report.check("a driver that is coming when we come is attached to", || {
        soon(attached)?;
        known.unlocked()
    });
    kernel::unload(MODULE)?;
    report.check("and is its own when we go", || known.factory());
    kernel::unload(DELAY)?;

    report.part("we come while the driver is going");
    load_delay(true, i32::MAX)?;
    meanwhile(true, || kernel::load(MODULE))?;
    report.check("a driver that is going when we come is not there", || {
        Status::read()?.is("/driver/state", "absent")
    });
    kernel::unload(MODULE)?;
    kernel::unload(DELAY)?;
    report.check("the kernel knows the hooks that it knew before", || found.as_found());
    Ok(())
}

/// Both modules come and go, each by itself.
fn storm_of_both(report: &mut Report, known: &Known) -> Result<()> {
    const SECONDS: u64 = 15;
    /// Where the kernel is so slow that this would not be enough.
    const AT_MOST: u64 = 180;
    const ROUNDS: usize = 5;
    report.part("both come and go");
    let found = Hooked::now()?;
    let (mut log, mut lines) = (Log::from_now()?, vec![]);
    let (stop, drivers) = (AtomicBool::new(false), AtomicUsize::new(0));
    let count = |lines: &[String], words| lines.iter().filter(|line| line.contains(words)).count();
    // Not each time that we attached to the driver it went first, but sometimes.
    let in_every_order = |lines: &[String]| {
        let (attached_to, put_back) = (count(lines, ATTACHED), count(lines, PUT_BACK));
        ensure!(attached_to > put_back && put_back > 0, "attached {attached_to}, {put_back}");
        Ok(())
    };
    let (ours, theirs) = thread::scope(|scope| {
        let driver = scope.spawn(|| -> Result<()> {
            while !stop.load(Ordering::Relaxed) {
                let round = drivers.fetch_add(1, Ordering::Relaxed) as u64;
                kernel::load_with(&path("550"), TURING_BOARD)?;
                sleep(Duration::from_millis(round * 7 % 45));
                kernel::unload(DRIVER)?;
            }
            Ok(())
        });
        let began = Instant::now();
        let is_over = |rounds: u64, lines: &[String]| {
            let often = rounds as usize > ROUNDS && drivers.load(Ordering::Relaxed) > ROUNDS;
            let enough = often && in_every_order(lines).is_ok();
            began.elapsed().as_secs() >= if enough { SECONDS } else { AT_MOST }
        };
        let mut rounds = 0;
        let result = (|| {
            while !is_over(rounds, &lines) {
                lines.extend(log.lines(LOG_PREFIX)?);
                kernel::load(MODULE)?;
                // Sometimes for long enough for the driver to go first, however long it takes to come.
                sleep(Duration::from_millis(rounds * 13 % 60 + rounds % 4 * 300));
                kernel::unload(MODULE)?;
                rounds += 1;
            }
            anyhow::Ok(rounds)
        })();
        stop.store(true, Ordering::Relaxed);
        (result, driver.join())
    });
    lines.extend(log.lines(LOG_PREFIX)?);
    let (attached_to, put_back) = (count(&lines, ATTACHED), count(&lines, PUT_BACK));
    let drivers = drivers.load(Ordering::Relaxed);
    report.show(&format!(
        "we came {ours:?} times, the driver {drivers} times; attached {attached_to} times, {put_back} times the \
         driver went first"
    ));
    report.check("the driver and the module come and go, in every order", || {
        theirs.ok().context("a thread panicked")??;
        let ours = ours? as usize;
        ensure!(ours >= ROUNDS && drivers >= ROUNDS, "{ours} and {drivers} times");
        in_every_order(&lines)
    });
    report.check("the kernel knows the hooks that it knew before", || found.as_found());
    kernel::load_with(&path("550"), TURING_BOARD)?;
    kernel::load(MODULE)?;
    report.check("then it is unlocked as ever", || {
        soon(attached)?;
        known.unlocked()
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

/// A probe that the kernel replaces by a jump would lose what it changes.
fn optimisation(report: &mut Report) -> Result<()> {
    report.part("kprobes' optimisation");
    let known = Known::of_loaded()?;
    let before = probe::digests()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    // At a place where nobody else has one.
    faults_hooks::load_foreign("nvidia:blob_second_gate", false)?;
    let optimised = |place: &str| -> Result<bool> {
        let probes = hooked::probes()?;
        let probe = probes.iter().find(|probe| probe.contains(place));
        let probe = probe.with_context(|| format!("no probe on {place}: {probes:#?}"))?;
        Ok(probe.contains("[OPTIMIZED]"))
    };
    let load = Load::start(VGPU_MGR, "550", 2, 0)?;
    let (mut came, mut went) = (0, 0);
    let result = (0..20).try_for_each(|round| {
        let on = round % 2 == 1;
        kernel::write(OPTIMISATION, if on { "1" } else { "0" })?;
        // The kernel takes its time.
        let seen = soon(|| equal(optimised("blob_second_gate+")?, on));
        came += u32::from(on && seen.is_ok());
        went += u32::from(!on && seen.is_ok());
        equal(probe::board_check(UNLISTED, 0)?, 1).with_context(|| format!("round {round}"))
    });
    let calls = load.end()?;
    report.show(&format!("another probe was made a jump {came} times, and none {went} times"));
    report
        .check("another probe is made a jump and none in turns", || equal((came, went), (10, 10)));
    report.check("the override stays when kprobes' optimisation is switched", || {
        result?;
        equal(optimised("blob_board_check")?, false)
    });
    report.check("each answer meanwhile is ours", || calls.all_allowed());
    faults_hooks::unload_foreign()?;
    answers::unlocked(report, Gate::Store, "afterwards");
    report.check("each daemon is told what it must be afterwards", || known.unlocked());
    kernel::unload(MODULE)?;
    report.check("constants and code are byte-identical after rmmod", || {
        unchanged(&before, &probe::digests()?)
    });
    kernel::unload(DRIVER)
}

/// The driver is asked from within a kprobe's handler, as by an interrupt that comes there. The kernel runs no
/// second handler then.
fn nested(report: &mut Report) -> Result<()> {
    const SITE: &str = "board check";
    const ANSWER: &str = "/sys/module/vgpu_unlock_nested/parameters/answer";
    report.part("within another handler");
    kernel::load(&path("550"))?;
    kernel::load(NESTED)?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    let counts = || {
        let status = Status::read()?;
        anyhow::Ok((status.hits(SITE)?, status.missed(SITE)?))
    };
    let (hits, missed) = counts()?;
    report.check("the driver decides for itself there", || {
        (0..3).try_for_each(|_| equal(fs::read_to_string(ANSWER)?.trim_end(), "0"))
    });
    report.check("each such call is counted as missed, and shown", || {
        equal(counts()?, (hits, missed + 3))?;
        let text = crate::status::text()?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        says(&lines, &format!("hook {SITE} (kprobe): placed, {hits} hits, {} misses", missed + 3))
    });
    report.check("elsewhere it is overridden as ever", || {
        equal(probe::board_check(UNLISTED, 0)?, 1)?;
        equal(counts()?, (hits + 1, missed + 3))
    });
    kernel::unload(MODULE)?;
    kernel::unload(NESTED)?;
    kernel::unload(DRIVER)
}
