// SPDX-License-Identifier: GPL-2.0
//! The type that a plan is based on.

use crate::board::Type;

/// Chooses the type of which `count` vGPUs are to be made, the smallest of which has `least` bytes: the
/// largest that is no larger, since what else a type has grows with its size; or else the smallest
/// of which there can be so many. None where NVIDIA allows no type so often.
pub fn choose(types: &[Type], count: u64, least: u64) -> Option<&Type> {
    let often = || types.iter().filter(|of| of.max_instances >= count);
    let fits = often().filter(|of| of.mib << 20 <= least).max_by_key(|of| of.mib);
    fits.or_else(|| often().min_by_key(|of| of.mib))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::types;

    #[test]
    fn the_largest_that_is_no_larger_and_allowed_so_often() {
        let p40 = types(0x1b38);
        for (count, mib, number) in [
            (3, 2432, Some(47)),
            (1, 11264, Some(51)),
            (1, 24576, Some(53)),
            (4, 6144, Some(50)),
            (5, 6144, Some(49)),
            (10, 1024, Some(46)),
            // No type is as small.
            (24, 448, Some(46)),
            (2, 512, Some(46)),
            (25, 1024, None),
        ] {
            let chosen = choose(&p40, count, mib << 20).map(|of| of.number);
            assert_eq!(chosen, number, "{count} of {mib}MiB");
        }
        assert_eq!(choose(&[], 1, 1 << 30), None);
    }
}
