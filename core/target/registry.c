/* SPDX-License-Identifier: BSD-2-Clause */
#include "weft-target-private.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CELLS_SIZE ((uint64_t) WEFT_WIRE_REGISTRY_CELLS * sizeof (WeftWireCell))
#define LOG_OFFSET (WEFT_WIRE_REGISTRY_HEADER + CELLS_SIZE)

/* ---- Making ---- */

static void
registry_head (WeftWireRegistry *header)
{
  WftRuntime *runtime = wft_runtime;

  header->major = WEFT_WIRE_MAJOR;
  header->minor = WEFT_WIRE_MINOR;
  header->header_size = sizeof *header;
  header->size = WEFT_WIRE_REGISTRY_SIZE;
  header->runtime_id = runtime->runtime_id;
  header->pid = (int32_t) getpid ();
  header->instance = runtime->instance;
  header->clock = (uint16_t) wft_clock;
  header->start_monotonic = runtime->start_monotonic;
  header->start_ticks = runtime->start_ticks;
  header->cells_offset = WEFT_WIRE_REGISTRY_HEADER;
  header->n_cells = WEFT_WIRE_REGISTRY_CELLS;
  header->log_offset = LOG_OFFSET;
  memcpy (header->name, runtime->name, sizeof header->name);
  WFT_STORE_RELEASE (&header->magic, WEFT_WIRE_REGISTRY_MAGIC);
}

static bool
map_file (WftRegistry *registry, int fd)
{
  struct stat status;
  void *memory;

  if (fstat (fd, &status) != 0)
    return false;
  memory = mmap (NULL, WEFT_WIRE_REGISTRY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED)
    return false;
#ifdef MADV_DONTDUMP
  madvise (memory, WEFT_WIRE_REGISTRY_SIZE, MADV_DONTDUMP);
#endif
  registry->header = memory;
  registry->fd = fd;
  registry->device = status.st_dev;
  registry->inode = status.st_ino;
  return true;
}

