// SPDX-License-Identifier: GPL-2.0
/*
 * RM's answers. Whether the board may host vGPUs is for the blob's check to say, as in the real
 * driver: without that, nothing about vGPUs is answered but 0x56.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>
#ifdef HAVE_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
#include <linux/uuid.h>

#include "rm.h"
#include "variant.h"

#define VENDOR 0x10de

#define CMD_VGPU_GET_START_DATA 0xc01
#define CMD_VGPU_CREATE_DEVICE 0xc02
#define CMD_GPU_GET_VIRTUALIZATION_MODE 0x800289
#define CMD_GPU_GET_INFOROM_OBJECT_VERSION 0x2080014b
#define CMD_BUS_GET_PCI_INFO 0x20801801
#define CMD_GET_ZBC_CLEAR_TABLE 0x90960103
#define CMD_VGPU_CONFIG_SET_INFO 0xa0810101
#define CMD_VGPU_CONFIG_GET_VGPU_TYPE_INFO 0xa0810103
#define CMD_VGPU_CONFIG_GET_MIGRATION_CAP 0xa0810112
#define CMD_HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO 0xa0820102
#define CMD_HOST_VGPU_DEVICE_0104 0xa0820104
/* Not a command of NVIDIA's: one that succeeds and that nobody has a reason to change. */
#define CMD_NEUTRAL 0x208018ff

/* The real one's board may be any; the blob asks for these, and PCI info shows them. */
static ushort device = 0x1b06;
module_param(device, ushort, 0444);
MODULE_PARM_DESC(device, "device ID that RM control knows the board by");
static ushort subsystem = 0x120f;
module_param(subsystem, ushort, 0444);
MODULE_PARM_DESC(subsystem, "subsystem ID of the same");

static uint branch = STANDIN_BRANCH;
module_param(branch, uint, 0444);
MODULE_PARM_DESC(branch, "branch whose structures are used: 450, 460, 470, 525, 535, 550, 570, 580, 58094");

static uint busy;
module_param(busy, uint, 0644);
MODULE_PARM_DESC(busy, "command that is answered with status 3, \"ask again\"");

static uint odd_size;
module_param(odd_size, uint, 0644);
MODULE_PARM_DESC(odd_size, "size that every command accepts besides its own");

uint rm_answered_sleep_ms;
module_param_named(answered_sleep_ms, rm_answered_sleep_ms, uint, 0644);
MODULE_PARM_DESC(answered_sleep_ms, "how long a call sleeps in the driver when it has its answer");

uint rm_sleep_ms;
module_param_named(sleep_ms, rm_sleep_ms, uint, 0644);
MODULE_PARM_DESC(sleep_ms, "how long a call sleeps in the driver");

static char uuid[UUID_STRING_LEN + 1] = "00000001-0000-0000-0000-000000000100";
module_param_string(uuid, uuid, sizeof(uuid), 0644);
MODULE_PARM_DESC(uuid, "UUID of the vGPU that starts where none was created");
static uint vgpu_type = 46;
module_param(vgpu_type, uint, 0644);
MODULE_PARM_DESC(vgpu_type, "number of its type");
static uint vm_pid = 4242;
module_param(vm_pid, uint, 0644);
MODULE_PARM_DESC(vm_pid, "process ID of its virtual machine");

static const struct rm_branch *sizes;

/* What the blob's check looks at: large enough for every branch. */
#define OBJECT_SIZE 0x5000
#if STANDIN_BRANCH >= 550
#define DEVICE_OFFSET 0xaa2
#define SUBSYSTEM_OFFSET 0xaaa
#else
#define DEVICE_OFFSET 0xa6a
#define SUBSYSTEM_OFFSET 0xa6e
#endif
static u8 *object;

bool may_host_vgpus(void)
{
	u8 stack[128] __aligned(16);

	memset(stack, 0, sizeof(stack));
	return standin_ask(object, stack + sizeof(stack) / 2);
}

static u32 pci_info(u8 *params)
{
	put_unaligned_le32(device << 16 | VENDOR, params);
	put_unaligned_le32(subsystem << 16 | VENDOR, params + 4);
	put_unaligned_le32(0xa1, params + 8);
	put_unaligned_le32(device, params + 12);
	return RM_OK;
}

static u32 start_data(u8 *params)
{
	u32 type = vgpu_type;
	guid_t guid;
	u16 id = 7;

	if (!rm_vgpu_last(guid.b, &type, &id) && guid_parse(uuid, &guid))
		return RM_INVALID_ARGUMENT;
	memset(params, 0, 1056);
	export_guid(params, &guid);
	scnprintf(params + 16, 1024, "vgpu_type_id=%u", type);
	put_unaligned_le32(vm_pid, params + 1040);
	put_unaligned_le32(0x300, params + 1044);
	put_unaligned_le16(id, params + 1048);
	put_unaligned_le32(0x300, params + 1052);
	return RM_OK;
}

static u32 create_device(u8 *params)
{
	put_unaligned_le16(7, params + 28);
	return RM_OK;
}

static u32 type_info(u8 *params, u32 size, bool by_number)
{
	const struct rm_type *type;

	if (size < sizeof(u32))
		return RM_INVALID_PARAM_STRUCT;
	type = rm_type(get_unaligned_le32(params));
	if (!type)
		return RM_INVALID_ARGUMENT;
	rm_type_info(sizes, params, size, type, by_number);
	return RM_OK;
}

