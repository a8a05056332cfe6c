/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-filter-lexer.h"

#include <string.h>

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

gboolean
weft_filter_lexer_fail (WeftFilterLexer *self, const char *at, const char *format, ...)
{
  va_list arguments;

  if (self->message != NULL)
    return FALSE;
  va_start (arguments, format);
  self->message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->offset = (gsize) (at - self->text);
  return FALSE;
}

gboolean
weft_filter_lexer_init (WeftFilterLexer *self, const char *text)
{
  const char *end;

  *self = (WeftFilterLexer){ .text = text, .at = text };
  if (strnlen (text, WEFT_FILTER_MAX_BYTES + 1) > WEFT_FILTER_MAX_BYTES)
    return weft_filter_lexer_fail (self, text, "a filter has at most %d bytes; this one has more",
                                   WEFT_FILTER_MAX_BYTES);
  if (!g_utf8_validate (text, -1, &end))
    return weft_filter_lexer_fail (self, end, "this is not UTF-8; filters are UTF-8 text");
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)) && !is_blank (*at))
      return weft_filter_lexer_fail (
          self, at, "the control character U+%04X cannot stand here; write \"\\u%04x\" for it",
          g_utf8_get_char (at), g_utf8_get_char (at));
  return TRUE;
}

void
weft_filter_lexer_clear (WeftFilterLexer *self)
{
  g_clear_pointer (&self->message, g_free);
}

void
weft_filter_lexer_skip_blanks (WeftFilterLexer *self)
{
  while (is_blank (*self->at))
    self->at++;
}

static gboolean
ends_value (char c)
{
  return c == '\0' || is_blank (c) || c == ',' || c == '(' || c == ')';
}

gboolean
weft_filter_lexer_at_end_of_value (const WeftFilterLexer *self)
{
  return ends_value (*self->at);
}

static gsize
operator_at (const char *at)
{
  switch (*at)
    {
    case ':':
    case '=':
      return 1;
    case '<':
    case '>':
      return at[1] == '=' ? 2 : 1;
    case '!':
      return at[1] == '=' ? 2 : 0;
    default:
      return 0;
    }
}

gsize
weft_filter_lexer_operator (const WeftFilterLexer *self)
{
  return operator_at (self->at);
}

gboolean
weft_filter_lexer_at_keyword (const WeftFilterLexer *self, const char *word)
{
  gsize length = strlen (word);

  return g_ascii_strncasecmp (self->at, word, length) == 0 && ends_value (self->at[length]) &&
         self->at[length] != ',';
}

/* ---- Words ---- */

void
weft_filter_bare_word_clear (WeftFilterBareWord *word)
{
  g_clear_pointer (&word->literal, g_free);
  g_clear_pointer (&word->pattern, g_free);
}

static gboolean
stops (const char *at, WeftFilterStop stop)
{
  if (ends_value (*at) || *at == '"')
    return TRUE;
  if (stop == WEFT_FILTER_STOP_AT_VALUE_END || operator_at (at) == 0)
    return FALSE;
  return stop == WEFT_FILTER_STOP_AT_OPERATOR || *at != ':';
}

gboolean
weft_filter_lexer_read_bare (WeftFilterLexer *self, WeftFilterStop stop, WeftFilterBareWord *word)
{
  g_autoptr (GString) literal = g_string_new (NULL);
  g_autoptr (GString) pattern = g_string_new (NULL);

  *word = (WeftFilterBareWord){ 0 };
  while (!stops (self->at, stop))
    {
      gboolean escaped = *self->at == '\\';
      const char *next;

      self->at += escaped ? 1 : 0;
      if (*self->at == '\0')
        return weft_filter_lexer_fail (self, self->at - 1,
                                       "nothing follows the backslash; write \\\\ for a backslash");
      next = g_utf8_next_char (self->at);
      word->has_escape |= escaped;
      word->has_glob |= !escaped && strchr ("*?", *self->at) != NULL;
      if (escaped && strchr ("*?\\", *self->at) != NULL)
        g_string_append_c (pattern, '\\');
      g_string_append_len (pattern, self->at, next - self->at);
      g_string_append_len (literal, self->at, next - self->at);
      self->at = next;
    }
  word->literal = g_string_free (g_steal_pointer (&literal), FALSE);
  word->pattern = g_string_free (g_steal_pointer (&pattern), FALSE);
  return TRUE;
}

static gboolean
read_code_point (WeftFilterLexer *self, GString *text)
{
  const char *begin = self->at - 1;
  gunichar code = 0;

  for (guint i = 1; i <= 4; i++)
    {
      if (!g_ascii_isxdigit (self->at[i]))
        return weft_filter_lexer_fail (self, begin, "\\u needs four hexadecimal digits");
      code = code * 16 + (gunichar) g_ascii_xdigit_value (self->at[i]);
    }
  if (code == 0 || !g_unichar_validate (code))
    return weft_filter_lexer_fail (self, begin, "U+%04X is no character that a name can have",
                                   code);
  g_string_append_unichar (text, code);
  self->at += 5;
  return TRUE;
}

