/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-states.h"

#define KIND "metal.state"
#define GAUGE "active channels"
#define NO_STATE "(no state)"

struct _WeftXctraceStates
{
  GHashTable *gauges; /* lane → metric */
  guint64 n_rejected;
};

enum
{
  START,
  DURATION,
  STATE,
  CHANNELS,
  GPU,
};

static const WeftXctraceColumnWish wishes[] = {
  [START] = { "start", "start-time", TRUE },     [DURATION] = { "duration", "duration", TRUE },
  [STATE] = { "state", "gpu-state", FALSE },     [CHANNELS] = { "num-events", "uint32", FALSE },
  [GPU] = { "gpu", "metal-device-name", FALSE },
};

static gboolean
find_gauge (WeftXctraceImport *import, guint64 lane, guint64 *metric, GError **error)
{
  WeftXctraceStates *self = import->states;
  WeftXctraceFields row;

  *metric = GPOINTER_TO_SIZE (g_hash_table_lookup (self->gauges, GSIZE_TO_POINTER (lane)));
  if (*metric != 0)
    return TRUE;
  row = (WeftXctraceFields){ 0 };
  weft_xctrace_row_set_number (&row, "lane", lane);
  weft_xctrace_row_set_text (&row, "name", GAUGE);
  weft_xctrace_row_set_number (&row, "kind", WEFT_METRIC_GAUGE);
  weft_xctrace_row_set_number (&row, "unit", WEFT_UNIT_COUNT);
  if (!weft_xctrace_row_add (&row, import->builder, "metrics", metric, error))
    return FALSE;
  g_hash_table_insert (self->gauges, GSIZE_TO_POINTER (lane), GSIZE_TO_POINTER (*metric));
  return TRUE;
}

static gboolean
add_point (WeftXctraceImport *import, guint64 lane, gint64 time, guint64 channels, GError **error)
{
  WeftXctraceFields row;
  guint64 metric;

  if (!find_gauge (import, lane, &metric, error))
    return FALSE;
  row = (WeftXctraceFields){ 0 };
  weft_xctrace_row_set_number (&row, "metric", metric);
  weft_xctrace_row_set_time (&row, "time", time);
  weft_xctrace_row_set_double (&row, "value", (double) channels);
  return weft_xctrace_row_add (&row, import->builder, "metric_points", NULL, error);
}

static gboolean
add_interval (WeftXctraceImport *import, guint64 lane, const char *state, gint64 start,
              gint64 duration, GError **error)
{
  guint64 routine;

  if (!weft_xctrace_entities_add_routine (import->entities, 0, state ? state : NO_STATE, &routine,
                                          error))
    return FALSE;
  weft_xctrace_entities_count (import->entities, lane);
  return weft_recording_builder_add_dispatch (import->builder, (guint) lane, (guint) routine, start,
                                              (guint64) duration, 0, WEFT_STATUS_OK, NULL, error);
}

/* Where no channel is active nothing happens: that is the gauge's to tell, not an interval's. */
static gboolean
read_row (WeftXctraceImport *import, const WeftXctraceElement *const *cells, GError **error)
{
  g_autofree char *name =
      weft_xctrace_join_names (weft_xctrace_element_get_shown (cells[GPU]), "state");
  guint64 lane;
  guint64 channels = 0;
  gboolean has_channels = weft_xctrace_element_get_number (cells[CHANNELS], &channels);
  gint64 start, duration;

  if (!weft_xctrace_entities_add_lane (import->entities, 0, KIND, name, &lane, error))
    return FALSE;
  if (!weft_xctrace_read_time (cells[START], &start) ||
      !weft_xctrace_read_time (cells[DURATION], &duration))
    {
      import->states->n_rejected++;
      weft_xctrace_entities_reject (import->entities, lane, "no-times");
      return TRUE;
    }
  import->end = MAX (import->end, start + duration);
  if (has_channels && !add_point (import, lane, start, channels, error))
    return FALSE;
  return (has_channels && channels == 0) ||
         add_interval (import, lane, weft_xctrace_element_get_shown (cells[STATE]), start, duration,
                       error);
}

const WeftXctraceKind weft_xctrace_states_kind = { "metal-gpu-state-intervals",
                                                   WEFT_XCTRACE_PHASE_WORK, wishes,
                                                   G_N_ELEMENTS (wishes), read_row };

void
weft_xctrace_states_finish (WeftXctraceImport *import, GPtrArray *losses)
{
  if (import->states->n_rejected > 0)
    g_ptr_array_add (losses, g_strdup_printf ("%" G_GUINT64_FORMAT
                                              " states of GPUs without a start or duration",
                                              import->states->n_rejected));
}

WeftXctraceStates *
weft_xctrace_states_new (void)
{
  WeftXctraceStates *self = g_new0 (WeftXctraceStates, 1);

  self->gauges = g_hash_table_new (NULL, NULL);
  return self;
}

void
weft_xctrace_states_free (WeftXctraceStates *self)
{
  g_hash_table_unref (self->gauges);
  g_free (self);
}
