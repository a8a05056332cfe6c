/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-answer.h"

G_BEGIN_DECLS

/* A diagnosis being made: its checks add findings, in the order in which they are asked. */
typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftTableBuilder *builder;
} WeftDiagnosis;

/* Objects of a finding: the first few as handles, and the first few names, each once. */
typedef struct
{
  guint64 count;
  guint64 n_names;
  GHashTable *seen; /* names */
  GString *handles;
  GString *names;
} WeftFindingObjects;

void weft_finding_objects_init (WeftFindingObjects *self);
void weft_finding_objects_clear (WeftFindingObjects *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftFindingObjects, weft_finding_objects_clear)

/* PREFIX of the handle; NAME may be NULL. */
void weft_finding_objects_add (WeftFindingObjects *self, const char *prefix, guint64 id,
                               const char *name);
/* "a, b and 3 more" */
const char *weft_finding_objects_get_names (WeftFindingObjects *self);

/* CHECK is stable; ADVICE and OBJECTS may be NULL; EVIDENCE is a format. */
void weft_diagnosis_add (WeftDiagnosis *self, const char *check, const char *question,
                         WeftVerdict verdict, const char *advice, WeftFindingObjects *objects,
                         const char *evidence, ...) G_GNUC_PRINTF (7, 8);

guint64 weft_diagnosis_count (WeftDiagnosis *self, WeftTableId table);

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
gboolean weft_diagnose_sources (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_counters (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_derived (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_losses (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_clocks (WeftDiagnosis *self, GError **error);
gboolean weft_diagnose_recording (WeftDiagnosis *self, GError **error);

G_END_DECLS
