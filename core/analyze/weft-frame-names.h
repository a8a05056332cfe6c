/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-callchain-reader.h"

G_BEGIN_DECLS

/* What frames are called: functions, and what can be counted instead of them. Texts live as long as
 * the names; those of rows belong to the store.
 *
 * Frames come before their symbols, so of a live recording some have no names yet: these are called
 * by their module and address.
 */
typedef enum
{
  WEFT_FRAME_GROUP_FUNCTION,
  WEFT_FRAME_GROUP_LINE,
  WEFT_FRAME_GROUP_FILE,
  WEFT_FRAME_GROUP_MODULE,
} WeftFrameGroup;

typedef struct
{
  WeftFrameGroup group;
  gboolean inlines;            /* functions inlined at a place count as called by the one around */
  const char *const *excluded; /* as WeftNamePatterns; or NULL. Their time is their callers' */
} WeftFrameNamesOptions;

/* Options of a scope. */
#define WEFT_FRAME_NAMES_OPTIONS(scope, grouping)                                                  \
  {                                                                                                \
    grouping, (scope)->inlines, (scope)->excluded                                                  \
  }

/* One name: a function, or whatever the group is. Equal functions are one, wherever in them a frame
 * is. What frames of no names are called differs by their address.
 */
typedef struct
{
  const char *name;   /* "main", "module+0x1a2f", "file.c:12", …; never NULL */
  const char *module; /* NULL: in no known module */
  const char *file;   /* of a function: that declares it; or NULL */
  guint32 line;       /* 0: not known */
  guint32 module_id;  /* 0 likewise */
  guint32 symbol;     /* id of the function, of one of its rows if it has several; 0: no name */
  WeftModuleKind kind;
  gboolean is_kernel;
} WeftFrameName;

/* Where in a function a frame is. */
typedef struct
{
  guint32 name;     /* number of a WeftFrameName, from 1 */
  guint32 line;     /* executed there, or of the call that was inlined; 0: not known */
  const char *file; /* or NULL */
} WeftFramePlace;

typedef struct _WeftFrameNames WeftFrameNames;

WeftFrameNames *weft_frame_names_new (const WeftAnalysisScope *scope,
                                      const WeftCallchainReader *callchains,
                                      const WeftFrameNamesOptions *options, GError **error);
void weft_frame_names_free (WeftFrameNames *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFrameNames, weft_frame_names_free)

/* Numbers are from 1 to the number of names. Name 1 is that of samples and waits without a stack.
 */
#define WEFT_FRAME_NAME_NO_STACK 1
guint32 weft_frame_names_get_n_names (const WeftFrameNames *self);
const WeftFrameName *weft_frame_names_get (const WeftFrameNames *self, guint32 name);

/* The functions that FRAME is in: the one whose code it is first, then those inlined there,
 * inwards. None where they all are excluded; several only with inlines.
 */
guint weft_frame_names_get_places (const WeftFrameNames *self, guint32 frame,
                                   const WeftFramePlace **places);

/* Whether a name is known for FRAME at all. */
gboolean weft_frame_names_is_resolved (const WeftFrameNames *self, guint32 frame);

/* The same for people: "do_syscall_64 [k]"; to be freed. */
char *weft_frame_name_to_text (const WeftFrameName *name);

/* A stack in one line, "read ← work ← main", the innermost first, so that what is cut is the outer
 * part: at most MAX functions; to be freed. NULL for no stack.
 */
char *weft_frame_names_describe_stack (const WeftFrameNames *self,
                                       const WeftCallchainReader *callchains, guint32 node,
                                       guint max);
/* The innermost node of NODE's stack that is outside the kernel; NODE itself where all is within. */
guint32 weft_frame_names_leave_kernel (const WeftFrameNames *self,
                                       const WeftCallchainReader *callchains, guint32 node);

G_END_DECLS
