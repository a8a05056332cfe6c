/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-frameloop-domain.h"

/* Ticks as weft-frameloop.h tells them: what else is on the lanes are systems and commands. */
#define TICKS "kind:frameloop.* counter:step_budget"
#define OVER_BUDGET TICKS " warning:over-budget"

/* Of the time of ticks, in percent: below it phases leave too much unsaid. */
#define NAMED_SHARE 80

struct _WeftFrameloopDomain
{
  GObject parent_instance;
};

/* ---- Words ---- */

static void
add_kinds (WeftVocabulary *words)
{
  weft_vocabulary_add_kind (words, "frameloop.*", "Loop", "view-refresh-symbolic", "#26a269");
  weft_vocabulary_add_kind (words, "frameloop.loop", "Frame loop", "view-refresh-symbolic",
                            "#26a269");
  weft_vocabulary_add_kind (words, "frameloop.window", "Window", "window-symbolic", "#1c71d8");
  weft_vocabulary_add_word (words, NULL, "lane", "loop", "loops");
  weft_vocabulary_add_word (words, NULL, "queue", "command queue", "command queues");
  weft_vocabulary_add_word (words, NULL, "dispatch", "tick", "ticks");
  weft_vocabulary_add_word (words, NULL, "routine", "system", "systems");
  weft_vocabulary_add_word (words, "frameloop.window", "lane", "window", "windows");
  weft_vocabulary_add_word (words, "frameloop.window", "dispatch", "frame", "frames");
  weft_vocabulary_add_attribute (words, "tick", "Tick number", "count",
                                 "The loop's own number of the step, the same in each replay.");
  weft_vocabulary_add_attribute (words, "system", "System", NULL,
                                 "The system that a warning is about.");
}

static void
add_counters (WeftVocabulary *words)
{
  static const struct
  {
    const char *name;
    const char *label;
    const char *unit;
    const char *description;
    WeftPolarity polarity;
  } counters[] = {
    { "step_budget", "Step budget", "ns", "Time that a tick may take.", WEFT_POLARITY_NEUTRAL },
    { "host_frame", "Host frame", "ns",
      "What the host measured for the frame; long ones are stalls outside of ticks, or catching up "
      "follows.",
      WEFT_POLARITY_LOWER },
    { "lag_before", "Lag before", "ns", "Backlog beyond this step, before it.",
      WEFT_POLARITY_LOWER },
    { "lag_after", "Lag after", "ns", "Backlog after this step.", WEFT_POLARITY_LOWER },
    { "queue.pending_before", "Pending before", "count", "Commands in the queue as a tick began.",
      WEFT_POLARITY_LOWER },
    { "queue.drained", "Drained", "count", "Commands taken out to be run.", WEFT_POLARITY_NEUTRAL },
    { "queue.accepted", "Accepted", "count", "Commands that entered the queue.",
      WEFT_POLARITY_NEUTRAL },
    { "queue.dropped", "Dropped", "count", "Commands that left the queue without being run.",
      WEFT_POLARITY_LOWER },
    { "queue.rejected", "Rejected", "count", "Commands that were turned away.",
      WEFT_POLARITY_LOWER },
  };

  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    weft_vocabulary_add_counter (words, counters[i].name, counters[i].label, counters[i].unit,
                                 counters[i].description, counters[i].polarity);
}

static void
add_metrics (WeftVocabulary *words)
{
  weft_vocabulary_add_metric (words, "tick.jitter", "Jitter of a tick", "ns",
                              "By how much a tick's duration differs from the last one's.",
                              WEFT_POLARITY_LOWER);
  weft_vocabulary_add_metric (words, "lag", "Lag", "ns", "How far the loop is behind real time.",
                              WEFT_POLARITY_LOWER);
  weft_vocabulary_add_metric (words, "queue.pending", "Pending commands", "count",
                              "Commands in the queue as a tick began.", WEFT_POLARITY_LOWER);
  weft_vocabulary_add_metric (words, "ticks.over_budget", "Ticks over budget", "count", NULL,
                              WEFT_POLARITY_LOWER);
  weft_vocabulary_add_metric (words, "ticks.missed", "Missed ticks", "count",
                              "Steps or frames that were due and not made.", WEFT_POLARITY_LOWER);
  weft_vocabulary_add_metric (words, "systems.slow", "Slow runs of systems", "count", NULL,
                              WEFT_POLARITY_LOWER);
  weft_vocabulary_add_metric (words, "systems.failed", "Failed runs of systems", "count", NULL,
                              WEFT_POLARITY_LOWER);
}

