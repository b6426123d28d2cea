// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's daemons, their configuration, and what comes of them: types and vGPUs.

use super::{
    State,
    hosts::{BOARD, CONFIG, TYPES, UUID, config, finds, healthy, kernel_says, process, status},
};

const WANTS: &str = "/etc/systemd/system/multi-user.target.wants";

#[test]
fn a_manager_that_does_not_run_is_started() {
    let mut host = healthy();
    host.remove("/proc/701");
    finds(
        &host,
        "daemons",
        State::Broken,
        &["nvidia-vgpu-mgr does not run", "systemctl restart nvidia-vgpu-mgr"],
    );
    host.remove(&format!("{WANTS}/nvidia-vgpu-mgr.service"));
    finds(&host, "daemons", State::Broken, &["systemctl enable --now nvidia-vgpu-mgr"]);
}

#[test]
fn since_when_they_run_is_said() {
    let mut host = healthy();
    let hours = "nvidia-vgpu-mgr (701) has been running for 1 h 23 min";
    finds(&host, "daemons", State::Ok, &["nvidia-vgpud has asked 52 times", hours]);
    // It is done when it has asked.
    host.remove("/proc/700");
    finds(&host, "daemons", State::Ok, &[]);

    process(&mut host, 701, "nvidia-vgpu-mgr", 2);
    finds(
        &host,
        "daemons",
        State::Note,
        &["since before the module was loaded", "while no vGPU runs"],
    );
    // The module was loaded again since.
    process(&mut host, 701, "nvidia-vgpu-mgr", 20);
    kernel_says(&mut host, 30, "vgpu_unlock: unloaded; NVIDIA's driver is as it was");
    finds(&host, "daemons", State::Ok, &[]);
    kernel_says(&mut host, 31, "vgpu_unlock: driver 550.163.01");
    finds(&host, "daemons", State::Note, &["since before the module was loaded"]);
}

#[test]
fn one_that_has_not_asked_is_restarted() {
    let mut host = healthy();
    status(&mut host, |status| {
        status["asked"]["nvidia-vgpud"] = 0.into();
        status["gpus"][0]["missing"] = "nvidia-vgpud asked".into();
        status["gpus"][0]["advice"] = "the module's own advice".into();
    });
    finds(
        &host,
        "daemons",
        State::Broken,
        &["nvidia-vgpud has not asked since the module was loaded", "-> the module's own advice"],
    );
    host.remove(&format!("{WANTS}/nvidia-vgpud.service"));
    finds(&host, "daemons", State::Broken, &["systemctl enable --now nvidia-vgpud"]);
    // Types that are there show that it has, even if nobody saw that.
    let mut host = healthy();
    status(&mut host, |status| status["asked"]["nvidia-vgpud"] = 0.into());
    finds(&host, "daemons", State::Ok, &["was there before the module"]);
}

#[test]
fn the_configuration_has_types_for_what_the_board_is_seen_as() {
    let mut host = healthy();
    finds(&host, "config", State::Ok, &["0000:01:00.0, seen as 10de:1b38 Tesla P40: 2 types"]);
    // 550 has none for the P40 any more.
    host.file(CONFIG, config(&["0x1EB8", "0x2230"]));
    finds(
        &host,
        "config",
        State::Broken,
        &[
            "no types for it",
            "take vgpuConfig.xml from a vGPU 16.x (535) package",
            "restart nvidia-vgpud",
        ],
    );
    // What the module answers counts, not what its table says.
    status(&mut host, |status| {
        status["gpus"][0]["answered_as"]["device"] = "0x1eb8".into();
        status["gpus"][0]["answered_as"]["name"] = "Tesla T4".into();
    });
    finds(&host, "config", State::Ok, &["seen as 10de:1eb8 Tesla T4: 2 types"]);

    host.file(CONFIG, "<vgpuconfig><pgpu>");
    finds(&host, "config", State::Broken, &["is damaged: ", "install NVIDIA's vGPU package anew"]);
    host.remove(CONFIG);
    finds(&host, "config", State::Broken, &["vgpuConfig.xml does not exist"]);
}

#[test]
fn an_entry_for_a_board_of_another_maker_does_not_count() {
    let mut host = healthy();
    host.file(CONFIG, config(&["0x1b38"]).replace("subsystemId=\"0x0\"", "subsystemId=\"0x11d9\""));
    finds(&host, "config", State::Broken, &["no types for it"]);
    host.file(&format!("{BOARD}/subsystem_device"), "0x11d9\n");
    finds(&host, "config", State::Ok, &["2 types"]);
}

