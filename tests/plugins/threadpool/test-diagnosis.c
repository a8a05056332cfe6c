/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is found in recordings of pools, each from one that was made to show just that. */

#include <glib/gstdio.h>
#include <weft.h>

#include "weft-threadpool-diagnosis.h"

#define MS G_GINT64_CONSTANT (1000000)

/* A pool with its workers, and what it has from ADD to CHECK. */
typedef struct
{
  char *folder;
  char *file;
  WeftRecordingBuilder *builder;
  guint64 pool, depth, wait, steals;
  guint64 workers[4];
} Scene;

static guint64
add_row (Scene *scene, const char *table, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) values = NULL;
  guint64 id = 0;
  va_list list;

  va_start (list, format);
  values = g_variant_ref_sink (g_variant_new_parsed_va (format, &list));
  va_end (list);
  g_assert_true (weft_recording_builder_add_row (scene->builder, table, values, &id, &error));
  g_assert_no_error (error);
  return id;
}

static guint64
add_metric (Scene *scene, const char *name, const char *kind)
{
  return add_row (scene, "metrics", "{'lane': <%t>, 'name': <%s>, 'kind': <%s>}", scene->pool, name,
                  kind);
}

static Scene *
scene_new (guint n_workers)
{
  g_autoptr (GError) error = NULL;
  Scene *scene = g_new0 (Scene, 1);

  scene->folder = g_dir_make_tmp ("weft-pools-XXXXXX", &error);
  g_assert_no_error (error);
  scene->file = g_build_filename (scene->folder, "pool.weft", NULL);
  scene->builder = weft_recording_builder_new (scene->file, &error);
  g_assert_no_error (error);
  add_row (scene, "processes", "{'pid': <77>}");
  add_row (scene, "runtimes", "{'process': <1>}");
  add_row (scene, "routines", "{'name': <'work'>}");
  scene->pool = add_row (scene, "lanes",
                         "{'runtime': <1>, 'name': <'pool'>, "
                         "'kind': <'threadpool.pool'>}");
  for (guint i = 0; i < n_workers; i++)
    scene->workers[i] = add_row (scene, "lanes",
                                 "{'runtime': <1>, 'name': <'worker'>, 'parent': <%t>, "
                                 "'kind': <'threadpool.worker'>}",
                                 scene->pool);
  scene->depth = add_metric (scene, "queue.pending", "gauge");
  scene->wait = add_metric (scene, "queue.wait_ms", "histogram");
  scene->steals = add_metric (scene, "steal.total", "counter");
  return scene;
}

static void
add_point (Scene *scene, guint64 metric, gint64 time, double value)
{
  add_row (scene, "metric_points", "{'metric': <%t>, 'time': <%x>, 'value': <%d>}", metric,
           time * MS, value);
}

static void
add_item (Scene *scene, guint worker, gint64 start, gint64 duration, double wait)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (weft_recording_builder_add_dispatch (
      scene->builder, (guint) scene->workers[worker], 1, start * MS, (guint64) (duration * MS), 0,
      WEFT_STATUS_OK, NULL, &error));
  g_assert_no_error (error);
  add_point (scene, scene->wait, start, wait);
}

/* The only thing that is found is CHECK, NULL for nothing. Ends the scene. */
static void
check (Scene *scene, const char *wrong)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = g_file_new_for_path (scene->file);
  g_autoptr (WeftRecording) recording = NULL;
  g_autoptr (GListModel) findings = NULL;
  gboolean is_found = wrong == NULL;

  weft_recording_builder_set_end (scene->builder, 1000 * MS);
  g_assert_true (weft_recording_builder_finish (scene->builder, NULL, &error));
  g_assert_no_error (error);
  recording = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
  findings = weft_threadpool_diagnose (recording, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (findings), ==, 7);
  for (guint i = 0; i < g_list_model_get_n_items (findings); i++)
    {
      g_autoptr (WeftFinding) finding = g_list_model_get_item (findings, i);
      const char *name = weft_finding_get_check (finding);
      gboolean is_wrong = weft_finding_get_verdict (finding) != WEFT_VERDICT_GOOD;

      g_assert_cmpstr (is_wrong ? name : "", ==, is_wrong ? wrong : "");
      g_assert_cmpint (is_wrong, ==, weft_finding_get_advice (finding) != NULL);
      is_found |= is_wrong;
    }
  g_assert_true (is_found);
  g_clear_object (&scene->builder);
  g_unlink (scene->file);
  g_rmdir (scene->folder);
  g_free (scene->file);
  g_free (scene->folder);
  g_free (scene);
}

