/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-critical-path-what-if.h"

#include <string.h>

#include "weft-answer.h"
#include "weft-critical-path-answer.h"

#define MIN_FACTOR 0.001
#define MAX_FACTOR 1000.0
#define PREFIX "routine:"

/* ---- What is asked ---- */

static gboolean
parse_factor (const char *text, double *factor)
{
  char *rest;

  *factor = g_ascii_strtod (text, &rest);
  if (rest == text || (*rest != '\0' && strcmp (rest, "x") != 0))
    return FALSE;
  return *factor >= MIN_FACTOR && *factor <= MAX_FACTOR;
}

WeftPathWhatIf *
weft_path_what_if_new (const char *text, GError **error)
{
  const char *equals = strrchr (text, '=');
  gboolean is_whole =
      g_str_has_prefix (text, PREFIX) && equals != NULL && equals > text + strlen (PREFIX);
  WeftPathWhatIf *self;
  double factor;

  if (!is_whole || !parse_factor (equals + 1, &factor))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "“%s” is nothing that could be: write routine:NAME=2x for a routine that is "
                   "twice as fast, from 0.001x to 1000x",
                   text);
      return NULL;
    }
  self = g_new0 (WeftPathWhatIf, 1);
  self->name = g_strndup (text + strlen (PREFIX), (gsize) (equals - text) - strlen (PREFIX));
  self->factor = factor;
  if (strpbrk (self->name, "*?") != NULL)
    self->pattern = g_pattern_spec_new (self->name);
  if (g_str_has_prefix (self->name, "r-"))
    g_ascii_string_to_unsigned (self->name + 2, 10, 1, G_MAXUINT32, &self->routine, NULL);
  return self;
}

void
weft_path_what_if_free (WeftPathWhatIf *self)
{
  g_free (self->name);
  g_clear_pointer (&self->pattern, g_pattern_spec_free);
  g_free (self);
}

gboolean
weft_path_what_if_matches (const WeftPathWhatIf *self, guint64 routine, const char *name)
{
  if (self->routine != 0)
    return routine == self->routine;
  if (name == NULL)
    return FALSE;
  return self->pattern != NULL ? g_pattern_spec_match_string (self->pattern, name)
                               : strcmp (self->name, name) == 0;
}

/* ---- What would come of it ---- */

/* One for each dispatch. */
static double *
make_factors (WeftPathAnswer *self, const WeftPathWhatIf *what_if, guint64 *n_changed,
              guint64 *changed, GError **error)
{
  const GArray *dispatches = self->history.dispatches;
  g_autofree double *factors = g_new (double, dispatches->len + 1);

  *n_changed = *changed = 0;
  for (guint32 i = 0; i < dispatches->len; i++)
    {
      const WeftPathDispatch *dispatch = weft_path_dispatch (&self->history, i);
      const char *name = weft_catalog_get_routine_name (self->stacks.catalog, dispatch->routine);
      gint64 start = MAX (dispatch->start, self->question.begin);
      gint64 end = MIN (dispatch->end, self->question.end);
      gboolean matches = weft_path_what_if_matches (what_if, dispatch->routine, name);

      factors[i] = matches ? what_if->factor : 1;
      *n_changed += matches && start < end;
      *changed += matches && start < end ? (guint64) (end - start) : 0;
    }
  if (*n_changed > 0)
    return g_steal_pointer (&factors);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
               "No dispatch of a routine “%s” ran in this time while anybody waited for target "
               "work; “weft target top” lists routines",
               what_if->name);
  return NULL;
}

static const WeftAnswerColumn columns[] = {
  WEFT_ANSWER_COLUMN ("routine_name", STRING), WEFT_ANSWER_COLUMN ("factor", DOUBLE),
  WEFT_ANSWER_COLUMN ("dispatches", UINT64),   WEFT_ANSWER_COLUMN ("target_time", DURATION),
  WEFT_ANSWER_COLUMN ("wall", DURATION),       WEFT_ANSWER_COLUMN ("forecast", DURATION),
  WEFT_ANSWER_UNIT ("change", INT64, "ns"),    WEFT_ANSWER_UNIT ("share", DOUBLE, "percent"),
};

/* Where the path goes before and after: what gains takes over. */
static const WeftAnswerColumn change_columns[] = {
  WEFT_PATH_PART_COLUMNS,
  WEFT_ANSWER_COLUMN ("before", DURATION),
  WEFT_ANSWER_COLUMN ("after", DURATION),
  WEFT_ANSWER_UNIT ("change", INT64, "ns"),
};

