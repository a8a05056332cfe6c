/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-ingest-private.h"

#include <string.h>

#include "weft-clock.h"

#define MAX_STRING (WEFT_WIRE_MAX_SOURCE)
#define STRING_OVERHEAD 40 /* bytes that the dictionary needs beside the text */

WeftIngest *
weft_ingest_new (WeftStoreWriter *store, gint64 start)
{
  WeftIngest *self = g_new0 (WeftIngest, 1);

  self->store = store;
  self->start = start;
  self->runtimes = g_ptr_array_new ();
  weft_ingest_identity_init (self);
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    self->tables[i] = weft_store_writer_table (store, i);
  return self;
}

void
weft_ingest_free (WeftIngest *self)
{
  g_assert (self->runtimes->len == 0);
  g_ptr_array_unref (self->runtimes);
  weft_ingest_identity_clear (self);
  g_free (self);
}

void
weft_ingest_set_unwinder (WeftIngest *self, WeftUnwindFunc unwind, gpointer data)
{
  self->unwind = unwind;
  self->unwind_data = data;
}

void
weft_ingest_set_process_seen (WeftIngest *self, WeftProcessSeenFunc seen, gpointer data)
{
  self->process_seen = seen;
  self->process_data = data;
}

void
weft_ingest_set_linker (WeftIngest *self, WeftLinker *linker)
{
  self->linker = linker;
}

gint64
weft_ingest_get_last_end (WeftIngest *self)
{
  return self->last_end;
}

void
weft_ingest_set_handover (WeftIngest *self, WeftHandoverFunc handover, gpointer data)
{
  self->handover = handover;
  self->handover_data = data;
}

void
weft_ingest_set_kind_seen (WeftIngest *self, WeftKindFunc seen, gpointer data)
{
  self->kind_seen = seen;
  self->kind_data = data;
}

guint64
weft_ingest_commit (WeftIngest *self, WeftTableId table)
{
  self->n_rows[table] = weft_table_writer_commit (self->tables[table]);
  return self->n_rows[table];
}

/* ---- Rows about the recording ---- */

static void
add_meta (WeftIngest *self, const char *key, const char *text, const gint64 *number)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_META];
  guint32 key_id = weft_store_writer_string (self->store, key, -1);
  guint32 text_id = weft_store_writer_string (self->store, text, -1);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_META_KEY, key_id);
  weft_table_writer_set (t, WEFT_META_TEXT, text_id);
  if (number != NULL)
    weft_table_writer_set (t, WEFT_META_NUMBER, (guint64) *number);
  weft_ingest_commit (self, WEFT_TABLE_META);
}

void
weft_ingest_add_meta (WeftIngest *self, const char *key, const char *text)
{
  g_autofree char *valid = text ? g_utf8_make_valid (text, -1) : NULL;

  add_meta (self, key, valid, NULL);
}

void
weft_ingest_add_meta_number (WeftIngest *self, const char *key, gint64 number)
{
  add_meta (self, key, NULL, &number);
}

void
weft_ingest_add_diagnostic (WeftIngest *self, guint severity, const char *code, const char *message)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_DIAGNOSTICS];
  g_autofree char *valid = g_utf8_make_valid (message, -1);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_DIAGNOSTICS_TIME, (guint64) (weft_monotonic_now () - self->start));
  weft_table_writer_set (t, WEFT_DIAGNOSTICS_SEVERITY, severity);
  weft_table_writer_set (t, WEFT_DIAGNOSTICS_CODE,
                         weft_store_writer_string (self->store, code, -1));
  weft_table_writer_set (t, WEFT_DIAGNOSTICS_MESSAGE,
                         weft_store_writer_string (self->store, valid, -1));
  weft_ingest_commit (self, WEFT_TABLE_DIAGNOSTICS);
}

void
weft_ingest_add_plugin (WeftIngest *self, const char *name, const char *version, const char *path)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_PLUGINS];
  guint32 name_id = weft_store_writer_string (self->store, name, -1);
  guint32 version_id = weft_store_writer_string (self->store, version, -1);
  guint32 path_id = weft_store_writer_string (self->store, path, -1);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_PLUGINS_NAME, name_id);
  weft_table_writer_set (t, WEFT_PLUGINS_VERSION, version_id);
  weft_table_writer_set (t, WEFT_PLUGINS_PATH, path_id);
  weft_ingest_commit (self, WEFT_TABLE_PLUGINS);
}

void
weft_ingest_add_finding (WeftIngest *self, const WeftIngestFinding *finding)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_FINDINGS];
  const struct
  {
    WeftColumnNumber column;
    const char *text;
  } texts[] = {
    { WEFT_FINDINGS_DOMAIN, finding->domain },     { WEFT_FINDINGS_CHECK, finding->check },
    { WEFT_FINDINGS_QUESTION, finding->question }, { WEFT_FINDINGS_EVIDENCE, finding->evidence },
    { WEFT_FINDINGS_ADVICE, finding->advice },     { WEFT_FINDINGS_HANDLES, finding->handles },
  };
  guint32 strings[G_N_ELEMENTS (texts)];

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    strings[i] =
        *texts[i].text != '\0' ? weft_store_writer_string (self->store, texts[i].text, -1) : 0;
  weft_table_writer_begin (t);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    weft_table_writer_set (t, texts[i].column, strings[i]);
  weft_table_writer_set (t, WEFT_FINDINGS_VERDICT, finding->verdict);
  weft_ingest_commit (self, WEFT_TABLE_FINDINGS);
}

