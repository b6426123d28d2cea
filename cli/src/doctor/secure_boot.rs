// SPDX-License-Identifier: GPL-2.0
//! Secure Boot: whether the module is signed with a key that the kernel trusts.
//!
//! Source: the UEFI specification for the variables, shim's MokVars.txt, and dkms(8) for keys.

use memchr::memmem;

use super::{
    Finding,
    facts::Facts,
    module::{MODULE, dkms_version},
};
use crate::{
    host::{Host, Seen},
    status,
};

/// Where the kernel shows EFI variables: four bytes of attributes, then the value.
const EFIVARS: &str = "/sys/firmware/efi/efivars";
const SECURE_BOOT: &str = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
/// The keys that shim hands to the kernel, and those that it will ask about at the next boot.
const MOK_LISTS: [&str; 2] = [
    "/sys/firmware/efi/mok-variables/MokListRT",
    "/sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23",
];
const MOK_NEW: &str = "MokNew-605dab50-e046-4300-abb6-3dd810dd8b23";

/// The certificates that DKMS signs with: its own, which it makes where it is not told another one; and on Ubuntu, where
/// it makes none, the one that shim-signed has made. A file of that name elsewhere is none of DKMS's. Source: the dkms
/// script, `prepare_mok` in 3.0 and `prepare_signing` since.
const CERTIFICATES: [&str; 2] = ["/var/lib/dkms/mok.pub", "/var/lib/shim-signed/mok/MOK.der"];

pub(super) fn signed(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let host = facts.host;
    let variable = host.read(&format!("{EFIVARS}/{SECURE_BOOT}"))?;
    let on = variable.is_some_and(|bytes| bytes.get(4) == Some(&1));
    let enforced = host.line("/sys/module/module/parameters/sig_enforce")?.as_deref() == Some("Y");
    let what = match (on, enforced) {
        (false, false) => return Ok(vec![Finding::ok("off, modules need no signature")]),
        (true, _) => "Secure Boot is on",
        (false, true) => "the kernel wants signed modules",
    };
    if host.exists(status::MODULE)? {
        return Ok(vec![Finding::ok(format!("{what}, and the kernel has taken the module"))]);
    }
    let release = &facts.kernel()?.release;
    let Some(file) = host.module_file(release, MODULE)? else {
        return Ok(vec![Finding::ok(format!("{what}; there is no module yet to look at"))]);
    };
    let certificate = certificate(host)?;
    if !host.module_info(&file)?.signed {
        let finding = Finding::broken(format!("{what}, and {file} is not signed"));
        return Ok(vec![
            match &certificate {
                Some((path, _)) => finding.cures(enrol(path)),
                None => finding.cure("dkms generate_mok").cures(enrol("/var/lib/dkms/mok.pub")),
            }
            .cures(build_anew(facts, release)?),
        ]);
    }
    let Some((path, bytes)) = certificate else {
        return Ok(vec![Finding::note(format!(
            "{what}, and {file} is signed; with which key, can't be told"
        ))]);
    };
    let contains = |list: Option<Vec<u8>>| {
        list.is_some_and(|list| !bytes.is_empty() && memmem::find(&list, &bytes).is_some())
    };
    for list in MOK_LISTS {
        if contains(host.read(list)?) {
            return Ok(vec![Finding::ok(format!(
                "{what}, the module is signed, and its key enrolled"
            ))]);
        }
    }
    if contains(host.read(&format!("{EFIVARS}/{MOK_NEW}"))?) {
        return Ok(vec![
            Finding::broken(format!("{what}, and the key {path} waits for you to confirm it"))
                .cure("reboot, and choose \"Enroll MOK\" on the console, with the password that you gave"),
        ]);
    }
    Ok(vec![
        Finding::broken(format!("{what}, and the key {path} is not enrolled")).cures(enrol(&path)),
    ])
}

/// How DKMS builds it again, and signs it this time.
fn build_anew(facts: &Facts<'_>, release: &str) -> Seen<Option<String>> {
    let version = dkms_version(facts.host)?;
    Ok(version.map(|version| {
        let what = format!("{MODULE}/{version} -k {release}");
        format!("dkms build --force {what} && dkms install --force {what}")
    }))
}

fn enrol(certificate: &str) -> [String; 2] {
    [
        format!("mokutil --import {certificate}"),
        "reboot, and choose \"Enroll MOK\" on the console, with the password that you gave".into(),
    ]
}

/// The certificate that DKMS uses, with its bytes: what its configuration names, else the first
/// that is there.
fn certificate(host: &Host) -> Seen<Option<(String, Vec<u8>)>> {
    let mut files = vec!["/etc/dkms/framework.conf".to_owned()];
    for name in host.names("/etc/dkms/framework.conf.d")? {
        files.push(format!("/etc/dkms/framework.conf.d/{name}"));
    }
    let mut paths = vec![];
    for file in files {
        let text = host.text(&file)?.unwrap_or_default();
        let named = text.lines().filter_map(|line| line.trim().strip_prefix("mok_certificate="));
        paths.extend(named.map(|path| path.trim_matches(['"', '\'']).to_owned()));
    }
    // What is set last counts.
    paths.reverse();
    paths.extend(CERTIFICATES.map(str::to_owned));
    for path in paths {
        if let Some(bytes) = host.read(&path)? {
            return Ok(Some((path, bytes)));
        }
    }
    Ok(None)
}
