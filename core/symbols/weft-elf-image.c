/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-elf-image.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-unwind-reader.h"

#define MAX_SEGMENTS 4096
#define MAX_SECTIONS 65536
#define MAX_NAMES (4 * 1024 * 1024)
#define MAX_NOTES (64 * 1024)
#define MAX_BUILD_ID 64
#define PAGE 4096

struct _WeftElfImage
{
  guint64 size; /* of the file */
  guint machine;
  gboolean is_64;
  guint64 entry;

  WeftElfSegment *segments;
  guint n_segments;

  guint8 build_id[MAX_BUILD_ID];
  gsize build_id_length;

  guint64 sections_offset;
  guint64 n_sections;
  guint names_section;

  gboolean has_sections; /* they have been read, or cannot be */
  WeftElfSection *sections;
  guint n_read_sections;
  char *names;
  gsize names_size;
};

/* Reading */

static gboolean
read_at (int descriptor, guint64 offset, void *buffer, gsize size)
{
  guint8 *out = buffer;

  while (size > 0)
    {
      gssize n = pread (descriptor, out, size, (off_t) offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      out += n;
      offset += n;
      size -= n;
    }
  return TRUE;
}

guint8 *
weft_elf_image_read (const WeftElfImage *self, int descriptor, guint64 offset, gsize size)
{
  g_autofree guint8 *bytes = NULL;

  if (size == 0 || offset > self->size || size > self->size - offset)
    return NULL;
  bytes = g_try_malloc (size);
  if (bytes == NULL || !read_at (descriptor, offset, bytes, size))
    return NULL;
  return g_steal_pointer (&bytes);
}

/* Headers */

static gboolean
read_header_64 (WeftElfImage *self, const Elf64_Ehdr *header, guint64 *segments, guint *n_segments)
{
  if (header->e_phentsize != sizeof (Elf64_Phdr) && header->e_phnum > 0)
    return FALSE;
  self->machine = header->e_machine;
  self->entry = header->e_entry;
  self->sections_offset = header->e_shentsize == sizeof (Elf64_Shdr) ? header->e_shoff : 0;
  self->n_sections = header->e_shnum;
  self->names_section = header->e_shstrndx;
  *segments = header->e_phoff;
  *n_segments = header->e_phnum;
  return TRUE;
}

static gboolean
read_header_32 (WeftElfImage *self, const Elf32_Ehdr *header, guint64 *segments, guint *n_segments)
{
  if (header->e_phentsize != sizeof (Elf32_Phdr) && header->e_phnum > 0)
    return FALSE;
  self->machine = header->e_machine;
  self->entry = header->e_entry;
  self->sections_offset = header->e_shentsize == sizeof (Elf32_Shdr) ? header->e_shoff : 0;
  self->n_sections = header->e_shnum;
  self->names_section = header->e_shstrndx;
  *segments = header->e_phoff;
  *n_segments = header->e_phnum;
  return TRUE;
}

static WeftElfSegment
segment_64 (const guint8 *bytes)
{
  Elf64_Phdr header;

  memcpy (&header, bytes, sizeof header);
  return (WeftElfSegment){ header.p_type,  header.p_flags,  header.p_offset,
                           header.p_vaddr, header.p_filesz, header.p_memsz };
}

static WeftElfSegment
segment_32 (const guint8 *bytes)
{
  Elf32_Phdr header;

  memcpy (&header, bytes, sizeof header);
  return (WeftElfSegment){ header.p_type,  header.p_flags,  header.p_offset,
                           header.p_vaddr, header.p_filesz, header.p_memsz };
}

static void
read_segments (WeftElfImage *self, int descriptor, guint64 offset, guint n_segments)
{
  gsize size = self->is_64 ? sizeof (Elf64_Phdr) : sizeof (Elf32_Phdr);
  g_autofree guint8 *bytes = NULL;

  n_segments = MIN (n_segments, MAX_SEGMENTS);
  bytes = weft_elf_image_read (self, descriptor, offset, n_segments * size);
  if (bytes == NULL)
    return;

  self->segments = g_new (WeftElfSegment, n_segments);
  self->n_segments = n_segments;
  for (guint i = 0; i < n_segments; i++)
    self->segments[i] = self->is_64 ? segment_64 (bytes + i * size) : segment_32 (bytes + i * size);
}

/* The first build id in a row of notes. */
static gboolean
take_build_id (WeftElfImage *self, const guint8 *bytes, gsize size)
{
  gsize at = 0;

  while (size - at >= sizeof (Elf64_Nhdr))
    {
      Elf64_Nhdr note;
      gsize name, contents;

      memcpy (&note, bytes + at, sizeof note);
      name = at + sizeof note;
      if (note.n_namesz > size - name)
        return FALSE;
      contents = name + ((note.n_namesz + 3) & ~(gsize) 3);
      if (contents > size || note.n_descsz > size - contents)
        return FALSE;
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
          memcmp (bytes + name, "GNU", 4) == 0 && note.n_descsz > 0 &&
          note.n_descsz <= MAX_BUILD_ID)
        {
          memcpy (self->build_id, bytes + contents, note.n_descsz);
          self->build_id_length = note.n_descsz;
          return TRUE;
        }
      at = contents + ((note.n_descsz + 3) & ~(gsize) 3);
      if (at > size)
        return FALSE;
    }
  return FALSE;
}

