/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-address-space-private.h"

#include <string.h>
#include <sys/sysmacros.h>

#define MAX_MAPPINGS 65536 /* of a process; the kernel's own limit is about that */

/* Mappings in order of address, which do not overlap. A fork shares them. */
typedef struct
{
  gint n_users;
  guint room;
  guint n_mappings;
  WeftAddressMapping mappings[];
} Mappings;

struct _WeftAddressSpace
{
  Mappings *table; /* NULL: none yet */
  guint last;      /* the mapping that was found last */
  WeftUnwindCache *cache;
};

static Mappings *
mappings_new (guint room)
{
  Mappings *self = g_malloc (sizeof (Mappings) + room * sizeof (WeftAddressMapping));

  self->n_users = 1;
  self->room = room;
  self->n_mappings = 0;
  return self;
}

static void
mappings_unref (Mappings *self)
{
  if (g_atomic_int_dec_and_test (&self->n_users))
    g_free (self);
}

WeftAddressSpace *
weft_address_space_new (void)
{
  return g_new0 (WeftAddressSpace, 1);
}

WeftAddressSpace *
weft_address_space_copy (WeftAddressSpace *self)
{
  WeftAddressSpace *copy = weft_address_space_new ();

  copy->table = self->table;
  if (copy->table != NULL)
    g_atomic_int_inc (&copy->table->n_users);
  return copy;
}

static void
forget_cache (WeftAddressSpace *self)
{
  self->last = 0;
  if (self->cache != NULL && self->cache->is_used)
    memset (self->cache, 0, sizeof *self->cache);
}

void
weft_address_space_clear (WeftAddressSpace *self)
{
  g_clear_pointer (&self->table, mappings_unref);
  forget_cache (self);
}

void
weft_address_space_free (WeftAddressSpace *self)
{
  weft_address_space_clear (self);
  g_free (self->cache);
  g_free (self);
}

WeftUnwindCache *
weft_address_space_get_cache (WeftAddressSpace *self)
{
  if (G_UNLIKELY (self->cache == NULL))
    self->cache = g_new0 (WeftUnwindCache, 1);
  self->cache->is_used = TRUE;
  return self->cache;
}

guint
weft_address_space_get_n_mappings (const WeftAddressSpace *self)
{
  return self->table != NULL ? self->table->n_mappings : 0;
}

