/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the Rust side needs of the kernel and cannot have as it stands there: macros, inline
 * functions, and interfaces that changed between the kernels we build on. bindgen reads this file,
 * so it also includes the headers of everything that Rust uses as it stands.
 *
 * No decision is taken here.
 */
#ifndef VGPU_UNLOCK_SHIM_H
#define VGPU_UNLOCK_SHIM_H

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/task_work.h>
#include <linux/vmalloc.h>
#include <crypto/aes.h>
#include <crypto/sha2.h>

#include "mdev.h"

/* Logging: `text` is `len` bytes without a new line. */
void vu_log_info(const char *text, int len);
void vu_log_warn(const char *text, int len);

/*
 * The module's mutexes: of vGPUs that are being created, of the life cycle, of registered types, of answers to RM control calls, of
 * what is known of vGPUs, of the user's policy.
 */
enum vu_mutex { VU_CREATE, VU_LIFECYCLE, VU_TYPES, VU_ANSWERS, VU_TOLD, VU_POLICY };
void vu_lock(enum vu_mutex which);
void vu_unlock(enum vu_mutex which);

/* A spin lock for what probe handlers and the rest share; interrupts are off while it is held. */
struct vu_spinlock {
	raw_spinlock_t lock;
};
void vu_spin_init(struct vu_spinlock *lock);
unsigned long vu_spin_lock(struct vu_spinlock *lock);
void vu_spin_unlock(struct vu_spinlock *lock, unsigned long flags);

/*
 * Two functions of our own to probe: what is placed on them tells whether ftrace and kprobes do
 * anything at all. The symbol vu_canary_nop is the instruction in vu_canary_run() that a kprobe
 * may replace.
 */
int vu_traced(int x);
void vu_canary_run(void);

/* Argument number `n` of the function an ftrace callback was called for. */
unsigned long vu_ftrace_argument(struct ftrace_regs *regs, unsigned int n);
/* Has the function at `address` called instead. */
void vu_ftrace_divert(struct ftrace_regs *regs, unsigned long address);
/* Whether `address` is in this module. */
bool vu_is_ours(unsigned long address);

/* The loaded module of that name with a reference held, or NULL. */
struct module *vu_module_get(const char *name);
bool vu_module_is(const struct module *mod, const char *name);
/* What MODULE_VERSION() said, or NULL. */
const char *vu_module_version(const struct module *mod);

/* The read-only data and the text of a loaded module. */
void *vu_module_rodata(const struct module *mod, size_t *size);
void *vu_module_text(const struct module *mod, size_t *size);

/*
 * Sizes of what bindgen describes to Rust, as the compiler of the kernel sees them: of a kprobe, a
 * kretprobe, an ftrace_ops, a notifier_block, a callback_head, a vu_spinlock, a vu_crypto, a pt_regs.
 */
#define VU_SIZES 8
void vu_sizes(size_t sizes[VU_SIZES]);

/* Where a kretprobe instance belongs to; NULL while it is being taken away. */
struct kretprobe *vu_kretprobe_of(struct kretprobe_instance *instance);

/* Maps `count` pages writable, in addition to whatever they are mapped as already. */
void *vu_map_pages(struct page **pages, unsigned int count);

/* Whether `address` lies where vmalloc() and ioremap() map, and the frame that is mapped there. */
bool vu_mapped_frame(const void *address, u64 *physical);

/* One NVIDIA GPU on the PCI bus. */
struct vu_gpu {
	u32 domain;
	u8 bus;
	u8 slot;
	u8 function;
	u16 device;
	u16 subsystem;
	u64 bar3_start;
	u64 bar3_len;
};
/* Fills `gpu` with the GPU number `index`; false behind the last one. */
bool vu_gpu(unsigned int index, struct vu_gpu *gpu);

/* AES-128 and HMAC-SHA256 with one key, from the kernel's lib/crypto. */
struct vu_crypto {
#ifdef VU_HAVE_AES_PREPAREKEY
	struct aes_key aes;
#else
	struct crypto_aes_ctx aes;
#endif
	u8 key[16];
};
int vu_crypto_set_key(struct vu_crypto *crypto, const u8 *key);
void vu_crypto_encrypt(const struct vu_crypto *crypto, u8 *block);
void vu_crypto_decrypt(const struct vu_crypto *crypto, u8 *block);
void vu_crypto_sign(const struct vu_crypto *crypto, const u8 *message, size_t len, u8 *signature);
void vu_crypto_wipe(struct vu_crypto *crypto);

/* Work in process context, at most one at a time; `vu_work_run` is Rust's. */
void vu_work_schedule(void);
void vu_work_cancel(void);
void vu_work_run(void);

/* Whether the calling process is one of the two vGPU daemons, run by root. */
bool vu_is_daemon(void);
/* Whether the calling process, which is one of them, is nvidia-vgpu-mgr. */
bool vu_is_manager(void);
/* A process: its number, and when it was made, in nanoseconds on ktime_get()'s clock. */
struct vu_process {
	int number;
	u64 born;
};
/* The calling process, whichever of its threads calls, and the one that it was forked from. */
void vu_processes(struct vu_process *self, struct vu_process *parent);

/* Has vu_task_run() called by this task before it returns to user space. 0, or an error number. */
int vu_task_add(struct callback_head *head);
void vu_task_run(struct callback_head *head);

/* Copies from and to the calling process; false where its memory is not there. */
bool vu_user_read(void *to, u64 from, size_t len);
bool vu_user_write(u64 to, const void *from, size_t len);

void vu_sleep_ms(unsigned int ms);

/* Parameters; both are Rust's. `set` takes `len` bytes, `get` writes at most a page. */
enum vu_param {
	VU_PARAM_ENABLED,
	VU_PARAM_GPUS,
	VU_PARAM_MIGRATION,
	VU_PARAM_OVERRIDES,
	VU_PARAM_VERBOSITY,
};
int vu_param_set(enum vu_param which, const char *text, size_t len);
int vu_param_get(enum vu_param which, char *buffer);

/* The status files in debugfs; the two shows are Rust's. */
void vu_debugfs_create(void);
void vu_debugfs_remove(void);
int vu_show_text(struct seq_file *m, void *unused);
int vu_show_json(struct seq_file *m, void *unused);

#endif
