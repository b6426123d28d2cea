// SPDX-License-Identifier: GPL-2.0
//! Our module: built, signed, loaded, and what it says.

use super::{
    State, asked,
    hosts::{RELEASE, STATUS, finds, healthy, kernel, kernel_says, status},
    link,
};
use crate::host::made_up::{MadeUp, module};

const DEP: &str = "/lib/modules/6.12.57+deb13-amd64/modules.dep";
const BUILD: &str = "/lib/modules/6.12.57+deb13-amd64/build";
const FILE: &str = "/lib/modules/6.12.57+deb13-amd64/updates/dkms/vgpu_unlock.ko";
const SECURE_BOOT: &str =
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

fn not_loaded() -> MadeUp {
    let mut host = healthy();
    host.remove("/sys/module/vgpu_unlock");
    host
}

fn not_built() -> MadeUp {
    let mut host = not_loaded();
    host.file(DEP, "updates/dkms/nvidia.ko:\nupdates/dkms/nvidia-vgpu-vfio.ko:\n");
    host
}

#[test]
fn a_module_that_is_not_built_is_built_in_the_words_of_the_distribution() {
    let install = format!("-> dkms install vgpu_unlock/0.1.0 -k {RELEASE}");
    finds(&not_built(), "built", State::Broken, &["not there for kernel", &install]);
    type Files<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(Files<'_>, &str)] = &[
        (&[], "-> apt install linux-headers-6.12.57+deb13-amd64"),
        (&[("/etc/pve/x", "")], "-> apt install proxmox-headers-6.12.57+deb13-amd64"),
        (&[("/etc/os-release", "ID=fedora")], "-> dnf install kernel-devel-6.12.57+deb13-amd64"),
        (&[("/etc/os-release", "ID=arch")], "-> pacman -S linux-headers"),
        (
            &[
                ("/etc/os-release", "ID=arch"),
                ("/lib/modules/6.12.57+deb13-amd64/pkgbase", "linux-lts\n"),
            ],
            "-> pacman -S linux-lts-headers",
        ),
        (&[("/etc/os-release", "ID=opensuse-leap")], "-> zypper install kernel-amd64-devel"),
    ];
    for (files, headers) in cases {
        let mut host = not_built();
        host.remove(BUILD);
        for (path, content) in *files {
            host.file(path, content);
        }
        finds(&host, "built", State::Broken, &[headers, &install]);
    }
}

#[test]
fn why_dkms_failed_is_said_in_our_own_words() {
    let log = "/var/lib/dkms/vgpu_unlock/0.1.0/build/make.log";
    let mut host = not_built();
    let first =
        format!("DKMS (dkms-3.1.6) make.log for vgpu_unlock/0.1.0 for kernel {RELEASE} (x86_64)\n");
    host.file(log, format!("{first}vgpu_unlock: the kernel's source is missing\nmake: error 2\n"));
    let why = format!("not there for kernel {RELEASE}: the kernel's source is missing");
    finds(&host, "built", State::Broken, &[&why]);
    host.file(log, format!("{first}make: error 2\n"));
    finds(&host, "built", State::Broken, &["build/make.log says why"]);
    // One of another kernel tells nothing.
    host.file(log, "DKMS make.log for kernel 6.1.0\nvgpu_unlock: the kernel's source is missing\n");
    assert!(!link(&asked(&host, false), "built").1.contains("source is missing"));
}

