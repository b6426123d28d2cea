// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's driver: whether it is there, which of its kinds it is, and which version.

use vgpu_unlock::{
    driver::branch,
    gpu::{self, Answer},
    rm_control::layout,
};

use super::{
    Finding,
    facts::Facts,
    nvidia::{NAMES, is_version},
};
use crate::{
    host::Seen,
    inspect::{self, report::Verdict},
};

/// Whether it is installed for this kernel, and loaded.
pub(super) fn installed(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let (driver, kernel) = (facts.driver()?, facts.kernel()?);
    let named =
        driver.version.as_deref().map_or_else(String::new, |version| format!("{version}, "));
    if !driver.loaded {
        let finding = match &driver.file {
            Some(file) => Finding::broken(format!("{named}installed ({file}), and not loaded"))
                .cure("modprobe nvidia")
                .cure("if that fails, `journalctl -k -g 'NVRM|nvidia'` says why"),
            None => not_installed(facts)?,
        };
        return Ok(vec![finding]);
    }
    let mut findings = vec![Finding::ok(format!("{named}loaded"))];
    if let Some(newer) = kernel.newer() {
        let mut files = NAMES.iter().map(|name| facts.host.module_file(newer, name));
        if files.all(|file| file == Ok(None)) {
            findings.push(
                Finding::note(format!("not there for kernel {newer}, which is installed, too"))
                    .cures(build_driver(facts, newer)?),
            );
        }
    }
    Ok(findings)
}

fn not_installed(facts: &Facts<'_>) -> Seen<Finding> {
    let release = &facts.kernel()?.release;
    let finding = Finding::broken(format!("not installed for kernel {release}"));
    let steps = build_driver(facts, release)?;
    Ok(if steps.is_empty() {
        finding
            .cure("install NVIDIA's vGPU package for Linux with KVM (…-vgpu-kvm.run, or its .deb or .rpm)")
            .cure("not the distribution's driver for desktops, which has no vGPU support")
    } else {
        finding.cures(steps)
    })
}

/// How DKMS builds the driver for a kernel; nothing where DKMS does not have it.
fn build_driver(facts: &Facts<'_>, release: &str) -> Seen<Vec<String>> {
    let mut steps = vec![];
    for name in
        facts.host.names("/var/lib/dkms")?.into_iter().filter(|name| name.starts_with("nvidia"))
    {
        let versions = facts.host.names(&format!("/var/lib/dkms/{name}"))?;
        let version = versions.into_iter().rfind(|version| is_version(version));
        if let Some(version) = version {
            steps.push(format!("dkms install {name}/{version} -k {release}"));
        }
    }
    if !steps.is_empty() && !facts.host.has_headers(release)? {
        let package = facts.host.kernel_package(release);
        steps.insert(0, facts.distribution()?.install_headers(release, package.as_deref()));
    }
    Ok(steps)
}

/// Whether it is the kind that can host vGPUs on the boards that there are.
///
/// Source: NVIDIA's published open modules have vGPU hosts for Ada and newer only. The option of
/// the installer is in its own help text.
pub(super) fn flavour(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    if let Some(nothing) = facts.without_driver()? {
        return Ok(nothing);
    }
    let driver = facts.driver()?;
    let old = facts.boards()?.into_iter().any(|board| {
        !gpu::hosts_with_open_modules(board.device) && facts.answer(board) != Answer::Unknown
    });
    let version = driver.version.as_deref().unwrap_or("…");
    Ok(vec![match driver.open {
        Some(false) => Finding::ok("proprietary"),
        Some(true) if old => Finding::broken(
            "these are NVIDIA's open kernel modules, which can't host vGPUs on boards up to Ampere",
        )
        .cure(format!(
            "sh NVIDIA-Linux-x86_64-{version}-vgpu-kvm.run --dkms --silent --kernel-module-type=proprietary \
             (installers that do not know this option: -m=kernel; where the driver came as a package, that one \
             goes first)"
        ))
        .cure("then reboot"),
        Some(true) => Finding::ok("open kernel modules, for boards newer than Ampere"),
        None => Finding::note("whether its kernel modules are the open ones can't be told"),
    }])
}

/// Whether it came with what hosts vGPUs.
pub(super) fn host_package(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    if let Some(nothing) = facts.without_driver()? {
        return Ok(nothing);
    }
    let host = facts.host;
    let module = host.exists("/sys/module/nvidia_vgpu_vfio")?
        || host.module_file(&facts.kernel()?.release, "nvidia_vgpu_vfio")?.is_some();
    let parts = [
        ("nvidia-vgpud", host.has_program("nvidia-vgpud")),
        ("nvidia-vgpu-mgr", host.has_program("nvidia-vgpu-mgr")),
        ("nvidia-vgpu-vfio.ko", module),
    ];
    let missing: Vec<_> = parts.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect();
    let finding = match missing.len() {
        0 => {
            return Ok(vec![Finding::ok(
                "nvidia-vgpud, nvidia-vgpu-mgr and nvidia-vgpu-vfio are there",
            )]);
        }
        3 => Finding::broken(
            "this is NVIDIA's driver for desktops, without any part that hosts vGPUs",
        ),
        _ => Finding::broken(format!("{} is missing", missing.join(" and "))),
    };
    Ok(vec![finding.cure(
        "remove this driver, and install NVIDIA's vGPU package for Linux with KVM (…-vgpu-kvm)",
    )])
}

/// Whether the module knows this version.
pub(super) fn version(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    if let Some(nothing) = facts.without_driver()? {
        return Ok(nothing);
    }
    let Some(version) = facts.driver_version() else {
        return Ok(vec![Finding::note("the driver's version can't be told")]);
    };
    if !facts.any_needs_us()? {
        return Ok(vec![Finding::ok(format!("{version}; no board here needs vgpu_unlock"))]);
    }
    // The module that runs may know more than this program, or less: what it says counts.
    match facts.status().ok().and_then(|status| Some((status.driver()?, status.reason()))) {
        Some(("refused" | "absent" | "disabled", _)) | None => {}
        Some((state, None)) => {
            return Ok(vec![Finding::ok(format!("{version}, {state}"))]);
        }
        Some((state, Some(reason))) => {
            return Ok(vec![Finding::note(format!("{version}, {state}: {reason}"))]);
        }
    }
    if branch::of(&version).is_none() {
        let left = match layout::fits(version.branch) {
            true => "only overrides work with it, for boards that it lists itself",
            false => "it is left exactly as it is",
        };
        return Ok(vec![
            Finding::broken(format!("driver branch {} is not known: {left}", version.branch)).cure(
                format!(
                    "install a driver of a branch that is known: {}",
                    vgpu_unlock::host::KNOWN_BRANCHES
                ),
            ),
        ]);
    }
    Ok(vec![match not_the_original(facts)? {
        Some(reasons) => Finding::broken(format!("{version}, but not as we know it: {reasons}"))
            .cure("if it was patched (merged, vGPU-Unlock-patcher, hooks.c): install NVIDIA's original")
            .cure("if it is the original: please report it, with what `vgpu-unlock report` writes"),
        None => Finding::ok(format!("{version}, known")),
    }])
}

/// What is wrong with the driver's file, where it is not what its version says.
fn not_the_original(facts: &Facts<'_>) -> Seen<Option<String>> {
    let Some(file) = &facts.driver()?.file else { return Ok(None) };
    // Where the file can't be read, the module will say it.
    let Ok(report) = inspect::inspect(&facts.host.path(file), None) else { return Ok(None) };
    Ok((report.verdict != Verdict::Supported).then(|| report.reasons.join(" ")))
}
