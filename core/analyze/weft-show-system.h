/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-answer.h"
#include "weft-catalog.h"

G_BEGIN_DECLS

/* Adds what the recorder measured of the machine and of each recorded process: a row for each
 * metric on a lane of the core.
 */
gboolean weft_show_add_system (const WeftAnalysisScope *scope, WeftCatalog *catalog,
                               WeftReport *report, GError **error);

G_END_DECLS
