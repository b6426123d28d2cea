// SPDX-License-Identifier: GPL-2.0
/* What the blob calls, with the signatures that the driver's open half gives them. */
#include <linux/io.h>
#include <linux/string.h>
#include <linux/types.h>

#include "variant.h"

#if STANDIN_CHANGED == CHANGED_UNTRACEABLE && STANDIN_BRANCH < 525
#define os_traced notrace
#else
#define os_traced
#endif

void *os_map_kernel_space(u64 start, u64 size, u32 mode);
void os_unmap_kernel_space(void *addr, u64 size);
void *os_mem_copy(void *dst, const void *src, u32 length);

noinline void *os_map_kernel_space(u64 start, u64 size, u32 mode)
{
	return (__force void *)ioremap(start, size);
}

noinline void os_unmap_kernel_space(void *addr, u64 size)
{
	iounmap((void __iomem *)addr);
}

noinline os_traced void *os_mem_copy(void *dst, const void *src, u32 length)
{
	return memcpy(dst, src, length);
}
