/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lanes, and what is handed to the library: counted, so that a recording can be held to it. */

#include "corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_LANES 128
#define SETTLE_MS 2000

/* Shared with forked children, which count for their own lanes. */
typedef struct
{
  uint32_t n_lanes;
  CorpusLane lanes[MAX_LANES];
} Table;

static Table *
table (void)
{
  static Table *shared;

  if (shared == NULL)
    {
      shared =
          mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
      if (shared == MAP_FAILED)
        abort ();
    }
  return shared;
}

CorpusLane *
corpus_lane_full (const char *name, const char *kind, CorpusLane *parent, uint32_t clock)
{
  const WeftTargetLaneInfo info = { name, kind, parent != NULL ? parent->lane : NULL, clock };
  Table *t = table ();
  CorpusLane *lane;

  for (uint32_t i = 0; i < t->n_lanes; i++)
    if (t->lanes[i].pid == getpid () && strcmp (t->lanes[i].name, name) == 0)
      return &t->lanes[i];
  if (t->n_lanes == MAX_LANES || strlen (name) >= sizeof t->lanes[0].name)
    abort ();
  lane = &t->lanes[t->n_lanes++];
  strcpy (lane->name, name);
  lane->pid = (int32_t) getpid ();
  lane->clock = clock;
  lane->lane = weft_target_lane_new_full (&info, sizeof info);
  return lane;
}

CorpusLane *
corpus_lane (const char *name, const char *kind)
{
  return corpus_lane_full (name, kind, NULL, WEFT_TARGET_CLOCK_MONOTONIC);
}

/* Names may be hostile. */
static void
write_string (FILE *file, const char *text)
{
  putc ('"', file);
  for (const char *c = text; *c != '\0'; c++)
    if (*c >= ' ' && *c < 127 && *c != '"' && *c != '\\')
      putc (*c, file);
    else
      fprintf (file, "\\u%04x", (unsigned char) *c);
  putc ('"', file);
}

bool
corpus_write_counts (const char *path)
{
  const Table *t = table ();
  FILE *file = fopen (path, "we");

  if (file == NULL)
    return false;
  for (uint32_t i = 0; i < t->n_lanes; i++)
    {
      fprintf (file, "%d\t%llu\t", (int) t->lanes[i].pid,
               (unsigned long long) __atomic_load_n (&t->lanes[i].submitted, __ATOMIC_RELAXED));
      write_string (file, t->lanes[i].name);
      putc ('\n', file);
    }
  return fclose (file) == 0;
}

void
corpus_count (CorpusLane *lane, uint64_t n)
{
  __atomic_fetch_add (&lane->submitted, n, __ATOMIC_RELAXED);
}

static uint64_t
lane_time (const CorpusLane *lane, uint64_t since_base)
{
  uint64_t time = corpus_time (since_base);

  return lane->clock == WEFT_TARGET_CLOCK_RUNTIME ? corpus_ticks (time) : time;
}

WeftTargetDispatch
corpus_dispatch (CorpusLane *lane, const char *routine, uint64_t start, uint64_t duration)
{
  WeftTargetDispatch dispatch = { .lane = lane->lane };

  dispatch.routine = weft_target_routine_new (routine);
  dispatch.start = lane_time (lane, start);
  dispatch.end = lane_time (lane, start + duration);
  return dispatch;
}

void
corpus_emit (CorpusLane *lane, const WeftTargetDispatch *dispatch)
{
  weft_target_dispatch (dispatch);
  corpus_count (lane, 1);
}

uint64_t
corpus_reserve (CorpusLane *lane, const WeftTargetDispatch *dispatch)
{
  corpus_count (lane, 1);
  return weft_target_reserve (dispatch);
}

void
corpus_span (CorpusLane *lane, const char *routine, uint64_t start, uint64_t duration)
{
  weft_target_span (lane->lane, weft_target_routine_new (routine), lane_time (lane, start),
                    lane_time (lane, start + duration));
  corpus_count (lane, 1);
}

/* A recorder that does not read in all that time is not waited for again. */
void
corpus_settle (void)
{
  static bool given_up;

  for (int i = 0; i < SETTLE_MS && !given_up; i++)
    {
      WeftTargetStats stats;

      weft_target_get_stats (&stats, sizeof stats);
      if (stats.state != WEFT_TARGET_STATE_CONNECTED || stats.sent >= stats.queued)
        return;
      corpus_sleep (MS);
    }
  given_up = true;
}

WeftTargetOrigin
corpus_origin (int32_t tid, uint64_t monotonic)
{
  return (WeftTargetOrigin){ .ticks = corpus_ticks (monotonic), .tid = tid };
}

WeftTargetTag
corpus_tag (const char *key, const char *value)
{
  return (WeftTargetTag){ key, WEFT_TARGET_VALUE_STRING, { .string = value } };
}
