/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-inquiry.h"

#include "weft-analysis.h"
#include "weft-query.h"

/**
 * WeftInquiry:
 *
 * One diagnosis of a domain: what it asks of a recording, and what it found.
 *
 * It is made in [vfunc@Domain.diagnose], asked, told the findings, and ended there. The first
 * question that fails ends the asking: from then on answers are empty and findings are passed
 * over, so that each need not be checked, and [method@Inquiry.end] says what went wrong. Where time
 * ran out, what was found until then is kept, and a finding says that there was too little of it.
 *
 * Since: 0.1
 */
struct _WeftInquiry
{
  GObject parent_instance;

  char *domain;
  WeftRecording *recording;
  GCancellable *cancellable;
  GListStore *findings;
  GError *error; /* the first */
};

G_DEFINE_FINAL_TYPE (WeftInquiry, weft_inquiry, G_TYPE_OBJECT)

static void
weft_inquiry_finalize (GObject *object)
{
  WeftInquiry *self = WEFT_INQUIRY (object);

  g_free (self->domain);
  g_clear_object (&self->recording);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->findings);
  g_clear_error (&self->error);

  G_OBJECT_CLASS (weft_inquiry_parent_class)->finalize (object);
}

static void
weft_inquiry_class_init (WeftInquiryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_inquiry_finalize;
}

static void
weft_inquiry_init (WeftInquiry *self)
{
  self->findings = g_list_store_new (WEFT_TYPE_FINDING);
}

/**
 * weft_inquiry_new:
 * @domain: name of the domain that asks
 * @recording: what it asks about
 * @cancellable: (nullable): ends the asking
 *
 * Returns: (transfer full): an inquiry that found nothing yet
 *
 * Since: 0.1
 */
WeftInquiry *
weft_inquiry_new (const char *domain, WeftRecording *recording, GCancellable *cancellable)
{
  WeftInquiry *self;

  g_return_val_if_fail (domain != NULL, NULL);
  g_return_val_if_fail (WEFT_IS_RECORDING (recording), NULL);

  self = g_object_new (WEFT_TYPE_INQUIRY, NULL);
  self->domain = g_strdup (domain);
  g_set_object (&self->recording, recording);
  g_set_object (&self->cancellable, cancellable);
  return self;
}

/**
 * weft_inquiry_get_recording:
 * @self: an inquiry
 *
 * Returns: (transfer none): what it asks about
 *
 * Since: 0.1
 */
WeftRecording *
weft_inquiry_get_recording (WeftInquiry *self)
{
  g_return_val_if_fail (WEFT_IS_INQUIRY (self), NULL);

  return self->recording;
}

/* ---- Asking ---- */

static gboolean
compose (WeftQuery *query, const char *filter, const char *const *groups,
         const char *const *selects, const char *order, GError **error)
{
  if (filter != NULL && !weft_query_set_filter_text (query, filter, error))
    return FALSE;
  for (guint i = 0; groups != NULL && groups[i] != NULL; i++)
    if (!weft_query_group_by (query, groups[i], NULL, error))
      return FALSE;
  for (guint i = 0; selects != NULL && selects[i] != NULL; i++)
    if (!weft_query_select (query, selects[i], NULL, error))
      return FALSE;
  return order == NULL ||
         weft_query_order_by (query, order + (*order == '-'), *order == '-', error);
}

/**
 * weft_inquiry_ask:
 * @self: an inquiry
 * @table: name of a table
 * @filter: (nullable): which rows, in the filter language
 * @groups: (nullable) (array zero-terminated=1): what to group by; the first columns of the answer
 * @selects: (nullable) (array zero-terminated=1): the columns that follow them
 * @order: (nullable): what to order by; a "-" before it: descending
 * @limit: the most rows; 0 for all
 *
 * Asks a query.
 *
 * Returns: (transfer full) (nullable): the answer; %NULL if it failed, or one before it did
 *
 * Since: 0.1
 */
WeftTable *
weft_inquiry_ask (WeftInquiry *self, const char *table, const char *filter,
                  const char *const *groups, const char *const *selects, const char *order,
                  guint limit)
{
  g_autoptr (WeftQuery) query = NULL;

  g_return_val_if_fail (WEFT_IS_INQUIRY (self), NULL);
  g_return_val_if_fail (table != NULL, NULL);

  if (self->error != NULL)
    return NULL;
  query = weft_query_new (table, &self->error);
  if (query == NULL || !compose (query, filter, groups, selects, order, &self->error))
    return NULL;
  weft_query_set_limit (query, limit);
  return weft_query_run (query, self->recording, self->cancellable, &self->error);
}

