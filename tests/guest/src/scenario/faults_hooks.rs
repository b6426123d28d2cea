// SPDX-License-Identifier: GPL-2.0
//! Somebody else hooks what we hook: a kprobe at the same address, and tracers on the driver's ioctl.

use std::{
    cell::RefCell,
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{
    answers::UNLISTED,
    faults::Known,
    rm_control::set_module,
    standin::leaves_alone_and,
    steps::{DRIVER, MODULE, attached, hears_times, rested, soon, unchanged, woken_again},
};
use crate::{
    bpf::{On, Program},
    hooked::{self, Hooked},
    kernel::{self, Log},
    probe,
    report::{Report, equal},
    rm::run::{Load, VGPU_MGR},
    status::Status,
};

const FOREIGN: &str = "vgpu_unlock_foreign";
/// A site of the driver's, as the stand-in calls it, and its ioctl.
const SITE: &str = "nvidia:blob_board_check";
const IOCTL: &str = "nvidia:nvidia_unlocked_ioctl";
const IOCTLS_NAME: &str = "nvidia_unlocked_ioctl";

pub fn run(report: &mut Report) -> Result<()> {
    foreign_after_us(report)?;
    foreign_before_us_on_a_site(report)?;
    foreign_before_us_on_the_ioctl(report)?;
    claimed_ioctl(report)?;
    claimed_while_it_rests(report)?;
    function_graph(report)?;
    events(report, &KPROBE_EVENTS)?;
    events(report, &FPROBE_EVENTS)?;
    programs(report, "BPF programs on the ioctl", &[On::Entry, On::Return])?;
    programs(report, "a BPF program on the ioctl by an fprobe", &[On::Multi])
}

/// Places somebody else's kprobe on `module:symbol`.
pub fn load_foreign(symbol: &str, post: bool) -> Result<()> {
    kernel::load_with(FOREIGN, &format!("symbol={symbol} post={}", u8::from(post)))
}

/// Takes it away. Of a probe that was alone, and so a jump, the kernel puts the bytes back a moment later.
pub fn unload_foreign() -> Result<()> {
    kernel::unload(FOREIGN)
}

/// How often it was hit.
fn hits() -> Result<u64> {
    let path = format!("/sys/module/{FOREIGN}/parameters/hits");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    text.trim_end().parse().with_context(|| format!("{path} says {text:?}"))
}

/// Fails unless the other one is hit meanwhile.
fn seen_by_foreign(act: impl FnOnce() -> Result<()>) -> Result<()> {
    let before = hits()?;
    act()?;
    ensure!(hits()? > before, "the other probe was not hit");
    Ok(())
}

/// Fails unless `count` probes sit at the address of the first one that is on `symbol`.
fn share_an_address(symbol: &str, count: usize) -> Result<()> {
    let probes = hooked::probes()?;
    let of = |probe: &String| probe.split_whitespace().next().map(str::to_owned);
    let named = symbol.split_once(':').map_or(symbol, |(_, name)| name);
    let first = probes.iter().find(|probe| probe.contains(named));
    let address = first.and_then(of).with_context(|| format!("none on {symbol}: {probes:#?}"))?;
    let same = probes.iter().filter(|probe| of(probe).as_ref() == Some(&address)).count();
    ensure!(same == count, "{same} probes at {address}: {probes:#?}");
    Ok(())
}

fn foreign_after_us(report: &mut Report) -> Result<()> {
    for (what, symbol, at_once) in [("a site", SITE, 2), ("the ioctl", IOCTL, 1)] {
        report.part(&format!("a kprobe on {what} after us"));
        let known = Known::of_loaded()?;
        let before = probe::digests()?;
        kernel::load(MODULE)?;
        report.check("attached, all hooks placed", || soon(attached));
        load_foreign(symbol, false)?;
        report.check("a kprobe that comes to where we are sees the calls, and ours stay", || {
            share_an_address(symbol, at_once)?;
            seen_by_foreign(|| known.unlocked())
        });
        unload_foreign()?;
        report.check("ours stay when it goes", || known.unlocked());
        load_foreign(symbol, false)?;
        kernel::unload(MODULE)?;
        report.check("it stays when we go, and the driver is its own", || {
            share_an_address(symbol, 1)?;
            seen_by_foreign(|| known.factory())
        });
        unload_foreign()?;
        report.check("constants and code are byte-identical afterwards", || {
            soon(|| unchanged(&before, &probe::digests()?))
        });
        kernel::unload(DRIVER)?;
    }
    Ok(())
}

/// By its bytes the site can't be found then.
fn foreign_before_us_on_a_site(report: &mut Report) -> Result<()> {
    const WORDS: &str = "the signature of the board check is not found";
    report.part("a kprobe on a site before us");
    let known = Known::of_loaded()?;
    let before = probe::digests()?;
    load_foreign(SITE, false)?;
    kernel::load(MODULE)?;
    report.check("a site that somebody else has a kprobe on is left alone, and said", || {
        let status = Status::read()?;
        status.is("/driver/state", "answers only")?;
        status.mentions("/driver/reason", WORDS)?;
        share_an_address(SITE, 1)?;
        seen_by_foreign(|| equal(probe::board_check(UNLISTED, 0)?, 0))
    });
    unload_foreign()?;
    set_module("enabled", "0")?;
    set_module("enabled", "1")?;
    report.check("once it is gone, the driver is attached to when a parameter is set", || {
        soon(attached)?;
        known.unlocked()
    });
    set_module("enabled", "0")?;
    load_foreign(SITE, false)?;
    kernel::unload(MODULE)?;
    report.check("it stays when we go, and the driver is its own", || {
        share_an_address(SITE, 1)?;
        seen_by_foreign(|| known.factory())
    });
    unload_foreign()?;
    report.check("constants and code are byte-identical afterwards", || {
        soon(|| unchanged(&before, &probe::digests()?))
    });
    kernel::unload(DRIVER)
}

/// It does not stand in our way: ftrace calls both.
fn foreign_before_us_on_the_ioctl(report: &mut Report) -> Result<()> {
    report.part("a kprobe on the ioctl before us");
    let known = Known::of_loaded()?;
    load_foreign(IOCTL, false)?;
    let found = Hooked::now()?;
    kernel::load(MODULE)?;
    report.check("with a kprobe on the ioctl we attach, and both see the calls", || {
        soon(attached)?;
        seen_by_foreign(|| known.unlocked())
    });
    kernel::unload(MODULE)?;
    report.check("it stays when we go, and the driver is its own", || {
        found.as_found()?;
        seen_by_foreign(|| known.factory())
    });
    unload_foreign()?;
    kernel::unload(DRIVER)
}

/// A kprobe that looks afterwards as well is one of those that ftrace lets send calls elsewhere, of which a
/// function has one.
fn claimed_ioctl(report: &mut Report) -> Result<()> {
    report.part("a kprobe that claims the ioctl");
    let known = Known::of_loaded()?;
    load_foreign(IOCTL, true)?;
    let found = Hooked::now()?;
    leaves_alone_and(report, "the nvidia_unlocked_ioctl can't be hooked (error -16)", |report| {
        report.check("a claimed ioctl leaves the driver as it is, all of it", || {
            seen_by_foreign(|| known.factory())
        });
    })?;
    report.check("nothing of ours is left", || found.as_found());
    kernel::load(MODULE)?;
    unload_foreign()?;
    set_module("enabled", "0")?;
    set_module("enabled", "1")?;
    report.check("once it is free, the driver is attached to when a parameter is set", || {
        soon(attached)?;
        known.unlocked()
    });
    kernel::unload(MODULE)?;
    kernel::unload(DRIVER)
}

/// The ioctl is hooked when a daemon comes, and somebody else was faster.
fn claimed_while_it_rests(report: &mut Report) -> Result<()> {
    const LOST: &str = "a vGPU daemon gets the driver's own answers: the nvidia_unlocked_ioctl can't be \
                        hooked (error -16)";
    report.part("a kprobe that claims the ioctl while no daemon is there");
    let known = Known::of_loaded()?;
    let found = Hooked::now()?;
    kernel::load(MODULE)?;
    soon(attached)?;
    report.check("when no daemon is there, the ioctl is not hooked", || rested(IOCTLS_NAME));
    load_foreign(IOCTL, true)?;
    let mut log = Log::from_now()?;
    report.check("a daemon that comes then is told what the driver answers", || {
        seen_by_foreign(|| known.daemon_is_told_as_others())
    });
    report.check("the status says so, and one line of the log, however many come", || {
        known.daemon_is_told_as_others()?;
        Status::read()?.hook_is(IOCTLS_NAME, "lost")?;
        hears_times(&mut log, &[LOST], 1)
    });
    // What it is told is in between anything that is allowed.
    let stays = Load::resting(VGPU_MGR, "550", (1, 0), 500)?;
    sleep(Duration::from_secs(2));
    unload_foreign()?;
    let again = woken_again(IOCTLS_NAME);
    let told = again.and_then(|()| known.are_told_ours());
    let calls = stays.end()?;
    report.check("once it is free, a daemon that is there is told what it must be", || {
        told?;
        calls.all_allowed()
    });
    kernel::unload(MODULE)?;
    report.check("nothing of ours is left", || found.as_found());
    kernel::unload(DRIVER)
}

fn tracing(file: &str) -> String {
    format!("/sys/kernel/tracing/{file}")
}

/// Fails unless the trace since the last call has each of `words`.
fn trace_shows(words: &[&str]) -> Result<()> {
    let path = tracing("trace");
    let trace = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    // Opened to be written from the start, it is emptied.
    kernel::write(&path, "")?;
    for word in words {
        ensure!(trace.contains(word), "no {word} in the trace:\n{:.2000}", trace);
    }
    Ok(())
}

/// With somebody tracing the ioctl by `start`, who is there before us or comes after us, and who `sees` calls since
/// that was asked last: everybody is answered as ever, and we go under load.
fn traced(
    report: &mut Report,
    sees: &dyn Fn() -> Result<()>,
    start: &dyn Fn() -> Result<()>,
    stop: &dyn Fn() -> Result<()>,
) -> Result<()> {
    let known = Known::of_loaded()?;
    let before = probe::digests()?;
    let untraced = Hooked::now()?;
    start()?;
    let found = Hooked::now()?;
    known.factory()?;
    report.check("without us the tracer sees the calls", sees);
    kernel::load(MODULE)?;
    report.check(
        "under a tracer we attach, everybody is told what they must be, and it sees the calls",
        || {
            soon(attached)?;
            known.unlocked()?;
            sees()
        },
    );
    let load = Load::start(VGPU_MGR, "550", 4, 0)?;
    let gone = (0..3).try_for_each(|_| {
        kernel::unload(MODULE)?;
        kernel::load(MODULE)
    });
    let gone = gone.and_then(|()| kernel::unload(MODULE));
    let calls = load.end()?;
    report.check("rmmod goes through under calls and a tracer", || {
        gone?;
        ensure!(calls.made > 100, "only {} calls were made", calls.made);
        calls.all_allowed()
    });
    report.check("the tracer stays when we go, and the driver is its own", || {
        found.as_found()?;
        sees()?;
        known.factory()?;
        sees()
    });
    stop()?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    start()?;
    report.check("a tracer that comes after us changes nothing, and sees the calls", || {
        known.unlocked()?;
        sees()
    });
    stop()?;
    report.check("nor does one that goes", || known.unlocked());
    kernel::unload(MODULE)?;
    report.check("constants, code and hooks are as before afterwards", || {
        unchanged(&before, &probe::digests()?)?;
        untraced.as_found()
    });
    kernel::unload(DRIVER)
}

fn function_graph(report: &mut Report) -> Result<()> {
    report.part("function_graph on the ioctl");
    let tracers = fs::read_to_string(tracing("available_tracers")).unwrap_or_default();
    if !tracers.contains("function_graph") {
        report.skip("function_graph", "this kernel has none");
        return Ok(());
    }
    let start = || {
        kernel::write(&tracing("set_ftrace_filter"), IOCTLS_NAME)?;
        kernel::write(&tracing("current_tracer"), "function_graph")
    };
    let stop = || {
        kernel::write(&tracing("current_tracer"), "nop")?;
        kernel::write(&tracing("set_ftrace_filter"), "")
    };
    traced(report, &|| trace_shows(&[IOCTLS_NAME]), &start, &stop)
}

/// Events that a user defines.
struct Events {
    part: &'static str,
    /// Where they are defined.
    file: &'static str,
    group: &'static str,
    /// How, and by what names.
    definitions: &'static [&'static str],
    names: &'static [&'static str],
}

