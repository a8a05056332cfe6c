/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-filter.h"

#include <string.h>

#include "weft-filter-lexer.h"

/**
 * WeftFilter:
 *
 * Which rows are asked for, in a short language: `lane:worker* routine:gemm dur>2ms origin:~decode`.
 *
 * The same text means the same in every frontend. Conditions beside each other must all hold; `or`,
 * `not`, a minus sign and parentheses join them otherwise. A condition is a field with values,
 * `lane:a,b`, a comparison, `duration>2ms`, or plain text, which is looked for in all names.
 * [func@Filter.list_fields] has the fields.
 *
 * A filter never changes.
 *
 * Since: 0.1
 */
struct _WeftFilter
{
  gatomicrefcount references;
  WeftFilterNode *root;
  char *text;
};

G_DEFINE_BOXED_TYPE (WeftFilter, weft_filter, weft_filter_ref, weft_filter_unref)

WeftFilter *
weft_filter_new_from_node (WeftFilterNode *node)
{
  WeftFilter *self = g_new0 (WeftFilter, 1);

  g_atomic_ref_count_init (&self->references);
  self->root = node;
  self->text = weft_filter_node_print (node);
  return self;
}

const WeftFilterNode *
weft_filter_get_root (const WeftFilter *self)
{
  return self->root;
}

/* ---- What is wrong, and where ---- */

/* How much of a long text is shown on either side of the character, in columns. */
#define SHOWN_BEFORE 48
#define SHOWN_BEHIND 24

static guint
width_of (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

/* One column for what a terminal would obey. */
static gunichar
shown_as (gunichar c)
{
  if (c == '\t' || c == '\n' || c == '\r')
    return ' ';
  return g_unichar_iscntrl (c) ? 0xfffd : c;
}

static const char *
find_begin_of_window (const char *text, const char *at)
{
  guint columns = 0;

  while (at > text && columns < SHOWN_BEFORE)
    {
      at = g_utf8_prev_char (at);
      columns += width_of (g_utf8_get_char (at));
    }
  return at;
}

/* The text around byte OFFSET, and below it a caret under that character. */
static void
append_picture (GString *out, const char *text, gsize offset)
{
  const char *mark = text + offset;
  const char *at = find_begin_of_window (text, mark);
  guint before = at > text ? 1 : 0;
  guint behind = 0;

  g_string_append (out, before > 0 ? "\n…" : "\n");
  for (; *at != '\0' && behind < SHOWN_BEHIND; at = g_utf8_next_char (at))
    {
      gunichar c = shown_as (g_utf8_get_char (at));

      g_string_append_unichar (out, c);
      *(at < mark ? &before : &behind) += width_of (c);
    }
  g_string_append (out, *at != '\0' ? "…\n" : "\n");
  for (guint i = 0; i < before; i++)
    g_string_append_c (out, ' ');
  g_string_append_c (out, '^');
}

/* A copy that can be shown; bytes that are no UTF-8 become one character each. */
static char *
make_shown (const char *text, gsize length, gsize *offset)
{
  GString *shown = g_string_new (NULL);
  gsize moved = *offset;

  for (gsize i = 0; i < length;)
    {
      gunichar c = g_utf8_get_char_validated (text + i, (gssize) (length - i));
      gboolean valid = c != (gunichar) -1 && c != (gunichar) -2;

      if (i == *offset)
        moved = shown->len;
      g_string_append_unichar (shown, valid ? c : 0xfffd);
      i += valid ? (gsize) (g_utf8_next_char (text + i) - (text + i)) : 1;
    }
  *offset = *offset >= length ? shown->len : moved;
  return g_string_free (shown, FALSE);
}

static char *
describe (const WeftFilterLexer *lexer, guint *character)
{
  gsize length = strnlen (lexer->text, WEFT_FILTER_MAX_BYTES);
  gsize offset = lexer->offset;
  g_autofree char *shown = make_shown (lexer->text, length, &offset);
  GString *message = g_string_new (lexer->message);

  *character = (guint) g_utf8_strlen (shown, (gssize) offset);
  append_picture (message, shown, offset);
  return g_string_free (message, FALSE);
}

static WeftFilterNode *
read_text (WeftFilterLexer *lexer, const char *text)
{
  g_autoptr (WeftFilterNode) root = NULL;
  g_autofree char *written = NULL;

  if (!weft_filter_lexer_init (lexer, text != NULL ? text : ""))
    return NULL;
  root = weft_filter_parse (lexer);
  if (root == NULL)
    return NULL;
  /* What a filter is written as must be read again. */
  written = weft_filter_node_print (root);
  if (strlen (written) > WEFT_FILTER_MAX_BYTES)
    {
      weft_filter_lexer_fail (lexer, lexer->text,
                              "a filter has at most %d bytes; this one has more when its words are "
                              "written out",
                              WEFT_FILTER_MAX_BYTES);
      return NULL;
    }
  return g_steal_pointer (&root);
}

/**
 * weft_filter_new:
 * @text: (nullable): the filter's text, UTF-8, at most 65,536 bytes; %NULL or blanks alone fit all
 *   rows
 * @error: return location for an error
 *
 * Reads a filter.
 *
 * Fails with %WEFT_ERROR_INVALID_FILTER. The first line of the message says what is wrong and what
 * would be right, the second repeats the text, the third has a caret below the character.
 * [func@Filter.check] tells the place as a number.
 *
 * Returns: (transfer full): the filter
 *
 * Since: 0.1
 */
WeftFilter *
weft_filter_new (const char *text, GError **error)
{
  WeftFilterLexer lexer;
  WeftFilterNode *root;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  root = read_text (&lexer, text);
  if (root == NULL)
    {
      guint character;
      g_autofree char *message = describe (&lexer, &character);

      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER, message);
      weft_filter_lexer_clear (&lexer);
      return NULL;
    }
  weft_filter_lexer_clear (&lexer);
  return weft_filter_new_from_node (root);
}

