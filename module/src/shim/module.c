// SPDX-License-Identifier: GPL-2.0
/* NVIDIA's modules: whether they are loaded, when they come and go, and what they consist of. */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/notifier.h>

#include "compat.h"
#include "shim.h"

static const char *const vu_targets[] = {
	[VU_DRIVER] = "nvidia",
	[VU_VFIO] = "nvidia_vgpu_vfio",
};

/* Which of NVIDIA's modules it is; negative for any other. */
static int vu_target_of(const struct module *mod)
{
	int which;

	for (which = 0; which < ARRAY_SIZE(vu_targets); which++) {
		if (!strcmp(mod->name, vu_targets[which]))
			return which;
	}
	return -1;
}

static int vu_coming(struct notifier_block *nb, unsigned long event, void *data)
{
	int which = vu_target_of(data);

	/* LIVE, too, for a module that was between COMING and being findable when we came. */
	if (which >= 0 && (event == MODULE_STATE_COMING || event == MODULE_STATE_LIVE))
		vu_module_coming(which, data);
	return NOTIFY_DONE;
}

static int vu_going(struct notifier_block *nb, unsigned long event, void *data)
{
	int which = vu_target_of(data);

	if (which >= 0 && event == MODULE_STATE_GOING)
		vu_module_going(which, data);
	return NOTIFY_DONE;
}

/* The last one, behind jump labels and kprobes, so that the module's text is what will run. */
static struct notifier_block vu_coming_block = { .notifier_call = vu_coming, .priority = INT_MIN };
/* The first one, before kprobes forgets the probes in the module. */
static struct notifier_block vu_going_block = { .notifier_call = vu_going, .priority = INT_MAX };

int vu_notifiers_register(void)
{
	int ret = register_module_notifier(&vu_going_block);

	if (ret)
		return ret;
	ret = register_module_notifier(&vu_coming_block);
	if (ret)
		unregister_module_notifier(&vu_going_block);
	return ret;
}

void vu_notifiers_unregister(void)
{
	unregister_module_notifier(&vu_coming_block);
	unregister_module_notifier(&vu_going_block);
}

struct module *vu_module_get(enum vu_target which)
{
	/* All modules' kobjects are in one set, ours tells which, once it is in it. */
	struct kset *kset = THIS_MODULE->mkobj.kobj.kset;
	struct kobject *kobj = kset ? kset_find_obj(kset, vu_targets[which]) : NULL;
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

void vu_module_put(struct module *mod)
{
	module_put(mod);
}

const char *vu_module_version(const struct module *mod)
{
	return mod->version;
}

const void *vu_module_text(const struct module *mod, size_t *size)
{
	return vu_text_of(mod, size);
}

const void *vu_module_rodata(const struct module *mod, size_t *size)
{
	return vu_rodata_of(mod, size);
}
