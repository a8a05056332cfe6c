/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-wait-columns.h"

#include <string.h>

static const char *const names[WEFT_N_WAIT_REASONS] = {
  [WEFT_WAIT_REASON_UNKNOWN] = "unknown",
  [WEFT_WAIT_REASON_IDLE] = "idle",
  [WEFT_WAIT_REASON_LOCK] = "lock",
  [WEFT_WAIT_REASON_SEMAPHORE] = "semaphore",
  [WEFT_WAIT_REASON_IPC] = "ipc",
  [WEFT_WAIT_REASON_IO_READ] = "io_read",
  [WEFT_WAIT_REASON_IO_WRITE] = "io_write",
  [WEFT_WAIT_REASON_READINESS] = "readiness",
  [WEFT_WAIT_REASON_SLEEP] = "sleep",
  [WEFT_WAIT_REASON_CONNECT] = "connect",
  [WEFT_WAIT_REASON_PAGE_FAULT] = "page_fault",
  [WEFT_WAIT_REASON_PREEMPTED] = "preempted",
  [WEFT_WAIT_REASON_OTHER] = "other",
};

gboolean
weft_wait_columns_find (const char *name, WeftWaitReason *reason)
{
  g_autofree char *column = g_strdelimit (g_strdup (name), "-", '_');

  for (guint i = 0; i < WEFT_N_WAIT_REASONS; i++)
    if (strcmp (names[i], column) == 0)
      {
        *reason = i;
        return TRUE;
      }
  return FALSE;
}

guint
weft_wait_columns_add (WeftTableBuilder *builder)
{
  guint first = 0;

  for (guint i = 0; i < WEFT_N_WAIT_REASONS; i++)
    {
      guint column = weft_table_builder_add_column (
          builder, &(WeftTableColumn){ names[i], NULL, WEFT_VALUE_DURATION });

      first = i == 0 ? column : first;
    }
  return first;
}
