// SPDX-License-Identifier: GPL-2.0
//! How a board's memory is shared out. Arithmetic only.

use vgpu_unlock::profile::VRAM_MIN;

/// A vGPU's memory is a multiple of this. What the host keeps of it, a 16th and 64 MiB, is then a whole
/// number of MiB, and so is the rest.
pub const STEP: u64 = 64 << 20;

/// Why a board cannot be shared out so. All in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A vGPU is to have less than any can.
    Small {
        /// What it is to have.
        wish: u64,
    },
    /// Those that say how much they need need more than there is.
    TooMuch {
        /// What they need together.
        wanted: u64,
        /// What there is.
        room: u64,
    },
    /// For those that take what is left, too little is.
    TooLittle {
        /// What is left for all of them.
        left: u64,
        /// How many they are.
        count: u64,
    },
}

/// Gives each vGPU its memory, of `room` bytes: what it wishes, or as much as all others that wish
/// nothing. Both are rounded down to whole [`STEP`]s.
///
/// # Errors
/// There is not enough.
pub fn share(room: u64, wishes: &[Option<u64>]) -> Result<Vec<u64>, Misfit> {
    if let Some(&wish) = wishes.iter().flatten().find(|wish| down(**wish) < VRAM_MIN) {
        return Err(Misfit::Small { wish });
    }
    let wanted = wishes.iter().flatten().try_fold(0, |sum: u64, wish| sum.checked_add(down(*wish)));
    let Some(left) = wanted.and_then(|wanted| room.checked_sub(wanted)) else {
        return Err(Misfit::TooMuch { wanted: wanted.unwrap_or(u64::MAX), room });
    };
    let count = wishes.iter().filter(|wish| wish.is_none()).count() as u64;
    let each = left.checked_div(count).map_or(0, down);
    if count != 0 && each < VRAM_MIN {
        return Err(Misfit::TooLittle { left, count });
    }
    Ok(wishes.iter().map(|wish| wish.map_or(each, down)).collect())
}

/// Whole steps.
fn down(bytes: u64) -> u64 {
    bytes - bytes % STEP
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vgpu_unlock::profile::split_vram;

    const MIB: u64 = 1 << 20;

    #[test]
    fn three_machines_one_of_them_with_6_gib() {
        let shares = share((11 * 1024 - 256) * MIB, &[Some(6144 * MIB), None, None]).unwrap();
        assert_eq!(shares, [6144 * MIB, 2432 * MIB, 2432 * MIB]);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let gib = |n: u64| Some(n << 30);
        for (room, wishes, misfit) in [
            (8 << 30, vec![gib(6), gib(3)], Misfit::TooMuch { wanted: 9 << 30, room: 8 << 30 }),
            (8 << 30, vec![gib(8), None], Misfit::TooLittle { left: 0, count: 1 }),
            (1 << 30, vec![None; 3], Misfit::TooLittle { left: 1 << 30, count: 3 }),
            (8 << 30, vec![Some(1)], Misfit::Small { wish: 1 }),
            (
                u64::MAX,
                vec![Some(u64::MAX); 3],
                Misfit::TooMuch { wanted: u64::MAX, room: u64::MAX },
            ),
        ] {
            assert_eq!(share(room, &wishes), Err(misfit), "{wishes:?}");
        }
        assert_eq!(share(0, &[]), Ok(vec![]));
        assert_eq!(share(VRAM_MIN, &[None]), Ok(vec![VRAM_MIN]));
    }

    /// Any number, and such as people have, with as many machines as a board can have and some more.
    fn room() -> impl Strategy<Value = u64> {
        prop_oneof![1 => any::<u64>(), 3 => 0u64..64 << 30]
    }

    fn wishes() -> impl Strategy<Value = Vec<Option<u64>>> {
        let wish =
            prop_oneof![1 => any::<u64>().prop_map(Some), 4 => (0u64..16 << 30).prop_map(Some)];
        prop::collection::vec(prop_oneof![1 => Just(None), 1 => wish], 0..40)
    }

    proptest! {
        #[test]
        fn no_board_gives_more_than_it_has(room in room(), wishes in wishes()) {
            let Ok(shares) = share(room, &wishes) else { return Ok(()) };
            prop_assert_eq!(shares.len(), wishes.len());
            let sum: u128 = shares.iter().map(|&size| u128::from(size)).sum();
            prop_assert!(sum <= room.into());
            for (size, wish) in shares.iter().zip(&wishes) {
                prop_assert!(size % STEP == 0 && *size >= VRAM_MIN);
                // The parts are whole MiB, and together what was given.
                let parts = split_vram(*size).unwrap();
                prop_assert_eq!(parts.framebuffer + parts.reservation, *size);
                prop_assert!(parts.framebuffer % MIB == 0 && parts.reservation % MIB == 0);
                if let Some(wish) = wish {
                    prop_assert!(size <= wish && wish - size < STEP);
                }
            }
            // Those without a wish have the same, and could not all have a step more.
            let mut others = shares.iter().zip(&wishes).filter(|(_, w)| w.is_none()).map(|(s, _)| s);
            if let Some(first) = others.next() {
                let count = others.clone().count() as u128 + 1;
                prop_assert!(others.all(|size| size == first));
                prop_assert!(sum + count * u128::from(STEP) > room.into());
            }
        }

        #[test]
        fn more_memory_gives_no_one_less(room in room(), more in room(), wishes in wishes()) {
            let Ok(shares) = share(room, &wishes) else { return Ok(()) };
            let larger = share(room.saturating_add(more), &wishes);
            prop_assert!(larger.is_ok(), "{larger:?}");
            prop_assert!(larger.unwrap().iter().zip(&shares).all(|(now, before)| now >= before));
        }

        #[test]
        fn what_is_refused_cannot_be_had(room in room(), wishes in wishes()) {
            let least = |wish: &Option<u64>| u128::from(wish.map_or(VRAM_MIN, down));
            let needed: u128 = wishes.iter().map(least).sum();
            let small = wishes.iter().flatten().any(|&wish| down(wish) < VRAM_MIN);
            prop_assert_eq!(share(room, &wishes).is_err(), small || needed > room.into());
        }
    }
}
