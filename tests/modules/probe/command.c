// SPDX-License-Identifier: GPL-2.0
/* Request and reply through one debugfs file. */
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "probe.h"

/* One request at a time: tests are sequential, and replies then need no owner. */
static DEFINE_MUTEX(command_lock);

static ssize_t command_write(struct file *file, const char __user *user, size_t count, loff_t *pos)
{
	struct command *command = file->private_data;
	char *request;
	int ret;

	if (count >= PAGE_SIZE)
		return -E2BIG;
	request = memdup_user_nul(user, count);
	if (IS_ERR(request))
		return PTR_ERR(request);

	mutex_lock(&command_lock);
	command->reply[0] = '\0';
	ret = command->run(strim(request), command->reply);
	mutex_unlock(&command_lock);
	kfree(request);
	return ret ? ret : count;
}

static ssize_t command_read(struct file *file, char __user *user, size_t count, loff_t *pos)
{
	struct command *command = file->private_data;
	ssize_t ret;

	mutex_lock(&command_lock);
	ret = simple_read_from_buffer(user, count, pos, command->reply,
				      strnlen(command->reply, REPLY_SIZE));
	mutex_unlock(&command_lock);
	return ret;
}

static const struct file_operations command_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = command_read,
	.write = command_write,
	.llseek = default_llseek,
};

void command_create(struct command *command, struct dentry *dir)
{
	debugfs_create_file(command->name, 0600, dir, command, &command_fops);
}
