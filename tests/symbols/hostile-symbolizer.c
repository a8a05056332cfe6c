/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands in for weft-symbolizer and does what it must not: WEFT_TEST_SYMBOLIZER says what. It first
 * waits for a message.
 */

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft-symbol-wire.h"

static void
answer (guint32 type, const void *bytes, gsize length)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();

  g_byte_array_append (body, bytes, length);
  weft_symbol_send (WEFT_SYMBOL_SOCKET, type, body, -1);
}

/* A module that can be asked, and then what no sound answer is. */
static void
be_unsound (GByteArray *message, const void *block, gsize length)
{
  guint32 type;
  int descriptor;

  answer (WEFT_SYMBOL_IDENTITY, "\x3e\x01\x00\x00", 4);
  weft_symbol_receive (WEFT_SYMBOL_SOCKET, 0, &type, message, &descriptor);
  answer (WEFT_SYMBOL_BLOCK, block, length);
  answer (WEFT_SYMBOL_DONE, "\x03\x01\x00", 3);
  pause ();
}

int
main (void)
{
  const char *how = g_getenv ("WEFT_TEST_SYMBOLIZER");
  g_autoptr (GByteArray) message = g_byte_array_new ();
  WeftSymbolHeader header = { WEFT_SYMBOL_IDENTITY, G_MAXUINT32 };
  guint32 type;
  int descriptor;

  weft_symbol_receive (WEFT_SYMBOL_SOCKET, 0, &type, message, &descriptor);
  if (g_str_equal (how, "hang"))
    pause ();
  if (g_str_equal (how, "crash"))
    abort ();
  if (g_str_equal (how, "leave"))
    exit (1);
  if (g_str_equal (how, "large"))
    {
      if (write (WEFT_SYMBOL_SOCKET, &header, sizeof header) > 0)
        pause ();
    }
  if (g_str_equal (how, "other"))
    {
      answer (WEFT_SYMBOL_DONE, "", 0);
      pause ();
    }
  /* A string that is longer than the message; a function without a size; a row of no function. */
  if (g_str_equal (how, "strings"))
    be_unsound (message, "\xff\xff\xff\xff\x0f", 5);
  if (g_str_equal (how, "function"))
    be_unsound (message, "\x00\x00\x01\x00\x10\x00\x00\x00\x00", 9);
  if (g_str_equal (how, "scope"))
    be_unsound (message, "\x00\x00\x01\x00\x10\x10\x00\x00\x01\x00\x05\x00\x00", 13);
  if (g_str_equal (how, "cut"))
    {
      header.length = 100;
      if (write (WEFT_SYMBOL_SOCKET, &header, sizeof header) > 0)
        exit (0);
    }
  return 0;
}
