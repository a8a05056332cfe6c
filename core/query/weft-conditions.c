/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-conditions.h"

/* The time of a row: its own, or else that of its dispatch; NULL: it has none. */
static WeftPredicate *
new_overlap (WeftTableId table, gint64 low, gint64 high)
{
  static const char *const starts[] = { "start", "time", "dispatch.start" };
  static const char *const durations[] = { "duration", NULL, "dispatch.duration" };

  for (guint i = 0; i < G_N_ELEMENTS (starts); i++)
    {
      WeftExpression *start = weft_expression_new (table, starts[i], NULL);

      if (start != NULL)
        return weft_predicate_new_overlap (
            start, durations[i] != NULL ? weft_expression_new (table, durations[i], NULL) : NULL,
            low, high);
    }
  return NULL;
}

static WeftPredicate *
new_range (const WeftQuestion *question)
{
  if (question->begin == question->end)
    return weft_predicate_new (WEFT_PREDICATE_NONE);
  return new_overlap (question->table, question->begin, question->end - 1);
}

gboolean
weft_conditions_compile (const WeftQuestion *question, WeftRun *run, WeftPredicate **predicate,
                         GError **error)
{
  *predicate = question->has_range ? new_range (question) : NULL;
  return *predicate == NULL || weft_predicate_bind (*predicate, run->store, question->table, error);
}