static void
add_derived (WeftVocabulary *words)
{
  weft_vocabulary_add_derived_metric (
      words, "tick_budget_use", "100 * busy / step_budget", "Use of the tick budget", "percent",
      "Time in ticks, of the time that they may take.", WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "jitter", "tick.jitter.mean", "Jitter", "ns",
                                      "By how much a tick differs from the one before, on average.",
                                      WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "jitter_p95", "tick.jitter.p95", "Jitter, p95", "ns",
                                      NULL, WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "mean_lag", "lag.mean", "Mean lag", "ns",
                                      "How far the loop is behind real time after a tick.",
                                      WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "worst_lag", "lag.max", "Worst lag", "ns", NULL,
                                      WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "over_budget_share",
                                      "100 * ticks.over_budget / lag.count", "Ticks over budget",
                                      "percent", "Of all ticks.", WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (
      words, "command_rejection", "100 * queue.rejected / (queue.accepted + queue.rejected)",
      "Commands turned away", "percent", "Of those that were handed in.", WEFT_POLARITY_LOWER);
}

static void
add_hints (WeftVocabulary *words)
{
  weft_vocabulary_add_hint (words, "over-budget",
                            "“weft target outliers --filter routine:tick” names the phase that "
                            "took the time.");
  weft_vocabulary_add_hint (words, "slow",
                            "It was slow in several of its own last runs: “weft target top” shows "
                            "how slow it is, “weft top” what it does on the CPU.");
  weft_vocabulary_add_hint (words, "starving",
                            "Commands wait, and ticks do not take any: the loop must drain its "
                            "queue in each tick.");
}

static char *
get_name (WeftDomain *domain)
{
  return g_strdup ("frameloop");
}

static WeftVocabulary *
get_vocabulary (WeftDomain *domain)
{
  WeftVocabulary *words = weft_vocabulary_new ("frameloop");

  weft_vocabulary_set_title (words, "Frame loops", "Ticks of games, simulations and windows.");
  add_kinds (words);
  add_counters (words);
  add_metrics (words);
  add_derived (words);
  add_hints (words);
  return words;
}

/* ---- Questions to the recording ---- */

typedef struct
{
  WeftRecording *recording;
  GCancellable *cancellable;
  GListStore *findings;
} Diagnosis;

/* COLUMNS and GROUP: expressions, until NULL; GROUP itself may be NULL. */
static WeftTable *
ask (Diagnosis *self, const char *table, const char *filter, const char *group,
     const char *const *columns, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new (table, error);

  if (query == NULL || !weft_query_set_filter_text (query, filter, error) ||
      (group != NULL && !weft_query_group_by (query, group, NULL, error)))
    return NULL;
  for (guint i = 0; columns[i] != NULL; i++)
    if (!weft_query_select (query, columns[i], NULL, error))
      return NULL;
  return weft_query_run (query, self->recording, self->cancellable, error);
}

/* Takes EVIDENCE and, where there is any, ADVICE. */
static void
add_finding (Diagnosis *self, const char *check, const char *question, WeftVerdict verdict,
             char *evidence, const char *advice)
{
  g_autofree char *text = evidence;
  g_autoptr (WeftFinding) finding = weft_finding_new (check, question, verdict, text, advice, NULL);

  g_list_store_append (self->findings, finding);
}

/* The first column and row of what COLUMN is of the rows that FILTER leaves. */
static gboolean
ask_one (Diagnosis *self, const char *table, const char *filter, const char *column, double *value,
         GError **error)
{
  const char *const columns[] = { column, NULL };
  g_autoptr (WeftTable) answer = ask (self, table, filter, NULL, columns, error);

  if (answer == NULL)
    return FALSE;
  *value = weft_table_get_n_rows (answer) > 0 && !weft_table_is_null (answer, 0, 0)
               ? weft_table_get_double (answer, 0, 0)
               : 0;
  return TRUE;
}

/* Names of the phases with most of the time of the ticks that FILTER leaves. */
static char *
name_phases (Diagnosis *self, const char *filter, GError **error)
{
  static const char *const columns[] = { "sum(duration)", NULL };
  g_autoptr (WeftQuery) query = weft_query_new ("phases", error);
  g_autoptr (WeftTable) answer = NULL;
  GString *text = g_string_new (NULL);

  if (query == NULL || !weft_query_set_filter_text (query, filter, error) ||
      !weft_query_group_by (query, "name", NULL, error) ||
      !weft_query_select (query, columns[0], "time", error) ||
      !weft_query_order_by (query, columns[0], TRUE, error))
    {
      g_string_free (text, TRUE);
      return NULL;
    }
  weft_query_set_limit (query, 3);
  answer = weft_query_run (query, self->recording, self->cancellable, error);
  for (guint i = 0; answer != NULL && i < weft_table_get_n_rows (answer); i++)
    g_string_append_printf (text, "%s%s (%.1f ms)", i == 0 ? "" : ", ",
                            weft_table_get_string (answer, 0, i),
                            weft_table_get_double (answer, 1, i) / 1e6);
  return g_string_free (text, answer == NULL);
}

/* ---- Findings ---- */

static gboolean
check_budget (Diagnosis *self, double n_ticks, GError **error)
{
  g_autofree char *phases = NULL;
  double n_over;

  if (!ask_one (self, "dispatches", OVER_BUDGET, "count()", &n_over, error))
    return FALSE;
  if (n_over == 0)
    {
      add_finding (self, "frameloop.budget", "Do ticks keep to their budget?", WEFT_VERDICT_GOOD,
                   g_strdup_printf ("All %.0f do", n_ticks), NULL);
      return TRUE;
    }
  phases = name_phases (self, OVER_BUDGET, error);
  if (phases == NULL)
    return FALSE;
  add_finding (self, "frameloop.budget", "Do ticks keep to their budget?", WEFT_VERDICT_ATTENTION,
               g_strdup_printf ("%.0f of %.0f ticks took longer; most of their time went to %s",
                                n_over, n_ticks, *phases != '\0' ? phases : "no named phase"),
               "“weft target outliers --filter 'warning:over-budget'” lists them, with the phase "
               "that was not as usual");
  return TRUE;
}

static gboolean
check_lag (Diagnosis *self, GError **error)
{
  double worst, missed, budget;

  if (!ask_one (self, "dispatches", TICKS, "max(counter:lag_after)", &worst, error) ||
      !ask_one (self, "dispatches", TICKS, "max(counter:step_budget)", &budget, error) ||
      !ask_one (self, "metric_points", "kind:frameloop.* metric:ticks.missed", "sum(value)", &missed,
                error))
    return FALSE;
  if (worst < 2 * budget && missed == 0)
    add_finding (self, "frameloop.lag", "Do loops keep up with real time?", WEFT_VERDICT_GOOD,
                 g_strdup_printf ("At most %.1f ms behind after a tick, and no tick was missed",
                                  worst / 1e6),
                 NULL);
  else
    add_finding (self, "frameloop.lag", "Do loops keep up with real time?", WEFT_VERDICT_ATTENTION,
                 g_strdup_printf ("Up to %.1f ms behind after a tick; %.0f that were due were "
                                  "missed",
                                  worst / 1e6, missed),
                 "Where host frames are long and ticks are short, the time passes outside of the "
                 "loop: “weft waits” and “weft top” tell in what");
  return TRUE;
}

static gboolean
check_systems (Diagnosis *self, GError **error)
{
  g_autofree char *phases = NULL;
  double slow, failed;

  if (!ask_one (self, "warnings", "kind:frameloop.* name:slow", "count()", &slow, error) ||
      !ask_one (self, "dispatches", TICKS " status:error", "count()", &failed, error))
    return FALSE;
  add_finding (
      self, "frameloop.systems", "Do systems run without trouble?",
      slow > 0 || failed > 0 ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
      slow > 0 || failed > 0
          ? g_strdup_printf ("%.0f warnings of systems that were slow again and again; in %.0f "
                             "ticks a system failed",
                             slow, failed)
          : g_strdup ("None was slow again and again, and none failed"),
      slow > 0 || failed > 0
          ? "“weft warnings” names the slow ones, “weft target dispatches --filter status:error” "
            "those that failed"
          : NULL);
  return TRUE;
}

static gboolean
check_queue (Diagnosis *self, GError **error)
{
  double dropped, rejected, starved;

  if (!ask_one (self, "dispatches", TICKS, "sum(counter:queue.dropped)", &dropped, error) ||
      !ask_one (self, "dispatches", TICKS, "sum(counter:queue.rejected)", &rejected, error) ||
      !ask_one (self, "warnings", "kind:frameloop.* name:starving", "count()", &starved, error))
    return FALSE;
  add_finding (self, "frameloop.queue", "Do commands get through?",
               dropped + rejected + starved > 0 ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
               dropped + rejected + starved > 0
                   ? g_strdup_printf ("%.0f were turned away, %.0f left the queue without being "
                                      "run; %.0f times nothing was drained for long",
                                      rejected, dropped, starved)
                   : g_strdup ("None was turned away or dropped"),
               dropped + rejected + starved > 0
                   ? "“weft target origins --group thread” tells who queues how much; a larger "
                     "queue, or more commands a tick, lets more through"
                   : NULL);
  return TRUE;
}

/* Whether phases account for the time. */
static gboolean
check_phases (Diagnosis *self, double n_ticks, GError **error)
{
  double total, named, share;

  if (!ask_one (self, "dispatches", TICKS, "sum(duration)", &total, error) ||
      !ask_one (self, "phases", TICKS, "sum(duration)", &named, error))
    return FALSE;
  share = total > 0 ? 100 * named / total : 100;
  add_finding (self, "frameloop.phases", "Is it known what ticks spend their time on?",
               share >= NAMED_SHARE ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION,
               g_strdup_printf ("Phases of %.0f ticks tell of %.0f %% of their time", n_ticks,
                                MIN (share, 100)),
               share >= NAMED_SHARE ? NULL
                                    : "Bracket what else ticks do: weft_frameloop_begin_phase () "
                                      "and weft_frameloop_begin_system ()");
  return TRUE;
}

static GListModel *
diagnose (WeftDomain *domain, WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  g_autoptr (GListStore) findings = g_list_store_new (WEFT_TYPE_FINDING);
  Diagnosis self = { recording, cancellable, findings };
  double n_ticks;

  if (!ask_one (&self, "dispatches", TICKS, "count()", &n_ticks, error))
    return NULL;
  if (n_ticks == 0)
    {
      add_finding (&self, "frameloop.ticks", "Are ticks told in full?", WEFT_VERDICT_NOT_APPLICABLE,
                   g_strdup ("The loop tells when its ticks ran, but not their budget, lag or "
                             "queue"),
                   "weft-frameloop.h tells all of it");
      return G_LIST_MODEL (g_steal_pointer (&findings));
    }
  if (!check_budget (&self, n_ticks, error) || !check_lag (&self, error) ||
      !check_systems (&self, error) || !check_queue (&self, error) ||
      !check_phases (&self, n_ticks, error))
    return NULL;
  return G_LIST_MODEL (g_steal_pointer (&findings));
}

/* ---- The domain ---- */

static void
domain_interface_init (WeftDomainInterface *interface)
{
  interface->get_name = get_name;
  interface->get_vocabulary = get_vocabulary;
  interface->diagnose = diagnose;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftFrameloopDomain, weft_frameloop_domain, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, domain_interface_init))

static void
weft_frameloop_domain_class_init (WeftFrameloopDomainClass *klass)
{
}

static void
weft_frameloop_domain_init (WeftFrameloopDomain *self)
{
}

WeftDomain *
weft_frameloop_domain_new (void)
{
  return g_object_new (WEFT_FRAMELOOP_TYPE_DOMAIN, NULL);
}
