/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-catalog.h"
#include "weft-frame-names.h"

G_BEGIN_DECLS

/*
 * Which functions of a process are the code of which routines, as the process told by tags of its
 * routines (WEFT_TARGET_TAG_CODE): work that runs on CPUs of the process that hands it over, so
 * that samples fall into it. Nothing is concluded from names that nobody told.
 */
typedef struct _WeftRoutineCode WeftRoutineCode;

WeftRoutineCode *weft_routine_code_new (const WeftAnalysisScope *scope, WeftCatalog *catalog,
                                        GError **error);
void weft_routine_code_free (WeftRoutineCode *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRoutineCode, weft_routine_code_free)

/* Routines that told of any code. */
guint weft_routine_code_get_n_routines (const WeftRoutineCode *self);

/* The number of a function's name among those that were told of, from 1, or 0; NAME and LINKAGE
 * may be NULL.
 */
guint32 weft_routine_code_find_name (const WeftRoutineCode *self, const char *name,
                                     const char *linkage);

/* The routines of PROCESS (0: of any) that NAME, a number, is the code of; element type guint32.
 * NULL for none.
 */
const GArray *weft_routine_code_get_routines (const WeftRoutineCode *self, guint32 process,
                                              guint32 name);

/* Of each node of CALLCHAINS, from 0: the innermost function that was told of, or 0. To be freed.
 */
guint32 *weft_routine_code_mark_nodes (const WeftRoutineCode *self, const WeftAnalysisScope *scope,
                                       const WeftCallchainReader *callchains,
                                       const WeftFrameNames *names, GError **error);

G_END_DECLS
