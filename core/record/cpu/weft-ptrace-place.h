/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define WEFT_PTRACE_ANYWHERE G_MAXUINT /* in the place of a CPU */
#define WEFT_PTRACE_TRIAL 64           /* stops after which one way is compared with the other */
#define WEFT_PTRACE_TERM 16            /* trials for which the cheaper one is kept */

/*
 * Where the thread that stops others runs: anywhere, or on the CPU on which those run that it
 * stops.
 *
 * A stop takes two turns, from the one that is stopped to the one that stops and back. Where the
 * latter sleeps on another CPU, an idle one has to be woken each time, which takes a virtual one
 * tens of microseconds; on the same CPU it is two switches, but what is done about the stop is done
 * in the other's time. So both are tried, and what took the stopped less is kept for a while. Who
 * runs on several CPUs is best stopped from anywhere.
 */
typedef struct
{
  guint cpu;         /* where it runs: one, or anywhere */
  guint last;        /* CPU of the last stop */
  guint n_same;      /* stops on that one, without a break */
  guint n;           /* stops of the trial that is under way */
  guint n_elsewhere; /* of them, on other CPUs than the thread's own */
  gint64 sum;        /* ns that they took */
  gint64 costs[2];   /* ns of a stop at the last trial: from anywhere, from the same CPU */
  gboolean is_trying;
  guint n_left; /* trials of the term */
} WeftPtracePlace;

/* CPU: on which it was stopped. AWAY: ns from when it was asked to stop until it was let go on;
 * DONE: until all that had to be done about it was. Returns where the thread should run from now
 * on: a CPU or anywhere.
 */
guint weft_ptrace_place_note (WeftPtracePlace *self, guint cpu, gint64 away, gint64 done);

void weft_ptrace_place_init (WeftPtracePlace *self);

G_END_DECLS
