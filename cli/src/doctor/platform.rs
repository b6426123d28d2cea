// SPDX-License-Identifier: GPL-2.0
//! The machine: whether its CPU virtualises, and whether its IOMMU is on.
//!
//! Source: the kernel's kernel-parameters.txt and its names of CPU flags and ACPI tables; that vGPU
//! wants both is said in NVIDIA's and Proxmox's guides.

use super::{Finding, facts::Facts};
use crate::host::Seen;

/// Who made the CPU, as far as names of settings depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    Intel,
    /// AMD, and Hygon, which builds AMD's.
    Amd,
    Other,
}

struct Cpu {
    maker: Maker,
    /// VMX or SVM.
    virtualises: bool,
    /// It is a virtual machine's.
    virtual_machine: bool,
}

impl Cpu {
    fn of(facts: &Facts<'_>) -> Seen<Self> {
        let text = facts.host.text("/proc/cpuinfo")?.unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim())
        };
        let maker = match field("vendor_id") {
            Some("GenuineIntel") => Maker::Intel,
            Some("AuthenticAMD" | "HygonGenuine") => Maker::Amd,
            _ => Maker::Other,
        };
        let flags: Vec<_> = field("flags").unwrap_or_default().split_whitespace().collect();
        Ok(Self {
            maker,
            virtualises: flags.contains(&"vmx") || flags.contains(&"svm"),
            virtual_machine: flags.contains(&"hypervisor"),
        })
    }

    fn virtualisation(&self) -> &'static str {
        match self.maker {
            Maker::Intel => "Intel VT-x",
            Maker::Amd => "AMD SVM",
            Maker::Other => "virtualisation",
        }
    }

    fn iommu(&self) -> &'static str {
        match self.maker {
            Maker::Intel => "Intel VT-d",
            Maker::Amd => "AMD IOMMU (AMD-Vi)",
            Maker::Other => "the IOMMU",
        }
    }
}

/// Whether virtual machines can run at all.
pub(super) fn virtualisation(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let cpu = Cpu::of(facts)?;
    if !cpu.virtualises {
        let finding = Finding::broken(format!("the CPU shows no {}", cpu.virtualisation()));
        return Ok(vec![if cpu.virtual_machine {
            finding.cure(
                "this is a virtual machine: have its host pass virtualisation on (nested, CPU type host)",
            )
        } else {
            finding.cure(format!("switch {} on in the firmware's setup", cpu.virtualisation()))
        }]);
    }
    let ok = format!("{} is there", cpu.virtualisation());
    if facts.host.exists("/dev/kvm")? {
        return Ok(vec![Finding::ok(ok)]);
    }
    let module = if cpu.maker == Maker::Intel { "kvm_intel" } else { "kvm_amd" };
    Ok(vec![
        Finding::note(format!("{ok}, but there is no /dev/kvm"))
            .cure(format!("modprobe {module}; if that is refused, look into the firmware's setup")),
    ])
}

/// Whether the IOMMU is on in the firmware and in the kernel.
pub(super) fn iommu(facts: &Facts<'_>) -> Seen<Vec<Finding>> {
    let groups = facts.host.names("/sys/kernel/iommu_groups")?.len();
    let units = facts.host.names("/sys/class/iommu")?.len();
    if groups != 0 || units != 0 {
        return Ok(vec![Finding::ok(format!("on, {groups} groups"))]);
    }
    let (cpu, kernel, distribution) = (Cpu::of(facts)?, facts.kernel()?, facts.distribution()?);
    for (name, off) in
        [("iommu", "iommu=off"), ("intel_iommu", "intel_iommu=off"), ("amd_iommu", "amd_iommu=off")]
    {
        // More words may follow the first, as in intel_iommu=off,sm_on.
        let word = kernel.parameter(name);
        if let Some(word) = word.filter(|word| word.split(',').any(|part| part == off)) {
            let finding =
                Finding::broken(format!("off, because of {word} on the kernel's command line"));
            return Ok(vec![finding.cures(distribution.remove_kernel_parameter(word))]);
        }
    }
    // What the firmware offers, it describes to the kernel in a table. The kernel of an AMD machine
    // needs no more than that.
    let tables = facts.host.names("/sys/firmware/acpi/tables")?;
    let described = tables.iter().any(|name| name == "DMAR" || name == "IVRS");
    let asked = matches!(kernel.parameter("intel_iommu"), Some(word) if word.contains("=on"));
    let finding = Finding::broken("the kernel uses no IOMMU");
    if cpu.virtual_machine && !described {
        return Ok(vec![finding.cure(
            "this is a virtual machine: have its host give it one (QEMU: -device intel-iommu)",
        )]);
    }
    Ok(vec![match (cpu.maker, described, asked) {
        (Maker::Intel, true, false) => {
            finding.cures(distribution.add_kernel_parameter("intel_iommu=on"))
        }
        (Maker::Intel, false, false) => finding
            .cure(format!("switch {} on in the firmware's setup", cpu.iommu()))
            .cures(distribution.add_kernel_parameter("intel_iommu=on")),
        (_, true, _) => finding.cure("journalctl -k -g 'DMAR|IOMMU|AMD-Vi' says why"),
        (_, false, _) => finding.cure(format!("switch {} on in the firmware's setup", cpu.iommu())),
    }])
}
