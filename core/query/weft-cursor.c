/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cursor.h"

#include <string.h>

#include "weft-error.h"

#define FORMAT "(ttta(ts))"
#define MAX_BYTES (1 << 20)

void
weft_cursor_clear (WeftCursor *self)
{
  g_clear_pointer (&self->record, g_free);
  g_clear_pointer (&self->texts, g_strfreev);
}

/* The last 8 bytes vouch for those before. */
static void
append_check (GByteArray *bytes)
{
  guint8 digest[20];
  gsize length = sizeof digest;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);

  g_checksum_update (checksum, bytes->data, bytes->len);
  g_checksum_get_digest (checksum, digest, &length);
  g_byte_array_append (bytes, digest, 8);
}

char *
weft_cursor_print (const WeftSorter *sorter, const guint64 *record)
{
  const WeftPlan *plan = sorter->plan;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GVariant) variant = NULL;
  GVariantBuilder keys;

  g_variant_builder_init (&keys, G_VARIANT_TYPE ("a(ts)"));
  for (guint k = 0; k < plan->orders->len; k++)
    {
      const WeftItem *item = WEFT_PLAN_ITEM (plan, WEFT_PLAN_ORDER (plan, k)->item);
      guint64 key = record[WEFT_SORTER_FIRST_KEY + k];
      const char *text = "";

      if (item->aggregate.kind == WEFT_AGGREGATE_NONE &&
          item->expression->type == WEFT_VALUE_STRING)
        {
          text = weft_expression_get_text (item->expression, plan->run->store, key);
          key = WEFT_SORTER_CURSOR_TEXT;
        }
      g_variant_builder_add (&keys, "(ts)", key, text != NULL ? text : "");
    }
  variant = g_variant_ref_sink (g_variant_new (FORMAT, plan->hash, record[WEFT_SORTER_NUMBER],
                                               record[WEFT_SORTER_NULLS], &keys));
  g_byte_array_append (bytes, g_variant_get_data (variant), (guint) g_variant_get_size (variant));
  append_check (bytes);
  return g_base64_encode (bytes->data, bytes->len);
}

static gboolean
set_invalid (const char *why, GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_CURSOR,
               "%s: begin again without a cursor, or use that of the answer before", why);
  return FALSE;
}

static GVariant *
decode (const char *text)
{
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GBytes) data = NULL;
  g_autofree guint8 *decoded = NULL;
  gsize length;

  if (strlen (text) > MAX_BYTES)
    return NULL;
  decoded = g_base64_decode (text, &length);
  if (decoded == NULL || length < 8)
    return NULL;
  bytes = g_byte_array_new ();
  g_byte_array_append (bytes, decoded, (guint) length - 8);
  append_check (bytes);
  if (memcmp (bytes->data, decoded, length) != 0)
    return NULL;
  data = g_bytes_new (decoded, length - 8);
  variant = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (FORMAT), data, FALSE));
  return g_variant_is_normal_form (variant) ? g_steal_pointer (&variant) : NULL;
}

gboolean
weft_cursor_parse (WeftCursor *self, const WeftPlan *plan, const char *text, GError **error)
{
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GVariantIter) keys = NULL;
  guint64 hash, number, nulls;

  *self = (WeftCursor){ 0 };
  if (text == NULL)
    return TRUE;
  variant = decode (text);
  if (variant == NULL)
    return set_invalid ("The cursor is garbled", error);
  g_variant_get (variant, FORMAT, &hash, &number, &nulls, &keys);
  if (hash != plan->hash || g_variant_iter_n_children (keys) != plan->orders->len)
    return set_invalid ("The cursor belongs to another query", error);

  self->record = g_new0 (guint64, WEFT_SORTER_FIRST_KEY + plan->orders->len);
  self->texts = g_new0 (char *, plan->orders->len + 1);
  self->record[WEFT_SORTER_NUMBER] = number;
  self->record[WEFT_SORTER_NULLS] = nulls;
  for (guint k = 0; k < plan->orders->len; k++)
    g_variant_iter_next (keys, "(ts)", &self->record[WEFT_SORTER_FIRST_KEY + k], &self->texts[k]);
  return TRUE;
}
