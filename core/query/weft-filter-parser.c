/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   filter     = [ alternative ]
 *   alternative = series { "or" series }
 *   series     = item { [ "and" ] item }
 *   item       = ( "not" | "-" ) item | "(" alternative ")" | condition
 *
 * docs/filter-language.md has the whole of it.
 */

#include "weft-filter-lexer.h"

#include <string.h>

static WeftFilterNode *parse_alternative (WeftFilterLexer *self, guint depth);

/* ---- Values ---- */

/* The word from BEGIN to where the text is now. */
static char *
copy_since (const WeftFilterLexer *self, const char *begin)
{
  return g_strndup (begin, (gsize) (self->at - begin));
}

static WeftFilterMatch *
read_literal (WeftFilterLexer *self, WeftFilterMatchKind kind)
{
  g_autofree char *text = weft_filter_lexer_read_quoted (self);

  return text != NULL ? weft_filter_match_new (kind, text) : NULL;
}

static WeftFilterMatch *
read_contains (WeftFilterLexer *self, WeftFilterStop stop)
{
  const char *begin = self->at++;
  g_auto (WeftFilterBareWord) word = { 0 };

  if (*self->at == '"')
    return read_literal (self, WEFT_FILTER_MATCH_CONTAINS);
  if (!weft_filter_lexer_read_bare (self, stop, &word))
    return NULL;
  if (*word.literal == '\0')
    {
      weft_filter_lexer_fail (self, begin, "nothing follows “~”; write ~TEXT");
      return NULL;
    }
  return weft_filter_match_new (WEFT_FILTER_MATCH_CONTAINS, word.literal);
}

static void
fail_nothing (WeftFilterLexer *self, const char *begin)
{
  if (self->at > self->text && self->at[-1] == ',')
    weft_filter_lexer_fail (self, begin,
                            "nothing follows the comma; write a,b without blanks for any of these");
  else
    weft_filter_lexer_fail (self, begin,
                            "a value is missing here; write it without a blank before it");
}

static WeftFilterMatch *
make_handle_match (WeftFilterLexer *self, const WeftFilterFieldInfo *info, const char *begin,
                   int table, guint64 id)
{
  g_autofree char *written = copy_since (self, begin);

  if (id == 0)
    weft_filter_lexer_fail (self, begin, "there is no “%s”: handles count from 1", written);
  else if (info->table < 0 || info->table == table)
    return weft_filter_match_new_handle (table, id);
  else
    weft_filter_lexer_fail (self, begin,
                            "“%s” is no %s: their handles are such as %s-1; to look for this name, "
                            "write \"%s\" in quotes",
                            written, info->name, weft_filter_field_prefix (info), written);
  return NULL;
}

static void
set_number (WeftFilterMatch *match, WeftFilterType type)
{
  g_autofree char *message = NULL;
  WeftFilterNumber number;

  if (!weft_filter_number_parse (match->text, type, &number, &message))
    return;
  match->has_number = TRUE;
  match->range =
      (WeftFilterRange){ .low = number, .high = number, .has_low = TRUE, .has_high = TRUE };
}

static WeftFilterMatch *
read_word (WeftFilterLexer *self, const WeftFilterFieldInfo *info, WeftFilterType type,
           WeftFilterStop stop)
{
  const char *begin = self->at;
  g_auto (WeftFilterBareWord) word = { 0 };
  WeftFilterMatch *match;
  int table;
  guint64 id;

  if (!weft_filter_lexer_read_bare (self, stop, &word))
    return NULL;
  if (self->at == begin)
    {
      fail_nothing (self, begin);
      return NULL;
    }
  if (word.has_glob)
    return weft_filter_match_new (WEFT_FILTER_MATCH_GLOB, word.pattern);
  if (info->table >= 0 && type != WEFT_FILTER_TYPE_TAG && !word.has_escape &&
      weft_filter_read_handle (word.literal, &table, &id))
    return make_handle_match (self, info, begin, table, id);
  match = weft_filter_match_new (info->field == WEFT_FILTER_FIELD_ANY ? WEFT_FILTER_MATCH_CONTAINS
                                                                      : WEFT_FILTER_MATCH_WORD,
                                 word.literal);
  if (type == WEFT_FILTER_TYPE_NUMBERED && !word.has_escape)
    set_number (match, WEFT_FILTER_TYPE_COUNT);
  if (type == WEFT_FILTER_TYPE_TAG && !word.has_escape)
    set_number (match, WEFT_FILTER_TYPE_TAG);
  return match;
}

