/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's mdev core, as the Rust side needs it: its functions that ours stand in for, and what
 * there is to know about types and vGPUs.
 *
 * No decision is taken here.
 */
#ifndef VGPU_UNLOCK_SHIM_MDEV_H
#define VGPU_UNLOCK_SHIM_MDEV_H

#include <linux/mdev.h>

/* The mdev core's functions that Rust's stand in for. */
enum vu_mdev_function {
	VU_MDEV_NAME,
	VU_MDEV_DESCRIPTION,
	VU_MDEV_INSTANCES,
	VU_MDEV_CREATE,
	VU_MDEV_REGISTER,
	VU_MDEV_UNREGISTER,
};

/* Where an original is; NULL makes calls to it fail. No call may be under way. */
void vu_mdev_set_original(enum vu_mdev_function which, void *function);

/*
 * The originals. Calls to them are direct: their ENDBRs may be sealed. Only the first three can be
 * shown; `attr` is handed through.
 */
ssize_t vu_mdev_show(enum vu_mdev_function which, struct mdev_type *type, void *attr, char *page);
ssize_t vu_mdev_create(struct mdev_type *type, void *attr, const char *text, size_t count);
int vu_mdev_register(struct mdev_parent *parent, struct device *dev, struct mdev_driver *driver,
		     struct mdev_type **types, unsigned int nr_types);
void vu_mdev_unregister(struct mdev_parent *parent);

/* Reads a type's file as vu_mdev_show() does, at most `len` bytes of it. The length, or an error. */
ssize_t vu_mdev_read(enum vu_mdev_function which, struct mdev_type *type, char *to, size_t len);

/* Whether the device is an NVIDIA GPU with the driver "nvidia", whose types are called nvidia-N. */
bool vu_mdev_is_nvidias(const struct device *dev);
struct device *vu_mdev_type_device(const struct mdev_type *type);
/* What the driver calls the type; a string. */
const char *vu_mdev_type_name(const struct mdev_type *type);
struct mdev_type *vu_mdev_type_at(struct mdev_type **types, unsigned int index);

/* A vGPU. */
struct vu_vgpu {
	u8 uuid[16];
	/* What the driver calls its type, ending in NUL. */
	char type[16];
};
/* How many vGPUs there are on the device; the first `max` are written to `list`. */
unsigned int vu_mdev_vgpus(struct device *dev, struct vu_vgpu *list, unsigned int max);

/*
 * The same for a GPU on the PCI bus, with the number of types that are registered for it;
 * VU_TYPES_UNKNOWN where its lock is taken, so that it can't be told.
 */
#define VU_TYPES_UNKNOWN (-1)
struct vu_gpu;
unsigned int vu_gpu_vgpus(const struct vu_gpu *gpu, struct vu_vgpu *list, unsigned int max, int *types);

/* What was handed to mdev_register_parent(). */
struct vu_registration {
	struct mdev_parent *parent;
	struct device *device;
	struct mdev_driver *driver;
	struct mdev_type **types;
	unsigned int nr_types;
};
/*
 * What was registered for a GPU of NVIDIA's driver, with a reference to its device; false where
 * nothing was, or where the device's lock is taken. The driver's modules must not go meanwhile.
 */
bool vu_gpu_registration(const struct vu_gpu *gpu, struct vu_registration *registration);

/* The device's lock, which the driver's probe() and remove() are called with; false: it is taken. */
bool vu_device_trylock(struct device *dev);
void vu_device_unlock(struct device *dev);
void vu_device_get(struct device *dev);
void vu_device_put(struct device *dev);

/*
 * What stands in for the originals; all are Rust's. They may be called only by sending calls to the
 * originals here.
 */
ssize_t vu_mdev_name_show(struct mdev_type *type, void *attr, char *page);
ssize_t vu_mdev_description_show(struct mdev_type *type, void *attr, char *page);
ssize_t vu_mdev_instances_show(struct mdev_type *type, void *attr, char *page);
ssize_t vu_mdev_create_store(struct mdev_type *type, void *attr, const char *text, size_t count);
int vu_mdev_register_parent(struct mdev_parent *parent, struct device *dev,
			    struct mdev_driver *driver, struct mdev_type **types,
			    unsigned int nr_types);
void vu_mdev_unregister_parent(struct mdev_parent *parent);

#endif
