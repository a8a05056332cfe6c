/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * CLOCK_MONOTONIC, by which recordings tell time, stands still while the machine sleeps;
 * CLOCK_BOOTTIME, by which /proc tells when processes began, does not. How far they are apart is
 * kept since when, so that what began before a sleep is placed as it was, and sleeps are noticed.
 */
typedef struct _WeftBootClock WeftBootClock;

/* Reads both, as nearly at once as can be; ns. FALSE: they could not be read nearly at once. */
typedef gboolean (*WeftBootClockFunc) (gint64 *monotonic, gint64 *boottime, gpointer data);

/* NULL: the machine's. */
WeftBootClock *weft_boot_clock_new (WeftBootClockFunc read, gpointer data);
void weft_boot_clock_free (WeftBootClock *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftBootClock, weft_boot_clock_free)

/* The machine's, of the whole process; any thread may ask. */
WeftBootClock *weft_boot_clock_get_default (void);

/* Looks whether the machine has slept; ns that it has, in all, since the clock was made. */
gint64 weft_boot_clock_update (WeftBootClock *self);

/* Of a time of the past, as it was. */
gint64 weft_boot_clock_to_monotonic (WeftBootClock *self, gint64 boottime);

G_END_DECLS
