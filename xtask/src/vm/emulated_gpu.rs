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

/// A board that is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// What people call it.
    pub name: &'static str,
    /// PCI device ID.
    pub device: u16,
    /// PCI subsystem ID. It counts only where boards share a device ID.
    pub subsystem: u16,
    /// The number that nouveau's sources give its chip, and the chip itself.
    pub chip: u16,
    /// Key in its BAR3, hexadecimal, where it is not the right one.
    pub key: Option<&'static str>,
}

const fn model(name: &'static str, device: u16, chip: u16) -> Model {
    Model { name, device, subsystem: 0x120f, chip, key: None }
}

/// A GM204, a GP102, a GV100 and a TU102; and one that NVIDIA lists.
pub const GTX_970: Model = model("GTX 970", 0x13c2, 0x124);
pub const GTX_1080_TI: Model = model("GTX 1080 Ti", 0x1b06, 0x132);
pub const TITAN_V: Model = model("Titan V", 0x1d81, 0x140);
pub const RTX_2080_TI: Model = model("RTX 2080 Ti", 0x1e04, 0x162);
pub const TESLA_P40: Model = Model { subsystem: 0x11d9, ..model("Tesla P40", 0x1b38, 0x132) };

impl Model {
    /// With a key that is not its own.
    pub const fn with_key(self, key: &'static str) -> Self {
        Self { key: Some(key), ..self }
    }
}

/// The boards of a machine in words, each once.
pub fn in_words(boards: &[Model]) -> String {
    let mut words = vec![];
    for (i, board) in boards.iter().enumerate() {
        let same = |other: &&Model| other.device == board.device;
        if boards[..i].iter().any(|other| same(&other)) {
            continue;
        }
        let count = match boards.iter().filter(same).count() {
            1 => String::new(),
            count => format!("{count} × "),
        };
        words.push(format!("{count}{} (10de:{:04x})", board.name, board.device));
    }
    words.join(", ")
}

/// What a machine's first board is, where it is not the scenario's.
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
    /// Starts one that listens in `dir`, as the machine's board number `index`.
    ///
    /// # Errors
    /// It does not compile, does not start or refuses an option.
    pub fn start(dir: &Path, index: usize, model: &Model, options: &BoardOptions) -> Result<Self> {
        let program = sh::cargo_build("emulated-gpu")?;
        let socket = dir.join(format!("gpu{index}.sock"));
        // An earlier try may have left one, at which nobody listens.
        let _ = std::fs::remove_file(&socket);
        let log = dir.join(format!("gpu{index}.log"));
        let log_file = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let mut command = Command::new(program);
        command.arg("--socket").arg(&socket).stderr(log_file);
        command.arg("--chip").arg(format!("{:x}", model.chip));
        let own = [
            ("--device", &options.device, Some(format!("{:x}", model.device))),
            ("--subsystem", &options.subsystem, Some(format!("{:x}", model.subsystem))),
            ("--key", &options.key, model.key.map(str::to_owned)),
        ];
        for (option, asked_for, its) in own {
            if let Some(value) = asked_for.clone().or(its) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_that_are_alike_are_counted() {
        assert_eq!(in_words(&[GTX_1080_TI]), "GTX 1080 Ti (10de:1b06)");
        let boards = [GTX_970, GTX_1080_TI, TESLA_P40, GTX_1080_TI.with_key("00")];
        let expected = "GTX 970 (10de:13c2), 2 × GTX 1080 Ti (10de:1b06), Tesla P40 (10de:1b38)";
        assert_eq!(in_words(&boards), expected);
    }
}
