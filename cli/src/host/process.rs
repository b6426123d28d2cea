// SPDX-License-Identifier: GPL-2.0
//! Processes by their name.

use std::time::Duration;

use super::{Host, Seen};

/// `/proc` counts in hundredths of a second, on every machine that the kernel's ABI is the same on.
const TICKS_PER_SECOND: u64 = 100;

/// A process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it was started, since the kernel was.
    pub started: Duration,
}

/// The processes that are called `name`.
///
/// # Errors
/// `/proc` can't be read.
pub fn processes(host: &Host, name: &str) -> Seen<Vec<Process>> {
    let mut found = vec![];
    for pid in host.names("/proc")?.into_iter().filter_map(|name| name.parse().ok()) {
        // One that ends while we look is no fault.
        let Ok(Some(comm)) = host.line(&format!("/proc/{pid}/comm")) else { continue };
        if comm != name {
            continue;
        }
        let Ok(Some(stat)) = host.line(&format!("/proc/{pid}/stat")) else { continue };
        // Behind the name in parentheses, which can have anything in it, the 20th is the start.
        let start = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19));
        let ticks = start.and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0);
        let started = Duration::from_millis(ticks.saturating_mul(1000 / TICKS_PER_SECOND));
        found.push(Process { pid, started });
    }
    found.sort_by_key(|process| process.pid);
    Ok(found)
}

impl Host {
    /// How long the kernel has been running.
    ///
    /// # Errors
    /// It can't be read.
    pub fn uptime(&self) -> Seen<Option<Duration>> {
        let text = self.line("/proc/uptime")?;
        let seconds = text.as_deref().and_then(|text| text.split_whitespace().next());
        let seconds = seconds.and_then(|seconds| seconds.parse::<f64>().ok());
        Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::MadeUp;
    use super::*;

    #[test]
    fn processes_are_found_by_name_with_their_start() {
        let mut made_up = MadeUp::default();
        let stat = "812 (nvidia (x) y) S 1 812 812 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 1234 9";
        made_up
            .file("/proc/812/comm", "nvidia-vgpu-mgr\n")
            .file("/proc/812/stat", stat)
            .file("/proc/813/comm", "nvidia-vgpud\n")
            .file("/proc/uptime", "5000.25 9000.00\n")
            .file("/proc/self/comm", "nvidia-vgpu-mgr\n");
        let host = made_up.host();
        let found = processes(&host, "nvidia-vgpu-mgr").unwrap();
        assert_eq!(found, [Process { pid: 812, started: Duration::from_millis(12340) }]);
        assert_eq!(host.uptime().unwrap(), Some(Duration::from_millis(5_000_250)));
    }
}
