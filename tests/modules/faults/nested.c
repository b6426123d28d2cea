// SPDX-License-Identifier: GPL-2.0
/*
 * Asks the driver's board check of a board that it does not list, from within a kprobe's handler: what an
 * interrupt does that comes at such a moment and ends in the driver. The kernel runs no second handler then.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define OBJECT_SIZE (1 << 16)
#define STACK_SIZE (16 << 10)
/* Leaves room above for a caller's frame. */
#define FRAME (STACK_SIZE - 1024)

static u32 (*ask)(void *object, void *stack);
static u8 *object, *stack;
static int answered;

/* Has a kprobe on it. */
static noinline void vgpu_unlock_nested_outer(void)
{
	barrier();
}

static int within(struct kprobe *kprobe, struct pt_regs *regs)
{
	answered = ask(object, stack + FRAME);
	return 0;
}

static struct kprobe outer = {
	.symbol_name = "vgpu_unlock_nested:vgpu_unlock_nested_outer",
	.pre_handler = within,
};

/* The stand-in's entry to its check, which sets the blob's second stack up. */
static unsigned long find(const char *symbol)
{
	struct kprobe probe = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };
	unsigned long address;

	if (register_kprobe(&probe))
		return 0;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	return address;
}

static int get_answer(char *page, const struct kernel_param *kp)
{
	answered = -1;
	/* As an interrupt would: nobody else runs here meanwhile. */
	preempt_disable();
	vgpu_unlock_nested_outer();
	preempt_enable();
	return sysfs_emit(page, "%d\n", answered);
}

static const struct kernel_param_ops answer_ops = { .get = get_answer };
module_param_cb(answer, &answer_ops, NULL, 0400);
MODULE_PARM_DESC(answer, "what the board check says there; it is asked by reading this");

static int __init nested_init(void)
{
	int ret = -ENOMEM;

	ask = (void *)find("nvidia:standin_ask");
	if (!ask)
		return -ENOENT;
	object = vzalloc(OBJECT_SIZE);
	stack = vzalloc(STACK_SIZE);
	if (object && stack)
		ret = register_kprobe(&outer);
	if (ret) {
		vfree(object);
		vfree(stack);
	}
	return ret;
}

static void __exit nested_exit(void)
{
	unregister_kprobe(&outer);
	vfree(object);
	vfree(stack);
}

module_init(nested_init);
module_exit(nested_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Calls the driver from within a kprobe's handler");
