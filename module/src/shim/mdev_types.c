// SPDX-License-Identifier: GPL-2.0
/* What there is to know about vGPU types and vGPUs, from the kernel's mdev core as it is since Linux 6.1. */
#include <linux/gfp.h>
#include <linux/kernfs.h>
#include <linux/uuid.h>
#include <linux/workqueue.h>

#include "mdev.h"
#include "shim.h"

bool vu_mdev_holds(const struct mdev_type *type)
{
	return kref_read(&type->kobj.kref) != 0;
}

void vu_mdev_reset(struct mdev_type *type)
{
#ifdef CONFIG_DEBUG_KOBJECT_RELEASE
	/* Such kernels release it later than they could, by work that lies within it. */
	if (type->kobj.release.work.func)
		flush_delayed_work(&type->kobj.release);
#endif
	/* The mdev core would take it for registered, and the name that it has freed for a name. */
	memset(&type->kobj, 0, sizeof(type->kobj));
	type->devices_kobj = NULL;
	type->parent = NULL;
}

long vu_mdev_read(enum vu_type_file file, struct mdev_type *type, char *to, size_t len)
{
	/* What the driver is told to write into is always a whole page. */
	char *page = (char *)get_zeroed_page(GFP_KERNEL);
	long got;

	if (!page)
		return -ENOMEM;
	got = vu_mdev_show(file, type, NULL, page);
	if (got > 0) {
		got = min_t(size_t, got, min_t(size_t, len, PAGE_SIZE));
		memcpy(to, page, got);
	}
	free_page((unsigned long)page);
	return got;
}

struct mdev_parent *vu_mdev_type_parent(const struct mdev_type *type)
{
	return type->parent;
}

const char *vu_mdev_type_name(const struct mdev_type *type)
{
	return type->sysfs_name;
}

struct mdev_type *vu_mdev_type_at(struct mdev_type **types, unsigned int index)
{
	return types[index];
}

struct vu_vgpu_list {
	struct vu_vgpu *list;
	unsigned int max, count;
};

static int vu_count_vgpu(struct device *dev, void *data)
{
	struct vu_vgpu_list *vgpus = data;
	struct mdev_device *mdev;

	if (!dev->bus || strcmp(dev->bus->name, "mdev"))
		return 0;
	mdev = to_mdev_device(dev);
	if (vgpus->count < vgpus->max) {
		struct vu_vgpu *vgpu = &vgpus->list[vgpus->count];

		export_guid(vgpu->uuid, &mdev->uuid);
		strscpy((char *)vgpu->type, mdev->type->sysfs_name, sizeof(vgpu->type));
	}
	vgpus->count++;
	return 0;
}

unsigned int vu_mdev_vgpus(struct device *dev, struct vu_vgpu *list, unsigned int max)
{
	struct vu_vgpu_list vgpus = { .list = list, .max = max };

	device_for_each_child(dev, &vgpus, vu_count_vgpu);
	return vgpus.count;
}

bool vu_mdev_idle(const struct mdev_type *type)
{
	/* One for the core, and one for the directory of its vGPUs. A vGPU has one until it is freed. */
	return kref_read(&type->kobj.kref) == 2;
}

static enum vu_found vu_registration_in(struct kernfs_node *dir,
					struct vu_registration *registration)
{
	/* A directory's private data is its kobject, here the one of the set of types. */
	struct kset *types = to_kset(dir->priv);
	struct kobject *first;
	struct mdev_parent *parent;

	spin_lock(&types->list_lock);
	first = list_first_entry_or_null(&types->list, struct kobject, entry);
	parent = first ? container_of(first, struct mdev_type, kobj)->parent : NULL;
	spin_unlock(&types->list_lock);
	/* Where the last one is not complete, they are being registered right now. */
	if (!parent || !READ_ONCE(parent->types[parent->nr_types - 1]->devices_kobj))
		return VU_FOUND_UNKNOWN;
	registration->parent = parent;
	registration->device = parent->dev;
	registration->driver = parent->mdev_driver;
	registration->types = parent->types;
	registration->count = parent->nr_types;
	return VU_FOUND_SOME;
}

enum vu_found vu_mdev_registered(const struct vu_place *place, struct vu_registration *registration)
{
	unsigned int devfn = PCI_DEVFN(place->slot, place->function);
	struct pci_dev *pdev = pci_get_domain_bus_and_slot(place->domain, place->bus, devfn);
	enum vu_found found = VU_FOUND_NONE;
	struct kernfs_node *dir = NULL;

	if (!pdev)
		return VU_FOUND_NONE;
	/* Of a virtual function, the driver unregisters types without its lock. */
	if (pdev->is_virtfn || !device_trylock(&pdev->dev)) {
		pci_dev_put(pdev);
		return VU_FOUND_UNKNOWN;
	}
	/*
	 * The mdev core keeps the list of types to itself. A device that has a driver while its lock is
	 * held stays in sysfs, with its types, until that is given back.
	 */
	if (pdev->dev.driver && vu_is_nvidias(&pdev->dev))
		dir = kernfs_find_and_get(pdev->dev.kobj.sd, "mdev_supported_types");
	if (dir) {
		found = vu_registration_in(dir, registration);
		kernfs_put(dir);
	}
	if (found == VU_FOUND_SOME)
		get_device(registration->device);
	else
		device_unlock(&pdev->dev);
	pci_dev_put(pdev);
	return found;
}
