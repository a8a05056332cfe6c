/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-analysis.h"

#include <string.h>

#include "weft-analysis-private.h"
#include "weft-analyze.h"
#include "weft-critical-path-what-if.h"
#include "weft-enum-types.h"
#include "weft-report-task.h"

/**
 * WeftAnalysis:
 *
 * A question about a recording, of one of the kinds that [func@Analysis.list_kinds] names; the
 * answer is a [class@Report].
 *
 * What is not said has a default. Frontends ask the same kinds and print the same reports, so a
 * JSON answer is the same wherever it is asked.
 *
 * Since: 0.1
 */
struct _WeftAnalysis
{
  GObject parent_instance;

  const WeftAnalysisKind *kind;
  WeftRecording *recording;
  WeftFilter *filter;
  char *group_by;
  char *order_by;
  char *cursor;
  char *handle;
  gint64 begin;
  gint64 end;
  gint64 at;
  gboolean has_at;
  guint limit;
  guint n_buckets;
  char *mode;
  char **excluded;
  gboolean has_group;
  gboolean inlines;
  gboolean inverted;
  double min_share;
  guint reasons;
  char *what_if;
};

G_DEFINE_FINAL_TYPE (WeftAnalysis, weft_analysis, G_TYPE_OBJECT)

#define DEFAULT_BUCKETS 64

/* In the order in which they are listed. */
/* clang-format off */
static const WeftAnalysisKind *const kinds[] = {
  &weft_analyze_lanes,
  &weft_analyze_conservation,
  &weft_analyze_target_top,
  &weft_analyze_outliers,
  &weft_analyze_top,
  &weft_analyze_callers,
  &weft_analyze_waits,
  &weft_analyze_wakers,
  &weft_analyze_flame,
  &weft_analyze_critical_path,
  &weft_analyze_annotate,
  &weft_analyze_timeline,
  &weft_analyze_state,
  &weft_analyze_threads,
  &weft_analyze_origins,
  &weft_analyze_dispatches,
  &weft_analyze_metrics,
  &weft_analyze_traces,
  &weft_analyze_warnings,
  &weft_analyze_submissions,
  &weft_analyze_counters,
  &weft_analyze_attachments,
  &weft_analyze_code,
  &weft_analyze_routines,
  &weft_analyze_dispatch,
  &weft_analyze_diagnose,
  &weft_analyze_show,
  &weft_analyze_source,
  NULL,
};
/* clang-format on */

static const WeftAnalysisKind *
find_kind (const char *name)
{
  for (guint i = 0; kinds[i] != NULL; i++)
    if (strcmp (kinds[i]->name, name) == 0)
      return kinds[i];
  return NULL;
}

/**
 * weft_analysis_list_kinds:
 *
 * Returns: (transfer full) (array zero-terminated=1): what can be asked
 *
 * Since: 0.1
 */
char **
weft_analysis_list_kinds (void)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; kinds[i] != NULL; i++)
    g_strv_builder_add (names, kinds[i]->name);
  return g_strv_builder_end (names);
}

/**
 * weft_analysis_kind_get_summary:
 * @kind: a kind
 *
 * Returns: (transfer none) (nullable): what it answers, in a few words
 *
 * Since: 0.1
 */
const char *
weft_analysis_kind_get_summary (const char *kind)
{
  g_return_val_if_fail (kind != NULL, NULL);

  return find_kind (kind) ? find_kind (kind)->summary : NULL;
}

/**
 * weft_analysis_kind_get_options:
 * @kind: a kind
 *
 * Returns: what can be said about it; what cannot is ignored where it is said
 *
 * Since: 0.1
 */
WeftAnalysisOptions
weft_analysis_kind_get_options (const char *kind)
{
  g_return_val_if_fail (kind != NULL, 0);

  return find_kind (kind) ? find_kind (kind)->options : 0;
}

/**
 * weft_analysis_kind_list_groups:
 * @kind: a kind
 *
 * Returns: (transfer full) (array zero-terminated=1): what it can be grouped by, the default first;
 *   a word with a colon at its end is followed by a name
 *
 * Since: 0.1
 */
char **
weft_analysis_kind_list_groups (const char *kind)
{
  const WeftAnalysisKind *found;

  g_return_val_if_fail (kind != NULL, NULL);

  found = find_kind (kind);
  return found && found->groups ? g_strdupv ((char **) found->groups) : g_new0 (char *, 1);
}

