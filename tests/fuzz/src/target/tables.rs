// SPDX-License-Identifier: GPL-2.0
//! Finding the capability tables in any section, against looking at every word.

use vgpu_unlock::capability::{
    Magic,
    image::{Image, POINTER_LEN},
    tables::{Span, TRIPLE, Tables, Unrecognised, locate},
};

use crate::{
    Input, Target,
    rodata::{GPU_LIST_FIRST, Rodata, SACRIFICIAL, base},
};

pub static TARGET: Target = Target {
    name: "tables",
    run,
    seeds: || {
        let list = [4, 0, 7, 40, 0];
        let spares = [4, 2, 7, 35, 9];
        let older = [4, 1, 7, 26, 9];
        let gap = [6];
        let seed = |base: u8, parts: &[&[u8]]| [&[base], parts.concat().as_slice()].concat();
        vec![
            seed(0, &[&list, &gap, &spares, &gap]),
            seed(1, &[&spares, &gap, &list, &gap]),
            seed(2, &[&list, &spares, &older]),
            seed(3, &[&older, &spares, &list]),
            seed(4, &[&list, &list, &spares]),
            seed(0, &[&list, &gap]),
            seed(0, &[&spares, &gap]),
        ]
    },
    words: Vec::new,
    max_len: 600,
};

const FOURTH: Magic = *b"a board's magic.";

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut rodata = Rodata::new(base(&mut input), &FOURTH);
    rodata.grow(&mut input);
    let image = rodata.image();
    let anchors = Anchors::find(&image);
    let expected = match (&anchors.gpu_lists[..], anchors.spare) {
        ([_, _, ..], _) => Err(Unrecognised::TwoGpuLists),
        ([], _) => Err(Unrecognised::NoGpuList),
        (_, None) => Err(Unrecognised::NoSacrificial),
        ([list], Some(spare)) => Ok((*list, spare)),
    };
    match (locate(&image), expected) {
        (Ok(tables), Ok((list, spare))) => check(&image, &tables, list, spare),
        (Err(error), Err(expected)) => assert_eq!(error, expected),
        (found, expected) => panic!("{found:?} instead of {expected:?}"),
    }
}

/// A triple with a known magic, and the end of the pointers that it stands among.
type Anchor = (usize, usize);

#[derive(Default)]
struct Anchors {
    gpu_lists: Vec<Anchor>,
    spare: Option<Anchor>,
}

impl Anchors {
    fn find(image: &Image<'_>) -> Self {
        let words = image.bytes().len() / POINTER_LEN;
        let is_pointer = |word: usize| image.follow(word * POINTER_LEN).is_some();
        let mut anchors = Self::default();
        let mut spares = [None; 2];
        let mut word = 0;
        while word < words {
            let run = (word..words).take_while(|&word| is_pointer(word)).count();
            let end = (word + run) * POINTER_LEN;
            for triple in (word * POINTER_LEN..end).step_by(POINTER_LEN) {
                if run < 24 || triple + TRIPLE > end {
                    break;
                }
                let magic = magic(image, triple);
                if magic == Some(GPU_LIST_FIRST) {
                    anchors.gpu_lists.push((triple, end));
                }
                for (known, spare) in SACRIFICIAL.iter().zip(&mut spares) {
                    if magic == Some(*known) && spare.is_none() {
                        *spare = Some((triple, end));
                    }
                }
            }
            word += run + 1;
        }
        anchors.spare = spares[0].or(spares[1]);
        anchors
    }
}

fn magic(image: &Image<'_>, triple: usize) -> Option<Magic> {
    image.array(image.follow(triple)?)
}

fn check(image: &Image<'_>, tables: &Tables, list: Anchor, spare: Anchor) {
    let whole = |(first, end): Anchor| Span { first, count: (end - first) / TRIPLE };
    assert_eq!(tables.gpu_list, whole(list));
    assert_eq!(tables.sacrificial.first, spare.0);
    assert!((1..=whole(spare).count).contains(&tables.sacrificial.count) || spare.0 < list.0);
    assert!(tables.sacrificial.count <= whole(spare).count);
    for span in [tables.gpu_list, tables.sacrificial] {
        assert_eq!(span.offsets().count(), span.count);
        assert_eq!(span.offset(span.count), None);
        for (i, offset) in span.offsets().enumerate() {
            assert_eq!(span.offset(i), Some(offset));
            assert!(offset % POINTER_LEN == 0 && offset + TRIPLE <= image.bytes().len());
            // The GPU list is never written over by what comes in front of it.
            let inside = span.first < list.0 && offset + TRIPLE > list.0;
            assert!(!inside, "triple {i} at {offset:#x} reaches into the GPU list");
        }
    }
    for known in [FOURTH, GPU_LIST_FIRST, SACRIFICIAL[0], SACRIFICIAL[1], [0; 16]] {
        let listed = tables.gpu_list.offsets().any(|at| magic(image, at) == Some(known));
        assert_eq!(tables.lists(image, &known), listed);
        let found = tables.find(image, &known);
        assert!(found.is_none_or(|at| magic(image, at) == Some(known)));
        let lowest = tables.gpu_list.offsets().chain(tables.sacrificial.offsets());
        let lowest = lowest.filter(|&at| magic(image, at) == Some(known)).min();
        assert!(lowest.is_none_or(|lowest| found.is_some_and(|found| found <= lowest)));
    }
}
