/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * What goes over the socket between a recorder and its weft-symbolizer, and in what form functions
 * lie in the cache. Numbers are LEB128, texts a length and bytes. Neither side believes the other:
 * what is read is checked against the length of the message.
 */
#define WEFT_SYMBOL_VERSION 2 /* of what is answered: cached answers of others are not used */
#define WEFT_SYMBOL_MAX_MESSAGE (64u << 20)
#define WEFT_SYMBOL_MAX_TEXT (64u << 10)
#define WEFT_SYMBOL_MAX_OFFSETS 65536
#define WEFT_SYMBOL_SOCKET 3 /* where the child has its end */

typedef enum
{
  /* From the recorder. All begin with the number of the module. */
  WEFT_SYMBOL_OPEN = 1, /* whether to leave out DWARF; the file's descriptor: identity */
  WEFT_SYMBOL_ATTACH,   /* part, whether to check its sum, the sum; a descriptor: attached */
  WEFT_SYMBOL_RESOLVE,  /* n, offsets as differences: any number of blocks, then done */

  /* To the recorder. */
  WEFT_SYMBOL_IDENTITY, /* machine, has debugging information, link, alternate file */
  WEFT_SYMBOL_ATTACHED, /* whether it was taken, reason, alternate file */
  WEFT_SYMBOL_BLOCK,    /* see weft-symbol-block.h */
  WEFT_SYMBOL_DONE,     /* state, number of symbols, reason */
  WEFT_SYMBOL_FAILURE,  /* reason: the module cannot be read */
  WEFT_SYMBOL_UNKNOWN,  /* the module is not open (any more) */
} WeftSymbolMessage;

/* Files that belong to a module. */
typedef enum
{
  WEFT_SYMBOL_PART_DEBUG,     /* debugging information that was split off */
  WEFT_SYMBOL_PART_ALTERNATE, /* what several of those share (dwz) */
} WeftSymbolPart;

typedef struct
{
  guint32 type;
  guint32 length; /* of what follows */
} WeftSymbolHeader;

void weft_symbol_put_number (GByteArray *bytes, guint64 number);
void weft_symbol_put_text (GByteArray *bytes, const char *text, gssize length); /* NULL: empty */

typedef struct
{
  const guint8 *at;
  const guint8 *end;
  gboolean failed; /* something did not fit: all that was read since is nought */
} WeftSymbolReader;

void weft_symbol_reader_init (WeftSymbolReader *self, const guint8 *bytes, gsize length);
guint64 weft_symbol_get_number (WeftSymbolReader *self);
guint64 weft_symbol_get_number_below (WeftSymbolReader *self, guint64 limit);
char *weft_symbol_get_text (WeftSymbolReader *self); /* valid UTF-8, owned by the caller */

/* Whether N things of at least SIZE bytes each can follow. Fails if not. */
gboolean weft_symbol_reader_can_hold (WeftSymbolReader *self, guint64 n, gsize size);

/* DESCRIPTOR -1: none goes along. Returns FALSE with errno if the other side is gone. */
gboolean weft_symbol_send (int socket, guint32 type, const GByteArray *body, int descriptor);

/* Waits until DEADLINE (CLOCK_MONOTONIC ns; 0: for ever). BODY is emptied first. DESCRIPTOR, if not
 * NULL, gets the one that came along, or -1. FALSE with errno: ETIMEDOUT, EPROTO, ECONNRESET (it is
 * gone), …
 */
gboolean weft_symbol_receive (int socket, gint64 deadline, guint32 *type, GByteArray *body,
                              int *descriptor);

G_END_DECLS
