// SPDX-License-Identifier: GPL-2.0
/* /dev/nvidiactl, and the two ways by which an RM control call comes in. */
#include <linux/fs.h>
#include <linux/delay.h>
#include <linux/ioctl.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "rm.h"
#include "variant.h"

#define ESC_RM_CONTROL 0x2a
#define ESC_XFER 211

/* An escape whose parameter is elsewhere, where it may be longer. */
struct rm_xfer {
	u32 cmd;
	u32 size;
	u64 pointer;
};

/*
 * The name and the arguments are those of the real one, by which it is watched: of NVIDIA's nv.c from
 * 550 on, of its nv-frontend.c before.
 */
#if STANDIN_BRANCH < 550
#define rm_unlocked_ioctl nvidia_frontend_unlocked_ioctl
#define rm_open nvidia_frontend_open
#else
#define rm_unlocked_ioctl nvidia_unlocked_ioctl
#define rm_open nvidia_open
#endif
long rm_unlocked_ioctl(struct file *file, unsigned int cmd, unsigned long argument);
int rm_open(struct inode *inode, struct file *file);

#if STANDIN_CHANGED == CHANGED_UNTRACEABLE && STANDIN_BRANCH >= 525
#define rm_traced notrace
#else
#define rm_traced
#endif

static int rm_answer(struct rm_call *call)
{
	void __user *user = u64_to_user_ptr(call->params);
	struct rm_answer answer;
	u8 *params;
	int ret = 0;

	if (call->params_size > RM_MAX_PARAMS) {
		call->status = RM_INVALID_ARGUMENT;
		return 0;
	}
	params = kvzalloc(max(call->params_size, 1U), GFP_KERNEL);
	if (!params)
		return -ENOMEM;
	if (copy_from_user(params, user, call->params_size)) {
		ret = -EFAULT;
		goto out;
	}
	if (rm_sleep_ms)
		msleep_interruptible(rm_sleep_ms);
	answer = rm_control(call->cmd, params, call->params_size);
	call->status = answer.status;
	if ((answer.always || answer.status == RM_OK) &&
	    copy_to_user(user, params, call->params_size))
		ret = -EFAULT;
out:
	kvfree(params);
	return ret;
}

static long rm_ioctl(unsigned int cmd, unsigned long argument)
{
	void __user *user = (void __user *)argument;
	unsigned int number = _IOC_NR(cmd), size = _IOC_SIZE(cmd);
	struct rm_call call;
	struct rm_xfer xfer;
	int ret;

	if (number == ESC_XFER) {
		if (size != sizeof(xfer))
			return -EINVAL;
		if (copy_from_user(&xfer, user, sizeof(xfer)))
			return -EFAULT;
		number = xfer.cmd;
		size = xfer.size;
		user = u64_to_user_ptr(xfer.pointer);
	}
	if (number != ESC_RM_CONTROL || size != sizeof(call))
		return -EINVAL;
	if (copy_from_user(&call, user, sizeof(call)))
		return -EFAULT;
	ret = rm_answer(&call);
	if (!ret && copy_to_user(user, &call, sizeof(call)))
		ret = -EFAULT;
	if (rm_answered_sleep_ms)
		msleep_interruptible(rm_answered_sleep_ms);
	return ret;
}

noinline rm_traced long rm_unlocked_ioctl(struct file *file, unsigned int cmd, unsigned long argument)
{
	return rm_ioctl(cmd, argument);
}

noinline int rm_open(struct inode *inode, struct file *file)
{
	return nonseekable_open(inode, file);
}

static const struct file_operations rm_fops = {
	.owner = THIS_MODULE,
	.open = rm_open,
	.unlocked_ioctl = rm_unlocked_ioctl,
};

/* The real one has major 195 and minor 255; nobody here asks for them. */
static struct miscdevice rm_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "nvidiactl",
	.mode = 0666,
	.fops = &rm_fops,
};

int rm_init(void)
{
	int ret = rm_control_init();

	if (ret)
		return ret;
	ret = misc_register(&rm_device);
	if (ret)
		rm_control_exit();
	return ret;
}

void rm_exit(void)
{
	misc_deregister(&rm_device);
	rm_control_exit();
}