void
weft_ingest_add_own_cost (WeftIngest *self, gint64 now, const WeftOwnCost *cost)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_OWN_COST];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_OWN_COST_TIME, (guint64) (now - self->start));
  weft_table_writer_set (t, WEFT_OWN_COST_CPU, cost->cpu);
  weft_table_writer_set (t, WEFT_OWN_COST_RESIDENT, cost->resident);
  weft_table_writer_set (t, WEFT_OWN_COST_WRITTEN, cost->written);
  if (cost->sampler > 0)
    weft_table_writer_set (t, WEFT_OWN_COST_SAMPLER, cost->sampler);
  if (cost->symbolizer > 0)
    weft_table_writer_set (t, WEFT_OWN_COST_SYMBOLIZER, cost->symbolizer);
  if (cost->perturbation > 0)
    weft_table_writer_set (t, WEFT_OWN_COST_PERTURBATION, cost->perturbation);
  weft_ingest_commit (self, WEFT_TABLE_OWN_COST);
}

void
weft_ingest_hold_strings (WeftIngest *self, GArray *ids)
{
  g_array_append_val (ids, self->last_kind);
  for (guint i = 0; i < self->runtimes->len; i++)
    weft_ingest_runtime_hold_strings (g_ptr_array_index (self->runtimes, i), ids);
}

/* ---- Rows of the recorder's own ---- */

guint64
weft_ingest_add_core_lane (WeftIngest *self, const char *name, const char *kind)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_LANES];
  guint32 name_id = weft_ingest_intern_untrusted (self, name);
  guint32 kind_id = weft_store_writer_string (self->store, kind, -1);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_LANES_NAME, name_id);
  weft_table_writer_set (t, WEFT_LANES_KIND, kind_id);
  return weft_ingest_commit (self, WEFT_TABLE_LANES);
}

guint64
weft_ingest_add_core_metric (WeftIngest *self, guint64 lane, const char *name, guint kind,
                             guint unit)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_METRICS];
  guint32 name_id = weft_store_writer_string (self->store, name, -1);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_METRICS_LANE, lane);
  weft_table_writer_set (t, WEFT_METRICS_NAME, name_id);
  weft_table_writer_set (t, WEFT_METRICS_KIND, kind);
  weft_table_writer_set (t, WEFT_METRICS_UNIT, unit);
  return weft_ingest_commit (self, WEFT_TABLE_METRICS);
}

void
weft_ingest_add_core_point (WeftIngest *self, guint64 metric, gint64 now, double value)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_METRIC_POINTS];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_METRIC_POINTS_METRIC, metric);
  weft_table_writer_set (t, WEFT_METRIC_POINTS_TIME, (guint64) (now - self->start));
  weft_table_writer_set_double (t, WEFT_METRIC_POINTS_VALUE, value);
  weft_ingest_commit (self, WEFT_TABLE_METRIC_POINTS);
}

void
weft_ingest_add_core_tag (WeftIngest *self, guint64 lane, const char *key, guint64 number)
{
  weft_ingest_add_tag (self, WEFT_TABLE_LANES, lane,
                       weft_store_writer_string (self->store, key, -1), 0, 0, number);
}

void
weft_ingest_forget (WeftIngest *self, gint64 before, guint64 strings)
{
  weft_ingest_forget_processes (self, before);
  self->string_bytes = MIN (self->string_bytes, strings);
  for (guint i = 0; i < self->runtimes->len; i++)
    {
      WeftIngestRuntime *runtime = g_ptr_array_index (self->runtimes, i);

      weft_ingest_runtime_forget_traces (runtime, before);
      runtime->string_bytes = MIN (runtime->string_bytes, strings);
    }
}

static void
add_losses (WeftIngestTotals *totals, const guint64 *losses)
{
  for (guint i = 0; i < WEFT_N_LOSSES; i++)
    if (weft_loss_get_category (i) == WEFT_LOSS_REJECTED)
      totals->rejected += losses[i];
    else if (weft_loss_get_category (i) == WEFT_LOSS_SAMPLED_OUT)
      totals->sampled_out += losses[i];
    else if (weft_loss_is_of_record (i))
      totals->lost += losses[i];
}

void
weft_ingest_get_totals (WeftIngest *self, WeftIngestTotals *totals)
{
  *totals = self->ended;
  totals->runtimes = self->runtimes->len;
  totals->runtimes_seen += self->runtimes->len;

  for (guint i = 0; i < self->runtimes->len; i++)
    {
      WeftIngestRuntime *runtime = g_ptr_array_index (self->runtimes, i);

      add_losses (totals, runtime->losses);
      for (guint j = 0; j < runtime->lanes->len; j++)
        {
          const WeftIngestLane *lane = &g_array_index (runtime->lanes, WeftIngestLane, j);

          totals->pending += lane->pending;
          add_losses (totals, lane->losses);
        }
      totals->lanes += runtime->lanes->len;
    }
  totals->dispatches = self->n_rows[WEFT_TABLE_DISPATCHES];
}

/* ---- Threads of a runtime ---- */

typedef struct
{
  guint64 id;
  guint64 started; /* ticks since boot */
} KnownThread;

