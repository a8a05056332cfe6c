/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-side.h"

#include <string.h>

#include "weft-chunk-reader.h"
#include "weft-numbering.h"

/* Numbers of texts that are not in the dictionary. */
#define MADE_TEXT (G_GUINT64_CONSTANT (1) << 63)

typedef struct
{
  guint64 id; /* 0: free */
  guint64 value;
  guint64 n; /* values combined */
} Entry;

struct _WeftSide
{
  WeftValueType type;
  const char *unit;
  Entry *entries; /* found by hashing */
  guint64 mask;
  guint64 n_entries;
  GHashTable *texts; /* of MADE_TEXT numbers */
};

static WeftSide *
side_new (WeftValueType type)
{
  WeftSide *self = g_new0 (WeftSide, 1);

  self->type = type;
  self->mask = 1023;
  self->entries = g_new0 (Entry, self->mask + 1);
  return self;
}

void
weft_side_free (WeftSide *self)
{
  g_free (self->entries);
  g_clear_pointer (&self->texts, g_hash_table_unref);
  g_free (self);
}

WeftValueType
weft_side_get_type (const WeftSide *self)
{
  return self->type;
}

const char *
weft_side_get_unit (const WeftSide *self)
{
  return self->unit;
}

const char *
weft_side_get_text (const WeftSide *self, guint64 number)
{
  return self->texts != NULL ? g_hash_table_lookup (self->texts, &number) : NULL;
}

