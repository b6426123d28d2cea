// SPDX-License-Identifier: GPL-2.0
/* Takes a board away from NVIDIA's driver as vfio-pci does: the same name, and nothing behind it. */
#include <linux/module.h>
#include <linux/pci.h>

static int holder_probe(struct pci_dev *device, const struct pci_device_id *id)
{
	return 0;
}

/* Only what driver_override gives it. */
static const struct pci_device_id holder_ids[] = { {} };

static struct pci_driver holder_driver = {
	.name = "vfio-pci",
	.id_table = holder_ids,
	.probe = holder_probe,
};

module_pci_driver(holder_driver);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Another driver that has a board");
