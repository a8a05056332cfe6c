/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-stack-set.h"

#include "weft-chunk-reader.h"

#define PLACE(name) (WEFT_CALLCHAINS_##name - WEFT_COLUMN_BASE_CALLCHAINS - 1)

/* Callers have smaller ids than what they call, so what they hold is decided when they are asked.
 */
static gboolean
take_chunk (WeftRun *run, guint chunk, const WeftIdSet *frames, WeftIdSet *callchains,
            GError **error)
{
  g_auto (WeftChunkReader) reader = { 0 };

  if (!weft_chunk_reader_open (&reader, run->store, WEFT_TABLE_CALLCHAINS, chunk,
                               1u << PLACE (PARENT) | 1u << PLACE (FRAME), error))
    return FALSE;
  for (guint i = 0; i < reader.info.n_rows; i++)
    if (weft_id_set_has (frames, weft_store_column_get (&reader.columns[PLACE (FRAME)], i)) ||
        weft_id_set_has (callchains, weft_store_column_get (&reader.columns[PLACE (PARENT)], i)))
      weft_id_set_add (callchains, reader.info.first_row + i);
  return TRUE;
}

WeftIdSet *
weft_stack_set_new (WeftRun *run, const WeftIdSet *frames, GError **error)
{
  g_autoptr (WeftIdSet) callchains = weft_id_set_new (run->store, WEFT_TABLE_CALLCHAINS, error);

  if (callchains == NULL)
    return NULL;
  for (guint i = 0; i < weft_store_get_n_chunks (run->store, WEFT_TABLE_CALLCHAINS); i++)
    if (!weft_run_check (run, error) || !take_chunk (run, i, frames, callchains, error))
      return NULL;
  return g_steal_pointer (&callchains);
}
