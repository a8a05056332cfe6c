/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define WEFT_FRAMELOOP_IMPLEMENTATION
#include "game.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS 1000000
#define STEP (5 * MS)
#define MAX_STEPS 5
#define N_UNITS 64
#define QUEUE_SIZE 24
#define N_SYSTEMS 8
#define MAX_TICKS 16384

typedef struct Play Play;

typedef struct
{
  int unit;
  int dx;
  WeftFrameloopTicket ticket;
} Command;

typedef struct
{
  uint64_t capacity;
  WeftFrameloopPressure state;
} Channel;

typedef struct
{
  const char *id;
  int (*run) (Play *play, WeftFrameloopError *error);
  unsigned every; /* steps */
  WeftFrameloopSystem *system;
} System;

struct Play
{
  Game *game;
  WeftFrameloop *loop;
  uint64_t now; /* scripted */
  uint64_t random;
  int64_t accumulator;
  uint64_t host_frame;
  uint64_t missed;
  int x[N_UNITS], speed[N_UNITS], gold[N_UNITS];
  pthread_mutex_t mutex; /* of the queue */
  Command queue[QUEUE_SIZE];
  unsigned first, length;
  Channel combat, ui;
  System systems[N_SYSTEMS];
  uint64_t *lags; /* before and after, of each tick */
  uint64_t head;
  char *text;
  size_t text_length;
  pthread_t network;
  sem_t wanted, done;
  unsigned wanted_commands;
  bool over;
};

/* ---- Time and chance ---- */

