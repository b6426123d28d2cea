// SPDX-License-Identifier: GPL-2.0
//! What was answered, as programs pass it on: a line each.

use std::fmt::{self, Display};

use anyhow::{Context, Result, bail};

pub use super::call::Route;
use super::{call::Connection, question::Question};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u32,
    pub params: Vec<u8>,
}

/// An answer, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub name: String,
    pub route: Route,
    pub answer: Answer,
}

impl Answer {
    pub fn to(question: &Question, connection: &Connection, route: Route) -> Result<Self> {
        let mut params = question.params.clone();
        let status = connection.ask(route, question.cmd, &mut params)?;
        Ok(Self { status, params })
    }

    /// Says where `other` differs; `None` where it does not.
    pub fn difference(&self, other: &Answer) -> Option<String> {
        let mut found = vec![];
        if self.status != other.status {
            found.push(format!("status {:#x} instead of {:#x}", other.status, self.status));
        }
        if self.params.len() != other.params.len() {
            found.push(format!("{} bytes instead of {}", other.params.len(), self.params.len()));
        }
        let len = self.params.len().min(other.params.len());
        let same = |i: &usize| self.params[*i] == other.params[*i];
        let mut at = 0;
        while let Some(start) = (at..len).find(|i| !same(i)) {
            at = (start..len).find(same).unwrap_or(len);
            found.push(format!(
                "bytes {start}..{at} are {} instead of {}",
                hex::encode(&other.params[start..at]),
                hex::encode(&self.params[start..at])
            ));
        }
        (!found.is_empty()).then(|| found.join(", "))
    }
}

impl Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Answered { name, route, answer } = self;
        let params = hex::encode(&answer.params);
        write!(f, "{name}|{route:?}|{:x}|{params}", answer.status)
    }
}

impl Answered {
    pub fn parse(line: &str) -> Result<Self> {
        let mut words = line.split('|');
        let mut word = || words.next().with_context(|| format!("{line:?} is no answer"));
        let name = word()?.to_owned();
        let route = match word()? {
            "Direct" => Route::Direct,
            "Transfer" => Route::Transfer,
            other => bail!("there is no way {other:?}"),
        };
        let status = u32::from_str_radix(word()?, 16).context("no status")?;
        let params = hex::decode(word()?).context("no parameters")?;
        Ok(Self { name, route, answer: Answer { status, params } })
    }
}
