/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-progress.h"
#include "weft-version.h"

G_BEGIN_DECLS

/**
 * WeftImportSummary:
 * @dispatches: dispatches in the recording
 * @rejected: records that were refused because they were not sound
 * @lost: records that the producers could not keep
 * @lanes: lanes in the recording
 *
 * What an import brought.
 *
 * Since: 0.1
 */
typedef struct
{
  guint64 dispatches;
  guint64 rejected;
  guint64 lost;
  guint lanes;
} WeftImportSummary;

#define WEFT_TYPE_IMPORT_SUMMARY (weft_import_summary_get_type ())
WEFT_API GType weft_import_summary_get_type (void);
WEFT_API WeftImportSummary *weft_import_summary_copy (const WeftImportSummary *self);
WEFT_API void weft_import_summary_free (WeftImportSummary *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftImportSummary, weft_import_summary_free)

WEFT_API WeftImportSummary *weft_import_spool (const char *const *paths, const char *output,
                                               WeftProgress *progress, GCancellable *cancellable,
                                               GError **error);
WEFT_API void weft_import_spool_async (const char *const *paths, const char *output,
                                       WeftProgress *progress, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
WEFT_API WeftImportSummary *weft_import_spool_finish (GAsyncResult *result, GError **error);

/**
 * WeftRepairSummary:
 * @chunks: chunks of the file
 * @rows: rows that were saved
 * @damaged_chunks: chunks that could not be saved
 * @unknown_chunks: chunks of a later version, saved as they are
 * @missing_bytes: bytes that belong to no chunk
 *
 * What a repair saved, and what not.
 *
 * Since: 0.1
 */
typedef struct
{
  guint64 chunks;
  guint64 rows;
  guint64 damaged_chunks;
  guint64 unknown_chunks;
  guint64 missing_bytes;
} WeftRepairSummary;

#define WEFT_TYPE_REPAIR_SUMMARY (weft_repair_summary_get_type ())
WEFT_API GType weft_repair_summary_get_type (void);
WEFT_API WeftRepairSummary *weft_repair_summary_copy (const WeftRepairSummary *self);
WEFT_API void weft_repair_summary_free (WeftRepairSummary *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRepairSummary, weft_repair_summary_free)

WEFT_API WeftRepairSummary *weft_repair (const char *path, const char *output,
                                         WeftProgress *progress, GCancellable *cancellable,
                                         GError **error);
WEFT_API void weft_repair_async (const char *path, const char *output, WeftProgress *progress,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
WEFT_API WeftRepairSummary *weft_repair_finish (GAsyncResult *result, GError **error);

G_END_DECLS
