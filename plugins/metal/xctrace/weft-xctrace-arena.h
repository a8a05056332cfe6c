/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Memory that is given back all at once: that of a row, or of a document. */
typedef struct _WeftXctraceArena WeftXctraceArena;

WeftXctraceArena *weft_xctrace_arena_new (void);
void weft_xctrace_arena_free (WeftXctraceArena *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftXctraceArena, weft_xctrace_arena_free)

/* Zeroed, for any type. */
gpointer weft_xctrace_arena_alloc (WeftXctraceArena *self, gsize size);
char *weft_xctrace_arena_strndup (WeftXctraceArena *self, const char *text, gsize length);

/* What was given out is no more; a block stays for what comes. */
void weft_xctrace_arena_clear (WeftXctraceArena *self);

/* Bytes that were given out. */
gsize weft_xctrace_arena_get_size (const WeftXctraceArena *self);

G_END_DECLS
