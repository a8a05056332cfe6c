/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-id-set.h"
#include "weft-run.h"

G_BEGIN_DECLS

/* The callchains that have any of FRAMES in them. */
WeftIdSet *weft_stack_set_new (WeftRun *run, const WeftIdSet *frames, GError **error);

G_END_DECLS
