// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for NVIDIA's nvidia-vgpu-vfio.ko, on the kernel's own mdev core: what is in sysfs is
 * real, what is behind it is not.
 */
#include <linux/module.h>

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

static int __init nv_vgpu_vfio_init(void)
{
	int ret;

	rm_vgpu_vfio_ops.version_string = STANDIN_VERSION;
	if (nvidia_vgpu_vfio_get_ops(&rm_vgpu_vfio_ops) != RM_OK) {
		pr_err("nvidia-vgpu-vfio: this is " STANDIN_VERSION ", nvidia.ko is %s\n",
		       rm_vgpu_vfio_ops.version_string);
		return -EINVAL;
	}
	ret = vfio_vgpus_register();
	if (ret)
		return ret;
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
	vfio_vgpus_unregister();
}

module_init(nv_vgpu_vfio_init);
module_exit(nv_vgpu_vfio_exit);
MODULE_LICENSE("GPL");
MODULE_VERSION(STANDIN_VERSION);
MODULE_DESCRIPTION("Stand-in for NVIDIA's vGPU driver in tests");
