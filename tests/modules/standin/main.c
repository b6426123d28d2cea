// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for NVIDIA's nvidia.ko: same name, same symbols, same code patterns and table format,
 * none of its bytes. It lets tests run on kernels that the real one does not build for, and be
 * wrong in ways that no real one is.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "rm.h"
#include "variant.h"

static bool fail_init;
module_param(fail_init, bool, 0);
MODULE_PARM_DESC(fail_init, "register everything, then fail to load");

static int standin_probe(struct pci_dev *device, const struct pci_device_id *id)
{
	rm_board_comes(device);
	return 0;
}

static void standin_remove(struct pci_dev *device)
{
	rm_board_goes(device);
}

static const struct pci_device_id standin_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_NVIDIA, PCI_ANY_ID) },
	{}
};

/* Any board of NVIDIA's for graphics, as the real one's installer has it: by this udev finds the driver. */
MODULE_ALIAS("pci:v000010DEd*sv*sd*bc03sc00i00*");

static struct pci_driver standin_driver = {
	.name = "nvidia",
	.id_table = standin_ids,
	.probe = standin_probe,
	.remove = standin_remove,
};

#if STANDIN_CHANGED == CHANGED_BY_PATCHER || STANDIN_CHANGED == CHANGED_AND_HIDDEN
/* By its name, a function of vGPU-Unlock-patcher's. */
void vup_hooks_init(void);
noinline void vup_hooks_init(void)
{
	barrier();
}
#if STANDIN_CHANGED == CHANGED_AND_HIDDEN
/* The kernel does not say where it is. */
NOKPROBE_SYMBOL(vup_hooks_init);
#endif
#elif STANDIN_CHANGED == CHANGED_BY_HOOKS
static const char of_hooks[] __used = "vGPU unlock patch applied.\n";
#elif STANDIN_CHANGED == CHANGED_OPEN
static const char identification[] __used =
	"nvidia id: NVIDIA UNIX Open Kernel Module for x86_64  " STANDIN_VERSION "  Release Build";
#endif

#if STANDIN_CHANGED == CHANGED_OPEN
#define KIND "Open Kernel Module for x86_64"
#else
#define KIND "x86_64 Kernel Module"
#endif

/* What people and programs tell the driver's version and kind by. */
static int version_show(struct seq_file *file, void *unused)
{
	seq_puts(file, "NVRM version: NVIDIA UNIX " KIND "  " STANDIN_VERSION "  Stand-in\n");
	return 0;
}

static struct proc_dir_entry *proc_dir;

static int proc_add(void)
{
	proc_dir = proc_mkdir("driver/nvidia", NULL);
	if (!proc_dir)
		return -ENOMEM;
	if (proc_create_single("version", 0444, proc_dir, version_show))
		return 0;
	proc_remove(proc_dir);
	return -ENOMEM;
}

static int __init standin_init(void)
{
	int ret;

#if STANDIN_CHANGED == CHANGED_BY_PATCHER || STANDIN_CHANGED == CHANGED_AND_HIDDEN
	vup_hooks_init();
#endif
	ret = pci_register_driver(&standin_driver);
	if (ret)
		return ret;
	ret = rm_init();
	if (ret)
		goto out_driver;
	ret = fail_init ? -ENODEV : proc_add();
	if (ret)
		goto out_rm;
	return 0;

out_rm:
	rm_exit();
out_driver:
	pci_unregister_driver(&standin_driver);
	return ret;
}

static void __exit standin_exit(void)
{
	proc_remove(proc_dir);
	rm_exit();
	pci_unregister_driver(&standin_driver);
}

module_init(standin_init);
module_exit(standin_exit);
MODULE_LICENSE("GPL");
MODULE_VERSION(STANDIN_VERSION);
MODULE_DESCRIPTION("Stand-in for NVIDIA's driver in tests");
