// SPDX-License-Identifier: GPL-2.0
/*
 * nvidia.ko's side of the interface to nvidia-vgpu-vfio.ko. The functions have the names that they
 * have in NVIDIA's nv-vgpu-vfio-interface.c, where those behind the table are static, too.
 */
#include <linux/delay.h>
#include <linux/mutex.h>
#include <linux/module.h>
#include <linux/string.h>

#include "rm.h"
#include "variant.h"
#include "vgpu_vfio.h"

/* Read by whoever is about to go to sleep, so that it can be set while others are asleep. */
static uint mdev_sleep_ms;
module_param(mdev_sleep_ms, uint, 0644);
MODULE_PARM_DESC(mdev_sleep_ms, "how long reading how many vGPUs there can be sleeps in the driver");

/*
 * For the three below. It is not taken by what the other module calls out of its sysfs files: it
 * waits for these when it unregisters a board.
 */
static DEFINE_MUTEX(lock);
static vgpu_vfio_ops_t *vgpu_vfio_ops;
static struct pci_dev *board;
/* Whether nvidia-vgpud has told RM the board's types. */
static bool types_known;

static u32 nvidia_vgpu_create(struct pci_dev *pci_dev, const u8 *uuid, u32 type_id, u16 *vgpu_id,
			      u32 *gpu_pci_id, u32 gpu_pci_bdf, bool *is_driver_vm)
{
	u32 status = rm_vgpu_create(uuid, type_id, vgpu_id);

	if (status != RM_OK) {
		pr_err("NVRM: no vGPU of type %u: 0x%x\n", type_id, status);
		return status;
	}
	*gpu_pci_id = gpu_pci_bdf;
	*is_driver_vm = false;
	return RM_OK;
}

static u32 nvidia_vgpu_delete(const u8 *uuid, u16 vgpu_id)
{
	return rm_vgpu_delete(uuid, vgpu_id);
}

static u32 nvidia_vgpu_bar_info(struct pci_dev *pci_dev, const u8 *uuid, u64 *size, u32 bar_index,
				void *vgpu)
{
	return RM_NOT_SUPPORTED;
}

static u32 nvidia_vgpu_start(const u8 *uuid, void *wait_queue, s32 *return_status, u8 *vm_name,
			     u32 qemu_pid)
{
	return RM_NOT_SUPPORTED;
}

static u32 nvidia_vgpu_get_description(struct pci_dev *pci_dev, u32 type_id, char *buf)
{
	return rm_type_description(type_id, buf, PAGE_SIZE);
}

static u32 nvidia_vgpu_get_instances(struct pci_dev *pci_dev, u32 type_id, char *buf)
{
	uint ms = READ_ONCE(mdev_sleep_ms);

	if (ms)
		msleep(ms);
	return rm_vgpu_instances(type_id, buf, PAGE_SIZE);
}

static u32 nvidia_vgpu_get_name(struct pci_dev *pci_dev, u32 type_id, char *buf)
{
	return rm_type_name(type_id, buf, VGPU_STRING_BUFFER_SIZE);
}

/* The real one knows of virtual functions only, which this board has none of. */
static u32 nvidia_vgpu_get_types(struct pci_dev *pci_dev, u32 *type_ids, u32 *count)
{
	return RM_NOT_SUPPORTED;
}

static u32 nvidia_vgpu_get_sparse_mmap(struct pci_dev *pci_dev, const u8 *uuid, u64 **offsets,
				       u64 **sizes, u32 *count)
{
	return RM_NOT_SUPPORTED;
}

static void nvidia_vgpu_update_request(const u8 *uuid, u64 *offsets, u64 *sizes, u32 device_state,
				       const char *config_params)
{
}

/* With the lock. Has the other module register the board's types, if all is there for it. */
static u32 nvidia_vgpu_vfio_probe(void)
{
	u32 ids[VFIO_MAX_VGPU_TYPES_PER_PGPU];

	if (!vgpu_vfio_ops || !board || !types_known)
		return RM_OK;
	return vgpu_vfio_ops->probe(board, rm_type_ids(ids, ARRAY_SIZE(ids)), ids);
}

u32 rm_types_announced(void)
{
	u32 status;

	mutex_lock(&lock);
	types_known = true;
	status = nvidia_vgpu_vfio_probe();
	mutex_unlock(&lock);
	return status;
}

void rm_board_comes(struct pci_dev *pci_dev)
{
	mutex_lock(&lock);
	if (!board)
		board = pci_dev;
	mutex_unlock(&lock);
}

void rm_board_goes(struct pci_dev *pci_dev)
{
	mutex_lock(&lock);
	if (board == pci_dev) {
		if (vgpu_vfio_ops)
			vgpu_vfio_ops->remove(pci_dev);
		board = NULL;
		types_known = false;
	}
	mutex_unlock(&lock);
}

u32 nvidia_vgpu_vfio_set_ops(vgpu_vfio_ops_t *ops)
{
	u32 status;

	mutex_lock(&lock);
	vgpu_vfio_ops = ops;
	status = nvidia_vgpu_vfio_probe();
	mutex_unlock(&lock);
	return status;
}
EXPORT_SYMBOL_GPL(nvidia_vgpu_vfio_set_ops);

u32 nvidia_vgpu_vfio_get_ops(rm_vgpu_vfio_ops_t *ops)
{
	if (strcmp(ops->version_string, STANDIN_VERSION)) {
		ops->version_string = STANDIN_VERSION;
		return RM_GENERIC;
	}
	ops->vgpu_create = nvidia_vgpu_create;
	ops->vgpu_delete = nvidia_vgpu_delete;
	ops->vgpu_bar_info = nvidia_vgpu_bar_info;
	ops->vgpu_start = nvidia_vgpu_start;
	ops->get_description = nvidia_vgpu_get_description;
	ops->get_instances = nvidia_vgpu_get_instances;
	ops->get_name = nvidia_vgpu_get_name;
	ops->get_types = nvidia_vgpu_get_types;
	ops->get_sparse_mmap = nvidia_vgpu_get_sparse_mmap;
	ops->update_request = nvidia_vgpu_update_request;
	return RM_OK;
}
EXPORT_SYMBOL_GPL(nvidia_vgpu_vfio_get_ops);
