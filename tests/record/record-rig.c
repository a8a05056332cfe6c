/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "record-rig.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Folders and programs ---- */

char *
rig_make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("weft-record-XXXXXX", &error);

  g_assert_no_error (error);
  g_chmod (folder, 0755);
  return folder;
}

void
rig_remove_folder (char *folder)
{
  char *argv[] = { (char *) "rm", (char *) "-rf", folder, NULL };

  g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_free (folder);
}

static const char *
from_environment (const char *name)
{
  const char *value = g_getenv (name);

  if (value == NULL)
    g_error ("%s is not set: run this by way of meson test", name);
  return value;
}

const char *
rig_producer (void)
{
  return from_environment ("WEFT_TEST_PRODUCER");
}

const char *
rig_weft (void)
{
  return from_environment ("WEFT_TEST_WEFT");
}

RigProgram *
rig_spawn (const char *runtime, char **argv)
{
  g_auto (GStrv) environment = g_get_environ ();
  RigProgram *program = g_new0 (RigProgram, 1);
  g_autoptr (GError) error = NULL;
  int errors = g_file_open_tmp ("weft-errors-XXXXXX", &program->error_path, &error);

  g_assert_no_error (error);
  environment = g_environ_setenv (environment, "WEFT_RUNTIME_DIR", runtime, TRUE);
  int fds[2];
  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  g_spawn_async_with_fds (NULL, argv, environment, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                          NULL, NULL, &program->pid, -1, fds[1], errors, &error);
  g_assert_no_error (error);
  close (fds[1]);
  close (errors);
  program->out = fds[0];
  return program;
}

RigProgram *
rig_produce (const char *runtime, const char *arguments)
{
  g_autofree char *line = g_strconcat ("producer ", arguments, NULL);
  g_auto (GStrv) argv = g_strsplit (line, " ", -1);

  g_free (argv[0]);
  argv[0] = g_strdup (rig_producer ());
  return rig_spawn (runtime, argv);
}

static char *
read_all (int fd)
{
  GString *text = g_string_new (NULL);
  char buffer[4096];
  ssize_t n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0)
      g_string_append_len (text, buffer, n);
  return g_string_free (text, FALSE);
}

int
rig_wait (RigProgram *program, char **output, char **errors)
{
  g_autofree char *text = read_all (program->out);
  g_autofree char *said = NULL;
  int status;

  close (program->out);
  while (waitpid (program->pid, &status, 0) < 0 && errno == EINTR)
    continue;
  g_file_get_contents (program->error_path, &said, NULL, NULL);
  g_unlink (program->error_path);
  if (said != NULL && strstr (said, "Sanitizer") != NULL)
    g_error ("%s", said);
  if (output != NULL)
    *output = g_steal_pointer (&text);
  if (errors != NULL)
    *errors = g_steal_pointer (&said);
  g_free (program->error_path);
  g_free (program);
  return WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status);
}

guint64
rig_number (const char *output, const char *key)
{
  const char *line = output ? g_strrstr (output, "DONE ") : NULL;
  g_autofree char *needle = g_strdup_printf (" %s=", key);
  const char *at = line ? strstr (line, needle) : NULL;

  if (at == NULL)
    g_error ("no “%s” in what the producer said: %s", key, output);
  return g_ascii_strtoull (at + strlen (needle), NULL, 10);
}

gboolean
rig_until (gboolean (*condition) (gpointer data), gpointer data, double seconds)
{
  gint64 deadline = g_get_monotonic_time () + (gint64) (seconds * 1e6);

  while (!condition (data))
    {
      if (g_get_monotonic_time () > deadline)
        return FALSE;
      g_usleep (5000);
    }
  return TRUE;
}

/* ---- A recorder in this process ---- */

void
rig_start (Rig *rig)
{
  WeftRecordEngineOptions options = { 0 };
  g_autoptr (GError) error = NULL;

  g_free (rig->file);
  rig->file = NULL;
  for (guint i = 1; rig->file == NULL || g_file_test (rig->file, G_FILE_TEST_EXISTS); i++)
    {
      g_free (rig->file);
      rig->file = g_strdup_printf ("%s/%u.weft", rig->folder, i);
    }
  options.output = rig->file;
  options.runtime_directory = rig->runtime;
  options.uid = geteuid ();
  rig->recorder = weft_record_engine_new (&options, &error);
  g_assert_no_error (error);
  g_assert_nonnull (rig->recorder);
}

