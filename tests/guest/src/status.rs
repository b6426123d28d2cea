// SPDX-License-Identifier: GPL-2.0
//! What the module says about itself.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

const TEXT: &str = "/sys/kernel/debug/vgpu_unlock/status";
const JSON: &str = "/sys/kernel/debug/vgpu_unlock/status.json";

/// The text for people.
pub fn text() -> Result<String> {
    fs::read_to_string(TEXT).with_context(|| format!("reading {TEXT}"))
}

/// The JSON for tools.
pub struct Status(Value);

impl Status {
    pub fn read() -> Result<Self> {
        let text = fs::read_to_string(JSON).with_context(|| format!("reading {JSON}"))?;
        let value = serde_json::from_str(&text).with_context(|| format!("{JSON}: {text}"))?;
        Ok(Self(value))
    }

    fn at(&self, pointer: &str) -> Result<&Value> {
        self.0.pointer(pointer).with_context(|| format!("no {pointer} in {}", self.0))
    }

    /// Fails unless the value at `pointer` is `expected`; the reason given beside it is shown.
    pub fn is(&self, pointer: &str, expected: impl Into<Value>) -> Result<()> {
        let expected = expected.into();
        let actual = self.at(pointer)?;
        let beside = pointer.rsplit_once('/').map_or("", |(object, _)| object);
        let reason = self.0.pointer(&format!("{beside}/reason")).unwrap_or(&Value::Null);
        ensure!(*actual == expected, "{pointer} is {actual}, not {expected} (reason: {reason})");
        Ok(())
    }

    /// The number at `pointer`.
    pub fn number(&self, pointer: &str) -> Result<u64> {
        let value = self.at(pointer)?;
        value.as_u64().with_context(|| format!("{pointer} is {value}"))
    }

    /// Fails unless the text at `pointer` contains `words`.
    pub fn mentions(&self, pointer: &str, words: &str) -> Result<()> {
        let actual = self.at(pointer)?;
        let text = actual.as_str().unwrap_or_default();
        ensure!(text.contains(words), "{pointer} is {actual}, which does not say {words:?}");
        Ok(())
    }

    /// The hooks' names and states.
    pub fn hooks(&self) -> Result<Vec<(String, String)>> {
        let hooks = self.at("/hooks")?.as_array().context("hooks are no list")?;
        let text = |hook: &Value, key: &str| hook[key].as_str().unwrap_or("?").to_owned();
        Ok(hooks.iter().map(|hook| (text(hook, "name"), text(hook, "state"))).collect())
    }

    /// How many calls the hook `name` has missed.
    pub fn missed(&self, name: &str) -> Result<u64> {
        self.count(name, "misses")
    }

    /// How many calls the hook `name` has seen.
    pub fn hits(&self, name: &str) -> Result<u64> {
        self.count(name, "hits")
    }

    fn count(&self, name: &str, what: &str) -> Result<u64> {
        let hooks = self.at("/hooks")?.as_array().context("hooks are no list")?;
        let hook = hooks.iter().find(|hook| hook["name"] == name);
        let hook = hook.with_context(|| format!("no hook {name} in {hooks:?}"))?;
        hook[what].as_u64().with_context(|| format!("no number of {what} in {hook}"))
    }

    /// Fails unless the hook `name` is in that state.
    pub fn hook_is(&self, name: &str, state: &str) -> Result<()> {
        let hooks = self.hooks()?;
        let is = hooks.iter().any(|(hook, now)| hook == name && now == state);
        ensure!(is, "{name} is not {state}; all: {hooks:?}");
        Ok(())
    }

    /// Fails where a hook is in another state than those.
    pub fn hooks_are(&self, states: &[&str]) -> Result<()> {
        let hooks = self.hooks()?;
        for (name, state) in &hooks {
            ensure!(states.contains(&state.as_str()), "hook {name} is {state}; all: {hooks:?}");
        }
        Ok(())
    }
}
