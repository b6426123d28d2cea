// SPDX-License-Identifier: GPL-2.0
/*
 * Claims a function as a livepatch does: ftrace lets one user at a time send its calls elsewhere.
 * This one lets them go where they were going.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char *function = "";
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "the function, as module:symbol");

static void called(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		   struct ftrace_regs *regs)
{
}

static struct ftrace_ops ops = {
	.func = called,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

/* ftrace's own filters take a name, and there are many functions of the same one. */
static unsigned long find(const char *symbol)
{
	struct kprobe probe = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };
	unsigned long address;

	if (register_kprobe(&probe))
		return 0;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	return address;
}

static int __init rival_init(void)
{
	unsigned long address = find(function);
	int ret;

	if (!address)
		return -ENOENT;
	ret = ftrace_set_filter_ip(&ops, address, 0, 0);
	if (!ret)
		ret = register_ftrace_function(&ops);
	if (ret)
		ftrace_free_filter(&ops);
	return ret;
}

static void __exit rival_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}

module_init(rival_init);
module_exit(rival_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Another user of ftrace that may send calls elsewhere");
