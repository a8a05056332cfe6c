/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file in a directory of its own, and the recording opened of it. */
#pragma once

#include <weft.h>

#include "store-model.h"

typedef struct
{
  char *directory;
  Model *model; /* the writer, until it is closed */
  WeftRecording *recording;
} Rig;

void rig_set_up (Rig *self, gconstpointer data);
void rig_tear_down (Rig *self, gconstpointer data);

/* Opens what was flushed. */
void rig_open (Rig *self);
/* Closes the writer; opens the file if that was not done yet. */
void rig_finish (Rig *self);

/* Begins a row with a text. Not model_string (): blobs take numbers of strings, too. */
void rig_begin_text (Rig *self, WeftTableId table, WeftColumnNumber column, const char *text);
void rig_add_meta (Rig *self, const char *key, const char *text, gint64 number);

/* Iterates the default main context until CONDITION; fails after 20 s. */
#define rig_wait_for(condition)                                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 deadline_ = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;                              \
    while (!(condition))                                                                           \
      {                                                                                            \
        g_assert_cmpint (g_get_monotonic_time (), <, deadline_);                                   \
        if (!g_main_context_iteration (NULL, FALSE))                                               \
          g_usleep (2000);                                                                         \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END
