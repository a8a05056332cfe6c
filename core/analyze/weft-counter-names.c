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
  self->counters =
      weft_row_table_new (scope, WEFT_TABLE_COUNTERS, counters, G_N_ELEMENTS (counters), error);
  self->sets = self->counters == NULL ? NULL
                                      : weft_row_table_new (scope, WEFT_TABLE_COUNTER_SETS, sets,
                                                            G_N_ELEMENTS (sets), error);
  return self->sets != NULL && read_states (self, scope, error);
}

void
weft_counter_names_clear (WeftCounterNames *self)
{
  g_clear_pointer (&self->counters, weft_row_table_free);
  g_clear_pointer (&self->sets, weft_row_table_free);
  g_clear_pointer (&self->states, g_hash_table_unref);
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

const char *
weft_counter_names_get_unit (WeftCounterNames *self, guint64 counter)
{
  return weft_answer_get_unit (
      weft_row_table_get (self->counters, WEFT_COUNTERS_UNIT, counter),
      weft_row_table_get_string (self->counters, WEFT_COUNTERS_UNIT_NAME, counter));
}

void
weft_counter_names_set (WeftCounterNames *self, WeftTableBuilder *builder, guint first_column,
                        guint64 counter)
{
  guint64 set = weft_counter_names_get_set (self, counter);

  weft_table_builder_set_uint64 (builder, first_column, counter);
  weft_table_builder_set_string (builder, first_column + 1,
                                 weft_counter_names_get_name (self, counter));
  weft_table_builder_set_uint64 (builder, first_column + 2, set);
  weft_table_builder_set_string (builder, first_column + 3,
                                 weft_counter_names_get_set_name (self, set));
  weft_table_builder_set_string (builder, first_column + 4,
                                 weft_counter_names_get_unit (self, counter));
}
