/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-name-patterns.h"

#include <string.h>

struct _WeftNamePatterns
{
  GPtrArray *matches; /* element type WeftFilterMatch */
};

static WeftFilterMatch *
parse_regex (const char *text, GError **error)
{
  gboolean ignore_case = g_str_has_suffix (text, "/i");
  g_autofree char *pattern = g_strndup (text + 1, strlen (text) - (ignore_case ? 3 : 2));
  g_autofree char *reason = NULL;
  gsize offset = 0;
  WeftFilterMatch *match = weft_filter_match_new_regex (pattern, ignore_case, &offset, &reason);

  if (match == NULL)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                 "“%s” is no regular expression: %s at character %" G_GSIZE_FORMAT, text, reason,
                 offset + 1);
  return match;
}

static gboolean
is_regex (const char *text)
{
  return text[0] == '/' && strlen (text) > 2 &&
         (g_str_has_suffix (text, "/") || (strlen (text) > 3 && g_str_has_suffix (text, "/i")));
}

static WeftFilterMatch *
parse (const char *text, GError **error)
{
  if (*text == '\0' || !g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "A name, a pattern such as std::*, ~part of a name or a /regular expression/ is "
                   "expected");
      return NULL;
    }
  if (is_regex (text))
    return parse_regex (text, error);
  if (text[0] == '~' && text[1] != '\0')
    return weft_filter_match_new (WEFT_FILTER_MATCH_CONTAINS, text + 1);
  return weft_filter_match_new (
      strpbrk (text, "*?\\") != NULL ? WEFT_FILTER_MATCH_GLOB : WEFT_FILTER_MATCH_WORD, text);
}

static void
match_free (gpointer data)
{
  weft_filter_match_free (data);
}

WeftNamePatterns *
weft_name_patterns_new (const char *const *texts, GError **error)
{
  g_autoptr (WeftNamePatterns) self = g_new0 (WeftNamePatterns, 1);

  self->matches = g_ptr_array_new_with_free_func (match_free);
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      WeftFilterMatch *match = parse (texts[i], error);

      if (match == NULL)
        return NULL;
      g_ptr_array_add (self->matches, match);
    }
  return g_steal_pointer (&self);
}

void
weft_name_patterns_free (WeftNamePatterns *self)
{
  g_ptr_array_unref (self->matches);
  g_free (self);
}

gboolean
weft_name_patterns_is_empty (const WeftNamePatterns *self)
{
  return self->matches->len == 0;
}

gboolean
weft_name_patterns_match (const WeftNamePatterns *self, const char *name, gboolean *matches,
                          GError **error)
{
  *matches = FALSE;
  for (guint i = 0; i < self->matches->len && !*matches; i++)
    {
      g_autoptr (GError) failure = NULL;

      *matches = weft_filter_match_text (g_ptr_array_index (self->matches, i), name, &failure);
      if (failure != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
    }
  return TRUE;
}
