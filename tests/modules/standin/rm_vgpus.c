// SPDX-License-Identifier: GPL-2.0
/* The vGPUs that RM has created. A board's vGPUs are all of one type. */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "rm.h"

struct rm_vgpu {
	struct list_head next;
	u8 uuid[RM_UUID_SIZE];
	u32 type;
	u16 id;
};

static DEFINE_MUTEX(lock);
static LIST_HEAD(vgpus);
static u16 last_id;

/* With the lock: how many more of a type there can be. */
static u32 available(const struct rm_type *type)
{
	const struct rm_vgpu *vgpu;
	u32 count = rm_type_max_instances(type);

	list_for_each_entry(vgpu, &vgpus, next) {
		if (vgpu->type != type->number)
			return 0;
		count--;
	}
	return count;
}

u32 rm_vgpu_create(const u8 *uuid, u32 number, u16 *id)
{
	const struct rm_type *type = rm_type(number);
	struct rm_vgpu *vgpu;

	if (!may_host_vgpus())
		return RM_NOT_SUPPORTED;
	if (!type)
		return RM_INVALID_ARGUMENT;
	vgpu = kzalloc(sizeof(*vgpu), GFP_KERNEL);
	if (!vgpu)
		return RM_NO_MEMORY;
	memcpy(vgpu->uuid, uuid, RM_UUID_SIZE);
	vgpu->type = number;
	mutex_lock(&lock);
	if (!available(type)) {
		mutex_unlock(&lock);
		kfree(vgpu);
		return RM_INSUFFICIENT_RESOURCES;
	}
	vgpu->id = ++last_id;
	*id = vgpu->id;
	list_add(&vgpu->next, &vgpus);
	mutex_unlock(&lock);
	return RM_OK;
}

u32 rm_vgpu_delete(const u8 *uuid, u16 id)
{
	u32 status = RM_INVALID_OBJECT;
	struct rm_vgpu *vgpu;

	mutex_lock(&lock);
	list_for_each_entry(vgpu, &vgpus, next) {
		if (vgpu->id == id && !memcmp(vgpu->uuid, uuid, RM_UUID_SIZE)) {
			list_del(&vgpu->next);
			kfree(vgpu);
			status = RM_OK;
			break;
		}
	}
	mutex_unlock(&lock);
	return status;
}

u32 rm_vgpu_instances(u32 number, char *buf, size_t size)
{
	const struct rm_type *type = rm_type(number);

	if (!type)
		return RM_INVALID_ARGUMENT;
	mutex_lock(&lock);
	scnprintf(buf, size, "%u\n", available(type));
	mutex_unlock(&lock);
	return RM_OK;
}

bool rm_vgpu_last(u8 *uuid, u32 *type, u16 *id)
{
	const struct rm_vgpu *vgpu;

	mutex_lock(&lock);
	vgpu = list_first_entry_or_null(&vgpus, struct rm_vgpu, next);
	if (vgpu) {
		memcpy(uuid, vgpu->uuid, RM_UUID_SIZE);
		*type = vgpu->type;
		*id = vgpu->id;
	}
	mutex_unlock(&lock);
	return vgpu;
}
