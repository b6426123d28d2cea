// SPDX-License-Identifier: GPL-2.0
/* Being told of calls to a function before they happen, and sending them elsewhere, by ftrace. */
#include <linux/err.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "hook.h"
#include "shim.h"

static void vu_count(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, vu_regs *regs)
{
	this_cpu_inc(*vu_hook_of(ops)->hits);
}

/* The driver copies memory. This is its hot path: most calls end at the first lines. */
static void vu_copy(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, vu_regs *regs)
{
	struct vu_hook *hook = vu_hook_of(ops);

	this_cpu_inc(*hook->hits);
	/* The length is 32 bits wide, the upper half of its register is anything. */
	if ((u32)vu_argument(regs, 2) == VU_COPY_LEN && !READ_ONCE(hook->stuck))
		vu_copying(hook->context, vu_argument(regs, 1));
}

/*
 * None of these is protected against recursion: the filters never cover what the callbacks call.
 */
static const struct {
	vu_called called;
	unsigned long flags;
} vu_kinds[] = {
	[VU_HOOK_GUARD] = { vu_count, FTRACE_OPS_FL_PERMANENT },
	[VU_HOOK_COPY] = { vu_copy, 0 },
	[VU_HOOK_IOCTL] = { vu_ioctl_called, FTRACE_OPS_FL_IPMODIFY },
	[VU_HOOK_OPEN] = { vu_open_called, FTRACE_OPS_FL_IPMODIFY },
	[VU_HOOK_MDEV_UNREGISTER] = { vu_mdev_called, FTRACE_OPS_FL_IPMODIFY },
	[VU_HOOK_MDEV_REGISTER] = { vu_mdev_called, FTRACE_OPS_FL_IPMODIFY },
	[VU_HOOK_MDEV_CREATE] = { vu_mdev_called, FTRACE_OPS_FL_IPMODIFY },
	[VU_HOOK_MDEV_NAME] = { vu_mdev_called, FTRACE_OPS_FL_IPMODIFY },
	[VU_HOOK_MDEV_DESCRIPTION] = { vu_mdev_called, FTRACE_OPS_FL_IPMODIFY },
	[VU_HOOK_MDEV_INSTANCES] = { vu_mdev_called, FTRACE_OPS_FL_IPMODIFY },
};

/* Keeps what the kernel may still look at, and makes sure that it tells nobody any more. */
static void vu_abandon(struct vu_hook *hook)
{
	vu_set_stuck();
	WRITE_ONCE(hook->stuck, true);
	/* A call that has looked at that before is over after this. */
	vu_wait_for_tails();
}

static void vu_free_hook(struct vu_hook *hook)
{
	free_percpu(hook->hits);
	kfree(hook);
}

struct vu_hook *vu_hook_place(enum vu_hook_kind kind, const char *symbol, void *context, int *error)
{
	unsigned long address = vu_address_of(symbol);
	struct vu_hook *hook;

	if (IS_ERR_VALUE(address)) {
		*error = (long)address;
		return NULL;
	}
	hook = kzalloc(sizeof(*hook), GFP_KERNEL);
	if (hook)
		hook->hits = alloc_percpu(u64);
	if (!hook || !hook->hits) {
		kfree(hook);
		*error = -ENOMEM;
		return NULL;
	}
	hook->kind = kind;
	hook->context = context;
	hook->ops.func = vu_kinds[kind].called;
	hook->ops.flags = VU_HOOK_FLAGS | vu_kinds[kind].flags;
	/* Registering with a filter that could not be set would trace every function there is. */
	*error = ftrace_set_filter_ip(&hook->ops, address, 0, 0);
	if (!*error) {
		*error = register_ftrace_function(&hook->ops);
		if (!*error)
			return hook;
		if (*error == -ENODEV) {
			/* ftrace has found itself broken: half registered, and it will not undo that. */
			vu_abandon(hook);
			return NULL;
		}
		/* Before it was refused it stood in a list that is walked with preemption off. */
		synchronize_rcu();
	}
	vu_free_filter(&hook->ops);
	vu_free_hook(hook);
	return NULL;
}

void vu_hook_remove(struct vu_hook *hook)
{
	/* Returns when no call of ours is under way any more. */
	if (unregister_ftrace_function(&hook->ops)) {
		vu_abandon(hook);
		return;
	}
	/* A filter that named code of a module that is gone would upset ftrace. */
	vu_free_filter(&hook->ops);
	vu_free_hook(hook);
}

u64 vu_hook_hits(const struct vu_hook *hook)
{
	u64 hits = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		hits += READ_ONCE(*per_cpu_ptr(hook->hits, cpu));
	return hits;
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
