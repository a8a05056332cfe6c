/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that is not linked to FFmpeg, and loads a module that is: HOST MODULE FILE [FRAMES]. It
 * crashes after so many FRAMES.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int
main (int argc, char **argv)
{
  void *module = argc >= 3 ? dlopen (argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  int (*decode) (const char *path, int crash_after);

  if (module == NULL)
    {
      fprintf (stderr, "%s\n", argc >= 3 ? dlerror () : "MODULE FILE [FRAMES]");
      return 2;
    }
  *(void **) &decode = dlsym (module, "module_decode");
  return decode (argv[2], argc >= 4 ? atoi (argv[3]) : 0);
}
