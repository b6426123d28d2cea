// SPDX-License-Identifier: GPL-2.0
/* The log, locks, time and work in process context. */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "shim.h"

void vu_log(enum vu_level level, const char *text, int len)
{
	if (level == VU_WARN)
		pr_warn("vgpu_unlock: %.*s\n", len, text);
	else
		pr_info("vgpu_unlock: %.*s\n", len, text);
}

static DEFINE_MUTEX(vu_create_mutex);
static DEFINE_MUTEX(vu_lifecycle_mutex);
static DEFINE_MUTEX(vu_types_mutex);
static DEFINE_MUTEX(vu_answers_mutex);
static DEFINE_MUTEX(vu_told_mutex);
static DEFINE_MUTEX(vu_vgpud_mutex);
static DEFINE_MUTEX(vu_settings_mutex);

static struct mutex *vu_mutex_of(enum vu_mutex which)
{
	switch (which) {
	case VU_CREATE:
		return &vu_create_mutex;
	case VU_LIFECYCLE:
		return &vu_lifecycle_mutex;
	case VU_TYPES:
		return &vu_types_mutex;
	case VU_ANSWERS:
		return &vu_answers_mutex;
	case VU_TOLD:
		return &vu_told_mutex;
	case VU_VGPUD:
		return &vu_vgpud_mutex;
	default:
		return &vu_settings_mutex;
	}
}

void vu_lock(enum vu_mutex which)
{
	mutex_lock(vu_mutex_of(which));
}

void vu_unlock(enum vu_mutex which)
{
	mutex_unlock(vu_mutex_of(which));
}

struct vu_spinlock {
	raw_spinlock_t lock;
};

struct vu_spinlock *vu_spin_new(void)
{
	struct vu_spinlock *lock = kzalloc(sizeof(*lock), GFP_KERNEL);

	if (lock)
		raw_spin_lock_init(&lock->lock);
	return lock;
}

void vu_spin_free(struct vu_spinlock *lock)
{
	kfree(lock);
}

unsigned long vu_spin_lock(struct vu_spinlock *lock)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock->lock, flags);
	return flags;
}

void vu_spin_unlock(struct vu_spinlock *lock, unsigned long flags)
{
	raw_spin_unlock_irqrestore(&lock->lock, flags);
}

u64 vu_now(void)
{
	return ktime_get_ns();
}

void vu_sleep_ms(unsigned int ms)
{
	msleep(ms);
}

void vu_wait_for_tails(void)
{
	/* Where the kernel can't be preempted, this is synchronize_rcu(), which waits for them as well. */
	synchronize_rcu_tasks();
}

static void vu_work_fn(struct work_struct *work)
{
	vu_work_run();
}

static DECLARE_WORK(vu_work, vu_work_fn);

void vu_work_schedule(void)
{
	schedule_work(&vu_work);
}

void vu_work_cancel(void)
{
	cancel_work_sync(&vu_work);
}
