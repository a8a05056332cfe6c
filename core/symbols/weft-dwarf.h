/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <elfutils/libdw.h>
#include <glib.h>

G_BEGIN_DECLS

/*
 * Debugging information by address. The units are found by their own ranges (compilers leave
 * .debug_aranges out); a unit's functions, inlined calls and lines are indexed once it is asked
 * for.
 */
typedef struct _WeftDwarf WeftDwarf;
typedef struct _WeftDwarfUnit WeftDwarfUnit;

typedef struct
{
  guint64 low;
  guint64 high; /* behind it */
  guint32 node; /* in the unit's nodes */
} WeftDwarfRange;

/* A function or an inlined call. */
typedef struct
{
  Dwarf_Off die;
  guint32 parent;      /* node whose code it was inlined into; of a function itself */
  guint32 depth;       /* 0: a function */
  guint32 first_range; /* functions: of inlined calls in it, in the unit's inlined_ranges */
  guint32 end_range;
} WeftDwarfNode;

typedef struct
{
  guint64 address;
  const char *file; /* or NULL */
  guint32 line;
  gboolean ends; /* no code behind it */
} WeftDwarfLine;

struct _WeftDwarfUnit
{
  Dwarf_Die die;
  GHashTable *paths; /* of all units: see weft_dwarf_get_path () */
  gboolean is_indexed;
  gboolean is_split;      /* its functions are in a .dwo file */
  GArray *nodes;          /* WeftDwarfNode */
  GArray *functions;      /* WeftDwarfRange, by address */
  GArray *inlined_ranges; /* WeftDwarfRange, outer ones before those in them */
  GArray *lines;          /* WeftDwarfLine, by address */
};

/* ELF and ALTERNATE (or NULL) outlive it. NULL if there is no debugging information in it. */
WeftDwarf *weft_dwarf_new (Elf *elf, Elf *alternate);
void weft_dwarf_free (WeftDwarf *self);

gboolean weft_dwarf_has_split_units (WeftDwarf *self);

/* The unit, indexed, that has ADDRESS; or NULL. */
WeftDwarfUnit *weft_dwarf_find_unit (WeftDwarf *self, guint64 address);

/* The innermost function's range that has ADDRESS; or NULL. */
const WeftDwarfRange *weft_dwarf_unit_find_function (WeftDwarfUnit *self, guint64 address);

/* The position in LINES of the row that holds at ADDRESS; -1: none does. */
gssize weft_dwarf_unit_find_line (WeftDwarfUnit *self, guint64 address);

/* What is said of a function, or of the function that a call inlines. Texts belong to the file. */
typedef struct
{
  const char *name;         /* DW_AT_name, or NULL */
  const char *linkage_name; /* or NULL */
  const char *file;         /* of its declaration, or NULL */
  guint32 line;
} WeftDwarfFunction;

gboolean weft_dwarf_describe (WeftDwarf *self, Dwarf_Off die, WeftDwarfFunction *function);

/* Where a call was that is inlined. */
void weft_dwarf_get_call (WeftDwarf *self, WeftDwarfUnit *unit, Dwarf_Off die, const char **file,
                          guint32 *line);

/* FILE as it is found from the unit's directory. PATHS: file, by where it lies → path. */
const char *weft_dwarf_get_path (GHashTable *paths, Dwarf_Die *unit, const char *file);

/* Of weft-dwarf-unit.c. */
void weft_dwarf_unit_index (WeftDwarfUnit *self);
void weft_dwarf_unit_clear (WeftDwarfUnit *self);

G_END_DECLS
