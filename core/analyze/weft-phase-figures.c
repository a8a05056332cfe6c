/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-phase-figures.h"

#include "weft-analysis-scope.h"
#include "weft-row-scan.h"
#include "weft-typical.h"

/* What the dispatches of a routine spent in phases of a name. */
typedef struct
{
  GArray *values; /* double; of those that have such a phase, until TYPICAL is known */
  gboolean is_known;
  WeftTypical typical;
} Usual;

/* Of a dispatch, in all its phases of a name. */
typedef struct
{
  guint32 name;
  double value;
} Spent;

/* Of a dispatch that stands out. */
typedef struct
{
  guint place;
  guint32 routine;
  Spent spent;
} Own;

typedef struct
{
  const WeftAnalysisScope *scope;
  GHashTable *places;
  GHashTable *routines;
  GHashTable *routine_of; /* id of a dispatch of ROUTINES → id of its routine */
  GHashTable *usual;      /* routine << 32 | name → Usual */
  GHashTable *counts;     /* routine → number of its dispatches that have phases */
  GArray *spent;          /* element type Spent, of the dispatch at hand */
  guint64 dispatch;       /* at hand, or 0 */
  GArray *own;            /* element type Own */
} Search;

static void
usual_free (gpointer data)
{
  Usual *usual = data;

  g_clear_pointer (&usual->values, g_array_unref);
  g_free (usual);
}

static void
search_clear (Search *self)
{
  g_clear_pointer (&self->routine_of, g_hash_table_unref);
  g_clear_pointer (&self->usual, g_hash_table_unref);
  g_clear_pointer (&self->counts, g_hash_table_unref);
  g_clear_pointer (&self->spent, g_array_unref);
  g_clear_pointer (&self->own, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

static void
take_dispatch (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Search *self = data;

  if (g_hash_table_contains (self->routines, GUINT_TO_POINTER ((guint) values[1])))
    g_hash_table_insert (self->routine_of, g_memdup2 (&values[0], sizeof values[0]),
                         GUINT_TO_POINTER ((guint) values[1]));
}

static Usual *
get_usual (Search *self, guint32 routine, guint32 name)
{
  guint64 key = (guint64) routine << 32 | name;
  Usual *usual = g_hash_table_lookup (self->usual, &key);

  if (usual == NULL)
    {
      usual = g_new0 (Usual, 1);
      usual->values = g_array_new (FALSE, TRUE, sizeof (double)); /* cleared as it grows */
      g_hash_table_insert (self->usual, g_memdup2 (&key, sizeof key), usual);
    }
  return usual;
}

/* The dispatch at hand has no more phases. */
static void
finish_dispatch (Search *self)
{
  gpointer routine = g_hash_table_lookup (self->routine_of, &self->dispatch);
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (self->places, &self->dispatch));
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, routine));

  if (self->spent->len == 0)
    return;
  g_hash_table_insert (self->counts, routine, GUINT_TO_POINTER (count + 1));
  for (guint i = 0; i < self->spent->len; i++)
    {
      Spent *spent = &g_array_index (self->spent, Spent, i);
      Usual *usual = get_usual (self, GPOINTER_TO_UINT (routine), spent->name);
      Own own = { place - 1, GPOINTER_TO_UINT (routine), *spent };

      g_array_append_val (usual->values, spent->value);
      if (place > 0)
        g_array_append_val (self->own, own);
    }
  g_array_set_size (self->spent, 0);
}

/* Those of a dispatch come together. */
static void
take_phase (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Search *self = data;
  Spent spent = { (guint32) values[1], (double) values[2] };

  if (values[0] != self->dispatch)
    {
      finish_dispatch (self);
      self->dispatch = values[0];
    }
  if (!g_hash_table_contains (self->routine_of, &self->dispatch))
    return;
  for (guint i = 0; i < self->spent->len; i++)
    if (g_array_index (self->spent, Spent, i).name == spent.name)
      {
        g_array_index (self->spent, Spent, i).value += spent.value;
        return;
      }
  g_array_append_val (self->spent, spent);
}

/* Those that have no such phase spent nothing in it. */
static const WeftTypical *
get_typical (Search *self, const Own *own, double floor)
{
  Usual *usual = get_usual (self, own->routine, own->spent.name);
  guint count =
      GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, GUINT_TO_POINTER (own->routine)));

  if (!usual->is_known)
    {
      if (usual->values->len < count)
        g_array_set_size (usual->values, count);
      weft_typical_init (&usual->typical, (double *) (gpointer) usual->values->data,
                         usual->values->len, floor);
      usual->is_known = TRUE;
    }
  return &usual->typical;
}

GArray *
weft_phase_figures_find (const WeftAnalysisScope *scope, GHashTable *places, GHashTable *routines,
                         double floor, GError **error)
{
  static const WeftColumnNumber dispatches[] = { WEFT_DISPATCHES_ID, WEFT_DISPATCHES_ROUTINE };
  static const WeftColumnNumber phases[] = { WEFT_PHASES_DISPATCH, WEFT_PHASES_NAME,
                                             WEFT_PHASES_DURATION };
  g_auto (Search) self = { .scope = scope, .places = places, .routines = routines };
  g_autoptr (GArray) figures = g_array_new (FALSE, FALSE, sizeof (WeftPhaseFigure));

  if (weft_recording_get_n_rows (scope->recording, "phases") == 0)
    return g_steal_pointer (&figures);
  self.routine_of = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self.usual = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, usual_free);
  self.counts = g_hash_table_new (NULL, NULL);
  self.spent = g_array_new (FALSE, FALSE, sizeof (Spent));
  self.own = g_array_new (FALSE, TRUE, sizeof (Own));
  if (!weft_scan_rows (scope->store, WEFT_TABLE_DISPATCHES, dispatches, 2, take_dispatch, &self,
                       scope->cancellable, error) ||
      !weft_scan_rows (scope->store, WEFT_TABLE_PHASES, phases, 3, take_phase, &self,
                       scope->cancellable, error))
    return NULL;
  finish_dispatch (&self);
  for (guint i = 0; i < self.own->len; i++)
    {
      const Own *own = &g_array_index (self.own, Own, i);
      const WeftTypical *typical = get_typical (&self, own, floor);
      WeftPhaseFigure figure = { own->place, weft_store_get_string (scope->store, own->spent.name),
                                 own->spent.value, typical->median,
                                 weft_typical_get_distance (typical, own->spent.value) };

      if (typical->n >= WEFT_TYPICAL_MIN_VALUES && figure.distance >= WEFT_TYPICAL_DISTANCE &&
          figure.name != NULL)
        g_array_append_val (figures, figure);
    }
  return g_steal_pointer (&figures);
}