static uint64_t
monotonic (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static uint64_t
scripted_now (void *data)
{
  return ((Play *) data)->now;
}

/* Work of so long. */
static void
spend (Play *play, uint64_t duration)
{
  uint64_t until;

  if (play->game->scripted_clock)
    {
      play->now += duration;
      return;
    }
  for (until = monotonic () + duration; monotonic () < until;)
    ;
}

static unsigned
roll (Play *play, unsigned sides)
{
  play->random = play->random * 6364136223846793005u + 1442695040888963407u;
  return (unsigned) (play->random >> 33) % sides;
}

/* ---- Commands ---- */

/* Players' moves push the oldest out; what the network sends is turned away when there is no room.
 */
static void
put_command (Play *play, bool pushes)
{
  Command command = { .unit = (int) roll (play, N_UNITS), .dx = (int) roll (play, 7) - 3 };

  pthread_mutex_lock (&play->mutex);
  if (play->length == QUEUE_SIZE && !pushes)
    {
      play->game->queue.rejected++;
      weft_frameloop_queue_rejected (play->loop, 1);
    }
  else
    {
      if (play->length == QUEUE_SIZE)
        {
          play->first = (play->first + 1) % QUEUE_SIZE;
          play->length--;
          play->game->queue.dropped++;
          weft_frameloop_queue_dropped (play->loop, 1);
        }
      command.ticket = weft_frameloop_enqueue (play->loop);
      play->queue[(play->first + play->length++) % QUEUE_SIZE] = command;
      play->game->queue.accepted++;
    }
  pthread_mutex_unlock (&play->mutex);
}

static bool
take_command (Play *play, Command *command)
{
  bool found;

  pthread_mutex_lock (&play->mutex);
  found = play->length > 0;
  if (found)
    {
      *command = play->queue[play->first];
      play->first = (play->first + 1) % QUEUE_SIZE;
      play->length--;
    }
  pthread_mutex_unlock (&play->mutex);
  return found;
}

/* Another thread, which puts in what it is told to, while the game waits: so that two games are
 * alike.
 */
static void *
receive (void *data)
{
  Play *play = data;

  for (;;)
    {
      sem_wait (&play->wanted);
      if (play->over)
        return NULL;
      for (unsigned i = 0; i < play->wanted_commands; i++)
        put_command (play, false);
      sem_post (&play->done);
    }
}

static void
gather_commands (Play *play, unsigned frame)
{
  unsigned n = frame % 31 == 30 ? 20 : roll (play, 3);

  for (unsigned i = 0; i < n; i++)
    put_command (play, true);
  play->wanted_commands = frame % 17 == 16 ? 30 : roll (play, 3);
  sem_post (&play->wanted);
  sem_wait (&play->done);
}

static void
run_commands (Play *play)
{
  static WeftTargetRoutine move = WEFT_TARGET_ROUTINE ("move unit");
  Command command;

  for (unsigned i = 0; i < 6 && take_command (play, &command); i++)
    {
      weft_frameloop_begin_command (play->loop, &move, &command.ticket);
      play->speed[command.unit] += command.dx;
      spend (play, 1000);
      weft_frameloop_end_command (play->loop, NULL);
      play->game->queue.drained++;
    }
}

/* ---- Events ---- */

static uint64_t
channel_used (void *data)
{
  return ((Channel *) data)->state.used;
}

static void
channel_snapshot (void *data, WeftFrameloopPressure *pressure)
{
  *pressure = ((Channel *) data)->state;
}

static void
publish (Channel *channel)
{
  channel->state.published++;
  if (channel->state.used == channel->capacity)
    channel->state.overflowed++;
  else if (++channel->state.used > channel->capacity / 2)
    channel->state.soft_limited++;
}

static void
dispatch_events (Play *play, const char *phase, uint64_t most)
{
  WEFT_FRAMELOOP_PHASE (play->loop, phase);
  play->combat.state.used -= play->combat.state.used < most ? play->combat.state.used : most;
  play->ui.state.used -= play->ui.state.used < most ? play->ui.state.used : most;
  spend (play, 2000);
}

/* ---- Systems ---- */

static int
movement (Play *play, WeftFrameloopError *error)
{
  for (int i = 0; i < N_UNITS; i++)
    play->x[i] += play->speed[i];
  spend (play, 30000);
  return 0;
}

static int
collision (Play *play, WeftFrameloopError *error)
{
  for (int i = 0; i < N_UNITS; i++)
    for (int j = i + 1; j < N_UNITS; j++)
      if (play->x[i] == play->x[j] && play->gold[i] > 0)
        {
          play->gold[i]--;
          publish (&play->combat);
        }
  spend (play, 60000);
  return 0;
}

static int
pathfinding (Play *play, WeftFrameloopError *error)
{
  if (play->game->steps % 37 == 36)
    {
      play->game->spikes++;
      spend (play, 8 * MS);
    }
  for (int i = 0; i < N_UNITS; i += 4)
    play->speed[i] -= play->x[i] > 400 ? 1 : play->x[i] < -400 ? -1 : 0;
  spend (play, 40000);
  return 0;
}

static int
plan (Play *play, WeftFrameloopError *error)
{
  play->speed[roll (play, N_UNITS)] += (int) roll (play, 3) - 1;
  spend (play, 50000);
  return 0;
}

static int
economy (Play *play, WeftFrameloopError *error)
{
  play->gold[roll (play, N_UNITS)] += 2;
  publish (&play->ui);
  spend (play, 20000);
  return 0;
}

static int
scripts (Play *play, WeftFrameloopError *error)
{
  spend (play, 25000);
  if (play->game->steps % 29 != 28)
    return 0;
  *error = (WeftFrameloopError){ "ScriptError", "attempt to index a unit that is gone",
                                 "on_step (quest.lua:12)", "the unit was captured" };
  return -1;
}

static int
particles (Play *play, WeftFrameloopError *error)
{
  publish (&play->ui);
  spend (play, 15000);
  return 0;
}

static int
autosave (Play *play, WeftFrameloopError *error)
{
  spend (play, 2 * MS);
  return 0;
}

static int
run_one (void *data, WeftFrameloopError *error)
{
  const void *const *pair = data;
  const System *system = pair[1];

  return system->run ((Play *) (uintptr_t) pair[0], error);
}

/* One that fails is counted, and the next runs. */
static void
run_systems (Play *play)
{
  for (int i = 0; i < N_SYSTEMS; i++)
    {
      const void *pair[2] = { play, &play->systems[i] };

      if (play->game->steps % play->systems[i].every != 0)
        continue;
      if (weft_frameloop_run_system (play->loop, play->systems[i].system, run_one, pair) != 0)
        play->game->errors++;
      if (i % 4 == 3)
        dispatch_events (play, "eventDispatchAfterSystems", 2);
    }
}

/* ---- Steps and frames ---- */

static void
step (Play *play)
{
  WeftFrameloopTick tick = { .tick = play->game->steps + 1,
                             .host_frame = play->host_frame,
                             .accumulator = play->accumulator,
                             .pending = play->length,
                             .missed = play->missed };
  uint64_t *lags = &play->lags[2 * (play->game->steps % MAX_TICKS)];

  lags[0] = play->accumulator > STEP ? (uint64_t) (play->accumulator - STEP) : 0;
  play->missed = 0;
  weft_frameloop_begin_tick (play->loop, &tick);
  weft_frameloop_begin_phase (play->loop, "commands");
  run_commands (play);
  weft_frameloop_end_phase (play->loop);
  dispatch_events (play, "eventDispatchBeforeSystems", 3);
  run_systems (play);
  weft_frameloop_begin_phase (play->loop, "publish");
  spend (play, 5000);
  weft_frameloop_end_phase (play->loop);
  play->accumulator -= STEP;
  lags[1] = play->accumulator > 0 ? (uint64_t) play->accumulator : 0;
  weft_frameloop_end_tick (play->loop, play->accumulator);
  play->game->steps++;
}

/* What a frame of the host took: each 23rd is long, as if the machine had paused. */
static uint64_t
host_time (Play *play, unsigned frame, uint64_t last)
{
  const uint64_t due = frame % 23 == 22 ? 60 * MS : 4 * MS + roll (play, 2 * MS);
  struct timespec pause = { 0, (long) due };

  if (play->game->scripted_clock)
    play->now += due;
  else
    nanosleep (&pause, NULL);
  return (play->game->scripted_clock ? play->now : monotonic ()) - last;
}

static void
advance (Play *play)
{
  unsigned steps = 0;

  play->accumulator += (int64_t) play->host_frame;
  while (play->accumulator >= STEP && steps++ < MAX_STEPS)
    step (play);
  play->game->catch_up_steps += steps > 1 ? (steps < MAX_STEPS ? steps : MAX_STEPS) - 1 : 0;
  while (play->accumulator >= STEP)
    {
      play->accumulator -= STEP;
      play->game->skipped++;
      play->missed++;
    }
}

/* ---- What was kept ---- */

static void
check_entry (Play *play, const WeftFrameloopEntry *entry)
{
  Game *game = play->game;
  const uint64_t *lags = &play->lags[2 * ((entry->tick - 1) % MAX_TICKS)];
  size_t length = weft_frameloop_format (entry, NULL, 0);

  game->n_lag_wrong += entry->lag_before != lags[0] || entry->lag_after != lags[1];
  game->entry_missed += entry->missed;
  game->entry_queue.accepted += entry->queue.accepted;
  game->entry_queue.rejected += entry->queue.rejected;
  game->entry_queue.dropped += entry->queue.dropped;
  game->entry_queue.drained += entry->queue.drained;
  for (size_t i = 0; i < entry->n_systems; i++)
    {
      game->entry_errors += entry->systems[i].failed;
      game->entry_spikes +=
          entry->systems[i].slow && strcmp (entry->systems[i].id, "pathfinding") == 0;
    }
  play->text = realloc (play->text, play->text_length + length + 1);
  play->text_length += weft_frameloop_format (entry, play->text + play->text_length, length + 1);
}

/* What is new. */
static void
follow (Play *play)
{
  WeftFrameloopResult *result = weft_frameloop_read (play->loop, play->head);

  for (size_t i = 0; i < result->n_entries; i++)
    check_entry (play, &result->entries[i]);
  play->game->n_entries += result->n_entries;
  play->game->n_dropped += result->dropped;
  play->head = result->head;
  weft_frameloop_result_free (result);
}

/* ---- A game ---- */

static void
add_channel (Play *play, const char *name, Channel *channel, uint64_t capacity)
{
  const WeftFrameloopChannel what = { name, capacity, channel_used, channel_snapshot, channel };

  channel->capacity = capacity;
  weft_frameloop_add_channel (play->loop, &what, sizeof what);
}

static void
set_up (Play *play)
{
  static const System systems[N_SYSTEMS] = {
    { "movement", movement, 1, NULL },       { "collision", collision, 1, NULL },
    { "pathfinding", pathfinding, 1, NULL }, { "ai", plan, 1, NULL },
    { "economy", economy, 1, NULL },         { "scripts", scripts, 1, NULL },
    { "particles", particles, 1, NULL },     { "autosave", autosave, 25, NULL },
  };
  WeftFrameloopOptions options = { .name = "game", .step = STEP };

  options.enabled = play->game->off ? WEFT_FRAMELOOP_OFF : WEFT_FRAMELOOP_ON;
  options.configuration.capacity = play->game->capacity;
  if (play->game->scripted_clock)
    {
      options.configuration.clock = scripted_now;
      options.configuration.clock_data = play;
    }
  play->loop = weft_frameloop_new (&options, sizeof options);
  memcpy (play->systems, systems, sizeof systems);
  for (int i = 0; i < N_SYSTEMS; i++)
    play->systems[i].system = weft_frameloop_system_new (play->loop, systems[i].id);
  add_channel (play, "combat", &play->combat, 64);
  add_channel (play, "ui", &play->ui, 16);
  for (int i = 0; i < N_UNITS; i++)
    {
      play->x[i] = (int) roll (play, 200) - 100;
      play->gold[i] = 10;
    }
  pthread_mutex_init (&play->mutex, NULL);
  sem_init (&play->wanted, 0, 0);
  sem_init (&play->done, 0, 0);
  pthread_create (&play->network, NULL, receive, play);
  pthread_setname_np (play->network, "network");
}

static void
tear_down (Play *play)
{
  Game *game = play->game;

  play->over = true;
  sem_post (&play->wanted);
  pthread_join (play->network, NULL);
  game->queue_left = play->length;
  for (int i = 0; i < N_UNITS; i++)
    game->checksum = game->checksum * 31 + (uint64_t) (unsigned) (play->x[i] * 7 + play->gold[i]);
  weft_frameloop_free (play->loop);
  sem_destroy (&play->wanted);
  sem_destroy (&play->done);
  pthread_mutex_destroy (&play->mutex);
  free (play->lags);
}

char *
game_play (Game *game)
{
  Play play = { .game = game, .random = game->seed, .now = 1000 * (uint64_t) MS };
  uint64_t last;

  play.lags = calloc (2 * MAX_TICKS, sizeof *play.lags);
  set_up (&play);
  last = game->scripted_clock ? play.now : monotonic ();
  for (unsigned frame = 0; frame < game->frames; frame++)
    {
      gather_commands (&play, frame);
      play.host_frame = host_time (&play, frame, last);
      last += play.host_frame;
      advance (&play);
      if (frame % 16 == 15)
        follow (&play);
    }
  follow (&play);
  tear_down (&play);
  return play.text != NULL ? play.text : calloc (1, 1);
}
