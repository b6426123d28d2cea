// SPDX-License-Identifier: GPL-2.0
/* Second, writable mappings of a module's pages, and what is mapped where. */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/pgtable.h>

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
	unsigned long at = (unsigned long)address;
	unsigned int level;
	u64 mask;
	pte_t *pte;

	if (!is_vmalloc_addr(address))
		return false;
	/* vmalloc_to_page() knows large pages, with which devices are mapped, only since Linux 5.13. */
	pte = lookup_address(at, &level);
	if (!pte || !pte_present(*pte))
		return false;
	mask = page_level_mask(level);
	*physical = ((u64)pte_pfn(*pte) << PAGE_SHIFT & mask) | (at & ~mask);
	return true;
}
