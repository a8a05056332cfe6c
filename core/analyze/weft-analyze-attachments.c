/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What dispatches touched, and how much target time touched it. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-attachment-rows.h"
#include "weft-dispatch-stream.h"
#include "weft-enum-types.h"
#include "weft-ranking.h"
#include "weft-row-table.h"

#include <string.h>

static const char *const groups[] = { "attachment", "kind", "role", "slot", "access", NULL };
static const char *const orders[] = { "time", "count", "size", NULL };

typedef enum
{
  BY_ATTACHMENT,
  BY_KIND,
  BY_ROLE,
  BY_SLOT,
  BY_ACCESS,
} By;

enum
{
  HANDLE,
  KIND,
  LABEL,
  ROLE,
  SLOT,
  ACCESS,
  USES,
  DISPATCHES,
  TARGET_TIME,
  ROUTINES,
  READS,
  WRITES,
  REDACTED,
  SIZE_MIN,
  SIZE_MAX,
  BYTES,
  LARGEST,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("attachment", "a"),
  WEFT_ANSWER_COLUMN ("kind", STRING),
  WEFT_ANSWER_COLUMN ("label", STRING),
  WEFT_ANSWER_COLUMN ("role", STRING),
  WEFT_ANSWER_COLUMN ("slot", INT64),
  WEFT_ANSWER_ENUM ("access", weft_access_get_type),
  WEFT_ANSWER_UNIT ("uses", UINT64, "count"),
  WEFT_ANSWER_UNIT ("dispatches", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("target_time", DURATION),
  WEFT_ANSWER_UNIT ("routines", UINT64, "count"),
  WEFT_ANSWER_UNIT ("reads", UINT64, "count"),
  WEFT_ANSWER_UNIT ("writes", UINT64, "count"),
  WEFT_ANSWER_UNIT ("redacted", UINT64, "count"),
  WEFT_ANSWER_UNIT ("size_min", UINT64, "bytes"),
  WEFT_ANSWER_UNIT ("size_max", UINT64, "bytes"),
  WEFT_ANSWER_UNIT ("bytes", UINT64, "bytes"),
  WEFT_ANSWER_ID ("largest", "d"),
};

/* What rows are grouped by: two numbers tell groups apart. */
typedef struct
{
  guint64 first;
  guint64 second;
  guint64 number; /* of the group, in the order in which they were seen */
  guint64 row;    /* its first attachment */
  guint64 uses;
  guint64 dispatches;
  guint64 total;
  guint64 routines;
  guint64 reads;
  guint64 writes;
  guint64 redacted;
  gboolean has_size;
  guint64 size_min;
  guint64 size_max;
  guint64 bytes;
  guint64 largest;
} Group;

/* A group was touched by a dispatch, or by a routine. */
typedef struct
{
  guint64 group;
  guint64 id;
} Touch;

typedef struct
{
  const WeftAnalysisScope *scope;
  By by;
  WeftSelection *selection; /* NULL: all */
  WeftRowTable *dispatches;
  GHashTable *groups;  /* Group → itself */
  GPtrArray *numbered; /* the same, by number */
  GArray *touches;     /* element type Touch: by dispatch */
  GArray *routines;    /* element type Touch: by routine */
} Attachments;

static guint
hash_group (gconstpointer key)
{
  const Group *group = key;

  return (guint) ((group->first * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + group->second) *
                      G_GUINT64_CONSTANT (0xff51afd7ed558ccd) >>
                  32);
}

static gboolean
equal_groups (gconstpointer a, gconstpointer b)
{
  const Group *left = a;
  const Group *right = b;

  return left->first == right->first && left->second == right->second;
}

static void
find_key (Attachments *self, WeftRowCursor *row, Group *key)
{
  switch (self->by)
    {
    case BY_KIND:
      key->first = weft_row_cursor_get (row, WEFT_ATTACHMENTS_KIND);
      break;
    case BY_ROLE:
      key->first = weft_row_cursor_get (row, WEFT_ATTACHMENTS_ROLE);
      break;
    case BY_SLOT:
      key->first = weft_row_cursor_get (row, WEFT_ATTACHMENTS_SLOT);
      key->second = weft_row_cursor_has (row, WEFT_ATTACHMENTS_SLOT);
      break;
    case BY_ACCESS:
      key->first = weft_row_cursor_get (row, WEFT_ATTACHMENTS_ACCESS);
      break;
    default:
      key->first = weft_row_cursor_get (row, WEFT_ATTACHMENTS_KIND);
      key->second = weft_row_cursor_get (row, WEFT_ATTACHMENTS_LABEL);
    }
}

static Group *
get_group (Attachments *self, WeftRowCursor *row)
{
  Group key = { 0 };
  Group *group;

  find_key (self, row, &key);
  group = g_hash_table_lookup (self->groups, &key);
  if (group == NULL)
    {
      key.number = self->numbered->len;
      key.row = weft_row_cursor_get_number (row);
      group = g_memdup2 (&key, sizeof key);
      g_hash_table_add (self->groups, group);
      g_ptr_array_add (self->numbered, group);
    }
  return group;
}

static void
take_size (Group *group, guint64 size, guint64 dispatch)
{
  if (!group->has_size || size > group->size_max)
    {
      group->size_max = size;
      group->largest = dispatch;
    }
  group->size_min = group->has_size ? MIN (group->size_min, size) : size;
  group->bytes = size > G_MAXUINT64 - group->bytes ? G_MAXUINT64 : group->bytes + size;
  group->has_size = TRUE;
}

static void
take_row (Attachments *self, WeftRowCursor *row)
{
  guint64 dispatch = weft_row_cursor_get (row, WEFT_ATTACHMENTS_DISPATCH);
  guint64 access = weft_row_cursor_get (row, WEFT_ATTACHMENTS_ACCESS);
  gint64 start = (gint64) weft_row_table_get (self->dispatches, WEFT_DISPATCHES_START, dispatch);
  gint64 end = weft_time_after (
      start, weft_row_table_get (self->dispatches, WEFT_DISPATCHES_DURATION, dispatch));
  Touch touch = { 0, dispatch };
  Touch routine = { 0, weft_row_table_get (self->dispatches, WEFT_DISPATCHES_ROUTINE, dispatch) };
  Group *group;

  if (!weft_selection_allows (self->selection, dispatch) ||
      !weft_scope_overlaps (self->scope, start, end))
    return;
  group = get_group (self, row);
  group->uses++;
  group->reads += access == WEFT_ACCESS_READ || access == WEFT_ACCESS_READ_WRITE;
  group->writes += access == WEFT_ACCESS_WRITE || access == WEFT_ACCESS_READ_WRITE;
  group->redacted += weft_row_cursor_get (row, WEFT_ATTACHMENTS_PRIVACY) == WEFT_PRIVACY_REDACTED;
  if (weft_row_cursor_has (row, WEFT_ATTACHMENTS_SIZE))
    take_size (group, weft_row_cursor_get (row, WEFT_ATTACHMENTS_SIZE), dispatch);
  touch.group = routine.group = group->number;
  g_array_append_val (self->touches, touch);
  g_array_append_val (self->routines, routine);
}

static int
compare_touches (gconstpointer a, gconstpointer b)
{
  const Touch *left = a;
  const Touch *right = b;

  if (left->group != right->group)
    return left->group < right->group ? -1 : 1;
  return left->id < right->id ? -1 : left->id > right->id;
}

/* Whether the I-th of sorted touches is another than the one before. */
static gboolean
is_new (const GArray *touches, guint i)
{
  const Touch *touch = &g_array_index (touches, Touch, i);

  return i == 0 || compare_touches (touch - 1, touch) != 0;
}

/* A dispatch that touches one twice counts once. */
static void
count_touches (Attachments *self)
{
  g_array_sort (self->touches, compare_touches);
  g_array_sort (self->routines, compare_touches);
  for (guint i = 0; i < self->touches->len; i++)
    {
      const Touch *touch = &g_array_index (self->touches, Touch, i);
      Group *group = g_ptr_array_index (self->numbered, touch->group);
      gint64 start =
          (gint64) weft_row_table_get (self->dispatches, WEFT_DISPATCHES_START, touch->id);

      if (!is_new (self->touches, i))
        continue;
      group->dispatches++;
      group->total += weft_scope_clip (
          self->scope, start,
          weft_time_after (
              start, weft_row_table_get (self->dispatches, WEFT_DISPATCHES_DURATION, touch->id)));
    }
  for (guint i = 0; i < self->routines->len; i++)
    {
      const Touch *touch = &g_array_index (self->routines, Touch, i);

      if (touch->id != 0 && is_new (self->routines, i))
        ((Group *) g_ptr_array_index (self->numbered, touch->group))->routines++;
    }
}

static gint64
get_key (const Group *group, const char *order)
{
  if (strcmp (order, "count") == 0)
    return weft_rank_key (group->dispatches);
  if (strcmp (order, "size") == 0)
    return group->has_size ? weft_rank_key (group->size_max) : WEFT_RANK_LAST;
  return weft_rank_key (group->total);
}

static void
add_row (Attachments *self, WeftTableBuilder *builder, WeftRowCursor *row, const Group *group)
{
  weft_table_builder_begin_row (builder);
  if (self->by == BY_ATTACHMENT)
    {
      weft_table_builder_set_uint64 (builder, HANDLE, group->row);
      weft_answer_copy (builder, LABEL, row, WEFT_ATTACHMENTS_LABEL);
    }
  if (self->by == BY_ATTACHMENT || self->by == BY_KIND)
    weft_answer_copy (builder, KIND, row, WEFT_ATTACHMENTS_KIND);
  if (self->by == BY_ROLE)
    weft_answer_copy (builder, ROLE, row, WEFT_ATTACHMENTS_ROLE);
  if (self->by == BY_SLOT)
    weft_answer_copy (builder, SLOT, row, WEFT_ATTACHMENTS_SLOT);
  if (self->by == BY_ACCESS)
    weft_answer_copy (builder, ACCESS, row, WEFT_ATTACHMENTS_ACCESS);
  weft_table_builder_set_uint64 (builder, USES, group->uses);
  weft_table_builder_set_uint64 (builder, DISPATCHES, group->dispatches);
  weft_table_builder_set_uint64 (builder, TARGET_TIME, group->total);
  weft_table_builder_set_uint64 (builder, ROUTINES, group->routines);
  weft_table_builder_set_uint64 (builder, READS, group->reads);
  weft_table_builder_set_uint64 (builder, WRITES, group->writes);
  weft_table_builder_set_uint64 (builder, REDACTED, group->redacted);
  if (!group->has_size)
    return;
  weft_table_builder_set_uint64 (builder, SIZE_MIN, group->size_min);
  weft_table_builder_set_uint64 (builder, SIZE_MAX, group->size_max);
  weft_table_builder_set_uint64 (builder, BYTES, group->bytes);
  weft_table_builder_set_uint64 (builder, LARGEST, group->largest);
}

static gboolean
read_attachments (Attachments *self, GError **error)
{
  static const WeftColumnNumber numbers[] = { WEFT_DISPATCHES_START, WEFT_DISPATCHES_DURATION,
                                              WEFT_DISPATCHES_ROUTINE };
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_ATTACHMENTS);

