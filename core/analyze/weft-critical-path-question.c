/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where a path ends, and where it begins. */

#include <string.h>

#include "weft-analysis-scope.h"
#include "weft-answer.h"
#include "weft-critical-path-answer.h"
#include "weft-row-cursor.h"

/* From when to when the answer reaches where it is not said. */
static void
set_range (WeftPathAnswer *self, gint64 begin, gint64 end)
{
  WeftPathQuestion *question = &self->question;

  if (self->scope->begin == G_MININT64)
    question->begin = begin;
  if (self->scope->end == G_MAXINT64)
    question->end = end;
  question->begin = weft_path_bound_time (question->begin);
  question->end = weft_path_bound_time (MAX (question->begin, question->end));
}

static gboolean
ask_thread (WeftPathAnswer *self, guint64 id, GError **error)
{
  const WeftPathThread *thread;

  self->question.thread = weft_path_history_find_thread (&self->history, (guint32) id);
  if (self->question.thread == WEFT_PATH_NONE)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
                   "Nothing is known of what t-%" G_GUINT64_FORMAT
                   " did: it was not watched, and waited for no target work. “weft threads” lists "
                   "those that were",
                   id);
      return FALSE;
    }
  thread = weft_path_thread (&self->history, self->question.thread);
  if (thread->has_life)
    set_range (self, MAX (thread->born, self->question.begin),
               MIN (thread->died, self->question.end));
  else
    set_range (self, self->question.begin, self->question.end);
  return TRUE;
}

static gboolean
ask_dispatch (WeftPathAnswer *self, guint64 id, GError **error)
{
  gint64 end;

  self->question.dispatch = weft_path_history_find_dispatch (&self->history, id);
  if (self->question.dispatch == WEFT_PATH_NONE)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE,
                   "d-%" G_GUINT64_FORMAT " began after the range that was asked for", id);
      return FALSE;
    }
  end = weft_path_dispatch (&self->history, self->question.dispatch)->end;
  /* After its end it has no part in anything. */
  self->question.end = MIN (self->question.end, end);
  set_range (self, self->question.begin, self->question.end);
  return TRUE;
}

/* The dispatch of a trace that ended last, by END. */
static guint32
find_last_of_trace (const WeftPathHistory *history, guint64 trace, gint64 end)
{
  guint32 last = WEFT_PATH_NONE;

  for (guint32 i = 0; i < history->dispatches->len; i++)
    {
      const WeftPathDispatch *dispatch = weft_path_dispatch (history, i);

      if (dispatch->trace == trace && dispatch->end <= end &&
          (last == WEFT_PATH_NONE || dispatch->end > weft_path_dispatch (history, last)->end))
        last = i;
    }
  return last;
}

/* The thread that waited for it, and knew of its end before END. */
static guint32
find_waiter (const WeftPathHistory *history, guint32 dispatch, gint64 end)
{
  for (guint32 i = history->zones->len; i-- > 0;)
    {
      const WeftPathZone *zone = weft_path_zone (history, i);

      if (zone->dispatch == dispatch && zone->is_proven && zone->end <= end)
        return zone->thread;
    }
  return WEFT_PATH_NONE;
}

static gboolean
ask_trace (WeftPathAnswer *self, guint64 id, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_TRACES);
  WeftPathQuestion *question = &self->question;
  gint64 begin = question->begin;
  gint64 end = question->end;

  if (weft_row_cursor_seek (rows, id) && weft_row_cursor_has (rows, WEFT_TRACES_START))
    {
      begin = weft_row_cursor_get_signed (rows, WEFT_TRACES_START);
      if (weft_row_cursor_has (rows, WEFT_TRACES_DURATION))
        end = weft_time_after (begin, weft_row_cursor_get (rows, WEFT_TRACES_DURATION));
    }
  if (!weft_row_cursor_finish (rows, error))
    return FALSE;
  set_range (self, begin, end);
  question->dispatch = find_last_of_trace (&self->history, id, question->end);
  if (question->dispatch == WEFT_PATH_NONE)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
                   "No dispatch of tr-%" G_GUINT64_FORMAT " ended before it: there is no way back "
                   "from its end",
                   id);
      return FALSE;
    }
  question->thread = find_waiter (&self->history, question->dispatch, question->end);
  if (question->thread != WEFT_PATH_NONE)
    question->dispatch = WEFT_PATH_NONE;
  return TRUE;
}

/* ---- Without a handle ---- */

static gboolean
has_part (const WeftPathThread *thread, const WeftPathQuestion *question)
{
  return thread->has_life && thread->born < question->end && thread->died > question->begin;
}