static bool
make_mapping (WftRegistry *registry, bool shared)
{
  void *memory;

  registry->fd = -1;
#ifndef WEFT_TARGET_NO_MEMFD
  if (shared)
    {
      int fd = wft_memfd ("registry", wft_runtime->instance, WEFT_WIRE_REGISTRY_SIZE);

      if (fd >= 0 && map_file (registry, fd))
        return true;
      if (fd >= 0)
        close (fd);
      return false;
    }
#else
  if (shared && !wft_runtime->wanted_spool)
    return false;
#endif
  memory = mmap (NULL, WEFT_WIRE_REGISTRY_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  registry->header = memory == MAP_FAILED ? NULL : memory;
  return memory != MAP_FAILED;
}

bool
wft_registry_create (WftRegistry *registry, bool shared)
{
  WftRegistry made = { 0 };

  if (!make_mapping (&made, shared))
    return false;
  made.reserved_cells = made.reserved_log = UINT64_MAX;
  WFT_STORE_RELEASE (&registry->header, made.header);
  registry->fd = made.fd;
  registry->device = made.device;
  registry->inode = made.inode;
  registry->reserved_cells = made.reserved_cells;
  registry->reserved_log = made.reserved_log;
  registry_head (made.header);
  return true;
}

/* ---- Copying: for a forked child, or after the descriptor was lost ---- */

static uint8_t *
log_base (WeftWireRegistry *header)
{
  return (uint8_t *) header + LOG_OFFSET;
}

/* Ids go on after those in the log; only cells of gauges keep their values. */
static void
recount (WeftWireRegistry *from, WeftWireRegistry *to, uint64_t head)
{
  uint32_t *ids = wft_runtime->ids;
  const WeftWireCell *cells_from
      = (const WeftWireCell *) ((const uint8_t *) from + WEFT_WIRE_REGISTRY_HEADER);
  WeftWireCell *cells_to = (WeftWireCell *) ((uint8_t *) to + WEFT_WIRE_REGISTRY_HEADER);

  memset (ids, 0, sizeof wft_runtime->ids);
  ids[WEFT_WIRE_ENTRY_CLOCK] = WEFT_WIRE_CLOCK_ID_MONOTONIC;
  for (uint64_t at = 0; at < head;)
    {
      const WeftWireEntry *entry = (const WeftWireEntry *) (log_base (to) + at);
      uint32_t id = ((const WeftWireQueueEntry *) entry)->id;

      if (entry->type < 32 && id > ids[entry->type])
        ids[entry->type] = id;
      if (entry->type == WEFT_WIRE_ENTRY_METRIC)
        {
          uint32_t cell = ((const WeftWireMetricEntry *) entry)->cell;

          if (cell < WEFT_WIRE_REGISTRY_CELLS)
            cells_to[cell] = cells_from[cell];
        }
      at += entry->size;
    }
}

static void
copy_contents (WeftWireRegistry *from, WeftWireRegistry *to, uint64_t head)
{
  memcpy (log_base (to), log_base (from), head);
  WFT_STORE (&to->cells_used, WFT_LOAD (&from->cells_used));
  recount (from, to, head);
  registry_head (to);
  WFT_STORE_RELEASE (&to->log_head, head);
}

bool
wft_registry_inherit (bool shared)
{
  WftRegistry *registry = &wft_runtime->registry;
  WeftWireRegistry *from = registry->header;
  WftRegistry made = { 0 };

  if (!make_mapping (&made, shared && !wft_runtime->unsupported))
    {
      wft_runtime_unsupported ();
      if (!make_mapping (&made, false))
        return false;
    }
  made.reserved_cells = made.reserved_log = UINT64_MAX;
  copy_contents (from, made.header, WFT_LOAD_ACQUIRE (&from->log_head));
  WFT_STORE_RELEASE (&registry->header, made.header);
  registry->fd = made.fd;
  registry->device = made.device;
  registry->inode = made.inode;
  registry->reserved_cells = registry->reserved_log = UINT64_MAX;
  return true;
}

/* The registry moves into a spool file, whose storage must be there before it is written. */
bool
wft_registry_to_file (int fd)
{
  WftRegistry *registry = &wft_runtime->registry;
  WeftWireRegistry *from = registry->header;
  WftRegistry made = { 0 };
  uint64_t head = WFT_LOAD_ACQUIRE (&from->log_head);
  uint64_t cells = (((uint64_t) WFT_LOAD (&from->cells_used) * 64) | 0xffff) + 1;
  uint64_t log = (head | 0xffff) + 1;

  if (!wft_spool_reserve (0, WEFT_WIRE_REGISTRY_HEADER + cells)
      || !wft_spool_reserve (LOG_OFFSET, log) || !map_file (&made, fd))
    return false;
  copy_contents (from, made.header, head);
  for (unsigned int i = 0; i < WEFT_WIRE_N_STATS; i++)
    WFT_STORE (&made.header->stats[i], WFT_LOAD (&from->stats[i]));
  registry->reserved_cells = cells;
  registry->reserved_log = log;
  registry->fd = fd;
  registry->device = made.device;
  registry->inode = made.inode;
  WFT_STORE_RELEASE (&registry->header, made.header);
  return true;
}

/* ---- Appending ---- */

static bool
reserve_log (WftRegistry *registry, uint64_t end)
{
  uint64_t more;

  if (end <= registry->reserved_log)
    return true;
  more = (end - registry->reserved_log + 0xffff) & ~UINT64_C (0xffff);
  if (!wft_spool_reserve (LOG_OFFSET + registry->reserved_log, more))
    return false;
  registry->reserved_log += more;
  return true;
}

bool
wft_registry_begin (WftAppend *append, size_t size)
{
  WftRegistry *registry = &wft_runtime->registry;
  WeftWireRegistry *header = registry->header;
  uint64_t head;

  append->at = NULL;
  size = (size + 7) & ~(size_t) 7;
  if (header != NULL)
    {
      head = header->log_head;
      if (head + size <= WEFT_WIRE_REGISTRY_SIZE - LOG_OFFSET && reserve_log (registry, head + size))
        {
          append->start = append->at = log_base (header) + head;
          append->end = append->at + size;
          return true;
        }
    }
  wft_stat_add (WEFT_WIRE_STAT_REGISTRY_FULL, 1);
  return false;
}

void *
wft_registry_fixed (WftAppend *append, unsigned int type, size_t fixed)
{
  WeftWireEntry *entry = (WeftWireEntry *) append->at;

  memset (entry, 0, fixed);
  entry->type = (uint16_t) type;
  entry->fixed = (uint16_t) fixed;
  append->at += fixed;
  return entry;
}

void
wft_registry_text (WftAppend *append, const char *text, size_t length, size_t cap)
{
  WeftWireString *string = (WeftWireString *) append->at;
  size_t padded;

  string->flags = 0;
  if (length > cap)
    {
      bool cut;

      length = wft_string_length (text, cap, &cut);
      string->flags = WEFT_WIRE_STRING_CUT;
      wft_stat_add (WEFT_WIRE_STAT_TRUNCATED, 1);
    }
  padded = (length + 7) & ~(size_t) 7;
  string->length = (uint32_t) length;
  append->at += sizeof *string;
  if (padded > 0)
    {
      memset (append->at + padded - 8, 0, 8);
      memcpy (append->at, text, length);
    }
  append->at += padded;
}

void
wft_registry_string (WftAppend *append, const char *string, size_t cap)
{
  wft_registry_text (append, string, string != NULL ? strnlen (string, cap + 1) : 0, cap);
}

void
wft_registry_publish (WftAppend *append)
{
  WeftWireRegistry *header = wft_runtime->registry.header;
  WeftWireEntry *entry = (WeftWireEntry *) append->start;

  entry->size = (uint32_t) (append->at - append->start);
  WFT_STORE_RELEASE (&header->log_head, header->log_head + entry->size);
}

uint32_t
wft_registry_next_id (unsigned int type)
{
  return ++wft_runtime->ids[type];
}

uint32_t
wft_registry_cell (void)
{
  WftRegistry *registry = &wft_runtime->registry;
  WeftWireRegistry *header = registry->header;
  uint32_t cell;

  if (header == NULL || header->cells_used >= WEFT_WIRE_REGISTRY_CELLS)
    return UINT32_MAX;
  cell = header->cells_used;
  if ((cell + 1) * sizeof (WeftWireCell) > registry->reserved_cells)
    {
      if (!wft_spool_reserve (WEFT_WIRE_REGISTRY_HEADER + registry->reserved_cells, 65536))
        return UINT32_MAX;
      registry->reserved_cells += 65536;
    }
  WFT_STORE_RELEASE (&header->cells_used, cell + 1);
  return cell;
}

WeftWireCell *
wft_registry_cells (void)
{
  WeftWireRegistry *header = WFT_LOAD_ACQUIRE (&wft_runtime->registry.header);

  return header != NULL ? (WeftWireCell *) ((uint8_t *) header + WEFT_WIRE_REGISTRY_HEADER) : NULL;
}