/* Text of any kind. */
static WeftFilterMatch *
read_text (WeftFilterLexer *self, const WeftFilterFieldInfo *info, WeftFilterType type,
           WeftFilterStop stop)
{
  gboolean found = FALSE;

  if (*self->at == '"')
    return read_literal (self, info->field == WEFT_FILTER_FIELD_ANY ? WEFT_FILTER_MATCH_CONTAINS
                                                                    : WEFT_FILTER_MATCH_WORD);
  if (*self->at == '~')
    return read_contains (self, stop);
  if (*self->at == '/')
    {
      WeftFilterMatch *match = weft_filter_lexer_read_regex (self, stop, info->paths, &found);

      if (match != NULL || self->message != NULL)
        return match;
    }
  return read_word (self, info, type, stop);
}

/* ---- Numbers ---- */

static gboolean
read_number (WeftFilterLexer *self, const char *at, const char *text, WeftFilterType type,
             WeftFilterNumber *number)
{
  g_autofree char *message = NULL;

  return weft_filter_number_parse (text, type, number, &message) ||
         weft_filter_lexer_fail (self, at, "%s", message);
}

static gboolean
check_order (WeftFilterLexer *self, const char *begin, const WeftFilterRange *range)
{
  g_autofree char *low = NULL;
  g_autofree char *high = NULL;

  if (!range->has_low || !range->has_high)
    return TRUE;
  if (range->low.unit != range->high.unit)
    return weft_filter_lexer_fail (self, begin, "the two ends of the range differ in their unit");
  if (weft_filter_number_compare (&range->low, &range->high) <= 0)
    return TRUE;
  low = weft_filter_number_print (&range->low);
  high = weft_filter_number_print (&range->high);
  return weft_filter_lexer_fail (self, begin, "the range is the wrong way round; write %s..%s",
                                 high, low);
}

/* LOW..HIGH, where DOTS is. */
static gboolean
read_range (WeftFilterLexer *self, const char *begin, const char *text, const char *dots,
            WeftFilterType type, WeftFilterRange *range)
{
  g_autofree char *low = g_strndup (text, (gsize) (dots - text));
  const char *high = dots + 2;

  range->has_low = *low != '\0';
  range->has_high = *high != '\0';
  if (!range->has_low && !range->has_high)
    return weft_filter_lexer_fail (self, begin,
                                   "the range has no ends; write * for any value at all");
  if (range->has_low && !read_number (self, begin, low, type, &range->low))
    return FALSE;
  if (range->has_high && !read_number (self, begin + (high - text), high, type, &range->high))
    return FALSE;
  return check_order (self, begin, range);
}

static WeftFilterMatch *
read_numeric (WeftFilterLexer *self, const WeftFilterFieldInfo *info)
{
  const char *begin = self->at;
  g_auto (WeftFilterBareWord) word = { 0 };
  WeftFilterRange range = { 0 };
  const char *dots;
  int table;
  guint64 id;

  if (*begin == '"')
    {
      weft_filter_lexer_fail (self, begin, "“%s” takes numbers, and no quotes around them",
                              info->name);
      return NULL;
    }
  if (!weft_filter_lexer_read_bare (self, WEFT_FILTER_STOP_AT_VALUE_END, &word))
    return NULL;
  if (self->at == begin)
    {
      fail_nothing (self, begin);
      return NULL;
    }
  if (strcmp (word.literal, "*") == 0)
    return weft_filter_match_new_range (&range);
  if (info->type == WEFT_FILTER_TYPE_ID && weft_filter_read_handle (word.literal, &table, &id))
    return make_handle_match (self, info, begin, table, id);
  dots = strstr (word.literal, "..");
  if (dots != NULL)
    return read_range (self, begin, word.literal, dots, info->type, &range)
               ? weft_filter_match_new_range (&range)
               : NULL;
  range.has_low = range.has_high = TRUE;
  if (!read_number (self, begin, word.literal, info->type, &range.low))
    return NULL;
  range.high = range.low;
  return weft_filter_match_new_range (&range);
}

