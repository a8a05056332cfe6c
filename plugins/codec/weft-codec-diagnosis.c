/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where frames are lost, late or held up. A stage's dispatches are its own work, so the stage with
 * most of it sets the pace; queues tell on which side of them it is.
 */

#include "weft-codec-diagnosis.h"

/* Stages that work on frames: not threads, which carry all stages that they run, not queues, not
 * pipelines. A source's time has waits for its device in it.
 */
#define STAGES                                                                                     \
  "kind:codec.* and not kind:codec.thread and not kind:codec.queue and not kind:codec.pipeline "   \
  "and not kind:codec.worker and not kind:codec.stream"
#define WORKING STAGES " and not kind:codec.source"

/* Of the time of a recording: so much waiting at a queue is worth telling, in percent. */
#define WAITING_SHARE 10
/* Names in a sentence. */
#define MAX_NAMED 3

typedef struct
{
  WeftRecording *recording;
  GCancellable *cancellable;
  GListStore *findings;
  double elapsed; /* ns, from the first frame to the end of the last one */
} Diagnosis;

/* Sums, by name, the largest first; COLUMNS until NULL, of which the first is what is ordered by.
 */
static WeftTable *
ask_by_name (Diagnosis *self, const char *table, const char *filter, const char *group,
             const char *column, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new (table, error);

  if (query == NULL || !weft_query_set_filter_text (query, filter, error) ||
      !weft_query_group_by (query, group, NULL, error) ||
      !weft_query_select (query, column, "figure", error) ||
      !weft_query_order_by (query, column, TRUE, error))
    return NULL;
  return weft_query_run (query, self->recording, self->cancellable, error);
}

/* The first row of what COLUMN is of the rows that FILTER leaves; 0 of none. */
static gboolean
ask_one (Diagnosis *self, const char *table, const char *filter, const char *column, double *value,
         GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new (table, error);
  g_autoptr (WeftTable) answer = NULL;

  if (query == NULL || !weft_query_set_filter_text (query, filter, error) ||
      !weft_query_select (query, column, NULL, error))
    return FALSE;
  answer = weft_query_run (query, self->recording, self->cancellable, error);
  if (answer == NULL)
    return FALSE;
  *value = weft_table_get_n_rows (answer) > 0 && !weft_table_is_null (answer, 0, 0)
               ? weft_table_get_double (answer, 0, 0)
               : 0;
  return TRUE;
}

/* Takes EVIDENCE. */
static void
add_finding (Diagnosis *self, const char *check, const char *question, WeftVerdict verdict,
             char *evidence, const char *advice)
{
  g_autofree char *text = evidence;
  g_autoptr (WeftFinding) finding = weft_finding_new (check, question, verdict, text, advice, NULL);

  g_list_store_append (self->findings, finding);
}

static double
get_figure (WeftTable *table, guint row)
{
  return weft_table_is_null (table, 1, row) ? 0 : weft_table_get_double (table, 1, row);
}

static const char *
get_row_name (WeftTable *table, guint row)
{
  const char *name = weft_table_get_string (table, 0, row);

  return name != NULL ? name : "one without a name";
}

/* “x264enc0 (12), queue0 (3)”: the rows with the largest figures, in units of SCALE. */
static char *
name_rows (WeftTable *table, const char *format, double scale)
{
  GString *text = g_string_new (NULL);
  guint n = 0;

  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      char figure[G_ASCII_DTOSTR_BUF_SIZE];

      if (get_figure (table, row) <= 0 || ++n > MAX_NAMED)
        continue;
      g_ascii_formatd (figure, sizeof figure, format, get_figure (table, row) / scale);
      g_string_append_printf (text, "%s%s (%s)", text->len > 0 ? ", " : "",
                              get_row_name (table, row), figure);
    }
  if (n > MAX_NAMED)
    g_string_append_printf (text, " and %u more", n - MAX_NAMED);
  return g_string_free (text, FALSE);
}

