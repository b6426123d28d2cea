// SPDX-License-Identifier: GPL-2.0
/* See shim.h. */
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "shim.h"

void vu_log_info(const char *text, int len)
{
	pr_info("vgpu_unlock: %.*s\n", len, text);
}

void vu_log_warn(const char *text, int len)
{
	pr_warn("vgpu_unlock: %.*s\n", len, text);
}

static DEFINE_MUTEX(vu_create_mutex);
static DEFINE_MUTEX(vu_lifecycle_mutex);
static DEFINE_MUTEX(vu_types_mutex);
static DEFINE_MUTEX(vu_answers_mutex);
static DEFINE_MUTEX(vu_told_mutex);
static DEFINE_MUTEX(vu_policy_mutex);

static struct mutex *vu_mutex_of(enum vu_mutex which)
{
	switch (which) {
	case VU_CREATE:
		return &vu_create_mutex;
	case VU_LIFECYCLE:
		return &vu_lifecycle_mutex;
	case VU_TYPES:
		return &vu_types_mutex;
	case VU_ANSWERS:
		return &vu_answers_mutex;
	case VU_TOLD:
		return &vu_told_mutex;
	default:
		return &vu_policy_mutex;
	}
}

void vu_lock(enum vu_mutex which)
{
	mutex_lock(vu_mutex_of(which));
}

void vu_unlock(enum vu_mutex which)
{
	mutex_unlock(vu_mutex_of(which));
}

void vu_spin_init(struct vu_spinlock *lock)
{
	raw_spin_lock_init(&lock->lock);
}

unsigned long vu_spin_lock(struct vu_spinlock *lock)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock->lock, flags);
	return flags;
}

void vu_spin_unlock(struct vu_spinlock *lock, unsigned long flags)
{
	raw_spin_unlock_irqrestore(&lock->lock, flags);
}

noinline int vu_traced(int x)
{
	/* Keeps the call from being folded away with its ftrace site. */
	barrier();
	return x;
}

noinline void vu_canary_run(void)
{
	asm volatile(".globl vu_canary_nop\nvu_canary_nop: nop" ::: "memory");
}

unsigned long vu_ftrace_argument(struct ftrace_regs *regs, unsigned int n)
{
	return ftrace_regs_get_argument(regs, n);
}

void vu_ftrace_divert(struct ftrace_regs *regs, unsigned long address)
{
	ftrace_regs_set_instruction_pointer(regs, address);
}

bool vu_is_ours(unsigned long address)
{
	return within_module(address, THIS_MODULE);
}

struct module *vu_module_get(const char *name)
{
	/* All modules' kobjects are in one set, ours tells which, once it is in it. */
	struct kset *kset = THIS_MODULE->mkobj.kobj.kset;
	struct kobject *kobj = kset ? kset_find_obj(kset, name) : NULL;
	struct module *mod;

	if (!kobj)
		return NULL;
	/* Built-in code with parameters is in the same set, with no module. */
	mod = container_of(kobj, struct module_kobject, kobj)->mod;
	if (mod && !try_module_get(mod))
		mod = NULL;
	kobject_put(kobj);
	return mod;
}

bool vu_module_is(const struct module *mod, const char *name)
{
	return !strcmp(mod->name, name);
}

const char *vu_module_version(const struct module *mod)
{
	return mod->version;
}

void *vu_module_rodata(const struct module *mod, size_t *size)
{
	*size = mod->mem[MOD_RODATA].size;
	return mod->mem[MOD_RODATA].base;
}

void *vu_module_text(const struct module *mod, size_t *size)
{
	*size = mod->mem[MOD_TEXT].size;
	return mod->mem[MOD_TEXT].base;
}

void vu_sizes(size_t sizes[VU_SIZES])
{
	const size_t all[VU_SIZES] = {
		sizeof(struct kprobe), sizeof(struct kretprobe), sizeof(struct ftrace_ops),
		sizeof(struct notifier_block), sizeof(struct callback_head),
		sizeof(struct vu_spinlock), sizeof(struct vu_crypto), sizeof(struct pt_regs),
	};

	memcpy(sizes, all, sizeof(all));
}

struct kretprobe *vu_kretprobe_of(struct kretprobe_instance *instance)
{
	return get_kretprobe(instance);
}

void *vu_map_pages(struct page **pages, unsigned int count)
{
	return vmap(pages, count, VM_MAP, PAGE_KERNEL);
}

