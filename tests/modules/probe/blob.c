// SPDX-License-Identifier: GPL-2.0
/*
 * Plays the blob: what it does with a board's BAR3 while a vGPU starts, by the driver's functions.
 *
 *   play: "ADDRESS SIZE" of BAR3 (hexadecimal) -> magic and key, as read
 *   load: "ADDRESS SIZE THREADS" reads magic and key over and over, "stop" ends that; the reply is
 *         how often it was done. The driver stays pinned in between.
 */
#include <linux/atomic.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "probe.h"

#define MAGIC_OFFSET 0x29624
#define KEY_OFFSET 0x29634
#define PART 16
#define MEMORY_UNCACHED 1
#define MAX_THREADS 8

struct blob {
	struct module *driver;
	void *(*map)(u64 start, u64 size, u32 mode);
	void (*unmap)(void *addr, u64 size);
	void *(*copy)(void *dst, const void *src, u32 len);
	void *bar3;
	u64 size;
};

/*
 * Calls through pointers to functions whose ENDBR the kernel has sealed would crash on a CPU with
 * indirect branch tracking. The test machine's has none.
 */
static int blob_begin(struct blob *blob, u64 address, u64 size)
{
	if (size < KEY_OFFSET + PART)
		return -EINVAL;
	blob->driver = driver_get();
	if (!blob->driver)
		return -ENODEV;
	blob->map = driver_symbol(blob->driver, "os_map_kernel_space");
	blob->unmap = driver_symbol(blob->driver, "os_unmap_kernel_space");
	blob->copy = driver_symbol(blob->driver, "os_mem_copy");
	blob->size = size;
	if (blob->map && blob->unmap && blob->copy)
		blob->bar3 = blob->map(address, size, MEMORY_UNCACHED);
	if (blob->bar3)
		return 0;
	driver_put(blob->driver);
	return -ENOENT;
}

static void blob_read(struct blob *blob, u8 *magic_and_key)
{
	blob->copy(magic_and_key, blob->bar3 + MAGIC_OFFSET, PART);
	blob->copy(magic_and_key + PART, blob->bar3 + KEY_OFFSET, PART);
}

static void blob_end(struct blob *blob)
{
	blob->unmap(blob->bar3, blob->size);
	driver_put(blob->driver);
	memset(blob, 0, sizeof(*blob));
}

static int play_run(char *request, char *reply)
{
	struct blob blob = {};
	u8 read[2 * PART];
	u64 address, size;
	int ret;

	if (sscanf(request, "%llx %llx", &address, &size) != 2)
		return -EINVAL;
	ret = blob_begin(&blob, address, size);
	if (ret)
		return ret;
	blob_read(&blob, read);
	blob_end(&blob);
	scnprintf(reply, REPLY_SIZE, "%*phN\n", (int)sizeof(read), read);
	return 0;
}

static struct blob loaded;
static struct task_struct *threads[MAX_THREADS];
static atomic_long_t rounds;

static int load_thread(void *unused)
{
	u8 read[2 * PART];

	while (!kthread_should_stop()) {
		blob_read(&loaded, read);
		atomic_long_inc(&rounds);
		/*
		 * Not cond_resched(): ftrace waits for every task to have slept once, and would wait
		 * for this one for ever, while holding its lock.
		 */
		cond_resched_tasks_rcu_qs();
	}
	return 0;
}

void blob_stop(void)
{
	size_t i;

	for (i = 0; i < MAX_THREADS; i++) {
		if (threads[i])
			kthread_stop(threads[i]);
		threads[i] = NULL;
	}
	if (loaded.driver)
		blob_end(&loaded);
}

static int load_start(u64 address, u64 size, unsigned int count)
{
	unsigned int i;
	int ret;

	if (loaded.driver || count > MAX_THREADS)
		return -EBUSY;
	ret = blob_begin(&loaded, address, size);
	if (ret) {
		memset(&loaded, 0, sizeof(loaded));
		return ret;
	}
	atomic_long_set(&rounds, 0);
	for (i = 0; i < count; i++) {
		struct task_struct *thread = kthread_run(load_thread, NULL, "probe_load/%u", i);

		if (IS_ERR(thread)) {
			blob_stop();
			return PTR_ERR(thread);
		}
		threads[i] = thread;
	}
	return 0;
}

static int load_run(char *request, char *reply)
{
	u64 address, size;
	unsigned int count;
	int ret = 0;

	if (!strcmp(request, "stop"))
		blob_stop();
	else if (sscanf(request, "%llx %llx %u", &address, &size, &count) == 3)
		ret = load_start(address, size, count);
	else
		ret = -EINVAL;
	scnprintf(reply, REPLY_SIZE, "%ld\n", atomic_long_read(&rounds));
	return ret;
}

static struct command play_command = { .name = "play", .run = play_run };
static struct command load_command = { .name = "load", .run = load_run };

void blob_create(struct dentry *dir)
{
	command_create(&play_command, dir);
	command_create(&load_command, dir);
}
