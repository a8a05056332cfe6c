/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A task runtime: pools of worker threads and single workers behind bounded queues, with
 * cancellation, crashes and tasks that are polled. It reports itself by weft-executor.h, and is the
 * example that docs/executor.md leads through.
 */
#pragma once

#include "weft-executor.h"

typedef struct _TaskRuntime TaskRuntime;
typedef struct _Task Task;
typedef struct _TaskMethod TaskMethod;
typedef struct _TaskCall TaskCall;

typedef enum
{
  TASK_DONE,
  TASK_PENDING, /* to be polled again */
  TASK_ABORTED, /* saw that it was canceled */
  TASK_FAILED,
  TASK_CRASHED, /* takes its worker along */
} TaskResult;

/* What a function may ask of its call. */
typedef struct
{
  TaskCall *call;
  void *argument;
  uint32_t attempt;  /* from 1 */
  uint32_t poll;     /* from 1 in each attempt */
  const char *error; /* to be set where it fails */
} TaskContext;

typedef TaskResult (*TaskFunction) (TaskContext *context);

/* Whether somebody wants CONTEXT's call to end. */
bool task_context_is_canceled (const TaskContext *context);

typedef struct
{
  WeftExecutorTaskInfo info;
  uint32_t n_workers;    /* 0: one */
  uint32_t concurrency;  /* calls that one worker polls by turns; 0: one */
  uint32_t max_attempts; /* of a call whose worker crashes; 0: two */
} TaskOptions;

/* What really happened, counted by the runtime for itself. */
typedef struct
{
  uint64_t requested;
  uint64_t dispatched;
  uint64_t succeeded;
  uint64_t failed;
  uint64_t canceled;
  uint64_t rejected;
  uint64_t requeued;
  uint64_t spawned;
  uint64_t crashed;
  uint64_t terminated;
  uint64_t pending;
  uint64_t in_flight;
  uint64_t blocked;
  uint64_t active;
} TaskTruth;

TaskRuntime *task_runtime_new (const WeftExecutorConfiguration *configuration);

/* Lets what was asked for come to its end, ends all workers, and frees everything. */
void task_runtime_free (TaskRuntime *runtime);

/* Ends workers, so that truth and snapshots can still be asked for; before task_runtime_free (). */
void task_runtime_stop (TaskRuntime *runtime);

WeftExecutorRuntime *task_runtime_get_watch (TaskRuntime *runtime);

Task *task_new (TaskRuntime *runtime, const TaskOptions *options);
void task_get_truth (Task *task, TaskTruth *truth);
WeftExecutorTask *task_get_watch (Task *task);

/* POLLED: FUNCTION may be polled; its polls are told one by one. */
TaskMethod *task_method_new (Task *task, const char *name, TaskFunction function, bool polled);

/* Asks for METHOD; waits for room only where the queue blocks. To be waited for. */
TaskCall *task_call (TaskMethod *method, void *argument, const WeftExecutorTrace *trace);

/* Ends it in the queue, or asks it to end where it runs. */
void task_cancel (TaskCall *call);

/* Waits until CALL is over, tells how it ended, and frees it. */
WeftExecutorOutcome task_wait (TaskCall *call);
