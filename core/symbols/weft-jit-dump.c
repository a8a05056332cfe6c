/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-jit-dump.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAGIC 0x4a695444u
#define VERSION 1
#define MAX_RECORD (16u << 20)
#define MAX_NAME 4096

enum
{
  CODE_LOAD,
  CODE_MOVE,
  CODE_DEBUG_INFO,
};

typedef struct
{
  guint32 magic, version, total_size, machine, pad, pid;
  guint64 timestamp, flags;
} Header;

typedef struct
{
  guint32 type, length;
  guint64 timestamp;
} Record;

typedef struct
{
  guint32 pid, tid;
  guint64 virtual_address, code_address, code_size, code_index;
} Load;

typedef struct
{
  guint32 pid, tid;
  guint64 virtual_address, old_address, new_address, code_size, code_index;
} Move;

typedef struct
{
  guint64 address;
  gint32 line;
  gint32 discriminator;
} DebugEntry;

struct _WeftJitDump
{
  int descriptor;
  guint64 position;
  guint32 pid;
  guint32 machine;
  gboolean failed;
  GByteArray *record;
  GArray *lines; /* WeftSymbolRow, of the code that is loaded next; distances from LINES_AT */
  guint64 lines_at;
};

WeftJitDump *
weft_jit_dump_new (int descriptor)
{
  WeftJitDump *self = g_new0 (WeftJitDump, 1);

  self->descriptor = descriptor;
  self->record = g_byte_array_new ();
  return self;
}

void
weft_jit_dump_free (WeftJitDump *self)
{
  close (self->descriptor);
  g_byte_array_unref (self->record);
  g_clear_pointer (&self->lines, g_array_unref);
  g_free (self);
}

int
weft_jit_dump_get_pid (WeftJitDump *self)
{
  return (int) self->pid;
}

guint
weft_jit_dump_get_machine (WeftJitDump *self)
{
  return self->machine;
}

static gboolean
read_at (WeftJitDump *self, guint64 position, void *buffer, gsize length)
{
  gsize done = 0;

  if (position > G_MAXINT64 - length)
    return FALSE;
  while (done < length)
    {
      ssize_t n = pread (self->descriptor, (char *) buffer + done, length - done, position + done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      done += n;
    }
  return TRUE;
}

gboolean
weft_jit_dump_get_code (WeftJitDump *self, guint64 file_offset, void *bytes, gsize length)
{
  return read_at (self, file_offset, bytes, length);
}

static gboolean
read_header (WeftJitDump *self, char **reason)
{
  Header header;

  if (self->position > 0)
    return TRUE;
  if (!read_at (self, 0, &header, sizeof header))
    return FALSE;
  if (header.magic != MAGIC || header.version != VERSION || header.total_size < sizeof header)
    {
      self->failed = TRUE;
      *reason = header.magic == GUINT32_SWAP_LE_BE (MAGIC)
                    ? g_strdup ("its jitdump is of a machine with another order of bytes")
                    : g_strdup ("its jitdump is of no form that is known");
      return FALSE;
    }
  self->pid = header.pid;
  self->machine = header.machine;
  self->position = header.total_size;
  return TRUE;
}

/* Bytes of the record behind its head. */
static const guint8 *
body (WeftJitDump *self, gsize *length)
{
  *length = self->record->len - sizeof (Record);
  return self->record->data + sizeof (Record);
}

static void
take_lines (WeftJitDump *self, WeftSymbolNames *names)
{
  gsize length;
  const guint8 *at = body (self, &length);
  const guint8 *end = at + length;
  const char *file = NULL;
  guint64 head[2]; /* address, entries */

  g_clear_pointer (&self->lines, g_array_unref);
  if (length < sizeof head)
    return;
  memcpy (head, at, sizeof head);
  at += sizeof head;
  self->lines_at = head[0];
  self->lines = g_array_new (FALSE, TRUE, sizeof (WeftSymbolRow));
  for (guint64 i = 0; i < head[1] && (gsize) (end - at) > sizeof (DebugEntry); i++)
    {
      DebugEntry entry;
      gsize name;
      WeftSymbolRow row = { 0 };

      memcpy (&entry, at, sizeof entry);
      at += sizeof entry;
      name = strnlen ((const char *) at, end - at);
      if (name == (gsize) (end - at))
        return;
      /* "\377" stands for the name of the entry before. */
      if (name != 1 || at[0] != 0xff)
        file = weft_symbol_names_intern (names, (const char *) at, name);
      at += name + 1;
      if (entry.address < self->lines_at || entry.address - self->lines_at > G_MAXUINT32)
        continue;
      row.distance = (guint32) (entry.address - self->lines_at);
      row.line = entry.line > 0 ? entry.line : 0;
      row.file = file;
      g_array_append_val (self->lines, row);
    }
}

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const WeftSymbolRow *x = a;
  const WeftSymbolRow *y = b;

  return x->distance < y->distance ? -1 : x->distance > y->distance;
}

