/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a recording can be relied on, question by question, and what to do where it cannot. */

#include "weft-analyze.h"
#include "weft-conservation.h"
#include "weft-diagnosis.h"
#include "weft-enum-types.h"
#include "weft-recording-private.h"

enum
{
  CHECK,
  QUESTION,
  VERDICT,
  EVIDENCE,
  ADVICE,
  HANDLES,
  DOMAIN,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_COLUMN ("check", STRING),
  WEFT_ANSWER_COLUMN ("question", STRING),
  WEFT_ANSWER_ENUM ("verdict", weft_verdict_get_type),
  WEFT_ANSWER_COLUMN ("evidence", STRING),
  WEFT_ANSWER_COLUMN ("advice", STRING),
  WEFT_ANSWER_COLUMN ("handles", STRING),
  WEFT_ANSWER_COLUMN ("domain", STRING),
};

/* ---- Findings ---- */

void
weft_diagnosis_add (WeftDiagnosis *self, const char *check, const char *question,
                    WeftVerdict verdict, const char *advice, WeftSubjects *subjects,
                    const char *evidence, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, evidence);
  text = g_strdup_vprintf (evidence, arguments);
  va_end (arguments);
  weft_table_builder_begin_row (self->builder);
  weft_table_builder_set_string (self->builder, CHECK, check);
  weft_table_builder_set_string (self->builder, QUESTION, question);
  weft_table_builder_set_uint64 (self->builder, VERDICT, verdict);
  weft_table_builder_set_string (self->builder, EVIDENCE, text);
  weft_table_builder_set_string (self->builder, ADVICE, advice);
  if (subjects != NULL && weft_subjects_get_handles (subjects)[0] != NULL)
    {
      g_autofree char *handles = g_strjoinv (" ", (char **) weft_subjects_get_handles (subjects));

      weft_table_builder_set_string (self->builder, HANDLES, handles);
    }
}

guint64
weft_diagnosis_count (WeftDiagnosis *self, WeftTableId table)
{
  return weft_store_get_n_rows (self->scope->store, table);
}

char *
weft_diagnosis_name_thread (WeftDiagnosis *self, guint64 thread, gint64 tid)
{
  const WeftCatalogThread *found = weft_catalog_get_thread (self->catalog, (guint32) thread);

  return g_strdup_printf ("%s (%" G_GINT64_FORMAT ")",
                          found != NULL && found->name != NULL ? found->name : "(no name)", tid);
}

/* ---- What domains found ---- */

#define MAX_FOUND 4096 /* no sound recording comes near */

static gboolean
add_found (WeftDiagnosis *self, GError **error)
{
  static const struct
  {
    guint column;
    WeftColumnNumber number;
  } copied[] = {
    { CHECK, WEFT_FINDINGS_CHECK },     { QUESTION, WEFT_FINDINGS_QUESTION },
    { VERDICT, WEFT_FINDINGS_VERDICT }, { EVIDENCE, WEFT_FINDINGS_EVIDENCE },
    { ADVICE, WEFT_FINDINGS_ADVICE },   { HANDLES, WEFT_FINDINGS_HANDLES },
    { DOMAIN, WEFT_FINDINGS_DOMAIN },
  };
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_FINDINGS);

  for (guint n = 0; n < MAX_FOUND && weft_row_cursor_next (rows); n++)
    {
      weft_table_builder_begin_row (self->builder);
      for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
        weft_answer_copy (self->builder, copied[i].column, rows, copied[i].number);
    }
  return weft_row_cursor_finish (rows, error);
}

/* ---- The kind ---- */

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  static gboolean (*const checks[]) (WeftDiagnosis *, GError **) = {
    weft_diagnose_recording, weft_diagnose_cpu,      weft_diagnose_symbols, weft_diagnose_arrival,
    weft_diagnose_origins,   weft_diagnose_parallel, weft_diagnose_sources, weft_diagnose_counters,
    weft_diagnose_derived,   weft_diagnose_clocks,   weft_diagnose_losses,
  };
  g_autoptr (WeftVocabulary) words = weft_recording_get_vocabulary (scope->recording);
  g_autoptr (WeftTableBuilder) builder = weft_answer_begin_table ("diagnose", columns, N_COLUMNS);
  g_autoptr (WeftCatalog) catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  g_autoptr (WeftTable) work = catalog != NULL ? weft_conservation_count_work (scope, error) : NULL;
  WeftDiagnosis self = { scope, catalog, words, work, builder };

  if (work == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    if (!checks[i](&self, error))
      return FALSE;
  if (!add_found (&self, error))
    return FALSE;
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return TRUE;
}

const WeftAnalysisKind weft_analyze_diagnose = {
  .name = "diagnose",
  .summary = "Whether the recording can be relied on, and what to do where it cannot",
  .run = run,
};
