// SPDX-License-Identifier: GPL-2.0
/*
 * vGPU types as the drivers of each branch hand them out. Every byte of a structure has a value of
 * its own, so that a change of any of them shows; the fields that a daemon reads make sense.
 *
 * The type by number is NVA081_CTRL_VGPU_INFO of ctrla081.h, behind the number that was asked for;
 * until 470 it is in no header. The type of a vGPU is in none: sizes and fields of these are as known
 * from the drivers' binaries.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "rm.h"

/* Bytes in front of the type by number. */
#define BY_NUMBER_BASE 8

/* No driver's: how long the type of a vGPU is from 580.94 on is not known. */
#define UNKNOWN_TYPE_OF_VGPU 2336

static const struct rm_branch branches[] = {
	{ 450, 4536, 1840, 32, 4 },
	{ 460, 4536, 1840, 32, 4 },
	{ 470, 4536, 1848, 32, 4 },
	{ 525, 4960, 1872, 32, 4 },
	{ 535, 4960, 1872, 32, 4 },
	{ 550, 5096, 1872, 32, 4 },
	{ 570, 5232, 1872, 40, 8 },
	{ 580, 5424, 2328, 40, 8 },
	/* 580.94 and later */
	{ 58094, 5432, UNKNOWN_TYPE_OF_VGPU, 40, 8 },
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
	/* 0 where the structure has none. */
	u32 adapter_name;
};

/* 450 has the number of the MIG profile in front of the numbers, and ends with them. */
static const struct layout layout_450_type = { 32, 196, 328, 376, 392, 408, 0 };
static const struct layout layout_450_vgpu = { 32, 196, 324, 368, 384, 400, 428 };
static const struct layout layout_525 = { 32, 196, 324, 368, 392, 408, 444 };
static const struct layout layout_580_type = { 64, 260, 388, 432, 456, 472, 508 };
static const struct layout layout_580_vgpu = { 64, 260, 388, 432, 448, 464, 492 };
/* Two bytes more in front of the adapter's name. */
static const struct layout layout_58094_type = { 64, 260, 388, 432, 456, 472, 510 };

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
	if (layout->adapter_name)
		text(info + layout->adapter_name, name);
}

static const struct layout *layout_of(uint branch, bool by_number)
{
	if (branch < 525)
		return by_number ? &layout_450_type : &layout_450_vgpu;
	if (branch < 580)
		return &layout_525;
	if (!by_number)
		return &layout_580_vgpu;
	return branch == 580 ? &layout_580_type : &layout_58094_type;
}

void rm_type_info(const struct rm_branch *branch, u8 *info, u32 size, u32 type, bool by_number)
{
	const struct layout *layout = layout_of(branch->number, by_number);
	u32 base = by_number ? BY_NUMBER_BASE : 0, i;
	u32 last = max(layout->adapter_name, layout->fb_reservation);

	for (i = 0; i < size; i++)
		info[i] = pattern(i);
	/* A size that is none of the branch's may be too short for anything else. */
	if (size < base + last + sizeof("GRID P40-9999999999Q"))
		return;
	if (by_number)
		put_unaligned_le32(type, info);
	fields(info + base, layout, type);
}
