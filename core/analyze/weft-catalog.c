/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-catalog.h"

#include "weft-row-scan.h"

/* Things of one kind: an array in the order of ids, searched by halving. Ids are not indices, for
 * rows may be missing in a damaged file.
 */
struct _WeftCatalog
{
  WeftStore *store;
  GArray *processes;
  GArray *runtimes;
  GArray *lanes;
  GPtrArray *target_lanes; /* WeftCatalogLane in LANES: not those of the core */
  GArray *routines;
  GArray *threads;
};

/* Every element begins with its id. */
static gconstpointer
find (GArray *things, guint size, guint32 id)
{
  const char *data = things->data;
  guint low = 0;
  guint high = things->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      guint32 at = *(const guint32 *) (gconstpointer) (data + (gsize) middle * size);

      if (at == id)
        return data + (gsize) middle * size;
      if (at < id)
        low = middle + 1;
      else
        high = middle;
    }
  return NULL;
}

static const char *
get_text (WeftCatalog *self, guint64 id)
{
  return id == 0 ? NULL : weft_store_get_string (self->store, (guint32) id);
}

static void
add_process (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftCatalog *self = data;
  WeftCatalogProcess process = { .id = (guint32) number,
                                 .pid = (guint32) values[0],
                                 .name = get_text (self, values[1]) };

  g_array_append_val (self->processes, process);
}

static void
add_runtime (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftCatalog *self = data;
  WeftCatalogRuntime runtime = { .id = (guint32) number,
                                 .process = (guint32) values[0],
                                 .name = get_text (self, values[1]) };

  g_array_append_val (self->runtimes, runtime);
}

static void
add_lane (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftCatalog *self = data;
  WeftCatalogLane lane = { .id = (guint32) number,
                           .runtime = (guint32) values[0],
                           .parent = (guint32) values[1],
                           .name = get_text (self, values[2]),
                           .kind = get_text (self, values[3]) };

  g_array_append_val (self->lanes, lane);
}

static void
add_routine (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftCatalog *self = data;
  WeftCatalogRoutine routine = { .id = (guint32) number,
                                 .runtime = (guint32) values[0],
                                 .name = get_text (self, values[1]) };

  g_array_append_val (self->routines, routine);
}

static void
add_thread (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftCatalog *self = data;
  WeftCatalogThread thread = { .id = (guint32) number,
                               .process = (guint32) values[0],
                               .tid = (guint32) values[1],
                               .name = get_text (self, values[2]),
                               .first_seen = (gint64) values[3] };

  g_array_append_val (self->threads, thread);
}

gboolean
weft_catalog_is_core_lane (const WeftCatalogLane *lane)
{
  return lane->runtime == 0 && lane->kind != NULL && g_str_has_prefix (lane->kind, "system.");
}

static void
list_target_lanes (WeftCatalog *self)
{
  for (guint i = 0; i < self->lanes->len; i++)
    {
      WeftCatalogLane *lane = &g_array_index (self->lanes, WeftCatalogLane, i);

      if (!weft_catalog_is_core_lane (lane))
        g_ptr_array_add (self->target_lanes, lane);
    }
}

static gboolean
fill (WeftCatalog *self, GCancellable *cancellable, GError **error)
{
  static const WeftColumnNumber process[] = { WEFT_PROCESSES_PID, WEFT_PROCESSES_NAME };
  static const WeftColumnNumber runtime[] = { WEFT_RUNTIMES_PROCESS, WEFT_RUNTIMES_NAME };
  static const WeftColumnNumber lane[] = { WEFT_LANES_RUNTIME, WEFT_LANES_PARENT, WEFT_LANES_NAME,
                                           WEFT_LANES_KIND };
  static const WeftColumnNumber routine[] = { WEFT_ROUTINES_RUNTIME, WEFT_ROUTINES_NAME };
  static const WeftColumnNumber thread[] = { WEFT_THREADS_PROCESS, WEFT_THREADS_TID,
                                             WEFT_THREADS_NAME, WEFT_THREADS_FIRST_SEEN };
  const struct
  {
    WeftTableId table;
    const WeftColumnNumber *columns;
    guint n_columns;
    WeftRowFunc add;
  } tables[] = {
    { WEFT_TABLE_PROCESSES, process, G_N_ELEMENTS (process), add_process },
    { WEFT_TABLE_RUNTIMES, runtime, G_N_ELEMENTS (runtime), add_runtime },
    { WEFT_TABLE_LANES, lane, G_N_ELEMENTS (lane), add_lane },
    { WEFT_TABLE_ROUTINES, routine, G_N_ELEMENTS (routine), add_routine },
    { WEFT_TABLE_THREADS, thread, G_N_ELEMENTS (thread), add_thread },
  };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    if (!weft_scan_rows (self->store, tables[i].table, tables[i].columns, tables[i].n_columns,
                         tables[i].add, self, cancellable, error))
      return FALSE;
  return TRUE;
}

