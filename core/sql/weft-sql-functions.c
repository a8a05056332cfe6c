/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-functions.h"

#include "weft-sql-extension.h"

/* Values of one group, at most: 1 GiB of them. */
#define MAX_VALUES (1u << 27)

static const WeftSqlPercentile percentiles[] = {
  { "p50", 50, "p50" }, { "p75", 75, "p75" }, { "p90", 90, "p90" },
  { "p95", 95, "p95" }, { "p99", 99, "p99" }, { "p99_9", 99.9, "p99.9" },
};

/* The values of a group as bits in their order; whole numbers until a real one comes. */
typedef struct
{
  GArray *orders;
  gboolean is_real;
} Values;

const WeftSqlPercentile *
weft_sql_functions_find (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (percentiles); i++)
    if (g_ascii_strcasecmp (percentiles[i].name, name) == 0)
      return &percentiles[i];
  return NULL;
}

static void
become_real (Values *self)
{
  for (guint i = 0; i < self->orders->len; i++)
    {
      guint64 *order = &g_array_index (self->orders, guint64, i);
      double value = (double) (gint64) weft_unorder_bits (WEFT_VALUE_INT64, *order);

      *order = weft_order_bits (WEFT_VALUE_DOUBLE, weft_double_to_bits (value));
    }
  self->is_real = TRUE;
}

static gboolean
take_value (Values *self, const sqlite3_api_routines *sqlite3_api, sqlite3_value *value)
{
  int type = sqlite3_value_numeric_type (value);
  guint64 order;

  if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
    return FALSE;
  if (type == SQLITE_FLOAT && !self->is_real)
    become_real (self);
  order = self->is_real ? weft_order_bits (WEFT_VALUE_DOUBLE,
                                           weft_double_to_bits (sqlite3_value_double (value)))
                        : weft_order_bits (WEFT_VALUE_INT64, (guint64) sqlite3_value_int64 (value));
  g_array_append_val (self->orders, order);
  return TRUE;
}

static void
percentile_step (const sqlite3_api_routines *sqlite3_api, sqlite3_context *context,
                 sqlite3_value *value)
{
  Values *self;

  if (sqlite3_value_type (value) == SQLITE_NULL)
    return;
  self = sqlite3_aggregate_context (context, sizeof *self);
  if (self == NULL)
    {
      sqlite3_result_error_nomem (context);
      return;
    }
  if (self->orders == NULL)
    self->orders = g_array_new (FALSE, FALSE, sizeof (guint64));
  if (self->orders->len == MAX_VALUES)
    sqlite3_result_error_toobig (context);
  else if (!take_value (self, sqlite3_api, value))
    sqlite3_result_error (context, "percentiles are of numbers", -1);
}

/* Puts the value of RANK, from 0, in its place. */
static guint64
select_rank (guint64 *values, gsize n, gsize rank)
{
  gsize low = 0;
  gsize high = n - 1;

  while (low < high)
    {
      guint64 middle = values[low + (high - low) / 2];
      gsize i = low;
      gsize j = high;

      for (;;)
        {
          guint64 swapped;

          while (values[i] < middle)
            i++;
          while (values[j] > middle)
            j--;
          if (i >= j)
            break;
          swapped = values[i];
          values[i++] = values[j];
          values[j--] = swapped;
        }
      if (rank <= j)
        high = j;
      else
        low = j + 1;
    }
  return values[rank];
}

static void
percentile_final (const sqlite3_api_routines *sqlite3_api, sqlite3_context *context)
{
  const WeftSqlPercentile *percentile = sqlite3_user_data (context);
  Values *self = sqlite3_aggregate_context (context, 0);
  guint64 order;

  if (self == NULL || self->orders == NULL)
    return;
  if (self->orders->len > 0)
    {
      order = select_rank ((guint64 *) (gpointer) self->orders->data, self->orders->len,
                           weft_nearest_rank (percentile->percentile, self->orders->len) - 1);
      if (self->is_real)
        sqlite3_result_double (context,
                               weft_bits_to_double (weft_unorder_bits (WEFT_VALUE_DOUBLE, order)));
      else
        sqlite3_result_int64 (context, (sqlite3_int64) weft_unorder_bits (WEFT_VALUE_INT64, order));
    }
  g_array_unref (self->orders);
}

/*
 * A function is called with nothing that says which copy of SQLite calls it, so each copy in the
 * process gets functions of its own.
 */
#define N_COPIES 4
static const sqlite3_api_routines *copies[N_COPIES];

#define FUNCTIONS(N)                                                                               \
  static void percentile_step_##N (sqlite3_context *context, int argc, sqlite3_value **argv)       \
  {                                                                                                \
    percentile_step (copies[N], context, argv[0]);                                                 \
  }                                                                                                \
                                                                                                   \
  static void percentile_final_##N (sqlite3_context *context)                                      \
  {                                                                                                \
    percentile_final (copies[N], context);                                                         \
  }                                                                                                \
                                                                                                   \
  static void open_##N (sqlite3_context *context, int argc, sqlite3_value **argv)                  \
  {                                                                                                \
    weft_sql_extension_open (copies[N], context, argc, argv);                                      \
  }

FUNCTIONS (0)
FUNCTIONS (1)
FUNCTIONS (2)
FUNCTIONS (3)

static const struct
{
  void (*step) (sqlite3_context *context, int argc, sqlite3_value **argv);
  void (*final) (sqlite3_context *context);
  void (*open) (sqlite3_context *context, int argc, sqlite3_value **argv);
} functions[N_COPIES] = {
  { percentile_step_0, percentile_final_0, open_0 },
  { percentile_step_1, percentile_final_1, open_1 },
  { percentile_step_2, percentile_final_2, open_2 },
  { percentile_step_3, percentile_final_3, open_3 },
};

/* -1: there are more copies than anybody has. */
static int
find_copy (const sqlite3_api_routines *api)
{
  static GMutex lock;
  int found = -1;

  g_mutex_lock (&lock);
  for (int i = 0; i < N_COPIES && found < 0; i++)
    if (copies[i] == NULL || copies[i] == api)
      {
        copies[i] = api;
        found = i;
      }
  g_mutex_unlock (&lock);
  return found;
}

int
weft_sql_functions_register (sqlite3 *database, const sqlite3_api_routines *api)
{
  const sqlite3_api_routines *sqlite3_api = api;
  int copy = find_copy (api);
  int status = copy < 0 ? SQLITE_ERROR : SQLITE_OK;

  for (guint i = 0; i < G_N_ELEMENTS (percentiles) && status == SQLITE_OK; i++)
    status = sqlite3_create_function_v2 (
        database, percentiles[i].name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
        (void *) &percentiles[i], NULL, functions[copy].step, functions[copy].final, NULL);
  return status;
}

int
weft_sql_functions_register_open (sqlite3 *database, const sqlite3_api_routines *api)
{
  const sqlite3_api_routines *sqlite3_api = api;
  int copy = find_copy (api);
  int status = copy < 0 ? SQLITE_ERROR : SQLITE_OK;

  for (int n = 1; n <= 2 && status == SQLITE_OK; n++)
    status = sqlite3_create_function_v2 (database, "weft_open", n, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                         NULL, functions[copy].open, NULL, NULL, NULL);
  return status;
}
