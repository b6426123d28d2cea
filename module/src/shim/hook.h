/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that hook share. */
#ifndef VGPU_UNLOCK_HOOK_H
#define VGPU_UNLOCK_HOOK_H

#include "compat.h"
#include "shim.h"

struct vu_hook {
	struct ftrace_ops ops;
	enum vu_hook_kind kind;
	void *context;
	/* The kernel may go on calling us, but nobody is to notice. */
	bool stuck;
	u64 __percpu *hits;
};

static inline struct vu_hook *vu_hook_of(struct ftrace_ops *ops)
{
	return container_of(ops, struct vu_hook, ops);
}

/* Keeps our text in memory for good: the kernel may use something of ours for ever. */
void vu_set_stuck(void);

typedef void (*vu_called)(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, vu_regs *regs);
/* calls.c */
void vu_ioctl_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, vu_regs *regs);
/* rest.c */
void vu_open_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, vu_regs *regs);
/* mdev.c */
void vu_mdev_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, vu_regs *regs);

#endif
