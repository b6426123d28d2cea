// SPDX-License-Identifier: GPL-2.0
//! What bindgen makes of `shim.h` for the kernel that is built for.
#![allow(
    clippy::all,
    dead_code,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    improper_ctypes,
    unsafe_op_in_unsafe_fn
)]

include!("../bindings_generated.rs");
