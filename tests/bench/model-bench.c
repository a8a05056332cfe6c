/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What objects and lists cost: time, and how often memory is asked for. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft.h>

#include "weft-store-writer.h"

#define N_ROWS 2000000
#define N_LANES 8
#define N_ROUTINES 40
#define PAGE 100
#define N_PAGES 200

static guint64 n_allocations;

/* The C library's own, by the names under which it hands them out for this. */
void *__libc_malloc (size_t size);
void *__libc_calloc (size_t n, size_t size);
void *__libc_realloc (void *block, size_t size);

void *
malloc (size_t size)
{
  __atomic_fetch_add (&n_allocations, 1, __ATOMIC_RELAXED);
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  __atomic_fetch_add (&n_allocations, 1, __ATOMIC_RELAXED);
  return __libc_calloc (n, size);
}

void *
realloc (void *block, size_t size)
{
  __atomic_fetch_add (&n_allocations, 1, __ATOMIC_RELAXED);
  return __libc_realloc (block, size);
}

static void
say (const char *name, double value, const char *unit)
{
  printf ("%s %.4g %s\n", name, value, unit);
  fflush (stdout);
}

static gint64
now (void)
{
  return g_get_monotonic_time ();
}

static void
write_recording (const char *path)
{
  g_autoptr (GError) error = NULL;
  WeftStoreWriter *writer = weft_store_writer_new (path, &(WeftStoreOptions){ 0 }, &error);
  WeftTableWriter *lanes, *routines, *dispatches;

  if (writer == NULL)
    g_error ("%s", error->message);
  lanes = weft_store_writer_table (writer, WEFT_TABLE_LANES);
  routines = weft_store_writer_table (writer, WEFT_TABLE_ROUTINES);
  dispatches = weft_store_writer_table (writer, WEFT_TABLE_DISPATCHES);
  for (guint i = 0; i < N_LANES; i++)
    {
      weft_table_writer_begin (lanes);
      weft_table_writer_set (lanes, WEFT_LANES_NAME, weft_store_writer_string (writer, "lane", -1));
      weft_table_writer_commit (lanes);
    }
  for (guint i = 0; i < N_ROUTINES; i++)
    {
      weft_table_writer_begin (routines);
      weft_table_writer_set (routines, WEFT_ROUTINES_NAME,
                             weft_store_writer_string (writer, "routine", -1));
      weft_table_writer_commit (routines);
    }
  for (guint i = 0; i < N_ROWS; i++)
    {
      weft_table_writer_begin (dispatches);
      weft_table_writer_set (dispatches, WEFT_DISPATCHES_LANE, i % N_LANES + 1);
      weft_table_writer_set (dispatches, WEFT_DISPATCHES_ROUTINE, i * 7 % N_ROUTINES + 1);
      weft_table_writer_set (dispatches, WEFT_DISPATCHES_START, i * 1000);
      weft_table_writer_set (dispatches, WEFT_DISPATCHES_DURATION, 500 + i % 97);
      weft_table_writer_commit (dispatches);
    }
  if (!weft_store_writer_close (writer, &error))
    g_error ("%s", error->message);
}

/* What a row of a list view shows of a dispatch. */
static void
show_row (GListModel *list, guint position)
{
  g_autoptr (WeftDispatch) dispatch = g_list_model_get_item (list, position);
  g_autoptr (WeftRoutine) routine = weft_dispatch_get_routine (dispatch);
  g_autoptr (WeftLane) lane = weft_dispatch_get_lane (dispatch);
  g_autofree char *handle = weft_object_get_handle (WEFT_OBJECT (dispatch));

  if (handle == NULL || weft_routine_get_name (routine) == NULL ||
      weft_lane_get_name (lane) == NULL || weft_dispatch_get_start (dispatch) < 0 ||
      weft_dispatch_get_duration (dispatch) == 0)
    g_error ("Row %u is not what was written", position);
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  const gint64 *left = a, *right = b;

  return *left < *right ? -1 : *left > *right;
}

/* Pages at places all over the list; the first look at a chunk decodes it. */
static void
measure_pages (GListModel *list, const char *name)
{
  gint64 times[N_PAGES];
  guint64 allocations = n_allocations;
  g_autofree char *key = NULL;

  for (guint page = 0; page < N_PAGES; page++)
    {
      guint first =
          (guint) ((guint64) page * 7919 * PAGE % (g_list_model_get_n_items (list) - PAGE));
      gint64 begin = now ();

      for (guint i = 0; i < PAGE; i++)
        show_row (list, first + i);
      times[page] = now () - begin;
    }
  allocations = n_allocations - allocations;
  qsort (times, N_PAGES, sizeof times[0], compare_times);
  key = g_strdup_printf ("page-%s", name);
  say (key, (double) times[N_PAGES / 2] / 1000, "ms");
  g_free (key);
  key = g_strdup_printf ("page-%s-slowest", name);
  say (key, (double) times[N_PAGES - 1] / 1000, "ms");
  g_free (key);
  key = g_strdup_printf ("page-%s-row-allocations", name);
  say (key, (double) allocations / (N_PAGES * PAGE), "");
}

/* GLib's own slices would hide what objects ask for. It looks at this before main. */
static void
ask_for_all_memory (char **argv)
{
  if (g_getenv ("G_SLICE") != NULL)
    return;
  g_setenv ("G_SLICE", "always-malloc", TRUE);
  execv ("/proc/self/exe", argv);
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GFile) file = NULL;
  g_autoptr (WeftRecording) recording = NULL;
  g_autoptr (WeftList) all = NULL;
  g_autoptr (WeftList) of_lane = NULL;
  g_autoptr (WeftObject) lane = NULL;
  g_autoptr (GError) error = NULL;
  guint64 allocations;
  gint64 begin;

  ask_for_all_memory (argv);
  folder = g_dir_make_tmp ("weft-model-bench-XXXXXX", NULL);
  path = g_build_filename (folder, "bench.weft", NULL);
  file = g_file_new_for_path (path);
  write_recording (path);
  recording = weft_recording_open (file, NULL, &error);
  if (recording == NULL)
    g_error ("%s", error->message);

  allocations = n_allocations;
  begin = now ();
  all = weft_recording_get_dispatches (recording);
  if (g_list_model_get_n_items (G_LIST_MODEL (all)) != N_ROWS)
    g_error ("Rows are missing");
  say ("list", (double) (now () - begin) / 1000, "ms");
  say ("list-allocations", (double) (n_allocations - allocations), "");
  measure_pages (G_LIST_MODEL (all), "first");
  measure_pages (G_LIST_MODEL (all), "again");

  lane = weft_recording_find (recording, "l-3", &error);
  begin = now ();
  of_lane = weft_lane_get_dispatches (WEFT_LANE (lane));
  if (g_list_model_get_n_items (G_LIST_MODEL (of_lane)) != N_ROWS / N_LANES)
    g_error ("Rows of the lane are missing");
  say ("list-of-lane", (double) (now () - begin) / 1000, "ms");
  measure_pages (G_LIST_MODEL (of_lane), "of-lane");

  g_file_delete (file, NULL, NULL);
  rmdir (folder);
  return 0;
}
