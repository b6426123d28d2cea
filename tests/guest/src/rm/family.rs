// SPDX-License-Identifier: GPL-2.0
//! A daemon that starts two virtual machines, one after the other, and has a child for each: the
//! parent is told which vGPU starts, the child asks for that vGPU's type.
//!
//! A child is started as any program is, under its parent's name. For the kernel that is a fork all
//! the same: the child has the parent's name and number, and was born when it was forked.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    answer::{Answer, Answered, Route},
    call::Connection,
    question::{self, Question, name},
};

/// A virtual machine of Proxmox VE with its vGPU.
pub struct Machine {
    pub uuid: &'static str,
    pub vmid: u32,
    pid: u32,
}

pub const MACHINES: [Machine; 2] = [
    Machine { uuid: "00000000-0000-0000-0000-000000000101", vmid: 101, pid: 5101 },
    Machine { uuid: "00000000-0000-0000-0000-000000000102", vmid: 102, pid: 5102 },
];

/// How the parent learns of a vGPU: the drivers' command until 550.78, and that of the later ones.
pub const WAYS: [&str; 2] = [name::START_DATA, name::CREATE];

/// Whose answers the parent prints, in this order: its children's, each as soon as its machine has
/// started and once more when all have.
pub const ASKED: [usize; 4] = [0, 1, 0, 1];

fn set_driver(parameter: &str, value: impl ToString) -> Result<()> {
    let path = format!("/sys/module/nvidia/parameters/{parameter}");
    fs::write(&path, value.to_string()).with_context(|| format!("writing {path}"))
}

/// The parent.
pub fn parent(way: &str) -> Result<()> {
    let connection = Connection::open()?;
    let mut children = vec![];
    for machine in &MACHINES {
        // What the driver knows of the machine that is about to start.
        set_driver("uuid", machine.uuid)?;
        set_driver("vm_pid", machine.pid)?;
        let start = question(way, machine)?;
        let answer = Answer::to(&start, &connection, Route::Direct)?;
        ensure!(answer.status == 0, "{way}: status {:#x}", answer.status);
        let mut child = Running::start()?;
        println!("{}", child.ask()?);
        children.push(child);
    }
    for child in &mut children {
        println!("{}", child.ask()?);
    }
    children.into_iter().try_for_each(Running::end)
}

/// The child: asks for each line that it reads.
pub fn child() -> Result<()> {
    let connection = Connection::open()?;
    let [question] = select(name::TYPE_OF_VGPU)?;
    for line in io::stdin().lines() {
        line.context("reading what the parent wants")?;
        let answer = Answer::to(&question, &connection, Route::Direct)?;
        println!("{}", Answered { name: question.name.to_owned(), route: Route::Direct, answer });
    }
    Ok(())
}

fn select(name: &str) -> Result<[Question; 1]> {
    let all = question::of_daemon("550")?.into_iter();
    let found: Vec<Question> = all.filter(|question| question.name == name).collect();
    found.try_into().ok().with_context(|| format!("not one question {name}"))
}

/// Which vGPU starts: the driver says it, or is told.
fn question(way: &str, machine: &Machine) -> Result<Question> {
    let [mut question] = select(way)?;
    if way == name::CREATE {
        // The last group of the UUID is the one in which they differ.
        let last = machine.uuid.rsplit('-').next().unwrap_or_default();
        question.params[10..16].copy_from_slice(&hex::decode(last).context("no UUID")?);
        question.params[..10].fill(0);
    } else if way != name::START_DATA {
        bail!("no vGPU starts by {way}");
    }
    Ok(question)
}

/// A child that waits for what its parent wants.
struct Running {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn start() -> Result<Self> {
        let own = env::args().next().context("no name of my own")?;
        let mut command = Command::new(own);
        command.arg("child").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("starting a child")?;
        let input = process.stdin.take().context("a child's standard input")?;
        let output = BufReader::new(process.stdout.take().context("a child's standard output")?);
        Ok(Self { process, input, output })
    }

    /// Has it ask; returns its line.
    fn ask(&mut self) -> Result<String> {
        writeln!(self.input).context("asking a child")?;
        let mut line = String::new();
        self.output.read_line(&mut line).context("listening to a child")?;
        ensure!(!line.is_empty(), "a child said nothing");
        Ok(line.trim_end().to_owned())
    }

    fn end(self) -> Result<()> {
        let Self { mut process, input, .. } = self;
        drop(input);
        let status = process.wait().context("waiting for a child")?;
        ensure!(status.success(), "a child ended with {status}");
        Ok(())
    }
}
