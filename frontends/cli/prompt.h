/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Lines from a person, with editing and history where the library for it is there. */

/* What words can be completed to; they outlive the prompt. */
void prompt_begin (const char *const *words);

/* A line without its end; NULL at the end of the input. */
char *prompt_read (const char *prompt);

/* What can be called back later. */
void prompt_remember (const char *text);

G_END_DECLS
