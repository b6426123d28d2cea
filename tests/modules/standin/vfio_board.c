// SPDX-License-Identifier: GPL-2.0
/* Boards that have vGPU types, as parents of mediated devices. */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "variant.h"
#include "vfio.h"

struct board {
	struct list_head next;
	struct pci_dev *pci_dev;
	struct mdev_parent parent;
	u32 count;
	struct mdev_type **mdev_types;
	struct vgpu_type *types;
};

static DEFINE_MUTEX(lock);
static LIST_HEAD(boards);

static void board_free(struct board *board)
{
	kfree(board->mdev_types);
	kfree(board->types);
	kfree(board);
}

static struct board *board_new(struct pci_dev *pci_dev, u32 count)
{
	struct board *board = kzalloc(sizeof(*board), GFP_KERNEL);

	if (!board)
		return NULL;
	board->pci_dev = pci_dev;
	board->count = count;
	board->types = kcalloc(count, sizeof(*board->types), GFP_KERNEL);
	board->mdev_types = kcalloc(count, sizeof(struct mdev_type *), GFP_KERNEL);
	if (!board->types || !board->mdev_types) {
		board_free(board);
		return NULL;
	}
	return board;
}

static u32 type_init(struct vgpu_type *type, struct pci_dev *pci_dev, u32 id)
{
	u32 status = rm_vgpu_vfio_ops.get_name(pci_dev, id, type->name);

	/*
	 * RM ends it with a newline, and the mdev core adds one. Whether NVIDIA's module takes the
	 * first one away is not known to us: here some do.
	 */
	if (STANDIN_BRANCH >= 550)
		strim(type->name);
	type->id = id;
	scnprintf(type->number, sizeof(type->number), "%u", id);
	type->mdev_type.sysfs_name = type->number;
	type->mdev_type.pretty_name = type->name;
	return status;
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
	mdev_unregister_parent(&board->parent);
	board_free(board);
}

/* A board that is registered already keeps the types that it has. */
u32 nv_vgpu_probe(struct pci_dev *pci_dev, u32 count, u32 *type_ids)
{
	struct board *board;
	u32 status = RM_OK, i;

	mutex_lock(&lock);
	if (find(pci_dev))
		goto out;
	board = board_new(pci_dev, count);
	if (!board) {
		status = RM_NO_MEMORY;
		goto out;
	}
	for (i = 0; i < count && status == RM_OK; i++) {
		status = type_init(&board->types[i], pci_dev, type_ids[i]);
		board->mdev_types[i] = &board->types[i].mdev_type;
	}
	if (status == RM_OK && mdev_register_parent(&board->parent, &pci_dev->dev,
						    &vgpu_mdev_driver, board->mdev_types, count))
		status = RM_OPERATING_SYSTEM;
	if (status == RM_OK)
		list_add(&board->next, &boards);
	else
		board_free(board);
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