#[test]
fn what_was_never_installed_is_installed_in_the_words_of_the_distribution() {
    const SCRIPT: &str = "-> or scripts/install, in vgpu_unlock's source";
    for (os_release, package, install) in [
        (
            "ID=debian",
            "/usr/share/doc/vgpu-unlock/copyright",
            "apt install ./vgpu-unlock-dkms_*.deb",
        ),
        (
            "ID=ubuntu\nID_LIKE=debian",
            "/usr/share/doc/vgpu-unlock/copyright",
            "apt install ./vgpu-",
        ),
        (
            "ID=fedora",
            "/usr/share/licenses/vgpu-unlock/LICENSE",
            "dnf install ./vgpu-unlock-dkms-[0-9]*.rpm",
        ),
        (
            "ID=opensuse-leap",
            "/usr/share/licenses/vgpu-unlock/LICENSE",
            "zypper install --allow-unsigned-rpm ./vgpu-unlock-dkms-[0-9]*.rpm",
        ),
        (
            "ID=arch",
            "/var/lib/pacman/local/vgpu-unlock-0.1.0-1/desc",
            "pacman -U vgpu-unlock-dkms-[0-9]*.pkg.tar.zst",
        ),
    ] {
        let mut host = not_built();
        host.remove("/var/lib/dkms/vgpu_unlock").file("/etc/os-release", os_release);
        let words = ["DKMS does not know it", &format!("-> {install}"), SCRIPT];
        finds(&host, "built", State::Broken, &words);
        // Who has the command as a package is not sent to the source.
        host.file(package, "");
        finds(&host, "built", State::Broken, &words[..2]);
        let text = link(&asked(&host, false), "built").1;
        assert!(!text.contains("scripts/install") && !text.contains("headers"), "{text}");
        // The package would be built for nothing without them.
        host.remove(BUILD);
        let text = link(&asked(&host, false), "built").1;
        let [headers, ours] = ["linux-headers|kernel-devel-|-devel", install]
            .map(|words| words.split('|').find_map(|word| text.find(word)).expect(&text));
        assert!(headers < ours, "{text}");
    }
    let mut host = not_built();
    host.remove("/var/lib/dkms/vgpu_unlock").file("/etc/os-release", "ID=gentoo");
    let words =
        ["-> install dkms with your distribution's package manager", "-> scripts/install, in"];
    finds(&host, "built", State::Broken, &words);
}

#[test]
fn a_source_that_dkms_does_not_know_is_handed_to_it() {
    let mut host = not_built();
    host.remove("/var/lib/dkms/vgpu_unlock").file("/usr/sbin/dkms", "");
    host.dir("/usr/src/vgpu_unlock-0.0.9").file("/usr/src/vgpu_unlock-0.1.0/dkms.conf", "");
    let install = format!("-> dkms install vgpu_unlock/0.1.0 -k {RELEASE}");
    let words =
        ["its source in /usr/src/vgpu_unlock-0.1.0", "-> dkms add vgpu_unlock/0.1.0", &install];
    finds(&host, "built", State::Broken, &words);
    assert!(!link(&asked(&host, false), "built").1.contains("apt install"));
}

#[test]
fn the_kernel_that_is_booted_next_is_looked_at_too() {
    let mut host = healthy();
    kernel(&mut host, "6.12.60+deb13-amd64", false);
    finds(
        &host,
        "built",
        State::Note,
        &[
            "not there for kernel 6.12.60+deb13-amd64, which is installed, too",
            "dkms install vgpu_unlock/0.1.0 -k 6.12.60+deb13-amd64",
        ],
    );
    kernel(&mut host, "6.12.60+deb13-amd64", true);
    finds(&host, "built", State::Ok, &[]);
}