static void
read_build_id (WeftElfImage *self, int descriptor)
{
  WeftElfSection section;

  for (guint i = 0; i < self->n_segments; i++)
    {
      const WeftElfSegment *segment = &self->segments[i];
      gsize size = MIN (segment->file_size, MAX_NOTES);
      g_autofree guint8 *bytes = NULL;

      if (segment->type != PT_NOTE)
        continue;
      bytes = weft_elf_image_read (self, descriptor, segment->offset, size);
      if (bytes != NULL && take_build_id (self, bytes, size))
        return;
    }

  /* Objects that are linked as they are loaded have no segments. */
  if (self->n_segments == 0 &&
      weft_elf_image_find_section (self, descriptor, ".note.gnu.build-id", &section))
    {
      gsize size = MIN (section.size, MAX_NOTES);
      g_autofree guint8 *bytes = weft_elf_image_read (self, descriptor, section.offset, size);

      if (bytes != NULL)
        take_build_id (self, bytes, size);
    }
}

static gboolean
read_header (WeftElfImage *self, int descriptor)
{
  union
  {
    guint8 identity[EI_NIDENT];
    Elf32_Ehdr header_32;
    Elf64_Ehdr header_64;
  } header;
  guint64 segments;
  guint n_segments;
  gboolean is_sound;

  memset (&header, 0, sizeof header);
  if (!read_at (descriptor, 0, &header, MIN (self->size, sizeof header)) ||
      memcmp (header.identity, ELFMAG, SELFMAG) != 0 || header.identity[EI_DATA] != ELFDATA2LSB)
    return FALSE;

  self->is_64 = header.identity[EI_CLASS] == ELFCLASS64;
  if (!self->is_64 && header.identity[EI_CLASS] != ELFCLASS32)
    return FALSE;
  is_sound = self->is_64 ? read_header_64 (self, &header.header_64, &segments, &n_segments)
                         : read_header_32 (self, &header.header_32, &segments, &n_segments);
  if (!is_sound)
    return FALSE;
  read_segments (self, descriptor, segments, n_segments);
  read_build_id (self, descriptor);
  return TRUE;
}

WeftElfImage *
weft_elf_image_new (int descriptor)
{
  g_autoptr (WeftElfImage) self = g_new0 (WeftElfImage, 1);
  struct stat status;

  if (fstat (descriptor, &status) < 0 || !S_ISREG (status.st_mode) ||
      status.st_size < (off_t) sizeof (Elf32_Ehdr))
    return NULL;
  self->size = status.st_size;
  return read_header (self, descriptor) ? g_steal_pointer (&self) : NULL;
}

void
weft_elf_image_free (WeftElfImage *self)
{
  g_free (self->segments);
  g_free (self->sections);
  g_free (self->names);
  g_free (self);
}

guint
weft_elf_image_get_machine (const WeftElfImage *self)
{
  return self->machine;
}

gboolean
weft_elf_image_is_64 (const WeftElfImage *self)
{
  return self->is_64;
}

guint64
weft_elf_image_get_entry (const WeftElfImage *self)
{
  return self->entry;
}

guint64
weft_elf_image_get_size (const WeftElfImage *self)
{
  return self->size;
}

const guint8 *
weft_elf_image_get_build_id (const WeftElfImage *self, gsize *length)
{
  *length = self->build_id_length;
  return self->build_id_length > 0 ? self->build_id : NULL;
}

/* Sections */

