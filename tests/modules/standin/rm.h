/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RM control: what NVIDIA's daemons ask the driver by ioctl.
 *
 * Numbers and structures are those of NVIDIA's MIT-licensed headers nvos.h, nvstatuscodes.h,
 * nv-ioctl.h, nv_escape.h, ctrl0000vgpu.h, ctrl0080gpu.h, ctrl2080bus.h, ctrl2080gpu.h, ctrl9096.h
 * and ctrla081.h. 0xa0820102 and 0xa0820104 are in none; they are what nvidia-vgpu-mgr asks.
 */
#ifndef STANDIN_RM_H
#define STANDIN_RM_H

#include <linux/types.h>

#define RM_OK 0x00
#define RM_BUSY_RETRY 0x03
#define RM_INVALID_ARGUMENT 0x1f
#define RM_INVALID_OBJECT 0x31
#define RM_INVALID_PARAM_STRUCT 0x3a
#define RM_NOT_SUPPORTED 0x56

/* No parameters here are longer. */
#define RM_MAX_PARAMS 16384

/* NVOS54 */
struct rm_call {
	u32 client;
	u32 object;
	u32 cmd;
	u32 flags;
	u64 params;
	u32 params_size;
	u32 status;
};

/* What an answer consists of. */
struct rm_answer {
	u32 status;
	/* Whether the parameters are copied to the caller although the status is an error. */
	bool always;
};

int rm_init(void);
void rm_exit(void);

/* Answers a command whose parameters are at params. */
struct rm_answer rm_control(u32 cmd, u8 *params, u32 size);
/* Milliseconds that a call sleeps in the driver before it is answered. */
extern uint rm_sleep_ms;
int rm_control_init(void);
void rm_control_exit(void);

/* The sizes of structures in the drivers of one branch. */
struct rm_branch {
	uint number;
	u32 type_by_number;
	u32 type_of_vgpu;
	u32 create_device;
	u32 virtualization_mode;
};

/* NULL where there is no such branch. */
const struct rm_branch *rm_branch(uint number);
/* Writes the vGPU type number type over all of the size bytes at info. */
void rm_type_info(const struct rm_branch *branch, u8 *info, u32 size, u32 type, bool by_number);

/* ask.S: the blob's check; like all of the blob it has a second stack in %rbp. */
u32 standin_ask(void *object, void *stack);

#endif
