/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads that compute and threads that wait, with symbols and names of their own. */

#include "corpus.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS 4
#define ROUND (10 * MS)

/* ---- A thread that does one job after the other ---- */

struct _CorpusThread
{
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  char name[32];
  int32_t tid;
  CorpusJob job;
  void *data;
  bool over;
};

static void *
serve (void *data)
{
  CorpusThread *self = data;

  prctl (PR_SET_NAME, self->name);
  pthread_mutex_lock (&self->mutex);
  self->tid = (int32_t) syscall (SYS_gettid);
  pthread_cond_broadcast (&self->changed);
  while (!self->over)
    {
      if (self->job == NULL)
        {
          pthread_cond_wait (&self->changed, &self->mutex);
          continue;
        }
      pthread_mutex_unlock (&self->mutex);
      self->job (self->data);
      pthread_mutex_lock (&self->mutex);
      self->job = NULL;
      pthread_cond_broadcast (&self->changed);
    }
  pthread_mutex_unlock (&self->mutex);
  return NULL;
}

CorpusThread *
corpus_thread_new (const char *name)
{
  CorpusThread *self = calloc (1, sizeof *self);

  if (self == NULL)
    abort ();
  corpus_settle ();
  strncpy (self->name, name, sizeof self->name - 1);
  pthread_mutex_init (&self->mutex, NULL);
  pthread_cond_init (&self->changed, NULL);
  if (pthread_create (&self->thread, NULL, serve, self) != 0)
    abort ();
  return self;
}

int32_t
corpus_thread_tid (CorpusThread *self)
{
  pthread_mutex_lock (&self->mutex);
  while (self->tid == 0)
    pthread_cond_wait (&self->changed, &self->mutex);
  pthread_mutex_unlock (&self->mutex);
  return self->tid;
}

void
corpus_thread_begin (CorpusThread *self, CorpusJob job, void *data)
{
  corpus_thread_wait (self);
  pthread_mutex_lock (&self->mutex);
  self->job = job;
  self->data = data;
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->mutex);
}

void
corpus_thread_wait (CorpusThread *self)
{
  pthread_mutex_lock (&self->mutex);
  while (self->job != NULL)
    pthread_cond_wait (&self->changed, &self->mutex);
  pthread_mutex_unlock (&self->mutex);
}

void
corpus_thread_run (CorpusThread *self, CorpusJob job, void *data)
{
  corpus_settle ();
  corpus_thread_begin (self, job, data);
  corpus_thread_wait (self);
  corpus_settle ();
}

void
corpus_thread_free (CorpusThread *self)
{
  corpus_thread_wait (self);
  corpus_settle ();
  pthread_mutex_lock (&self->mutex);
  self->over = true;
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->mutex);
  pthread_join (self->thread, NULL);
  pthread_cond_destroy (&self->changed);
  pthread_mutex_destroy (&self->mutex);
  free (self);
}

/* ---- Work on the CPU, in functions that a profile shows by name ---- */

double corpus_multiply_matrices (uint64_t until);
uint64_t corpus_hash_blocks (uint64_t until);
uint64_t corpus_parse_numbers (uint64_t until);

#define SIDE 48

__attribute__ ((noinline)) double
corpus_multiply_matrices (uint64_t until)
{
  static _Thread_local double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

  do
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < SIDE; j++)
        {
          double sum = i + j;

          for (int k = 0; k < SIDE; k++)
            sum += a[i][k] * b[k][j];
          c[i][j] = sum;
          a[j][i] = 1.0 / (1.0 + sum * sum);
          b[i][j] = 1.0 / (2.0 + i);
        }
  while (corpus_monotonic () < until);
  return c[1][2];
}

__attribute__ ((noinline)) uint64_t
corpus_hash_blocks (uint64_t until)
{
  static _Thread_local uint8_t block[16384];
  uint64_t hash = UINT64_C (0xcbf29ce484222325);

  do
    for (size_t i = 0; i < sizeof block; i++)
      {
        hash = (hash ^ block[i]) * UINT64_C (0x100000001b3);
        block[i] = (uint8_t) (hash >> 32);
      }
  while (corpus_monotonic () < until);
  return hash;
}

__attribute__ ((noinline)) uint64_t
corpus_parse_numbers (uint64_t until)
{
  uint64_t sum = 0;

  do
    for (const char *at = "3 14 159 2653 58979 323846 2643383 27950288"; at != NULL;
         at = strchr (at + 1, ' '))
      sum += strtoull (at, NULL, 10);
  while (corpus_monotonic () < until);
  return sum;
}

static _Thread_local volatile uint64_t results;

static void
crunch (void *data)
{
  results += (uint64_t) corpus_multiply_matrices (corpus_time (100 * MS));
  results += corpus_hash_blocks (corpus_time (200 * MS));
  results += corpus_parse_numbers (corpus_time (300 * MS));
}

static void
crunch_briefly (void *data)
{
  struct timespec used = { 0, 0 };

  /* Of a busy machine it has to get enough to be sampled. */
  for (uint64_t until = 30 * MS; until <= 120 * MS && used.tv_nsec < (long) (20 * MS);
       until += 10 * MS)
    {
      results += corpus_hash_blocks (corpus_time (until));
      clock_gettime (CLOCK_THREAD_CPUTIME_ID, &used);
    }
}

/* ---- Residents ---- */

static CorpusThread *residents[CORPUS_N_RESIDENTS];

