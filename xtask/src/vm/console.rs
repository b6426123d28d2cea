// SPDX-License-Identifier: GPL-2.0
//! Complaints in a kernel's log.

/// Words by which the kernel says that something is wrong with itself.
const COMPLAINTS: [&str; 16] = [
    "WARNING: ",
    "BUG: ",
    "kernel BUG at ",
    "Oops: ",
    "general protection fault",
    "Kernel panic - ",
    "INFO: task ",
    "rcu: INFO: ",
    "UBSAN: ",
    "KASAN: ",
    "KCSAN: ",
    "DEBUG_LOCKS_WARN_ON",
    "refcount_t: ",
    // Of a slab, of a lock and of what nobody points to any more: kernels for debugging say so.
    "BUG kmalloc-",
    "INFO: trying to register non-static key",
    "new suspected memory leaks",
];

/// The lines of `log` in which the kernel complains, without those that contain announced words.
pub fn complaints(log: &str, announced: &[String]) -> Vec<String> {
    log.lines()
        .map(message)
        .filter(|line| COMPLAINTS.iter().any(|words| line.contains(words)))
        .filter(|line| !announced.iter().any(|words| line.contains(words.as_str())))
        .map(str::to_owned)
        .collect()
}

/// The last `count` lines of `log`.
pub fn tail(log: &str, count: usize) -> String {
    let lines: Vec<&str> = log.lines().map(str::trim_end).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// A line without its time.
fn message(line: &str) -> &str {
    let line = line.trim_end();
    match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((time, message)) if time.chars().all(|c| " .0123456789".contains(c)) => message,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "[    0.000000] Linux version 6.12\r\n\
        [    1.000000] WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\r\n\
        [    2.000000] BUG: unable to handle page fault for address: 0\r\n\
        [    3.000000] nvidia: module license 'NVIDIA' taints kernel.\r\n";

    #[test]
    fn complaints_are_found_and_their_time_is_left_out() {
        assert_eq!(
            complaints(LOG, &[]),
            [
                "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2",
                "BUG: unable to handle page fault for address: 0"
            ]
        );
    }

    #[test]
    fn kernels_for_debugging_are_understood() {
        for line in [
            "WARNING: possible circular locking dependency detected",
            "WARNING: suspicious RCU usage",
            "BUG: sleeping function called from invalid context at a.c:1",
            "BUG kmalloc-64 (Tainted: G           O      ): Right Redzone overwritten",
            "INFO: trying to register non-static key.",
            "kmemleak: 2 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
        ] {
            assert_eq!(complaints(&format!("[    1.000000] {line}\r\n"), &[]), [line]);
        }
    }

    #[test]
    fn announced_ones_are_not_counted() {
        assert_eq!(complaints(LOG, &["a.c:1".into(), "BUG: unable".into()]), Vec::<String>::new());
    }

    #[test]
    fn the_tail_is_short_where_the_log_is() {
        assert_eq!(tail("a\r\nb\r\nc\r\n", 2), "b\nc");
        assert_eq!(tail("a", 2), "a");
    }
}
