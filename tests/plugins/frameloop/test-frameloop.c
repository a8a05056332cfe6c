/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The semantics of weft-frameloop.h, rule by rule: docs/frameloop-rules.md lists the rules, and
 * each test is named after the rule that it proves.
 */

#include <glib.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "game.h"

#define MS G_GUINT64_CONSTANT (1000000)
#define STEP (100 * MS)

/* ---- What is allocated (linked with --wrap) ---- */

static gint n_allocations;

void *__real_malloc (size_t size);
void *__real_calloc (size_t n, size_t size);
void *__real_realloc (void *block, size_t size);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t n, size_t size);
void *__wrap_realloc (void *block, size_t size);

void *
__wrap_malloc (size_t size)
{
  g_atomic_int_inc (&n_allocations);
  return __real_malloc (size);
}

void *
__wrap_calloc (size_t n, size_t size)
{
  g_atomic_int_inc (&n_allocations);
  return __real_calloc (n, size);
}

void *
__wrap_realloc (void *block, size_t size)
{
  g_atomic_int_inc (&n_allocations);
  return __real_realloc (block, size);
}

/* ---- A loop whose clock the test turns ---- */

typedef struct
{
  WeftFrameloop *loop;
  WeftFrameloopSystem *systems[4];
  guint64 now;
  guint64 tick;
  guint n_warnings;
  WeftFrameloopWarning warnings[64];
} Fixture;

static guint64
read_clock (void *data)
{
  return ((Fixture *) data)->now;
}

static void
take_warning (const WeftFrameloopWarning *warning, void *data)
{
  Fixture *self = data;

  g_assert_cmpuint (self->n_warnings, <, G_N_ELEMENTS (self->warnings));
  self->warnings[self->n_warnings++] = *warning;
}

static void
setup_with (Fixture *self, WeftFrameloopOptions options)
{
  static const char *const ids[] = { "physics", "ai", "rare", "render" };
  const WeftFrameloopListener listener = { .warning = take_warning, .data = self };

  memset (self, 0, sizeof *self);
  self->now = 1000 * MS;
  options.name = "test";
  options.configuration.clock = read_clock;
  options.configuration.clock_data = self;
  self->loop = weft_frameloop_new (&options, sizeof options);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    self->systems[i] = weft_frameloop_system_new (self->loop, ids[i]);
  g_assert_cmpuint (weft_frameloop_listen (self->loop, &listener, sizeof listener), ==, 1);
}

static void
setup (Fixture *self, gconstpointer data)
{
  setup_with (self, (WeftFrameloopOptions){ .enabled = WEFT_FRAMELOOP_ON });
}

static void
teardown (Fixture *self, gconstpointer data)
{
  weft_frameloop_free (self->loop);
}

static void
begin (Fixture *self)
{
  const WeftFrameloopTick tick = { .tick = ++self->tick };

  weft_frameloop_begin_tick (self->loop, &tick);
}

static void
end (Fixture *self)
{
  weft_frameloop_end_tick (self->loop, 0);
}

static void
run (Fixture *self, guint system, guint64 duration)
{
  weft_frameloop_begin_system (self->loop, self->systems[system]);
  self->now += duration;
  weft_frameloop_end_system (self->loop, self->systems[system], NULL);
}

/* A tick in which SYSTEM takes DURATION. */
static void
tick_of (Fixture *self, guint system, guint64 duration)
{
  begin (self);
  run (self, system, duration);
  end (self);
}

static void
ticks (Fixture *self, guint n)
{
  for (guint i = 0; i < n; i++)
    tick_of (self, 0, MS);
}

/* The newest entry; free RESULT. */
static const WeftFrameloopEntry *
newest (Fixture *self, WeftFrameloopResult **result)
{
  *result = weft_frameloop_read (self->loop, 0);
  g_assert_nonnull (*result);
  g_assert_cmpuint ((*result)->n_entries, >, 0);
  return &(*result)->entries[(*result)->n_entries - 1];
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFrameloopResult, weft_frameloop_result_free)

/* ---- The ring ---- */

static void
ring_default (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;

  ticks (self, 600);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->configuration.capacity, ==, 512);
  g_assert_cmpuint (result->n_entries, ==, 512);
  g_assert_cmpuint (result->entries[0].tick, ==, 89);
  g_assert_cmpuint (result->entries[511].tick, ==, 600);
}

static void
ring_capacity (Fixture *self, gconstpointer data)
{
  const WeftFrameloopConfiguration small = { .capacity = 5,
                                             .clock = read_clock,
                                             .clock_data = self };
  g_autoptr (WeftFrameloopResult) result = NULL;

  g_assert_true (weft_frameloop_enable (self->loop, &small, sizeof small));
  ticks (self, 12);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->configuration.capacity, ==, 5);
  g_assert_cmpuint (result->n_entries, ==, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpuint (result->entries[i].tick, ==, 8 + i);
}

static void
tick_number (Fixture *self, gconstpointer data)
{
  const guint64 numbers[] = { 7, 8, 4000000000, 3 };
  g_autoptr (WeftFrameloopResult) result = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      const WeftFrameloopTick tick = { .tick = numbers[i] };

      weft_frameloop_begin_tick (self->loop, &tick);
      weft_frameloop_end_tick (self->loop, 0);
    }
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->n_entries, ==, 4);
  for (guint i = 0; i < 4; i++)
    {
      g_assert_cmpuint (result->entries[i].tick, ==, numbers[i]);
      g_assert_cmpuint (result->entries[i].sequence, ==, i + 1);
    }
}

static void
step_budget (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;

  tick_of (self, 0, 250 * MS);
  weft_frameloop_set_step (self->loop, 20 * MS);
  tick_of (self, 0, MS);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->entries[0].step_budget, ==, STEP);
  g_assert_cmpuint (result->entries[1].step_budget, ==, 20 * MS);
  g_assert_cmpuint (result->step, ==, 20 * MS);
}

static void
host_frame (Fixture *self, gconstpointer data)
{
  const WeftFrameloopTick tick = { .tick = 1, .host_frame = 730 * MS };
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  weft_frameloop_begin_tick (self->loop, &tick);
  self->now += 3 * MS;
  weft_frameloop_end_tick (self->loop, 0);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->host_frame, ==, 730 * MS);
  g_assert_cmpuint (entry->step_budget, ==, STEP);
  g_assert_cmpuint (entry->duration, ==, 3 * MS);
  /* A long frame of the host is no slow tick. */
  g_assert_cmpuint (entry->warnings, ==, 0);
}

static void
times (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  self->now = 5000 * MS + 123;
  begin (self);
  self->now += 12345;
  end (self);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->started_at, ==, 5000 * MS + 123);
  g_assert_cmpuint (entry->duration, ==, 12345);
}

/* ---- Lag ---- */

/* As a loop with an accumulator does: a frame of 350 ms, three steps and a rest. */
static void
lag_of_each_step (Fixture *self, gconstpointer data)
{
  const guint64 before[] = { 250 * MS, 150 * MS, 50 * MS };
  const guint64 after[] = { 250 * MS, 150 * MS, 50 * MS };
  gint64 accumulator = 0;
  g_autoptr (WeftFrameloopResult) result = NULL;

  accumulator += 350 * MS;
  while (accumulator >= (gint64) STEP)
    {
      const WeftFrameloopTick tick = { .tick = ++self->tick,
                                       .host_frame = 350 * MS,
                                       .accumulator = accumulator };

      weft_frameloop_begin_tick (self->loop, &tick);
      accumulator -= STEP;
      weft_frameloop_end_tick (self->loop, accumulator);
    }
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->n_entries, ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (result->entries[i].lag_before, ==, before[i]);
      g_assert_cmpuint (result->entries[i].lag_after, ==, after[i]);
      g_assert_cmpuint (result->entries[i].host_frame, ==, 350 * MS);
    }
}

/* The backlog is that before steps are clamped: what is thrown away shows between the two. */
static void
lag_before_clamp (Fixture *self, gconstpointer data)
{
  const WeftFrameloopTick tick = { .tick = 1, .accumulator = 900 * MS };
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  weft_frameloop_begin_tick (self->loop, &tick);
  weft_frameloop_end_tick (self->loop, 50 * MS);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->lag_before, ==, 800 * MS);
  g_assert_cmpuint (entry->lag_after, ==, 50 * MS);
}

