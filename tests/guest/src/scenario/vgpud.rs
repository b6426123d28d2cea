// SPDX-License-Identifier: GPL-2.0
//! nvidia-vgpud gives up boards that are answered as some others: it is kept from that in its own memory, and
//! nowhere else.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    rm_control::{prepare, set_module},
    rm_policy::{load_both, unload_both},
    standin::path,
    steps::{DRIVER, LOG_PREFIX, MODULE, attached, soon},
};
use crate::{
    kernel::{self, Log},
    report::{Report, equal},
    status::Status,
};

/// What a daemon says of the board's own ID, and of the one that it is answered as.
const OWN: &str = "1b06 accepted";
const ACCEPTED: &str = "1b38 accepted";
const GIVEN_UP: &str = "1b38 given up";

pub fn run(report: &mut Report) -> Result<()> {
    prepare(report, "OE")?;
    kept(report)?;
    switched(report)?;
    left_alone(report)?;
    before_the_module(report)?;
    older_branch(report)
}

/// A running daemon, of one of the forms that xtask builds.
struct Daemon {
    child: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Daemon {
    fn start(program: &str) -> Result<Self> {
        let mut command = Command::new(file(program));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        let asks = child.stdin.take().context("no standard input")?;
        let says = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { child, asks, says })
    }

    /// Has it ask the driver, and fails unless it says this.
    fn says(&mut self, expected: &str) -> Result<()> {
        self.asks.write_all(b"?").context("asking it")?;
        let mut line = String::new();
        self.says.read_line(&mut line).context("reading what it says")?;
        equal(line.trim_end(), expected)
    }

    fn end(mut self) -> Result<()> {
        drop(self.asks);
        let status = self.child.wait().context("waiting for it")?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }
}

fn file(program: &str) -> String {
    format!("/daemons/{program}")
}

/// A daemon that is started, asks once, says this, and ends.
fn once(program: &str, expected: &str) -> Result<()> {
    let mut daemon = Daemon::start(program)?;
    let said = daemon.says(expected);
    daemon.end()?;
    said
}

/// Fails unless these are the module's lines since the last time, but for those that are always there.
fn told(log: &mut Log, expected: &[&str]) -> Result<()> {
    let lines: Vec<String> = log.lines(LOG_PREFIX)?;
    let lines: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.split_once(LOG_PREFIX).map(|(_, line)| line))
        .filter(|line| line.starts_with("nvidia-vgpud"))
        .collect();
    equal(lines, expected.to_vec())
}

/// Fails unless the status says this of what the daemon makes of the board, and this is what is missing.
fn status(state: &str, reason: Value, missing: &str) -> Result<()> {
    let status = Status::read()?;
    status.is("/vgpud/told", 0x1b38)?;
    status.is("/vgpud/state", state)?;
    status.is("/vgpud/reason", reason)?;
    status.is("/gpus/0/missing", missing)
}

const KEPT: &str =
    "nvidia-vgpud would give up boards answered as 1b38: its own copy of its program was changed";
const OFF: &str = "nvidia-vgpud and boards answered as 1b38: it gives such boards up, and the parameter vgpud is 0";

fn kept(report: &mut Report) -> Result<()> {
    report.part("kept");
    load_both(report, "")?;
    let mut log = Log::from_now()?;
    for program in ["fixed/nvidia-vgpud", "relative/nvidia-vgpud"] {
        let before = fs::read(file(program))?;
        report.check(&format!("{program} accepts the board, from its first question on"), || {
            let mut daemon = Daemon::start(program)?;
            daemon.says(ACCEPTED)?;
            daemon.says(ACCEPTED)?;
            daemon.end()
        });
        report.check(&format!("{program}: said once, and in the status"), || {
            told(&mut log, &[KEPT])?;
            status("kept", Value::Null, "types registered")
        });
        report.check(&format!("{program}: its file is as it was"), || {
            ensure!(fs::read(file(program))? == before, "it differs");
            Ok(())
        });
    }
    report.check(
        "what is to be left alone is said of the board's own ID, not of its answer",
        || {
            set_module("gpus", "1b06=1b38,1b38=off,any=off")?;
            once("fixed/nvidia-vgpud", ACCEPTED)?;
            told(&mut log, &[KEPT])
        },
    );
    report.check("an ID that it accepts anyway is no reason to change anything", || {
        set_module("gpus", "1b06=1e30")?;
        once("fixed/nvidia-vgpud", "1e30 accepted")?;
        set_module("gpus", "\n")?;
        told(&mut log, &[])
    });
    unload_both()
}

