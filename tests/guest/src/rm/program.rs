// SPDX-License-Identifier: GPL-2.0
//! What the guest's binary is under another name than init's: a process that asks the driver.
//!
//!   ask SET: each question of the set both ways, and prints the answers
//!   thread NAME SET: the same from a thread of that name, which is not the process's
//!   contained SET: the same from a process that is the first of its own, as in a container
//!   slow SET: asks one of them with memory that is only there when standard input ends
//!   cost SET UNIT BATCHES CALLS: each question of the set that often, and prints what that took
//!   family WAY: starts two virtual machines, each with a child that asks for its vGPU's type
//!   child: is such a child
//!   load SET THREADS CALLS ALLOWED REST: that many threads with that many calls each (0: until standard
//!     input ends) and REST milliseconds behind each; the file ALLOWED has every answer that may come, nothing
//!     else may
//!   register BRANCH: what nvidia-vgpud does: where it knows the board that it is told, it asks for
//!     each of its types and tells it to the driver; prints the board's ID, and the statuses
//!   start BRANCH: what nvidia-vgpu-mgr does when a vGPU starts; prints the answers

use std::{
    collections::HashMap,
    env, fs,
    io::{self, Read},
    process::{Command, ExitCode},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::thread::UnshareFlags;

use super::{
    answer::{Answer, Answered, Route},
    cost::{self, Amount, Unit},
    family,
    question::{self, Question},
    slow,
};
use crate::expected::{OFFERED, TESLA_P40};

/// The names that the binary is called by. The kernel knows a process by this name.
pub const NAMES: [&str; 3] = ["nvidia-vgpud", "nvidia-vgpu-mgr", "other"];

/// Runs the program that this process's name says; `None` where it says none.
pub fn run() -> Option<ExitCode> {
    let mut arguments = env::args();
    let path = arguments.next()?;
    let name = path.rsplit('/').next()?;
    if !NAMES.contains(&name) {
        return None;
    }
    let arguments: Vec<String> = arguments.collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Some(match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    })
}

fn dispatch(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["ask", set] => ask(set),
        ["thread", name, set] => thread(name, set),
        ["contained", set] => contained(set),
        ["slow", set] => slow::run(set),
        ["cost", set, unit, batches, calls] => {
            let amount = Amount { batches: batches.parse()?, calls: calls.parse()? };
            cost::run(set, Unit::parse(unit)?, amount)
        }
        ["family", way] => family::parent(way),
        ["child"] => family::child(),
        ["load", set, threads, calls, allowed, rest] => {
            let rest = Duration::from_millis(rest.parse()?);
            load(set, threads.parse()?, calls.parse()?, allowed, rest)
        }
        ["register", branch] => register(branch),
        ["start", branch] => start(branch),
        _ => bail!("unknown arguments: {arguments:?}"),
    }
}

fn ask(set: &str) -> Result<()> {
    let connection = question::connect(set)?;
    for question in question::set(set)? {
        for route in Route::ALL {
            let answer = Answer::to(&question, &connection, route)?;
            println!("{}", Answered { name: question.name.to_owned(), route, answer });
        }
    }
    Ok(())
}

fn thread(name: &str, set: &str) -> Result<()> {
    let set = set.to_owned();
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || ask(&set))?;
    thread.join().ok().context("the thread panicked")?
}

fn contained(set: &str) -> Result<()> {
    // SAFETY: Changes where the next child lives, and nothing of this process.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWPID) }
        .context("asking for a namespace of processes")?;
    let program = env::args().next().context("a program without a name")?;
    let status = Command::new(&program).args(["ask", set]).status();
    let status = status.with_context(|| format!("starting {program}"))?;
    ensure!(status.success(), "{program} in a namespace of its own: {status}");
    Ok(())
}

fn register(branch: &str) -> Result<()> {
    let connection = question::connect(branch)?;
    let ask = |question: &Question| Answer::to(question, &connection, Route::Direct);
    let info =
        question::of_daemon(branch)?.into_iter().find(|q| q.name == question::name::PCI_INFO);
    let info = ask(&info.context("a daemon that does not ask for PCI info")?)?;
    ensure!(info.status == 0, "PCI info: status {:#x}", info.status);
    let device = u16::from_le_bytes([info.params[2], info.params[3]]);
    println!("{device:x}");
    // The one board in this daemon's vgpuConfig.xml.
    if device != TESLA_P40[0].device {
        return Ok(());
    }
    for (i, offered) in OFFERED.iter().enumerate() {
        let asked = ask(&question::type_by_number(branch, offered.number)?)?;
        let last = i + 1 == OFFERED.len();
        let told = ask(&question::set_info(&asked.params, last))?;
        println!("{} {:x} {:x}", offered.number, asked.status, told.status);
    }
    Ok(())
}