/* A range of numbers as the value of a tag, or NULL where the word is none: then it is text. */
static WeftFilterMatch *
try_tag_range (WeftFilterLexer *self)
{
  WeftFilterLexer ahead = { .text = self->text, .at = self->at };
  g_auto (WeftFilterBareWord) word = { 0 };
  WeftFilterRange range = { 0 };
  WeftFilterMatch *match = NULL;
  const char *dots = NULL;

  if (weft_filter_lexer_read_bare (&ahead, WEFT_FILTER_STOP_AT_VALUE_END, &word))
    dots = strstr (word.literal, "..");
  if (dots != NULL && !word.has_escape &&
      read_range (&ahead, self->at, word.literal, dots, WEFT_FILTER_TYPE_TAG, &range))
    {
      match = weft_filter_match_new_range (&range);
      self->at = ahead.at;
    }
  weft_filter_lexer_clear (&ahead);
  return match;
}

static WeftFilterMatch *
read_value (WeftFilterLexer *self, const WeftFilterFieldInfo *info)
{
  WeftFilterMatch *match;

  switch (info->type)
    {
    case WEFT_FILTER_TYPE_NAME:
    case WEFT_FILTER_TYPE_NUMBERED:
    case WEFT_FILTER_TYPE_WORDS:
      return read_text (self, info, info->type, WEFT_FILTER_STOP_AT_VALUE_END);
    case WEFT_FILTER_TYPE_TAG:
      match = try_tag_range (self);
      return match != NULL ? match
                           : read_text (self, info, info->type, WEFT_FILTER_STOP_AT_VALUE_END);
    default:
      return read_numeric (self, info);
    }
}

/* ---- Words of an enumeration ---- */

static guint32
find_words (const GEnumClass *klass, const WeftFilterMatch *match)
{
  guint32 words = 0;

  for (guint i = 0; i < klass->n_values; i++)
    if (weft_filter_match_text (match, klass->values[i].value_nick, NULL))
      words |= (guint32) 1 << klass->values[i].value;
  return words;
}

static void
fail_no_word (WeftFilterLexer *self, const char *begin, const WeftFilterFieldInfo *info,
              const GEnumClass *klass)
{
  g_autofree char *written = copy_since (self, begin);
  g_autoptr (GPtrArray) nicks = g_ptr_array_new ();
  g_autofree char *list = NULL;
  const char *nearest;

  for (guint i = 0; i < klass->n_values; i++)
    g_ptr_array_add (nicks, (gpointer) klass->values[i].value_nick);
  g_ptr_array_add (nicks, NULL);
  list = g_strjoinv (", ", (char **) nicks->pdata);
  nearest = weft_filter_nearest (written, (const char *const *) nicks->pdata);
  if (nearest != NULL)
    weft_filter_lexer_fail (self, begin, "“%s” is no %s; did you mean “%s”?", written, info->name,
                            nearest);
  else
    weft_filter_lexer_fail (self, begin, "“%s” is no %s; there are %s", written, info->name, list);
}

static gboolean
read_enumeration_word (WeftFilterLexer *self, const WeftFilterFieldInfo *info, guint32 *words)
{
  const char *begin = self->at;
  g_autoptr (WeftFilterMatch) match = read_value (self, info);
  g_autoptr (WeftFilterMatch) resolved = NULL;
  g_autoptr (GEnumClass) klass = NULL;
  guint32 found;

  if (match == NULL)
    return FALSE;
  klass = g_type_class_ref (info->enumeration ());
  if (match->kind == WEFT_FILTER_MATCH_WORD)
    resolved = weft_filter_match_new (WEFT_FILTER_MATCH_WORD,
                                      weft_filter_field_resolve_word (info->field, match->text));
  found = find_words (klass, resolved != NULL ? resolved : match);
  if (found == 0)
    fail_no_word (self, begin, info, klass);
  *words |= found;
  return found != 0;
}

/* ---- Conditions ---- */

