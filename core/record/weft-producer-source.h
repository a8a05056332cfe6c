/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-ingest.h"
#include "weft-runtime-directory.h"

G_BEGIN_DECLS

/*
 * Where producers arrive: listens, checks who they are, holds their memory and drains it, from
 * the first hello to the death of the process. Lives on the thread of its main context.
 */
typedef struct _WeftProducerSource WeftProducerSource;

/* Producers of OWN_UID (and of no one else, unless ANY_UID) are let in. */
WeftProducerSource *weft_producer_source_new (WeftIngest *ingest, WeftRuntimeDirectory *directory,
                                          GMainContext *context, guint own_uid, gboolean any_uid,
                                          GError **error);

/* Called by itself every few milliseconds; call it to have everything at once. */
void weft_producer_source_drain (WeftProducerSource *self);

/* Once a second or so: counters, and the blocks of threads that are gone. */
void weft_producer_source_housekeep (WeftProducerSource *self, gint64 now);

/* Connections that were refused since the start. */
guint64 weft_producer_source_get_refused (WeftProducerSource *self);

/* Drains a last time and lets go of everybody. */
void weft_producer_source_free (WeftProducerSource *self);

G_END_DECLS
