/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-ingest.h"

G_BEGIN_DECLS

/*
 * Who gave what to whom, as a program's own calls tell. Kept for a short while, as waits and
 * hand-overs come by different ways; bounded.
 */
typedef struct _WeftWaitHandovers WeftWaitHandovers;

WeftWaitHandovers *weft_wait_handovers_new (void);
void weft_wait_handovers_free (WeftWaitHandovers *self);

void weft_wait_handovers_add (WeftWaitHandovers *self, const WeftIngestHandover *handover);

/* Lets go of what is older. */
void weft_wait_handovers_forget (WeftWaitHandovers *self, gint64 before);

typedef struct
{
  guint64 process; /* rows */
  guint64 thread;
  guint64 object; /* 0: not known */
  gint64 start;
  gint64 stop;
} WeftWaitQuestion;

typedef struct
{
  guint64 waker; /* row of a thread; 0: nobody, the time was over */
  guint64 object;
  gint64 time;
} WeftWaitAnswer;

/* Who last gave away, while it waited, what the thread waited for. FALSE: nobody is known to. */
gboolean weft_wait_handovers_find (WeftWaitHandovers *self, const WeftWaitQuestion *question,
                                   WeftWaitAnswer *answer);

G_END_DECLS
