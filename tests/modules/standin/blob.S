/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The blob's two checks of each branch: the instructions by which they are recognised, around code
 * that answers as the real ones do. The object is in %rdi, and %rbp is a second stack.
 */
#include <linux/linkage.h>

#include "variant.h"

#define LISTED 0x1db6

	.text

#if STANDIN_BRANCH >= 550

SYM_FUNC_START(blob_board_check)
	endbr64
	push %r14
	push %r13
	push %rbx
	sub $0x20, %rbp
	cmpb $0, 0x7da(%rdi)
	movl $0, 0x1c(%rbp)
	mov 0xaa0(%rdi), %ebx
	mov 0xaa8(%rdi), %r14d
	jne 1f
	xor %r13d, %r13d
	shr $16, %ebx
	cmp $LISTED, %ebx
	sete %r13b
1:	mov %r13d, %eax
	pop %rbx
	pop %r13
	pop %r14
	add $0x20, %rbp
	RET
SYM_FUNC_END(blob_board_check)

#if STANDIN_BRANCH >= 570

/* As below, but what is stored where the call failed is out of line. */
.macro SECOND_GATE name
SYM_FUNC_START(\name)
	endbr64
	push %rbx
	push %r14
	sub $0x10, %rbp
	mov %rdi, %rbx
	movl $0, 0xc(%rbp)
	mov %esi, %eax
.Lgate\@:
#if STANDIN_CHANGED == CHANGED_IN_TEXT
	/* What vGPU-Unlock-patcher leaves there. */
	nop
	movl $1, 0xc(%rbp)
#else
	test %eax, %eax
	jne.d32 .Lfailed\@
#endif
.Lback\@:
	cmpb $0, 0x4774(%rbx)
	jne .Lout\@
	movzbl 0x4775(%rbx), %r14d
.Lout\@:
	mov 0xc(%rbp), %eax
	add $0x10, %rbp
	pop %r14
	pop %rbx
	RET
#if STANDIN_CHANGED != CHANGED_IN_TEXT
	.skip 0xa5 - (. - .Lgate\@), 0x90
.Lfailed\@:
	movl $0, STANDIN_STORED_AT(%rbp)
	jmp.d32 .Lback\@
#endif
SYM_FUNC_END(\name)
.endm

#else

/* The gate is in the middle; the status of the call in front of it comes as an argument. */
.macro SECOND_GATE name
SYM_FUNC_START(\name)
	endbr64
	push %rbx
	push %r14
	sub $0x10, %rbp
	mov %rdi, %rbx
	movl $0, 0xc(%rbp)
	mov %esi, %eax
	test %eax, %eax
	je 1f
	movl $0, 0xc(%rbp)
1:	movzbl 0x4775(%rbx), %r14d
	test %r14b, %r14b
	je.d32 2f
	nop
2:	mov 0xc(%rbp), %eax
	add $0x10, %rbp
	pop %r14
	pop %rbx
	RET
SYM_FUNC_END(\name)
.endm

#endif

#elif STANDIN_BRANCH < 525

/* Before 525 the tables decide. This is only what RM asks here, and like no check of a real one. */
SYM_FUNC_START(blob_board_check)
	endbr64
	movzwl 0xa6a(%rdi), %ecx
	xor %eax, %eax
	cmp $LISTED, %ecx
	sete %al
	RET
SYM_FUNC_END(blob_board_check)

#else /* 525, 535 */

SYM_FUNC_START(blob_board_check)
	endbr64
	sub $8, %rsp
	sub $0x10, %rbp
	cmpb $0, 0x7b2(%rdi)
	mov $1, %eax
	jne 1f
	cmpb $0, 0x3f12(%rdi)
	jne 1f
	movzwl 0xa6a(%rdi), %ecx
	cmp $0x1e30, %ecx
	je 1f
	cmp $LISTED, %ecx
	je 1f
	xor %eax, %eax
1:	add $0x10, %rbp
	add $8, %rsp
	RET
SYM_FUNC_END(blob_board_check)

SYM_FUNC_START_LOCAL(blob_registry)
	xor %eax, %eax
	RET
SYM_FUNC_END(blob_registry)

/* The gate is a function of its own, which asks another one through a pointer. */
.macro SECOND_GATE name
SYM_FUNC_START(\name)
	endbr64
	sub $8, %rsp
	sub $0x10, %rbp
	mov 0x1bf0(%rdi), %rsi
	mov $0xff00001a, %edx
	movl $0, 0xc(%rbp)
	lea 0xc(%rbp), %rcx
	mov 0x1b8(%rsi), %rax
	call blob_registry
	mov 0xc(%rbp), %eax
	test %eax, %eax
	setne %al
	movzbl %al, %eax
	add $0x10, %rbp
	add $8, %rsp
	RET
SYM_FUNC_END(\name)
.endm

#endif

#if STANDIN_GATES >= 1
SECOND_GATE blob_second_gate
#endif
#if STANDIN_GATES >= 2
SECOND_GATE blob_second_gate_again
#endif
