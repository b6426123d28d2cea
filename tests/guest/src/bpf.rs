// SPDX-License-Identifier: GPL-2.0
//! BPF programs that are run when a function of the kernel's is called, and do nothing. The kernel counts how often.
//!
//! The structures are those of include/uapi/linux/bpf.h and perf_event.h; libc has not got them.

use std::{
    ffi::{CString, c_int, c_long},
    fs, io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

use anyhow::{Context, Result};

use crate::kernel;

/// How a program comes to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// A kprobe at the entry.
    Entry,
    /// A kretprobe.
    Return,
    /// An fprobe, by which many functions are watched at once.
    Multi,
}

const BPF_PROG_LOAD: c_int = 5;
const BPF_LINK_CREATE: c_int = 28;
const BPF_PROG_TYPE_KPROBE: u32 = 2;
const BPF_TRACE_KPROBE_MULTI: u32 = 42;
const PERF_EVENT_IOC_ENABLE: u64 = 0x2400;
const PERF_EVENT_IOC_SET_BPF: u64 = 0x4004_2408;
const PERF_FLAG_FD_CLOEXEC: u64 = 8;

/// Returns 0.
const PROGRAM: [[u8; 8]; 2] = [[0xb7, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];

#[repr(C)]
#[derive(Default)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
}

#[repr(C)]
#[derive(Default)]
struct LinkCreateMulti {
    prog_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
    multi_flags: u32,
    count: u32,
    symbols: u64,
    addresses: u64,
    cookies: u64,
}

/// As long as PERF_ATTR_SIZE_VER1.
#[repr(C)]
#[derive(Default)]
struct PerfEvent {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup: u32,
    bp_type: u32,
    function: u64,
    offset: u64,
}

fn descriptor(returned: c_long) -> io::Result<OwnedFd> {
    match c_int::try_from(returned) {
        // SAFETY: The kernel has just returned it, and nobody else knows it.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// What `attr` points to has to be there.
fn bpf<T>(command: c_int, attr: &T) -> io::Result<OwnedFd> {
    // SAFETY: The kernel reads as many bytes as it is told, and these commands write nothing.
    descriptor(unsafe { libc::syscall(libc::SYS_bpf, command, attr, size_of::<T>()) })
}

fn load(on: On) -> io::Result<OwnedFd> {
    let license = c"GPL";
    let attr = ProgLoad {
        prog_type: BPF_PROG_TYPE_KPROBE,
        insn_cnt: PROGRAM.len() as u32,
        insns: PROGRAM.as_ptr() as u64,
        license: license.as_ptr() as u64,
        expected_attach_type: if on == On::Multi { BPF_TRACE_KPROBE_MULTI } else { 0 },
        ..ProgLoad::default()
    };
    bpf(BPF_PROG_LOAD, &attr)
}

fn link(program: &OwnedFd, function: &CString) -> io::Result<OwnedFd> {
    let symbols = [function.as_ptr()];
    let attr = LinkCreateMulti {
        prog_fd: program.as_raw_fd() as u32,
        attach_type: BPF_TRACE_KPROBE_MULTI,
        count: 1,
        symbols: symbols.as_ptr() as u64,
        ..LinkCreateMulti::default()
    };
    bpf(BPF_LINK_CREATE, &attr)
}

fn event(program: &OwnedFd, function: &CString, at_return: bool) -> Result<OwnedFd> {
    const TYPE: &str = "/sys/bus/event_source/devices/kprobe/type";
    let kind = fs::read_to_string(TYPE).with_context(|| format!("reading {TYPE}"))?;
    let attr = PerfEvent {
        kind: kind.trim_end().parse().context("the type of kprobe events")?,
        size: size_of::<PerfEvent>() as u32,
        config: at_return.into(),
        function: function.as_ptr() as u64,
        ..PerfEvent::default()
    };
    let (everybody, cpu, no_group) = (-1, 0, -1);
    // SAFETY: The kernel reads the structure and the name, which are there.
    let event = descriptor(unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attr,
            everybody,
            cpu,
            no_group,
            PERF_FLAG_FD_CLOEXEC,
        )
    })
    .context("perf_event_open")?;
    let argument = program.as_raw_fd();
    for (request, argument) in [(PERF_EVENT_IOC_SET_BPF, argument), (PERF_EVENT_IOC_ENABLE, 0)] {
        // SAFETY: Neither takes a pointer.
        if unsafe { libc::ioctl(event.as_raw_fd(), request, argument) } != 0 {
            return Err(io::Error::last_os_error()).with_context(|| format!("ioctl {request:#x}"));
        }
    }
    Ok(event)
}

/// A program that is run; until it is dropped.
pub struct Program {
    program: OwnedFd,
    _attached: OwnedFd,
}

impl Program {
    pub fn attach(on: On, function: &str) -> Result<Self> {
        kernel::write("/proc/sys/kernel/bpf_stats_enabled", "1")?;
        let name = CString::new(function)?;
        let program = load(on).with_context(|| format!("loading a BPF program for {on:?}"))?;
        let attached = match on {
            On::Multi => link(&program, &name).context("linking a BPF program"),
            _ => event(&program, &name, on == On::Return),
        };
        let _attached = attached.with_context(|| format!("{on:?} of {function}"))?;
        Ok(Self { program, _attached })
    }

    /// How often it was run.
    pub fn runs(&self) -> Result<u64> {
        let path = format!("/proc/self/fdinfo/{}", self.program.as_raw_fd());
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let count = text.lines().find_map(|line| line.strip_prefix("run_cnt:"));
        let count = count.with_context(|| format!("no run_cnt in {path}:\n{text}"))?;
        count.trim().parse().with_context(|| format!("run_cnt is {count:?}"))
    }
}
