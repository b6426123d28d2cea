// SPDX-License-Identifier: GPL-2.0
//! The text of a bug report.

mod mask;

use std::fmt::Write;

use crate::{
    apply::InForce,
    doctor,
    host::{Distribution, Host, Kernel, Seen, Unseen, boards, journal},
    inspect, status,
};

use mask::Mask;

/// A part of it.
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What it holds, said before it is written.
    pub what: &'static str,
    /// Its text.
    text: fn(&Host) -> Seen<String>,
}

/// All of them, in their order.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "versions",
        what: "the versions of distribution, kernel, NVIDIA's driver, module and this command",
        text: versions,
    },
    Section {
        title: "boards",
        what: "NVIDIA's boards: bus addresses, PCI IDs, and who holds them",
        text: board_list,
    },
    Section {
        title: "doctor --all",
        what: "what `vgpu-unlock doctor --all` prints",
        text: examined,
    },
    Section { title: "status", what: "the module's status", text: module_status },
    Section {
        title: "parameters",
        what: "the module's parameters: your overrides, with the texts that you set",
        text: parameters,
    },
    Section {
        title: "kernel log",
        what: "the kernel's lines of this boot that are the module's or NVIDIA's",
        text: kernel_log,
    },
    Section {
        title: "daemons' log",
        what: "the errors of NVIDIA's daemons of this boot",
        text: daemons_log,
    },
    Section {
        title: "inspect",
        what: "what `vgpu-unlock inspect` says of the installed nvidia.ko",
        text: inspected,
    },
];

/// Writes all of it, masked.
pub fn write(host: &Host) -> String {
    let mut text = String::from("vgpu-unlock report\n");
    for section in SECTIONS {
        let body = (section.text)(host).unwrap_or_else(|unseen| format!("{unseen}\n"));
        let body = if body.is_empty() { "none\n" } else { &body };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n== {} ==\n{body}", section.title);
    }
    Mask::of(host).mask(&text)
}

fn versions(host: &Host) -> Seen<String> {
    let kernel = Kernel::of(host)?;
    let module = status::Status::read(host);
    let module = match &module {
        Ok(status) => status.version().unwrap_or("unknown").to_owned(),
        Err(missing) => missing.what(),
    };
    let driver = host.text("/proc/driver/nvidia/version")?.unwrap_or_else(|| "not loaded".into());
    Ok(format!(
        "distribution: {}\nkernel: {}\nother kernels: {}\ncommand line: {}\ndriver: {}\nmodule: {module}\n\
         vgpu-unlock: {}\n",
        Distribution::of(host)?.name,
        kernel.release,
        kernel.installed.join(" "),
        kernel.command_line.join(" "),
        driver.lines().next().unwrap_or_default(),
        env!("CARGO_PKG_VERSION"),
    ))
}

fn board_list(host: &Host) -> Seen<String> {
    let lines = boards(host)?.into_iter().map(|board| {
        let (functions, total) = (board.functions.len(), board.total_functions);
        let driver = board.driver.as_deref().unwrap_or("none");
        format!(
            "{} subsystem {:04x}, driver {driver}, virtual functions {functions} of {total}\n",
            board.name(),
            board.subsystem
        )
    });
    Ok(lines.collect())
}

fn examined(host: &Host) -> Seen<String> {
    Ok(doctor::examine(host, true).to_string())
}

fn module_status(host: &Host) -> Seen<String> {
    Ok(status::text(host).unwrap_or_else(|missing| format!("{}\n", missing.what())))
}

fn parameters(host: &Host) -> Seen<String> {
    const DIR: &str = "/sys/module/vgpu_unlock/parameters";
    let mut text = String::new();
    for name in host.names(DIR)? {
        let value = match &name[..] {
            // It can only be written.
            "overrides_part" => continue,
            // The parameter itself shows no more than a page of them.
            "overrides" => InForce::read(host).map(|found| {
                let others = found.partly.map(|unseen| format!("; others: {unseen}"));
                Some(found.text + &others.unwrap_or_default())
            }),
            _ => host.line(&format!("{DIR}/{name}")),
        };
        let value = value.unwrap_or_else(|unseen| Some(unseen.to_string())).unwrap_or_default();
        let _ = writeln!(text, "{name}={value}");
    }
    Ok(text)
}

fn kernel_log(host: &Host) -> Seen<String> {
    let ours = ["vgpu_unlock", "NVRM", "nvidia", "nouveau"];
    log(host, |entry| entry.source == "kernel" && ours.iter().any(|it| entry.message.contains(it)))
}

fn daemons_log(host: &Host) -> Seen<String> {
    log(host, |entry| entry.source != "kernel" && entry.message.contains("rror"))
}

