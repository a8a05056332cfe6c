/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Histories made by chance: their paths add up to the time that was asked about, and are those that
 * a plain search finds, which goes back tick by tick and looks through all rows each time.
 */

#include "path-rows.h"

#include <string.h>

#define HORIZON 150
#define MAX_THREADS 4
#define MAX_ROWS 40
#define N_ROUNDS 150

typedef struct
{
  gint64 born, died;
} Life;

typedef struct
{
  guint thread, waker;
  gint64 start, end, woken;
  WeftWaitReason reason;
  gboolean has_wakeup;
} Wait;

typedef struct
{
  guint lane, thread;
  gint64 queued, start, end;
} Work;

typedef struct
{
  guint thread, work;
  gint64 start, end;
} Await;

typedef struct
{
  guint n_threads, n_waits, n_works, n_awaits;
  Life lives[MAX_THREADS + 1];
  Wait waits[MAX_ROWS];
  Work works[MAX_ROWS + 1]; /* from 1 on */
  Await awaits[MAX_ROWS];
} World;

/* ---- Made by chance ---- */

static gint64
between (GRand *rand, gint64 low, gint64 high)
{
  return low >= high ? low : g_rand_int_range (rand, (gint32) low, (gint32) high + 1);
}

static void
make_waits (World *world, GRand *rand, guint thread)
{
  static const WeftWaitReason reasons[] = { WEFT_WAIT_REASON_LOCK,      WEFT_WAIT_REASON_SEMAPHORE,
                                            WEFT_WAIT_REASON_PREEMPTED, WEFT_WAIT_REASON_SLEEP,
                                            WEFT_WAIT_REASON_IO_READ,   WEFT_WAIT_REASON_UNKNOWN };
  gint64 time = world->lives[thread].born + between (rand, 0, 4);

  while (world->n_waits < MAX_ROWS && between (rand, 0, 9) > 0)
    {
      Wait *wait = &world->waits[world->n_waits];

      *wait = (Wait){ .thread = thread, .start = time, .end = time + between (rand, 1, 25) };
      if (wait->end > world->lives[thread].died)
        return;
      wait->reason = reasons[between (rand, 0, G_N_ELEMENTS (reasons) - 1)];
      wait->has_wakeup = between (rand, 0, 3) > 0;
      /* Mostly one that is there; or an interrupt, or one that nobody knows. */
      wait->waker = (guint) between (rand, 0, world->n_threads + 1);
      wait->woken = between (rand, 0, 9) == 0 ? between (rand, 0, HORIZON)
                                              : between (rand, wait->start, wait->end);
      time = wait->end + between (rand, 0, 12);
      world->n_waits++;
    }
}

/* Lane 1 does one after another, lane 2 several at once. */
static void
make_works (World *world, GRand *rand)
{
  gint64 time = between (rand, 0, 10);

  while (world->n_works < MAX_ROWS && between (rand, 0, 11) > 0)
    {
      Work *work = &world->works[++world->n_works];
      gint64 gap = between (rand, -4, 6);

      work->lane = (guint) between (rand, 1, 2);
      work->start = work->lane == 1 ? time : between (rand, 0, HORIZON - 20);
      work->end = work->start + between (rand, 1, 20);
      work->queued = work->start - between (rand, 0, 30);
      work->queued = MAX (0, work->queued);
      work->thread = (guint) between (rand, 0, world->n_threads);
      if (work->lane == 1)
        time = work->end + MAX (0, gap);
    }
}

static void
make_awaits (World *world, GRand *rand, guint thread)
{
  gint64 time = between (rand, 0, 40);

  while (world->n_works > 0 && world->n_awaits < MAX_ROWS && between (rand, 0, 5) > 0)
    {
      Await *await = &world->awaits[world->n_awaits];
      gint64 late = between (rand, -2, 10);

      await->thread = thread;
      await->work = (guint) between (rand, 1, world->n_works);
      await->start = time;
      await->end = MAX (time + 1, world->works[await->work].end + late);
      if (await->end > HORIZON)
        return;
      time = await->end + between (rand, 1, 20);
      world->n_awaits++;
    }
}

static World
make_world (GRand *rand)
{
  World world = { .n_threads = (guint) between (rand, 2, MAX_THREADS) };

  for (guint thread = 1; thread <= world.n_threads; thread++)
    {
      world.lives[thread].born = thread == 1 ? 0 : between (rand, 0, 60);
      world.lives[thread].died = thread == 1 ? HORIZON : between (rand, 70, HORIZON);
    }
  for (guint thread = 1; thread <= world.n_threads; thread++)
    make_waits (&world, rand, thread);
  make_works (&world, rand);
  for (guint thread = 1; thread <= world.n_threads; thread++)
    make_awaits (&world, rand, thread);
  return world;
}

