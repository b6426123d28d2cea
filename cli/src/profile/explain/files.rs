// SPDX-License-Identifier: GPL-2.0
//! What a type's files below `mdev_supported_types` will say, by the code that writes them.

use std::fmt::Write as _;

use vgpu_unlock::mdev::{Line, Told, describe, max_instance};
use vgpu_unlock::params::Overrides;

/// The parts of a description that can be overridden, each with two values that a driver could have.
/// Where both become the same, the driver's own does not matter.
const PARTS: [(&str, [&str; 2]); 5] = [
    ("num_heads", ["1", "2"]),
    ("frl_config", ["45", "60"]),
    ("framebuffer", ["1024M", "2048M"]),
    ("max_resolution", ["1x1", "2x2"]),
    // The smaller one of the driver's and the override's counts.
    ("max_instance", ["4294967295", "4294967294"]),
];

/// Says what the files of the type `nvidia-N` will have; of the description only what is overridden,
/// unless the driver's own is given.
pub fn explain(overrides: &Overrides<'_>, vgpu_type: u32, description: Option<&str>) -> String {
    let mut out = format!("the mdev files of nvidia-{vgpu_type}:\n");
    if overrides.hides(vgpu_type) {
        let _ = writeln!(out, "  none: hidden=1, the type will not be listed");
        return out;
    }
    let told = Told::of(overrides, vgpu_type);
    let own = "the driver's own";
    let name = text(|line| told.name(line));
    let _ = writeln!(out, "  {:<24} {}", "name", name.as_deref().unwrap_or(own));

    let shown = match description {
        Some(factory) => described(&told, factory.trim()),
        None => overridden(&told),
    };
    let _ = writeln!(out, "  {:<24} {}", "description", shown.as_deref().unwrap_or(own));
    if let Some(factory) = description {
        // What is not changed stays in its place.
        let changed =
            shown.iter().flat_map(|shown| factory.trim().split(',').zip(shown.split(',')));
        for (before, after) in changed.filter(|(before, after)| before != after) {
            let _ = writeln!(out, "  {:<24} {} becomes {}", "", before.trim(), after.trim());
        }
    }
    let _ = writeln!(out, "  {:<24} {}", "available_instances", available(&told, description));
    out
}

/// A line that is written as the module writes it.
fn text(put: impl FnOnce(&mut Line) -> Option<()>) -> Option<String> {
    let mut line = Line::new();
    put(&mut line).map(|()| line.as_str().to_owned())
}

fn described(told: &Told, factory: &str) -> Option<String> {
    text(|line| describe(told, factory, line))
}

/// The parts that are overridden, where it is not known what the driver says.
fn overridden(told: &Told) -> Option<String> {
    let part = |(key, values): (&str, [&str; 2])| {
        let factory = values.map(|value| format!("{key}={value}"));
        let [one, other] = [0, 1].map(|i| described(told, &factory[i]));
        match (one?, other?) {
            (one, other) if [&one, &other] == [&factory[0], &factory[1]] => None,
            (one, other) if one != other => Some(format!("{key} (as --description has it)")),
            (same, _) if key == "max_instance" => Some(format!("{same} or less")),
            (same, _) => Some(same),
        }
    };
    let parts: Vec<_> = PARTS.into_iter().filter_map(part).collect();
    (!parts.is_empty()).then(|| format!("{}; the rest is the driver's own", parts.join(", ")))
}

