/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The name that the source has for LINKAGE_NAME, of C++ (Itanium), Rust (legacy and v0) or D; NULL
 * if it is none of theirs. Hashes of Rust's names are left out. Suffixes of compilers (.cold,
 * .constprop.0, .llvm.123) stay, in brackets for C++, as they are for C.
 */
char *weft_demangle (const char *linkage_name);

G_END_DECLS