/* The recorder's number of a thread; 0 where it is gone and its own number is another namespace's.
 */
static int
number_of (const WeftIngestRuntime *self, int tid, int outer)
{
  if (outer != 0 || !self->other_pid_namespace)
    return outer ? outer : tid;
  return tid == self->namespace_pid ? self->pid : 0;
}

static guint64
add_thread (WeftIngestRuntime *self, int tid, int outer, guint64 started, const char *name,
            gint64 seen)
{
  WeftIngestThread thread = { .tid = number_of (self, tid, outer),
                              .namespace_tid = tid,
                              .started = started ? weft_process_ticks_to_monotonic (started) : 0,
                              .seen = seen,
                              .name = name,
                              .runtime = self->id };

  return weft_ingest_add_thread (self->ingest, self->process, &thread);
}

/* A thread is (process, number, start): numbers come again. NEW_WRITER: the producer says that a
 * thread of this number reported for the first time. Without it the number came with an origin, and
 * may be anything: 0 if the process has no such thread.
 */
static guint64
find_thread (WeftIngestRuntime *self, int tid, const WeftIngestWriter *new_writer)
{
  const char *name = new_writer ? new_writer->name : NULL;
  KnownThread *known = g_hash_table_lookup (self->threads, GINT_TO_POINTER (tid));
  g_autofree char *own_name = NULL;
  guint64 started;
  int outer;

  if (known != NULL && new_writer == NULL)
    return known->id;
  if (known == NULL && g_hash_table_size (self->threads) >= MAX_THREADS)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_TOO_MANY_REGISTERED, 1);
      return 0;
    }

  outer = self->gone ? 0 : weft_process_find_thread (self->pid, tid, self->other_pid_namespace);
  started = outer ? weft_process_thread_started (self->pid, outer) : 0;
  if (known != NULL && started != 0 && known->started == started)
    return known->id;

  if (name == NULL && outer != 0)
    name = own_name = weft_process_thread_name (self->pid, outer);
  if (known == NULL)
    {
      known = g_new0 (KnownThread, 1);
      g_hash_table_insert (self->threads, GINT_TO_POINTER (tid), known);
    }
  if (outer == 0 && new_writer == NULL)
    return 0;
  known->started = started;
  known->id =
      add_thread (self, tid, outer, started, name, new_writer ? new_writer->registered : self->now);
  return known->id;
}

static void
resolve_writer (WeftIngestRuntime *self, WeftIngestWriter *writer)
{
  if (writer->tid > 0)
    writer->thread = find_thread (self, writer->tid, writer);
  g_clear_pointer (&writer->name, g_free);
  writer->resolved = TRUE;
}

/* The thread that an origin or a stack names: that of the newest writer of this number, which may
 * have ended since, or one that is there.
 */
guint64
weft_ingest_runtime_find_thread (WeftIngestRuntime *self, int tid)
{
  guint writer_id =
      GPOINTER_TO_UINT (g_hash_table_lookup (self->newest_writers, GINT_TO_POINTER (tid)));
  WeftIngestWriter *writer;

  if (tid <= 0)
    return 0;
  if (writer_id == 0)
    return find_thread (self, tid, NULL);
  writer = &g_array_index (self->writers, WeftIngestWriter, writer_id - 1);
  if (!writer->resolved)
    resolve_writer (self, writer);
  return writer->thread;
}

/* ---- Losses ---- */

WeftIngestLane *
weft_ingest_runtime_get_lane (WeftIngestRuntime *self, guint lane)
{
  if (G_UNLIKELY (lane - 1 >= self->lanes->len))
    return NULL;
  return &g_array_index (self->lanes, WeftIngestLane, lane - 1);
}

guint64
weft_ingest_runtime_lookup (const GArray *ids, guint number)
{
  return number - 1 < ids->len ? g_array_index (ids, guint64, number - 1) : 0;
}

void
weft_ingest_runtime_count (WeftIngestRuntime *self, guint number, WeftLoss loss, guint64 n)
{
  WeftIngestLane *lane = weft_ingest_runtime_get_lane (self, number);

  if (lane == NULL)
    {
      self->losses[loss] += n;
      return;
    }
  lane->losses[loss] += n;
  lane->dirty = TRUE;
}

static void
write_losses (WeftIngestRuntime *self, guint64 lane, const guint64 *losses, guint64 *written,
              gint64 now)
{
  WeftIngest *ingest = self->ingest;
  WeftTableWriter *t = ingest->tables[WEFT_TABLE_LOSSES];

  for (guint i = 0; i < WEFT_N_LOSSES; i++)
    {
      if (losses[i] == written[i])
        continue;
      weft_table_writer_begin (t);
      weft_table_writer_set (t, WEFT_LOSSES_LANE, lane);
      weft_table_writer_set (t, WEFT_LOSSES_RUNTIME, self->id);
      weft_table_writer_set (t, WEFT_LOSSES_TIME, (guint64) (now - ingest->start));
      weft_table_writer_set (t, WEFT_LOSSES_CATEGORY, weft_loss_get_category (i));
      weft_table_writer_set (t, WEFT_LOSSES_REASON,
                             weft_store_writer_string (ingest->store, weft_loss_get_name (i), -1));
      weft_table_writer_set (t, WEFT_LOSSES_COUNT, losses[i]);
      weft_ingest_commit (ingest, WEFT_TABLE_LOSSES);
      written[i] = losses[i];
    }
}

