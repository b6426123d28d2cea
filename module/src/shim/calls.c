// SPDX-License-Identifier: GPL-2.0
/*
 * The vGPU daemons' RM control calls, seen after the driver has answered.
 *
 * Everybody's ioctls go through one hook at the function's entry, which lets them pass. A daemon's is sent
 * to a stub that does nothing but jump to the function, behind the instruction that the hook sits on. The
 * return probe sits on the stub, so only daemons pay for it, and only they use up its instances. While the
 * driver works, nothing of ours is on the stack, so rmmod does not wait for a driver that sleeps.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/static_call.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>

#include "daemon.h"
#include "probe.h"
#include "rest.h"

/* --- what the task that made a call does before it is back in user space */

/* One call, and room for the kernel to queue it. It belongs to whoever set `taken`. */
struct vu_job {
	struct callback_head head;
	u32 command;
	unsigned long argument;
	atomic_t taken;
};

/*
 * Calls that may be under way at once: each vGPU has an nvidia-vgpu-mgr with a handful of threads. They are
 * static, for the driver may be gone before a task gets round to its job.
 */
#define VU_CALLS 1024

static struct vu_job vu_jobs[VU_CALLS];
/* Where to begin to look for a free one, so that callers do not fight for the first. */
static atomic_t vu_next = ATOMIC_INIT(0);
static atomic64_t vu_dropped = ATOMIC64_INIT(0);

/* The kernel keeps task_work_add() to itself; a call of a static_call is direct, as if it did not. */
static int vu_no_task_work(struct task_struct *task, struct callback_head *work,
			   enum task_work_notify_mode notify)
{
	return -ENODEV;
}

DEFINE_STATIC_CALL(vu_task_work_add, vu_no_task_work);

static void vu_job_run(struct callback_head *head)
{
	struct vu_job *job = container_of(head, struct vu_job, head);

	vu_answered(job->command, job->argument);
	atomic_set_release(&job->taken, 0);
}

static void vu_job_add(u32 command, unsigned long argument)
{
	unsigned int start = atomic_inc_return(&vu_next);
	unsigned int i;

	for (i = 0; i < VU_CALLS; i++) {
		struct vu_job *job = &vu_jobs[(start + i) % VU_CALLS];

		if (atomic_cmpxchg_acquire(&job->taken, 0, 1))
			continue;
		job->command = command;
		job->argument = argument;
		init_task_work(&job->head, vu_job_run);
		if (!static_call(vu_task_work_add)(current, &job->head, TWA_RESUME))
			return;
		/* The task is exiting: it will never look at its memory again. */
		atomic_set_release(&job->taken, 0);
		break;
	}
	atomic64_inc(&vu_dropped);
}

void vu_calls_wait(void)
{
	unsigned int i;

	for (i = 0; i < VU_CALLS; i++) {
		while (atomic_read_acquire(&vu_jobs[i].taken))
			msleep(1);
	}
}

/* --- the detour */

static long vu_no_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	return -ENODEV;
}

DEFINE_STATIC_CALL(vu_ioctl, vu_no_ioctl);

/*
 * Only ever jumped to, by the hook, in the place of the driver's function. The call below has to become a
 * jump, or this would stay on the stack: a test looks at the object.
 */
long vu_ioctl_stub(struct file *file, unsigned int command, unsigned long argument);
noinline long vu_ioctl_stub(struct file *file, unsigned int command, unsigned long argument)
{
	return static_call(vu_ioctl)(file, command, argument);
}

static void vu_detour_daemon(struct ftrace_ops *ops, vu_regs *regs)
{
	if (vu_is_daemon() && !READ_ONCE(vu_hook_of(ops)->stuck))
		vu_divert(regs, (unsigned long)vu_ioctl_stub);
}

static struct vu_wanted vu_wanted;

/* Reads user memory that is there. In the hook nobody can wait for what is not. */
#define vu_glance(value, address) ({                                            \
	int vu_fault;                                                           \
	pagefault_disable();                                                    \
	vu_fault = get_user(value, (typeof(value) __user *)(address));          \
	pagefault_enable();                                                     \
	!vu_fault;                                                              \
})

