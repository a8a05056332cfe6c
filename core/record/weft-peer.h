/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-ingest.h"

G_BEGIN_DECLS

/*
 * One producer's runtime as the recorder holds it: its registry and segments, mapped, and what was
 * already taken from them. Reads shared memory that the producer may change at any time, so every
 * value is read once and every byte is copied before it is looked at.
 */
typedef struct _WeftPeer WeftPeer;

/* Takes over REGISTRY_FD and SEGMENT_FD, also on error. */
WeftPeer *weft_peer_new (WeftIngest *ingest, const WeftProcessInfo *info,
                         const WeftWireMessage *hello, int registry_fd, int segment_fd, gint64 now,
                         GError **error);

/* Takes over FD, also on error. */
gboolean weft_peer_add_segment (WeftPeer *self, int fd, GError **error);

/* Takes what is published now, but no more than one peer's share of a turn. Returns the number of
 * bytes taken.
 */
gsize weft_peer_drain (WeftPeer *self);

/* Whether the last drain left something behind. */
gboolean weft_peer_has_more (const WeftPeer *self);

/* Hands over the blocks of threads that are gone. */
void weft_peer_reclaim (WeftPeer *self);

void weft_peer_write_counts (WeftPeer *self, gint64 now);

guint64 weft_peer_get_runtime_id (const WeftPeer *self);
guint weft_peer_get_instance (const WeftPeer *self);
int weft_peer_get_pid (const WeftPeer *self);
guint64 weft_peer_get_process (const WeftPeer *self);

/* Drains a last time, ends the runtime and frees. */
void weft_peer_end (WeftPeer *self, const char *reason);

G_END_DECLS
