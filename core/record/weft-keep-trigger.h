/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-filter.h"

G_BEGIN_DECLS

/*
 * Watches a recording that is being made for dispatches that a filter fits, on a thread of its own,
 * and says when something is to be kept. It reads the file as any reader does: what it hears of is
 * as old as the last flush.
 */
typedef struct _WeftKeepTrigger WeftKeepTrigger;

typedef struct
{
  guint64 matches;    /* dispatches that the filter fitted */
  guint kept;         /* files that were made */
  guint64 suppressed; /* matches for which none was made, because one had just been, or too many */
} WeftKeepFigures;

/* On the trigger's thread. */
typedef struct
{
  /* The first dispatch of those that a file will be made for. */
  void (*matched) (guint64 dispatch, gpointer data);
  /* To make a file of what came since SINCE (ns of the recording); returns its path, or NULL with
   * an error, which is told once.
   */
  char *(*keep) (gint64 since, guint number, GError **error, gpointer data);
  void (*changed) (const WeftKeepFigures *figures, gpointer data);
  void (*failed) (const GError *error, gpointer data);
} WeftKeepListener;

typedef struct
{
  const char *path;   /* of the recording */
  WeftFilter *filter; /* on dispatches */
  gint64 before;      /* ns before the first match that are kept; 0: all there is */
  gint64 after;       /* ns after it */
  gboolean makes_files;
} WeftKeepTriggerOptions;

WeftKeepTrigger *weft_keep_trigger_new (const WeftKeepTriggerOptions *options,
                                        const WeftKeepListener *listener, gpointer data);


/* Looks once more, keeps what is due or will be, and ends; all that was recorded has been flushed.
 */
void weft_keep_trigger_finish (WeftKeepTrigger *self);

void weft_keep_trigger_free (WeftKeepTrigger *self);

G_END_DECLS