static double
sum_rows (WeftTable *table)
{
  double sum = 0;

  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    sum += get_figure (table, row);
  return sum;
}

/* ---- Findings ---- */

static gboolean
check_drops (Diagnosis *self, GError **error)
{
  g_autoptr (WeftTable) drops =
      ask_by_name (self, "metric_points", "kind:codec.* metric:frames.dropped", "lane_name",
                   "sum(value)", error);
  g_autofree char *names = NULL;
  double n;

  if (drops == NULL)
    return FALSE;
  n = sum_rows (drops);
  names = name_rows (drops, "%.0f", 1);
  add_finding (self, "codec.drops", "Do all frames get through?",
               n > 0 ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
               n > 0 ? g_strdup_printf ("%.0f frames were thrown away, by %s", n, names)
                     : g_strdup ("No stage told of a frame that it threw away"),
               n > 0 ? "Where a queue throws away, what comes behind it is too slow; where a "
                       "decoder or a sink does, frames come too late: see codec.bottleneck"
                     : NULL);
  return TRUE;
}

static gboolean
check_late (Diagnosis *self, GError **error)
{
  g_autoptr (WeftTable) late = ask_by_name (
      self, "metric_points", "kind:codec.* metric:frames.late", "lane_name", "sum(value)", error);
  g_autofree char *names = NULL;
  double n, worst, measured;

  if (late == NULL ||
      !ask_one (self, "metric_points", "kind:codec.* metric:qos.jitter", "max(value)", &worst,
                error) ||
      !ask_one (self, "metric_points", "kind:codec.* metric:qos.jitter", "count()", &measured,
                error))
    return FALSE;
  n = sum_rows (late);
  names = name_rows (late, "%.0f", 1);
  if (n > 0)
    add_finding (
        self, "codec.late", "Do frames come in time to be shown?", WEFT_VERDICT_ATTENTION,
        g_strdup_printf ("%.0f came too late, by up to %.1f ms, at %s", n, worst / 1e6, names),
        "Speed up the stage that codec.bottleneck names, or give the sink more latency");
  else
    add_finding (self, "codec.late", "Do frames come in time to be shown?",
                 measured > 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_NOT_APPLICABLE,
                 measured > 0 ? g_strdup_printf ("All %.0f that sinks told of did", measured)
                              : g_strdup ("No sink told of the time of its frames"),
                 NULL);
  return TRUE;
}

/* “; queue0 was full for 3200 ms (60 %), so what comes behind it is slower”, or nothing. */
static gboolean
name_queues (Diagnosis *self, const char *filter, const char *state, const char *side,
             GString *text, GError **error)
{
  g_autoptr (WeftTable) waits =
      ask_by_name (self, "metric_points", filter, "lane_name", "sum(value)", error);

  if (waits == NULL)
    return FALSE;
  for (guint row = 0; row < MIN (weft_table_get_n_rows (waits), MAX_NAMED); row++)
    {
      double time = get_figure (waits, row);

      if (100 * time >= WAITING_SHARE * self->elapsed)
        g_string_append_printf (
            text, "; %s was %s for %.0f ms (%.0f %%), so what comes %s it is slower",
            get_row_name (waits, row), state, time / 1e6, 100 * time / self->elapsed, side);
    }
  return TRUE;
}

static gboolean
check_bottleneck (Diagnosis *self, GError **error)
{
  g_autoptr (WeftTable) work =
      ask_by_name (self, "dispatches", WORKING, "lane_name", "sum(duration)", error);
  g_autoptr (GString) queues = g_string_new (NULL);
  g_autofree char *names = NULL;
  double busiest;

  if (work == NULL ||
      !name_queues (self, "kind:codec.queue metric:queue.full", "full", "behind", queues, error) ||
      !name_queues (self, "kind:codec.queue metric:queue.empty", "empty", "before", queues, error))
    return FALSE;
  names = name_rows (work, "%.0f ms", 1e6);
  busiest = weft_table_get_n_rows (work) > 0 ? get_figure (work, 0) : 0;
  add_finding (
      self, "codec.bottleneck", "Which stage sets the pace?",
      queues->len > 0 ? WEFT_VERDICT_ATTENTION
      : busiest > 0   ? WEFT_VERDICT_GOOD
                      : WEFT_VERDICT_NOT_APPLICABLE,
      busiest > 0 ? g_strdup_printf ("Most work of their own had %s%s", names, queues->str)
                  : g_strdup_printf ("No stage told of its own work%s", queues->str),
      queues->len > 0
          ? "Give the first of them more threads, a faster setting or less to do; a larger "
            "queue evens out what varies, and does not make a slow stage faster"
          : NULL);
  return TRUE;
}

