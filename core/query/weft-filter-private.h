/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a filter is once it was read: a tree of conditions. The query engine walks it; the parser
 * makes it; the printer writes it back.
 *
 * A condition holds for a row if any of its values does. Where a field has several things for a row
 * (attachments, tags, phases, …) it holds if any of these fits. A row that has no value of the
 * field does not fit; NOT turns that around.
 */
#pragma once

#include "weft-error.h"
#include "weft-filter.h"

G_BEGIN_DECLS

#define WEFT_FILTER_MAX_BYTES 65536
#define WEFT_FILTER_MAX_DEPTH 64
#define WEFT_FILTER_MAX_REGEX_BYTES 1024

typedef enum
{
  WEFT_FILTER_FIELD_ANY, /* plain text: over all names of a row */
  WEFT_FILTER_FIELD_LANE,
  WEFT_FILTER_FIELD_KIND,
  WEFT_FILTER_FIELD_QUEUE,
  WEFT_FILTER_FIELD_SUBMISSION,
  WEFT_FILTER_FIELD_ROUTINE,
  WEFT_FILTER_FIELD_LABEL,
  WEFT_FILTER_FIELD_NAME,
  WEFT_FILTER_FIELD_ID,
  WEFT_FILTER_FIELD_SOURCE,
  WEFT_FILTER_FIELD_LINE,
  WEFT_FILTER_FIELD_ORIGIN,
  WEFT_FILTER_FIELD_ROLE,
  WEFT_FILTER_FIELD_LINK,
  WEFT_FILTER_FIELD_CLASSIFICATION,
  WEFT_FILTER_FIELD_ATTACHMENT,
  WEFT_FILTER_FIELD_COUNTER,
  WEFT_FILTER_FIELD_METRIC,
  WEFT_FILTER_FIELD_TAG,
  WEFT_FILTER_FIELD_PHASE,
  WEFT_FILTER_FIELD_TRACE,
  WEFT_FILTER_FIELD_STATUS,
  WEFT_FILTER_FIELD_ERROR,
  WEFT_FILTER_FIELD_WARNING,
  WEFT_FILTER_FIELD_THREAD,
  WEFT_FILTER_FIELD_PROCESS,
  WEFT_FILTER_FIELD_RUNTIME,
  WEFT_FILTER_FIELD_TIME, /* overlaps, or for a point in time: lies in */
  WEFT_FILTER_FIELD_START,
  WEFT_FILTER_FIELD_END,
  WEFT_FILTER_FIELD_DURATION,
  WEFT_FILTER_FIELD_SELF,
  WEFT_FILTER_FIELD_QUEUE_WAIT,
  WEFT_FILTER_FIELD_ATTEMPTS,
  WEFT_FILTER_FIELD_DEPTH,
  WEFT_FILTER_FIELD_FUNCTION, /* any on the stack */
  WEFT_FILTER_FIELD_MODULE,   /* the same */
  WEFT_FILTER_FIELD_REASON,
  WEFT_FILTER_FIELD_CPU,
  WEFT_N_FILTER_FIELDS
} WeftFilterField;

/* What may stand behind a field. */
typedef enum
{
  WEFT_FILTER_TYPE_NAME,     /* text; HANDLE where the field names objects of a table */
  WEFT_FILTER_TYPE_NUMBERED, /* the same, and a plain number is a pid or tid as well */
  WEFT_FILTER_TYPE_WORDS,    /* words of an enumeration: a set of them, node->words */
  WEFT_FILTER_TYPE_COUNT,    /* RANGE of plain whole numbers */
  WEFT_FILTER_TYPE_ID,       /* HANDLE, or RANGE of plain numbers */
  WEFT_FILTER_TYPE_TIME,     /* RANGE of nanoseconds since the start of the recording */
  WEFT_FILTER_TYPE_DURATION, /* RANGE of nanoseconds */
  WEFT_FILTER_TYPE_SIZE,     /* RANGE of bytes */
  WEFT_FILTER_TYPE_NUMBER,   /* RANGE of numbers with or without a unit */
  WEFT_FILTER_TYPE_TAG,      /* text, with a number where it reads as one, or RANGE */
} WeftFilterType;

typedef struct
{
  WeftFilterField field;
  const char *name;
  const char *aliases; /* joined by blanks, or NULL */
  WeftFilterType type; /* of the values; of a keyed field: of what follows the operator */
  gboolean keyed;      /* names come first: counter:NAME>100 */
  gboolean paths;      /* a value may begin with a slash and be no regular expression */
  int table;           /* WeftTableId of the objects that handles name, or -1 */
  GType (*enumeration) (void);
  const char *description;
  const char *example;
} WeftFilterFieldInfo;

const WeftFilterFieldInfo *weft_filter_field_info (WeftFilterField field);

typedef enum
{
  WEFT_FILTER_UNIT_NONE,
  WEFT_FILTER_UNIT_NANOSECONDS,
  WEFT_FILTER_UNIT_BYTES,
  WEFT_FILTER_UNIT_PERCENT,
} WeftFilterUnit;

typedef struct
{
  gboolean integral;
  gboolean negative;
  guint64 magnitude; /* where INTEGRAL: the value without its sign, in UNIT */
  double real;       /* the value, rounded to a double */
  WeftFilterUnit unit;
} WeftFilterNumber;

