// SPDX-License-Identifier: GPL-2.0
//! The units of systemd that are shipped: they say what the program says.

use std::{path::Path, process::Command};

use vgpu_unlock_cli::profile::OVERRIDES;

fn unit(name: &str) -> String {
    // Asked at run time: another checkout may have compiled this, for the cache is shared.
    let this = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    let path = Path::new(&this).join("systemd").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The values that a setting of a unit has.
fn values(unit: &str, name: &str) -> Vec<String> {
    let lines = unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    lines.flat_map(|value| value.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_service_runs_before_the_daemons_and_with_options_that_there_are() {
    let service = unit("vgpu-unlock-apply.service");
    assert_eq!(values(&service, "ConditionPathExists"), [OVERRIDES]);
    assert_eq!(values(&service, "After"), ["systemd-modules-load.service"]);
    assert_eq!(values(&service, "Before"), ["nvidia-vgpud.service", "nvidia-vgpu-mgr.service"]);
    assert_eq!(values(&service, "Type"), ["oneshot"]);
    assert_eq!(values(&service, "WantedBy"), ["multi-user.target"]);
    // Nothing waits for it in vain, and the path unit can start it again.
    for name in ["RequiredBy", "RemainAfterExit", "Requires"] {
        assert_eq!(values(&service, name), [""; 0]);
    }
    let command = values(&service, "ExecStart");
    assert_eq!(command[0], "/usr/bin/vgpu-unlock");
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_vgpu-unlock"))
        .args(&command[1..])
        .args(["--root", "."])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_path_unit_watches_the_file_and_starts_the_service() {
    let path = unit("vgpu-unlock-apply.path");
    assert_eq!(values(&path, "PathChanged"), [OVERRIDES]);
    assert_eq!(values(&path, "WantedBy"), ["multi-user.target"]);
    // Without a name, it starts the service of its own name.
    assert_eq!(values(&path, "Unit"), [""; 0]);
}