/* Whether a call may be one whose answer is wanted: yes also where that can't be seen now. */
static bool vu_may_be_wanted(u8 number, unsigned long argument)
{
	u32 command, i;
	u64 pointer;

	if (number == VU_IOCTL_XFER) {
		/* u32 command, u32 size, u64 pointer */
		if (!vu_glance(command, argument) || !vu_glance(pointer, argument + 8))
			return true;
		if (command != VU_IOCTL_CONTROL)
			return false;
		argument = pointer;
	}
	if (!vu_glance(command, argument + vu_wanted.offset))
		return true;
	for (i = 0; i < vu_wanted.count; i++) {
		if (vu_wanted.commands[i] == command)
			return true;
	}
	return false;
}

static noinline void vu_detour_wanted(struct ftrace_ops *ops, vu_regs *regs)
{
	if (vu_may_be_wanted(vu_argument(regs, 1), vu_argument(regs, 2)))
		vu_detour_daemon(ops, regs);
}

void vu_ioctl_called(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, vu_regs *regs)
{
	/* An ioctl's number is the lowest byte of its command. */
	u8 number = vu_argument(regs, 1);

	/* What everybody pays for ends here for nearly all. */
	if ((number == VU_IOCTL_CONTROL || number == VU_IOCTL_XFER) && vu_may_be_daemon())
		vu_detour_wanted(ops, regs);
}

struct vu_call {
	u32 command;
	unsigned long argument;
};

static atomic64_t vu_seen = ATOMIC64_INIT(0);

static int vu_ioctl_entered(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct vu_call *call = (struct vu_call *)instance->data;

	call->command = regs_get_kernel_argument(regs, 1);
	call->argument = regs_get_kernel_argument(regs, 2);
	return 0;
}

static int vu_ioctl_returned(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct vu_call *call = (struct vu_call *)instance->data;

	atomic64_inc(&vu_seen);
	/* What RM says is in user memory; an ioctl that failed has left nothing there. */
	if (!regs_return_value(regs))
		vu_job_add(call->command, call->argument);
	return 0;
}

static struct kretprobe vu_return;

static int vu_return_place(void)
{
	int ret;

	/* What was left from an earlier time would be in the way. */
	memset(&vu_return, 0, sizeof(vu_return));
	vu_return.kp.symbol_name = "vgpu_unlock:vu_ioctl_stub";
	vu_return.kp.flags = KPROBE_FLAG_DISABLED;
	vu_return.entry_handler = vu_ioctl_entered;
	vu_return.handler = vu_ioctl_returned;
	vu_return.data_size = sizeof(struct vu_call);
	vu_return.maxactive = VU_CALLS;
	ret = register_kretprobe(&vu_return);
	if (ret)
		return ret;
	ret = vu_arm(&vu_return.kp);
	if (ret) {
		unregister_kretprobe(&vu_return);
		vu_left(&vu_return.kp);
	}
	return ret;
}

int vu_calls_watch(const char *symbol, const char *open, const struct vu_wanted *wanted)
{
	unsigned long add = vu_address_of("task_work_add");
	unsigned long ioctl = vu_address_of(symbol);
	int ret;

	if (IS_ERR_VALUE(ioctl))
		return (long)ioctl;
	if (IS_ERR_VALUE(add))
		return (long)add == -ENOENT ? -EOPNOTSUPP : (long)add;
	/* A probe that the kernel could not take away is still there. */
	if (vu_hooks_stuck())
		return -EBUSY;
	/* No hook is in place that would look at it. */
	vu_wanted = *wanted;
	static_call_update(vu_task_work_add, (typeof(&vu_no_task_work))add);
	/* The hook sits on the first instruction, or the one behind the ENDBR. */
	static_call_update(vu_ioctl, (typeof(&vu_no_ioctl))(ioctl + MCOUNT_INSN_SIZE));
	ret = vu_return_place();
	if (ret)
		return ret;
	ret = vu_rest_begin(symbol, open);
	if (!ret)
		return 0;
	unregister_kretprobe(&vu_return);
	vu_left(&vu_return.kp);
	return ret;
}

void vu_calls_unwatch(void)
{
	/* The function behind the stub may be gone soon. */
	vu_rest_end();
	/* Returns when no handler runs any more. */
	unregister_kretprobe(&vu_return);
	vu_left(&vu_return.kp);
}

u64 vu_calls_hits(void)
{
	return atomic64_read(&vu_seen);
}

u64 vu_calls_lost(void)
{
	return atomic64_read(&vu_dropped) + READ_ONCE(vu_return.nmissed);
}