static void
lag_never_negative (Fixture *self, gconstpointer data)
{
  const WeftFrameloopTick tick = { .tick = 1, .accumulator = 30 * MS };
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  weft_frameloop_begin_tick (self->loop, &tick);
  weft_frameloop_end_tick (self->loop, -70 * (gint64) MS);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->lag_before, ==, 0);
  g_assert_cmpuint (entry->lag_after, ==, 0);
}

/* ---- The queue ---- */

static void
queue_pending (Fixture *self, gconstpointer data)
{
  const WeftFrameloopTick tick = { .tick = 1, .pending = 17 };
  g_autoptr (WeftFrameloopResult) result = NULL;

  weft_frameloop_begin_tick (self->loop, &tick);
  weft_frameloop_queue_drained (self->loop, 17);
  weft_frameloop_end_tick (self->loop, 0);
  g_assert_cmpuint (newest (self, &result)->queue.pending_before, ==, 17);
}

static void
queue_paths (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  /* Between ticks, too: it is the next tick's. */
  weft_frameloop_queue_accepted (self->loop, 3);
  begin (self);
  weft_frameloop_enqueue (self->loop);
  weft_frameloop_queue_rejected (self->loop, 2);
  weft_frameloop_queue_dropped (self->loop, 5);
  weft_frameloop_begin_command (self->loop, NULL, NULL);
  weft_frameloop_end_command (self->loop, NULL);
  weft_frameloop_queue_drained (self->loop, 6);
  end (self);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->queue.accepted, ==, 4);
  g_assert_cmpuint (entry->queue.rejected, ==, 2);
  g_assert_cmpuint (entry->queue.dropped, ==, 5);
  g_assert_cmpuint (entry->queue.drained, ==, 7);
}

static void
queue_deltas (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;

  for (guint i = 1; i <= 4; i++)
    {
      begin (self);
      weft_frameloop_queue_accepted (self->loop, i);
      weft_frameloop_queue_drained (self->loop, 10 * i);
      end (self);
    }
  result = weft_frameloop_read (self->loop, 0);
  for (guint i = 1; i <= 4; i++)
    {
      g_assert_cmpuint (result->entries[i - 1].queue.accepted, ==, i);
      g_assert_cmpuint (result->entries[i - 1].queue.drained, ==, 10 * i);
      g_assert_cmpuint (result->entries[i - 1].queue.dropped, ==, 0);
    }
}

static void
starve (Fixture *self, guint n, guint64 pending, guint64 drained)
{
  for (guint i = 0; i < n; i++)
    {
      const WeftFrameloopTick tick = { .tick = ++self->tick, .pending = pending };

      weft_frameloop_begin_tick (self->loop, &tick);
      weft_frameloop_queue_drained (self->loop, drained);
      weft_frameloop_end_tick (self->loop, 0);
    }
}

static void
queue_starvation (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;

  starve (self, 2, 4, 0);
  starve (self, 1, 4, 1);
  starve (self, 5, 9, 0);
  starve (self, 1, 9, 9);
  starve (self, 5, 0, 0);
  result = weft_frameloop_read (self->loop, 0);
  for (guint i = 0; i < result->n_entries; i++)
    g_assert_cmpuint (result->entries[i].warnings, ==,
                      i >= 5 && i <= 7 ? WEFT_FRAMELOOP_QUEUE_STARVATION : 0);
  /* Told once. */
  g_assert_cmpuint (self->n_warnings, ==, 1);
  g_assert_cmpint (self->warnings[0].kind, ==, WEFT_FRAMELOOP_QUEUE_STARVED);
  g_assert_cmpuint (self->warnings[0].tick, ==, 6);
  g_assert_cmpuint (self->warnings[0].value, ==, 9);
  g_assert_cmpuint (self->warnings[0].threshold, ==, 3);
}

/* ---- Phases ---- */

static void
phase (Fixture *self, const char *name, guint64 duration)
{
  weft_frameloop_begin_phase (self->loop, name);
  self->now += duration;
  weft_frameloop_end_phase (self->loop);
}

static void
assert_phase (const WeftFrameloopEntry *entry, guint number, const char *name, guint64 offset,
              guint64 duration)
{
  g_assert_cmpuint (number, <, entry->n_phases);
  g_assert_cmpstr (entry->phases[number].name, ==, name);
  g_assert_cmpuint (entry->phases[number].offset, ==, offset);
  g_assert_cmpuint (entry->phases[number].duration, ==, duration);
}

/* The whole of a tick: what tools know by these names. */
static void
whole_tick (Fixture *self)
{
  begin (self);
  phase (self, "commands", 2 * MS);
  self->now += MS;
  phase (self, "eventDispatchBeforeSystems", 3 * MS);
  run (self, 0, 4 * MS);
  phase (self, "eventDispatchAfterSystems", 5 * MS);
  run (self, 1, 6 * MS);
  phase (self, "eventDispatchAfterSystems", 7 * MS);
  phase (self, "publish", 8 * MS);
  end (self);
}

static void
phases_ordered (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  whole_tick (self);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->n_phases, ==, 7);
  assert_phase (entry, 0, "commands", 0, 2 * MS);
  assert_phase (entry, 1, "eventDispatchBeforeSystems", 3 * MS, 3 * MS);
  assert_phase (entry, 2, "system:physics", 6 * MS, 4 * MS);
  assert_phase (entry, 3, "eventDispatchAfterSystems", 10 * MS, 5 * MS);
  assert_phase (entry, 4, "system:ai", 15 * MS, 6 * MS);
  assert_phase (entry, 5, "eventDispatchAfterSystems", 21 * MS, 7 * MS);
  assert_phase (entry, 6, "publish", 28 * MS, 8 * MS);
  g_assert_cmpuint (entry->duration, ==, 36 * MS);
}

/* Dequeuing and running lie within one phase, and its counts are of the same tick. */
static void
phases_commands (Fixture *self, gconstpointer data)
{
  const WeftFrameloopTick tick = { .tick = 1, .pending = 3 };
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  weft_frameloop_begin_tick (self->loop, &tick);
  weft_frameloop_begin_phase (self->loop, "commands");
  for (guint i = 0; i < 3; i++)
    {
      weft_frameloop_begin_command (self->loop, NULL, NULL);
      self->now += 2 * MS;
      weft_frameloop_end_command (self->loop, NULL);
    }
  weft_frameloop_end_phase (self->loop);
  weft_frameloop_end_tick (self->loop, 0);
  entry = newest (self, &result);
  assert_phase (entry, 0, "commands", 0, 6 * MS);
  g_assert_cmpuint (entry->queue.pending_before, ==, 3);
  g_assert_cmpuint (entry->queue.drained, ==, 3);
}

/* Somebody who has the loop but does not run it, such as a transport. */
static void
publish (WeftFrameloop *loop, guint64 *now)
{
  WEFT_FRAMELOOP_PHASE (loop, "publish");
  *now += 9 * MS;
}

static void
phases_publish (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;

  begin (self);
  publish (self->loop, &self->now);
  end (self);
  /* And where there is no tick nothing is told. */
  publish (self->loop, &self->now);
  assert_phase (newest (self, &result), 0, "publish", 0, 9 * MS);
  g_assert_cmpuint (result->n_entries, ==, 1);
}

static void
phases_nest (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  begin (self);
  for (guint i = 0; i < 20; i++)
    weft_frameloop_begin_phase (self->loop, "deep");
  self->now += MS;
  for (guint i = 0; i < 20; i++)
    weft_frameloop_end_phase (self->loop);
  phase (self, "after", 2 * MS);
  /* One end too many. */
  weft_frameloop_end_phase (self->loop);
  end (self);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->n_phases, ==, 17);
  g_assert_cmpuint (entry->cut, ==, 4);
  assert_phase (entry, 15, "deep", 0, MS);
  assert_phase (entry, 16, "after", MS, 2 * MS);
}