static const WeftLoss drop_reasons[WEFT_WIRE_N_DROPS] = {
  [WEFT_WIRE_DROP_NO_ROOM] = WEFT_LOSS_NO_ROOM,
  [WEFT_WIRE_DROP_REENTRANT] = WEFT_LOSS_REENTRANT,
  [WEFT_WIRE_DROP_DISCONNECTED] = WEFT_LOSS_DISCONNECTED,
  [WEFT_WIRE_DROP_TOO_LARGE] = WEFT_LOSS_TOO_LARGE,
  [WEFT_WIRE_DROP_INVALID] = WEFT_LOSS_INVALID,
  [WEFT_WIRE_DROP_SAMPLED_OUT] = WEFT_LOSS_BY_SAMPLING,
};

/* The producer's cell is the truth for what never came to us. */
static void
read_cell (WeftIngestRuntime *self, WeftIngestLane *lane)
{
  if (lane->cell >= self->n_cells)
    return;
  for (guint i = 0; i < WEFT_WIRE_N_DROPS; i++)
    {
      guint64 now = __atomic_load_n (&self->cells[lane->cell].drops[i], __ATOMIC_RELAXED);
      guint64 drops = now > lane->base[i] ? now - lane->base[i] : 0;
      WeftLoss loss = drop_reasons[i];

      if (drops > lane->losses[loss])
        {
          lane->losses[loss] = drops;
          lane->dirty = TRUE;
        }
    }
}

static void
write_lane_counts (WeftIngestRuntime *self, WeftIngestLane *lane, gint64 now)
{
  WeftIngest *ingest = self->ingest;
  WeftTableWriter *t = ingest->tables[WEFT_TABLE_LANE_COUNTS];
  guint64 sums[4] = { 0, 0, 0, 0 };

  for (guint i = 0; i < WEFT_N_LOSSES; i++)
    if (weft_loss_is_of_record (i))
      sums[weft_loss_get_category (i)] += lane->losses[i];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_LANE_COUNTS_LANE, lane->id);
  weft_table_writer_set (t, WEFT_LANE_COUNTS_TIME, (guint64) (now - ingest->start));
  weft_table_writer_set (t, WEFT_LANE_COUNTS_SUBMITTED,
                         lane->completed + lane->pending + sums[WEFT_LOSS_REJECTED] +
                             sums[WEFT_LOSS_LOST] + sums[WEFT_LOSS_SAMPLED_OUT]);
  weft_table_writer_set (t, WEFT_LANE_COUNTS_COMPLETED, lane->completed);
  weft_table_writer_set (t, WEFT_LANE_COUNTS_PENDING, lane->pending);
  weft_table_writer_set (t, WEFT_LANE_COUNTS_SAMPLED_OUT, sums[WEFT_LOSS_SAMPLED_OUT]);
  weft_table_writer_set (t, WEFT_LANE_COUNTS_REJECTED, sums[WEFT_LOSS_REJECTED]);
  weft_table_writer_set (t, WEFT_LANE_COUNTS_LOST, sums[WEFT_LOSS_LOST]);
  weft_ingest_commit (ingest, WEFT_TABLE_LANE_COUNTS);
}

void
weft_ingest_runtime_write_counts (WeftIngestRuntime *self, gint64 now)
{
  weft_ingest_runtime_note_reservations (self);
  for (guint i = 0; i < self->lanes->len; i++)
    {
      WeftIngestLane *lane = &g_array_index (self->lanes, WeftIngestLane, i);

      read_cell (self, lane);
      if (!lane->dirty)
        continue;
      write_lane_counts (self, lane, now);
      write_losses (self, lane->id, lane->losses, lane->written, now);
      lane->dirty = FALSE;
    }
  write_losses (self, 0, self->losses, self->written, now);
}

static const char *const stat_names[WEFT_WIRE_N_STATS] = {
  [WEFT_WIRE_STAT_QUEUED] = "queued",
  [WEFT_WIRE_STAT_DROPPED] = "dropped",
  [WEFT_WIRE_STAT_DISCONNECTED] = "disconnected",
  [WEFT_WIRE_STAT_DISABLED] = "disabled",
  [WEFT_WIRE_STAT_UNSUPPORTED] = "unsupported",
  [WEFT_WIRE_STAT_SCHEMA_MISMATCH] = "schema-mismatch",
  [WEFT_WIRE_STAT_LISTENER_ERRORS] = "listener-errors",
  [WEFT_WIRE_STAT_STACKS_SKIPPED] = "stacks-skipped",
  [WEFT_WIRE_STAT_REGISTRY_FULL] = "registry-full",
  [WEFT_WIRE_STAT_TRUNCATED] = "truncated",
  [WEFT_WIRE_STAT_CONNECTIONS] = "connections",
};

