// SPDX-License-Identifier: GPL-2.0
//! The module's own status, as the running module tells it.
//!
//! It may be another version's: what is missing in it is no error, and words that are not known
//! here are shown as they are.

mod follow;

use serde_json::Value;
use vgpu_unlock::profile::Key;

use crate::{
    apply::memory::{self, Needs},
    host::{Host, Unseen},
};

pub use follow::Follower;

const DEBUGFS: &str = "/sys/kernel/debug";
const TEXT: &str = "/sys/kernel/debug/vgpu_unlock/status";
const JSON: &str = "/sys/kernel/debug/vgpu_unlock/status.json";

/// Where the kernel shows a module that is loaded.
pub const MODULE: &str = "/sys/module/vgpu_unlock";

/// Why there is no status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The module is not loaded.
    NotLoaded,
    /// It is, but there is no debugfs where everyone has it.
    NotMounted,
    /// There is a debugfs without our files in it.
    NoFile,
    /// It can't be read, or is no JSON.
    Unseen(Unseen),
}

impl Missing {
    /// What is wrong.
    pub fn what(&self) -> String {
        match self {
            Missing::NotLoaded => "vgpu_unlock is not loaded".into(),
            Missing::NotMounted => {
                format!("vgpu_unlock is loaded, but debugfs is not mounted at {DEBUGFS}")
            }
            Missing::NoFile => format!("vgpu_unlock is loaded, but {TEXT} does not exist"),
            Missing::Unseen(unseen) => format!("the status can't be read: {unseen}"),
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            Missing::NotLoaded => "modprobe vgpu_unlock",
            Missing::NotMounted => "mount -t debugfs none /sys/kernel/debug",
            Missing::NoFile => {
                "boot without debugfs=off; a kernel without debugfs shows no status, and `journalctl -k -g \
                 vgpu_unlock` has to do"
            }
            Missing::Unseen(Unseen { needs_root: true, .. }) => "ask again as root",
            Missing::Unseen(_) => {
                "rmmod vgpu_unlock and modprobe vgpu_unlock; if that does not help, report it"
            }
        }
    }

    /// The exit status for scripts: 1 where the module or debugfs is missing, 2 where we could not
    /// look.
    pub fn exit_status(&self) -> u8 {
        match self {
            Missing::NotLoaded | Missing::NotMounted | Missing::NoFile => 1,
            Missing::Unseen(_) => 2,
        }
    }
}

/// The status for people, as the module words it, and what can't work for want of memory, which the module
/// does not know of.
///
/// # Errors
/// There is none; the reason says why.
pub fn text(host: &Host) -> Result<String, Missing> {
    let mut text = file(host, TEXT)?;
    let vgpus = Status::read(host).map(|status| memory::of_vgpus(status.needs()));
    let vgpus = vgpus.unwrap_or_default();
    for too_large in memory::of_overrides(host).iter().chain(&vgpus) {
        text.push_str(&format!("warning: {too_large}\n"));
    }
    Ok(text)
}

/// The status for programs, as the module writes it.
///
/// # Errors
/// There is none; the reason says why.
pub fn json(host: &Host) -> Result<String, Missing> {
    file(host, JSON)
}

fn file(host: &Host, path: &str) -> Result<String, Missing> {
    let there = |path| host.exists(path).map_err(Missing::Unseen);
    // Without root, debugfs hides whether there is anything in it; this does not.
    if !there(MODULE)? {
        return Err(Missing::NotLoaded);
    }
    if let Some(text) = host.text(path).map_err(Missing::Unseen)? {
        return Ok(text);
    }
    let mounted = host.names(DEBUGFS).map_err(Missing::Unseen)?;
    Err(if mounted.is_empty() { Missing::NotMounted } else { Missing::NoFile })
}

/// The status, taken apart.
#[derive(Clone, Debug)]
pub struct Status(Value);

