/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-critical-path-samples.h"

#include "weft-cpu-stream.h"

struct _WeftPathSamples
{
  GArray *rows; /* element type WeftPathSample: by thread, then by time */
};

static void
take_sample (const WeftSampleRow *row, gpointer data)
{
  WeftPathSamples *self = data;
  WeftPathSample sample = { row->row.id, row->row.start, row->row.thread, row->row.node, row->end };

  g_array_append_val (self->rows, sample);
}

static int
compare_samples (gconstpointer a, gconstpointer b)
{
  const WeftPathSample *left = a;
  const WeftPathSample *right = b;

  if (left->thread != right->thread)
    return left->thread < right->thread ? -1 : 1;
  if (left->time != right->time)
    return left->time < right->time ? -1 : 1;
  return left->id < right->id ? -1 : left->id > right->id;
}

WeftPathSamples *
weft_path_samples_new (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                       gint64 begin, gint64 end, GError **error)
{
  g_autoptr (WeftPathSamples) self = g_new0 (WeftPathSamples, 1);
  WeftAnalysisScope range = *scope;

  self->rows = g_array_new (FALSE, FALSE, sizeof (WeftPathSample));
  range.begin = begin;
  range.end = end == G_MAXINT64 ? end : end + 1;
  if (!weft_stream_samples (&range, callchains, NULL, take_sample, self, error))
    return NULL;
  g_array_sort (self->rows, compare_samples);
  return g_steal_pointer (&self);
}

void
weft_path_samples_free (WeftPathSamples *self)
{
  g_array_unref (self->rows);
  g_free (self);
}

/* The first that is later than TIME. */
static guint
find_after (const WeftPathSamples *self, guint32 thread, gint64 time)
{
  guint low = 0;
  guint high = self->rows->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const WeftPathSample *sample = &g_array_index (self->rows, WeftPathSample, middle);

      if (sample->thread < thread || (sample->thread == thread && sample->time <= time))
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

guint
weft_path_samples_find (const WeftPathSamples *self, guint32 thread, gint64 start, gint64 stop,
                        const WeftPathSample **first)
{
  guint begin = find_after (self, thread, start);
  guint end = find_after (self, thread, stop);

  *first = begin < end ? &g_array_index (self->rows, WeftPathSample, begin) : NULL;
  return end - begin;
}
