/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-domain.h"

#include "weft-error.h"
#include "weft-plugin-private.h"

/**
 * WeftDomain:
 *
 * What a field of work calls things, and what it knows to look for.
 *
 * The core knows lanes, submissions, dispatches and routines; a domain gives the words that people
 * of the field use, with units, colours and hints, as a [class@Vocabulary]. It may check recordings
 * and add to the details of things.
 *
 * Since: 0.1
 */
G_DEFINE_INTERFACE (WeftDomain, weft_domain, G_TYPE_OBJECT)

static void
weft_domain_default_init (WeftDomainInterface *interface)
{
}

/**
 * weft_domain_get_name:
 * @self: a domain
 *
 * Returns: (transfer full): its name: lower case letters, digits and dashes
 *
 * Since: 0.1
 */
char *
weft_domain_get_name (WeftDomain *self)
{
  WeftDomainInterface *interface;

  g_return_val_if_fail (WEFT_IS_DOMAIN (self), NULL);

  interface = WEFT_DOMAIN_GET_IFACE (self);
  return weft_extension_text (self,
                              interface->get_name != NULL ? interface->get_name (self) : NULL);
}

/**
 * weft_domain_get_vocabulary:
 * @self: a domain
 *
 * Returns: (transfer full): its words; a vocabulary without rows if it has none
 *
 * Since: 0.1
 */
WeftVocabulary *
weft_domain_get_vocabulary (WeftDomain *self)
{
  WeftDomainInterface *interface;
  WeftVocabulary *vocabulary = NULL;

  g_return_val_if_fail (WEFT_IS_DOMAIN (self), NULL);

  interface = WEFT_DOMAIN_GET_IFACE (self);
  if (interface->get_vocabulary != NULL)
    vocabulary = interface->get_vocabulary (self);
  return vocabulary != NULL ? vocabulary : weft_vocabulary_new (NULL);
}

/**
 * weft_domain_concerns:
 * @self: a domain
 * @recording: a recording without a lane of its kinds
 *
 * Asks whether the domain has something to say of a recording though nothing was reported that is
 * of its kinds: perhaps it sees that a program did such work, and can tell how to have it reported.
 * Call it on the main context; it is to be quick.
 *
 * Returns: whether it wants to be asked for findings
 *
 * Since: 0.1
 */
gboolean
weft_domain_concerns (WeftDomain *self, WeftRecording *recording)
{
  WeftDomainInterface *interface;

  g_return_val_if_fail (WEFT_IS_DOMAIN (self), FALSE);
  g_return_val_if_fail (WEFT_IS_RECORDING (recording), FALSE);

  interface = WEFT_DOMAIN_GET_IFACE (self);
  return interface->concerns != NULL && interface->concerns (self, recording);
}

/**
 * weft_domain_diagnose:
 * @self: a domain
 * @recording: a recording
 * @cancellable: (nullable): a cancellable
 * @error: where to say what went wrong
 *
 * Asks the domain's own questions of a recording. Call it on the main context.
 *
 * Returns: (transfer full): list of [class@Finding], empty if it has nothing to ask
 *
 * Since: 0.1
 */
GListModel *
weft_domain_diagnose (WeftDomain *self, WeftRecording *recording, GCancellable *cancellable,
                      GError **error)
{
  WeftDomainInterface *interface;
  GError *failure = NULL;
  GListModel *findings;

  g_return_val_if_fail (WEFT_IS_DOMAIN (self), NULL);
  g_return_val_if_fail (WEFT_IS_RECORDING (recording), NULL);

  interface = WEFT_DOMAIN_GET_IFACE (self);
  if (interface->diagnose == NULL)
    return G_LIST_MODEL (g_list_store_new (WEFT_TYPE_FINDING));
  findings = interface->diagnose (self, recording, cancellable, &failure);
  if (!weft_extension_succeeded (self, "diagnose", findings != NULL, failure, error))
    g_clear_object (&findings);
  return findings;
}

/**
 * weft_domain_get_details:
 * @self: a domain
 * @recording: the recording that @object belongs to
 * @object: a thing out of it, such as a dispatch
 *
 * What the domain adds to the details of @object. Call it on the main context.
 *
 * Returns: (transfer full): list of [class@Detail], empty if it has nothing to add
 *
 * Since: 0.1
 */
GListModel *
weft_domain_get_details (WeftDomain *self, WeftRecording *recording, GObject *object)
{
  WeftDomainInterface *interface;
  GListModel *details = NULL;

  g_return_val_if_fail (WEFT_IS_DOMAIN (self), NULL);
  g_return_val_if_fail (WEFT_IS_RECORDING (recording), NULL);
  g_return_val_if_fail (G_IS_OBJECT (object), NULL);

  interface = WEFT_DOMAIN_GET_IFACE (self);
  if (interface->get_details != NULL)
    details = interface->get_details (self, recording, object);
  return details != NULL ? details : G_LIST_MODEL (g_list_store_new (WEFT_TYPE_DETAIL));
}
