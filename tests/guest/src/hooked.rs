// SPDX-License-Identifier: GPL-2.0
//! What the kernel knows of hooks, whoever placed them.

use std::fs;

use anyhow::{Context, Result, ensure};

const FUNCTIONS: &str = "/sys/kernel/tracing/enabled_functions";
const PROBES: &str = "/sys/kernel/debug/kprobes/list";

/// All of them at one moment.
#[derive(Debug)]
pub struct Hooked {
    /// Functions that ftrace calls somebody for.
    functions: Vec<String>,
    probes: Vec<String>,
}

fn lines(path: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}

/// The kernel's lines about hooks of ftrace's on a function.
pub fn hooks_on(function: &str) -> Result<Vec<String>> {
    let of = |line: &String| line.split_whitespace().next() == Some(function);
    Ok(lines(FUNCTIONS)?.into_iter().filter(of).collect())
}

/// Kprobes on a function.
pub fn probes_on(function: &str) -> Result<Vec<String>> {
    Ok(probes()?.into_iter().filter(|line| line.contains(function)).collect())
}

/// Probes, as the kernel lists them.
pub fn probes() -> Result<Vec<String>> {
    lines(PROBES)
}

impl Hooked {
    pub fn now() -> Result<Self> {
        Ok(Self { functions: lines(FUNCTIONS)?, probes: probes()? })
    }

    /// Fails unless the kernel knows the same hooks now, no more and no fewer.
    pub fn as_found(&self) -> Result<()> {
        let now = Self::now()?;
        for (what, now, found) in
            [("functions", &now.functions, &self.functions), ("probes", &now.probes, &self.probes)]
        {
            ensure!(now == found, "{what} that are hooked: {now:#?} instead of {found:#?}");
        }
        Ok(())
    }
}
