// SPDX-License-Identifier: GPL-2.0
//! Finding the capability tables in made-up sections.

mod common;

use common::{
    driver, Rodata, BASE, GPU_LIST_FIRST, MAGIC, OTHER_MAGIC, SACRIFICIAL, SACRIFICIAL_OLD,
};
use vgpu_unlock::capability::{
    image::Image,
    tables::{locate, Span, Unrecognised, TRIPLE},
};

#[test]
fn both_tables_are_found() {
    let (rodata, list, spares) = driver(30);
    let tables = locate(&rodata.image()).unwrap();
    assert_eq!(tables.gpu_list, Span { first: list, count: 12 });
    assert_eq!(tables.sacrificial, Span { first: spares, count: 30 });
}

#[test]
fn tables_are_found_wherever_they_begin() {
    // Every distance from the places that are looked at first.
    for words in 0..60 {
        let mut rodata = Rodata::new();
        let list = rodata.headed_by(&GPU_LIST_FIRST, 8);
        let spares = rodata.headed_by(&SACRIFICIAL, 9);
        rodata.gap();
        rodata.bytes.extend(vec![0; 8 * words]);
        let list = rodata.array(&list);
        rodata.gap();
        let spares = rodata.array(&spares);
        let tables = locate(&rodata.image()).unwrap();
        assert_eq!(tables.gpu_list, Span { first: list, count: 8 });
        assert_eq!(tables.sacrificial, Span { first: spares, count: 9 });
    }
}

#[test]
fn the_shortest_table_may_stand_at_the_very_beginning() {
    const LEN: usize = 8 * TRIPLE;
    for list in [0, 8, 16] {
        let spares = list + LEN + 8;
        let mut rodata = Rodata { bytes: vec![0; spares + LEN + 8] };
        let heads = [rodata.data(&GPU_LIST_FIRST), rodata.data(&SACRIFICIAL)];
        for (at, head) in [list, spares].into_iter().zip(heads) {
            for offset in (at..at + LEN).step_by(8) {
                rodata.set_pointer(offset, if offset == at { head } else { BASE });
            }
        }
        let tables = locate(&rodata.image()).unwrap();
        assert_eq!(tables.gpu_list, Span { first: list, count: 8 });
        assert_eq!(tables.sacrificial, Span { first: spares, count: 8 });
    }
}

#[test]
fn a_table_may_reach_the_very_end() {
    let (rodata, _, spares) = driver(30);
    assert_eq!(rodata.bytes.len(), Rodata::at(spares, 30));
    assert_eq!(locate(&rodata.image()).unwrap().sacrificial.count, 30);
    // Cut within the last triple, it has one less.
    for cut in 1..TRIPLE {
        let image = Image::new(BASE, &rodata.bytes[..rodata.bytes.len() - cut]);
        assert_eq!(locate(&image).unwrap().sacrificial.count, 29);
    }
}

#[test]
fn a_missing_anchor_is_named() {
    let (mut rodata, list, _) = driver(30);
    assert_eq!(locate(&Image::new(BASE, &[])), Err(Unrecognised::NoGpuList));
    rodata.set_pointer(Rodata::at(list, 0), BASE);
    assert_eq!(locate(&rodata.image()), Err(Unrecognised::NoGpuList));
    let (mut rodata, _, spares) = driver(30);
    rodata.set_pointer(Rodata::at(spares, 0), BASE);
    assert_eq!(locate(&rodata.image()), Err(Unrecognised::NoSacrificial));
}

#[test]
fn two_gpu_lists_are_refused() {
    let (mut rodata, _, _) = driver(30);
    let second = rodata.headed_by(&GPU_LIST_FIRST, 10);
    rodata.gap();
    rodata.array(&second);
    assert_eq!(locate(&rodata.image()), Err(Unrecognised::TwoGpuLists));
}

#[test]
fn of_two_sacrificial_triples_the_lower_counts() {
    let (mut rodata, _, spares) = driver(30);
    let second = rodata.headed_by(&SACRIFICIAL, 50);
    rodata.gap();
    rodata.array(&second);
    assert_eq!(locate(&rodata.image()).unwrap().sacrificial, Span { first: spares, count: 30 });
}

#[test]
fn the_older_sacrificial_magic_is_preferred_wherever_it_stands() {
    // As in 450 to 470, it is not the first of its array. It may be the last.
    for index in [7, 39] {
        let (mut rodata, _, _) = driver(30);
        let mut older = rodata.headed_by(&SACRIFICIAL_OLD, 40);
        older.swap(0, index);
        rodata.gap();
        let older = rodata.array(&older);
        let tables = locate(&rodata.image()).unwrap();
        let expected = Span { first: Rodata::at(older, index), count: 40 - index };
        assert_eq!(tables.sacrificial, expected);
    }
}

#[test]
fn a_board_is_found_in_front_of_the_sacrificial_triples_of_its_array() {
    for words in 0..3 {
        let (mut rodata, _, _) = driver(30);
        let mut older = rodata.headed_by(&SACRIFICIAL_OLD, 40);
        older.swap(0, 7);
        older[2][0] = rodata.data(b"another magic...");
        rodata.gap();
        rodata.bytes.extend(vec![0; 8 * words]);
        let older = rodata.array(&older);
        let tables = locate(&rodata.image()).unwrap();
        let found = tables.find(&rodata.image(), b"another magic...");
        assert_eq!(found, Some(Rodata::at(older, 2)));
    }
}

#[test]
fn what_stands_behind_a_table_is_none_of_its_triples() {
    let (mut rodata, _, spares) = driver(30);
    // In step with the table, but for a triple's length that is no pointers.
    let magic = rodata.data(b"another magic...");
    rodata.bytes.extend([0; 8]);
    let stray = rodata.array(&[[magic; 3]]);
    assert_eq!((stray - spares) % TRIPLE, 0);
    let tables = locate(&rodata.image()).unwrap();
    assert_eq!(tables.find(&rodata.image(), b"another magic..."), None);
}