Rig *
rig_new (void)
{
  Rig *rig = g_new0 (Rig, 1);

  rig->folder = rig_make_folder ();
  rig->runtime = g_build_filename (rig->folder, "run", NULL);
  return rig;
}

typedef struct
{
  Rig *rig;
  guint64 dispatches;
  gint64 runtimes;
} Goal;

static gboolean
has_reached (gpointer data)
{
  Goal *goal = data;
  WeftEngineStatus status;

  weft_record_engine_get_status (goal->rig->recorder, &status);
  return goal->runtimes >= 0 ? status.runtimes == goal->runtimes
                             : status.dispatches >= goal->dispatches;
}

void
rig_wait_dispatches (Rig *rig, guint64 n)
{
  Goal goal = { rig, n, -1 };

  g_assert_true (rig_until (has_reached, &goal, 20));
}

void
rig_wait_runtimes (Rig *rig, guint n)
{
  Goal goal = { rig, 0, n };

  g_assert_true (rig_until (has_reached, &goal, 20));
}

WeftStore *
rig_stop (Rig *rig)
{
  g_autoptr (GError) error = NULL;
  WeftStore *store;

  weft_record_engine_stop (g_steal_pointer (&rig->recorder), NULL, &error);
  g_assert_no_error (error);
  store = weft_store_open (rig->file, &error);
  g_assert_no_error (error);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_COMPLETE);
  rig_check_conservation (store);
  return store;
}

void
rig_free (Rig *rig)
{
  if (rig->recorder != NULL)
    weft_record_engine_stop (rig->recorder, NULL, NULL);
  rig_remove_folder (rig->folder);
  g_free (rig->runtime);
  g_free (rig->file);
  g_free (rig);
}

/* ---- Rows ---- */

static WeftColumnNumber
base_of (WeftTableId table)
{
  guint base = 0;

  for (guint i = 0; i < table; i++)
    base += weft_schema_table (i)->n_columns + 1;
  return base;
}

static void
read_chunk (Rows *rows, guint chunk, guint64 at)
{
  g_autoptr (GError) error = NULL;
  WeftChunkInfo info;

  weft_store_get_chunk (rows->store, rows->table, chunk, &info);
  for (guint c = 0; c < rows->n_columns; c++)
    {
      WeftStoreColumn column;

      weft_store_read_column (rows->store, rows->table, chunk, base_of (rows->table) + 1 + c,
                              &column, &error);
      g_assert_no_error (error);
      for (guint i = 0; i < info.n_rows; i++)
        {
          rows->values[c][at + i] = weft_store_column_get (&column, i);
          rows->present[c][at + i] = weft_store_column_has (&column, i);
        }
      weft_store_column_clear (&column);
    }
}

Rows *
rows_read (WeftStore *store, WeftTableId table)
{
  Rows *rows = g_new0 (Rows, 1);
  guint64 at = 0;

  rows->store = weft_store_ref (store);
  rows->table = table;
  rows->n = weft_store_get_n_rows (store, table);
  rows->n_columns = weft_schema_table (table)->n_columns;
  rows->values = g_new0 (guint64 *, rows->n_columns);
  rows->present = g_new0 (guint8 *, rows->n_columns);
  for (guint c = 0; c < rows->n_columns; c++)
    {
      rows->values[c] = g_new0 (guint64, rows->n + 1);
      rows->present[c] = g_new0 (guint8, rows->n + 1);
    }
  for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, table); chunk++)
    {
      WeftChunkInfo info;

      weft_store_get_chunk (store, table, chunk, &info);
      g_assert_cmpuint (at + info.n_rows, <=, rows->n);
      read_chunk (rows, chunk, at);
      at += info.n_rows;
    }
  g_assert_cmpuint (at, ==, rows->n);
  return rows;
}

void
rows_free (Rows *rows)
{
  for (guint c = 0; c < rows->n_columns; c++)
    {
      g_free (rows->values[c]);
      g_free (rows->present[c]);
    }
  g_free (rows->values);
  g_free (rows->present);
  weft_store_unref (rows->store);
  g_free (rows);
}

