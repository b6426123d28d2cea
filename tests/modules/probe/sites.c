// SPDX-License-Identifier: GPL-2.0
/*
 * The blob's two device-ID checks.
 *
 *   board_check: "DEVICE SUBSYSTEM" (hexadecimal) -> what the check returns for such a board
 *   second_gate: "EAX BEFORE" -> what the local variable is behind the gate, when the call in front
 *                of it returned EAX and left BEFORE in the variable; where the gate is a function of
 *                its own: what that returns
 */
#include <linux/kprobes.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "probe.h"

#define ANY (-1)
/* The module under test may have put a breakpoint on this byte. */
#define HOOKED ANY
#define LEN(bytes) ARRAY_SIZE(bytes)

#define OBJECT_SIZE (1 << 20)
#define STACK_SIZE (64 << 10)
/* Leaves room above for a caller's frame. */
#define FRAME (STACK_SIZE - 1024)

#define VENDOR 0x10de

/*
 * Each signature starts behind the prologue, so that a probe on a function's first instructions
 * does not hide it. The numbers behind are offsets from the signature's start.
 */
static const s16 board_550[] = {
	0x80, 0xbf, ANY, ANY, 0x00, 0x00, 0x00, 0xc7, 0x45, 0x1c, 0x00, 0x00, 0x00, 0x00,
	0x8b, 0x9f, ANY, ANY, 0x00, 0x00, 0x44, 0x8b, 0xb7, ANY, ANY, 0x00, 0x00, 0x75,
};

static const s16 board_525[] = {
	0x80, 0xbf, ANY, ANY, 0x00, 0x00, 0x00, 0xb8, 0x01, 0x00, 0x00, 0x00, 0x75, ANY,
	0x80, 0xbf, ANY, ANY, 0x00, 0x00, 0x00, 0x75, ANY,
	0x0f, 0xb7, 0x8f, ANY, ANY, 0x00, 0x00, 0x81, 0xf9, 0x30, 0x1e, 0x00, 0x00,
};

static const s16 gate_550[] = {
	0x85, 0xc0, HOOKED, 0x07, HOOKED, 0x45, 0x0c, 0x00, 0x00, 0x00, 0x00,
	HOOKED, 0x0f, 0xb6, 0xb3, ANY, ANY, 0x00, 0x00, 0x45, 0x84, 0xf6, 0x0f, 0x84,
};

static const s16 gate_555[] = {
	0x85, 0xc0, HOOKED, 0x07, HOOKED, 0x45, 0x0c, 0x00, 0x00, 0x00, 0x00,
	HOOKED, 0x0f, 0xb6, 0xb3, ANY, ANY, 0x00, 0x00, 0x45, 0x84, 0xf6, 0x74, 0x7d,
};

static const s16 gate_570[] = {
	0x85, 0xc0, HOOKED, 0x85, 0x9d, 0x00, 0x00, 0x00, HOOKED, 0xbb, ANY, ANY, 0x00, 0x00, 0x00,
	0x75, ANY, 0x44, 0x0f, 0xb6, 0xb3, ANY, ANY, 0x00, 0x00,
};

static const s16 gate_525[] = {
	0x48, 0x8b, 0xb7, ANY, ANY, 0x00, 0x00, 0xba, 0x1a, 0x00, 0x00, 0xff,
	0xc7, 0x45, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x48, 0x8d, 0x4d, 0x0c, 0x48, 0x8b, 0x86,
};

/* Where an object holds the board's IDs, as the check's own instructions say. */
struct board_check {
	const s16 *bytes;
	size_t len;
	int entry;
	/* Of a 32-bit displacement to: vendor and device, or the device alone; and subsystem, or 0. */
	int device;
	bool device_alone;
	int subsystem;
};

static const struct board_check board_checks[] = {
	{ board_550, LEN(board_550), -13, 16, false, 23 },
	{ board_525, LEN(board_525), -12, 26, true, 0 },
};

struct second_gate {
	const s16 *bytes;
	size_t len;
	/* Of the function's entry, or of the instruction behind a gate that is within a function. */
	int entry;
	int behind;
	/* Of a displacement to a pointer that a gate of its own follows without looking, or 0. */
	int pointer;
	/* Of a displacement, from there, to the function that it then asks, or 0. */
	int asked;
};

static const struct second_gate second_gates[] = {
	{ gate_550, LEN(gate_550), 0, 11, 0, 0 },
	{ gate_555, LEN(gate_555), 0, 11, 0, 0 },
	{ gate_570, LEN(gate_570), 0, 8, 0, 0 },
	{ gate_525, LEN(gate_525), -12, 0, 3, 26 },
};

static bool matches(const u8 *at, const s16 *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i] != ANY && at[i] != bytes[i])
			return false;
	return true;
}

/* The only match in the driver's text, or NULL. */
static u8 *find(struct module *driver, const s16 *bytes, size_t len)
{
	size_t size, i;
	u8 *text = driver_part(driver, TEXT, &size);
	u8 *found = NULL;

	for (i = 0; i + len <= size; i++) {
		if (i % (1 << 20) == 0)
			cond_resched();
		if (text[i] != bytes[0] || !matches(text + i, bytes, len))
			continue;
		if (found)
			return NULL;
		found = text + i;
	}
	return found;
}

struct scratch {
	void *object;
	void *stack;
};

