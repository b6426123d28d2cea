// SPDX-License-Identifier: GPL-2.0
//! The kernel's errors.

/// The largest number that an error can have (`MAX_ERRNO`).
const MAX_ERRNO: i32 = 4095;
const EINVAL: i32 = 22;

/// An error number of the kernel's.
///
/// Invariant: from -4095 to -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(i32);

impl Error {
    /// The error of this (negative) number; `EINVAL` where it is none.
    pub fn from_errno(errno: i32) -> Self {
        if (-MAX_ERRNO..0).contains(&errno) {
            Self(errno)
        } else {
            Self(-EINVAL)
        }
    }

    /// Its (negative) number.
    pub fn to_errno(self) -> i32 {
        self.0
    }
}

/// A [`core::result::Result`] with an [`Error`].
pub type Result<T = (), E = Error> = core::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_errors_become_einval() {
        for errno in [-1, -12, -4095] {
            assert_eq!(Error::from_errno(errno).to_errno(), errno);
        }
        for errno in [0, 1, 22, -4096, i32::MIN, i32::MAX] {
            assert_eq!(Error::from_errno(errno).to_errno(), -22);
        }
    }
}
