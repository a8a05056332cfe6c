/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-dispatch-names.h"

#include "weft-analysis-scope.h"

gboolean
weft_dispatch_names_init (WeftDispatchNames *self, const WeftAnalysisScope *scope, GError **error)
{
  self->dispatches = NULL;
  self->catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  if (self->catalog == NULL)
    return FALSE;
  self->dispatches = weft_row_cursor_new (scope, WEFT_TABLE_DISPATCHES);
  return TRUE;
}

void
weft_dispatch_names_clear (WeftDispatchNames *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->dispatches, weft_row_cursor_free);
}

gboolean
weft_dispatch_names_seek (WeftDispatchNames *self, guint64 id)
{
  return id != 0 && weft_row_cursor_seek (self->dispatches, id);
}

gint64
weft_dispatch_names_get_start (WeftDispatchNames *self)
{
  return weft_row_cursor_get_signed (self->dispatches, WEFT_DISPATCHES_START);
}

gint64
weft_dispatch_names_get_end (WeftDispatchNames *self)
{
  return weft_time_after (weft_dispatch_names_get_start (self),
                          weft_row_cursor_get (self->dispatches, WEFT_DISPATCHES_DURATION));
}

const char *
weft_dispatch_names_get_name (WeftDispatchNames *self)
{
  const char *label = weft_row_cursor_get_string (self->dispatches, WEFT_DISPATCHES_LABEL);

  if (label != NULL)
    return label;
  return weft_catalog_get_routine_name (
      self->catalog, (guint32) weft_row_cursor_get (self->dispatches, WEFT_DISPATCHES_ROUTINE));
}

void
weft_dispatch_names_set (WeftDispatchNames *self, WeftTableBuilder *builder, guint first_column)
{
  guint64 lane = weft_row_cursor_get (self->dispatches, WEFT_DISPATCHES_LANE);

  weft_table_builder_set_string (builder, first_column, weft_dispatch_names_get_name (self));
  weft_table_builder_set_uint64 (builder, first_column + 1, lane);
  weft_table_builder_set_string (builder, first_column + 2,
                                 weft_catalog_get_lane_name (self->catalog, (guint32) lane));
}
