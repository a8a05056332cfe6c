/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-enums.h"
#include "weft-version.h"

G_BEGIN_DECLS

#define WEFT_TYPE_TERM (weft_term_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftTerm, weft_term, WEFT, TERM, GObject)

WEFT_API const char *weft_term_get_name (WeftTerm *self);
WEFT_API const char *weft_term_get_domain (WeftTerm *self);
WEFT_API const char *weft_term_get_label (WeftTerm *self);
WEFT_API const char *weft_term_get_unit (WeftTerm *self);
WEFT_API const char *weft_term_get_description (WeftTerm *self);
WEFT_API const char *weft_term_get_expression (WeftTerm *self);
WEFT_API WeftPolarity weft_term_get_polarity (WeftTerm *self);

#define WEFT_TYPE_VOCABULARY (weft_vocabulary_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftVocabulary, weft_vocabulary, WEFT, VOCABULARY, GObject)

WEFT_API WeftVocabulary *weft_vocabulary_new (const char *domain);
WEFT_API WeftVocabulary *weft_vocabulary_new_from_rows (GVariant *rows, GError **error);
WEFT_API GVariant *weft_vocabulary_to_rows (WeftVocabulary *self);
WEFT_API guint weft_vocabulary_get_n_rows (WeftVocabulary *self);
WEFT_API void weft_vocabulary_get_row (WeftVocabulary *self, guint index, const char **domain,
                                       const char **scope, const char **subject, const char **key,
                                       const char **text);
WEFT_API gboolean weft_vocabulary_add_row (WeftVocabulary *self, const char *domain,
                                           const char *scope, const char *subject, const char *key,
                                           const char *text, GError **error);
WEFT_API void weft_vocabulary_merge (WeftVocabulary *self, WeftVocabulary *other);

WEFT_API void weft_vocabulary_set_title (WeftVocabulary *self, const char *label,
                                         const char *description);
WEFT_API void weft_vocabulary_add_kind (WeftVocabulary *self, const char *pattern,
                                        const char *label, const char *icon_name,
                                        const char *color);
WEFT_API void weft_vocabulary_set_self_driven (WeftVocabulary *self, const char *pattern,
                                               gboolean self_driven);
WEFT_API void weft_vocabulary_add_word (WeftVocabulary *self, const char *pattern, const char *word,
                                        const char *singular, const char *plural);
WEFT_API void weft_vocabulary_add_attribute (WeftVocabulary *self, const char *key,
                                             const char *label, const char *unit,
                                             const char *description);
WEFT_API void weft_vocabulary_add_counter (WeftVocabulary *self, const char *name,
                                           const char *label, const char *unit,
                                           const char *description, WeftPolarity polarity);
WEFT_API void weft_vocabulary_add_metric (WeftVocabulary *self, const char *name, const char *label,
                                          const char *unit, const char *description,
                                          WeftPolarity polarity);
WEFT_API void weft_vocabulary_add_derived_metric (WeftVocabulary *self, const char *name,
                                                  const char *expression, const char *label,
                                                  const char *unit, const char *description,
                                                  WeftPolarity polarity);
WEFT_API void weft_vocabulary_add_hint (WeftVocabulary *self, const char *code, const char *text);

WEFT_API char **weft_vocabulary_get_domains (WeftVocabulary *self);
WEFT_API const char *weft_vocabulary_get_domain_label (WeftVocabulary *self, const char *domain);
WEFT_API const char *weft_vocabulary_get_domain_description (WeftVocabulary *self,
                                                             const char *domain);
WEFT_API const char *weft_vocabulary_find_domain (WeftVocabulary *self, const char *kind);
WEFT_API char **weft_vocabulary_get_kinds (WeftVocabulary *self);
WEFT_API const char *weft_vocabulary_get_label (WeftVocabulary *self, const char *kind);
WEFT_API const char *weft_vocabulary_get_icon_name (WeftVocabulary *self, const char *kind);
WEFT_API const char *weft_vocabulary_get_color (WeftVocabulary *self, const char *kind);
WEFT_API gboolean weft_vocabulary_is_self_driven (WeftVocabulary *self, const char *kind);
WEFT_API const char *weft_vocabulary_get_word (WeftVocabulary *self, const char *kind,
                                               const char *word, gboolean plural);
WEFT_API WeftTerm *weft_vocabulary_get_attribute (WeftVocabulary *self, const char *kind,
                                                  const char *key);
WEFT_API WeftTerm *weft_vocabulary_get_counter (WeftVocabulary *self, const char *kind,
                                                const char *name);
WEFT_API WeftTerm *weft_vocabulary_get_metric (WeftVocabulary *self, const char *kind,
                                               const char *name);
WEFT_API WeftTerm *weft_vocabulary_get_derived_metric (WeftVocabulary *self, const char *kind,
                                                       const char *name);
WEFT_API GListModel *weft_vocabulary_get_attributes (WeftVocabulary *self);
WEFT_API GListModel *weft_vocabulary_get_counters (WeftVocabulary *self);
WEFT_API GListModel *weft_vocabulary_get_metrics (WeftVocabulary *self);
WEFT_API GListModel *weft_vocabulary_get_derived_metrics (WeftVocabulary *self);
WEFT_API const char *weft_vocabulary_get_hint (WeftVocabulary *self, const char *code);

G_END_DECLS
