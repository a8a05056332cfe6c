/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-perf-ring.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "weft-perf-record.h"

struct _WeftPerfRing
{
  struct perf_event_mmap_page *page;
  guint8 *data;
  guint64 size;
  guint64 head;
  guint64 tail;
  guint64 unreadable;
  gsize mapped;  /* bytes; 0: it is somebody else's */
  guint8 *split; /* for a record that reaches over the end */
};

/* ---- One ring ---- */

static WeftPerfRing *
ring_new (gpointer memory, gsize size, gsize mapped)
{
  WeftPerfRing *self = g_new0 (WeftPerfRing, 1);

  self->page = memory;
  self->data = (guint8 *) memory + sysconf (_SC_PAGESIZE);
  self->size = size;
  self->mapped = mapped;
  self->tail = self->page->data_tail;
  self->head = self->tail;
  self->split = g_malloc (WEFT_PERF_MAX_RECORD);
  return self;
}

WeftPerfRing *
weft_perf_ring_new (int event, gsize size)
{
  gsize mapped = size + (gsize) sysconf (_SC_PAGESIZE);
  gpointer memory = mmap (NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);

  return memory == MAP_FAILED ? NULL : ring_new (memory, size, mapped);
}

WeftPerfRing *
weft_perf_ring_new_for_memory (gpointer memory, gsize size)
{
  return ring_new (memory, size, 0);
}

void
weft_perf_ring_free (WeftPerfRing *self)
{
  if (self->mapped > 0)
    munmap (self->page, self->mapped);
  g_free (self->split);
  g_free (self);
}

void
weft_perf_ring_update (WeftPerfRing *self)
{
  self->head = __atomic_load_n (&self->page->data_head, __ATOMIC_ACQUIRE);
}

static void
move_tail (WeftPerfRing *self, guint64 tail)
{
  self->tail = tail;
  __atomic_store_n (&self->page->data_tail, tail, __ATOMIC_RELEASE);
}

/* Where the next record begins cannot be known then. */
static void
skip_all (WeftPerfRing *self)
{
  self->unreadable += self->head - self->tail;
  move_tail (self, self->head);
}

/* Headers are aligned, and so never reach over the end. */
static gsize
get_length (WeftPerfRing *self)
{
  const struct perf_event_header *header =
      (gconstpointer) (self->data + (self->tail & (self->size - 1)));
  gsize length = header->size;

  return length >= sizeof *header && length % 8 == 0 && length <= self->head - self->tail ? length
                                                                                          : 0;
}

const guint8 *
weft_perf_ring_peek (WeftPerfRing *self, gsize *length)
{
  guint64 at = self->tail & (self->size - 1);
  gsize before_end;

  if (self->tail == self->head)
    return NULL;
  *length = self->head - self->tail <= self->size && self->tail % 8 == 0 ? get_length (self) : 0;
  if (*length == 0)
    {
      skip_all (self);
      return NULL;
    }
  before_end = self->size - at;
  if (*length <= before_end)
    return self->data + at;
  memcpy (self->split, self->data + at, before_end);
  memcpy (self->split + before_end, self->data, *length - before_end);
  return self->split;
}

void
weft_perf_ring_pop (WeftPerfRing *self)
{
  move_tail (self, self->tail + get_length (self));
}

guint64
weft_perf_ring_get_unreadable (const WeftPerfRing *self)
{
  return self->unreadable;
}

/* ---- Several ---- */

#define LATE 10000 /* ns */

/* The next record of a ring. */
typedef struct
{
  gint64 time;
  const guint8 *bytes;
  gsize length;
  WeftPerfRing *ring;
} Next;

struct _WeftPerfMerge
{
  GPtrArray *rings; /* element-type WeftPerfRing */
  GArray *heap;     /* element-type Next: the earliest first */
  gint64 told;      /* the latest time */
  guint64 late;
};

WeftPerfMerge *
weft_perf_merge_new (void)
{
  WeftPerfMerge *self = g_new0 (WeftPerfMerge, 1);

  self->rings = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_perf_ring_free);
  self->heap = g_array_new (FALSE, FALSE, sizeof (Next));
  self->told = G_MININT64;
  return self;
}

void
weft_perf_merge_free (WeftPerfMerge *self)
{
  g_ptr_array_unref (self->rings);
  g_array_unref (self->heap);
  g_free (self);
}

void
weft_perf_merge_add (WeftPerfMerge *self, WeftPerfRing *ring)
{
  g_ptr_array_add (self->rings, ring);
}

static gboolean
look_at (WeftPerfRing *ring, Next *next)
{
  next->ring = ring;
  next->bytes = weft_perf_ring_peek (ring, &next->length);
  if (next->bytes == NULL)
    return FALSE;
  next->time = weft_perf_record_peek_time (next->bytes, next->length);
  return TRUE;
}

static void
sift_up (GArray *heap, guint at)
{
  Next *items = (Next *) (gpointer) heap->data;

  while (at > 0 && items[at].time < items[(at - 1) / 2].time)
    {
      Next moved = items[at];

      items[at] = items[(at - 1) / 2];
      at = (at - 1) / 2;
      items[at] = moved;
    }
}

static void
sift_down (GArray *heap)
{
  Next *items = (Next *) (gpointer) heap->data;
  guint at = 0;

  while (2 * at + 1 < heap->len)
    {
      guint child = 2 * at + 1;
      Next moved = items[at];

      if (child + 1 < heap->len && items[child + 1].time < items[child].time)
        child++;
      if (items[child].time >= moved.time)
        return;
      items[at] = items[child];
      items[child] = moved;
      at = child;
    }
}

static void
fill_heap (WeftPerfMerge *self)
{
  g_array_set_size (self->heap, 0);
  for (guint i = 0; i < self->rings->len; i++)
    {
      Next next;

      weft_perf_ring_update (self->rings->pdata[i]);
      if (!look_at (self->rings->pdata[i], &next))
        continue;
      g_array_append_val (self->heap, next);
      sift_up (self->heap, self->heap->len - 1);
    }
}

static void
tell (WeftPerfMerge *self, const Next *next, WeftPerfRecordFunc each, gpointer data)
{
  if (next->time + LATE < self->told)
    self->late++;
  self->told = MAX (self->told, next->time);
  each (next->bytes, next->length, self->told, data);
  weft_perf_ring_pop (next->ring);
}

void
weft_perf_merge_drain (WeftPerfMerge *self, gint64 watermark, WeftPerfRecordFunc each,
                       gpointer data)
{
  fill_heap (self);
  while (self->heap->len > 0)
    {
      Next *first = &g_array_index (self->heap, Next, 0);

      if (first->time > watermark)
        return;
      tell (self, first, each, data);
      if (!look_at (first->ring, first))
        g_array_remove_index_fast (self->heap, 0);
      sift_down (self->heap);
    }
}

guint64
weft_perf_merge_get_late (const WeftPerfMerge *self)
{
  return self->late;
}

guint64
weft_perf_merge_get_unreadable (const WeftPerfMerge *self)
{
  guint64 n = 0;

  for (guint i = 0; i < self->rings->len; i++)
    n += weft_perf_ring_get_unreadable (self->rings->pdata[i]);
  return n;
}