/* How many mappings end at ADDRESS or before it. */
static guint
count_before (const Mappings *table, guint64 address)
{
  guint low = 0;
  guint high = table->n_mappings;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (table->mappings[middle].end <= address)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* Makes the table our own, with room for EXTRA more. */
static Mappings *
own_table (WeftAddressSpace *self, guint extra)
{
  Mappings *old = self->table;
  guint n = old != NULL ? old->n_mappings : 0;
  Mappings *table;

  if (old != NULL && g_atomic_int_get (&old->n_users) == 1 && n + extra <= old->room)
    return old;
  table = mappings_new (MAX (16, (n + extra) + (n + extra) / 2));
  if (old != NULL)
    {
      memcpy (table->mappings, old->mappings, n * sizeof *old->mappings);
      table->n_mappings = n;
      mappings_unref (old);
    }
  self->table = table;
  return table;
}

/* Cuts out ADDRESS up to END and returns where it was. */
static guint
cut (Mappings *table, guint64 address, guint64 end)
{
  WeftAddressMapping *mappings = table->mappings;
  guint first = count_before (table, address);
  guint last = first;
  WeftAddressMapping tail = { 0 };

  while (last < table->n_mappings && mappings[last].start < end)
    last++;
  if (first == last)
    return first;

  if (mappings[last - 1].end > end)
    {
      tail = mappings[last - 1];
      tail.start = end;
    }
  if (mappings[first].start < address)
    {
      mappings[first].end = address;
      first++;
    }

  /* What is left of the last one comes behind; there is room, for one was cut or split. */
  memmove (mappings + first + (tail.end != 0), mappings + last,
           (table->n_mappings - last) * sizeof *mappings);
  table->n_mappings = first + (tail.end != 0) + (table->n_mappings - last);
  if (tail.end != 0)
    mappings[first] = tail;
  return first;
}

void
weft_address_space_unmap (WeftAddressSpace *self, guint64 address, guint64 length)
{
  if (length == 0 || address + length < address || self->table == NULL)
    return;
  cut (own_table (self, 1), address, address + length);
  forget_cache (self);
}

void
weft_address_space_map (WeftAddressSpace *self, guint64 address, guint64 length,
                        guint64 file_offset, WeftCodeModule *module)
{
  guint64 bias = module != NULL ? weft_code_module_get_bias (module, address, file_offset) : 0;
  Mappings *table;
  guint at;

  if (length == 0 || address + length < address)
    return;
  table = own_table (self, 2);
  at = cut (table, address, address + length);
  if (table->n_mappings < MAX_MAPPINGS)
    {
      memmove (table->mappings + at + 1, table->mappings + at,
               (table->n_mappings - at) * sizeof *table->mappings);
      table->mappings[at] = (WeftAddressMapping){ address, address + length, bias, module };
      table->n_mappings++;
    }
  forget_cache (self);
}

/* Looking up */

const WeftAddressMapping *
weft_address_space_find (WeftAddressSpace *self, guint64 address)
{
  Mappings *table = self->table;
  guint at;

  if (table == NULL)
    return NULL;
  if (self->last < table->n_mappings && address >= table->mappings[self->last].start &&
      address < table->mappings[self->last].end)
    return &table->mappings[self->last];
  at = count_before (table, address);
  if (at >= table->n_mappings || table->mappings[at].start > address)
    return NULL;
  self->last = at;
  return &table->mappings[at];
}

gboolean
weft_address_space_locate (WeftAddressSpace *self, guint64 address, WeftCodeFrame *frame)
{
  const WeftAddressMapping *mapping = weft_address_space_find (self, address);

  frame->module = mapping != NULL ? mapping->module : NULL;
  frame->offset = mapping != NULL ? address + mapping->bias : address;
  frame->address = address;
  frame->flags = 0;
  return mapping != NULL;
}

gboolean
weft_address_space_contains (WeftAddressSpace *self, guint64 address)
{
  return weft_address_space_find (self, address) != NULL;
}

/* /proc/PID/maps */

typedef struct
{
  guint64 start;
  guint64 end;
  guint64 offset;
  guint64 device;
  guint64 inode;
  gboolean is_code;
  char *path; /* the buffer's */
} MapsLine;

/* One number and the sign after it. */
static gboolean
take_number (const char **at, guint base, char sign, guint64 *value)
{
  char *end;

  if (!g_ascii_isxdigit (**at))
    return FALSE;
  *value = g_ascii_strtoull (*at, &end, base);
  if (*end != sign)
    return FALSE;
  *at = end + 1;
  return TRUE;
}

/* The kernel writes a newline in a name as \012, and nothing else that way. */
static void
unescape (char *path)
{
  char *out = path;

  for (const char *in = path; *in != '\0';)
    if (strncmp (in, "\\012", 4) == 0)
      {
        *out++ = '\n';
        in += 4;
      }
    else
      *out++ = *in++;
  *out = '\0';
}

static gboolean
parse_line (char *line, MapsLine *parsed)
{
  const char *at = line;
  guint64 device_major, device_minor;

  if (!take_number (&at, 16, '-', &parsed->start) || !take_number (&at, 16, ' ', &parsed->end) ||
      strnlen (at, 5) < 5 || at[4] != ' ')
    return FALSE;
  parsed->is_code = at[2] == 'x';
  at += 5;
  if (!take_number (&at, 16, ' ', &parsed->offset) || !take_number (&at, 16, ':', &device_major) ||
      !take_number (&at, 16, ' ', &device_minor) || parsed->end <= parsed->start)
    return FALSE;
  parsed->device = makedev (device_major, device_minor);
  parsed->inode = g_ascii_strtoull (at, (char **) &at, 10);
  while (*at == ' ')
    at++;
  parsed->path = line + (at - line);
  unescape (parsed->path);
  return TRUE;
}

static void
add_line (WeftAddressSpace *self, WeftModuleSet *modules, int pid, const MapsLine *line,
          WeftMappingFunc each, gpointer data)
{
  WeftModuleFile file = { .path = line->path,
                          .pid = pid,
                          .device = line->device,
                          .inode = line->inode,
                          .start = line->start,
                          .end = line->end };
  WeftCodeModule *module = weft_module_set_get (modules, &file);

  weft_address_space_map (self, line->start, line->end - line->start, line->offset, module);
  if (each != NULL)
    each (line->start, line->end - line->start, line->offset, module, data);
}

void
weft_address_space_parse (WeftAddressSpace *self, WeftModuleSet *modules, int pid, const char *text,
                          gsize length, WeftMappingFunc each, gpointer data)
{
  g_autofree char *copy = g_strndup (text, length);
  char *next = NULL;

  weft_address_space_clear (self);
  for (char *line = strtok_r (copy, "\n", &next); line != NULL; line = strtok_r (NULL, "\n", &next))
    {
      MapsLine parsed;

      if (parse_line (line, &parsed) && parsed.is_code)
        add_line (self, modules, pid, &parsed, each, data);
    }
}

gboolean
weft_address_space_read (WeftAddressSpace *self, WeftModuleSet *modules, int pid,
                         WeftMappingFunc each, gpointer data)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/maps", pid);
  g_autofree char *text = NULL;
  gsize length;

  /* That of a process that has ended is there, and empty. */
  if (!g_file_get_contents (path, &text, &length, NULL) || length == 0)
    return FALSE;
  weft_address_space_parse (self, modules, pid, text, length, each, data);
  return TRUE;
}
