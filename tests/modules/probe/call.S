/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/nospec-branch.h>

.macro SAVE_CALLEE_SAVED
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
.endm

.macro RESTORE_CALLEE_SAVED
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
.endm

	.text

/* u32 probe_call(void *function, void *object, void *stack) */
SYM_FUNC_START(probe_call)
	SAVE_CALLEE_SAVED
	/* The stack pointer must be a multiple of 16 in front of a call. */
	sub $8, %rsp
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rbp
	ANNOTATE_RETPOLINE_SAFE
	call *%rax
	add $8, %rsp
	RESTORE_CALLEE_SAVED
	RET
SYM_FUNC_END(probe_call)

/* u32 probe_jump(void *site, void *object, void *stack, u32 eax) */
SYM_FUNC_START(probe_jump)
	SAVE_CALLEE_SAVED
	mov %rsi, %rbx
	mov %rdx, %rbp
	mov %ecx, %eax
	ANNOTATE_RETPOLINE_SAFE
	jmp *%rdi
SYM_FUNC_END(probe_jump)
/* objtool cannot follow from here to probe_jump_back. */
STACK_FRAME_NON_STANDARD probe_jump

/* A kprobe's handler continues here, with the stack as probe_jump left it. */
SYM_FUNC_START(probe_jump_back)
	endbr64
	mov 0xc(%rbp), %eax
	RESTORE_CALLEE_SAVED
	RET
SYM_FUNC_END(probe_jump_back)
STACK_FRAME_NON_STANDARD probe_jump_back