static gboolean
is_numeric (const WeftFilterFieldInfo *info)
{
  return info->type != WEFT_FILTER_TYPE_NAME && info->type != WEFT_FILTER_TYPE_NUMBERED &&
         info->type != WEFT_FILTER_TYPE_WORDS;
}

static gboolean
is_ordering (const char *operator)
{
  return *operator== '<' || * operator== '>';
}

static gboolean
check_end_of_value (WeftFilterLexer *self)
{
  if (*self->at == '"')
    return weft_filter_lexer_fail (
        self, self->at,
        "a quote begins within a word; put the whole word in quotes, or write \\\"");
  if (*self->at == '(')
    return weft_filter_lexer_fail (self, self->at,
                                   "a parenthesis stands within a word; put the whole word in "
                                   "quotes, or a blank before the parenthesis");
  return weft_filter_lexer_at_end_of_value (self) ||
         weft_filter_lexer_fail (self, self->at, "a blank is missing before this");
}

static gboolean
read_one_value (WeftFilterLexer *self, const WeftFilterFieldInfo *info, WeftFilterNode *node)
{
  WeftFilterMatch *match;

  if (info->type == WEFT_FILTER_TYPE_WORDS)
    return read_enumeration_word (self, info, &node->words) && check_end_of_value (self);
  match = read_value (self, info);
  if (match == NULL)
    return FALSE;
  g_ptr_array_add (node->values, match);
  return check_end_of_value (self);
}

/* One or more values joined by commas. */
static gboolean
read_values (WeftFilterLexer *self, const WeftFilterFieldInfo *info, WeftFilterNode *node)
{
  while (read_one_value (self, info, node))
    {
      if (*self->at != ',')
        return TRUE;
      self->at++;
    }
  return FALSE;
}

static gboolean
read_comparison (WeftFilterLexer *self, const WeftFilterFieldInfo *info, const char *operator,
                 WeftFilterNode * node)
{
  g_auto (WeftFilterBareWord) word = { 0 };
  const char *begin = self->at;
  WeftFilterRange range = { 0 };
  WeftFilterNumber number;
  gboolean open = operator[1] != '=';

  if (!weft_filter_lexer_read_bare (self, WEFT_FILTER_STOP_AT_VALUE_END, &word))
    return FALSE;
  if (self->at == begin)
    return weft_filter_lexer_fail (self, begin,
                                   "a number is missing here; write it without a blank before it");
  if (!read_number (self, begin, word.literal, info->type, &number))
    return FALSE;
  if (*self->at == ',')
    return weft_filter_lexer_fail (self, self->at, "a comparison has one number only");
  if (*operator== '>')
    range = (WeftFilterRange){ .low = number, .has_low = TRUE, .low_open = open };
  else
    range = (WeftFilterRange){ .high = number, .has_high = TRUE, .high_open = open };
  g_ptr_array_add (node->values, weft_filter_match_new_range (&range));
  return check_end_of_value (self);
}

/* What follows the field, or the names of a keyed one: OPERATOR and values. */
static gboolean
read_condition (WeftFilterLexer *self, const WeftFilterFieldInfo *info, WeftFilterNode *node,
                gboolean *negated)
{
  const char *operator= self->at;

  self->at += weft_filter_lexer_operator (self);
  if (*operator== ':' && is_ordering (self->at) && is_numeric (info))
    {
      operator= self->at;
      self->at += weft_filter_lexer_operator (self);
    }
  *negated = *operator== '!';
  if (!is_ordering (operator))
    return read_values (self, info, node);
  if (!is_numeric (info))
    return weft_filter_lexer_fail (self, operator,
                                   "“%s” is no number and has no order; write %s:VALUE", info->name,
                                   info->name);
  return read_comparison (self, info, operator, node);
}

static gboolean
read_names (WeftFilterLexer *self, const WeftFilterFieldInfo *info, WeftFilterNode *node)
{
  if (*self->at != ':')
    return weft_filter_lexer_fail (self, self->at,
                                   "“%s” needs a name before the comparison, as in %s", info->name,
                                   info->example);
  do
    {
      WeftFilterMatch *match;

      self->at++;
      match = read_text (self, info, WEFT_FILTER_TYPE_NAME, WEFT_FILTER_STOP_AT_COMPARISON);
      if (match == NULL)
        return FALSE;
      g_ptr_array_add (node->names, match);
    }
  while (*self->at == ',');
  return TRUE;
}

