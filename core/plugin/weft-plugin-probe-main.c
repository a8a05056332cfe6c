/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * weft-plugin-probe: loads one plugin, so that one that crashes takes nobody along.
 */

#include "weft-plugin-probe.h"

int
main (int argc, char **argv)
{
  return weft_plugin_probe_main (argc, argv);
}
