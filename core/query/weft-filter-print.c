/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-filter-lexer.h"

#include <string.h>

#include "weft-model.h"

/* Where a text stands, which decides what must be in quotes. */
typedef enum
{
  PLACE_PLAIN, /* without a field */
  PLACE_NAME,  /* before a comparison */
  PLACE_VALUE,
} Place;

static void
print_quoted (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);

      if (c == '"' || c == '\\')
        g_string_append_c (out, '\\');
      if (g_unichar_iscntrl (c))
        g_string_append_printf (out, "\\u%04x", c);
      else
        g_string_append_unichar (out, c);
    }
  g_string_append_c (out, '"');
}

static gboolean
is_special (gunichar c, gboolean first)
{
  if (c >= 0x80)
    return g_unichar_iscntrl (c) || g_unichar_isspace (c);
  return c <= ' ' || c == 0x7f || strchr ("\"(),\\*?<>=!", (int) c) != NULL ||
         (first && strchr ("~/-", (int) c) != NULL);
}

static gboolean
is_keyword (const char *text)
{
  return g_ascii_strcasecmp (text, "or") == 0 || g_ascii_strcasecmp (text, "and") == 0 ||
         g_ascii_strcasecmp (text, "not") == 0;
}

static gboolean
needs_quotes (const char *text, Place place, WeftFilterType type)
{
  int table;
  guint64 id;

  if (*text == '\0' || (place == PLACE_PLAIN && (strchr (text, ':') != NULL || is_keyword (text))))
    return TRUE;
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (is_special (g_utf8_get_char (at), at == text))
      return TRUE;
  if (place == PLACE_VALUE && (type == WEFT_FILTER_TYPE_TAG || type == WEFT_FILTER_TYPE_NUMBERED) &&
      strchr ("0123456789.+-", *text) != NULL)
    return TRUE;
  return place != PLACE_PLAIN && weft_filter_read_handle (text, &table, &id);
}

static void
print_glob (GString *out, const char *pattern, Place place)
{
  for (const char *at = pattern; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if (c == '\\')
        {
          g_string_append_c (out, '\\');
          g_string_append_c (out, *++at);
          continue;
        }
      if (c != '*' && c != '?' &&
          (is_special (c, at == pattern) || (c == ':' && place == PLACE_PLAIN)))
        g_string_append_c (out, '\\');
      g_string_append_unichar (out, c);
    }
}

static void
print_regex (GString *out, const WeftFilterMatch *match)
{
  g_string_append_c (out, '/');
  for (const char *at = match->text; *at != '\0'; at++)
    {
      if (*at == '\\' && at[1] != '\0')
        g_string_append_c (out, *at++);
      else if (*at == '/')
        g_string_append_c (out, '\\');
      g_string_append_c (out, *at);
    }
  g_string_append (out, match->ignore_case ? "/i" : "/");
}

/* A range within a list, or behind a colon or equals sign. */
static void
print_range (GString *out, const WeftFilterRange *range)
{
  g_autofree char *low = range->has_low ? weft_filter_number_print (&range->low) : NULL;
  g_autofree char *high = range->has_high ? weft_filter_number_print (&range->high) : NULL;

  if (low == NULL && high == NULL)
    g_string_append_c (out, '*');
  else if (g_strcmp0 (low, high) == 0)
    g_string_append (out, low);
  else
    g_string_append_printf (out, "%s..%s", low != NULL ? low : "", high != NULL ? high : "");
}

static void
print_match (GString *out, const WeftFilterMatch *match, Place place, WeftFilterType type)
{
  switch (match->kind)
    {
    case WEFT_FILTER_MATCH_GLOB:
      print_glob (out, match->text, place);
      return;
    case WEFT_FILTER_MATCH_REGEX:
      print_regex (out, match);
      return;
    case WEFT_FILTER_MATCH_HANDLE:
      g_string_append_printf (out, "%s-%" G_GUINT64_FORMAT,
                              weft_model_get_table (match->table)->prefix, match->id);
      return;
    case WEFT_FILTER_MATCH_RANGE:
      print_range (out, &match->range);
      return;
    case WEFT_FILTER_MATCH_CONTAINS:
      if (place != PLACE_PLAIN)
        g_string_append_c (out, '~');
      break;
    default:
      break;
    }
  if (!match->has_number && needs_quotes (match->text, place, type))
    print_quoted (out, match->text);
  else
    g_string_append (out, match->text);
}

