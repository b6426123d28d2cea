// SPDX-License-Identifier: GPL-2.0
//! The allocator below: the kernel's, or one for tests.

use core::ptr::NonNull;

use super::AllocError;

/// The alignment that the kernel's allocator promises for every size (`ARCH_KMALLOC_MINALIGN`, on x86-64).
const ALIGN: usize = 8;

/// Says at compile time that a type needs no other alignment than every allocation has.
pub struct Aligned<T>(core::marker::PhantomData<T>);

impl<T> Aligned<T> {
    /// To be named wherever memory for a `T` is asked for.
    pub const OK: () = assert!(core::mem::align_of::<T>() <= ALIGN, "krealloc() aligns to 8 bytes");
}

/// Makes the allocation `old`, with how many bytes it has, `size` bytes long, which is not 0; without an old
/// one a new one. What was in it stays, up to the smaller size.
///
/// # Safety
/// `old` is none, or comes from here, has as many bytes and was not freed; where this succeeds it is gone.
///
/// # Errors
/// There is no memory; the old one is as it was.
pub unsafe fn realloc(
    old: Option<(NonNull<u8>, usize)>,
    size: usize,
) -> Result<NonNull<u8>, AllocError> {
    let (old, had) = old.map_or((core::ptr::null_mut(), 0), |(old, had)| (old.as_ptr(), had));
    // SAFETY: As the caller promises.
    NonNull::new(unsafe { c::vu_realloc(old.cast(), had, size) }.cast()).ok_or(AllocError)
}

/// Gives an allocation back.
///
/// # Safety
/// It comes from [`realloc`], and nobody uses it any more.
pub unsafe fn free(old: NonNull<u8>) {
    // SAFETY: As the caller promises.
    unsafe { c::vu_free(old.as_ptr().cast()) };
}

#[cfg(MODULE)]
mod c {
    use core::ffi::c_void;

    // shim/alloc.c
    extern "C" {
        pub fn vu_realloc(old: *const c_void, had: usize, size: usize) -> *mut c_void;
        pub fn vu_free(old: *const c_void);
    }
}

#[cfg(not(MODULE))]
use testing as c;

/// An allocator that keeps books and can be told to fail, each thread its own.
#[cfg(not(MODULE))]
pub mod testing {
    extern crate std;

    use core::cell::{Cell, RefCell};
    use core::ffi::c_void;
    use std::alloc::{alloc, dealloc, realloc, Layout};
    use std::collections::BTreeMap;
    use std::thread_local;

    use super::ALIGN;

    thread_local! {
        /// Where there are allocations, and how long they are. Not in front of them: what a pointer to a value
        /// may be used for ends with the value.
        static LIVE: RefCell<BTreeMap<usize, usize>> = const { RefCell::new(BTreeMap::new()) };
        static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    /// How many allocations there are.
    pub fn live() -> usize {
        LIVE.with_borrow(BTreeMap::len)
    }

    /// Lets the next `left` allocations succeed, and none after them.
    pub fn fail_after(left: usize) {
        LEFT.set(left);
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, ALIGN).unwrap()
    }

    /// Forgets an allocation; returns how long it was.
    fn taken(old: *const c_void) -> usize {
        LIVE.with_borrow_mut(|live| live.remove(&(old as usize))).expect("no allocation is there")
    }

    /// As the one in C.
    ///
    /// # Safety
    /// `old` is NULL, or comes from here and was not freed; `size` is not 0.
    pub unsafe fn vu_realloc(old: *const c_void, had: usize, size: usize) -> *mut c_void {
        if LEFT.get() == 0 {
            return core::ptr::null_mut();
        }
        LEFT.set(LEFT.get() - 1);
        let new = if old.is_null() {
            assert_eq!(had, 0);
            // SAFETY: `size` is not 0.
            unsafe { alloc(layout(size)) }
        } else {
            assert_eq!(had, taken(old));
            // SAFETY: It was allocated with this layout.
            unsafe { realloc(old.cast_mut().cast(), layout(had), size) }
        };
        assert!(!new.is_null());
        LIVE.with_borrow_mut(|live| live.insert(new as usize, size));
        new.cast()
    }

    /// As the one in C.
    ///
    /// # Safety
    /// `old` comes from [`vu_realloc`] and was not freed.
    pub unsafe fn vu_free(old: *const c_void) {
        let layout = layout(taken(old));
        // SAFETY: It was allocated with this layout.
        unsafe { dealloc(old.cast_mut().cast(), layout) };
    }
}