const KPROBE_EVENTS: Events = Events {
    part: "kprobe and kretprobe events on the ioctl",
    file: "kprobe_events",
    group: "vu_kprobes",
    definitions: &[
        "p:vu_kprobes/vu_entered nvidia:nvidia_unlocked_ioctl",
        "r:vu_kprobes/vu_returned nvidia:nvidia_unlocked_ioctl $retval",
    ],
    names: &["vu_entered", "vu_returned"],
};

const FPROBE_EVENTS: Events = Events {
    part: "an fprobe event on the ioctl",
    file: "dynamic_events",
    group: "vu_fprobes",
    definitions: &["f:vu_fprobes/vu_left nvidia_unlocked_ioctl%return $retval"],
    names: &["vu_left"],
};

impl Events {
    fn define(&self, line: &str) -> Result<()> {
        let path = tracing(self.file);
        let mut file = OpenOptions::new().append(true).open(&path);
        let write = |file: &mut fs::File| file.write_all(format!("{line}\n").as_bytes());
        file.as_mut()
            .map_err(|error| anyhow::anyhow!("{error}"))
            .and_then(|file| write(file).map_err(Into::into))
            .with_context(|| format!("writing {line:?} to {path}"))
    }

    fn start(&self) -> Result<()> {
        self.definitions.iter().try_for_each(|line| self.define(line))?;
        kernel::write(&tracing(&format!("events/{}/enable", self.group)), "1")
    }

