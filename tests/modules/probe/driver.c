// SPDX-License-Identifier: GPL-2.0
/* The driver as a module: whether it is loaded, and where its symbols are. */
#include <linux/kobject.h>
#include <linux/string.h>

#include "probe.h"

struct module *driver_get(void)
{
	struct kobject *kobj = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, "nvidia");
	struct module *driver;

	if (!kobj)
		return NULL;
	driver = container_of(kobj, struct module_kobject, kobj)->mod;
	if (driver && !try_module_get(driver))
		driver = NULL;
	kobject_put(kobj);
	return driver;
}

void driver_put(struct module *driver)
{
	module_put(driver);
}

/*
 * The module's own symbol table: unlike a kprobe's search it leaves no trace at the address, which
 * the module under test may be watching.
 */
void *driver_symbol(struct module *driver, const char *name)
{
	struct mod_kallsyms *symbols;
	void *found = NULL;
	unsigned int i;

	rcu_read_lock();
	symbols = rcu_dereference(driver->kallsyms);
	for (i = 0; i < symbols->num_symtab; i++) {
		const Elf_Sym *symbol = &symbols->symtab[i];

		if (symbol->st_shndx != SHN_UNDEF &&
		    !strcmp(symbols->strtab + symbol->st_name, name)) {
			found = (void *)symbol->st_value;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

#ifdef HAVE_MODULE_MEMORY
void *driver_part(const struct module *driver, enum part part, size_t *size)
{
	enum mod_mem_type type = part == TEXT ? MOD_TEXT : MOD_RODATA;

	*size = driver->mem[type].size;
	return driver->mem[type].base;
}
#else
/* Before Linux 6.4 they lay in one area. */
void *driver_part(const struct module *driver, enum part part, size_t *size)
{
	size_t text = driver->core_layout.text_size;

	*size = part == TEXT ? text : driver->core_layout.ro_size - text;
	return driver->core_layout.base + (part == TEXT ? 0 : text);
}
#endif
