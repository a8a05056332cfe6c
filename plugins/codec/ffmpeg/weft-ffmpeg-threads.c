/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads of codecs and filters: those that are made while the program is in a call of theirs.
 * Their CPU time tells what a codec took beside the time of its calls.
 */
#include "weft-ffmpeg.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

typedef int (*CreateThread) (pthread_t *thread, const pthread_attr_t *attributes,
                             void *(*start) (void *), void *data);

static uint64_t
read_clock (int clock)
{
  struct timespec time;

  /* The thread is over: its time is not known any more. */
  if (clock_gettime (clock, &time) != 0)
    return 0;
  return (uint64_t) time.tv_sec * 1000000000u + (uint64_t) time.tv_nsec;
}

uint64_t
ff_stage_take_thread_time (FfStage *stage)
{
  const int saved = errno;
  uint64_t total = 0, taken;

  for (uint32_t i = 0; i < stage->n_clocks; i++)
    total += read_clock (stage->clocks[i]);
  errno = saved;
  taken = total > stage->thread_time ? total - stage->thread_time : 0;
  stage->thread_time += taken;
  return taken;
}

long
ff_count_rests (void)
{
  const int saved = errno;
  struct rusage usage = { 0 };

  getrusage (RUSAGE_THREAD, &usage);
  errno = saved;
  return usage.ru_nvcsw;
}

static void
add_thread (FfStage *stage, pthread_t thread)
{
  clockid_t clock;

  if (stage->n_clocks < FF_N_CLOCKS && pthread_getcpuclockid (thread, &clock) == 0)
    stage->clocks[stage->n_clocks++] = clock;
}

FF_PUBLIC int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*start) (void *),
                void *data)
{
  static CreateThread next;
  CreateThread real = __atomic_load_n (&next, __ATOMIC_RELAXED);
  FfStage *stage = ff_stage_current ();
  int result;

  if (real == NULL)
    {
      *(void **) &real = dlsym (RTLD_NEXT, "pthread_create");
      __atomic_store_n (&next, real, __ATOMIC_RELAXED);
    }
  result = real (thread, attributes, start, data);
  if (result == 0 && stage != NULL)
    add_thread (stage, *thread);
  return result;
}