#[test]
fn secure_boot_wants_a_signature_and_an_enrolled_key() {
    let signed = module("license=GPL\0", true);
    let mut host = not_loaded();
    finds(&host, "signed", State::Ok, &["off, modules need no signature"]);
    host.file(SECURE_BOOT, b"\x06\0\0\0\0");
    finds(&host, "signed", State::Ok, &["off, modules need no signature"]);
    host.file(SECURE_BOOT, b"\x06\0\0\0\x01");
    finds(
        &host,
        "signed",
        State::Broken,
        &["is not signed", "dkms generate_mok", "dkms build --force"],
    );

    host.file("/var/lib/dkms/mok.pub", b"a certificate").file(FILE, &signed);
    let enrol = "-> mokutil --import /var/lib/dkms/mok.pub";
    finds(
        &host,
        "signed",
        State::Broken,
        &["the key /var/lib/dkms/mok.pub is not enrolled", enrol],
    );
    let new = "/sys/firmware/efi/efivars/MokNew-605dab50-e046-4300-abb6-3dd810dd8b23";
    host.file(new, b"\x07\0\0\0list a certificate list");
    finds(&host, "signed", State::Broken, &["waits for you to confirm it", "Enroll MOK"]);
    host.file("/sys/firmware/efi/mok-variables/MokListRT", b"list a certificate list");
    finds(&host, "signed", State::Ok, &["its key enrolled"]);

    // Of another key of Ubuntu's name, DKMS knows nothing where it has its own; Ubuntu's DKMS has none.
    host.file("/var/lib/shim-signed/mok/MOK.der", b"another");
    finds(&host, "signed", State::Ok, &["its key enrolled"]);
    host.remove("/var/lib/dkms/mok.pub");
    finds(&host, "signed", State::Broken, &["mokutil --import /var/lib/shim-signed/mok/MOK.der"]);
    // One that DKMS's configuration names.
    host.file("/etc/dkms/framework.conf.d/key.conf", "mok_certificate=\"/root/key.der\"\n");
    host.file("/root/key.der", b"a certificate");
    finds(&host, "signed", State::Ok, &["its key enrolled"]);

    let mut host = not_loaded();
    host.file("/sys/module/module/parameters/sig_enforce", "Y\n");
    finds(&host, "signed", State::Broken, &["the kernel wants signed modules"]);
    // What the kernel has taken needs no looking at.
    host.dir("/sys/module/vgpu_unlock");
    finds(&host, "signed", State::Ok, &["the kernel has taken the module"]);
}

#[test]
fn a_module_that_is_not_loaded_is_loaded_with_what_it_said_last() {
    finds(&not_loaded(), "loaded", State::Broken, &["it is not", "-> modprobe vgpu_unlock"]);
    let mut host = not_loaded();
    kernel_says(
        &mut host,
        40,
        "vgpu_unlock: built for another kernel: its structures have other sizes",
    );
    finds(&host, "loaded", State::Broken, &["it said last: built for another kernel"]);

    // Loading it alone would fail again.
    let mut host = not_loaded();
    kernel_says(&mut host, 40, "vgpu_unlock: parameter gpus is wrong, nothing was changed: byte 3");
    let words = [
        "it said last: parameter gpus is wrong",
        "-> correct it in /etc/modprobe.d or on the kernel's command line",
        "-> modprobe vgpu_unlock",
    ];
    finds(&host, "loaded", State::Broken, &words);
}

#[test]
fn what_loads_it_at_boot_is_named() {
    let conf = "/etc/modules-load.d/vgpu_unlock.conf";
    finds(&healthy(), "loaded", State::Ok, &[&format!("at boot, by {conf}")]);
    let mut host = healthy();
    host.remove(conf);
    finds(
        &host,
        "loaded",
        State::Note,
        &["nothing loads it at boot", "echo vgpu_unlock > /etc/modules-load.d"],
    );
    host.file("/etc/modprobe.d/vgpu_unlock.conf", "softdep nvidia post: vgpu_unlock\n");
    finds(&host, "loaded", State::Note, &["nothing loads it at boot"]);
    host.file("/etc/modprobe.d/vgpu_unlock.conf", "softdep nvidia pre: x vgpu_unlock post: y\n");
    finds(
        &host,
        "loaded",
        State::Ok,
        &["before NVIDIA's driver, by /etc/modprobe.d/vgpu_unlock.conf:1"],
    );
}

#[test]
fn another_version_and_a_wrong_parameter_are_pointed_out() {
    let mut host = healthy();
    status(&mut host, |status| status["module"]["version"] = "0.0.9".into());
    let words =
        ["0.0.9 is loaded, and this command is of", "-> after an upgrade: rmmod vgpu_unlock"];
    finds(&host, "loaded", State::Note, &words);
    assert!(!link(&asked(&host, false), "loaded").1.contains("apt install"));
    host.remove("/var/lib/dkms/vgpu_unlock").dir("/var/lib/dkms/vgpu_unlock/0.0.9");
    let both = "-> apt install ./vgpu-unlock-dkms_*.deb ./vgpu-unlock_*.deb, both of one version";
    finds(&host, "loaded", State::Note, &[words[0], both, words[1]]);
    let mut host = healthy();
    kernel_says(
        &mut host,
        6,
        "vgpu_unlock: parameter gpus is wrong, nothing was changed: at byte 3",
    );
    finds(
        &host,
        "loaded",
        State::Note,
        &["parameter gpus is wrong, nothing was changed: at byte 3"],
    );
    // What was said before it was unloaded is over.
    kernel_says(&mut host, 7, "vgpu_unlock: unloaded; NVIDIA's driver is as it was");
    finds(&host, "loaded", State::Ok, &[]);
}

