/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-recording.h"
#include "weft-report.h"

G_BEGIN_DECLS

#define WEFT_TYPE_ANALYSIS (weft_analysis_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftAnalysis, weft_analysis, WEFT, ANALYSIS, GObject)

/**
 * WeftAnalysisOptions:
 * @WEFT_ANALYSIS_OPTION_FILTER: what is looked at can be filtered
 * @WEFT_ANALYSIS_OPTION_RANGE: a range of time can be given
 * @WEFT_ANALYSIS_OPTION_GROUP: what rows stand for can be chosen
 * @WEFT_ANALYSIS_OPTION_ORDER: what rows are ordered by can be chosen
 * @WEFT_ANALYSIS_OPTION_LIMIT: the number of rows can be limited
 * @WEFT_ANALYSIS_OPTION_CURSOR: a limited answer can be continued
 * @WEFT_ANALYSIS_OPTION_HANDLE: it is about one object, or can be
 * @WEFT_ANALYSIS_OPTION_AT: it is about a point in time
 * @WEFT_ANALYSIS_OPTION_BUCKETS: time is divided into buckets, whose number can be chosen
 * @WEFT_ANALYSIS_OPTION_MODE: it has several modes
 * @WEFT_ANALYSIS_OPTION_EXCLUDED: functions can be left out of stacks
 * @WEFT_ANALYSIS_OPTION_INVERTED: stacks can be turned round
 * @WEFT_ANALYSIS_OPTION_MIN_SHARE: what is small can be left out
 * @WEFT_ANALYSIS_OPTION_REASONS: waits can be chosen by their reasons
 * @WEFT_ANALYSIS_OPTION_INLINES: inlined functions can be told apart
 * @WEFT_ANALYSIS_OPTION_WHAT_IF: it can tell what would be if something was faster
 *
 * What can be said about an analysis before it runs.
 *
 * Since: 0.1
 */
typedef enum /*< flags >*/
{
  WEFT_ANALYSIS_OPTION_FILTER = 1 << 0,
  WEFT_ANALYSIS_OPTION_RANGE = 1 << 1,
  WEFT_ANALYSIS_OPTION_GROUP = 1 << 2,
  WEFT_ANALYSIS_OPTION_ORDER = 1 << 3,
  WEFT_ANALYSIS_OPTION_LIMIT = 1 << 4,
  WEFT_ANALYSIS_OPTION_CURSOR = 1 << 5,
  WEFT_ANALYSIS_OPTION_HANDLE = 1 << 6,
  WEFT_ANALYSIS_OPTION_AT = 1 << 7,
  WEFT_ANALYSIS_OPTION_BUCKETS = 1 << 8,
  WEFT_ANALYSIS_OPTION_MODE = 1 << 9,
  WEFT_ANALYSIS_OPTION_EXCLUDED = 1 << 10,
  WEFT_ANALYSIS_OPTION_INVERTED = 1 << 11,
  WEFT_ANALYSIS_OPTION_MIN_SHARE = 1 << 12,
  WEFT_ANALYSIS_OPTION_REASONS = 1 << 13,
  WEFT_ANALYSIS_OPTION_INLINES = 1 << 14,
  WEFT_ANALYSIS_OPTION_WHAT_IF = 1 << 15,
} WeftAnalysisOptions;

WEFT_API char **weft_analysis_list_kinds (void);
WEFT_API const char *weft_analysis_kind_get_summary (const char *kind);
WEFT_API WeftAnalysisOptions weft_analysis_kind_get_options (const char *kind);
WEFT_API char **weft_analysis_kind_list_groups (const char *kind);
WEFT_API char **weft_analysis_kind_list_orders (const char *kind);
WEFT_API char **weft_analysis_kind_list_modes (const char *kind);

WEFT_API WeftAnalysis *weft_analysis_new (WeftRecording *recording, const char *kind,
                                          GError **error);

WEFT_API const char *weft_analysis_get_kind (WeftAnalysis *self);
WEFT_API WeftRecording *weft_analysis_get_recording (WeftAnalysis *self);
WEFT_API gboolean weft_analysis_set_filter (WeftAnalysis *self, const char *text, GError **error);
WEFT_API void weft_analysis_set_range (WeftAnalysis *self, gint64 begin, gint64 end);
WEFT_API gboolean weft_analysis_set_group_by (WeftAnalysis *self, const char *group,
                                              GError **error);
WEFT_API gboolean weft_analysis_set_order_by (WeftAnalysis *self, const char *order,
                                              GError **error);
WEFT_API void weft_analysis_set_limit (WeftAnalysis *self, guint limit);
WEFT_API void weft_analysis_set_cursor (WeftAnalysis *self, const char *cursor);
WEFT_API void weft_analysis_set_handle (WeftAnalysis *self, const char *handle);
WEFT_API void weft_analysis_set_at (WeftAnalysis *self, gint64 at);
WEFT_API void weft_analysis_set_buckets (WeftAnalysis *self, guint n_buckets);
WEFT_API gboolean weft_analysis_set_mode (WeftAnalysis *self, const char *mode, GError **error);
WEFT_API void weft_analysis_set_excluded_symbols (WeftAnalysis *self, const char *const *symbols);
WEFT_API void weft_analysis_set_inlines (WeftAnalysis *self, gboolean inlines);
WEFT_API void weft_analysis_set_inverted (WeftAnalysis *self, gboolean inverted);
WEFT_API void weft_analysis_set_min_share (WeftAnalysis *self, double share);
WEFT_API gboolean weft_analysis_set_reasons (WeftAnalysis *self, const char *const *reasons,
                                             GError **error);
WEFT_API gboolean weft_analysis_set_what_if (WeftAnalysis *self, const char *text, GError **error);

WEFT_API WeftReport *weft_analysis_run (WeftAnalysis *self, GCancellable *cancellable,
                                        GError **error);
WEFT_API void weft_analysis_run_async (WeftAnalysis *self, GCancellable *cancellable,
                                       GFileProgressCallback progress, gpointer progress_data,
                                       GDestroyNotify progress_destroy,
                                       GAsyncReadyCallback callback, gpointer user_data);
WEFT_API WeftReport *weft_analysis_run_finish (WeftAnalysis *self, GAsyncResult *result,
                                               GError **error);

G_END_DECLS
