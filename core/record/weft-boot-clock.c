/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-boot-clock.h"

#include "weft-clock.h"

#define MILLISECOND (NS_PER_SECOND / 1000)
#define SHORTEST (10 * MILLISECOND) /* sleep that is one */
#define WIDEST (MILLISECOND)        /* between two readings: the thread may be held up there */
#define TRIES 8

/* Since when the clocks are so far apart. */
typedef struct
{
  gint64 since; /* ns, CLOCK_BOOTTIME */
  gint64 offset;
} Offset;

struct _WeftBootClock
{
  WeftBootClockFunc read;
  gpointer data;
  GMutex lock;
  GArray *offsets; /* element-type Offset: the first is that of before, too */
};

static gboolean
read_machine (gint64 *monotonic, gint64 *boottime, gpointer data)
{
  for (guint i = 0; i < TRIES; i++)
    {
      gint64 before = weft_monotonic_now ();
      gint64 after;

      *boottime = weft_clock_now (CLOCK_BOOTTIME);
      after = weft_monotonic_now ();
      *monotonic = before + (after - before) / 2;
      if (after - before <= WIDEST)
        return TRUE;
    }
  return FALSE;
}

WeftBootClock *
weft_boot_clock_new (WeftBootClockFunc read, gpointer data)
{
  WeftBootClock *self = g_new0 (WeftBootClock, 1);

  self->read = read ? read : read_machine;
  self->data = data;
  g_mutex_init (&self->lock);
  self->offsets = g_array_new (FALSE, FALSE, sizeof (Offset));
  weft_boot_clock_update (self);
  return self;
}

void
weft_boot_clock_free (WeftBootClock *self)
{
  g_array_unref (self->offsets);
  g_mutex_clear (&self->lock);
  g_free (self);
}

WeftBootClock *
weft_boot_clock_get_default (void)
{
  static gsize clock;

  if (g_once_init_enter (&clock))
    g_once_init_leave (&clock, (gsize) weft_boot_clock_new (NULL, NULL));
  return (WeftBootClock *) clock;
}

static Offset *
get_offset (WeftBootClock *self, guint i)
{
  return &g_array_index (self->offsets, Offset, i);
}

gint64
weft_boot_clock_update (WeftBootClock *self)
{
  gint64 slept = 0;
  Offset now;
  gint64 monotonic;

  g_mutex_lock (&self->lock);
  if (self->read (&monotonic, &now.since, self->data))
    {
      now.offset = now.since - monotonic;
      if (self->offsets->len == 0 ||
          now.offset >= get_offset (self, self->offsets->len - 1)->offset + SHORTEST)
        g_array_append_val (self->offsets, now);
    }
  if (self->offsets->len > 0)
    slept = get_offset (self, self->offsets->len - 1)->offset - get_offset (self, 0)->offset;
  g_mutex_unlock (&self->lock);
  return slept;
}

/* What began while the sleep had not been noticed yet began after it. */
gint64
weft_boot_clock_to_monotonic (WeftBootClock *self, gint64 boottime)
{
  gint64 offset = 0;
  guint i;

  weft_boot_clock_update (self);
  g_mutex_lock (&self->lock);
  for (i = self->offsets->len; i > 1; i--)
    {
      const Offset *later = get_offset (self, i - 1);
      gint64 slept = later->offset - get_offset (self, i - 2)->offset;

      if (boottime >= later->since - slept)
        break;
    }
  if (self->offsets->len > 0)
    offset = get_offset (self, MAX (i, 1) - 1)->offset;
  g_mutex_unlock (&self->lock);
  return boottime - offset;
}
