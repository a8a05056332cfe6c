/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbolizer-child.h"

#include <malloc.h>
#include <unistd.h>

#include "weft-symbol-resolver.h"

/* Of CPU, for one message. */
#define MAX_SECONDS 60
/* More memory than this is given back between messages: modules are opened again when asked for. */
#define MAX_HEAP (G_GUINT64_CONSTANT (768) << 20)
#define MAX_MODULES 64

typedef struct
{
  int socket;
  GHashTable *modules; /* number → WeftSymbolResolver */
  GByteArray *message;
} Server;

static void
send_or_exit (Server *self, guint32 type, const GByteArray *body)
{
  if (!weft_symbol_send (self->socket, type, body, -1))
    _exit (0);
}

static void
tell_failure (Server *self, const char *reason)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();

  weft_symbol_put_text (body, reason, -1);
  send_or_exit (self, WEFT_SYMBOL_FAILURE, body);
}

static void
tell_identity (Server *self, WeftSymbolImage *image)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();

  weft_symbol_put_number (body, image->machine);
  weft_symbol_put_number (body, image->has_debug_info);
  weft_symbol_put_text (body, image->link_name, -1);
  weft_symbol_put_text (body, image->alternate_name, -1);
  send_or_exit (self, WEFT_SYMBOL_IDENTITY, body);
}

static void
on_open (Server *self, guint32 module, WeftSymbolReader *reader, int descriptor)
{
  gboolean is_plain = weft_symbol_get_number_below (reader, 2);
  g_autofree char *reason = NULL;
  WeftSymbolResolver *resolver;

  if (g_hash_table_size (self->modules) >= MAX_MODULES)
    g_hash_table_remove_all (self->modules);
  resolver = weft_symbol_resolver_new (descriptor, is_plain, &reason);
  if (resolver == NULL)
    {
      tell_failure (self, reason);
      return;
    }
  g_hash_table_replace (self->modules, GUINT_TO_POINTER (module), resolver);
  tell_identity (self, weft_symbol_resolver_get_image (resolver));
}

static void
on_attach (Server *self, WeftSymbolResolver *resolver, WeftSymbolReader *reader, int descriptor)
{
  guint64 part = weft_symbol_get_number_below (reader, WEFT_SYMBOL_PART_ALTERNATE + 1);
  gboolean check_sum = weft_symbol_get_number_below (reader, 2);
  g_autoptr (GByteArray) body = g_byte_array_new ();
  g_autofree char *reason = NULL;
  WeftSymbolImage *image =
      weft_symbol_resolver_attach (resolver, part, descriptor, check_sum, &reason);

  weft_symbol_put_number (body, image != NULL);
  weft_symbol_put_text (body, reason, -1);
  weft_symbol_put_text (body, image != NULL ? image->alternate_name : NULL, -1);
  send_or_exit (self, WEFT_SYMBOL_ATTACHED, body);
}

static void
send_block (WeftSymbolBlockBuilder *block, gpointer data)
{
  g_autoptr (GByteArray) bytes = weft_symbol_block_builder_finish (block);

  send_or_exit (data, WEFT_SYMBOL_BLOCK, bytes);
}

static void
on_resolve (Server *self, WeftSymbolResolver *resolver, WeftSymbolReader *reader)
{
  guint64 n = weft_symbol_get_number_below (reader, WEFT_SYMBOL_MAX_OFFSETS + 1);
  g_autofree guint64 *offsets = g_new (guint64, n + 1);
  g_autoptr (GByteArray) body = g_byte_array_new ();
  guint64 offset = 0;

  for (guint64 i = 0; i < n; i++)
    {
      offset += weft_symbol_get_number (reader);
      offsets[i] = offset;
    }
  weft_symbol_resolver_resolve (resolver, offsets, (guint) n, send_block, self);
  weft_symbol_put_number (body, weft_symbol_resolver_get_state (resolver));
  weft_symbol_put_number (body, weft_symbol_resolver_get_n_symbols (resolver));
  weft_symbol_put_text (body, weft_symbol_resolver_get_reason (resolver), -1);
  send_or_exit (self, WEFT_SYMBOL_DONE, body);
}

static void
answer (Server *self, guint32 type, int descriptor)
{
  WeftSymbolReader reader;
  guint32 module;
  WeftSymbolResolver *resolver;

  weft_symbol_reader_init (&reader, self->message->data, self->message->len);
  module = (guint32) weft_symbol_get_number (&reader);
  resolver = g_hash_table_lookup (self->modules, GUINT_TO_POINTER (module));
  if (type == WEFT_SYMBOL_OPEN && descriptor >= 0)
    {
      on_open (self, module, &reader, descriptor);
      return;
    }
  if (type == WEFT_SYMBOL_ATTACH && descriptor >= 0 && resolver != NULL)
    {
      on_attach (self, resolver, &reader, descriptor);
      return;
    }
  if (descriptor >= 0)
    close (descriptor);
  if (type == WEFT_SYMBOL_RESOLVE && resolver != NULL)
    on_resolve (self, resolver, &reader);
  else
    send_or_exit (self, WEFT_SYMBOL_UNKNOWN, NULL);
}

void
weft_symbolizer_serve (int socket)
{
  Server self = { .socket = socket };
  guint32 type;
  int descriptor;

  self.modules =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) weft_symbol_resolver_free);
  self.message = g_byte_array_new ();
  while (weft_symbol_receive (socket, 0, &type, self.message, &descriptor))
    {
      weft_symbolizer_limit_time (MAX_SECONDS);
      answer (&self, type, descriptor);
      if (mallinfo2 ().uordblks + mallinfo2 ().hblkhd > MAX_HEAP)
        g_hash_table_remove_all (self.modules);
    }
  g_hash_table_unref (self.modules);
  g_byte_array_unref (self.message);
}
