/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-record-engine.h"
#include "weft-runtime-directory.h"

G_BEGIN_DECLS

/*
 * The control socket of a recorder: one line of JSON asks, one line answers.
 *
 *   { "command": "status" }   { "schema": "weft.status/1", "value": { … } }
 *   { "command": "stop" }     { "schema": "weft.stop/1", "value": { … } }
 *   anything else             { "schema": "weft.error/1", "value": { "message": … } }
 */
#define WEFT_CONTROL_NAME "control.sock"

typedef struct _WeftControl WeftControl;

typedef void (*WeftControlStatus) (WeftEngineStatus *status, gpointer data);
typedef void (*WeftControlStop) (gpointer data);

WeftControl *weft_control_new (WeftRuntimeDirectory *directory, GMainContext *context,
                               const char *output, const char *command_line,
                               WeftControlStatus status, WeftControlStop stop, gpointer data,
                               GError **error);
void weft_control_free (WeftControl *self);

/* The other side. DIRECTORY is a runtime directory; ANSWER is the line, to be parsed. */
char *weft_control_ask (const char *directory, const char *command, GError **error);

/* Runtime directories in which a recorder answers now: the shared one and those of single
 * recordings; NULL-terminated. NULL if the shared one cannot be read.
 */
char **weft_control_find (GError **error);

G_END_DECLS