/*
 * NVA081_CTRL_VGPU_CONFIG_INFO_PARAMS of ctrla081.h: one type, in the same place as in the type by
 * number, and behind it whether it is the last one. RM takes over what it is told of a type; the
 * stand-in has that already, and checks no more than the number.
 */
#define SET_INFO_TYPE 8
#define SET_INFO_EXTRA 8
#define STATE_READY 2

static u32 set_info(const u8 *params, u32 size)
{
	if (!rm_type(get_unaligned_le32(params + SET_INFO_TYPE)))
		return RM_INVALID_ARGUMENT;
	if (get_unaligned_le32(params + size - SET_INFO_EXTRA) != STATE_READY)
		return RM_OK;
	return rm_types_announced();
}

static u32 migration_cap(u8 *params)
{
	params[0] = 0;
	return RM_OK;
}

/* The size of a command's parameters; -1 where there is no such command. */
static int params_size(u32 cmd)
{
	switch (cmd) {
	case CMD_VGPU_GET_START_DATA:
		return 1056;
	case CMD_VGPU_CREATE_DEVICE:
		return sizes->create_device;
	case CMD_GPU_GET_VIRTUALIZATION_MODE:
		return sizes->virtualization_mode;
	case CMD_GPU_GET_INFOROM_OBJECT_VERSION:
		return 5;
	case CMD_BUS_GET_PCI_INFO:
	case CMD_HOST_VGPU_DEVICE_0104:
		return 16;
	case CMD_GET_ZBC_CLEAR_TABLE:
		return 48;
	case CMD_NEUTRAL:
		return 256;
	case CMD_VGPU_CONFIG_SET_INFO:
		return sizes->type_by_number + SET_INFO_EXTRA;
	case CMD_VGPU_CONFIG_GET_VGPU_TYPE_INFO:
		return sizes->type_by_number;
	case CMD_VGPU_CONFIG_GET_MIGRATION_CAP:
		return 1;
	case CMD_HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO:
		return sizes->type_of_vgpu;
	default:
		return -1;
	}
}

/* Whether a command is about vGPUs. */
static bool needs_vgpus(u32 cmd)
{
	return cmd == CMD_VGPU_GET_START_DATA || cmd == CMD_VGPU_CREATE_DEVICE ||
	       cmd == CMD_VGPU_CONFIG_SET_INFO || cmd == CMD_VGPU_CONFIG_GET_VGPU_TYPE_INFO ||
	       cmd == CMD_VGPU_CONFIG_GET_MIGRATION_CAP ||
	       cmd == CMD_HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO;
}

static u32 answer(u32 cmd, u8 *params, u32 size)
{
	switch (cmd) {
	case CMD_VGPU_GET_START_DATA:
		return start_data(params);
	case CMD_VGPU_CREATE_DEVICE:
		return create_device(params);
	case CMD_BUS_GET_PCI_INFO:
		return pci_info(params);
	case CMD_VGPU_CONFIG_SET_INFO:
		return set_info(params, size);
	case CMD_VGPU_CONFIG_GET_VGPU_TYPE_INFO:
		return type_info(params, size, true);
	case CMD_HOST_VGPU_DEVICE_GET_VGPU_TYPE_INFO:
		return type_info(params, size, false);
	case CMD_VGPU_CONFIG_GET_MIGRATION_CAP:
		return migration_cap(params);
	case CMD_GPU_GET_VIRTUALIZATION_MODE:
		/* No mode, and behind it that this is a build for vGPUs. */
		memset(params, 0, size);
		if (size > sizeof(u32))
			params[sizeof(u32)] = 1;
		return RM_NOT_SUPPORTED;
	case CMD_NEUTRAL:
		memset(params, 0xa5, size);
		return RM_OK;
	case CMD_GET_ZBC_CLEAR_TABLE:
		return RM_INVALID_OBJECT;
	default:
		return RM_NOT_SUPPORTED;
	}
}

struct rm_answer rm_control(u32 cmd, u8 *params, u32 size)
{
	struct rm_answer result = { .always = cmd == CMD_GPU_GET_VIRTUALIZATION_MODE };
	int expected = params_size(cmd);

	if (expected < 0) {
		result.status = RM_NOT_SUPPORTED;
		return result;
	}
	/* Parameters longer than a command's own can do no harm here. */
	if (size != expected && (size != odd_size || size < expected)) {
		result.status = RM_INVALID_PARAM_STRUCT;
		result.always = false;
		return result;
	}
	if (needs_vgpus(cmd) && !may_host_vgpus()) {
		result.status = RM_NOT_SUPPORTED;
		return result;
	}
	result.status = answer(cmd, params, size);
	/* With all of the answer in place, so that a change of it would show. */
	if (cmd == busy) {
		result.status = RM_BUSY_RETRY;
		result.always = true;
	}
	return result;
}

int rm_control_init(void)
{
	sizes = rm_branch(branch);
	if (!sizes)
		return -EINVAL;
	object = kvzalloc(OBJECT_SIZE, GFP_KERNEL);
	if (!object)
		return -ENOMEM;
	put_unaligned_le16(VENDOR, object + DEVICE_OFFSET - sizeof(u16));
	put_unaligned_le16(device, object + DEVICE_OFFSET);
	put_unaligned_le16(VENDOR, object + SUBSYSTEM_OFFSET - sizeof(u16));
	put_unaligned_le16(subsystem, object + SUBSYSTEM_OFFSET);
	return 0;
}

void rm_control_exit(void)
{
	kvfree(object);
}
