/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * What the bitcode of a Metal function tells about it: AIR, which is LLVM's, with metadata of
 * Metal's own (`air.kernel`, `air.buffer`, …). Only that is read: no code, no types.
 */

typedef enum
{
  WEFT_METAL_ACCESS_UNKNOWN,
  WEFT_METAL_ACCESS_READ,
  WEFT_METAL_ACCESS_WRITE,
  WEFT_METAL_ACCESS_READ_WRITE,
} WeftMetalAccess;

#define WEFT_METAL_NO_NUMBER (-1)

/* A parameter of a function. Texts are NULL, and numbers WEFT_METAL_NO_NUMBER, where nothing is
 * told. */
typedef struct
{
  guint position;
  char *name;
  char *kind; /* "buffer", "texture", "sampler", "thread_position_in_grid", … */
  char *type; /* as written in Metal: "float", "texture2d<half, sample>" */
  WeftMetalAccess access;
  gint64 slot;
  gint64 n_slots;
  gint64 size; /* bytes of its type: of an element where it is a pointer */
  gint64 alignment;
  gint64 buffer_size;   /* bytes the whole buffer has, of references */
  gint64 address_space; /* 1 device, 2 constant, 3 threadgroup */
  gboolean is_unused;
} WeftMetalArgument;

/* What a module tells of itself and of one function that it has. */
typedef struct
{
  char *triple;   /* "air64-apple-macosx14.4.0" */
  char *language; /* "Metal" */
  guint language_version[3];
  guint air_version[3];
  char *compiler;
  char **options; /* "air.compile.fast_math_enable" */

  gboolean found;       /* whether there is a function of that name */
  char *stage;          /* "kernel", "vertex", "fragment", …; NULL where no metadata tell */
  char *path;           /* source file, or NULL */
  guint first_line;     /* 0 unknown */
  guint last_line;      /* the last one that code came of */
  GPtrArray *arguments; /* element-type WeftMetalArgument */
} WeftMetalModule;

/* NULL with G_IO_ERROR_INVALID_DATA if DATA is no bitcode, or damaged. */
WeftMetalModule *weft_metal_module_read (const guint8 *data, gsize size, const char *function,
                                         GError **error);
void weft_metal_module_free (WeftMetalModule *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftMetalModule, weft_metal_module_free)

G_END_DECLS
