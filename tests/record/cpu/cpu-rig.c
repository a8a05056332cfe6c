/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpu-rig.h"

#include "weft-clock.h"

CpuRig *
cpu_rig_new (const WeftCpuTrackerOptions *options)
{
  CpuRig *rig = g_new0 (CpuRig, 1);
  WeftStoreOptions store = { 0 };
  g_autoptr (GError) error = NULL;

  rig->folder = rig_make_folder ();
  rig->file = g_build_filename (rig->folder, "cpu.weft", NULL);
  rig->start = weft_monotonic_now ();
  store.start_monotonic = rig->start;
  rig->writer = weft_store_writer_new (rig->file, &store, &error);
  g_assert_no_error (error);
  rig->ingest = weft_ingest_new (rig->writer, rig->start);
  rig->modules = weft_module_set_new ();
  rig->context = g_main_context_new ();
  rig->rows = weft_cpu_rows_new (rig->ingest, NULL, NULL, rig->context);
  rig->tracker = weft_cpu_tracker_new (options, rig->modules, rig->rows);
  return rig;
}

WeftStore *
cpu_rig_stop (CpuRig *rig, gint64 end)
{
  g_autoptr (GError) error = NULL;
  WeftStore *store;

  weft_cpu_tracker_finish (rig->tracker, rig->start + end);
  g_clear_pointer (&rig->tracker, weft_cpu_tracker_free);
  g_clear_pointer (&rig->rows, weft_cpu_rows_free);
  g_clear_pointer (&rig->ingest, weft_ingest_free);
  weft_store_writer_close (g_steal_pointer (&rig->writer), &error);
  g_assert_no_error (error);
  store = weft_store_open (rig->file, &error);
  g_assert_no_error (error);
  return store;
}

void
cpu_rig_free (CpuRig *rig)
{
  g_assert_null (rig->tracker);
  weft_module_set_free (rig->modules);
  g_main_context_unref (rig->context);
  g_free (rig->file);
  rig_remove_folder (rig->folder);
  g_free (rig);
}

guint64
cpu_rig_thread_id (WeftStore *store, const char *name)
{
  g_autoptr (Rows) threads = rows_read (store, WEFT_TABLE_THREADS);
  guint64 row = rows_find_text (threads, WEFT_THREADS_NAME, name, 0);

  return row == G_MAXUINT64 ? row : rows_get (threads, row, WEFT_THREADS_ID);
}
