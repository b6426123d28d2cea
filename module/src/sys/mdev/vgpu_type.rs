// SPDX-License-Identifier: GPL-2.0
//! A vGPU type, as sysfs knows it.

use core::ffi::CStr;

use super::b;
use crate::logic::mdev::File;

/// A type of an NVIDIA GPU's.
///
/// Invariant: it is registered, and stays so while this lives: made for a call by sysfs, which ends
/// before the type goes.
pub struct Type(*mut b::mdev_type);

impl Type {
    /// What sysfs calls us with.
    ///
    /// # Safety
    /// The type's invariant.
    pub(super) unsafe fn new(raw: *mut b::mdev_type) -> Self {
        Self(raw)
    }

    /// What the driver calls it: `nvidia-N`.
    pub fn name(&self) -> &[u8] {
        // SAFETY: The type's invariant.
        unsafe { name_of(self.0) }
    }

    /// The [`super::Registration::parent`] of the types that it was registered with.
    pub fn parent(&self) -> usize {
        // SAFETY: The type's invariant.
        unsafe { b::vu_mdev_type_parent(self.0) as usize }
    }

    /// Reads the first bytes of a file of the type's as the driver has it, without the new line.
    pub fn read<'a>(&self, file: File, to: &'a mut [u8]) -> Option<&'a [u8]> {
        let which = match file {
            File::Name => b::vu_type_file_VU_TYPE_NAME,
            File::Description => b::vu_type_file_VU_TYPE_DESCRIPTION,
            File::Instances => b::vu_type_file_VU_TYPE_INSTANCES,
        };
        let (start, len) = (to.as_mut_ptr(), to.len());
        // SAFETY: The type's invariant; it writes `len` bytes at most.
        let len = unsafe { b::vu_mdev_read(which, self.0, start.cast(), len) };
        let text = to.get(..usize::try_from(len).ok()?)?;
        Some(text.strip_suffix(b"\n").unwrap_or(text))
    }
}

/// The name of a type.
///
/// # Safety
/// The type is alive, and stays so for as long as the name is used.
pub(super) unsafe fn name_of<'a>(raw: *mut b::mdev_type) -> &'a [u8] {
    // SAFETY: The driver has set the name before it registered the type.
    let name = unsafe { b::vu_mdev_type_name(raw) };
    if name.is_null() {
        return &[];
    }
    // SAFETY: A string that lives as long as the type.
    unsafe { CStr::from_ptr(name) }.to_bytes()
}
