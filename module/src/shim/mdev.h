/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VGPU_UNLOCK_MDEV_H
#define VGPU_UNLOCK_MDEV_H

#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/pci.h>
#include <linux/string.h>

/* Whether the device is an NVIDIA GPU with the driver "nvidia", whose types are called nvidia-N. */
static inline bool vu_is_nvidias(const struct device *dev)
{
	return dev_is_pci(dev) && to_pci_dev(dev)->vendor == PCI_VENDOR_ID_NVIDIA &&
	       !strcmp(dev_driver_string(dev), "nvidia");
}

#endif