impl Status {
    /// Reads the host's.
    ///
    /// # Errors
    /// There is none; the reason says why.
    pub fn read(host: &Host) -> Result<Self, Missing> {
        let text = json(host)?;
        serde_json::from_str(&text).map(Self).map_err(|error| {
            Missing::Unseen(Unseen { what: JSON.into(), why: error.to_string(), needs_root: false })
        })
    }

    /// The module's own version.
    pub fn version(&self) -> Option<&str> {
        word(&self.0, "/module/version")
    }

    /// How it stands with the driver, in the module's word.
    pub fn driver(&self) -> Option<&str> {
        word(&self.0, "/driver/state")
    }

    /// The driver's version.
    pub fn driver_version(&self) -> Option<&str> {
        word(&self.0, "/driver/version")
    }

    /// Why the driver was left alone.
    pub fn reason(&self) -> Option<&str> {
        word(&self.0, "/driver/reason")
    }

    /// How often a daemon has asked the driver, where that is counted.
    pub fn asked(&self, daemon: &str) -> Option<u64> {
        self.0.get("asked")?.get(daemon)?.as_u64()
    }

    /// Why the files of vGPU types say what the driver says, and not what is true.
    pub fn types_reason(&self) -> Option<&str> {
        word(&self.0, "/types/reason")
    }

    /// The boards.
    pub fn boards(&self) -> impl Iterator<Item = Board<'_>> {
        self.0.get("gpus").and_then(Value::as_array).into_iter().flatten().map(Board)
    }

    /// How much memory each vGPU needs whose `nvidia-vgpu-mgr` was told: by an override, or by its type.
    pub fn needs(&self) -> impl Iterator<Item = Needs<'_>> {
        self.boards().flat_map(|board| board.vgpus().filter_map(move |vgpu| vgpu.needs(board)))
    }

    /// The board at a PCI address.
    pub fn board(&self, address: &str) -> Option<Board<'_>> {
        self.boards().find(|board| board.address() == Some(address))
    }
}

/// A board, as the status has it.
#[derive(Clone, Copy, Debug)]
pub struct Board<'a>(&'a Value);

impl<'a> Board<'a> {
    /// Its PCI address.
    pub fn address(self) -> Option<&'a str> {
        word(self.0, "/address")
    }

    /// How it stands with it, in the module's word.
    pub fn state(self) -> Option<&'a str> {
        word(self.0, "/state")
    }

    /// Its PCI device ID.
    pub fn device(self) -> Option<u16> {
        u16::from_str_radix(word(self.0, "/device")?.strip_prefix("0x")?, 16).ok()
    }

    /// Its vGPUs.
    pub fn vgpus(self) -> impl Iterator<Item = Vgpu<'a>> {
        self.0.get("vgpus").and_then(Value::as_array).into_iter().flatten().map(Vgpu)
    }

    /// The same in a sentence of the module's.
    pub fn reason(self) -> Option<&'a str> {
        word(self.0, "/reason")
    }

    /// The PCI device ID that it is answered as, and the name of that board.
    pub fn answered_as(self) -> Option<(u16, &'a str)> {
        let device = word(self.0, "/answered_as/device")?;
        let device = u16::from_str_radix(device.strip_prefix("0x")?, 16).ok()?;
        Some((device, word(self.0, "/answered_as/name").unwrap_or_default()))
    }

    /// The driver's branch has no profiles for what it is answered as.
    pub fn profiles_gone(self) -> bool {
        self.0.get("profiles_gone").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The first step on the way to a running vGPU that is missing, and what to do about it.
    pub fn missing(self) -> Option<(&'a str, &'a str)> {
        Some((word(self.0, "/missing")?, word(self.0, "/advice").unwrap_or_default()))
    }
}

/// A vGPU, as the status has it.
#[derive(Clone, Copy, Debug)]
pub struct Vgpu<'a>(&'a Value);

