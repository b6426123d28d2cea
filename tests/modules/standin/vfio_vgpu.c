// SPDX-License-Identifier: GPL-2.0
/* vGPUs as mediated devices. They can be created and looked at; there is nothing to open. */
#include <linux/delay.h>
#include <linux/device/bus.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/vfio.h>

#include "vfio.h"

struct vgpu {
	struct vfio_device vdev;
	u16 id;
};

static const struct vfio_device_ops vgpu_ops = {
	.name = "nvidia-vgpu-vfio",
#ifdef HAVE_VFIO_FREE_DEVICE
	/* Linux 6.1 calls it without asking whether there is one. */
	.release = vfio_free_device,
#endif
#ifdef HAVE_IOMMUFD
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#endif
};

static int vgpu_probe(struct mdev_device *mdev)
{
	struct vgpu_type *type = to_vgpu_type(mdev->type);
	struct pci_dev *pci_dev = vgpu_type_board(type);
	bool is_driver_vm;
	struct vgpu *vgpu;
	u32 status, gpu;
	int ret;

	vgpu = vfio_alloc_device(vgpu, vdev, &mdev->dev, &vgpu_ops);
	if (IS_ERR(vgpu))
		return PTR_ERR(vgpu);
	status = rm_vgpu_vfio_ops.vgpu_create(pci_dev, mdev->uuid.b, type->id, &vgpu->id, &gpu,
					      pci_dev_id(pci_dev), &is_driver_vm);
	if (status != RM_OK) {
		pr_err("nvidia-vgpu-vfio: %pUl: the vGPU is not created, status: 0x%x\n",
		       &mdev->uuid, status);
		ret = -EIO;
		goto err_put;
	}
	ret = vfio_register_emulated_iommu_dev(&vgpu->vdev);
	if (ret)
		goto err_delete;
	dev_set_drvdata(&mdev->dev, vgpu);
	return 0;

err_delete:
	rm_vgpu_vfio_ops.vgpu_delete(mdev->uuid.b, vgpu->id);
err_put:
	vfio_put_device(&vgpu->vdev);
	return ret;
}

static void vgpu_remove(struct mdev_device *mdev)
{
	struct vgpu *vgpu = dev_get_drvdata(&mdev->dev);
	u32 status;

	vfio_unregister_group_dev(&vgpu->vdev);
	status = rm_vgpu_vfio_ops.vgpu_delete(mdev->uuid.b, vgpu->id);
	if (status != RM_OK)
		pr_err("nvidia-vgpu-vfio: %pUl: the vGPU is not deleted, status: 0x%x\n",
		       &mdev->uuid, status);
	vfio_put_device(&vgpu->vdev);
}

/* RM fills a page at most, as sysfs has it. */
static unsigned int get_available(struct mdev_type *mdev_type)
{
	struct vgpu_type *type = to_vgpu_type(mdev_type);
	char *text = (char *)__get_free_page(GFP_KERNEL);
	unsigned int count = 0;

	if (!text)
		return 0;
	if (rm_vgpu_vfio_ops.get_instances(vgpu_type_board(type), type->id, text) != RM_OK ||
	    sscanf(text, "%u", &count) != 1)
		count = 0;
	free_page((unsigned long)text);
	return count;
}

static ssize_t show_description(struct mdev_type *mdev_type, char *buf)
{
	struct vgpu_type *type = to_vgpu_type(mdev_type);

	if (rm_vgpu_vfio_ops.get_description(vgpu_type_board(type), type->id, buf) != RM_OK)
		return -EIO;
	return strlen(buf);
}

struct mdev_driver vgpu_mdev_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.probe = vgpu_probe,
	.remove = vgpu_remove,
	.get_available = get_available,
	.show_description = show_description,
	.driver = {
		.name = "nvidia-vgpu-vfio",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
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

int vfio_vgpus_register(void)
{
	int ret = mdev_register_driver(&vgpu_mdev_driver);

	if (ret)
		return ret;
	ret = bus_register_notifier(vgpu_mdev_driver.driver.bus, &vgpu_bus_notifier);
	if (ret)
		mdev_unregister_driver(&vgpu_mdev_driver);
	return ret;
}

void vfio_vgpus_unregister(void)
{
	bus_unregister_notifier(vgpu_mdev_driver.driver.bus, &vgpu_bus_notifier);
	mdev_unregister_driver(&vgpu_mdev_driver);
}
