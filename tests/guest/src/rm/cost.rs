// SPDX-License-Identifier: GPL-2.0
//! What an answer costs: many calls of the same kind, in batches.

use std::{
    fmt::{self, Display},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::{
    answer::{Answer, Answered, Route},
    question,
};

/// How a batch is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// On a machine whose time stamp counter counts its instructions.
    Instructions,
    Nanoseconds,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Unit::Instructions => "instructions",
            Unit::Nanoseconds => "nanoseconds",
        }
    }

    pub fn parse(name: &str) -> Result<Self> {
        let known = [Unit::Instructions, Unit::Nanoseconds];
        let found = known.into_iter().find(|unit| unit.name() == name);
        found.with_context(|| format!("no unit {name}"))
    }
}

/// How many batches, and calls in each.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    pub batches: usize,
    pub calls: usize,
}

/// What a question's answer was, and what a call cost in each batch.
pub struct Cost {
    pub answered: Answered,
    pub batches: Vec<u64>,
}

impl Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let batches: Vec<String> = self.batches.iter().map(u64::to_string).collect();
        write!(f, "{} {}", batches.join(","), self.answered)
    }
}

impl Cost {
    pub fn parse(line: &str) -> Result<Self> {
        let (batches, answered) = line.split_once(' ').with_context(|| format!("{line:?}"))?;
        let batches: Result<Vec<u64>, _> = batches.split(',').map(str::parse).collect();
        Ok(Self { answered: Answered::parse(answered)?, batches: batches.context("no numbers")? })
    }
}

/// Some point in time.
enum Stamp {
    Counter(u64),
    Clock(Instant),
}

impl Stamp {
    fn now(unit: Unit) -> Self {
        match unit {
            // SAFETY: The instruction reads a counter; nobody forbids init's children to.
            Unit::Instructions => Stamp::Counter(unsafe { core::arch::x86_64::_rdtsc() }),
            Unit::Nanoseconds => Stamp::Clock(Instant::now()),
        }
    }

    fn elapsed(self) -> u64 {
        match self {
            // SAFETY: As above.
            Stamp::Counter(start) => unsafe { core::arch::x86_64::_rdtsc() }.wrapping_sub(start),
            Stamp::Clock(start) => start.elapsed().as_nanos() as u64,
        }
    }
}

/// Asks the questions of `set` as often as `amount` says, and prints a [`Cost`] for each. That all
/// answers to a question are the same is seen to here.
pub fn run(set: &str, unit: Unit, amount: Amount) -> Result<()> {
    // One that every machine has: what moves between processors costs more at times.
    let mut processors = CpuSet::new();
    processors.set(0);
    sched_setaffinity(None, &processors).context("staying on one processor")?;

    let connection = question::connect(set)?;
    for question in question::set(set)? {
        let first = Answer::to(&question, &connection, Route::Direct)?;
        let mut batches = vec![];
        // The first batch, which fills caches, does not count.
        for _ in 0..=amount.batches {
            let mut params = question.params.clone();
            let mut status = 0;
            let start = Stamp::now(unit);
            for _ in 0..amount.calls {
                status = connection.ask(Route::Direct, question.cmd, &mut params)?;
            }
            batches.push(start.elapsed() / amount.calls as u64);
            let last = Answer { status, params };
            if let Some(difference) = first.difference(&last) {
                bail!("{}: the answers differ: {difference}", question.name);
            }
        }
        ensure!(batches.len() > 1, "no batch counts");
        let answered =
            Answered { name: question.name.to_owned(), route: Route::Direct, answer: first };
        println!("{}", Cost { answered, batches: batches.split_off(1) });
    }
    Ok(())
}

impl Amount {
    /// How often [`run`] asks each question, whether that counts or not.
    pub fn asked(self) -> usize {
        1 + (self.batches + 1) * self.calls
    }
}
