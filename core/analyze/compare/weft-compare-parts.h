/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-measures.h"

G_BEGIN_DECLS

/* What is observed of one recording. Each part adds what it knows to MEASURES. */

typedef gboolean (*WeftComparePart) (const WeftAnalysisScope *scope, WeftMeasures *measures,
                                     GError **error);

/* Times, numbers and counters of dispatches, by routine, lane and source. */
gboolean weft_compare_dispatches (const WeftAnalysisScope *scope, WeftMeasures *measures,
                                  GError **error);
gboolean weft_compare_counters (const WeftAnalysisScope *scope, WeftMeasures *measures,
                                GError **error);
/* How much of the work has linked origins and sources. */
gboolean weft_compare_coverage (const WeftAnalysisScope *scope, WeftMeasures *measures,
                                GError **error);
/* What dispatches touched. */
gboolean weft_compare_attachments (const WeftAnalysisScope *scope, WeftMeasures *measures,
                                   GError **error);
/* Processor time of functions. */
gboolean weft_compare_functions (const WeftAnalysisScope *scope, WeftMeasures *measures,
                                 GError **error);
/* Once all recordings are in: what stands on too little to be judged. */
void weft_compare_doubt_measures (WeftMeasures *measures);
/* Metrics of lanes, and those that the vocabulary derives. */
gboolean weft_compare_metrics (const WeftAnalysisScope *scope, WeftMeasures *measures,
                               GError **error);
gboolean weft_compare_derived (const WeftAnalysisScope *scope, WeftMeasures *measures,
                               GError **error);

/* ---- For them ---- */

/* The answer of a query about what the scope leaves: GROUPS and SELECTS are expressions with their
 * names behind them, ended by NULL.
 */
WeftTable *weft_compare_query (const WeftAnalysisScope *scope, const char *table,
                               const char *const *groups, const char *const *selects,
                               GError **error);

/* The answer of an analysis of KIND, all rows of it; ORDER may be NULL. */
WeftReport *weft_compare_ask (const WeftAnalysisScope *scope, const char *kind, GError **error);

/* Routine → path of its source, a text of the store; those that have one. */
GHashTable *weft_compare_read_sources (const WeftAnalysisScope *scope, GError **error);

/* A number of any type; 0 where there is none. */
double weft_compare_get_number (WeftTable *table, const char *column, guint row);
const char *weft_compare_get_text (WeftTable *table, const char *column, guint row);

G_END_DECLS
