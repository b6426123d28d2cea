/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vgpu_unlock_probe: lets a test call and read what a loaded nvidia.ko keeps to itself.
 *
 * It knows the driver's functions by signatures and symbols of its own, so that it can contradict
 * the module under test. It keeps nothing between two requests: the driver may come and go.
 */
#ifndef VGPU_UNLOCK_PROBE_H
#define VGPU_UNLOCK_PROBE_H

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/types.h>

#define REPLY_SIZE 4096

/* A debugfs file: writing a request runs it, reading gives the reply to the last one. */
struct command {
	const char *name;
	/* Fills reply (REPLY_SIZE bytes) and returns 0, or a negative errno. */
	int (*run)(char *request, char *reply);
	char reply[REPLY_SIZE];
};

void command_create(struct command *command, struct dentry *dir);

/* The loaded nvidia.ko, pinned until driver_put(); NULL where there is none. */
struct module *driver_get(void);
void driver_put(struct module *driver);
/* Address of a function or datum, static ones included; NULL where there is none. */
void *driver_symbol(struct module *driver, const char *name);

/* A part of its memory: its text, or what is read only. */
enum part { TEXT, RODATA };
void *driver_part(const struct module *driver, enum part part, size_t *size);

/* Groups of debugfs files, one source file each. */
void sites_create(struct dentry *dir);
void blob_create(struct dentry *dir);
void blob_stop(void);
void memory_create(struct dentry *dir);

/* call.S: the blob keeps a second stack in %rbp, which no C code can set up. */
u32 probe_call(void *function, void *object, void *stack);
/* Jumps to the middle of a function; comes back when something diverts to probe_jump_back. */
u32 probe_jump(void *site, void *object, void *stack, u32 eax);
extern char probe_jump_back[];

#endif
