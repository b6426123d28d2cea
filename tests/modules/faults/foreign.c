// SPDX-License-Identifier: GPL-2.0
/* Somebody else's kprobe, which looks and changes nothing. */
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char *symbol = "";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "where it sits, as module:symbol");

static bool post;
module_param(post, bool, 0444);
MODULE_PARM_DESC(post, "look afterwards, too: of a function that ftrace knows, that claims it");

static atomic_t count = ATOMIC_INIT(0);

static int get_hits(char *page, const struct kernel_param *kp)
{
	return sysfs_emit(page, "%d\n", atomic_read(&count));
}

static const struct kernel_param_ops hits_ops = { .get = get_hits };
module_param_cb(hits, &hits_ops, NULL, 0444);
MODULE_PARM_DESC(hits, "how often it was hit");

static int before(struct kprobe *kprobe, struct pt_regs *regs)
{
	atomic_inc(&count);
	return 0;
}

static void after(struct kprobe *kprobe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe foreign = { .pre_handler = before };

/* An ENDBR, or what the kernel makes of one that nobody needs: 6.12's, and that of newer kernels. */
static bool is_landing_pad(const void *at)
{
	u32 bytes = *(const u32 *)at;

	return bytes == 0xfa1e0ff3 || bytes == 0x001f0f66 || bytes == 0xd6401f0f;
}

/* Behind as many as there are: where the kernel's macros set one as well, the stand-in's functions have two. */
static kprobe_opcode_t *find(void)
{
	struct kprobe kprobe = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };
	kprobe_opcode_t *address;

	if (register_kprobe(&kprobe))
		return NULL;
	address = kprobe.addr;
	unregister_kprobe(&kprobe);
	while (is_landing_pad(address))
		address += 4;
	return address;
}

static int __init foreign_init(void)
{
	int ret;

	foreign.addr = find();
	if (!foreign.addr)
		return -ENOENT;
	foreign.flags = KPROBE_FLAG_DISABLED;
	if (post)
		foreign.post_handler = after;
	ret = register_kprobe(&foreign);
	if (ret)
		return ret;
	/* Unlike register_kprobe() it says when the probe could not be armed. */
	ret = enable_kprobe(&foreign);
	if (ret)
		unregister_kprobe(&foreign);
	return ret;
}

static void __exit foreign_exit(void)
{
	unregister_kprobe(&foreign);
}

module_init(foreign_init);
module_exit(foreign_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Somebody else's kprobe");