/* What the producer counted itself since it attached. */
void
weft_ingest_runtime_write_stats (WeftIngestRuntime *self, const guint64 *stats, gint64 now)
{
  WeftIngest *ingest = self->ingest;
  WeftTableWriter *t = ingest->tables[WEFT_TABLE_RUNTIME_STATS];

  for (guint i = 0; i < WEFT_WIRE_N_STATS; i++)
    {
      if (stat_names[i] == NULL || stats[i] <= self->stats_base[i])
        continue;
      weft_table_writer_begin (t);
      weft_table_writer_set (t, WEFT_RUNTIME_STATS_RUNTIME, self->id);
      weft_table_writer_set (t, WEFT_RUNTIME_STATS_TIME, (guint64) (now - ingest->start));
      weft_table_writer_set (t, WEFT_RUNTIME_STATS_NAME,
                             weft_store_writer_string (ingest->store, stat_names[i], -1));
      weft_table_writer_set (t, WEFT_RUNTIME_STATS_COUNT, stats[i] - self->stats_base[i]);
      weft_ingest_commit (ingest, WEFT_TABLE_RUNTIME_STATS);
    }
}

/* ---- Strings, ids, times ---- */

/* The next string of a record, mended where it is no UTF-8. NULL if there is none. */
char *
weft_ingest_runtime_read_text (WeftIngestRuntime *self, WeftCursor *cursor, guint lane,
                               gsize *length)
{
  WeftWireString head;
  gsize padded;
  const char *text;

  if (cursor->bad || (gsize) (cursor->end - cursor->at) < sizeof head)
    {
      cursor->bad = TRUE;
      return NULL;
    }
  memcpy (&head, cursor->at, sizeof head);
  cursor->at += sizeof head;
  padded = ((gsize) head.length + 7) & ~(gsize) 7;
  if (head.length > MAX_STRING || padded > (gsize) (cursor->end - cursor->at))
    {
      cursor->bad = TRUE;
      return NULL;
    }
  text = (const char *) cursor->at;
  cursor->at += padded;

  if (head.flags & WEFT_WIRE_STRING_CUT)
    weft_ingest_runtime_count (self, lane, WEFT_LOSS_STRING_CUT, 1);
  if (g_utf8_validate_len (text, head.length, NULL))
    {
      *length = head.length;
      return g_strndup (text, head.length);
    }

  weft_ingest_runtime_count (self, lane, WEFT_LOSS_INVALID_UTF8, 1);
  {
    char *valid = g_utf8_make_valid (text, head.length);

    *length = strlen (valid);
    return valid;
  }
}

/* Strings stay in memory until the end, so one that goes on saying new ones is not heard at last.
 */
guint32
weft_ingest_runtime_intern (WeftIngestRuntime *self, const char *text, gsize length, guint lane)
{
  WeftIngest *ingest = self->ingest;
  guint32 id;

  if (text == NULL)
    return 0;
  if (G_UNLIKELY (self->string_bytes > MAX_STRING_BYTES ||
                  ingest->string_bytes > MAX_ALL_STRING_BYTES))
    {
      weft_ingest_runtime_count (self, lane, WEFT_LOSS_STRING_CUT, 1);
      return 0;
    }
  id = weft_store_writer_string (ingest->store, text, (gssize) length);
  if (id > ingest->last_string)
    {
      ingest->last_string = id;
      ingest->string_bytes += length + STRING_OVERHEAD;
      self->string_bytes += length + STRING_OVERHEAD;
    }
  return id;
}

guint32
weft_ingest_runtime_read_string (WeftIngestRuntime *self, WeftCursor *cursor, guint lane)
{
  gsize length = 0;
  g_autofree char *text = weft_ingest_runtime_read_text (self, cursor, lane, &length);

  return weft_ingest_runtime_intern (self, text, length, lane);
}

void
weft_ingest_add_tag (WeftIngest *self, WeftTableId owner_table, guint64 owner, guint32 key,
                     guint type, guint32 text, guint64 bits)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_TAGS];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_TAGS_OWNER_TABLE, owner_table);
  weft_table_writer_set (t, WEFT_TAGS_OWNER, owner);
  weft_table_writer_set (t, WEFT_TAGS_KEY, key);
  weft_table_writer_set (t, WEFT_TAGS_TYPE, type);
  weft_table_writer_set (t, WEFT_TAGS_TEXT, text);
  weft_table_writer_set (t, WEFT_TAGS_BITS, bits);
  weft_ingest_commit (self, WEFT_TABLE_TAGS);
}

/* Recent ids stand in a direct-mapped memory: each has one slot, which a later one may take. */
static gsize
slot_of (guint64 producer)
{
  return (producer ^ (producer >> 32)) % RECENT_IDS;
}

void
weft_ingest_remember (WeftIngestRecent **table, guint64 producer, guint64 id)
{
  if (producer == 0)
    return;
  if (*table == NULL)
    *table = g_new0 (WeftIngestRecent, RECENT_IDS);
  (*table)[slot_of (producer)] = (WeftIngestRecent){ producer, id };
}

guint64
weft_ingest_recall (const WeftIngestRecent *table, guint64 producer)
{
  if (producer == 0 || table == NULL || table[slot_of (producer)].producer != producer)
    return 0;
  return table[slot_of (producer)].id;
}

