/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-store-writer.h"
#include "weft-store.h"

G_BEGIN_DECLS

/*
 * Appends the rows of a table of FROM to those of TO, with what is derived of them, in the order of
 * their ids, so that in an empty table they keep these. Strings and contents get numbers of TO.
 *
 * FALSE with an error of the store where FROM is damaged; with G_IO_ERROR_NOT_SUPPORTED where rows
 * are missing between others, as in recordings of which only the end was kept.
 */
gboolean weft_recording_copy_table (WeftStore *from, WeftStoreWriter *to, WeftTableId table,
                                    GError **error);

G_END_DECLS
