/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-metal-bitcode.h"

G_BEGIN_DECLS

/*
 * A .metallib: functions in AIR, what the linker and the compiler put beside them, and sources.
 *
 * Numbers are of little endian. A header leads to a list of functions, a group of tagged values
 * each (NAME, TYPE, HASH, MDSZ and OFFT: size and place of the bitcode, VERS, SOFF: the archive of
 * its source), then a list of tags of the whole (UUID, HSRD: sources), and sections.
 *
 * The file may be hostile: each place and size in it is checked against what it is in, and how much
 * bitcode is read and how much is expanded is bounded. What cannot be true is an error with
 * G_IO_ERROR_INVALID_DATA.
 */

#define WEFT_METAL_NO_SOURCE G_MAXUINT

typedef struct
{
  char *path;
  GBytes *text;  /* UTF-8 */
  char *options; /* what the compiler was called with, or NULL */
} WeftMetalSource;

typedef struct
{
  char *name;
  guint type;
  char *hash; /* as the library tells it, hexadecimal, or NULL */
  guint air_version[2];
  guint language_version[2];
  char *debug_path; /* as the library tells it, or NULL */
  guint debug_line;
  guint source;            /* in SOURCES, or WEFT_METAL_NO_SOURCE */
  WeftMetalModule *module; /* NULL if there is no bitcode */
} WeftMetalFunction;

typedef struct
{
  guint version[2]; /* of the format */
  guint type;
  guint platform;
  guint os;
  guint os_version[2];
  char *flavour;        /* "macOS 14.4, Metal 3.1, AIR 2.6" */
  char *uuid;           /* hexadecimal, or NULL */
  char *sha256;         /* of the whole file */
  GPtrArray *functions; /* element-type WeftMetalFunction */
  GPtrArray *sources;   /* element-type WeftMetalSource */
  GPtrArray *losses;    /* element-type char*: sentences on what was not read */
} WeftMetalLibrary;

/* The first bytes of such a file. */
gboolean weft_metal_library_recognizes (const guint8 *head, gsize size);

WeftMetalLibrary *weft_metal_library_read (GBytes *file, GError **error);
void weft_metal_library_free (WeftMetalLibrary *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftMetalLibrary, weft_metal_library_free)

/* "kernel", "vertex", …: as the bitcode says, else as the list of functions does. */
const char *weft_metal_function_get_stage (const WeftMetalFunction *self);

/* 0 where nothing tells. */
guint weft_metal_function_get_first_line (const WeftMetalFunction *self);
guint weft_metal_function_get_last_line (const WeftMetalFunction *self);

G_END_DECLS
