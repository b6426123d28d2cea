// SPDX-License-Identifier: GPL-2.0
/* The functions of the kernel's mdev core that ours stand in for, as they are since Linux 6.1. */
#include <linux/static_call.h>

#include "hook.h"
#include "mdev.h"

/* What is called before an original is known, which nobody does. */
static ssize_t vu_no_show(struct mdev_type *type, void *attr, char *page)
{
	return -ENODEV;
}

static ssize_t vu_no_create(struct mdev_type *type, void *attr, const char *text, size_t count)
{
	return -ENODEV;
}

static int vu_no_register(struct mdev_parent *parent, struct device *dev,
			  struct mdev_driver *driver, struct mdev_type **types,
			  unsigned int count)
{
	return -ENODEV;
}

static void vu_no_unregister(struct mdev_parent *parent)
{
}

/* The originals. Calls to them are direct: their ENDBRs may be sealed. */
DEFINE_STATIC_CALL(vu_name, vu_no_show);
DEFINE_STATIC_CALL(vu_description, vu_no_show);
DEFINE_STATIC_CALL(vu_instances, vu_no_show);
DEFINE_STATIC_CALL(vu_create, vu_no_create);
DEFINE_STATIC_CALL(vu_register, vu_no_register);
DEFINE_STATIC_CALL(vu_unregister, vu_no_unregister);

bool vu_mdev_is_known(void)
{
	return true;
}

int vu_mdev_find(const char **missing)
{
	static const char *const names[] = {
		"mdev:name_show",
		"mdev:description_show",
		"mdev:available_instances_show",
		"mdev:create_store",
		"mdev:mdev_register_parent",
		"mdev:mdev_unregister_parent",
	};
	void *found[ARRAY_SIZE(names)];
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		found[i] = (void *)vu_address_of(names[i]);
		if (IS_ERR(found[i])) {
			*missing = names[i];
			return PTR_ERR(found[i]);
		}
	}
	/* One of ours that is still under way from an earlier time has the same originals. */
	static_call_update(vu_name, (typeof(&vu_no_show))found[0]);
	static_call_update(vu_description, (typeof(&vu_no_show))found[1]);
	static_call_update(vu_instances, (typeof(&vu_no_show))found[2]);
	static_call_update(vu_create, (typeof(&vu_no_create))found[3]);
	static_call_update(vu_register, (typeof(&vu_no_register))found[4]);
	static_call_update(vu_unregister, (typeof(&vu_no_unregister))found[5]);
	return 0;
}

/*
 * An original is told from a call to be sent to ours by its return address, so none of these calls
 * may become a jump: barrier() keeps them from being the last thing that is done.
 */
long vu_mdev_show(enum vu_type_file file, struct mdev_type *type, void *attr, char *page)
{
	long len = -EINVAL;

	switch (file) {
	case VU_TYPE_NAME:
		len = static_call(vu_name)(type, attr, page);
		break;
	case VU_TYPE_DESCRIPTION:
		/* Without one, there is no such file. */
		if (type->parent->mdev_driver->show_description)
			len = static_call(vu_description)(type, attr, page);
		break;
	case VU_TYPE_INSTANCES:
		len = static_call(vu_instances)(type, attr, page);
		break;
	}
	barrier();
	return len;
}

long vu_mdev_create(struct mdev_type *type, void *attr, const char *text, size_t count)
{
	long len = static_call(vu_create)(type, attr, text, count);

	barrier();
	return len;
}

int vu_mdev_register(struct mdev_parent *parent, struct device *dev, struct mdev_driver *driver,
		     struct mdev_type **types, unsigned int count)
{
	int ret = static_call(vu_register)(parent, dev, driver, types, count);

	barrier();
	return ret;
}

void vu_mdev_unregister(struct mdev_parent *parent)
{
	static_call(vu_unregister)(parent);
	barrier();
}

/* --- what stands in for the originals; only calls to these are ever sent here */

static ssize_t vu_name_show(struct mdev_type *type, void *attr, char *page)
{
	return vu_type_show(VU_TYPE_NAME, type, attr, page);
}

static ssize_t vu_description_show(struct mdev_type *type, void *attr, char *page)
{
	return vu_type_show(VU_TYPE_DESCRIPTION, type, attr, page);
}

static ssize_t vu_instances_show(struct mdev_type *type, void *attr, char *page)
{
	return vu_type_show(VU_TYPE_INSTANCES, type, attr, page);
}

static ssize_t vu_create_store(struct mdev_type *type, void *attr, const char *text, size_t count)
{
	return vu_type_create(type, attr, text, count);
}

/* Whether a call of a function with these first two arguments is about an NVIDIA GPU. */
static bool vu_concerns_nvidia(enum vu_hook_kind kind, unsigned long first, unsigned long second)
{
	switch (kind) {
	case VU_HOOK_MDEV_REGISTER:
		return vu_is_nvidias((struct device *)second);
	case VU_HOOK_MDEV_UNREGISTER: {
		const struct device *dev = ((struct mdev_parent *)first)->dev;

		/* Whatever has become of its driver: what was registered with us must not go past us. */
		return dev_is_pci(dev) && to_pci_dev(dev)->vendor == PCI_VENDOR_ID_NVIDIA;
	}
	default:
		return vu_is_nvidias(((struct mdev_type *)first)->parent->dev);
	}
}

void vu_mdev_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, vu_regs *regs)
{
	static void *const ours[] = {
		[VU_HOOK_MDEV_UNREGISTER] = vu_types_unregister,
		[VU_HOOK_MDEV_REGISTER] = vu_types_register,
		[VU_HOOK_MDEV_CREATE] = vu_create_store,
		[VU_HOOK_MDEV_NAME] = vu_name_show,
		[VU_HOOK_MDEV_DESCRIPTION] = vu_description_show,
		[VU_HOOK_MDEV_INSTANCES] = vu_instances_show,
	};
	struct vu_hook *hook = vu_hook_of(ops);

	this_cpu_inc(*hook->hits);
	if (!READ_ONCE(hook->stuck) && !within_module(parent, THIS_MODULE) &&
	    vu_concerns_nvidia(hook->kind, vu_argument(regs, 0), vu_argument(regs, 1)))
		vu_divert(regs, (unsigned long)ours[hook->kind]);
}
