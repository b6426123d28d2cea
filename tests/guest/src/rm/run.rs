// SPDX-License-Identifier: GPL-2.0
//! Starting those programs, from init.

use std::{
    fs,
    io::Read,
    os::unix::{fs::symlink, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::{
    answer::Answered,
    cost::{Amount, Cost, Unit},
    program::NAMES,
    slow::MISSED,
};

pub const VGPUD: &str = NAMES[0];
pub const VGPU_MGR: &str = NAMES[1];
pub const OTHER: &str = NAMES[2];

const DIR: &str = "/daemons";
/// Where nvidia-vgpu-mgr is once more, with shared libraries.
const SHARED: &str = "/shared";
/// A user who is not root.
const NOBODY: u32 = 65534;

/// Puts the programs where they can be started from. Each is a link to init, by another name.
pub fn install() -> Result<()> {
    fs::create_dir_all(DIR).with_context(|| format!("creating {DIR}"))?;
    for name in NAMES {
        let path = Path::new(DIR).join(name);
        symlink("/init", &path).with_context(|| format!("linking {}", path.display()))?;
    }
    Ok(())
}

/// The program `name` with these arguments, not yet started.
pub fn command(name: &str, arguments: &[&str]) -> Command {
    command_in(DIR, name, arguments)
}

fn command_in(dir: &str, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(Path::new(dir).join(name));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output(mut command: Command) -> Result<String> {
    let child = command.spawn().with_context(|| format!("starting {command:?}"))?;
    end(child)
}

/// Closes a program's standard input, and returns what it printed.
fn end(child: Child) -> Result<String> {
    let output = child.wait_with_output().context("waiting for a program")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "it ended with {}: {errors}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn parse(text: &str) -> Result<Vec<Answered>> {
    text.lines().map(Answered::parse).collect()
}

/// Has the program `name` ask the questions of `set`, as root.
pub fn ask(name: &str, set: &str) -> Result<Vec<Answered>> {
    parse(&output(command(name, &["ask", set]))?).with_context(|| format!("{name} asks {set}"))
}

/// As [`ask`], as another user.
pub fn ask_as_nobody(name: &str, set: &str) -> Result<Vec<Answered>> {
    let mut command = command(name, &["ask", set]);
    command.uid(NOBODY).gid(NOBODY);
    parse(&output(command)?).with_context(|| format!("{name} asks {set} as nobody"))
}

/// As [`ask`], from a thread that is called `thread`.
pub fn ask_in_thread(name: &str, thread: &str, set: &str) -> Result<Vec<Answered>> {
    parse(&output(command(name, &["thread", thread, set]))?)
        .with_context(|| format!("{name} asks {set} in a thread"))
}

/// As [`ask`], from a namespace of processes of its own, as a container's root has it.
pub fn ask_contained(name: &str, set: &str) -> Result<Vec<Answered>> {
    parse(&output(command(name, &["contained", set]))?)
        .with_context(|| format!("{name} asks {set} in a container"))
}

/// What nvidia-vgpud did.
#[derive(Debug, PartialEq, Eq)]
pub struct Registered {
    /// The device ID that it was told.
    pub device: u16,
    /// By type: the statuses when it asked for it, and when it told it. None of a board that it does
    /// not know.
    pub types: Vec<(u32, u32, u32)>,
}

/// Has nvidia-vgpud tell a driver of `branch` the board's types.
pub fn register(branch: &str) -> Result<Registered> {
    let text = output(command(VGPUD, &["register", branch]))?;
    let mut lines = text.lines();
    let hex = |word: Option<&str>| u32::from_str_radix(word.unwrap_or_default(), 16);
    let device = u16::try_from(hex(lines.next())?)?;
    let types = lines.map(|line| {
        let mut words = line.split(' ');
        let number = words.next().unwrap_or_default().parse::<u32>()?;
        Ok((number, hex(words.next())?, hex(words.next())?))
    });
    let types = types.collect::<Result<_>>().with_context(|| format!("it said {text:?}"))?;
    Ok(Registered { device, types })
}

/// Has the program `name` ask a driver of `branch` what nvidia-vgpu-mgr does when a vGPU starts.
pub fn start(name: &str, branch: &str) -> Result<Vec<Answered>> {
    parse(&output(command(name, &["start", branch]))?)
}

/// Has the program `name` start two virtual machines by `way`, and returns what its children were
/// told.
pub fn family(name: &str, way: &str) -> Result<Vec<Answered>> {
    parse(&output(command(name, &["family", way]))?).with_context(|| format!("{name}, {way}"))
}

/// Has the program `name` ask the questions of `set` as often as `amount` says, and measure it.
pub fn cost(name: &str, set: &str, unit: Unit, amount: Amount) -> Result<Vec<Cost>> {
    let (batches, calls) = (amount.batches.to_string(), amount.calls.to_string());
    let text = output(command(name, &["cost", set, unit.name(), &batches, &calls]))?;
    text.lines().map(Cost::parse).collect()
}

/// As [`cost`], of nvidia-vgpu-mgr with shared libraries, as NVIDIA's has them, and with `preloaded` among them.
pub fn cost_shared(
    preloaded: Option<&str>,
    set: &str,
    unit: Unit,
    amount: Amount,
) -> Result<Vec<Cost>> {
    let (batches, calls) = (amount.batches.to_string(), amount.calls.to_string());
    let arguments = ["cost", set, unit.name(), &batches, &calls];
    let mut command = command_in(SHARED, VGPU_MGR, &arguments);
    if let Some(library) = preloaded {
        command.env("LD_PRELOAD", library);
    }
    // What a library says about its settings has no answer in it.
    let text = output(command)?;
    text.lines().filter(|line| line.contains('|')).map(Cost::parse).collect()
}

/// A program that waits for memory of its own, in the module.
pub struct Slow(Child);

impl Slow {
    /// Has the program `name` ask, and returns when what was answered is missed.
    pub fn start(name: &str, set: &str) -> Result<Self> {
        let mut command = command(name, &["slow", set]);
        let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let mut said = [0; MISSED.len() + 1];
        let output = child.stdout.as_mut().context("no output")?;
        let read = output.read_exact(&mut said);
        if read.is_err() || !said.starts_with(MISSED.as_bytes()) {
            let errors = end(child).err();
            anyhow::bail!("nothing was missed: {errors:?}");
        }
        Ok(Self(child))
    }

    /// Lets its memory come, and returns what it was answered.
    pub fn bring(self) -> Result<Vec<Answered>> {
        parse(&end(self.0)?)
    }

    /// Ends it as `kill -9` does.
    pub fn kill(mut self) -> Result<()> {
        self.0.kill().context("killing a daemon")?;
        self.0.wait().context("waiting for a killed daemon").map(drop)
    }
}

/// The file with the answers that a load by `name` may get.
fn allowed(name: &str) -> String {
    format!("{DIR}/{name}.allowed")
}

/// Says which answers a load by `name` may get.
pub fn allow(name: &str, answers: &[Answered]) -> Result<()> {
    let lines: Vec<String> = answers.iter().map(ToString::to_string).collect();
    let path = allowed(name);
    fs::write(&path, lines.join("\n")).with_context(|| format!("writing {path}"))
}

/// A program with many calls.
pub struct Load(Child);

/// What came of a load.
#[derive(Debug)]
pub struct Calls {
    pub made: usize,
    /// Answers that were not allowed.
    pub wrong: usize,
    /// The first of them.
    pub examples: String,
    /// Questions to which not every answer came that was allowed.
    pub unseen: String,
}

impl Load {
    /// Starts `threads` threads with `calls` calls each, or with as many as they get through until
    /// [`Load::end`] where that is 0.
    pub fn start(name: &str, set: &str, threads: usize, calls: usize) -> Result<Self> {
        Self::resting(name, set, (threads, calls), 0)
    }

    /// The same, with a rest of that many milliseconds behind each call: others get something done, too.
    pub fn resting(
        name: &str,
        set: &str,
        (threads, calls): (usize, usize),
        rest: u32,
    ) -> Result<Self> {
        let [threads, calls, rest] = [threads.to_string(), calls.to_string(), rest.to_string()];
        let mut command = command(name, &["load", set, &threads, &calls, &allowed(name), &rest]);
        Ok(Self(command.spawn().with_context(|| format!("starting {command:?}"))?))
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.0.try_wait().context("looking after a load")?.is_none())
    }

    /// Waits for its end, and brings that about where it would not come.
    pub fn end(self) -> Result<Calls> {
        let text = end(self.0)?;
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let unseen = lines.next().unwrap_or_default().to_owned();
        let examples = lines.collect::<Vec<_>>().join("; ");
        let mut numbers = first.split(' ').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(made)), Some(Ok(wrong))) => Ok(Calls { made, wrong, examples, unseen }),
            _ => anyhow::bail!("a load said {text:?}"),
        }
    }

    /// Ends it as `kill -9` does.
    pub fn kill(mut self) -> Result<()> {
        self.0.kill().context("killing a load")?;
        self.0.wait().context("waiting for a killed load").map(drop)
    }
}

impl Calls {
    /// Fails unless all answers were allowed.
    pub fn all_allowed(&self) -> Result<()> {
        ensure!(self.wrong == 0, "{} of {} were not: {}", self.wrong, self.made, self.examples);
        Ok(())
    }
}
