/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

#include "weft-xctrace-element.h"

G_BEGIN_DECLS

/* Rows of a recording that others name: processes, threads, lanes and routines, each made once. */
typedef struct _WeftXctraceEntities WeftXctraceEntities;

WeftXctraceEntities *weft_xctrace_entities_new (WeftRecordingBuilder *builder);
void weft_xctrace_entities_free (WeftXctraceEntities *self);

/* What the table of contents tells of a process, before a table names it. */
void weft_xctrace_entities_describe (WeftXctraceEntities *self, guint64 pid,
                                     const char *command_line);

/* All give the id of the row, 0 where ELEMENT names none; FALSE on errors of the builder. */
gboolean weft_xctrace_entities_add_process (WeftXctraceEntities *self,
                                            const WeftXctraceElement *element, guint64 *id,
                                            GError **error);
/* PROCESS is that of its row, for a thread that does not say whose it is. */
gboolean weft_xctrace_entities_add_thread (WeftXctraceEntities *self,
                                           const WeftXctraceElement *element,
                                           const WeftXctraceElement *process, guint64 *id,
                                           GError **error);
/* PROCESS may be 0: the runtime is 0 then, too. A lane's name is NAME and that of its process. */
gboolean weft_xctrace_entities_add_runtime (WeftXctraceEntities *self, guint64 process, guint64 *id,
                                            GError **error);
gboolean weft_xctrace_entities_add_lane (WeftXctraceEntities *self, guint64 process,
                                         const char *kind, const char *name, guint64 *id,
                                         GError **error);
gboolean weft_xctrace_entities_add_routine (WeftXctraceEntities *self, guint64 process,
                                            const char *name, guint64 *id, GError **error);

/* 0 if it is none of them. */
guint64 weft_xctrace_entities_get_process (WeftXctraceEntities *self, guint64 thread);
guint64 weft_xctrace_entities_get_tid (WeftXctraceEntities *self, guint64 thread);

/* A row that became a dispatch, and one that was refused: both count for their lane. REASON is not
 * copied.
 */
void weft_xctrace_entities_count (WeftXctraceEntities *self, guint64 lane);
void weft_xctrace_entities_reject (WeftXctraceEntities *self, guint64 lane, const char *reason);

/* Says of each lane where its rows went. */
gboolean weft_xctrace_entities_write_counts (WeftXctraceEntities *self, gint64 end, GError **error);

/* ---- Rows ---- */

/* Fields of a row that is being made; texts must last until it is added. */
typedef struct
{
  const char *number_fields[16];
  guint64 numbers[16];
  guint n_numbers;
  const char *text_fields[8];
  const char *texts[8];
  guint n_texts;
} WeftXctraceFields;

/* Tables whose rows get tags, by their numbers in the file. */
typedef enum
{
  WEFT_XCTRACE_SUBMISSIONS = 18,
  WEFT_XCTRACE_DISPATCHES = 20
} WeftXctraceOwner;

void weft_xctrace_row_set_number (WeftXctraceFields *row, const char *field, guint64 number);
void weft_xctrace_row_set_time (WeftXctraceFields *row, const char *field, gint64 time);
void weft_xctrace_row_set_double (WeftXctraceFields *row, const char *field, double number);
/* NULL sets nothing. */
void weft_xctrace_row_set_text (WeftXctraceFields *row, const char *field, const char *text);
gboolean weft_xctrace_row_add (const WeftXctraceFields *row, WeftRecordingBuilder *builder,
                               const char *table, guint64 *id, GError **error);
gboolean weft_xctrace_add_tag (WeftRecordingBuilder *builder, WeftXctraceOwner table, guint64 owner,
                               const char *key, guint64 number, GError **error);
gboolean weft_xctrace_add_text_tag (WeftRecordingBuilder *builder, WeftXctraceOwner table,
                                    guint64 owner, const char *key, const char *text,
                                    GError **error);

G_END_DECLS
