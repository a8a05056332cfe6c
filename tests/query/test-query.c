/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queries of small recordings, the answers being worked out by hand. */

#include <math.h>
#include <string.h>
#include <weft.h>

#include "store-model.h"

typedef struct
{
  char *directory;
  Model *model;
  WeftStore *store;
  WeftRecording *recording;
} Case;

/* Lane 1 “red” of kind “a.b”, lane 2 “green”; routines 1 “sort”, 2 “scan”; dispatches:
 *
 *   id  lane  routine  start  duration  attempts
 *   1   1     sort       0     100      –
 *   2   1     scan      50      20      3
 *   3   2     sort     100     300      1
 *   4   2     –        400      20      –
 *   5   1     sort     500      10      7
 */
static void
write_rows (Model *model)
{
  static const guint64 rows[][5] = { { 1, 1, 0, 100, 0 },
                                     { 1, 2, 50, 20, 3 },
                                     { 2, 1, 100, 300, 1 },
                                     { 2, 0, 400, 20, 0 },
                                     { 1, 1, 500, 10, 7 } };
  static const char *const lanes[] = { "red", "green" };
  static const char *const routines[] = { "sort", "scan" };

  for (guint i = 0; i < 2; i++)
    {
      model_begin (model, WEFT_TABLE_LANES);
      model_set (model, WEFT_LANES_NAME, model_string (model, lanes[i]));
      if (i == 0)
        model_set (model, WEFT_LANES_KIND, model_string (model, "a.b"));
      model_commit (model);
      model_begin (model, WEFT_TABLE_ROUTINES);
      model_set (model, WEFT_ROUTINES_NAME, model_string (model, routines[i]));
      model_commit (model);
    }
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      model_begin (model, WEFT_TABLE_DISPATCHES);
      model_set (model, WEFT_DISPATCHES_LANE, rows[i][0]);
      model_set (model, WEFT_DISPATCHES_ROUTINE, rows[i][1]);
      model_set (model, WEFT_DISPATCHES_START, rows[i][2]);
      model_set (model, WEFT_DISPATCHES_DURATION, rows[i][3]);
      if (rows[i][4] != 0)
        model_set (model, WEFT_DISPATCHES_ATTEMPTS, rows[i][4]);
      model_commit (model);
    }
}

static void
open_recording (Case *self)
{
  g_autoptr (GFile) file = g_file_new_for_path (self->model->path);
  g_autoptr (GError) error = NULL;

  self->recording = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
}

static void
case_begin (Case *self)
{
  self->directory = model_directory_new ();
  self->model = model_new (self->directory, NULL);
  self->store = NULL;
  self->recording = NULL;
}

static void
case_open (Case *self)
{
  self->store = model_close (self->model);
  open_recording (self);
}

static void
case_set_up (Case *self)
{
  case_begin (self);
  write_rows (self->model);
  case_open (self);
}

static void
case_end (Case *self)
{
  g_clear_object (&self->recording);
  g_clear_pointer (&self->store, weft_store_unref);
  model_free (self->model);
  model_directory_free (self->directory);
}

/* Clauses are words: “+x” selects, “/x” groups, “<x” and “>x” order. */
static WeftQuery *
make (const char *table, const char *clauses, const char *filter)
{
  g_autoptr (GError) error = NULL;
  WeftQuery *query = weft_query_new (table, &error);
  g_auto (GStrv) words = g_strsplit (clauses, " ", -1);

  g_assert_no_error (error);
  for (guint i = 0; words[i] != NULL && *words[i] != '\0'; i++)
    switch (words[i][0])
      {
      case '+':
        g_assert_true (weft_query_select (query, words[i] + 1, NULL, &error));
        break;
      case '/':
        g_assert_true (weft_query_group_by (query, words[i] + 1, NULL, &error));
        break;
      default:
        g_assert_true (weft_query_order_by (query, words[i] + 1, words[i][0] == '>', &error));
      }
  g_assert_true (weft_query_set_filter_text (query, filter, &error));
  g_assert_no_error (error);
  return query;
}

