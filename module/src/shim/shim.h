/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that passes between Rust and C. The kernel's structures stay on the C side: what is said
 * here is the same for every kernel and every compiler, so Rust's view of it is made once
 * (sys/bindings.rs) and not on the machines of those who install us.
 *
 * The C side bridges macros, inline functions and interfaces that changed between kernels (compat.h).
 * What is to be done is decided above it; it only keeps away what nobody wants to hear of.
 */
#ifndef VGPU_UNLOCK_SHIM_H
#define VGPU_UNLOCK_SHIM_H

#ifdef __BINDGEN__
#include <stdbool.h>
#include <stddef.h>
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
#else
#include <linux/types.h>
#endif

/* --- base.c: the log, locks, time */

enum vu_level { VU_INFO, VU_WARN };
/* Logs a line: `len` bytes without a new line. */
void vu_log(enum vu_level level, const char *text, int len);

/*
 * The module's mutexes: of vGPUs that are being created, of the life cycle, of registered types, of
 * answers to RM control calls, of what is known of vGPUs, of nvidia-vgpud, of the user's settings.
 */
enum vu_mutex { VU_CREATE, VU_LIFECYCLE, VU_TYPES, VU_ANSWERS, VU_TOLD, VU_VGPUD, VU_SETTINGS };
void vu_lock(enum vu_mutex which);
void vu_unlock(enum vu_mutex which);

/* A spin lock for what hooks and the rest share; interrupts are off while it is held. */
struct vu_spinlock;
struct vu_spinlock *vu_spin_new(void);
void vu_spin_free(struct vu_spinlock *lock);
unsigned long vu_spin_lock(struct vu_spinlock *lock);
void vu_spin_unlock(struct vu_spinlock *lock, unsigned long flags);

/* Nanoseconds since boot. */
u64 vu_now(void);
void vu_sleep_ms(unsigned int ms);
/* Waits until no task is in the tail of a function that is not called any more. */
void vu_wait_for_tails(void);

/* Work in process context, at most one at a time; `vu_work_run` is Rust's. */
void vu_work_schedule(void);
void vu_work_cancel(void);
void vu_work_run(void);

/* --- module.c: NVIDIA's modules */

/* The driver, and the module that registers vGPU types with the kernel's mdev core. */
enum vu_target { VU_DRIVER, VU_VFIO };
struct module;

/* Being told when they come and go; the two functions are Rust's, and the module stays meanwhile. */
int vu_notifiers_register(void);
void vu_notifiers_unregister(void);
void vu_module_coming(enum vu_target which, struct module *mod);
void vu_module_going(enum vu_target which, struct module *mod);

/* The loaded module with a reference held, or NULL. */
struct module *vu_module_get(enum vu_target which);
void vu_module_put(struct module *mod);
/* What MODULE_VERSION() said, or NULL. */
const char *vu_module_version(const struct module *mod);
/* The text and the read-only data of a loaded module. */
const void *vu_module_text(const struct module *mod, size_t *size);
const void *vu_module_rodata(const struct module *mod, size_t *size);

/* --- memory.c */

/*
 * Maps the pages from `address` on, `count` of them, writable, in addition to whatever they are mapped
 * as already. NULL where one of them is not there, or without memory.
 */
void *vu_map(const void *address, unsigned int count);
void vu_unmap(const void *mapped);
/* Whether `address` lies where vmalloc() and ioremap() map, and the frame that is mapped there. */
bool vu_mapped_frame(const void *address, u64 *physical);

/* --- hook.c: being told of calls, by ftrace */

enum vu_hook_kind {
	/* Counts calls, and keeps ftrace from being switched off. */
	VU_HOOK_GUARD,
	/* Tells vu_copying() of copies of VU_COPY_LEN bytes. */
	VU_HOOK_COPY,
	/* Sends the daemons' RM control calls through calls.c. */
	VU_HOOK_IOCTL,
	/* Has that one placed again when a daemon opens the driver's device: rest.c. */
	VU_HOOK_OPEN,
	/* Sends calls of the mdev core's functions to those of mdev.c, for NVIDIA's types. */
	VU_HOOK_MDEV_UNREGISTER,
	VU_HOOK_MDEV_REGISTER,
	VU_HOOK_MDEV_CREATE,
	VU_HOOK_MDEV_NAME,
	VU_HOOK_MDEV_DESCRIPTION,
	VU_HOOK_MDEV_INSTANCES,
};
/* Bytes of a board's magic, and of its key. */
#define VU_COPY_LEN 16

struct vu_hook;
/*
 * Hooks the function `symbol` ("module:function"). NULL and an error number where that is refused:
 * then nothing is left behind, or the hooks are stuck (see below).
 */
struct vu_hook *vu_hook_place(enum vu_hook_kind kind, const char *symbol, void *context, int *error);
/* Takes it away, and waits for calls that are being told of. */
void vu_hook_remove(struct vu_hook *hook);
u64 vu_hook_hits(const struct vu_hook *hook);
/*
 * Whether the kernel could not take a hook or a probe away and may go on using it for ever. It tells
 * nobody any more, but our text must stay.
 */
