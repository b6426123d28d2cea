// SPDX-License-Identifier: GPL-2.0
/*
 * A parent of mediated devices that is not NVIDIA's, with types of the same numbers as some of
 * NVIDIA's. Its devices do nothing.
 */
#include <linux/atomic.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#define NAME "vgpu_unlock_parent"

/* How many devices there can be. */
#define MAX_DEVICES 3

static struct platform_device *device;
static struct mdev_parent parent;

/* The last one has no name of its own: the core shows the other one then. */
static struct mdev_type types[] = {
	{ .sysfs_name = "46", .pretty_name = "GRID P40-1Q" },
	{ .sysfs_name = "nvidia-47", .pretty_name = "GRID P40-2Q" },
	{ .sysfs_name = "48" },
};

static struct mdev_type *list[ARRAY_SIZE(types)];

static atomic_t devices = ATOMIC_INIT(0);

static int device_probe(struct mdev_device *mdev)
{
	if (atomic_inc_return(&devices) > MAX_DEVICES) {
		atomic_dec(&devices);
		return -ENOSPC;
	}
	return 0;
}

static void device_remove(struct mdev_device *mdev)
{
	atomic_dec(&devices);
}

static unsigned int get_available(struct mdev_type *type)
{
	return MAX_DEVICES - atomic_read(&devices);
}

/* As NVIDIA's driver writes it. */
static ssize_t show_description(struct mdev_type *type, char *buf)
{
	return sysfs_emit(buf, "num_heads=4, frl_config=60, framebuffer=1024M, "
			       "max_resolution=5120x2880, max_instance=%u\n", MAX_DEVICES);
}

static struct mdev_driver driver = {
	.device_api = "vfio-pci",
	.probe = device_probe,
	.remove = device_remove,
	.get_available = get_available,
	.show_description = show_description,
	.driver = {
		.name = NAME,
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
};

static int __init parent_init(void)
{
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		list[i] = &types[i];
	device = platform_device_register_simple(NAME, PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	ret = mdev_register_driver(&driver);
	if (ret)
		goto err_device;
	ret = mdev_register_parent(&parent, &device->dev, &driver, list, ARRAY_SIZE(list));
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	mdev_unregister_driver(&driver);
err_device:
	platform_device_unregister(device);
	return ret;
}

static void __exit parent_exit(void)
{
	mdev_unregister_parent(&parent);
	mdev_unregister_driver(&driver);
	platform_device_unregister(device);
}

module_init(parent_init);
module_exit(parent_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A parent of mediated devices that is nobody's business");
