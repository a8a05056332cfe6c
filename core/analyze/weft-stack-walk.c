/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-stack-walk.h"

/* Frames that one answer looks at. Sound recordings bound the depth of stacks. */
#define MAX_STEPS (G_GUINT64_CONSTANT (1) << 31)
/* How often it is asked whether the answer is wanted still. */
#define STEPS_BETWEEN_CHECKS (1u << 20)

void
weft_stack_plan_init (WeftStackPlan *self, GArray *weights)
{
  guint32 seen = 1u << WEFT_STACK_ON_CPU;

  self->n_columns = 0;
  for (guint i = 0; i < weights->len; i++)
    seen |= 1u << g_array_index (weights, WeftStackWeight, i).state;
  for (guint i = 0; i < WEFT_N_STACK_STATES; i++)
    self->columns[i] = (seen >> i & 1) ? (gint8) self->n_columns++ : -1;
}

/* ---- Walking ---- */

typedef struct
{
  const WeftAnalysisScope *scope;
  const WeftCallchainReader *callchains;
  const WeftFrameNames *names;
  GArray *found; /* element type guint32 */
  guint64 n_steps;
  guint64 next_check;
} Walk;

static gboolean
check_steps (Walk *self, GError **error)
{
  if (self->n_steps < self->next_check)
    return TRUE;
  self->next_check = self->n_steps + STEPS_BETWEEN_CHECKS;
  if (self->n_steps > MAX_STEPS)
    {
      g_set_error (
          error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
          "The stacks of the recording are too deep and too many; ask for a range, or with "
          "a filter");
      return FALSE;
    }
  return !g_cancellable_set_error_if_cancelled (self->scope->cancellable, error);
}

static gboolean
find_names (Walk *self, guint32 node, GError **error)
{
  g_array_set_size (self->found, 0);
  if (node == 0)
    g_array_append_vals (self->found, &(guint32){ WEFT_FRAME_NAME_NO_STACK }, 1);
  for (; node != 0; node = weft_callchain_reader_get_parent (self->callchains, node))
    {
      const WeftFramePlace *places;
      guint n = weft_frame_names_get_places (
          self->names, weft_callchain_reader_get_frame (self->callchains, node), &places);

      self->n_steps += 1 + n;
      while (n-- > 0)
        g_array_append_val (self->found, places[n].name);
      if (!check_steps (self, error))
        return FALSE;
    }
  return TRUE;
}

/* Adds up the weights of one stack, from FIRST on; returns the first that is of another. */
static guint
add_states (GArray *weights, guint first, const WeftStackPlan *plan, WeftStackFigure *figures,
            gboolean *has_any)
{
  guint32 node = g_array_index (weights, WeftStackWeight, first).node;
  guint i = first;

  *has_any = FALSE;
  for (guint c = 0; c < plan->n_columns; c++)
    figures[c] = (WeftStackFigure){ 0, 0 };
  for (; i < weights->len && g_array_index (weights, WeftStackWeight, i).node == node; i++)
    {
      const WeftStackWeight *weight = &g_array_index (weights, WeftStackWeight, i);
      gint8 column = plan->columns[weight->state];

      if (column < 0)
        continue;
      figures[column].count += weight->count;
      figures[column].time += weight->time;
      *has_any = TRUE;
    }
  return i;
}

gboolean
weft_stack_walk (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                 const WeftFrameNames *names, GArray *weights, const WeftStackPlan *plan,
                 WeftStackWalkFunc func, gpointer data, GError **error)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (guint32));
  Walk self = { scope, callchains, names, found, 0, STEPS_BETWEEN_CHECKS };
  WeftStackFigure figures[WEFT_N_STACK_STATES];
  gboolean has_any;

  for (guint i = 0; i < weights->len;)
    {
      guint32 node = g_array_index (weights, WeftStackWeight, i).node;

      i = add_states (weights, i, plan, figures, &has_any);
      if (!has_any)
        continue;
      if (!find_names (&self, node, error))
        return FALSE;
      if (found->len > 0)
        func ((const guint32 *) (gconstpointer) found->data, found->len, figures, data);
    }
  return TRUE;
}

/* ---- By name ---- */

typedef struct
{
  WeftStackSums *sums;
  guint n_columns;
  guint32 *seen; /* by name: the last stack that it was on */
  guint32 stack;
} Adder;

static void
add (const Adder *self, WeftStackFigure *by_name, guint32 name, const WeftStackFigure *figures)
{
  WeftStackFigure *to = by_name + (gsize) name * self->n_columns;

  for (guint c = 0; c < self->n_columns; c++)
    {
      to[c].count += figures[c].count;
      to[c].time += figures[c].time;
    }
}

static void
take_stack (const guint32 *names, guint n, const WeftStackFigure *figures, gpointer data)
{
  Adder *self = data;

  self->stack++;
  add (self, self->sums->selves, names[0], figures);
  for (guint i = 0; i < n; i++)
    if (self->seen[names[i]] != self->stack)
      {
        self->seen[names[i]] = self->stack;
        add (self, self->sums->totals, names[i], figures);
      }
}

gboolean
weft_stack_sums_init (WeftStackSums *self, const WeftAnalysisScope *scope,
                      const WeftCallchainReader *callchains, const WeftFrameNames *names,
                      GArray *weights, const WeftStackPlan *plan, GError **error)
{
  gsize n = (gsize) weft_frame_names_get_n_names (names) + 1;
  g_autofree guint32 *seen = g_new0 (guint32, n);
  Adder adder = { self, plan->n_columns, seen, 0 };

  self->selves = g_new0 (WeftStackFigure, n * plan->n_columns);
  self->totals = g_new0 (WeftStackFigure, n * plan->n_columns);
  return weft_stack_walk (scope, callchains, names, weights, plan, take_stack, &adder, error);
}

void
weft_stack_sums_clear (WeftStackSums *self)
{
  g_free (self->selves);
  g_free (self->totals);
}
