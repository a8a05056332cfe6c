/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Where the kernel says which events it can trace. Where it is not mounted, it is opened without a
 * place in any namespace: nothing is left behind, whatever happens to us.
 */

/* Of an event of the group "sched". */
typedef struct
{
  guint64 id; /* for perf_event_open */
  guint flags_offset;
  guint value_offset; /* of a field that was asked for */
  guint value_size;
} WeftTracepoint;

/* A descriptor of the folder; -1 with errno set. */
int weft_tracing_open (void);

/* VALUE: name of a field. FALSE, with errno set, if there is no such event, or no such field. */
gboolean weft_tracing_find (int folder, const char *event, const char *value,
                            WeftTracepoint *tracepoint);

/* Reads what is in FORMAT, as the kernel describes an event; id apart. */
gboolean weft_tracing_parse_format (const char *format, const char *value,
                                    WeftTracepoint *tracepoint);

/* What RAW says. FALSE if it is too short. FLAGS: WEFT_TRACE_… */
#define WEFT_TRACE_IN_INTERRUPT 0x18u /* hard or soft */
gboolean weft_tracepoint_read (const WeftTracepoint *self, const guint8 *raw, gsize length,
                               gint64 *value, guint *flags);

G_END_DECLS
