/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "print.h"

G_BEGIN_DECLS

/* Draws the reports that are no plain tables: swimlanes, trees, source text, findings. FALSE if
 * REPORT is of another kind.
 */
gboolean draw_report (WeftReport *report, const PrintOptions *options);

/* Whether what was drawn leaves the other tables of REPORT to be printed. */
gboolean draw_leaves_parts (WeftReport *report);

/* Draws one table of a report, as above. */
gboolean draw_part (WeftTable *table);

/* Into how many buckets a timeline is divided to fill the terminal. */
guint draw_timeline_buckets (void);

G_END_DECLS
