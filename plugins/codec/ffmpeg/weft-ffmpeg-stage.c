/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stages: what packets and frames go through, and what is inside of each. */

#include "weft-ffmpeg.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define N_BUCKETS 256u

static FfStage *buckets[N_BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static __thread FfStage *current __attribute__ ((tls_model ("initial-exec")));

/* ---- The table ---- */

static void
lock_table (void)
{
  pthread_mutex_lock (&lock);
}

static void
unlock_table (void)
{
  pthread_mutex_unlock (&lock);
}

/* A child that forks while another thread looks something up is not to wait for it for ever. */
static void
watch_forks (void)
{
  pthread_atfork (lock_table, unlock_table, unlock_table);
}

static FfStage **
bucket_of (const void *key)
{
  return &buckets[((uintptr_t) key >> 4) * 0x9e3779b97f4a7c15u >> 56];
}

static FfStage *
find (const void *key)
{
  FfStage *stage = *bucket_of (key);

  while (stage != NULL && stage->key != key)
    stage = stage->next;
  return stage;
}

static void
free_stage (FfStage *stage)
{
  ff_stage_flush (stage);
  if (stage->lane != NULL)
    weft_target_lane_close (stage->lane);
  free (stage->inputs);
  free (stage);
}

static void
take_out (FfStage **bucket, const void *key)
{
  while (*bucket != NULL)
    {
      FfStage *stage = *bucket;

      if (stage->key == key || stage->owner == key)
        {
          *bucket = stage->next;
          free_stage (stage);
        }
      else
        bucket = &stage->next;
    }
}

void
ff_stage_forget (const void *key)
{
  const int saved = errno;

  lock_table ();
  for (uint32_t i = 0; i < N_BUCKETS; i++)
    take_out (&buckets[i], key);
  unlock_table ();
  errno = saved;
}

static FfStage *
add_stage (const FfStageInfo *info, const char *format, va_list arguments)
{
  FfStage **bucket = bucket_of (info->key);
  FfStage *stage;

  take_out (bucket, info->key);
  stage = calloc (1, sizeof *stage);
  if (stage == NULL)
    return NULL;
  stage->key = info->key;
  stage->what = info->what;
  stage->owner = info->owner;
  stage->kind = info->kind;
  vsnprintf (stage->name, sizeof stage->name, format, arguments);
  stage->next = *bucket;
  *bucket = stage;
  return stage;
}

FfStage *
ff_stage_get (const FfStageInfo *info, const char *format, ...)
{
  const int saved = errno;
  FfStage *stage;

  pthread_once (&once, watch_forks);
  lock_table ();
  stage = find (info->key);
  if (stage == NULL || stage->what != info->what)
    {
      va_list arguments;

      va_start (arguments, format);
      stage = add_stage (info, format, arguments);
      va_end (arguments);
    }
  /* It is known once the first packets are. */
  if (stage != NULL)
    stage->time_base = info->time_base;
  unlock_table ();
  errno = saved;
  return stage;
}

/* ---- Where a thread is ---- */

FfStage *
ff_stage_enter (FfStage *stage)
{
  FfStage *before = current;

  current = stage;
  return before;
}

void
ff_stage_leave (FfStage *before)
{
  current = before;
}

FfStage *
ff_stage_current (void)
{
  return current;
}

/* ---- What is told of a stage ---- */

static const struct
{
  const char *name;
  WeftTargetMetricKind kind;
  WeftTargetUnit unit;
} metrics[FF_N_METRICS] = {
  [FF_FRAMES_IN] = { "frames.in", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_COUNT },
  [FF_FRAMES_OUT] = { "frames.out", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_COUNT },
  [FF_BYTES_IN] = { "bytes.in", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_BYTES },
  [FF_BYTES_OUT] = { "bytes.out", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_BYTES },
  [FF_ERRORS] = { "errors", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_COUNT },
  [FF_LEVEL] = { "queue.level", WEFT_TARGET_GAUGE, WEFT_TARGET_UNIT_COUNT },
  [FF_QUEUE_WAIT] = { "queue.wait", WEFT_TARGET_HISTOGRAM, WEFT_TARGET_UNIT_NANOSECONDS },
};

typedef struct Name
{
  struct Name *next;
  uint32_t n_lanes;
  char text[];
} Name;

static Name *names;

/* How many lanes have had this name, this one among them. */
static uint32_t
count_lanes (const char *text)
{
  const size_t size = strlen (text) + 1;
  Name *name = names;

  while (name != NULL && strcmp (name->text, text) != 0)
    name = name->next;
  if (name != NULL)
    return ++name->n_lanes;
  name = malloc (sizeof *name + size);
  if (name == NULL)
    return 1;
  memcpy (name->text, text, size);
  name->n_lanes = 1;
  name->next = names;
  names = name;
  return 1;
}

static WeftTargetLane *
make_lane (const FfStage *stage)
{
  char name[sizeof stage->name + 16];
  uint32_t number;

  lock_table ();
  number = count_lanes (stage->name);
  unlock_table ();
  if (number == 1)
    return weft_target_lane_new (stage->name, stage->kind);
  snprintf (name, sizeof name, "%s (%u)", stage->name, number);
  return weft_target_lane_new (name, stage->kind);
}

WeftTargetLane *
ff_stage_get_lane (FfStage *stage)
{
  if (stage->lane == NULL)
    stage->lane = make_lane (stage);
  return stage->lane;
}

void
ff_stage_report (FfStage *stage, FfMetric metric, double value)
{
  if (stage->metrics[metric] == NULL)
    stage->metrics[metric] =
        weft_target_metric_new (ff_stage_get_lane (stage), metrics[metric].kind,
                                metrics[metric].name, metrics[metric].unit, NULL, NULL, 0);
  weft_target_metric_report (stage->metrics[metric], value);
}

/* ---- What is inside ---- */

void
ff_stage_put_in (FfStage *stage, const FfInput *input)
{
  FfInput *slot;

  if (stage->inputs == NULL)
    stage->inputs = calloc (FF_N_INPUTS, sizeof *stage->inputs);
  if (stage->inputs == NULL)
    return;
  slot = &stage->inputs[stage->next_input++ % FF_N_INPUTS];
  stage->n_inside += slot->entered == 0;
  *slot = *input;
  ff_stage_report (stage, FF_LEVEL, stage->n_inside);
}

bool
ff_stage_take_out (FfStage *stage, int64_t pts, FfInput *input)
{
  if (stage->inputs == NULL || pts == AV_NOPTS_VALUE)
    return false;
  for (uint32_t i = 0; i < FF_N_INPUTS; i++)
    {
      FfInput *slot = &stage->inputs[(stage->next_input + i) % FF_N_INPUTS];

      if (slot->entered == 0 || slot->pts != pts)
        continue;
      *input = *slot;
      slot->entered = 0;
      stage->n_inside--;
      ff_stage_report (stage, FF_LEVEL, stage->n_inside);
      return true;
    }
  return false;
}

void
ff_stage_flush (FfStage *stage)
{
  if (stage->n_inside == 0)
    return;
  memset (stage->inputs, 0, FF_N_INPUTS * sizeof *stage->inputs);
  stage->n_inside = 0;
  ff_stage_report (stage, FF_LEVEL, 0);
}
