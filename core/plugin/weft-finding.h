/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include "weft-enums.h"
#include "weft-version.h"

G_BEGIN_DECLS

#define WEFT_TYPE_FINDING (weft_finding_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftFinding, weft_finding, WEFT, FINDING, GObject)

WEFT_API WeftFinding *weft_finding_new (const char *check, const char *question,
                                        WeftVerdict verdict, const char *evidence,
                                        const char *advice, const char *const *handles);
WEFT_API const char *weft_finding_get_check (WeftFinding *self);
WEFT_API const char *weft_finding_get_question (WeftFinding *self);
WEFT_API WeftVerdict weft_finding_get_verdict (WeftFinding *self);
WEFT_API const char *weft_finding_get_evidence (WeftFinding *self);
WEFT_API const char *weft_finding_get_advice (WeftFinding *self);
WEFT_API const char *const *weft_finding_get_handles (WeftFinding *self);

G_END_DECLS