static void
phases_without_room (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  begin (self);
  for (guint i = 0; i < 60; i++)
    run (self, 0, MS);
  end (self);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->n_phases, ==, 48);
  g_assert_cmpuint (entry->n_systems, ==, 48);
  g_assert_cmpuint (entry->cut, ==, 24);
  g_assert_cmpuint (entry->duration, ==, 60 * MS);
}

static void
phases_left_open (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  begin (self);
  weft_frameloop_begin_phase (self->loop, "commands");
  self->now += MS;
  weft_frameloop_begin_system (self->loop, self->systems[0]);
  self->now += 2 * MS;
  end (self);
  entry = newest (self, &result);
  assert_phase (entry, 0, "commands", 0, 3 * MS);
  assert_phase (entry, 1, "system:physics", MS, 2 * MS);
  g_assert_cmpuint (entry->systems[0].duration, ==, 2 * MS);

  /* A tick that nobody ended ends with the next. */
  begin (self);
  self->now += MS;
  tick_of (self, 1, MS);
  g_clear_pointer (&result, weft_frameloop_result_free);
  g_assert_cmpuint (newest (self, &result)->sequence, ==, 3);
}

static void
phases_added (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  g_assert_false (weft_frameloop_add_phase (self->loop, "flush", MS));
  begin (self);
  self->now += 10 * MS;
  g_assert_true (weft_frameloop_add_phase (self->loop, "flush", 4 * MS));
  self->now += MS;
  g_assert_true (weft_frameloop_add_phase (self->loop, "sync", 400 * MS));
  weft_frameloop_add_phase_between (self->loop, "given", self->now - 2 * MS, self->now - MS);
  end (self);
  entry = newest (self, &result);
  assert_phase (entry, 0, "flush", 6 * MS, 4 * MS);
  /* None begins before its tick. */
  assert_phase (entry, 1, "sync", 0, 11 * MS);
  assert_phase (entry, 2, "given", 9 * MS, MS);
}

/* ---- Systems ---- */

static void
systems_table (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  whole_tick (self);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->n_systems, ==, 2);
  g_assert_cmpstr (entry->systems[0].id, ==, "physics");
  g_assert_cmpuint (entry->systems[0].duration, ==, 4 * MS);
  g_assert_false (entry->systems[0].slow);
  g_assert_false (entry->systems[0].failed);
  g_assert_cmpstr (entry->systems[1].id, ==, "ai");
  g_assert_cmpuint (entry->systems[1].duration, ==, 6 * MS);
}

static void
systems_slow (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  begin (self);
  run (self, 0, 25 * MS);
  run (self, 1, 25 * MS + 1);
  end (self);
  entry = newest (self, &result);
  g_assert_false (entry->systems[0].slow);
  g_assert_true (entry->systems[1].slow);
  g_assert_cmpuint (entry->phases[0].flags, ==, 0);
  g_assert_cmpuint (entry->phases[1].flags, ==, WEFT_TARGET_PHASE_SLOW);
  g_assert_cmpuint (entry->warnings, ==, WEFT_FRAMELOOP_SYSTEM_SLOW);
}

static int
fail (void *data, WeftFrameloopError *error)
{
  *(guint64 *) data += 3 * MS;
  *error = (WeftFrameloopError){ "ScriptError", "no such unit: 12", "at run (game.lua:3)",
                                 "the map was reloaded" };
  return 42;
}

static int
succeed (void *data, WeftFrameloopError *error)
{
  *(guint64 *) data += MS;
  return 7;
}

/* The error is kept with the run, and handed on; the systems after it run. */
static void
systems_errors (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  begin (self);
  g_assert_cmpint (weft_frameloop_run_system (self->loop, self->systems[0], fail, &self->now), ==,
                   42);
  g_assert_cmpint (weft_frameloop_run_system (self->loop, self->systems[1], succeed, &self->now),
                   ==, 7);
  end (self);
  /* The same results where nobody looks. */
  g_assert_cmpint (weft_frameloop_run_system (self->loop, self->systems[0], fail, &self->now), ==,
                   42);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->warnings, ==, WEFT_FRAMELOOP_SYSTEM_FAILED);
  g_assert_true (entry->systems[0].failed);
  g_assert_cmpuint (entry->systems[0].duration, ==, 3 * MS);
  g_assert_cmpuint (entry->phases[0].flags, ==, WEFT_TARGET_PHASE_ERROR);
  g_assert_false (entry->systems[1].failed);
  g_assert_cmpuint (entry->systems[1].duration, ==, MS);
}

static void
error_texts (Fixture *self, gconstpointer data)
{
  char name[] = "IOError", message[] = "disk full";
  const WeftFrameloopError full = { name, message, "save.c:12", "quota" };
  const WeftFrameloopError plain = { name, message, NULL, NULL };
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  begin (self);
  weft_frameloop_begin_system (self->loop, self->systems[0]);
  weft_frameloop_end_system (self->loop, self->systems[0], &full);
  weft_frameloop_begin_system (self->loop, self->systems[1]);
  weft_frameloop_end_system (self->loop, self->systems[1], &plain);
  end (self);
  memset (name, 'x', sizeof name - 1);
  memset (message, 'x', sizeof message - 1);
  entry = newest (self, &result);
  g_assert_cmpstr (entry->systems[0].error.name, ==, "IOError");
  g_assert_cmpstr (entry->systems[0].error.message, ==, "disk full");
  g_assert_cmpstr (entry->systems[0].error.stack, ==, "save.c:12");
  g_assert_cmpstr (entry->systems[0].error.cause, ==, "quota");
  g_assert_cmpstr (entry->systems[1].error.message, ==, "disk full");
  g_assert_null (entry->systems[1].error.stack);
  g_assert_null (entry->systems[1].error.cause);
}

/* ---- Events ---- */

typedef struct
{
  WeftFrameloopPressure state;
  guint n_used;
  guint n_snapshots;
} Bus;

static guint64
bus_used (void *data)
{
  Bus *bus = data;

  bus->n_used++;
  return bus->state.used;
}

static void
bus_snapshot (void *data, WeftFrameloopPressure *pressure)
{
  Bus *bus = data;

  bus->n_snapshots++;
  *pressure = bus->state;
}

static void
add_bus (Fixture *self, const char *name, Bus *bus)
{
  const WeftFrameloopChannel channel = { name, 100, bus_used, bus_snapshot, bus };

  g_assert_true (weft_frameloop_add_channel (self->loop, &channel, sizeof channel));
}

static void
publish_events (Bus *bus, guint n)
{
  bus->state.used += n;
  bus->state.published += n;
}

static void
events_before_and_final (Fixture *self, gconstpointer data)
{
  Bus bus = { 0 };
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  add_bus (self, "game", &bus);
  publish_events (&bus, 5);
  begin (self);
  publish_events (&bus, 2);
  weft_frameloop_begin_system (self->loop, self->systems[0]);
  publish_events (&bus, 10);
  weft_frameloop_end_system (self->loop, self->systems[0], NULL);
  run (self, 1, MS);
  publish_events (&bus, 1);
  end (self);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->n_events, ==, 1);
  g_assert_cmpstr (entry->events[0].channel, ==, "game");
  g_assert_cmpuint (entry->events[0].capacity, ==, 100);
  g_assert_cmpuint (entry->events[0].before.published, ==, 7);
  g_assert_cmpuint (entry->events[0].final.published, ==, 18);
  g_assert_cmpuint (bus.n_snapshots, ==, 2);

  /* Of a tick without systems, both at its end. */
  begin (self);
  publish_events (&bus, 1);
  end (self);
  g_clear_pointer (&result, weft_frameloop_result_free);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->events[0].before.published, ==, 19);
  g_assert_cmpuint (entry->events[0].final.published, ==, 19);
}