static WeftElfSection
section_64 (const guint8 *bytes, guint32 *name)
{
  Elf64_Shdr header;

  memcpy (&header, bytes, sizeof header);
  *name = header.sh_name;
  return (WeftElfSection){ NULL,           header.sh_type,   header.sh_link, header.sh_flags,
                           header.sh_addr, header.sh_offset, header.sh_size, header.sh_entsize };
}

static WeftElfSection
section_32 (const guint8 *bytes, guint32 *name)
{
  Elf32_Shdr header;

  memcpy (&header, bytes, sizeof header);
  *name = header.sh_name;
  return (WeftElfSection){ NULL,           header.sh_type,   header.sh_link, header.sh_flags,
                           header.sh_addr, header.sh_offset, header.sh_size, header.sh_entsize };
}

static WeftElfSection
section_at (const WeftElfImage *self, const guint8 *bytes, guint32 *name)
{
  return self->is_64 ? section_64 (bytes, name) : section_32 (bytes, name);
}

/* Where there are too many for the header's fields, the first section has the numbers. */
static void
find_section_counts (WeftElfImage *self, int descriptor, gsize size)
{
  g_autofree guint8 *first = NULL;
  guint32 name;

  if (self->sections_offset == 0 || (self->n_sections != 0 && self->names_section != SHN_XINDEX))
    return;
  first = weft_elf_image_read (self, descriptor, self->sections_offset, size);
  if (first != NULL)
    {
      WeftElfSection section = section_at (self, first, &name);

      if (self->n_sections == 0)
        self->n_sections = section.size;
      if (self->names_section == SHN_XINDEX)
        self->names_section = section.link;
    }
}

/* All that are used as names end within what was read. */
static const char *
name_at (const WeftElfImage *self, guint32 offset)
{
  return offset < self->names_size ? self->names + offset : "";
}

static void
read_names (WeftElfImage *self, int descriptor, const WeftElfSection *section)
{
  if (section->type != SHT_STRTAB || section->size > MAX_NAMES)
    return;
  self->names = (char *) weft_elf_image_read (self, descriptor, section->offset, section->size);
  if (self->names != NULL)
    {
      self->names_size = section->size;
      self->names[self->names_size - 1] = '\0';
    }
}

static void
read_sections (WeftElfImage *self, int descriptor)
{
  gsize size = self->is_64 ? sizeof (Elf64_Shdr) : sizeof (Elf32_Shdr);
  g_autofree guint8 *bytes = NULL;
  guint n;

  self->has_sections = TRUE;
  find_section_counts (self, descriptor, size);
  n = MIN (self->n_sections, MAX_SECTIONS);
  if (self->sections_offset == 0 || n == 0)
    return;
  bytes = weft_elf_image_read (self, descriptor, self->sections_offset, n * size);
  if (bytes == NULL)
    return;

  self->sections = g_new (WeftElfSection, n);
  self->n_read_sections = n;
  if (self->names_section < n)
    {
      guint32 ignored;
      WeftElfSection section = section_at (self, bytes + self->names_section * size, &ignored);

      read_names (self, descriptor, &section);
    }
  for (guint i = 0; i < n; i++)
    {
      guint32 name;

      self->sections[i] = section_at (self, bytes + i * size, &name);
      self->sections[i].name = name_at (self, name);
    }
}

gboolean
weft_elf_image_find_section (WeftElfImage *self, int descriptor, const char *name,
                             WeftElfSection *section)
{
  if (!self->has_sections)
    read_sections (self, descriptor);
  for (guint i = 0; i < self->n_read_sections; i++)
    if (strcmp (self->sections[i].name, name) == 0)
      {
        *section = self->sections[i];
        return TRUE;
      }
  return FALSE;
}

gboolean
weft_elf_image_find_segment (const WeftElfImage *self, guint32 type, WeftElfSegment *segment)
{
  for (guint i = 0; i < self->n_segments; i++)
    if (self->segments[i].type == type)
      {
        *segment = self->segments[i];
        return TRUE;
      }
  return FALSE;
}

/* Addresses */

gboolean
weft_elf_image_get_code (const WeftElfImage *self, guint64 *begin, guint64 *end)
{
  *begin = G_MAXUINT64;
  *end = 0;
  for (guint i = 0; i < self->n_segments; i++)
    {
      const WeftElfSegment *segment = &self->segments[i];

      if (segment->type != PT_LOAD || !(segment->flags & PF_X) ||
          segment->memory_size > G_MAXUINT64 - segment->address)
        continue;
      *begin = MIN (*begin, segment->address);
      *end = MAX (*end, segment->address + segment->memory_size);
    }
  return *begin < *end;
}

