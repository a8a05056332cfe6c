/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that reports every case that a target can report; see README.md.
 */

#include "corpus.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SCALE 100000

/* Those that take real time first: the others tell of the time that has passed by then. */
static const CorpusGroup *const groups[] = {
  &corpus_processes,   &corpus_threads,     &corpus_waits,    &corpus_spans,    &corpus_lanes,
  &corpus_origins,     &corpus_submissions, &corpus_outcomes, &corpus_outliers, &corpus_sources,
  &corpus_attachments, &corpus_counters,    &corpus_metrics,  &corpus_traces,   &corpus_clocks,
  &corpus_artifacts,   &corpus_hostile,     &corpus_refusals
};

uint64_t corpus_scale = 1;

static const char *only;
static bool no_drops;
static const char *counts;

static void
list (void)
{
  for (size_t i = 0; i < N_ELEMENTS (groups); i++)
    for (size_t j = 0; j < groups[i]->n_cases; j++)
      printf ("%s\t%s\t%s\t%s\n", groups[i]->name, groups[i]->cases[j].name,
              groups[i]->cases[j].summary, groups[i]->cases[j].expectation);
}

/* Whether NAME is one of the words of --only. */
static bool
is_named (const char *name)
{
  size_t length = strlen (name);

  for (const char *at = only; at != NULL; at = strchr (at, ','))
    {
      at += *at == ',';
      if (strncmp (at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
        return true;
    }
  return false;
}

static bool
is_wanted (const CorpusGroup *group, const CorpusCase *one)
{
  if (no_drops && one->varies)
    return false;
  return only == NULL || is_named (one->name) || is_named (group->name);
}

static bool
is_known (const char *word, size_t length)
{
  for (size_t i = 0; i < N_ELEMENTS (groups); i++)
    {
      if (strncmp (groups[i]->name, word, length) == 0 && groups[i]->name[length] == '\0')
        return true;
      for (size_t j = 0; j < groups[i]->n_cases; j++)
        if (strncmp (groups[i]->cases[j].name, word, length) == 0 &&
            groups[i]->cases[j].name[length] == '\0')
          return true;
    }
  return false;
}

static void
check_only (void)
{
  for (const char *at = only; at != NULL && *at != '\0';)
    {
      size_t length = strcspn (at, ",");

      if (!is_known (at, length))
        {
          fprintf (stderr, "weft-corpus: no case or group “%.*s”; see --list\n", (int) length, at);
          exit (2);
        }
      at += length;
      at += *at == ',';
    }
}

static uint64_t
parse_scale (const char *text)
{
  char *end;
  unsigned long value;

  errno = 0;
  value = strtoul (text, &end, 10);
  if (errno != 0 || *text == '-' || *text == '\0' || *end != '\0' || value < 1 || value > MAX_SCALE)
    {
      fprintf (stderr, "weft-corpus: --scale takes a number from 1 to %d, not “%s”\n", MAX_SCALE,
               text);
      exit (2);
    }
  return value;
}

static void
parse (int argc, char **argv)
{
  static const struct option options[] = { { "list", no_argument, NULL, 'l' },
                                           { "scale", required_argument, NULL, 's' },
                                           { "only", required_argument, NULL, 'o' },
                                           { "no-drops", no_argument, NULL, 'd' },
                                           { "counts", required_argument, NULL, 'c' },
                                           { "own-clock", no_argument, NULL, 't' },
                                           { NULL, 0, NULL, 0 } };
  bool own_clock = false;
  int option;

  while ((option = getopt_long (argc, argv, "", options, NULL)) != -1)
    switch (option)
      {
      case 'l':
        list ();
        exit (0);
      case 's':
        corpus_scale = parse_scale (optarg);
        break;
      case 'o':
        only = optarg;
        break;
      case 'd':
        no_drops = true;
        break;
      case 'c':
        counts = optarg;
        break;
      case 't':
        own_clock = true;
        break;
      default:
        exit (2);
      }
  if (optind < argc)
    {
      fprintf (stderr, "weft-corpus: what is “%s”?\n", argv[optind]);
      exit (2);
    }
  check_only ();
  if (!own_clock)
    setenv ("WEFT_TARGET_CLOCK", "monotonic", 1);
}

/* The first record makes the library connect. */
static void
connect_recorder (void)
{
  CorpusLane *lane = corpus_lane ("corpus", "corpus.program");

  corpus_clock_start ();
  corpus_span (lane, "begin", 0, 0);
  corpus_settle ();
}

static void
run_all (void)
{
  for (size_t i = 0; i < N_ELEMENTS (groups); i++)
    {
      if (groups[i] == &corpus_spans)
        corpus_sleep_until (corpus_time (WINDOW));
      for (size_t j = 0; j < groups[i]->n_cases; j++)
        if (is_wanted (groups[i], &groups[i]->cases[j]))
          groups[i]->cases[j].run ();
    }
}

int
main (int argc, char **argv)
{
  parse (argc, argv);
  connect_recorder ();
  corpus_residents_start ();
  run_all ();
  corpus_residents_end ();
  corpus_child_end ();
  corpus_settle ();
  if (counts != NULL && !corpus_write_counts (counts))
    {
      fprintf (stderr, "weft-corpus: cannot write %s: %s\n", counts, strerror (errno));
      return 1;
    }
  return 0;
}
