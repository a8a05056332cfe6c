/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-filter-private.h"

#include <string.h>

/*
 * What a regular expression may cost on one name: steps, and memory in KiB. The last setting of a
 * limit counts, so an empty group follows: behind it a pattern cannot set any. The just-in-time
 * compiler is not asked for, because its stack gives out on long names where nothing else would.
 */
#define REGEX_LIMITS "(*LIMIT_MATCH=200000)(*LIMIT_DEPTH=20000)(*LIMIT_HEAP=16384)(?:)"

WeftFilterMatch *
weft_filter_match_new (WeftFilterMatchKind kind, const char *text)
{
  WeftFilterMatch *self = g_new0 (WeftFilterMatch, 1);

  self->kind = kind;
  self->text = g_strdup (text);
  self->folded = g_utf8_casefold (text, -1);
  return self;
}

WeftFilterMatch *
weft_filter_match_new_handle (int table, guint64 id)
{
  WeftFilterMatch *self = g_new0 (WeftFilterMatch, 1);

  self->kind = WEFT_FILTER_MATCH_HANDLE;
  self->table = table;
  self->id = id;
  return self;
}

WeftFilterMatch *
weft_filter_match_new_range (const WeftFilterRange *range)
{
  WeftFilterMatch *self = g_new0 (WeftFilterMatch, 1);

  self->kind = WEFT_FILTER_MATCH_RANGE;
  self->range = *range;
  return self;
}

WeftFilterMatch *
weft_filter_match_new_test (WeftFilterTest test, gconstpointer data)
{
  WeftFilterMatch *self = g_new0 (WeftFilterMatch, 1);

  self->kind = WEFT_FILTER_MATCH_TEST;
  self->test = test;
  self->test_data = data;
  return self;
}

/* GRegex tells the place in words only: “… PATTERN … CHARACTER: REASON”, translated. */
static void
read_complaint (const char *complaint, const char *pattern, gsize *offset, char **reason)
{
  const char *behind = strstr (complaint, pattern);
  const char *colon;
  guint64 character = 0;

  behind = behind != NULL ? behind + strlen (pattern) : complaint;
  colon = strstr (behind, ": ");
  *reason = g_strdup (colon != NULL ? colon + 2 : complaint);
  while (*behind != '\0' && !g_ascii_isdigit (*behind))
    behind++;
  if (*behind != '\0')
    character = g_ascii_strtoull (behind, NULL, 10);
  character = MIN (character, (guint64) g_utf8_strlen (pattern, -1));
  *offset = (gsize) (g_utf8_offset_to_pointer (pattern, (glong) character) - pattern);
}

WeftFilterMatch *
weft_filter_match_new_regex (const char *pattern, gboolean ignore_case, gsize *error_offset,
                             char **error_message)
{
  g_autofree char *limited = g_strconcat (REGEX_LIMITS, pattern, NULL);
  GRegexCompileFlags flags = ignore_case ? G_REGEX_CASELESS : 0;
  g_autoptr (GError) error = NULL;
  GRegex *regex = g_regex_new (limited, flags, 0, &error);
  WeftFilterMatch *self;

  if (regex == NULL)
    {
      gsize offset;

      read_complaint (error->message, limited, &offset, error_message);
      *error_offset = offset > strlen (REGEX_LIMITS) ? offset - strlen (REGEX_LIMITS) : 0;
      return NULL;
    }
  self = g_new0 (WeftFilterMatch, 1);
  self->kind = WEFT_FILTER_MATCH_REGEX;
  self->text = g_strdup (pattern);
  self->ignore_case = ignore_case;
  self->regex = regex;
  return self;
}

void
weft_filter_match_free (WeftFilterMatch *self)
{
  g_free (self->text);
  g_free (self->folded);
  g_clear_pointer (&self->regex, g_regex_unref);
  g_free (self);
}

/* Whether the character of PATTERN at *AT fits the one at TEXT; moves *AT behind it. */
static gboolean
fits_one (const char **at, const char *text)
{
  gboolean any = **at == '?';

  if (**at == '\\')
    ++*at;
  if (!any && g_utf8_get_char (*at) != g_utf8_get_char (text))
    return FALSE;
  *at = g_utf8_next_char (*at);
  return TRUE;
}

/* Only the last star is ever tried anew, so the time is bounded by the product of the lengths. */
static gboolean
fits_glob (const char *pattern, const char *text)
{
  const char *star = NULL;
  const char *from = NULL;

  while (*text != '\0')
    {
      if (*pattern == '*')
        {
          star = ++pattern;
          from = text;
        }
      else if (*pattern != '\0' && fits_one (&pattern, text))
        text = g_utf8_next_char (text);
      else if (star != NULL)
        {
          pattern = star;
          from = g_utf8_next_char (from);
          text = from;
        }
      else
        return FALSE;
    }
  while (*pattern == '*')
    pattern++;
  return *pattern == '\0';
}

static gboolean
fits_regex (const WeftFilterMatch *self, const char *text, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean fits = g_regex_match_full (self->regex, text, -1, 0, 0, NULL, &failure);

  if (failure != NULL)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER,
                 "the regular expression /%s/ takes too many steps; nested repetitions such as "
                 "(a+)+ make it so",
                 self->text);
  return fits;
}

gboolean
weft_filter_match_text (const WeftFilterMatch *self, const char *text, GError **error)
{
  g_autofree char *folded = NULL;

  g_return_val_if_fail (text != NULL, FALSE);

  if (self->kind == WEFT_FILTER_MATCH_REGEX)
    return fits_regex (self, text, error);
  if (self->kind == WEFT_FILTER_MATCH_TEST)
    return self->test (text, self->test_data);
  if (self->folded == NULL)
    return FALSE;
  folded = g_utf8_casefold (text, -1);
  switch (self->kind)
    {
    case WEFT_FILTER_MATCH_WORD:
      return strcmp (folded, self->folded) == 0;
    case WEFT_FILTER_MATCH_GLOB:
      return fits_glob (self->folded, folded);
    default:
      return strstr (folded, self->folded) != NULL;
    }
}
