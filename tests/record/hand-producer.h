/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-wire.h"

/* A producer made by hand, which may lie where the library would not. Its clock is CLOCK_MONOTONIC
 * unless said otherwise. One writer, one block at a time.
 */
typedef struct
{
  int socket;
  int registry_fd;
  int segment_fd;
  WeftWireRegistry *registry;
  guint8 *log;
  WeftWireSegment *segment;
  WeftWireBlock *blocks;
  guint8 *data;
  guint block;
  guint32 cursor; /* of the block */
  guint64 records;
  WeftWireMessage hello; /* what hand_connect () will send */
} Hand;

guint64 hand_now (void); /* CLOCK_MONOTONIC ns */
int hand_memfd (gsize size, guint seals);

Hand *hand_new (void);
/* By FD_1 and FD_2, or nothing of them where they are -1. -1 if nobody listens. */
int hand_dial (const char *runtime);
gboolean hand_send (int fd, gconstpointer message, gsize length, int fd_1, int fd_2);
gboolean hand_connect (Hand *hand, const char *runtime);
/* Whether the recorder closes the connection within two seconds. */
gboolean hand_is_refused (int socket);
void hand_free (Hand *hand);

/* Entries: FIXED is a whole entry struct, its head filled in here. Strings end with NULL. */
void hand_entry (Hand *hand, guint type, gpointer fixed, gsize size, ...) G_GNUC_NULL_TERMINATED;
void hand_lane (Hand *hand, guint id, const char *name, guint clock);
void hand_routine (Hand *hand, guint id, const char *name);
void hand_clock (Hand *hand, guint id);
void hand_writer (Hand *hand, guint id, int tid);

/* One record with what belongs to it, committed at once. */
void hand_commit (Hand *hand, gconstpointer data, gsize length);
void hand_full (Hand *hand); /* hands the block over */
void hand_span (Hand *hand, guint lane, guint routine, guint64 start, guint64 end);
