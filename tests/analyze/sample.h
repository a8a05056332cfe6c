/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small recordings made by hand, and what analyses say about them. */
#pragma once

#include <weft.h>

#include "store-model.h"

typedef struct
{
  char *directory;
  Model *model; /* until it is opened */
  WeftRecording *recording;
} Sample;

/* With one process (pid 100, "program"), one runtime ("runtime") and thread 1 (tid 101, "main"). */
Sample *sample_new (void);
void sample_free (Sample *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sample, sample_free)

guint64 sample_lane (Sample *self, const char *name, const char *kind, guint64 parent);
guint64 sample_routine (Sample *self, const char *name);
guint64 sample_thread (Sample *self, guint64 tid, const char *name);

/* A dispatch of no thread, begun and to be finished with model_set () and model_commit (). */
void sample_begin (Sample *self, guint64 lane, guint64 routine, gint64 start, guint64 duration);
/* All at once. */
guint64 sample_dispatch (Sample *self, guint64 lane, guint64 routine, gint64 start,
                         guint64 duration);
/* A span in a scope of thread 1. */
guint64 sample_span (Sample *self, guint64 lane, guint64 routine, gint64 start, guint64 duration,
                     guint64 depth, guint64 child_time);
void sample_meta_number (Sample *self, const char *key, gint64 number);

/* Closes the file, at the first time. */
WeftAnalysis *sample_analysis (Sample *self, const char *kind);
/* Runs it, and frees ANALYSIS. */
WeftReport *sample_run (WeftAnalysis *analysis);
/* Fails with CODE and a message that holds TEXT. */
void sample_fails (WeftAnalysis *analysis, WeftError code, const char *text);

/* The main table as text: a line for each row, of the columns that are named with blanks between.
 * "-" is null. */
char *sample_text (WeftTable *table, const char *columns);
#define sample_assert_table(table, columns, expected)                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *text_of_table_ = sample_text (table, columns);                                \
    g_assert_cmpstr (text_of_table_, ==, expected);                                                \
  }                                                                                                \
  G_STMT_END
