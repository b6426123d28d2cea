// SPDX-License-Identifier: GPL-2.0
#include "probe.h"

static struct dentry *dir;

/* Lets the host's side be tested: it must notice. */
static int warn_run(char *request, char *reply)
{
	WARN(1, "vgpu_unlock_probe: a warning on request\n");
	return 0;
}

static struct command warn_command = { .name = "warn", .run = warn_run };

static int __init probe_init(void)
{
	dir = debugfs_create_dir("vgpu_unlock_probe", NULL);
	if (IS_ERR(dir))
		return PTR_ERR(dir);
	sites_create(dir);
	blob_create(dir);
	memory_create(dir);
	command_create(&warn_command, dir);
	return 0;
}

static void __exit probe_exit(void)
{
	debugfs_remove(dir);
	blob_stop();
}

module_init(probe_init);
module_exit(probe_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test access to a loaded nvidia.ko");
