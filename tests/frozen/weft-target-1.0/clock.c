/* SPDX-License-Identifier: BSD-2-Clause */
#include "weft-target-private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint32_t wft_clock;

uint64_t
wft_monotonic (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

#if defined(__x86_64__)
static bool
kernel_trusts_tsc (void)
{
  const char *wanted = getenv ("WEFT_TARGET_CLOCK");
  char name[16] = "";
  ssize_t length = -1;
  int fd;

  if (wanted != NULL && strcmp (wanted, "monotonic") == 0)
    return false;
  fd = open ("/sys/devices/system/clocksource/clocksource0/current_clocksource",
             O_RDONLY | O_CLOEXEC);
  if (fd >= 0)
    {
      length = read (fd, name, sizeof name - 1);
      close (fd);
    }
  return length >= 4 && memcmp (name, "tsc\n", 4) == 0;
}
#endif

void
wft_clock_choose (void)
{
  uint32_t clock = WEFT_WIRE_CLOCK_MONOTONIC;

  if (WFT_LOAD (&wft_clock) != 0)
    return;
#if defined(__x86_64__)
  if (kernel_trusts_tsc ())
    clock = WEFT_WIRE_CLOCK_TSC;
#endif
  WFT_STORE (&wft_clock, clock);
}

uint64_t
wft_now_slow (void)
{
  if (WFT_UNLIKELY (WFT_LOAD (&wft_clock) == 0))
    {
      WFT_KEEP_ERRNO;

      wft_clock_choose ();
      return wft_now ();
    }
  return wft_monotonic ();
}

uint64_t
weft_target_now (void)
{
  return wft_now ();
}

/* A pair whose monotonic time was read within few ticks. */
static void
read_pair (uint64_t *ticks, uint64_t *monotonic)
{
  uint64_t best = UINT64_MAX;

  for (int i = 0; i < 5; i++)
    {
      uint64_t before = wft_now ();
      uint64_t middle = wft_monotonic ();
      uint64_t after = wft_now ();

      if (after - before < best)
        {
          best = after - before;
          *ticks = before + (after - before) / 2;
          *monotonic = middle;
        }
    }
}

/* The rate from the runtime's start to a recent moment, measured anew as that moment ages. */
static double
current_rate (WftRuntime *runtime)
{
  uint64_t now = wft_now ();
  uint64_t calibrated = WFT_LOAD_ACQUIRE (&runtime->calibration_ticks);
  uint64_t ticks = 0, monotonic = 0;
  double rate;

  __atomic_load (&runtime->calibration_rate, &rate, __ATOMIC_RELAXED);
  if (calibrated != 0 && now - calibrated <= (calibrated - runtime->start_ticks) / 8)
    return rate;
  do
    read_pair (&ticks, &monotonic);
  while (monotonic - runtime->start_monotonic < 200000);
  rate = (double) (monotonic - runtime->start_monotonic) / (double) (ticks - runtime->start_ticks);
  __atomic_store (&runtime->calibration_rate, &rate, __ATOMIC_RELAXED);
  WFT_STORE_RELEASE (&runtime->calibration_ticks, ticks);
  return rate;
}

uint64_t
weft_target_to_nanoseconds (uint64_t ticks)
{
  WftRuntime *runtime = wft_runtime_ensure ();
  double offset;

  if (runtime == NULL || wft_clock != WEFT_WIRE_CLOCK_TSC)
    return ticks;
  offset = (double) (int64_t) (ticks - runtime->start_ticks) * current_rate (runtime);
  return runtime->start_monotonic + (uint64_t) (int64_t) offset;
}