static void
events_deltas (Fixture *self, gconstpointer data)
{
  Bus calm = { 0 }, busy = { 0 };
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  add_bus (self, "calm", &calm);
  add_bus (self, "busy", &busy);
  publish_events (&busy, 30);
  begin (self);
  weft_frameloop_begin_system (self->loop, self->systems[0]);
  publish_events (&busy, 44);
  publish_events (&calm, 74);
  weft_frameloop_end_system (self->loop, self->systems[0], NULL);
  weft_frameloop_begin_system (self->loop, self->systems[1]);
  publish_events (&busy, 1);
  busy.state.overflowed += 4;
  busy.state.soft_limited += 2;
  weft_frameloop_end_system (self->loop, self->systems[1], NULL);
  end (self);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->n_deltas, ==, 1);
  g_assert_cmpstr (entry->deltas[0].system, ==, "ai");
  g_assert_cmpstr (entry->deltas[0].channel, ==, "busy");
  g_assert_cmpuint (entry->deltas[0].used, ==, 75);
  g_assert_cmpint (entry->deltas[0].used_change, ==, 45);
  g_assert_cmpuint (entry->deltas[0].published, ==, 45);
  g_assert_cmpuint (entry->deltas[0].soft_limited, ==, 2);
  g_assert_cmpuint (entry->deltas[0].overflowed, ==, 4);
  g_assert_cmpuint (entry->warnings, ==, WEFT_FRAMELOOP_EVENT_PRESSURE);
  g_assert_cmpuint (calm.n_snapshots, ==, 2);
  g_assert_cmpuint (busy.n_snapshots, ==, 3);
}

static void
events_calm (Fixture *self, gconstpointer data)
{
  Bus bus = { 0 };

  add_bus (self, "game", &bus);
  publish_events (&bus, 60);
  for (guint i = 0; i < 10; i++)
    {
      begin (self);
      for (guint system = 0; system < 4; system++)
        run (self, system, MS);
      end (self);
    }
  g_assert_cmpuint (bus.n_used, ==, 40);
  g_assert_cmpuint (bus.n_snapshots, ==, 20);
}

/* ---- Warnings ---- */

static void
warning_flags (Fixture *self, gconstpointer data)
{
  const WeftFrameloopConfiguration rules = { .slow_tick_budget = 10 * MS,
                                             .slow_system_threshold = 4 * MS,
                                             .starved_ticks = 1,
                                             .clock = read_clock,
                                             .clock_data = self };
  const WeftFrameloopTick tick = { .tick = 1, .pending = 1 };
  g_autoptr (WeftFrameloopResult) result = NULL;

  weft_frameloop_enable (self->loop, &rules, sizeof rules);
  weft_frameloop_begin_tick (self->loop, &tick);
  run (self, 0, 11 * MS);
  weft_frameloop_end_tick (self->loop, 0);
  g_assert_cmpuint (newest (self, &result)->warnings, ==,
                    WEFT_FRAMELOOP_EXCEEDED_STEP_BUDGET | WEFT_FRAMELOOP_SYSTEM_SLOW |
                        WEFT_FRAMELOOP_QUEUE_STARVATION);
}

static void
warning_over_budget (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;

  begin (self);
  self->now += STEP;
  end (self);
  g_assert_cmpuint (self->n_warnings, ==, 0);
  begin (self);
  self->now += STEP + 1;
  end (self);
  g_assert_cmpuint (self->n_warnings, ==, 1);
  g_assert_cmpint (self->warnings[0].kind, ==, WEFT_FRAMELOOP_TICK_OVER_BUDGET);
  g_assert_cmpuint (self->warnings[0].tick, ==, 2);
  g_assert_cmpuint (self->warnings[0].value, ==, STEP + 1);
  g_assert_cmpuint (self->warnings[0].threshold, ==, STEP);
  g_assert_cmpuint (newest (self, &result)->warnings, ==, WEFT_FRAMELOOP_EXCEEDED_STEP_BUDGET);
}

static void
warning_system_slow (Fixture *self, gconstpointer data)
{
  tick_of (self, 0, 30 * MS);
  g_assert_cmpuint (self->n_warnings, ==, 0);
  tick_of (self, 0, 40 * MS);
  g_assert_cmpuint (self->n_warnings, ==, 1);
  g_assert_cmpint (self->warnings[0].kind, ==, WEFT_FRAMELOOP_SLOW_SYSTEM);
  g_assert_cmpstr (self->warnings[0].system, ==, "physics");
  g_assert_cmpuint (self->warnings[0].tick, ==, 2);
  g_assert_cmpuint (self->warnings[0].value, ==, 40 * MS);
  g_assert_cmpuint (self->warnings[0].threshold, ==, 25 * MS);
}

/* A system that runs each tenth tick only, slow each time, is found by its own runs. */
static void
warning_own_history (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 20; i++)
    {
      begin (self);
      run (self, 0, MS);
      if (i % 10 == 9)
        run (self, 2, 30 * MS);
      end (self);
    }
  g_assert_cmpuint (self->n_warnings, ==, 1);
  g_assert_cmpstr (self->warnings[0].system, ==, "rare");
  g_assert_cmpuint (self->warnings[0].tick, ==, 20);
  /* Another's slow runs are no help. */
  tick_of (self, 1, 30 * MS);
  g_assert_cmpuint (self->n_warnings, ==, 1);
}

/* What takes SLOW ticks of 30 ms of a pattern of letters: how many warnings come. */
static guint
warnings_of (Fixture *self, const char *pattern)
{
  guint before = self->n_warnings;

  for (guint i = 0; i < 3; i++)
    tick_of (self, 0, MS);
  for (const char *letter = pattern; *letter != '\0'; letter++)
    tick_of (self, 0, *letter == 's' ? 30 * MS : MS);
  return self->n_warnings - before;
}

static void
warning_dampened (Fixture *self, gconstpointer data)
{
  const WeftFrameloopConfiguration rules = {
    .slow_window = 5, .slow_count = 3, .clock = read_clock, .clock_data = self
  };

  g_assert_cmpuint (warnings_of (self, "s"), ==, 0);
  g_assert_cmpuint (warnings_of (self, "s..s"), ==, 0);
  g_assert_cmpuint (warnings_of (self, "s.s"), ==, 1);
  g_assert_cmpuint (warnings_of (self, "ss"), ==, 1);
  g_assert_cmpuint (warnings_of (self, "ss.."), ==, 1);
  g_assert_cmpuint (warnings_of (self, "sss"), ==, 2);
  weft_frameloop_enable (self->loop, &rules, sizeof rules);
  g_assert_cmpuint (warnings_of (self, "..ss"), ==, 0);
  g_assert_cmpuint (warnings_of (self, "..s.s.s"), ==, 1);
}

/* No ring, no recorder: the callback alone. */
static void
warning_without_viewer (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;

  weft_frameloop_disable (self->loop);
  tick_of (self, 0, STEP + 1);
  tick_of (self, 0, STEP + 1);
  g_assert_cmpuint (self->n_warnings, ==, 3);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_false (result->enabled);
  g_assert_cmpuint (result->n_entries, ==, 0);
}

/* ---- Allocations, branches ---- */

static void
pooled (Fixture *self, gconstpointer data)
{
  gint before;

  whole_tick (self);
  before = g_atomic_int_get (&n_allocations);
  for (guint i = 0; i < 2000; i++)
    whole_tick (self);
  g_assert_cmpint (g_atomic_int_get (&n_allocations), ==, before);
}

static void
disabled_is_free (void)
{
  const WeftFrameloopOptions options = { .name = "off", .enabled = WEFT_FRAMELOOP_OFF };
  WeftFrameloop *loop;
  WeftFrameloopSystem *system;
  gint before;

  g_assert_cmpint (sizeof (WeftFrameloopGate), ==, 40);
  loop = weft_frameloop_new (&options, sizeof options);
  system = weft_frameloop_system_new (loop, "physics");
  g_assert_false (weft_frameloop_active (loop));
  before = g_atomic_int_get (&n_allocations);
  for (guint i = 0; i < 1000; i++)
    {
      const WeftFrameloopTick tick = { .tick = i, .pending = 3 };

      weft_frameloop_begin_tick (loop, &tick);
      g_assert_false (weft_frameloop_in_tick (loop));
      weft_frameloop_enqueue (loop);
      weft_frameloop_begin_phase (loop, "commands");
      weft_frameloop_end_phase (loop);
      weft_frameloop_begin_system (loop, system);
      weft_frameloop_end_system (loop, system, NULL);
      weft_frameloop_end_tick (loop, 0);
    }
  g_assert_cmpint (g_atomic_int_get (&n_allocations), ==, before);
  /* Nothing was written either: the counts of the queue stand where they stood. */
  g_assert_cmpuint (((WeftFrameloopGate *) (void *) loop)->accepted, ==, 0);
  weft_frameloop_free (loop);
}

