// SPDX-License-Identifier: GPL-2.0
//! What the module uses of the Rust-for-Linux crate `kernel`, by the same names and signatures.
//!
//! The kernel's own crate is taken where it can be had: its source and the compiler that it was built with
//! have to be there, and few distributions ship either. This one needs the kernel's C headers and no more.
//! It promises what the original promises, and only that: whatever compiles against it compiles against
//! the original, and does the same.
#![no_std]
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

#[cfg(test)]
extern crate std;

pub mod alloc;
pub mod error;
mod module;
#[cfg(all(not(test), MODULE))]
mod panic;
pub mod prelude;

pub use module::{Holder, Module, ThisModule};
