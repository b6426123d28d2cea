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
#define RM_INSUFFICIENT_RESOURCES 0x1a
#define RM_INVALID_ARGUMENT 0x1f
#define RM_INVALID_OBJECT 0x31
#define RM_INVALID_PARAM_STRUCT 0x3a
#define RM_NO_MEMORY 0x51
#define RM_NOT_SUPPORTED 0x56
#define RM_GENERIC 0xffff

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
/* Milliseconds that a call sleeps in the driver, before it is answered and afterwards. */
extern uint rm_sleep_ms;
extern uint rm_answered_sleep_ms;
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

/* What the board's check says. */
bool may_host_vgpus(void);

/* One vGPU type. */
struct rm_type {
	u32 number;
	u16 subsystem;
	u32 gib;
	const struct rm_type_class *class;
};

/* NULL where there is no such type. */
const struct rm_type *rm_type(u32 number);
/* Writes the numbers of all types, and returns how many they are. */
u32 rm_type_ids(u32 *ids, u32 max);
u32 rm_type_max_instances(const struct rm_type *type);
/* Both write a line with its newline, and return a status. */
u32 rm_type_name(u32 number, char *buf, size_t size);
u32 rm_type_description(u32 number, char *buf, size_t size);
/* Writes the type over all of the size bytes at info. */
void rm_type_info(const struct rm_branch *branch, u8 *info, u32 size, const struct rm_type *type,
		  bool by_number);

#define RM_UUID_SIZE 16
/* Create and delete a vGPU; refused without a board that may host vGPUs, and where there is no room. */
u32 rm_vgpu_create(const u8 *uuid, u32 number, u16 *id);
u32 rm_vgpu_delete(const u8 *uuid, u16 id);
/* Writes how many more vGPUs of a type there can be, as a line, and returns a status. */
u32 rm_vgpu_instances(u32 number, char *buf, size_t size);
/* The vGPU that was created last; false if there is none. */
bool rm_vgpu_last(u8 *uuid, u32 *type, u16 *id);

/* vgpu_vfio_interface.c: nvidia-vgpud has told all types, of the board that comes and goes. */
u32 rm_types_announced(void);
struct pci_dev;
void rm_board_comes(struct pci_dev *pci_dev);
void rm_board_goes(struct pci_dev *pci_dev);

/* ask.S: the blob's check; like all of the blob it has a second stack in %rbp. */
u32 standin_ask(void *object, void *stack);

#endif
