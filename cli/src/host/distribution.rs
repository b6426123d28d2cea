// SPDX-License-Identifier: GPL-2.0
//! Which distribution it is, and what things are called there.
//!
//! Source: os-release(5), and each distribution's own documentation of its package names. Not run
//! by us.

use super::{Host, Seen, boot};

/// Whose packages and tools the host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Debian,
    /// Debian with Proxmox's kernels.
    Proxmox,
    Ubuntu,
    Fedora,
    Suse,
    Arch,
    Other,
}

/// A distribution.
#[derive(Debug)]
pub struct Distribution {
    /// What it calls itself.
    pub name: String,
    family: Family,
    boot: boot::Loader,
    initramfs: Option<&'static str>,
}

impl Distribution {
    /// Tells the host's distribution by its os-release, and its tools by what is installed.
    ///
    /// # Errors
    /// The file is there and can't be read.
    pub fn of(host: &Host) -> Seen<Self> {
        let mut text = host.text("/etc/os-release")?;
        if text.is_none() {
            text = host.text("/usr/lib/os-release")?;
        }
        let text = text.unwrap_or_default();
        // Proxmox VE leaves Debian's os-release as it is.
        let proxmox = host.exists("/etc/pve")? || host.has_program("pveversion");
        let family = if proxmox { Family::Proxmox } else { family(&text) };
        let name = match (family, field(&text, "PRETTY_NAME")) {
            (Family::Proxmox, Some(name)) => format!("Proxmox VE on {name}"),
            (Family::Proxmox, None) => "Proxmox VE".into(),
            (_, Some(name)) => name,
            (_, None) => "an unknown distribution".into(),
        };
        let initramfs = [
            ("update-initramfs", "update-initramfs -u -k all"),
            ("mkinitcpio", "mkinitcpio -P"),
            ("dracut", "dracut -f --regenerate-all"),
        ];
        let initramfs = initramfs.into_iter().find(|(program, _)| host.has_program(program));
        let boot = boot::Loader::of(host, proxmox)?;
        Ok(Self { name, family, boot, initramfs: initramfs.map(|(_, command)| command) })
    }

    /// The command that installs packages.
    pub fn install(&self, packages: &str) -> String {
        match self.family {
            Family::Debian | Family::Proxmox | Family::Ubuntu => format!("apt install {packages}"),
            Family::Fedora => format!("dnf install {packages}"),
            Family::Suse => format!("zypper install {packages}"),
            Family::Arch => format!("pacman -S {packages}"),
            Family::Other => format!("install {packages} with your distribution's package manager"),
        }
    }

    /// The command that installs packages of ours, which no archive has, from their files; `None`
    /// where we make none.
    pub fn install_ours(&self, packages: &[&str]) -> Option<String> {
        let (command, before, behind) = match self.family {
            Family::Debian | Family::Proxmox | Family::Ubuntu => ("apt install", "./", "_*.deb"),
            Family::Fedora => ("dnf install", "./", "-[0-9]*.rpm"),
            // Nobody has signed them.
            Family::Suse => ("zypper install --allow-unsigned-rpm", "./", "-[0-9]*.rpm"),
            Family::Arch => ("pacman -U", "", "-[0-9]*.pkg.tar.zst"),
            Family::Other => return None,
        };
        let files = packages.iter().map(|package| format!(" {before}{package}{behind}"));
        Some(files.fold(command.to_owned(), |line, file| line + &file))
    }

    /// The command that installs the headers of a kernel. `flavour` is what the kernel's own
    /// package is called, where the kernel says so.
    pub fn install_headers(&self, release: &str, flavour: Option<&str>) -> String {
        let package = match self.family {
            Family::Debian | Family::Ubuntu => format!("linux-headers-{release}"),
            // The packages were renamed with 6.5.
            Family::Proxmox if older_than_6_5(release) => format!("pve-headers-{release}"),
            Family::Proxmox => format!("proxmox-headers-{release}"),
            Family::Fedora => format!("kernel-devel-{release}"),
            Family::Suse => {
                let flavour = release.rsplit('-').next().unwrap_or("default");
                format!("kernel-{flavour}-devel")
            }
            Family::Arch => format!("{}-headers", flavour.unwrap_or("linux")),
            Family::Other => format!("the headers of kernel {release}"),
        };
        self.install(&package)
    }

    /// What to do so that the kernel is booted with `parameter`.
    pub fn add_kernel_parameter(&self, parameter: &str) -> Vec<String> {
        let mut words = self.boot.add(parameter);
        words.push("then reboot".into());
        words
    }

    /// What to do so that the kernel is booted without `parameter`.
    pub fn remove_kernel_parameter(&self, parameter: &str) -> Vec<String> {
        let mut words = self.boot.remove(parameter);
        words.push("then reboot".into());
        words
    }

