/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-enums.h"
#include "weft-wait-primitive.h"

G_BEGIN_DECLS

/* What descriptors of a process are, remembered for a moment: they change. */
typedef struct _WeftWaitDescriptors WeftWaitDescriptors;

WeftWaitDescriptors *weft_wait_descriptors_new (int pid);
void weft_wait_descriptors_free (WeftWaitDescriptors *self);

typedef enum
{
  WEFT_WAIT_DESCRIPTOR_UNKNOWN,
  WEFT_WAIT_DESCRIPTOR_FILE, /* with a path: regular, block device, directory */
  WEFT_WAIT_DESCRIPTOR_DEVICE,
  WEFT_WAIT_DESCRIPTOR_PIPE,
  WEFT_WAIT_DESCRIPTOR_SOCKET,
  WEFT_WAIT_DESCRIPTOR_EVENT, /* eventfd */
  WEFT_WAIT_DESCRIPTOR_TIMER,
  WEFT_WAIT_DESCRIPTOR_EPOLL,
  WEFT_WAIT_DESCRIPTOR_OTHER, /* another thing without a path */
} WeftWaitDescriptorKind;

/* PATH stands until the next call. */
WeftWaitDescriptorKind weft_wait_descriptors_get (WeftWaitDescriptors *self, int descriptor,
                                                  const char **path);

/* What a waiting thread does. */
typedef struct
{
  int pid;
  int tid;
  gboolean over;           /* it has gone on since: its memory may say something else now */
  gboolean in_system_call; /* else it faulted, or was stopped */
  gint64 system_call;
  guint64 arguments[6];
  guint64 pc;
  guint64 sp;
} WeftWaitSituation;

/* Reads /proc/PID/task/TID/syscall as TEXT has it. FALSE if it does not wait, or cannot be told. */
gboolean weft_wait_situation_parse (WeftWaitSituation *self, const char *text);

typedef struct
{
  WeftWaitReason reason;
  guint64 object;
  char detail[192];
  gboolean endless; /* it waits for no time to pass */
  gboolean pooled;  /* for a condition or semaphore: idle if others wait at the same place for it */
  int thread;       /* it waits for this one to end; 0: for none */
  gboolean child;   /* it waits for a process that it started to end */
  gboolean looping; /* for many descriptors: idle if it comes back to this place */
} WeftWaitFinding;

/*
 * What it waits for, by its system call and what that was given: README.md has the table. Memory
 * and descriptors of the process are looked at, so it has to be ours to look at.
 */
void weft_wait_reason_find (const WeftWaitSituation *situation, WeftWaitPrimitive primitive,
                            WeftWaitDescriptors *descriptors, WeftWaitFinding *finding);

/* Bytes of a process's memory; less where it has no more. */
gsize weft_wait_read_memory (int pid, guint64 address, void *buffer, gsize length);

G_END_DECLS
