/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * The folder where producers and a recorder meet; see docs/wire-format.md, "Meeting".
 */
typedef struct _WeftRuntimeDirectory WeftRuntimeDirectory;

/* Where producers look when nobody tells them otherwise. */
char *weft_runtime_directory_default_path (void);

/* Makes PATH if needed (its parent must exist), checks its owner and mode, takes its lock and maps
 * its gate. G_IO_ERROR_BUSY, with the other's pid, if another recorder owns it.
 */
WeftRuntimeDirectory *weft_runtime_directory_open (const char *path, GError **error);

/* A new one for this process alone below the default path; removed when freed. */
WeftRuntimeDirectory *weft_runtime_directory_open_private (GError **error);

const char *weft_runtime_directory_get_path (WeftRuntimeDirectory *self);

/* A non-blocking listening socket of TYPE (SOCK_SEQPACKET, …) at NAME; -1 on error. */
int weft_runtime_directory_listen (WeftRuntimeDirectory *self, const char *name, int type,
                                   GError **error);

/* Opens the gate: producers connect. Returns the generation. */
guint32 weft_runtime_directory_announce (WeftRuntimeDirectory *self);
void weft_runtime_directory_withdraw (WeftRuntimeDirectory *self);

void weft_runtime_directory_free (WeftRuntimeDirectory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRuntimeDirectory, weft_runtime_directory_free)

G_END_DECLS
