/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VGPU_UNLOCK_DAEMON_H
#define VGPU_UNLOCK_DAEMON_H

#include <linux/cred.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/string.h>

/* Both daemons' names begin with the same eight bytes, which are compared at once. `leader` is a process's. */
static __always_inline bool vu_has_daemons_name(const struct task_struct *leader)
{
	return !memcmp(leader->comm, "nvidia-v", 8);
}

/*
 * Whether the calling process may be one of the two vGPU daemons. Asked for every RM control call of every
 * process while one of them is there.
 */
static __always_inline bool vu_may_be_daemon(void)
{
	/* The leader's name: a thread may have been given another one. */
	return vu_has_daemons_name(current->group_leader);
}

/*
 * Whether it is one, run by root. A container's root may take their names, but is in another namespace of
 * processes.
 */
static inline bool vu_is_daemon(void)
{
	const char *name = current->group_leader->comm + 8;

	return vu_may_be_daemon() &&
	       (!strncmp(name, "gpud", TASK_COMM_LEN - 8) ||
		!strncmp(name, "gpu-mgr", TASK_COMM_LEN - 8)) &&
	       uid_eq(current_euid(), GLOBAL_ROOT_UID) &&
	       task_active_pid_ns(current) == &init_pid_ns;
}

#endif
