// SPDX-License-Identifier: GPL-2.0
//! Made-up hosts on which everything is right, for tests to break.

use serde_json::{Value, json};

use crate::{
    doctor::{Report, State, examine},
    host::made_up::{MadeUp, module},
};

pub const RELEASE: &str = "6.12.57+deb13-amd64";
pub const BOARD: &str = "/sys/bus/pci/devices/0000:01:00.0";
pub const STATUS: &str = "/sys/kernel/debug/vgpu_unlock/status.json";
pub const CONFIG: &str = "/usr/share/nvidia/vgpu/vgpuConfig.xml";
pub const TYPES: &str = "/sys/class/mdev_bus/0000:01:00.0/mdev_supported_types";
pub const UUID: &str = "00000001-0000-0000-0000-000000000100";

/// Debian 13 with a GeForce GTX 1080 Ti, vGPU 17 (550), and everything in its place.
pub fn healthy() -> MadeUp {
    let mut host = MadeUp::default();
    host.file("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n")
        .file("/usr/sbin/update-initramfs", "")
        .file("/usr/sbin/update-grub", "")
        .file("/etc/default/grub", "")
        .file("/proc/sys/kernel/osrelease", format!("{RELEASE}\n"))
        .file("/proc/cmdline", "BOOT_IMAGE=/vmlinuz quiet intel_iommu=on\n")
        .file("/proc/cpuinfo", "vendor_id\t: GenuineIntel\nflags\t\t: fpu vme vmx\n")
        .file("/proc/uptime", "5000.00 9000.00\n")
        .file("/dev/kvm", "")
        .dir("/sys/kernel/iommu_groups/0")
        .dir("/sys/kernel/iommu_groups/1")
        .link("/sys/class/iommu/dmar0", "../../devices/virtual/iommu/dmar0")
        .dir("/sys/firmware/acpi/tables")
        .file("/sys/firmware/acpi/tables/DMAR", "");
    board(&mut host, "0000:01:00.0", "0x1b06", "nvidia");
    kernel(&mut host, RELEASE, true);
    host.file("/sys/module/nvidia/version", "550.163.01\n")
        .file(
            "/proc/driver/nvidia/version",
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue Apr  8 12:41:17 UTC 2025\n",
        )
        .dir("/sys/module/nvidia_vgpu_vfio")
        .file("/usr/bin/nvidia-vgpud", "")
        .file("/usr/bin/nvidia-vgpu-mgr", "")
        .file("/usr/lib/modprobe.d/nvidia.conf", "blacklist nouveau\n")
        .dir("/sys/module/vgpu_unlock")
        .dir("/var/lib/dkms/vgpu_unlock/0.1.0")
        .file("/etc/modules-load.d/vgpu_unlock.conf", "vgpu_unlock\n")
        .file(CONFIG, config(&["0x1B38", "0x1E30"]));
    status(&mut host, |_| ());
    let wants = "/etc/systemd/system/multi-user.target.wants";
    for (pid, daemon) in [(700, "nvidia-vgpud"), (701, "nvidia-vgpu-mgr")] {
        host.link(
            &format!("{wants}/{daemon}.service"),
            &format!("/lib/systemd/system/{daemon}.service"),
        );
        process(&mut host, pid, daemon, 20);
    }
    host.file(&format!("{TYPES}/nvidia-46/name"), "GRID P40-1Q\n")
        .file(&format!("{TYPES}/nvidia-47/name"), "GRID P40-2Q\n")
        .dir("/sys/bus/mdev/devices")
        .link(&format!("/sys/bus/mdev/devices/{UUID}"), &format!("../../../devices/x/{UUID}"));
    kernel_says(&mut host, 5, "vgpu_unlock: loaded; NVIDIA's driver is not, waiting for it");
    host
}

/// Adds a board.
pub fn board(host: &mut MadeUp, address: &str, device: &str, driver: &str) {
    let dir = format!("/sys/bus/pci/devices/{address}");
    host.file(&format!("{dir}/vendor"), "0x10de\n")
        .file(&format!("{dir}/device"), format!("{device}\n"))
        .file(&format!("{dir}/subsystem_device"), "0x120f\n")
        .file(&format!("{dir}/class"), "0x030000\n");
    if !driver.is_empty() {
        host.link(&format!("{dir}/driver"), &format!("../../../../bus/pci/drivers/{driver}"));
    }
}

/// Gives the board at `0000:BUS:00.0` as many virtual functions.
pub fn functions(host: &mut MadeUp, bus: &str, device: &str, count: u32) {
    let dir = "/sys/bus/pci/devices";
    let board_dir = format!("{dir}/0000:{bus}:00.0");
    host.file(&format!("{board_dir}/sriov_totalvfs"), count.to_string());
    for number in 0..count {
        let place = number + 1;
        let address = format!("0000:{bus}:{:02x}.{}", place / 8, place % 8);
        board(host, &address, device, "nvidia");
        host.link(&format!("{dir}/{address}/physfn"), &format!("../0000:{bus}:00.0"));
        host.link(&format!("{board_dir}/virtfn{number}"), &format!("../{address}"));
    }
}

/// Adds a kernel, with or without the modules that vGPUs need.
pub fn kernel(host: &mut MadeUp, release: &str, built: bool) {
    let dir = format!("/lib/modules/{release}");
    let dkms = "updates/dkms/nvidia.ko.xz:\nupdates/dkms/nvidia-vgpu-vfio.ko.xz: updates/dkms/nvidia.ko.xz\n\
                updates/dkms/vgpu_unlock.ko:\n";
    let list = format!("kernel/drivers/gpu/nouveau.ko.xz:\n{}", if built { dkms } else { "" });
    host.file(&format!("{dir}/modules.dep"), list)
        .file(&format!("/boot/vmlinuz-{release}"), "")
        .link(&format!("{dir}/build"), &format!("/usr/src/linux-headers-{release}"));
    if built {
        host.file(&format!("{dir}/updates/dkms/vgpu_unlock.ko"), module("license=GPL\0", false));
    }
}

