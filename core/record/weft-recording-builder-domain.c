/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a recording that is made of rows takes of a domain: its words, and what it finds. */

#include "weft-recording-builder-domain.h"

#include "weft-enums.h"
#include "weft-error.h"
#include "weft-finding.h"
#include "weft-recording.h"
#include "weft-vocabulary.h"

#define MAX_FINDINGS 256

/* Texts of VALUES, which goes with the names of FIELDS; NULL is left out. */
static gboolean
add_texts (WeftRecordingBuilder *self, const char *table, const char *const *fields,
           const char *const *values, const char *number_field, guint number, GError **error)
{
  GVariantBuilder row = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  for (guint i = 0; fields[i] != NULL; i++)
    if (values[i] != NULL)
      g_variant_builder_add (&row, "{sv}", fields[i], g_variant_new_string (values[i]));
  if (number_field != NULL)
    g_variant_builder_add (&row, "{sv}", number_field, g_variant_new_uint32 (number));
  return weft_recording_builder_add_row (self, table, g_variant_builder_end (&row), NULL, error);
}

static gboolean
add_words (WeftRecordingBuilder *self, WeftDomain *domain, GError **error)
{
  static const char *const fields[] = { "domain", "scope", "subject", "key", "text", NULL };
  g_autoptr (WeftVocabulary) vocabulary = weft_domain_get_vocabulary (domain);
  g_autoptr (GVariant) rows = weft_vocabulary_to_rows (vocabulary);
  const char *values[5];
  GVariantIter iter;

  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_next (&iter, "(&s&s&s&s&s)", &values[0], &values[1], &values[2], &values[3],
                              &values[4]))
    if (!add_texts (self, "words", fields, values, NULL, 0, error))
      return FALSE;
  return TRUE;
}

static gboolean
add_finding (WeftRecordingBuilder *self, const char *domain, WeftFinding *finding, GError **error)
{
  static const char *const fields[] = { "domain", "check",   "question", "evidence",
                                        "advice", "handles", NULL };
  const char *const *list = weft_finding_get_handles (finding);
  g_autofree char *handles = list != NULL ? g_strjoinv (" ", (char **) list) : NULL;
  const char *const values[] = { domain,
                                 weft_finding_get_check (finding),
                                 weft_finding_get_question (finding),
                                 weft_finding_get_evidence (finding),
                                 weft_finding_get_advice (finding),
                                 handles };

  return add_texts (self, "findings", fields, values, "verdict", weft_finding_get_verdict (finding),
                    error);
}

static WeftRecording *
read_recording (WeftRecordingBuilder *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (weft_recording_builder_get_path (self));

  if (!weft_recording_builder_flush (self, cancellable, error))
    return NULL;
  return weft_recording_open (file, cancellable, error);
}

static gboolean
add_findings (WeftRecordingBuilder *self, WeftDomain *domain, GCancellable *cancellable,
              GError **error)
{
  g_autofree char *name = weft_domain_get_name (domain);
  g_autoptr (WeftRecording) recording = read_recording (self, cancellable, error);
  g_autoptr (GListModel) findings = NULL;

  if (recording == NULL)
    return FALSE;
  findings = weft_domain_diagnose (domain, recording, cancellable, error);
  if (findings == NULL)
    return FALSE;
  for (guint i = 0; i < MIN (g_list_model_get_n_items (findings), MAX_FINDINGS); i++)
    {
      g_autoptr (GObject) finding = g_list_model_get_item (findings, i);

      if (WEFT_IS_FINDING (finding) && !add_finding (self, name, WEFT_FINDING (finding), error))
        return FALSE;
    }
  return TRUE;
}

/**
 * weft_recording_builder_add_domain:
 * @self: a builder that has all its other rows
 * @domain: the domain that the data belong to
 * @cancellable: (nullable): a cancellable
 * @error: where to say what went wrong
 *
 * Gives the recording the words of a domain, and what the domain finds in the rows: it is shown
 * them as a recording that is not finished. Both are kept in the file, as
 * [method@Recorder.add_plugins] and [method@Recorder.add_domain_findings] do for recorders. The
 * domain is asked on the thread that calls this.
 *
 * Returns: %FALSE with the errors of [method@RecordingBuilder.add_row], or those of the domain
 *
 * Since: 0.1
 */
gboolean
weft_recording_builder_add_domain (WeftRecordingBuilder *self, WeftDomain *domain,
                                   GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), FALSE);
  g_return_val_if_fail (WEFT_IS_DOMAIN (domain), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return add_words (self, domain, error) && add_findings (self, domain, cancellable, error);
}
