/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Moments, relative to the base, in the two clocks that lanes here have. */

#include "corpus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C (1000000000)

static uint64_t base;
static uint64_t base_ticks;

static uint64_t
read_clock (clockid_t clock)
{
  struct timespec t;

  clock_gettime (clock, &t);
  return (uint64_t) t.tv_sec * SECOND + (uint64_t) t.tv_nsec;
}

uint64_t
corpus_monotonic (void)
{
  return read_clock (CLOCK_MONOTONIC);
}

void
corpus_clock_start (void)
{
  base_ticks = weft_target_now ();
  base = corpus_monotonic ();
}

uint64_t
corpus_time (uint64_t since_base)
{
  return base + since_base;
}

/* By the line through the base and now, or the moment itself where ticks are nanoseconds. */
uint64_t
corpus_ticks (uint64_t monotonic)
{
  uint64_t ticks = weft_target_now ();
  uint64_t now = corpus_monotonic ();
  double slope;

  if (ticks <= now && now - ticks < SECOND)
    return monotonic;
  slope = (double) (ticks - base_ticks) / (double) (now - base);
  return base_ticks + (uint64_t) (int64_t) ((double) (int64_t) (monotonic - base) * slope);
}

void
corpus_sleep_until (uint64_t monotonic)
{
  struct timespec t = { (time_t) (monotonic / SECOND), (long) (monotonic % SECOND) };

  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
    continue;
}

void
corpus_sleep (uint64_t nanoseconds)
{
  corpus_sleep_until (corpus_monotonic () + nanoseconds);
}

uint64_t
corpus_process_started (void)
{
  char text[1024];
  int fd = open ("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd >= 0 ? read (fd, text, sizeof text - 1) : -1;
  uint64_t uptime = read_clock (CLOCK_BOOTTIME) - corpus_monotonic ();
  char *field;

  if (fd >= 0)
    close (fd);
  if (n <= 0)
    return base;
  text[n] = '\0';
  field = strrchr (text, ')');
  for (int i = 2; field != NULL && i < 22; i++)
    field = strchr (field + 1, ' ');
  if (field == NULL)
    return base;
  return strtoull (field, NULL, 10) * (SECOND / (uint64_t) sysconf (_SC_CLK_TCK)) - uptime;
}
