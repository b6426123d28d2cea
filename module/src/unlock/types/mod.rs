// SPDX-License-Identifier: GPL-2.0
//! NVIDIA's mdev types: which of them there are, and what their files say.
//!
//! The files are written anew each time they are read, so there is nothing to put back. Types that
//! the user hides are left out when the driver registers its types; where that changes later, all of
//! a board's types are registered anew, if it has no vGPU.

mod creating;
mod files;
mod registered;
mod soon;
mod table;

pub use creating::creating;
pub use files::shown;
pub use registered::{begin, forget, leave, refresh, registering, unregistering};
pub use table::{hidden, of_board};
