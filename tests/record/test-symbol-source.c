/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The symbol source, fed with frames made by hand: programs are built here, mapped by name, and
 * asked about where their symbols are. Samples and stacks have no part in it.
 */

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "record-rig.h"
#include "weft-address-space.h"
#include "weft-clock.h"
#include "weft-cpu-callchains.h"
#include "weft-symbol-source.h"

static const char *const program_text = "#include <stdio.h>\n"                         /* 1 */
                                        "static inline int square (int x)\n"           /* 2 */
                                        "{\n"                                          /* 3 */
                                        "  return x * x;\n"                            /* 4 */
                                        "}\n"                                          /* 5 */
                                        "__attribute__ ((noinline)) int hot (int n)\n" /* 6 */
                                        "{\n"                                          /* 7 */
                                        "  int total = 0;\n"                           /* 8 */
                                        "  for (int i = 0; i < n; i++)\n"              /* 9 */
                                        "    total += square (i ^ total);\n"           /* 10 */
                                        "  return total;\n"                            /* 11 */
                                        "}\n"                                          /* 12 */
                                        "int main (int argc, char **argv)\n"           /* 13 */
                                        "{\n"                                          /* 14 */
                                        "  printf (\"%d\\n\", hot (argc * 1000));\n"   /* 15 */
                                        "  return 0;\n"                                /* 16 */
                                        "}\n";

typedef struct
{
  char *folder;
  char *file;
  char *cache;
  WeftStoreWriter *store;
  WeftSymbolSource *source;
  WeftModuleSet *modules;
  guint64 n_frames;
  guint64 n_modules;
} Fixture;

static void
begin (Fixture *f, WeftSymbolMode mode)
{
  WeftStoreOptions options = { .start_monotonic = weft_monotonic_now () };
  WeftSymbolOptions symbols = { .mode = mode, .start = options.start_monotonic };

  f->file = g_strdup_printf ("%s/%d.weft", f->folder, g_test_rand_int_range (0, G_MAXINT32));
  symbols.cache_directory = f->cache;
  f->store = weft_store_writer_new (f->file, &options, NULL);
  g_assert_nonnull (f->store);
  f->source = weft_symbol_source_new (f->store, &symbols);
  f->modules = weft_module_set_new ();
  f->n_frames = 0;
  f->n_modules = 0;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = rig_make_folder ();
  f->cache = g_build_filename (f->folder, "cache", NULL);
  begin (f, WEFT_SYMBOL_MODE_AUTO);
}

/* The finished file. */
static WeftStore *
end_until (Fixture *f, gint64 deadline)
{
  WeftStore *store;

  weft_symbol_source_finish (f->source, deadline, NULL, NULL);
  g_clear_pointer (&f->source, weft_symbol_source_free);
  g_assert_true (weft_store_writer_close (g_steal_pointer (&f->store), NULL));
  g_clear_pointer (&f->modules, weft_module_set_free);
  store = weft_store_open (f->file, NULL);
  g_assert_nonnull (store);
  g_clear_pointer (&f->file, g_free);
  return store;
}

static WeftStore *
end (Fixture *f)
{
  return end_until (f, weft_monotonic_now () + 60 * NS_PER_SECOND);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->source != NULL)
    weft_store_unref (end (f));
  g_free (f->cache);
  rig_remove_folder (f->folder);
}

/* ---- Programs ---- */

static gboolean
run (const char *format, ...)
{
  g_autofree char *command = NULL;
  va_list arguments;
  int status;

  va_start (arguments, format);
  command = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, &status, NULL));
  return status == 0;
}

static char *
build (Fixture *f, const char *flags)
{
  g_autofree char *source = g_build_filename (f->folder, "program.c", NULL);
  char *program = g_build_filename (f->folder, "program", NULL);

  g_assert_true (g_file_set_contents (source, program_text, -1, NULL));
  g_assert_true (run ("cc -O2 -Wl,--build-id %s %s -o %s", flags, source, program));
  return program;
}

