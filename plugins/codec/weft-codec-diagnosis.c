/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where frames are lost, late or held up. A stage's dispatches are its own work, so the stage with
 * most of it sets the pace; queues tell on which side of them it is.
 */

#include "weft-codec-diagnosis.h"

/* Stages that work on frames: not threads, which carry all stages that they run, not queues, not
 * pipelines; and not sources, whose time has waits for their device in it.
 */
#define WORKING                                                                                    \
  "kind:codec.* and not kind:codec.thread,codec.queue,codec.pipeline,codec.worker,codec.stream,"   \
  "codec.source"

/* Of the time of a recording: so much waiting at a queue is worth telling, in percent. */
#define WAITING_SHARE 10
/* Names in a sentence. */
#define MAX_NAMED 3

/* Figures by name, the largest first. NULL if something failed. */
static WeftTable *
ask_by (WeftInquiry *self, const char *table, const char *filter, const char *name,
        const char *figure)
{
  const char *const groups[] = { name, NULL };
  const char *const selects[] = { figure, NULL };
  g_autofree char *order = g_strconcat ("-", figure, NULL);

  return weft_inquiry_ask (self, table, filter, groups, selects, order, 0);
}

static guint
count_rows (WeftTable *table)
{
  return table != NULL ? weft_table_get_n_rows (table) : 0;
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

static double
sum_rows (WeftTable *table)
{
  double sum = 0;

  for (guint row = 0; row < count_rows (table); row++)
    sum += get_figure (table, row);
  return sum;
}

/* “x264enc0 (12 ms), queue0 (3 ms)”: the rows with the largest figures, in units of SCALE. */
static char *
name_rows (WeftTable *table, double scale, const char *unit)
{
  GString *text = g_string_new (NULL);
  guint n = 0;

  for (guint row = 0; row < count_rows (table); row++)
    if (get_figure (table, row) > 0 && ++n <= MAX_NAMED)
      g_string_append_printf (text, "%s%s (%.0f%s)", text->len > 0 ? ", " : "",
                              get_row_name (table, row), get_figure (table, row) / scale, unit);
  if (n > MAX_NAMED)
    g_string_append_printf (text, " and %u more", n - MAX_NAMED);
  return g_string_free (text, FALSE);
}

/* ---- Findings ---- */

static void
check_drops (WeftInquiry *self)
{
  g_autoptr (WeftTable) drops = ask_by (self, "metric_points", "kind:codec.* metric:frames.dropped",
                                        "metric.lane.name", "sum(value)");
  const double n = sum_rows (drops);
  g_autofree char *names = name_rows (drops, 1, "");
  g_autofree char *frames = weft_format_count ((guint64) n, "frame", "frames");

  if (n == 0)
    weft_inquiry_add (self, "codec.drops", "Do all frames get through?", WEFT_VERDICT_GOOD,
                      "No stage told of one that it threw away", NULL, NULL);
  else
    weft_inquiry_tell (self, "codec.drops", "Do all frames get through?", WEFT_VERDICT_ATTENTION,
                       "Where a queue throws away, what comes behind it is too slow; where a "
                       "decoder or a sink does, frames come too late: codec.bottleneck names the "
                       "stage",
                       NULL, "Thrown away: %s, by %s", frames, names);
}

static void
check_late (WeftInquiry *self)
{
  static const char question[] = "Do frames come in time to be shown?";
  g_autoptr (WeftTable) late = ask_by (self, "metric_points", "kind:codec.* metric:frames.late",
                                       "metric.lane.name", "sum(value)");
  const double n = sum_rows (late);
  const double worst = weft_inquiry_ask_number (self, "metric_points",
                                                "kind:codec.* metric:qos.jitter", "max(value)");
  const double measured =
      weft_inquiry_ask_number (self, "metric_points", "kind:codec.* metric:qos.jitter", "count()");
  g_autofree char *names = name_rows (late, 1, "");
  g_autofree char *frames = weft_format_count ((guint64) n, "frame", "frames");

  if (measured == 0)
    weft_inquiry_add (self, "codec.late", question, WEFT_VERDICT_NOT_APPLICABLE,
                      "No sink told of the time of its frames", NULL, NULL);
  else if (n == 0)
    weft_inquiry_tell (self, "codec.late", question, WEFT_VERDICT_GOOD, NULL, NULL,
                       "Of %.0f that sinks told of, none was late", measured);
  else
    weft_inquiry_tell (self, "codec.late", question, WEFT_VERDICT_ATTENTION,
                       "Speed up the stage that codec.bottleneck names, or give the sink more "
                       "latency",
                       NULL, "Late: %s of %.0f, by up to %.1f ms, at %s", frames, measured,
                       worst / 1e6, names);
}

/* “; queue0 was full for 3200 ms (60 %), so what comes behind it is slower”, or nothing. */
static void
name_queues (WeftInquiry *self, const char *filter, const char *state, const char *side,
             double elapsed, GString *text)
{
  g_autoptr (WeftTable) waits =
      ask_by (self, "metric_points", filter, "metric.lane.name", "sum(value)");

  for (guint row = 0; row < MIN (count_rows (waits), MAX_NAMED); row++)
    {
      const double time = get_figure (waits, row);

      if (100 * time >= WAITING_SHARE * elapsed)
        g_string_append_printf (
            text, "; %s was %s for %.0f ms (%.0f %%), so what comes %s it is slower",
            get_row_name (waits, row), state, time / 1e6, 100 * time / elapsed, side);
    }
}

static void
check_bottleneck (WeftInquiry *self)
{
  static const char question[] = "Which stage sets the pace?";
  const double first = weft_inquiry_ask_number (self, "dispatches", "kind:codec.*", "min(start)");
  const double last = weft_inquiry_ask_number (self, "dispatches", "kind:codec.*", "max(end)");
  const double clock = weft_inquiry_ask_number (self, "metric_points",
                                                "kind:codec.* metric:wait.clock", "sum(value)");
  const double elapsed = last - first;
  g_autoptr (WeftTable) work = ask_by (self, "dispatches", WORKING, "lane.name", "sum(duration)");
  g_autofree char *names = name_rows (work, 1e6, " ms");
  g_autoptr (GString) queues = g_string_new (NULL);

  /* Where sinks wait, frames are there before their time, and full queues are as they should be. */
  if (100 * clock >= WAITING_SHARE * elapsed)
    {
      weft_inquiry_tell (self, "codec.bottleneck", question, WEFT_VERDICT_GOOD, NULL, NULL,
                         "The clock: sinks waited for it for %.0f ms (%.0f %%). Most work of their "
                         "own: %s",
                         clock / 1e6, 100 * clock / elapsed, names);
      return;
    }
  name_queues (self, "kind:codec.queue metric:queue.full", "full", "behind", elapsed, queues);
  name_queues (self, "kind:codec.queue metric:queue.empty", "empty", "before", elapsed, queues);
  weft_inquiry_tell (
      self, "codec.bottleneck", question,
      queues->len > 0         ? WEFT_VERDICT_ATTENTION
      : count_rows (work) > 0 ? WEFT_VERDICT_GOOD
                              : WEFT_VERDICT_NOT_APPLICABLE,
      "Give the stage with most work more threads, a faster setting or less to do; a "
      "larger queue evens out what varies, and does not make a slow stage faster",
      NULL, "Most work of their own: %s%s", *names != '\0' ? names : "none told", queues->str);
}

static void
check_errors (WeftInquiry *self)
{
  g_autoptr (WeftTable) failed =
      ask_by (self, "dispatches", "kind:codec.* status:error", "lane.name", "count()");
  g_autoptr (WeftTable) told =
      ask_by (self, "warnings", "kind:codec.* name:error", "message", "count()");
  g_autofree char *names = name_rows (failed, 1, "");
  g_autofree char *frames = weft_format_count ((guint64) sum_rows (failed), "failure", "failures");

  if (count_rows (failed) + count_rows (told) == 0)
    weft_inquiry_add (self, "codec.errors", "Did stages fail?", WEFT_VERDICT_GOOD, "None did", NULL,
                      NULL);
  else
    weft_inquiry_tell (self, "codec.errors", "Did stages fail?", WEFT_VERDICT_PROBLEM,
                       "“weft target dispatches --filter 'kind:codec.* status:error'” shows the "
                       "frames, “weft warnings” when it was told",
                       NULL, "%s%s%s%s%s", frames, *names != '\0' ? " at " : "", names,
                       count_rows (told) > 0 ? "; told: " : "",
                       count_rows (told) > 0 ? get_row_name (told, 0) : "");
}

static void
check_latency (WeftInquiry *self)
{
  static const char filter[] = "kind:codec.* metric:latency";
  const double n = weft_inquiry_ask_number (self, "metric_points", filter, "count()");
  const double p95 = weft_inquiry_ask_number (self, "metric_points", filter, "p95(value)");
  const double most = weft_inquiry_ask_number (self, "metric_points", filter, "max(value)");

  if (n > 0)
    weft_inquiry_tell (self, "codec.latency", "How long does a frame take from source to sink?",
                       WEFT_VERDICT_GOOD, NULL, NULL,
                       "95 of 100 took %.1f ms or less, the longest of %.0f took %.1f ms",
                       p95 / 1e6, n, most / 1e6);
}

GListModel *
weft_codec_diagnose (WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftInquiry) self = weft_inquiry_new ("codec", recording, cancellable);

  if (weft_inquiry_ask_number (self, "dispatches", "kind:codec.*", "count()") == 0)
    weft_inquiry_add (self, "codec.frames", "Are frames told of?", WEFT_VERDICT_NOT_APPLICABLE,
                      "There are stages, and no frame went through them", NULL, NULL);
  else
    {
      check_drops (self);
      check_late (self);
      check_bottleneck (self);
      check_errors (self);
      check_latency (self);
    }
  return weft_inquiry_end (self, error);
}
