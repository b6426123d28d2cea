// SPDX-License-Identifier: GPL-2.0
/*
 * Kprobes that change what a piece of the driver does.
 *
 * A handler runs in an INT3 trap, where no lock may be taken and nothing allocated: the one here changes
 * registers, or one word on the driver's stack, and counts.
 */
#include <linux/slab.h>

#include "probe.h"

struct vu_probe {
	struct kprobe kprobe;
	struct vu_effect effect;
	atomic64_t hits;
};

static int vu_before(struct kprobe *kprobe, struct pt_regs *regs)
{
	struct vu_probe *probe = container_of(kprobe, struct vu_probe, kprobe);
	const struct vu_effect *effect = &probe->effect;

	atomic64_inc(&probe->hits);
	switch (effect->kind) {
	case VU_EFFECT_RETURN:
		/* At a function's first instruction the stack pointer points to the return address. */
		regs->ax = effect->value;
		regs->ip = *(unsigned long *)regs->sp;
		regs->sp += sizeof(long);
		return 1;
	case VU_EFFECT_STORE:
		/* The instruction that we stand in for stores there itself. */
		*(u32 *)(regs->bp + effect->displacement) = effect->value;
		regs->ip = effect->resume;
		return 1;
	default:
		return 0;
	}
}

static void vu_after(struct kprobe *kprobe, struct pt_regs *regs, unsigned long flags)
{
}

int vu_arm(struct kprobe *kprobe)
{
	int ret = enable_kprobe(kprobe);

	if (ret)
		return ret;
	/*
	 * Registering is not firing. Where someone has switched all kprobes off, this one would stay off
	 * even when they are switched on again.
	 */
	return READ_ONCE(kprobe->flags) & KPROBE_FLAG_DISABLED ? -EAGAIN : 0;
}

struct vu_probe *vu_probe_place(unsigned long address, const struct vu_effect *effect, int *error)
{
	struct vu_probe *probe = kzalloc(sizeof(*probe), GFP_KERNEL);

	if (!probe) {
		*error = -ENOMEM;
		return NULL;
	}
	probe->effect = *effect;
	probe->kprobe.addr = (kprobe_opcode_t *)address;
	/* Only enabling it reports that the kernel could not arm it. */
	probe->kprobe.flags = KPROBE_FLAG_DISABLED;
	probe->kprobe.pre_handler = vu_before;
	/*
	 * Without one, the kernel would replace the trap by a jump, which loses the changed instruction
	 * pointer.
	 */
	probe->kprobe.post_handler = vu_after;
	*error = register_kprobe(&probe->kprobe);
	if (*error) {
		kfree(probe);
		return NULL;
	}
	*error = vu_arm(&probe->kprobe);
	if (!*error)
		return probe;
	vu_probe_remove(probe);
	return NULL;
}

void vu_probe_remove(struct vu_probe *probe)
{
	unregister_kprobe(&probe->kprobe);
	if (vu_left(&probe->kprobe))
		return;
	kfree(probe);
}

u64 vu_probe_hits(const struct vu_probe *probe)
{
	return atomic64_read(&probe->hits);
}

u64 vu_probe_misses(const struct vu_probe *probe)
{
	return READ_ONCE(probe->kprobe.nmissed);
}

unsigned long vu_address_of(const char *symbol)
{
	struct kprobe kprobe = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };
	/* It is disabled, so nothing is patched, and gone again before we return. */
	int ret = register_kprobe(&kprobe);

	if (ret)
		return ret;
	unregister_kprobe(&kprobe);
	return (unsigned long)kprobe.addr;
}