static WeftFilterNode *
parse_keyed (WeftFilterLexer *self, const WeftFilterFieldInfo *info)
{
  g_autoptr (WeftFilterNode) node = weft_filter_node_new_term (info->field);
  gboolean negated = FALSE;

  if (!read_names (self, info, node))
    return NULL;
  if (*self->at != ':' && weft_filter_lexer_operator (self) > 0)
    {
      if (!read_condition (self, info, node, &negated))
        return NULL;
    }
  else if (!check_end_of_value (self))
    return NULL;
  return negated ? weft_filter_node_negate (g_steal_pointer (&node)) : g_steal_pointer (&node);
}

static gboolean
find_field (WeftFilterLexer *self, const char *begin, const WeftFilterBareWord *word,
            WeftFilterField *field)
{
  g_autofree char *whole = NULL;
  const char *nearest;

  if (!word->has_escape && !word->has_glob && weft_filter_field_find (word->literal, field))
    return TRUE;
  if (*word->literal == '\0')
    return weft_filter_lexer_fail (self, begin,
                                   "a field must stand directly before “%.*s”, as in duration>2ms "
                                   "or lane:worker*",
                                   (int) weft_filter_lexer_operator (self), self->at);
  nearest = weft_filter_field_nearest (word->literal);
  if (nearest != NULL)
    return weft_filter_lexer_fail (self, begin, "no field is called “%s”; did you mean “%s”?",
                                   word->literal, nearest);
  while (!weft_filter_lexer_at_end_of_value (self) && *self->at != '"')
    self->at++;
  whole = copy_since (self, begin);
  return weft_filter_lexer_fail (self, begin,
                                 "no field is called “%s”; to look for text, write \"%s\" in "
                                 "quotes",
                                 word->literal, whole);
}

static WeftFilterNode *
parse_plain (WeftFilterLexer *self)
{
  g_autoptr (WeftFilterNode) node = weft_filter_node_new_term (WEFT_FILTER_FIELD_ANY);

  return read_values (self, weft_filter_field_info (WEFT_FILTER_FIELD_ANY), node)
             ? g_steal_pointer (&node)
             : NULL;
}

static WeftFilterNode *
parse_condition (WeftFilterLexer *self)
{
  const char *begin = self->at;
  g_auto (WeftFilterBareWord) word = { 0 };
  g_autoptr (WeftFilterNode) node = NULL;
  const WeftFilterFieldInfo *info;
  WeftFilterField field;
  gboolean negated;

  if (strchr ("\"~/", *begin) != NULL)
    return parse_plain (self);
  if (*begin == ',')
    {
      weft_filter_lexer_fail (self, begin, "nothing stands before the comma");
      return NULL;
    }
  if (!weft_filter_lexer_read_bare (self, WEFT_FILTER_STOP_AT_OPERATOR, &word))
    return NULL;
  if (weft_filter_lexer_operator (self) == 0)
    {
      self->at = begin;
      return parse_plain (self);
    }
  if (!find_field (self, begin, &word, &field))
    return NULL;
  info = weft_filter_field_info (field);
  if (info->keyed)
    return parse_keyed (self, info);
  node = weft_filter_node_new_term (field);
  if (!read_condition (self, info, node, &negated))
    return NULL;
  return negated ? weft_filter_node_negate (g_steal_pointer (&node)) : g_steal_pointer (&node);
}

/* ---- Conditions joined ---- */

static WeftFilterNode *
parse_group (WeftFilterLexer *self, guint depth)
{
  const char *begin = self->at++;
  g_autoptr (WeftFilterNode) node = parse_alternative (self, depth + 1);

  if (node == NULL)
    return NULL;
  if (*self->at != ')')
    {
      weft_filter_lexer_fail (self, begin, "the parenthesis is not closed; add a ) where it ends");
      return NULL;
    }
  self->at++;
  if (!weft_filter_lexer_at_end_of_value (self) || *self->at == ',' || *self->at == '(')
    {
      weft_filter_lexer_fail (self, self->at, "a blank is missing behind the parenthesis");
      return NULL;
    }
  return g_steal_pointer (&node);
}

