/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of threads that wait for one another and for dispatches, made by hand. */
#pragma once

#include "cpu-rows.h"
#include "sample.h"

/* THREAD was watched from BORN to DIED. */
void path_life (Sample *sample, guint64 thread, gint64 born, gint64 died);
/* A wait that WAKER ended at WOKEN; a waker of 0 is an interrupt. */
guint64 path_wait (Sample *sample, guint64 thread, gint64 start, gint64 end, WeftWaitReason reason,
                   guint64 waker, gint64 woken);
void path_origin (Sample *sample, WeftOriginRole role, gint64 time, guint64 thread,
                  guint64 dispatch, guint64 submission);
/* Queued by THREAD at QUEUED, of SUBMISSION if that is not 0. */
guint64 path_dispatch (Sample *sample, guint64 lane, guint64 routine, gint64 queued, gint64 start,
                       gint64 end, guint64 thread, guint64 submission);
/* THREAD waited from BEGIN to END for a dispatch, or, where that is 0, for a submission. */
void path_await (Sample *sample, guint64 thread, gint64 begin, gint64 end, guint64 dispatch,
                 guint64 submission);

/* An answer, from BEGIN to END if END is not 0. */
WeftReport *path_ask (Sample *sample, const char *handle, gint64 begin, gint64 end,
                      const char *mode, const char *what_if);
guint64 path_number (WeftReport *report, const char *table, const char *column, guint row);
