/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-launch.h"

G_BEGIN_DECLS

#define WEFT_TYPE_INSTRUMENT (weft_instrument_get_type ())
WEFT_API
G_DECLARE_INTERFACE (WeftInstrument, weft_instrument, WEFT, INSTRUMENT, GObject)

/**
 * WeftInstrumentInterface:
 * @parent_interface: the parent
 * @get_name: its name, as `--with` takes it: lower case letters, digits and dashes
 * @get_description: a sentence; may be left out
 * @get_domains: names of the domains whose lanes it brings; may be left out
 * @is_applicable: whether it can make the program report, and if not, why
 * @prepare: changes arguments and environment of the program that is about to be run
 * @finished: called after the program has ended; may be left out
 *
 * What an instrument does. Strings are handed over to the caller.
 *
 * Since: 0.1
 */
struct _WeftInstrumentInterface
{
  GTypeInterface parent_interface;

  char *(*get_name) (WeftInstrument *self);
  char *(*get_description) (WeftInstrument *self);
  char **(*get_domains) (WeftInstrument *self);
  gboolean (*is_applicable) (WeftInstrument *self, const char *const *argv, char **reason);
  gboolean (*prepare) (WeftInstrument *self, WeftLaunch *launch, GError **error);
  void (*finished) (WeftInstrument *self, WeftLaunch *launch, int wait_status);

  /*< private >*/
  gpointer _reserved[8];
};

WEFT_API char *weft_instrument_get_name (WeftInstrument *self);
WEFT_API char *weft_instrument_get_description (WeftInstrument *self);
WEFT_API char **weft_instrument_get_domains (WeftInstrument *self);
WEFT_API gboolean weft_instrument_is_applicable (WeftInstrument *self, const char *const *argv,
                                                 char **reason);
WEFT_API gboolean weft_instrument_prepare (WeftInstrument *self, WeftLaunch *launch,
                                           GError **error);
WEFT_API void weft_instrument_finished (WeftInstrument *self, WeftLaunch *launch, int wait_status);

G_END_DECLS
