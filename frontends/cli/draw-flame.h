/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* A flame graph as a tree of lines with bars, as far as it fits people. */
void draw_flame (WeftReport *report);

G_END_DECLS
