// SPDX-License-Identifier: GPL-2.0
//! Boards, who holds them, and whose screen is on them.

use super::{
    State, asked,
    hosts::{BOARD, RELEASE, board, finds, functions, healthy, status},
    link,
};

#[test]
fn a_host_without_a_board_is_told_so() {
    let mut host = healthy();
    host.remove(BOARD);
    finds(&host, "board", State::Broken, &["no NVIDIA display board", "lspci -nn -d 10de:"]);
}

#[test]
fn every_kind_of_board_is_told_apart() {
    // Device, virtual functions that it can have, then what is said of it as the only board.
    for (device, virtual_functions, state, words) in [
        ("0x1b06", "", State::Ok, "answered as 10de:1b38 Tesla P40"),
        (
            "0x1b38",
            "",
            State::Ok,
            "NVIDIA lists it in older branches, this driver's no longer does",
        ),
        ("0x1eb8", "", State::Ok, "NVIDIA lists this board, it needs nothing"),
        ("0x2230", "32", State::Ok, "(0 of 32 virtual functions): NVIDIA lists this board"),
        ("0x2204", "", State::Broken, "nobody is known to have vGPUs on this board"),
        ("0x06c0", "", State::Broken, "no vGPU-capable board with this silicon is known"),
    ] {
        let mut host = healthy();
        host.file(&format!("{BOARD}/device"), device);
        if !virtual_functions.is_empty() {
            host.file(&format!("{BOARD}/sriov_totalvfs"), virtual_functions);
        }
        let (found, text) = link(&asked(&host, false), "board");
        assert_eq!(found, state, "{device}: {text}");
        assert!(text.contains(words), "{device}: {text}");
    }
    // A second one that is of no use is no reason to stop.
    let mut host = healthy();
    board(&mut host, "0000:02:00.0", "0x06c0", "");
    finds(&host, "board", State::Note, &["0000:02:00.0 10de:06c0: no vGPU-capable board"]);
}

#[test]
fn a_listed_board_needs_no_module() {
    let mut host = healthy();
    host.file(&format!("{BOARD}/device"), "0x1eb8").remove("/sys/module/vgpu_unlock");
    host.remove("/etc/modules-load.d/vgpu_unlock.conf").remove("/var/lib/dkms/vgpu_unlock");
    host.file(super::hosts::CONFIG, super::hosts::config(&["0x1EB8"]));
    let modules = host.path(&format!("/lib/modules/{RELEASE}/modules.dep"));
    let without = std::fs::read_to_string(&modules).unwrap().replace("vgpu_unlock", "other");
    std::fs::write(modules, without).unwrap();
    for id in ["built", "loaded", "unlocked"] {
        finds(&host, id, State::Ok, &["no board here needs it"]);
    }
    finds(&host, "config", State::Ok, &["seen as 10de:1eb8 the board itself: 2 types"]);
    finds(&host, "journal", State::Ok, &[]);
}

#[test]
fn virtual_functions_are_no_boards() {
    let mut host = healthy();
    board(&mut host, "0000:41:00.0", "0x2230", "nvidia");
    functions(&mut host, "41", "0x2230", 32);
    let text = link(&asked(&host, false), "board").1;
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("0000:41:00.0 10de:2230 (32 of 32 virtual functions)"), "{text}");
    finds(&host, "types", State::Note, &["0000:01:00.0: 2", "0000:41:00.0: none registered"]);
}

#[test]
fn a_second_board_on_vfio_pci_is_no_fault_and_the_only_one_is() {
    let mut host = healthy();
    board(&mut host, "0000:02:00.0", "0x1c03", "vfio-pci");
    status(&mut host, |status| {
        let mut second = status["gpus"][0].clone();
        second["address"] = "0000:02:00.0".into();
        second["missing"] = "nvidia-vgpud asked".into();
        second["advice"] = "systemctl restart nvidia-vgpud".into();
        status["gpus"].as_array_mut().unwrap().push(second);
    });
    finds(&host, "holder", State::Note, &["0000:02:00.0 10de:1c03: used by vfio-pci"]);
    let report = asked(&host, false);
    assert_eq!(report.verdict().exit_status(), 0, "\n{report}");
    let behind: Vec<_> = report.links.iter().skip_while(|it| it.link != "console").collect();
    assert!(behind.iter().all(|it| it.state == State::Ok), "\n{report}");

    let mut host = healthy();
    host.link(&format!("{BOARD}/driver"), "../../bus/pci/drivers/vfio-pci");
    host.file("/etc/modprobe.d/vfio.conf", "options vfio-pci ids=10de:1B06,10de:10ef\n");
    host.file("/proc/cmdline", "vfio-pci.ids=10de:1b06");
    host.file("/etc/driverctl.d/0000:01:00.0", "vfio-pci");
    let pve = "hostpci0: 0000:01:00,pcie=1,x-vga=1\nhostpci1: 02:00.0\n[old]\nhostpci2: 01:00.0\n";
    host.file("/etc/pve/qemu-server/100.conf", pve);
    finds(
        &host,
        "holder",
        State::Broken,
        &[
            "take it out of /etc/modprobe.d/vfio.conf:1",
            "take it out of the kernel's command line (vfio-pci.ids)",
            "driverctl unset-override 0000:01:00.0",
            "virtual machine 100 (hostpci0: 0000:01:00,pcie=1,x-vga=1)",
            "-> update-initramfs -u -k all",
        ],
    );
    let text = link(&asked(&host, false), "holder").1;
    assert!(!text.contains("hostpci1") && !text.contains("hostpci2"), "{text}");
}

