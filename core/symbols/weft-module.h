/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-enums.h"

G_BEGIN_DECLS

/* The code of one file as it was when it was mapped. (WeftModule is the public object of its row.)
 */
typedef struct _WeftCodeModule WeftCodeModule;

/*
 * All modules of a recorder. Thread safe; a module lives as long as its set, and never changes.
 * Two mappings are of one module if they have the same build id, or, where there is none, the same
 * device, inode, time of change and size.
 */
typedef struct _WeftModuleSet WeftModuleSet;

/* What is known of a mapped file. */
typedef struct
{
  const char *path; /* as the process sees it; "[vdso]", "//anon", … */
  int pid;          /* the file is opened as this process sees it; 0: as we do */

  /* The file that is opened has to have these; 0: not known. A path alone proves nothing: files are
   * replaced while they run.
   */
  guint64 device;
  guint64 inode;

  const guint8 *build_id; /* or NULL */
  gsize build_id_length;

  /* A whole mapping of it, which leads to the very file even if it is deleted; 0: not known. */
  guint64 start;
  guint64 end;
} WeftModuleFile;

WeftModuleSet *weft_module_set_new (void);
void weft_module_set_free (WeftModuleSet *self);

/* Never NULL: one that could not be opened has no contents, but keeps its identity. Anonymous code
 * is the JIT module of its process ("started" being what /proc/PID/stat says).
 */
WeftCodeModule *weft_module_set_get (WeftModuleSet *self, const WeftModuleFile *file);

/* Code of the kernel and of its own modules: offsets are addresses. */
WeftCodeModule *weft_module_set_get_kernel (WeftModuleSet *self);

/* Code that a process made: offsets are addresses. STARTED tells processes of one pid apart. */
WeftCodeModule *weft_module_set_get_jit (WeftModuleSet *self, int pid, guint64 started);

/* How many there are; their numbers are 1 up to that. */
guint weft_module_set_get_n_modules (WeftModuleSet *self);

/* NULL if there is none of this number. */
WeftCodeModule *weft_module_set_get_nth (WeftModuleSet *self, guint number);

/* Dense from 1, in order of arrival. */
guint weft_code_module_get_number (const WeftCodeModule *self);

WeftModuleKind weft_code_module_get_kind (const WeftCodeModule *self);

/* As the process that first mapped it saw it. */
const char *weft_code_module_get_path (const WeftCodeModule *self);

/* In hexadecimal, or NULL. */
const char *weft_code_module_get_build_id (const WeftCodeModule *self);

/* Bytes of the file, 0 if not known. */
guint64 weft_code_module_get_size (const WeftCodeModule *self);

/* EM_X86_64, EM_AARCH64, …; 0 (EM_NONE) if it is no ELF file, or could not be opened. */
guint weft_code_module_get_machine (const WeftCodeModule *self);

/* Whose code it is if it is a JIT module, else 0. */
int weft_code_module_get_pid (const WeftCodeModule *self);

/*
 * Of code that a program makes: how often code took the place of other code that was asked for. A
 * place means something else from then on. Any thread.
 */
guint weft_code_module_get_generation (const WeftCodeModule *self);
void weft_code_module_renew (WeftCodeModule *self);

/* Whether it could be opened (and so has symbols and tables, if the file has them). */
gboolean weft_code_module_has_contents (const WeftCodeModule *self);

/*
 * A descriptor of the very file that was mapped, however it was replaced or deleted since; of
 * [vdso], of a copy. The caller closes it. -1 if there is none.
 */
int weft_code_module_open (WeftCodeModule *self);

/* Whether addresses of code are link-time virtual addresses in it; else they are offsets in the
 * file (a file that could not be read or is no ELF file), or addresses (JIT, kernel).
 */
gboolean weft_code_module_has_addresses (const WeftCodeModule *self);

/* A number of the function that the code at OFFSET (see WeftCodeFrame) is in, as the tables for
 * unwinding have it: equal for all of its code, in all modules of the set different from that of
 * any other. 0: not known.
 */
guint64 weft_code_module_find_function (WeftCodeModule *self, guint64 offset);

/*
 * What has to be added to an address in a mapping that begins at ADDRESS with the byte FILE_OFFSET
 * to get what WeftCodeFrame.offset says.
 */
guint64 weft_code_module_get_bias (const WeftCodeModule *self, guint64 address,
                                   guint64 file_offset);

G_END_DECLS
