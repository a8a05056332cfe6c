/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "routine:NAME=2x": what if the routines of this name took half as long? */
typedef struct
{
  char *name;            /* as it stands there: a name, a glob, or a handle */
  GPatternSpec *pattern; /* of a glob, else NULL */
  guint64 routine;       /* of a handle, else 0 */
  double factor;
} WeftPathWhatIf;

/* NULL with WEFT_ERROR_INVALID_QUERY where TEXT is none. */
WeftPathWhatIf *weft_path_what_if_new (const char *text, GError **error);
void weft_path_what_if_free (WeftPathWhatIf *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPathWhatIf, weft_path_what_if_free)

gboolean weft_path_what_if_matches (const WeftPathWhatIf *self, guint64 routine, const char *name);

G_END_DECLS
