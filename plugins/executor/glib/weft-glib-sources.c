/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where sources were attached, by which thread, and since when they are ready. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "weft-glib-sources.h"

#define N_SHARDS 64
#define N_BUCKETS 256 /* of a shard */

typedef struct Source Source;

struct Source
{
  void *source;
  GlibFacts facts;
  Source *next;
};

typedef struct
{
  GlibLock lock;
  Source *buckets[N_BUCKETS];
  Source *spare;
} Shard;

static Shard shards[N_SHARDS];

static uint64_t
hash (const void *source)
{
  return ((uintptr_t) source * UINT64_C (0x9E3779B97F4A7C15)) >> 32;
}

static Shard *
lock_shard (const void *source)
{
  Shard *shard = &shards[hash (source) % N_SHARDS];

  weft_glib_lock (&shard->lock);
  return shard;
}

static Source **
find (Shard *shard, const void *source)
{
  Source **at = &shard->buckets[hash (source) / N_SHARDS % N_BUCKETS];

  while (*at != NULL && (*at)->source != source)
    at = &(*at)->next;
  return at;
}

/* A fork finds no lock taken, as it may happen while other threads are here. */
static void
before_fork (void)
{
  for (unsigned i = 0; i < N_SHARDS; i++)
    weft_glib_lock (&shards[i].lock);
}

static void
after_fork (void)
{
  for (unsigned i = 0; i < N_SHARDS; i++)
    weft_glib_unlock (&shards[i].lock);
}

__attribute__ ((constructor)) static void
watch_forks (void)
{
  pthread_atfork (before_fork, after_fork, after_fork);
}

/* What is kept of SOURCE, made if need be; NULL without memory. */
static Source *
need (Shard *shard, void *source)
{
  Source **at = find (shard, source), *self = *at;

  if (self != NULL)
    return self;
  self = shard->spare != NULL ? shard->spare : malloc (sizeof *self);
  if (self == NULL)
    return NULL;
  if (self == shard->spare)
    shard->spare = self->next;
  memset (self, 0, sizeof *self);
  self->source = source;
  return *at = self;
}

void
weft_glib_source_attached (void *source, GlibTask *task, WeftTargetOrigin origin)
{
  Shard *shard = lock_shard (source);
  Source *self = need (shard, source);

  if (self != NULL)
    self->facts = (GlibFacts){ .origin = origin, .ready = origin.ticks, .task = task };
  weft_glib_unlock (&shard->lock);
}

void
weft_glib_source_readied (void *source, WeftTargetOrigin origin)
{
  Shard *shard = lock_shard (source);
  Source *self = need (shard, source);

  if (self != NULL)
    {
      self->facts.origin = origin;
      self->facts.ready = origin.ticks;
      self->facts.again = false;
    }
  weft_glib_unlock (&shard->lock);
}

GlibFacts
weft_glib_source_facts (void *source)
{
  GlibFacts facts = { .ready = 0 };
  Shard *shard = lock_shard (source);
  Source *self = *find (shard, source);

  if (self != NULL)
    facts = self->facts;
  weft_glib_unlock (&shard->lock);
  return facts;
}

void
weft_glib_source_dispatched (void *source, uint64_t begin, uint64_t now)
{
  Shard *shard = lock_shard (source);
  Source *self = need (shard, source);

  /* It may have been made ready within its own dispatch. */
  if (self != NULL && (self->facts.again || self->facts.ready <= begin))
    {
      self->facts.ready = now;
      self->facts.again = true;
    }
  weft_glib_unlock (&shard->lock);
}

void
weft_glib_source_forget_task (void *source)
{
  Shard *shard = lock_shard (source);
  Source *self = *find (shard, source);

  if (self != NULL)
    self->facts.task = NULL;
  weft_glib_unlock (&shard->lock);
}

void
weft_glib_source_gone (void *source)
{
  Shard *shard = lock_shard (source);
  Source **at = find (shard, source), *self = *at;
  GlibTask *task = NULL;

  if (self != NULL)
    {
      task = self->facts.task;
      *at = self->next;
      self->next = shard->spare;
      shard->spare = self;
    }
  weft_glib_unlock (&shard->lock);
  if (task != NULL)
    weft_glib_task_completed (task, false);
}
