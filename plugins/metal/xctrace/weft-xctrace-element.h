/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WeftXctraceElement WeftXctraceElement;

/* An element of a document, with what is in it. One that refers to another is stood for by that
 * one: weft_xctrace_element_get () and all below follow references.
 */
struct _WeftXctraceElement
{
  const char *name;                 /* its tag, one copy for all of a document */
  const char *shown;                /* as Instruments shows it (fmt), or NULL */
  const char *text;                 /* its text if no element is in it, or NULL */
  const char **attributes;          /* others: name, value, …, NULL; or NULL */
  const WeftXctraceElement *target; /* the one that it refers to */
  WeftXctraceElement *first;        /* in it */
  WeftXctraceElement *last;
  WeftXctraceElement *next; /* beside it: not of a target */
};

/* The element itself, or what it refers to; NULL for NULL, and for <sentinel/>. */
const WeftXctraceElement *weft_xctrace_element_get (const WeftXctraceElement *self);

/* The first of this tag right inside it. */
const WeftXctraceElement *weft_xctrace_element_find (const WeftXctraceElement *self,
                                                     const char *name);

const char *weft_xctrace_element_get_attribute (const WeftXctraceElement *self, const char *name);

/* Its text as a number, decimal or 0x…; FALSE if it is none. */
gboolean weft_xctrace_element_get_number (const WeftXctraceElement *self, guint64 *number);

/* What it says to people: as Instruments shows it, else its text; NULL for none or blanks. */
const char *weft_xctrace_element_get_shown (const WeftXctraceElement *self);

/* A number written decimal or 0x…, and nothing else. */
gboolean weft_xctrace_parse_number (const char *text, guint64 *number);

G_END_DECLS