guint64
rows_get (const Rows *rows, guint64 row, WeftColumnNumber column)
{
  g_assert_cmpuint (row, <, rows->n);
  return rows->values[column - base_of (rows->table) - 1][row];
}

gboolean
rows_has (const Rows *rows, guint64 row, WeftColumnNumber column)
{
  g_assert_cmpuint (row, <, rows->n);
  return rows->present[column - base_of (rows->table) - 1][row];
}

const char *
rows_text (const Rows *rows, guint64 row, WeftColumnNumber column)
{
  const char *text = weft_store_get_string (rows->store, (guint32) rows_get (rows, row, column));

  return text ? text : "";
}

guint64
rows_find (const Rows *rows, WeftColumnNumber column, guint64 value, guint64 from)
{
  for (guint64 i = from; i < rows->n; i++)
    if (rows_get (rows, i, column) == value)
      return i;
  return G_MAXUINT64;
}

guint64
rows_find_text (const Rows *rows, WeftColumnNumber column, const char *text, guint64 from)
{
  for (guint64 i = from; i < rows->n; i++)
    if (strcmp (rows_text (rows, i, column), text) == 0)
      return i;
  return G_MAXUINT64;
}

/* ---- Sums over a recording ---- */

/* The last counts of each lane; index: lane id. */
static RigCounts *
last_counts (WeftStore *store, const Rows *lanes)
{
  g_autoptr (Rows) rows = rows_read (store, WEFT_TABLE_LANE_COUNTS);
  RigCounts *counts = g_new0 (RigCounts, lanes->n + 1);

  for (guint64 i = 0; i < rows->n; i++)
    {
      guint64 lane = rows_get (rows, i, WEFT_LANE_COUNTS_LANE);

      g_assert_cmpuint (lane, >, 0);
      g_assert_cmpuint (lane, <=, lanes->n);
      counts[lane] = (RigCounts){ rows_get (rows, i, WEFT_LANE_COUNTS_SUBMITTED),
                                  rows_get (rows, i, WEFT_LANE_COUNTS_COMPLETED),
                                  rows_get (rows, i, WEFT_LANE_COUNTS_PENDING),
                                  rows_get (rows, i, WEFT_LANE_COUNTS_SAMPLED_OUT),
                                  rows_get (rows, i, WEFT_LANE_COUNTS_REJECTED),
                                  rows_get (rows, i, WEFT_LANE_COUNTS_LOST) };
    }
  return counts;
}

void
rig_counts (WeftStore *store, const char *name, RigCounts *sum)
{
  g_autoptr (Rows) lanes = rows_read (store, WEFT_TABLE_LANES);
  g_autofree RigCounts *counts = last_counts (store, lanes);

  memset (sum, 0, sizeof *sum);
  for (guint64 i = 0; i < lanes->n; i++)
    {
      const RigCounts *lane = &counts[rows_get (lanes, i, WEFT_LANES_ID)];

      if (name != NULL && strcmp (rows_text (lanes, i, WEFT_LANES_NAME), name) != 0)
        continue;
      sum->submitted += lane->submitted;
      sum->completed += lane->completed;
      sum->pending += lane->pending;
      sum->sampled_out += lane->sampled_out;
      sum->rejected += lane->rejected;
      sum->lost += lane->lost;
    }
}

/* Lane, runtime and reason → the last count; calls FUNC for each. */
typedef void (*LossFunc) (guint64 lane, guint64 category, const char *reason, guint64 count,
                          gpointer data);

static void
each_loss (WeftStore *store, LossFunc func, gpointer data)
{
  g_autoptr (Rows) rows = rows_read (store, WEFT_TABLE_LOSSES);
  g_autoptr (GHashTable) last = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer value;

  for (guint64 i = 0; i < rows->n; i++)
    g_hash_table_replace (last,
                          g_strdup_printf ("%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT "/%s",
                                           rows_get (rows, i, WEFT_LOSSES_LANE),
                                           rows_get (rows, i, WEFT_LOSSES_RUNTIME),
                                           rows_text (rows, i, WEFT_LOSSES_REASON)),
                          GSIZE_TO_POINTER (i + 1));
  g_hash_table_iter_init (&iter, last);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      guint64 i = GPOINTER_TO_SIZE (value) - 1;

      func (rows_get (rows, i, WEFT_LOSSES_LANE), rows_get (rows, i, WEFT_LOSSES_CATEGORY),
            rows_text (rows, i, WEFT_LOSSES_REASON), rows_get (rows, i, WEFT_LOSSES_COUNT), data);
    }
}

