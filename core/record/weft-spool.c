/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-ingest.h"

#define MAX_SPOOL_SEGMENTS 4096

/* A spool is read with pread: a mapping of a file that somebody cuts would fault. */
typedef struct
{
  int fd;
  guint64 size;
  char *path;
  WeftWireRegistry header;
  WeftWireCell *cells;
  guint8 *log;
  gsize log_length;
  GArray *blocks;  /* element-type Block */
  guint n_missing; /* blocks that the file should hold and does not */
} Spool;

typedef struct
{
  guint64 offset;
  guint32 writer;
  guint32 committed;
  guint64 sequence;
  guint64 pair_ticks;
  guint64 pair_monotonic;
} Block;

static gboolean
read_at (const Spool *self, guint64 offset, gpointer to, gsize length)
{
  guint8 *at = to;

  while (length > 0)
    {
      ssize_t n = pread (self->fd, at, length, (off_t) offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      at += n;
      offset += (guint64) n;
      length -= (gsize) n;
    }
  return TRUE;
}

static void
spool_free (Spool *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_clear_pointer (&self->blocks, g_array_unref);
  g_free (self->cells);
  g_free (self->log);
  g_free (self->path);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Spool, spool_free)

static gboolean
check_header (Spool *self, GError **error)
{
  const WeftWireRegistry *h = &self->header;
  guint64 cells_end = h->cells_offset + (guint64) h->n_cells * sizeof (WeftWireCell);

  if (h->magic != WEFT_WIRE_REGISTRY_MAGIC)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "“%s” is no spool of libweft-target",
                 self->path);
  else if (h->major != WEFT_WIRE_MAJOR)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                 "“%s” has wire version %u.%u; this program reads %u.x", self->path, h->major,
                 h->minor, WEFT_WIRE_MAJOR);
  else if (h->size != WEFT_WIRE_REGISTRY_SIZE || h->n_cells > WEFT_WIRE_REGISTRY_CELLS ||
           cells_end > h->log_offset || h->log_offset > h->size || h->log_offset % 8 != 0 ||
           h->log_head > h->size - h->log_offset || h->log_head % 8 != 0 ||
           h->log_offset + h->log_head > self->size)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "“%s” is damaged at its beginning",
                 self->path);
  else
    return TRUE;
  return FALSE;
}

static gboolean
read_registry (Spool *self, GError **error)
{
  if (!read_at (self, 0, &self->header, sizeof self->header))
    memset (&self->header, 0, sizeof self->header);
  if (!check_header (self, error))
    return FALSE;

  self->cells = g_new0 (WeftWireCell, MAX (self->header.n_cells, 1));
  self->log_length = self->header.log_head;
  self->log = g_malloc (MAX (self->log_length, 8));
  if (read_at (self, self->header.cells_offset, self->cells,
               self->header.n_cells * sizeof (WeftWireCell)) &&
      read_at (self, self->header.log_offset, self->log, self->log_length))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "“%s” is cut short", self->path);
  return FALSE;
}

static void
read_segment (Spool *self, guint64 base)
{
  g_autofree WeftWireBlock *descriptors = g_new (WeftWireBlock, WEFT_WIRE_SEGMENT_BLOCKS);
  guint64 data =
      base + WEFT_WIRE_SEGMENT_HEADER + WEFT_WIRE_SEGMENT_BLOCKS * (guint64) sizeof (WeftWireBlock);

  if (!read_at (self, base + WEFT_WIRE_SEGMENT_HEADER, descriptors,
                WEFT_WIRE_SEGMENT_BLOCKS * sizeof (WeftWireBlock)))
    {
      self->n_missing++;
      return;
    }
  for (guint i = 0; i < WEFT_WIRE_SEGMENT_BLOCKS; i++)
    {
      const WeftWireBlock *d = &descriptors[i];
      Block block = { data + (guint64) i * WEFT_WIRE_BLOCK_SIZE,
                      d->writer,
                      d->committed,
                      d->sequence,
                      d->pair_ticks,
                      d->pair_monotonic };

      if (d->state != WEFT_WIRE_BLOCK_FREE && d->committed > 0 &&
          d->committed <= WEFT_WIRE_BLOCK_SIZE && d->committed % 8 == 0)
        g_array_append_val (self->blocks, block);
    }
}

static void
read_segments (Spool *self)
{
  for (guint i = 0; i < MAX_SPOOL_SEGMENTS; i++)
    {
      guint64 base = WEFT_WIRE_REGISTRY_SIZE + i * WEFT_WIRE_SEGMENT_SIZE;
      WeftWireSegment header;

      if (base >= self->size || !read_at (self, base, &header, sizeof header) ||
          header.magic != WEFT_WIRE_SEGMENT_MAGIC || header.runtime_id != self->header.runtime_id)
        break;
      read_segment (self, base);
    }
}

