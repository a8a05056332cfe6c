/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-filter-private.h"

#include <string.h>

#include "weft-enum-types.h"
#include "weft-filter-lexer.h"
#include "weft-model.h"
#include "weft-table-builder.h"

/* The table of the objects that a field names. */
#define NO_OBJECTS -1
#define OBJECTS(TABLE) WEFT_TABLE_##TABLE

#define FIELD(FIELD, NAME, ALIASES, TYPE, TABLE, DESCRIPTION, EXAMPLE, ...)                        \
  [WEFT_FILTER_FIELD_##FIELD] = { .field = WEFT_FILTER_FIELD_##FIELD,                              \
                                  .name = NAME,                                                    \
                                  .aliases = ALIASES,                                              \
                                  .type = WEFT_FILTER_TYPE_##TYPE,                                 \
                                  .table = TABLE,                                                  \
                                  .description = DESCRIPTION,                                      \
                                  .example = EXAMPLE,                                              \
                                  __VA_ARGS__ }

/* clang-format off */
static const WeftFilterFieldInfo fields[WEFT_N_FILTER_FIELDS] = {
  [WEFT_FILTER_FIELD_ANY] = { .type = WEFT_FILTER_TYPE_NAME, .table = NO_OBJECTS },
  FIELD (LANE, "lane", NULL, NAME, OBJECTS (LANES),
         "Name of the lane", "lane:worker*"),
  FIELD (KIND, "kind", NULL, NAME, NO_OBJECTS,
         "Kind of the lane, a namespaced word", "kind:pool.*"),
  FIELD (QUEUE, "queue", NULL, NAME, OBJECTS (QUEUES),
         "Name of the queue", "queue:~copy"),
  FIELD (SUBMISSION, "submission", "sub", NAME, OBJECTS (SUBMISSIONS),
         "Submission", "submission:s-2"),
  FIELD (ROUTINE, "routine", NULL, NAME, OBJECTS (ROUTINES),
         "Name or label of the routine", "routine:gemm,softmax"),
  FIELD (LABEL, "label", NULL, NAME, NO_OBJECTS,
         "Label of the dispatch itself", "label:/frame [0-9]+/"),
  FIELD (NAME, "name", NULL, NAME, NO_OBJECTS,
         "Name of the object that the row is about", "name:~decode"),
  FIELD (ID, "id", NULL, ID, NO_OBJECTS,
         "Number or handle of the object itself", "id:d-12,d-14"),
  FIELD (SOURCE, "source", "src file", NAME, OBJECTS (SOURCES),
         "Path of the source text", "source:*/kernels.c", .paths = TRUE),
  FIELD (LINE, "line", NULL, COUNT, NO_OBJECTS,
         "Line of the source text", "line:100..120"),
  FIELD (ORIGIN, "origin", NULL, NUMBERED, OBJECTS (THREADS),
         "CPU origin: name or tid of its thread, or a function of its stack", "origin:~decode"),
  FIELD (ROLE, "role", NULL, WORDS, NO_OBJECTS,
         "Role of an origin", "role:wait-begin",
         .enumeration = weft_origin_role_get_type),
  FIELD (LINK, "link", NULL, WORDS, NO_OBJECTS,
         "Whether an origin is linked to a CPU stack", "-link:linked*",
         .enumeration = weft_link_status_get_type),
  FIELD (CLASSIFICATION, "classification", "class", WORDS, NO_OBJECTS,
         "Whether the work was waited for", "classification:sync",
         .enumeration = weft_classification_get_type),
  FIELD (ATTACHMENT, "attachment", NULL, SIZE, OBJECTS (ATTACHMENTS),
         "Label or kind of an attachment, and its size", "attachment:weights>4MiB", .keyed = TRUE),
  FIELD (COUNTER, "counter", NULL, NUMBER, OBJECTS (COUNTERS),
         "Name of a counter, and a value of it", "counter:\"cache misses\">100", .keyed = TRUE),
  FIELD (METRIC, "metric", NULL, NUMBER, OBJECTS (METRICS),
         "Name of a metric, and a value of it", "metric:queue.pending>=8", .keyed = TRUE),
  FIELD (TAG, "tag", NULL, TAG, NO_OBJECTS,
         "Key of a tag, and its value", "tag:model=resnet*", .keyed = TRUE),
  FIELD (PHASE, "phase", NULL, DURATION, NO_OBJECTS,
         "Name of a phase, and how long it took", "phase:fragment>1ms", .keyed = TRUE),
  FIELD (TRACE, "trace", NULL, NAME, OBJECTS (TRACES),
         "Name of the trace", "trace:step-*"),
  FIELD (STATUS, "status", NULL, WORDS, NO_OBJECTS,
         "How it ended", "status:error,canceled",
         .enumeration = weft_status_get_type),
  FIELD (ERROR, "error", NULL, NAME, OBJECTS (ERRORS),
         "Kind, name or message of the error", "error:timeout"),
  FIELD (WARNING, "warning", NULL, NAME, OBJECTS (WARNINGS),
         "Code or message of a warning", "warning:over-budget"),
  FIELD (THREAD, "thread", "tid", NUMBERED, OBJECTS (THREADS),
         "Name or tid of the thread", "thread:worker-*"),
  FIELD (PROCESS, "process", "pid", NUMBERED, OBJECTS (PROCESSES),
         "Name or pid of the process", "process:4711"),
  FIELD (RUNTIME, "runtime", NULL, NAME, OBJECTS (RUNTIMES),
         "Name of the runtime", "runtime:decoder"),
  FIELD (TIME, "time", NULL, TIME, NO_OBJECTS,
         "When it was: what overlaps, since the recording's start", "time:1.5s..2s"),
  FIELD (START, "start", "begin", TIME, NO_OBJECTS,
         "When it began", "start>=1.2s"),
  FIELD (END, "end", NULL, TIME, NO_OBJECTS,
         "When it ended", "end<30s"),
  FIELD (DURATION, "duration", "dur", DURATION, NO_OBJECTS,
         "How long it took", "duration>2ms"),
  FIELD (SELF, "self", NULL, DURATION, NO_OBJECTS,
         "How long it took without the spans within", "self>1ms"),
  FIELD (QUEUE_WAIT, "queue_wait", "queue-wait wait", DURATION, NO_OBJECTS,
         "How long it waited in its queue", "queue_wait>500us"),
  FIELD (ATTEMPTS, "attempts", NULL, COUNT, NO_OBJECTS,
         "How often it was tried", "attempts>1"),
  FIELD (DEPTH, "depth", NULL, COUNT, NO_OBJECTS,
         "How many spans it lies within", "depth:0"),
  FIELD (FUNCTION, "function", "func", NAME, OBJECTS (SYMBOLS),
         "Function on the stack, wherever in it", "function:main"),
  FIELD (MODULE, "module", NULL, NAME, OBJECTS (MODULES),
         "Module of a function on the stack: file or path", "module:libc.so*"),
  FIELD (REASON, "reason", NULL, WORDS, NO_OBJECTS,
         "What a thread waited for", "reason:lock,semaphore",
         .enumeration = weft_wait_reason_get_type),
  FIELD (CPU, "cpu", NULL, COUNT, NO_OBJECTS,
         "Number of the CPU", "cpu:0..3"),
};
/* clang-format on */

