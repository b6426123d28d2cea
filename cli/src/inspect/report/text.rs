// SPDX-License-Identifier: GPL-2.0
//! What `inspect` says, for people.

use std::fmt;

use super::{
    Action, Board, Daemon, Entry, Flavour, Listed, Package, Refusal, Report, Resemblance, Unlock,
    Verdict,
};

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Supported => "supported",
            Verdict::AnswersOnly => "answers only: overrides work for boards that it lists itself",
            Verdict::Unsupported => "not supported",
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(package) = &self.package {
            package.fmt(f)?;
        }
        self.driver(f)?;
        if let Some(Some(unlock)) = &self.unlock {
            unlock.fmt(f)?;
        }
        for daemon in &self.nvidia_vgpud {
            daemon.fmt(f)?;
        }
        self.reasons.iter().try_for_each(|reason| writeln!(f, "- {reason}"))?;
        self.other_drivers.iter().try_for_each(|other| write!(f, "\n{other}"))
    }
}

impl Report {
    fn driver(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.driver.version.as_deref().unwrap_or("of unknown version");
        write!(f, "driver {version}")?;
        if !self.driver.releases.is_empty() {
            write!(f, " (vGPU {})", self.driver.releases.join(" and "))?;
        }
        match (self.flavour, &self.file) {
            (Some(Flavour::Open), _) => write!(f, ", open kernel module")?,
            (Some(Flavour::Proprietary), Some(_)) => write!(f, ", proprietary kernel module")?,
            _ => {}
        }
        writeln!(f, ": {}", self.verdict)?;
        if let Some(file) = &self.file {
            writeln!(f, "  in {file}")?;
        }
        for site in &self.sites {
            let does = match site.action {
                Action::Return => "returns",
                Action::Store => "stores",
            };
            let (place, value) = (format!("{}+{:#x}", site.section, site.offset), site.value);
            writeln!(f, "  {:<14} {place:<20} {does} {value}", site.name)?;
        }
        // Of use to who adds a driver, and to nobody else.
        if self.verdict != Verdict::Supported {
            self.resembles.iter().try_for_each(|found| fmt::Display::fmt(found, f))?;
        }
        match &self.listed_boards {
            Some(Listed::Boards(boards)) => {
                writeln!(f, "  boards that this driver lists itself, by their IDs alone:")?;
                let boards = boards.iter().map(ToString::to_string).collect::<Vec<_>>();
                wrapped(f, &boards)?;
            }
            Some(Listed::Unread(why)) => {
                writeln!(f, "  boards that this driver lists itself: cannot be read, {why}")?;
            }
            None => {}
        }
        if let Some(tables) = &self.capability_tables {
            let place = |offset| format!("{}+{offset:#x}", tables.section);
            let (gpus, spare) = (place(tables.gpu_list_first), place(tables.sacrificial_first));
            let count = tables.gpu_list_count;
            let left =
                if tables.needed { "" } else { ", left alone: this branch does not go by it" };
            writeln!(f, "  {:<14} {gpus:<20} {count} boards{left}", "GPU list")?;
            if tables.needed {
                writeln!(f, "  {:<14} {spare}", "new entries at")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.for_hosts {
            true => writeln!(f, "a host's package: it has {}", self.host_parts.join(", ")),
            false => writeln!(f, "no host's package"),
        }
    }
}

impl fmt::Display for Resemblance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Resemblance { name, section, offset, branches } = self;
        let place = match offset {
            Some(offset) => format!("{section}+{offset:#x}"),
            None => format!("{section}, often"),
        };
        let branches: Vec<_> = branches.iter().map(ToString::to_string).collect();
        writeln!(f, "  {name:<14} {place:<20} as in {}, not overridden", branches.join(", "))
    }
}

impl fmt::Display for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Board { device, subsystem, name } = &self.board;
        writeln!(f, "board {device} (subsystem {subsystem}), {name}")?;
        let count = self.entries.len();
        writeln!(f, "  answered as {}, with {count} new entries:", self.spoofed_device)?;
        for Entry { offset, device, subsystem, name, .. } in &self.entries {
            writeln!(f, "  .rodata+{offset:#x}  {device} {subsystem}  {name}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Daemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.refusal, self.loops) {
            (Some(refusal), _) => {
                let Refusal { jump, table, devices, .. } = refusal;
                writeln!(f, "{}: refuses {} device IDs", self.file, devices.len())?;
                writeln!(f, "  {:<14} {jump:#x}", "jump")?;
                writeln!(f, "  {:<14} {table:<#20x} {}", "device IDs", devices.join(" "))
            }
            (None, 0) => writeln!(f, "{}: has no loop that refuses device IDs", self.file),
            (None, loops) => writeln!(f, "{}: has {loops} loops that refuse device IDs", self.file),
        }
    }
}

/// Items with commas between them, in lines of a screen's width.
fn wrapped(f: &mut fmt::Formatter<'_>, items: &[String]) -> fmt::Result {
    const WIDTH: usize = 100;
    let mut line = String::new();
    for item in items {
        if line.len() + item.len() > WIDTH {
            writeln!(f, "   {line},")?;
            line.clear();
        }
        let comma = if line.is_empty() { "" } else { "," };
        line += &format!("{comma} {item}");
    }
    writeln!(f, "   {line}")
}