/* Where PROGRAM's function NAME begins, as nm says. */
static guint64
address_of (const char *program, const char *name, guint64 *size)
{
  g_autofree char *command = g_strdup_printf ("nm -S %s", program);
  g_autofree char *output = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_spawn_command_line_sync (command, &output, NULL, NULL, NULL));
  lines = g_strsplit (output, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);

      if (g_strv_length (words) == 4 && g_str_equal (words[3], name))
        {
          if (size != NULL)
            *size = g_ascii_strtoull (words[1], NULL, 16);
          return g_ascii_strtoull (words[0], NULL, 16);
        }
    }
  g_assert_not_reached ();
}

static WeftCodeModule *
add_file (Fixture *f, const char *path)
{
  WeftModuleFile file = { .path = path };
  WeftCodeModule *module = weft_module_set_get (f->modules, &file);

  weft_symbol_source_add_module (f->source, module, ++f->n_modules);
  return module;
}

static guint64
add_frame (Fixture *f, WeftCodeModule *module, guint64 offset, guint flags, guint samples)
{
  weft_symbol_source_add_frame (f->source, ++f->n_frames, module, offset, flags);
  for (guint i = 0; i < samples; i++)
    weft_symbol_source_add_sample (f->source, f->n_frames);
  return f->n_frames;
}

/* ---- What is in the file ---- */

typedef struct
{
  const char *name;
  const char *file;
  guint64 line;
} Named;

/* The functions that FRAME is in, outermost first; returns how many. */
static guint
names_of (WeftStore *store, guint64 frame, Named *named, guint room)
{
  g_autoptr (Rows) rows = rows_read (store, WEFT_TABLE_FRAME_SYMBOLS);
  g_autoptr (Rows) symbols = rows_read (store, WEFT_TABLE_SYMBOLS);
  guint n = 0;

  for (guint64 i = 0; i < rows->n; i++)
    if (rows_get (rows, i, WEFT_FRAME_SYMBOLS_FRAME) == frame && n < room)
      {
        guint64 symbol = rows_get (rows, i, WEFT_FRAME_SYMBOLS_SYMBOL);

        g_assert_cmpuint (rows_get (rows, i, WEFT_FRAME_SYMBOLS_DEPTH), ==, n);
        g_assert_cmpuint (symbol, >=, 1);
        g_assert_cmpuint (symbol, <=, symbols->n);
        named[n++] = (Named){ rows_text (symbols, symbol - 1, WEFT_SYMBOLS_NAME),
                              rows_text (rows, i, WEFT_FRAME_SYMBOLS_FILE),
                              rows_get (rows, i, WEFT_FRAME_SYMBOLS_LINE) };
      }
  return n;
}

/* The last state of a module. */
static WeftSymbolState
state_of (WeftStore *store, guint64 module, const char **reason)
{
  g_autoptr (Rows) rows = rows_read (store, WEFT_TABLE_MODULE_STATES);

  for (guint64 i = rows->n; i > 0; i--)
    if (rows_get (rows, i - 1, WEFT_MODULE_STATES_MODULE) == module)
      {
        if (reason != NULL)
          *reason = rows_text (rows, i - 1, WEFT_MODULE_STATES_REASON);
        return rows_get (rows, i - 1, WEFT_MODULE_STATES_SYMBOLS);
      }
  g_assert_not_reached ();
}

static gboolean
has_diagnostic (WeftStore *store, const char *code)
{
  g_autoptr (Rows) rows = rows_read (store, WEFT_TABLE_DIAGNOSTICS);

  return rows_find_text (rows, WEFT_DIAGNOSTICS_CODE, code, 0) != G_MAXUINT64;
}

/* ---- Tests ---- */

