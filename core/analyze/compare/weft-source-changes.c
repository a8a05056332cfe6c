/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-source-changes.h"

#include <stdlib.h>
#include <string.h>

#include "weft-answer.h"
#include "weft-compare-parts.h"
#include "weft-query.h"
#include "weft-text-diff.h"

/* A text that is longer is not compared line by line. */
#define MAX_TEXT (1 << 20)
/* Hashes are told as far as people look. */
#define N_HASH 12

typedef struct
{
  char *hash;
  char *text; /* or NULL: only its hash is known */
} Version;

typedef struct
{
  char *path;
  GPtrArray *versions[2]; /* Version, those that a side has */
  GHashTable *routines;   /* names */
} Source;

struct _WeftSourceChanges
{
  GHashTable *by_path; /* Source */
};

static void
version_free (gpointer data)
{
  Version *version = data;

  g_free (version->hash);
  g_free (version->text);
  g_free (version);
}

static void
source_free (gpointer data)
{
  Source *source = data;

  g_free (source->path);
  g_ptr_array_unref (source->versions[0]);
  g_ptr_array_unref (source->versions[1]);
  g_hash_table_unref (source->routines);
  g_free (source);
}

WeftSourceChanges *
weft_source_changes_new (void)
{
  WeftSourceChanges *self = g_new (WeftSourceChanges, 1);

  self->by_path = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, source_free);
  return self;
}

void
weft_source_changes_free (WeftSourceChanges *self)
{
  g_hash_table_unref (self->by_path);
  g_free (self);
}

static Source *
take_source (WeftSourceChanges *self, const char *path)
{
  Source *source = g_hash_table_lookup (self->by_path, path);

  if (source != NULL)
    return source;
  source = g_new0 (Source, 1);
  source->path = g_strdup (path);
  source->versions[0] = g_ptr_array_new_with_free_func (version_free);
  source->versions[1] = g_ptr_array_new_with_free_func (version_free);
  source->routines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert (self->by_path, source->path, source);
  return source;
}

static gboolean
has_version (GPtrArray *versions, const char *hash)
{
  for (guint i = 0; i < versions->len; i++)
    if (strcmp (((Version *) g_ptr_array_index (versions, i))->hash, hash) == 0)
      return TRUE;
  return FALSE;
}

/* NULL where the recording does not have it, or it is no text. */
static char *
read_text (const WeftAnalysisScope *scope, guint64 id)
{
  g_autoptr (GBytes) bytes = weft_recording_get_source_text (scope->recording, id, NULL);
  gsize size = 0;
  const char *data = bytes ? g_bytes_get_data (bytes, &size) : NULL;

  return data != NULL && size > 0 && size <= MAX_TEXT && g_utf8_validate_len (data, size, NULL)
             ? g_strndup (data, size)
             : NULL;
}

static gboolean
read_versions (WeftSourceChanges *self, const WeftAnalysisScope *scope, WeftComparisonSide side,
               GError **error)
{
  static const char *const none[] = { NULL };
  static const char *const selects[] = { "id", "id", "path", "path", "hash", "hash", NULL };
  WeftAnalysisScope whole = *scope;
  g_autoptr (WeftTable) table = NULL;

  whole.filter = NULL;
  table = weft_compare_query (&whole, "sources", none, selects, error);
  for (guint row = 0; table != NULL && row < weft_table_get_n_rows (table); row++)
    {
      const char *path = weft_compare_get_text (table, "path", row);
      const char *hash = weft_compare_get_text (table, "hash", row);
      GPtrArray *versions;
      Version *version;

      if (path == NULL || *path == '\0' || hash == NULL || *hash == '\0')
        continue;
      versions = take_source (self, path)->versions[side];
      if (has_version (versions, hash))
        continue;
      version = g_new (Version, 1);
      *version =
          (Version){ g_strdup (hash), read_text (scope, weft_table_get_uint64 (table, 0, row)) };
      g_ptr_array_add (versions, version);
    }
  return table != NULL;
}

gboolean
weft_source_changes_read (WeftSourceChanges *self, const WeftAnalysisScope *scope,
                          WeftComparisonSide side, GError **error)
{
  static const char *const groups[] = { "source.path", "path", "name", "name", NULL };
  static const char *const selects[] = { "count", "count", NULL };
  WeftAnalysisScope whole = *scope;
  g_autoptr (WeftTable) table = NULL;

  if (!read_versions (self, scope, side, error))
    return FALSE;
  whole.filter = NULL;
  table = weft_compare_query (&whole, "routines", groups, selects, error);
  for (guint row = 0; table != NULL && row < weft_table_get_n_rows (table); row++)
    {
      const char *path = weft_compare_get_text (table, "path", row);
      const char *name = weft_compare_get_text (table, "name", row);

      if (path != NULL && *path != '\0' && name != NULL)
        g_hash_table_add (take_source (self, path)->routines, g_strdup (name));
    }
  return table != NULL;
}

