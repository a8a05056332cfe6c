/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-symbol-names.h"

G_BEGIN_DECLS

/*
 * /tmp/perf-PID.map, in which programs that make code say what it is: a line each, "START SIZE
 * name", hexadecimal. It grows, and is read from where reading stopped.
 */
typedef struct _WeftJitMap WeftJitMap;

/* The one of process PID, as that sees its files and its own number. It has to belong to the
 * process's user or to root, and to be a plain file. NULL if there is none (yet); then REASON is
 * set if there is one that is not trusted.
 */
WeftJitMap *weft_jit_map_open (int pid, char **reason);

/* Takes DESCRIPTOR. */
WeftJitMap *weft_jit_map_new (int descriptor);
void weft_jit_map_free (WeftJitMap *self);

/* Reads what is new. Lines that make no sense are passed over and counted. */
void weft_jit_map_read (WeftJitMap *self, WeftSymbolNames *names);
guint64 weft_jit_map_get_n_refused (WeftJitMap *self);

/* A process's number as itself sees it; PID where that cannot be read. */
int weft_jit_namespace_pid (int pid);

G_END_DECLS
