// SPDX-License-Identifier: GPL-2.0
//! Puts a plan's overrides into a file that has others.

use anyhow::{Result, bail};
use toml_edit::{DocumentMut, Item, Table, TableLike};
use vgpu_unlock::profile::Key;

use crate::profile::{Import, Section, section_target, toml_value};

/// Adds `sections` to the text of an overrides.toml. All else in it stays as it is; what it says already
/// is not said again.
///
/// # Errors
/// The text is wrong, or says something else than the plan.
pub fn merge(name: &str, text: &str, sections: &[Section]) -> Result<String> {
    let before = read(name, text)?;
    let mut conflicts = Vec::new();
    let mut wanted = Vec::new();
    for Section { target, settings } in sections {
        for (key, value) in settings {
            match before.place(target, *key) {
                Some(place) if place.value == *value => {}
                Some(place) => conflicts.push(format!(
                    "{name}:{}: {} = {}, but the plan has {}",
                    place.line,
                    key.name(),
                    place.raw,
                    toml_value(*key, value)
                )),
                None => {
                    let other =
                        Key::ALL.into_iter().filter(|other| key.conflicts() & other.bit() != 0);
                    let other = other.filter_map(|other| before.place(target, other)).next();
                    match other {
                        Some(place) => conflicts.push(format!(
                            "{name}:{}: {} = {} sets what the plan sets with {}",
                            place.line,
                            place.key.name(),
                            place.raw,
                            key.name()
                        )),
                        None => wanted.push((target, *key, value)),
                    }
                }
            }
        }
    }
    if !conflicts.is_empty() {
        bail!(
            "{name} says something else; take these lines out, or plan otherwise. Nothing was \
             written.\n{}",
            conflicts.join("\n")
        );
    }
    let mut document: DocumentMut = text.parse()?;
    for (target, key, value) in wanted {
        let Some((kind, section)) = header(target) else { bail!("{target} is no section") };
        let kinds = document.entry(kind).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let Some(kinds) = kinds.as_table_like_mut() else { bail!("{name}: {kind} is no section") };
        let found = existing(kinds, kind, target);
        let found = found.unwrap_or_else(|| section.to_owned());
        let table = match kinds.get(&found).is_some() {
            true => kinds.get_mut(&found),
            false => {
                kinds.insert(&found, Item::Table(Table::new()));
                kinds.get_mut(&found)
            }
        };
        let Some(table) = table.and_then(Item::as_table_like_mut) else {
            bail!("{name}: {kind}.{found} is no section")
        };
        let value: Item = toml_value(key, value).parse::<toml_edit::Value>()?.into();
        table.insert(key.name(), value);
    }
    let text = document.to_string();
    // Whatever form the file has, what it says now is what it said and the plan.
    let after = read(name, &text)?;
    let kept = before.settings().all(|setting| after.settings().any(|other| other == setting));
    let planned = sections.iter().all(|Section { target, settings }| {
        settings.iter().all(|(key, value)| {
            after.place(target, *key).is_some_and(|place| place.value == *value)
        })
    });
    if !kept || !planned {
        bail!("{name} cannot be extended: write the plan's sections into it by hand");
    }
    Ok(text)
}

fn read(name: &str, text: &str) -> Result<Import> {
    let mut import = Import::default();
    import.profiles(name, text);
    if import.overrides_toml().is_err() {
        bail!("{name} is wrong; nothing was written\n{}", import.errors());
    }
    Ok(import)
}

/// The names of a target's section.
fn header(target: &str) -> Option<(&'static str, &str)> {
    if target.starts_with("nvidia-") {
        return Some(("profile", target));
    }
    let (kind, name) = target.split_once('/')?;
    match kind {
        "mdev" => Some(("mdev", name)),
        "vm" => Some(("vm", name)),
        _ => None,
    }
}

