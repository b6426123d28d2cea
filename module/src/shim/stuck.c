// SPDX-License-Identifier: GPL-2.0
/* Whether the kernel still knows a hook or a probe that it could not take away. */
#include <linux/compiler.h>

#include "hook.h"
#include "shim.h"

static bool vu_stuck;

bool vu_hooks_stuck(void)
{
	return READ_ONCE(vu_stuck);
}

void vu_set_stuck(void)
{
	WRITE_ONCE(vu_stuck, true);
}
