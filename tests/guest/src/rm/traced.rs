// SPDX-License-Identifier: GPL-2.0
//! A program under a debugger, which stops it at each ioctl, before the kernel has done it and afterwards.

use std::{
    ffi::c_long,
    io::{self, Read},
    os::unix::process::CommandExt,
    process::Child,
    ptr,
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result, bail, ensure};

use super::{answer::Answered, run};

/// Only whoever started it can be asked: all by one thread.
pub struct Traced {
    child: Child,
    pid: libc::pid_t,
    output: JoinHandle<io::Result<String>>,
}

fn request(what: libc::c_uint, pid: libc::pid_t, data: c_long) -> io::Result<c_long> {
    // The C library's type for it differs from one to another.
    // SAFETY: `data` is a number for each request that is made here, or a place that is large enough.
    let result = unsafe { libc::ptrace(what as _, pid, ptr::null_mut::<u8>(), data) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// What stopped it; `None` where it has ended.
fn wait(pid: libc::pid_t) -> Result<Option<i32>> {
    let mut status = 0;
    // SAFETY: The place is there.
    if unsafe { libc::waitpid(pid, &mut status, 0) } < 0 {
        return Err(io::Error::last_os_error()).context("waiting for a traced program");
    }
    if libc::WIFSTOPPED(status) {
        return Ok(Some(libc::WSTOPSIG(status)));
    }
    ensure!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "it ended with {status:#x}");
    Ok(None)
}

/// A stop of a system call's is told from a signal's by that bit.
const CALL: i32 = libc::SIGTRAP | 0x80;

impl Traced {
    /// Has the program `name` ask the questions of `set`; it is stopped before anything of it runs.
    pub fn start(name: &str, set: &str) -> Result<Self> {
        let mut command = run::command(name, &["ask", set]);
        // SAFETY: Nothing but a system call is made between fork and exec.
        unsafe { command.pre_exec(|| request(libc::PTRACE_TRACEME as _, 0, 0).map(drop)) };
        let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let pid = libc::pid_t::try_from(child.id()).context("its number")?;
        let mut stdout = child.stdout.take().context("no output")?;
        let output = thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map(|_| text)
        });
        equal_stop(wait(pid)?, libc::SIGTRAP)?;
        let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
        request(libc::PTRACE_SETOPTIONS as _, pid, options.into()).context("setting options")?;
        Ok(Self { child, pid, output })
    }

    /// Goes on until it makes an ioctl of the driver's, or such a call has returned. `false` where it has ended.
    pub fn run_to_next_call(&mut self) -> Result<bool> {
        loop {
            request(libc::PTRACE_SYSCALL as _, self.pid, 0).context("having it go on")?;
            match wait(self.pid)? {
                None => return Ok(false),
                Some(CALL) if self.asks_the_driver()? => return Ok(true),
                Some(CALL) => {}
                Some(signal) => bail!("it was stopped by signal {signal}"),
            }
        }
    }

    /// Whether it is stopped at an ioctl of the letter that NVIDIA's have.
    fn asks_the_driver(&self) -> Result<bool> {
        // SAFETY: Numbers only, of which all zero is a value.
        let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        request(libc::PTRACE_GETREGS as _, self.pid, (&raw mut registers) as c_long)
            .context("asking for its registers")?;
        let letter = (registers.rsi >> 8) as u8;
        Ok(registers.orig_rax == libc::SYS_ioctl as u64 && letter == b'F')
    }

    /// What it was answered; it has ended.
    pub fn answers(self) -> Result<Vec<Answered>> {
        let text = self.output.join().ok().context("a thread panicked")??;
        text.lines().map(Answered::parse).collect()
    }

    /// Ends it where it stands.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().context("killing a traced program")?;
        self.child.wait().context("waiting for a killed program").map(drop)
    }
}

fn equal_stop(stop: Option<i32>, signal: i32) -> Result<()> {
    ensure!(stop == Some(signal), "stopped by {stop:?} instead of {signal}");
    Ok(())
}
