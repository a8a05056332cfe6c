/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-address-space.h"

G_BEGIN_DECLS

/*
 * What a thread asked of the C library (or of GLib) when it began to wait, by the function of
 * theirs that it is in. Only what these libraries export is looked for: their dynamic symbols are
 * there in every build of theirs, and mean the same in every program.
 */
typedef enum
{
  WEFT_WAIT_PRIMITIVE_UNKNOWN,
  WEFT_WAIT_PRIMITIVE_RAW,     /* a system call by number, for reasons of the caller's */
  WEFT_WAIT_PRIMITIVE_LIBRARY, /* the library itself, in a function that it does not export */
  WEFT_WAIT_PRIMITIVE_MUTEX,
  WEFT_WAIT_PRIMITIVE_RWLOCK,
  WEFT_WAIT_PRIMITIVE_CONDITION,
  WEFT_WAIT_PRIMITIVE_SEMAPHORE,
  WEFT_WAIT_PRIMITIVE_BARRIER,
  WEFT_WAIT_PRIMITIVE_JOIN,
  WEFT_WAIT_PRIMITIVE_ONCE,
} WeftWaitPrimitive;

typedef struct _WeftWaitPrimitives WeftWaitPrimitives;

WeftWaitPrimitives *weft_wait_primitives_new (void);
void weft_wait_primitives_free (WeftWaitPrimitives *self);

/* FRAMES innermost first. */
WeftWaitPrimitive weft_wait_primitives_find (WeftWaitPrimitives *self, const WeftCodeFrame *frames,
                                             guint n_frames);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftWaitPrimitives, weft_wait_primitives_free)

G_END_DECLS
