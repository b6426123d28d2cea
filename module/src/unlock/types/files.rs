// SPDX-License-Identifier: GPL-2.0
//! What the files of a type say.

use crate::logic::mdev::{self, describe, File, Line, Told};
use crate::sys::mdev::Type;
use crate::unlock::settings;

/// Bytes of the driver's descriptions that are looked at.
const DESCRIPTION: usize = 256;

/// What the user wants of a type; `None` where its name is none of NVIDIA's.
pub fn told(ty: &Type) -> Option<Told> {
    let number = mdev::number(ty.name())?;
    Some(settings::with(|user| Told::of(&user.overrides, number)))
}

/// Writes what a type's file is to say, given what the driver has `written`, both without the new
/// line; `None` where that is right. May sleep.
pub fn shown(ty: &Type, file: File, written: &[u8], line: &mut Line) -> Option<()> {
    let told = told(ty)?;
    if told.nothing() {
        return None;
    }
    match file {
        File::Name => told.name(line),
        File::Description => describe(&told, core::str::from_utf8(written).ok()?, line),
        File::Instances => {
            let available = available(ty, &told, written)?;
            line.put_number(available.into())
        }
    }
}

/// How many can be created, where that is not the driver's number.
pub fn available(ty: &Type, told: &Told, driver: &[u8]) -> Option<u32> {
    if !told.limits_instances() {
        return None;
    }
    let mut description = [0; DESCRIPTION];
    told.available(driver, ty.read(File::Description, &mut description)?)
}
