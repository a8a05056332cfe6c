/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Exit statuses, as docs/cli.md lists them. */
#define EXIT_OK 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_RECORDING 125
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

/* Each takes the arguments from its own name on, and returns an exit status. */
int command_record (int argc, char **argv);
int command_status (int argc, char **argv);
int command_wait (int argc, char **argv);
int command_stop (int argc, char **argv);
int command_list (int argc, char **argv);
int command_compare (int argc, char **argv);
int command_repair (int argc, char **argv);
int command_import (int argc, char **argv);
int command_export (int argc, char **argv);
int command_sql (int argc, char **argv);
int command_plugins (int argc, char **argv);
int command_plugins_install (int argc, char **argv);
int command_plugins_remove (int argc, char **argv);
int command_check (int argc, char **argv);
int command_completion (int argc, char **argv);

/* Parses ARGV by ENTRIES; what is left stands in ARGC, ARGV. FALSE after telling what is wrong,
 * with the exit status in STATUS.
 */
gboolean parse_options (const char *summary, const char *parameters, const GOptionEntry *entries,
                        int *argc, char ***argv, int *status);

/* The names of all commands, and the kind of analysis that one asks, or NULL. */
void list_commands (GStrvBuilder *names);
const char *find_kind_of_command (const char *name);

/* "weft: …" on standard error. Returns EXIT_FAILED. */
int complain (const char *format, ...) G_GNUC_PRINTF (1, 2);

G_END_DECLS
