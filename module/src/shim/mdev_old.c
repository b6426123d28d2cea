// SPDX-License-Identifier: GPL-2.0
/*
 * Before Linux 6.1, the files of vGPU types were NVIDIA's module's own, and the mdev core had no part in what
 * they say. They keep the driver's words; so there is nothing here but the names that Rust knows.
 */
#include <linux/errno.h>

#include "hook.h"

bool vu_mdev_is_known(void)
{
	return false;
}

int vu_mdev_find(const char **missing)
{
	*missing = "mdev:mdev_register_parent";
	return -ENOENT;
}

void vu_mdev_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, vu_regs *regs)
{
}

long vu_mdev_show(enum vu_type_file file, struct mdev_type *type, void *attr, char *page)
{
	return -ENODEV;
}

long vu_mdev_create(struct mdev_type *type, void *attr, const char *text, size_t count)
{
	return -ENODEV;
}

int vu_mdev_register(struct mdev_parent *parent, struct device *dev, struct mdev_driver *driver,
		     struct mdev_type **types, unsigned int count)
{
	return -ENODEV;
}

void vu_mdev_unregister(struct mdev_parent *parent)
{
}

long vu_mdev_read(enum vu_type_file file, struct mdev_type *type, char *to, size_t len)
{
	return -ENODEV;
}

struct mdev_parent *vu_mdev_type_parent(const struct mdev_type *type)
{
	return NULL;
}

const char *vu_mdev_type_name(const struct mdev_type *type)
{
	return NULL;
}

struct mdev_type *vu_mdev_type_at(struct mdev_type **types, unsigned int index)
{
	return NULL;
}

bool vu_mdev_holds(const struct mdev_type *type)
{
	return false;
}

void vu_mdev_reset(struct mdev_type *type)
{
}

bool vu_mdev_idle(const struct mdev_type *type)
{
	return false;
}

unsigned int vu_mdev_vgpus(struct device *dev, struct vu_vgpu *list, unsigned int max)
{
	return 0;
}

enum vu_found vu_mdev_registered(const struct vu_place *place, struct vu_registration *registration)
{
	return VU_FOUND_UNKNOWN;
}
