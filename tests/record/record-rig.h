/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-record-engine.h"
#include "weft-store.h"
#include "weft-wire.h"

/* What tests of the recorder share: a recorder in a folder of its own, programs beside it, and all
 * rows of a table at once.
 */

/* ---- Folders and programs ---- */

char *rig_make_folder (void);          /* newly allocated; world-searchable */
void rig_remove_folder (char *folder); /* and frees */
const char *rig_producer (void);       /* path of the producer program */
const char *rig_weft (void);

typedef struct
{
  GPid pid;
  int out;
  char *error_path; /* its standard error */
} RigProgram;

/* NULL-terminated arguments; environment: runtime directory of the producers. */
RigProgram *rig_spawn (const char *runtime, char **argv);
RigProgram *rig_produce (const char *runtime, const char *arguments); /* words */
/* Waits; the exit status as a shell tells it. OUTPUT newly allocated, may be NULL. */
int rig_wait (RigProgram *program, char **output, char **errors);
/* The number of KEY in the last line of a producer; fails the test if it is not there. */
guint64 rig_number (const char *output, const char *key);
gboolean rig_until (gboolean (*condition) (gpointer data), gpointer data, double seconds);

/* ---- A recorder in this process ---- */

typedef struct
{
  char *folder;
  char *runtime;
  char *file;
  WeftRecordEngine *recorder;
} Rig;

Rig *rig_new (void);
void rig_start (Rig *rig);                      /* again, with a new file */
void rig_wait_dispatches (Rig *rig, guint64 n); /* fails after 20 s */
void rig_wait_runtimes (Rig *rig, guint n);     /* attached now */
WeftStore *rig_stop (Rig *rig);                 /* the finished file, conservation checked */
void rig_free (Rig *rig);

/* ---- Rows ---- */

typedef struct
{
  WeftStore *store;
  WeftTableId table;
  guint64 n;
  guint n_columns;
  guint64 **values;
  guint8 **present;
} Rows;

Rows *rows_read (WeftStore *store, WeftTableId table);
void rows_free (Rows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rows, rows_free)

guint64 rows_get (const Rows *rows, guint64 row, WeftColumnNumber column);
gboolean rows_has (const Rows *rows, guint64 row, WeftColumnNumber column);
const char *rows_text (const Rows *rows, guint64 row, WeftColumnNumber column);
/* The first row with VALUE (or TEXT), from FROM on; G_MAXUINT64 if there is none. */
guint64 rows_find (const Rows *rows, WeftColumnNumber column, guint64 value, guint64 from);
guint64 rows_find_text (const Rows *rows, WeftColumnNumber column, const char *text, guint64 from);

/* ---- Sums over a recording ---- */

typedef struct
{
  guint64 submitted, completed, pending, sampled_out, rejected, lost;
} RigCounts;

/* Over all lanes of NAME (NULL: all). */
void rig_counts (WeftStore *store, const char *name, RigCounts *counts);
/* Of all lanes and of none. */
guint64 rig_loss (WeftStore *store, const char *reason);
gboolean rig_has_diagnostic (WeftStore *store, const char *code);
/* submitted = completed + pending + sampled out + rejected + lost, on every lane; completed is what
 * stands in the table; the reasons add up.
 */
void rig_check_conservation (WeftStore *store);
/* Every lane of the producer's last line stands in the file with just this count, all completed. */
void rig_check_lanes (WeftStore *store, const char *output);
