/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-keep-trigger.h"

#include "weft-query-private.h"
#include "weft-recording-private.h"
#include "weft-table.h"

#define CHECK_MS 250
#define MATCHES_AT_ONCE 4096
#define MIN_INTERVAL                                                                               \
  (1 * G_TIME_SPAN_SECOND) /* between one file and the next match that makes one */
#define MAX_FILES 100

struct _WeftKeepTrigger
{
  WeftKeepTriggerOptions options;
  WeftKeepListener listener;
  gpointer data;
  GFile *file;
  GThread *thread;

  /* The thread's own. */
  WeftRecording *recording;
  guint64 seen;        /* the last dispatch that was looked at */
  gboolean is_pending; /* a file is to be made */
  gint64 since;        /* ns of the recording: it begins there */
  gint64 due;          /* µs: when it is to be made */
  gint64 quiet_until;  /* µs: matches make none */
  gboolean has_failed;

  GMutex lock; /* of what follows */
  GCond wake;
  gboolean finishes;
  WeftKeepFigures figures;
};

static void
fail (WeftKeepTrigger *self, const GError *error)
{
  if (!self->has_failed)
    self->listener.failed (error, self->data);
  self->has_failed = TRUE;
}

/* ---- Looking ---- */

static guint64
last_dispatch (WeftRecording *recording)
{
  g_autoptr (WeftStore) store = weft_recording_ref_store (recording);
  guint n = weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES);
  WeftChunkInfo info;

  if (n == 0)
    return 0;
  weft_store_get_chunk (store, WEFT_TABLE_DISPATCHES, n - 1, &info);
  return info.first_row + info.n_rows - 1;
}

/* The rows of a dispatch in the answer: its number, its end. */
static WeftTable *
find_matches (WeftKeepTrigger *self, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new ("dispatches", error);

  if (query == NULL)
    return NULL;
  weft_query_set_filter (query, self->options.filter);
  weft_query_select (query, "id", NULL, NULL);
  weft_query_select (query, "start", NULL, NULL);
  weft_query_set_after (query, self->seen);
  weft_query_set_limit (query, MATCHES_AT_ONCE);
  return weft_query_run (query, self->recording, NULL, error);
}

static void
take_matches (WeftKeepTrigger *self, WeftTable *table)
{
  guint n = weft_table_get_n_rows (table);
  gint64 now = g_get_monotonic_time ();
  gboolean makes_file = FALSE;
  gboolean suppressed = FALSE;
  WeftKeepFigures figures;

  if (self->options.makes_files && !self->is_pending)
    {
      suppressed = now < self->quiet_until || self->figures.kept >= MAX_FILES || self->has_failed;
      makes_file = !suppressed;
    }
  if (makes_file)
    {
      self->is_pending = TRUE;
      self->since = self->options.before > 0
                        ? weft_table_get_int64 (table, 1, 0) - self->options.before
                        : G_MININT64;
      self->due = now + self->options.after / 1000;
      self->listener.matched (weft_table_get_uint64 (table, 0, 0), self->data);
    }
  g_mutex_lock (&self->lock);
  self->figures.matches += n;
  self->figures.suppressed += suppressed ? n : 0;
  figures = self->figures;
  g_mutex_unlock (&self->lock);
  self->listener.changed (&figures, self->data);
}

/* What came since the last look. */
static void
look (WeftKeepTrigger *self)
{
  g_autoptr (GError) error = NULL;
  guint64 last;
  guint n = MATCHES_AT_ONCE;

  if (self->recording == NULL)
    self->recording = weft_recording_open (self->file, NULL, &error);
  else
    weft_recording_refresh (self->recording, NULL, &error);
  if (error != NULL)
    {
      fail (self, error);
      return;
    }
  last = last_dispatch (self->recording);
  while (last > self->seen && n == MATCHES_AT_ONCE)
    {
      g_autoptr (WeftTable) table = find_matches (self, &error);

      if (table == NULL)
        {
          fail (self, error);
          break;
        }
      n = weft_table_get_n_rows (table);
      if (n > 0)
        {
          self->seen = weft_table_get_uint64 (table, 0, n - 1);
          take_matches (self, table);
        }
    }
  self->seen = MAX (self->seen, last);
}

/* ---- Keeping ---- */

static void
keep (WeftKeepTrigger *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
      self->listener.keep (self->since, self->figures.kept + 1, &error, self->data);
  WeftKeepFigures figures;

  self->is_pending = FALSE;
  self->quiet_until = g_get_monotonic_time () + MIN_INTERVAL;
  if (path == NULL)
    {
      fail (self, error);
      return;
    }
  g_mutex_lock (&self->lock);
  self->figures.kept++;
  figures = self->figures;
  g_mutex_unlock (&self->lock);
  self->listener.changed (&figures, self->data);
}

static gboolean
wait (WeftKeepTrigger *self)
{
  gint64 until = g_get_monotonic_time () + CHECK_MS * 1000;
  gboolean finishes;

  if (self->is_pending)
    until = MIN (until, self->due);
  g_mutex_lock (&self->lock);
  while (!self->finishes && g_cond_wait_until (&self->wake, &self->lock, until))
    ;
  finishes = self->finishes;
  g_mutex_unlock (&self->lock);
  return !finishes;
}

static gpointer
run (gpointer data)
{
  WeftKeepTrigger *self = data;
  gboolean goes_on = TRUE;

  while (goes_on)
    {
      goes_on = wait (self);
      look (self);
      if (self->is_pending && (!goes_on || g_get_monotonic_time () >= self->due))
        keep (self);
    }
  return NULL;
}

/* ---- Life ---- */

WeftKeepTrigger *
weft_keep_trigger_new (const WeftKeepTriggerOptions *options, const WeftKeepListener *listener,
                       gpointer data)
{
  WeftKeepTrigger *self = g_new0 (WeftKeepTrigger, 1);

  self->options = *options;
  self->options.filter = weft_filter_ref (options->filter);
  self->listener = *listener;
  self->data = data;
  self->file = g_file_new_for_path (options->path);
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  self->thread = g_thread_new ("weft-trigger", run, self);
  return self;
}

void
weft_keep_trigger_finish (WeftKeepTrigger *self)
{
  if (self->thread == NULL)
    return;
  g_mutex_lock (&self->lock);
  self->finishes = TRUE;
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
  g_thread_join (g_steal_pointer (&self->thread));
}

void
weft_keep_trigger_free (WeftKeepTrigger *self)
{
  weft_keep_trigger_finish (self);
  g_clear_object (&self->recording);
  g_object_unref (self->file);
  weft_filter_unref (self->options.filter);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_free (self);
}
