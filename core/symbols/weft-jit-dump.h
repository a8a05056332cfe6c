/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-symbol-names.h"

G_BEGIN_DECLS

/*
 * jit-PID.dump, which programs that make code write and map, so that profilers learn of it: records
 * of code that was loaded, with its bytes, and moved, and of lines. It grows, and is read from
 * where reading stopped.
 */
typedef struct _WeftJitDump WeftJitDump;

/* Takes DESCRIPTOR. */
WeftJitDump *weft_jit_dump_new (int descriptor);
void weft_jit_dump_free (WeftJitDump *self);

/* The process that it says it is of, as that sees its own number; 0 until its beginning is there.
 */
int weft_jit_dump_get_pid (WeftJitDump *self);

/* Reads what is new: code that was loaded up to now, where it is now. FALSE, with a REASON to be
 * freed, once it is not of a form that is known; what was read stays.
 */
gboolean weft_jit_dump_read (WeftJitDump *self, WeftSymbolNames *names, char **reason);

/* Machine that the code is for: EM_X86_64, … */
guint weft_jit_dump_get_machine (WeftJitDump *self);

/* BYTES of code, of what is known to lie at FILE_OFFSET. */
gboolean weft_jit_dump_get_code (WeftJitDump *self, guint64 file_offset, void *bytes, gsize length);

G_END_DECLS
