/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Turns spans on in programs that report by weft-executor.h, where they are opt-in. */
#define WEFT_EXECUTOR_TYPE_INSTRUMENT (weft_executor_instrument_get_type ())
G_DECLARE_FINAL_TYPE (WeftExecutorInstrument, weft_executor_instrument, WEFT_EXECUTOR, INSTRUMENT,
                      GObject)

WeftInstrument *weft_executor_instrument_new (void);

G_END_DECLS