/**
 * weft_analysis_kind_list_orders:
 * @kind: a kind
 *
 * Returns: (transfer full) (array zero-terminated=1): what it can be ordered by, the default first;
 *   a word with a colon at its end is followed by a name
 *
 * Since: 0.1
 */
char **
weft_analysis_kind_list_orders (const char *kind)
{
  const WeftAnalysisKind *found;

  g_return_val_if_fail (kind != NULL, NULL);

  found = find_kind (kind);
  return found && found->orders ? g_strdupv ((char **) found->orders) : g_new0 (char *, 1);
}

/**
 * weft_analysis_kind_list_modes:
 * @kind: a kind
 *
 * Returns: (transfer full) (array zero-terminated=1): in what modes it can be asked; nothing for a
 *   kind that has only one
 *
 * Since: 0.1
 */
char **
weft_analysis_kind_list_modes (const char *kind)
{
  const WeftAnalysisKind *found;

  g_return_val_if_fail (kind != NULL, NULL);

  found = find_kind (kind);
  return found && found->modes ? g_strdupv ((char **) found->modes) : g_new0 (char *, 1);
}

static void
weft_analysis_finalize (GObject *object)
{
  WeftAnalysis *self = WEFT_ANALYSIS (object);

  g_clear_object (&self->recording);
  g_clear_pointer (&self->filter, weft_filter_unref);
  g_free (self->group_by);
  g_free (self->order_by);
  g_free (self->cursor);
  g_free (self->handle);
  g_free (self->mode);
  g_strfreev (self->excluded);
  g_free (self->what_if);

  G_OBJECT_CLASS (weft_analysis_parent_class)->finalize (object);
}

static void
weft_analysis_class_init (WeftAnalysisClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_analysis_finalize;
}

static void
weft_analysis_init (WeftAnalysis *self)
{
  self->begin = G_MININT64;
  self->end = G_MAXINT64;
  self->n_buckets = DEFAULT_BUCKETS;
}

/**
 * weft_analysis_new:
 * @recording: what is asked about
 * @kind: what is asked, one of [func@Analysis.list_kinds]
 * @error: return location for an error
 *
 * Prepares a question; nothing is read yet.
 *
 * Returns: (transfer full): the analysis, or %NULL if there is no such kind
 *   ([error@Weft.Error.INVALID_QUERY])
 *
 * Since: 0.1
 */
WeftAnalysis *
weft_analysis_new (WeftRecording *recording, const char *kind, GError **error)
{
  WeftAnalysis *self;

  g_return_val_if_fail (WEFT_IS_RECORDING (recording), NULL);
  g_return_val_if_fail (kind != NULL, NULL);

  if (find_kind (kind) == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "There is no analysis called “%s”",
                   kind);
      return NULL;
    }
  self = g_object_new (WEFT_TYPE_ANALYSIS, NULL);
  self->recording = g_object_ref (recording);
  self->kind = find_kind (kind);
  self->limit = self->kind->default_limit;
  if (self->kind->groups != NULL)
    self->group_by = g_strdup (self->kind->groups[0]);
  if (self->kind->orders != NULL)
    self->order_by = g_strdup (self->kind->orders[0]);
  return self;
}

/**
 * weft_analysis_get_kind:
 * @self: an analysis
 *
 * Returns: (transfer none): what is asked
 *
 * Since: 0.1
 */
const char *
weft_analysis_get_kind (WeftAnalysis *self)
{
  g_return_val_if_fail (WEFT_IS_ANALYSIS (self), NULL);

  return self->kind->name;
}

/**
 * weft_analysis_get_recording:
 * @self: an analysis
 *
 * Returns: (transfer none): what is asked about
 *
 * Since: 0.1
 */
WeftRecording *
weft_analysis_get_recording (WeftAnalysis *self)
{
  g_return_val_if_fail (WEFT_IS_ANALYSIS (self), NULL);

  return self->recording;
}

/**
 * weft_analysis_set_range:
 * @self: an analysis
 * @begin: nanoseconds since the start of the recording
 * @end: the same, not before @begin
 *
 * Looks only at what overlaps [@begin, @end), and clips totals to it.
 *
 * Since: 0.1
 */
void
weft_analysis_set_range (WeftAnalysis *self, gint64 begin, gint64 end)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));
  g_return_if_fail (begin <= end);

  self->begin = begin;
  self->end = end;
}

