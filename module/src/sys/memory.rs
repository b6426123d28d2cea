// SPDX-License-Identifier: GPL-2.0
//! The driver's read-only data: reading it, and a second, writable mapping of a part of it.

use core::sync::atomic::{AtomicU64, Ordering};

use kernel::alloc::{KBox, KVec};

use super::bindings as b;
use crate::logic::capability::image::Image;

const PAGE: usize = 4096;

/// Memory of the driver that stays where it is while we are attached.
///
/// Invariant: made while the driver is kept alive (by a notifier or a reference), and dropped with
/// the attachment, before the driver's memory goes.
#[derive(Clone, Copy)]
pub struct Section {
    base: *const u8,
    len: usize,
}

// SAFETY: Only reads are made through it, of memory that every context can read.
unsafe impl Send for Section {}
// SAFETY: As above.
unsafe impl Sync for Section {}

impl Section {
    /// The `len` bytes at `base`.
    ///
    /// # Safety
    /// They are mapped, and stay so for as long as the value (or a copy) lives.
    pub(super) unsafe fn new(base: *const u8, len: usize) -> Self {
        Self { base, len }
    }

    /// The bytes.
    ///
    /// The kernel may patch text meanwhile (a foreign probe), and we replace words of the tables;
    /// a torn look makes a comparison fail, after which nothing is done.
    pub fn bytes(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: Mapped by the type's invariant.
        unsafe { core::slice::from_raw_parts(self.base, self.len) }
    }

    /// The bytes as an image in which pointers can be followed.
    pub fn image(&self) -> Image<'_> {
        Image::new(self.base as u64, self.bytes())
    }

    /// The address of `offset`.
    pub fn address(&self, offset: usize) -> usize {
        (self.base as usize).wrapping_add(offset)
    }
}

/// Gives a value up that somebody else may still have a pointer to, whom we can't ask.
pub fn leave<T>(value: KBox<T>) {
    let value: *const T = KBox::leak(value);
    // SAFETY: It was allocated as a whole, and only what watches for leaks hears of it.
    unsafe { b::vu_not_leaked(value.cast()) };
}

/// The same of values that lie side by side.
pub fn leave_all<T>(values: KVec<T>) {
    // Without a value there may be no memory, either.
    if !values.is_empty() {
        // SAFETY: As above.
        unsafe { b::vu_not_leaked(values.as_ptr().cast()) };
    }
    core::mem::forget(values);
}

/// A second, writable mapping of a few pages of a [`Section`].
///
/// It is kept for as long as something written through it has to be put back, because making it
/// anew could fail. Nobody else knows its address.
pub struct Alias {
    mapped: *mut u8,
    /// Offset in the section of the first mapped byte.
    start: usize,
    len: usize,
}

// SAFETY: Whole words are written atomically; who writes which one is the owner's business.
unsafe impl Send for Alias {}
// SAFETY: As above.
unsafe impl Sync for Alias {}

impl Alias {
    /// Maps `len` bytes at `offset` of `section`. May sleep. `None` without memory.
    pub fn new(section: &Section, offset: usize, len: usize) -> Option<Self> {
        section.bytes().get(offset..offset.checked_add(len)?)?;
        let first = section.address(offset) & !(PAGE - 1);
        let end = section.address(offset).checked_add(len)?;
        let count = u32::try_from(end.checked_sub(first)?.div_ceil(PAGE)).ok()?;
        // SAFETY: `count` pages of the driver, which keeps them until after we are dropped.
        let mapped = unsafe { b::vu_map(first as *const _, count) }.cast::<u8>();
        if mapped.is_null() {
            return None;
        }
        let start = offset.wrapping_sub(section.address(offset).wrapping_sub(first));
        Some(Self { mapped, start, len: (count as usize).saturating_mul(PAGE) })
    }

    /// The word at `offset` of the section; `None` where it is not mapped or not aligned.
    fn word(&self, offset: usize) -> Option<&AtomicU64> {
        // The start may be "below zero", where a section does not begin with a page.
        let at = offset.wrapping_sub(self.start);
        if at.checked_add(8)? > self.len || at % 8 != 0 {
            return None;
        }
        // SAFETY: In the mapping and aligned; every access through it is atomic.
        Some(unsafe { &*self.mapped.add(at).cast::<AtomicU64>() })
    }

    /// Reads a word.
    pub fn read(&self, offset: usize) -> Option<u64> {
        Some(self.word(offset)?.load(Ordering::Acquire))
    }

    /// Writes a word, after everything written before.
    pub fn write(&self, offset: usize, value: u64) {
        if let Some(word) = self.word(offset) {
            word.store(value, Ordering::Release);
        }
    }
}

impl Drop for Alias {
    fn drop(&mut self) {
        // SAFETY: Mapped by `new`; no reference into it is left, for `word` borrows us.
        unsafe { b::vu_unmap(self.mapped.cast()) };
    }
}

/// The 16 bytes at `address`, which a driver function is about to read itself.
///
/// # Safety
/// The address is mapped. It may be device memory: it is read in the largest words it is aligned
/// to, each once.
pub unsafe fn read_16(address: usize) -> [u8; 16] {
    let mut bytes = [0; 16];
    if address % 4 == 0 {
        for (i, to) in bytes.chunks_exact_mut(4).enumerate() {
            // SAFETY: As the caller promises.
            let word = unsafe { (address as *const u32).add(i).read_volatile() };
            to.iter_mut().zip(word.to_le_bytes()).for_each(|(to, from)| *to = from);
        }
    } else {
        for (i, to) in bytes.iter_mut().enumerate() {
            // SAFETY: As the caller promises.
            *to = unsafe { (address as *const u8).add(i).read_volatile() };
        }
    }
    bytes
}

/// The physical address that `address` is mapped to, if it is in the area of I/O mappings.
pub fn physical(address: usize) -> Option<u64> {
    let mut physical = 0;
    // SAFETY: Only looks the address up.
    unsafe { b::vu_mapped_frame(address as *const _, &mut physical) }.then_some(physical)
}
