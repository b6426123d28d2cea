// SPDX-License-Identifier: GPL-2.0
/*
 * The hook on the driver's ioctl is in place while there is a vGPU daemon, and rests otherwise: everybody
 * pays for it, and nobody else has a use for it.
 *
 * A daemon opens the driver's device before it asks for anything, so its open() has the hook placed again:
 * it is sent to a stub that does so, and goes on with the driver's function. Where open() can't be hooked,
 * the hook on the ioctl never rests. A process that has come to the device otherwise (it was handed an open
 * file, or took a daemon's name later) has its calls seen once there is a process with such a name that
 * opens the device.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/static_call.h>
#include <linux/workqueue.h>

#include "daemon.h"
#include "hook.h"
#include "rest.h"

/* How long after the last daemon came there is no look whether one is there. */
#define VU_REST_AFTER (30 * HZ)

/* Of what follows. The kernel's own locks are taken with it held. */
static DEFINE_MUTEX(vu_rest_lock);
/* The ioctl; NULL where it is not to be hooked. */
static const char *vu_rest_symbol;
static struct vu_hook *vu_ioctl_hook;
static struct vu_hook *vu_open_hook;
/* When one of the daemons opened the device last. */
static unsigned long vu_opened;
/* Why the hook could not be placed again; 0 where it could. */
static int vu_rest_error;

/* Daemons that are with the stub, and may sleep there. */
static atomic_t vu_opening = ATOMIC_INIT(0);

/* Whether a process has a daemon's name; whose it is does not matter here. */
static bool vu_daemon_lives(void)
{
	struct task_struct *task;
	bool lives = false;

	rcu_read_lock();
	for_each_process(task) {
		if (vu_has_daemons_name(task)) {
			lives = true;
			break;
		}
	}
	rcu_read_unlock();
	return lives;
}

static int vu_rest_place(void)
{
	int ret = -EBUSY;

	/* One that the kernel could not take away is still there. */
	if (!vu_hooks_stuck())
		WRITE_ONCE(vu_ioctl_hook, vu_hook_place(VU_HOOK_IOCTL, vu_rest_symbol, NULL, &ret));
	return vu_ioctl_hook ? 0 : ret;
}

/* Has the status and the log say it. */
static void vu_rest_say(int error)
{
	if (error == vu_rest_error)
		return;
	WRITE_ONCE(vu_rest_error, error);
	vu_work_schedule();
}

static void vu_rest_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(vu_rest_work, vu_rest_look);

static void vu_rest_look(struct work_struct *work)
{
	bool wanted;

	mutex_lock(&vu_rest_lock);
	if (vu_rest_symbol) {
		wanted = time_before(jiffies, vu_opened + VU_REST_AFTER) || vu_daemon_lives();
		if (wanted && !vu_ioctl_hook) {
			/* What was in the way may be gone. */
			vu_rest_say(vu_rest_place());
		} else if (!wanted) {
			/* With something stuck it could not be placed again. */
			if (vu_ioctl_hook && !vu_hooks_stuck()) {
				vu_hook_remove(vu_ioctl_hook);
				WRITE_ONCE(vu_ioctl_hook, NULL);
			}
			vu_rest_say(!vu_ioctl_hook && vu_hooks_stuck() ? -EBUSY : 0);
		}
		if (wanted || vu_ioctl_hook)
			schedule_delayed_work(&vu_rest_work, VU_REST_AFTER);
	}
	mutex_unlock(&vu_rest_lock);
}

/* Has the hook in place before the daemon that calls this has the device. */
static noinline void vu_daemon_opens(void)
{
	atomic_inc(&vu_opening);
	mutex_lock(&vu_rest_lock);
	vu_opened = jiffies;
	if (vu_rest_symbol && !vu_ioctl_hook) {
		vu_rest_say(vu_rest_place());
		schedule_delayed_work(&vu_rest_work, VU_REST_AFTER);
	}
	mutex_unlock(&vu_rest_lock);
	atomic_dec(&vu_opening);
}

static int vu_no_open(struct inode *inode, struct file *file)
{
	return -ENODEV;
}

DEFINE_STATIC_CALL(vu_open, vu_no_open);

/*
 * Only ever jumped to, by the hook, in the place of the driver's function. The call at its end has to become
 * a jump: a driver that sets a board up while it is opened takes its time, and rmmod would wait.
 */
int vu_open_stub(struct inode *inode, struct file *file);
noinline int vu_open_stub(struct inode *inode, struct file *file)
{
	vu_daemon_opens();
	return static_call(vu_open)(inode, file);
}

void vu_open_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, vu_regs *regs)
{
	if (vu_is_daemon() && !READ_ONCE(vu_hook_of(ops)->stuck))
		vu_divert(regs, (unsigned long)vu_open_stub);
}

int vu_rest_begin(const char *ioctl, const char *open)
{
	unsigned long address = vu_address_of(open);
	int ret, refused;

	mutex_lock(&vu_rest_lock);
	vu_rest_symbol = ioctl;
	vu_rest_error = 0;
	vu_opened = jiffies;
	ret = vu_rest_place();
	if (!ret && !IS_ERR_VALUE(address)) {
		/* The hook sits on the first instruction, or the one behind the ENDBR. */
		static_call_update(vu_open, (typeof(&vu_no_open))(address + MCOUNT_INSN_SIZE));
		vu_open_hook = vu_hook_place(VU_HOOK_OPEN, open, NULL, &refused);
	}
	if (vu_open_hook)
		schedule_delayed_work(&vu_rest_work, VU_REST_AFTER);
	if (ret)
		vu_rest_symbol = NULL;
	mutex_unlock(&vu_rest_lock);
	return ret;
}

void vu_rest_end(void)
{
	mutex_lock(&vu_rest_lock);
	vu_rest_symbol = NULL;
	if (vu_open_hook)
		vu_hook_remove(vu_open_hook);
	vu_open_hook = NULL;
	if (vu_ioctl_hook)
		vu_hook_remove(vu_ioctl_hook);
	WRITE_ONCE(vu_ioctl_hook, NULL);
	mutex_unlock(&vu_rest_lock);
	/* Finds nothing to do any more, and so begins nothing anew. */
	cancel_delayed_work_sync(&vu_rest_work);
	/* Who was sent to a stub is past it after this, or was asleep in it, and is counted. */
	vu_wait_for_tails();
	if (atomic_read(&vu_opening)) {
		while (atomic_read(&vu_opening))
			msleep(1);
		vu_wait_for_tails();
	}
}

bool vu_calls_rest(void)
{
	return !READ_ONCE(vu_ioctl_hook);
}

int vu_calls_error(void)
{
	return READ_ONCE(vu_rest_error);
}
