/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-ranking.h"

#include <string.h>

struct _WeftRanking
{
  char *question; /* whatever must be as it was for a cursor to hold */
  gboolean ascending;
  guint limit; /* 0: none */
  gboolean has_after;
  WeftRank after;  /* the last row of the page before */
  GArray *ranks;   /* element type WeftRank; with a limit a heap of limit + 1, the last on top */
  guint64 n_added; /* before and after the cursor */
  gboolean is_cut;
};

static int
compare (const WeftRanking *self, const WeftRank *a, const WeftRank *b)
{
  if (a->key != b->key)
    return (a->key < b->key) == self->ascending ? -1 : 1;
  return a->id < b->id ? -1 : a->id > b->id;
}

static char *
print_cursor (WeftRanking *self, const WeftRank *last)
{
  return g_strdup_printf ("%s:%" G_GINT64_FORMAT ":%" G_GUINT64_FORMAT, self->question, last->key,
                          last->id);
}

static gboolean
parse_cursor (WeftRanking *self, const char *cursor)
{
  gsize length = strlen (self->question);
  g_auto (GStrv) parts = NULL;

  if (strncmp (cursor, self->question, length) != 0 || cursor[length] != ':')
    return FALSE;
  parts = g_strsplit (cursor + length + 1, ":", -1);
  return g_strv_length (parts) == 2 &&
         g_ascii_string_to_signed (parts[0], 10, G_MININT64, G_MAXINT64, &self->after.key, NULL) &&
         g_ascii_string_to_unsigned (parts[1], 10, 0, G_MAXUINT64, &self->after.id, NULL);
}

WeftRanking *
weft_ranking_new (const WeftAnalysisScope *scope, const char *kind, gboolean ascending,
                  GError **error)
{
  g_autoptr (WeftRanking) self = g_new0 (WeftRanking, 1);

  self->question = g_strdup_printf ("%s:%s:%s", kind, scope->group_by ? scope->group_by : "",
                                    scope->order_by ? scope->order_by : "");
  self->ascending = ascending;
  self->limit = scope->limit;
  self->ranks = g_array_new (FALSE, FALSE, sizeof (WeftRank));
  self->has_after = scope->cursor != NULL;
  if (scope->cursor != NULL && !parse_cursor (self, scope->cursor))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_CURSOR,
                   "“%s” does not continue this question", scope->cursor);
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
weft_ranking_free (WeftRanking *self)
{
  g_free (self->question);
  g_array_unref (self->ranks);
  g_free (self);
}

static WeftRank *
get_rank (WeftRanking *self, guint position)
{
  return &g_array_index (self->ranks, WeftRank, position);
}

static void
swap (WeftRanking *self, guint a, guint b)
{
  WeftRank kept = *get_rank (self, a);

  *get_rank (self, a) = *get_rank (self, b);
  *get_rank (self, b) = kept;
}

static void
sift_up (WeftRanking *self, guint position)
{
  while (position > 0 &&
         compare (self, get_rank (self, position), get_rank (self, (position - 1) / 2)) > 0)
    {
      swap (self, position, (position - 1) / 2);
      position = (position - 1) / 2;
    }
}

static void
sift_down (WeftRanking *self)
{
  guint position = 0;

  for (;;)
    {
      guint last = position;

      for (guint child = 2 * position + 1; child <= 2 * position + 2; child++)
        if (child < self->ranks->len &&
            compare (self, get_rank (self, child), get_rank (self, last)) > 0)
          last = child;
      if (last == position)
        return;
      swap (self, position, last);
      position = last;
    }
}

void
weft_ranking_add (WeftRanking *self, gint64 key, guint64 id, gpointer data)
{
  const WeftRank rank = { key, id, data };

  self->n_added++;
  if (self->has_after && compare (self, &rank, &self->after) <= 0)
    return;
  if (self->limit == 0 || self->ranks->len <= self->limit)
    {
      g_array_append_val (self->ranks, rank);
      if (self->limit != 0)
        sift_up (self, self->ranks->len - 1);
    }
  else if (compare (self, &rank, get_rank (self, 0)) < 0)
    {
      *get_rank (self, 0) = rank;
      sift_down (self);
    }
}

gint64
weft_rank_key (guint64 value)
{
  return (gint64) MIN (value, (guint64) G_MAXINT64);
}

static int
compare_ranks (gconstpointer a, gconstpointer b, gpointer self)
{
  return compare (self, a, b);
}

guint
weft_ranking_finish (WeftRanking *self)
{
  g_array_sort_with_data (self->ranks, compare_ranks, self);
  if (self->limit != 0 && self->ranks->len > self->limit)
    {
      self->is_cut = TRUE;
      g_array_set_size (self->ranks, self->limit);
    }
  return self->ranks->len;
}

const WeftRank *
weft_ranking_get (WeftRanking *self, guint position)
{
  return get_rank (self, position);
}

gboolean
weft_ranking_is_empty (WeftRanking *self)
{
  return self->n_added == 0;
}

void
weft_ranking_set_cursor (WeftRanking *self, WeftTableBuilder *builder)
{
  g_autofree char *cursor = NULL;

  if (!self->is_cut)
    return;
  cursor = print_cursor (self, get_rank (self, self->ranks->len - 1));
  weft_table_builder_set_cursor (builder, cursor);
}