impl<'a> Vgpu<'a> {
    /// Its UUID.
    fn uuid(self) -> Option<&'a str> {
        word(self.0, "/uuid")
    }

    /// The number that `nvidia-vgpu-mgr` was told last for a key.
    fn in_force(self, key: Key) -> Option<u64> {
        self.0.get("told")?.get("in_force")?.get(key.name())?.as_u64()
    }

    /// How much memory it needs of its board.
    fn needs(self, board: Board<'a>) -> Option<Needs<'a>> {
        let kept = self.in_force(Key::FramebufferReservation).unwrap_or(0);
        Some(Needs {
            device: board.device()?,
            address: board.address()?,
            uuid: self.uuid()?,
            bytes: self.in_force(Key::Framebuffer)?.saturating_add(kept),
        })
    }
}

fn word<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::made_up::MadeUp;

    #[test]
    fn what_is_missing_is_said_in_clear_words() {
        let mut made_up = MadeUp::default();
        let missing = |made_up: &MadeUp| text(&made_up.host()).unwrap_err();
        assert_eq!(missing(&made_up), Missing::NotLoaded);
        assert_eq!(missing(&made_up).cure(), "modprobe vgpu_unlock");
        made_up.dir(MODULE).dir(DEBUGFS);
        assert_eq!(missing(&made_up), Missing::NotMounted);
        assert!(missing(&made_up).cure().starts_with("mount -t debugfs"));
        made_up.dir("/sys/kernel/debug/tracing");
        assert_eq!(missing(&made_up), Missing::NoFile);
        made_up.file(TEXT, "vgpu_unlock 0.1.0\n").file(JSON, "{");
        assert_eq!(text(&made_up.host()).unwrap(), "vgpu_unlock 0.1.0\n");
        let broken = Status::read(&made_up.host()).unwrap_err();
        assert!(broken.what().contains("status.json: EOF"), "{}", broken.what());
        made_up.refuse(DEBUGFS);
        assert!(missing(&made_up).what().ends_with("(needs root)"));
        assert_eq!(missing(&made_up).cure(), "ask again as root");
        // Nobody needs root to see that there is no module.
        made_up.remove(MODULE);
        assert_eq!(missing(&made_up), Missing::NotLoaded);
    }

    #[test]
    fn another_versions_status_is_no_error() {
        let mut made_up = MadeUp::default();
        made_up.dir(MODULE).file(
            JSON,
            r#"{"driver":{"state":"answers only","new":[1]},"gpus":[{"state":7},{"address":"0000:01:00.0",
            "state":"held by others","missing":"a new link"}]}"#,
        );
        let status = Status::read(&made_up.host()).unwrap();
        assert_eq!((status.driver(), status.reason()), (Some("answers only"), None));
        assert_eq!((status.version(), status.asked("nvidia-vgpud")), (None, None));
        assert_eq!(status.boards().count(), 2);
        let board = status.board("0000:01:00.0").unwrap();
        assert_eq!((board.state(), board.answered_as()), (Some("held by others"), None));
        assert_eq!(board.missing(), Some(("a new link", "")));
        assert!(!board.profiles_gone());
        made_up.file(JSON, "[]");
        let status = Status::read(&made_up.host()).unwrap();
        assert_eq!((status.driver(), status.boards().count()), (None, 0));
    }

    /// The module's own code writes it, so that both can't come apart.
    #[test]
    fn the_modules_own_status_is_understood() {
        use vgpu_unlock::status as module;
        let address = vgpu_unlock::gpu::Address { domain: 0, bus: 1, slot: 0, function: 0 };
        let ids = vgpu_unlock::gpu::Ids { device: 0x1b06, subsystem: 0x120f };
        let gpu = module::Gpu {
            address,
            device: 0x1b06,
            subsystem: 0x120f,
            bound: vgpu_unlock::gpu::Bound::Nvidia,
            functions: 0,
            answer: vgpu_unlock::gpu::answer(ids, Some(550)),
            state: module::GpuState::Unlocked,
            profiles_gone: true,
            types: Some(0),
            vgpus: 0,
        };
        let report = module::Report {
            module_version: "1.2.3",
            driver_version: vgpu_unlock::driver::version::Version::parse(b"550.163.01"),
            driver: module::DriverState::Attached,
            proof: Some(vgpu_unlock::driver::site::Proof::Run),
            gpus: &[gpu],
            vgpus: &[],
            hooks: &[],
            types: module::TypeFiles::NotLoaded,
            told: &vgpu_unlock::rm_control::ToldTable::EMPTY,
            acceptance: None,
            answers: module::Answers::default(),
            tables: module::TablesState::NotNeeded,
            gpu_list_count: 0,
            entries: 0,
            locate_us: 900,
        };
        let mut made_up = MadeUp::default();
        made_up.dir(MODULE).file(JSON, module::Json(&report).to_string());
        let status = Status::read(&made_up.host()).unwrap();
        assert_eq!(status.version(), Some("1.2.3"));
        assert_eq!(
            (status.driver(), status.driver_version()),
            (Some("attached"), Some("550.163.01"))
        );
        assert_eq!(status.asked("nvidia-vgpud"), Some(0));
        let board = status.board("0000:01:00.0").unwrap();
        assert_eq!((board.state(), board.reason()), (Some("unlocked"), Some("unlocked")));
        assert_eq!(board.answered_as(), Some((0x1b38, "Tesla P40")));
        assert!(board.profiles_gone());
        assert_eq!(board.missing().unwrap().0, "nvidia-vgpud asked");
    }

    #[test]
    fn what_has_too_little_memory_is_said_behind_the_modules_own_words() {
        let mut made_up = MadeUp::default();
        let vgpu = |uuid, framebuffer: u64| {
            serde_json::json!({"uuid": uuid, "told": {"in_force": {
                "framebuffer": framebuffer, "framebuffer_reservation": 1u64 << 30, "card_name": "x",
            }}})
        };
        let json = serde_json::json!({"gpus": [
            {"address": "0000:01:00.0", "device": "0x1b06", "vgpus": [
                vgpu("u-10", 10 << 30), vgpu("u-11", 11 << 30), {"uuid": "u-0", "told": null}]},
            {"address": "0000:02:00.0", "device": "0x1b38", "vgpus": [vgpu("u-23", 23 << 30)]},
            // An RTX 6000 or an RTX 8000.
            {"address": "0000:03:00.0", "device": "0x1e30", "vgpus": [vgpu("u-99", 99 << 30)]},
        ]});
        made_up.dir(MODULE).file(TEXT, "vgpu_unlock 0.1.0\n").file(JSON, json.to_string());
        let vgpu = "warning: vGPU u-11 needs 12GiB of memory, and the GeForce GTX 1080 Ti at 0000:01:00.0 has \
                    11GiB\n";
        assert_eq!(text(&made_up.host()).unwrap(), format!("vgpu_unlock 0.1.0\n{vgpu}"));
        for (file, id) in [("vendor", "0x10de"), ("device", "0x1b06"), ("class", "0x030000")] {
            made_up.file(&format!("/sys/bus/pci/devices/0000:01:00.0/{file}"), format!("{id}\n"));
        }
        made_up.file("/sys/kernel/debug/vgpu_unlock/overrides", "nvidia-46:framebuffer=24GiB\n");
        let overridden = "warning: nvidia-46 needs 24GiB of memory, and the GeForce GTX 1080 Ti of this host has \
                          11GiB\n";
        let all = format!("vgpu_unlock 0.1.0\n{overridden}{vgpu}");
        assert_eq!(text(&made_up.host()).unwrap(), all);
        assert!(!self::json(&made_up.host()).unwrap().contains("warning"));
    }
}
