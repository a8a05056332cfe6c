/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables with every type of value, and everything that is awkward about each. */
#pragma once

#include "weft-table.h"

G_BEGIN_DECLS

#define SAMPLE_LONG_ROWS 150001
#define SAMPLE_UNKNOWN_STATUS 77

/* NULL-terminated. */
extern const char *const sample_names[];

WeftTable *sample_table_new (const char *name);

G_END_DECLS