static Spool *
spool_open (const char *path, GError **error)
{
  g_autoptr (Spool) self = g_new0 (Spool, 1);
  struct stat st;

  self->path = g_strdup (path);
  self->blocks = g_array_new (FALSE, FALSE, sizeof (Block));
  self->fd = open (path, O_RDONLY | O_CLOEXEC);
  if (self->fd < 0 || fstat (self->fd, &st) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot read “%s”: %s", path,
                   g_strerror (errno));
      return NULL;
    }
  self->size = (guint64) st.st_size;
  if (!read_registry (self, error))
    return NULL;
  read_segments (self);
  return g_steal_pointer (&self);
}

static int
compare_pairs (gconstpointer a, gconstpointer b)
{
  const Block *left = a, *right = b;

  return left->pair_ticks < right->pair_ticks ? -1 : left->pair_ticks > right->pair_ticks;
}

static int
compare_blocks (gconstpointer a, gconstpointer b)
{
  const Block *left = a, *right = b;

  if (left->writer != right->writer)
    return left->writer < right->writer ? -1 : 1;
  return left->sequence < right->sequence ? -1 : left->sequence > right->sequence;
}

/* All pairs first, so that every time lies between two of them where it can. */
static void
add_pairs (Spool *self, WeftIngestRuntime *runtime)
{
  g_array_sort (self->blocks, compare_pairs);
  for (guint i = 0; i < self->blocks->len; i++)
    {
      const Block *block = &g_array_index (self->blocks, Block, i);

      WeftClockPair pair = { block->pair_ticks, (gint64) block->pair_monotonic, 0 };

      if (block->pair_ticks != 0 && block->pair_monotonic < (guint64) G_MAXINT64 / 2)
        weft_ingest_runtime_begin_drain (runtime, &pair);
    }
  /* No time of a spool is too late: when it was written to last, nobody knows. */
  weft_ingest_runtime_begin_drain (runtime, &(WeftClockPair){ .time = G_MAXINT64 / 4 });
}

static void
tell_missing (const Spool *self, WeftIngest *ingest, WeftIngestRuntime *runtime)
{
  g_autofree char *text = NULL;

  if (self->n_missing == 0)
    return;
  text = g_strdup_printf ("“%s” is cut short or cannot be read: %u of its blocks are missing",
                          self->path, self->n_missing);
  weft_ingest_runtime_count (runtime, 0, WEFT_LOSS_MALFORMED, self->n_missing);
  weft_ingest_add_diagnostic (ingest, WEFT_WIRE_SEVERITY_WARNING, "spool-cut", text);
}

typedef struct
{
  WeftSpoolProgress func;
  gpointer data;
  GCancellable *cancellable;
  guint64 done;
  guint64 total;
} Progress;

/* Blocks are read one after the other, so only the end decides; but memory is bounded. */
static void
advance_linker (WeftIngest *ingest, WeftLinker *linker)
{
  WeftIngestTotals totals;

  weft_ingest_get_totals (ingest, &totals);
  weft_linker_advance (linker, 0, totals.dispatches);
}

/* Blocks in the order in which they were written; none after it was cancelled. */
static void
read_blocks (Spool *self, WeftIngest *ingest, WeftLinker *linker, WeftIngestRuntime *runtime,
             Progress *progress)
{
  g_autofree guint8 *copy = g_malloc (WEFT_WIRE_BLOCK_SIZE);

  g_array_sort (self->blocks, compare_blocks);
  for (guint i = 0; i < self->blocks->len; i++)
    {
      const Block *block = &g_array_index (self->blocks, Block, i);

      if (g_cancellable_is_cancelled (progress->cancellable))
        return;
      if (read_at (self, block->offset, copy, block->committed))
        weft_ingest_runtime_read_records (runtime, block->writer, block->sequence, TRUE, copy,
                                          block->committed);
      else
        self->n_missing++;
      advance_linker (ingest, linker);
      progress->done++;
      if (progress->func != NULL)
        progress->func (progress->done, progress->total, progress->data);
    }
}