/* An end that is not there is infinite; both: any number at all. */
typedef struct
{
  WeftFilterNumber low;
  WeftFilterNumber high;
  gboolean has_low;
  gboolean has_high;
  gboolean low_open; /* LOW itself does not belong to it */
  gboolean high_open;
} WeftFilterRange;

gboolean weft_filter_range_contains_uint64 (const WeftFilterRange *range, guint64 value);
gboolean weft_filter_range_contains_int64 (const WeftFilterRange *range, gint64 value);
gboolean weft_filter_range_contains_double (const WeftFilterRange *range, double value);
/* The same as inclusive whole numbers, for zone maps: FALSE if no whole number is in it. */
gboolean weft_filter_range_get_bounds (const WeftFilterRange *range, gint64 *low, gint64 *high);

typedef enum
{
  WEFT_FILTER_MATCH_WORD,     /* TEXT is the whole name; case does not matter */
  WEFT_FILTER_MATCH_GLOB,     /* TEXT is a pattern over the whole name; case does not matter */
  WEFT_FILTER_MATCH_CONTAINS, /* TEXT is part of the name; case does not matter */
  WEFT_FILTER_MATCH_REGEX,
  WEFT_FILTER_MATCH_HANDLE, /* the object of TABLE that has ID */
  WEFT_FILTER_MATCH_RANGE,
  WEFT_FILTER_MATCH_TEST, /* TEST says so; of no filter's text */
} WeftFilterMatchKind;

/* Whether a text fits. Any thread. */
typedef gboolean (*WeftFilterTest) (const char *text, gconstpointer data);

typedef struct
{
  WeftFilterMatchKind kind;
  char *text;           /* of GLOB and REGEX: the pattern, with its escapes */
  gboolean ignore_case; /* of REGEX */
  gboolean has_number;  /* of WORD: RANGE is what it is as a number; either may fit */
  int table;            /* of HANDLE: WeftTableId */
  guint64 id;
  WeftFilterRange range;
  WeftFilterTest test;
  gconstpointer test_data;

  char *folded;
  GRegex *regex;
} WeftFilterMatch;

/* Whether a name fits WORD, GLOB, CONTAINS, REGEX or TEST. Fails with WEFT_ERROR_INVALID_FILTER where a
 * regular expression takes too many steps. Ask once for each word of a dictionary.
 */
gboolean weft_filter_match_text (const WeftFilterMatch *match, const char *text, GError **error);

typedef enum
{
  WEFT_FILTER_NODE_ALL, /* the empty filter: all rows; only ever the root */
  WEFT_FILTER_NODE_AND, /* CHILDREN: two or more, none of them AND */
  WEFT_FILTER_NODE_OR,  /* CHILDREN: two or more, none of them OR */
  WEFT_FILTER_NODE_NOT, /* CHILDREN: one, which is not NOT */
  WEFT_FILTER_NODE_TERM,
} WeftFilterNodeKind;

typedef struct
{
  WeftFilterNodeKind kind;
  GPtrArray *children; /* (element-type WeftFilterNode) */

  /* Of TERM: */
  WeftFilterField field;
  GPtrArray *names;  /* (element-type WeftFilterMatch): of a keyed field, any of which */
  GPtrArray *values; /* (element-type WeftFilterMatch): any of which; none: it is there at all */
  guint32 words;     /* of WORDS instead of VALUES: bit N is set for the enumeration's value N */
} WeftFilterNode;

const WeftFilterNode *weft_filter_get_root (const WeftFilter *filter);

/* Parts, for the parser and for tests that make trees of their own. */
WeftFilterNode *weft_filter_node_new (WeftFilterNodeKind kind);
WeftFilterNode *weft_filter_node_new_term (WeftFilterField field);
WeftFilterNode *weft_filter_node_copy (const WeftFilterNode *node);
void weft_filter_node_free (WeftFilterNode *node);
gboolean weft_filter_node_equal (const WeftFilterNode *a, const WeftFilterNode *b);
/* Takes CHILD, and keeps the promises of WeftFilterNodeKind. */
void weft_filter_node_add (WeftFilterNode *node, WeftFilterNode *child);
/* Takes NODE. */
WeftFilterNode *weft_filter_node_negate (WeftFilterNode *node);
char *weft_filter_node_print (const WeftFilterNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFilterNode, weft_filter_node_free)

/* TEXT is copied. */
WeftFilterMatch *weft_filter_match_new (WeftFilterMatchKind kind, const char *text);
WeftFilterMatch *weft_filter_match_new_handle (int table, guint64 id);
WeftFilterMatch *weft_filter_match_new_range (const WeftFilterRange *range);
/* DATA outlives it. */
WeftFilterMatch *weft_filter_match_new_test (WeftFilterTest test, gconstpointer data);
/* ERROR_OFFSET: byte of PATTERN at which it makes no sense. */
WeftFilterMatch *weft_filter_match_new_regex (const char *pattern, gboolean ignore_case,
                                              gsize *error_offset, char **error_message);
void weft_filter_match_free (WeftFilterMatch *match);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFilterMatch, weft_filter_match_free)

WeftFilter *weft_filter_new_from_node (WeftFilterNode *node);

G_END_DECLS
