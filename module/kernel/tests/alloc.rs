// SPDX-License-Identifier: GPL-2.0
//! The portable crate's allocations, against those of the standard library. What is promised beyond equal
//! content: nothing is lost or dropped twice, and a failed allocation changes nothing.

use std::cell::RefCell;
use std::rc::Rc;

use kernel::alloc::flags::GFP_KERNEL;
use kernel::alloc::{testing, AllocError, KBox, KVec};
use proptest::prelude::*;

/// Counts itself, and says when it is dropped.
#[derive(Debug)]
struct Value {
    number: u32,
    dropped: Rc<RefCell<Vec<u32>>>,
}

impl Drop for Value {
    fn drop(&mut self) {
        self.dropped.borrow_mut().push(self.number);
    }
}

#[test]
fn a_box_holds_and_drops_its_value_and_gives_its_memory_back() {
    let dropped = Rc::default();
    let mut held =
        KBox::new(Value { number: 7, dropped: Rc::clone(&dropped) }, GFP_KERNEL).unwrap();
    assert_eq!((held.number, testing::live()), (7, 1));
    held.number = 8;
    drop(held);
    assert_eq!((&*dropped.borrow(), testing::live()), (&vec![8], 0));
}

#[test]
fn a_box_without_size_takes_no_memory() {
    let held = KBox::new((), GFP_KERNEL).unwrap();
    assert_eq!(testing::live(), 0);
    drop(held);
    // Not even where there is none.
    testing::fail_after(0);
    assert!(KBox::new((), GFP_KERNEL).is_ok());
}

#[test]
fn a_box_without_memory_drops_its_value() {
    let dropped = Rc::default();
    testing::fail_after(0);
    let refused = KBox::new(Value { number: 1, dropped: Rc::clone(&dropped) }, GFP_KERNEL);
    assert_eq!(refused.err(), Some(AllocError));
    assert_eq!((&*dropped.borrow(), testing::live()), (&vec![1], 0));
}

#[test]
fn what_is_leaked_stays() {
    let dropped = Rc::default();
    let held = KBox::new(Value { number: 3, dropped: Rc::clone(&dropped) }, GFP_KERNEL).unwrap();
    let value: &mut Value = KBox::leak(held);
    assert_eq!((value.number, testing::live()), (3, 1));
    assert!(dropped.borrow().is_empty());
    // What looks for leaks is to find none: put back together what was given up.
    // SAFETY: It came from a box, which nobody owns any more.
    unsafe {
        std::ptr::drop_in_place(value);
        testing::vu_free(std::ptr::from_mut(value).cast());
    }
}

#[test]
fn values_without_size_are_counted() {
    let mut row = KVec::new();
    testing::fail_after(0);
    for _ in 0..1000 {
        row.push((), GFP_KERNEL).unwrap();
    }
    assert_eq!((row.len(), row.iter().count(), testing::live()), (1000, 1000, 0));
}

#[test]
fn every_value_is_aligned() {
    let mut row = KVec::new();
    for i in 0..100_u64 {
        row.push((i as u8, i), GFP_KERNEL).unwrap();
        assert!(row.iter().all(|value| std::ptr::from_ref(value).is_aligned()));
    }
}

proptest! {
    /// Against `Vec`, with an allocator that fails from some point on.
    #[test]
    fn a_row_is_as_a_vec(numbers in prop::collection::vec(any::<u32>(), 0..200), left in 0_usize..12) {
        let dropped = Rc::default();
        let mut expected = Vec::new();
        let mut row = KVec::new();
        testing::fail_after(left);
        for &number in &numbers {
            let refused = row.push(Value { number, dropped: Rc::clone(&dropped) }, GFP_KERNEL).is_err();
            if refused {
                // Dropped at once; the rest is as it was.
                prop_assert_eq!(dropped.borrow_mut().pop(), Some(number));
                prop_assert!(expected.len() >= 4 << left.saturating_sub(1) || left == 0);
            } else {
                expected.push(number);
            }
            prop_assert!(dropped.borrow().is_empty());
            prop_assert_eq!(row.len(), expected.len());
        }
        let found: Vec<u32> = row.iter().map(|value| value.number).collect();
        prop_assert_eq!(&found, &expected);
        let found: Vec<u32> = (&row).into_iter().map(|value| value.number).collect();
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(testing::live(), usize::from(!expected.is_empty()));

        for value in row.iter_mut() {
            value.number = value.number.wrapping_add(1);
        }
        drop(row);
        testing::fail_after(usize::MAX);
        let expected: Vec<u32> = expected.iter().map(|number| number.wrapping_add(1)).collect();
        prop_assert_eq!(&*dropped.borrow(), &expected);
        prop_assert_eq!(testing::live(), 0);
    }

    /// Many at once: all of them, or none.
    #[test]
    fn pieces_are_appended_whole(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..40),
        left in 0_usize..8,
    ) {
        let mut expected = Vec::new();
        let mut row = KVec::new();
        testing::fail_after(left);
        for piece in &pieces {
            if row.extend_from_slice(piece, GFP_KERNEL).is_ok() {
                expected.extend_from_slice(piece);
            }
            prop_assert_eq!(&*row, &*expected);
        }
        drop(row);
        testing::fail_after(usize::MAX);
        prop_assert_eq!(testing::live(), 0);
        let mut row = KVec::new();
        for piece in &pieces {
            row.extend_from_slice(piece, GFP_KERNEL).unwrap();
        }
        prop_assert_eq!(&*row, &*pieces.concat());
    }

    /// Boxes in rows, dropped together.
    #[test]
    fn boxes_in_a_row(numbers in prop::collection::vec(any::<u32>(), 0..50)) {
        let mut row = KVec::new();
        for &number in &numbers {
            row.push(KBox::new(number, GFP_KERNEL).unwrap(), GFP_KERNEL).unwrap();
        }
        let found: Vec<u32> = row.iter().map(|value| **value).collect();
        prop_assert_eq!(&found, &numbers);
        drop(row);
        prop_assert_eq!(testing::live(), 0);
    }
}