/// The rule for the number of vGPUs that can still be created.
fn available(told: &Told, description: Option<&str>) -> String {
    const OWN: &str = "the driver's own";
    if !told.limits_instances() {
        return OWN.to_owned();
    }
    let Some(description) = description else {
        return format!("{OWN}, less what max_instances is below its max_instance");
    };
    let Some(most) = max_instance(description.trim().as_bytes()) else {
        return format!("{OWN}: the description has no max_instance to compare with");
    };
    match told.available(most.to_string().as_bytes(), description.trim().as_bytes()) {
        Some(left) => format!("{OWN} less {}: {left} on an empty board", most.saturating_sub(left)),
        None => format!("{OWN}: it creates {most} at most, whatever max_instances says"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgpu_unlock::host::ReadOverrides;

    const FACTORY: &str = "num_heads=4, frl_config=60, framebuffer=1024M, \
        max_resolution=5120x2880, max_instance=24\n";

    fn said(overrides: &str, description: Option<&str>) -> String {
        let read = ReadOverrides::parse(overrides.as_bytes()).unwrap();
        let said = explain(&read.view(), 46, description);
        // One space is enough for a test.
        said.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn nothing_is_said_to_change_where_nothing_does() {
        for overrides in
            ["", "nvidia-47:num_displays=1", "vm/100:card_name=x", "nvidia-46:ecc_supported=1"]
        {
            let files = "the mdev files of nvidia-46:\n name the driver's own\n";
            let own = "available_instances the driver's own\n";
            let without = format!("{files} description the driver's own\n {own}");
            assert_eq!(said(overrides, None), without, "{overrides}");
            let with =
                format!("{files} description {} \n {own}", FACTORY.trim()).replace(" \n", "\n");
            assert_eq!(said(overrides, Some(FACTORY)), with, "{overrides}");
        }
    }

    #[test]
    fn the_description_is_written_as_it_will_be() {
        let said = said(
            "nvidia-46:card_name='My vGPU',num_displays=1,vram=2GiB,display_width=1920,max_instances=3",
            Some(FACTORY),
        );
        for line in [
            "name My vGPU",
            "description num_heads=1, frl_config=60, framebuffer=2048M, max_resolution=1920x2880, \
             max_instance=3",
            "num_heads=4 becomes num_heads=1",
            "framebuffer=1024M becomes framebuffer=2048M",
            "max_resolution=5120x2880 becomes max_resolution=1920x2880",
            "max_instance=24 becomes max_instance=3",
            "available_instances the driver's own less 21: 3 on an empty board",
        ] {
            assert!(said.contains(&format!("\n {line}\n")), "{line}\n{said}");
        }
        assert!(!said.contains("frl_config=60 becomes"));
    }

    #[test]
    fn without_the_drivers_description_the_parts_that_change_are_named() {
        for (keys, expected) in [
            ("num_displays=1", "num_heads=1"),
            ("num_displays=2,frl_config=60", "num_heads=2, frl_config=60"),
            ("vram=2GiB", "framebuffer=2048M"),
            ("framebuffer=1GiB", "framebuffer (as --description has it)"),
            ("display_width=1", "max_resolution (as --description has it)"),
            ("display_width=2,display_height=2", "max_resolution=2x2"),
            ("max_instances=3", "max_instance=3 or less"),
        ] {
            let said = said(&format!("nvidia-46:{keys}"), None);
            let line = format!("\n description {expected}; the rest is the driver's own\n");
            assert!(said.contains(&line), "{line}{said}");
        }
        let said = said("nvidia-46:max_instances=3", None);
        assert!(said.contains("less what max_instances is below its max_instance"), "{said}");
    }

    #[test]
    fn more_instances_than_the_driver_creates_are_not_promised() {
        let more = said("nvidia-46:max_instances=25", Some(FACTORY));
        assert!(more.contains("it creates 24 at most, whatever max_instances says"), "{more}");
        assert!(!more.contains("becomes"), "{more}");
        let unknown = said("nvidia-46:max_instances=3", Some("num_heads=4"));
        assert!(unknown.contains("no max_instance to compare with"), "{unknown}");
        let long = said("nvidia-46:num_displays=3", Some(&"x".repeat(257)));
        assert!(long.contains("description the driver's own"), "{long}");
    }

    #[test]
    fn a_hidden_type_has_no_files() {
        let said = said("nvidia-46:hidden=1,num_displays=1", Some(FACTORY));
        assert_eq!(
            said,
            "the mdev files of nvidia-46:\n none: hidden=1, the type will not be listed\n"
        );
    }
}