/* Words that mean one of an enumeration, beside those of its own. */
static const struct
{
  WeftFilterField field;
  const char *alias;
  const char *word;
} word_aliases[] = {
  { WEFT_FILTER_FIELD_CLASSIFICATION, "sync", "synchronous" },
  { WEFT_FILTER_FIELD_CLASSIFICATION, "async", "asynchronous" },
  { WEFT_FILTER_FIELD_STATUS, "cancelled", "canceled" },
};

const WeftFilterFieldInfo *
weft_filter_field_info (WeftFilterField field)
{
  g_return_val_if_fail (field < WEFT_N_FILTER_FIELDS, NULL);

  return &fields[field];
}

const char *
weft_filter_field_resolve_word (WeftFilterField field, const char *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (word_aliases); i++)
    if (word_aliases[i].field == field && g_ascii_strcasecmp (word_aliases[i].alias, text) == 0)
      return word_aliases[i].word;
  return text;
}

static char **
names_of_field (WeftFilterField field)
{
  g_autofree char *all = g_strjoin (" ", fields[field].name, fields[field].aliases, NULL);

  return g_strsplit (all, " ", -1);
}

gboolean
weft_filter_field_find (const char *name, WeftFilterField *found)
{
  for (guint i = WEFT_FILTER_FIELD_ANY + 1; i < WEFT_N_FILTER_FIELDS; i++)
    {
      g_auto (GStrv) names = names_of_field (i);

      for (guint j = 0; names[j] != NULL; j++)
        if (g_ascii_strcasecmp (names[j], name) == 0)
          {
            *found = i;
            return TRUE;
          }
    }
  return FALSE;
}

/* How many letters must be put in, left out, changed or swapped to make B of A: 9 for many. */
static guint
edit_distance (const char *a, const char *b)
{
  guint rows[3][33];
  gsize n = strlen (b);

  if (strlen (a) > 32 || n > 32)
    return 9;
  for (guint j = 0; j <= n; j++)
    rows[0][j] = j;
  for (guint i = 1; a[i - 1] != '\0'; i++)
    {
      guint *row = rows[i % 3];
      const guint *last = rows[(i + 2) % 3];

      row[0] = i;
      for (guint j = 1; j <= n; j++)
        {
          guint change =
              last[j - 1] + (g_ascii_tolower (a[i - 1]) == g_ascii_tolower (b[j - 1]) ? 0 : 1);

          row[j] = MIN (change, MIN (last[j], row[j - 1]) + 1);
          if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            row[j] = MIN (row[j], rows[(i + 1) % 3][j - 2] + 1);
        }
    }
  return rows[strlen (a) % 3][n];
}