static int scratch_alloc(struct scratch *scratch)
{
	scratch->object = vzalloc(OBJECT_SIZE);
	scratch->stack = vzalloc(STACK_SIZE);
	return scratch->object && scratch->stack ? 0 : -ENOMEM;
}

static void scratch_free(struct scratch *scratch)
{
	vfree(scratch->object);
	vfree(scratch->stack);
}

static int ask_board(u8 *at, const struct board_check *check, u16 device, u16 subsystem, u32 *answer)
{
	u32 device_offset = *(u32 *)(at + check->device);
	u32 subsystem_offset = check->subsystem ? *(u32 *)(at + check->subsystem) : 0;
	struct scratch scratch;
	int ret = scratch_alloc(&scratch);

	if (!ret && max(device_offset, subsystem_offset) > OBJECT_SIZE - sizeof(u32))
		ret = -ERANGE;
	if (!ret) {
		if (check->device_alone)
			*(u16 *)(scratch.object + device_offset) = device;
		else
			*(u32 *)(scratch.object + device_offset) = device << 16 | VENDOR;
		if (check->subsystem)
			*(u32 *)(scratch.object + subsystem_offset) = subsystem << 16 | VENDOR;
		*answer = probe_call(at + check->entry, scratch.object, scratch.stack + FRAME);
	}
	scratch_free(&scratch);
	return ret;
}

static int board_check_run(char *request, char *reply)
{
	struct module *driver;
	u16 device, subsystem;
	int ret = -ENOENT;
	u32 answer;
	size_t i;

	if (sscanf(request, "%hx %hx", &device, &subsystem) != 2)
		return -EINVAL;
	driver = driver_get();
	if (!driver)
		return -ENODEV;
	for (i = 0; i < ARRAY_SIZE(board_checks); i++) {
		const struct board_check *check = &board_checks[i];
		u8 *at = find(driver, check->bytes, check->len);

		if (!at)
			continue;
		ret = ask_board(at, check, device, subsystem, &answer);
		if (!ret)
			scnprintf(reply, REPLY_SIZE, "%u\n", answer);
		break;
	}
	driver_put(driver);
	return ret;
}

/* Whose jump is to be brought back; the driver itself may pass by at any time. */
static struct task_struct *jumper;

static int bring_back(struct kprobe *probe, struct pt_regs *regs)
{
	if (current != READ_ONCE(jumper))
		return 0;
	regs->ip = (unsigned long)probe_jump_back;
	return 1;
}

/* Having one keeps the kernel from optimising the probe, which would ignore the changed ip. */
static void not_optimised(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static int jump_through(u8 *at, const struct second_gate *gate, struct scratch *scratch,
			u32 eax, u32 before, u32 *answer)
{
	struct kprobe probe = {
		.addr = at + gate->behind,
		.pre_handler = bring_back,
		.post_handler = not_optimised,
		.flags = KPROBE_FLAG_DISABLED,
	};
	void *stack = scratch->stack + FRAME;
	int ret = register_kprobe(&probe);

	if (ret)
		return ret;
	/* Unlike register_kprobe() it says when the probe could not be armed. */
	ret = enable_kprobe(&probe);
	if (!ret) {
		*(u32 *)(stack + 0xc) = before;
		WRITE_ONCE(jumper, current);
		*answer = probe_jump(at, scratch->object, stack, eax);
		WRITE_ONCE(jumper, NULL);
	}
	unregister_kprobe(&probe);
	return ret;
}

/* The registry has no such key. */
static noinline u32 ask_nothing(void)
{
	return 0;
}

static int call_gate(u8 *at, const struct second_gate *gate, struct scratch *scratch, u32 *answer)
{
	u32 pointer = *(u32 *)(at + gate->pointer);
	u32 asked = *(u32 *)(at + gate->asked);

	if (max(pointer, asked) > OBJECT_SIZE - sizeof(void *))
		return -ERANGE;
	*(void **)(scratch->object + pointer) = scratch->object;
	*(void **)(scratch->object + asked) = ask_nothing;
	*answer = probe_call(at + gate->entry, scratch->object, scratch->stack + FRAME);
	return 0;
}

static int second_gate_run(char *request, char *reply)
{
	struct scratch scratch;
	struct module *driver;
	u32 eax, before, answer;
	int ret = -ENOENT;
	size_t i;

	if (sscanf(request, "%x %x", &eax, &before) != 2)
		return -EINVAL;
	driver = driver_get();
	if (!driver)
		return -ENODEV;
	for (i = 0; i < ARRAY_SIZE(second_gates); i++) {
		const struct second_gate *gate = &second_gates[i];
		u8 *at = find(driver, gate->bytes, gate->len);

		if (!at)
			continue;
		ret = scratch_alloc(&scratch);
		if (!ret && gate->behind)
			ret = jump_through(at, gate, &scratch, eax, before, &answer);
		else if (!ret)
			ret = call_gate(at, gate, &scratch, &answer);
		if (!ret)
			scnprintf(reply, REPLY_SIZE, "%u\n", answer);
		scratch_free(&scratch);
		break;
	}
	driver_put(driver);
	return ret;
}

static struct command board_check_command = { .name = "board_check", .run = board_check_run };
static struct command second_gate_command = { .name = "second_gate", .run = second_gate_run };

void sites_create(struct dentry *dir)
{
	command_create(&board_check_command, dir);
	command_create(&second_gate_command, dir);
}
