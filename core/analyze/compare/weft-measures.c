/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-measures.h"

#include <math.h>

static guint
measure_hash (gconstpointer key)
{
  const WeftMeasure *self = key;
  guint hash = g_str_hash (self->subject.scope);

  hash = hash * 33 + (self->subject.kind ? g_str_hash (self->subject.kind) : 0);
  hash = hash * 33 + (self->subject.lane ? g_str_hash (self->subject.lane) : 0);
  hash = hash * 33 + (self->subject.name ? g_str_hash (self->subject.name) : 0);
  return hash * 33 + g_str_hash (self->figure->name);
}

static gboolean
measure_equal (gconstpointer a, gconstpointer b)
{
  const WeftMeasure *left = a, *right = b;

  return g_str_equal (left->subject.scope, right->subject.scope) &&
         g_strcmp0 (left->subject.kind, right->subject.kind) == 0 &&
         g_strcmp0 (left->subject.lane, right->subject.lane) == 0 &&
         g_strcmp0 (left->subject.name, right->subject.name) == 0 &&
         g_str_equal (left->figure->name, right->figure->name);
}

static void
measure_free (gpointer data)
{
  WeftMeasure *self = data;

  g_free ((char *) self->subject.kind);
  g_free ((char *) self->subject.lane);
  g_free ((char *) self->subject.name);
  g_array_unref (self->sides[0]);
  g_array_unref (self->sides[1]);
  g_free (self);
}

static WeftMeasure *
measure_new (const WeftSubject *subject, const WeftFigure *figure)
{
  WeftMeasure *self = g_new0 (WeftMeasure, 1);

  self->subject = (WeftSubject){ subject->scope, g_strdup (subject->kind), g_strdup (subject->lane),
                                 g_strdup (subject->name) };
  self->figure = figure;
  self->sides[0] = g_array_new (FALSE, FALSE, sizeof (WeftObservation));
  self->sides[1] = g_array_new (FALSE, FALSE, sizeof (WeftObservation));
  return self;
}

WeftMeasures *
weft_measures_new (void)
{
  WeftMeasures *self = g_new0 (WeftMeasures, 1);

  self->measures = g_ptr_array_new_with_free_func (measure_free);
  self->index = g_hash_table_new (measure_hash, measure_equal);
  self->figures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
weft_measures_free (WeftMeasures *self)
{
  g_hash_table_unref (self->index);
  g_ptr_array_unref (self->measures);
  g_hash_table_unref (self->figures);
  g_free (self);
}

WeftMeasure *
weft_measures_observe (WeftMeasures *self, const WeftSubject *subject, const WeftFigure *figure,
                       const WeftObservation *observation, guint64 n_samples)
{
  const WeftMeasure key = { .subject = *subject, .figure = figure };
  WeftMeasure *found = g_hash_table_lookup (self->index, &key);
  GArray *side;

  if (found == NULL)
    {
      found = measure_new (subject, figure);
      g_ptr_array_add (self->measures, found);
      g_hash_table_add (self->index, found);
    }
  side = found->sides[self->side];
  if (found->told[self->side] > self->n_runs[self->side])
    return found;
  found->told[self->side] = self->n_runs[self->side] + 1;
  found->n_told[self->side]++;
  /* Recordings before this one that did not tell it. */
  while (figure->is_zero_if_absent && side->len < self->n_runs[self->side])
    g_array_append_vals (side, &(WeftObservation){ 0, NAN, 1 }, 1);
  g_array_append_vals (side, observation, 1);
  found->n_samples[self->side] += (guint) MIN (n_samples, G_MAXUINT / 4);
  return found;
}

const WeftFigure *
weft_measures_take_figure (WeftMeasures *self, const char *scope, const WeftFigure *model)
{
  g_autofree char *key = g_strconcat (scope, " ", model->name, NULL);
  WeftFigure *figure = g_hash_table_lookup (self->figures, key);

  if (figure != NULL)
    return figure;
  figure = g_memdup2 (model, sizeof *model);
  figure->name = g_intern_string (model->name);
  figure->unit = g_intern_string (model->unit);
  g_hash_table_insert (self->figures, g_steal_pointer (&key), figure);
  return figure;
}
