// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's memory.
 *
 *   rodata, text: all of the driver's section groups of that kind, as they are now
 *   bounds: "" -> "rodata ADDRESS SIZE" and "text ADDRESS SIZE"
 *   peek: "ADDRESS LENGTH" -> bytes anywhere in the kernel, in hexadecimal
 */
#include <linux/fs.h>
#ifdef HAVE_HEX
#include <linux/hex.h>
#else
#include <linux/kernel.h>
#endif
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
			   enum part part)
{
	size_t size;
	void *base = driver_part(file->private_data, part, &size);

	return simple_read_from_buffer(user, count, pos, base, size);
}

static ssize_t rodata_read(struct file *file, char __user *user, size_t count, loff_t *pos)
{
	return region_read(file, user, count, pos, RODATA);
}

static ssize_t text_read(struct file *file, char __user *user, size_t count, loff_t *pos)
{
	return region_read(file, user, count, pos, TEXT);
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
	size_t rodata_size, text_size;
	void *rodata, *text;

	if (!driver)
		return -ENODEV;
	rodata = driver_part(driver, RODATA, &rodata_size);
	text = driver_part(driver, TEXT, &text_size);
	scnprintf(reply, REPLY_SIZE, "rodata %px %zx\ntext %px %zx\n", rodata, rodata_size, text,
		  text_size);
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
