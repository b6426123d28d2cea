// SPDX-License-Identifier: GPL-2.0
//! The process behind the emulated board.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::sh;

/// The board that is emulated unless another is asked for.
pub const EMULATED: &str = "GTX 1080 Ti (10de:1b06)";

/// What the emulated board is, where it is not the default.
#[derive(Clone, Debug, Default)]
pub struct BoardOptions {
    /// PCI device ID, hexadecimal.
    pub device: Option<String>,
    /// PCI subsystem ID, hexadecimal.
    pub subsystem: Option<String>,
    /// Key in BAR3, hexadecimal.
    pub key: Option<String>,
}

/// A board that waits for QEMU, and goes when this is dropped.
pub struct EmulatedGpu {
    process: Child,
    socket: PathBuf,
}

impl EmulatedGpu {
    /// Starts one that listens in `dir`.
    ///
    /// # Errors
    /// It does not compile, does not start or refuses an option.
    pub fn start(dir: &Path, options: &BoardOptions) -> Result<Self> {
        let program = sh::cargo_build("emulated-gpu")?;
        let socket = dir.join("gpu.sock");
        // An earlier try may have left one, at which nobody listens.
        let _ = std::fs::remove_file(&socket);
        let log = dir.join("gpu.log");
        let log_file = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let mut command = Command::new(program);
        command.arg("--socket").arg(&socket).stderr(log_file);
        let settings = [
            ("--device", &options.device),
            ("--subsystem", &options.subsystem),
            ("--key", &options.key),
        ];
        for (option, value) in settings {
            if let Some(value) = value {
                command.arg(option).arg(value);
            }
        }
        let process = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let mut gpu = Self { process, socket };
        gpu.wait_for_socket(&log)?;
        Ok(gpu)
    }

    fn wait_for_socket(&mut self, log: &Path) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.socket.exists() {
            if let Some(status) = self.process.try_wait().context("asking for the emulated GPU")? {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                bail!("the emulated GPU ended ({status}):\n{said}");
            }
            if Instant::now() > deadline {
                bail!("the emulated GPU does not listen, see {}", log.display());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for EmulatedGpu {
    fn drop(&mut self) {
        // It goes by itself when QEMU does.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