static WeftFilterNode *
parse_item (WeftFilterLexer *self, guint depth)
{
  gboolean word = weft_filter_lexer_at_keyword (self, "not");
  const char *begin = self->at;
  WeftFilterNode *node;

  if (depth > WEFT_FILTER_MAX_DEPTH)
    {
      weft_filter_lexer_fail (self, begin, "this is nested deeper than %d levels",
                              WEFT_FILTER_MAX_DEPTH);
      return NULL;
    }
  if (!word && *begin != '-')
    return *begin == '(' ? parse_group (self, depth) : parse_condition (self);

  self->at += word ? strlen ("not") : 1;
  if (word)
    weft_filter_lexer_skip_blanks (self);
  if (*self->at == '\0' || *self->at == ')' ||
      (!word && weft_filter_lexer_at_end_of_value (self) && *self->at != '('))
    {
      weft_filter_lexer_fail (self, begin,
                              "“%s” needs a condition behind it; to look for the text, write "
                              "\"%s\" in quotes",
                              word ? "not" : "-", word ? "not" : "-");
      return NULL;
    }
  node = parse_item (self, depth + 1);
  return node != NULL ? weft_filter_node_negate (node) : NULL;
}

/* A node of one child is that child. */
static WeftFilterNode *
simplify (WeftFilterNode *node)
{
  WeftFilterNode *child;

  if (node->children->len != 1)
    return node;
  child = g_ptr_array_steal_index (node->children, 0);
  weft_filter_node_free (node);
  return child;
}

static gboolean
at_end_of_series (WeftFilterLexer *self)
{
  weft_filter_lexer_skip_blanks (self);
  return *self->at == '\0' || *self->at == ')' || weft_filter_lexer_at_keyword (self, "or");
}

static WeftFilterNode *
parse_series (WeftFilterLexer *self, guint depth)
{
  g_autoptr (WeftFilterNode) node = weft_filter_node_new (WEFT_FILTER_NODE_AND);
  const char *conjunction = NULL;

  do
    {
      const char *begin;
      WeftFilterNode *item;

      weft_filter_lexer_skip_blanks (self);
      begin = self->at;
      if (at_end_of_series (self) || weft_filter_lexer_at_keyword (self, "and"))
        {
          weft_filter_lexer_fail (
              self, begin, "a condition is missing here%s",
              *begin != '\0' && *begin != ')' ? "; to look for the text, write it in quotes" : "");
          return NULL;
        }
      item = parse_item (self, depth);
      if (item == NULL)
        return NULL;
      weft_filter_node_add (node, item);
      weft_filter_lexer_skip_blanks (self);
      conjunction = weft_filter_lexer_at_keyword (self, "and") ? self->at : NULL;
      self->at += conjunction != NULL ? strlen ("and") : 0;
    }
  while (conjunction != NULL || !at_end_of_series (self));
  return simplify (g_steal_pointer (&node));
}

static WeftFilterNode *
parse_alternative (WeftFilterLexer *self, guint depth)
{
  g_autoptr (WeftFilterNode) node = weft_filter_node_new (WEFT_FILTER_NODE_OR);
  gboolean more;

  do
    {
      WeftFilterNode *series = parse_series (self, depth);

      if (series == NULL)
        return NULL;
      weft_filter_node_add (node, series);
      more = weft_filter_lexer_at_keyword (self, "or");
      self->at += more ? strlen ("or") : 0;
    }
  while (more);
  return simplify (g_steal_pointer (&node));
}

WeftFilterNode *
weft_filter_parse (WeftFilterLexer *self)
{
  g_autoptr (WeftFilterNode) node = NULL;

  weft_filter_lexer_skip_blanks (self);
  if (*self->at == '\0')
    return weft_filter_node_new (WEFT_FILTER_NODE_ALL);
  node = parse_alternative (self, 0);
  if (node != NULL && *self->at == ')')
    {
      weft_filter_lexer_fail (self, self->at, "no parenthesis was opened that this one closes");
      return NULL;
    }
  return g_steal_pointer (&node);
}
