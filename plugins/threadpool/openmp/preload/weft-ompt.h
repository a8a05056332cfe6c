/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenMP's interface for tools, as far as it is used here: the names and numbers of the
 * specification (OpenMP 5.2, chapter 19), which runtimes keep.
 */
#pragma once

#include <stdint.h>

typedef union
{
  uint64_t value;
  void *ptr;
} OmptData;

typedef struct
{
  OmptData variable;
  int type;
} OmptDependence;

typedef void (*OmptCallback) (void);
typedef OmptCallback (*OmptLookup) (const char *name);
typedef int (*OmptSetCallback) (int event, OmptCallback callback);

typedef struct
{
  int (*initialize) (OmptLookup lookup, int device, OmptData *data);
  void (*finalize) (OmptData *data);
  OmptData data;
} OmptStart;

enum
{
  OMPT_PARALLEL_BEGIN = 3,
  OMPT_PARALLEL_END = 4,
  OMPT_TASK_CREATE = 5,
  OMPT_TASK_SCHEDULE = 6,
  OMPT_IMPLICIT_TASK = 7,
  OMPT_SYNC_REGION_WAIT = 16,
  OMPT_DEPENDENCES = 18,
  OMPT_WORK = 20,
  OMPT_SYNC_REGION = 23,
  OMPT_MUTEX_ACQUIRE = 26,
  OMPT_MUTEX_ACQUIRED = 27,
  OMPT_DISPATCH = 32,
};

enum
{
  OMPT_BEGIN = 1,
  OMPT_END = 2,
};

enum
{
  OMPT_SYNC_BARRIER = 1,
  OMPT_SYNC_BARRIER_IMPLICIT = 2,
  OMPT_SYNC_BARRIER_EXPLICIT = 3,
  OMPT_SYNC_BARRIER_IMPLEMENTATION = 4,
  OMPT_SYNC_TASKWAIT = 5,
  OMPT_SYNC_TASKGROUP = 6,
  OMPT_SYNC_REDUCTION = 7,
  OMPT_SYNC_BARRIER_WORKSHARE = 8,
  OMPT_SYNC_BARRIER_PARALLEL = 9,
  OMPT_SYNC_BARRIER_TEAMS = 10,
};

enum
{
  OMPT_WORK_LOOP = 1,
  OMPT_WORK_SECTIONS = 2,
  OMPT_WORK_SINGLE_EXECUTOR = 3,
  OMPT_WORK_TASKLOOP = 7,
  OMPT_WORK_LOOP_STATIC = 10,
  OMPT_WORK_LOOP_DYNAMIC = 11,
  OMPT_WORK_LOOP_GUIDED = 12,
  OMPT_WORK_LOOP_OTHER = 13,
};

enum
{
  OMPT_DISPATCH_ITERATION = 1,
  OMPT_DISPATCH_SECTION = 2,
  OMPT_DISPATCH_LOOP_CHUNK = 3,
  OMPT_DISPATCH_TASKLOOP_CHUNK = 4,
};

typedef struct
{
  uint64_t start;
  uint64_t iterations;
} OmptChunk;

#define OMPT_TASK_INITIAL 0x1
#define OMPT_TASK_IMPLICIT 0x2
#define OMPT_TASK_EXPLICIT 0x4
#define OMPT_TASK_UNDEFERRED 0x08000000
#define OMPT_TASK_UNTIED 0x10000000
#define OMPT_TASK_FINAL 0x20000000

enum
{
  OMPT_STATUS_COMPLETE = 1,
  OMPT_STATUS_CANCEL = 3,
  OMPT_STATUS_DETACH = 4,
  OMPT_STATUS_EARLY_FULFILL = 5,
  OMPT_STATUS_LATE_FULFILL = 6,
  OMPT_STATUS_TASKWAIT_COMPLETE = 8,
};

#define OMPT_PARALLEL_LEAGUE 0x40000000

#define OMPT_DEPENDENCE_IN 1
#define OMPT_MUTEX_ORDERED 7
