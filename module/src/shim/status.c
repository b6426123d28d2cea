// SPDX-License-Identifier: GPL-2.0
/* The files in debugfs. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "shim.h"

static int vu_show(struct seq_file *file, void *unused)
{
	vu_file_show((enum vu_file)(unsigned long)file->private, file);
	return 0;
}

static int vu_open(struct inode *inode, struct file *file)
{
	return single_open(file, vu_show, inode->i_private);
}

static const struct file_operations vu_fops = {
	.owner = THIS_MODULE,
	.open = vu_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static struct dentry *vu_dir;

static void vu_create(const char *name, enum vu_file which)
{
	debugfs_create_file(name, 0400, vu_dir, (void *)(unsigned long)which, &vu_fops);
}

void vu_files_create(void)
{
	/* debugfs reports its own failures and takes an error for a directory: nothing to check. */
	vu_dir = debugfs_create_dir("vgpu_unlock", NULL);
	vu_create("status", VU_FILE_TEXT);
	vu_create("status.json", VU_FILE_JSON);
	vu_create("overrides", VU_FILE_OVERRIDES);
}

void vu_files_remove(void)
{
	debugfs_remove(vu_dir);
}

void vu_file_write(struct seq_file *file, const char *text, size_t len)
{
	seq_write(file, text, len);
}