fn switched(report: &mut Report) -> Result<()> {
    report.part("the parameter vgpud");
    load_both(report, "vgpud=0")?;
    let mut log = Log::from_now()?;
    let mut daemon = Daemon::start("fixed/nvidia-vgpud")?;
    report.check("0: it gives the board up", || daemon.says(GIVEN_UP));
    report.check("0: which is said once, and in the status", || {
        daemon.says(GIVEN_UP)?;
        told(&mut log, &[OFF])?;
        let why = "it gives such boards up, and the parameter vgpud is 0";
        status("gives up", why.into(), "and will accept it")
    });
    report.check("1: the same process accepts it", || {
        set_module("vgpud", "1")?;
        daemon.says(ACCEPTED)?;
        told(&mut log, &[KEPT])
    });
    report.check(
        "0 again: what was changed stays as long as the process, and is no other's",
        || {
            set_module("vgpud", "0")?;
            daemon.says(ACCEPTED)?;
            once("fixed/nvidia-vgpud", GIVEN_UP)?;
            once("relative/nvidia-vgpud", GIVEN_UP)?;
            told(&mut log, &[OFF, OFF])
        },
    );
    daemon.end()?;
    unload_both()
}

fn left_alone(report: &mut Report) -> Result<()> {
    report.part("left alone");
    load_both(report, "")?;
    let mut log = Log::from_now()?;
    let may = |why: &str| {
        format!(
            "nvidia-vgpud and boards answered as 1b38: it may give such boards up: the loop that refuses device IDs is {why}"
        )
    };
    report.check("two loops", || {
        once("twice/nvidia-vgpud", GIVEN_UP)?;
        told(&mut log, &[&may("in it more than once")])?;
        let why =
            "it may give such boards up: the loop that refuses device IDs is in it more than once";
        // It is not known that it does, and nvidia-vgpu-vfio is missing for certain.
        status("gives up", why.into(), "types registered")
    });
    report.check("no such loop", || {
        once("otherwise/nvidia-vgpud", GIVEN_UP)?;
        told(&mut log, &[&may("not in it")])
    });
    report.check("the other daemon", || {
        fs::copy(file("fixed/nvidia-vgpud"), file("fixed/nvidia-vgpu-mgr"))?;
        once("fixed/nvidia-vgpu-mgr", GIVEN_UP)?;
        told(&mut log, &[])
    });
    report.check("a program that is no daemon", || {
        fs::copy(file("fixed/nvidia-vgpud"), file("fixed/other"))?;
        once("fixed/other", OWN)?;
        told(&mut log, &[])
    });
    unload_both()
}

fn before_the_module(report: &mut Report) -> Result<()> {
    report.part("a daemon that was there before the module");
    kernel::load(&path("550"))?;
    let mut daemon = Daemon::start("fixed/nvidia-vgpud")?;
    report.check("without the module it is told the board's own ID", || daemon.says(OWN));
    kernel::load(MODULE)?;
    report.check("with it, it accepts the other one", || {
        soon(attached)?;
        daemon.says(ACCEPTED)
    });
    kernel::unload(MODULE)?;
    report.check("without it, the board's own again", || daemon.says(OWN));
    daemon.end()?;
    kernel::unload(DRIVER)
}

/// Up to 535 there is no such loop: a program that has one all the same is none of ours.
fn older_branch(report: &mut Report) -> Result<()> {
    report.part("branch 535");
    kernel::load(&path("535"))?;
    kernel::load(MODULE)?;
    let mut log = Log::from_now()?;
    report.check("nothing is looked for", || {
        soon(attached)?;
        once("fixed/nvidia-vgpud", GIVEN_UP)?;
        told(&mut log, &[])
    });
    unload_both()
}
