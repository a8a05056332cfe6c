/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

struct timespec
{
  long tv_sec;
  long tv_nsec;
};

typedef enum
{
  CLOCK_REALTIME = 0,
  CLOCK_MONOTONIC = 6,
  CLOCK_UPTIME_RAW = 8,
} clockid_t;

#define CLOCK_REALTIME CLOCK_REALTIME
#define CLOCK_MONOTONIC CLOCK_MONOTONIC
#define CLOCK_UPTIME_RAW CLOCK_UPTIME_RAW

int clock_gettime (clockid_t clock, struct timespec *time);
int nanosleep (const struct timespec *wanted, struct timespec *left);
