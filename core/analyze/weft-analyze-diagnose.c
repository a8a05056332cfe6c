/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a recording can be relied on, question by question, and what to do where it cannot. */

#include "weft-analyze.h"
#include "weft-diagnosis.h"
#include "weft-enum-types.h"

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

#define MAX_NAMES 6
#define MAX_HANDLES 32

void
weft_finding_objects_init (WeftFindingObjects *self)
{
  self->count = 0;
  self->n_names = 0;
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->handles = g_string_new (NULL);
  self->names = g_string_new (NULL);
}

void
weft_finding_objects_clear (WeftFindingObjects *self)
{
  g_string_free (self->handles, TRUE);
  g_string_free (self->names, TRUE);
  g_hash_table_unref (self->seen);
}

void
weft_finding_objects_add (WeftFindingObjects *self, const char *prefix, guint64 id,
                          const char *name)
{
  if (self->count < MAX_HANDLES)
    g_string_append_printf (self->handles, "%s%s-%" G_GUINT64_FORMAT, self->count > 0 ? " " : "",
                            prefix, id);
  self->count++;
  if (name == NULL)
    name = "(no name)";
  if (!g_hash_table_add (self->seen, g_strdup (name)))
    return;
  if (self->n_names < MAX_NAMES)
    g_string_append_printf (self->names, "%s%s", self->n_names > 0 ? ", " : "", name);
  self->n_names++;
}

const char *
weft_finding_objects_get_names (WeftFindingObjects *self)
{
  if (self->n_names > MAX_NAMES)
    {
      g_string_append_printf (self->names, " and %" G_GUINT64_FORMAT " more",
                              self->n_names - MAX_NAMES);
      /* Once. */
      self->n_names = MAX_NAMES;
    }
  return self->names->str;
}

void
weft_diagnosis_add (WeftDiagnosis *self, const char *check, const char *question,
                    WeftVerdict verdict, const char *advice, WeftFindingObjects *objects,
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
  if (objects != NULL && objects->handles->len > 0)
    weft_table_builder_set_string (self->builder, HANDLES, objects->handles->str);
}

guint64
weft_diagnosis_count (WeftDiagnosis *self, WeftTableId table)
{
  return weft_store_get_n_rows (self->scope->store, table);
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
    weft_diagnose_recording, weft_diagnose_cpu,     weft_diagnose_symbols,  weft_diagnose_arrival,
    weft_diagnose_origins,   weft_diagnose_sources, weft_diagnose_counters, weft_diagnose_derived,
    weft_diagnose_clocks,    weft_diagnose_losses,
  };
  g_autoptr (WeftTableBuilder) builder = weft_answer_begin_table ("diagnose", columns, N_COLUMNS);
  g_autoptr (WeftCatalog) catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  WeftDiagnosis self = { scope, catalog, builder };

  if (catalog == NULL)
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
