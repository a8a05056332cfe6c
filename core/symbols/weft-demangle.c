/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-demangle.h"

#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

/* Longer ones are not what anybody wrote, and cost a demangler dearly. */
#define MAX_LENGTH 16384

/* ".llvm.1234" is what clang appends for its own use. */
static char *
without_llvm_suffix (const char *name)
{
  const char *suffix = strstr (name, ".llvm.");

  return suffix != NULL ? g_strndup (name, suffix - name) : g_strdup (name);
}

static char *
take (char *from_malloc)
{
  char *name = g_strdup (from_malloc);

  free (from_malloc);
  return name;
}

/* What legacy names of Rust end with: a hash, "17h" and 16 digits. */
static gboolean
is_legacy_rust (const char *name)
{
  gsize length = strlen (name);

  if (length < 20 || name[length - 1] != 'E' || strncmp (name + length - 20, "17h", 3) != 0)
    return FALSE;
  for (guint i = 0; i < 16; i++)
    if (!g_ascii_isxdigit (name[length - 17 + i]))
      return FALSE;
  return TRUE;
}

char *
weft_demangle (const char *linkage_name)
{
  g_autofree char *name = NULL;
  const char *start;

  if (strlen (linkage_name) > MAX_LENGTH)
    return NULL;
  name = without_llvm_suffix (linkage_name);
  start = g_str_has_prefix (name, "__Z") ? name + 1 : name;
  if (g_str_has_prefix (start, "_R") || (g_str_has_prefix (start, "_ZN") && is_legacy_rust (start)))
    {
      char *demangled = take (rust_demangle (start, 0));

      if (demangled != NULL)
        return demangled;
    }
  if (g_str_has_prefix (start, "_Z") || g_str_has_prefix (start, "_GLOBAL_"))
    return take (cplus_demangle_v3 (start, DMGL_PARAMS | DMGL_ANSI));
  if (g_str_has_prefix (start, "_D") && g_ascii_isdigit (start[2]))
    return take (dlang_demangle (start, 0));
  return NULL;
}
