/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>

G_BEGIN_DECLS

/* Figures for people; newly allocated. */
char *text_duration (guint64 nanoseconds); /* "1.23 ms" */
char *text_bytes (guint64 bytes);          /* "4.5 MiB" */
char *text_count (guint64 count);          /* "1,234,567" */
/* The same with what is counted: "1 lane", "2,000 lanes" */
char *text_counted (guint64 count, const char *one, const char *many);

/* TEXT without control characters, cut to WIDTH columns; newly allocated. */
char *text_cell (const char *text, guint width);

/* As fprintf and vfprintf, without control characters (but for line ends) and with valid UTF-8:
 * what files and names hold reaches no terminal as it is.
 */
void text_print (FILE *stream, const char *format, ...) G_GNUC_PRINTF (2, 3);
void text_vprint (FILE *stream, const char *format, va_list arguments) G_GNUC_PRINTF (2, 0);

/* Columns of the terminal; 80 where there is none. */
guint text_columns (void);

/* A table that fits the terminal. The first ROW is the heading; rows are NULL-terminated. Columns
 * whose letter in ALIGN is 'r' are set right; the column with 'L' gives way where room is short.
 */
void text_table_print (GPtrArray *rows, const char *align);

/* The same, for WIDTH columns. The letter 'L' may stand several times: the widest of them gives
 * way first; 'T' is for sentences, which keep more room. What does not fit even so is left out from
 * the right, and named below.
 */
void text_table_print_within (GPtrArray *rows, const char *align, guint width);

/* Columns that TEXT takes. */
guint text_width (const char *text);

/* A line that stands above a table, after an empty one. */
void text_heading (const char *title);

/* TEXT in lines that fit the terminal, each indented. */
void text_wrap (FILE *stream, guint indent, const char *text);

/* The same, on a line of which USED columns are taken. */
void text_wrap_from (FILE *stream, guint used, guint indent, const char *text);

/* The bytes of a size that a person gives, such as "64MiB". */
gboolean text_parse_size (const char *text, guint64 *size);

/* TEXT with blanks for tabs, 8 columns apart; newly allocated. */
char *text_expand (const char *text);

G_END_DECLS
