/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-detail.h"
#include "weft-finding.h"
#include "weft-recording.h"
#include "weft-vocabulary.h"

G_BEGIN_DECLS

#define WEFT_TYPE_DOMAIN (weft_domain_get_type ())
WEFT_API
G_DECLARE_INTERFACE (WeftDomain, weft_domain, WEFT, DOMAIN, GObject)

/**
 * WeftDomainInterface:
 * @parent_interface: the parent
 * @get_name: its name: lower case letters, digits and dashes
 * @get_vocabulary: its words
 * @diagnose: its checks of a recording, a list of [class@Finding]; may be left out
 * @get_details: what it adds to a thing's details, a list of [class@Detail]; may be left out
 * @concerns: whether it wants to check a recording that has no lane of its kinds; may be left out
 *
 * What a domain does. Strings and objects are handed over to the caller. All of it is called on
 * the main context.
 *
 * Since: 0.1
 */
struct _WeftDomainInterface
{
  GTypeInterface parent_interface;

  char *(*get_name) (WeftDomain *self);
  WeftVocabulary *(*get_vocabulary) (WeftDomain *self);
  GListModel *(*diagnose) (WeftDomain *self, WeftRecording *recording, GCancellable *cancellable,
                           GError **error);
  GListModel *(*get_details) (WeftDomain *self, WeftRecording *recording, GObject *object);
  gboolean (*concerns) (WeftDomain *self, WeftRecording *recording);

  /*< private >*/
  gpointer _reserved[7];
};

WEFT_API char *weft_domain_get_name (WeftDomain *self);
WEFT_API WeftVocabulary *weft_domain_get_vocabulary (WeftDomain *self);
WEFT_API gboolean weft_domain_concerns (WeftDomain *self, WeftRecording *recording);
WEFT_API GListModel *weft_domain_diagnose (WeftDomain *self, WeftRecording *recording,
                                           GCancellable *cancellable, GError **error);
WEFT_API GListModel *weft_domain_get_details (WeftDomain *self, WeftRecording *recording,
                                              GObject *object);

G_END_DECLS