/// Adds a process that was started so many seconds after the kernel.
pub fn process(host: &mut MadeUp, pid: u32, name: &str, started: u32) {
    let zeros = "0 ".repeat(16);
    host.file(&format!("/proc/{pid}/comm"), format!("{name}\n"))
        .file(&format!("/proc/{pid}/stat"), format!("{pid} ({name}) S 1 1 {zeros}{}00 9", started))
        .file(&format!("/proc/{pid}/maps"), "7f00-7f01 r-xp 00000000 00:00 0 /usr/lib/libc.so.6\n")
        .file(&format!("/proc/{pid}/environ"), "PATH=/usr/bin\0");
}

/// Writes the module's status, as it is when all is well but for what `change` does.
pub fn status(host: &mut MadeUp, change: impl Fn(&mut Value)) {
    let mut value = json!({
        "module": {"name": "vgpu_unlock", "version": env!("CARGO_PKG_VERSION")},
        "driver": {"state": "attached", "version": "550.163.01", "branch": "550", "reason": null},
        "gpus": [{
            "address": "0000:01:00.0", "device": "0x1b06", "subsystem": "0x120f",
            "answered_as": {"device": "0x1b38", "subsystem": "0x120f", "name": "Tesla P40"},
            "state": "unlocked", "reason": "unlocked", "profiles_gone": true, "types": 2,
            "missing": null, "advice": null, "vgpu_count": 1,
        }],
        "types": {"state": "replaced", "calls": 7, "hidden": 0, "reason": null},
        "asked": {"nvidia-vgpud": 52, "nvidia-vgpu-mgr": 6},
    });
    change(&mut value);
    host.file(STATUS, value.to_string()).file("/sys/kernel/debug/vgpu_unlock/status", "the text\n");
}

/// A vgpuConfig.xml with two types for each of these boards.
pub fn config(devices: &[&str]) -> String {
    let boards: Vec<_> = devices
        .iter()
        .map(|device| {
            format!(
                "<pgpu><devId vendorId=\"0x10de\" deviceId=\"{device}\" subsystemVendorId=\"0x10de\" \
                 subsystemId=\"0x0\"></devId><supportedVgpu vgpuId=\"46\"><maxVgpus>24</maxVgpus>\
                 </supportedVgpu><supportedVgpu vgpuId=\"47\"/></pgpu>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!DOCTYPE vgpu SYSTEM \"vgpuConfig.dtd\">\n\
         <vgpuconfig><version>1.0</version>{}</vgpuconfig>\n",
        boards.concat()
    )
}

/// Adds a line of the kernel's to the journal, so many seconds after the kernel was started.
pub fn kernel_says(host: &mut MadeUp, at: u32, message: &str) {
    let at = format!("{at}000000");
    says(host, json!({"_TRANSPORT": "kernel", "MESSAGE": message, "__MONOTONIC_TIMESTAMP": at}));
}

/// Adds a line of a daemon's to the journal.
pub fn daemon_says(host: &mut MadeUp, at: u32, daemon: &str, message: &str) {
    let at = format!("{at}000000");
    let unit = format!("{daemon}.service");
    says(host, json!({"_SYSTEMD_UNIT": unit, "MESSAGE": message, "__MONOTONIC_TIMESTAMP": at}));
}

/// Adds systemd's line that a daemon is started.
pub fn daemon_starts(host: &mut MadeUp, at: u32, daemon: &str) {
    let at = format!("{at}000000");
    let unit = format!("{daemon}.service");
    let id = "7d4958e842da4a758f6c1cdc7b36dcc5";
    says(
        host,
        json!({"UNIT": unit, "MESSAGE_ID": id, "MESSAGE": "Starting…", "__MONOTONIC_TIMESTAMP": at}),
    );
}

fn says(host: &mut MadeUp, entry: Value) {
    host.append("/journal.json", &format!("{entry}\n"));
}

/// What doctor finds on a host.
pub fn asked(host: &MadeUp, all: bool) -> Report {
    examine(&host.host(), all)
}

/// The state of a link, and everything that is said about it.
pub fn link(report: &Report, id: &str) -> (State, String) {
    let link = report.links.iter().find(|link| link.link == id).unwrap_or_else(|| panic!("{id}"));
    let mut text = String::new();
    for finding in &link.findings {
        text += &format!("{:?}: {}\n", finding.state, finding.what);
        for step in &finding.cure {
            text += &format!("-> {step}\n");
        }
    }
    (link.state, text)
}

/// Asserts that a link is in this state, and that these words are said about it; of a broken one also
/// that nothing before it is broken, and nothing behind it asked.
pub fn finds(host: &MadeUp, id: &str, state: State, words: &[&str]) {
    let report = asked(host, false);
    let (found, text) = link(&report, id);
    assert_eq!(found, state, "{id}:\n{text}\nof\n{report}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not said about {id}:\n{text}");
    }
    let (before, behind) =
        report.links.split_at(report.links.iter().position(|it| it.link == id).unwrap());
    assert!(before.iter().all(|it| it.state != State::Broken), "\n{report}");
    if state == State::Broken {
        assert!(behind.iter().skip(1).all(|it| it.state == State::NotAsked), "\n{report}");
        assert!(text.contains("-> "), "no cure: {text}");
    }
}
