/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that place kprobes share. */
#ifndef VGPU_UNLOCK_PROBE_H
#define VGPU_UNLOCK_PROBE_H

#include "hook.h"

/* Arms a probe that was registered disabled; -EAGAIN where kprobes are switched off. */
int vu_arm(struct kprobe *kprobe);

/*
 * Whether the kernel still knows a probe that was just unregistered: that returns nothing, but takes the
 * address away where it has failed. What it still knows may not be freed.
 */
static inline bool vu_left(const struct kprobe *kprobe)
{
	if (kprobe->addr)
		return false;
	vu_set_stuck();
	return true;
}

#endif
