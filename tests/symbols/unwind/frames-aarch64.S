/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of AArch64 whose addresses test-unwind-aarch64 knows: 4 bytes an instruction, from
 * 0x10000 on.
 */
	.text
	.globl	_start
_start:				/* 0x10000 */
	.cfi_startproc
	.cfi_undefined x30
	bl	outer
	b	.
	.cfi_endproc
outer:				/* 0x10008 */
	.cfi_startproc
	stp	x29, x30, [sp, #-32]!
	.cfi_def_cfa_offset 32
	.cfi_offset x29, -32
	.cfi_offset x30, -24
	str	x19, [sp, #16]
	.cfi_offset x19, -16
	bl	signing
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	.cfi_def_cfa_offset 0
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
signing:			/* 0x10020: its return address is signed */
	.cfi_startproc
	hint	#25
	.cfi_negate_ra_state
	stp	x29, x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	bl	leaf
	ldp	x29, x30, [sp], #16
	.cfi_def_cfa_offset 0
	hint	#29
	.cfi_negate_ra_state
	ret
	.cfi_endproc
leaf:				/* 0x10038: its return address stays in x30 */
	.cfi_startproc
	nop
	ret
	.cfi_endproc
	.section .note.GNU-stack, "", %progbits