/* ---- Options, clock ---- */

static void
enabled_by_default (void)
{
  WeftFrameloop *loop = weft_frameloop_new (NULL, 0);
  g_autoptr (WeftFrameloopResult) result = weft_frameloop_read (loop, 0);
  const WeftFrameloopOptions off = { .enabled = WEFT_FRAMELOOP_OFF };
  const WeftFrameloopOptions on = { .enabled = WEFT_FRAMELOOP_ON };

#ifdef NDEBUG
  g_assert_false (result->enabled);
#else
  g_assert_true (result->enabled);
#endif
  weft_frameloop_free (loop);
  loop = weft_frameloop_new (&off, sizeof off);
  g_assert_false (weft_frameloop_active (loop));
  weft_frameloop_free (loop);
  loop = weft_frameloop_new (&on, sizeof on);
  g_assert_true (weft_frameloop_active (loop));
  weft_frameloop_free (loop);
}

static void
default_thresholds (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;

  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->step, ==, STEP);
  g_assert_cmpuint (result->configuration.slow_tick_budget, ==, STEP);
  g_assert_cmpuint (result->configuration.slow_system_threshold, ==, STEP / 4);
  weft_frameloop_set_step (self->loop, 40 * MS);
  g_clear_pointer (&result, weft_frameloop_result_free);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->configuration.slow_tick_budget, ==, 40 * MS);
  g_assert_cmpuint (result->configuration.slow_system_threshold, ==, 10 * MS);
}

static void
default_clock (void)
{
  const WeftFrameloopOptions options = { .enabled = WEFT_FRAMELOOP_ON };
  WeftFrameloop *loop = weft_frameloop_new (&options, sizeof options);
  const WeftFrameloopTick tick = { .tick = 1 };
  struct timespec before, after, pause = { 0, 3000000 };
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;
  guint64 first, last;

  clock_gettime (CLOCK_MONOTONIC, &before);
  weft_frameloop_begin_tick (loop, &tick);
  nanosleep (&pause, NULL);
  weft_frameloop_add_phase (loop, "added", 2 * MS);
  weft_frameloop_end_tick (loop, 0);
  clock_gettime (CLOCK_MONOTONIC, &after);
  result = weft_frameloop_read (loop, 0);
  entry = &result->entries[0];
  first = (guint64) before.tv_sec * 1000000000 + (guint64) before.tv_nsec;
  last = (guint64) after.tv_sec * 1000000000 + (guint64) after.tv_nsec;
  /* Of the same monotonic clock, in nanoseconds; a µs for the two calibrations. */
  g_assert_cmpuint (entry->started_at + 20000, >=, first);
  g_assert_cmpuint (entry->started_at + entry->duration, <=, last + 20000);
  g_assert_cmpuint (entry->duration, >=, 3 * MS - 20000);
  g_assert_cmpuint (entry->phases[0].duration, >=, 2 * MS - 20000);
  g_assert_cmpuint (entry->phases[0].duration, <=, 2 * MS + 20000);
  weft_frameloop_free (loop);
}

static void
other_clocks (void)
{
  if (g_test_subprocess ())
    {
      default_clock ();
      return;
    }
  /* Where the processor's counter is not to be used, and where there is no runtime. */
  g_setenv ("WEFT_TARGET_CLOCK", "monotonic", TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
  g_unsetenv ("WEFT_TARGET_CLOCK");
  g_setenv ("WEFT_TARGET_DISABLE", "1", TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
  g_unsetenv ("WEFT_TARGET_DISABLE");
}

/* All of a tick is measured by the clock that was given, to the nanosecond. */
static void
injected_clock (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;

  self->now = 77;
  begin (self);
  self->now += 5;
  run (self, 0, 11);
  end (self);
  entry = newest (self, &result);
  g_assert_cmpuint (entry->started_at, ==, 77);
  assert_phase (entry, 0, "system:physics", 5, 11);
  g_assert_cmpuint (entry->duration, ==, 16);
  g_assert_true (result->configuration.clock == read_clock);
}

/* ---- Reading ---- */

static void
read_deltas (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) all = NULL, more = NULL, none = NULL;

  ticks (self, 10);
  all = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (all->n_entries, ==, 10);
  ticks (self, 3);
  more = weft_frameloop_read (self->loop, all->head);
  g_assert_cmpuint (more->n_entries, ==, 3);
  g_assert_cmpuint (more->entries[0].tick, ==, 11);
  none = weft_frameloop_read (self->loop, more->head);
  g_assert_cmpuint (none->n_entries, ==, 0);
  g_assert_cmpuint (none->head, ==, 13);
}

static void
read_dropped (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;
  guint64 head;

  ticks (self, 500);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->head, ==, 500);
  g_assert_cmpuint (result->dropped, ==, 0);
  head = result->head;
  ticks (self, 600);
  g_clear_pointer (&result, weft_frameloop_result_free);
  result = weft_frameloop_read (self->loop, head);
  g_assert_cmpuint (result->head, ==, 1100);
  g_assert_cmpuint (result->dropped, ==, 88);
  g_assert_cmpuint (result->n_entries, ==, 512);
  g_assert_cmpuint (result->entries[0].sequence, ==, 589);
  /* The number of the newest never goes back. */
  weft_frameloop_enable (self->loop, NULL, 0);
  ticks (self, 1);
  g_clear_pointer (&result, weft_frameloop_result_free);
  result = weft_frameloop_read (self->loop, 1100);
  g_assert_cmpuint (result->head, ==, 1101);
  g_assert_cmpuint (result->n_entries, ==, 1);
  g_clear_pointer (&result, weft_frameloop_result_free);
  result = weft_frameloop_read (self->loop, G_MAXUINT64 - 1);
  g_assert_cmpuint (result->n_entries, ==, 0);
}

static void
read_configuration (Fixture *self, gconstpointer data)
{
  const WeftFrameloopConfiguration rules = { .capacity = 9,
                                             .slow_tick_budget = 7,
                                             .slow_system_threshold = 5,
                                             .slow_window = 99,
                                             .slow_count = 40,
                                             .pressure = 2,
                                             .clock = read_clock,
                                             .clock_data = self };
  g_autoptr (WeftFrameloopResult) result = NULL;

  weft_frameloop_enable (self->loop, &rules, sizeof rules);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->configuration.capacity, ==, 9);
  g_assert_cmpuint (result->configuration.slow_tick_budget, ==, 7);
  g_assert_cmpuint (result->configuration.slow_system_threshold, ==, 5);
  g_assert_cmpuint (result->configuration.slow_window, ==, 32);
  g_assert_cmpuint (result->configuration.slow_count, ==, 32);
  g_assert_cmpuint (result->configuration.starved_ticks, ==, 3);
  g_assert_cmpfloat (result->configuration.pressure, ==, 0.75);
  g_assert_cmpuint (result->configuration.max_phases, ==, 48);
}

/* What was read stays as it is, whatever the loop does, or if it is gone. */
static void
read_copies (void)
{
  const WeftFrameloopError error = { "E", "message", "stack", "cause" };
  g_autoptr (WeftFrameloopResult) result = NULL;
  Bus bus = { .state = { .used = 90 } };
  Fixture fixture;
  Fixture *self = &fixture;

  setup (self, NULL);
  add_bus (self, "game", &bus);
  begin (self);
  weft_frameloop_begin_system (self->loop, self->systems[0]);
  weft_frameloop_end_system (self->loop, self->systems[0], &error);
  end (self);
  result = weft_frameloop_read (self->loop, 0);
  ticks (self, 700);
  weft_frameloop_free (self->loop);
  g_assert_cmpuint (result->entries[0].tick, ==, 1);
  g_assert_cmpstr (result->entries[0].phases[0].name, ==, "system:physics");
  g_assert_cmpstr (result->entries[0].systems[0].id, ==, "physics");
  g_assert_cmpstr (result->entries[0].systems[0].error.cause, ==, "cause");
  g_assert_cmpstr (result->entries[0].events[0].channel, ==, "game");
  g_assert_cmpstr (result->entries[0].deltas[0].system, ==, "physics");
}

