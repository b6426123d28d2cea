// SPDX-License-Identifier: GPL-2.0
//! The room in front of functions, into which the kernel may write code that counts calls.

use iced_x86::Mnemonic;

use super::elf::{Object, TRAMPOLINES};

/// The functions that have no `wanted` bytes of nothing in front of them.
pub fn missing(object: &Object, wanted: usize) -> Vec<String> {
    let mut complaints = vec![];
    for function in object.functions.iter().filter(|function| !function.is_part()) {
        if object.section(function.start) == Some(TRAMPOLINES) {
            continue;
        }
        let mut room: usize = 0;
        let end = object.code.partition_point(|step| step.at < function.start);
        for step in object.code.iter().take(end).rev() {
            let behind = step.at.section == function.start.section;
            if !behind || step.does.mnemonic() != Mnemonic::Nop || room >= wanted {
                break;
            }
            room = room.saturating_add(step.does.len());
        }
        if room < wanted {
            complaints.push(format!("{}: {room} bytes instead of {wanted}", function.name));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::object::made::{ENDBR, Made, Piece::Bytes};

    #[test]
    fn the_room_is_measured() {
        let rows: [(&[u8], &[&str]); 4] = [
            (&[0x90; 16], &[]),
            // A long one counts as many.
            (&[0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0x0f, 0x1f, 0x80, 0, 0, 0, 0], &[]),
            (&[0x90; 15], &["g: 15 bytes instead of 16"]),
            (&[0x90, 0x90, 0xcc], &["g: 0 bytes instead of 16"]),
        ];
        for (between, complaints) in rows {
            let before = [Bytes(&[0xc3])];
            let room = [Bytes(between)];
            let made = Made::of(&[("f.cold", &before), ("h.cold", &room), ("g", &[ENDBR])]);
            assert_eq!(missing(&made.done(), 16), complaints, "{between:x?}");
        }
    }
}