/* Rows are joined by blanks, values by commas; null is a dash. */
static char *
print_table (WeftTable *table)
{
  GString *text = g_string_new (NULL);

  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    for (guint column = 0; column < weft_table_get_n_columns (table); column++)
      {
        g_autofree char *value = weft_table_get_text (table, column, row);

        if (column > 0)
          g_string_append_c (text, ',');
        else if (row > 0)
          g_string_append_c (text, ' ');
        g_string_append (text, weft_table_is_null (table, column, row) ? "-" : value);
      }
  return g_string_free (text, FALSE);
}

static void
check (Case *self, WeftQuery *query, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftTable) table = weft_query_run (query, self->recording, NULL, &error);
  g_autofree char *found = NULL;

  g_assert_no_error (error);
  found = print_table (table);
  g_assert_cmpstr (found, ==, expected);
}

static void
ask (Case *self, const char *table, const char *clauses, const char *filter, const char *expected)
{
  g_autoptr (WeftQuery) query = make (table, clauses, filter);

  check (self, query, expected);
}

static void
test_rows (void)
{
  Case self;

  case_set_up (&self);
  ask (&self, "dispatches", "+id +lane.name +name +end", NULL,
       "d-1,red,sort,100 d-2,red,scan,70 d-3,green,sort,400 d-4,green,-,420 d-5,red,sort,510");
  ask (&self, "dispatches", "+id >duration", NULL, "d-3 d-1 d-2 d-4 d-5");
  ask (&self, "dispatches", "+id <name >start", NULL, "d-2 d-5 d-3 d-1 d-4");
  ask (&self, "dispatches", "+id +attempts <attempts", NULL, "d-3,1 d-2,3 d-5,7 d-1,- d-4,-");
  ask (&self, "dispatches", "+id +attempts >attempts", NULL, "d-5,7 d-2,3 d-3,1 d-1,- d-4,-");
  ask (&self, "dispatches", "+lane.kind +routine.source.path +status", "id:3,5", "-,-,ok a.b,-,ok");
  ask (&self, "lanes", "+id +name", NULL, "l-1,red l-2,green");
  ask (&self, "errors", "+id", NULL, "");
  case_end (&self);
}

static void
test_groups (void)
{
  Case self;

  case_set_up (&self);
  ask (&self, "dispatches", "+count +sum(duration) +min(duration) +max(duration) +mean(duration)",
       NULL, "5,450,10,300,90");
  ask (&self, "dispatches", "/name +count +count(attempts) +sum(attempts)", NULL,
       "scan,1,1,3 sort,3,2,8 -,1,0,-");
  ask (&self, "dispatches", "/lane.kind /routine +count", NULL,
       "a.b,r-1,2 a.b,r-2,1 -,r-1,1 -,-,1");
  ask (&self, "dispatches", "/lane +count_distinct(routine) >count", NULL, "l-1,2 l-2,1");
  ask (&self, "dispatches", "+count +sum(duration) +busy", "dur>1s", "0,-,0");
  /* 0–100, 100–400, 400–420 and 500–510. */
  ask (&self, "dispatches", "+busy", NULL, "430");
  ask (&self, "dispatches", "/lane +busy", NULL, "l-1,110 l-2,320");
  case_end (&self);
}

/* Nearest rank: of 10, 20, 20, 100, 300 the first makes up 20 %. */
static void
test_percentiles (void)
{
  Case self;
  g_autoptr (WeftQuery) query = NULL;
  g_autoptr (WeftTable) table = NULL;
  double deviation;

  case_set_up (&self);
  ask (&self, "dispatches", "+p20(duration) +p20.1(duration) +p50(duration) +p99.9(duration)",
       "dur>0", "10,20,20,300");
  ask (&self, "dispatches", "/routine +p50(duration)", NULL, "r-1,100 r-2,20 -,20");
  ask (&self, "dispatches", "+p50(start) +p100(self_time)", NULL, "100,300");
  query = make ("dispatches", "+stddev(attempts)", NULL);
  table = weft_query_run (query, self.recording, NULL, NULL);
  deviation = weft_table_get_double (table, 0, 0);
  /* Of 3, 1, 7: mean 11/3, squares 168/9, divided by 2. */
  g_assert_cmpfloat (fabs (deviation - sqrt (168.0 / 9 / 2)), <, 1e-12);
  ask (&self, "dispatches", "+stddev(duration)", "id:1", "-");
  case_end (&self);
}