typedef struct
{
  WeftPathPart part;
  guint64 before;
  guint64 after;
} Change;

static int
compare_changes (gconstpointer a, gconstpointer b)
{
  const Change *left = a;
  const Change *right = b;

  if (left->after != right->after)
    return left->after > right->after ? -1 : 1;
  if (left->before != right->before)
    return left->before > right->before ? -1 : 1;
  return memcmp (&left->part, &right->part, G_STRUCT_OFFSET (WeftPathPart, count));
}

static void
add_change (GArray *changes, const WeftPathPart *part, guint64 before, guint64 after)
{
  for (guint i = 0; i < changes->len; i++)
    {
      Change *change = &g_array_index (changes, Change, i);

      if (weft_path_part_is_same (&change->part, part))
        {
          change->before += before;
          change->after += after;
          return;
        }
    }
  g_array_append_vals (changes, &(Change){ *part, before, after }, 1);
}

static void
add_changes (WeftPathAnswer *self, const GArray *after, WeftReport *report)
{
  WeftTableBuilder *builder =
      weft_answer_begin_table ("takes_over", change_columns, G_N_ELEMENTS (change_columns));
  g_autoptr (GArray) changes = g_array_new (FALSE, TRUE, sizeof (Change));
  g_autoptr (GArray) old = weft_path_parts_new (&self->history, self->segments);
  g_autoptr (GArray) new = weft_path_parts_new (&self->history, after);

  for (guint i = 0; i < old->len; i++)
    add_change (changes, &g_array_index (old, WeftPathPart, i),
                g_array_index (old, WeftPathPart, i).time, 0);
  for (guint i = 0; i < new->len; i++)
    add_change (changes, &g_array_index (new, WeftPathPart, i), 0,
                g_array_index (new, WeftPathPart, i).forecast);
  g_array_sort (changes, compare_changes);
  for (guint i = 0; i < changes->len; i++)
    {
      const Change *change = &g_array_index (changes, Change, i);

      weft_table_builder_begin_row (builder);
      weft_path_part_write (self, builder, &change->part);
      weft_table_builder_set_uint64 (builder, WEFT_PATH_PART_N_COLUMNS, change->before);
      weft_table_builder_set_uint64 (builder, WEFT_PATH_PART_N_COLUMNS + 1, change->after);
      weft_table_builder_set_int64 (builder, WEFT_PATH_PART_N_COLUMNS + 2,
                                    (gint64) change->after - (gint64) change->before);
    }
  weft_answer_add_table (report, builder);
}

static void
add_forecast (WeftPathAnswer *self, const WeftPathWhatIf *what_if, guint64 n_changed,
              guint64 changed, guint64 forecast, WeftReport *report)
{
  WeftTableBuilder *builder = weft_answer_begin_table ("what_if", columns, G_N_ELEMENTS (columns));

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, 0, what_if->name);
  weft_table_builder_set_double (builder, 1, what_if->factor);
  weft_table_builder_set_uint64 (builder, 2, n_changed);
  weft_table_builder_set_uint64 (builder, 3, changed);
  weft_table_builder_set_uint64 (builder, 4, self->total);
  weft_table_builder_set_uint64 (builder, 5, forecast);
  weft_table_builder_set_int64 (builder, 6, (gint64) forecast - (gint64) self->total);
  weft_answer_set_share (builder, 7, forecast, self->total);
  weft_answer_add_table (report, builder);
}

gboolean
weft_path_answer_add_what_if (WeftPathAnswer *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftPathWhatIf) what_if = NULL;
  g_autoptr (WeftPathForecast) forecast = NULL;
  g_autofree double *factors = NULL;
  g_autoptr (GArray) segments = NULL;
  WeftPathQuestion question = self->question;
  guint64 n_changed, changed, total;

  if (self->scope->what_if == NULL)
    return TRUE;
  what_if = weft_path_what_if_new (self->scope->what_if, error);
  if (what_if == NULL)
    return FALSE;
  factors = make_factors (self, what_if, &n_changed, &changed, error);
  if (factors == NULL)
    return FALSE;
  forecast = weft_path_forecast_new (&self->history, factors, question.begin, question.end,
                                     self->scope->cancellable, error);
  question.forecast = forecast;
  segments = forecast != NULL ? weft_path_walk (&question, &total, error) : NULL;
  if (segments == NULL)
    return FALSE;
  add_forecast (self, what_if, n_changed, changed, total, report);
  add_changes (self, segments, report);
  return TRUE;
}
