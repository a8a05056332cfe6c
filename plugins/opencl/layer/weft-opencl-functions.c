/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions that a text of OpenCL C defines, and their lines: a name before parentheses that a
 * body follows, outside of any other. Lines of the preprocessor, comments and strings are passed
 * over; macros stay as they are. Where braces do not add up, nothing is said.
 */

#include "weft-opencl-layer.h"

#include <string.h>

typedef struct
{
  const char *at;
  const char *end;
  uint32_t line;
  bool line_is_new; /* nothing but white space before */
} Scanner;

typedef enum
{
  TOKEN_END,
  TOKEN_WORD,
  TOKEN_OTHER, /* one character */
} Token;

static void
skip_to_line_end (Scanner *s)
{
  while (s->at < s->end && *s->at != '\n')
    {
      if (*s->at == '\\' && s->end - s->at > 1 && s->at[1] == '\n')
        {
          s->line++;
          s->at++;
        }
      s->at++;
    }
}

static void
skip_comment (Scanner *s)
{
  for (s->at += 2; s->at < s->end; s->at++)
    {
      if (*s->at == '\n')
        s->line++;
      if (*s->at == '*' && s->end - s->at > 1 && s->at[1] == '/')
        {
          s->at += 2;
          return;
        }
    }
}

static void
skip_string (Scanner *s)
{
  char quote = *s->at++;

  while (s->at < s->end && *s->at != quote && *s->at != '\n')
    s->at += *s->at == '\\' && s->end - s->at > 1 ? 2 : 1;
  if (s->at > s->end)
    s->at = s->end;
  if (s->at < s->end && *s->at == quote)
    s->at++;
}

static bool
is_word (char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool
skip_blank (Scanner *s)
{
  bool two = s->end - s->at > 1;

  if (*s->at == '\n')
    {
      s->line++;
      s->line_is_new = true;
      s->at++;
    }
  else if (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\f')
    s->at++;
  else if (two && s->at[0] == '/' && s->at[1] == '/')
    skip_to_line_end (s);
  else if (two && s->at[0] == '/' && s->at[1] == '*')
    skip_comment (s);
  else if (*s->at == '#' && s->line_is_new)
    skip_to_line_end (s);
  else if (*s->at == '"' || *s->at == '\'')
    skip_string (s);
  else
    return false;
  return true;
}

static Token
next_token (Scanner *s, const char **start)
{
  while (s->at < s->end && skip_blank (s))
    ;
  *start = s->at;
  if (s->at >= s->end)
    return TOKEN_END;
  s->line_is_new = false;
  if (!is_word (*s->at))
    {
      s->at++;
      return TOKEN_OTHER;
    }
  while (s->at < s->end && is_word (*s->at))
    s->at++;
  return TOKEN_WORD;
}

/* Behind the bracket that closes the one just read. False where there is none. */
static bool
skip_brackets (Scanner *s, char open, char close)
{
  const char *start;
  uint32_t depth = 1;
  Token token;

  while (depth > 0 && (token = next_token (s, &start)) != TOKEN_END)
    if (token == TOKEN_OTHER)
      depth += *start == open ? 1u : *start == close ? -1u : 0u;
  return depth == 0;
}

/* What may be a definition: what stands from after the last one to a semicolon or body. */
typedef struct
{
  uint32_t first_line;
  char name[128]; /* the last word before parentheses that are not an attribute's */
  char word[128];
} Declaration;

static void
keep_word (Declaration *d, const char *start, const char *end, uint32_t line)
{
  size_t length = (size_t) (end - start);

  if (d->first_line == 0)
    d->first_line = line;
  if (length >= sizeof d->word)
    length = sizeof d->word - 1;
  memcpy (d->word, start, length);
  d->word[length] = '\0';
}

static bool
is_attribute (const char *word)
{
  return strcmp (word, "__attribute__") == 0 || strcmp (word, "__attribute") == 0 ||
         strcmp (word, "reqd_work_group_size") == 0;
}

static size_t
keep_function (OclFunction *functions, size_t n, size_t max, const Declaration *d, uint32_t last)
{
  const char *name = ocl_intern (d->name);

  for (size_t i = 0; i < n; i++)
    if (functions[i].name == name)
      {
        functions[i].first_line = functions[i].last_line = 0;
        return n;
      }
  if (n == max || name[0] == '\0')
    return n;
  functions[n] = (OclFunction){ name, d->first_line, last };
  return n + 1;
}

/* A name that is defined twice (in branches of the preprocessor) has no lines. */
size_t
ocl_functions_scan (const char *text, size_t length, OclFunction *functions, size_t max)
{
  Scanner s = { text, text + length, 1, true };
  Declaration d = { 0 };
  const char *start;
  size_t n = 0;
  Token token;

  while ((token = next_token (&s, &start)) != TOKEN_END)
    {
      if (token == TOKEN_WORD)
        {
          keep_word (&d, start, s.at, s.line);
          continue;
        }
      if (*start == '(')
        {
          if (d.word[0] != '\0' && !is_attribute (d.word))
            memcpy (d.name, d.word, sizeof d.name);
          if (!skip_brackets (&s, '(', ')'))
            return 0;
          continue;
        }
      if (*start == '{')
        {
          if (!skip_brackets (&s, '{', '}'))
            return 0;
          if (d.name[0] != '\0')
            n = keep_function (functions, n, max, &d, s.line);
        }
      else if (*start == '}')
        return 0;
      if (*start == '{' || *start == ';')
        memset (&d, 0, sizeof d);
      else if (*start == '=')
        d.name[0] = '\0';
    }
  return n;
}
