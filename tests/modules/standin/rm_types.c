// SPDX-License-Identifier: GPL-2.0
/*
 * vGPU types as the drivers of each branch hand them out. Every byte of a structure has a value of
 * its own, so that a change of any of them shows; the fields that a daemon reads make sense.
 *
 * The type by number is NVA081_CTRL_VGPU_INFO of ctrla081.h, behind the number that was asked for.
 * The type of a vGPU is in no header: its size and fields are as known from the drivers' binaries.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "rm.h"

/* Bytes in front of the type by number. */
#define BY_NUMBER_BASE 8

static const struct rm_branch branches[] = {
	{ 525, 4960, 1872, 32, 4 },
	{ 535, 4960, 1872, 32, 4 },
	{ 550, 5096, 1872, 32, 4 },
	{ 570, 5232, 1872, 40, 8 },
	{ 580, 5424, 2328, 40, 8 },
};

/* Where the fields are whose values matter; the rest of a structure is the pattern. */
struct layout {
	u32 name_size;
	u32 license;
	/* max_instance; the nine numbers behind it follow without a gap. */
	u32 numbers;
	u32 vdev_id;
	u32 fb_length;
	u32 fb_reservation;
	u32 adapter_name;
};

static const struct layout layout_525 = { 32, 196, 324, 368, 392, 408, 444 };
static const struct layout layout_580_type = { 64, 260, 388, 432, 456, 472, 508 };
static const struct layout layout_580_vgpu = { 64, 260, 388, 432, 448, 464, 492 };

const struct rm_branch *rm_branch(uint number)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(branches); i++)
		if (branches[i].number == number)
			return &branches[i];
	return NULL;
}

static u8 pattern(u32 offset)
{
	return offset * 7 + (offset >> 8) * 13 + 0x5a;
}

static void text(u8 *at, const char *value)
{
	memcpy(at, value, strlen(value) + 1);
}

static void fields(u8 *info, const struct layout *layout, u32 type)
{
	/* max_instance, heads, width, height, pixels, frl_config, cuda, ecc, instance size, multi */
	static const u32 numbers[] = { 24, 4, 5120, 2880, 17694720, 60, 1, 0, 0, 1 };
	char name[32];
	size_t i;

	scnprintf(name, sizeof(name), "GRID P40-%uQ", type - 45);
	put_unaligned_le32(type, info);
	text(info + 4, name);
	text(info + 4 + layout->name_size, "Quadro");
	text(info + layout->license, "Quadro-Virtual-DWS,5.0;GRID-Virtual-WS,2.0");
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		put_unaligned_le32(numbers[i], info + layout->numbers + i * sizeof(u32));
	put_unaligned_le64(0x1b3811e8, info + layout->vdev_id);
	put_unaligned_le64(0x1b38, info + layout->vdev_id + sizeof(u64));
	put_unaligned_le64(0x38000000, info + layout->fb_length);
	put_unaligned_le64(0x8000000, info + layout->fb_reservation);
	text(info + layout->adapter_name, name);
}

void rm_type_info(const struct rm_branch *branch, u8 *info, u32 size, u32 type, bool by_number)
{
	const struct layout *layout = &layout_525;
	u32 base = by_number ? BY_NUMBER_BASE : 0, i;

	if (branch->number >= 580)
		layout = by_number ? &layout_580_type : &layout_580_vgpu;
	for (i = 0; i < size; i++)
		info[i] = pattern(i);
	/* A size that is none of the branch's may be too short for anything else. */
	if (size < base + layout->adapter_name + sizeof("GRID P40-9999999999Q"))
		return;
	if (by_number)
		put_unaligned_le32(type, info);
	fields(info + base, layout, type);
}