/* Lines that were told of the code at START. */
static GArray *
lines_for (WeftJitDump *self, guint64 start, guint64 size)
{
  GArray *rows = g_steal_pointer (&self->lines);
  guint n = 0;

  if (rows == NULL)
    return NULL;
  g_array_sort (rows, compare_rows);
  for (guint i = 0; i < rows->len && self->lines_at == start; i++)
    if (g_array_index (rows, WeftSymbolRow, i).distance < size)
      n = i + 1;
  g_array_set_size (rows, n);
  return rows;
}

static void
take_load (WeftJitDump *self, WeftSymbolNames *names)
{
  gsize length;
  const guint8 *at = body (self, &length);
  Load load;
  gsize name;

  if (length <= sizeof load)
    return;
  memcpy (&load, at, sizeof load);
  at += sizeof load;
  length -= sizeof load;
  name = strnlen ((const char *) at, length);
  if (name == length || name > MAX_NAME || load.code_size > length - name - 1)
    return;
  weft_symbol_names_add (
      names, &(WeftSymbolNamed){ .start = load.code_address,
                                 .size = load.code_size,
                                 .name = (const char *) at,
                                 .file_offset = self->position + self->record->len - load.code_size,
                                 .rows = lines_for (self, load.code_address, load.code_size) });
}

static void
take_move (WeftJitDump *self, WeftSymbolNames *names)
{
  gsize length;
  const guint8 *at = body (self, &length);
  const WeftSymbolFunction *old;
  GArray *rows = NULL;
  Move move;

  if (length < sizeof move)
    return;
  memcpy (&move, at, sizeof move);
  old = weft_symbol_names_find (names, move.old_address);
  if (old == NULL || old->start != move.old_address)
    return;
  if (old->n_rows > 0)
    {
      rows = g_array_new (FALSE, TRUE, sizeof (WeftSymbolRow));
      g_array_append_vals (rows, old->rows, old->n_rows);
    }
  weft_symbol_names_add (names, &(WeftSymbolNamed){ .start = move.new_address,
                                                    .size = old->size,
                                                    .name = old->symbol->name,
                                                    .file_offset = old->file_offset,
                                                    .rows = rows });
}

/* FALSE: there is no whole record (yet). */
static gboolean
read_record (WeftJitDump *self, char **reason)
{
  Record head;

  if (!read_at (self, self->position, &head, sizeof head))
    return FALSE;
  if (head.length < sizeof head || head.length > MAX_RECORD)
    {
      self->failed = TRUE;
      *reason = g_strdup ("its jitdump is damaged");
      return FALSE;
    }
  g_byte_array_set_size (self->record, head.length);
  return read_at (self, self->position, self->record->data, head.length);
}

gboolean
weft_jit_dump_read (WeftJitDump *self, WeftSymbolNames *names, char **reason)
{
  if (self->failed || !read_header (self, reason))
    return !self->failed;
  while (read_record (self, reason))
    {
      Record head;

      memcpy (&head, self->record->data, sizeof head);
      switch (head.type)
        {
        case CODE_LOAD:
          take_load (self, names);
          break;
        case CODE_MOVE:
          take_move (self, names);
          break;
        case CODE_DEBUG_INFO:
          take_lines (self, names);
          break;
        default:
          break;
        }
      self->position += head.length;
    }
  return !self->failed;
}
