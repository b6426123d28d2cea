// SPDX-License-Identifier: GPL-2.0
//! What the daemons complained about.

use super::{
    State,
    hosts::{BOARD, TYPES, board, daemon_says, daemon_starts, finds, healthy, kernel_says},
};

const MANAGER: &str = "nvidia-vgpu-mgr";
const VGPUD: &str = "nvidia-vgpud";

#[test]
fn every_known_complaint_is_explained() {
    for (daemon, message, state, words) in [
        (
            MANAGER,
            "error: vmiop_log: NVOS status 0x56",
            State::Broken,
            "(0x56 is NV_ERR_NOT_SUPPORTED): the driver does not take the board for one with vGPUs",
        ),
        (
            MANAGER,
            "error: vmiop_log: NVOS status 0x1f",
            State::Broken,
            "refuses a value that it was given",
        ),
        (
            MANAGER,
            "error: vmiop_log: NVOS status 0x1",
            State::Broken,
            "merged with a desktop driver",
        ),
        (
            MANAGER,
            "error: vmiop_log: NVOS status 0x1a",
            State::Broken,
            "(0x1a is NV_ERR_INSUFFICIENT_RESOURCES): the driver refused a call",
        ),
        (
            MANAGER,
            "error: vmiop_log: (0x0): vGPU is supported only on VGX capable boards",
            State::Broken,
            "did not take the board for capable",
        ),
        (
            MANAGER,
            "error: vmiop_log: (0x0): init_device_instance failed for inst 0 with error 1 (error setting \
             vGPU configuration information from RM)",
            State::Broken,
            "without this type's overrides",
        ),
        (
            MANAGER,
            "error: vmiop_log: (0x0): init_device_instance failed for inst 0 with error 7 (init frame copy \
             engine)",
            State::Broken,
            "reload NVIDIA's driver",
        ),
        (
            MANAGER,
            "error: vmiop_env_log: Failed to get VM UUID from QEMU command-line 0x57",
            State::Broken,
            "`args: -uuid 00000000-0000-0000-0000-000000000100`",
        ),
        (
            MANAGER,
            "error: vmiop_env_log: Failed to initialize RM client: 0x26",
            State::Broken,
            "(0x26 is NV_ERR_INVALID_DEVICE): it found no board",
        ),
        (
            MANAGER,
            "error: vmiop_log: (0x0): Incompatible Guest/Host drivers: Guest VGX version is older than …",
            State::Note,
            "install the guest driver that came with this vGPU release",
        ),
        (
            MANAGER,
            "error: vmiop_log: (0x0): Failed to get blacklisted pages:0x56",
            State::Broken,
            "Ampere",
        ),
        (
            MANAGER,
            "error: vmiop_log: (0x0): XID 43 detected on physical_chid:0x1c",
            State::Note,
            "guest",
        ),
        (
            VGPUD,
            "error: failed to send vGPU configuration info to RM: 6",
            State::Broken,
            "found no board",
        ),
        (
            MANAGER,
            "error: vmiop_log: something new",
            State::Note,
            "not known here: nvidia-vgpu-mgr: error",
        ),
    ] {
        let mut host = healthy();
        daemon_says(&mut host, 60, daemon, message);
        finds(&host, "journal", state, &[words]);
    }
    for (message, words) in [
        (
            "NVRM: Failed to start vGPU: 0x1f",
            "(0x1f is NV_ERR_INVALID_ARGUMENT): a vGPU could not be started",
        ),
        (
            "[nvidia-vgpu-vfio] u: start failed. status: 0x0 Timeout Occured",
            "nvidia-vgpu-mgr did not answer",
        ),
        (
            "[nvidia-vgpu-vfio] u: start failed. status: 0x1",
            "nvidia-vgpu-mgr could not start the vGPU",
        ),
        (
            "NVRM: API mismatch: the client has the version 550.144.03, but",
            "one and the same vGPU package",
        ),
        (
            "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x22:0x56:667)",
            "could not start the board",
        ),
    ] {
        let mut host = healthy();
        kernel_says(&mut host, 60, message);
        finds(&host, "journal", State::Broken, &[words]);
    }
}

#[test]
fn what_follows_from_another_complaint_is_not_told() {
    let mut host = healthy();
    daemon_says(&mut host, 60, MANAGER, "error: vmiop_log: NVOS status 0x56");
    daemon_says(&mut host, 60, MANAGER, "error: vmiop_log: Assertion Failed at 0xf69873bf:293");
    daemon_says(
        &mut host,
        61,
        MANAGER,
        "error: vmiop_log: (0x0): init_device_instance failed error 1",
    );
    kernel_says(&mut host, 62, "[nvidia-vgpu-vfio] u: start failed. status: 0x1");
    let (_, text) = super::link(&super::asked(&host, false), "journal");
    assert_eq!(text.matches("Broken").count(), 1, "{text}");
    assert!(text.contains("0x56 is"), "{text}");
}

#[test]
fn what_was_overcome_since_is_over() {
    let mut host = healthy();
    daemon_says(&mut host, 60, MANAGER, "error: vmiop_log: NVOS status 0x56");
    kernel_says(&mut host, 60, "[nvidia-vgpu-vfio] u: start failed. status: 0x1");
    finds(&host, "journal", State::Broken, &[]);
    daemon_says(&mut host, 90, MANAGER, "notice: vmiop_log: display_init inst: 0 successful");
    finds(&host, "journal", State::Ok, &["none"]);
    daemon_says(&mut host, 95, MANAGER, "error: vmiop_log: NVOS status 0x56");
    daemon_says(&mut host, 95, VGPUD, "error: failed to send vGPU configuration info to RM: 6");
    finds(&host, "journal", State::Broken, &["0x56"]);
    daemon_starts(&mut host, 99, MANAGER);
    daemon_starts(&mut host, 99, VGPUD);
    finds(&host, "journal", State::Ok, &["none"]);
}

#[test]
fn a_board_that_nvidia_vgpud_gave_up_is_told_by_the_id_that_it_saw() {
    let given_up = |id: &str| {
        format!(
            "GPU not supported by vGPU at PCI Id: 0:1:0:0 DevID: 0x10de / {id} / 0x10de / 0x120f"
        )
    };
    let mut host = healthy();
    daemon_says(&mut host, 60, VGPUD, &given_up("0x1b06"));
    daemon_says(&mut host, 60, VGPUD, "error: failed to send vGPU configuration info to RM: 6");
    finds(
        &host,
        "journal",
        State::Broken,
        &["it saw the board's own ID", "vgpu_unlock loaded, then systemctl restart nvidia-vgpud"],
    );
    let (_, text) = super::link(&super::asked(&host, false), "journal");
    assert!(!text.contains("to RM"), "{text}");

    let mut host = healthy();
    daemon_says(&mut host, 60, VGPUD, &given_up("0x1b38"));
    finds(&host, "journal", State::Broken, &["refuses it by itself", "vGPU 16.x (535)"]);

    // A board for the host's own screen is no fault where another one has types.
    let mut host = healthy();
    board(&mut host, "0000:02:00.0", "0x06c0", "nvidia");
    daemon_says(&mut host, 60, VGPUD, &given_up("0x06c0"));
    finds(&host, "journal", State::Ok, &["none"]);
    host.remove(TYPES).remove(BOARD);
    let report = super::asked(&host, true);
    assert_eq!(super::link(&report, "journal").0, State::Broken, "\n{report}");
}
