/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What /proc tells of a process. Fields that could not be read are 0 or NULL. */
typedef struct
{
  int pid;
  int parent;
  guint uid;
  gint64 started;          /* ns, CLOCK_MONOTONIC of the recorder, to the tick of /proc (10 ms) */
  guint64 stack_start;     /* where its first thread's stack began: another one in each program that
                            * it runs, its parent's in a forked process; 0: not told */
  gint64 monotonic_offset; /* ns that the process's CLOCK_MONOTONIC is ahead (time namespace) */
  gboolean other_pid_namespace;
  int namespace_pid;       /* what the process calls itself */
  gboolean gone; /* known from a file only: /proc has nothing, or somebody else */
  char *name;
  char *executable;
  char *command_line;
} WeftProcessInfo;

void weft_process_info_read (WeftProcessInfo *self, int pid);
void weft_process_info_clear (WeftProcessInfo *self);

/* The recorder's number of the thread that PID itself calls TID; 0 if it is gone. */
int weft_process_find_thread (int pid, int tid, gboolean other_pid_namespace);

/* Whether it is certain that PID has no thread that it calls TID: /proc may be closed to us, or we
 * may have no descriptors left.
 */
gboolean weft_process_lacks_thread (int pid, int tid, gboolean other_pid_namespace);

/* A set of what the threads of PID call themselves; threads that come or go meanwhile may lack. */
GHashTable *weft_process_list_threads (int pid);

/* What thread TID of PID calls itself; 0 if it is gone. */
int weft_process_namespace_tid (int pid, int tid);

/* Start of a thread in clock ticks since boot: tells a reused number from the old one. 0 if gone. */
guint64 weft_process_thread_started (int pid, int tid);

/* Clock ticks since boot as nanoseconds of CLOCK_MONOTONIC. */
gint64 weft_process_ticks_to_monotonic (guint64 ticks);

/* As proc(5) has it: 'R', 'S', 'D', …; '\0' if it is gone. */
char weft_process_thread_state (int pid, int tid);

/* Newly allocated; NULL if gone. */
char *weft_process_thread_name (int pid, int tid);

G_END_DECLS