bool vu_hooks_stuck(void);
/* Rust's: the driver is about to copy from `from`, in any context. `context` is the hook's. */
void vu_copying(void *context, unsigned long from);

/*
 * Two functions of our own to hook: whether that is noticed tells whether ftrace and kprobes do anything
 * at all. The symbol vu_canary_nop is the instruction in vu_canary_run() that a kprobe may replace.
 */
int vu_traced(int x);
void vu_canary_run(void);

/* --- probe.c: changing what an instruction does, by kprobes */

enum vu_effect_kind { VU_EFFECT_COUNT, VU_EFFECT_RETURN, VU_EFFECT_STORE };
struct vu_effect {
	enum vu_effect_kind kind;
	/* What is returned, or stored. */
	u32 value;
	/* Where it is stored: the distance from %rbp. */
	u32 displacement;
	/* Where to go on after the store. */
	unsigned long resume;
};

struct vu_probe;
struct vu_probe *vu_probe_place(unsigned long address, const struct vu_effect *effect, int *error);
void vu_probe_remove(struct vu_probe *probe);
u64 vu_probe_hits(const struct vu_probe *probe);
/* How often the kernel skipped it, because another probe's handler was running. */
u64 vu_probe_misses(const struct vu_probe *probe);
/*
 * The address that a probe of "module:symbol", or of the kernel's "symbol", would get. For a function that
 * begins with ENDBR it is the instruction behind that. An error number, as IS_ERR_VALUE() tells it, where none
 * can be had: -ENOENT where there is no such symbol.
 */
unsigned long vu_address_of(const char *symbol);

/* --- calls.c, rest.c: the daemons' RM control calls */

/* Numbers of the driver's ioctls: RM control, and one whose own parameter lies elsewhere. */
#define VU_IOCTL_CONTROL 0x2a
#define VU_IOCTL_XFER 211

/* RM control calls: where their command is, and those whose answers are of interest. */
struct vu_wanted {
	u32 offset;
	const u32 *commands;
	u32 count;
};
/*
 * Has vu_answered() called after each of the daemons' calls of the driver's ioctl `symbol` that returned 0
 * and could be one of those that are wanted, by the task that made it, before it is back in user space. While
 * there is no daemon the ioctl is not hooked, where the driver's `open` can be.
 */
int vu_calls_watch(const char *symbol, const char *open, const struct vu_wanted *wanted);
/* Calls that are under way are not told of any more; those that have returned may still be. */
void vu_calls_unwatch(void);
/* How many were seen, and how many should have been. */
u64 vu_calls_hits(void);
u64 vu_calls_lost(void);
/* Whether the ioctl is not hooked now, and the error number where that could not be done for a daemon that came. */
bool vu_calls_rest(void);
int vu_calls_error(void);
/* Waits until nobody is being told any more. */
void vu_calls_wait(void);
/* Rust's. May sleep and touch user memory. */
void vu_answered(u32 command, unsigned long argument);

/* --- user.c: the calling process and its memory */

/* Whether the calling process, which is one of the two daemons, is nvidia-vgpu-mgr. */
bool vu_is_manager(void);
/* A process: its number, and when it was made, on vu_now()'s clock. */
struct vu_process {
	int number;
	u64 born;
};
/* The calling process, whichever of its threads calls, and the one that it was forked from. */
void vu_processes(struct vu_process *self, struct vu_process *parent);
/* Copies from and to the calling process; false where its memory is not there. */
bool vu_user_read(void *to, u64 from, size_t len);
bool vu_user_write(u64 to, const void *from, size_t len);
/* A copy of it, for vu_free(); NULL where the memory is not there, or without any. */
void *vu_user_copy(u64 from, size_t len);
/* Where its program's code lies, from the first address to the one behind the last; false without any. */
bool vu_user_text(u64 *start, u64 *end);
/*
 * Writes to its own copies of pages that it may not write to, as a debugger does. Neither the file that they
 * are from nor any other process has a part in it. 0 or an error number.
 */
int vu_user_poke(u64 to, const void *from, size_t len);

/* --- crypto.c: AES-128 and HMAC-SHA256 with one key, from the kernel's lib/crypto */

struct vu_crypto;
struct vu_crypto *vu_crypto_new(void);
/* Wipes it, too. */
void vu_crypto_free(struct vu_crypto *crypto);
int vu_crypto_set_key(struct vu_crypto *crypto, const u8 *key);
void vu_crypto_encrypt(const struct vu_crypto *crypto, u8 *block);
void vu_crypto_decrypt(const struct vu_crypto *crypto, u8 *block);
void vu_crypto_sign(const struct vu_crypto *crypto, const u8 *message, size_t len, u8 *signature);

/* --- pci.c */

#include "pci.h"

/* --- param.c: the module's parameters; all functions are Rust's */

