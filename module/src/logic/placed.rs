// SPDX-License-Identifier: GPL-2.0
//! The order in which things are taken away that were placed one after the other.

/// Up to `N` things in the order in which they were placed. Dropping it drops the last one first.
#[derive(Debug)]
pub struct Placed<T, const N: usize>([Option<T>; N]);

impl<T, const N: usize> Placed<T, N> {
    /// None so far.
    pub const fn none() -> Self {
        Self([const { None }; N])
    }

    /// Where they go, in this order.
    pub fn slots(&mut self) -> impl Iterator<Item = &mut Option<T>> {
        self.0.iter_mut()
    }

    /// Those that are there.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

impl<T, const N: usize> Drop for Placed<T, N> {
    fn drop(&mut self) {
        self.0.iter_mut().rev().for_each(|slot| drop(slot.take()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::vec::Vec;

    struct Noted<'a>(u32, &'a RefCell<Vec<u32>>);

    impl Drop for Noted<'_> {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }

    #[test]
    fn the_last_one_goes_first() {
        let gone = RefCell::new(Vec::new());
        let mut placed: Placed<Noted<'_>, 4> = Placed::none();
        // The last one could not be placed.
        for (slot, number) in placed.slots().zip([1, 2, 3]) {
            *slot = Some(Noted(number, &gone));
        }
        assert!(placed.iter().map(|noted| noted.0).eq([1, 2, 3]));
        assert!(gone.borrow().is_empty());
        drop(placed);
        assert_eq!(*gone.borrow(), [3, 2, 1]);
    }
}