static void
test_frames (Fixture *f, gconstpointer data)
{
  g_autofree char *program = build (f, "-g");
  guint64 size;
  guint64 hot = address_of (program, "hot", &size);
  guint64 start = address_of (program, "main", NULL);
  WeftCodeModule *module = add_file (f, program);
  guint64 first = add_frame (f, module, hot, 0, 1);
  guint64 after = add_frame (f, module, hot + size, WEFT_FRAME_RETURN_ADDRESS, 0);
  guint64 nowhere = add_frame (f, module, 0x10, 0, 0);
  guint64 caller = add_frame (f, module, start, 0, 0);
  guint64 none = add_frame (f, NULL, 0x1234, 0, 0);
  g_autoptr (WeftStore) store = NULL;
  gboolean has_inlined = FALSE;
  Named named[8];
  guint n;

  for (guint64 i = 1; i < size; i++)
    add_frame (f, module, hot + i, 0, 0);
  store = end (f);
  g_assert_cmpuint (names_of (store, first, named, 8), ==, 1);
  g_assert_cmpstr (named[0].name, ==, "hot");
  g_assert_true (g_str_has_suffix (named[0].file, "/program.c"));
  /* What begins at one address is told of the last line. */
  g_assert_cmpuint (named[0].line, >=, 7);
  g_assert_cmpuint (named[0].line, <=, 9);
  g_assert_cmpuint (names_of (store, after, named, 8), >=, 1);
  g_assert_cmpstr (named[0].name, ==, "hot");
  g_assert_cmpuint (names_of (store, caller, named, 8), ==, 1);
  g_assert_cmpstr (named[0].name, ==, "main");
  g_assert_cmpuint (names_of (store, nowhere, named, 8), ==, 0);
  g_assert_cmpuint (names_of (store, none, named, 8), ==, 0);
  for (guint64 frame = none + 1; frame < none + size; frame++)
    {
      n = names_of (store, frame, named, 8);
      g_assert_cmpuint (n, >=, 1);
      if (n < 2 || named[1].line != 4)
        continue;
      g_assert_cmpuint (n, ==, 2);
      g_assert_cmpstr (named[0].name, ==, "hot");
      g_assert_cmpuint (named[0].line, ==, 10);
      g_assert_cmpstr (named[1].name, ==, "square");
      has_inlined = TRUE;
    }
  g_assert_true (has_inlined);
  g_assert_cmpint (state_of (store, 1, NULL), ==, WEFT_SYMBOL_STATE_LINES);
}

static void
test_code (Fixture *f, gconstpointer data)
{
  g_autofree char *program = build (f, "-g");
  g_autofree char *contents = NULL;
  gsize length, text_length;
  guint64 size;
  guint64 hot = address_of (program, "hot", &size);
  WeftCodeModule *module = add_file (f, program);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) code = NULL;
  g_autoptr (Rows) lines = NULL;
  g_autoptr (Rows) sources = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) text = NULL;
  guint64 last = 0;

  add_frame (f, module, hot + 1, 0, 3);
  add_frame (f, module, hot + 2, 0, 2);
  add_frame (f, module, address_of (program, "main", NULL), 0, 0);
  store = end (f);
  code = rows_read (store, WEFT_TABLE_CODE);
  g_assert_cmpuint (code->n, ==, 1);
  g_assert_cmpuint (rows_get (code, 0, WEFT_CODE_OFFSET), ==, hot);
  g_assert_cmpuint (rows_get (code, 0, WEFT_CODE_SIZE), ==, size);
#ifdef __x86_64__
  g_assert_cmpstr (rows_text (code, 0, WEFT_CODE_ARCHITECTURE), ==, "x86_64");
