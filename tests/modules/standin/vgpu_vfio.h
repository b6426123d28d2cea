/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where nvidia.ko and nvidia-vgpu-vfio.ko meet: each hands the other a table of functions.
 *
 * Names, the members' order and their signatures are those of NVIDIA's MIT-licensed
 * nv-vgpu-vfio-interface.h and nv-vgpu-vfio-interface.c of branch 535.
 */
#ifndef STANDIN_VGPU_VFIO_H
#define STANDIN_VGPU_VFIO_H

#include <linux/pci.h>
#include <linux/types.h>

#define VFIO_MAX_VGPU_TYPES_PER_PGPU 64
/* What a name takes at most, with the newline and the zero behind it. */
#define VGPU_STRING_BUFFER_SIZE 32

/* What RM calls. Each returns a status of RM's. */
typedef struct {
	u32 (*probe)(struct pci_dev *pci_dev, u32 count, u32 *type_ids);
	void (*remove)(struct pci_dev *pci_dev);
	u32 (*inject_interrupt)(void *vgpu);
} vgpu_vfio_ops_t;

/* What RM is called by. A UUID is 16 bytes, a guid_t's. */
typedef struct {
	const char *version_string;
	u32 (*vgpu_create)(struct pci_dev *pci_dev, const u8 *uuid, u32 type_id, u16 *vgpu_id,
			   u32 *gpu_pci_id, u32 gpu_pci_bdf, bool *is_driver_vm);
	u32 (*vgpu_delete)(const u8 *uuid, u16 vgpu_id);
	u32 (*vgpu_bar_info)(struct pci_dev *pci_dev, const u8 *uuid, u64 *size, u32 bar_index,
			     void *vgpu);
	u32 (*vgpu_start)(const u8 *uuid, void *wait_queue, s32 *return_status, u8 *vm_name,
			  u32 qemu_pid);
	u32 (*get_description)(struct pci_dev *pci_dev, u32 type_id, char *buf);
	u32 (*get_instances)(struct pci_dev *pci_dev, u32 type_id, char *buf);
	u32 (*get_name)(struct pci_dev *pci_dev, u32 type_id, char *buf);
	u32 (*get_types)(struct pci_dev *pci_dev, u32 *type_ids, u32 *count);
	u32 (*get_sparse_mmap)(struct pci_dev *pci_dev, const u8 *uuid, u64 **offsets, u64 **sizes,
			       u32 *count);
	/* device_state is an enumeration in the real one. */
	void (*update_request)(const u8 *uuid, u64 *offsets, u64 *sizes, u32 device_state,
			       const char *config_params);
} rm_vgpu_vfio_ops_t;

u32 nvidia_vgpu_vfio_get_ops(rm_vgpu_vfio_ops_t *ops);
u32 nvidia_vgpu_vfio_set_ops(vgpu_vfio_ops_t *ops);

#endif
