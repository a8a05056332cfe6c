/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis.h"
#include "weft-error.h"
#include "weft-filter-private.h"
#include "weft-recording-private.h"
#include "weft-table-builder.h"

G_BEGIN_DECLS

/* What an analysis works on: one view of the file, and what its asker said. */
typedef struct
{
  WeftRecording *recording;
  WeftStore *store;
  WeftFilter *filter; /* or NULL: all */
  gint64 begin;       /* G_MININT64 and G_MAXINT64 where no range was given */
  gint64 end;
  const char
      *group_by; /* one of the kind's, or of the form that it allows; its default if not given */
  const char *order_by;
  guint limit;        /* the kind's default if not given; 0 is none */
  const char *cursor; /* or NULL */
  const char *handle; /* or NULL */
  gboolean has_at;
  gint64 at;
  guint n_buckets;
  const char *mode;            /* one of the kind's; NULL if not given */
  gboolean has_group;          /* GROUP_BY was given */
  const char *const *excluded; /* globs of functions, NULL-terminated; or NULL */
  gboolean inlines; /* functions inlined into others count as called by them */
  gboolean inverted;
  double min_share; /* of the whole, 0 to 1 */
  guint reasons;    /* bit I: waits of reason I; 0 is all */
  const char *what_if; /* or NULL; of the form that weft-critical-path-what-if.h knows */
  GCancellable *cancellable;
  GFileProgressCallback progress; /* or NULL; any thread */
  gpointer progress_data;
} WeftAnalysisScope;

/* Appends its tables to REPORT, whose name is the kind. */
typedef gboolean (*WeftAnalysisRun) (const WeftAnalysisScope *scope, WeftReport *report,
                                     GError **error);

typedef struct
{
  const char *name;
  const char *summary;
  WeftAnalysisRun run;
  WeftAnalysisOptions options;
  gboolean single;
  /* First is the default. A word that ends in a colon takes a name: "counter:". NULL-terminated. */
  const char *const *groups;
  const char *const *orders;
  guint default_limit;
  const char *const *modes; /* NULL-terminated */
} WeftAnalysisKind;

G_END_DECLS
