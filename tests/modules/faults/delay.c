// SPDX-License-Identifier: GPL-2.0
/*
 * Is told of the driver's coming or going, before or after the module under test by its priority, and
 * sleeps there: whoever else wants to come or go has the time to.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>

static int priority;
module_param(priority, int, 0444);
MODULE_PARM_DESC(priority, "as a notifier's: the highest is told first");

static bool going;
module_param(going, bool, 0444);
MODULE_PARM_DESC(going, "sleep when the driver goes, and not when it comes");

static unsigned int sleep_ms;
module_param(sleep_ms, uint, 0444);
MODULE_PARM_DESC(sleep_ms, "how long to sleep");

static unsigned int asleep;
module_param(asleep, uint, 0444);
MODULE_PARM_DESC(asleep, "whether it sleeps now");

static int told(struct notifier_block *block, unsigned long event, void *data)
{
	const struct module *mod = data;

	if (event != (going ? MODULE_STATE_GOING : MODULE_STATE_COMING) || strcmp(mod->name, "nvidia"))
		return NOTIFY_DONE;
	WRITE_ONCE(asleep, 1);
	msleep(sleep_ms);
	WRITE_ONCE(asleep, 0);
	return NOTIFY_DONE;
}

static struct notifier_block block = { .notifier_call = told };

static int __init delay_init(void)
{
	block.priority = priority;
	return register_module_notifier(&block);
}

static void __exit delay_exit(void)
{
	unregister_module_notifier(&block);
}

module_init(delay_init);
module_exit(delay_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes the driver's coming or going last");
