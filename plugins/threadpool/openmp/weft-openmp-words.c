/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-openmp-words.h"

#define TEAM "threadpool.team"

static void
add_attributes (WeftVocabulary *words)
{
  static const struct
  {
    const char *name;
    const char *label;
    const char *description;
  } attributes[] = {
    { "construct", "Construct",
      "What of OpenMP the item is: parallel, task, loop, section or single." },
    { "range.begin", "From", "First iteration of the chunk, number of the section." },
    { "range.end", "To", "Behind the last iteration of the chunk." },
    { "undeferred", "Undeferred", "The task ran at once, on the thread that made it." },
    { "untied", "Untied", "Another thread may go on with the task." },
    { "final", "Final", "Tasks that the task makes run at once." },
    { "priority", "Priority", "What the program asked for." },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (attributes); i++)
    weft_vocabulary_add_attribute (words, attributes[i].name, attributes[i].label, NULL,
                                   attributes[i].description);
}

static void
add_figures (WeftVocabulary *words)
{
  weft_vocabulary_add_metric (words, "region.imbalance", "Imbalance of a region", NULL,
                              "The busiest thread's time by the mean of the team, of each region; "
                              "1: all had as much to do.",
                              WEFT_POLARITY_LOWER);
  weft_vocabulary_add_metric (words, "tasks.dropped", "Tasks that never ran", "count",
                              "Made, and canceled before they began.", WEFT_POLARITY_LOWER);
  weft_vocabulary_add_counter (words, "work.wait_time", "Time waited", "ns",
                               "Of an item: in barriers, for tasks, for locks, with nothing else "
                               "to run meanwhile.",
                               WEFT_POLARITY_LOWER);
  weft_vocabulary_add_counter (words, "region.longest", "Busiest thread", "ns",
                               "Work of the busiest thread of a region, without waits.",
                               WEFT_POLARITY_LOWER);
  weft_vocabulary_add_counter (words, "region.mean", "Mean thread", "ns",
                               "Work of the threads of a region on average, without waits.",
                               WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_derived_metric (
      words, "region_imbalance", "region.longest / region.mean", "Imbalance of regions", NULL,
      "Work of the busiest thread by the mean of the team, in all regions of the routine or led by "
      "the thread.",
      WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "mean_region_imbalance", "region.imbalance.mean",
                                      "Mean imbalance of regions", NULL,
                                      "Each region counts as much.", WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (
      words, "wait_share", "100 * work.wait_time / busy", "Waiting inside of work", "percent",
      "Of the time in items: in barriers, for tasks, for locks.", WEFT_POLARITY_LOWER);
}

void
weft_openmp_add_words (WeftVocabulary *words)
{
  weft_vocabulary_add_kind (words, TEAM, "OpenMP team", "network-workgroup-symbolic", "#613583");
  weft_vocabulary_add_word (words, TEAM, "lane", "team", "teams");
  weft_vocabulary_add_word (words, TEAM, "queue", "task queue", "task queues");
  weft_vocabulary_add_word (words, TEAM, "submission", "region or group of tasks",
                            "regions and groups of tasks");
  add_attributes (words);
  add_figures (words);
}