#endif
  bytes = weft_store_get_blob (store, (guint32) rows_get (code, 0, WEFT_CODE_BYTES), NULL);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, size);
  g_assert_true (g_file_get_contents (program, &contents, &length, NULL));
  g_assert_nonnull (memmem (contents, length, g_bytes_get_data (bytes, NULL), size));

  lines = rows_read (store, WEFT_TABLE_CODE_LINES);
  g_assert_cmpuint (lines->n, >, 3);
  for (guint64 i = 0; i < lines->n; i++)
    {
      guint64 offset = rows_get (lines, i, WEFT_CODE_LINES_OFFSET);

      g_assert_cmpuint (rows_get (lines, i, WEFT_CODE_LINES_CODE), ==, 1);
      g_assert_cmpuint (offset, >=, hot);
      g_assert_cmpuint (offset, <, hot + size);
      g_assert_cmpuint (offset, >=, last);
      if (offset == last)
        g_assert_cmpuint (rows_get (lines, i, WEFT_CODE_LINES_DEPTH), >, 0);
      last = offset;
    }
  sources = rows_read (store, WEFT_TABLE_SOURCES);
  g_assert_cmpuint (sources->n, ==, 1);
  g_assert_cmpstr (rows_text (sources, 0, WEFT_SOURCES_LANGUAGE), ==, "c");
  text = weft_store_get_blob (store, (guint32) rows_get (sources, 0, WEFT_SOURCES_TEXT), NULL);
  g_assert_cmpmem (g_bytes_get_data (text, &text_length), text_length, program_text,
                   strlen (program_text));
  g_assert_false (has_diagnostic (store, "source-newer"));
}

static void
test_newer_source (Fixture *f, gconstpointer data)
{
  g_autofree char *program = build (f, "-g");
  g_autofree char *source = g_build_filename (f->folder, "program.c", NULL);
  g_autoptr (WeftStore) store = NULL;
  struct utimbuf times = { 2000000000, 2000000000 };
  WeftCodeModule *module = add_file (f, program);

  g_assert_cmpint (utime (source, &times), ==, 0);
  add_frame (f, module, address_of (program, "hot", NULL), 0, 1);
  store = end (f);
  g_assert_true (has_diagnostic (store, "source-newer"));
}

/* With more rights than the program's owner, only what everybody may read is kept. */
static void
test_secret_source (Fixture *f, gconstpointer data)
{
  g_autofree char *program = build (f, "-g");
  g_autofree char *source = g_build_filename (f->folder, "program.c", NULL);
  g_autoptr (WeftStore) store = NULL;
  WeftCodeModule *module = add_file (f, program);

  if (geteuid () != 0)
    {
      g_test_skip ("needs root");
      return;
    }
  g_assert_cmpint (chmod (source, 0600), ==, 0);
  add_frame (f, module, address_of (program, "hot", NULL), 0, 1);
  store = end (f);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_CODE), ==, 1);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_SOURCES), ==, 0);
}

static void
test_while_recording (Fixture *f, gconstpointer data)
{
  g_autofree char *program = build (f, "-g");
  WeftCodeModule *module = add_file (f, program);
  guint64 frame = add_frame (f, module, address_of (program, "hot", NULL), 0, 0);
  WeftSymbolProgress progress = { 0 };
  gint64 deadline = weft_monotonic_now () + 20 * NS_PER_SECOND;
  Named named[8];

  while (progress.n_resolved < 1 && weft_monotonic_now () < deadline)
    {
      weft_symbol_source_tick (f->source, weft_monotonic_now ());
      weft_symbol_source_get_progress (f->source, &progress);
      g_usleep (5000);
    }
  g_assert_cmpuint (progress.n_resolved, ==, 1);
  g_assert_true (weft_store_writer_flush (f->store, NULL));
  {
    g_autoptr (WeftStore) store = weft_store_open (f->file, NULL);

    g_assert_nonnull (store);
    g_assert_cmpuint (names_of (store, frame, named, 8), ==, 1);
    g_assert_cmpstr (named[0].name, ==, "hot");
  }
}