const char *
weft_filter_nearest (const char *text, const char *const *words)
{
  const char *best = NULL;
  guint best_distance = strlen (text) < 4 ? 2 : 3;

  for (guint i = 0; words[i] != NULL; i++)
    {
      guint distance = edit_distance (text, words[i]);

      if (distance < best_distance)
        {
          best = words[i];
          best_distance = distance;
        }
    }
  for (guint i = 0; best == NULL && strlen (text) >= 3 && words[i] != NULL; i++)
    if (g_ascii_strncasecmp (words[i], text, strlen (text)) == 0)
      best = words[i];
  return best;
}

const char *
weft_filter_field_nearest (const char *name)
{
  const char *names[WEFT_N_FILTER_FIELDS] = { NULL };

  for (guint i = WEFT_FILTER_FIELD_ANY + 1; i < WEFT_N_FILTER_FIELDS; i++)
    names[i - 1] = fields[i].name;
  return weft_filter_nearest (name, names);
}

const char *
weft_filter_field_prefix (const WeftFilterFieldInfo *info)
{
  return info->table >= 0 ? weft_model_get_table ((WeftTableId) info->table)->prefix : NULL;
}

gboolean
weft_filter_read_handle (const char *text, int *table, guint64 *id)
{
  const char *dash = strchr (text, '-');
  g_autofree char *prefix = NULL;
  WeftTableId found;
  char *end;

  /* 18 digits fit. */
  if (dash == NULL || dash == text || !g_ascii_isdigit (dash[1]) || strlen (dash) > 19)
    return FALSE;
  prefix = g_strndup (text, (gsize) (dash - text));
  found = weft_model_find_prefix (prefix);
  *table = (int) found;
  *id = g_ascii_strtoull (dash + 1, &end, 10);
  return found != WEFT_N_TABLES && *end == '\0';
}

/* ---- The table of fields, for people ---- */

static const char *
say_type (const WeftFilterFieldInfo *info)
{
  static const char *const types[] = {
    [WEFT_FILTER_TYPE_NAME] = "name",         [WEFT_FILTER_TYPE_NUMBERED] = "name or number",
    [WEFT_FILTER_TYPE_WORDS] = "word",        [WEFT_FILTER_TYPE_COUNT] = "whole number",
    [WEFT_FILTER_TYPE_ID] = "handle",         [WEFT_FILTER_TYPE_TIME] = "time",
    [WEFT_FILTER_TYPE_DURATION] = "duration", [WEFT_FILTER_TYPE_SIZE] = "size",
    [WEFT_FILTER_TYPE_NUMBER] = "number",     [WEFT_FILTER_TYPE_TAG] = "text or number",
  };

  return types[info->type];
}

static char *
list_words (const WeftFilterFieldInfo *info)
{
  g_autoptr (GEnumClass) klass = NULL;
  g_autoptr (GString) words = NULL;

  if (info->enumeration == NULL)
    return NULL;
  klass = g_type_class_ref (info->enumeration ());
  words = g_string_new (NULL);
  for (guint i = 0; i < klass->n_values; i++)
    g_string_append_printf (words, "%s%s", i > 0 ? " " : "", klass->values[i].value_nick);
  return g_string_free (g_steal_pointer (&words), FALSE);
}

/**
 * weft_filter_list_fields:
 *
 * The fields that a filter can ask for, for completion and help.
 *
 * The columns are `field`, its name; `aliases`, joined by blanks; `type`, what its values are;
 * `keyed`, whether the value is preceded by a name as in `counter:NAME>100`; `prefix` of the
 * handles it takes; `words`, joined by blanks, where it takes no others; `description`; and
 * `example`, a filter that is one condition on this field.
 *
 * Returns: (transfer full): a table with one row per field
 *
 * Since: 0.1
 */
WeftTable *
weft_filter_list_fields (void)
{
  static const WeftTableColumn columns[] = {
    { .name = "field", .type = WEFT_VALUE_STRING },
    { .name = "aliases", .type = WEFT_VALUE_STRING },
    { .name = "type", .type = WEFT_VALUE_STRING },
    { .name = "keyed", .type = WEFT_VALUE_BOOLEAN },
    { .name = "prefix", .type = WEFT_VALUE_STRING },
    { .name = "words", .type = WEFT_VALUE_STRING },
    { .name = "description", .type = WEFT_VALUE_STRING },
    { .name = "example", .type = WEFT_VALUE_STRING },
  };
  g_autoptr (WeftTableBuilder) builder = weft_table_builder_new ("filter-fields");

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    weft_table_builder_add_column (builder, &columns[i]);
  for (guint i = WEFT_FILTER_FIELD_ANY + 1; i < WEFT_N_FILTER_FIELDS; i++)
    {
      g_autofree char *words = list_words (&fields[i]);

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_string (builder, 0, fields[i].name);
      weft_table_builder_set_string (builder, 1, fields[i].aliases);
      weft_table_builder_set_string (builder, 2, say_type (&fields[i]));
      weft_table_builder_set_uint64 (builder, 3, fields[i].keyed);
      weft_table_builder_set_string (builder, 4, weft_filter_field_prefix (&fields[i]));
      weft_table_builder_set_string (builder, 5, words);
      weft_table_builder_set_string (builder, 6, fields[i].description);
      weft_table_builder_set_string (builder, 7, fields[i].example);
    }
  return weft_table_builder_finish (g_steal_pointer (&builder));
}
