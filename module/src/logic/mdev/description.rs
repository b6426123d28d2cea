// SPDX-License-Identifier: GPL-2.0
//! A type's description: `key=value` parts with a comma and a space between them.
//!
//! What is not overridden is left as the driver wrote it, in its order, known or not.

// Searching for a character has a panic in core, searching with a function has none.
#![allow(clippy::manual_pattern_char_comparison, reason = "see above")]

use super::{decimal, Line, Told};
use crate::logic::profile::split_vram;

const MIB: u64 = 1 << 20;

/// What the driver says how many of a type there can be.
pub fn max_instance(description: &[u8]) -> Option<u32> {
    let text = core::str::from_utf8(description).ok()?;
    let value = parts(text).find_map(|(_, key, value)| (key == "max_instance").then_some(value))?;
    decimal(value?.as_bytes()).and_then(|number| u32::try_from(number).ok())
}

/// Writes the description as it is true, given the driver's, without the new line at its end; `None`
/// where the driver's own has to stand, because it is no text or because it would become too long.
pub fn describe(told: &Told, driver: &str, line: &mut Line) -> Option<()> {
    for (i, (part, key, value)) in parts(driver).enumerate() {
        if i != 0 {
            line.put(",")?;
        }
        // The spaces in front of the key.
        let spaces = part.len().saturating_sub(part.trim_start().len());
        line.put(part.get(..spaces)?)?;
        let value = value.unwrap_or("");
        let before = line.clone();
        let changed = match key {
            "num_heads" => put_number(line, key, told.num_heads),
            "frl_config" => put_number(line, key, told.frl_config),
            "framebuffer" => put_framebuffer(told, value, line),
            "max_resolution" => put_resolution(told, value, line),
            "max_instance" => put_instances(told, value, line),
            _ => None,
        };
        if changed.is_none() {
            *line = before;
            line.put(part.get(spaces..)?)?;
        }
    }
    Some(())
}

/// The parts with key and value, both without spaces around them.
fn parts(text: &str) -> impl Iterator<Item = (&str, &str, Option<&str>)> {
    text.split(|c| c == ',').map(|part| match part.split_once(|c| c == '=') {
        Some((key, value)) => (part, key.trim(), Some(value.trim())),
        None => (part, part.trim(), None),
    })
}

/// Writes `key=number`. Where this and what follows says `None`, part of it may be there.
fn put_number(line: &mut Line, key: &str, number: Option<u64>) -> Option<()> {
    let number = number?;
    line.put(key)?;
    line.put("=")?;
    line.put_number(number)
}

/// The guest's memory and what the host keeps of it, together in MiB: `1024M`.
fn put_framebuffer(told: &Told, value: &str, line: &mut Line) -> Option<()> {
    if told.fb_length.is_none() && told.fb_reservation.is_none() {
        return None;
    }
    let total = decimal(value.strip_suffix("M")?.as_bytes())?.checked_mul(MIB)?;
    // How the driver divides it is not in the text, but known by rule.
    let factory = split_vram(total);
    let reservation = told.fb_reservation.or(factory.map(|vram| vram.reservation))?;
    let framebuffer = told.fb_length.or(factory.map(|vram| vram.framebuffer))?;
    let total = framebuffer.checked_add(reservation)?.checked_div(MIB)?;
    put_number(line, "framebuffer", Some(total))?;
    line.put("M")
}

/// `5120x2880`.
fn put_resolution(told: &Told, value: &str, line: &mut Line) -> Option<()> {
    if told.max_resolution_x.is_none() && told.max_resolution_y.is_none() {
        return None;
    }
    let (x, y) = value.split_once(|c| c == 'x')?;
    let x = told.max_resolution_x.or_else(|| decimal(x.as_bytes()))?;
    let y = told.max_resolution_y.or_else(|| decimal(y.as_bytes()))?;
    put_number(line, "max_resolution", Some(x))?;
    line.put("x")?;
    line.put_number(y)
}

/// The driver creates no more than it says, whatever an override says.
fn put_instances(told: &Told, value: &str, line: &mut Line) -> Option<()> {
    let driver = decimal(value.as_bytes())?;
    let wanted = u64::from(told.max_instance?);
    put_number(line, "max_instance", Some(wanted.min(driver)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ReadOverrides;
    use std::string::{String, ToString};

    const FACTORY: &str = "num_heads=4, frl_config=60, framebuffer=1024M, \
        max_resolution=5120x2880, max_instance=24";

    fn described(overrides: &str, driver: &str) -> Option<String> {
        let read = ReadOverrides::parse(overrides.as_bytes()).unwrap();
        let mut line = Line::new();
        describe(&Told::of(&read.view(), 46), driver, &mut line).map(|()| line.as_str().to_string())
    }

    #[test]
    fn what_is_overridden_is_shown_and_nothing_else_changes() {
        for (keys, expected) in [
            ("num_displays=1", FACTORY.replace("num_heads=4", "num_heads=1")),
            ("frl_config=30", FACTORY.replace("60", "30")),
            ("vram=2GiB", FACTORY.replace("1024M", "2048M")),
            ("framebuffer=0x38000000,framebuffer_reservation=0x8000000", FACTORY.into()),
            // 1 GiB and the 128 MiB that the driver keeps of a 1 GiB type.
            ("framebuffer=1GiB", FACTORY.replace("1024M", "1152M")),
            ("framebuffer_reservation=256MiB", FACTORY.replace("1024M", "1152M")),
            ("display_width=1920", FACTORY.replace("5120x", "1920x")),
            ("display_height=1080", FACTORY.replace("x2880", "x1080")),
            ("display_width=1920,display_height=1080", FACTORY.replace("5120x2880", "1920x1080")),
            ("max_instances=3", FACTORY.replace("24", "3").replace("103", "1024")),
            ("max_instances=99", FACTORY.into()),
            ("cuda_enabled=0,card_name='x',license_type='y'", FACTORY.into()),
        ] {
            let overrides = std::format!("nvidia-46:{keys}");
            assert_eq!(described(&overrides, FACTORY).as_deref(), Some(&*expected), "{keys}");
        }
        assert_eq!(described("nvidia-47:num_displays=1", FACTORY).as_deref(), Some(FACTORY));
        assert_eq!(described("vm/100:num_displays=1", FACTORY).as_deref(), Some(FACTORY));
    }

    #[test]
    fn what_is_not_understood_stays() {
        let all = "nvidia-46:num_displays=1,vram=2GiB,display_width=1,max_instances=1";
        for text in [
            "",
            ",,",
            "num_heads",
            "something=4,  else = 7",
            "framebuffer=1024",
            "framebuffer=xM",
            "framebuffer=99999999999999999999M",
            "max_resolution=wide",
            "max_instance=many",
        ] {
            let expected = text.replace("num_heads", "num_heads=1");
            assert_eq!(described(all, text), Some(expected), "{text}");
        }
        assert_eq!(described(all, "a=1,num_heads=4,b").as_deref(), Some("a=1,num_heads=1,b"));
        assert_eq!(described(all, &"x".repeat(257)), None);
    }

    #[test]
    fn the_drivers_limit_is_found() {
        for (text, expected) in [
            (FACTORY, Some(24)),
            ("max_instance=1", Some(1)),
            ("max_instance = 7 , x", Some(7)),
            ("max_instances=7", None),
            ("max_instance", None),
            ("max_instance=-1", None),
            ("", None),
        ] {
            assert_eq!(max_instance(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(max_instance(&[0xff]), None);
    }
}