/// The name that a target's section has in a file: a UUID may be written in capitals.
fn existing(kinds: &dyn TableLike, kind: &str, target: &str) -> Option<String> {
    let same = |name: &str| section_target(kind, name).as_deref() == Some(target);
    kinds.iter().map(|(name, _)| name).find(|name| same(name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Value;

    fn sections() -> Vec<Section> {
        let memory = |framebuffer: u64, reservation: u64| {
            vec![
                (Key::Framebuffer, Value::Number(framebuffer << 20)),
                (Key::FramebufferReservation, Value::Number(reservation << 20)),
            ]
        };
        let mut base = vec![(Key::MaxInstances, Value::Number(3))];
        base.extend(memory(2216, 216));
        let section = |target: &str, settings| Section { target: target.to_owned(), settings };
        vec![
            section("nvidia-47", base),
            section("vm/100", memory(5696, 448)),
            section("mdev/2b7bc7e4-8784-4933-8613-9bc92bbc718c", memory(1000, 128)),
        ]
    }

    #[test]
    fn an_empty_file_gets_the_plan() {
        assert_eq!(
            merge("o.toml", "", &sections()).unwrap(),
            "[profile.nvidia-47]\nmax_instances = 3\nframebuffer = \"2216MiB\"\n\
             framebuffer_reservation = \"216MiB\"\n\n[vm.100]\nframebuffer = \"5696MiB\"\n\
             framebuffer_reservation = \"448MiB\"\n\n\
             [mdev.2b7bc7e4-8784-4933-8613-9bc92bbc718c]\nframebuffer = \"1000MiB\"\n\
             framebuffer_reservation = \"128MiB\"\n"
        );
    }

    #[test]
    fn what_is_there_stays_and_is_not_said_twice() {
        let text = "# mine\n[profile.nvidia-47] # the small ones\nnum_displays = 1 # one\n\
                    framebuffer = 0x8A800000\n\n[vm]\n\n[mdev.2B7BC7E4-8784-4933-8613-9BC92BBC718C]\n\
                    cuda_enabled = 1\n\n# the end\n[profile.nvidia-46]\nhidden = 1\n";
        let merged = merge("o.toml", text, &sections()).unwrap();
        for line in text.lines() {
            assert!(merged.contains(line), "{line}\n{merged}");
        }
        assert_eq!(merged.matches("[profile.nvidia-47]").count(), 1);
        assert_eq!(merged.to_lowercase().matches("2b7bc7e4").count(), 1);
        assert!(merged.contains("framebuffer = 0x8A800000\nmax_instances = 3\n"), "{merged}");
        assert!(merged.contains("[vm.100]\n"), "{merged}");
        // Once more, there is nothing to do.
        assert_eq!(merge("o.toml", &merged, &sections()).unwrap(), merged);
        for other in [
            "profile.nvidia-47 = { num_displays = 1 }\nvm.100.cuda_enabled = 1\n",
            "[profile]\nnvidia-47.num_displays = 1\n",
            "\u{feff}[vm.100]\r\ncuda_enabled = 1\r\n",
        ] {
            let merged = merge("o.toml", other, &sections()).unwrap();
            assert_eq!(merge("o.toml", &merged, &sections()).unwrap(), merged);
        }
    }

    #[test]
    fn what_says_something_else_is_named_and_nothing_is_written() {
        for (text, said) in [
            (
                "[vm.100]\nframebuffer = \"4GiB\"",
                "o.toml:2: framebuffer = \"4GiB\", but the plan has",
            ),
            (
                "[profile.nvidia-47]\n\nmax_instances = 4",
                "o.toml:3: max_instances = 4, but the plan has 3",
            ),
            (
                "[vm.100]\nvram = \"4GiB\"",
                "o.toml:2: vram = \"4GiB\" sets what the plan sets with framebuffer",
            ),
            ("[vm.100]\nvram = 4GiB", "o.toml is wrong; nothing was written\no.toml:2: error: "),
        ] {
            let error = merge("o.toml", text, &sections()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
