// SPDX-License-Identifier: GPL-2.0
//! The machine, in each distribution's words.

use super::{
    State,
    hosts::{finds, healthy},
};
use crate::host::made_up::MadeUp;

const GRUB: &str = "add intel_iommu=on to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub";

fn without_iommu() -> MadeUp {
    let mut host = healthy();
    host.remove("/sys/kernel/iommu_groups").remove("/sys/class/iommu");
    host.file("/proc/cmdline", "quiet\n");
    host
}

#[test]
fn a_cpu_that_does_not_virtualise_is_broken() {
    for (cpuinfo, cure) in [
        ("vendor_id : GenuineIntel\nflags : fpu\n", "switch Intel VT-x on in the firmware's setup"),
        ("vendor_id : AuthenticAMD\nflags : fpu\n", "switch AMD SVM on in the firmware's setup"),
        ("vendor_id : GenuineIntel\nflags : fpu hypervisor\n", "this is a virtual machine"),
    ] {
        let mut host = healthy();
        host.file("/proc/cpuinfo", cpuinfo);
        finds(&host, "virtualisation", State::Broken, &[cure]);
    }
    let mut host = healthy();
    host.remove("/dev/kvm");
    finds(&host, "virtualisation", State::Note, &["no /dev/kvm", "modprobe kvm_intel"]);
    host.file("/proc/cpuinfo", "vendor_id : AuthenticAMD\nflags : svm\n");
    finds(&host, "virtualisation", State::Note, &["AMD SVM is there", "modprobe kvm_amd"]);
}

#[test]
fn the_iommu_is_switched_on_in_the_words_of_the_distribution() {
    type Files<'a> = &'a [(&'a str, &'a str)];
    let proxmox: Files<'_> =
        &[("/usr/bin/pveversion", ""), ("/etc/kernel/proxmox-boot-uuids", "1-2")];
    let cases: &[(&str, Files<'_>, &[&str])] = &[
        ("Debian", &[], &[GRUB, "-> update-grub", "-> then reboot"]),
        ("Proxmox with GRUB", proxmox, &[GRUB, "-> update-grub"]),
        (
            "Proxmox with systemd-boot",
            &[
                proxmox[0],
                proxmox[1],
                ("/etc/kernel/cmdline", "root=ZFS"),
                (
                    "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
                    "\u{6}\0\0\0s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t\0",
                ),
            ],
            &[
                "add intel_iommu=on to the line in /etc/kernel/cmdline",
                "-> proxmox-boot-tool refresh",
            ],
        ),
        ("Ubuntu", &[("/etc/os-release", "ID=ubuntu\nID_LIKE=debian")], &[GRUB, "-> update-grub"]),
        (
            "Pop!_OS",
            &[
                ("/etc/os-release", "ID=pop\nID_LIKE=\"ubuntu debian\""),
                ("/usr/bin/kernelstub", ""),
            ],
            &["-> kernelstub --add-options \"intel_iommu=on\""],
        ),
        (
            "Fedora",
            &[("/etc/os-release", "ID=fedora"), ("/usr/sbin/grubby", "")],
            &["-> grubby --update-kernel=ALL --args=\"intel_iommu=on\""],
        ),
        (
            "Arch with entries",
            &[("/etc/os-release", "ID=arch"), ("/boot/loader/entries/arch.conf", "")],
            &["the line `options` of the entry in /boot/loader/entries"],
        ),
    ];
    for (name, files, words) in cases {
        let mut host = without_iommu();
        for (path, content) in *files {
            host.file(path, content);
        }
        if name.starts_with("Arch") {
            host.remove("/usr/sbin/update-grub");
        }
        finds(&host, "iommu", State::Broken, words);
    }
}

#[test]
fn why_there_is_no_iommu_is_told_as_far_as_it_can_be() {
    let mut host = without_iommu();
    host.remove("/sys/firmware/acpi/tables/DMAR");
    finds(&host, "iommu", State::Broken, &["switch Intel VT-d on in the firmware's setup", GRUB]);
    host.file("/sys/firmware/acpi/tables/DMAR", "").file("/proc/cmdline", "intel_iommu=on");
    finds(&host, "iommu", State::Broken, &["journalctl -k -g 'DMAR|IOMMU|AMD-Vi' says why"]);
    host.file("/proc/cmdline", "quiet intel_iommu=off");
    finds(
        &host,
        "iommu",
        State::Broken,
        &["off, because of intel_iommu=off", "take intel_iommu=off out of"],
    );
    host.file("/proc/cmdline", "iommu=off");
    finds(&host, "iommu", State::Broken, &["off, because of iommu=off"]);

    let mut host = without_iommu();
    host.file("/proc/cpuinfo", "vendor_id : GenuineIntel\nflags : vmx hypervisor\n");
    host.remove("/sys/firmware/acpi/tables/DMAR");
    finds(&host, "iommu", State::Broken, &["have its host give it one"]);

    // AMD's is on where the firmware offers it; no parameter helps.
    let mut host = without_iommu();
    host.file("/proc/cpuinfo", "vendor_id : AuthenticAMD\nflags : svm\n");
    host.remove("/sys/firmware/acpi/tables/DMAR");
    finds(&host, "iommu", State::Broken, &["switch AMD IOMMU (AMD-Vi) on in the firmware's setup"]);
    let report = super::asked(&host, false);
    assert!(!super::link(&report, "iommu").1.contains("intel_iommu"));
}