bool vu_mapped_frame(const void *address, u64 *physical)
{
	struct page *page;

	if (!is_vmalloc_addr(address))
		return false;
	page = vmalloc_to_page(address);
	if (!page)
		return false;
	*physical = ((u64)page_to_pfn(page) << PAGE_SHIFT) + offset_in_page(address);
	return true;
}

bool vu_gpu(unsigned int index, struct vu_gpu *gpu)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(PCI_VENDOR_ID_NVIDIA, PCI_ANY_ID, pdev))) {
		if (pdev->class >> 16 != PCI_BASE_CLASS_DISPLAY || index--)
			continue;
		gpu->domain = pci_domain_nr(pdev->bus);
		gpu->bus = pdev->bus->number;
		gpu->slot = PCI_SLOT(pdev->devfn);
		gpu->function = PCI_FUNC(pdev->devfn);
		gpu->device = pdev->device;
		gpu->subsystem = pdev->subsystem_device;
		gpu->bar3_start = pci_resource_start(pdev, 3);
		gpu->bar3_len = pci_resource_len(pdev, 3);
		pci_dev_put(pdev);
		return true;
	}
	return false;
}

int vu_crypto_set_key(struct vu_crypto *crypto, const u8 *key)
{
	memcpy(crypto->key, key, sizeof(crypto->key));
#ifdef VU_HAVE_AES_PREPAREKEY
	return aes_preparekey(&crypto->aes, key, sizeof(crypto->key));
#else
	return aes_expandkey(&crypto->aes, key, sizeof(crypto->key));
#endif
}

void vu_crypto_encrypt(const struct vu_crypto *crypto, u8 *block)
{
	aes_encrypt(&crypto->aes, block, block);
}

void vu_crypto_decrypt(const struct vu_crypto *crypto, u8 *block)
{
	aes_decrypt(&crypto->aes, block, block);
}

#ifdef VU_HAVE_HMAC_SHA256
void vu_crypto_sign(const struct vu_crypto *crypto, const u8 *message, size_t len, u8 *signature)
{
	hmac_sha256_usingrawkey(crypto->key, sizeof(crypto->key), message, len, signature);
}
#else
/* RFC 2104 over the kernel's SHA-256, where lib/crypto has no HMAC yet (before 6.17). */
static void vu_keyed_sha256(const struct vu_crypto *crypto, u8 pad, const u8 *data, size_t len,
			    u8 *digest)
{
	u8 block[SHA256_BLOCK_SIZE];
	struct sha256_state sha;
	size_t i;

	memset(block, pad, sizeof(block));
	for (i = 0; i < sizeof(crypto->key); i++)
		block[i] ^= crypto->key[i];
	sha256_init(&sha);
	sha256_update(&sha, block, sizeof(block));
	sha256_update(&sha, data, len);
	sha256_final(&sha, digest);
	memzero_explicit(block, sizeof(block));
}

void vu_crypto_sign(const struct vu_crypto *crypto, const u8 *message, size_t len, u8 *signature)
{
	u8 inner[SHA256_DIGEST_SIZE];

	vu_keyed_sha256(crypto, 0x36, message, len, inner);
	vu_keyed_sha256(crypto, 0x5c, inner, sizeof(inner), signature);
	memzero_explicit(inner, sizeof(inner));
}
#endif

void vu_crypto_wipe(struct vu_crypto *crypto)
{
	memzero_explicit(crypto, sizeof(*crypto));
}

static void vu_work_fn(struct work_struct *work)
{
	vu_work_run();
}

static DECLARE_WORK(vu_work, vu_work_fn);

void vu_work_schedule(void)
{
	schedule_work(&vu_work);
}

void vu_work_cancel(void)
{
	cancel_work_sync(&vu_work);
}

bool vu_is_daemon(void)
{
	/* The leader's name: a thread may have been given another one. */
	const char *name = current->group_leader->comm;

	/*
	 * Asked for every RM control call of every process. Both names begin with the same eight
	 * bytes, which gcc compares at once: nearly all processes are told apart by that.
	 */
	if (memcmp(name, "nvidia-v", 8))
		return false;
	name += 8;
	return uid_eq(current_euid(), GLOBAL_ROOT_UID) &&
	       (!strncmp(name, "gpud", TASK_COMM_LEN - 8) ||
		!strncmp(name, "gpu-mgr", TASK_COMM_LEN - 8));
}