/// The last lines that are wanted. A daemon that fails again and again fills no report.
fn log(host: &Host, wanted: impl Fn(&journal::Entry) -> bool) -> Seen<String> {
    const LINES: usize = 200;
    let entries = journal::entries(host)?;
    let wanted: Vec<_> = entries.iter().filter(|entry| wanted(entry)).collect();
    let last = wanted.iter().skip(wanted.len().saturating_sub(LINES));
    let lines = last.map(|entry| {
        let seconds = entry.at.as_secs_f64();
        format!("[{seconds:12.6}] {}: {}\n", entry.source, entry.message)
    });
    Ok(lines.collect())
}

fn inspected(host: &Host) -> Seen<String> {
    let release = Kernel::of(host)?.release;
    let Some(file) = host.module_file(&release, "nvidia")? else { return Ok(String::new()) };
    let report = inspect::inspect(&host.path(&file), None).map_err(|error| Unseen {
        what: file.clone(),
        why: error.root_cause().to_string(),
        needs_root: false,
    })?;
    Ok(format!("{file}\n{report}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::hosts;

    #[test]
    fn everything_that_is_announced_is_in_it_and_nothing_private() {
        let mut host = hosts::healthy();
        host.file("/etc/hostname", "livingroom\n")
            .file("/sys/module/vgpu_unlock/parameters/enabled", "1\n")
            .file(
                "/sys/module/vgpu_unlock/parameters/overrides",
                format!("mdev/{}:card_name='My GPU'\n", hosts::UUID),
            )
            .file(
                "/sys/kernel/debug/vgpu_unlock/status",
                format!("vgpu_unlock 0.1.0\nvgpu {}\n", hosts::UUID),
            );
        hosts::kernel_says(
            &mut host,
            9,
            "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.163.01",
        );
        hosts::kernel_says(&mut host, 9, "usb 1-1: new device");
        let uuid = "5c3928a2-b61f-46a8-883a-36887adec34d";
        hosts::daemon_says(
            &mut host,
            10,
            "nvidia-vgpu-mgr",
            &format!("error: {uuid} on livingroom.lan"),
        );
        hosts::daemon_says(&mut host, 10, "nvidia-vgpu-mgr", "notice: all is well");
        let text = write(&host.host());
        for section in SECTIONS {
            assert!(text.contains(&format!("\n== {} ==\n", section.title)), "{text}");
        }
        for line in [
            "distribution: Debian GNU/Linux 13 (trixie)\n",
            "kernel: 6.12.57+deb13-amd64\n",
            "driver: NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01",
            "0000:01:00.0 10de:1b06 subsystem 120f, driver nvidia, virtual functions 0 of 0\n",
            "ok      unlocked            550.163.01 is hooked\n",
            "vgpu UUID-2\n",
            "enabled=1\noverrides=mdev/UUID-2:card_name='My GPU'\n",
            "[    5.000000] kernel: vgpu_unlock: loaded; NVIDIA's driver is not, waiting for it\n",
            "[    9.000000] kernel: NVRM: loading",
            "[   10.000000] nvidia-vgpu-mgr.service: error: UUID-1 on HOST\n",
        ] {
            assert!(text.contains(line), "{line:?} is not in\n{text}");
        }
        for private in ["livingroom", hosts::UUID, uuid, "usb 1-1", "all is well"] {
            assert!(!text.contains(private), "{private} is in\n{text}");
        }
    }

    #[test]
    fn overrides_are_shown_however_many_there_are() {
        let mut host = hosts::healthy();
        let dir = "/sys/module/vgpu_unlock/parameters";
        host.file(&format!("{dir}/overrides"), "vm/1:gpu_type=1;...\n")
            .file(&format!("{dir}/overrides_part"), "")
            .file("/sys/kernel/debug/vgpu_unlock/overrides", "vm/1:gpu_type=1\nvm/2:gpu_type=1\n");
        let text = write(&host.host());
        let all = "== parameters ==\noverrides=vm/1:gpu_type=1;vm/2:gpu_type=1\n\n";
        assert!(text.contains(all), "{text}");
        host.refuse("/sys/kernel/debug");
        let text = write(&host.host());
        let first = "== parameters ==\noverrides=vm/1:gpu_type=1; others: /sys/kernel/debug/vgpu_unlock/overrides: perm";
        assert!(text.contains(first), "{text}");
    }

    #[test]
    fn what_cannot_be_read_is_said_in_its_place() {
        let mut host = hosts::healthy();
        host.refuse("/journal.json").refuse("/sys/kernel/debug");
        host.remove("/proc/driver/nvidia/version");
        let text = write(&host.host());
        assert!(
            text.contains("== kernel log ==\n/journal.json: permission denied (needs root)\n"),
            "{text}"
        );
        assert!(text.contains("driver: not loaded\n"), "{text}");
        assert!(text.contains("== status ==\nthe status can't be read: "), "{text}");
    }
}
