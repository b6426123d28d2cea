// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's memory.
 *
 *   rodata, text: all of the driver's section groups of that kind, as they are now
 *   bounds: "" -> "rodata ADDRESS SIZE" and "text ADDRESS SIZE"
 *   peek: "ADDRESS LENGTH" -> bytes anywhere in the kernel, in hexadecimal
 */
#include <linux/fs.h>
#include <linux/hex.h>
#include <linux/uaccess.h>

#include "probe.h"

#define PEEK_MAX 1024

static int region_open(struct inode *inode, struct file *file)
{
	file->private_data = driver_get();
	return file->private_data ? 0 : -ENODEV;
}

static int region_release(struct inode *inode, struct file *file)
{
	driver_put(file->private_data);
	return 0;
}

static ssize_t region_read(struct file *file, char __user *user, size_t count, loff_t *pos,
			   enum mod_mem_type type)
{
	struct module *driver = file->private_data;

	return simple_read_from_buffer(user, count, pos, driver->mem[type].base,
				       driver->mem[type].size);
}

static ssize_t rodata_read(struct file *file, char __user *user, size_t count, loff_t *pos)
{
	return region_read(file, user, count, pos, MOD_RODATA);
}

static ssize_t text_read(struct file *file, char __user *user, size_t count, loff_t *pos)
{
	return region_read(file, user, count, pos, MOD_TEXT);
}

static const struct file_operations rodata_fops = {
	.owner = THIS_MODULE,
	.open = region_open,
	.release = region_release,
	.read = rodata_read,
	.llseek = default_llseek,
};

static const struct file_operations text_fops = {
	.owner = THIS_MODULE,
	.open = region_open,
	.release = region_release,
	.read = text_read,
	.llseek = default_llseek,
};

static int bounds_run(char *request, char *reply)
{
	struct module *driver = driver_get();

	if (!driver)
		return -ENODEV;
	scnprintf(reply, REPLY_SIZE, "rodata %px %x\ntext %px %x\n",
		  driver->mem[MOD_RODATA].base, driver->mem[MOD_RODATA].size,
		  driver->mem[MOD_TEXT].base, driver->mem[MOD_TEXT].size);
	driver_put(driver);
	return 0;
}

static int peek_run(char *request, char *reply)
{
	u8 bytes[PEEK_MAX];
	u64 address;
	u32 len;
	int ret;

	if (sscanf(request, "%llx %u", &address, &len) != 2 || len > PEEK_MAX)
		return -EINVAL;
	ret = copy_from_kernel_nofault(bytes, (void *)address, len);
	if (ret)
		return ret;
	/* bin2hex(): %*ph prints no more than 64 bytes. */
	*bin2hex(reply, bytes, len) = '\0';
	return 0;
}

static struct command bounds_command = { .name = "bounds", .run = bounds_run };
static struct command peek_command = { .name = "peek", .run = peek_run };

void memory_create(struct dentry *dir)
{
	debugfs_create_file("rodata", 0400, dir, NULL, &rodata_fops);
	debugfs_create_file("text", 0400, dir, NULL, &text_fops);
	command_create(&bounds_command, dir);
	command_create(&peek_command, dir);
}
