/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-driver.h"

#define KIND "metal.driver"
#define NO_LABEL "(no label)"
#define MAX_OPEN 64 /* intervals inside one another */

typedef struct
{
  guint64 lane;
  guint64 routine;
  guint64 thread;
  gint64 start;
  gint64 duration;
  guint64 level; /* as Instruments draws it */
  gint64 inside; /* time of intervals right inside it */
} Span;

struct _WeftXctraceDriver
{
  GHashTable *stacks; /* lane and thread → GArray of Span: what is open, outermost first */
  guint64 n_rejected;
};

enum
{
  START,
  DURATION,
  ACTIVITY,
  EVENT,
  LEVEL,
  LABEL,
  PROCESS,
  THREAD,
  GPU,
};

static const WeftXctraceColumnWish wishes[] = {
  [START] = { "start", "start-time", TRUE },
  [DURATION] = { "duration", "duration", TRUE },
  [ACTIVITY] = { "gpu-driver-name", "gpu-driver-name", FALSE },
  [EVENT] = { "event-type", NULL, FALSE },
  [LEVEL] = { "event-depth", "metal-nesting-level", FALSE },
  [LABEL] = { "event-label", NULL, FALSE },
  [PROCESS] = { "process", "process", FALSE },
  [THREAD] = { "thread", "thread", FALSE },
  [GPU] = { "gpu", "metal-device-name", FALSE },
};

/* ---- Nesting ---- */

static gboolean
write_span (WeftXctraceImport *import, const Span *span, guint depth, GError **error)
{
  WeftXctraceFields row = { 0 };

  weft_xctrace_row_set_number (&row, "lane", span->lane);
  weft_xctrace_row_set_number (&row, "routine", span->routine);
  weft_xctrace_row_set_time (&row, "start", span->start);
  weft_xctrace_row_set_number (&row, "duration", (guint64) span->duration);
  weft_xctrace_row_set_number (&row, "depth", depth);
  weft_xctrace_row_set_number (&row, "child_time", (guint64) span->inside);
  if (span->thread != 0)
    weft_xctrace_row_set_number (&row, "thread", span->thread);
  import->end = MAX (import->end, span->start + span->duration);
  weft_xctrace_entities_count (import->entities, span->lane);
  return weft_xctrace_row_add (&row, import->builder, "dispatches", NULL, error);
}

static gboolean
contains (const Span *outer, const Span *inner)
{
  return inner->level > outer->level && inner->start >= outer->start &&
         inner->start + inner->duration <= outer->start + outer->duration;
}

static Span *
get_innermost (GArray *stack)
{
  return &g_array_index (stack, Span, stack->len - 1);
}

/* Writes what cannot have SPAN in it: all of it if that is NULL. */
static gboolean
close_others (WeftXctraceImport *import, GArray *stack, const Span *span, GError **error)
{
  while (stack->len > 0 &&
         (span == NULL || stack->len == MAX_OPEN || !contains (get_innermost (stack), span)))
    {
      const Span closed = *get_innermost (stack);

      g_array_set_size (stack, stack->len - 1);
      if (!write_span (import, &closed, stack->len, error))
        return FALSE;
    }
  return TRUE;
}

static GArray *
get_stack (WeftXctraceDriver *self, const Span *span)
{
  const guint64 key = span->lane << 32 | span->thread;
  GArray *stack = g_hash_table_lookup (self->stacks, &key);

  if (stack == NULL)
    {
      stack = g_array_new (FALSE, FALSE, sizeof (Span));
      g_hash_table_insert (self->stacks, g_memdup2 (&key, sizeof key), stack);
    }
  return stack;
}

/* Rows come by their start, and what is inside another comes after it. */
static gboolean
open_span (WeftXctraceImport *import, const Span *span, GError **error)
{
  GArray *stack;

  if (span->thread == 0)
    return write_span (import, span, 0, error);
  stack = get_stack (import->driver, span);
  if (!close_others (import, stack, span, error))
    return FALSE;
  if (stack->len > 0)
    {
      Span *outer = get_innermost (stack);

      outer->inside = MIN (outer->inside + span->duration, outer->duration);
    }
  g_array_append_val (stack, *span);
  return TRUE;
}

