/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-store.h"

G_BEGIN_DECLS

/* What the parts of one running query share. Any thread. */
typedef struct
{
  WeftStore *store;
  GCancellable *cancellable; /* or NULL */
  GFileProgressCallback progress;
  gpointer progress_data;
  GMutex lock; /* of PROGRESS */
  guint64 total;
  guint64 done;
  guint64 held;         /* atomic: bytes collected */
  GString *explanation; /* or NULL: then nothing is explained */
} WeftRun;

void weft_run_init (WeftRun *self, WeftStore *store, GCancellable *cancellable,
                    GFileProgressCallback progress, gpointer progress_data);
void weft_run_clear (WeftRun *self);

/* That PARTS more of what there is to do are to come, or are done. */
void weft_run_expect (WeftRun *self, guint64 parts);
void weft_run_advance (WeftRun *self, guint64 parts);

gboolean weft_run_check (WeftRun *self, GError **error);

/* Counts memory that grows with the data; WEFT_ERROR_TOO_LARGE beyond the bound. */
gboolean weft_run_hold (WeftRun *self, guint64 bytes, GError **error);

void weft_run_explain (WeftRun *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

G_END_DECLS
