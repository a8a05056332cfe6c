/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * What an ELF file says of itself. Files are read with pread, never mapped: one that is truncated
 * or replaced in place while we look would end us with SIGBUS. Everything in them is hostile: each
 * offset and count is checked against the size that the file had when it was opened.
 */
typedef struct _WeftElfImage WeftElfImage;

typedef struct
{
  guint32 type;
  guint32 flags;
  guint64 offset;
  guint64 address; /* virtual, as linked */
  guint64 file_size;
  guint64 memory_size;
} WeftElfSegment;

typedef struct
{
  const char *name;
  guint32 type;
  guint32 link;
  guint64 flags;
  guint64 address;
  guint64 offset;
  guint64 size;
  guint64 entry_size;
} WeftElfSection;

/* Where the call frame information is. */
typedef struct
{
  guint64 address; /* of .eh_frame, as linked; 0 of .debug_frame */
  guint64 offset;  /* in the file */
  guint64 size;
  gboolean is_debug_frame; /* .debug_frame, whose identifiers are laid out another way */

  guint64 index_address; /* of .eh_frame_hdr */
  guint64 index_offset;
  guint64 index_size; /* 0 if there is none */
} WeftElfFrames;

/* NULL if it is no ELF file for a little-endian machine. DESCRIPTOR stays the caller's. */
WeftElfImage *weft_elf_image_new (int descriptor);
void weft_elf_image_free (WeftElfImage *self);

guint weft_elf_image_get_machine (const WeftElfImage *self);
gboolean weft_elf_image_is_64 (const WeftElfImage *self);
guint64 weft_elf_image_get_entry (const WeftElfImage *self);
guint64 weft_elf_image_get_size (const WeftElfImage *self);

/* NULL if it has none. */
const guint8 *weft_elf_image_get_build_id (const WeftElfImage *self, gsize *length);

/* Sections are read when they are first asked for, by whoever has the file open. FALSE if there is
 * none of that name; it may be one without contents in this file (SHT_NOBITS).
 */
gboolean weft_elf_image_find_section (WeftElfImage *self, int descriptor, const char *name,
                                      WeftElfSection *section);

gboolean weft_elf_image_find_frames (WeftElfImage *self, int descriptor, WeftElfFrames *frames);

/* The first of TYPE (PT_INTERP, …), of the 4096 first that the file has. */
gboolean weft_elf_image_find_segment (const WeftElfImage *self, guint32 type,
                                      WeftElfSegment *segment);

/* From the lowest to beyond the highest address of code. FALSE if there is no code. */
gboolean weft_elf_image_get_code (const WeftElfImage *self, guint64 *begin, guint64 *end);

/* The link-time address of the byte at OFFSET of the file, as code is mapped: in whole pages. */
gboolean weft_elf_image_get_address (const WeftElfImage *self, guint64 offset, guint64 *address);

/* SIZE bytes at OFFSET; NULL if they are not all there. */
guint8 *weft_elf_image_read (const WeftElfImage *self, int descriptor, guint64 offset, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftElfImage, weft_elf_image_free)

G_END_DECLS