#[test]
fn what_points_behind_the_last_byte_is_no_pointer() {
    let image = Image::new(BASE, &[0; 8]);
    assert_eq!([BASE - 1, BASE + 8].map(|pointer| image.offset_of(pointer)), [None; 2]);
    assert_eq!([BASE, BASE + 7].map(|pointer| image.offset_of(pointer)), [Some(0), Some(7)]);
}

#[test]
fn too_short_a_run_is_no_table() {
    let mut rodata = Rodata::new();
    let list = rodata.headed_by(&GPU_LIST_FIRST, 7);
    let spares = rodata.headed_by(&SACRIFICIAL, 30);
    rodata.gap();
    rodata.array(&list);
    rodata.gap();
    rodata.array(&spares);
    assert_eq!(locate(&rodata.image()), Err(Unrecognised::NoGpuList));
}

#[test]
fn contiguous_arrays_are_told_apart() {
    // As in 525: first the entries, then the GPU list, with nothing in between.
    let mut rodata = Rodata::new();
    let mut list = rodata.headed_by(&GPU_LIST_FIRST, 12);
    let mut spares = rodata.headed_by(&SACRIFICIAL, 30);
    list[5][0] = rodata.data(&MAGIC);
    spares[9][0] = list[5][0];
    let spares = rodata.array(&spares);
    let list = rodata.array(&list);
    let tables = locate(&rodata.image()).unwrap();
    assert_eq!(tables.sacrificial, Span { first: spares, count: 30 });
    assert_eq!(tables.gpu_list, Span { first: list, count: 12 });
    // A board counts as listed in the GPU list only, but is found at its lowest triple.
    assert!(tables.lists(&rodata.image(), &MAGIC));
    assert_eq!(tables.find(&rodata.image(), &MAGIC), Some(Rodata::at(spares, 9)));
}

#[test]
fn pointers_in_front_of_an_array_do_not_hide_it() {
    for stray in 1..4 {
        let mut rodata = Rodata::new();
        let list = rodata.headed_by(&GPU_LIST_FIRST, 12);
        let spares = rodata.headed_by(&SACRIFICIAL, 30);
        rodata.gap();
        for _ in 0..stray {
            rodata.data(&BASE.to_le_bytes());
        }
        let list = rodata.array(&list);
        rodata.gap();
        rodata.array(&spares);
        let tables = locate(&rodata.image()).unwrap();
        assert_eq!(tables.gpu_list, Span { first: list, count: 12 });
        assert_eq!(tables.find(&rodata.image(), &GPU_LIST_FIRST), Some(list));
    }
}

#[test]
fn boards_are_listed_and_found() {
    let (mut rodata, list, spares) = driver(30);
    let image = rodata.image();
    let tables = locate(&image).unwrap();
    for (magic, index) in [(MAGIC, 3), (OTHER_MAGIC, 7), (GPU_LIST_FIRST, 0)] {
        assert!(tables.lists(&image, &magic));
        assert_eq!(tables.find(&image, &magic), Some(Rodata::at(list, index)));
    }
    assert!(!tables.lists(&image, &SACRIFICIAL));
    assert_eq!(tables.find(&image, &SACRIFICIAL), Some(spares));
    assert!(!tables.lists(&image, &[0; 16]));
    assert_eq!(tables.find(&image, &[0; 16]), None);

    // What was written over points into memory of ours.
    rodata.set_pointer(Rodata::at(list, 3), BASE - 64);
    rodata.set_pointer(Rodata::at(list, 7), BASE + rodata.bytes.len() as u64);
    for magic in [MAGIC, OTHER_MAGIC] {
        assert!(!tables.lists(&rodata.image(), &magic));
        assert_eq!(tables.find(&rodata.image(), &magic), None);
    }
}

#[test]
fn a_magic_that_the_end_cuts_off_is_passed_over() {
    let (mut rodata, list, _) = driver(30);
    let tables = locate(&rodata.image()).unwrap();
    let near_end = BASE + rodata.bytes.len() as u64 - 15;
    rodata.set_pointer(Rodata::at(list, 0), near_end);
    assert_eq!(tables.find(&rodata.image(), &MAGIC), Some(Rodata::at(list, 3)));
    assert_eq!(locate(&rodata.image()), Err(Unrecognised::NoGpuList));
}

#[test]
fn spans_end_where_they_say() {
    let span = Span { first: 100, count: 3 };
    assert_eq!(span.offsets().collect::<Vec<_>>(), [100, 124, 148]);
    assert_eq!((span.offset(2), span.offset(3)), (Some(148), None));
}

/// Found by fuzzing: of two arrays in one run of pointers but out of step, the first one's own step
/// came upon a magic behind that of the second.
#[test]
fn the_lowest_triple_is_found_in_arrays_that_are_out_of_step() {
    let mut rodata = Rodata::new();
    let list = rodata.data(&GPU_LIST_FIRST);
    let spare = rodata.data(&SACRIFICIAL);
    rodata.gap();
    let mut triples = vec![[list; 3]; 9];
    triples[0] = [list, spare, spare];
    triples[1] = [spare; 3];
    triples[2..].fill([BASE; 3]);
    let at = rodata.array(&triples);
    rodata.gap();
    let image = rodata.image();
    let tables = locate(&image).unwrap();
    assert_eq!((tables.gpu_list.first, tables.sacrificial.first), (at, at + 8));
    assert_eq!(tables.find(&image, &SACRIFICIAL), Some(at + 8));
    assert_eq!(tables.find(&image, &GPU_LIST_FIRST), Some(at));
}
