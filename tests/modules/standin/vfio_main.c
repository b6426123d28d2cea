// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for NVIDIA's nvidia-vgpu-vfio.ko, on the kernel's own mdev core: what is in sysfs is
 * real, what is behind it is not.
 */
#include <linux/delay.h>
#include <linux/device/bus.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "variant.h"
#include "vfio.h"

rm_vgpu_vfio_ops_t rm_vgpu_vfio_ops;

static u32 nv_vgpu_inject_interrupt(void *vgpu)
{
	return RM_OK;
}

static vgpu_vfio_ops_t vgpu_vfio_ops = {
	.probe = nv_vgpu_probe,
	.remove = nv_vgpu_remove,
	.inject_interrupt = nv_vgpu_inject_interrupt,
};

static uint add_sleep_ms;
module_param(add_sleep_ms, uint, 0644);
MODULE_PARM_DESC(add_sleep_ms, "how long a vGPU that is created takes until others can find it");

/* The kernel calls this when a device has its name, and is not among its parent's children yet. */
static int vgpu_is_added(struct notifier_block *block, unsigned long event, void *device)
{
	uint ms = READ_ONCE(add_sleep_ms);

	if (event == BUS_NOTIFY_ADD_DEVICE && ms)
		msleep(ms);
	return NOTIFY_DONE;
}

static struct notifier_block vgpu_bus_notifier = { .notifier_call = vgpu_is_added };

static int __init nv_vgpu_vfio_init(void)
{
	int ret;

	rm_vgpu_vfio_ops.version_string = STANDIN_VERSION;
	if (nvidia_vgpu_vfio_get_ops(&rm_vgpu_vfio_ops) != RM_OK) {
		pr_err("nvidia-vgpu-vfio: this is " STANDIN_VERSION ", nvidia.ko is %s\n",
		       rm_vgpu_vfio_ops.version_string);
		return -EINVAL;
	}
	ret = mdev_register_driver(&vgpu_mdev_driver);
	if (ret)
		return ret;
	ret = bus_register_notifier(vgpu_mdev_driver.driver.bus, &vgpu_bus_notifier);
	if (ret) {
		mdev_unregister_driver(&vgpu_mdev_driver);
		return ret;
	}
	/*
	 * Last, since a board may be registered at once. A board that can't be is no reason to fail:
	 * nvidia-vgpud may tell its types again.
	 */
	if (nvidia_vgpu_vfio_set_ops(&vgpu_vfio_ops) != RM_OK)
		pr_err("nvidia-vgpu-vfio: no types\n");
	return 0;
}

static void __exit nv_vgpu_vfio_exit(void)
{
	/* First, so that no board comes any more. */
	nvidia_vgpu_vfio_set_ops(NULL);
	vfio_boards_remove();
	bus_unregister_notifier(vgpu_mdev_driver.driver.bus, &vgpu_bus_notifier);
	mdev_unregister_driver(&vgpu_mdev_driver);
}

module_init(nv_vgpu_vfio_init);
module_exit(nv_vgpu_vfio_exit);
MODULE_LICENSE("GPL");
MODULE_VERSION(STANDIN_VERSION);
MODULE_DESCRIPTION("Stand-in for NVIDIA's vGPU driver in tests");
