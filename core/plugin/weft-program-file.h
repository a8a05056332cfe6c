/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Why no library of ours can be loaded into PROGRAM (a path, or a name that is looked for in PATH)
 * as it starts: a sentence. NULL if one can, or if nothing is known against it. Of a script its
 * interpreter is looked at.
 */
char *weft_program_file_refusal (const char *program);

G_END_DECLS
