/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-run.h"

#include "weft-error.h"

#define MAX_HELD (G_GUINT64_CONSTANT (4) << 30)

void
weft_run_init (WeftRun *self, WeftStore *store, GCancellable *cancellable,
               GFileProgressCallback progress, gpointer progress_data)
{
  *self = (WeftRun){
    .store = store,
    .cancellable = cancellable,
    .progress = progress,
    .progress_data = progress_data,
  };
  g_mutex_init (&self->lock);
}

void
weft_run_clear (WeftRun *self)
{
  if (self->explanation != NULL)
    g_string_free (self->explanation, TRUE);
  g_mutex_clear (&self->lock);
}

void
weft_run_expect (WeftRun *self, guint64 parts)
{
  g_mutex_lock (&self->lock);
  self->total += parts;
  g_mutex_unlock (&self->lock);
}

void
weft_run_advance (WeftRun *self, guint64 parts)
{
  if (self->progress == NULL)
    return;
  g_mutex_lock (&self->lock);
  self->done += parts;
  self->progress ((goffset) self->done, (goffset) self->total, self->progress_data);
  g_mutex_unlock (&self->lock);
}

gboolean
weft_run_check (WeftRun *self, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (self->cancellable, error);
}

gboolean
weft_run_hold (WeftRun *self, guint64 bytes, GError **error)
{
  if (__atomic_add_fetch (&self->held, bytes, __ATOMIC_RELAXED) <= MAX_HELD)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
               "The answer would need more than %d GiB of memory: set a limit, filter, or ask "
               "for a range of time",
               (int) (MAX_HELD >> 30));
  return FALSE;
}

void
weft_run_explain (WeftRun *self, const char *format, ...)
{
  va_list arguments;

  if (self->explanation == NULL)
    return;
  va_start (arguments, format);
  g_string_append_vprintf (self->explanation, format, arguments);
  va_end (arguments);
  g_string_append_c (self->explanation, '\n');
}
