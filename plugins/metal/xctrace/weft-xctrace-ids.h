/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What is known of the numbers by which elements of a document refer to one another: a few bits of
 * each, kept for stretches of numbers, because exports count them up.
 */
typedef struct _WeftXctraceIds WeftXctraceIds;

typedef enum
{
  WEFT_XCTRACE_ID_DEFINED,  /* an element has it */
  WEFT_XCTRACE_ID_REFERRED, /* an element refers to it */
  WEFT_XCTRACE_ID_REPEATED, /* more than one element has it */
  WEFT_XCTRACE_N_ID_MARKS
} WeftXctraceIdMark;

WeftXctraceIds *weft_xctrace_ids_new (void);
void weft_xctrace_ids_free (WeftXctraceIds *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftXctraceIds, weft_xctrace_ids_free)

gboolean weft_xctrace_ids_has (WeftXctraceIds *self, guint64 id, WeftXctraceIdMark mark);

/* FALSE if the numbers are too scattered to be kept. */
gboolean weft_xctrace_ids_mark (WeftXctraceIds *self, guint64 id, WeftXctraceIdMark mark);

G_END_DECLS