static gboolean
is_allowed (const char *const *allowed, const char *word)
{
  for (guint i = 0; allowed != NULL && allowed[i] != NULL; i++)
    if (g_str_has_suffix (allowed[i], ":") ? g_str_has_prefix (word, allowed[i])
                                           : strcmp (allowed[i], word) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
choose (char **chosen, const char *const *allowed, const char *word, const char *kind,
        GError **error)
{
  g_autofree char *list = NULL;

  if (is_allowed (allowed, word))
    {
      g_free (*chosen);
      *chosen = g_strdup (word);
      return TRUE;
    }
  list = allowed ? g_strjoinv (", ", (char **) allowed) : g_strdup ("nothing");
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "“%s” knows no “%s”; it knows: %s",
               kind, word, list);
  return FALSE;
}

/**
 * weft_analysis_set_group_by:
 * @self: an analysis
 * @group: one of [func@Analysis.kind_list_groups]
 * @error: return location for an error
 *
 * Chooses what a row stands for.
 *
 * Returns: whether the kind knows @group ([error@Weft.Error.INVALID_QUERY])
 *
 * Since: 0.1
 */
gboolean
weft_analysis_set_group_by (WeftAnalysis *self, const char *group, GError **error)
{
  g_return_val_if_fail (WEFT_IS_ANALYSIS (self), FALSE);
  g_return_val_if_fail (group != NULL, FALSE);

  if (!choose (&self->group_by, self->kind->groups, group, self->kind->name, error))
    return FALSE;
  self->has_group = TRUE;
  return TRUE;
}

/**
 * weft_analysis_set_order_by:
 * @self: an analysis
 * @order: one of [func@Analysis.kind_list_orders]
 * @error: return location for an error
 *
 * Chooses what comes first.
 *
 * Returns: whether the kind knows @order ([error@Weft.Error.INVALID_QUERY])
 *
 * Since: 0.1
 */
gboolean
weft_analysis_set_order_by (WeftAnalysis *self, const char *order, GError **error)
{
  g_return_val_if_fail (WEFT_IS_ANALYSIS (self), FALSE);
  g_return_val_if_fail (order != NULL, FALSE);

  return choose (&self->order_by, self->kind->orders, order, self->kind->name, error);
}

/**
 * weft_analysis_set_filter:
 * @self: an analysis
 * @text: (nullable): a filter, or %NULL for all
 * @error: return location for an error
 *
 * Looks only at what matches. A text that is no filter changes nothing.
 *
 * Returns: whether @text is a filter ([error@Weft.Error.INVALID_FILTER])
 *
 * Since: 0.1
 */
gboolean
weft_analysis_set_filter (WeftAnalysis *self, const char *text, GError **error)
{
  WeftFilter *filter = NULL;

  g_return_val_if_fail (WEFT_IS_ANALYSIS (self), FALSE);

  if (text != NULL)
    {
      filter = weft_filter_new (text, error);
      if (filter == NULL)
        return FALSE;
      /* One that all matches is none. */
      if (weft_filter_is_empty (filter))
        g_clear_pointer (&filter, weft_filter_unref);
    }
  g_clear_pointer (&self->filter, weft_filter_unref);
  self->filter = filter;
  return TRUE;
}

/**
 * weft_analysis_set_limit:
 * @self: an analysis
 * @limit: the number of rows at most; 0 for all
 *
 * Limits the main table.
 *
 * Since: 0.1
 */
void
weft_analysis_set_limit (WeftAnalysis *self, guint limit)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));

  self->limit = limit;
}

/**
 * weft_analysis_set_cursor:
 * @self: an analysis
 * @cursor: (nullable): [method@Table.get_cursor] of the answer before
 *
 * Goes on where an answer was cut by its limit. All else must be as it was then.
 *
 * Since: 0.1
 */
void
weft_analysis_set_cursor (WeftAnalysis *self, const char *cursor)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));

  g_free (self->cursor);
  self->cursor = g_strdup (cursor);
}

/**
 * weft_analysis_set_handle:
 * @self: an analysis
 * @handle: (nullable): handle of an object, such as `d-12`
 *
 * Asks about one object.
 *
 * Since: 0.1
 */
void
weft_analysis_set_handle (WeftAnalysis *self, const char *handle)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));

  g_free (self->handle);
  self->handle = g_strdup (handle);
}

/**
 * weft_analysis_set_at:
 * @self: an analysis
 * @at: nanoseconds since the start of the recording
 *
 * Asks about a point in time. Without it the end of the recording is meant.
 *
 * Since: 0.1
 */