gboolean
weft_ingest_runtime_convert (WeftIngestRuntime *self, guint clock, guint64 ticks, gint64 *time,
                             gboolean *extrapolated)
{
  gint64 absolute;

  *extrapolated = FALSE;
  if (clock == WEFT_WIRE_CLOCK_ID_MONOTONIC ||
      (clock == WEFT_WIRE_CLOCK_ID_RUNTIME && self->clock == WEFT_WIRE_CLOCK_MONOTONIC))
    {
      if (ticks > (guint64) (G_MAXINT64 / 2))
        absolute = G_MAXINT64 / 2;
      else
        absolute = (gint64) ticks - self->monotonic_offset;
    }
  else if (clock == WEFT_WIRE_CLOCK_ID_RUNTIME)
    {
      if (!weft_clock_map_convert (&self->map, ticks, &absolute, extrapolated))
        return FALSE;
    }
  else
    {
      WeftIngestClock *device;

      if (clock - 2 >= self->clocks->len)
        return FALSE;
      device = g_ptr_array_index (self->clocks, clock - 2);
      if (!weft_clock_map_convert (&device->map, ticks, &absolute, extrapolated))
        return FALSE;
    }

  *time = absolute - self->ingest->start;
  return TRUE;
}

/* ---- A runtime's life ---- */

static void
clock_free (gpointer data)
{
  WeftIngestClock *clock = data;

  weft_clock_map_clear (&clock->map);
  g_queue_clear_full (&clock->deferred, g_free);
  g_free (clock);
}

static guint64
add_runtime_row (WeftIngest *self, guint64 process, const WeftWireRegistry *header, gint64 now)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_RUNTIMES];
  g_autofree char *name = g_strndup (header->name, sizeof header->name);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_RUNTIMES_PROCESS, process);
  weft_table_writer_set (t, WEFT_RUNTIMES_INSTANCE, header->instance);
  weft_table_writer_set (t, WEFT_RUNTIMES_NAME, weft_ingest_intern_untrusted (self, name));
  weft_table_writer_set (t, WEFT_RUNTIMES_WIRE_MAJOR, header->major);
  weft_table_writer_set (t, WEFT_RUNTIMES_WIRE_MINOR, header->minor);
  weft_table_writer_set (t, WEFT_RUNTIMES_CLOCK, header->clock);
  weft_table_writer_set (t, WEFT_RUNTIMES_ATTACHED, (guint64) (now - self->start));
  return weft_ingest_commit (self, WEFT_TABLE_RUNTIMES);
}

static guint64
add_clock_row (WeftIngestRuntime *self, guint32 name, guint kind, double frequency)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_CLOCKS];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_CLOCKS_RUNTIME, self->id);
  weft_table_writer_set (t, WEFT_CLOCKS_NAME, name);
  weft_table_writer_set (t, WEFT_CLOCKS_KIND, kind);
  weft_table_writer_set_double (t, WEFT_CLOCKS_FREQUENCY, frequency);
  return weft_ingest_commit (self->ingest, WEFT_TABLE_CLOCKS);
}

static void
init_collections (WeftIngestRuntime *self)
{
  self->lanes = g_array_new (FALSE, TRUE, sizeof (WeftIngestLane));
  self->routines = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->queues = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->queue_lanes = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->sources = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->metrics = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->artifacts = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->counter_sets = g_array_new (FALSE, TRUE, sizeof (WeftIngestCounterSet));
  self->writers = g_array_new (FALSE, TRUE, sizeof (WeftIngestWriter));
  self->clocks = g_ptr_array_new_with_free_func (clock_free);
  self->newest_writers = g_hash_table_new (NULL, NULL);
  self->threads = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->pending = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->traces = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  weft_clock_map_init (&self->map);
}

/* Start times of processes come in ticks of 10 ms. */
#define START_TOLERANCE (2 * 10 * G_GINT64_CONSTANT (1000000))

static void
copy_base (WeftIngestRuntime *self, const WeftProcessInfo *info, const WeftWireRegistry *header)
{
  if (info->gone || info->started == 0 || info->started + START_TOLERANCE >= self->ingest->start)
    return;
  memcpy (self->stats_base, header->stats, sizeof self->stats_base);
  self->n_base = MIN (header->cells_used, self->n_cells);
  self->base = g_new0 (WeftWireCell, self->n_base);
  for (guint i = 0; i < self->n_base; i++)
    for (guint j = 0; j < WEFT_WIRE_N_DROPS; j++)
      self->base[i].drops[j] = __atomic_load_n (&self->cells[i].drops[j], __ATOMIC_RELAXED);
}

static void
forget_base (WeftIngestRuntime *self)
{
  g_clear_pointer (&self->base, g_free);
  self->n_base = 0;
}

WeftIngestRuntime *
weft_ingest_attach (WeftIngest *self, const WeftProcessInfo *info, guint64 process,
                    const WeftWireRegistry *header, const WeftWireCell *cells, guint n_cells,
                    gint64 now)
{
  WeftIngestRuntime *runtime = g_new0 (WeftIngestRuntime, 1);
  const char *clock = header->clock == WEFT_WIRE_CLOCK_TSC ? "tsc" : "monotonic";

  runtime->ingest = self;
  runtime->process = process;
  runtime->pid = info->pid;
  runtime->other_pid_namespace = info->other_pid_namespace;
  runtime->namespace_pid = info->namespace_pid;
  runtime->gone = info->gone;
  runtime->monotonic_offset = info->monotonic_offset;
  runtime->since = now;
  runtime->born = info->started;
  runtime->earliest = info->started ? info->started - NS_PER_SECOND : 0;
  runtime->now = now;
  runtime->clock = header->clock;
  runtime->cells = cells;
  runtime->n_cells = n_cells;
  runtime->last_stored_pair = G_MININT64 / 2;
  copy_base (runtime, info, header);
  init_collections (runtime);

  runtime->id = add_runtime_row (self, process, header, now);
  runtime->clock_id =
      add_clock_row (runtime, weft_store_writer_string (self->store, clock, -1), header->clock, 0);
  if (header->clock == WEFT_WIRE_CLOCK_TSC)
    weft_clock_map_add (&runtime->map, header->start_ticks,
                        (gint64) MIN (header->start_monotonic, (guint64) G_MAXINT64 / 2) -
                            runtime->monotonic_offset,
                        0);
  g_ptr_array_add (self->runtimes, runtime);
  if (self->process_seen != NULL && !info->gone)
    self->process_seen (info->pid, self->process_data);
  return runtime;
}

