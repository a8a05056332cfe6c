/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-image.h"

#include <string.h>
#include <unistd.h>

#include "weft-symbol-config.h"
#ifdef WEFT_HAVE_LZMA
#include <lzma.h>
#endif

#define MAX_PACKED (256u << 20)
#define MAX_SEGMENTS 1024

Elf_Scn *
weft_symbol_image_find (WeftSymbolImage *self, const char *name, GElf_Shdr *header)
{
  size_t names;
  Elf_Scn *section = NULL;

  if (elf_getshdrstrndx (self->elf, &names) != 0)
    return NULL;
  while ((section = elf_nextscn (self->elf, section)) != NULL)
    {
      const char *found;

      if (gelf_getshdr (section, header) == NULL)
        continue;
      found = elf_strptr (self->elf, names, header->sh_name);
      if (found != NULL && g_str_equal (found, name))
        return section;
    }
  return NULL;
}

static Elf_Data *
find_data (WeftSymbolImage *self, const char *name)
{
  GElf_Shdr header;
  Elf_Scn *section = weft_symbol_image_find (self, name, &header);
  Elf_Data *data;

  if (section == NULL || header.sh_type == SHT_NOBITS)
    return NULL;
  data = elf_rawdata (section, NULL);
  return data != NULL && data->d_buf != NULL ? data : NULL;
}

static void
take_notes (WeftSymbolImage *self, Elf_Data *data)
{
  size_t offset = 0;
  size_t name, description;
  GElf_Nhdr note;

  if (data == NULL || data->d_buf == NULL)
    return;
  while ((offset = gelf_getnote (data, offset, &note, &name, &description)) > 0)
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        memcmp ((const char *) data->d_buf + name, "GNU", 4) == 0)
      {
        self->build_id_length = MIN (note.n_descsz, WEFT_MAX_BUILD_ID);
        memcpy (self->build_id, (const char *) data->d_buf + description, self->build_id_length);
        return;
      }
}

/* By sections, for debug files have no contents where their segments point to. */
static void
read_build_id (WeftSymbolImage *self)
{
  Elf_Scn *section = NULL;
  size_t n_segments;
  GElf_Shdr header;

  while (self->build_id_length == 0 && (section = elf_nextscn (self->elf, section)) != NULL)
    if (gelf_getshdr (section, &header) != NULL && header.sh_type == SHT_NOTE)
      take_notes (self, elf_getdata (section, NULL));
  if (section != NULL || self->build_id_length > 0 || elf_getphdrnum (self->elf, &n_segments) != 0)
    return;
  for (size_t i = 0; self->build_id_length == 0 && i < MIN (n_segments, MAX_SEGMENTS); i++)
    {
      GElf_Phdr segment;

      if (gelf_getphdr (self->elf, i, &segment) != NULL && segment.p_type == PT_NOTE)
        take_notes (self, elf_getdata_rawchunk (self->elf, segment.p_offset, segment.p_filesz,
                                                segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR));
    }
}

static void
read_links (WeftSymbolImage *self)
{
  Elf_Data *link = find_data (self, ".gnu_debuglink");
  Elf_Data *alternate = find_data (self, ".gnu_debugaltlink");
  gsize length;

  if (link != NULL)
    {
      length = strnlen (link->d_buf, link->d_size);
      if (((length + 4) & ~(gsize) 3) + 4 <= link->d_size)
        {
          self->link_name = g_strndup (link->d_buf, length);
          memcpy (&self->link_sum, (char *) link->d_buf + ((length + 4) & ~(gsize) 3), 4);
        }
    }
  if (alternate != NULL)
    {
      length = strnlen (alternate->d_buf, alternate->d_size);
      if (length < alternate->d_size)
        {
          self->alternate_name = g_strndup (alternate->d_buf, length);
          self->alternate_id_length = MIN (alternate->d_size - length - 1, WEFT_MAX_BUILD_ID);
          memcpy (self->alternate_id, (char *) alternate->d_buf + length + 1,
                  self->alternate_id_length);
        }
    }
}

static void
read_segments (WeftSymbolImage *self)
{
  size_t n = 0;

  self->segments = g_array_new (FALSE, FALSE, sizeof (WeftSymbolSegment));
  elf_getphdrnum (self->elf, &n);
  for (size_t i = 0; i < MIN (n, MAX_SEGMENTS); i++)
    {
      GElf_Phdr segment;

      if (gelf_getphdr (self->elf, i, &segment) != NULL && segment.p_type == PT_LOAD &&
          (segment.p_flags & PF_X))
        g_array_append_val (self->segments, ((WeftSymbolSegment){ segment.p_vaddr, segment.p_filesz,
                                                                  segment.p_offset }));
    }
}

