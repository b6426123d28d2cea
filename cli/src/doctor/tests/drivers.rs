// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's driver, and what is left of older unlocks in and about it.

use super::{
    State, asked,
    hosts::{BOARD, RELEASE, finds, healthy, kernel, kernel_says, process, status},
    link,
};
use crate::host::made_up::{MadeUp, module};

const VERSION: &str = "/proc/driver/nvidia/version";

/// The host before our module is there.
fn without_module() -> MadeUp {
    let mut host = healthy();
    host.remove("/sys/module/vgpu_unlock");
    host
}

fn not_loaded() -> MadeUp {
    let mut host = without_module();
    host.remove("/sys/module/nvidia").remove(VERSION).remove(&format!("{BOARD}/driver"));
    host
}

#[test]
fn a_driver_that_is_not_there_is_told_from_one_that_is_not_loaded() {
    let mut host = not_loaded();
    let file = format!("/lib/modules/{RELEASE}/updates/dkms/nvidia.ko.xz");
    host.file(&file, module("version=550.163.01\0license=NVIDIA\0", false));
    let installed = format!("550.163.01, installed ({file}), and not loaded");
    finds(&host, "driver", State::Broken, &[&installed, "-> modprobe nvidia"]);

    host.file(&format!("/lib/modules/{RELEASE}/modules.dep"), "");
    finds(
        &host,
        "driver",
        State::Broken,
        &["not installed for kernel", "vGPU package for Linux with KVM"],
    );

    host.dir("/var/lib/dkms/nvidia/550.144.02").dir("/var/lib/dkms/nvidia/kernel-6.1.0-x86_64");
    host.remove(&format!("/lib/modules/{RELEASE}/build"));
    finds(
        &host,
        "driver",
        State::Broken,
        &[
            "-> apt install linux-headers-6.12.57+deb13-amd64",
            "-> dkms install nvidia/550.144.02 -k 6.12.57+deb13-amd64",
        ],
    );
}

#[test]
fn a_newer_kernel_without_the_driver_is_pointed_out() {
    let mut host = healthy();
    kernel(&mut host, "6.12.60+deb13-amd64", false);
    host.dir("/var/lib/dkms/nvidia/550.163.01");
    finds(
        &host,
        "driver",
        State::Note,
        &[
            "not there for kernel 6.12.60+deb13-amd64",
            "dkms install nvidia/550.163.01 -k 6.12.60+deb13-amd64",
        ],
    );
}

#[test]
fn open_kernel_modules_are_told_by_what_they_say_of_themselves() {
    let open =
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.03  Release Build\n";
    let mut host = healthy();
    host.file(VERSION, open).remove("/sys/module/nvidia/version");
    finds(
        &host,
        "flavour",
        State::Broken,
        &[
            "open kernel modules, which can't host vGPUs on boards up to Ampere",
            "sh NVIDIA-Linux-x86_64-570.124.03-vgpu-kvm.run --dkms --silent --kernel-module-type=proprietary",
        ],
    );
    // Without /proc, by the licence in the file.
    host.remove(VERSION);
    let file = format!("/lib/modules/{RELEASE}/updates/dkms/nvidia.ko.xz");
    host.file(&file, module("license=Dual MIT/GPL\0version=570.1\0", false));
    finds(&host, "flavour", State::Broken, &["open kernel modules"]);
    host.file(&file, module("license=NVIDIA\0version=570.1\0", false));
    finds(&host, "flavour", State::Ok, &["proprietary"]);
    host.file(&file, "neither");
    finds(&host, "flavour", State::Note, &["can't be told"]);
}

#[test]
fn a_desktop_driver_is_told_from_a_host_package() {
    let mut host = healthy();
    host.remove("/usr/bin/nvidia-vgpud");
    finds(&host, "host-package", State::Broken, &["nvidia-vgpud is missing"]);
    host.remove("/usr/bin/nvidia-vgpu-mgr").remove("/sys/module/nvidia_vgpu_vfio");
    finds(&host, "host-package", State::Broken, &["nvidia-vgpud and nvidia-vgpu-mgr is missing"]);
    host.file(&format!("/lib/modules/{RELEASE}/modules.dep"), "updates/dkms/nvidia.ko:\n");
    finds(&host, "host-package", State::Broken, &["NVIDIA's driver for desktops"]);
}

#[test]
fn a_version_that_is_not_known_is_told_before_the_module_is_there() {
    let mut host = without_module();
    finds(&host, "version", State::Ok, &["550.163.01, known"]);
    host.file("/sys/module/nvidia/version", "418.226.00\n");
    let known = vgpu_unlock::host::KNOWN_BRANCHES;
    finds(&host, "version", State::Broken, &["driver branch 418 is not known", known]);
    // What the module that runs says counts more.
    let mut host = healthy();
    host.file("/sys/module/nvidia/version", "418.226.00\n");
    finds(&host, "version", State::Ok, &["418.226.00, attached"]);
    status(&mut host, |status| status["driver"]["state"] = "refused".into());
    finds(&host, "version", State::Broken, &["driver branch 418 is not known"]);
}

#[test]
fn a_driver_that_is_not_as_nvidia_built_it_is_told_by_its_file() {
    let mut host = without_module();
    let file = format!("/lib/modules/{RELEASE}/updates/dkms/nvidia.ko.xz");
    host.file(&file, module("license=NVIDIA\0version=550.163.01\0", false));
    finds(&host, "version", State::Broken, &["not as we know it", "install NVIDIA's original"]);
}

