// SPDX-License-Identifier: GPL-2.0
//! What `nvidia-vgpud` would refuse, read from its file by the code that looks for it in its memory.

use std::ops::Range;

use object::{Architecture, File, Object, ObjectSegment, SegmentFlags, elf::PF_X};
use vgpu_unlock::{
    driver::vgpud::{self, NotOne},
    gpu::{self, Ids},
};

use super::{
    id::id,
    input::Found,
    report::{Daemon, Refusal, RefusedAs},
};

/// Looks for the loop that refuses device IDs, and reads its table.
///
/// # Errors
/// It is no whole program for x86-64; the text is a sentence.
pub fn inspect(found: &Found) -> Result<Daemon, String> {
    let file = File::parse(&*found.bytes)
        .map_err(|error| format!("nvidia-vgpud is no whole ELF file: {error}."))?;
    if file.architecture() != Architecture::X86_64 {
        return Err("nvidia-vgpud is for another machine than x86-64.".into());
    }
    let mut loops = vec![];
    for segment in file.segments() {
        let SegmentFlags::Elf { p_flags } = segment.flags() else { continue };
        if p_flags & PF_X != 0 {
            let text = segment.data().map_err(|_| "nvidia-vgpud is cut off.")?;
            loops.extend(vgpud::search(text, segment.address()));
        }
    }
    let refusal = match loops.as_slice() {
        [one] => {
            let table = read(&file, &one.table)
                .ok_or("The table of nvidia-vgpud's loop lies outside of the program.")?;
            Some(refusal(one, vgpud::ids(table)))
        }
        _ => None,
    };
    Ok(Daemon { file: found.path.clone(), loops: loops.len(), refusal })
}

fn refusal(found: &vgpud::Refusal, ids: impl Iterator<Item = u16>) -> Refusal {
    let ids: Vec<_> = ids.collect();
    // Every board that some other one is answered as.
    let mut siblings: Vec<_> = (0..=u16::MAX)
        .filter_map(|device| gpu::answer(Ids { device, subsystem: 0 }, None).sibling())
        .filter(|sibling| ids.contains(&sibling.device))
        .map(|sibling| (sibling.device, sibling.name))
        .collect();
    siblings.sort_unstable();
    siblings.dedup();
    let refused = |(device, name): (u16, &'static str)| RefusedAs { device: id(device), name };
    Refusal {
        jump: found.jump.start,
        table: found.table.start,
        devices: ids.into_iter().map(id).collect(),
        boards_answered_as: siblings.into_iter().map(refused).collect(),
    }
}

fn read<'a>(file: &File<'a>, range: &Range<u64>) -> Option<&'a [u8]> {
    let len = range.end.checked_sub(range.start)?;
    file.segments().find_map(|segment| segment.data_range(range.start, len).ok()?)
}

/// What is to be said of it in a sentence, if anything.
pub fn sentence(daemon: &Daemon) -> Option<String> {
    match (&daemon.refusal, daemon.loops) {
        (Some(refusal), _) => {
            let as_what = refusal.boards_answered_as.iter();
            let as_what: Vec<_> = as_what.map(|b| format!("{} ({})", b.device, b.name)).collect();
            (!as_what.is_empty()).then(|| {
                format!(
                    "nvidia-vgpud by itself gives up boards that are answered as {}.",
                    as_what.join(" or ")
                )
            })
        }
        (None, 0) => None,
        (None, count) => Some(format!("In nvidia-vgpud, {}: {count} times.", NotOne::Many)),
    }
}
