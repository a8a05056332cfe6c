/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-address-space.h"

G_BEGIN_DECLS

#define WEFT_UNWIND_MAX_FRAMES 1024
#define WEFT_UNWIND_MAX_EXTENSION (512 * 1024) /* bytes beyond the copy that are asked for */

/* Of a thread, by the numbers that DWARF gives them on its machine: on x86-64 rax, rdx, rcx, rbx,
 * rsi, rdi, rbp, rsp, r8 … r15; on AArch64 x0 … x30, sp. The program counter and the stack pointer
 * need not be set among the values.
 */
typedef struct
{
  guint64 pc;
  guint64 sp;
  guint64 values[33];
  guint64 known; /* a bit for each value that is set; 0: all are */
} WeftRegisters;

/* Reads up to LENGTH bytes at ADDRESS and returns how many it did, from the first on. */
typedef gsize (*WeftReadStackFunc) (guint64 address, void *buffer, gsize length, gpointer data);

/* A copy of a thread's stack. */
typedef struct
{
  guint64 address;
  const guint8 *bytes;
  gsize length;
  WeftReadStackFunc more; /* reads beyond the copy, or NULL */
  gpointer data;
} WeftStackCopy;

/*
 * The frames of a thread, innermost first; returns how many there are (at least one, unless
 * MAX_FRAMES is 0). END says where it ended. EXTENDED (may be NULL) says whether it needed MORE.
 *
 * The thread may have gone on before MORE reads: that is believed only as long as the return
 * address that leads to it, and most of what is around that, stand in memory as in the copy, and
 * only if it leads down to where the thread began; else the stack ends with what the copy gave,
 * truncated.
 */
guint weft_unwind (WeftAddressSpace *space, const WeftRegisters *registers,
                   const WeftStackCopy *stack, WeftCodeFrame *frames, guint max_frames,
                   WeftStackEnd *end, gboolean *extended);

G_END_DECLS