void
weft_analysis_set_at (WeftAnalysis *self, gint64 at)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));

  self->at = at;
  self->has_at = TRUE;
}

/**
 * weft_analysis_set_buckets:
 * @self: an analysis
 * @n_buckets: into how many parts time is divided, at least 1
 *
 * Chooses how finely time is divided.
 *
 * Since: 0.1
 */
void
weft_analysis_set_buckets (WeftAnalysis *self, guint n_buckets)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));
  g_return_if_fail (n_buckets > 0);

  self->n_buckets = n_buckets;
}

/**
 * weft_analysis_set_mode:
 * @self: an analysis
 * @mode: one of [func@Analysis.kind_list_modes]
 * @error: return location for an error
 *
 * Chooses what it tells of, such as `cpu` or `off-cpu`. Without it the kind takes the mode that
 * suits the recording.
 *
 * Returns: whether the kind knows @mode ([error@Weft.Error.INVALID_QUERY])
 *
 * Since: 0.1
 */
gboolean
weft_analysis_set_mode (WeftAnalysis *self, const char *mode, GError **error)
{
  g_return_val_if_fail (WEFT_IS_ANALYSIS (self), FALSE);
  g_return_val_if_fail (mode != NULL, FALSE);

  return choose (&self->mode, self->kind->modes, mode, self->kind->name, error);
}

/**
 * weft_analysis_set_excluded_symbols:
 * @self: an analysis
 * @symbols: (nullable) (array zero-terminated=1): names of functions; `std::*`, `~part` and
 *   `/regular expression/` are patterns; %NULL for none
 *
 * Leaves frames of these functions out of stacks: their time is told of their callers.
 *
 * Since: 0.1
 */
void
weft_analysis_set_excluded_symbols (WeftAnalysis *self, const char *const *symbols)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));

  g_strfreev (self->excluded);
  self->excluded = symbols != NULL && *symbols != NULL ? g_strdupv ((char **) symbols) : NULL;
}

/**
 * weft_analysis_set_inlines:
 * @self: an analysis
 * @inlines: whether functions that the compiler inlined count by themselves, as called by the one
 *   that they were inlined into; else their time is that of the function whose code it is
 *
 * Chooses what functions are.
 *
 * Since: 0.1
 */
void
weft_analysis_set_inlines (WeftAnalysis *self, gboolean inlines)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));

  self->inlines = inlines;
}

/**
 * weft_analysis_set_inverted:
 * @self: an analysis
 * @inverted: whether callers stand below the functions that they call
 *
 * Turns stacks round: from where the time was spent to who called it.
 *
 * Since: 0.1
 */
void
weft_analysis_set_inverted (WeftAnalysis *self, gboolean inverted)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));

  self->inverted = inverted;
}

/**
 * weft_analysis_set_min_share:
 * @self: an analysis
 * @share: part of the whole, from 0 to 1
 *
 * Leaves out what has less than this share of the whole. What holds it keeps its total.
 *
 * Since: 0.1
 */
void
weft_analysis_set_min_share (WeftAnalysis *self, double share)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));
  g_return_if_fail (share >= 0 && share <= 1);

  self->min_share = share;
}

/* The words that an enumeration has, for a message. */
static char *
list_words (GEnumClass *words)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;

  for (guint i = 0; i < words->n_values; i++)
    g_strv_builder_add (names, words->values[i].value_nick);
  list = g_strv_builder_end (names);
  return g_strjoinv (", ", list);
}

/**
 * weft_analysis_set_reasons:
 * @self: an analysis
 * @reasons: (nullable) (array zero-terminated=1): words of [enum@WaitReason], such as `lock`; %NULL
 *   for all
 * @error: return location for an error
 *
 * Looks only at waits that have one of these reasons. A word that is none changes nothing.
 *
 * Returns: whether all are reasons ([error@Weft.Error.INVALID_QUERY])
 *
 * Since: 0.1
 */
gboolean
weft_analysis_set_reasons (WeftAnalysis *self, const char *const *reasons, GError **error)
{
  g_autoptr (GTypeClass) words = g_type_class_ref (WEFT_TYPE_WAIT_REASON);
  guint chosen = 0;

  g_return_val_if_fail (WEFT_IS_ANALYSIS (self), FALSE);

  for (guint i = 0; reasons != NULL && reasons[i] != NULL; i++)
    {
      const GEnumValue *found = g_enum_get_value_by_nick (G_ENUM_CLASS (words), reasons[i]);
      g_autofree char *list = NULL;

      if (found != NULL)
        {
          chosen |= 1u << found->value;
          continue;
        }
      list = list_words (G_ENUM_CLASS (words));
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "“%s” is no reason to wait; there are: %s", reasons[i], list);
      return FALSE;
    }
  self->reasons = chosen;
  return TRUE;
}

