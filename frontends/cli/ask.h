/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Asks an analysis of KIND as ARGV says, and prints the answer. Returns an exit status. */
int command_ask (const char *kind, int argc, char **argv);

/* FILE, or the latest recording if it is NULL. */
WeftRecording *ask_open (const char *file, GError **error);

/* "1.5s", "20ms": nanoseconds. */
gboolean ask_parse_time (const char *text, gint64 *time, GError **error);

/* The times of --from and --to, each NULL if it is not given: then without a bound. */
gboolean ask_parse_range (const char *from, const char *to, gint64 *begin, gint64 *end,
                          GError **error);

G_END_DECLS
