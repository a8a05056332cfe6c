/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#include <sys/types.h>

typedef uint64_t rlim_t;

struct rlimit
{
  rlim_t rlim_cur;
  rlim_t rlim_max;
};

#define RLIM_INFINITY (((uint64_t) 1 << 63) - 1)
#define RLIMIT_FSIZE 1
#define RLIMIT_AS 5
#define RLIMIT_NOFILE 8

int getrlimit (int what, struct rlimit *limit);