#[test]
fn preloaded_libraries_are_named_with_how_to_remove_them() {
    let preload = "[Service]\nEnvironment=LD_PRELOAD=/opt/vgpu_unlock-rs/target/release/libvgpu_unlock_rs.so\n";
    let drop_in = "/etc/systemd/system/nvidia-vgpu-mgr.service.d/vgpu_unlock.conf";
    let restart = "systemctl daemon-reload && systemctl restart nvidia-vgpu-mgr";
    let cases = [
        (
            drop_in,
            preload.to_owned(),
            format!("{drop_in}:2: Environment=LD_PRELOAD"),
            format!("rm {drop_in}"),
        ),
        (
            drop_in,
            format!("{preload}Nice=5\n"),
            format!("{drop_in}:2: Environment=LD_PRELOAD"),
            format!("take line 2 out of {drop_in}"),
        ),
        (
            "/usr/lib/systemd/system/nvidia-vgpu-mgr.service",
            "[Service]\nExecStart=/opt/vgpu_unlock/vgpu_unlock /usr/bin/nvidia-vgpu-mgr\n".into(),
            "/usr/lib/systemd/system/nvidia-vgpu-mgr.service:2: ExecStart=/opt/".into(),
            "write ExecStart=/usr/bin/nvidia-vgpu-mgr there".into(),
        ),
    ];
    for (file, content, what, cure) in cases {
        let mut host = healthy();
        host.file(file, content).dir("/opt/vgpu_unlock-rs");
        finds(
            &host,
            "leftovers",
            State::Broken,
            &[&what, &cure, restart, "rm -r /opt/vgpu_unlock-rs"],
        );
    }
    let mut host = healthy();
    host.file(drop_in, "[Service]\n# LD_PRELOAD=/opt/vgpu_unlock-rs/x.so\nEnvironment=A=b\n");
    host.file(
        "/lib/systemd/system/nvidia-vgpud.service",
        "[Service]\nExecStart=/usr/bin/nvidia-vgpud\n",
    );
    finds(&host, "leftovers", State::Ok, &["none"]);
    host.file("/etc/ld.so.preload", "/opt/vgpu_unlock-rs/libvgpu_unlock_rs.so\n");
    finds(&host, "leftovers", State::Broken, &["/etc/ld.so.preload"]);
}

#[test]
fn daemons_that_still_run_with_it_are_named() {
    for (file, content) in [
        ("maps", "7f00-7f01 r-xp 00000000 fd:00 9 /opt/x/libvgpu_unlock_rs.so (deleted)\n"),
        ("environ", "A=b\0LD_PRELOAD=/opt/vgpu_unlock-rs/libvgpu_unlock_rs.so\0"),
    ] {
        let mut host = healthy();
        process(&mut host, 901, "nvidia-vgpu-mgr", 30);
        host.file(&format!("/proc/901/{file}"), content);
        finds(&host, "leftovers", State::Broken, &["nvidia-vgpu-mgr (901) runs with the library"]);
    }
}

#[test]
fn patched_drivers_are_told_by_their_traces() {
    let os_interface = "/usr/src/nvidia-460.32.04/nvidia/os-interface.c";
    let mut host = healthy();
    host.file(
        os_interface,
        "#include \"x.h\"\n#include \"/opt/vgpu_unlock/vgpu_unlock_hooks.c\"\n",
    );
    finds(
        &host,
        "leftovers",
        State::Broken,
        &[
            &format!("{os_interface}:2: has vgpu_unlock_hooks.c"),
            "dkms remove nvidia/460.32.04 --all",
        ],
    );
    let mut host = healthy();
    let kbuild = "/usr/src/nvidia-460.32.04/nvidia/nvidia.Kbuild";
    host.file(kbuild, "ldflags-y += -T /opt/vgpu_unlock/kern.ld\n")
        .file(os_interface, "#include \"x.h\"\n");
    finds(&host, "leftovers", State::Broken, &[&format!("{kbuild}:1: has kern.ld")]);

    let mut host = healthy();
    host.file("/sys/module/nvidia/parameters/NVreg_EnableMSI", "1\n");
    finds(&host, "leftovers", State::Ok, &[]);
    host.file("/sys/module/nvidia/parameters/vup_sunlock", "1\n");
    finds(
        &host,
        "leftovers",
        State::Broken,
        &["has the parameter vup_sunlock", "NVIDIA's original"],
    );

    let mut host = healthy();
    kernel_says(&mut host, 30, "vGPU unlock patch applied.");
    finds(&host, "leftovers", State::Broken, &["hooks.c of an older unlock compiled in"]);
}

#[test]
fn what_only_lies_about_is_no_fault() {
    let mut host = healthy();
    host.dir("/opt/vgpu_unlock").file("/etc/vgpu_unlock/config.toml", "unlock = true\n");
    host.file("/etc/vgpu_unlock/profile_override.toml", "\n")
        .file("/etc/vgpu_unlock/overrides.toml", "x");
    finds(
        &host,
        "leftovers",
        State::Note,
        &[
            "nothing uses it: rm -r /opt/vgpu_unlock",
            "/etc/vgpu_unlock/config.toml: settings that the module",
            "the module's parameters gpus and migration do",
        ],
    );
    let text = link(&asked(&host, false), "leftovers").1;
    assert!(
        !text.contains("profile_override.toml: ") && !text.contains("overrides.toml"),
        "{text}"
    );
    host.file("/etc/vgpu_unlock/profile_override.toml", "[profile.nvidia-46]\n");
    let import = "vgpu-unlock import /etc/vgpu_unlock/profile_override.toml";
    let both = format!("{import} /etc/vgpu_unlock/config.toml");
    finds(&host, "leftovers", State::Note, &[import, &both]);
}
