/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-ids.h"

#define PAGE_BITS 9 /* 512 numbers */
#define PAGE_WORDS (1 << (PAGE_BITS - 6))
#define MAX_PAGES (1 << 18) /* 50 MiB; 134 million numbers, counted up */

typedef struct
{
  guint64 number; /* the key in the table of pages */
  guint64 marks[WEFT_XCTRACE_N_ID_MARKS][PAGE_WORDS];
} Page;

struct _WeftXctraceIds
{
  GHashTable *pages;
  Page *last; /* asked for */
};

WeftXctraceIds *
weft_xctrace_ids_new (void)
{
  WeftXctraceIds *self = g_new0 (WeftXctraceIds, 1);

  self->pages = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  return self;
}

void
weft_xctrace_ids_free (WeftXctraceIds *self)
{
  g_hash_table_unref (self->pages);
  g_free (self);
}

static Page *
find_page (WeftXctraceIds *self, guint64 id)
{
  guint64 number = id >> PAGE_BITS;
  Page *found = self->last;

  if (found == NULL || found->number != number)
    found = g_hash_table_lookup (self->pages, &number);
  if (found != NULL)
    self->last = found;
  return found;
}

static guint
word_of (guint64 id)
{
  return (id >> 6) % PAGE_WORDS;
}

static guint64
bit_of (guint64 id)
{
  return G_GUINT64_CONSTANT (1) << (id % 64);
}

gboolean
weft_xctrace_ids_has (WeftXctraceIds *self, guint64 id, WeftXctraceIdMark mark)
{
  const Page *page = find_page (self, id);

  return page != NULL && (page->marks[mark][word_of (id)] & bit_of (id)) != 0;
}

gboolean
weft_xctrace_ids_mark (WeftXctraceIds *self, guint64 id, WeftXctraceIdMark mark)
{
  Page *page = find_page (self, id);

  if (page == NULL)
    {
      if (g_hash_table_size (self->pages) >= MAX_PAGES)
        return FALSE;
      page = g_new0 (Page, 1);
      page->number = id >> PAGE_BITS;
      g_hash_table_insert (self->pages, &page->number, page);
      self->last = page;
    }
  page->marks[mark][word_of (id)] |= bit_of (id);
  return TRUE;
}