fn start(branch: &str) -> Result<()> {
    let connection = question::connect(branch)?;
    let ask = |question: &Question| -> Result<Answer> {
        let answer = Answer::to(question, &connection, Route::Direct)?;
        let name = question.name.to_owned();
        println!("{}", Answered { name, route: Route::Direct, answer: answer.clone() });
        Ok(answer)
    };
    let data = ask(&question::start_data())?;
    if data.status == 0 {
        for question in question::of_start(branch, &data.params)? {
            ask(&question)?;
        }
    }
    Ok(())
}

/// By question: the answers that may come, and whether they did.
type Allowed = HashMap<String, Vec<(Answer, AtomicBool)>>;

/// What the threads of a load share.
struct Load {
    set: String,
    rest: Duration,
    questions: Vec<Question>,
    allowed: Allowed,
    stop: AtomicBool,
    calls: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

fn load(set: &str, threads: usize, calls: usize, allowed: &str, rest: Duration) -> Result<()> {
    let load = Load {
        set: set.to_owned(),
        rest,
        questions: question::set(set)?,
        allowed: read_allowed(allowed)?,
        stop: AtomicBool::new(false),
        calls: AtomicUsize::new(0),
        wrong: Mutex::default(),
    };
    thread::scope(|scope| {
        for number in 0..threads {
            let load = &load;
            scope.spawn(move || {
                if let Err(error) = load.ask(number, calls) {
                    load.note(format!("{error:#}"));
                }
            });
        }
        if calls == 0 {
            // Whatever comes, it is the end of it that counts.
            let _ = io::stdin().read_to_end(&mut vec![]);
            load.stop.store(true, Ordering::Relaxed);
        }
    });
    let wrong = load.wrong.lock().unwrap_or_else(|poison| poison.into_inner());
    println!("{} {}", load.calls.load(Ordering::Relaxed), wrong.len());
    println!("{}", load.unseen());
    for line in wrong.iter().take(3) {
        println!("{line}");
    }
    Ok(())
}

fn read_allowed(path: &str) -> Result<Allowed> {
    let mut allowed = Allowed::new();
    let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
    for line in text.lines() {
        let Answered { name, answer, .. } = Answered::parse(line)?;
        let answers = allowed.entry(name).or_default();
        if !answers.iter().any(|(known, _)| *known == answer) {
            answers.push((answer, AtomicBool::new(false)));
        }
    }
    Ok(allowed)
}

impl Load {
    fn ask(&self, number: usize, calls: usize) -> Result<()> {
        let connection = question::connect(&self.set)?;
        let count = if calls == 0 { usize::MAX } else { calls };
        let length = self.questions.len();
        for i in 0..count {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let question = &self.questions[(number + i) % length];
            // Each round goes the other way.
            let route = Route::ALL[(number + i / length) % Route::ALL.len()];
            let answer = Answer::to(question, &connection, route)?;
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.judge(question.name, &answer);
            if !self.rest.is_zero() {
                thread::sleep(self.rest);
            }
        }
        Ok(())
    }

    fn judge(&self, name: &str, answer: &Answer) {
        let allowed = self.allowed.get(name).map_or(&[][..], Vec::as_slice);
        if let Some((_, seen)) = allowed.iter().find(|(allowed, _)| allowed == answer) {
            seen.store(true, Ordering::Relaxed);
            return;
        }
        let differences: Vec<String> =
            allowed.iter().filter_map(|(allowed, _)| allowed.difference(answer)).collect();
        self.note(format!("{name}: {}", differences.join("; or ")));
    }

    /// The questions to which not every allowed answer came.
    fn unseen(&self) -> String {
        let unseen = |answers: &[(Answer, AtomicBool)]| {
            answers.iter().any(|(_, seen)| !seen.load(Ordering::Relaxed))
        };
        let names = self.allowed.iter().filter(|(_, answers)| unseen(answers));
        names.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn note(&self, what: String) {
        self.wrong.lock().unwrap_or_else(|poison| poison.into_inner()).push(what);
    }
}