/* ---- Rows ---- */

static gboolean
find_people (WeftXctraceImport *import, const WeftXctraceElement *const *cells, Span *span,
             guint64 *process, GError **error)
{
  if (!weft_xctrace_entities_add_thread (import->entities, cells[THREAD], cells[PROCESS],
                                         &span->thread, error) ||
      !weft_xctrace_entities_add_process (import->entities, cells[PROCESS], process, error))
    return FALSE;
  if (*process == 0)
    *process = weft_xctrace_entities_get_process (import->entities, span->thread);
  return TRUE;
}

/* “Command Encoder: Warp”: not to be taken for what the GPU does under that label. */
static char *
get_routine_name (const char *event, const char *label)
{
  return g_strdup_printf ("%s: %s", event != NULL ? event : "Driver",
                          label != NULL ? label : NO_LABEL);
}

static gboolean
find_names (WeftXctraceImport *import, const WeftXctraceElement *const *cells, Span *span,
            guint64 process, GError **error)
{
  const char *activity = weft_xctrace_element_get_shown (cells[ACTIVITY]);
  g_autofree char *lane = weft_xctrace_join_names (weft_xctrace_element_get_shown (cells[GPU]),
                                                   activity != NULL ? activity : "driver");
  g_autofree char *routine = get_routine_name (weft_xctrace_element_get_shown (cells[EVENT]),
                                               weft_xctrace_read_label (cells[LABEL]));

  return weft_xctrace_entities_add_lane (import->entities, process, KIND, lane, &span->lane,
                                         error) &&
         weft_xctrace_entities_add_routine (import->entities, process, routine, &span->routine,
                                            error);
}

static gboolean
read_row (WeftXctraceImport *import, const WeftXctraceElement *const *cells, GError **error)
{
  Span span = { 0 };
  guint64 process;

  if (!find_people (import, cells, &span, &process, error) ||
      !find_names (import, cells, &span, process, error))
    return FALSE;
  if (!weft_xctrace_read_time (cells[START], &span.start) ||
      !weft_xctrace_read_time (cells[DURATION], &span.duration))
    {
      import->driver->n_rejected++;
      weft_xctrace_entities_reject (import->entities, span.lane, "no-times");
      return TRUE;
    }
  if (!weft_xctrace_element_get_number (cells[LEVEL], &span.level))
    span.level = 0;
  return open_span (import, &span, error);
}

const WeftXctraceKind weft_xctrace_driver_kind = { "metal-driver-intervals",
                                                   WEFT_XCTRACE_PHASE_WORK, wishes,
                                                   G_N_ELEMENTS (wishes), read_row };

/* ---- The end ---- */

gboolean
weft_xctrace_driver_finish (WeftXctraceImport *import, GPtrArray *losses, GError **error)
{
  GHashTableIter iter;
  gpointer stack;

  g_hash_table_iter_init (&iter, import->driver->stacks);
  while (g_hash_table_iter_next (&iter, NULL, &stack))
    if (!close_others (import, stack, NULL, error))
      return FALSE;
  if (import->driver->n_rejected > 0)
    g_ptr_array_add (losses, g_strdup_printf ("%" G_GUINT64_FORMAT " intervals of the driver "
                                              "without a start or duration",
                                              import->driver->n_rejected));
  return TRUE;
}

WeftXctraceDriver *
weft_xctrace_driver_new (void)
{
  WeftXctraceDriver *self = g_new0 (WeftXctraceDriver, 1);

  self->stacks =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_array_unref);
  return self;
}

void
weft_xctrace_driver_free (WeftXctraceDriver *self)
{
  g_hash_table_unref (self->stacks);
  g_free (self);
}
