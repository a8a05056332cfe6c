/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include "weft-table.h"
#include "weft-version.h"

G_BEGIN_DECLS

#define WEFT_TYPE_SUBJECTS (weft_subjects_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftSubjects, weft_subjects, WEFT, SUBJECTS, GObject)

WEFT_API WeftSubjects *weft_subjects_new (void);
WEFT_API void weft_subjects_add (WeftSubjects *self, const char *prefix, guint64 id,
                                 const char *name);
WEFT_API void weft_subjects_add_rows (WeftSubjects *self, WeftTable *table, guint column,
                                      int name_column);
WEFT_API guint64 weft_subjects_get_count (WeftSubjects *self);
WEFT_API const char *weft_subjects_get_names (WeftSubjects *self);
WEFT_API const char *const *weft_subjects_get_handles (WeftSubjects *self);

WEFT_API char *weft_format_count (guint64 count, const char *one, const char *many);

G_END_DECLS
