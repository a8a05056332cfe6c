/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-store.h"

G_BEGIN_DECLS

/* Where recordings go when nobody says otherwise: $WEFT_RECORDINGS, else the user's data folder. */
char *recordings_folder (void);

/* A name there that does not exist yet, made of PROGRAM and the time. Makes the folder. */
char *recordings_new_path (const char *program, GError **error);

/* Lets "latest" point to PATH, if PATH lies in the folder. */
void recordings_set_latest (const char *path);

/* FILE, or the latest recording where FILE is NULL or "latest". */
char *recordings_resolve (const char *file, GError **error);

/* In one word. */
const char *recordings_state_name (WeftStoreState state);

G_END_DECLS
