/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-module.h"

G_BEGIN_DECLS

/* The executable mappings of one process, now. Not thread safe. */
typedef struct _WeftAddressSpace WeftAddressSpace;

enum
{
  WEFT_FRAME_RETURN_ADDRESS = 1 << 0, /* the call is before it: look up offset - 1 */
  WEFT_FRAME_KERNEL = 1 << 1,
};

typedef struct
{
  WeftCodeModule *module; /* NULL: in no known module */
  guint64 offset;         /* link-time virtual address in the module, or the address */
  guint64 address;
  guint flags; /* WEFT_FRAME_… */
} WeftCodeFrame;

typedef void (*WeftMappingFunc) (guint64 address, guint64 length, guint64 file_offset,
                                 WeftCodeModule *module, gpointer data);

WeftAddressSpace *weft_address_space_new (void);

/* For a fork: shares the mappings until one of the two changes. */
WeftAddressSpace *weft_address_space_copy (WeftAddressSpace *self);

void weft_address_space_free (WeftAddressSpace *self);

/* Replaces whatever was mapped there. MODULE may be NULL: code of no known origin. */
void weft_address_space_map (WeftAddressSpace *self, guint64 address, guint64 length,
                             guint64 file_offset, WeftCodeModule *module);

void weft_address_space_unmap (WeftAddressSpace *self, guint64 address, guint64 length);

/* For an exec. */
void weft_address_space_clear (WeftAddressSpace *self);

guint weft_address_space_get_n_mappings (const WeftAddressSpace *self);

/* FALSE if nothing is mapped there; FRAME has the address then, and no module. The flags become 0.
 */
gboolean weft_address_space_locate (WeftAddressSpace *self, guint64 address, WeftCodeFrame *frame);

/* Whether code is mapped there. */
gboolean weft_address_space_contains (WeftAddressSpace *self, guint64 address);

/*
 * Replaces all mappings by those in /proc/PID/maps and tells EACH of them, which may be NULL.
 * FALSE, and nothing changes, if that cannot be read (the process is gone, or is not ours to look
 * at).
 */
gboolean weft_address_space_read (WeftAddressSpace *self, WeftModuleSet *modules, int pid,
                                  WeftMappingFunc each, gpointer data);

/* Likewise from TEXT, as /proc/PID/maps has it. */
void weft_address_space_parse (WeftAddressSpace *self, WeftModuleSet *modules, int pid,
                               const char *text, gsize length, WeftMappingFunc each, gpointer data);

G_END_DECLS