  if (weft_store_get_n_rows (self->scope->store, WEFT_TABLE_ATTACHMENTS) == 0)
    return TRUE;
  self->dispatches = weft_row_table_new (self->scope, WEFT_TABLE_DISPATCHES, numbers,
                                         G_N_ELEMENTS (numbers), error);
  if (self->dispatches == NULL)
    return FALSE;
  while (weft_row_cursor_next (rows))
    take_row (self, rows);
  count_touches (self);
  return weft_row_cursor_finish (rows, error);
}

static gboolean
list_groups (Attachments *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("target-attachments", columns, N_COLUMNS);
  g_autoptr (WeftRanking) ranking =
      weft_ranking_new (self->scope, "target-attachments", FALSE, error);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_ATTACHMENTS);
  guint n_rows;

  if (ranking == NULL)
    return FALSE;
  for (guint i = 0; i < self->numbered->len; i++)
    weft_ranking_add (ranking,
                      get_key (g_ptr_array_index (self->numbered, i), self->scope->order_by), i,
                      g_ptr_array_index (self->numbered, i));
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    {
      const Group *group = weft_ranking_get (ranking, i)->data;

      if (weft_row_cursor_seek (rows, group->row))
        add_row (self, builder, rows, group);
    }
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    weft_table_builder_set_hint (
        builder,
        weft_store_get_n_rows (self->scope->store, WEFT_TABLE_ATTACHMENTS) > 0
            ? "Nothing that was touched fits what was asked for"
            : "No dispatch told what it touched; a program lists what each one reads and writes in "
              "WeftTargetDispatch.attachments (docs/producer-guide.md)");
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error);
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  static const WeftTableId tables[] = { WEFT_TABLE_DISPATCHES };
  Attachments self = { .scope = scope };
  WeftTableId table;
  guint64 dispatch;
  gint64 begin, end;
  gboolean good;

  if (scope->handle != NULL)
    return weft_answer_find_object (scope, tables, 1, &table, &dispatch, error) &&
           weft_attachment_rows_add_table (scope, report, "target-attachments", dispatch, error);
  if (!weft_scope_find_range (scope, &begin, &end, error))
    return FALSE;
  while (strcmp (groups[self.by], scope->group_by) != 0)
    self.by++;
  self.groups = g_hash_table_new_full (hash_group, equal_groups, g_free, NULL);
  self.numbered = g_ptr_array_new ();
  self.touches = g_array_new (FALSE, FALSE, sizeof (Touch));
  self.routines = g_array_new (FALSE, FALSE, sizeof (Touch));
  good = weft_scope_select_dispatches (scope, &self.selection, error) &&
         read_attachments (&self, error) && list_groups (&self, report, error);
  g_clear_pointer (&self.selection, weft_selection_free);
  g_clear_pointer (&self.dispatches, weft_row_table_free);
  g_hash_table_unref (self.groups);
  g_ptr_array_unref (self.numbered);
  g_array_unref (self.touches);
  g_array_unref (self.routines);
  return good;
}

const WeftAnalysisKind weft_analyze_attachments = {
  .name = "target-attachments",
  .summary = "What dispatches touched, and how much target time touched it",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_GROUP |
             WEFT_ANALYSIS_OPTION_ORDER | WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR |
             WEFT_ANALYSIS_OPTION_HANDLE,
  .groups = groups,
  .orders = orders,
  .default_limit = 100,
};
