/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of nvidia-vgpu-vfio.ko. */
#ifndef STANDIN_VFIO_H
#define STANDIN_VFIO_H

#include <linux/device.h>
#include <linux/uuid.h>
#include <linux/mdev.h>

#include "vgpu_vfio.h"

#define RM_OK 0x00
#define RM_NO_MEMORY 0x51
#define RM_OPERATING_SYSTEM 0x59

/* RM's functions. */
extern rm_vgpu_vfio_ops_t rm_vgpu_vfio_ops;

/* What makes vGPUs of boards with types. */
int vfio_vgpus_register(void);
void vfio_vgpus_unregister(void);

#ifdef HAVE_MDEV_PARENT
/* One type of one board's. The mdev core shows the texts; the name is asked for once. */
struct vgpu_type {
	struct mdev_type mdev_type;
	u32 id;
	char number[8];
	char name[VGPU_STRING_BUFFER_SIZE];
};

static inline struct vgpu_type *to_vgpu_type(struct mdev_type *mdev_type)
{
	return container_of(mdev_type, struct vgpu_type, mdev_type);
}

static inline struct pci_dev *vgpu_type_board(struct vgpu_type *type)
{
	return to_pci_dev(type->mdev_type.parent->dev);
}

extern struct mdev_driver vgpu_mdev_driver;
#endif

/* What RM calls when a board's types are known, and when it goes. */
u32 nv_vgpu_probe(struct pci_dev *pci_dev, u32 count, u32 *type_ids);
void nv_vgpu_remove(struct pci_dev *pci_dev);
/* Unregisters all boards. */
void vfio_boards_remove(void);

#endif
