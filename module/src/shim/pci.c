// SPDX-License-Identifier: GPL-2.0
/* The NVIDIA GPUs on the PCI bus, and the locks of their devices. */
#include <linux/device.h>
#include <linux/pci.h>

#include "shim.h"

bool vu_gpu(unsigned int index, struct vu_gpu *gpu)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(PCI_VENDOR_ID_NVIDIA, PCI_ANY_ID, pdev))) {
		if (pdev->class >> 16 != PCI_BASE_CLASS_DISPLAY || index--)
			continue;
		gpu->domain = pci_domain_nr(pdev->bus);
		gpu->bus = pdev->bus->number;
		gpu->slot = PCI_SLOT(pdev->devfn);
		gpu->function = PCI_FUNC(pdev->devfn);
		gpu->device = pdev->device;
		gpu->subsystem = pdev->subsystem_device;
		gpu->bar3_start = pci_resource_start(pdev, 3);
		gpu->bar3_len = pci_resource_len(pdev, 3);
		pci_dev_put(pdev);
		return true;
	}
	return false;
}

void vu_device_address(const struct device *dev, struct vu_gpu *gpu)
{
	const struct pci_dev *pdev = to_pci_dev(dev);

	gpu->domain = pci_domain_nr(pdev->bus);
	gpu->bus = pdev->bus->number;
	gpu->slot = PCI_SLOT(pdev->devfn);
	gpu->function = PCI_FUNC(pdev->devfn);
}

bool vu_device_trylock(struct device *dev)
{
	return device_trylock(dev);
}

void vu_device_unlock(struct device *dev)
{
	device_unlock(dev);
}

void vu_device_get(struct device *dev)
{
	get_device(dev);
}

void vu_device_put(struct device *dev)
{
	put_device(dev);
}
