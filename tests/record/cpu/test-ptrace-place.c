/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From where threads are stopped: what took less is kept, and asked again now and then. */

#include <glib.h>

#include "weft-ptrace-place.h"

#define CPU 3
#define OTHER 5
#define DEAR 50000
#define CHEAP 9000

typedef struct
{
  WeftPtracePlace place;
  gint64 costs[2]; /* of a stop, from anywhere and from the same CPU */
  guint n_beside;
} Rig;

static void
stop (Rig *rig, guint cpu)
{
  gboolean beside = rig->place.cpu != WEFT_PTRACE_ANYWHERE;
  gint64 cost = rig->costs[beside];

  rig->n_beside += beside;
  weft_ptrace_place_note (&rig->place, cpu, beside ? cost / 2 : cost, beside ? cost : 2 * cost);
}

static void
stop_often (Rig *rig, guint cpu, guint n)
{
  rig->n_beside = 0;
  for (guint i = 0; i < n; i++)
    stop (rig, cpu);
}

static Rig
rig_new (gint64 anywhere, gint64 beside)
{
  Rig rig = { .costs = { anywhere, beside } };

  weft_ptrace_place_init (&rig.place);
  return rig;
}

static void
test_beside (void)
{
  Rig rig = rig_new (DEAR, CHEAP);

  stop_often (&rig, CPU, 2 * WEFT_PTRACE_TRIAL);
  stop_often (&rig, CPU, 100 * WEFT_PTRACE_TRIAL);
  g_assert_cmpuint (rig.n_beside, >, 90 * WEFT_PTRACE_TRIAL);
  g_assert_cmpuint (rig.n_beside, <, 100 * WEFT_PTRACE_TRIAL);
}

static void
test_anywhere (void)
{
  Rig rig = rig_new (CHEAP, DEAR);

  stop_often (&rig, CPU, 2 * WEFT_PTRACE_TRIAL);
  stop_often (&rig, CPU, 100 * WEFT_PTRACE_TRIAL);
  g_assert_cmpuint (rig.n_beside, <, 10 * WEFT_PTRACE_TRIAL);
  g_assert_cmpuint (rig.n_beside, >, 0);
}

/* Within a term: there is no need to wait for its end. */
static void
test_change (void)
{
  Rig rig = rig_new (DEAR, CHEAP);

  stop_often (&rig, CPU, 5 * WEFT_PTRACE_TRIAL);
  g_assert_cmpuint (rig.place.cpu, ==, CPU);
  rig.costs[1] = 2 * DEAR;
  stop_often (&rig, CPU, 2 * WEFT_PTRACE_TRIAL);
  g_assert_cmpuint (rig.place.cpu, ==, WEFT_PTRACE_ANYWHERE);
}

static void
test_follow (void)
{
  Rig rig = rig_new (DEAR, CHEAP);

  stop_often (&rig, CPU, 5 * WEFT_PTRACE_TRIAL);
  g_assert_cmpuint (rig.place.cpu, ==, CPU);
  stop_often (&rig, OTHER, WEFT_PTRACE_TRIAL / 2);
  g_assert_cmpuint (rig.place.cpu, ==, OTHER);
}

/* Of those that run on several CPUs at once, none is the right one. */
static void
test_several (void)
{
  Rig rig = rig_new (DEAR, CHEAP);

  stop_often (&rig, CPU, 5 * WEFT_PTRACE_TRIAL);
  rig.n_beside = 0;
  for (guint i = 0; i < 100 * WEFT_PTRACE_TRIAL; i++)
    stop (&rig, i % 2 ? CPU : OTHER);
  g_assert_cmpuint (rig.n_beside, <, WEFT_PTRACE_TRIAL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cpu/ptrace-place/beside", test_beside);
  g_test_add_func ("/cpu/ptrace-place/anywhere", test_anywhere);
  g_test_add_func ("/cpu/ptrace-place/change", test_change);
  g_test_add_func ("/cpu/ptrace-place/follow", test_follow);
  g_test_add_func ("/cpu/ptrace-place/several", test_several);
  return g_test_run ();
}