#[test]
fn the_drivers_state_is_the_modules_own_words() {
    for (state, reason, words) in [
        ("absent", "", "modprobe nvidia"),
        ("disabled", "", "echo 1 > /sys/module/vgpu_unlock/parameters/enabled"),
        ("silent", "kprobes are off (echo 1 > …)", "is hooked in vain: kprobes are off"),
        ("silent", "ftrace is off (…)", "sysctl kernel.ftrace_enabled=1"),
        ("refused", "driver is patched", "-> install NVIDIA's original driver"),
        ("refused", "vgpu_unlock_hooks.c is compiled into", "-> install NVIDIA's original driver"),
        ("answers only", "open modules can't host", "--kernel-module-type=proprietary"),
        ("refused", "out of memory", "is left exactly as it is: out of memory"),
        (
            "answers only",
            "driver branch 590 is not known",
            "only its answers to the daemons are changed",
        ),
    ] {
        let mut host = healthy();
        host.file("/etc/modprobe.d/v.conf", "options vgpu_unlock verbosity=2 enabled=0\n");
        status(&mut host, |status| {
            status["driver"]["state"] = state.into();
            status["driver"]["reason"] = reason.into();
        });
        finds(&host, "unlocked", State::Broken, &[words]);
        if state == "disabled" {
            finds(
                &host,
                "unlocked",
                State::Broken,
                &["take enabled=0 out of /etc/modprobe.d/v.conf:1"],
            );
        }
    }
}

#[test]
fn answers_are_enough_for_boards_that_nvidia_lists() {
    let mut host = healthy();
    host.file(&format!("{}/device", super::hosts::BOARD), "0x2231");
    status(&mut host, |status| {
        status["driver"]["state"] = "answers only".into();
        status["driver"]["reason"] = "driver branch 590 is not known".into();
        status["gpus"][0]["state"] = "listed".into();
    });
    finds(&host, "unlocked", State::Ok, &["driver branch 590 is not known"]);
}

#[test]
fn one_board_that_is_unlocked_is_enough() {
    let set = |host: &mut MadeUp, state: &str, reason: &str| {
        status(host, |status| {
            status["gpus"][0]["state"] = state.into();
            status["gpus"][0]["reason"] = reason.into();
        });
    };
    for (state, reason) in [
        ("off", "left alone, because of the parameter gpus"),
        ("unknown", "no vGPU-capable board with this silicon is known"),
        ("not unlocked", "not unlocked, see above"),
        ("unbound", "no driver is bound to it"),
        ("open modules", "open modules can't host vGPUs on this board"),
        ("no sr-iov", "nobody is known to have vGPUs on this board"),
    ] {
        let mut host = healthy();
        set(&mut host, state, reason);
        let (found, text) = link(&asked(&host, false), "unlocked");
        assert_eq!(found, State::Broken, "{text}");
        assert!(text.contains(reason), "{text}");
        // With another one beside it that is.
        super::hosts::board(&mut host, "0000:02:00.0", "0x1b80", "nvidia");
        status(&mut host, |status| {
            let mut second = status["gpus"][0].clone();
            status["gpus"][0]["state"] = state.into();
            second["address"] = "0000:02:00.0".into();
            status["gpus"].as_array_mut().unwrap().push(second);
        });
        assert_eq!(link(&asked(&host, false), "unlocked").0, State::Note);
    }
}

#[test]
fn a_status_that_is_not_there_is_said_in_clear_words() {
    let mut host = healthy();
    host.remove("/sys/kernel/debug").dir("/sys/kernel/debug");
    finds(&host, "unlocked", State::Broken, &["debugfs is not mounted", "mount -t debugfs none"]);
    host.file(STATUS, "no JSON");
    finds(&host, "unlocked", State::Broken, &["status.json: expected"]);
}