/**
 * weft_filter_check:
 * @text: (nullable): the text of a filter, as for [ctor@Filter.new]
 * @message: (out) (optional) (nullable): what is wrong, in one line; %NULL if nothing is
 * @byte_offset: (out) (optional): where it is wrong, in bytes from the start of @text
 * @character_offset: (out) (optional): the same in characters
 *
 * Whether a text is a filter, and if not, where it goes wrong: for fields that people type into.
 *
 * Returns: whether [ctor@Filter.new] takes @text
 *
 * Since: 0.1
 */
gboolean
weft_filter_check (const char *text, char **message, guint *byte_offset, guint *character_offset)
{
  WeftFilterLexer lexer;
  g_autoptr (WeftFilterNode) root = read_text (&lexer, text);
  guint character = 0;

  if (root == NULL)
    g_free (describe (&lexer, &character));
  if (byte_offset != NULL)
    *byte_offset = (guint) lexer.offset;
  if (character_offset != NULL)
    *character_offset = character;
  if (message != NULL)
    *message = g_strdup (root == NULL ? lexer.message : NULL);
  weft_filter_lexer_clear (&lexer);
  return root != NULL;
}

/**
 * weft_filter_ref:
 * @self: a filter
 *
 * Returns: (transfer full): @self, with one more reference
 *
 * Since: 0.1
 */
WeftFilter *
weft_filter_ref (WeftFilter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * weft_filter_unref:
 * @self: (transfer full): a filter
 *
 * Gives a reference back; the last one frees the filter.
 *
 * Since: 0.1
 */
void
weft_filter_unref (WeftFilter *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  weft_filter_node_free (self->root);
  g_free (self->text);
  g_free (self);
}

/**
 * weft_filter_to_string:
 * @self: a filter
 *
 * The filter as text, in one form for all texts that were read the same: [ctor@Filter.new] makes an
 * equal filter of it. The text of filters put together by [method@Filter.and] may be longer, or
 * nested deeper by one level, than what is read.
 *
 * Returns: (transfer full): the text; empty for a filter that all rows fit
 *
 * Since: 0.1
 */
char *
weft_filter_to_string (WeftFilter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_strdup (self->text);
}

/**
 * weft_filter_is_empty:
 * @self: a filter
 *
 * Returns: whether the filter has no condition, so that all rows fit
 *
 * Since: 0.1
 */
gboolean
weft_filter_is_empty (WeftFilter *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->root->kind == WEFT_FILTER_NODE_ALL;
}

/**
 * weft_filter_and:
 * @self: a filter
 * @other: (nullable): another filter
 *
 * Returns: (transfer full): a filter that the rows fit that fit both
 *
 * Since: 0.1
 */
WeftFilter *
weft_filter_and (WeftFilter *self, WeftFilter *other)
{
  WeftFilterNode *both;

  g_return_val_if_fail (self != NULL, NULL);

  if (other == NULL || weft_filter_is_empty (other))
    return weft_filter_ref (self);
  if (weft_filter_is_empty (self))
    return weft_filter_ref (other);
  both = weft_filter_node_new (WEFT_FILTER_NODE_AND);
  weft_filter_node_add (both, weft_filter_node_copy (self->root));
  weft_filter_node_add (both, weft_filter_node_copy (other->root));
  return weft_filter_new_from_node (both);
}

/**
 * weft_filter_equal:
 * @self: a filter
 * @other: another filter
 *
 * Returns: whether both are the same conditions in the same order
 *
 * Since: 0.1
 */
gboolean
weft_filter_equal (WeftFilter *self, WeftFilter *other)
{
  g_return_val_if_fail (self != NULL && other != NULL, FALSE);

  return self == other || weft_filter_node_equal (self->root, other->root);
}
