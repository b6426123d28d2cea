// SPDX-License-Identifier: GPL-2.0
/* The module's init and exit, where the portable kernel crate has them; the kernel's own has its own. */
#include <linux/bug.h>
#include <linux/module.h>

#include "shim.h"

static int __init vu_module_init(void)
{
	return vu_init();
}

static void __exit vu_module_exit(void)
{
	vu_exit();
}

module_init(vu_module_init);
module_exit(vu_module_exit);

void vu_bug(void)
{
	BUG();
}
