/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the words of a filter's text. What ends a word depends on where it stands, so the parser
 * asks for what it expects.
 */
#pragma once

#include "weft-filter-private.h"

G_BEGIN_DECLS

typedef struct
{
  const char *text; /* valid UTF-8 without controls, see weft_filter_lexer_init () */
  const char *at;

  /* The first thing that was wrong, and where. */
  char *message;
  gsize offset;
} WeftFilterLexer;

/* FALSE if TEXT cannot be read at all. */
gboolean weft_filter_lexer_init (WeftFilterLexer *self, const char *text);
void weft_filter_lexer_clear (WeftFilterLexer *self);
/* Keeps what is wrong at AT, unless something else was wrong before; returns FALSE. */
gboolean weft_filter_lexer_fail (WeftFilterLexer *self, const char *at, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

void weft_filter_lexer_skip_blanks (WeftFilterLexer *self);
/* Whether a value or word ends here: blank, comma, parenthesis or end of text. */
gboolean weft_filter_lexer_at_end_of_value (const WeftFilterLexer *self);
/* The length of the operator here (: = != < <= > >=), or 0. */
gsize weft_filter_lexer_operator (const WeftFilterLexer *self);
/* Whether the keyword WORD stands here. */
gboolean weft_filter_lexer_at_keyword (const WeftFilterLexer *self, const char *word);

/* A bare word. LITERAL: without its backslashes; PATTERN: with those before *, ? and \. */
typedef struct
{
  char *literal;
  char *pattern;
  gboolean has_glob;
  gboolean has_escape;
} WeftFilterBareWord;

void weft_filter_bare_word_clear (WeftFilterBareWord *word);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftFilterBareWord, weft_filter_bare_word_clear)

typedef enum
{
  WEFT_FILTER_STOP_AT_VALUE_END,
  WEFT_FILTER_STOP_AT_COMPARISON, /* and at < > = != */
  WEFT_FILTER_STOP_AT_OPERATOR,   /* and at : as well */
} WeftFilterStop;

/* The word may be empty. */
gboolean weft_filter_lexer_read_bare (WeftFilterLexer *self, WeftFilterStop stop,
                                      WeftFilterBareWord *word);
/* "…": NULL if it is not sound. */
char *weft_filter_lexer_read_quoted (WeftFilterLexer *self);
/* /…/ or /…/i. PATHS: without the slash behind it, it is none, and FOUND is set to FALSE. */
WeftFilterMatch *weft_filter_lexer_read_regex (WeftFilterLexer *self, WeftFilterStop stop,
                                               gboolean paths, gboolean *found);

/* Numbers. WEFT_FILTER_TYPE_… says what is wanted; MESSAGE what is wrong. */
gboolean weft_filter_number_parse (const char *text, WeftFilterType type, WeftFilterNumber *number,
                                   char **message);
char *weft_filter_number_print (const WeftFilterNumber *number);
gboolean weft_filter_number_equal (const WeftFilterNumber *a, const WeftFilterNumber *b);
/* Less than, equal to or greater than 0 as A is before, at or after B; of one unit. */
int weft_filter_number_compare (const WeftFilterNumber *a, const WeftFilterNumber *b);

/* Fields. */
gboolean weft_filter_field_find (const char *name, WeftFilterField *found);
const char *weft_filter_field_nearest (const char *name);
const char *weft_filter_field_resolve_word (WeftFilterField field, const char *text);
/* The one of WORDS that TEXT may have been meant for, or NULL. */
const char *weft_filter_nearest (const char *text, const char *const *words);
/* What stands before the number in handles of the field's objects, or NULL. */
const char *weft_filter_field_prefix (const WeftFilterFieldInfo *info);
/* Whether TEXT has the form of a handle, and of which table's objects. */
gboolean weft_filter_read_handle (const char *text, int *table, guint64 *id);

WeftFilterNode *weft_filter_parse (WeftFilterLexer *lexer);

G_END_DECLS
