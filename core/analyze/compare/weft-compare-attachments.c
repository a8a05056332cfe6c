/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The footprint of what dispatches touched: how large each thing is, and how often it was used. */

#include <math.h>

#include "weft-compare-parts.h"

enum
{
  SIZE,
  BYTES,
  USES,
  N_FIGURES
};

static const WeftFigure figures[N_FIGURES] = {
  [SIZE] = { "size", "bytes", WEFT_POLARITY_LOWER, WEFT_SCALE_RATIO, .001, .01, .25, FALSE },
  [BYTES] = { "bytes", "bytes", WEFT_POLARITY_LOWER, WEFT_SCALE_RATIO, .001, .05, .25, TRUE },
  [USES] = { "uses", "count", WEFT_POLARITY_NEUTRAL, WEFT_SCALE_RATIO, .001, .05, .25, TRUE },
};

/* By GROUPS, whose names are those of a subject. */
static gboolean
observe (const WeftAnalysisScope *scope, WeftMeasures *measures, const char *const *groups,
         guint first, GError **error)
{
  static const char *const selects[] = { "max(size)", "size", "sum(size)", "bytes",
                                         "count",     "uses", NULL };
  g_autoptr (WeftTable) table = weft_compare_query (scope, "attachments", groups, selects, error);

  if (table == NULL)
    return FALSE;
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      const WeftSubject subject = { "attachment", weft_compare_get_text (table, "kind", row),
                                    weft_compare_get_text (table, "lane", row),
                                    weft_compare_get_text (table, "name", row) };
      double uses = weft_compare_get_number (table, "uses", row);

      for (guint i = first; i < N_FIGURES; i++)
        {
          WeftObservation seen = { weft_compare_get_number (table, figures[i].name, row), 0, 1 };

          /* The number of uses is that of dispatches, of which there may be more or fewer. */
          if (i != SIZE)
            seen.noise = 4 / fmax (uses, 1);
          weft_measures_observe (measures, &subject, &figures[i], &seen, (guint64) uses);
        }
    }
  return TRUE;
}

gboolean
weft_compare_attachments (const WeftAnalysisScope *scope, WeftMeasures *measures, GError **error)
{
  static const char *const by_label[] = { "kind", "kind", "label", "name", NULL };
  static const char *const by_lane[] = { "dispatch.lane.kind", "kind", "dispatch.lane.name", "lane",
                                         NULL };

  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_ATTACHMENTS) == 0)
    return TRUE;
  return observe (scope, measures, by_label, SIZE, error) &&
         observe (scope, measures, by_lane, BYTES, error);
}
