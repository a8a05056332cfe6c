/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Words for OpenMP: teams, regions, tasks, chunks. */
void weft_openmp_add_words (WeftVocabulary *words);

G_END_DECLS