static Entry *
find_entry (const WeftSide *self, guint64 id)
{
  guint64 slot = (id * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> 24;

  for (;; slot++)
    {
      Entry *entry = &self->entries[slot & self->mask];

      if (entry->id == id || entry->id == 0)
        return entry;
    }
}

static void
grow (WeftSide *self)
{
  g_autofree Entry *old = self->entries;
  guint64 n = self->mask + 1;

  self->mask = 2 * n - 1;
  self->entries = g_new0 (Entry, 2 * n);
  for (guint64 i = 0; i < n; i++)
    if (old[i].id != 0)
      *find_entry (self, old[i].id) = old[i];
}

static Entry *
add_entry (WeftSide *self, guint64 id)
{
  Entry *entry = find_entry (self, id);

  if (entry->id == id)
    return entry;
  if (self->n_entries > self->mask / 2)
    {
      grow (self);
      entry = find_entry (self, id);
    }
  entry->id = id;
  self->n_entries++;
  return entry;
}

void
weft_side_resolve (const WeftSide *self, WeftVector *vector, guint n)
{
  guint8 any = 0;

  if (!vector->has_nulls)
    memset (vector->nulls, 0, n);
  for (guint i = 0; i < n; i++)
    {
      guint64 id = vector->nulls[i] ? 0 : vector->values[i];
      const Entry *entry = id != 0 ? find_entry (self, id) : NULL;

      vector->nulls[i] = entry == NULL || entry->n == 0;
      vector->values[i] = vector->nulls[i] ? 0 : entry->value;
      any |= vector->nulls[i];
    }
  vector->has_nulls = any;
}

/* Passes all rows of a table, in order of arrival, to a function. */
typedef void (*RowFunc) (const WeftStoreColumn *columns, guint row, gpointer data);

static gboolean
for_each_row (WeftStore *store, WeftTableId table, RowFunc func, gpointer data, GError **error)
{
  guint32 places = (guint32) ((G_GUINT64_CONSTANT (1) << weft_schema_table (table)->n_columns) - 1);

  for (guint i = 0; i < weft_store_get_n_chunks (store, table); i++)
    {
      g_auto (WeftChunkReader) reader = { 0 };

      if (!weft_chunk_reader_open (&reader, store, table, i, places, error))
        return FALSE;
      for (guint row = 0; row < reader.info.n_rows; row++)
        func (reader.columns, row, data);
    }
  return TRUE;
}

#define PLACE(TABLE, COLUMN) (WEFT_##TABLE##_##COLUMN - WEFT_COLUMN_BASE_##TABLE - 1)
#define VALUE(TABLE, COLUMN) weft_store_column_get (&columns[PLACE (TABLE, COLUMN)], row)

/* Which strings of the dictionary are a text: asked once for each. */
typedef struct
{
  WeftStore *store;
  const char *text;
  GHashTable *known;
} Same;

static gboolean
is_same (Same *self, guint64 number)
{
  gpointer known = g_hash_table_lookup (self->known, GSIZE_TO_POINTER (number));
  const char *text;

  if (known != NULL)
    return GPOINTER_TO_INT (known) == 1;
  text = weft_store_get_string (self->store, (guint32) number);
  known = GINT_TO_POINTER (g_strcmp0 (text, self->text) == 0 ? 1 : 2);
  g_hash_table_insert (self->known, GSIZE_TO_POINTER (number), known);
  return GPOINTER_TO_INT (known) == 1;
}

/* Tags */

typedef struct
{
  WeftSide *side;
  Same key;
  WeftTableId owner;
  guint types; /* bit N: some value is of WeftNumberType N */
} TagReader;

static void
note_type (const WeftStoreColumn *columns, guint row, gpointer data)
{
  TagReader *self = data;
  guint64 type = VALUE (TAGS, TYPE);

  if (type <= WEFT_NUMBER_STRING && is_same (&self->key, VALUE (TAGS, KEY)))
    self->types |= 1u << type;
}

/* The type that holds all the values there are. */
static WeftValueType
choose_type (guint types)
{
  switch (types)
    {
    case 0:
    case 1 << WEFT_NUMBER_UINT64:
      return WEFT_VALUE_UINT64;
    case 1 << WEFT_NUMBER_INT64:
      return WEFT_VALUE_INT64;
    case 1 << WEFT_NUMBER_BOOLEAN:
      return WEFT_VALUE_BOOLEAN;
    default:
      return types & 1 << WEFT_NUMBER_STRING ? WEFT_VALUE_STRING : WEFT_VALUE_DOUBLE;
    }
}

static guint64
make_text (WeftSide *self, char *text)
{
  guint64 number = G_GUINT64_CONSTANT (0xcbf29ce484222325);

  for (const char *at = text; *at != '\0'; at++)
    number = (number ^ (guint8) *at) * G_GUINT64_CONSTANT (0x100000001b3);
  number |= MADE_TEXT;
  if (self->texts == NULL)
    self->texts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  if (g_hash_table_contains (self->texts, &number))
    g_free (text);
  else
    g_hash_table_insert (self->texts, g_memdup2 (&number, sizeof number), text);
  return number;
}

static guint64
text_of_number (WeftSide *self, guint64 type, guint64 bits)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  switch (type)
    {
    case WEFT_NUMBER_BOOLEAN:
      return make_text (self, g_strdup (bits ? "true" : "false"));
    case WEFT_NUMBER_DOUBLE:
      return make_text (
          self, g_strdup (g_ascii_dtostr (buffer, sizeof buffer, weft_bits_to_double (bits))));
    case WEFT_NUMBER_INT64:
      return make_text (self, g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) bits));
    default:
      return make_text (self, g_strdup_printf ("%" G_GUINT64_FORMAT, bits));
    }
}

static guint64
number_to_double (guint64 type, guint64 bits)
{
  switch (type)
    {
    case WEFT_NUMBER_DOUBLE:
      return bits;
    case WEFT_NUMBER_INT64:
      return weft_double_to_bits ((double) (gint64) bits);
    default:
      return weft_double_to_bits ((double) bits);
    }
}

