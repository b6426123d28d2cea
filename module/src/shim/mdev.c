// SPDX-License-Identifier: GPL-2.0
/* See mdev.h. */
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/kernfs.h>
#include <linux/pci.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/uuid.h>

#include "shim.h"

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
			  unsigned int nr_types)
{
	return -ENODEV;
}

static void vu_no_unregister(struct mdev_parent *parent)
{
}

DEFINE_STATIC_CALL(vu_name, vu_no_show);
DEFINE_STATIC_CALL(vu_description, vu_no_show);
DEFINE_STATIC_CALL(vu_instances, vu_no_show);
DEFINE_STATIC_CALL(vu_create, vu_no_create);
DEFINE_STATIC_CALL(vu_register, vu_no_register);
DEFINE_STATIC_CALL(vu_unregister, vu_no_unregister);

void vu_mdev_set_original(enum vu_mdev_function which, void *function)
{
	switch (which) {
	case VU_MDEV_NAME:
		static_call_update(vu_name, function);
		break;
	case VU_MDEV_DESCRIPTION:
		static_call_update(vu_description, function);
		break;
	case VU_MDEV_INSTANCES:
		static_call_update(vu_instances, function);
		break;
	case VU_MDEV_CREATE:
		static_call_update(vu_create, function);
		break;
	case VU_MDEV_REGISTER:
		static_call_update(vu_register, function);
		break;
	case VU_MDEV_UNREGISTER:
		static_call_update(vu_unregister, function);
		break;
	}
}

/*
 * An original is told from a call to be sent to ours by its return address, so none of these calls
 * may become a jump: barrier() keeps them from being the last thing that is done.
 */
ssize_t vu_mdev_show(enum vu_mdev_function which, struct mdev_type *type, void *attr, char *page)
{
	ssize_t len = -EINVAL;

	switch (which) {
	case VU_MDEV_NAME:
		len = static_call(vu_name)(type, attr, page);
		break;
	case VU_MDEV_DESCRIPTION:
		/* Without one, there is no such file. */
		if (type->parent->mdev_driver->show_description)
			len = static_call(vu_description)(type, attr, page);
		break;
	case VU_MDEV_INSTANCES:
		len = static_call(vu_instances)(type, attr, page);
		break;
	default:
		break;
	}
	barrier();
	return len;
}

ssize_t vu_mdev_create(struct mdev_type *type, void *attr, const char *text, size_t count)
{
	ssize_t len = static_call(vu_create)(type, attr, text, count);

	barrier();
	return len;
}

int vu_mdev_register(struct mdev_parent *parent, struct device *dev, struct mdev_driver *driver,
		     struct mdev_type **types, unsigned int nr_types)
{
	int ret = static_call(vu_register)(parent, dev, driver, types, nr_types);

	barrier();
	return ret;
}

void vu_mdev_unregister(struct mdev_parent *parent)
{
	static_call(vu_unregister)(parent);
	barrier();
}

bool vu_mdev_holds(const struct mdev_type *type)
{
	return kref_read(&type->kobj.kref) != 0;
}

void vu_mdev_reset(struct mdev_type *type)
{
	/* The mdev core would take it for registered, and the name that it has freed for a name. */
	memset(&type->kobj, 0, sizeof(type->kobj));
	type->devices_kobj = NULL;
	type->parent = NULL;
}

ssize_t vu_mdev_read(enum vu_mdev_function which, struct mdev_type *type, char *to, size_t len)
{
	/* What the driver is told to write into is always a whole page. */
	char *page = (char *)get_zeroed_page(GFP_KERNEL);
	ssize_t got;

	if (!page)
		return -ENOMEM;
	got = vu_mdev_show(which, type, NULL, page);
	if (got > 0) {
		got = min_t(size_t, got, min_t(size_t, len, PAGE_SIZE));
		memcpy(to, page, got);
	}
	free_page((unsigned long)page);
	return got;
}

bool vu_mdev_is_nvidias(const struct device *dev)
{
	return dev_is_pci(dev) && to_pci_dev(dev)->vendor == PCI_VENDOR_ID_NVIDIA &&
	       !strcmp(dev_driver_string(dev), "nvidia");
}

bool vu_mdev_concerns(enum vu_mdev_function which, unsigned long first, unsigned long second)
{
	switch (which) {
	case VU_MDEV_REGISTER:
		return vu_mdev_is_nvidias((struct device *)second);
	case VU_MDEV_UNREGISTER: {
		const struct device *dev = ((struct mdev_parent *)first)->dev;

		/* Whatever has become of its driver: what was registered with us must not go past us. */
		return dev_is_pci(dev) && to_pci_dev(dev)->vendor == PCI_VENDOR_ID_NVIDIA;
	}
	default:
		return vu_mdev_is_nvidias(((struct mdev_type *)first)->parent->dev);
	}
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
		strscpy(vgpu->type, mdev->type->sysfs_name, sizeof(vgpu->type));
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

static bool vu_registration_in(struct kernfs_node *dir, struct vu_registration *registration)
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
		return false;
	registration->parent = parent;
	registration->device = parent->dev;
	registration->driver = parent->mdev_driver;
	registration->types = parent->types;
	registration->nr_types = parent->nr_types;
	return true;
}

bool vu_gpu_registration(const struct vu_gpu *gpu, struct vu_registration *registration)
{
	unsigned int devfn = PCI_DEVFN(gpu->slot, gpu->function);
	struct pci_dev *pdev = pci_get_domain_bus_and_slot(gpu->domain, gpu->bus, devfn);
	struct kernfs_node *dir = NULL;
	bool found = false;

	/* Of a virtual function, the driver unregisters types without its lock. */
	if (pdev && !pdev->is_virtfn && device_trylock(&pdev->dev)) {
		/*
		 * The mdev core keeps the list of types to itself. A device that has a driver while
		 * its lock is held stays in sysfs, with its types, until that is given back.
		 */
		if (pdev->dev.driver && vu_mdev_is_nvidias(&pdev->dev))
			dir = kernfs_find_and_get(pdev->dev.kobj.sd, "mdev_supported_types");
		if (dir) {
			found = vu_registration_in(dir, registration);
			kernfs_put(dir);
		}
		if (found)
			get_device(registration->device);
		else
			device_unlock(&pdev->dev);
	}
	pci_dev_put(pdev);
	return found;
}

void vu_device_address(const struct device *dev, struct vu_gpu *gpu)
{
	const struct pci_dev *pdev = to_pci_dev(dev);

	gpu->domain = pci_domain_nr(pdev->bus);
	gpu->bus = pdev->bus->number;
	gpu->slot = PCI_SLOT(pdev->devfn);
	gpu->function = PCI_FUNC(pdev->devfn);
}

bool vu_device_trylock(struct device *dev)
{
	return device_trylock(dev);
}

void vu_device_unlock(struct device *dev)
{
	device_unlock(dev);
}

void vu_device_get(struct device *dev)
{
	get_device(dev);
}

void vu_device_put(struct device *dev)
{
	put_device(dev);
}