void
weft_ingest_store_pair (WeftIngestRuntime *self, guint64 clock, guint64 ticks, gint64 time,
                        gint64 error_bound)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_CLOCK_PAIRS];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_CLOCK_PAIRS_CLOCK, clock);
  weft_table_writer_set (t, WEFT_CLOCK_PAIRS_TICKS, ticks);
  weft_table_writer_set (t, WEFT_CLOCK_PAIRS_TIME, (guint64) (time - self->ingest->start));
  weft_table_writer_set (t, WEFT_CLOCK_PAIRS_ERROR_BOUND, (guint64) error_bound);
  weft_ingest_commit (self->ingest, WEFT_TABLE_CLOCK_PAIRS);
}

void
weft_ingest_runtime_begin_drain (WeftIngestRuntime *self, const WeftClockPair *pair)
{
  self->now = pair->time;
  if (self->clock != WEFT_WIRE_CLOCK_TSC || pair->ticks == 0 ||
      !weft_clock_map_add (&self->map, pair->ticks, pair->time, pair->error_bound) ||
      pair->time - self->last_stored_pair <= NS_PER_SECOND)
    return;
  weft_ingest_store_pair (self, self->clock_id, pair->ticks, pair->time, pair->error_bound);
  self->last_stored_pair = pair->time;
}

int
weft_ingest_runtime_get_writer_tid (WeftIngestRuntime *self, guint writer)
{
  if (writer - 1 >= self->writers->len)
    return 0;
  return g_array_index (self->writers, WeftIngestWriter, writer - 1).tid;
}

static void
add_runtime_end (WeftIngestRuntime *self, const char *reason, gint64 now)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_RUNTIME_ENDS];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_RUNTIME_ENDS_RUNTIME, self->id);
  weft_table_writer_set (t, WEFT_RUNTIME_ENDS_TIME, (guint64) (now - self->ingest->start));
  weft_table_writer_set (t, WEFT_RUNTIME_ENDS_REASON,
                         weft_store_writer_string (self->ingest->store, reason, -1));
  weft_ingest_commit (self->ingest, WEFT_TABLE_RUNTIME_ENDS);
}

static void
runtime_free (WeftIngestRuntime *self)
{
  for (guint i = 0; i < self->writers->len; i++)
    {
      g_free (g_array_index (self->writers, WeftIngestWriter, i).scopes);
      g_free (g_array_index (self->writers, WeftIngestWriter, i).name);
    }
  g_array_unref (self->lanes);
  g_array_unref (self->routines);
  g_array_unref (self->queues);
  g_array_unref (self->queue_lanes);
  g_array_unref (self->sources);
  g_array_unref (self->metrics);
  g_array_unref (self->artifacts);
  g_array_unref (self->counter_sets);
  g_array_unref (self->writers);
  g_ptr_array_unref (self->clocks);
  g_hash_table_unref (self->newest_writers);
  g_hash_table_unref (self->threads);
  g_hash_table_unref (self->pending);
  g_hash_table_unref (self->traces);
  g_queue_clear_full (&self->late_origins, g_free);
  weft_clock_map_clear (&self->map);
  forget_base (self);
  g_free (self->dispatches);
  g_free (self->submissions);
  g_free (self->stacks);
  g_free (self);
}

static void
add_to_ended (WeftIngest *self, WeftIngestRuntime *runtime)
{
  WeftIngestTotals with, without;

  weft_ingest_get_totals (self, &with);
  g_ptr_array_remove (self->runtimes, runtime);
  weft_ingest_get_totals (self, &without);
  self->ended.pending += with.pending - without.pending;
  self->ended.rejected += with.rejected - without.rejected;
  self->ended.lost += with.lost - without.lost;
  self->ended.sampled_out += with.sampled_out - without.sampled_out;
  self->ended.lanes += with.lanes - without.lanes;
  self->ended.runtimes_seen++;
}

void
weft_ingest_runtime_end (WeftIngestRuntime *self, const char *reason, gint64 now)
{
  WeftIngest *ingest = self->ingest;

  for (guint i = 0; i < self->clocks->len; i++)
    weft_ingest_runtime_release_deferred (self, g_ptr_array_index (self->clocks, i), TRUE);
  weft_ingest_runtime_release_pending (self);
  weft_ingest_runtime_release_late_origins (self, TRUE);
  weft_ingest_runtime_end_traces (self);
  if (self->last_stored_pair > 0 && self->map.pairs->len > 0)
    {
      const WeftClockPair *last =
          &g_array_index (self->map.pairs, WeftClockPair, self->map.pairs->len - 1);

      weft_ingest_store_pair (self, self->clock_id, last->ticks, last->time, last->error_bound);
    }
  weft_ingest_runtime_write_counts (self, now);
  add_runtime_end (self, reason, now);
  add_to_ended (ingest, self);
  runtime_free (self);
}