static gboolean
read_escape (WeftFilterLexer *self, GString *text)
{
  static const char letters[] = "nrt\"\\";
  static const char meanings[] = "\n\r\t\"\\";
  const char *found;

  self->at++;
  if (*self->at == 'u')
    return read_code_point (self, text);
  found = *self->at != '\0' ? strchr (letters, *self->at) : NULL;
  if (found == NULL)
    return weft_filter_lexer_fail (
        self, self->at - 1,
        "within quotes a backslash is followed by one of \" \\ n r t u; write \\\\ for a "
        "backslash");
  g_string_append_c (text, meanings[found - letters]);
  self->at++;
  return TRUE;
}

char *
weft_filter_lexer_read_quoted (WeftFilterLexer *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *begin = self->at++;

  while (*self->at != '"')
    {
      const char *next = g_utf8_next_char (self->at);

      if (*self->at == '\0')
        {
          weft_filter_lexer_fail (self, begin, "the quote is not closed; add a \" at its end");
          return NULL;
        }
      if (*self->at == '\\')
        {
          if (!read_escape (self, text))
            return NULL;
          continue;
        }
      g_string_append_len (text, self->at, next - self->at);
      self->at = next;
    }
  self->at++;
  if (text->len == 0)
    {
      weft_filter_lexer_fail (self, begin, "there is nothing between the quotes");
      return NULL;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- Regular expressions ---- */

/* The slash that closes the one at BEGIN, or NULL. */
static const char *
find_closing_slash (const char *begin, gboolean paths)
{
  for (const char *at = begin + 1; *at != '\0'; at++)
    {
      if (*at == '/')
        return at;
      if (paths && is_blank (*at))
        return NULL;
      if (*at == '\\' && at[1] != '\0')
        at++;
    }
  return NULL;
}

/* The text between the slashes, with \/ made /. */
static char *
copy_pattern (const char *begin, const char *end)
{
  GString *pattern = g_string_new (NULL);

  for (const char *at = begin; at < end; at++)
    {
      if (*at == '\\' && at[1] != '/')
        g_string_append_c (pattern, *at++);
      else if (*at == '\\')
        at++;
      g_string_append_c (pattern, *at);
    }
  return g_string_free (pattern, FALSE);
}

/* Where byte OFFSET of the copied pattern stands. */
static const char *
find_in_source (const char *begin, gsize offset)
{
  const char *at = begin;

  for (gsize i = 0; i < offset; i++)
    {
      if (*at == '\\' && at[1] != '/' && i + 1 < offset)
        {
          at++;
          i++;
        }
      else if (*at == '\\' && at[1] == '/')
        at++;
      at++;
    }
  return at;
}

WeftFilterMatch *
weft_filter_lexer_read_regex (WeftFilterLexer *self, WeftFilterStop stop, gboolean paths,
                              gboolean *found)
{
  const char *begin = self->at;
  const char *end = find_closing_slash (begin, paths);
  gboolean ignore_case = end != NULL && end[1] == 'i';
  g_autofree char *pattern = NULL;
  g_autofree char *message = NULL;
  WeftFilterMatch *match;
  gsize offset = 0;

  *found = end != NULL && stops (end + (ignore_case ? 2 : 1), stop);
  if (!*found && paths)
    return NULL;
  if (end == NULL)
    weft_filter_lexer_fail (self, begin,
                            "the regular expression is not closed; add a / at its end, or put text "
                            "that begins with a slash in quotes");
  else if (!*found)
    weft_filter_lexer_fail (self, end,
                            "a regular expression ends at this slash; write \\/ for one within it, "
                            "or put text that begins with a slash in quotes");
  else if (end == begin + 1)
    weft_filter_lexer_fail (self, begin, "the regular expression is empty");
  else if (end - begin > WEFT_FILTER_MAX_REGEX_BYTES)
    weft_filter_lexer_fail (self, begin, "a regular expression has at most %d bytes",
                            WEFT_FILTER_MAX_REGEX_BYTES);
  if (self->message != NULL)
    return NULL;

  pattern = copy_pattern (begin + 1, end);
  match = weft_filter_match_new_regex (pattern, ignore_case, &offset, &message);
  if (match == NULL)
    weft_filter_lexer_fail (self, find_in_source (begin + 1, offset),
                            "the regular expression is not right: %s", message);
  self->at = end + (ignore_case ? 2 : 1);
  return match;
}
