/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-words.h"

#define MAX_KINDS 4096 /* remembered for words that come later */

typedef struct
{
  gboolean kept;       /* its rows stand in the file */
  GPtrArray *rows;     /* element-type GVariant: those that wait */
  GPtrArray *patterns; /* element-type GPatternSpec: of lane kinds */
} Domain;

struct _WeftWords
{
  WeftStoreWriter *store;
  GHashTable *domains; /* name → Domain */
  GHashTable *kinds;   /* set of the kinds of the lanes */
  GHashTable *written; /* set of rows as text: none is written twice */
};

static void
domain_free (gpointer data)
{
  Domain *domain = data;

  g_ptr_array_unref (domain->rows);
  g_ptr_array_unref (domain->patterns);
  g_free (domain);
}

static Domain *
get_domain (WeftWords *self, const char *name)
{
  Domain *domain = g_hash_table_lookup (self->domains, name);

  if (domain != NULL)
    return domain;
  domain = g_new0 (Domain, 1);
  domain->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  domain->patterns = g_ptr_array_new_with_free_func ((GDestroyNotify) g_pattern_spec_free);
  g_hash_table_insert (self->domains, g_strdup (name), domain);
  return domain;
}

static void
write_row (WeftWords *self, GVariant *row)
{
  static const WeftColumnNumber columns[] = { WEFT_WORDS_DOMAIN, WEFT_WORDS_SCOPE,
                                              WEFT_WORDS_SUBJECT, WEFT_WORDS_KEY, WEFT_WORDS_TEXT };
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_WORDS);
  guint32 strings[G_N_ELEMENTS (columns)];

  if (!g_hash_table_add (self->written, g_variant_print (row, FALSE)))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      const char *text;

      g_variant_get_child (row, i, "&s", &text);
      strings[i] = weft_store_writer_string (self->store, text, -1);
    }
  weft_table_writer_begin (t);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    weft_table_writer_set (t, columns[i], strings[i]);
  weft_table_writer_commit (t);
}

/* From now on, what comes of DOMAIN is written at once. */
static void
keep (WeftWords *self, Domain *domain)
{
  domain->kept = TRUE;
  for (guint i = 0; i < domain->rows->len; i++)
    write_row (self, g_ptr_array_index (domain->rows, i));
  g_ptr_array_set_size (domain->rows, 0);
}

static gboolean
matches (const Domain *domain, const char *kind)
{
  for (guint i = 0; i < domain->patterns->len; i++)
    if (g_pattern_spec_match_string (g_ptr_array_index (domain->patterns, i), kind))
      return TRUE;
  return FALSE;
}

static gboolean
is_seen (WeftWords *self, const Domain *domain)
{
  GHashTableIter iter;
  gpointer kind;

  g_hash_table_iter_init (&iter, self->kinds);
  while (g_hash_table_iter_next (&iter, &kind, NULL))
    if (matches (domain, kind))
      return TRUE;
  return FALSE;
}

WeftWords *
weft_words_new (WeftStoreWriter *store)
{
  WeftWords *self = g_new0 (WeftWords, 1);

  self->store = store;
  self->domains = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, domain_free);
  self->kinds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->written = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
weft_words_free (WeftWords *self)
{
  g_hash_table_unref (self->domains);
  g_hash_table_unref (self->kinds);
  g_hash_table_unref (self->written);
  g_free (self);
}

void
weft_words_add (WeftWords *self, GVariant *words, gboolean always)
{
  g_autoptr (GHashTable) touched = g_hash_table_new (NULL, NULL);
  GHashTableIter domains;
  gpointer domain;
  GVariantIter rows;
  GVariant *row;

  g_variant_iter_init (&rows, words);
  while ((row = g_variant_iter_next_value (&rows)) != NULL)
    {
      const char *name, *scope, *subject;
      Domain *of;

      g_variant_get_child (row, 0, "&s", &name);
      g_variant_get_child (row, 1, "&s", &scope);
      g_variant_get_child (row, 2, "&s", &subject);
      of = get_domain (self, name);
      if (g_str_equal (scope, WEFT_WORDS_SCOPE_KIND))
        g_ptr_array_add (of->patterns, g_pattern_spec_new (subject));
      g_ptr_array_add (of->rows, row);
      g_hash_table_add (touched, of);
    }

  g_hash_table_iter_init (&domains, touched);
  while (g_hash_table_iter_next (&domains, &domain, NULL))
    if (always || ((Domain *) domain)->kept || is_seen (self, domain))
      keep (self, domain);
}

void
weft_words_see_kind (WeftWords *self, const char *kind)
{
  GHashTableIter domains;
  gpointer domain;

  if (g_hash_table_contains (self->kinds, kind))
    return;
  if (g_hash_table_size (self->kinds) < MAX_KINDS)
    g_hash_table_add (self->kinds, g_strdup (kind));
  g_hash_table_iter_init (&domains, self->domains);
  while (g_hash_table_iter_next (&domains, NULL, &domain))
    if (!((Domain *) domain)->kept && matches (domain, kind))
      keep (self, domain);
}
