/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-expression.h"

G_BEGIN_DECLS

/* One value for each of some rows: of a tag (the first of its key), or of a counter (all of its
 * name, combined as its producer wants it).
 */
WeftSide *weft_side_new_tag (WeftStore *store, WeftTableId owner, const char *key, GError **error);
WeftSide *weft_side_new_counter (WeftStore *store, WeftTableId owner, const char *name,
                                 GError **error);
void weft_side_free (WeftSide *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSide, weft_side_free)

WeftValueType weft_side_get_type (const WeftSide *self);
const char *weft_side_get_unit (const WeftSide *self);
const char *weft_side_get_text (const WeftSide *self, guint64 number);

/* Replaces the ids in VECTOR by the values of their rows. */
void weft_side_resolve (const WeftSide *self, WeftVector *vector, guint n);

G_END_DECLS