static void
survey (WeftSymbolImage *self)
{
  GElf_Shdr header;

  read_build_id (self);
  read_links (self);
  read_segments (self);
  self->has_debug_info = find_data (self, ".debug_info") || find_data (self, ".zdebug_info");
  self->has_symbols =
      weft_symbol_image_find (self, ".symtab", &header) != NULL && header.sh_type == SHT_SYMTAB;
}

static WeftSymbolImage *
finish (WeftSymbolImage *self, char **reason)
{
  GElf_Ehdr header;

  if (self->elf == NULL || elf_kind (self->elf) != ELF_K_ELF ||
      gelf_getehdr (self->elf, &header) == NULL)
    {
      if (reason != NULL)
        *reason = g_strdup_printf ("it is no ELF file that can be read (%s)", elf_errmsg (-1));
      weft_symbol_image_free (self);
      return NULL;
    }
  self->machine = header.e_machine;
  survey (self);
  return self;
}

WeftSymbolImage *
weft_symbol_image_open (int descriptor, char **reason)
{
  WeftSymbolImage *self = g_new0 (WeftSymbolImage, 1);

  self->descriptor = descriptor;
  self->elf = elf_begin (descriptor, ELF_C_READ_MMAP, NULL);
  return finish (self, reason);
}

void
weft_symbol_image_free (WeftSymbolImage *self)
{
  g_clear_pointer (&self->elf, elf_end);
  g_clear_pointer (&self->segments, g_array_unref);
  g_free (self->memory);
  g_free (self->link_name);
  g_free (self->alternate_name);
  if (self->descriptor >= 0)
    close (self->descriptor);
  g_free (self);
}

#ifdef WEFT_HAVE_LZMA
static guint8 *
unpack (const guint8 *packed, gsize length, gsize *unpacked)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  lzma_stream stream = LZMA_STREAM_INIT;
  lzma_ret result = LZMA_OK;

  if (lzma_stream_decoder (&stream, MAX_PACKED, 0) != LZMA_OK)
    return NULL;
  stream.next_in = packed;
  stream.avail_in = length;
  while (result == LZMA_OK && bytes->len < MAX_PACKED)
    {
      gsize before = bytes->len;

      g_byte_array_set_size (bytes, before + (1 << 20));
      stream.next_out = bytes->data + before;
      stream.avail_out = 1 << 20;
      result = lzma_code (&stream, LZMA_FINISH);
      g_byte_array_set_size (bytes, bytes->len - stream.avail_out);
    }
  lzma_end (&stream);
  *unpacked = bytes->len;
  return result == LZMA_STREAM_END ? g_byte_array_free (g_steal_pointer (&bytes), FALSE) : NULL;
}
#endif

WeftSymbolImage *
weft_symbol_image_open_packed (WeftSymbolImage *self)
{
#ifdef WEFT_HAVE_LZMA
  Elf_Data *packed = find_data (self, ".gnu_debugdata");
  WeftSymbolImage *image;
  gsize length = 0;
  guint8 *memory;

  memory = packed != NULL ? unpack (packed->d_buf, packed->d_size, &length) : NULL;
  if (memory == NULL)
    return NULL;
  image = g_new0 (WeftSymbolImage, 1);
  image->descriptor = -1;
  image->memory = memory;
  image->elf = elf_memory ((char *) memory, length);
  return finish (image, NULL);
#else
  return NULL;
#endif
}

gboolean
weft_symbol_image_locate (WeftSymbolImage *self, guint64 address, guint64 *length,
                          guint64 *file_offset)
{
  for (guint i = 0; i < self->segments->len; i++)
    {
      const WeftSymbolSegment *s = &g_array_index (self->segments, WeftSymbolSegment, i);

      if (address < s->address || address - s->address >= s->length)
        continue;
      *length = MIN (*length, s->length - (address - s->address));
      *file_offset = s->file_offset + (address - s->address);
      return TRUE;
    }
  return FALSE;
}

static void
fill_sums (guint32 sums[256])
{
  for (guint32 i = 0; i < 256; i++)
    {
      guint32 sum = i;

      for (guint bit = 0; bit < 8; bit++)
        sum = (sum >> 1) ^ (sum & 1 ? 0xedb88320 : 0);
      sums[i] = sum;
    }
}

gboolean
weft_symbol_image_sum (WeftSymbolImage *self, guint32 *sum)
{
  size_t length;
  const char *bytes = elf_rawfile (self->elf, &length);
  guint32 sums[256];
  guint32 result = 0xffffffff;

  if (bytes == NULL)
    return FALSE;
  fill_sums (sums);
  for (size_t i = 0; i < length; i++)
    result = sums[(result ^ (guint8) bytes[i]) & 0xff] ^ (result >> 8);
  *sum = ~result;
  return TRUE;
}
