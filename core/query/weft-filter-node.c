/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-filter-lexer.h"

static void
free_node (gpointer node)
{
  weft_filter_node_free (node);
}

static void
free_match (gpointer match)
{
  weft_filter_match_free (match);
}

WeftFilterNode *
weft_filter_node_new (WeftFilterNodeKind kind)
{
  WeftFilterNode *self = g_new0 (WeftFilterNode, 1);

  self->kind = kind;
  self->children = g_ptr_array_new_with_free_func (free_node);
  self->names = g_ptr_array_new_with_free_func (free_match);
  self->values = g_ptr_array_new_with_free_func (free_match);
  return self;
}

WeftFilterNode *
weft_filter_node_new_term (WeftFilterField field)
{
  WeftFilterNode *self = weft_filter_node_new (WEFT_FILTER_NODE_TERM);

  self->field = field;
  return self;
}

void
weft_filter_node_free (WeftFilterNode *self)
{
  g_ptr_array_unref (self->children);
  g_ptr_array_unref (self->names);
  g_ptr_array_unref (self->values);
  g_free (self);
}

static WeftFilterMatch *
copy_match (const WeftFilterMatch *match)
{
  WeftFilterMatch *copy = g_new0 (WeftFilterMatch, 1);

  *copy = *match;
  copy->text = g_strdup (match->text);
  copy->folded = g_strdup (match->folded);
  copy->regex = match->regex != NULL ? g_regex_ref (match->regex) : NULL;
  return copy;
}

static void
copy_matches (GPtrArray *target, const GPtrArray *source)
{
  for (guint i = 0; i < source->len; i++)
    g_ptr_array_add (target, copy_match (source->pdata[i]));
}

WeftFilterNode *
weft_filter_node_copy (const WeftFilterNode *node)
{
  WeftFilterNode *copy = weft_filter_node_new (node->kind);

  copy->field = node->field;
  copy->words = node->words;
  copy_matches (copy->names, node->names);
  copy_matches (copy->values, node->values);
  for (guint i = 0; i < node->children->len; i++)
    g_ptr_array_add (copy->children, weft_filter_node_copy (node->children->pdata[i]));
  return copy;
}

void
weft_filter_node_add (WeftFilterNode *self, WeftFilterNode *child)
{
  if (child->kind != self->kind)
    {
      g_ptr_array_add (self->children, child);
      return;
    }
  g_ptr_array_extend_and_steal (self->children, g_steal_pointer (&child->children));
  child->children = g_ptr_array_new ();
  weft_filter_node_free (child);
}

WeftFilterNode *
weft_filter_node_negate (WeftFilterNode *node)
{
  WeftFilterNode *negation;

  if (node->kind == WEFT_FILTER_NODE_NOT)
    {
      WeftFilterNode *child = g_ptr_array_steal_index (node->children, 0);

      weft_filter_node_free (node);
      return child;
    }
  negation = weft_filter_node_new (WEFT_FILTER_NODE_NOT);
  g_ptr_array_add (negation->children, node);
  return negation;
}

/* ---- Equality ---- */

static gboolean
ranges_are_equal (const WeftFilterRange *a, const WeftFilterRange *b)
{
  if (a->has_low != b->has_low || a->has_high != b->has_high)
    return FALSE;
  if (a->has_low && (a->low_open != b->low_open || !weft_filter_number_equal (&a->low, &b->low)))
    return FALSE;
  return !a->has_high ||
         (a->high_open == b->high_open && weft_filter_number_equal (&a->high, &b->high));
}

static gboolean
matches_are_equal (const WeftFilterMatch *a, const WeftFilterMatch *b)
{
  if (a->kind != b->kind || g_strcmp0 (a->text, b->text) != 0 || a->ignore_case != b->ignore_case ||
      a->has_number != b->has_number)
    return FALSE;
  if (a->kind == WEFT_FILTER_MATCH_HANDLE)
    return a->id == b->id && a->table == b->table;
  if (a->kind == WEFT_FILTER_MATCH_RANGE || a->has_number)
    return ranges_are_equal (&a->range, &b->range);
  return TRUE;
}

static gboolean
arrays_are_equal (const GPtrArray *a, const GPtrArray *b)
{
  if (a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    if (!matches_are_equal (a->pdata[i], b->pdata[i]))
      return FALSE;
  return TRUE;
}

gboolean
weft_filter_node_equal (const WeftFilterNode *a, const WeftFilterNode *b)
{
  if (a->kind != b->kind || a->field != b->field || a->words != b->words ||
      a->children->len != b->children->len || !arrays_are_equal (a->names, b->names) ||
      !arrays_are_equal (a->values, b->values))
    return FALSE;
  for (guint i = 0; i < a->children->len; i++)
    if (!weft_filter_node_equal (a->children->pdata[i], b->children->pdata[i]))
      return FALSE;
  return TRUE;
}
