/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * A program that was launched, and held before its first instruction until somebody lets it go: so
 * that what is to watch it is in place from the start.
 *
 * It gets the descriptors 0, 1 and 2, and its signals as if it had been started by itself. Any
 * thread may call any of this.
 */
typedef struct _WeftProgram WeftProgram;

/* Makes a process for the program, with ARGV[0] searched for in PATH. ENVIRONMENT and DIRECTORY may
 * be NULL: those of this process. Errors are of the domain G_SPAWN_ERROR.
 */
WeftProgram *weft_program_new (const char *const *argv, const char *const *environment,
                               const char *directory, GError **error);
WeftProgram *weft_program_ref (WeftProgram *self);

/* One that was not let go never runs; one that runs goes on. */
void weft_program_unref (WeftProgram *self);

/* Lets it go. Errors are of the domain G_SPAWN_ERROR: there is none of this name (NOENT), it cannot
 * be run (ACCES, NOEXEC, …), there is no such folder (CHDIR).
 */
gboolean weft_program_release (WeftProgram *self, GError **error);

int weft_program_get_pid (WeftProgram *self);

/* The file that is going to be run; NULL: there is none. */
const char *weft_program_get_path (WeftProgram *self);

/* Readable once it has ended. */
int weft_program_get_descriptor (WeftProgram *self);

gboolean weft_program_is_running (WeftProgram *self);

/* As a shell tells it: 128 + signal where a signal ended it; -1: it runs. */
int weft_program_get_exit_status (WeftProgram *self);

/* To the program, if it still runs. */
void weft_program_send_signal (WeftProgram *self, int signal_number);

/* Somebody else was told how it ended, as a tracer is: a status of wait (). */
void weft_program_tell_ended (WeftProgram *self, int wait_status);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftProgram, weft_program_unref)

G_END_DECLS