static Sample *
write_world (const World *world)
{
  Sample *sample = sample_new ();

  for (guint thread = 2; thread <= world->n_threads; thread++)
    sample_thread (sample, 100 + thread, "other");
  for (guint thread = 1; thread <= world->n_threads; thread++)
    path_life (sample, thread, world->lives[thread].born, world->lives[thread].died);
  for (guint i = 0; i < world->n_waits; i++)
    {
      const Wait *wait = &world->waits[i];

      if (wait->has_wakeup)
        path_wait (sample, wait->thread, wait->start, wait->end, wait->reason, wait->waker,
                   wait->woken);
      else
        cpu_wait (sample->model, wait->thread, wait->start, (guint64) (wait->end - wait->start),
                  wait->reason, 0);
    }
  sample_lane (sample, "serial", "x", 0);
  sample_lane (sample, "parallel", "x", 0);
  sample_routine (sample, "work");
  for (guint i = 1; i <= world->n_works; i++)
    {
      const Work *work = &world->works[i];

      path_dispatch (sample, work->lane, 1, work->queued, work->start, work->end, work->thread, 0);
    }
  for (guint i = 0; i < world->n_awaits; i++)
    path_await (sample, world->awaits[i].thread, world->awaits[i].start, world->awaits[i].end,
                world->awaits[i].work, 0);
  return sample;
}

/* ---- Plainly ---- */

typedef struct
{
  char kind; /* first letter, but R for runnable */
  guint thread, work, behind;
} Tick;

typedef struct
{
  const World *world;
  gint64 time, begin, end;
  guint thread, work;
  int came_from; /* number of the await, or -1 */
  guint asked[64];
  guint n_asked;
} Plain;

static gboolean
is_watched (const Plain *self, guint thread)
{
  return thread >= 1 && thread <= self->world->n_threads &&
         self->world->lives[thread].born < self->time &&
         self->time <= self->world->lives[thread].died;
}

static gboolean
ask (Plain *self, guint thread, guint work)
{
  if (self->n_asked == 0)
    self->asked[self->n_asked++] = self->thread * 1000 + self->work;
  for (guint i = 0; i < self->n_asked; i++)
    if (self->asked[i] == thread * 1000 + work)
      return FALSE;
  self->asked[self->n_asked++] = thread * 1000 + work;
  return TRUE;
}

static gboolean
is_proof (const World *world, const Await *await)
{
  return await->start < world->works[await->work].end &&
         world->works[await->work].end <= await->end;
}

static void
fill (Plain *self, Tick *ticks, Tick tick, gint64 until)
{
  for (until = MAX (until, self->begin); self->time > until; self->time--)
    ticks[self->time] = tick;
  self->n_asked = 0;
}

/* What the range has of a lane, and what was waited for. */
static gboolean
is_there (const Plain *self, guint work, guint lane)
{
  const Work *asked = &self->world->works[work];

  for (guint i = 0; i < self->world->n_awaits; i++)
    if (self->world->awaits[i].work == work && asked->lane == lane)
      return TRUE;
  return asked->lane == lane && asked->queued < self->end && asked->end >= self->begin;
}

static gboolean
is_serial (const Plain *self, guint lane)
{
  const Work *works = self->world->works;

  for (guint a = 1; a <= self->world->n_works; a++)
    for (guint b = 1; b <= self->world->n_works; b++)
      if (a != b && is_there (self, a, lane) && is_there (self, b, lane) &&
          works[a].start < works[b].end && works[b].start < works[a].end)
        return FALSE;
  return TRUE;
}

static guint
find_before (const Plain *self, guint work, gint64 time)
{
  const Work *works = self->world->works;
  guint best = 0;

  if (!is_serial (self, works[work].lane))
    return 0;
  for (guint i = 1; i <= self->world->n_works; i++)
    if (i != work && is_there (self, i, works[work].lane) && works[i].end <= time &&
        (best == 0 || works[i].end > works[best].end))
      best = i;
  return best;
}

