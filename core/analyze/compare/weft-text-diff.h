/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How AFTER differs from BEFORE, line by line, in the unified form with three lines around each
 * change; to be freed. NULL where they have nothing to do with each other, or are too long to tell.
 */
char *weft_text_diff (const char *before, const char *after);

G_END_DECLS