bool vu_is_manager(void)
{
	return !strncmp(current->group_leader->comm, "nvidia-vgpu-mgr", TASK_COMM_LEN);
}

static void vu_describe(struct task_struct *task, struct vu_process *process)
{
	process->number = task_tgid_nr(task);
	process->born = task->group_leader->start_time;
}

void vu_processes(struct vu_process *self, struct vu_process *parent)
{
	vu_describe(current, self);
	rcu_read_lock();
	vu_describe(rcu_dereference(current->real_parent), parent);
	rcu_read_unlock();
}

int vu_task_add(struct callback_head *head)
{
	init_task_work(head, vu_task_run);
	return task_work_add(current, head, TWA_RESUME);
}

bool vu_user_read(void *to, u64 from, size_t len)
{
	/* A task that is exiting has no memory of its own any more, but may still see another's. */
	return current->mm && !copy_from_user(to, u64_to_user_ptr(from), len);
}

bool vu_user_write(u64 to, const void *from, size_t len)
{
	return current->mm && !copy_to_user(u64_to_user_ptr(to), from, len);
}

void vu_sleep_ms(unsigned int ms)
{
	msleep(ms);
}

static int vu_param_ops_set(const char *text, const struct kernel_param *kp)
{
	/* A parameter without a value is a switch that is on. */
	if (!text)
		text = "1";
	return vu_param_set((enum vu_param)(unsigned long)kp->arg, text, strlen(text));
}

static int vu_param_ops_get(char *buffer, const struct kernel_param *kp)
{
	return vu_param_get((enum vu_param)(unsigned long)kp->arg, buffer);
}

static const struct kernel_param_ops vu_param_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = vu_param_ops_set,
	.get = vu_param_ops_get,
};

/* Writable by root only; what is set may concern one's own virtual machines only, hence 0600. */
#define VU_PARAM(name, which, description)                                      \
	module_param_cb(name, &vu_param_ops, (void *)(unsigned long)which, 0600); \
	MODULE_PARM_DESC(name, description)

VU_PARAM(enabled, VU_PARAM_ENABLED, "1: unlock (default), 0: leave the driver exactly as it is");
VU_PARAM(gpus, VU_PARAM_GPUS,
	 "BOARD=ANSWER,...; BOARD: 1b06, 10de:1b06:120f or 0000:01:00.0; ANSWER: off, auto, 1b38 or 1e30:12ba");
VU_PARAM(migration, VU_PARAM_MIGRATION, "1: say that vGPUs can be migrated, 0: as the driver says (default)");
VU_PARAM(overrides, VU_PARAM_OVERRIDES,
	 "TARGET:KEY=VALUE,...;... TARGET: nvidia-N, mdev/UUID or vm/VMID; keys: see README");
VU_PARAM(verbosity, VU_PARAM_VERBOSITY, "0: log what went wrong, 1: also what was done (default), 2: also each changed answer");

static int vu_text_open(struct inode *inode, struct file *file)
{
	return single_open(file, vu_show_text, NULL);
}

static int vu_json_open(struct inode *inode, struct file *file)
{
	return single_open(file, vu_show_json, NULL);
}

static const struct file_operations vu_text_fops = {
	.owner = THIS_MODULE,
	.open = vu_text_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static const struct file_operations vu_json_fops = {
	.owner = THIS_MODULE,
	.open = vu_json_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static struct dentry *vu_dir;

void vu_debugfs_create(void)
{
	/* debugfs reports its own failures and takes an error for a directory: nothing to check. */
	vu_dir = debugfs_create_dir("vgpu_unlock", NULL);
	debugfs_create_file("status", 0400, vu_dir, NULL, &vu_text_fops);
	debugfs_create_file("status.json", 0400, vu_dir, NULL, &vu_json_fops);
}

void vu_debugfs_remove(void)
{
	debugfs_remove(vu_dir);
}

/* The kernel's Rust crates, where they are linked into us, bring their own and need ours. */
#ifdef VU_BUNDLED_RUNTIME
void *vrealloc_noprof(const void *p, size_t size, gfp_t flags);
void *vrealloc_noprof(const void *p, size_t size, gfp_t flags)
{
	/* Not exported by this kernel. Nothing of ours allocates with vmalloc through Rust. */
	return NULL;
}
#endif