static void
step_work (Plain *self, Tick *ticks)
{
  const Work *work = &self->world->works[self->work];
  Tick tick = { .kind = 'd', .work = self->work };

  if (self->time > work->start)
    {
      fill (self, ticks, tick, self->time - 1);
      return;
    }
  if (self->time > work->queued)
    {
      guint before = find_before (self, self->work, self->time);

      tick.kind = 'q';
      tick.behind = before != 0 && self->world->works[before].end == self->time ? before : 0;
      if (tick.behind != 0)
        fill (self, ticks, tick, MAX (self->world->works[before].start, work->queued));
      else
        fill (self, ticks, tick, self->time - 1);
      return;
    }
  if (is_watched (self, work->thread) && ask (self, work->thread, 0))
    {
      self->thread = work->thread;
      self->work = 0;
      return;
    }
  g_assert_cmpint (self->came_from, >=, 0);
  self->thread = self->world->awaits[self->came_from].thread;
  if (self->world->awaits[self->came_from].start < self->time)
    fill (self, ticks, (Tick){ .kind = 'u', .thread = self->thread, .work = self->work },
          self->world->awaits[self->came_from].start);
  self->work = 0;
}

static const Wait *
find_wait (const Plain *self, guint thread, gint64 time)
{
  for (guint i = 0; i < self->world->n_waits; i++)
    if (self->world->waits[i].thread == thread && self->world->waits[i].start < time &&
        time <= self->world->waits[i].end)
      return &self->world->waits[i];
  return NULL;
}

/* What is known of the thread before: the last end of anything. */
static gint64
find_least (const Plain *self)
{
  gint64 least = self->begin;

  for (guint i = 0; i < self->world->n_awaits; i++)
    {
      const Await *await = &self->world->awaits[i];

      if (await->thread == self->thread && await->end < self->time && is_proof (self->world, await))
        least = MAX (least, await->end);
      else if (await->thread == self->thread && await->start < self->time &&
               is_proof (self->world, await))
        least = MAX (least, MIN (self->world->works[await->work].end, self->time));
    }
  return least;
}

static char
get_kind (const Wait *wait, gboolean is_told)
{
  switch (wait->reason)
    {
    case WEFT_WAIT_REASON_IO_READ:
      return 'i';
    case WEFT_WAIT_REASON_SLEEP:
      return 's';
    case WEFT_WAIT_REASON_UNKNOWN:
      return is_told ? 't' : 'u';
    default:
      return is_told ? 's' : 'u';
    }
}

static void
step_wait (Plain *self, Tick *ticks, const Wait *wait, gboolean is_within, guint work)
{
  gboolean is_told = wait->has_wakeup && wait->woken >= wait->start && wait->woken <= wait->end;
  gint64 least = MAX (find_least (self), wait->start);
  Tick tick = { .kind = 'p', .thread = self->thread };

  if (wait->reason == WEFT_WAIT_REASON_PREEMPTED)
    ;
  else if (is_told && wait->woken < self->time)
    tick.kind = 'R';
  else if (is_within)
    tick = (Tick){ 'c', self->thread, work, 0 };
  else if (is_told && wait->waker != 0)
    {
      if (wait->waker != self->thread && is_watched (self, wait->waker) &&
          ask (self, wait->waker, 0))
        {
          self->thread = wait->waker;
          return;
        }
      tick.kind = 'u';
      fill (self, ticks, tick, least);
      return;
    }
  else
    tick.kind = get_kind (wait, is_told);
  if (tick.kind == 'u')
    fill (self, ticks, tick, least);
  else
    fill (self, ticks, tick, self->time - 1);
}

/* Before its birth. */
static void
step_unborn (Plain *self, Tick *ticks)
{
  const Life *life = &self->world->lives[self->thread];
  const Wait *first = find_wait (self, self->thread, life->born + 1);
  gboolean is_told = first != NULL && first->has_wakeup && first->woken >= first->start &&
                     first->woken <= first->end && first->woken <= self->time && first->waker != 0;

  if (self->time > life->died)
    fill (self, ticks, (Tick){ .kind = 'u', .thread = self->thread },
          MAX (find_least (self), life->died));
  else if (is_told && is_watched (self, first->waker) && ask (self, first->waker, 0))
    self->thread = first->waker;
  else if (self->thread != 1 && is_watched (self, 1) && ask (self, 1, 0))
    self->thread = 1;
  else
    fill (self, ticks, (Tick){ .kind = 'u', .thread = self->thread }, find_least (self));
}

static void
step_thread (Plain *self, Tick *ticks)
{
  const Wait *wait = find_wait (self, self->thread, self->time);
  guint work = 0;

  for (guint i = 0; i < self->world->n_awaits; i++)
    {
      const Await *await = &self->world->awaits[i];

      if (await->thread != self->thread || self->time <= await->start || self->time > await->end ||
          !is_proof (self->world, await))
        continue;
      work = await->work;
      if (self->time > self->world->works[work].end)
        continue;
      self->came_from = (int) i;
      if (ask (self, 0, work))
        {
          self->thread = 0;
          self->work = work;
        }
      else
        fill (self, ticks, (Tick){ .kind = 'u', .thread = self->thread }, await->start);
      return;
    }
  if (wait != NULL)
    step_wait (self, ticks, wait, work != 0, work);
  else if (is_watched (self, self->thread))
    fill (self, ticks, (Tick){ .kind = 'r', .thread = self->thread }, self->time - 1);
  else if (work != 0)
    fill (self, ticks, (Tick){ .kind = 'c', .thread = self->thread, .work = work }, self->time - 1);
  else
    step_unborn (self, ticks);
}

