// SPDX-License-Identifier: GPL-2.0
//! What a look at one link of the way found.

use serde::Serialize;

use crate::host::Unseen;

/// How it stands with a link. The worst finding of a link is the link's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It holds.
    Ok,
    /// It holds, and there is something to know.
    Note,
    /// It could not be looked at.
    Unseen,
    /// It is what keeps vGPUs from working.
    Broken,
    /// It was not looked at, because an earlier one is broken.
    NotAsked,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it stands.
    pub state: State,
    /// What is there, or what is wrong.
    pub what: String,
    /// What to do about it, step by step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cure: Vec<String>,
}

impl Finding {
    /// It holds.
    pub fn ok(what: impl Into<String>) -> Self {
        Self::new(State::Ok, what)
    }

    /// It holds, and this should be known.
    pub fn note(what: impl Into<String>) -> Self {
        Self::new(State::Note, what)
    }

    /// It is broken.
    pub fn broken(what: impl Into<String>) -> Self {
        Self::new(State::Broken, what)
    }

    /// There is nothing to look at, for this reason; an earlier link says what to do.
    pub fn not_asked(why: impl Into<String>) -> Self {
        Self::new(State::NotAsked, why)
    }

    /// The same, with one more step of what to do about it.
    pub fn cure(mut self, step: impl Into<String>) -> Self {
        self.cure.push(step.into());
        self
    }

    /// The same, with more steps of what to do about it.
    pub fn cures(mut self, steps: impl IntoIterator<Item = String>) -> Self {
        self.cure.extend(steps);
        self
    }

    fn new(state: State, what: impl Into<String>) -> Self {
        Self { state, what: what.into(), cure: vec![] }
    }
}

impl From<Unseen> for Finding {
    fn from(unseen: Unseen) -> Self {
        let needs_root = unseen.needs_root;
        let finding = Self::new(State::Unseen, format!("could not look: {unseen}"));
        if needs_root { finding.cure("ask again as root") } else { finding }
    }
}