static void
ingest_spool (Spool *self, WeftIngest *ingest, WeftLinker *linker, Progress *progress)
{
  g_autofree char *name = g_strndup (self->header.name, sizeof self->header.name);
  gsize consumed = 0;
  WeftProcessInfo info = { .pid = self->header.pid, .name = name, .gone = TRUE };
  gint64 begin = (gint64) MIN (self->header.start_monotonic, (guint64) G_MAXINT64 / 4);
  guint64 process = weft_ingest_add_process (ingest, &info);
  WeftIngestRuntime *runtime = weft_ingest_attach (ingest, &info, process, &self->header,
                                                   self->cells, self->header.n_cells, begin);

  add_pairs (self, runtime);
  weft_ingest_runtime_read_log (runtime, self->log, self->log_length, &consumed);
  read_blocks (self, ingest, linker, runtime, progress);
  tell_missing (self, ingest, runtime);
  weft_ingest_runtime_end_drain (runtime);
  weft_ingest_runtime_end (runtime, "spool", begin);
  advance_linker (ingest, linker);
}

/* Spools know CLOCK_MONOTONIC only; the date is that of the file's birth. */
static gint64
birth_of (const Spool *self)
{
  struct statx st;

  if (statx (self->fd, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &st) != 0)
    return 0;
  if (st.stx_mask & STATX_BTIME)
    return st.stx_btime.tv_sec * NS_PER_SECOND + st.stx_btime.tv_nsec;
  return st.stx_mtime.tv_sec * NS_PER_SECOND;
}

static Spool *
find_first (GPtrArray *spools)
{
  Spool *first = g_ptr_array_index (spools, 0);

  for (guint i = 1; i < spools->len; i++)
    {
      Spool *spool = g_ptr_array_index (spools, i);

      if (spool->header.start_monotonic < first->header.start_monotonic)
        first = spool;
    }
  return first;
}

static GPtrArray *
open_spools (const char *const *paths, GError **error)
{
  g_autoptr (GPtrArray) spools = g_ptr_array_new_with_free_func ((GDestroyNotify) spool_free);

  for (guint i = 0; paths[i] != NULL; i++)
    {
      Spool *spool = spool_open (paths[i], error);

      if (spool == NULL)
        return NULL;
      g_ptr_array_add (spools, spool);
    }
  if (spools->len > 0)
    return g_steal_pointer (&spools);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "No spool to import");
  return NULL;
}

static void
ingest_spools (GPtrArray *spools, WeftIngest *ingest, WeftLinker *linker, Progress *progress,
               WeftSpoolResult *result)
{
  WeftIngestTotals totals;

  weft_ingest_add_meta (ingest, "recorder", "weft " WEFT_VERSION);
  for (guint i = 0; i < spools->len; i++)
    progress->total += ((Spool *) g_ptr_array_index (spools, i))->blocks->len;
  for (guint i = 0; i < spools->len; i++)
    {
      Spool *spool = g_ptr_array_index (spools, i);

      weft_ingest_add_meta (ingest, "imported-from", spool->path);
      ingest_spool (spool, ingest, linker, progress);
    }
  weft_ingest_get_totals (ingest, &totals);
  result->dispatches = totals.dispatches;
  result->rejected = totals.rejected;
  result->lost = totals.lost;
  result->lanes = totals.lanes;
}

gboolean
weft_spool_import (const char *const *paths, const char *output, WeftSpoolProgress func,
                   gpointer data, GCancellable *cancellable, WeftSpoolResult *result,
                   GError **error)
{
  g_autoptr (GPtrArray) spools = open_spools (paths, error);
  Progress progress = { func, data, cancellable };
  WeftStoreOptions options = { 0 };
  WeftStoreWriter *store;
  WeftIngest *ingest;
  WeftLinker *linker;

  if (spools == NULL || g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  options.start_monotonic =
      (gint64) MIN (find_first (spools)->header.start_monotonic, (guint64) G_MAXINT64 / 4);
  options.start_realtime = birth_of (find_first (spools));
  store = weft_store_writer_new (output, &options, error);
  if (store == NULL)
    return FALSE;
  ingest = weft_ingest_new (store, options.start_monotonic);
  linker = weft_linker_new (store, &(WeftLinkerOptions){ .no_samples = TRUE });
  weft_ingest_set_linker (ingest, linker);
  ingest_spools (spools, ingest, linker, &progress, result);
  weft_ingest_set_linker (ingest, NULL);
  if (weft_ingest_get_last_end (ingest) > 0)
    weft_linker_set_end (linker, weft_ingest_get_last_end (ingest));
  weft_linker_free (linker);
  weft_ingest_free (ingest);
  if (!g_cancellable_is_cancelled (cancellable))
    return weft_store_writer_close (store, error);
  weft_store_writer_close (store, NULL);
  unlink (output);
  g_cancellable_set_error_if_cancelled (cancellable, error);
  return FALSE;
}
