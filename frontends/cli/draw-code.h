/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* A function by its lines, its instructions, or both. */
void draw_code (WeftReport *report);

G_END_DECLS
