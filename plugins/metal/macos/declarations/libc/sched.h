/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

int sched_yield (void);
