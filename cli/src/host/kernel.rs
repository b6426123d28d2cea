// SPDX-License-Identifier: GPL-2.0
//! Kernels: the one that runs, those that are installed, and the modules that each has.

use std::cmp::Ordering;

use super::{Host, Seen};

/// What is known about the kernels of a host.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Such as `6.12.57+deb13-amd64`.
    pub release: String,
    /// The words of its command line.
    pub command_line: Vec<String>,
    /// The releases that can be booted, the newest last.
    pub installed: Vec<String>,
}

impl Kernel {
    /// The host's kernels.
    ///
    /// # Errors
    /// A file is there and can't be read.
    pub fn of(host: &Host) -> Seen<Self> {
        let release = host.line("/proc/sys/kernel/osrelease")?.unwrap_or_default();
        let command_line = host.text("/proc/cmdline")?.unwrap_or_default();
        let mut installed = vec![];
        for release in host.names(modules_dir(host)?)? {
            // Directories of kernels that were removed stay behind, with what DKMS built for them.
            let image = [
                format!("/boot/vmlinuz-{release}"),
                format!("{}/{release}/vmlinuz", modules_dir(host)?),
            ];
            // Where /boot can't be looked into, it is taken to be there.
            if image.iter().any(|image| host.exists(image).unwrap_or(true)) {
                installed.push(release);
            }
        }
        installed.sort_by(|a, b| compare(a, b));
        let command_line = command_line.split_whitespace().map(str::to_owned).collect();
        Ok(Self { release, command_line, installed })
    }

    /// The newest that can be booted, where that is not the running one.
    pub fn newer(&self) -> Option<&str> {
        let newest = self.installed.last()?;
        (compare(newest, &self.release) == Ordering::Greater).then_some(newest.as_str())
    }

    /// The word of the command line that is `name`, or `name=…`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        // The kernel takes - and _ for the same.
        let same = |word: &str| word.replace('-', "_") == name.replace('-', "_");
        let mut words = self.command_line.iter().map(String::as_str);
        words.rfind(|word| same(word.split('=').next().unwrap_or(word)))
    }
}

/// Where modules lie. `/lib` is a link today, but not everywhere.
fn modules_dir(host: &Host) -> Seen<&'static str> {
    Ok(if host.exists("/lib/modules")? { "/lib/modules" } else { "/usr/lib/modules" })
}

impl Host {
    /// The file of the module `name` that modprobe loads for a kernel.
    ///
    /// # Errors
    /// The list of modules is there and can't be read.
    pub fn module_file(&self, release: &str, name: &str) -> Seen<Option<String>> {
        let dir = format!("{}/{release}", modules_dir(self)?);
        let list = self.text(&format!("{dir}/modules.dep"))?.unwrap_or_default();
        let files = list.lines().filter_map(|line| line.split(':').next());
        let mut found = files.filter(|file| {
            let file = file.rsplit('/').next().unwrap_or(file);
            file.split_once(".ko").is_some_and(|(stem, _)| stem.replace('-', "_") == name)
        });
        Ok(found.next().map(|file| match file.strip_prefix('/') {
            Some(_) => file.to_owned(),
            None => format!("{dir}/{file}"),
        }))
    }

    /// The package that a kernel belongs to, which Arch keeps beside its modules.
    pub fn kernel_package(&self, release: &str) -> Option<String> {
        let dir = modules_dir(self).ok()?;
        self.line(&format!("{dir}/{release}/pkgbase")).ok().flatten()
    }

    /// Whether the headers of a kernel are there, so that modules can be built for it.
    ///
    /// # Errors
    /// The place can't be looked at.
    pub fn has_headers(&self, release: &str) -> Seen<bool> {
        let dir = modules_dir(self)?;
        // The link stays when the headers go; but an absolute one leads out of a made-up host.
        if self.made_up {
            return self.exists(&format!("{dir}/{release}/build"));
        }
        self.exists(&format!("{dir}/{release}/build/Makefile"))
    }
}

/// Compares releases as people do: numbers by their value.
fn compare(a: &str, b: &str) -> Ordering {
    parts(a).cmp(&parts(b))
}