static void
take_tag (const WeftStoreColumn *columns, guint row, gpointer data)
{
  TagReader *self = data;
  guint64 type = VALUE (TAGS, TYPE);
  guint64 owner = VALUE (TAGS, OWNER);
  guint64 bits = VALUE (TAGS, BITS);
  Entry *entry;

  if (VALUE (TAGS, OWNER_TABLE) != self->owner || owner == 0 || type > WEFT_NUMBER_STRING ||
      !is_same (&self->key, VALUE (TAGS, KEY)))
    return;
  entry = add_entry (self->side, owner);
  if (entry->n++ > 0)
    return;
  if (self->side->type == WEFT_VALUE_DOUBLE)
    entry->value = number_to_double (type, bits);
  else if (self->side->type != WEFT_VALUE_STRING)
    entry->value = bits;
  else if (self->types != 1u << WEFT_NUMBER_STRING)
    {
      const char *text = weft_store_get_string (self->key.store, (guint32) VALUE (TAGS, TEXT));

      entry->value = type == WEFT_NUMBER_STRING
                         ? make_text (self->side, g_strdup (text != NULL ? text : ""))
                         : text_of_number (self->side, type, bits);
    }
  else
    {
      entry->value = VALUE (TAGS, TEXT);
      entry->n = entry->value != 0;
    }
}