    /// What makes the initial RAM file system anew, which has files of modprobe.d in it.
    pub fn refresh_initramfs(&self) -> String {
        self.initramfs.map_or_else(
            || "make the initial RAM file system anew, where there is one".into(),
            str::to_owned,
        )
    }

    /// Whether virtual machines are Proxmox's.
    pub fn is_proxmox(&self) -> bool {
        self.family == Family::Proxmox
    }
}

fn family(os_release: &str) -> Family {
    let id = field(os_release, "ID").unwrap_or_default();
    let like = field(os_release, "ID_LIKE").unwrap_or_default();
    // The nearest relative stands first in ID_LIKE.
    std::iter::once(id.as_str())
        .chain(like.split_whitespace())
        .find_map(|name| match name {
            "ubuntu" => Some(Family::Ubuntu),
            "debian" => Some(Family::Debian),
            "fedora" | "rhel" | "centos" => Some(Family::Fedora),
            "arch" => Some(Family::Arch),
            _ if name.starts_with("opensuse") || name == "suse" || name == "sles" => {
                Some(Family::Suse)
            }
            _ => None,
        })
        .unwrap_or(Family::Other)
}

/// A field of os-release, without its quotation marks.
fn field(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}

fn older_than_6_5(release: &str) -> bool {
    let mut numbers = release.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version < (6, 5)
}

#[cfg(test)]
mod tests {
    use super::super::made_up::MadeUp;
    use super::*;

    #[test]
    fn each_distribution_is_told_by_its_own_words() {
        let release = "6.1.0-1";
        for (os_release, extra, install, headers) in [
            ("ID=debian", "", "apt install x", "linux-headers-6.1.0-1"),
            ("ID=\"debian\"", "/etc/pve/x", "apt install x", "pve-headers-6.1.0-1"),
            ("ID=ubuntu\nID_LIKE=debian", "", "apt install x", "linux-headers-6.1.0-1"),
            ("ID=pop\nID_LIKE=\"ubuntu debian\"", "", "apt install x", "linux-headers-6.1.0-1"),
            ("ID=fedora", "", "dnf install x", "kernel-devel-6.1.0-1"),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"", "", "dnf install x", "kernel-devel-"),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse\"", "", "zypper install x", "kernel-1-devel"),
            ("ID=manjaro\nID_LIKE=arch", "", "pacman -S x", "linux-lts-headers"),
            ("ID=nixos", "", "install x with your", "the headers of kernel 6.1.0-1"),
            ("", "", "install x with your", "the headers of kernel 6.1.0-1"),
        ] {
            let mut made_up = MadeUp::default();
            made_up.file("/etc/os-release", os_release);
            if !extra.is_empty() {
                made_up.file(extra, "");
            }
            let distribution = Distribution::of(&made_up.host()).unwrap();
            assert!(distribution.install("x").starts_with(install), "{os_release}");
            let found = distribution.install_headers(release, Some("linux-lts"));
            assert!(found.contains(headers), "{os_release}: {found}");
            assert_eq!(distribution.is_proxmox(), !extra.is_empty());
            // A package of ours comes from a file, by the same manager.
            let ours = distribution.install_ours(&["ours"]);
            let manager = install.split(' ').next().unwrap();
            assert_eq!(ours.is_some(), manager != "install", "{os_release}");
            let ours = ours.unwrap_or_else(|| manager.to_owned());
            assert!(ours.starts_with(manager) && !ours.contains(" -S"), "{os_release}: {ours}");
        }
    }

    #[test]
    fn names_are_those_of_os_release() {
        let mut made_up = MadeUp::default();
        assert_eq!(Distribution::of(&made_up.host()).unwrap().name, "an unknown distribution");
        made_up
            .file("/usr/lib/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n");
        let distribution = Distribution::of(&made_up.host()).unwrap();
        assert_eq!(distribution.name, "Debian GNU/Linux 13 (trixie)");
        made_up.file("/usr/bin/pveversion", "");
        let distribution = Distribution::of(&made_up.host()).unwrap();
        assert_eq!(distribution.name, "Proxmox VE on Debian GNU/Linux 13 (trixie)");
        assert!(distribution.install_headers("6.8.12-4-pve", None).contains("proxmox-headers-6.8"));
        assert!(distribution.install_headers("6.2.16-4-pve", None).contains("pve-headers-6.2"));
    }

    #[test]
    fn the_initramfs_is_made_by_what_is_installed() {
        for (program, command) in [
            ("/usr/sbin/update-initramfs", "update-initramfs -u -k all"),
            ("/usr/bin/mkinitcpio", "mkinitcpio -P"),
            ("/bin/dracut", "dracut -f --regenerate-all"),
            ("/bin/other", "make the initial RAM file system anew, where there is one"),
        ] {
            let mut made_up = MadeUp::default();
            made_up.file(program, "");
            assert_eq!(Distribution::of(&made_up.host()).unwrap().refresh_initramfs(), command);
        }
    }
}
