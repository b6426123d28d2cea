// SPDX-License-Identifier: GPL-2.0
/* The module's parameters, as the kernel hands them over: at load, and through sysfs. */
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "shim.h"

static int vu_set(const char *text, const struct kernel_param *kp)
{
	/* A parameter without a value is a switch that is on. */
	if (!text)
		text = "1";
	return vu_param_set((enum vu_param)(unsigned long)kp->arg, text, strlen(text));
}

static int vu_get(char *page, const struct kernel_param *kp)
{
	return vu_param_get((enum vu_param)(unsigned long)kp->arg, page);
}

/* Also called when another parameter was wrong and the module is not loaded. */
static void vu_release(void *which)
{
	vu_param_free((enum vu_param)(unsigned long)which);
}

static const struct kernel_param_ops vu_param_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = vu_set,
	.get = vu_get,
	.free = vu_release,
};

/* Without a value there would be nothing to do. */
static const struct kernel_param_ops vu_write_only_ops = {
	.set = vu_set,
	.free = vu_release,
};

/* Writable by root only; what is set may concern one's own virtual machines only, hence 0600. */
#define VU_PARAM(name, which, description)                                      \
	module_param_cb(name, &vu_param_ops, (void *)(unsigned long)which, 0600); \
	MODULE_PARM_DESC(name, description)

VU_PARAM(enabled, VU_PARAM_ENABLED, "1: unlock (default), 0: leave the driver exactly as it is");
VU_PARAM(gpus, VU_PARAM_GPUS,
	 "BOARD=ANSWER,...; BOARD: 1b06, 10de:1b06:120f or 0000:01:00.0 or any; ANSWER: off, auto, 1b38 or 1e30:12ba");
VU_PARAM(migration, VU_PARAM_MIGRATION, "1: say that vGPUs can be migrated, 0: as the driver says (default)");
VU_PARAM(overrides, VU_PARAM_OVERRIDES,
	 "TARGET:KEY=VALUE,...;... TARGET: nvidia-N, mdev/UUID or vm/VMID; keys: see README");
module_param_cb(overrides_part, &vu_write_only_ops, (void *)(unsigned long)VU_PARAM_OVERRIDES_PART, 0200);
MODULE_PARM_DESC(overrides_part,
		 "overrides of some targets, the others stay; or begin, more of these, and commit or abort");
VU_PARAM(vgpud, VU_PARAM_VGPUD,
	 "1: keep nvidia-vgpud from giving up boards that are answered otherwise (default), 0: leave it alone");
VU_PARAM(verbosity, VU_PARAM_VERBOSITY, "0: log what went wrong, 1: also what was done (default), 2: also each changed answer");
