// SPDX-License-Identifier: GPL-2.0
/* Memory, for the portable kernel crate and what C hands out. */
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "shim.h"

void *vu_realloc(const void *old, size_t had, size_t size)
{
	void *new;

	/* What is long need not lie in one piece; kvrealloc() is another one in every few kernels. */
	if (had <= PAGE_SIZE && size <= PAGE_SIZE)
		return krealloc(old, size, GFP_KERNEL);
	new = kvmalloc(size, GFP_KERNEL);
	if (!new)
		return NULL;
	memcpy(new, old, min(had, size));
	kvfree(old);
	return new;
}

void vu_free(const void *old)
{
	kvfree(old);
}

void vu_not_leaked(const void *memory)
{
	kmemleak_ignore(memory);
}
