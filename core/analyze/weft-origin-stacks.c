/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-origin-stacks.h"

#include <string.h>

/* Functions of a stack that are told. */
#define MAX_FUNCTIONS 16
/* Functions of the producer library, and of headers over it, which the one that reports calls. */
#define REPORTING "weft_"
/* Libraries that instruments have programs load: what reports there stands in front of another. */
#define INSTRUMENTS "libweft-"

gboolean
weft_origin_stacks_init (WeftOriginStacks *self, const WeftAnalysisScope *scope, GError **error)
{
  static const WeftFrameNamesOptions options = { .inlines = TRUE };

  self->stacks = weft_row_cursor_new (scope, WEFT_TABLE_STACKS);
  self->samples = weft_row_cursor_new (scope, WEFT_TABLE_SAMPLES);
  self->callchains = weft_callchain_reader_new (scope, error);
  if (self->callchains == NULL)
    return FALSE;
  self->names = weft_frame_names_new (scope, self->callchains, &options, error);
  return self->names != NULL;
}

void
weft_origin_stacks_clear (WeftOriginStacks *self)
{
  g_clear_pointer (&self->names, weft_frame_names_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->stacks, weft_row_cursor_free);
  g_clear_pointer (&self->samples, weft_row_cursor_free);
}

guint64
weft_origin_stacks_find (WeftOriginStacks *self, WeftRowCursor *origin)
{
  guint64 stack = weft_row_cursor_get (origin, WEFT_ORIGINS_STACK);
  guint64 sample = weft_row_cursor_get (origin, WEFT_ORIGINS_LINK_SAMPLE);
  guint64 callchain = weft_row_cursor_get (origin, WEFT_ORIGINS_LINK_CALLCHAIN);

  if (callchain != 0)
    return callchain;
  switch (weft_row_cursor_get (origin, WEFT_ORIGINS_LINK_STATUS))
    {
    case WEFT_LINK_STATUS_LINKED_EXACT:
      return stack != 0 && weft_row_cursor_seek (self->stacks, stack)
                 ? weft_row_cursor_get (self->stacks, WEFT_STACKS_CALLCHAIN)
                 : 0;
    case WEFT_LINK_STATUS_LINKED:
      return sample != 0 && weft_row_cursor_seek (self->samples, sample)
                 ? weft_row_cursor_get (self->samples, WEFT_SAMPLES_CALLCHAIN)
                 : 0;
    default:
      return 0;
    }
}

char *
weft_origin_stacks_describe (WeftOriginStacks *self, guint64 callchain)
{
  return weft_frame_names_describe_stack (self->names, self->callchains,
                                          weft_callchain_reader_find (self->callchains, callchain),
                                          MAX_FUNCTIONS);
}

static gboolean
is_reporting (const WeftFrameName *name)
{
  const char *slash = name->module != NULL ? strrchr (name->module, '/') : NULL;
  const char *module = slash != NULL ? slash + 1 : name->module;

  return g_str_has_prefix (name->name, REPORTING) ||
         (module != NULL && g_str_has_prefix (module, INSTRUMENTS));
}

const char *
weft_origin_stacks_get_function (WeftOriginStacks *self, guint64 callchain)
{
  guint32 node = weft_callchain_reader_find (self->callchains, callchain);

  for (; node != 0; node = weft_callchain_reader_get_parent (self->callchains, node))
    {
      const WeftFramePlace *places;
      guint n = weft_frame_names_get_places (
          self->names, weft_callchain_reader_get_frame (self->callchains, node), &places);

      while (n-- > 0)
        {
          const WeftFrameName *name = weft_frame_names_get (self->names, places[n].name);

          if (!is_reporting (name))
            return name->name;
        }
    }
  return NULL;
}

gboolean
weft_origin_stacks_finish (WeftOriginStacks *self, GError **error)
{
  return weft_row_cursor_finish (self->stacks, error) &&
         weft_row_cursor_finish (self->samples, error);
}