static void
test_ranges (void)
{
  Case self;
  g_autoptr (WeftQuery) query = NULL;
  g_autoptr (WeftQuery) whole = NULL;

  case_set_up (&self);
  query = make ("dispatches", "+count +sum(duration) +busy +p100(duration) +mean(duration)", NULL);
  /* d-1 from 60 to 100, d-2 from 60 to 70, d-3 from 100 to 150. */
  weft_query_set_range (query, 60, 150);
  check (&self, query, "3,100,90,300,140");
  /* What ends where the range begins is not in it, nor what begins where it ends. */
  weft_query_set_range (query, 420, 500);
  check (&self, query, "0,-,0,-,-");
  weft_query_set_range (query, 60, 60);
  check (&self, query, "0,-,0,-,-");
  whole = make ("lanes", "+id", NULL);
  weft_query_set_range (whole, 60, 61);
  check (&self, whole, "l-1 l-2");
  case_end (&self);
}

static void
test_filters (void)
{
  Case self;

  case_set_up (&self);
  ask (&self, "dispatches", "+id", "lane:RED routine:sort", "d-1 d-5");
  ask (&self, "dispatches", "+id", "-routine:sort", "d-2 d-4");
  ask (&self, "dispatches", "+id", "kind:a.* or attempts:1", "d-1 d-2 d-3 d-5");
  ask (&self, "dispatches", "+id", "lane:l-2 dur>=20ns dur<100ns", "d-4");
  ask (&self, "lanes", "+name", "routine:scan", "red");
  ask (&self, "routines", "+name", "lane:green", "sort");
  ask (&self, "dispatches", "+id", "time:400ns", "d-4");
  case_end (&self);
}

/* A sum beyond 64 bits is a double; one that just fits is exact. */
static void
test_large_sums (void)
{
  Case self;
  g_autoptr (WeftQuery) query = NULL;
  g_autoptr (WeftTable) table = NULL;

  case_begin (&self);
  for (guint i = 0; i < 3; i++)
    {
      model_begin (self.model, WEFT_TABLE_DISPATCHES);
      model_set (self.model, WEFT_DISPATCHES_LANE, i == 2 ? 2 : 1);
      model_set (self.model, WEFT_DISPATCHES_PRODUCER_ID, G_MAXUINT64 - (i == 2 ? 0 : 5));
      model_commit (self.model);
    }
  case_open (&self);
  ask (&self, "dispatches", "+sum(producer_id)", "lane:l-2", "18446744073709551615");
  query = make ("dispatches", "/lane +sum(producer_id)", NULL);
  table = weft_query_run (query, self.recording, NULL, NULL);
  g_assert_cmpint (weft_table_get_column_type (table, 1), ==, WEFT_VALUE_DOUBLE);
  g_assert_cmpfloat (weft_table_get_double (table, 1, 0), ==, 36893488147419103232.0);
  case_end (&self);
}

static char *
page (Case *self, WeftQuery *query, char **cursor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftTable) table = NULL;

  weft_query_set_cursor (query, *cursor);
  table = weft_query_run (query, self->recording, NULL, &error);
  g_assert_no_error (error);
  g_free (*cursor);
  *cursor = g_strdup (weft_table_get_cursor (table));
  return print_table (table);
}

static void
check_pages (Case *self, const char *clauses, guint limit, const char *const *pages)
{
  g_autoptr (WeftQuery) query = make ("dispatches", clauses, NULL);
  g_autofree char *cursor = NULL;

  weft_query_set_limit (query, limit);
  for (guint i = 0; pages[i] != NULL; i++)
    {
      g_autofree char *found = page (self, query, &cursor);

      g_assert_cmpstr (found, ==, pages[i]);
      g_assert_true ((cursor == NULL) == (pages[i + 1] == NULL));
    }
}

