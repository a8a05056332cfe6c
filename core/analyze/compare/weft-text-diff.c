/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-text-diff.h"

#include <string.h>

/* Texts are others': these bound the time and the memory that they can cost. */
#define MAX_LINES 20000
#define MAX_CHANGES 1000
#define N_AROUND 3

/* The way of fewest changes from one text to the other, by Myers: TRACE has, for each number of
 * changes, how far along each diagonal one comes.
 */
typedef struct
{
  char **a;
  char **b;
  int n_a;
  int n_b;
  GPtrArray *trace; /* int[2 · changes + 1] */
} Diff;

typedef struct
{
  char mark; /* ' ', '-' or '+' */
  int a;     /* line of each text, from 0 */
  int b;
} Step;

static int
follow (const Diff *self, int x, int k)
{
  while (x < self->n_a && x - k < self->n_b && strcmp (self->a[x], self->b[x - k]) == 0)
    x++;
  return x;
}

/* Where diagonal K is reached with CHANGES changes, given how far those around it came before. */
static int
advance (const int *last, int changes, int k)
{
  /* LAST has the diagonals from 1 − CHANGES to CHANGES − 1. */
  int below = k > 1 - changes ? last[k - 1 + changes - 1] + 1 : -1;
  int above = k < changes - 1 ? last[k + 1 + changes - 1] : -1;

  return MAX (below, above);
}

static gboolean
search (Diff *self)
{
  for (int changes = 0; changes <= MAX_CHANGES; changes++)
    {
      int *reached = g_new (int, 2 * (gsize) changes + 1);
      const int *last = changes > 0 ? g_ptr_array_index (self->trace, (guint) changes - 1) : NULL;

      g_ptr_array_add (self->trace, reached);
      for (int k = -changes; k <= changes; k++)
        {
          int x = changes == 0 ? 0 : (k - changes) % 2 != 0 ? -2 : advance (last, changes, k);

          reached[k + changes] =
              x < 0 || x > self->n_a || x - k > self->n_b || x < k ? -2 : follow (self, x, k);
          if (reached[k + changes] == self->n_a && self->n_a - k == self->n_b)
            return TRUE;
        }
    }
  return FALSE;
}

/* Element type Step, from the last to the first. */
static GArray *
walk_back (const Diff *self)
{
  GArray *steps = g_array_new (FALSE, FALSE, sizeof (Step));
  int x = self->n_a, y = self->n_b;

  for (int changes = (int) self->trace->len - 1; changes >= 0; changes--)
    {
      const int *last = changes > 0 ? g_ptr_array_index (self->trace, (guint) changes - 1) : NULL;
      int k = x - y;
      int begin = changes > 0 ? advance (last, changes, k) : 0;
      /* Of two ways alike, the one that has what goes before what comes. */
      gboolean is_removal = changes > 0 && !(k < changes - 1 && last[k + 1 + changes - 1] == begin);

      for (; x > begin; x--, y--)
        g_array_append_vals (steps, &(Step){ ' ', x - 1, y - 1 }, 1);
      if (changes == 0)
        break;
      if (is_removal)
        x--;
      else
        y--;
      g_array_append_vals (steps, &(Step){ is_removal ? '-' : '+', x, y }, 1);
    }
  return steps;
}

/* ---- Writing ---- */

static const Step *
get_step (GArray *steps, guint i)
{
  return &g_array_index (steps, Step, steps->len - 1 - i);
}

/* The end of the hunk that begins with the change at I: behind the lines around its last change. */
static guint
find_hunk_end (GArray *steps, guint i)
{
  guint last = i;

  for (; i < steps->len && i - last <= 2 * N_AROUND; i++)
    if (get_step (steps, i)->mark != ' ')
      last = i;
  return MIN (last + 1 + N_AROUND, steps->len);
}

static void
write_hunk (const Diff *self, GArray *steps, guint begin, guint end, GString *text)
{
  guint n[2] = { 0 };

  for (guint i = begin; i < end; i++)
    {
      n[0] += get_step (steps, i)->mark != '+';
      n[1] += get_step (steps, i)->mark != '-';
    }
  g_string_append_printf (text, "@@ -%d,%u +%d,%u @@\n", get_step (steps, begin)->a + 1, n[0],
                          get_step (steps, begin)->b + 1, n[1]);
  for (guint i = begin; i < end; i++)
    {
      const Step *step = get_step (steps, i);

      g_string_append_printf (text, "%c%s\n", step->mark,
                              step->mark == '+' ? self->b[step->b] : self->a[step->a]);
    }
}

static char *
write_diff (const Diff *self, GArray *steps)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < steps->len; i++)
    if (get_step (steps, i)->mark != ' ')
      {
        guint end = find_hunk_end (steps, i);

        write_hunk (self, steps, i - MIN (i, N_AROUND), end, text);
        i = end - 1;
      }
  return g_string_free (text, FALSE);
}

char *
weft_text_diff (const char *before, const char *after)
{
  g_auto (GStrv) a = g_strsplit (before, "\n", -1);
  g_auto (GStrv) b = g_strsplit (after, "\n", -1);
  g_autoptr (GPtrArray) trace = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) steps = NULL;
  guint n[] = { g_strv_length (a), g_strv_length (b) };
  Diff self = { a, b, (int) MIN (n[0], MAX_LINES), (int) MIN (n[1], MAX_LINES), trace };

  if (MAX (n[0], n[1]) > MAX_LINES || !search (&self))
    return NULL;
  steps = walk_back (&self);
  return write_diff (&self, steps);
}