static gboolean
check_errors (Diagnosis *self, GError **error)
{
  g_autoptr (WeftTable) failed =
      ask_by_name (self, "dispatches", "kind:codec.* status:error", "lane_name", "count()", error);
  g_autoptr (WeftTable) told = NULL;
  g_autofree char *names = NULL, *messages = NULL;
  double n;

  told = ask_by_name (self, "warnings", "kind:codec.* name:error", "message", "count()", error);
  if (failed == NULL || told == NULL)
    return FALSE;
  n = sum_rows (failed) + sum_rows (told);
  names = name_rows (failed, "%.0f", 1);
  messages = weft_table_get_n_rows (told) > 0 ? g_strdup (get_row_name (told, 0)) : g_strdup ("");
  add_finding (self, "codec.errors", "Did stages fail?",
               n > 0 ? WEFT_VERDICT_PROBLEM : WEFT_VERDICT_GOOD,
               n > 0 ? g_strdup_printf ("%.0f frames failed%s%s%s%s", sum_rows (failed),
                                        *names != '\0' ? ", at " : "", names,
                                        *messages != '\0' ? "; told: " : "", messages)
                     : g_strdup ("None did"),
               n > 0 ? "“weft target dispatches --filter 'kind:codec.* status:error'” shows the "
                       "frames, “weft warnings” when it was told"
                     : NULL);
  return TRUE;
}

static gboolean
check_latency (Diagnosis *self, GError **error)
{
  double n, p95, most;

  if (!ask_one (self, "metric_points", "kind:codec.* metric:latency", "count()", &n, error) ||
      !ask_one (self, "metric_points", "kind:codec.* metric:latency", "p95(value)", &p95, error) ||
      !ask_one (self, "metric_points", "kind:codec.* metric:latency", "max(value)", &most, error))
    return FALSE;
  if (n > 0)
    add_finding (self, "codec.latency", "How long does a frame take from source to sink?",
                 WEFT_VERDICT_GOOD,
                 g_strdup_printf ("95 of 100 took %.1f ms or less, the longest %.1f ms, of %.0f",
                                  p95 / 1e6, most / 1e6, n),
                 NULL);
  return TRUE;
}

GListModel *
weft_codec_diagnose (WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  g_autoptr (GListStore) findings = g_list_store_new (WEFT_TYPE_FINDING);
  Diagnosis self = { recording, cancellable, findings, 0 };
  double n, first, last;

  if (!ask_one (&self, "dispatches", "kind:codec.*", "count()", &n, error) ||
      !ask_one (&self, "dispatches", "kind:codec.*", "min(start)", &first, error) ||
      !ask_one (&self, "dispatches", "kind:codec.*", "max(end)", &last, error))
    return NULL;
  if (n == 0)
    {
      add_finding (&self, "codec.frames", "Are frames told of?", WEFT_VERDICT_NOT_APPLICABLE,
                   g_strdup ("There are stages, and no frame went through them"), NULL);
      return G_LIST_MODEL (g_steal_pointer (&findings));
    }
  self.elapsed = MAX (last - first, 1);
  if (!check_drops (&self, error) || !check_late (&self, error) ||
      !check_bottleneck (&self, error) || !check_errors (&self, error) ||
      !check_latency (&self, error))
    return NULL;
  return G_LIST_MODEL (g_steal_pointer (&findings));
}
