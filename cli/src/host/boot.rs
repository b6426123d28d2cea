// SPDX-License-Identifier: GPL-2.0
//! Where the kernel's command line is written down, and what has to be run after it was changed.
//!
//! Source: Proxmox's "Host Bootloader", Pop!_OS's kernelstub, Fedora's grubby, openSUSE's
//! sdbootutil, and the manuals of GRUB, mkinitcpio and kernel-install. Not run by us.

use super::{Host, Seen};

/// Where systemd-boot says that it is what booted the host, as UTF-16.
const LOADER_INFO: &str =
    "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

const GRUB: &str = "/etc/default/grub";
const CMDLINE: &str = "/etc/kernel/cmdline";

/// Who hands the kernel its command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loader {
    /// Pop!_OS.
    Kernelstub,
    /// Fedora and what is made of it.
    Grubby,
    /// GRUB; what writes its configuration.
    Grub(&'static str),
    /// A file with the line; what takes it over.
    CommandLine(&'static str),
    /// Entries of systemd-boot, written by hand, in this directory.
    Entries(&'static str),
    /// None that we know.
    Unknown,
}

impl Loader {
    pub(super) fn of(host: &Host, proxmox: bool) -> Seen<Self> {
        if host.has_program("kernelstub") {
            return Ok(Loader::Kernelstub);
        }
        if proxmox && host.exists("/etc/kernel/proxmox-boot-uuids")? {
            // It serves both, GRUB for BIOS and Secure Boot; GRUB's own file is there either way.
            // EFI variables may be out of reach; then what is most likely with this file counts.
            let info = host.read(LOADER_INFO).unwrap_or_default().unwrap_or_default();
            let info: Vec<u8> = info.into_iter().filter(|&byte| byte != 0).collect();
            if memchr::memmem::find(&info, b"systemd-boot").is_some() {
                return Ok(Loader::CommandLine("proxmox-boot-tool refresh"));
            }
        }
        if host.has_program("grubby") {
            return Ok(Loader::Grubby);
        }
        if host.has_program("sdbootutil") && host.exists(CMDLINE)? {
            return Ok(Loader::CommandLine("sdbootutil update-all-entries"));
        }
        if host.exists(GRUB)? {
            let writers = [
                ("update-grub", "update-grub"),
                ("grub2-mkconfig", "grub2-mkconfig -o /boot/grub2/grub.cfg"),
                ("grub-mkconfig", "grub-mkconfig -o /boot/grub/grub.cfg"),
            ];
            let writer = writers.into_iter().find(|(program, _)| host.has_program(program));
            if let Some((_, command)) = writer {
                return Ok(Loader::Grub(command));
            }
        }
        if host.exists(CMDLINE)? {
            let command = if host.has_program("mkinitcpio") {
                "mkinitcpio -P"
            } else {
                "kernel-install add-all"
            };
            return Ok(Loader::CommandLine(command));
        }
        for entries in ["/boot/loader/entries", "/efi/loader/entries", "/boot/efi/loader/entries"] {
            // It is on a file system that only root may look into, often.
            if host.exists(entries).unwrap_or(false) {
                return Ok(Loader::Entries(entries));
            }
        }
        Ok(Loader::Unknown)
    }

    pub(super) fn add(self, parameter: &str) -> Vec<String> {
        match self {
            Loader::Kernelstub => vec![format!("kernelstub --add-options \"{parameter}\"")],
            Loader::Grubby => vec![format!("grubby --update-kernel=ALL --args=\"{parameter}\"")],
            other => other.edited(&format!("add {parameter} to")),
        }
    }

    pub(super) fn remove(self, parameter: &str) -> Vec<String> {
        match self {
            Loader::Kernelstub => vec![format!("kernelstub --delete-options \"{parameter}\"")],
            Loader::Grubby => {
                vec![format!("grubby --update-kernel=ALL --remove-args=\"{parameter}\"")]
            }
            other => other.edited(&format!("take {parameter} out of")),
        }
    }

    fn edited(self, what: &str) -> Vec<String> {
        match self {
            Loader::Grub(command) => {
                vec![format!("{what} GRUB_CMDLINE_LINUX_DEFAULT in {GRUB}"), command.into()]
            }
            Loader::CommandLine(command) => {
                vec![format!("{what} the line in {CMDLINE}"), command.into()]
            }
            Loader::Entries(dir) => {
                vec![format!("{what} the line `options` of the entry in {dir}")]
            }
            Loader::Kernelstub | Loader::Grubby | Loader::Unknown => {
                vec![format!(
                    "{what} the kernel's command line, in your boot loader's configuration"
                )]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::MadeUp;
    use super::*;

    #[test]
    fn the_words_are_those_of_what_boots_the_host() {
        let utf16 =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        type Files<'a> = &'a [(&'a str, &'a [u8])];
        let systemd_boot = utf16("systemd-boot 257");
        let grub = utf16("GRUB 2.12");
        let uuids: (&str, &[u8]) = ("/etc/kernel/proxmox-boot-uuids", b"1234-ABCD\n");
        let default: (&str, &[u8]) = (GRUB, b"");
        let update_grub: (&str, &[u8]) = ("/usr/sbin/update-grub", b"");
        let cases: &[(Files<'_>, &str)] = &[
            (
                &[default, update_grub],
                "GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub; update-grub",
            ),
            (
                &[uuids, default, update_grub, (LOADER_INFO, &systemd_boot)],
                "proxmox-boot-tool refresh",
            ),
            (&[uuids, default, update_grub, (LOADER_INFO, &grub)], "update-grub"),
            (&[uuids, default, update_grub], "update-grub"),
            (
                &[default, ("/usr/sbin/grub2-mkconfig", b"")],
                "grub2-mkconfig -o /boot/grub2/grub.cfg",
            ),
            (&[default, ("/usr/bin/grub-mkconfig", b"")], "grub-mkconfig -o /boot/grub/grub.cfg"),
            (&[default, ("/usr/sbin/grubby", b"")], "grubby --update-kernel=ALL --args=\"x=on\""),
            (&[default, update_grub, ("/usr/bin/kernelstub", b"")], "kernelstub --add-options"),
            (&[("/usr/bin/sdbootutil", b""), (CMDLINE, b"")], "sdbootutil update-all-entries"),
            (&[("/usr/bin/mkinitcpio", b""), (CMDLINE, b"")], "mkinitcpio -P"),
            (&[(CMDLINE, b"")], "kernel-install add-all"),
            (&[("/boot/loader/entries/arch.conf", b"")], "`options` of the entry in /boot/loader"),
            (&[], "the kernel's command line, in your boot loader's configuration"),
        ];
        for (files, expected) in cases {
            let mut made_up = MadeUp::default();
            for (path, content) in *files {
                made_up.file(path, content);
            }
            let loader = Loader::of(&made_up.host(), true).unwrap();
            let words = loader.add("x=on").join("; ");
            assert!(words.contains(expected), "{files:?}: {words}");
            assert!(words.contains("x=on"), "{words}");
            let words = loader.remove("y=off").join("; ");
            let verb =
                ["take y=off out of", "--remove-args=\"y=off\"", "--delete-options \"y=off\""];
            assert!(verb.iter().any(|verb| words.contains(verb)), "{words}");
        }
    }
}