static void
test_off (Fixture *f, gconstpointer data)
{
  g_autofree char *program = build (f, "-g");
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) meta = NULL;
  guint64 row;

  weft_store_unref (end (f));
  begin (f, WEFT_SYMBOL_MODE_OFF);
  add_frame (f, add_file (f, program), address_of (program, "hot", NULL), 0, 1);
  store = end (f);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_SYMBOLS), ==, 0);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_CODE), ==, 0);
  meta = rows_read (store, WEFT_TABLE_META);
  row = rows_find_text (meta, WEFT_META_KEY, "symbols", 0);
  g_assert_cmpstr (rows_text (meta, row, WEFT_META_TEXT), ==, "off");
}

static void
test_replaced_file (Fixture *f, gconstpointer data)
{
  g_autofree char *program = build (f, "-g");
  g_autofree char *other = g_strconcat (program, ".other", NULL);
  WeftCodeModule *module = add_file (f, program);
  guint64 frame = add_frame (f, module, address_of (program, "hot", NULL), 0, 1);
  g_autoptr (WeftStore) store = NULL;
  Named named[8];

  /* Its number stays the one that was mapped, whatever has its name now. */
  g_assert_true (run ("cp /bin/true %s", other));
  g_assert_cmpint (rename (other, program), ==, 0);
  store = end (f);
  g_assert_cmpuint (names_of (store, frame, named, 8), ==, 1);
  g_assert_cmpstr (named[0].name, ==, "hot");
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_CODE), ==, 1);
}

static void
test_no_elf (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "text", NULL);
  g_autofree char *gone = g_build_filename (f->folder, "gone", NULL);
  g_autoptr (WeftStore) store = NULL;
  const char *reason;

  g_assert_true (g_file_set_contents (path, "no program", -1, NULL));
  add_frame (f, add_file (f, path), 0x10, 0, 1);
  add_frame (f, add_file (f, gone), 0x10, 0, 1);
  store = end (f);
  g_assert_cmpint (state_of (store, 1, &reason), ==, WEFT_SYMBOL_STATE_FAILED);
  g_assert_nonnull (strstr (reason, "no ELF file"));
  g_assert_cmpint (state_of (store, 2, &reason), ==, WEFT_SYMBOL_STATE_FAILED);
  g_assert_nonnull (strstr (reason, "could not be opened"));
}

static void
test_deadline (Fixture *f, gconstpointer data)
{
  g_autofree char *program = build (f, "-g");
  WeftCodeModule *module = add_file (f, program);
  g_autoptr (WeftStore) store = NULL;
  gint64 begin_time = weft_monotonic_now ();
  guint64 frame = add_frame (f, module, address_of (program, "hot", NULL), 0, 1);

  g_setenv ("WEFT_TEST_SYMBOLIZER", "hang", TRUE);
  g_setenv ("WEFT_SYMBOLIZER", g_getenv ("WEFT_TEST_HOSTILE_SYMBOLIZER"), TRUE);
  store = end_until (f, weft_monotonic_now () + NS_PER_SECOND);
  g_setenv ("WEFT_SYMBOLIZER", g_getenv ("WEFT_TEST_SYMBOLIZER_PROGRAM"), TRUE);
  g_assert_cmpint (weft_monotonic_now () - begin_time, <, 20 * NS_PER_SECOND);
  g_assert_true (has_diagnostic (store, "symbols-unfinished"));
  g_assert_cmpint (state_of (store, 1, NULL), ==, WEFT_SYMBOL_STATE_FAILED);
  g_assert_cmpuint (names_of (store, frame, &(Named){ 0 }, 1), ==, 0);
}

