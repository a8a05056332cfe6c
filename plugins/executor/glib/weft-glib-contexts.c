/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Main contexts: a lane for each, and how long it slept.
 *
 * GLib calls a context's poll function without saying for which context. So each context that is
 * watched gets a function of its own, which calls the one that the program had set.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "weft-glib.h"

#define N_CONTEXTS 256
#define N_BUCKETS 1024
/* Lanes of contexts; those that come later share one. */
#define MAX_LANES 256

static GlibLock lock;
static GlibContext contexts[N_CONTEXTS];
static GlibContext *buckets[N_BUCKETS]; /* never emptied: addresses come again */
static unsigned n_contexts;
static unsigned n_lanes;
static GlibContext others = { .is_shared = true };

static unsigned
get_bucket (const void *context)
{
  return (unsigned) (((uintptr_t) context * UINT64_C (0x9E3779B97F4A7C15)) >> 54) % N_BUCKETS;
}

/* ---- Lanes ---- */

static void *
get_default (void)
{
  static void *found; /* lives as long as the program */
  void *context = __atomic_load_n (&found, __ATOMIC_RELAXED);
  void *(*get) (void);

  if (context != NULL)
    return context;
  *(void **) &get = weft_glib_symbol ("g_main_context_default", NULL);
  if (get == NULL)
    return NULL;
  context = get ();
  __atomic_store_n (&found, context, __ATOMIC_RELAXED);
  return context;
}

static void
name_lane (const GlibContext *context, char *name, size_t size)
{
  static unsigned n_named;
  char thread[17] = "";

  prctl (PR_GET_NAME, thread, 0, 0, 0);
  if (context->is_shared)
    snprintf (name, size, "other main contexts");
  else if (context->context == get_default ())
    snprintf (name, size, "main context");
  else
    snprintf (name, size, "context %u (%s)", __atomic_add_fetch (&n_named, 1, __ATOMIC_RELAXED),
              thread);
}

static void
make_lane (GlibContext *context)
{
  char name[64];

  name_lane (context, name, sizeof name);
  context->asleep = NULL;
  context->lane = weft_target_lane_new (name, "executor.context");
  context->wait = weft_target_metric_new (context->lane, WEFT_TARGET_HISTOGRAM, "context.wait",
                                          WEFT_TARGET_UNIT_NANOSECONDS, NULL, NULL, 0);
  if (context->is_shared)
    return;
  context->sleep = weft_target_metric_new (context->lane, WEFT_TARGET_HISTOGRAM, "context.sleep",
                                           WEFT_TARGET_UNIT_NANOSECONDS, NULL, NULL, 0);
  context->polls = weft_target_metric_new (context->lane, WEFT_TARGET_COUNTER, "context.polls",
                                           WEFT_TARGET_UNIT_COUNT, NULL, NULL, 0);
  context->asleep = weft_target_metric_new (context->lane, WEFT_TARGET_GAUGE, "context.asleep",
                                            WEFT_TARGET_UNIT_NONE, NULL, NULL, 0);
}

/* Those that share one may come to make its lane at the same time. */
static void
need_shared_lane (void)
{
  weft_glib_lock (&lock);
  if (others.lane == NULL)
    make_lane (&others);
  weft_glib_unlock (&lock);
}

void
weft_glib_need_lane (GlibContext *context)
{
  if (context->is_shared)
    need_shared_lane ();
  else if (context->lane == NULL)
    make_lane (context);
}

/* ---- Polls ---- */

static void
poll_begins (GlibContext *context, int timeout)
{
  weft_glib_need_lane (context);
  if (context->running != NULL)
    weft_glib_run_pauses (context->running);
  weft_target_metric_report (context->polls, 1);
  if (timeout != 0)
    weft_target_metric_report (context->asleep, 1);
}

static void
poll_ended (GlibContext *context, int timeout, uint64_t since)
{
  context->polled = weft_target_now ();
  if (context->running != NULL)
    weft_glib_run_resumes (context->running);
  if (timeout == 0)
    return;
  weft_target_metric_report (context->asleep, 0);
  weft_target_metric_report (
      context->sleep,
      (double) (weft_target_to_nanoseconds (context->polled) - weft_target_to_nanoseconds (since)));
}

static int
watch_poll (GlibContext *context, void *fds, unsigned n_fds, int timeout)
{
  int saved = errno, result;
  uint64_t since;

  if (!weft_target_enabled ())
    {
      context->polled = 0;
      return context->theirs (fds, n_fds, timeout);
    }
  poll_begins (context, timeout);
  since = weft_target_now ();
  errno = saved;
  result = context->theirs (fds, n_fds, timeout);
  saved = errno;
  poll_ended (context, timeout, since);
  errno = saved;
  return result;
}

