/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A task of the runtime with methods that end as asked, a gate that holds them while they run, and
 * ears that keep every event.
 */
#pragma once

#include "task-runtime.h"
#include "test-case.h"

#include <pthread.h>

#define MAX_HEARD 40000

/* Nanoseconds of the same ticks, converted at different times: the clock's calibration goes on. */
#define CHECK_NEAR(left, right)                                                                    \
  do                                                                                               \
    {                                                                                              \
      long long left__ = (long long) (left), right__ = (long long) (right);                        \
                                                                                                   \
      CHECK (left__ - right__ < 10000 && right__ - left__ < 10000);                                \
    }                                                                                              \
  while (0)

/* A copy of an event. */
typedef struct
{
  WeftExecutorEventKind kind;
  char name[32];
  char attributes[160]; /* "key=value " … */
  char method[24];
  char trace_name[24];
  char error[40];
  WeftExecutorEvent event; /* pointers in it are gone */
} Heard;

typedef struct
{
  pthread_mutex_t lock;
  Heard *heard;
  size_t n;
  uint32_t number;
  pthread_t thread; /* of the last event */
} Ears;

/* Holds methods until it is opened. */
typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned int n_held;
  bool is_open;
} Gate;

typedef struct
{
  TaskRuntime *runtime;
  Task *task;
  Gate gate;
  Ears ears;
  TaskMethod *hold;
  TaskMethod *done;
  TaskMethod *fail;
  TaskMethod *crash;      /* each time */
  TaskMethod *crash_once; /* at the first attempt */
  TaskMethod *poll;       /* as many times as its argument says */
  TaskMethod *spin;       /* is polled until it is canceled */
} Rig;

void rig_init (Rig *rig, const TaskOptions *options,
               const WeftExecutorConfiguration *configuration);
/* Spans on, one worker called "resize", a queue without bounds. */
void rig_init_plain (Rig *rig);
void rig_init_bounded (Rig *rig, WeftExecutorPolicy policy, uint32_t max_depth);
void rig_clear (Rig *rig);

/* What the method "poll" runs: its argument says how many polls it takes. */
TaskResult rig_poll (TaskContext *context);
/* Fills the only worker with a call that is held. */
TaskCall *rig_occupy (Rig *rig);
void gate_wait (Gate *gate, unsigned int n_held);
void gate_open (Gate *gate);
WeftExecutorOutcome rig_run (TaskMethod *method, void *argument);

void ears_listen (Ears *ears, WeftExecutorRuntime *runtime);
/* Sum of the values of all events of NAME, so many of which there are. */
double ears_sum (Ears *ears, const char *name, size_t *n);
/* The last event of NAME, and the INDEX-th from the first; NULL if there is none. */
const Heard *ears_last (Ears *ears, const char *name);
const Heard *ears_get (Ears *ears, const char *name, size_t index);
const Heard *ears_span (Ears *ears, size_t index);

/* What was heard is what happened, by the runtime's own account. */
void rig_check_books (Rig *rig);
