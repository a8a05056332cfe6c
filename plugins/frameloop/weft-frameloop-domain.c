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
  weft_vocabulary_set_self_driven (words, "frameloop.*", TRUE);
  weft_vocabulary_add_word (words, NULL, "lane", "loop", "loops");
  weft_vocabulary_add_word (words, NULL, "queue", "command queue", "command queues");
  weft_vocabulary_add_word (words, NULL, "dispatch", "tick", "ticks");
  weft_vocabulary_add_word (words, NULL, "routine", "system", "systems");
  /* By what its dispatches are numbered, so that comparisons can take them step by step. */
  weft_vocabulary_add_word (words, "frameloop.loop", "sequence", "tick", "ticks");
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

/* ---- Findings ---- */

/* Names of the phases with most of the time of the ticks that FILTER leaves. */
static char *
name_phases (WeftInquiry *self, const char *filter)
{
  static const char *const groups[] = { "name", NULL };
  static const char *const selects[] = { "sum(duration)", NULL };
  g_autoptr (WeftTable) answer =
      weft_inquiry_ask (self, "phases", filter, groups, selects, "-sum(duration)", 3);
  GString *text = g_string_new (NULL);

  for (guint i = 0; answer != NULL && i < weft_table_get_n_rows (answer); i++)
    g_string_append_printf (text, "%s%s (%.1f ms)", i == 0 ? "" : ", ",
                            weft_table_get_string (answer, 0, i),
                            weft_table_get_double (answer, 1, i) / 1e6);
  if (text->len == 0)
    g_string_append (text, "no named phase");
  return g_string_free (text, FALSE);
}

static void
check_budget (WeftInquiry *self, double n_ticks)
{
  static const char question[] = "Do ticks keep to their budget?";
  const double n_over = weft_inquiry_ask_number (self, "dispatches", OVER_BUDGET, "count()");
  g_autofree char *ticks = weft_format_count ((guint64) n_ticks, "tick", "ticks");
  g_autofree char *phases = NULL;
  g_autofree char *evidence = NULL;

  if (n_over == 0)
    evidence = g_strdup_printf ("Of %s, none took longer", ticks);
  else
    {
      phases = name_phases (self, OVER_BUDGET);
      evidence = g_strdup_printf ("%.0f of %s took longer; most of their time went to %s", n_over,
                                  ticks, phases);
    }
  weft_inquiry_add (self, "frameloop.budget", question,
                    n_over == 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION, evidence,
                    "“weft target outliers --filter 'warning:over-budget'” lists them, with the "
                    "phase that was not as usual",
                    NULL);
}

static void
check_lag (WeftInquiry *self)
{
  static const char question[] = "Do loops keep up with real time?";
  const double worst =
      weft_inquiry_ask_number (self, "dispatches", TICKS, "max(counter:lag_after)");
  const double budget =
      weft_inquiry_ask_number (self, "dispatches", TICKS, "max(counter:step_budget)");
  const double missed = weft_inquiry_ask_number (
      self, "metric_points", "kind:frameloop.* metric:ticks.missed", "sum(value)");
  const gboolean good = worst < 2 * budget && missed == 0;
  g_autofree char *ticks = weft_format_count ((guint64) missed, "tick", "ticks");
  g_autofree char *evidence =
      good ? g_strdup_printf ("At most %.1f ms behind after a tick, and no tick was missed",
                              worst / 1e6)
           : g_strdup_printf ("Up to %.1f ms behind after a tick; %s that %s due %s missed",
                              worst / 1e6, ticks, missed == 1 ? "was" : "were",
                              missed == 1 ? "was" : "were");

  weft_inquiry_add (self, "frameloop.lag", question,
                    good ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION, evidence,
                    "Where host frames are long and ticks are short, the time passes outside of "
                    "the loop: “weft waits” and “weft top” tell in what",
                    NULL);
}

static void
check_systems (WeftInquiry *self)
{
  const double slow =
      weft_inquiry_ask_number (self, "warnings", "kind:frameloop.* name:slow", "count()");
  const double failed =
      weft_inquiry_ask_number (self, "dispatches", TICKS " status:error", "count()");
  const gboolean good = slow == 0 && failed == 0;
  g_autofree char *warnings = weft_format_count ((guint64) slow, "warning", "warnings");
  g_autofree char *ticks = weft_format_count ((guint64) failed, "tick", "ticks");
  g_autofree char *evidence =
      good ? g_strdup ("None was slow again and again, and none failed")
           : g_strdup_printf ("%s of systems that were slow again and again; in %s a system failed",
                              warnings, ticks);

  weft_inquiry_add (self, "frameloop.systems", "Do systems run without trouble?",
                    good ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION, evidence,
                    "“weft warnings” names the slow ones, “weft target dispatches --filter "
                    "status:error” those that failed",
                    NULL);
}

static void
check_queue (WeftInquiry *self)
{
  const double dropped =
      weft_inquiry_ask_number (self, "dispatches", TICKS, "sum(counter:queue.dropped)");
  const double rejected =
      weft_inquiry_ask_number (self, "dispatches", TICKS, "sum(counter:queue.rejected)");
  const double starved =
      weft_inquiry_ask_number (self, "warnings", "kind:frameloop.* name:starving", "count()");
  const gboolean good = dropped + rejected + starved == 0;
  g_autofree char *times = weft_format_count ((guint64) starved, "time", "times");
  g_autofree char *evidence =
      good ? g_strdup ("None was turned away or dropped")
           : g_strdup_printf ("Turned away: %.0f; left the queue without being run: %.0f; %s "
                              "nothing was drained for long",
                              rejected, dropped, times);

  weft_inquiry_add (self, "frameloop.queue", "Do commands get through?",
                    good ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION, evidence,
                    "“weft target origins --group thread” tells who queues how much; a larger "
                    "queue, or more commands a tick, lets more through",
                    NULL);
}

/* Whether phases account for the time. */
static void
check_phases (WeftInquiry *self, double n_ticks)
{
  const double total = weft_inquiry_ask_number (self, "dispatches", TICKS, "sum(duration)");
  const double named = weft_inquiry_ask_number (self, "phases", TICKS, "sum(duration)");
  const double share = total > 0 ? 100 * named / total : 100;
  g_autofree char *ticks = weft_format_count ((guint64) n_ticks, "tick", "ticks");
  g_autofree char *evidence =
      g_strdup_printf ("Of the time of %s, phases tell of %.0f %%", ticks, MIN (share, 100));

  weft_inquiry_add (self, "frameloop.phases", "Is it known what ticks spend their time on?",
                    share >= NAMED_SHARE ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION, evidence,
                    "Bracket what else ticks do: weft_frameloop_begin_phase () and "
                    "weft_frameloop_begin_system ()",
                    NULL);
}

static GListModel *
diagnose (WeftDomain *domain, WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftInquiry) self = weft_inquiry_new ("frameloop", recording, cancellable);
  const double n_ticks = weft_inquiry_ask_number (self, "dispatches", TICKS, "count()");

  if (n_ticks == 0)
    weft_inquiry_add (self, "frameloop.ticks", "Are ticks told in full?",
                      WEFT_VERDICT_NOT_APPLICABLE,
                      "The loop tells when its ticks ran, but not their budget, lag or queue",
                      "weft-frameloop.h tells all of it", NULL);
  else
    {
      check_budget (self, n_ticks);
      check_lag (self);
      check_systems (self);
      check_queue (self);
      check_phases (self, n_ticks);
    }
  return weft_inquiry_end (self, error);
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
