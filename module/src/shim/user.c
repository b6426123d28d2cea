// SPDX-License-Identifier: GPL-2.0
/* The calling process and its memory. */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "shim.h"

bool vu_is_manager(void)
{
	return !strncmp(current->group_leader->comm, "nvidia-vgpu-mgr", TASK_COMM_LEN);
}

static void vu_describe(struct task_struct *task, struct vu_process *process)
{
	process->number = task_tgid_nr(task);
	process->born = task->group_leader->start_time;
}

void vu_processes(struct vu_process *self, struct vu_process *parent)
{
	vu_describe(current, self);
	rcu_read_lock();
	vu_describe(rcu_dereference(current->real_parent), parent);
	rcu_read_unlock();
}

bool vu_user_read(void *to, u64 from, size_t len)
{
	/* A task that is exiting has no memory of its own any more, but may still see another's. */
	return current->mm && !copy_from_user(to, u64_to_user_ptr(from), len);
}

bool vu_user_write(u64 to, const void *from, size_t len)
{
	return current->mm && !copy_to_user(u64_to_user_ptr(to), from, len);
}

void *vu_user_copy(u64 from, size_t len)
{
	void *copy = current->mm ? memdup_user(u64_to_user_ptr(from), len) : NULL;

	return IS_ERR(copy) ? NULL : copy;
}

bool vu_user_text(u64 *start, u64 *end)
{
	if (!current->mm)
		return false;
	/* Set when the program is started, and by hardly anyone later. */
	*start = READ_ONCE(current->mm->start_code);
	*end = READ_ONCE(current->mm->end_code);
	return *start < *end;
}

int vu_user_poke(u64 to, const void *from, size_t len)
{
	int done = access_process_vm(current, to, (void *)from, len, FOLL_FORCE | FOLL_WRITE);

	if (done < 0)
		return done;
	return done == len ? 0 : -EFAULT;
}
