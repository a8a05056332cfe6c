/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine that sleeps: when things began, and that a recording says so. */

#include <string.h>
#include <unistd.h>

#include "record-rig.h"
#include "weft-boot-clock.h"
#include "weft-clock.h"

#define SECOND NS_PER_SECOND

/* Clocks that somebody else sets. */
typedef struct
{
  GMutex lock;
  gint64 monotonic;
  gint64 boottime;
  gboolean fails;
} Clocks;

static gboolean
read_clocks (gint64 *monotonic, gint64 *boottime, gpointer data)
{
  Clocks *clocks = data;
  gboolean fails;

  g_mutex_lock (&clocks->lock);
  *monotonic = clocks->monotonic;
  *boottime = clocks->boottime;
  fails = clocks->fails;
  g_mutex_unlock (&clocks->lock);
  return !fails;
}

static void
pass (Clocks *clocks, gint64 awake, gint64 asleep)
{
  g_mutex_lock (&clocks->lock);
  clocks->monotonic += awake;
  clocks->boottime += awake + asleep;
  g_mutex_unlock (&clocks->lock);
}

static void
test_sleeps (void)
{
  Clocks clocks = { .monotonic = 100 * SECOND, .boottime = 140 * SECOND };
  g_autoptr (WeftBootClock) clock = weft_boot_clock_new (read_clocks, &clocks);

  g_assert_cmpint (weft_boot_clock_update (clock), ==, 0);
  g_assert_cmpint (weft_boot_clock_to_monotonic (clock, 139 * SECOND), ==, 99 * SECOND);
  pass (&clocks, 10 * SECOND, 0);
  g_assert_cmpint (weft_boot_clock_update (clock), ==, 0);
  pass (&clocks, SECOND, 5 * SECOND);
  g_assert_cmpint (weft_boot_clock_update (clock), ==, 5 * SECOND);

  /* Of before: as it was then. Of after: as it is now. */
  g_assert_cmpint (weft_boot_clock_to_monotonic (clock, 139 * SECOND), ==, 99 * SECOND);
  pass (&clocks, 2 * SECOND, 0);
  g_assert_cmpint (weft_boot_clock_to_monotonic (clock, 157 * SECOND), ==, 112 * SECOND);
  pass (&clocks, SECOND, 3600 * SECOND);
  g_assert_cmpint (weft_boot_clock_update (clock), ==, 3605 * SECOND);
  g_assert_cmpint (weft_boot_clock_to_monotonic (clock, 139 * SECOND), ==, 99 * SECOND);
  g_assert_cmpint (weft_boot_clock_to_monotonic (clock, 157 * SECOND), ==, 112 * SECOND);
}

/* Readings are not all taken at once, and some not at all. */
static void
test_jitter (void)
{
  Clocks clocks = { .monotonic = SECOND, .boottime = SECOND };
  g_autoptr (WeftBootClock) clock = weft_boot_clock_new (read_clocks, &clocks);

  pass (&clocks, SECOND, SECOND / 1000);
  g_assert_cmpint (weft_boot_clock_update (clock), ==, 0);
  clocks.fails = TRUE;
  pass (&clocks, SECOND, 9 * SECOND);
  g_assert_cmpint (weft_boot_clock_update (clock), ==, 0);
  clocks.fails = FALSE;
  g_assert_cmpint (weft_boot_clock_update (clock), ==, 9 * SECOND + SECOND / 1000);
}

static void
test_machine (void)
{
  WeftBootClock *clock = weft_boot_clock_get_default ();
  gint64 monotonic = weft_monotonic_now ();
  gint64 found = weft_boot_clock_to_monotonic (clock, weft_clock_now (CLOCK_BOOTTIME));

  g_assert_cmpint (found, >=, monotonic - SECOND / 100);
  g_assert_cmpint (found, <=, weft_monotonic_now () + SECOND / 100);
}

static void
test_recording (void)
{
  Clocks clocks = { .monotonic = 100 * SECOND, .boottime = 140 * SECOND };
  g_autoptr (WeftBootClock) clock = weft_boot_clock_new (read_clocks, &clocks);
  char *folder = rig_make_folder ();
  g_autofree char *file = g_build_filename (folder, "run.weft", NULL);
  WeftRecordEngineOptions options = { .output = file, .uid = geteuid (), .boot_clock = clock };
  g_autoptr (GError) error = NULL;
  WeftRecordEngine *engine = weft_record_engine_new (&options, &error);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) diagnostics = NULL;

  g_assert_no_error (error);
  pass (&clocks, SECOND, 7 * SECOND);
  weft_record_engine_stop (engine, NULL, &error);
  g_assert_no_error (error);
  store = weft_store_open (file, &error);
  g_assert_no_error (error);
  diagnostics = rows_read (store, WEFT_TABLE_DIAGNOSTICS);
  g_assert_cmpuint (diagnostics->n, ==, 1);
  g_assert_cmpstr (rows_text (diagnostics, 0, WEFT_DIAGNOSTICS_CODE), ==, "suspended");
  g_assert_nonnull (strstr (rows_text (diagnostics, 0, WEFT_DIAGNOSTICS_MESSAGE), "7.000 s"));
  rig_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/boot-clock/sleeps", test_sleeps);
  g_test_add_func ("/boot-clock/jitter", test_jitter);
  g_test_add_func ("/boot-clock/machine", test_machine);
  g_test_add_func ("/boot-clock/recording", test_recording);
  return g_test_run ();
}