#[test]
fn types_that_are_not_registered_have_a_cause() {
    let mut host = healthy();
    host.remove(TYPES);
    finds(&host, "types", State::Broken, &["none registered", "systemctl restart nvidia-vgpud"]);
    status(&mut host, |status| {
        status["gpus"][0]["missing"] = "types registered".into();
        status["gpus"][0]["advice"] = "the module's own advice".into();
    });
    finds(&host, "types", State::Broken, &["-> the module's own advice"]);
    host.remove("/sys/module/nvidia_vgpu_vfio");
    finds(&host, "types", State::Broken, &["-> modprobe nvidia-vgpu-vfio"]);
    host.file(&format!("{BOARD}/sriov_totalvfs"), "16\n");
    finds(&host, "types", State::Broken, &["/usr/lib/nvidia/sriov-manage -e 0000:01:00.0"]);
    // Newer kernels have a file instead, at the virtual functions.
    host.link(&format!("{BOARD}/virtfn0"), "../0000:01:00.4");
    let list = "/sys/bus/pci/devices/0000:01:00.4/nvidia/creatable_vgpu_types";
    host.file(list, "ID    : vGPU Name\n1145  : NVIDIA L40-1Q\n1146  : NVIDIA L40-2Q\n");
    finds(&host, "types", State::Ok, &["0000:01:00.0: 2"]);
}

#[test]
fn types_that_are_shown_as_the_driver_has_them_are_pointed_out() {
    let mut host = healthy();
    let reason = "the mdev_register_parent can't be hooked (error -16)";
    status(&mut host, |status| status["types"]["reason"] = reason.into());
    finds(&host, "types", State::Note, &["not as overridden", reason]);
}

#[test]
fn vgpus_that_cannot_be_made_are_named() {
    let mut host = healthy();
    finds(&host, "vgpus", State::Ok, &["1 exist"]);
    host.remove(&format!("/sys/bus/mdev/devices/{UUID}"));
    finds(&host, "vgpus", State::Ok, &["none yet"]);
    let definition = format!("/etc/mdevctl.d/0000:01:00.0/{UUID}");
    for (json, words) in [
        (r#"{"mdev_type":"nvidia-46","start":"auto","attrs":[]}"#, "mdevctl start -u 00000001"),
        (r#"{"mdev_type":"nvidia-55","start":"manual"}"#, "0000:01:00.0 has no type nvidia-55"),
    ] {
        host.file(&definition, json);
        finds(&host, "vgpus", State::Note, &[words]);
    }
    for json in
        [r#"{"mdev_type":"nvidia-46","start":"manual"}"#, r#"{"mdev_type":"i915-GVTg_V5_4"}"#, "{"]
    {
        host.file(&definition, json);
        finds(&host, "vgpus", State::Ok, &[]);
    }
    host.file("/etc/mdevctl.d/0000:09:00.0/u", r#"{"mdev_type":"nvidia-46","start":"manual"}"#);
    finds(&host, "vgpus", State::Note, &["there is no board at 0000:09:00.0"]);
}

#[test]
fn what_proxmox_makes_is_looked_at_too() {
    for (line, state, words) in [
        ("hostpci0: 0000:01:00.0,mdev=nvidia-46", State::Ok, "1 exist"),
        ("hostpci0: 01:00,mdev=nvidia-46,pcie=1", State::Ok, "1 exist"),
        ("hostpci0: mapping=gpu,mdev=nvidia-46", State::Ok, "1 exist"),
        ("hostpci0: host=01:00.0,mdev=nvidia-47", State::Ok, "1 exist"),
        (
            "hostpci0: 02:00.0,mdev=nvidia-46",
            State::Note,
            "virtual machine 100: there is no board at 02:00.0",
        ),
        ("hostpci0: 01:00.0,mdev=nvidia-63", State::Note, "choose one of: nvidia-46 nvidia-47"),
    ] {
        let mut host = healthy();
        host.file(
            "/etc/pve/qemu-server/100.conf",
            format!("memory: 4096\n{line}\n[snap]\nhostpci0: 9:9\n"),
        );
        finds(&host, "vgpus", state, &[words]);
    }
}
