/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-counter-names.h"

static gboolean
read_states (WeftCounterNames *self, const WeftAnalysisScope *scope, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_COUNTER_SET_STATES);
  g_autoptr (WeftRowCursor) samples = weft_row_cursor_new (scope, WEFT_TABLE_COUNTER_SAMPLES);

  while (weft_row_cursor_next (rows))
    {
      gpointer set = GSIZE_TO_POINTER (weft_row_cursor_get (rows, WEFT_COUNTER_SET_STATES_SET));
      WeftSetState *state = g_hash_table_lookup (self->states, set);

      if (state == NULL)
        {
          state = g_new0 (WeftSetState, 1);
          g_hash_table_insert (self->states, set, state);
        }
      state->row = weft_row_cursor_get_number (rows);
      state->n_states++;
      state->since = weft_row_cursor_get_signed (rows, WEFT_COUNTER_SET_STATES_TIME);
      state->availability = weft_row_cursor_get (rows, WEFT_COUNTER_SET_STATES_AVAILABILITY);
      state->reason = weft_row_cursor_get_string (rows, WEFT_COUNTER_SET_STATES_REASON);
    }
  while (weft_row_cursor_next (samples))
    {
      WeftSetState *state = g_hash_table_lookup (
          self->states, GSIZE_TO_POINTER (weft_row_cursor_get (samples, WEFT_COUNTER_SAMPLES_SET)));

      if (state != NULL)
        state->n_samples++;
    }
  return weft_row_cursor_finish (rows, error) && weft_row_cursor_finish (samples, error);
}

/* runtime → kind of its first lane: which domain's counters they may be */
static GHashTable *
read_kinds (const WeftAnalysisScope *scope, GError **error)
{
  GHashTable *kinds = g_hash_table_new (NULL, NULL);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_LANES);

  while (weft_row_cursor_next (rows))
    {
      gpointer runtime = GSIZE_TO_POINTER (weft_row_cursor_get (rows, WEFT_LANES_RUNTIME));
      const char *kind = weft_row_cursor_get_string (rows, WEFT_LANES_KIND);

      if (kind != NULL && !g_hash_table_contains (kinds, runtime))
        g_hash_table_insert (kinds, runtime, (gpointer) kind);
    }
  if (weft_row_cursor_finish (rows, error))
    return kinds;
  g_hash_table_unref (kinds);
  return NULL;
}

static gboolean
read_terms (WeftCounterNames *self, const WeftAnalysisScope *scope, GError **error)
{
  g_autoptr (WeftVocabulary) words = weft_recording_get_vocabulary (scope->recording);
  g_autoptr (GHashTable) kinds = read_kinds (scope, error);

  for (guint64 i = 0; kinds != NULL && i < weft_row_table_get_n_rows (self->counters); i++)
    {
      guint64 counter = weft_row_table_get_number (self->counters, i);
      guint64 runtime = weft_row_table_get (self->sets, WEFT_COUNTER_SETS_RUNTIME,
                                            weft_counter_names_get_set (self, counter));
      const char *name = weft_counter_names_get_name (self, counter);

      g_hash_table_insert (
          self->terms, GSIZE_TO_POINTER (counter),
          weft_vocabulary_get_counter (
              words, g_hash_table_lookup (kinds, GSIZE_TO_POINTER (runtime)), name ? name : ""));
    }
  return kinds != NULL;
}

gboolean
weft_counter_names_init (WeftCounterNames *self, const WeftAnalysisScope *scope, GError **error)
{
  static const WeftColumnNumber counters[] = {
    WEFT_COUNTERS_NAME,       WEFT_COUNTERS_SET,  WEFT_COUNTERS_UNIT,
    WEFT_COUNTERS_UNIT_NAME,  WEFT_COUNTERS_KIND, WEFT_COUNTERS_AGGREGATION,
    WEFT_COUNTERS_VALUE_TYPE,
  };
  static const WeftColumnNumber sets[] = { WEFT_COUNTER_SETS_NAME, WEFT_COUNTER_SETS_RUNTIME };

  self->states = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->terms = g_hash_table_new_full (NULL, NULL, NULL, g_object_unref);
  self->counters =
      weft_row_table_new (scope, WEFT_TABLE_COUNTERS, counters, G_N_ELEMENTS (counters), error);
  self->sets = self->counters == NULL ? NULL
                                      : weft_row_table_new (scope, WEFT_TABLE_COUNTER_SETS, sets,
                                                            G_N_ELEMENTS (sets), error);
  return self->sets != NULL && read_states (self, scope, error) && read_terms (self, scope, error);
}

void
weft_counter_names_clear (WeftCounterNames *self)
{
  g_clear_pointer (&self->counters, weft_row_table_free);
  g_clear_pointer (&self->sets, weft_row_table_free);
  g_clear_pointer (&self->states, g_hash_table_unref);
  g_clear_pointer (&self->terms, g_hash_table_unref);
}

const WeftSetState *
weft_counter_names_get_state (WeftCounterNames *self, guint64 set)
{
  return g_hash_table_lookup (self->states, GSIZE_TO_POINTER (set));
}

guint64
weft_counter_names_get_set (WeftCounterNames *self, guint64 counter)
{
  return weft_row_table_get (self->counters, WEFT_COUNTERS_SET, counter);
}

const char *
weft_counter_names_get_set_name (WeftCounterNames *self, guint64 set)
{
  return weft_row_table_get_string (self->sets, WEFT_COUNTER_SETS_NAME, set);
}

const char *
weft_counter_names_get_name (WeftCounterNames *self, guint64 counter)
{
  return weft_row_table_get_string (self->counters, WEFT_COUNTERS_NAME, counter);
}

static WeftTerm *
get_term (WeftCounterNames *self, guint64 counter)
{
  return g_hash_table_lookup (self->terms, GSIZE_TO_POINTER (counter));
}

static const char *
get_unit (WeftCounterNames *self, guint64 counter)
{
  WeftTerm *term = get_term (self, counter);
  const char *unit = weft_answer_get_unit (
      weft_row_table_get (self->counters, WEFT_COUNTERS_UNIT, counter),
      weft_row_table_get_string (self->counters, WEFT_COUNTERS_UNIT_NAME, counter));

  return unit == NULL && term != NULL ? weft_term_get_unit (term) : unit;
}

void
weft_counter_names_set (WeftCounterNames *self, WeftTableBuilder *builder, guint first_column,
                        guint64 counter)
{
  WeftTerm *term = get_term (self, counter);
  guint64 set = weft_counter_names_get_set (self, counter);

  weft_table_builder_set_uint64 (builder, first_column, counter);
  weft_table_builder_set_string (builder, first_column + 1,
                                 weft_counter_names_get_name (self, counter));
  weft_table_builder_set_uint64 (builder, first_column + 2, set);
  weft_table_builder_set_string (builder, first_column + 3,
                                 weft_counter_names_get_set_name (self, set));
  weft_table_builder_set_string (builder, first_column + 4, get_unit (self, counter));
  if (term == NULL)
    return;
  weft_table_builder_set_string (builder, first_column + 5, weft_term_get_label (term));
  weft_table_builder_set_uint64 (builder, first_column + 6, weft_term_get_polarity (term));
}
