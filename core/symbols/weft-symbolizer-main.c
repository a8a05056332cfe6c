/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * weft-symbolizer: reads ELF and DWARF for a recorder, so that a file that makes it crash, hang or
 * take all memory takes no recording along.
 */

#include "weft-symbolizer-child.h"

#include <gelf.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "weft-symbol-wire.h"

int
main (int argc, char **argv)
{
  struct stat status;

  if (fstat (WEFT_SYMBOL_SOCKET, &status) != 0 || !S_ISSOCK (status.st_mode))
    {
      g_printerr ("weft-symbolizer reads debugging information for Weft, which runs it.\n");
      return 2;
    }
  elf_version (EV_CURRENT);
  weft_symbolizer_confine ();
  weft_symbolizer_serve (WEFT_SYMBOL_SOCKET);
  return 0;
}
