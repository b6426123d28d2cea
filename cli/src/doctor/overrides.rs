// SPDX-License-Identifier: GPL-2.0
//! overrides.toml: whether it is right, in force, and loaded at boot.

use super::{Finding, facts::Facts};
use crate::{
    apply::{
        self, Step, Wanted,
        memory::{self, TooLarge},
        takes_pieces, too_old,
    },
    host::{Host, Seen, is_enabled, is_installed},
    profile::{MAX_PARAMETER, OVERRIDES, decode},
    status,
};

const SERVICE: &str = "vgpu-unlock-apply.service";
const PATH: &str = "vgpu-unlock-apply.path";

pub(super) fn overrides(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let host = facts.host;
    let Some(bytes) = host.read(OVERRIDES)? else {
        let mut findings = vec![Finding::ok(format!("there is no {OVERRIDES}"))];
        findings.extend(too_large(memory::of_overrides(host)));
        return Ok(findings);
    };
    let wanted = match read(host, &bytes) {
        Ok(wanted) => wanted,
        Err(why) => {
            return Ok(vec![
                Finding::broken(format!("{why}; what was in force stays"))
                    .cure("correct it; `vgpu-unlock apply --check` says all that is wrong")
                    .cure("vgpu-unlock apply"),
            ]);
        }
    };
    let mut findings = vec![];
    if host.exists(status::MODULE)? {
        findings.push(in_force(host, &wanted)?);
        findings.extend(too_large(memory::of_overrides(host)));
    } else {
        findings.push(Finding::ok(format!("right: {}", wanted.settings)));
        findings.extend(too_large(memory::of_settings(host, &wanted.settings)));
    }
    findings.extend(at_boot(host)?);
    Ok(findings)
}

/// A vGPU with such an override does not start.
fn too_large(found: Vec<TooLarge>) -> impl Iterator<Item = Finding> {
    let cure = "`vgpu-unlock plan` says which sizes fit";
    found.into_iter().map(move |too_large| Finding::note(too_large.to_string()).cure(cure))
}

/// What the file asks for, or the first thing that is wrong with it.
fn read(host: &Host, bytes: &[u8]) -> Result<Wanted, String> {
    let text = decode(bytes).map_err(|why| format!("{OVERRIDES}: {why}"))?;
    let import = apply::read(host, OVERRIDES, &text);
    match import.errors().lines().next() {
        Some(first) => Err(first.to_owned()),
        None => Wanted::of(&import).map_err(|error| format!("{OVERRIDES}: {error}")),
    }
}

fn in_force(host: &Host, wanted: &Wanted) -> Seen<Finding> {
    if !takes_pieces(host)? && wanted.bytes() > MAX_PARAMETER {
        return Ok(Finding::broken(format!("{OVERRIDES}: {}", too_old(wanted.bytes())))
            .cure("rmmod vgpu_unlock && modprobe vgpu_unlock loads the one that is installed")
            .cure("vgpu-unlock apply"));
    }
    let changes = match Step::new(host, wanted).changes() {
        Ok(changes) => changes,
        Err(unseen) => return Ok(unseen.into()),
    };
    Ok(match (changes.first(), changes.len() - changes.len().min(1)) {
        (None, _) => Finding::ok(format!("in force: {}", wanted.settings)),
        (Some(first), more) => {
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            Finding::note(format!("{OVERRIDES} is not what is in force: {first}{more}"))
                .cure("vgpu-unlock apply")
        }
    })
}

/// What is to be known about when it is loaded; nothing where systemd does that.
fn at_boot(host: &Host) -> Seen<Option<Finding>> {
    let (service, path) = (is_enabled(host, SERVICE)?, is_enabled(host, PATH)?);
    let (what, units) = match (service, path) {
        (true, true) => return Ok(None),
        (false, false) => ("nothing loads it at boot, or when it changes", vec![SERVICE, PATH]),
        (false, true) => ("nothing loads it at boot", vec![SERVICE]),
        (true, false) => ("nothing loads it when it changes", vec![PATH]),
    };
    let mut finding = Finding::note(what);
    for unit in &units {
        if !is_installed(host, unit)? {
            finding = finding.cure(format!(
                "install -m 644 cli/systemd/{unit} /etc/systemd/system, in vgpu_unlock's source"
            ));
        }
    }
    Ok(Some(finding.cure(format!("systemctl enable --now {}", units.join(" ")))))
}
