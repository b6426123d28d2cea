// SPDX-License-Identifier: GPL-2.0
//! Our own module: whether it is built for the kernels that there are, and loaded.

use super::{Finding, facts::Facts};
use crate::{
    host::{self, Host, Seen, journal::Entry},
    status,
};

/// What DKMS and modprobe call it.
pub(super) const MODULE: &str = "vgpu_unlock";

const DKMS: &str = "/var/lib/dkms/vgpu_unlock";

/// Whether it is there for the running kernel, and for the one that is booted next.
pub(super) fn built(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let kernel = facts.kernel()?;
    let there = facts.host.module_file(&kernel.release, MODULE)?;
    let mut findings = vec![match there {
        Some(file) => Finding::ok(file),
        None if facts.host.exists(status::MODULE)? => {
            Finding::note(format!("loaded, and not installed for kernel {}", kernel.release))
                .cures(build(facts, &kernel.release)?.1)
        }
        None if !facts.any_needs_us()? => Finding::ok("not there, and no board here needs it"),
        None => {
            let (why, steps) = build(facts, &kernel.release)?;
            Finding::broken(format!("not there for kernel {}{why}", kernel.release)).cures(steps)
        }
    }];
    if let Some(newer) = kernel.newer() {
        if facts.any_needs_us()? && facts.host.module_file(newer, MODULE)?.is_none() {
            let (why, steps) = build(facts, newer)?;
            let what = format!("not there for kernel {newer}, which is installed, too{why}");
            findings.push(Finding::note(what).cures(steps));
        }
    }
    Ok(findings)
}

/// Why it was not built for a kernel, as far as DKMS tells, and how it is.
fn build(facts: &Facts<'_>, release: &str) -> Seen<(String, Vec<String>)> {
    let (host, distribution) = (facts.host, facts.distribution()?);
    let mut steps = vec![];
    let Some(version) = dkms_version(host)? else {
        if !host.has_program("dkms") {
            steps.push(distribution.install("dkms"));
        }
        steps.push("scripts/install, in vgpu_unlock's source: README.md says what it needs".into());
        return Ok((", and DKMS does not know it".into(), steps));
    };
    if !host.has_headers(release)? {
        let package = host.kernel_package(release);
        steps.push(distribution.install_headers(release, package.as_deref()));
    }
    steps.push(format!("dkms install {MODULE}/{version} -k {release}"));
    Ok((complaint(facts, &version, release)?, steps))
}

/// The version that DKMS has.
pub(super) fn dkms_version(host: &Host) -> Seen<Option<String>> {
    let mut names = host.names(DKMS)?;
    // Beside the versions there are links to what is installed, each named after its kernel.
    names.retain(|name| !name.starts_with("kernel-"));
    Ok(names.pop())
}

/// What went wrong when DKMS tried: our own line in its log, which says it best.
fn complaint(facts: &Facts<'_>, version: &str, release: &str) -> Seen<String> {
    let log = facts.host.text(&format!("{DKMS}/{version}/build/make.log"))?.unwrap_or_default();
    // It is of the kernel that was tried last; its first line names it.
    if !log.lines().next().unwrap_or_default().contains(release) {
        return Ok(String::new());
    }
    let line = log.lines().rev().find_map(|line| line.strip_prefix("vgpu_unlock: "));
    Ok(line.map_or_else(
        || format!("; {DKMS}/{version}/build/make.log says why"),
        |line| format!(": {line}"),
    ))
}

/// Whether it is loaded, and will be at the next boot.
pub(super) fn loaded(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    if !facts.host.exists(status::MODULE)? {
        if !facts.any_needs_us()? {
            return Ok(vec![Finding::ok("it is not, and no board here needs it")]);
        }
        // The journal need not be readable for this.
        let said = facts.journal().ok().and_then(|journal| life(journal).last());
        let said =
            said.map_or_else(String::new, |entry| format!("; it said last: {}", words(entry)));
        return Ok(vec![Finding::broken(format!("it is not{said}")).cure("modprobe vgpu_unlock")]);
    }
    let mut findings = vec![match facts.status().ok().and_then(|status| status.version()) {
        Some(version) if version != env!("CARGO_PKG_VERSION") => Finding::note(format!(
            "{version} is loaded, and this command is of {}",
            env!("CARGO_PKG_VERSION")
        ))
        .cure("after an upgrade: rmmod vgpu_unlock && modprobe vgpu_unlock"),
        Some(version) => Finding::ok(version),
        None => Finding::ok("it is"),
    }];
    findings.push(at_boot(facts)?);
    let wrong = facts.journal().unwrap_or_default();
    findings.extend(life(wrong).filter(|entry| words(entry).starts_with("parameter ")).map(|entry| {
        Finding::note(words(entry)).cure(format!(
            "correct it in /etc/modprobe.d or /sys/module/{MODULE}/parameters; `modinfo {MODULE}` lists them"
        ))
    }));
    Ok(findings)
}

/// What loads it at boot, before NVIDIA's daemons ask.
fn at_boot(facts: &Facts<'_>) -> Seen<Finding> {
    for directive in facts.directives()? {
        // softdep nvidia pre: a b post: c
        let words = directive.about("softdep", "nvidia").unwrap_or_default();
        let before = words.iter().take_while(|word| *word != "post:");
        if before.into_iter().any(|word| word.replace('-', "_") == MODULE) {
            return Ok(Finding::ok(format!("before NVIDIA's driver, by {}", directive.place())));
        }
    }
    Ok(match host::modules_load(facts.host, facts.kernel()?, MODULE)? {
        Some(place) => Finding::ok(format!("at boot, by {place}")),
        None => Finding::note("nothing loads it at boot")
            .cure(format!("echo {MODULE} > /etc/modules-load.d/{MODULE}.conf")),
    })
}

/// What the module has said since it was loaded the last time.
pub(super) fn life(journal: &[Entry]) -> impl Iterator<Item = &Entry> + Clone {
    let ours =
        |entry: &Entry| entry.source == "kernel" && entry.message.starts_with("vgpu_unlock: ");
    let gone =
        journal.iter().rposition(|entry| ours(entry) && words(entry).starts_with("unloaded"));
    let since = gone.map_or(0, |gone| gone + 1);
    journal.get(since..).unwrap_or_default().iter().filter(move |entry| ours(entry))
}

fn words(entry: &Entry) -> &str {
    entry.message.strip_prefix("vgpu_unlock: ").unwrap_or(&entry.message)
}
