/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-finding.h"
#include "weft-recording.h"
#include "weft-report.h"

G_BEGIN_DECLS

#define WEFT_TYPE_INQUIRY (weft_inquiry_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftInquiry, weft_inquiry, WEFT, INQUIRY, GObject)

WEFT_API WeftInquiry *weft_inquiry_new (const char *domain, WeftRecording *recording,
                                        GCancellable *cancellable);
WEFT_API WeftRecording *weft_inquiry_get_recording (WeftInquiry *self);

WEFT_API WeftTable *weft_inquiry_ask (WeftInquiry *self, const char *table, const char *filter,
                                      const char *const *groups, const char *const *selects,
                                      const char *order, guint limit);
WEFT_API double weft_inquiry_ask_number (WeftInquiry *self, const char *table, const char *filter,
                                         const char *select);
WEFT_API WeftReport *weft_inquiry_analyze (WeftInquiry *self, const char *kind, const char *filter);

WEFT_API void weft_inquiry_add (WeftInquiry *self, const char *check, const char *question,
                                WeftVerdict verdict, const char *evidence, const char *advice,
                                const char *const *handles);
WEFT_API gboolean weft_inquiry_is_over (WeftInquiry *self);
WEFT_API GListModel *weft_inquiry_end (WeftInquiry *self, GError **error);

#ifndef __GI_SCANNER__
/* weft_inquiry_add () for C: EVIDENCE is a format. */
static inline void G_GNUC_PRINTF (7, 8)
    weft_inquiry_tell (WeftInquiry *self, const char *check, const char *question,
                       WeftVerdict verdict, const char *advice, const char *const *handles,
                       const char *evidence, ...)
{
  char *text;
  va_list arguments;

  va_start (arguments, evidence);
  text = g_strdup_vprintf (evidence, arguments);
  va_end (arguments);
  weft_inquiry_add (self, check, question, verdict, text, advice, handles);
  g_free (text);
}
#endif

G_END_DECLS