/**
 * weft_inquiry_ask_number:
 * @self: an inquiry
 * @table: name of a table
 * @filter: (nullable): which rows, in the filter language
 * @select: what to compute of them, such as `count()` or `p95(duration)`
 *
 * Asks for one number.
 *
 * Returns: the number; 0 if there is none, or something failed
 *
 * Since: 0.1
 */
double
weft_inquiry_ask_number (WeftInquiry *self, const char *table, const char *filter,
                         const char *select)
{
  const char *const selects[] = { select, NULL };
  g_autoptr (WeftTable) answer = weft_inquiry_ask (self, table, filter, NULL, selects, NULL, 1);

  return answer == NULL || weft_table_get_n_rows (answer) == 0 || weft_table_is_null (answer, 0, 0)
             ? 0
             : weft_table_get_double (answer, 0, 0);
}

/**
 * weft_inquiry_analyze:
 * @self: an inquiry
 * @kind: a kind of analysis, such as `target-lanes`
 * @filter: (nullable): which rows, in the filter language
 *
 * Asks for a whole answer, with no limit to its rows.
 *
 * Returns: (transfer full) (nullable): the answer; %NULL if it failed, or one before it did
 *
 * Since: 0.1
 */
WeftReport *
weft_inquiry_analyze (WeftInquiry *self, const char *kind, const char *filter)
{
  g_autoptr (WeftAnalysis) analysis = NULL;

  g_return_val_if_fail (WEFT_IS_INQUIRY (self), NULL);
  g_return_val_if_fail (kind != NULL, NULL);

  if (self->error != NULL)
    return NULL;
  analysis = weft_analysis_new (self->recording, kind, &self->error);
  if (analysis == NULL ||
      (filter != NULL && !weft_analysis_set_filter (analysis, filter, &self->error)))
    return NULL;
  weft_analysis_set_limit (analysis, 0);
  return weft_analysis_run (analysis, self->cancellable, &self->error);
}

/* ---- Telling ---- */

/**
 * weft_inquiry_add:
 * @self: an inquiry
 * @check: name of the check, `DOMAIN.WORDS-WITH-DASHES`
 * @question: what was asked, as a sentence
 * @verdict: the answer
 * @evidence: what it rests on
 * @advice: (nullable): what to do; it is left out where the verdict is good
 * @handles: (nullable) (array zero-terminated=1): handles of the things it is about
 *
 * Adds a finding, unless a question before it failed: then what it rests on is not known.
 *
 * Since: 0.1
 */
void
weft_inquiry_add (WeftInquiry *self, const char *check, const char *question, WeftVerdict verdict,
                  const char *evidence, const char *advice, const char *const *handles)
{
  g_autoptr (WeftFinding) finding = NULL;

  g_return_if_fail (WEFT_IS_INQUIRY (self));
  g_return_if_fail (check != NULL && question != NULL && evidence != NULL);

  if (self->error != NULL)
    return;
  finding = weft_finding_new (check, question, verdict, evidence,
                              verdict == WEFT_VERDICT_GOOD ? NULL : advice, handles);
  g_list_store_append (self->findings, finding);
}

/**
 * weft_inquiry_is_over:
 * @self: an inquiry
 *
 * Returns: whether a question failed, so that nothing more can be asked
 *
 * Since: 0.1
 */
gboolean
weft_inquiry_is_over (WeftInquiry *self)
{
  g_return_val_if_fail (WEFT_IS_INQUIRY (self), TRUE);

  return self->error != NULL;
}

static void
tell_of_time (WeftInquiry *self)
{
  g_autofree char *check = g_strdup_printf ("%s.time", self->domain);
  g_autofree char *evidence =
      g_strdup_printf ("No: after %u, the others that are about %s were left out",
                       g_list_model_get_n_items (G_LIST_MODEL (self->findings)), self->domain);

  g_clear_error (&self->error);
  weft_inquiry_add (self, check, "Was there time for all checks?", WEFT_VERDICT_ATTENTION, evidence,
                    "Record for a shorter time", NULL);
}

/**
 * weft_inquiry_end:
 * @self: an inquiry
 * @error: where to say what went wrong
 *
 * Ends it. Where it was cancelled, what was found until then is told, with a finding that says so.
 *
 * Returns: (transfer full): list of [class@Finding]; %NULL if a question failed
 *
 * Since: 0.1
 */
GListModel *
weft_inquiry_end (WeftInquiry *self, GError **error)
{
  g_return_val_if_fail (WEFT_IS_INQUIRY (self), NULL);

  if (g_error_matches (self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    tell_of_time (self);
  if (self->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return NULL;
    }
  return G_LIST_MODEL (g_object_ref (self->findings));
}
