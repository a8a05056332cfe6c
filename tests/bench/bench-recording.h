/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A recording as programs make them, of N dispatches in submissions of sixteen on eight lanes:
 * each submission has a linked origin, one in sixty-four a wait that proves it synchronous, and one
 * dispatch in a hundred samples of four counters. All is accounted for.
 *
 * What is drawn depends on SEED alone. Routine SLOWER (1 to 40; 0: none) takes ten percent longer.
 */
void bench_recording_write (const char *path, guint64 n, guint64 seed, guint slower);

G_END_DECLS