#[test]
fn nouveau_is_sent_away_in_the_words_of_the_distribution() {
    for (files, refresh) in [
        (&[] as &[(&str, &str)], "update-initramfs -u -k all"),
        (
            &[("/etc/os-release", "ID=fedora"), ("/usr/bin/dracut", "")],
            "dracut -f --regenerate-all",
        ),
        (&[("/etc/os-release", "ID=arch"), ("/usr/bin/mkinitcpio", "")], "mkinitcpio -P"),
    ] {
        let mut host = healthy();
        host.remove("/usr/lib/modprobe.d/nvidia.conf").dir("/sys/module/nouveau");
        host.link(&format!("{BOARD}/driver"), "../../bus/pci/drivers/nouveau");
        if !files.is_empty() {
            host.remove("/usr/sbin/update-initramfs");
        }
        for (path, content) in files {
            host.file(path, content);
        }
        let write = r"printf 'blacklist nouveau\n' >> /etc/modprobe.d/blacklist-nouveau.conf";
        let words = ["nouveau holds it", write, refresh, "then reboot"];
        finds(&host, "holder", State::Broken, &words);
    }
}

#[test]
fn nouveau_that_is_not_blacklisted_is_pointed_out() {
    let mut host = healthy();
    finds(&host, "nouveau", State::Ok, &["out of the way"]);
    host.remove("/usr/lib/modprobe.d/nvidia.conf");
    finds(
        &host,
        "nouveau",
        State::Note,
        &["may take a board at the next boot", "blacklist nouveau"],
    );
    host.dir("/sys/module/nouveau");
    finds(&host, "nouveau", State::Note, &["loaded, and not blacklisted"]);
    for (path, content) in [
        ("/proc/cmdline", "modprobe.blacklist=nouveau,other intel_iommu=on"),
        ("/etc/modprobe.d/x.conf", "install nouveau /bin/false\n"),
        ("/etc/modprobe.d/x.conf", "blacklist nouveau\n"),
    ] {
        let mut host = healthy();
        host.remove("/usr/lib/modprobe.d/nvidia.conf").file(path, content);
        finds(&host, "nouveau", State::Ok, &[]);
        host.dir("/sys/module/nouveau");
        finds(&host, "nouveau", State::Note, &["blacklisted, and loaded all the same"]);
    }
}

#[test]
fn what_follows_nouveau_is_blacklisted_by_its_modules_name() {
    let mut host = healthy();
    for driver in ["NovaCore", "nova-core"] {
        host.link(&format!("{BOARD}/driver"), &format!("../../bus/pci/drivers/{driver}"));
        // What is in the file stays: nouveau would be back otherwise.
        let write = r"printf 'blacklist nova_core\n' >> /etc/modprobe.d/blacklist-nouveau.conf";
        finds(&host, "holder", State::Broken, &[&format!("{driver} holds it"), write]);
    }
}

#[test]
fn other_drivers_are_named() {
    let mut host = healthy();
    host.link(&format!("{BOARD}/driver"), "../../bus/pci/drivers/pci-stub");
    finds(&host, "holder", State::Broken, &["pci-stub holds it", "have pci-stub leave it alone"]);
    host.remove(&format!("{BOARD}/driver"));
    finds(&host, "holder", State::Broken, &["has not taken it", "journalctl -k -g NVRM"]);
}

#[test]
fn the_hosts_own_screen_is_pointed_out() {
    let mut host = healthy();
    host.file("/sys/class/graphics/fb0/name", "simpledrmdrmfb\n");
    host.link("/sys/class/graphics/fb0/device", "../../../simple-framebuffer.0");
    finds(&host, "console", State::Ok, &["on none of these boards"]);
    host.file(&format!("{BOARD}/boot_vga"), "1\n");
    finds(&host, "console", State::Note, &["is on it by fb0 (simpledrmdrmfb)", "have ssh ready"]);
    host.remove(&format!("{BOARD}/boot_vga"));
    host.file("/sys/class/graphics/fb0/name", "nvidia-drmdrmfb\n");
    host.link("/sys/class/graphics/fb0/device", "../../../0000:01:00.0");
    finds(&host, "console", State::Note, &["by fb0 (nvidia-drmdrmfb)"]);
}