static void
print_matches (GString *out, const GPtrArray *matches, Place place, WeftFilterType type)
{
  for (guint i = 0; i < matches->len; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      print_match (out, matches->pdata[i], place, type);
    }
}

static void
print_words (GString *out, const WeftFilterFieldInfo *info, guint32 words)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (info->enumeration ());
  gboolean first = TRUE;

  for (guint i = 0; i < klass->n_values; i++)
    if (words >> klass->values[i].value & 1)
      {
        g_string_append_printf (out, "%s%s", first ? "" : ",", klass->values[i].value_nick);
        first = FALSE;
      }
}

/* One end only, and alone: written as a comparison. */
static gboolean
print_comparison (GString *out, const GPtrArray *values)
{
  const WeftFilterMatch *match = values->len == 1 ? values->pdata[0] : NULL;
  const WeftFilterRange *range;
  g_autofree char *number = NULL;

  if (match == NULL || match->kind != WEFT_FILTER_MATCH_RANGE ||
      match->range.has_low == match->range.has_high)
    return FALSE;
  range = &match->range;
  number = weft_filter_number_print (range->has_low ? &range->low : &range->high);
  g_string_append (out, range->has_low ? (range->low_open ? ">" : ">=")
                                       : (range->high_open ? "<" : "<="));
  g_string_append (out, number);
  return TRUE;
}

static void
print_term (GString *out, const WeftFilterNode *node)
{
  const WeftFilterFieldInfo *info = weft_filter_field_info (node->field);

  if (node->field == WEFT_FILTER_FIELD_ANY)
    {
      print_matches (out, node->values, PLACE_PLAIN, info->type);
      return;
    }
  g_string_append (out, info->name);
  if (info->keyed)
    {
      g_string_append_c (out, ':');
      print_matches (out, node->names, PLACE_NAME, info->type);
      if (node->values->len == 0 || print_comparison (out, node->values))
        return;
      g_string_append_c (out, '=');
      print_matches (out, node->values, PLACE_VALUE, info->type);
      return;
    }
  if (info->type == WEFT_FILTER_TYPE_WORDS)
    {
      g_string_append_c (out, ':');
      print_words (out, info, node->words);
      return;
    }
  if (print_comparison (out, node->values))
    return;
  g_string_append_c (out, ':');
  print_matches (out, node->values, PLACE_VALUE, info->type);
}

static void
print_node (GString *out, const WeftFilterNode *node, WeftFilterNodeKind outer)
{
  gboolean parentheses = (node->kind == WEFT_FILTER_NODE_OR && outer != WEFT_FILTER_NODE_ALL) ||
                         (node->kind == WEFT_FILTER_NODE_AND && outer == WEFT_FILTER_NODE_NOT);

  if (node->kind == WEFT_FILTER_NODE_TERM)
    print_term (out, node);
  if (node->kind == WEFT_FILTER_NODE_NOT)
    g_string_append_c (out, '-');
  if (parentheses)
    g_string_append_c (out, '(');
  for (guint i = 0; i < node->children->len; i++)
    {
      if (i > 0)
        g_string_append (out, node->kind == WEFT_FILTER_NODE_OR ? " or " : " ");
      print_node (out, node->children->pdata[i], node->kind);
    }
  if (parentheses)
    g_string_append_c (out, ')');
}

char *
weft_filter_node_print (const WeftFilterNode *node)
{
  GString *out = g_string_new (NULL);

  print_node (out, node, WEFT_FILTER_NODE_ALL);
  return g_string_free (out, FALSE);
}