void
weft_glib_own_poll_begins (GlibContext *context, int timeout)
{
  int saved = errno;

  if (context->is_shared)
    return;
  /* It asks again where it had too little room for the answer. */
  if (context->queried == 0)
    poll_begins (context, timeout);
  context->timeout = timeout;
  context->queried = weft_target_now ();
  errno = saved;
}

void
weft_glib_own_poll_ended (GlibContext *context)
{
  int saved = errno;

  if (context->queried == 0)
    return;
  poll_ended (context, context->timeout, context->queried);
  context->queried = 0;
  errno = saved;
}

#define EACH(X, n)                                                                                 \
  X (n##0)                                                                                         \
  X (n##1)                                                                                         \
  X (n##2) X (n##3) X (n##4) X (n##5) X (n##6) X (n##7) X (n##8) X (n##9) X (n##a) X (n##b)        \
      X (n##c) X (n##d) X (n##e) X (n##f)
#define ALL(X)                                                                                     \
  EACH (X, 0x0)                                                                                    \
  EACH (X, 0x1)                                                                                    \
  EACH (X, 0x2) EACH (X, 0x3) EACH (X, 0x4) EACH (X, 0x5) EACH (X, 0x6) EACH (X, 0x7)              \
      EACH (X, 0x8) EACH (X, 0x9) EACH (X, 0xa) EACH (X, 0xb) EACH (X, 0xc) EACH (X, 0xd)          \
          EACH (X, 0xe) EACH (X, 0xf)
#define DEFINE_POLL(n)                                                                             \
  static int poll_##n (void *fds, unsigned n_fds, int timeout)                                     \
  {                                                                                                \
    return watch_poll (&contexts[n], fds, n_fds, timeout);                                         \
  }
#define POLL_NAME(n) poll_##n,

ALL (DEFINE_POLL)

static const GlibPoll polls[N_CONTEXTS] = { ALL (POLL_NAME) };

static GlibPoll
get_ours (const GlibContext *context)
{
  return polls[context - contexts];
}

/* Puts ours before the one that is set. */
static void
put_before (GlibContext *self, void *context)
{
  GlibPoll (*get) (void *);
  void (*set) (void *, GlibPoll);
  GlibPoll theirs;

  *(void **) &get = weft_glib_symbol ("g_main_context_get_poll_func", NULL);
  *(void **) &set = weft_glib_symbol ("g_main_context_set_poll_func", NULL);
  if (get == NULL || set == NULL)
    return;
  theirs = get (context);
  if (theirs == get_ours (self))
    return;
  self->theirs = theirs;
  set (context, get_ours (self));
}

/* ---- Which one ---- */

static GlibContext *
find (const void *context)
{
  for (unsigned at = get_bucket (context);; at = (at + 1) % N_BUCKETS)
    {
      GlibContext *found = __atomic_load_n (&buckets[at], __ATOMIC_ACQUIRE);

      if (found == NULL || found->context == context)
        return found;
    }
}

static GlibContext *
add (void *context)
{
  GlibContext *self = &contexts[n_contexts++];
  unsigned at = get_bucket (context);

  self->context = context;
  put_before (self, context);
  while (buckets[at] != NULL)
    at = (at + 1) % N_BUCKETS;
  __atomic_store_n (&buckets[at], self, __ATOMIC_RELEASE);
  return self;
}

GlibContext *
weft_glib_watch_context (void *context)
{
  GlibContext *self;

  if (context == NULL)
    context = get_default ();
  self = find (context);
  if (self != NULL)
    return self;
  weft_glib_lock (&lock);
  self = find (context);
  if (self == NULL)
    self = n_contexts < N_CONTEXTS ? add (context) : &others;
  weft_glib_unlock (&lock);
  return self;
}

void
weft_glib_context_is_new (void *context)
{
  GlibContext *self = find (context);

  if (self == NULL)
    {
      weft_glib_watch_context (context);
      return;
    }
  weft_glib_lock (&lock);
  if (self->lane != NULL && n_lanes < MAX_LANES)
    {
      n_lanes++;
      weft_target_lane_close (self->lane);
      self->lane = NULL;
    }
  self->polled = self->queried = 0;
  self->running = NULL;
  put_before (self, context);
  weft_glib_unlock (&lock);
}

void
weft_glib_set_poll (void *context, GlibPoll poll, void (*set) (void *context, GlibPoll poll))
{
  GlibContext *self = weft_glib_watch_context (context);

  weft_glib_lock (&lock);
  if (context == NULL)
    context = get_default ();
  set (context, poll);
  if (!self->is_shared)
    put_before (self, context);
  weft_glib_unlock (&lock);
}

GlibPoll
weft_glib_get_poll (void *context, GlibPoll (*get) (void *context))
{
  GlibContext *self = weft_glib_watch_context (context);

  return self->is_shared ? get (context) : self->theirs;
}
