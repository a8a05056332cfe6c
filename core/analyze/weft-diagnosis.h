/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-answer.h"
#include "weft-subjects.h"
#include "weft-vocabulary.h"

G_BEGIN_DECLS

/* A diagnosis being made: its checks add findings, in the order in which they are asked. */
typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftVocabulary *words;
  WeftTable *work; /* lane, routine, and how many dispatches they have in common */
  WeftTableBuilder *builder;
} WeftDiagnosis;

/* CHECK is stable; ADVICE and SUBJECTS may be NULL; EVIDENCE is a format. */
void weft_diagnosis_add (WeftDiagnosis *self, const char *check, const char *question,
                         WeftVerdict verdict, const char *advice, WeftSubjects *subjects,
                         const char *evidence, ...) G_GNUC_PRINTF (7, 8);

guint64 weft_diagnosis_count (WeftDiagnosis *self, WeftTableId table);

/* What people call a thread: threads of a pool have one name. To be freed. */
char *weft_diagnosis_name_thread (WeftDiagnosis *self, guint64 thread, gint64 tid);

/* ONE or MANY: what stands behind COUNT in a sentence. */
static inline const char *
weft_plural (guint64 count, const char *one, const char *many)
{
  return count == 1 ? one : many;
}

/* The checks, by what they are about. */
gboolean weft_diagnose_arrival (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_cpu (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_symbols (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_origins (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_parallel (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_sources (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_counters (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_derived (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_losses (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_clocks (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_recording (WeftDiagnosis *self, GError **error);

G_END_DECLS