/* What one recording found the next one has at once: without asking anybody. */
static void
test_cached (Fixture *f, gconstpointer data)
{
  g_autofree char *program = build (f, "-g");
  guint64 hot = address_of (program, "hot", NULL);
  g_autoptr (WeftStore) store = NULL;
  Named named[8];

  add_frame (f, add_file (f, program), hot, 0, 1);
  weft_store_unref (end (f));
  g_setenv ("WEFT_SYMBOLIZER", "/nonexistent", TRUE);
  begin (f, WEFT_SYMBOL_MODE_AUTO);
  add_frame (f, add_file (f, program), hot, 0, 1);
  store = end (f);
  g_setenv ("WEFT_SYMBOLIZER", g_getenv ("WEFT_TEST_SYMBOLIZER_PROGRAM"), TRUE);
  g_assert_cmpint (state_of (store, 1, NULL), ==, WEFT_SYMBOL_STATE_LINES);
  g_assert_cmpuint (names_of (store, 1, named, 8), ==, 1);
  g_assert_cmpstr (named[0].name, ==, "hot");
  /* What begins at one address is told of the last line. */
  g_assert_cmpuint (named[0].line, >=, 7);
  g_assert_cmpuint (named[0].line, <=, 9);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_CODE), ==, 1);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_CODE_LINES), >, 3);
}

/* ---- Code that a program made, and the kernel's ---- */