    fn stop(&self) -> Result<()> {
        kernel::write(&tracing(&format!("events/{}/enable", self.group)), "0")?;
        // The trace keeps them.
        kernel::write(&tracing("trace"), "")?;
        self.names.iter().try_for_each(|name| self.define(&format!("-:{}/{name}", self.group)))
    }
}

fn events(report: &mut Report, events: &Events) -> Result<()> {
    report.part(events.part);
    if !Path::new(&tracing(events.file)).exists() {
        report.skip(events.file, "this kernel has none");
        return Ok(());
    }
    // Whether the kernel knows events of that kind, in modules, too.
    let known = Known::of_loaded()?;
    let can = events.start();
    if can.is_ok() {
        events.stop()?;
    }
    known.factory()?;
    kernel::unload(DRIVER)?;
    if let Err(error) = can {
        report.skip(events.part, &format!("this kernel does not take them: {error:#}"));
        return Ok(());
    }
    let sees = || trace_shows(events.names);
    traced(report, &sees, &|| events.start(), &|| events.stop())
}

/// BPF programs that somebody has attached.
#[derive(Default)]
struct Attached {
    programs: RefCell<Vec<Program>>,
    /// How often each had been run when that was asked last.
    runs: RefCell<Vec<u64>>,
}

impl Attached {
    fn start(&self, ways: &[On]) -> Result<()> {
        let attach = |on: &On| Program::attach(*on, IOCTLS_NAME);
        *self.programs.borrow_mut() = ways.iter().map(attach).collect::<Result<_>>()?;
        *self.runs.borrow_mut() = vec![0; ways.len()];
        Ok(())
    }

    fn see(&self) -> Result<()> {
        let now = self.programs.borrow().iter().map(Program::runs).collect::<Result<Vec<_>>>()?;
        let before = self.runs.replace(now.clone());
        let all = before.iter().zip(&now).all(|(before, now)| before < now);
        ensure!(all, "programs that were run {before:?} times were then run {now:?} times");
        Ok(())
    }
}

fn programs(report: &mut Report, part: &str, ways: &[On]) -> Result<()> {
    report.part(part);
    let known = Known::of_loaded()?;
    let attached = Attached::default();
    let can = attached.start(ways);
    attached.programs.borrow_mut().clear();
    known.factory()?;
    kernel::unload(DRIVER)?;
    if let Err(error) = can {
        report.skip(part, &format!("this kernel does not take them: {error:#}"));
        return Ok(());
    }
    let stop = || {
        attached.programs.borrow_mut().clear();
        Ok(())
    };
    traced(report, &|| attached.see(), &|| attached.start(ways), &stop)
}