typedef struct
{
  const char *reason;
  guint64 sum;
} ReasonSum;

static void
add_reason (guint64 lane, guint64 category, const char *reason, guint64 count, gpointer data)
{
  ReasonSum *sum = data;

  if (strcmp (reason, sum->reason) == 0)
    sum->sum += count;
}

guint64
rig_loss (WeftStore *store, const char *reason)
{
  ReasonSum sum = { reason, 0 };

  each_loss (store, add_reason, &sum);
  return sum.sum;
}

gboolean
rig_has_diagnostic (WeftStore *store, const char *code)
{
  g_autoptr (Rows) rows = rows_read (store, WEFT_TABLE_DIAGNOSTICS);

  return rows_find_text (rows, WEFT_DIAGNOSTICS_CODE, code, 0) != G_MAXUINT64;
}

static void
add_category (guint64 lane, guint64 category, const char *reason, guint64 count, gpointer data)
{
  guint64 *sums = data;

  if (lane == 0 || strcmp (reason, "stack-skipped") == 0 ||
      strcmp (reason, "too-many-registered") == 0 || category > 2)
    return;
  sums[lane * 3 + category] += count;
}

/* Rows of each lane; index: lane id. */
static guint64 *
count_by_lane (WeftStore *store, guint64 n_lanes)
{
  guint64 *rows = g_new0 (guint64, n_lanes + 1);
  g_autoptr (GError) error = NULL;

  for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES); chunk++)
    {
      WeftStoreColumn column;

      weft_store_read_column (store, WEFT_TABLE_DISPATCHES, chunk, WEFT_DISPATCHES_LANE, &column,
                              &error);
      g_assert_no_error (error);
      for (guint i = 0; i < column.n_rows; i++)
        {
          guint64 lane = weft_store_column_get (&column, i);

          g_assert_cmpuint (lane, >, 0);
          g_assert_cmpuint (lane, <=, n_lanes);
          rows[lane]++;
        }
      weft_store_column_clear (&column);
    }
  return rows;
}

void
rig_check_conservation (WeftStore *store)
{
  g_autoptr (Rows) lanes = rows_read (store, WEFT_TABLE_LANES);
  g_autofree RigCounts *counts = last_counts (store, lanes);
  g_autofree guint64 *rows = count_by_lane (store, lanes->n);
  g_autofree guint64 *sums = g_new0 (guint64, 3 * (lanes->n + 1));

  each_loss (store, add_category, sums);
  for (guint64 lane = 1; lane <= lanes->n; lane++)
    {
      const RigCounts *c = &counts[lane];

      g_assert_cmpuint (c->submitted, ==,
                        c->completed + c->pending + c->sampled_out + c->rejected + c->lost);
      g_assert_cmpuint (c->completed, ==, rows[lane]);
      g_assert_cmpuint (c->rejected, ==, sums[lane * 3]);
      g_assert_cmpuint (c->lost, ==, sums[lane * 3 + 1]);
      g_assert_cmpuint (c->sampled_out, ==, sums[lane * 3 + 2]);
    }
}

void
rig_check_lanes (WeftStore *store, const char *output)
{
  const char *line = g_strrstr (output, "DONE ");
  g_auto (GStrv) words = NULL;
  guint n = 0;

  g_assert_nonnull (line);
  words = g_strsplit_set (line, " \n", -1);
  for (char **word = words; *word != NULL; word++)
    {
      char *equals = strrchr (*word, '=');
      RigCounts counts;

      if (!g_str_has_prefix (*word, "lane:") || equals == NULL)
        continue;
      *equals = '\0';
      rig_counts (store, *word + strlen ("lane:"), &counts);
      g_assert_cmpuint (counts.submitted, ==, g_ascii_strtoull (equals + 1, NULL, 10));
      g_assert_cmpuint (counts.completed, ==, counts.submitted);
      n++;
    }
  g_assert_cmpuint (n, >, 0);
}
