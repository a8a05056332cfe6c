/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the library share that is preloaded into programs with GLib main loops.
 *
 * GLib is found in the program, not linked to: the declarations here are those of its stable ABI.
 * Nothing is done while a program has no GLib, and hardly anything while nobody records.
 */
#pragma once

#include <weft-target.h>

#define PUBLIC __attribute__ ((visibility ("default")))

/* ---- GLib, as it is called ---- */

typedef void (*GlibCallback) (void);
typedef int (*GlibPoll) (void *fds, unsigned n_fds, int timeout);

/* GSourceFuncs */
typedef struct
{
  int (*prepare) (void *source, int *timeout);
  int (*check) (void *source);
  int (*dispatch) (void *source, GlibCallback callback, void *data);
  void (*finalize) (void *source);
  GlibCallback closure_callback;
  GlibCallback closure_marshal;
} GlibSourceFuncs;

/* What GSource begins with. */
typedef struct
{
  void *callback_data;
  void *callback_funcs;
  const GlibSourceFuncs *funcs;
} GlibSource;

/* Functions of GLib that are called here, and not watched. */
typedef struct
{
  const char *(*source_name) (void *source);
  void *(*source_context) (void *source);
  int (*source_priority) (void *source);
  void (*source_set_priority) (void *source, int priority);
  int64_t (*source_ready_time) (void *source);
  void (*source_set_callback) (void *source, GlibCallback callback, void *data,
                               void (*notify) (void *data));
  void (*source_unref) (void *source);
  void *(*loop_context) (void *loop);
  void *(*thread_default) (void);
  int (*is_owner) (void *context);
  int (*acquire) (void *context);
  void (*release) (void *context);
  void *(*find_by_id) (void *context, unsigned id);
  void *(*idle_new) (void);
  void *(*timeout_new) (unsigned interval);
  void *(*timeout_seconds_new) (unsigned interval);
  void *(*child_watch_new) (int pid);
  void *(*io_watch_new) (void *channel, int condition);
  void *(*signal_new) (int number);
  void *(*fd_new) (int fd, int condition);
} GlibCalls;

extern GlibCalls weft_glib;

/* Whether the program has GLib, which is looked for again as long as it has not. CALLER is where
 * one of its functions was called from, or NULL.
 */
bool weft_glib_find (const void *caller);

/* A function or variable of the program's GLib, GObject or GIO, not ours; NULL if there is none. */
void *weft_glib_symbol (const char *name, const void *caller);
/* The same, but nothing that another library put before it, nor of a library by another name. */
void *weft_glib_library_symbol (const char *name);

/* ---- Locks that survive a fork, and tell no recorder of themselves ---- */

typedef struct
{
  int taken;
} GlibLock;

void weft_glib_lock (GlibLock *lock);
void weft_glib_unlock (GlibLock *lock);

/* ---- Contexts ---- */

typedef struct GlibRun GlibRun;

/* A main context, or what takes the place of all that there is no room for. All but what is atomic
 * belongs to the thread that iterates it.
 */
typedef struct
{
  void *context; /* atomic */
  GlibPoll theirs;
  WeftTargetLane *lane; /* NULL: nothing ran yet */
  WeftTargetMetric *asleep;
  WeftTargetMetric *sleep;
  WeftTargetMetric *polls;
  WeftTargetMetric *wait;
  uint64_t polled;  /* ticks at which its last poll returned; 0: not known */
  uint64_t queried; /* likewise, when a poll of the program's own began */
  int timeout;      /* of that one */
  GlibRun *running; /* the innermost dispatch */
  bool is_shared;
} GlibContext;

/* Has the polls of CONTEXT watched, and returns what is kept of it. Never NULL. */
GlibContext *weft_glib_watch_context (void *context);

/* CONTEXT was made just now: what is known of another at its address is over. */
void weft_glib_context_is_new (void *context);

/* With its lane and metrics made. */
void weft_glib_need_lane (GlibContext *context);

/* A poll of the program's own: nobody called the context's function. */
void weft_glib_own_poll_begins (GlibContext *context, int timeout);
void weft_glib_own_poll_ended (GlibContext *context);

void weft_glib_set_poll (void *context, GlibPoll poll, void (*set) (void *context, GlibPoll poll));
GlibPoll weft_glib_get_poll (void *context, GlibPoll (*get) (void *context));

/* ---- Dispatches ---- */

/* The loop turns within a dispatch: what ran so far did not block it any longer. */
void weft_glib_run_pauses (GlibRun *run);
void weft_glib_run_resumes (GlibRun *run);

/* ---- Sources ---- */

typedef struct GlibTask GlibTask;

/* What is known of a source from outside its dispatches. */
typedef struct
{
  WeftTargetOrigin origin; /* where it was attached, or made ready */
  uint64_t ready;          /* ticks since which it may be dispatched: 0: not known */
  bool again;              /* READY is the end of its last dispatch */
  GlibTask *task;          /* that it completes, or NULL */
} GlibFacts;

/* The table to give to GLib in place of FUNCS. */
const GlibSourceFuncs *weft_glib_wrap (const GlibSourceFuncs *funcs);
/* The Nth one that was given in place of FUNCS, or NULL. */
const GlibSourceFuncs *weft_glib_wrapped (const GlibSourceFuncs *funcs, unsigned n);
/* Has the sources of GLib's own kinds watched. */
void weft_glib_wrap_own (void);

void weft_glib_source_attached (void *source, GlibTask *task, WeftTargetOrigin origin);
void weft_glib_source_readied (void *source, WeftTargetOrigin origin);

/* ---- GTask ---- */

typedef void (*GlibPoolFunction) (void *item, void *data);

/* Of a pool that may be that of GTask: puts ours in place of FUNCTION, and returns the data for it.
 */
void *weft_glib_pool_wrap (GlibPoolFunction *function, void *data, int max_threads, int exclusive);
/* By this thread. */
void weft_glib_pool_made (const void *pool);

/* This thread gives SOURCE what it is to call. */
void weft_glib_task_callback (const void *source, GlibCallback callback, const void *data);
/* SOURCE of this NAME is attached by this thread, which may show what pool is that of GTask.
 * Returns the task that it brings back to its context, or NULL.
 */
GlibTask *weft_glib_task_of (const void *source, const char *name);
/* Whether what is handed over to POOL is a task that is to be told of. */
bool weft_glib_task_is_new (const void *pool);
/* CALLER hands it over as ITEM. */
void weft_glib_task_pushed (void *item, const void *caller, WeftTargetOrigin origin);
/* The pool did not take it. */
void weft_glib_task_refused (const void *pool, void *item);

/* This thread waits for the next task that it starts. */
void weft_glib_sync_begins (void);
void weft_glib_sync_ended (void);
/* This thread is about to wake who waits at CONDITION, for a task that it ran perhaps. */
void weft_glib_task_signals (const void *condition);

/* Of a task's completion: what its dispatch is to be told with, and its end. */
const WeftTargetTrace *weft_glib_task_trace (const GlibTask *task);
WeftTargetOrigin weft_glib_task_origin (const GlibTask *task);
void weft_glib_task_completed (GlibTask *task, bool dispatched);
