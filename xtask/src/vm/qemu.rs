// SPDX-License-Identifier: GPL-2.0
//! One run of QEMU, without KVM.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::protocol::Line;

/// Guest memory; NVIDIA's driver alone takes 100 MB of it, and its file in the initramfs as much.
const MEMORY: &str = "3072M";

/// How long init may take to say its first word; a few seconds is usual.
const BOOT: Duration = Duration::from_secs(75);

/// Two processors at full speed.
const TIMED: &[&str] = &["-accel", "tcg,thread=multi", "-smp", "2"];

/// Where instructions are counted there is one. It does not wait for the clock when it idles, which
/// would take as long as the instructions that it has no use for.
const COUNTED: &[&str] =
    &["-accel", "tcg,thread=single", "-smp", "1", "-icount", "shift=0,sleep=off"];

/// In front of the boards. Devices that QEMU hands through want its caching mode.
const IOMMU: &[&str] = &["-device", "intel-iommu,caching-mode=on"];

/// What QEMU is given.
pub struct Machine<'a> {
    pub vmlinuz: &'a Path,
    pub initramfs: &'a Path,
    /// Where its boards listen, in the order of their addresses.
    pub gpu_sockets: Vec<PathBuf>,
    /// Where the kernel's log goes.
    pub console: PathBuf,
    /// Added to the kernel's command line.
    pub arguments: String,
    /// It has an IOMMU, without which vfio-pci takes no board.
    pub iommu: bool,
    /// One processor, whose time stamp counter and clocks advance by a nanosecond an instruction.
    pub counted: bool,
    pub timeout: Duration,
    /// How many times as long as others its kernel may take until it starts init.
    pub patience: u32,
}

/// How it ended.
#[derive(Debug)]
pub enum Exit {
    /// The guest switched off, or its kernel gave up.
    PoweredOff,
    /// It was ended after that long.
    TimedOut(Duration),
    /// QEMU failed, and said so.
    Qemu(String),
}

/// Everything that a run left behind.
#[derive(Debug)]
pub struct End {
    pub lines: Vec<Line>,
    pub exit: Exit,
    pub console: PathBuf,
}

impl End {
    /// Whether the kernel came to a halt before it started init, and with it anything of ours: QEMU
    /// without KVM does that now and then, where it brings up the second processor.
    pub fn hung_in_boot(&self) -> bool {
        self.lines.is_empty() && matches!(self.exit, Exit::TimedOut(_))
    }
}

/// Ends QEMU on every way out.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is all the better.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Machine<'_> {
    /// Boots, passes the guest's lines to `watch`, and waits for the end.
    ///
    /// # Errors
    /// QEMU cannot be started.
    pub fn run(self, watch: &mut dyn FnMut(&Line)) -> Result<End> {
        let mut command = self.command();
        let child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let mut qemu = Running(child);
        let report = qemu.0.stdout.take().context("QEMU's standard output")?;
        let mut errors = qemu.0.stderr.take().context("QEMU's standard error")?;
        let complaints = thread::spawn(move || {
            let mut text = String::new();
            // What can't be read was not said.
            let _ = errors.read_to_string(&mut text);
            text
        });

        let (sender, receiver) = channel();
        thread::spawn(move || {
            for line in BufReader::new(report).split(b'\n').map_while(|line| line.ok()) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        let start = Instant::now();
        let mut lines = vec![];
        let timed_out = loop {
            let limit = if lines.is_empty() {
                self.timeout.min(BOOT * self.patience)
            } else {
                self.timeout
            };
            let left = (start + limit).saturating_duration_since(Instant::now());
            match receiver.recv_timeout(left) {
                Ok(text) => {
                    let line = Line::parse(&text);
                    watch(&line);
                    lines.push(line);
                }
                Err(RecvTimeoutError::Timeout) => break true,
                Err(RecvTimeoutError::Disconnected) => break false,
            }
        };
        let exit = if timed_out {
            Exit::TimedOut(self.timeout)
        } else {
            let status = qemu.0.wait().context("waiting for QEMU")?;
            match status.success() {
                true => Exit::PoweredOff,
                false => Exit::Qemu(format!("{status}")),
            }
        };
        drop(qemu);
        let complaints = complaints.join().unwrap_or_default();
        let exit = match exit {
            Exit::Qemu(status) => Exit::Qemu(format!("{status}, {}", complaints.trim())),
            other => other,
        };
        Ok(End { lines, exit, console: self.console })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("qemu-system-x86_64");
        let board = |socket: &PathBuf| {
            let socket = serde_json::json!({
                "driver": "vfio-user-pci",
                "socket": { "type": "unix", "path": socket },
            });
            ["-device".to_owned(), socket.to_string()]
        };
        let serial = |path: &Path| format!("file:{}", path.display());
        command
            .args(if self.counted { COUNTED } else { TIMED })
            .args(["-cpu", "max", "-m", MEMORY])
            // The emulated GPU's process must be able to map the guest's memory.
            .args(["-machine", "q35,memory-backend=mem"])
            .args(["-object", &format!("memory-backend-memfd,id=mem,size={MEMORY},share=on")])
            .args(["-display", "none", "-monitor", "none", "-no-reboot", "-nodefaults"])
            // First the kernel's console, second the guest's report.
            .args(["-serial", &serial(&self.console), "-serial", "stdio"])
            .args(if self.iommu { IOMMU } else { &[] })
            .args(self.gpu_sockets.iter().flat_map(board))
            .arg("-kernel")
            .arg(self.vmlinuz)
            .arg("-initrd")
            .arg(self.initramfs)
            .args(["-append", &format!("console=ttyS0 loglevel=7 panic=-1 {}", self.arguments)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}
