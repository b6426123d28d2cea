// SPDX-License-Identifier: GPL-2.0
//! What `doctor` says, for people and for programs.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{Finding, State};

/// Everything that was found.
#[derive(Debug)]
pub struct Report {
    /// What the distribution calls itself.
    pub distribution: String,
    /// The release of the running kernel.
    pub kernel: String,
    /// The links, in their order.
    pub links: Vec<Result>,
}

/// What was found about one link.
#[derive(Debug, Serialize)]
pub struct Result {
    /// What programs call it.
    pub link: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// How it stands: as the worst of its findings.
    pub state: State,
    /// Each thing that was found, or why nothing was asked.
    pub findings: Vec<Finding>,
}

impl Result {
    /// Sums up what was found.
    pub(super) fn new(link: &'static str, name: &'static str, findings: Vec<Finding>) -> Self {
        let state = findings.iter().map(|finding| finding.state).max().unwrap_or(State::NotAsked);
        Self { link, name, state, findings }
    }
}

/// The sum of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every link holds.
    Ok,
    /// One is broken.
    Broken,
    /// None is known to be broken, but one could not be looked at.
    Unseen,
}

impl Verdict {
    /// The exit status for scripts.
    pub fn exit_status(self) -> u8 {
        match self {
            Verdict::Ok => 0,
            Verdict::Broken => 1,
            Verdict::Unseen => 2,
        }
    }
}

impl Report {
    /// The sum of it.
    pub fn verdict(&self) -> Verdict {
        if self.links.iter().any(|link| link.state == State::Broken) {
            Verdict::Broken
        } else if self.links.iter().any(|link| link.state == State::Unseen) {
            Verdict::Unseen
        } else {
            Verdict::Ok
        }
    }

    fn names(&self, state: State) -> String {
        let links = self.links.iter().filter(|link| link.state == state);
        links.map(|link| link.name).collect::<Vec<_>>().join(", ")
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Report", 4)?;
        fields.serialize_field("distribution", &self.distribution)?;
        fields.serialize_field("kernel", &self.kernel)?;
        fields.serialize_field("verdict", &self.verdict())?;
        fields.serialize_field("links", &self.links)?;
        fields.end()
    }
}

/// The columns of a line: the state, and the link's name.
const STATE: usize = 8;
const NAME: usize = 20;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, kernel {}", self.distribution, self.kernel)?;
        for link in &self.links {
            let mut name = link.name;
            for finding in &link.findings {
                writeln!(f, "{:STATE$}{name:NAME$}{}", word(finding.state), finding.what)?;
                name = "";
                for step in &finding.cure {
                    writeln!(f, "{:width$}-> {step}", "", width = STATE + NAME)?;
                }
            }
        }
        match self.verdict() {
            Verdict::Ok => writeln!(f, "all links hold"),
            Verdict::Broken => writeln!(f, "broken: {}", self.names(State::Broken)),
            Verdict::Unseen => {
                writeln!(
                    f,
                    "nothing is known to be broken; not seen: {}",
                    self.names(State::Unseen)
                )
            }
        }
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Note => "note",
        State::Unseen => "unseen",
        State::Broken => "BROKEN",
        State::NotAsked => "-",
    }
}
