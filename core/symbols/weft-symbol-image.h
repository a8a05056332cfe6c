/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gelf.h>
#include <glib.h>

G_BEGIN_DECLS

/*
 * One ELF file, in the process that may fall over it: what identifies it, which files belong to it,
 * and where in it the code of an address lies.
 */
#define WEFT_MAX_BUILD_ID 64

typedef struct
{
  guint64 address;
  guint64 length;
  guint64 file_offset;
} WeftSymbolSegment;

typedef struct
{
  int descriptor;
  Elf *elf;
  guint8 *memory; /* of one that lay packed in another */
  guint machine;
  guint8 build_id[WEFT_MAX_BUILD_ID];
  gsize build_id_length;
  char *link_name; /* .gnu_debuglink, or NULL */
  guint32 link_sum;
  char *alternate_name; /* .gnu_debugaltlink, or NULL */
  guint8 alternate_id[WEFT_MAX_BUILD_ID];
  gsize alternate_id_length;
  gboolean has_debug_info;
  gboolean has_symbols; /* .symtab */
  GArray *segments;     /* executable WeftSymbolSegment */
} WeftSymbolImage;

/* Takes DESCRIPTOR. NULL, with a REASON to be freed, if it is no ELF file. */
WeftSymbolImage *weft_symbol_image_open (int descriptor, char **reason);
void weft_symbol_image_free (WeftSymbolImage *self);

/* The file that is packed into .gnu_debugdata, or NULL. */
WeftSymbolImage *weft_symbol_image_open_packed (WeftSymbolImage *self);

/* A section's header and number by NAME; NULL if there is none. */
Elf_Scn *weft_symbol_image_find (WeftSymbolImage *self, const char *name, GElf_Shdr *header);

/* Where the code of ADDRESS lies in the file; at most LENGTH is left of LENGTH. FALSE: nowhere. */
gboolean weft_symbol_image_locate (WeftSymbolImage *self, guint64 address, guint64 *length,
                                   guint64 *file_offset);

/* CRC-32 of the whole file, as .gnu_debuglink has it. */
gboolean weft_symbol_image_sum (WeftSymbolImage *self, guint32 *sum);

G_END_DECLS
