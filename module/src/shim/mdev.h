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

struct vu_gpu;

/* The mdev core's functions that Rust's stand in for. */
enum vu_mdev_function {
	VU_MDEV_NAME,
	VU_MDEV_DESCRIPTION,
	VU_MDEV_INSTANCES,
	VU_MDEV_CREATE,
	VU_MDEV_REGISTER,
	VU_MDEV_UNREGISTER,
};

/* Where an original is. Before it is known, calls to it fail. */
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

/* Whether somebody still holds a reference to a type that is not registered any more. */
bool vu_mdev_holds(const struct mdev_type *type);
/* Has such a type as it was before it was registered for the first time; nobody may hold it. */
void vu_mdev_reset(struct mdev_type *type);

/* Reads a type's file as vu_mdev_show() does, at most `len` bytes of it. The length, or an error. */
ssize_t vu_mdev_read(enum vu_mdev_function which, struct mdev_type *type, char *to, size_t len);

/* Whether the device is an NVIDIA GPU with the driver "nvidia", whose types are called nvidia-N. */
bool vu_mdev_is_nvidias(const struct device *dev);
/*
 * Whether a call of one of the functions with these first two arguments is about an NVIDIA GPU. Does
 * not sleep.
 */
bool vu_mdev_concerns(enum vu_mdev_function which, unsigned long first, unsigned long second);
struct mdev_parent *vu_mdev_type_parent(const struct mdev_type *type);
/* What the driver calls the type; a string. */
const char *vu_mdev_type_name(const struct mdev_type *type);
struct mdev_type *vu_mdev_type_at(struct mdev_type **types, unsigned int index);

/* A vGPU. */
struct vu_vgpu {
	u8 uuid[16];
	/* What the driver calls its type, ending in NUL. */
	char type[16];
};
/*
 * How many vGPUs there are on the device; the first `max` are written to `list`. Its types must stay
 * registered meanwhile.
 */
unsigned int vu_mdev_vgpus(struct device *dev, struct vu_vgpu *list, unsigned int max);
/* Whether nobody but the mdev core holds a reference to a registered type: no vGPU, not even one that
 * is being made or removed.
 */
bool vu_mdev_idle(const struct mdev_type *type);

/* What was handed to mdev_register_parent(). */
struct vu_registration {
	struct mdev_parent *parent;
	struct device *device;
	struct mdev_driver *driver;
	struct mdev_type **types;
	unsigned int nr_types;
};
/*
 * What was registered for a GPU of NVIDIA's driver, with a reference to its device, whose lock is held;
 * false, and neither, where nothing was, or where the lock is taken. The driver's modules must not go
 * meanwhile.
 */
bool vu_gpu_registration(const struct vu_gpu *gpu, struct vu_registration *registration);
/* Where an NVIDIA GPU is. */
void vu_device_address(const struct device *dev, struct vu_gpu *gpu);

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
