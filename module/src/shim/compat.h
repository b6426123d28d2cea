/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ. Kbuild looks into the kernel's own files and says VU_HAVE_...: version numbers
 * lie on distributions' kernels.
 */
#ifndef VGPU_UNLOCK_COMPAT_H
#define VGPU_UNLOCK_COMPAT_H

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>

/* What ftrace hands to a callback. Before 5.11 these were all registers, and had to be asked for. */
#ifdef VU_HAVE_FTRACE_REGS
typedef struct ftrace_regs vu_regs;
#define VU_HOOK_FLAGS 0
#else
typedef struct pt_regs vu_regs;
#define VU_HOOK_FLAGS (FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION_SAFE)
#endif

/* Argument number `n` of a call that ftrace has stopped. */
static __always_inline unsigned long vu_argument(vu_regs *regs, unsigned int n)
{
#ifdef VU_HAVE_FTRACE_REGS_ACCESSORS
	return ftrace_regs_get_argument(regs, n);
#elif defined(VU_HAVE_FTRACE_REGS)
	return regs_get_kernel_argument(&regs->regs, n);
#else
	return regs_get_kernel_argument(regs, n);
#endif
}

/* Has the function at `address` called instead. */
static __always_inline void vu_divert(vu_regs *regs, unsigned long address)
{
#ifdef VU_HAVE_FTRACE_REGS_ACCESSORS
	ftrace_regs_set_instruction_pointer(regs, address);
#elif defined(VU_HAVE_FTRACE_REGS)
	regs->regs.ip = address;
#else
	regs->ip = address;
#endif
}

/* Gives back what setting a filter has taken. `ops` is not registered. */
static inline void vu_free_filter(struct ftrace_ops *ops)
{
#ifdef VU_HAVE_FTRACE_FREE_FILTER
	ftrace_free_filter(ops);
#else
	/* Empties it, which takes no memory. */
	ftrace_set_filter(ops, NULL, 0, 1);
#endif
}

static inline const void *vu_text_of(const struct module *mod, size_t *size)
{
#ifdef VU_HAVE_MODULE_MEMORY
	*size = mod->mem[MOD_TEXT].size;
	return mod->mem[MOD_TEXT].base;
#else
	*size = mod->core_layout.text_size;
	return mod->core_layout.base;
#endif
}

static inline const void *vu_rodata_of(const struct module *mod, size_t *size)
{
#ifdef VU_HAVE_MODULE_MEMORY
	*size = mod->mem[MOD_RODATA].size;
	return mod->mem[MOD_RODATA].base;
#else
	/* One area: text, then what is read only, each ending with a page. */
	*size = mod->core_layout.ro_size - mod->core_layout.text_size;
	return mod->core_layout.base + mod->core_layout.text_size;
#endif
}

#endif