static void
append (const char *path, const char *text)
{
  FILE *file = fopen (path, "a");

  g_assert_nonnull (file);
  g_assert_cmpint (fputs (text, file), >=, 0);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
test_map (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_strdup_printf ("/tmp/perf-%d.map", getpid ());
  WeftCodeModule *module;
  g_autoptr (WeftStore) store = NULL;
  guint64 first, second, third;
  Named named[8];

  g_assert_true (g_file_set_contents (path, "7000 100 early\n", -1, NULL));
  module = weft_module_set_get_jit (f->modules, getpid (), 1);
  weft_symbol_source_add_module (f->source, module, ++f->n_modules);
  first = add_frame (f, module, 0x7000, 0, 1);
  second = add_frame (f, module, 0x8010, 0, 0);
  third = add_frame (f, module, 0x9000, 0, 0);
  weft_symbol_source_tick (f->source, weft_monotonic_now ());
  /* What the program told too late for the first look is found by a later one. */
  append (path, "8000 100 late name\n");
  store = end (f);
  unlink (path);
  g_assert_cmpuint (names_of (store, first, named, 8), ==, 1);
  g_assert_cmpstr (named[0].name, ==, "early");
  g_assert_cmpuint (names_of (store, second, named, 8), ==, 1);
  g_assert_cmpstr (named[0].name, ==, "late name");
  g_assert_cmpuint (names_of (store, third, named, 8), ==, 0);
  g_assert_cmpint (state_of (store, 1, NULL), ==, WEFT_SYMBOL_STATE_MAP);
}

static void
tick_until_resolved (Fixture *f, guint64 n)
{
  gint64 deadline = weft_monotonic_now () + 20 * NS_PER_SECOND;
  WeftSymbolProgress progress = { 0 };

  while (progress.n_resolved < n && weft_monotonic_now () < deadline)
    {
      weft_symbol_source_tick (f->source, weft_monotonic_now ());
      weft_symbol_source_get_progress (f->source, &progress);
      g_usleep (5000);
    }
  g_assert_cmpuint (progress.n_resolved, ==, n);
}

/* A place that is used anew: what ran there first keeps its name, what runs there now gets its own.
 */
static void
test_versions (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_strdup_printf ("/tmp/perf-%d.map", getpid ());
  WeftCodeModule *module = weft_module_set_get_jit (f->modules, getpid (), 1);
  g_autoptr (WeftCpuCallchains) callchains = weft_cpu_callchains_new ();
  g_autoptr (WeftStore) store = NULL;
  gboolean is_new;
  guint32 first, again, elsewhere;
  Named named[8];

  weft_symbol_source_add_module (f->source, module, ++f->n_modules);
  g_assert_true (g_file_set_contents (path, "7000 100 first\n", -1, NULL));
  first = weft_cpu_callchains_add_frame (callchains, module, 0x7010, 0, &is_new);
  weft_symbol_source_add_frame (f->source, first, module, 0x7010, 0);
  tick_until_resolved (f, 1);
  g_assert_cmpuint (weft_cpu_callchains_add_frame (callchains, module, 0x7010, 0, &is_new), ==,
                    first);
  append (path, "7000 80 second\n9000 80 third\n");
  elsewhere = weft_cpu_callchains_add_frame (callchains, module, 0x9010, 0, &is_new);
  weft_symbol_source_add_frame (f->source, elsewhere, module, 0x9010, 0);
  tick_until_resolved (f, 2);
  again = weft_cpu_callchains_add_frame (callchains, module, 0x7010, 0, &is_new);
  g_assert_true (is_new);
  g_assert_cmpuint (again, !=, first);
  weft_symbol_source_add_frame (f->source, again, module, 0x7010, 0);
  store = end (f);
  unlink (path);
  g_assert_cmpuint (names_of (store, first, named, 8), ==, 1);
  g_assert_cmpstr (named[0].name, ==, "first");
  g_assert_cmpuint (names_of (store, elsewhere, named, 8), ==, 1);
  g_assert_cmpstr (named[0].name, ==, "third");
  g_assert_cmpuint (names_of (store, again, named, 8), ==, 1);
  g_assert_cmpstr (named[0].name, ==, "second");
}

static void
test_kernel (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autoptr (WeftStore) store = NULL;
  WeftCodeModule *module = weft_module_set_get_kernel (f->modules);
  const char *line;
  guint64 address;
  Named named[8];

  g_assert_true (g_file_get_contents ("/proc/kallsyms", &text, NULL, NULL));
  line = strstr (text, " T vfs_read\n");
  if (line == NULL || (address = g_ascii_strtoull (line - 16, NULL, 16)) == 0)
    {
      g_test_skip ("the kernel hides its addresses");
      return;
    }
  weft_symbol_source_add_module (f->source, module, ++f->n_modules);
  add_frame (f, module, address + 1, WEFT_FRAME_KERNEL, 1);
  store = end (f);
  g_assert_cmpuint (names_of (store, 1, named, 8), ==, 1);
  g_assert_cmpstr (named[0].name, ==, "vfs_read");
  g_assert_cmpint (state_of (store, 1, NULL), ==, WEFT_SYMBOL_STATE_SYMBOLS);
}

static void
test_vdso (Fixture *f, gconstpointer data)
{
  WeftModuleFile file = { .path = "[vdso]", .pid = getpid () };
  WeftCodeModule *module = weft_module_set_get (f->modules, &file);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) symbols = NULL;

  weft_symbol_source_add_module (f->source, module, ++f->n_modules);
  for (guint64 offset = 0; offset < 8192; offset += 16)
    add_frame (f, module, offset, 0, 0);
  store = end (f);
  symbols = rows_read (store, WEFT_TABLE_SYMBOLS);
  g_assert_cmpuint (symbols->n, >=, 3);
#ifdef __x86_64__
  g_assert_true (rows_find_text (symbols, WEFT_SYMBOLS_NAME, "clock_gettime", 0) != G_MAXUINT64 ||
                 rows_find_text (symbols, WEFT_SYMBOLS_NAME, "__vdso_clock_gettime", 0) !=
                     G_MAXUINT64);
#endif
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("WEFT_SYMBOLIZER", g_getenv ("WEFT_TEST_SYMBOLIZER_PROGRAM"), TRUE);
#define ADD(name, func) g_test_add ("/symbol-source/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("frames", test_frames);
  ADD ("code", test_code);
  ADD ("newer-source", test_newer_source);
  ADD ("secret-source", test_secret_source);
  ADD ("while-recording", test_while_recording);
  ADD ("off", test_off);
  ADD ("replaced-file", test_replaced_file);
  ADD ("no-elf", test_no_elf);
  ADD ("deadline", test_deadline);
  ADD ("cached", test_cached);
  ADD ("map", test_map);
  ADD ("versions", test_versions);
  ADD ("kernel", test_kernel);
  ADD ("vdso", test_vdso);
#undef ADD
  return g_test_run ();
}