static void
test_cursors (void)
{
  Case self;

  case_set_up (&self);
  check_pages (&self, "+id", 2, (const char *[]){ "d-1 d-2", "d-3 d-4", "d-5", NULL });
  check_pages (&self, "+id >duration", 2, (const char *[]){ "d-3 d-1", "d-2 d-4", "d-5", NULL });
  check_pages (&self, "+id <name", 2, (const char *[]){ "d-2 d-1", "d-3 d-5", "d-4", NULL });
  check_pages (&self, "+id <attempts", 4, (const char *[]){ "d-3 d-2 d-5 d-1", "d-4", NULL });
  check_pages (&self, "/name +count >count", 2, (const char *[]){ "sort,3 scan,1", "-,1", NULL });
  case_end (&self);
}

/* Rows that come between two pages come once, behind those that were there. */
static void
test_growing (void)
{
  Case self;
  g_autoptr (WeftQuery) query = make ("dispatches", "+id", NULL);
  g_autofree char *cursor = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autoptr (GError) error = NULL;

  case_begin (&self);
  write_rows (self.model);
  weft_store_writer_flush (self.model->writer, &error);
  g_assert_no_error (error);
  open_recording (&self);
  weft_query_set_limit (query, 4);
  first = page (&self, query, &cursor);
  g_assert_cmpstr (first, ==, "d-1 d-2 d-3 d-4");
  model_dispatch (self.model, 1, 1, 3, 1);
  model_commit (self.model);
  self.store = model_close (self.model);
  g_assert_true (weft_recording_refresh (self.recording, NULL, &error));
  second = page (&self, query, &cursor);
  g_assert_cmpstr (second, ==, "d-5 d-6");
  g_assert_null (cursor);
  case_end (&self);
}

static void
test_invalid_cursors (void)
{
  static const char *const garbled[] = { "", "x", "AAAAAAAAAAAAAAAA", "////" };
  Case self;
  g_autoptr (WeftQuery) query = make ("dispatches", "+id", NULL);
  g_autoptr (WeftQuery) other = make ("dispatches", "+lane", NULL);
  g_autofree char *cursor = NULL;
  g_autofree char *first = NULL;

  case_set_up (&self);
  weft_query_set_limit (query, 2);
  first = page (&self, query, &cursor);
  weft_query_set_cursor (other, cursor);
  for (guint i = 0; i <= G_N_ELEMENTS (garbled); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (weft_query_run (other, self.recording, NULL, &error));
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_CURSOR);
      if (i < G_N_ELEMENTS (garbled))
        weft_query_set_cursor (other, garbled[i]);
    }
  case_end (&self);
}

static void
refuse (const char *table, const char *clause, int code, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftQuery) query = weft_query_new (table, &error);

  if (query != NULL)
    g_assert_false (weft_query_select (query, clause, NULL, &error));
  g_assert_error (error, WEFT_ERROR, code);
  if (strstr (error->message, says) == NULL)
    g_error ("“%s” does not say “%s”", error->message, says);
}

static void
test_errors (void)
{
  refuse ("dispatch", "id", WEFT_ERROR_NO_SUCH_TABLE, "dispatches");
  refuse ("dispatches", "duratoin", WEFT_ERROR_NO_SUCH_FIELD, "duration");
  refuse ("dispatches", "lane.nmae", WEFT_ERROR_NO_SUCH_FIELD, "name");
  refuse ("dispatches", "duration.name", WEFT_ERROR_NO_SUCH_FIELD, "refers to no other row");
  refuse ("dispatches", "sum(label)", WEFT_ERROR_INVALID_QUERY, "count_distinct");
  refuse ("dispatches", "smu(duration)", WEFT_ERROR_INVALID_QUERY, "sum");
  refuse ("dispatches", "p0(duration)", WEFT_ERROR_INVALID_QUERY, "more than 0");
  refuse ("dispatches", "p101(duration)", WEFT_ERROR_INVALID_QUERY, "at most 100");
  refuse ("dispatches", "sum()", WEFT_ERROR_INVALID_QUERY, "between the parentheses");
  refuse ("lanes", "busy", WEFT_ERROR_INVALID_QUERY, "dispatches");
  refuse ("lanes", "counter:x", WEFT_ERROR_NO_SUCH_FIELD, "no counters");
  refuse ("dispatches", "busy(lane)", WEFT_ERROR_INVALID_QUERY, "without parentheses");
}