/* Whether the pages of the file that hold SEGMENT hold OFFSET. */
static gboolean
segment_maps (const WeftElfSegment *segment, guint64 offset)
{
  guint64 begin = segment->offset & ~(guint64) (PAGE - 1);

  return segment->type == PT_LOAD && offset >= begin &&
         offset - begin < segment->file_size + (segment->offset - begin) + PAGE - 1;
}

gboolean
weft_elf_image_get_address (const WeftElfImage *self, guint64 offset, guint64 *address)
{
  const WeftElfSegment *found = NULL;

  for (guint i = 0; i < self->n_segments; i++)
    {
      const WeftElfSegment *segment = &self->segments[i];

      if (segment_maps (segment, offset) &&
          (found == NULL || (!(found->flags & PF_X) && (segment->flags & PF_X))))
        found = segment;
    }
  if (found != NULL)
    *address = offset - found->offset + found->address;
  return found != NULL;
}

static gboolean
get_offset (const WeftElfImage *self, guint64 address, guint64 *offset, guint64 *available)
{
  for (guint i = 0; i < self->n_segments; i++)
    {
      const WeftElfSegment *segment = &self->segments[i];

      if (segment->type == PT_LOAD && address >= segment->address &&
          address - segment->address < segment->file_size && segment->offset < self->size)
        {
          guint64 within = address - segment->address;

          if (within >= self->size - segment->offset)
            return FALSE;
          *offset = segment->offset + within;
          *available = MIN (segment->file_size, self->size - segment->offset) - within;
          return TRUE;
        }
    }
  return FALSE;
}

/* Call frame information */

/* Where .eh_frame begins is told by .eh_frame_hdr, which stays in files whose sections are cut off.
 */
static gboolean
find_frames_by_index (WeftElfImage *self, int descriptor, WeftElfFrames *frames)
{
  gsize size = MIN (frames->index_size, 16);
  g_autofree guint8 *bytes = weft_elf_image_read (self, descriptor, frames->index_offset, size);
  WeftUnwindReader reader;
  WeftUnwindBases bases = { frames->index_address, 0, frames->index_address };
  guint encoding;

  if (bytes == NULL || size < 8 || bytes[0] != 1)
    return FALSE;
  weft_unwind_reader_init (&reader, bytes, size);
  weft_unwind_reader_skip (&reader, 1);
  encoding = weft_unwind_reader_u8 (&reader);
  weft_unwind_reader_skip (&reader, 2);
  frames->address = weft_unwind_reader_pointer (&reader, encoding, &bases);
  return !reader.failed && get_offset (self, frames->address, &frames->offset, &frames->size);
}

static gboolean
has_bytes (const WeftElfImage *self, const WeftElfSection *section)
{
  return section->type != SHT_NOBITS && section->size > 0 && section->offset <= self->size &&
         section->size <= self->size - section->offset && !(section->flags & SHF_COMPRESSED);
}

gboolean
weft_elf_image_find_frames (WeftElfImage *self, int descriptor, WeftElfFrames *frames)
{
  WeftElfSection section;

  memset (frames, 0, sizeof *frames);
  for (guint i = 0; i < self->n_segments; i++)
    if (self->segments[i].type == PT_GNU_EH_FRAME)
      {
        frames->index_address = self->segments[i].address;
        frames->index_offset = self->segments[i].offset;
        frames->index_size = self->segments[i].file_size;
      }

  if (frames->index_size > 0 && find_frames_by_index (self, descriptor, frames))
    {
      /* Without sections they may reach up to the end of their segment. */
      if (weft_elf_image_find_section (self, descriptor, ".eh_frame", &section) &&
          has_bytes (self, &section) && section.offset == frames->offset)
        frames->size = section.size;
      return TRUE;
    }
  frames->index_size = 0;
  if (weft_elf_image_find_section (self, descriptor, ".eh_frame", &section) &&
      has_bytes (self, &section))
    frames->address = section.address;
  else if (weft_elf_image_find_section (self, descriptor, ".debug_frame", &section) &&
           has_bytes (self, &section))
    frames->is_debug_frame = TRUE;
  else
    return FALSE;
  frames->offset = section.offset;
  frames->size = section.size;
  return TRUE;
}
