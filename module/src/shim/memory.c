// SPDX-License-Identifier: GPL-2.0
/* Second, writable mappings of a module's pages, and what is mapped where. */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "shim.h"

void *vu_map(const void *address, unsigned int count)
{
	struct page **pages = kcalloc(count, sizeof(*pages), GFP_KERNEL);
	void *mapped = NULL;
	unsigned int i;

	if (!pages)
		return NULL;
	for (i = 0; i < count; i++) {
		pages[i] = vmalloc_to_page(address + i * PAGE_SIZE);
		if (!pages[i])
			goto out;
	}
	mapped = vmap(pages, count, VM_MAP, PAGE_KERNEL);
out:
	kfree(pages);
	return mapped;
}

void vu_unmap(const void *mapped)
{
	vunmap(mapped);
}

bool vu_mapped_frame(const void *address, u64 *physical)
{
	struct page *page;

	if (!is_vmalloc_addr(address))
		return false;
	page = vmalloc_to_page(address);
	if (!page)
		return false;
	*physical = ((u64)page_to_pfn(page) << PAGE_SHIFT) + offset_in_page(address);
	return true;
}