WeftSide *
weft_side_new_tag (WeftStore *store, WeftTableId owner, const char *key, GError **error)
{
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL);
  TagReader reader = { .key = { store, key, known }, .owner = owner };
  g_autoptr (WeftSide) self = NULL;

  if (!for_each_row (store, WEFT_TABLE_TAGS, note_type, &reader, error))
    return NULL;
  self = side_new (choose_type (reader.types));
  reader.side = self;
  if (!for_each_row (store, WEFT_TABLE_TAGS, take_tag, &reader, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* Counters */

typedef struct
{
  guint8 type; /* WeftNumberType */
  guint8 aggregation;
} Counter;

typedef struct
{
  WeftSide *side;
  Same name;
  GHashTable *counters; /* Counter, by id */
  guint types;
  gboolean has_mean;
  guint64 unit;
  guint64 unit_name;
  gboolean by_dispatch;
  guint64 *owners; /* of each sample, from FIRST_SAMPLE on */
  guint64 first_sample;
  guint64 n_samples;
} CounterReader;

static void
take_counter (const WeftStoreColumn *columns, guint row, gpointer data)
{
  CounterReader *self = data;
  Counter counter = {
    .type = (guint8) MIN (VALUE (COUNTERS, VALUE_TYPE), WEFT_NUMBER_STRING),
    .aggregation = (guint8) MIN (VALUE (COUNTERS, AGGREGATION), WEFT_AGGREGATION_LAST),
  };

  if (counter.type == WEFT_NUMBER_STRING || !is_same (&self->name, VALUE (COUNTERS, NAME)))
    return;
  g_hash_table_insert (self->counters, GSIZE_TO_POINTER (VALUE (COUNTERS, ID)),
                       g_memdup2 (&counter, sizeof counter));
  if (self->types == 0)
    {
      self->unit = VALUE (COUNTERS, UNIT);
      self->unit_name = VALUE (COUNTERS, UNIT_NAME);
    }
  self->types |= 1u << counter.type;
  self->has_mean = self->has_mean || counter.aggregation == WEFT_AGGREGATION_MEAN;
}

static void
take_sample (const WeftStoreColumn *columns, guint row, gpointer data)
{
  CounterReader *self = data;
  guint64 place = VALUE (COUNTER_SAMPLES, ID) - self->first_sample;

  if (place < self->n_samples)
    self->owners[place] =
        self->by_dispatch ? VALUE (COUNTER_SAMPLES, DISPATCH) : VALUE (COUNTER_SAMPLES, SUBMISSION);
}

static void
combine (Entry *entry, WeftValueType type, guint8 aggregation, guint64 value)
{
  gboolean is_less;

  if (entry->n++ == 0)
    {
      entry->value = value;
      return;
    }
  is_less = weft_order_bits (type, value) < weft_order_bits (type, entry->value);
  switch (aggregation)
    {
    case WEFT_AGGREGATION_MIN:
      entry->value = is_less ? value : entry->value;
      return;
    case WEFT_AGGREGATION_MAX:
      entry->value = is_less ? entry->value : value;
      return;
    case WEFT_AGGREGATION_LAST:
      entry->value = value;
      return;
    case WEFT_AGGREGATION_MEAN:
      {
        double mean = weft_bits_to_double (entry->value);

        mean += (weft_bits_to_double (value) - mean) / (double) entry->n;
        entry->value = weft_double_to_bits (mean);
        return;
      }
    default:
      if (type == WEFT_VALUE_DOUBLE)
        entry->value =
            weft_double_to_bits (weft_bits_to_double (entry->value) + weft_bits_to_double (value));
      else
        entry->value += value;
    }
}

static void
take_value (const WeftStoreColumn *columns, guint row, gpointer data)
{
  CounterReader *self = data;
  guint64 sample = VALUE (COUNTER_VALUES, SAMPLE) - self->first_sample;
  guint64 bits = VALUE (COUNTER_VALUES, BITS);
  const Counter *counter =
      g_hash_table_lookup (self->counters, GSIZE_TO_POINTER (VALUE (COUNTER_VALUES, COUNTER)));
  guint64 owner = sample < self->n_samples ? self->owners[sample] : 0;

  if (counter == NULL || owner == 0 || VALUE (COUNTER_VALUES, IS_ERROR) != 0)
    return;
  if (self->side->type == WEFT_VALUE_DOUBLE)
    bits = number_to_double (counter->type, bits);
  combine (add_entry (self->side, owner), self->side->type, counter->aggregation, bits);
}

static const char *
name_unit (WeftStore *store, guint64 unit, guint64 name)
{
  static const char *const names[] = {
    [WEFT_UNIT_TICKS] = "ticks",
    [WEFT_UNIT_CYCLES] = "cycles",
    [WEFT_UNIT_INVOCATIONS] = "invocations",
    [WEFT_UNIT_BYTES] = "bytes",
    [WEFT_UNIT_PERCENT] = "percent",
    [WEFT_UNIT_COUNT] = "count",
    [WEFT_UNIT_NANOSECONDS] = "ns",
  };

  if (unit == WEFT_UNIT_NAMED)
    return weft_store_get_string (store, (guint32) name);
  return unit < G_N_ELEMENTS (names) ? names[unit] : NULL;
}

WeftSide *
weft_side_new_counter (WeftStore *store, WeftTableId owner, const char *name, GError **error)
{
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) counters = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (WeftNumbering) samples = NULL;
  g_autofree guint64 *owners = NULL;
  g_autoptr (WeftSide) self = NULL;
  CounterReader reader = {
    .name = { store, name, known },
    .counters = counters,
    .by_dispatch = owner == WEFT_TABLE_DISPATCHES,
  };

  samples = weft_numbering_new (store, WEFT_TABLE_COUNTER_SAMPLES, error);
  if (samples == NULL ||
      !weft_numbering_get_span (samples, &reader.first_sample, &reader.n_samples, error) ||
      !for_each_row (store, WEFT_TABLE_COUNTERS, take_counter, &reader, error))
    return NULL;
  self = side_new (reader.has_mean ? WEFT_VALUE_DOUBLE : choose_type (reader.types));
  self->unit = name_unit (store, reader.unit, reader.unit_name);
  if (reader.types == 0)
    return g_steal_pointer (&self);
  owners = g_new0 (guint64, reader.n_samples + 1);
  reader.owners = owners;
  reader.side = self;
  if (!for_each_row (store, WEFT_TABLE_COUNTER_SAMPLES, take_sample, &reader, error) ||
      !for_each_row (store, WEFT_TABLE_COUNTER_VALUES, take_value, &reader, error))
    return NULL;
  return g_steal_pointer (&self);
}