/* ---- Scenes ---- */

static void
test_healthy (void)
{
  Scene *scene = scene_new (2);

  for (guint i = 0; i < 10; i++)
    {
      add_point (scene, scene->depth, 20 * i, 2);
      add_item (scene, 0, 20 * i + 1, 10, 1);
      add_item (scene, 1, 20 * i + 1, 12, 1);
      add_point (scene, scene->depth, 20 * i + 2, 0);
    }
  check (scene, NULL);
}

/* Too few items to say anything of. */
static void
test_few (void)
{
  Scene *scene = scene_new (2);

  add_point (scene, scene->depth, 0, 5);
  add_item (scene, 0, 100, 10, 90);
  add_point (scene, scene->depth, 200, 9);
  check (scene, NULL);
}

static void
test_growth (void)
{
  Scene *scene = scene_new (1);

  for (guint i = 0; i < 40; i++)
    {
      add_item (scene, 0, 10 * i, 10, 2);
      add_point (scene, scene->depth, 10 * i, i);
    }
  check (scene, "threadpool.growth");
}

static void
test_wait (void)
{
  Scene *scene = scene_new (2);

  for (guint i = 0; i < 10; i++)
    {
      add_point (scene, scene->depth, 20 * i, 4);
      add_item (scene, 0, 20 * i, 20, 60);
      add_item (scene, 1, 20 * i, 20, 60);
    }
  check (scene, "threadpool.queue-wait");
}

/* Two workers, never at the same time, and always something in the queue. */
static void
test_serialised (void)
{
  Scene *scene = scene_new (2);

  for (guint i = 0; i < 20; i++)
    {
      add_point (scene, scene->depth, 10 * i, 3);
      add_item (scene, i % 2, 10 * i, 10, 30);
    }
  add_point (scene, scene->depth, 200, 0);
  check (scene, "threadpool.serialised");
}

static void
test_starved (void)
{
  Scene *scene = scene_new (4);

  for (guint i = 0; i < 16; i++)
    {
      add_point (scene, scene->depth, 50 * i, 1);
      add_point (scene, scene->depth, 50 * i + 1, 0);
      add_item (scene, i % 4, 50 * i + 1, 2, 1);
    }
  check (scene, "threadpool.starved");
}

static void
test_imbalance (void)
{
  Scene *scene = scene_new (4);

  for (guint i = 0; i < 4; i++)
    add_item (scene, 1 + i % 3, 5 * i, 1, 0);
  for (guint i = 0; i < 8; i++)
    add_item (scene, 0, 10 * i, 10, 0);
  check (scene, "threadpool.imbalance");
}

static void
test_steals (void)
{
  Scene *scene = scene_new (2);

  for (guint i = 0; i < 10; i++)
    {
      add_item (scene, 0, 10 * i, 10, 0);
      add_item (scene, 1, 10 * i, 10, 0);
      add_point (scene, scene->steals, 10 * i, 2);
    }
  check (scene, "threadpool.steals");
}

static void
test_dropped (void)
{
  Scene *scene = scene_new (1);
  g_autoptr (GError) error = NULL;

  g_assert_true (weft_recording_builder_add_dispatch (scene->builder, (guint) scene->pool, 1, MS, 0,
                                                      0, WEFT_STATUS_CANCELED, NULL, &error));
  g_assert_no_error (error);
  check (scene, "threadpool.dropped");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/threadpool/diagnosis/healthy", test_healthy);
  g_test_add_func ("/threadpool/diagnosis/few", test_few);
  g_test_add_func ("/threadpool/diagnosis/growth", test_growth);
  g_test_add_func ("/threadpool/diagnosis/queue-wait", test_wait);
  g_test_add_func ("/threadpool/diagnosis/serialised", test_serialised);
  g_test_add_func ("/threadpool/diagnosis/starved", test_starved);
  g_test_add_func ("/threadpool/diagnosis/imbalance", test_imbalance);
  g_test_add_func ("/threadpool/diagnosis/steals", test_steals);
  g_test_add_func ("/threadpool/diagnosis/dropped", test_dropped);
  return g_test_run ();
}