/* Entries hold figures and texts: nothing through which the loop could be reached. */
static void
read_plain (Fixture *self, gconstpointer data)
{
  WeftFrameloopResult *result;
  g_autofree char *copy = NULL;
  char text[2048];
  size_t length;

  whole_tick (self);
  result = weft_frameloop_read (self->loop, 0);
  length = weft_frameloop_format (&result->entries[0], text, sizeof text);
  copy = g_strndup (text, length);
  /* Handed to another thread, and read there while the loop runs on. */
  ticks (self, 600);
  weft_frameloop_format (&result->entries[0], text, sizeof text);
  g_assert_cmpstr (text, ==, copy);
  weft_frameloop_result_free (result);
}

typedef struct
{
  WeftFrameloop *loop;
  gint stop;
  guint64 n_entries;
  guint64 n_dropped;
  guint64 head;
} Reader;

static gpointer
follow (gpointer data)
{
  Reader *reader = data;
  gboolean last;

  do
    {
      WeftFrameloopResult *result;

      last = g_atomic_int_get (&reader->stop);
      result = weft_frameloop_read (reader->loop, reader->head);
      for (size_t i = 0; i < result->n_entries; i++)
        {
          g_assert_cmpuint (result->entries[i].tick, ==, result->entries[i].sequence);
          g_assert_cmpuint (result->entries[i].n_phases, ==, 2);
          g_assert_cmpuint (result->entries[i].queue.accepted, ==, result->entries[i].tick % 7);
        }
      reader->n_entries += result->n_entries;
      reader->n_dropped += result->dropped;
      reader->head = result->head;
      weft_frameloop_result_free (result);
    }
  while (!last);
  return NULL;
}

/* By a thread that stores the last head: each entry comes once, or is counted as dropped. */
static void
read_while_running (void)
{
  WeftFrameloopOptions options = { .enabled = WEFT_FRAMELOOP_ON, .configuration.capacity = 8 };
  WeftFrameloop *loop = weft_frameloop_new (&options, sizeof options);
  WeftFrameloopSystem *system = weft_frameloop_system_new (loop, "physics");
  Reader reader = { .loop = loop };
  GThread *thread = g_thread_new ("reader", follow, &reader);

  for (guint i = 1; i <= 20000; i++)
    {
      const WeftFrameloopTick tick = { .tick = i };

      weft_frameloop_begin_tick (loop, &tick);
      weft_frameloop_queue_accepted (loop, i % 7);
      weft_frameloop_begin_phase (loop, "commands");
      weft_frameloop_end_phase (loop);
      weft_frameloop_begin_system (loop, system);
      weft_frameloop_end_system (loop, system, NULL);
      weft_frameloop_end_tick (loop, 0);
    }
  g_atomic_int_set (&reader.stop, 1);
  g_thread_join (thread);
  g_assert_cmpuint (reader.head, ==, 20000);
  g_assert_cmpuint (reader.n_entries + reader.n_dropped, ==, 20000);
  weft_frameloop_free (loop);
}

/* ---- On and off at run time ---- */

static void
baseline (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;

  weft_frameloop_disable (self->loop);
  ticks (self, 5);
  weft_frameloop_enable (self->loop, NULL, 0);
  result = weft_frameloop_read (self->loop, 0);
  /* At once, before any tick: the configuration, and where to go on. */
  g_assert_true (result->enabled);
  g_assert_cmpuint (result->n_entries, ==, 0);
  g_assert_cmpuint (result->head, ==, 0);
  g_assert_cmpuint (result->configuration.capacity, ==, 512);
}

static void
only_while_on (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftFrameloopResult) result = NULL;

  ticks (self, 2);
  weft_frameloop_disable (self->loop);
  ticks (self, 4);
  result = weft_frameloop_read (self->loop, 2);
  g_assert_false (result->enabled);
  g_assert_cmpuint (result->n_entries, ==, 0);
  g_assert_cmpuint (result->head, ==, 2);
  weft_frameloop_enable (self->loop, NULL, 0);
  ticks (self, 1);
  g_clear_pointer (&result, weft_frameloop_result_free);
  result = weft_frameloop_read (self->loop, 2);
  g_assert_cmpuint (result->n_entries, ==, 1);
  g_assert_cmpuint (result->entries[0].tick, ==, 7);
}

/* Ticks that are under way end as they began. */
static void
switched_in_a_tick (Fixture *self, gconstpointer data)
{
  const WeftFrameloopConfiguration small = {
    .capacity = 2, .max_phases = 1, .clock = read_clock, .clock_data = self
  };
  g_autoptr (WeftFrameloopResult) result = NULL;

  begin (self);
  weft_frameloop_disable (self->loop);
  run (self, 0, MS);
  run (self, 1, MS);
  end (self);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->n_entries, ==, 1);
  g_assert_cmpuint (result->entries[0].n_systems, ==, 2);

  begin (self);
  weft_frameloop_enable (self->loop, &small, sizeof small);
  run (self, 0, MS);
  end (self);
  g_clear_pointer (&result, weft_frameloop_result_free);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->n_entries, ==, 0);
  begin (self);
  weft_frameloop_enable (self->loop, NULL, 0);
  run (self, 0, MS);
  run (self, 1, MS);
  end (self);
  ticks (self, 1);
  g_clear_pointer (&result, weft_frameloop_result_free);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->n_entries, ==, 1);
  g_assert_cmpuint (result->entries[0].tick, ==, 4);
}

/* ---- Two runs are alike ---- */

static void
replay (void)
{
  g_autofree char *first = game_play (&(Game){ .frames = 60, .seed = 5, .scripted_clock = true });
  g_autofree char *second = game_play (&(Game){ .frames = 60, .seed = 5, .scripted_clock = true });
  g_autofree char *other = game_play (&(Game){ .frames = 60, .seed = 6, .scripted_clock = true });

  g_assert_cmpuint (strlen (first), >, 5000);
  g_assert_cmpstr (first, ==, second);
  g_assert_cmpstr (first, !=, other);
}

/* The game's state at the end is the same, whoever looks on. */
static void
nothing_is_changed (void)
{
  Game off = { .frames = 60, .seed = 5, .scripted_clock = true, .off = true };
  Game on = { .frames = 60, .seed = 5, .scripted_clock = true };
  g_autofree char *nothing = game_play (&off);
  g_autofree char *something = game_play (&on);

  g_assert_cmpstr (nothing, ==, "");
  g_assert_cmpstr (something, !=, "");
  g_assert_cmpuint (off.checksum, ==, on.checksum);
  g_assert_cmpuint (off.steps, ==, on.steps);
  g_assert_cmpuint (off.errors, ==, on.errors);
  g_assert_cmpuint (off.errors, >, 0);
}

/* What the loop does not run in, such as a pause of the host, is seen between frame and ticks. */
static void
stalls (Fixture *self, gconstpointer data)
{
  const WeftFrameloopTick first = { .tick = 1, .host_frame = 100 * MS };
  const WeftFrameloopTick second = { .tick = 2, .host_frame = 480 * MS };
  g_autoptr (WeftFrameloopResult) result = NULL;

  weft_frameloop_begin_tick (self->loop, &first);
  self->now += 4 * MS;
  weft_frameloop_end_tick (self->loop, 0);
  self->now += 476 * MS;
  weft_frameloop_begin_tick (self->loop, &second);
  self->now += 4 * MS;
  weft_frameloop_end_tick (self->loop, 0);
  result = weft_frameloop_read (self->loop, 0);
  g_assert_cmpuint (result->entries[1].host_frame, ==, 480 * MS);
  g_assert_cmpuint (result->entries[1].started_at - result->entries[0].started_at, ==, 480 * MS);
  g_assert_cmpuint (result->entries[1].duration, ==, 4 * MS);
}

