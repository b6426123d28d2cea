// SPDX-License-Identifier: GPL-2.0
//! What bindgen makes of shim.h: `cargo xtask bindings`.
#![allow(
    dead_code,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    unreachable_pub,
    clippy::all,
    reason = "generated"
)]

pub const VU_COPY_LEN: u32 = 16;
pub const VU_IOCTL_CONTROL: u32 = 42;
pub const VU_IOCTL_XFER: u32 = 211;
pub const VU_DRIVER_NAME: u32 = 24;
pub type u8_ = core::ffi::c_uchar;
pub type u16_ = core::ffi::c_ushort;
pub type u32_ = core::ffi::c_uint;
pub type u64_ = core::ffi::c_ulonglong;
pub const vu_level_VU_INFO: vu_level = 0;
pub const vu_level_VU_WARN: vu_level = 1;
pub type vu_level = core::ffi::c_uint;
pub const vu_mutex_VU_CREATE: vu_mutex = 0;
pub const vu_mutex_VU_LIFECYCLE: vu_mutex = 1;
pub const vu_mutex_VU_TYPES: vu_mutex = 2;
pub const vu_mutex_VU_ANSWERS: vu_mutex = 3;
pub const vu_mutex_VU_TOLD: vu_mutex = 4;
pub const vu_mutex_VU_VGPUD: vu_mutex = 5;
pub const vu_mutex_VU_SETTINGS: vu_mutex = 6;
pub type vu_mutex = core::ffi::c_uint;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_spinlock {
    _unused: [u8; 0],
}
pub const vu_target_VU_DRIVER: vu_target = 0;
pub const vu_target_VU_VFIO: vu_target = 1;
pub type vu_target = core::ffi::c_uint;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct module {
    _unused: [u8; 0],
}
pub const vu_hook_kind_VU_HOOK_GUARD: vu_hook_kind = 0;
pub const vu_hook_kind_VU_HOOK_COPY: vu_hook_kind = 1;
pub const vu_hook_kind_VU_HOOK_IOCTL: vu_hook_kind = 2;
pub const vu_hook_kind_VU_HOOK_OPEN: vu_hook_kind = 3;
pub const vu_hook_kind_VU_HOOK_MDEV_UNREGISTER: vu_hook_kind = 4;
pub const vu_hook_kind_VU_HOOK_MDEV_REGISTER: vu_hook_kind = 5;
pub const vu_hook_kind_VU_HOOK_MDEV_CREATE: vu_hook_kind = 6;
pub const vu_hook_kind_VU_HOOK_MDEV_NAME: vu_hook_kind = 7;
pub const vu_hook_kind_VU_HOOK_MDEV_DESCRIPTION: vu_hook_kind = 8;
pub const vu_hook_kind_VU_HOOK_MDEV_INSTANCES: vu_hook_kind = 9;
pub type vu_hook_kind = core::ffi::c_uint;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_hook {
    _unused: [u8; 0],
}
pub const vu_effect_kind_VU_EFFECT_COUNT: vu_effect_kind = 0;
pub const vu_effect_kind_VU_EFFECT_RETURN: vu_effect_kind = 1;
pub const vu_effect_kind_VU_EFFECT_STORE: vu_effect_kind = 2;
pub type vu_effect_kind = core::ffi::c_uint;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_effect {
    pub kind: vu_effect_kind,
    pub value: u32_,
    pub displacement: u32_,
    pub resume: core::ffi::c_ulong,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_probe {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_wanted {
    pub offset: u32_,
    pub commands: *const u32_,
    pub count: u32_,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_process {
    pub number: core::ffi::c_int,
    pub born: u64_,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_crypto {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_place {
    pub domain: u32_,
    pub bus: u8_,
    pub slot: u8_,
    pub function: u8_,
}
pub const vu_bound_VU_BOUND_UNKNOWN: vu_bound = 0;
pub const vu_bound_VU_BOUND_NOBODY: vu_bound = 1;
pub const vu_bound_VU_BOUND_DRIVER: vu_bound = 2;
pub type vu_bound = core::ffi::c_uint;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_gpu {
    pub place: vu_place,
    pub board: vu_place,
    pub is_virtual: bool,
    pub device: u16_,
    pub subsystem: u16_,
    pub bar3_start: u64_,
    pub bar3_len: u64_,
    pub functions: u32_,
    pub bound: vu_bound,
    pub driver: [core::ffi::c_char; 24usize],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct device {
    _unused: [u8; 0],
}
pub const vu_param_VU_PARAM_ENABLED: vu_param = 0;
pub const vu_param_VU_PARAM_GPUS: vu_param = 1;
pub const vu_param_VU_PARAM_MIGRATION: vu_param = 2;
pub const vu_param_VU_PARAM_OVERRIDES: vu_param = 3;
pub const vu_param_VU_PARAM_OVERRIDES_PART: vu_param = 4;
pub const vu_param_VU_PARAM_VERBOSITY: vu_param = 5;
pub const vu_param_VU_PARAM_VGPUD: vu_param = 6;
pub type vu_param = core::ffi::c_uint;
pub const vu_file_VU_FILE_TEXT: vu_file = 0;
pub const vu_file_VU_FILE_JSON: vu_file = 1;
pub const vu_file_VU_FILE_OVERRIDES: vu_file = 2;
pub type vu_file = core::ffi::c_uint;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct seq_file {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct mdev_driver {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct mdev_parent {
    _unused: [u8; 0],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct mdev_type {
    _unused: [u8; 0],
}
pub const vu_type_file_VU_TYPE_NAME: vu_type_file = 0;
pub const vu_type_file_VU_TYPE_DESCRIPTION: vu_type_file = 1;
pub const vu_type_file_VU_TYPE_INSTANCES: vu_type_file = 2;
pub type vu_type_file = core::ffi::c_uint;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_vgpu {
    pub uuid: [u8_; 16usize],
    pub type_: [u8_; 16usize],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vu_registration {
    pub parent: *mut mdev_parent,
    pub device: *mut device,
    pub driver: *mut mdev_driver,
    pub types: *mut *mut mdev_type,
    pub count: core::ffi::c_uint,
}
pub const vu_found_VU_FOUND_NONE: vu_found = 0;
pub const vu_found_VU_FOUND_SOME: vu_found = 1;
pub const vu_found_VU_FOUND_UNKNOWN: vu_found = 2;
pub type vu_found = core::ffi::c_uint;
extern "C" {
    pub fn vu_log(level: vu_level, text: *const core::ffi::c_char, len: core::ffi::c_int);
    pub fn vu_lock(which: vu_mutex);
    pub fn vu_unlock(which: vu_mutex);
    pub fn vu_spin_new() -> *mut vu_spinlock;
    pub fn vu_spin_free(lock: *mut vu_spinlock);
    pub fn vu_spin_lock(lock: *mut vu_spinlock) -> core::ffi::c_ulong;
    pub fn vu_spin_unlock(lock: *mut vu_spinlock, flags: core::ffi::c_ulong);
    pub fn vu_now() -> u64_;
    pub fn vu_sleep_ms(ms: core::ffi::c_uint);
    pub fn vu_wait_for_tails();
    pub fn vu_work_schedule();
    pub fn vu_work_cancel();
    pub fn vu_notifiers_register() -> core::ffi::c_int;
    pub fn vu_notifiers_unregister();
    pub fn vu_module_get(which: vu_target) -> *mut module;
    pub fn vu_module_put(mod_: *mut module);
    pub fn vu_module_version(mod_: *const module) -> *const core::ffi::c_char;
    pub fn vu_module_text(mod_: *const module, size: *mut usize) -> *const core::ffi::c_void;
    pub fn vu_module_rodata(mod_: *const module, size: *mut usize) -> *const core::ffi::c_void;
    pub fn vu_map(
        address: *const core::ffi::c_void,
        count: core::ffi::c_uint,
    ) -> *mut core::ffi::c_void;
    pub fn vu_unmap(mapped: *const core::ffi::c_void);
    pub fn vu_mapped_frame(address: *const core::ffi::c_void, physical: *mut u64_) -> bool;
    pub fn vu_hook_place(
        kind: vu_hook_kind,
        symbol: *const core::ffi::c_char,
        context: *mut core::ffi::c_void,
        error: *mut core::ffi::c_int,
    ) -> *mut vu_hook;
    pub fn vu_hook_remove(hook: *mut vu_hook);
    pub fn vu_hook_hits(hook: *const vu_hook) -> u64_;
    pub fn vu_hooks_stuck() -> bool;
    pub fn vu_traced(x: core::ffi::c_int) -> core::ffi::c_int;
    pub fn vu_canary_run();
    pub fn vu_probe_place(
        address: core::ffi::c_ulong,
        effect: *const vu_effect,
        error: *mut core::ffi::c_int,
    ) -> *mut vu_probe;
    pub fn vu_probe_remove(probe: *mut vu_probe);
    pub fn vu_probe_hits(probe: *const vu_probe) -> u64_;
    pub fn vu_probe_misses(probe: *const vu_probe) -> u64_;
    pub fn vu_address_of(symbol: *const core::ffi::c_char) -> core::ffi::c_ulong;
    pub fn vu_calls_watch(
        symbol: *const core::ffi::c_char,
        open: *const core::ffi::c_char,
        wanted: *const vu_wanted,
    ) -> core::ffi::c_int;
    pub fn vu_calls_unwatch();
    pub fn vu_calls_hits() -> u64_;
    pub fn vu_calls_lost() -> u64_;
    pub fn vu_calls_rest() -> bool;
    pub fn vu_calls_error() -> core::ffi::c_int;
    pub fn vu_calls_wait();
    pub fn vu_is_manager() -> bool;
    pub fn vu_processes(self_: *mut vu_process, parent: *mut vu_process);
    pub fn vu_user_read(to: *mut core::ffi::c_void, from: u64_, len: usize) -> bool;
    pub fn vu_user_write(to: u64_, from: *const core::ffi::c_void, len: usize) -> bool;
    pub fn vu_user_copy(from: u64_, len: usize) -> *mut core::ffi::c_void;
    pub fn vu_user_text(start: *mut u64_, end: *mut u64_) -> bool;
    pub fn vu_user_poke(to: u64_, from: *const core::ffi::c_void, len: usize) -> core::ffi::c_int;
    pub fn vu_crypto_new() -> *mut vu_crypto;
    pub fn vu_crypto_free(crypto: *mut vu_crypto);
    pub fn vu_crypto_set_key(crypto: *mut vu_crypto, key: *const u8_) -> core::ffi::c_int;
    pub fn vu_crypto_encrypt(crypto: *const vu_crypto, block: *mut u8_);
    pub fn vu_crypto_decrypt(crypto: *const vu_crypto, block: *mut u8_);
    pub fn vu_crypto_sign(
        crypto: *const vu_crypto,
        message: *const u8_,
        len: usize,
        signature: *mut u8_,
    );
    pub fn vu_gpu(index: core::ffi::c_uint, with_virtual: bool, gpu: *mut vu_gpu) -> bool;
    pub fn vu_boards_watch() -> core::ffi::c_int;
    pub fn vu_boards_unwatch();
    pub fn vu_device_board(dev: *const device, board: *mut vu_place);
    pub fn vu_device_trylock(dev: *mut device) -> bool;
    pub fn vu_device_unlock(dev: *mut device);
    pub fn vu_device_get(dev: *mut device);
    pub fn vu_device_put(dev: *mut device);
    pub fn vu_param_free(which: vu_param);
    pub fn vu_files_create();
    pub fn vu_files_remove();
    pub fn vu_file_write(file: *mut seq_file, text: *const core::ffi::c_char, len: usize);
    pub fn vu_mdev_is_known() -> bool;
    pub fn vu_mdev_find(missing: *mut *const core::ffi::c_char) -> core::ffi::c_int;
    pub fn vu_mdev_show(
        file: vu_type_file,
        type_: *mut mdev_type,
        attr: *mut core::ffi::c_void,
        page: *mut core::ffi::c_char,
    ) -> core::ffi::c_long;
    pub fn vu_mdev_create(
        type_: *mut mdev_type,
        attr: *mut core::ffi::c_void,
        text: *const core::ffi::c_char,
        count: usize,
    ) -> core::ffi::c_long;
    pub fn vu_mdev_register(
        parent: *mut mdev_parent,
        dev: *mut device,
        driver: *mut mdev_driver,
        types: *mut *mut mdev_type,
        count: core::ffi::c_uint,
    ) -> core::ffi::c_int;
    pub fn vu_mdev_unregister(parent: *mut mdev_parent);
    pub fn vu_mdev_read(
        file: vu_type_file,
        type_: *mut mdev_type,
        to: *mut core::ffi::c_char,
        len: usize,
    ) -> core::ffi::c_long;
    pub fn vu_mdev_type_parent(type_: *const mdev_type) -> *mut mdev_parent;
    pub fn vu_mdev_type_name(type_: *const mdev_type) -> *const core::ffi::c_char;
    pub fn vu_mdev_type_at(types: *mut *mut mdev_type, index: core::ffi::c_uint) -> *mut mdev_type;
    pub fn vu_mdev_holds(type_: *const mdev_type) -> bool;
    pub fn vu_mdev_reset(type_: *mut mdev_type);
    pub fn vu_mdev_idle(type_: *const mdev_type) -> bool;
    pub fn vu_mdev_vgpus(
        dev: *mut device,
        list: *mut vu_vgpu,
        max: core::ffi::c_uint,
    ) -> core::ffi::c_uint;
    pub fn vu_mdev_registered(
        place: *const vu_place,
        registration: *mut vu_registration,
    ) -> vu_found;
    pub fn vu_realloc(
        old: *const core::ffi::c_void,
        had: usize,
        size: usize,
    ) -> *mut core::ffi::c_void;
    pub fn vu_free(old: *const core::ffi::c_void);
    pub fn vu_not_leaked(memory: *const core::ffi::c_void);
}