enum vu_param {
	VU_PARAM_ENABLED,
	VU_PARAM_GPUS,
	VU_PARAM_MIGRATION,
	VU_PARAM_OVERRIDES,
	/* Write-only: overrides that need more than one write, or concern some targets only. */
	VU_PARAM_OVERRIDES_PART,
	VU_PARAM_VERBOSITY,
	VU_PARAM_VGPUD,
};
/* `set` takes `len` bytes, `get` writes at most a page. */
int vu_param_set(enum vu_param which, const char *text, size_t len);
int vu_param_get(enum vu_param which, char *page);
/* Gives back what a parameter holds. Nobody sets or asks for it any more. */
void vu_param_free(enum vu_param which);

/* --- status.c: the files in debugfs; what is in them is Rust's */

enum vu_file { VU_FILE_TEXT, VU_FILE_JSON, VU_FILE_OVERRIDES };
struct seq_file;
void vu_files_create(void);
void vu_files_remove(void);
void vu_file_show(enum vu_file which, struct seq_file *file);
void vu_file_write(struct seq_file *file, const char *text, size_t len);

/* --- mdev.c, mdev_types.c: the kernel's mdev core; mdev_old.c before Linux 6.1 */

struct mdev_driver;
struct mdev_parent;
struct mdev_type;

/* A file of a type's. */
enum vu_type_file { VU_TYPE_NAME, VU_TYPE_DESCRIPTION, VU_TYPE_INSTANCES };

/* Whether the kernel's mdev core is one whose functions can be replaced (Linux 6.1 and newer). */
bool vu_mdev_is_known(void);
/*
 * Finds the originals, which are called by the functions below. 0, or an error number and the one that is
 * missing. The mdev core must stay until the last hook on it is gone.
 */
int vu_mdev_find(const char **missing);

/* Rust's: what stands in for the originals. */
long vu_type_show(enum vu_type_file file, struct mdev_type *type, void *attr, char *page);
long vu_type_create(struct mdev_type *type, void *attr, const char *text, size_t count);
int vu_types_register(struct mdev_parent *parent, struct device *dev, struct mdev_driver *driver,
		      struct mdev_type **types, unsigned int count);
void vu_types_unregister(struct mdev_parent *parent);

/* The originals. */
long vu_mdev_show(enum vu_type_file file, struct mdev_type *type, void *attr, char *page);
long vu_mdev_create(struct mdev_type *type, void *attr, const char *text, size_t count);
int vu_mdev_register(struct mdev_parent *parent, struct device *dev, struct mdev_driver *driver,
		     struct mdev_type **types, unsigned int count);
void vu_mdev_unregister(struct mdev_parent *parent);
/* Reads a type's file as vu_mdev_show() does, at most `len` bytes of it. The length, or an error. */
long vu_mdev_read(enum vu_type_file file, struct mdev_type *type, char *to, size_t len);

struct mdev_parent *vu_mdev_type_parent(const struct mdev_type *type);
/* What the driver calls the type; a string. */
const char *vu_mdev_type_name(const struct mdev_type *type);
struct mdev_type *vu_mdev_type_at(struct mdev_type **types, unsigned int index);
/* Whether somebody still holds a reference to a type that is not registered any more. */
bool vu_mdev_holds(const struct mdev_type *type);
/* Has such a type as it was before it was registered for the first time; nobody may hold it. */
void vu_mdev_reset(struct mdev_type *type);
/*
 * Whether nobody but the mdev core holds a reference to a registered type: no vGPU, not even one that is
 * being made or removed.
 */
bool vu_mdev_idle(const struct mdev_type *type);

/* A vGPU. */
struct vu_vgpu {
	u8 uuid[16];
	/* What the driver calls its type, ending in NUL. */
	u8 type[16];
};
/*
 * How many vGPUs there are on the device; the first `max` are written to `list`. Its types must stay
 * registered meanwhile.
 */
unsigned int vu_mdev_vgpus(struct device *dev, struct vu_vgpu *list, unsigned int max);

/* What was handed to mdev_register_parent(). */
struct vu_registration {
	struct mdev_parent *parent;
	struct device *device;
	struct mdev_driver *driver;
	struct mdev_type **types;
	unsigned int count;
};
/*
 * SOME: with a reference to the device, whose lock is held. UNKNOWN: the lock is taken, or it is a virtual
 * function, whose types the driver unregisters without it.
 */
enum vu_found { VU_FOUND_NONE, VU_FOUND_SOME, VU_FOUND_UNKNOWN };
/* What was registered for a GPU of NVIDIA's driver, whose modules must not go meanwhile. */
enum vu_found vu_mdev_registered(const struct vu_place *place, struct vu_registration *registration);

/* --- entry.c: only with the portable kernel crate; init and exit are Rust's */

int vu_init(void);
void vu_exit(void);
void vu_bug(void) __attribute__((noreturn));

/* --- alloc.c: memory, also for the portable kernel crate */

/* Makes `old`, which has `had` bytes, `size` bytes long; NULL and 0 for a new one. */
void *vu_realloc(const void *old, size_t had, size_t size);
void vu_free(const void *old);
/* It is never freed, on purpose: kmemleak does not look for it. */
void vu_not_leaked(const void *memory);

#endif