/* ---- A game ---- */

/* Its own books against the entries, of all frames and steps. */
static void
game_conserves (void)
{
  Game game = { .frames = 400, .seed = 11, .scripted_clock = true, .capacity = 4096 };
  g_autofree char *text = game_play (&game);

  g_assert_cmpuint (game.n_entries, ==, game.steps);
  g_assert_cmpuint (game.catch_up_steps, >, 20);
  g_assert_cmpuint (game.skipped, >, 0);
  g_assert_cmpuint (game.entry_missed, ==, game.skipped);
  g_assert_cmpuint (game.entry_queue.accepted, ==, game.queue.accepted);
  g_assert_cmpuint (game.entry_queue.rejected, ==, game.queue.rejected);
  g_assert_cmpuint (game.entry_queue.dropped, ==, game.queue.dropped);
  g_assert_cmpuint (game.entry_queue.drained, ==, game.queue.drained);
  g_assert_cmpuint (game.queue.rejected, >, 0);
  g_assert_cmpuint (game.queue.dropped, >, 0);
  g_assert_cmpuint (game.queue.accepted, ==,
                    game.queue.drained + game.queue.dropped + game.queue_left);
  g_assert_cmpuint (game.entry_errors, ==, game.errors);
  g_assert_cmpuint (game.n_lag_wrong, ==, 0);
  g_assert_cmpuint (game.entry_spikes, ==, game.spikes);
  g_assert_cmpuint (game.spikes, >, 0);
}

/* ---- Texts ---- */

static void
console (Fixture *self, gconstpointer data)
{
  const WeftFrameloopError error = { "ScriptError", "no such unit", NULL, "reload" };
  const WeftFrameloopTick tick = {
    .tick = 42, .host_frame = 350 * MS, .accumulator = 350 * MS, .pending = 3
  };
  Bus bus = { .state = { .used = 90, .published = 90 } };
  g_autoptr (WeftFrameloopResult) result = NULL;
  const WeftFrameloopEntry *entry;
  char text[2048], small[16];
  size_t length;

  add_bus (self, "game", &bus);
  weft_frameloop_begin_tick (self->loop, &tick);
  phase (self, "commands", 2 * MS);
  weft_frameloop_queue_drained (self->loop, 3);
  run (self, 0, 120 * MS);
  weft_frameloop_begin_system (self->loop, self->systems[1]);
  weft_frameloop_end_system (self->loop, self->systems[1], &error);
  weft_frameloop_end_tick (self->loop, 250 * MS);
  entry = newest (self, &result);
  length = weft_frameloop_format (entry, text, sizeof text);
  g_assert_cmpstr (text, ==,
                   "tick 42: 122.000 ms of 100.000, frame 350.000 ms, lag 250.000 → 250.000 ms "
                   "[over budget] [system slow] [system failed] [event pressure]\n"
                   "  queue: 3 pending, 3 drained, 0 accepted, 0 dropped, 0 rejected\n"
                   "       0.000 ms      2.000 ms  commands\n"
                   "       2.000 ms    120.000 ms  system:physics  slow\n"
                   "     122.000 ms      0.000 ms  system:ai\n"
                   "  system ai failed: ScriptError: no such unit (because of reload)\n"
                   "  events game: 90 of 100 used, 0 published, 0 overflowed\n"
                   "  after physics: game +0, 90 of it used\n"
                   "  after ai: game +0, 90 of it used\n");
  g_assert_cmpuint (length, ==, strlen (text));
  g_assert_cmpuint (weft_frameloop_format (entry, small, sizeof small), ==, length);
  g_assert_cmpstr (small, ==, "tick 42: 122.00");
  g_assert_cmpuint (weft_frameloop_format (entry, NULL, 0), ==, length);
}

static char *
write_counters (WeftFrameloopCounters *counters)
{
  size_t length = weft_frameloop_counters_write (counters, NULL, 0);
  char *text = g_malloc (length + 1);

  g_assert_cmpuint (weft_frameloop_counters_write (counters, text, length + 1), ==, length);
  return text;
}

static void
assert_line (const char *text, const char *line)
{
  g_autofree char *whole = g_strconcat ("\n", line, "\n", NULL);

  if (strstr (text, whole) == NULL)
    g_error ("“%s” is not in\n%s", line, text);
}

static void
prometheus (Fixture *self, gconstpointer data)
{
  WeftFrameloopCounters *counters;
  g_autofree char *text = NULL;

  /* Before it is asked for, nothing is counted. */
  tick_of (self, 0, STEP + 1);
  counters = weft_frameloop_counters_new (self->loop);
  g_assert_nonnull (counters);
  tick_of (self, 0, STEP + 1);
  tick_of (self, 0, STEP + 1);
  weft_frameloop_queue_rejected (self->loop, 4);
  ticks (self, 3);
  text = write_counters (counters);
  g_assert_true (g_str_has_prefix (text, "# HELP runtime_ticks_total Ticks that were run.\n"
                                         "# TYPE runtime_ticks_total counter\n"));
  assert_line (text, "runtime_ticks_total{loop=\"test\"} 5");
  assert_line (text, "# TYPE runtime_ticks_over_budget_total counter");
  assert_line (text, "runtime_ticks_over_budget_total{loop=\"test\"} 2");
  assert_line (text, "# TYPE runtime_system_slow_total counter");
  assert_line (text, "runtime_system_slow_total{loop=\"test\"} 2");
  assert_line (text, "runtime_commands_rejected_total{loop=\"test\"} 4");
  weft_frameloop_counters_free (counters);
  tick_of (self, 0, MS);
}

static void
prometheus_labels (void)
{
  const WeftFrameloopOptions options = { .name = "a\"b\\c\nd", .step = 100 };
  WeftFrameloop *loop = weft_frameloop_new (&options, sizeof options);
  WeftFrameloopSystem *known = weft_frameloop_system_new (loop, "physics");
  WeftFrameloopSystem *other = weft_frameloop_system_new (loop, "ai");
  WeftFrameloopCounters *counters = weft_frameloop_counters_new (loop);
  const struct timespec pause = { 0, 100000 };
  g_autofree char *text = NULL;

  g_assert_true (weft_frameloop_counters_add_system (counters, "physics"));
  for (guint i = 0; i < 5; i++)
    {
      const WeftFrameloopTick tick = { .tick = i };

      weft_frameloop_begin_tick (loop, &tick);
      weft_frameloop_begin_system (loop, known);
      nanosleep (&pause, NULL);
      weft_frameloop_end_system (loop, known, NULL);
      weft_frameloop_begin_system (loop, other);
      nanosleep (&pause, NULL);
      weft_frameloop_end_system (loop, other, NULL);
      weft_frameloop_end_tick (loop, 0);
    }
  text = write_counters (counters);
  /* Each was warned of from its second run on; only the one that was added has a label. */
  assert_line (text, "runtime_system_slow_total{loop=\"a\\\"b\\\\c\\nd\"} 4");
  assert_line (text, "runtime_system_slow_total{loop=\"a\\\"b\\\\c\\nd\",system=\"physics\"} 4");
  g_assert_null (strstr (text, "\"ai\""));
  for (guint i = 1; i < 64; i++)
    g_assert_true (weft_frameloop_counters_add_system (counters, "one of many"));
  g_assert_false (weft_frameloop_counters_add_system (counters, "one too many"));
  weft_frameloop_counters_free (counters);
  weft_frameloop_free (loop);
}

/* ---- For the library's listeners, as for a recorder ---- */

typedef struct
{
  guint n_ticks;
  guint n_systems;
  guint n_commands;
  guint64 number;
  guint n_phases;
  guint64 drained;
  guint64 waited;
  int32_t thread;
} Heard;

