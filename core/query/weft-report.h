/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-table.h"

G_BEGIN_DECLS

#define WEFT_TYPE_REPORT (weft_report_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftReport, weft_report, WEFT, REPORT, GObject)

WEFT_API WeftReport *weft_report_new (const char *name, gboolean single);
WEFT_API void weft_report_append (WeftReport *self, WeftTable *table);
WEFT_API const char *weft_report_get_name (WeftReport *self);
WEFT_API gboolean weft_report_is_single (WeftReport *self);
WEFT_API WeftTable *weft_report_get_table (WeftReport *self, const char *name);
WEFT_API WeftTable *weft_report_get_main_table (WeftReport *self);
WEFT_API gboolean weft_report_write_json (WeftReport *self, GOutputStream *stream,
                                          GCancellable *cancellable, GError **error);
WEFT_API char *weft_report_to_json (WeftReport *self);

G_END_DECLS
