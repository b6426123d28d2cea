// SPDX-License-Identifier: GPL-2.0
/* Memory, for the portable kernel crate and what C hands out. */
#include <linux/slab.h>

#include "shim.h"

void *vu_realloc(const void *old, size_t size)
{
	return krealloc(old, size, GFP_KERNEL);
}

void vu_free(const void *old)
{
	kfree(old);
}