static void
find_plainly (const World *world, gint64 begin, gint64 end, Tick *ticks)
{
  Plain self = {
    .world = world, .time = end, .begin = begin, .end = end, .thread = 1, .came_from = -1
  };

  while (self.time > begin)
    if (self.thread != 0)
      step_thread (&self, ticks);
    else
      step_work (&self, ticks);
}

/* ---- Beside each other ---- */

static char
letter_of (const char *kind)
{
  return strcmp (kind, "runnable") == 0 ? 'R' : strcmp (kind, "interrupt") == 0 ? 't' : *kind;
}

static guint64
number_of (WeftTable *table, const char *column, guint row)
{
  return weft_table_get_uint64 (table, (guint) weft_table_find_column (table, column), row);
}

static void
compare (const World *world, WeftTable *path, gint64 begin, gint64 end)
{
  Tick ticks[HORIZON + 1] = { { 0 } };
  gint64 time = begin;

  find_plainly (world, begin, end, ticks);
  for (guint row = 0; row < weft_table_get_n_rows (path); row++)
    {
      gint64 start = (gint64) number_of (path, "start", row);
      const char *kind =
          weft_table_get_string (path, (guint) weft_table_find_column (path, "kind"), row);

      g_assert_cmpint (start, ==, time);
      time += (gint64) number_of (path, "duration", row);
      g_assert_cmpint (time, >, start);
      for (gint64 tick = start + 1; tick <= time; tick++)
        {
          g_assert_cmpint (letter_of (kind), ==, ticks[tick].kind);
          g_assert_cmpuint (number_of (path, "thread", row), ==, ticks[tick].thread);
          if (*kind == 'd' || *kind == 'q' || *kind == 'c')
            g_assert_cmpuint (number_of (path, "dispatch", row), ==, ticks[tick].work);
          g_assert_cmpuint (number_of (path, "behind", row), ==, ticks[tick].behind);
        }
    }
  g_assert_cmpint (time, ==, end);
}

/* How long it would take: the sum of what the path would then be made of. */
static guint64
ask_what_if (Sample *sample, gint64 begin, gint64 end, const char *what_if)
{
  g_autoptr (WeftReport) report = path_ask (sample, "t-1", begin, end, NULL, what_if);
  WeftTable *parts = weft_report_get_table (report, "takes_over");
  guint64 forecast = path_number (report, "what_if", "forecast", 0);
  guint64 sum = 0, before = 0;

  for (guint row = 0; row < weft_table_get_n_rows (parts); row++)
    {
      sum += number_of (parts, "after", row);
      before += number_of (parts, "before", row);
    }
  g_assert_cmpuint (sum, ==, forecast);
  g_assert_cmpuint (before, ==, (guint64) (end - begin));
  return forecast;
}

static gboolean
has_target_work (const World *world, gint64 begin, gint64 end)
{
  for (guint i = 1; world->n_awaits > 0 && i <= world->n_works; i++)
    if (world->works[i].start < end && world->works[i].end > begin)
      return TRUE;
  return FALSE;
}

static void
test_random (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20261);

  for (guint round = 0; round < N_ROUNDS; round++)
    {
      World world = make_world (rand);
      g_autoptr (Sample) sample = write_world (&world);

      for (guint i = 0; i < 4; i++)
        {
          gint64 begin = i == 0 ? 0 : between (rand, 0, HORIZON / 2);
          gint64 end = i == 0 ? HORIZON : between (rand, begin + 1, HORIZON);
          g_autoptr (WeftReport) report = path_ask (sample, "t-1", begin, end, NULL, NULL);

          compare (&world, weft_report_get_main_table (report), begin, end);
        }
      if (has_target_work (&world, 0, HORIZON))
        {
          guint64 same = ask_what_if (sample, 0, HORIZON, "routine:work=1x");
          guint64 faster = ask_what_if (sample, 0, HORIZON, "routine:work=4x");
          guint64 slower = ask_what_if (sample, 0, HORIZON, "routine:work=0.5x");

          g_assert_cmpuint (same, ==, HORIZON);
          g_assert_cmpuint (faster, <=, same);
          g_assert_cmpuint (slower, >=, same);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/random-paths/random", test_random);
  return g_test_run ();
}