WeftCatalog *
weft_catalog_new (WeftStore *store, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftCatalog) self = g_new0 (WeftCatalog, 1);

  self->store = weft_store_ref (store);
  self->processes = g_array_new (FALSE, FALSE, sizeof (WeftCatalogProcess));
  self->runtimes = g_array_new (FALSE, FALSE, sizeof (WeftCatalogRuntime));
  self->lanes = g_array_new (FALSE, FALSE, sizeof (WeftCatalogLane));
  self->routines = g_array_new (FALSE, FALSE, sizeof (WeftCatalogRoutine));
  self->threads = g_array_new (FALSE, FALSE, sizeof (WeftCatalogThread));
  self->target_lanes = g_ptr_array_new ();
  if (!fill (self, cancellable, error))
    return NULL;
  list_target_lanes (self);
  return g_steal_pointer (&self);
}

void
weft_catalog_free (WeftCatalog *self)
{
  g_array_unref (self->processes);
  g_array_unref (self->runtimes);
  g_ptr_array_unref (self->target_lanes);
  g_array_unref (self->lanes);
  g_array_unref (self->routines);
  g_array_unref (self->threads);
  weft_store_unref (self->store);
  g_free (self);
}

const WeftCatalogProcess *
weft_catalog_get_process (WeftCatalog *self, guint32 id)
{
  return find (self->processes, sizeof (WeftCatalogProcess), id);
}

const WeftCatalogRuntime *
weft_catalog_get_runtime (WeftCatalog *self, guint32 id)
{
  return find (self->runtimes, sizeof (WeftCatalogRuntime), id);
}

const WeftCatalogLane *
weft_catalog_get_lane (WeftCatalog *self, guint32 id)
{
  return find (self->lanes, sizeof (WeftCatalogLane), id);
}

const WeftCatalogRoutine *
weft_catalog_get_routine (WeftCatalog *self, guint32 id)
{
  return find (self->routines, sizeof (WeftCatalogRoutine), id);
}

const WeftCatalogThread *
weft_catalog_get_thread (WeftCatalog *self, guint32 id)
{
  return find (self->threads, sizeof (WeftCatalogThread), id);
}

const WeftCatalogProcess *
weft_catalog_get_lane_process (WeftCatalog *self, const WeftCatalogLane *lane)
{
  const WeftCatalogRuntime *runtime = weft_catalog_get_runtime (self, lane->runtime);

  return runtime == NULL ? NULL : weft_catalog_get_process (self, runtime->process);
}

const char *
weft_catalog_get_lane_name (WeftCatalog *self, guint32 id)
{
  const WeftCatalogLane *lane = weft_catalog_get_lane (self, id);

  return lane == NULL ? NULL : lane->name;
}

const char *
weft_catalog_get_lane_kind (WeftCatalog *self, guint32 id)
{
  const WeftCatalogLane *lane = weft_catalog_get_lane (self, id);

  return lane != NULL ? lane->kind : NULL;
}

const char *
weft_catalog_get_routine_name (WeftCatalog *self, guint32 id)
{
  const WeftCatalogRoutine *routine = weft_catalog_get_routine (self, id);

  return routine == NULL ? NULL : routine->name;
}

guint
weft_catalog_get_n_lanes (WeftCatalog *self)
{
  return self->target_lanes->len;
}

const WeftCatalogLane *
weft_catalog_get_nth_lane (WeftCatalog *self, guint n)
{
  return g_ptr_array_index (self->target_lanes, n);
}

guint
weft_catalog_get_n_threads (WeftCatalog *self)
{
  return self->threads->len;
}

const WeftCatalogThread *
weft_catalog_get_nth_thread (WeftCatalog *self, guint n)
{
  return &g_array_index (self->threads, WeftCatalogThread, n);
}