/// A release, cut where digits begin or end, without what separates. A number comes after a text:
/// 6.12.0 after 6.12-rc1.
fn parts(text: &str) -> Vec<(Option<u64>, &str)> {
    let mut parts = vec![];
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
            let (part, tail) = rest.split_at(end);
            // What is too long for a number is compared as text.
            let number = part.parse().ok();
            parts.push((number, if number.is_some() { "" } else { part }));
            rest = tail;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::super::made_up::MadeUp;
    use super::*;

    #[test]
    fn the_newest_kernel_is_told_by_numbers_not_by_letters() {
        let mut made_up = MadeUp::default();
        made_up.file("/proc/sys/kernel/osrelease", "6.12.9+deb13-amd64\n");
        for release in ["6.12.9+deb13-amd64", "6.12.57+deb13-amd64", "6.2.1-amd64"] {
            made_up.dir(&format!("/lib/modules/{release}"));
            made_up.file(&format!("/boot/vmlinuz-{release}"), "");
        }
        made_up.dir("/lib/modules/7.2.0-removed");
        let kernel = Kernel::of(&made_up.host()).unwrap();
        assert_eq!(kernel.newer(), Some("6.12.57+deb13-amd64"));
        assert_eq!(kernel.installed.first().unwrap(), "6.2.1-amd64");

        made_up.file("/proc/sys/kernel/osrelease", "6.12.57+deb13-amd64\n");
        assert_eq!(Kernel::of(&made_up.host()).unwrap().newer(), None);
        // Arch and Fedora keep the image beside the modules.
        made_up.file("/lib/modules/7.2.0-removed/vmlinuz", "");
        assert_eq!(Kernel::of(&made_up.host()).unwrap().newer(), Some("7.2.0-removed"));
    }

    #[test]
    fn releases_are_compared_as_people_do() {
        for (older, newer) in [
            ("6.8.12-4-pve", "6.8.12-11-pve"),
            ("6.8.12-4-pve", "6.14.0-1-pve"),
            ("6.12-rc1", "6.12.0"),
            ("5.14.0-503.el9.x86_64", "5.14.0-503.11.1.el9_5.x86_64"),
        ] {
            assert_eq!(compare(older, newer), Ordering::Less, "{older} {newer}");
            assert_eq!(compare(newer, older), Ordering::Greater, "{older} {newer}");
        }
    }

    #[test]
    fn modules_are_found_by_what_modprobe_goes_by() {
        let mut made_up = MadeUp::default();
        made_up.file(
            "/usr/lib/modules/6.1/modules.dep",
            "kernel/drivers/vfio/mdev/mdev.ko.xz: kernel/x.ko.xz\n\
             updates/dkms/nvidia-vgpu-vfio.ko.zst: updates/dkms/nvidia.ko.zst\n\
             /opt/extra/nvidia.ko:\n",
        );
        let host = made_up.host();
        let find = |name| host.module_file("6.1", name).unwrap();
        assert_eq!(
            find("nvidia_vgpu_vfio").as_deref(),
            Some("/usr/lib/modules/6.1/updates/dkms/nvidia-vgpu-vfio.ko.zst")
        );
        assert_eq!(find("nvidia").as_deref(), Some("/opt/extra/nvidia.ko"));
        assert_eq!(find("nvidia_vgpu"), None);
        assert_eq!(host.module_file("6.2", "nvidia").unwrap(), None);
    }

    #[test]
    fn the_last_word_of_the_command_line_counts() {
        let mut made_up = MadeUp::default();
        made_up
            .file("/proc/cmdline", "quiet intel_iommu=off vfio-pci.ids=10de:1b06 intel_iommu=on\n");
        let kernel = Kernel::of(&made_up.host()).unwrap();
        assert_eq!(kernel.parameter("intel_iommu"), Some("intel_iommu=on"));
        assert_eq!(kernel.parameter("vfio_pci.ids"), Some("vfio-pci.ids=10de:1b06"));
        assert_eq!(kernel.parameter("quiet"), Some("quiet"));
        assert_eq!(kernel.parameter("iommu"), None);
    }
}
