// SPDX-License-Identifier: GPL-2.0
/* The NVIDIA GPUs on the PCI bus, who has them, and the locks of their devices. */
#include <linux/device.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "shim.h"

static bool vu_is_gpu(const struct pci_dev *pdev)
{
	return pdev->vendor == PCI_VENDOR_ID_NVIDIA && pdev->class >> 16 == PCI_BASE_CLASS_DISPLAY;
}

static void vu_place_of(const struct pci_dev *pdev, struct vu_place *place)
{
	place->domain = pci_domain_nr(pdev->bus);
	place->bus = pdev->bus->number;
	place->slot = PCI_SLOT(pdev->devfn);
	place->function = PCI_FUNC(pdev->devfn);
}

/* A driver can't go while the lock of a device that it has is held. */
static void vu_describe_driver(struct pci_dev *pdev, struct vu_gpu *gpu)
{
	const char *name;

	gpu->bound = VU_BOUND_UNKNOWN;
	memset(gpu->driver, 0, sizeof(gpu->driver));
	if (!device_trylock(&pdev->dev))
		return;
	if (pdev->dev.driver) {
		gpu->bound = VU_BOUND_DRIVER;
		name = pdev->dev.driver->name;
		memcpy(gpu->driver, name, strnlen(name, sizeof(gpu->driver)));
	} else {
		gpu->bound = VU_BOUND_NOBODY;
	}
	device_unlock(&pdev->dev);
}

static void vu_describe_gpu(struct pci_dev *pdev, struct vu_gpu *gpu)
{
	vu_place_of(pdev, &gpu->place);
	vu_place_of(pci_physfn(pdev), &gpu->board);
	gpu->is_virtual = pdev->is_virtfn;
	gpu->device = pdev->device;
	gpu->subsystem = pdev->subsystem_device;
	gpu->bar3_start = pci_resource_start(pdev, 3);
	gpu->bar3_len = pci_resource_len(pdev, 3);
	gpu->functions = pci_num_vf(pdev);
	vu_describe_driver(pdev, gpu);
}

bool vu_gpu(unsigned int index, bool with_virtual, struct vu_gpu *gpu)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(PCI_VENDOR_ID_NVIDIA, PCI_ANY_ID, pdev))) {
		if (!vu_is_gpu(pdev) || (pdev->is_virtfn && !with_virtual) || index--)
			continue;
		vu_describe_gpu(pdev, gpu);
		pci_dev_put(pdev);
		return true;
	}
	return false;
}

static int vu_board_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct pci_dev *pdev = to_pci_dev((struct device *)data);

	if (!vu_is_gpu(pdev) || pdev->is_virtfn)
		return NOTIFY_DONE;
	switch (event) {
	case BUS_NOTIFY_ADD_DEVICE:
	case BUS_NOTIFY_REMOVED_DEVICE:
	case BUS_NOTIFY_BOUND_DRIVER:
	case BUS_NOTIFY_UNBOUND_DRIVER:
		vu_boards_changed();
	}
	return NOTIFY_DONE;
}

static struct notifier_block vu_board_block = { .notifier_call = vu_board_event };

int vu_boards_watch(void)
{
	return bus_register_notifier(&pci_bus_type, &vu_board_block);
}

void vu_boards_unwatch(void)
{
	bus_unregister_notifier(&pci_bus_type, &vu_board_block);
}

void vu_device_board(const struct device *dev, struct vu_place *board)
{
	vu_place_of(pci_physfn(to_pci_dev(dev)), board);
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
