// SPDX-License-Identifier: GPL-2.0
//! Everything that the kernel calls us for.
//!
//! C calls fixed names, directly: a call through a pointer would need an ENDBR and a type that both
//! compilers agree on. The root says once who answers; each of these types implements the trait of the
//! file that the names belong to.

/// Names those whom the kernel calls.
macro_rules! events {
    (
        modules: $modules:ty,
        boards: $boards:ty,
        work: $work:ty,
        answers: $answers:ty,
        copies: $copies:ty,
        files: $files:ty,
        parameters: $parameters:ty,
        types: $types:ty,
    ) => {
        /// What C calls, by the names that shim.h declares.
        mod entry {
            use core::ffi::{c_char, c_int, c_long, c_uint, c_ulong, c_void};

            #[allow(unused_imports, reason = "the types that the root names")]
            use super::*;
            use $crate::sys::{bindings as b, calls, files, hook, mdev, param, pci, target, work};

            // SAFETY: `vu_copying` below is the only one of its name.
            unsafe impl hook::Named for $copies {}

            #[no_mangle]
            unsafe extern "C" fn vu_module_coming(which: b::vu_target, module: *mut b::module) {
                // SAFETY: C calls this in the course of the module's loading.
                unsafe { target::coming::<$modules>(which, module) };
            }

            #[no_mangle]
            unsafe extern "C" fn vu_module_going(which: b::vu_target, module: *mut b::module) {
                // SAFETY: C calls this in the course of the module's unloading.
                unsafe { target::going::<$modules>(which, module) };
            }

            #[no_mangle]
            extern "C" fn vu_boards_changed() {
                <$boards as pci::Changes>::changed();
            }

            #[no_mangle]
            extern "C" fn vu_work_run() {
                <$work as work::Job>::run();
            }

            #[no_mangle]
            extern "C" fn vu_answered(command: u32, argument: c_ulong) {
                calls::answered::<$answers>(command, argument);
            }

            #[no_mangle]
            unsafe extern "C" fn vu_copying(context: *mut c_void, from: c_ulong) {
                // SAFETY: C hands us the context of a hook that `CopyHook::place` has placed.
                unsafe { hook::copying::<$copies>(context, from) };
            }

            #[no_mangle]
            unsafe extern "C" fn vu_file_show(which: b::vu_file, file: *mut b::seq_file) {
                // SAFETY: C hands us the file that is being read.
                unsafe { files::show::<$files>(which, file) };
            }

            #[no_mangle]
            unsafe extern "C" fn vu_param_set(
                which: b::vu_param,
                text: *const c_char,
                len: usize,
            ) -> c_int {
                // SAFETY: C hands us a string and its length.
                unsafe { param::set::<$parameters>(which, text, len) }
            }

            #[no_mangle]
            unsafe extern "C" fn vu_param_get(which: b::vu_param, page: *mut c_char) -> c_int {
                // SAFETY: C hands us a page.
                unsafe { param::get::<$parameters>(which, page) }
            }

            #[no_mangle]
            extern "C" fn vu_param_free(which: b::vu_param) {
                param::free::<$parameters>(which);
            }

            #[no_mangle]
            unsafe extern "C" fn vu_type_show(
                file: b::vu_type_file,
                ty: *mut b::mdev_type,
                attribute: *mut c_void,
                page: *mut c_char,
            ) -> c_long {
                // SAFETY: C calls this in the place of a show function, for a type of NVIDIA's.
                unsafe { mdev::show::<$types>(file, ty, attribute, page) }
            }

            #[no_mangle]
            unsafe extern "C" fn vu_type_create(
                ty: *mut b::mdev_type,
                attribute: *mut c_void,
                text: *const c_char,
                count: usize,
            ) -> c_long {
                // SAFETY: C calls this in the place of a store function, for a type of NVIDIA's.
                unsafe { mdev::create::<$types>(ty, attribute, text, count) }
            }

            #[no_mangle]
            unsafe extern "C" fn vu_types_register(
                parent: *mut b::mdev_parent,
                device: *mut b::device,
                driver: *mut b::mdev_driver,
                types: *mut *mut b::mdev_type,
                count: c_uint,
            ) -> c_int {
                // SAFETY: C calls this in the place of mdev_register_parent(), for a GPU of NVIDIA's.
                unsafe { mdev::register::<$types>(parent, device, driver, types, count) }
            }

            #[no_mangle]
            unsafe extern "C" fn vu_types_unregister(parent: *mut b::mdev_parent) {
                // SAFETY: C calls this in the place of mdev_unregister_parent(), for a GPU of NVIDIA's.
                unsafe { mdev::unregister::<$types>(parent) };
            }
        }
    };
}

pub(crate) use events;
