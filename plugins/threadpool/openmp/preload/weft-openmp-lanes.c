/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lanes: a team for each thread that begins regions, a place in it for each number of a thread.
 *
 * By number and not by thread, for the runtime may make threads anew for each nested region. Teams
 * of threads that are gone are used again.
 */

#include "weft-openmp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_SLOTS 512u
#define MAX_LANES 2048u

static uint32_t n_lanes; /* atomic */
static OmpTeam *unused;
static pthread_mutex_t unused_lock = PTHREAD_MUTEX_INITIALIZER;

static WeftTargetMetric *
metric (OmpTeam *team, WeftTargetMetricKind kind, const char *name, WeftTargetUnit unit,
        const char *unit_name)
{
  return weft_target_metric_new (team->lane, kind, name, unit, unit_name, NULL, 0);
}

static void
add_metrics (OmpTeam *team)
{
  team->pending = metric (team, WEFT_TARGET_GAUGE, "queue.pending", WEFT_TARGET_UNIT_COUNT, NULL);
  team->queue_wait =
      metric (team, WEFT_TARGET_HISTOGRAM, "queue.wait_ms", WEFT_TARGET_UNIT_NAMED, "ms");
  team->steals = metric (team, WEFT_TARGET_COUNTER, "steal.total", WEFT_TARGET_UNIT_COUNT, NULL);
  team->workers = metric (team, WEFT_TARGET_GAUGE, "workers.active", WEFT_TARGET_UNIT_COUNT, NULL);
  team->imbalance =
      metric (team, WEFT_TARGET_HISTOGRAM, "region.imbalance", WEFT_TARGET_UNIT_NONE, NULL);
  team->dropped = metric (team, WEFT_TARGET_COUNTER, "tasks.dropped", WEFT_TARGET_UNIT_COUNT, NULL);
}

static OmpTeam *
team_new (const char *name, WeftTargetLane *outer)
{
  OmpTeam *team = calloc (1, sizeof *team);

  if (team == NULL)
    return NULL;
  team->slots = calloc (MAX_SLOTS, sizeof *team->slots);
  if (team->slots == NULL)
    {
      free (team);
      return NULL;
    }
  snprintf (team->name, sizeof team->name, "%s", name);
  team->lane = weft_target_lane_new_full (
      &(WeftTargetLaneInfo){ .name = name, .kind = "threadpool.team", .parent = outer },
      sizeof (WeftTargetLaneInfo));
  team->queue = weft_target_queue_new (team->lane, "tasks");
  add_metrics (team);
  OMP_ADD (&n_lanes, 1);
  return team;
}

/* Nobody waits for the lock: a forked child may find it taken for ever. */
OmpTeam *
omp_team_take (void)
{
  static uint32_t n_teams;
  OmpTeam *team = NULL;
  char name[32] = "OpenMP";
  uint32_t number;

  if (pthread_mutex_trylock (&unused_lock) == 0)
    {
      team = unused;
      if (team != NULL)
        unused = team->next;
      pthread_mutex_unlock (&unused_lock);
    }
  if (team != NULL)
    return team;
  number = OMP_ADD (&n_teams, 1);
  if (number > 1)
    snprintf (name, sizeof name, "OpenMP %u", number);
  return team_new (name, NULL);
}

void
omp_team_give_back (OmpTeam *team)
{
  if (pthread_mutex_trylock (&unused_lock) != 0)
    return;
  team->next = unused;
  unused = team;
  pthread_mutex_unlock (&unused_lock);
}

/* With too many lanes, what is nested stays on the lanes of the team around it. */
OmpTeam *
omp_slot_get_nested (OmpSlot *slot)
{
  OmpTeam *team = __atomic_load_n (&slot->nested, __ATOMIC_ACQUIRE);
  char name[sizeof team->name + 32];

  if (team != NULL)
    return team;
  if (OMP_LOAD (&n_lanes) >= MAX_LANES)
    return slot->team;
  snprintf (name, sizeof name, "%s/%u nested", slot->team->name, slot->number);
  team = team_new (name, slot->lane);
  if (team == NULL)
    return slot->team;
  __atomic_store_n (&slot->nested, team, __ATOMIC_RELEASE);
  return team;
}

static OmpSlot *
slot_new (OmpTeam *team, unsigned number)
{
  OmpSlot *slot = calloc (1, sizeof *slot);
  char name[sizeof team->name + 16];

  if (slot == NULL)
    return NULL;
  slot->team = team;
  slot->number = number;
  if (OMP_LOAD (&n_lanes) >= MAX_LANES)
    {
      slot->lane = team->lane;
      return slot;
    }
  OMP_ADD (&n_lanes, 1);
  snprintf (name, sizeof name, "%s/%u", team->name, number);
  slot->lane = weft_target_lane_new_full (
      &(WeftTargetLaneInfo){ .name = name, .kind = "threadpool.worker", .parent = team->lane },
      sizeof (WeftTargetLaneInfo));
  return slot;
}

/* Numbers above the last place share it. Another thread may make the same place at the same time
 * only there.
 */
OmpSlot *
omp_team_get_slot (OmpTeam *team, unsigned number)
{
  OmpSlot **place = &team->slots[number < MAX_SLOTS ? number : MAX_SLOTS - 1];
  OmpSlot *slot = __atomic_load_n (place, __ATOMIC_ACQUIRE), *expected = NULL;

  if (slot != NULL)
    return slot;
  slot = slot_new (team, number < MAX_SLOTS ? number : MAX_SLOTS - 1);
  if (slot == NULL || __atomic_compare_exchange_n (place, &expected, slot, false, __ATOMIC_RELEASE,
                                                   __ATOMIC_ACQUIRE))
    return slot;
  free (slot);
  return expected;
}