static int
hear (const WeftTargetEvent *event, void *data)
{
  const WeftTargetDispatch *dispatch = event->data.dispatch;
  Heard *heard = data;

  if (event->kind != WEFT_TARGET_EVENT_DISPATCH)
    return 0;
  if (g_str_has_prefix (dispatch->routine->name, "system:"))
    heard->n_systems++;
  else if (strcmp (dispatch->routine->name, "tick") == 0)
    {
      heard->n_ticks++;
      heard->number = dispatch->tags[0].value.u64;
      heard->n_phases = (guint) dispatch->n_phases;
      heard->drained = dispatch->samples[0].values[5].value.u64;
    }
  else
    {
      heard->n_commands++;
      heard->waited = dispatch->queue_wait;
      heard->thread = dispatch->origins[0].origin.tid;
    }
  return 0;
}

/* Commands are told one by one, inside their tick, with who queued them. */
static void
commands_told (Fixture *self, gconstpointer data)
{
  static WeftTargetRoutine move = WEFT_TARGET_ROUTINE ("move unit");
  Heard heard = { 0 };
  guint32 number = weft_target_listen (WEFT_TARGET_EVENT_DISPATCH, hear, &heard);
  const struct timespec pause = { 0, 1000000 };
  WeftFrameloopTicket ticket = weft_frameloop_enqueue (self->loop);

  nanosleep (&pause, NULL);
  begin (self);
  weft_frameloop_begin_command (self->loop, &move, &ticket);
  weft_frameloop_end_command (self->loop, NULL);
  run (self, 0, MS);
  end (self);
  weft_target_unlisten (number);
  g_assert_cmpuint (heard.n_commands, ==, 1);
  g_assert_cmpuint (heard.n_systems, ==, 1);
  g_assert_cmpuint (heard.n_ticks, ==, 1);
  g_assert_cmpuint (heard.number, ==, 1);
  g_assert_cmpuint (heard.n_phases, ==, 1);
  g_assert_cmpuint (heard.drained, ==, 1);
  g_assert_cmpuint (heard.waited, >=, MS);
  g_assert_cmpint (heard.thread, !=, 0);
}

static void
nothing_told_when_off (Fixture *self, gconstpointer data)
{
  Heard heard = { 0 };
  guint32 number;

  ticks (self, 3);
  number = weft_target_listen (WEFT_TARGET_EVENT_DISPATCH, hear, &heard);
  ticks (self, 2);
  weft_target_unlisten (number);
  ticks (self, 3);
  g_assert_cmpuint (heard.n_ticks, ==, 2);
}

/* ---- Misuse ---- */

static void
misuse (Fixture *self, gconstpointer data)
{
  const WeftFrameloopListener nothing = { 0 };
  const WeftFrameloopListener listener = { .warning = take_warning, .data = self };
  const WeftFrameloopChannel channel = { .name = "no functions" };
  Bus bus = { 0 };

  g_assert_null (weft_frameloop_system_new (self->loop, NULL));
  weft_frameloop_begin_system (self->loop, NULL);
  weft_frameloop_end_system (self->loop, NULL, NULL);
  g_assert_false (weft_frameloop_add_channel (self->loop, &channel, sizeof channel));
  for (guint i = 0; i < 16; i++)
    add_bus (self, "many", &bus);
  g_assert_false (weft_frameloop_add_channel (
      self->loop, &(WeftFrameloopChannel){ "one more", 1, bus_used, bus_snapshot, &bus },
      sizeof channel));
  g_assert_cmpuint (weft_frameloop_listen (self->loop, &nothing, sizeof nothing), ==, 0);
  for (guint i = 1; i < 8; i++)
    g_assert_cmpuint (weft_frameloop_listen (self->loop, &listener, sizeof listener), ==, i + 1);
  g_assert_cmpuint (weft_frameloop_listen (self->loop, &listener, sizeof listener), ==, 0);
  g_assert_null (weft_frameloop_counters_new (self->loop));
  weft_frameloop_unlisten (self->loop, 99);
  weft_frameloop_end_tick (self->loop, 0);
  begin (self);
  weft_frameloop_end_system (self->loop, self->systems[3], NULL);
  errno = EINTR;
  end (self);
  g_assert_cmpint (errno, ==, EINTR);
  weft_frameloop_result_free (NULL);
  weft_frameloop_counters_free (NULL);
}

typedef void (*Test) (Fixture *self, gconstpointer data);

static const struct
{
  const char *path;
  Test test;
} tests[] = {
  { "/frameloop/F-1/ring-of-512", ring_default },
  { "/frameloop/F-2/capacity", ring_capacity },
  { "/frameloop/F-3/tick-number", tick_number },
  { "/frameloop/F-4/step-budget", step_budget },
  { "/frameloop/F-5/host-frame", host_frame },
  { "/frameloop/F-6/times", times },
  { "/frameloop/F-7/lag-of-each-step", lag_of_each_step },
  { "/frameloop/F-8/lag-before-clamp", lag_before_clamp },
  { "/frameloop/F-9/lag-never-negative", lag_never_negative },
  { "/frameloop/F-10/queue-pending", queue_pending },
  { "/frameloop/F-11/queue-paths", queue_paths },
  { "/frameloop/F-12/queue-deltas", queue_deltas },
  { "/frameloop/F-13/phases-ordered", phases_ordered },
  { "/frameloop/F-14/commands-phase", phases_commands },
  { "/frameloop/F-15/publish-phase", phases_publish },
  { "/frameloop/F-16/left-open", phases_left_open },
  { "/frameloop/F-17/added-phases", phases_added },
  { "/frameloop/F-18/systems-table", systems_table },
  { "/frameloop/F-19/systems-slow", systems_slow },
  { "/frameloop/F-20/errors-passed-on", systems_errors },
  { "/frameloop/F-21/error-texts", error_texts },
  { "/frameloop/F-22/events-before-and-final", events_before_and_final },
  { "/frameloop/F-23/events-deltas", events_deltas },
  { "/frameloop/F-24/events-calm", events_calm },
  { "/frameloop/F-25/warning-flags", warning_flags },
  { "/frameloop/F-26/over-budget", warning_over_budget },
  { "/frameloop/F-27/system-slow", warning_system_slow },
  { "/frameloop/F-28/own-history", warning_own_history },
  { "/frameloop/F-29/dampened", warning_dampened },
  { "/frameloop/F-30/queue-starvation", queue_starvation },
  { "/frameloop/F-31/without-viewer", warning_without_viewer },
  { "/frameloop/F-32/pooled", pooled },
  { "/frameloop/F-35/default-thresholds", default_thresholds },
  { "/frameloop/F-38/injected-clock", injected_clock },
  { "/frameloop/F-39/deltas", read_deltas },
  { "/frameloop/F-40/dropped", read_dropped },
  { "/frameloop/F-41/configuration", read_configuration },
  { "/frameloop/F-43/plain", read_plain },
  { "/frameloop/F-45/baseline", baseline },
  { "/frameloop/F-46/only-while-on", only_while_on },
  { "/frameloop/F-47/switched-in-a-tick", switched_in_a_tick },
  { "/frameloop/F-50/console", console },
  { "/frameloop/F-51/prometheus", prometheus },
  { "/frameloop/F-53/commands-told", commands_told },
  { "/frameloop/F-54/nothing-told-when-off", nothing_told_when_off },
  { "/frameloop/F-55/stalls", stalls },
  { "/frameloop/depth", phases_nest },
  { "/frameloop/without-room", phases_without_room },
  { "/frameloop/misuse", misuse },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, setup, tests[i].test, teardown);
  g_test_add_func ("/frameloop/F-33/disabled-is-free", disabled_is_free);
  g_test_add_func ("/frameloop/F-34/enabled-by-default", enabled_by_default);
  g_test_add_func ("/frameloop/F-36/default-clock", default_clock);
  g_test_add_func ("/frameloop/F-37/other-clocks", other_clocks);
  g_test_add_func ("/frameloop/F-42/copies", read_copies);
  g_test_add_func ("/frameloop/F-44/read-while-running", read_while_running);
  g_test_add_func ("/frameloop/F-48/replay", replay);
  g_test_add_func ("/frameloop/F-49/nothing-is-changed", nothing_is_changed);
  g_test_add_func ("/frameloop/F-52/labels", prometheus_labels);
  g_test_add_func ("/frameloop/F-56/conservation", game_conserves);
  return g_test_run ();
}
