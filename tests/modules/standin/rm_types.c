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
#ifdef HAVE_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

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

/* What types with names of one kind have in common. */
struct rm_type_class {
	const char *suffix;
	const char *name;
	u32 heads;
	u32 width;
	u32 height;
	u32 pixels;
	u32 frl_config;
};

static const struct rm_type_class q = { "Q", "Quadro", 4, 5120, 2880, 17694720, 60 };
static const struct rm_type_class a = { "A", "NVS", 1, 1280, 1024, 1310720, 60 };
static const struct rm_type_class b = { "B", "NVS", 4, 5120, 2880, 16384000, 45 };
static const struct rm_type_class b4 = { "B4", "NVS", 4, 5120, 2880, 16384000, 45 };
static const struct rm_type_class c = { "C", "Compute", 1, 4096, 2160, 8847360, 60 };

/*
 * Those of a Tesla P40: what mdevctl is seen to print on one, and what NVIDIA's user guide says of
 * them. The pixels of all but Q are the stand-in's own.
 */
#define BOARD "GRID P40"
#define BOARD_GIB 24
static const struct rm_type types[] = {
	{ 46, 0x11e8, 1, &q },	 { 47, 0x11e9, 2, &q },	  { 48, 0x11ea, 3, &q },
	{ 49, 0x11eb, 4, &q },	 { 50, 0x11ec, 6, &q },	  { 51, 0x11ed, 8, &q },
	{ 52, 0x11ee, 12, &q },	 { 53, 0x11ef, 24, &q },  { 54, 0x11f0, 1, &a },
	{ 55, 0x11f1, 2, &a },	 { 56, 0x11f2, 3, &a },	  { 57, 0x11f3, 4, &a },
	{ 58, 0x11f4, 6, &a },	 { 59, 0x11f5, 8, &a },	  { 60, 0x11f6, 12, &a },
	{ 61, 0x11f7, 24, &a },	 { 62, 0x11e7, 1, &b },	  { 156, 0x1287, 2, &b },
	{ 215, 0x12ef, 2, &b4 }, { 241, 0x133a, 1, &b4 }, { 283, 0x1381, 4, &c },
	{ 284, 0x1382, 6, &c },	 { 285, 0x1383, 8, &c },  { 286, 0x1384, 12, &c },
	{ 287, 0x137e, 24, &c },
};

const struct rm_type *rm_type(u32 number)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].number == number)
			return &types[i];
	return NULL;
}

u32 rm_type_ids(u32 *ids, u32 max)
{
	u32 i, count = min_t(u32, max, ARRAY_SIZE(types));

	for (i = 0; i < count; i++)
		ids[i] = types[i].number;
	return count;
}

u32 rm_type_max_instances(const struct rm_type *type)
{
	return BOARD_GIB / type->gib;
}

u32 rm_type_name(u32 number, char *buf, size_t size)
{
	const struct rm_type *type = rm_type(number);

	if (!type)
		return RM_INVALID_ARGUMENT;
	scnprintf(buf, size, BOARD "-%u%s\n", type->gib, type->class->suffix);
	return RM_OK;
}

u32 rm_type_description(u32 number, char *buf, size_t size)
{
	const struct rm_type *type = rm_type(number);
	const struct rm_type_class *class;

	if (!type)
		return RM_INVALID_ARGUMENT;
	class = type->class;
	scnprintf(buf, size,
		  "num_heads=%u, frl_config=%u, framebuffer=%uM, max_resolution=%ux%u, "
		  "max_instance=%u\n",
		  class->heads, class->frl_config, type->gib * 1024, class->width, class->height,
		  rm_type_max_instances(type));
	return RM_OK;
}

static void fields(u8 *info, const struct layout *layout, const struct rm_type *type)
{
	const struct rm_type_class *class = type->class;
	/* max_instance, heads, width, height, pixels, frl_config, cuda, ecc, instance size, multi */
	const u32 numbers[] = {
		rm_type_max_instances(type), class->heads, class->width, class->height,
		class->pixels, class->frl_config, 1, 0, 0, 1,
	};
	/* As NVIDIA's own types of 1 GiB and more have it. */
	u64 size = (u64)type->gib << 30, reservation = 0x4000000 + size / 16;
	char name[32];
	size_t i;

	scnprintf(name, sizeof(name), BOARD "-%u%s", type->gib, class->suffix);
	put_unaligned_le32(type->number, info);
	text(info + 4, name);
	text(info + 4 + layout->name_size, class->name);
	text(info + layout->license, "Quadro-Virtual-DWS,5.0;GRID-Virtual-WS,2.0");
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		put_unaligned_le32(numbers[i], info + layout->numbers + i * sizeof(u32));
	put_unaligned_le64(0x1b380000 | type->subsystem, info + layout->vdev_id);
	put_unaligned_le64(0x1b38, info + layout->vdev_id + sizeof(u64));
	put_unaligned_le64(size - reservation, info + layout->fb_length);
	put_unaligned_le64(reservation, info + layout->fb_reservation);
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

void rm_type_info(const struct rm_branch *branch, u8 *info, u32 size, const struct rm_type *type,
		  bool by_number)
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
		put_unaligned_le32(type->number, info);
	fields(info + base, layout, type);
}
