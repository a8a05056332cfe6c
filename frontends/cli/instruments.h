/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Instruments that make a program report, chosen for a recording. */
typedef struct
{
  GPtrArray *instruments; /* element-type WeftInstrument */
  WeftLaunch *launch;
} Instruments;

void instruments_clear (Instruments *self);

/* NAMES: "one,other", or "auto" for all that can make PROGRAM report. Fails with a G_OPTION_ERROR
 * if there is none of a name.
 */
gboolean instruments_choose (Instruments *self, const char *names, char **program, GError **error);

/* Makes RECORDER launch the program as the instruments want it; their notes are told. */
gboolean instruments_prepare (Instruments *self, WeftRecorder *recorder, GError **error);

/* The names of the domains that they bring. */
GStrv instruments_list_domains (Instruments *self);

/* The program has ended. EXIT_STATUS: as a shell tells it, -1 if nobody knows. */
void instruments_finish (Instruments *self, int exit_status);

G_END_DECLS
