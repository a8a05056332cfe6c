/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The process that reads ELF and DWARF. Gives up all that it could do harm with: other users' files
 * and processes, new files, programs and connections, memory and time without end. What is left is
 * reading descriptors that it is given, and answering.
 */
void weft_symbolizer_confine (void);

/* At most this much more CPU time, for what is asked next. */
void weft_symbolizer_limit_time (guint seconds);

/* Answers on SOCKET until the other side closes it. */
void weft_symbolizer_serve (int socket);

G_END_DECLS
