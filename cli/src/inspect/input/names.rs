// SPDX-License-Identifier: GPL-2.0
//! What a file is to us by its path in a package or a directory.
//!
//! Names are those of NVIDIA's packages and of what distributions make of them.

/// What a file is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// `nvidia.ko`, or the closed part that is linked into it.
    Driver,
    /// `nvidia-vgpud`.
    Daemon,
    /// What only a vGPU host has.
    OfHost(&'static str),
    /// A package or archive that may hold one of these.
    Package,
    /// A package that NVIDIA makes for virtual machines.
    ForGuests,
}

/// Tells it by the path.
pub fn meaning(path: &str) -> Option<Meaning> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_package = [".run", ".deb", ".rpm", ".zip"].iter().any(|end| name.ends_with(end));
    if is_package {
        let for_guests = folder.contains("Guest_Drivers") || name.contains("-grid");
        return Some(if for_guests { Meaning::ForGuests } else { Meaning::Package });
    }
    if is_driver(name) {
        return Some(Meaning::Driver);
    }
    // Scripts that start the daemons have their names.
    if folder.split('/').any(|part| part.starts_with("init")) {
        return None;
    }
    match name {
        "nvidia-vgpud" => Some(Meaning::Daemon),
        "nvidia-vgpu-mgr" => Some(Meaning::OfHost("nvidia-vgpu-mgr")),
        "vgpuConfig.xml" => Some(Meaning::OfHost("vgpuConfig.xml")),
        _ if module(name) == Some("nvidia-vgpu-vfio") || folder.ends_with("nvidia-vgpu-vfio") => {
            Some(Meaning::OfHost("nvidia-vgpu-vfio"))
        }
        _ => None,
    }
}

fn is_driver(name: &str) -> bool {
    if name.starts_with("nv-kernel") && name.ends_with(".o_binary") {
        return true;
    }
    // Debian's modules are named after the package: nvidia-current.ko, nvidia-tesla-470.ko.
    let Some(module) = module(name) else { return false };
    let series = module
        .strip_prefix("nvidia-tesla-")
        .is_some_and(|series| !series.is_empty() && series.bytes().all(|c| c.is_ascii_digit()));
    series || matches!(module, "nvidia" | "nvidia-current" | "nvidia-current-open" | "nvidia-tesla")
}

/// The name of a kernel module, compressed or not.
fn module(name: &str) -> Option<&str> {
    let name = [".xz", ".zst", ".gz"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    name.strip_suffix(".ko")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_nvidias_packages_have_under_them() {
        use Meaning::*;
        for (path, meaning_of_it) in [
            ("kernel/nvidia/nv-kernel.o_binary", Some(Driver)),
            ("./usr/src/x/nvidia/nv-kernel-amd64.o_binary", Some(Driver)),
            ("kernel/nvidia-modeset/nv-modeset-kernel.o_binary", None),
            ("lib/modules/6.1/updates/dkms/nvidia.ko.xz", Some(Driver)),
            ("nvidia-current.ko", Some(Driver)),
            ("nvidia-tesla-470.ko.zst", Some(Driver)),
            ("nvidia-modeset.ko", None),
            ("nvidia-current-modeset.ko", None),
            ("nvidia-tesla-470-uvm.ko", None),
            ("nvidia-vgpud", Some(Daemon)),
            ("usr/bin/nvidia-vgpud", Some(Daemon)),
            ("init-scripts/sysvinit/nvidia-vgpud", None),
            ("etc/init.d/nvidia-vgpu-mgr", None),
            ("nvidia-vgpud.service", None),
            ("usr/bin/nvidia-vgpu-mgr", Some(OfHost("nvidia-vgpu-mgr"))),
            ("vgpuConfig.xml", Some(OfHost("vgpuConfig.xml"))),
            ("kernel/nvidia-vgpu-vfio/nvidia-vgpu-vfio.c", Some(OfHost("nvidia-vgpu-vfio"))),
            ("extra/nvidia-vgpu-vfio.ko.xz", Some(OfHost("nvidia-vgpu-vfio"))),
            ("Host_Drivers/NVIDIA-Linux-x86_64-550.144.02-vgpu-kvm.run", Some(Package)),
            ("Host_Drivers/nvidia-vgpu-ubuntu-550_550.144.02_amd64.deb", Some(Package)),
            ("Guest_Drivers/nvidia-linux-grid-550_550.144.03_amd64.deb", Some(ForGuests)),
            ("NVIDIA-Linux-x86_64-550.144.03-grid.run", Some(ForGuests)),
            ("Guest_Drivers/553.62_grid_win10_win11.exe", None),
            ("", None),
        ] {
            assert_eq!(meaning(path), meaning_of_it, "{path}");
        }
    }
}
