/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-openmp-diagnosis.h"

#include <string.h>

#define TEAMS "kind:threadpool.team"
/* The busiest thread has so much more to do than the mean. */
#define UNEVEN 1.5
/* Work of the busiest threads of a routine's regions that is worth looking at: ns. */
#define WORTH 1e6
/* Of the time of items, this may be waits inside of them: percent. */
#define WAITING 25
/* ns that a thread should have to do in a region on average. */
#define SMALL 10000

/* A runtime of OpenMP that stacks of the CPU lead through; NULL if there is none. */
static char *
find_runtime (WeftInquiry *inquiry)
{
  static const char *const runtimes[] = { "/libgomp.so", "/libomp.so", "/libiomp5.so" };
  static const char *const groups[] = { "module.path", NULL };
  static const char *const selects[] = { "count()", NULL };
  g_autoptr (WeftTable) modules =
      weft_inquiry_ask (inquiry, "frames", NULL, groups, selects, NULL, 0);

  for (guint row = 0; modules != NULL && row < weft_table_get_n_rows (modules); row++)
    for (guint i = 0; i < G_N_ELEMENTS (runtimes); i++)
      {
        const char *path = weft_table_get_string (modules, 0, row);

        if (path != NULL && strstr (path, runtimes[i]) != NULL)
          return g_strdup (path);
      }
  return NULL;
}

static gboolean
has_teams (WeftInquiry *inquiry)
{
  return weft_inquiry_ask_number (inquiry, "lanes", TEAMS, "count()") > 0;
}

gboolean
weft_openmp_concerns (WeftDomain *domain, WeftRecording *recording)
{
  g_autoptr (WeftInquiry) inquiry = weft_inquiry_new ("threadpool", recording, NULL);
  g_autofree char *runtime = find_runtime (inquiry);

  return runtime != NULL && !has_teams (inquiry);
}

static void
check_lanes (WeftInquiry *inquiry)
{
  g_autofree char *runtime = find_runtime (inquiry);

  if (runtime != NULL)
    weft_inquiry_tell (inquiry, "threadpool.openmp-lanes", "Is OpenMP's work reported as lanes?",
                       WEFT_VERDICT_ATTENTION,
                       "Record with --with openmp. Where that was done: nothing was parallel, the "
                       "program brought a tool of its own, or its runtime is one without OpenMP's "
                       "interface for tools",
                       NULL, "Stacks lead through %s, and no team is reported", runtime);
}

/* Routines whose regions are uneven, weighed by their time. */
static void
check_imbalance (WeftInquiry *inquiry)
{
  static const char *const groups[] = { "routine", NULL };
  static const char *const selects[] = { "sum(counter:region.longest)", "sum(counter:region.mean)",
                                         "count()", NULL };
  g_autoptr (WeftTable) answer =
      weft_inquiry_ask (inquiry, "dispatches", "kind:threadpool.worker tag:construct=parallel",
                        groups, selects, "sum(counter:region.longest)", 0);
  g_autoptr (WeftSubjects) uneven = weft_subjects_new ();
  double lost = 0;

  for (guint row = 0; answer != NULL && row < weft_table_get_n_rows (answer); row++)
    {
      double longest =
          weft_table_is_null (answer, 1, row) ? 0 : weft_table_get_double (answer, 1, row);
      double mean =
          weft_table_is_null (answer, 2, row) ? 0 : weft_table_get_double (answer, 2, row);

      if (longest < WORTH || longest < UNEVEN * mean)
        continue;
      weft_subjects_add_rows (uneven, answer, 0, -1);
      lost += longest - mean;
    }
  if (weft_subjects_get_count (uneven) == 0)
    weft_inquiry_add (inquiry, "threadpool.openmp-imbalance",
                      "Do the threads of parallel regions have as much to do?", WEFT_VERDICT_GOOD,
                      "No region's busiest thread worked half as long again as the mean", NULL,
                      NULL);
  else
    weft_inquiry_tell (inquiry, "threadpool.openmp-imbalance",
                       "Do the threads of parallel regions have as much to do?",
                       WEFT_VERDICT_ATTENTION,
                       "Share loops out in smaller pieces (schedule(dynamic)), or make tasks of "
                       "them: “weft target top --filter tag:construct=parallel” and the column "
                       "region_imbalance of “weft target routines” tell which regions",
                       weft_subjects_get_handles (uneven),
                       "Regions of %" G_GUINT64_FORMAT
                       " routines are uneven: their threads waited %.1f ms for the busiest one",
                       weft_subjects_get_count (uneven), lost / 1e6);
}

static void
check_size (WeftInquiry *inquiry)
{
  double longest = weft_inquiry_ask_number (inquiry, "dispatches", "kind:threadpool.worker",
                                            "sum(counter:region.longest)");
  double n = weft_inquiry_ask_number (inquiry, "dispatches", "kind:threadpool.worker",
                                      "count(counter:region.longest)");
  gboolean small = n > 100 && longest < SMALL * n;

  weft_inquiry_tell (inquiry, "threadpool.openmp-size", "Are parallel regions worth their start?",
                     small ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
                     small
                         ? "Put the parallel region around the loop that begins it, or give it an "
                           "if clause"
                         : NULL,
                     NULL, "In %.0f regions the busiest thread worked %.1f µs on average", n,
                     n > 0 ? longest / n / 1e3 : 0);
}

static void
check_waits (WeftInquiry *inquiry)
{
  double waited = weft_inquiry_ask_number (inquiry, "dispatches", "kind:threadpool.worker",
                                           "sum(counter:work.wait_time)");
  double worked = weft_inquiry_ask_number (inquiry, "dispatches", "kind:threadpool.worker depth:0",
                                           "sum(duration)");
  double share = worked > 0 ? 100 * waited / worked : 0;

  weft_inquiry_tell (
      inquiry, "threadpool.openmp-waits", "Do threads work while they are in regions?",
      share > WAITING ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
      share > WAITING ? "“weft target top --by counter:work.wait_time” tells where; "
                        "phases of an item tell at what: barrier, taskwait, lock"
                      : NULL,
      NULL, "%.1f %% of the time in work was spent in barriers, for tasks and for locks", share);
}

/* The verdicts of one inquiry behind those of another. */
static gboolean
append (GListStore *findings, GListModel *more)
{
  for (guint i = 0; i < g_list_model_get_n_items (more); i++)
    {
      g_autoptr (WeftFinding) finding = g_list_model_get_item (more, i);

      g_list_store_append (findings, finding);
    }
  return TRUE;
}

gboolean
weft_openmp_diagnose (WeftRecording *recording, GListStore *findings, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (WeftInquiry) inquiry = weft_inquiry_new ("threadpool", recording, cancellable);
  g_autoptr (GListModel) found = NULL;

  if (has_teams (inquiry))
    {
      check_imbalance (inquiry);
      check_size (inquiry);
      check_waits (inquiry);
    }
  else
    check_lanes (inquiry);
  found = weft_inquiry_end (inquiry, error);
  return found != NULL && append (findings, found);
}