/**
 * weft_analysis_set_what_if:
 * @self: an analysis
 * @text: (nullable): what would be otherwise, such as `routine:gemm=2x` for a routine that is twice
 *   as fast (a name, a glob or a handle; from `0.001x` to `1000x`); %NULL for nothing
 * @error: return location for an error
 *
 * Asks what would come of it: how long it would take, and what would hold it up then. What nobody
 * can explain, and input, output and sleep, take as long as they did.
 *
 * Returns: whether @text says that ([error@Weft.Error.INVALID_QUERY])
 *
 * Since: 0.1
 */
gboolean
weft_analysis_set_what_if (WeftAnalysis *self, const char *text, GError **error)
{
  g_autoptr (WeftPathWhatIf) what_if = NULL;

  g_return_val_if_fail (WEFT_IS_ANALYSIS (self), FALSE);

  if (text != NULL)
    {
      what_if = weft_path_what_if_new (text, error);
      if (what_if == NULL)
        return FALSE;
    }
  g_free (self->what_if);
  self->what_if = g_strdup (text);
  return TRUE;
}

static WeftReport *
run (gpointer source, const WeftReportProgress *progress, GCancellable *cancellable, GError **error)
{
  WeftAnalysis *self = source;
  g_autoptr (WeftReport) report = weft_report_new (self->kind->name, self->kind->single);
  g_autoptr (WeftStore) store = weft_recording_ref_store (self->recording);
  WeftAnalysisScope scope = {
    .recording = self->recording,
    .store = store,
    .filter = self->filter,
    .begin = self->begin,
    .end = self->end,
    .group_by = self->group_by,
    .order_by = self->order_by,
    .limit = self->limit,
    .cursor = self->cursor,
    .handle = self->handle,
    .has_at = self->has_at,
    .at = self->at,
    .n_buckets = self->n_buckets,
    .mode = self->mode,
    .has_group = self->has_group,
    .excluded = (const char *const *) self->excluded,
    .inlines = self->inlines,
    .inverted = self->inverted,
    .min_share = self->min_share,
    .reasons = self->reasons,
    .what_if = self->what_if,
    .cancellable = cancellable,
    .progress = progress ? progress->callback : NULL,
    .progress_data = progress ? progress->data : NULL,
  };

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !self->kind->run (&scope, report, error))
    return NULL;
  return g_steal_pointer (&report);
}

/**
 * weft_analysis_run:
 * @self: an analysis
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Finds the answer.
 *
 * Returns: (transfer full): the answer
 *
 * Since: 0.1
 */
WeftReport *
weft_analysis_run (WeftAnalysis *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (WEFT_IS_ANALYSIS (self), NULL);

  return run (self, NULL, cancellable, error);
}

/**
 * weft_analysis_run_async:
 * @self: an analysis, which must not be changed until it has run
 * @cancellable: (nullable): a cancellable
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how far it is, as parts of a whole; may be called on another thread
 * @progress_data: for @progress
 * @progress_destroy: frees @progress_data
 * @callback: (scope async) (closure user_data): called when it has run
 * @user_data: for @callback
 *
 * Finds the answer without blocking.
 *
 * Since: 0.1
 */
void
weft_analysis_run_async (WeftAnalysis *self, GCancellable *cancellable,
                         GFileProgressCallback progress, gpointer progress_data,
                         GDestroyNotify progress_destroy, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_return_if_fail (WEFT_IS_ANALYSIS (self));

  weft_report_task_run (self, run,
                        (WeftReportProgress){ progress, progress_data, progress_destroy },
                        cancellable, callback, user_data);
}

/**
 * weft_analysis_run_finish:
 * @self: an analysis
 * @result: the result
 * @error: return location for an error
 *
 * Ends what [method@Analysis.run_async] began.
 *
 * Returns: (transfer full): the answer
 *
 * Since: 0.1
 */
WeftReport *
weft_analysis_run_finish (WeftAnalysis *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (WEFT_IS_ANALYSIS (self), NULL);

  return weft_report_task_finish (self, result, error);
}
