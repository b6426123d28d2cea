// SPDX-License-Identifier: GPL-2.0
//! Our own module: whether it is built for the kernels that there are, and loaded.

use super::{Finding, facts::Facts};
use crate::{
    host::{self, Distribution, Host, Seen, journal::Entry},
    status,
};

/// What DKMS and modprobe call it.
pub(super) const MODULE: &str = "vgpu_unlock";

/// The version of this command, and of the module that it belongs to.
const OURS: &str = env!("CARGO_PKG_VERSION");

const DKMS: &str = "/var/lib/dkms/vgpu_unlock";
const SOURCES: &str = "/usr/src/vgpu_unlock";

/// How the module begins what it says of a parameter's wrong value.
const WRONG: &str = "parameter ";

/// Our packages, by one name in every distribution: the module, and this command.
const DKMS_PACKAGE: &str = "vgpu-unlock-dkms";
const COMMAND_PACKAGE: &str = "vgpu-unlock";

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
    let known = dkms_version(host)?;
    let source = if known.is_some() { None } else { source_version(host)? };
    if !host.has_headers(release)? {
        let package = host.kernel_package(release);
        steps.push(distribution.install_headers(release, package.as_deref()));
    }
    let Some(version) = known.as_ref().or(source.as_ref()) else {
        steps.extend(install(host, distribution)?);
        return Ok((", and DKMS does not know it".into(), steps));
    };
    if !host.has_program("dkms") {
        steps.push(distribution.install("dkms"));
    }
    if known.is_none() {
        steps.push(format!("dkms add {MODULE}/{version}"));
    }
    steps.push(format!("dkms install {MODULE}/{version} -k {release}"));
    Ok(match known {
        Some(version) => (complaint(facts, &version, release)?, steps),
        None => (format!(", and DKMS does not know its source in {SOURCES}-{version}"), steps),
    })
}

/// How it is installed where nothing of it is there.
fn install(host: &Host, distribution: &Distribution) -> Seen<Vec<String>> {
    let script = "scripts/install, in vgpu_unlock's source: README.md says what it needs";
    let mut steps = vec![];
    match distribution.install_ours(&[DKMS_PACKAGE]) {
        // Who has the command as a package need not know of the source.
        Some(package) if host.has_package(COMMAND_PACKAGE)? => steps.push(package),
        Some(package) => steps.extend([package, format!("or {script}")]),
        None => {
            if !host.has_program("dkms") {
                steps.push(distribution.install("dkms"));
            }
            steps.push(script.into());
        }
    }
    Ok(steps)
}

/// The version of the source that lies where DKMS looks for one; the last where there are more.
fn source_version(host: &Host) -> Seen<Option<String>> {
    let prefix = format!("{MODULE}-");
    let mut found = None;
    for name in host.names("/usr/src")? {
        if let Some(version) = name.strip_prefix(&prefix) {
            if host.exists(&format!("{SOURCES}-{version}/dkms.conf"))? {
                found = Some(version.to_owned());
            }
        }
    }
    Ok(found)
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
        let said = facts.journal().ok().and_then(|journal| life(journal).last()).map(words);
        // At load, a wrong value keeps the module out.
        let refused = said.as_ref().is_some_and(|said| said.starts_with(WRONG));
        let said = said.map_or_else(String::new, |said| format!("; it said last: {said}"));
        let finding = Finding::broken(format!("it is not{said}"));
        let finding = match refused {
            true => finding.cure("correct it in /etc/modprobe.d or on the kernel's command line"),
            false => finding,
        };
        return Ok(vec![finding.cure(format!("modprobe {MODULE}"))]);
    }
    let mut findings = vec![match facts.status().ok().and_then(|status| status.version()) {
        Some(version) if version != OURS => {
            Finding::note(format!("{version} is loaded, and this command is of {OURS}"))
                .cures(upgrade(facts)?)
        }
        Some(version) => Finding::ok(version),
        None => Finding::ok("it is"),
    }];
    findings.push(at_boot(facts)?);
    let wrong = facts.journal().unwrap_or_default();
    findings.extend(life(wrong).filter(|entry| words(entry).starts_with(WRONG)).map(|entry| {
        Finding::note(words(entry)).cure(format!(
            "correct it in /etc/modprobe.d or /sys/module/{MODULE}/parameters; `modinfo {MODULE}` lists them"
        ))
    }));
    Ok(findings)
}

/// How the module that is loaded comes to be of this command's version.
fn upgrade(facts: &Facts<'_>) -> Seen<Vec<String>> {
    let mut steps = vec![];
    // What is installed may be of another version, too: then loading it anew changes nothing.
    if dkms_version(facts.host)?.is_some_and(|version| version != OURS) {
        let ours = facts.distribution()?.install_ours(&[DKMS_PACKAGE, COMMAND_PACKAGE]);
        steps.extend(ours.map(|command| format!("{command}, both of one version")));
    }
    steps.push(format!("after an upgrade: rmmod {MODULE} && modprobe {MODULE}"));
    Ok(steps)
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