static void
refuse_run (Case *self, const char *clauses, const char *filter, int code)
{
  g_autoptr (WeftQuery) query = make ("dispatches", clauses, filter);
  g_autoptr (GError) error = NULL;

  g_assert_null (weft_query_run (query, self->recording, NULL, &error));
  g_assert_error (error, WEFT_ERROR, code);
}

static void
test_contradictions (void)
{
  Case self;
  g_autoptr (WeftQuery) meta = make ("meta", "+key", "lane:red");
  g_autoptr (GError) error = NULL;

  case_set_up (&self);
  refuse_run (&self, "/lane", NULL, WEFT_ERROR_INVALID_QUERY);
  refuse_run (&self, "/lane +count +start", NULL, WEFT_ERROR_INVALID_QUERY);
  refuse_run (&self, "+count +start", NULL, WEFT_ERROR_INVALID_QUERY);
  refuse_run (&self, "+id >sum(duration)", NULL, WEFT_ERROR_INVALID_QUERY);
  g_assert_null (weft_query_run (meta, self.recording, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER);
  case_end (&self);
}

/* Three chunks, of which each is a time of its own. */
static void
write_chunks (Model *model)
{
  for (guint i = 0; i < 3 * WEFT_STORE_SEAL_ROWS; i++)
    {
      model_dispatch (model, 1 + i % 3, 1 + i % 2, (gint64) i * 10, 1 + i / WEFT_STORE_SEAL_ROWS);
      model_commit (model);
    }
}

static void
explain (Case *self, const char *clauses, const char *filter, const char *says)
{
  g_autoptr (WeftQuery) query = make ("dispatches", clauses, filter);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  weft_query_set_limit (query, 10);
  text = weft_query_explain (query, self->recording, &error);
  g_assert_no_error (error);
  if (strstr (text, says) == NULL)
    g_error ("“%s” does not say “%s”", text, says);
}

static void
test_explanations (void)
{
  Case self;

  case_begin (&self);
  write_chunks (self.model);
  case_open (&self);
  explain (&self, "/routine +count +sum(duration)", NULL, "groups: from summaries");
  explain (&self, "/lane +mean(duration)", "lane:l-2", "groups: from summaries");
  explain (&self, "/routine +p95(duration)", NULL, "histograms");
  explain (&self, "/routine +count", "dur>0", "groups: scan of 3 chunks");
  explain (&self, "+id +lane >duration", NULL, "the longest, from summaries");
  explain (&self, "+id +depth >duration", "lane:l-2", "2 of 3 chunks skipped");
  explain (&self, "+id", NULL, "1 of 3 chunks looked at");
  ask (&self, "dispatches", "/routine +count +max(duration)", "dur>0", "r-1,98304,3 r-2,98304,3");
  ask (&self, "dispatches", "/routine +count +max(duration)", NULL, "r-1,98304,3 r-2,98304,3");
  case_end (&self);
}

/* Durations are 1 to 196,608, alternately of two routines. */
static void
write_spread (Model *model)
{
  for (guint i = 0; i < 3 * WEFT_STORE_SEAL_ROWS; i++)
    {
      model_dispatch (model, 1 + i % 3, 1 + i % 2, (gint64) i * 10, 1 + i);
      model_commit (model);
    }
}

/* Over several chunks: by summaries, by a scan, of few groups and of more than are counted by
 * bucket.
 */
static void
test_percentiles_of_chunks (void)
{
  Case self;
  g_autoptr (WeftQuery) query = NULL;

  case_begin (&self);
  write_spread (self.model);
  case_open (&self);
  ask (&self, "dispatches", "/routine +p50(duration)", NULL, "r-1,98303 r-2,98304");
  ask (&self, "dispatches", "/routine +p1(duration) +p50(duration) +p99.9(duration)", "dur>0",
       "r-1,1967,98303,196411 r-2,1968,98304,196412");
  ask (&self, "dispatches", "/routine +max(duration) +p95(self_time) +p50(duration) +p50(start)",
       "dur<=100ns", "r-1,99,95,49,480 r-2,100,96,50,490");
  ask (&self, "dispatches", "/lane +p50(duration)", NULL, "l-1,98302 l-2,98303 l-3,98304");
  ask (&self, "dispatches", "+p0.001(duration) +p50(duration) +p50(duration) +count", "dur>5ns",
       "7,98307,98307,196603");
  ask (&self, "dispatches", "+p50(duration) +p50(queue_wait)", "dur>200us", "-,-");
  query = make ("dispatches", "/start +p50(duration) +p99(duration) <start", NULL);
  weft_query_set_limit (query, 3);
  check (&self, query, "0,1,1 10,2,2 20,3,3");
  case_end (&self);
}

static void
test_deviations (void)
{
  Case self;
  g_autoptr (WeftQuery) query = NULL;
  g_autoptr (WeftTable) table = NULL;
  const double n = 98304;

  case_begin (&self);
  write_spread (self.model);
  case_open (&self);
  query = make ("dispatches", "/routine +stddev(duration) +stddev(start)", NULL);
  table = weft_query_run (query, self.recording, NULL, NULL);
  /* Of N numbers, each greater by 2, or by 20, than the one before. */
  for (guint row = 0; row < 2; row++)
    for (guint column = 0; column < 2; column++)
      {
        double step = column == 0 ? 2 : 20;
        double expected = step * sqrt (n * (n + 1) / 12);

        g_assert_cmpfloat (fabs (weft_table_get_double (table, 1 + column, row) / expected - 1), <,
                           1e-15);
      }
  case_end (&self);
}

static void
cancel_at_progress (goffset done, goffset total, gpointer data)
{
  g_cancellable_cancel (data);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static void
test_cancellation (void)
{
  Case self;
  g_autoptr (WeftQuery) query = make ("dispatches", "/id +count +p50(duration)", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  case_begin (&self);
  write_chunks (self.model);
  case_open (&self);
  weft_query_run_async (query, self.recording, cancellable, cancel_at_progress,
                        g_object_ref (cancellable), g_object_unref, keep_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (weft_query_run_finish (query, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (weft_query_run (query, self.recording, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  case_end (&self);
}

static void
test_lists (void)
{
  g_autoptr (WeftTable) tables = weft_query_list_tables ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (weft_table_get_n_rows (tables), ==, WEFT_N_TABLES);
  for (guint i = 0; i < weft_table_get_n_rows (tables); i++)
    {
      g_autoptr (WeftTable) fields =
          weft_query_list_fields (weft_table_get_string (tables, 0, i), &error);

      g_assert_no_error (error);
      g_assert_cmpuint (weft_table_get_n_rows (fields), >, 0);
    }
  g_assert_null (weft_query_list_fields ("nothing", &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_TABLE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/query/rows", test_rows);
  g_test_add_func ("/query/groups", test_groups);
  g_test_add_func ("/query/percentiles", test_percentiles);
  g_test_add_func ("/query/ranges", test_ranges);
  g_test_add_func ("/query/filters", test_filters);
  g_test_add_func ("/query/large-sums", test_large_sums);
  g_test_add_func ("/query/cursors", test_cursors);
  g_test_add_func ("/query/growing", test_growing);
  g_test_add_func ("/query/invalid-cursors", test_invalid_cursors);
  g_test_add_func ("/query/errors", test_errors);
  g_test_add_func ("/query/contradictions", test_contradictions);
  g_test_add_func ("/query/explanations", test_explanations);
  g_test_add_func ("/query/percentiles-of-chunks", test_percentiles_of_chunks);
  g_test_add_func ("/query/deviations", test_deviations);
  g_test_add_func ("/query/cancellation", test_cancellation);
  g_test_add_func ("/query/lists", test_lists);
  return g_test_run ();
}