/* The first thread of the first process, if it was there; else the one that was seen last. */
static guint32
choose_thread (const WeftPathAnswer *self)
{
  guint32 chosen = WEFT_PATH_NONE;
  guint32 first_process = G_MAXUINT32;
  gint64 last = G_MININT64;

  for (guint32 i = 0; i < self->history.threads->len; i++)
    {
      const WeftPathThread *thread = weft_path_thread (&self->history, i);
      const WeftCatalogThread *row = weft_catalog_get_thread (self->stacks.catalog, thread->id);
      const WeftCatalogProcess *process =
          row != NULL ? weft_catalog_get_process (self->stacks.catalog, row->process) : NULL;

      if (process == NULL || row->tid != process->pid || row->process >= first_process ||
          !has_part (thread, &self->question))
        continue;
      first_process = row->process;
      chosen = i;
    }
  for (guint32 i = 0; chosen == WEFT_PATH_NONE && i < self->history.zones->len; i++)
    last = MAX (last, weft_path_zone (&self->history, i)->end);
  for (guint32 i = 0; chosen == WEFT_PATH_NONE && i < self->history.zones->len; i++)
    if (weft_path_zone (&self->history, i)->end == last)
      chosen = weft_path_zone (&self->history, i)->thread;
  return chosen;
}

static gboolean
ask_range (WeftPathAnswer *self, GError **error)
{
  guint32 thread = choose_thread (self);

  if (thread != WEFT_PATH_NONE)
    return ask_thread (self, weft_path_thread (&self->history, thread)->id, error);
  self->question.thread = WEFT_PATH_NONE;
  return TRUE;
}

/* ---- Handles and names ---- */

/* Threads may be called by their names or numbers, where these are one's only. */
static gboolean
find_thread_by_name (WeftPathAnswer *self, const char *name, guint64 *id, GError **error)
{
  g_autoptr (GString) others = g_string_new (NULL);
  guint n = 0;

  for (guint i = 0; i < weft_catalog_get_n_threads (self->stacks.catalog); i++)
    {
      const WeftCatalogThread *thread = weft_catalog_get_nth_thread (self->stacks.catalog, i);
      g_autofree char *number = g_strdup_printf ("%u", thread->tid);

      if (g_strcmp0 (thread->name, name) != 0 && strcmp (number, name) != 0)
        continue;
      *id = thread->id;
      if (n++ < 10)
        g_string_append_printf (others, "%s t-%u", n > 1 ? "," : "", thread->id);
    }
  if (n == 1)
    return TRUE;
  if (n == 0)
    g_set_error (
        error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
        "“%s” is not the handle of a thread (t-1), dispatch (d-1) or trace (tr-1), nor the "
        "name or number of a thread",
        name);
  else
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
                 "%u threads are called “%s”; say which by its handle:%s%s", n, name, others->str,
                 n > 10 ? ", …" : "");
  return FALSE;
}

static gboolean
looks_like_handle (const char *text)
{
  const char *dash = strchr (text, '-');

  return dash != NULL && dash > text && dash[1] != '\0' &&
         strspn (dash + 1, "0123456789") == strlen (dash + 1);
}

static gboolean
ask_object (WeftPathAnswer *self, GError **error)
{
  static const WeftTableId tables[] = { WEFT_TABLE_THREADS, WEFT_TABLE_DISPATCHES,
                                        WEFT_TABLE_TRACES };
  WeftTableId table = WEFT_TABLE_THREADS;
  guint64 id;

  if (looks_like_handle (self->scope->handle)
          ? !weft_answer_find_object (self->scope, tables, G_N_ELEMENTS (tables), &table, &id,
                                      error)
          : !find_thread_by_name (self, self->scope->handle, &id, error))
    return FALSE;
  if (table == WEFT_TABLE_DISPATCHES)
    return ask_dispatch (self, id, error);
  return table == WEFT_TABLE_TRACES ? ask_trace (self, id, error) : ask_thread (self, id, error);
}

gboolean
weft_path_answer_find_question (WeftPathAnswer *self, GError **error)
{
  WeftPathQuestion *question = &self->question;

  *question = (WeftPathQuestion){ .history = &self->history,
                                  .cancellable = self->scope->cancellable,
                                  .is_approximate = g_strcmp0 (self->hints.sampler, "ptrace") == 0,
                                  .thread = WEFT_PATH_NONE,
                                  .dispatch = WEFT_PATH_NONE };
  if (!weft_scope_find_range (self->scope, &question->begin, &question->end, error))
    return FALSE;
  question->begin = weft_path_bound_time (question->begin);
  question->end = weft_path_bound_time (question->end);
  if (self->scope->handle != NULL)
    return ask_object (self, error);
  /* Off-CPU time is that of all threads. */
  return g_strcmp0 (self->scope->mode, "off-cpu") == 0 || ask_range (self, error);
}
