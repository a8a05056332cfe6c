/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-answer.h"
#include "weft-enum-types.h"
#include "weft-row-table.h"
#include "weft-vocabulary.h"

G_BEGIN_DECLS

/* What answers say of the counters and counter sets that they name. */
typedef struct
{
  WeftRowTable *counters;
  WeftRowTable *sets;
  GHashTable *states; /* set → WeftSetState */
  GHashTable *terms;  /* counter → WeftTerm */
} WeftCounterNames;

/* The last word about a set. */
typedef struct
{
  guint64 row; /* of counter_set_states */
  guint64 n_states;
  gint64 since;
  guint64 availability;
  const char *reason; /* or NULL */
  guint64 n_samples;
} WeftSetState;

gboolean weft_counter_names_init (WeftCounterNames *self, const WeftAnalysisScope *scope,
                                  GError **error);
void weft_counter_names_clear (WeftCounterNames *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftCounterNames, weft_counter_names_clear)

/* NULL if nobody told of it. */
const WeftSetState *weft_counter_names_get_state (WeftCounterNames *self, guint64 set);
guint64 weft_counter_names_get_set (WeftCounterNames *self, guint64 counter);
const char *weft_counter_names_get_set_name (WeftCounterNames *self, guint64 set);
const char *weft_counter_names_get_name (WeftCounterNames *self, guint64 counter);

/* Columns that follow one another: the counter, its name, its set, the set's name, the unit, what
 * people call it, and whether more of it is better.
 */
#define WEFT_ANSWER_COUNTER_COLUMNS                                                                \
  WEFT_ANSWER_ID ("counter", "c"), WEFT_ANSWER_COLUMN ("counter_name", STRING),                    \
      WEFT_ANSWER_ID ("set", "cs"), WEFT_ANSWER_COLUMN ("set_name", STRING),                       \
      WEFT_ANSWER_COLUMN ("unit", STRING), WEFT_ANSWER_COLUMN ("counter_label", STRING),           \
      WEFT_ANSWER_ENUM ("polarity", weft_polarity_get_type)
#define WEFT_ANSWER_N_COUNTER_COLUMNS 7

void weft_counter_names_set (WeftCounterNames *self, WeftTableBuilder *builder, guint first_column,
                             guint64 counter);

G_END_DECLS
