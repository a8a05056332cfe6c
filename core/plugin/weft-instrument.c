/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-instrument.h"

#include "weft-plugin-private.h"

/**
 * WeftInstrument:
 *
 * Makes an unmodified program report lanes: a layer, a library that is loaded into it, a setting
 * of its own.
 *
 * Before the program runs, [method@Instrument.prepare] changes its arguments and environment in a
 * [class@Launch].
 *
 * Since: 0.1
 */
G_DEFINE_INTERFACE (WeftInstrument, weft_instrument, G_TYPE_OBJECT)

static void
weft_instrument_default_init (WeftInstrumentInterface *interface)
{
}

/**
 * weft_instrument_get_name:
 * @self: an instrument
 *
 * Returns: (transfer full): its name, as `--with` takes it
 *
 * Since: 0.1
 */
char *
weft_instrument_get_name (WeftInstrument *self)
{
  WeftInstrumentInterface *interface;

  g_return_val_if_fail (WEFT_IS_INSTRUMENT (self), NULL);

  interface = WEFT_INSTRUMENT_GET_IFACE (self);
  return weft_extension_text (self,
                              interface->get_name != NULL ? interface->get_name (self) : NULL);
}

/**
 * weft_instrument_get_description:
 * @self: an instrument
 *
 * Returns: (transfer full): a sentence, perhaps empty
 *
 * Since: 0.1
 */
char *
weft_instrument_get_description (WeftInstrument *self)
{
  WeftInstrumentInterface *interface;

  g_return_val_if_fail (WEFT_IS_INSTRUMENT (self), NULL);

  interface = WEFT_INSTRUMENT_GET_IFACE (self);
  return weft_extension_text (
      self, interface->get_description != NULL ? interface->get_description (self) : NULL);
}

/**
 * weft_instrument_get_domains:
 * @self: an instrument
 *
 * Returns: (transfer full) (array zero-terminated=1): names of the domains whose lanes it brings
 *
 * Since: 0.1
 */
char **
weft_instrument_get_domains (WeftInstrument *self)
{
  WeftInstrumentInterface *interface;

  g_return_val_if_fail (WEFT_IS_INSTRUMENT (self), NULL);

  interface = WEFT_INSTRUMENT_GET_IFACE (self);
  return weft_extension_texts (self, interface->get_domains != NULL ? interface->get_domains (self)
                                                                    : NULL);
}

/**
 * weft_instrument_is_applicable:
 * @self: an instrument
 * @argv: (array zero-terminated=1): the program and its arguments
 * @reason: (out) (optional) (transfer full): where to say why not, a sentence
 *
 * Asks whether the instrument can make a program report. One that does not say always can.
 *
 * Returns: whether it can
 *
 * Since: 0.1
 */
gboolean
weft_instrument_is_applicable (WeftInstrument *self, const char *const *argv, char **reason)
{
  WeftInstrumentInterface *interface;
  g_autofree char *told = NULL;
  gboolean applicable;

  g_return_val_if_fail (WEFT_IS_INSTRUMENT (self), FALSE);
  g_return_val_if_fail (argv != NULL && argv[0] != NULL, FALSE);

  interface = WEFT_INSTRUMENT_GET_IFACE (self);
  applicable = interface->is_applicable == NULL || interface->is_applicable (self, argv, &told);
  if (reason != NULL)
    *reason = weft_extension_text (self, applicable ? NULL : g_steal_pointer (&told));
  return applicable;
}

/**
 * weft_instrument_prepare:
 * @self: an instrument
 * @launch: the program that is about to be run
 * @error: where to say why it cannot
 *
 * Changes arguments and environment of @launch so that the program will report.
 *
 * Fails with %WEFT_ERROR_PLUGIN, or as the instrument says.
 *
 * Returns: whether it is prepared
 *
 * Since: 0.1
 */
gboolean
weft_instrument_prepare (WeftInstrument *self, WeftLaunch *launch, GError **error)
{
  WeftInstrumentInterface *interface;
  GError *failure = NULL;
  gboolean prepared;

  g_return_val_if_fail (WEFT_IS_INSTRUMENT (self), FALSE);
  g_return_val_if_fail (WEFT_IS_LAUNCH (launch), FALSE);

  interface = WEFT_INSTRUMENT_GET_IFACE (self);
  prepared = interface->prepare != NULL && interface->prepare (self, launch, &failure);
  return weft_extension_succeeded (self, "prepare", prepared, failure, error);
}

/**
 * weft_instrument_finished:
 * @self: an instrument
 * @launch: the program that was run
 * @wait_status: how it ended, as waitpid() says
 *
 * Tells the instrument that the program has ended, so that it can remove what it laid out.
 *
 * Since: 0.1
 */
void
weft_instrument_finished (WeftInstrument *self, WeftLaunch *launch, int wait_status)
{
  WeftInstrumentInterface *interface;

  g_return_if_fail (WEFT_IS_INSTRUMENT (self));
  g_return_if_fail (WEFT_IS_LAUNCH (launch));

  interface = WEFT_INSTRUMENT_GET_IFACE (self);
  if (interface->finished != NULL)
    interface->finished (self, launch, wait_status);
}
