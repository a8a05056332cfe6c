/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <time.h>

G_BEGIN_DECLS

#define NS_PER_SECOND G_GINT64_CONSTANT (1000000000)

/* ns */
static inline gint64
weft_clock_now (clockid_t clock)
{
  struct timespec t;

  clock_gettime (clock, &t);
  return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static inline gint64
weft_monotonic_now (void)
{
  return weft_clock_now (CLOCK_MONOTONIC);
}

G_END_DECLS
