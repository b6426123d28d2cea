// SPDX-License-Identifier: GPL-2.0
//! The kernel log.
//!
//! `pr_info!` is of no use here: a kernel without Rust does not understand its format. So a line is
//! made first and printed as it is; what does not fit is cut.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU8, Ordering};

use super::bindings as b;
use crate::logic::params::Verbosity;

/// One line of at most this many bytes.
struct Line {
    text: [u8; 640],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let Some(free) = self.text.get_mut(self.len..) else { return Ok(()) };
        for (to, from) in free.iter_mut().zip(s.bytes()) {
            *to = from;
            self.len = self.len.saturating_add(1);
        }
        Ok(())
    }
}

/// What is written; the parameter `verbosity` as a number.
static LEVEL: AtomicU8 = AtomicU8::new(Verbosity::Normal as u8);

/// Sets what is written from now on.
pub fn set_verbosity(verbosity: Verbosity) {
    LEVEL.store(verbosity as u8, Ordering::Relaxed);
}

/// Something a person wants to know.
pub fn info(args: fmt::Arguments<'_>) {
    if LEVEL.load(Ordering::Relaxed) < Verbosity::Normal as u8 {
        return;
    }
    print(b::vu_level_VU_INFO, args);
}

/// Something a person who looks for a fault wants to know.
pub fn detail(args: fmt::Arguments<'_>) {
    if LEVEL.load(Ordering::Relaxed) >= Verbosity::Detailed as u8 {
        info(args);
    }
}

/// Something a person has to know.
pub fn warn(args: fmt::Arguments<'_>) {
    print(b::vu_level_VU_WARN, args);
}

fn print(level: b::vu_level, args: fmt::Arguments<'_>) {
    let mut line = Line { text: [0; 640], len: 0 };
    // Writing to a Line cannot fail.
    let _ = line.write_fmt(args);
    let len = i32::try_from(line.len).unwrap_or(0);
    // SAFETY: Reads the first `len` bytes of the line.
    unsafe { b::vu_log(level, line.text.as_ptr().cast(), len) };
}
