/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-answer.h"
#include "weft-counter-figures.h"
#include "weft-counter-names.h"
#include "weft-vocabulary.h"

G_BEGIN_DECLS

/*
 * Metrics that the vocabulary of the recording derives from others, for each row of an answer: of
 * the row's numeric columns, of counters as their producer combines them, and, for lanes, of their
 * metrics. A column wins over a counter, a counter over a metric of the same name.
 */

/* The kind of lane that a row belongs to, or NULL. */
typedef const char *(*WeftDerivedKind) (guint64 id, gpointer data);

/* Appends the table “derived” to REPORT: what is derived for the rows of TABLE, which has their ids
 * in its first column. BY tells what they are: routines or lanes.
 */
gboolean weft_derived_add_table (const WeftAnalysisScope *scope, const WeftSelection *selection,
                                 WeftCountersBy by, WeftTable *table, WeftDerivedKind get_kind,
                                 gpointer data, WeftReport *report, GError **error);

/* What is wrong with expressions: "of DOMAIN, NAME: why", and how many there are at all. */
GPtrArray *weft_derived_list_faults (WeftVocabulary *words, guint *n_metrics);

G_END_DECLS
