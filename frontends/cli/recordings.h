/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Where recordings go when nobody says otherwise: $WEFT_RECORDINGS, else the user's data folder. */
char *recordings_folder (void);

/* A name there that does not exist yet, made of PROGRAM and the time. Makes the folder. */
char *recordings_new_path (const char *program, GError **error);

/* Lets "latest" point to PATH, if PATH lies in the folder. */
void recordings_set_latest (const char *path);

/* FILE, or the latest recording where FILE is NULL or "latest". */
char *recordings_resolve (const char *file, GError **error);

G_END_DECLS
