// SPDX-License-Identifier: GPL-2.0
//! modprobe.d and modules-load.d: what is said about modules, and in which file.
//!
//! Source: modprobe.d(5) and modules-load.d(5).

use super::{Host, Kernel, Seen};

/// The directories of both, the one that wins first. `/lib` is a link to `/usr/lib`, mostly: what
/// stands in both is read once.
const ABOVE: [&str; 5] = ["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"];

/// A line of a file in modprobe.d.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The file.
    pub file: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// The words: `options`, the module, and so on.
    pub words: Vec<String>,
}

impl Directive {
    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The words behind `command` and the module's name, if it is about that module.
    pub fn about(&self, command: &str, module: &str) -> Option<&[String]> {
        match self.words.as_slice() {
            [first, name, rest @ ..] if first == command && name.replace('-', "_") == module => {
                Some(rest)
            }
            _ => None,
        }
    }
}

/// Everything that modprobe.d says.
///
/// # Errors
/// A file is there and can't be read.
pub fn directives(host: &Host) -> Seen<Vec<Directive>> {
    let mut found = vec![];
    for file in configuration_files(host, "modprobe.d")? {
        let text = host.text(&file)?.unwrap_or_default();
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let mut whole = line.to_owned();
            while let Some(cut) = whole.strip_suffix('\\') {
                let Some((_, next)) = lines.next() else { break };
                whole = format!("{cut} {next}");
            }
            let words: Vec<_> = whole.split_whitespace().map(str::to_owned).collect();
            if words.first().is_some_and(|word| !word.starts_with('#')) {
                found.push(Directive { file: file.clone(), line: number + 1, words });
            }
        }
    }
    Ok(found)
}

/// Where it is said that a module is loaded at boot.
///
/// # Errors
/// A file is there and can't be read.
pub fn modules_load(host: &Host, kernel: &Kernel, module: &str) -> Seen<Option<String>> {
    let is_it = |name: &str| name.trim().replace('-', "_") == module;
    let mut files = configuration_files(host, "modules-load.d")?;
    // Debian's own; systemd-modules-load reads it through a link in /etc/modules-load.d.
    files.push("/etc/modules".into());
    for file in files {
        let text = host.text(&file)?.unwrap_or_default();
        // Words behind a name are parameters, in /etc/modules.
        if text.lines().any(|line| line.split_whitespace().next().is_some_and(is_it)) {
            return Ok(Some(file));
        }
    }
    let listed = kernel.parameter("modules_load").and_then(|word| word.split_once('='));
    Ok(listed
        .filter(|(_, list)| list.split(',').any(is_it))
        .map(|_| "the kernel's command line".to_owned()))
}

/// The files `*.conf` that count, by name: one in `/etc` hides one of the same name elsewhere.
fn configuration_files(host: &Host, dir: &str) -> Seen<Vec<String>> {
    let mut files: Vec<(String, String)> = vec![];
    for above in ABOVE {
        for name in host.names(&format!("{above}/{dir}"))? {
            if name.ends_with(".conf") && !files.iter().any(|(other, _)| *other == name) {
                files.push((name.clone(), format!("{above}/{dir}/{name}")));
            }
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::super::made_up::MadeUp;
    use super::*;

    #[test]
    fn directives_have_their_place_and_hide_each_other_by_name() {
        let mut made_up = MadeUp::default();
        made_up
            .file("/usr/lib/modprobe.d/b.conf", "blacklist hidden\n")
            .file("/etc/modprobe.d/b.conf", "# no\n\noptions vfio-pci \\\n  ids=10de:1c03\n")
            .file("/lib/modprobe.d/a.conf", "softdep nvidia pre: vgpu_unlock")
            .file("/etc/modprobe.d/c.conf.bak", "blacklist no");
        let found = directives(&made_up.host()).unwrap();
        let places: Vec<_> = found.iter().map(Directive::place).collect();
        assert_eq!(places, ["/lib/modprobe.d/a.conf:1", "/etc/modprobe.d/b.conf:3"]);
        assert_eq!(found[1].about("options", "vfio_pci").unwrap(), ["ids=10de:1c03"]);
        assert_eq!(found[1].about("options", "vfio"), None);
        assert_eq!(found[0].about("softdep", "nvidia").unwrap(), ["pre:", "vgpu_unlock"]);
    }

    #[test]
    fn modules_are_loaded_at_boot_by_three_kinds_of_places() {
        for (path, content, place) in [
            ("/etc/modules-load.d/x.conf", "# x\nvgpu-unlock\n", "/etc/modules-load.d/x.conf"),
            ("/usr/lib/modules-load.d/x.conf", "vgpu_unlock", "/usr/lib/modules-load.d/x.conf"),
            ("/etc/modules", "vgpu_unlock enabled=1\n", "/etc/modules"),
            ("/proc/cmdline", "modules-load=vfio,vgpu_unlock", "the kernel's command line"),
        ] {
            let mut made_up = MadeUp::default();
            made_up.file(path, content);
            let host = made_up.host();
            let kernel = Kernel::of(&host).unwrap();
            let found = modules_load(&host, &kernel, "vgpu_unlock").unwrap();
            assert_eq!(found.as_deref(), Some(place));
            assert_eq!(modules_load(&host, &kernel, "nvidia").unwrap(), None);
        }
    }
}
