/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-model.h"
#include "weft-object.h"
#include "weft-row-orders.h"
#include "weft-store.h"

G_BEGIN_DECLS

/* Makes KLASS that of the rows of TABLE: a property for each of its fields. */
void weft_object_class_set_table (WeftObjectClass *klass, WeftTableId table);

/* The row at PLACE of STORE, which is a view of RECORDING. */
WeftObject *weft_object_new (WeftRecording *recording, WeftStore *store, WeftTableId table,
                             const WeftPlace *place);

/* Fields by their position in the model. The bits of a value: of a STRING its number in the
 * dictionary, of a DOUBLE its IEEE representation. FALSE, and 0, for null and for what cannot be
 * read.
 */
gboolean weft_object_read (WeftObject *self, guint field, guint64 *bits);
guint64 weft_object_read_uint64 (WeftObject *self, guint field);
double weft_object_read_double (WeftObject *self, guint field);
const char *weft_object_read_string (WeftObject *self, guint field);
WeftObject *weft_object_read_reference (WeftObject *self, guint field);
GBytes *weft_object_read_blob (WeftObject *self, guint field, GError **error);

/* The same for any row. */
gboolean weft_row_read_field (WeftStore *store, WeftTableId table, const WeftPlace *place,
                              const WeftField *field, guint64 *bits, GError **error);

G_END_DECLS