void
weft_ingest_runtime_end_drain (WeftIngestRuntime *self)
{
  self->attached = TRUE;
  forget_base (self);
  for (guint i = 0; i < self->clocks->len; i++)
    weft_ingest_runtime_release_deferred (self, g_ptr_array_index (self->clocks, i), FALSE);
  weft_ingest_runtime_release_late_origins (self, FALSE);
}

/* ---- Cutting a block into groups ---- */

/* Length of the record at DATA with its side records; 0 if it is malformed. */
static gsize
measure_group (const guint8 *data, gsize length)
{
  gsize total = 0;

  while (total + sizeof (WeftWireRecord) <= length)
    {
      const WeftWireRecord *record = (const void *) (data + total);
      gsize size = record->words * (gsize) 8;

      if (total > 0 && record->type < WEFT_WIRE_SIDE)
        return total;
      if (size < sizeof *record || size > length - total)
        return 0;
      total += size;
    }
  return total == length ? total : 0;
}

static WeftIngestWriter *
get_writer (WeftIngestRuntime *self, guint writer)
{
  if (writer - 1 >= self->writers->len)
    return NULL;
  return &g_array_index (self->writers, WeftIngestWriter, writer - 1);
}

/* SEEN goes on from the first block, which, of a writer that began before us, need not be the first
 * that we come upon.
 */
static void
check_sequence (WeftIngestRuntime *self, WeftIngestWriter *writer, guint64 sequence)
{
  if (!writer->started)
    writer->first = writer->seen = sequence;
  else if (sequence > writer->seen)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_SEQUENCE_GAP, sequence - writer->seen);
      writer->seen = sequence;
    }
  else if (sequence < writer->first)
    {
      writer->seen -= writer->first - sequence;
      writer->first = sequence;
    }
  writer->started = TRUE;
}

static void
read_group (WeftIngestRuntime *self, WeftIngestWriter *writer, const guint8 *group, gsize length)
{
  const WeftWireRecord *record = (const void *) group;

  switch (record->type)
    {
    case WEFT_WIRE_SPAN: /* of a later minor version, or with side records */
    case WEFT_WIRE_DISPATCH:
    case WEFT_WIRE_RESERVE:
    case WEFT_WIRE_COMPLETE:
      weft_ingest_runtime_read_dispatch (self, writer, group, length);
      break;
    default:
      if (!weft_ingest_runtime_read_event (self, writer, group, length))
        weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_TYPE, 1);
      break;
    }
}

gboolean
weft_ingest_runtime_is_next (WeftIngestRuntime *self, guint writer_id, guint64 sequence)
{
  const WeftIngestWriter *writer = get_writer (self, writer_id);

  return writer == NULL || !writer->started || sequence <= writer->seen;
}

guint
weft_ingest_runtime_read_records (WeftIngestRuntime *self, guint writer_id, guint64 sequence,
                                  gboolean fresh, const guint8 *data, gsize length)
{
  WeftIngestWriter *writer = get_writer (self, writer_id);
  guint n = 0;

  if (writer == NULL)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return 0;
    }
  if (G_UNLIKELY (!writer->resolved))
    resolve_writer (self, writer);
  if (fresh)
    check_sequence (self, writer, sequence);

  for (gsize at = 0; at < length;)
    {
      const WeftWireRecord *record = (const void *) (data + at);
      gsize size;

      if (G_LIKELY (length - at >= sizeof (WeftWireSpan) && record->type == WEFT_WIRE_SPAN &&
                    record->words == sizeof (WeftWireSpan) / 8))
        {
          weft_ingest_runtime_read_span (self, writer, (const WeftWireSpan *) record);
          at += sizeof (WeftWireSpan);
          n++;
          continue;
        }
      size = measure_group (data + at, length - at);
      if (size == 0)
        {
          weft_ingest_runtime_count (self, 0, WEFT_LOSS_MALFORMED, 1);
          break;
        }
      read_group (self, writer, data + at, size);
      at += size;
      n++;
    }

  writer->seen += n;
  return n;
}

/* ---- Shared with the registry reader ---- */

/* Older entries than the process itself are of the one that it was forked from. */
void
weft_ingest_register_writer (WeftIngestRuntime *self, int tid, guint64 ticks, const char *name)
{
  WeftIngestWriter writer = { .tid = tid, .name = g_strdup (name), .registered = self->since };
  gboolean extrapolated;
  gint64 time = G_MAXINT64 / 2;

  /* One that began before us may have written for another recorder. */
  writer.started = self->attached;
  if (weft_ingest_runtime_convert (self, WEFT_WIRE_CLOCK_ID_RUNTIME, ticks, &time, &extrapolated))
    writer.registered =
        CLAMP (time + self->ingest->start, self->since, MAX (self->now, self->since));

  g_array_append_val (self->writers, writer);
  if (time + self->ingest->start >= self->born)
    g_hash_table_insert (self->newest_writers, GINT_TO_POINTER (tid),
                         GUINT_TO_POINTER (self->writers->len));
}

guint64
weft_ingest_register_clock (WeftIngestRuntime *self, guint32 name, double frequency)
{
  return add_clock_row (self, name, WEFT_WIRE_CLOCK_DEVICE, frequency);
}
