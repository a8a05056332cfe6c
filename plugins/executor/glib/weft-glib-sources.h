/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the tables of sources and what is told of their dispatches. */
#pragma once

#include "weft-glib.h"

/* The functions that the program made SOURCE with, and a word for what kind of source it is. */
const GlibSourceFuncs *weft_glib_original (const GlibSource *source, const char **kind);

/* Dispatches by ORIGINAL, and tells of it. */
int weft_glib_dispatch (void *source, GlibCallback callback, void *data,
                        const GlibSourceFuncs *original, const char *kind);

void weft_glib_source_gone (void *source);

/* What is known of SOURCE; nothing if it was attached while nobody listened. */
GlibFacts weft_glib_source_facts (void *source);
/* It was dispatched from BEGIN to NOW. */
void weft_glib_source_dispatched (void *source, uint64_t begin, uint64_t now);
/* Its task was told of: it is no longer the source's. */
void weft_glib_source_forget_task (void *source);

/* The routine of what CALLBACK of a source of this NAME (or NULL) does. */
WeftTargetRoutine *weft_glib_routine (const char *name, const char *kind, GlibCallback callback);