/* ---- What changed ---- */

/* Both sides have it, and one of them a version that the other has not. */
static gboolean
has_changed (const Source *source)
{
  if (source->versions[0]->len == 0 || source->versions[1]->len == 0)
    return FALSE;
  for (guint side = 0; side < 2; side++)
    for (guint i = 0; i < source->versions[side]->len; i++)
      if (!has_version (source->versions[1 - side],
                        ((Version *) g_ptr_array_index (source->versions[side], i))->hash))
        return TRUE;
  return FALSE;
}

static int
compare_sources (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(Source *const *) a)->path, (*(Source *const *) b)->path);
}

/* By their paths. */
static GPtrArray *
list_changes (WeftSourceChanges *self)
{
  GPtrArray *changes = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer source;

  g_hash_table_iter_init (&iter, self->by_path);
  while (g_hash_table_iter_next (&iter, NULL, &source))
    if (has_changed (source))
      g_ptr_array_add (changes, source);
  g_ptr_array_sort (changes, compare_sources);
  return changes;
}

void
weft_source_changes_mark (WeftSourceChanges *self, WeftMeasures *measures)
{
  g_autoptr (GPtrArray) changes = list_changes (self);

  for (guint i = 0; i < measures->measures->len; i++)
    {
      WeftMeasure *measure = weft_measures_get (measures, i);

      for (guint c = 0; c < changes->len && measure->subject.name != NULL; c++)
        {
          const Source *source = g_ptr_array_index (changes, c);

          if (strcmp (measure->subject.scope, "routine") == 0
                  ? g_hash_table_contains (source->routines, measure->subject.name)
                  : strcmp (measure->subject.scope, "source") == 0 &&
                        strcmp (source->path, measure->subject.name) == 0)
            measure->has_other_source = TRUE;
        }
    }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char *
join_routines (const Source *source)
{
  guint n;
  g_autofree char **names = (char **) g_hash_table_get_keys_as_array (source->routines, &n);

  qsort (names, n, sizeof *names, compare_names);
  return g_strjoinv (", ", names);
}

/* The last version that only this side has; with several of which none is its own, the last one. */
static const Version *
get_own_version (const Source *source, guint side)
{
  GPtrArray *versions = source->versions[side];

  for (guint i = versions->len; i-- > 0;)
    {
      const Version *version = g_ptr_array_index (versions, i);

      if (!has_version (source->versions[1 - side], version->hash))
        return version;
    }
  return g_ptr_array_index (versions, versions->len - 1);
}

static void
report_source (const Source *source, WeftTableBuilder *builder)
{
  const Version *before = get_own_version (source, 0);
  const Version *after = get_own_version (source, 1);
  g_autofree char *routines = join_routines (source);
  g_autofree char *diff = NULL, *hash_a = NULL, *hash_b = NULL;

  if (before->text != NULL && after->text != NULL)
    diff = weft_text_diff (before->text, after->text);
  hash_a = g_strndup (before->hash, N_HASH);
  hash_b = g_strndup (after->hash, N_HASH);
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, 0, source->path);
  weft_table_builder_set_string (builder, 1, routines);
  weft_table_builder_set_string (builder, 2, hash_a);
  weft_table_builder_set_string (builder, 3, hash_b);
  weft_table_builder_set_string (builder, 4, diff);
}

void
weft_source_changes_report (WeftSourceChanges *self, WeftReport *report)
{
  static const WeftAnswerColumn columns[] = {
    WEFT_ANSWER_COLUMN ("source", STRING), WEFT_ANSWER_COLUMN ("routines", STRING),
    WEFT_ANSWER_COLUMN ("hash_a", STRING), WEFT_ANSWER_COLUMN ("hash_b", STRING),
    WEFT_ANSWER_COLUMN ("diff", STRING),
  };
  WeftTableBuilder *builder =
      weft_answer_begin_table ("source_changes", columns, G_N_ELEMENTS (columns));
  g_autoptr (GPtrArray) changes = list_changes (self);

  for (guint i = 0; i < changes->len; i++)
    report_source (g_ptr_array_index (changes, i), builder);
  weft_answer_add_table (report, builder);
}
