/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-enums.h"

G_BEGIN_DECLS

/* A figure within a sentence: “12.5 ms”, “64 MiB”, “90000 cycles”; to be freed. */
char *weft_figure_text (double value, WeftUnit unit, const char *unit_name);

G_END_DECLS
