// SPDX-License-Identifier: GPL-2.0
/*
 * Boards and vGPUs as the mdev core had them before Linux 6.1: the files of types were the driver's own, and so
 * was who may create what.
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uuid.h>
#include <linux/vfio.h>

#include "variant.h"
#include "vfio.h"

struct board {
	struct list_head next;
	struct pci_dev *pci_dev;
	struct mdev_parent_ops ops;
	u32 count;
	struct attribute_group **groups;
	struct board_type *types;
};

/* One type of a board's. The core calls its directory nvidia-, and what its group is called. */
struct board_type {
	struct attribute_group group;
	char number[8];
};

/* A vGPU's own number. */
struct vgpu {
	u16 id;
};

static DEFINE_MUTEX(lock);
static LIST_HEAD(boards);

/* The number of the type whose directory it is. */
static u32 type_id(struct kobject *kobj)
{
	u32 id = 0;

	return sscanf(kobj->name, "nvidia-%u", &id) == 1 ? id : 0;
}

/* RM fills a page at most, and ends a name with a newline itself. */
static ssize_t name_show(struct kobject *kobj, struct device *dev, char *buf)
{
	if (rm_vgpu_vfio_ops.get_name(to_pci_dev(dev), type_id(kobj), buf) != RM_OK)
		return -EIO;
	return strlen(buf);
}

static ssize_t description_show(struct kobject *kobj, struct device *dev, char *buf)
{
	if (rm_vgpu_vfio_ops.get_description(to_pci_dev(dev), type_id(kobj), buf) != RM_OK)
		return -EIO;
	return strlen(buf);
}

static ssize_t available_instances_show(struct kobject *kobj, struct device *dev, char *buf)
{
	unsigned int count;

	if (rm_vgpu_vfio_ops.get_instances(to_pci_dev(dev), type_id(kobj), buf) != RM_OK ||
	    sscanf(buf, "%u", &count) != 1)
		return -EIO;
	return sprintf(buf, "%u\n", count);
}

static ssize_t device_api_show(struct kobject *kobj, struct device *dev, char *buf)
{
	return sprintf(buf, "%s\n", VFIO_DEVICE_API_PCI_STRING);
}

static MDEV_TYPE_ATTR_RO(name);
static MDEV_TYPE_ATTR_RO(description);
static MDEV_TYPE_ATTR_RO(available_instances);
static MDEV_TYPE_ATTR_RO(device_api);

static struct attribute *type_attributes[] = {
	&mdev_type_attr_name.attr,
	&mdev_type_attr_description.attr,
	&mdev_type_attr_available_instances.attr,
	&mdev_type_attr_device_api.attr,
	NULL,
};

static int vgpu_create(struct kobject *kobj, struct mdev_device *mdev)
{
	struct pci_dev *pci_dev = to_pci_dev(mdev_parent_dev(mdev));
	struct vgpu *vgpu = kzalloc(sizeof(*vgpu), GFP_KERNEL);
	bool is_driver_vm;
	u32 status, gpu;

	if (!vgpu)
		return -ENOMEM;
	status = rm_vgpu_vfio_ops.vgpu_create(pci_dev, mdev_uuid(mdev)->b, type_id(kobj), &vgpu->id,
					      &gpu, pci_dev_id(pci_dev), &is_driver_vm);
	if (status != RM_OK) {
		pr_err("nvidia-vgpu-vfio: %pUl: the vGPU is not created, status: 0x%x\n",
		       mdev_uuid(mdev), status);
		kfree(vgpu);
		return -EIO;
	}
	mdev_set_drvdata(mdev, vgpu);
	return 0;
}

static int vgpu_remove(struct mdev_device *mdev)
{
	struct vgpu *vgpu = mdev_get_drvdata(mdev);
	u32 status = rm_vgpu_vfio_ops.vgpu_delete(mdev_uuid(mdev)->b, vgpu->id);

	if (status != RM_OK)
		pr_err("nvidia-vgpu-vfio: %pUl: the vGPU is not deleted, status: 0x%x\n",
		       mdev_uuid(mdev), status);
	kfree(vgpu);
	return 0;
}

/* There is nothing to open. */
static long vgpu_ioctl(struct mdev_device *mdev, unsigned int command, unsigned long argument)
{
	return -ENOTTY;
}

static void board_free(struct board *board)
{
	kfree(board->groups);
	kfree(board->types);
	kfree(board);
}

static struct board *board_new(struct pci_dev *pci_dev, u32 count, const u32 *type_ids)
{
	struct board *board = kzalloc(sizeof(*board), GFP_KERNEL);
	u32 i;

	if (!board)
		return NULL;
	board->pci_dev = pci_dev;
	board->count = count;
	board->types = kcalloc(count, sizeof(*board->types), GFP_KERNEL);
	board->groups = kcalloc(count + 1, sizeof(*board->groups), GFP_KERNEL);
	if (!board->types || !board->groups) {
		board_free(board);
		return NULL;
	}
	for (i = 0; i < count; i++) {
		struct board_type *type = &board->types[i];

		scnprintf(type->number, sizeof(type->number), "%u", type_ids[i]);
		type->group.name = type->number;
		type->group.attrs = type_attributes;
		board->groups[i] = &type->group;
	}
	board->ops.owner = THIS_MODULE;
	board->ops.supported_type_groups = board->groups;
	board->ops.create = vgpu_create;
	board->ops.remove = vgpu_remove;
	board->ops.ioctl = vgpu_ioctl;
	return board;
}

static struct board *find(struct pci_dev *pci_dev)
{
	struct board *board;

	list_for_each_entry(board, &boards, next)
		if (board->pci_dev == pci_dev)
			return board;
	return NULL;
}

/* With the lock. */
static void board_unregister(struct board *board)
{
	list_del(&board->next);
	mdev_unregister_device(&board->pci_dev->dev);
	board_free(board);
}

/* A board that is registered already keeps the types that it has. */
u32 nv_vgpu_probe(struct pci_dev *pci_dev, u32 count, u32 *type_ids)
{
	struct board *board;
	u32 status = RM_OK;

	mutex_lock(&lock);
	if (find(pci_dev))
		goto out;
	board = board_new(pci_dev, count, type_ids);
	if (!board) {
		status = RM_NO_MEMORY;
	} else if (mdev_register_device(&pci_dev->dev, &board->ops)) {
		board_free(board);
		status = RM_OPERATING_SYSTEM;
	} else {
		list_add(&board->next, &boards);
	}
out:
	mutex_unlock(&lock);
	return status;
}

void nv_vgpu_remove(struct pci_dev *pci_dev)
{
	struct board *board;

	mutex_lock(&lock);
	board = find(pci_dev);
	if (board)
		board_unregister(board);
	mutex_unlock(&lock);
}

void vfio_boards_remove(void)
{
	struct board *board, *after;

	mutex_lock(&lock);
	list_for_each_entry_safe(board, after, &boards, next)
		board_unregister(board);
	mutex_unlock(&lock);
}

int vfio_vgpus_register(void)
{
	return 0;
}

void vfio_vgpus_unregister(void)
{
}
