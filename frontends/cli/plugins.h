/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* All plugins, loaded. */
WeftPluginRegistry *plugins_load (void);

G_END_DECLS