void
corpus_residents_start (void)
{
  static const char *const names[] = { "crunch", "brief", "dormant" };

  for (int i = 0; i < CORPUS_N_RESIDENTS; i++)
    {
      residents[i] = corpus_thread_new (names[i]);
      corpus_thread_tid (residents[i]);
    }
  corpus_thread_begin (residents[CORPUS_CRUNCH], crunch, NULL);
  corpus_thread_begin (residents[CORPUS_BRIEF], crunch_briefly, NULL);
}

CorpusThread *
corpus_resident (CorpusResident which)
{
  return residents[which];
}

void
corpus_residents_end (void)
{
  for (int i = 0; i < CORPUS_N_RESIDENTS; i++)
    corpus_thread_free (residents[i]);
}

/* ---- Cases ---- */

static void
report_crunch (void *data)
{
  CorpusLane *lane = corpus_lane ("crunch", "threadpool.worker");

  corpus_span (lane, "multiply_matrices", 0, 100 * MS);
  corpus_span (lane, "hash_blocks", 100 * MS, 100 * MS);
  corpus_span (lane, "parse_numbers", 200 * MS, 100 * MS);
}

static void
cpu_work (void)
{
  corpus_thread_wait (corpus_resident (CORPUS_CRUNCH));
  corpus_thread_run (corpus_resident (CORPUS_CRUNCH), report_crunch, NULL);
}

/* Rounds of waiting, each one round long by the clock. */
typedef struct
{
  const char *lane;
  const char *routine;
  uint64_t begin;
  pthread_mutex_t mutex;
  pthread_cond_t filled;
  int n_items;
  int pipe[2];
} Waiting;

static void
report_waiting (const Waiting *self)
{
  CorpusLane *lane = corpus_lane (self->lane, "threadpool.worker");

  for (uint64_t i = 0; i < ROUNDS; i++)
    {
      WeftTargetDispatch round = corpus_dispatch (lane, self->routine, 0, 0);

      round.start = self->begin + i * ROUND;
      round.end = round.start + ROUND;
      corpus_emit (lane, &round);
    }
}

static void
consume (void *data)
{
  Waiting *self = data;

  pthread_mutex_lock (&self->mutex);
  for (int i = 0; i < ROUNDS; i++)
    {
      while (self->n_items == 0)
        pthread_cond_wait (&self->filled, &self->mutex);
      self->n_items--;
    }
  pthread_mutex_unlock (&self->mutex);
  report_waiting (self);
}

static void
wait_condition (void)
{
  Waiting waiting = { .lane = "consumer", .routine = "pop_item" };
  CorpusThread *thread = corpus_thread_new ("consumer");

  pthread_mutex_init (&waiting.mutex, NULL);
  pthread_cond_init (&waiting.filled, NULL);
  waiting.begin = corpus_monotonic ();
  corpus_thread_begin (thread, consume, &waiting);
  for (uint64_t i = 0; i < ROUNDS; i++)
    {
      corpus_sleep_until (waiting.begin + (i + 1) * ROUND);
      pthread_mutex_lock (&waiting.mutex);
      waiting.n_items++;
      pthread_cond_signal (&waiting.filled);
      pthread_mutex_unlock (&waiting.mutex);
    }
  corpus_thread_free (thread);
  pthread_cond_destroy (&waiting.filled);
  pthread_mutex_destroy (&waiting.mutex);
}

static void
tick (void *data)
{
  Waiting *self = data;

  for (uint64_t i = 0; i < ROUNDS; i++)
    corpus_sleep_until (self->begin + (i + 1) * ROUND);
  report_waiting (self);
}

static void
wait_sleep (void)
{
  Waiting waiting = { .lane = "ticker", .routine = "tick", .begin = corpus_monotonic () };
  CorpusThread *thread = corpus_thread_new ("ticker");

  corpus_thread_begin (thread, tick, &waiting);
  corpus_thread_free (thread);
}

static void
read_pipe (void *data)
{
  Waiting *self = data;
  char byte;

  for (int i = 0; i < ROUNDS; i++)
    if (read (self->pipe[0], &byte, 1) != 1)
      abort ();
  report_waiting (self);
}

static void
wait_pipe (void)
{
  Waiting waiting = { .lane = "reader", .routine = "read_pipe", .begin = corpus_monotonic () };
  CorpusThread *thread = corpus_thread_new ("reader");

  if (pipe (waiting.pipe) != 0)
    abort ();
  corpus_thread_begin (thread, read_pipe, &waiting);
  for (uint64_t i = 0; i < ROUNDS; i++)
    {
      corpus_sleep_until (waiting.begin + (i + 1) * ROUND);
      if (write (waiting.pipe[1], "x", 1) != 1)
        abort ();
    }
  corpus_thread_free (thread);
  close (waiting.pipe[0]);
  close (waiting.pipe[1]);
}

static const CorpusCase cases[] = {
  { "wait-condition", "thread `consumer` waits four times on a condition variable",
    "lane `consumer`: 4 × `pop_item` of 10 ms on the thread of that name", wait_condition },
  { "wait-sleep", "thread `ticker` sleeps four times",
    "lane `ticker`: 4 × `tick` of 10 ms on the thread of that name", wait_sleep },
  { "wait-pipe", "thread `reader` reads four times from an empty pipe",
    "lane `reader`: 4 × `read_pipe` of 10 ms on the thread of that name", wait_pipe },
  { "cpu-work", "thread `crunch` computes for 300 ms in three functions with symbols",
    "lane `crunch`: `multiply_matrices`, `hash_blocks` and `parse_numbers` of 100 ms each, from 0, "
    "100 and 200 ms after the base, on the thread of that name",
    cpu_work },
};

const CorpusGroup corpus_threads = { "threads", cases, N_ELEMENTS (cases) };
