/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What files, programs and processes of others tell of symbols: sound, damaged, hostile. */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft-debug-files.h"
#include "weft-demangle.h"
#include "weft-jit-dump.h"
#include "weft-jit-map.h"
#include "weft-kernel-symbols.h"
#include "weft-symbol-block-builder.h"
#include "weft-symbol-block.h"
#include "weft-symbol-cache.h"
#include "weft-symbolizer-child.h"
#include "weft-symbolizer.h"

#define NS_PER_SECOND G_GINT64_CONSTANT (1000000000)

/* ---- Names ---- */

static void
test_demangle (void)
{
  static const struct
  {
    const char *linkage;
    const char *name;
  } cases[] = {
    { "_Z3addii", "add(int, int)" },
    { "_ZN6forest4Tree3addERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
      "forest::Tree::add(std::__cxx11::basic_string<char, std::char_traits<char>, "
      "std::allocator<char> > const&)" },
    { "_ZNKSt8functionIFiiEEclEi", "std::function<int (int)>::operator()(int) const" },
    { "_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}::operator()(int) const" },
    { "_ZN3foo3barEv.cold", "foo::bar() [clone .cold]" },
    { "_ZN3foo3barEv.constprop.0", "foo::bar() [clone .constprop.0]" },
    { "_ZN3foo3barEv.llvm.1234567", "foo::bar()" },
    { "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad" },
    { "_ZN66_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..drop..Drop$GT$4drop"
      "17h0123456789abcdefE",
      "<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop" },
    { "_RNvC6_123foo3bar", "123foo::bar" },
    { "_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar" },
    { "main", NULL },
    { "", NULL },
    { "_", NULL },
    { "_Z", NULL },
    { "_R", NULL },
    { "_ZN", NULL },
    { "foo.cold", NULL },
    { "_Zzzzz", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = weft_demangle (cases[i].linkage);

      g_assert_cmpstr (name, ==, cases[i].name);
    }
}

/* Names that would take all memory or time. */
static void
test_demangle_bombs (void)
{
  g_autoptr (GString) deep = g_string_new ("_Z1f");
  g_autoptr (GString) wide = g_string_new ("_Z1fI");
  g_autoptr (GString) rust = g_string_new ("_RIC1a");
  GString *const all[] = { deep, wide, rust };

  for (guint i = 0; i < 16000; i++)
    g_string_append_c (deep, 'P');
  for (guint i = 0; i < 3000; i++)
    g_string_append_printf (wide, "S%c_", 'A' + (char) (i % 26));
  for (guint i = 0; i < 8000; i++)
    g_string_append_c (rust, 'S');
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      gint64 begin = g_get_monotonic_time ();
      g_autofree char *name = weft_demangle (all[i]->str);

      g_assert_cmpint (g_get_monotonic_time () - begin, <, 5 * G_USEC_PER_SEC);
    }
}

/* ---- Blocks ---- */

static GByteArray *
make_block (void)
{
  WeftSymbolBlockBuilder *builder = weft_symbol_block_builder_new ();
  g_autoptr (GByteArray) scopes = g_byte_array_new ();
  g_autoptr (GByteArray) rows = g_byte_array_new ();
  WeftSymbolBlockFunction function = { .start = 0x1000, .size = 0x100, .file_offset = 0x400 };
  GByteArray *bytes;
  guint32 inner;

  function.symbol =
      weft_symbol_block_builder_symbol (builder, 0, "outer", "_Z5outerv", "a.cc", 3, 0x1000, 0x100);
  inner = weft_symbol_block_builder_symbol (builder, 7, "inner", NULL, "b.h", 9, 0, 0);
  weft_symbol_put_number (scopes, 0);
  weft_symbol_put_number (scopes, inner);
  weft_symbol_put_number (scopes, weft_symbol_block_builder_string (builder, "a.cc"));
  weft_symbol_put_number (scopes, 5);
  for (guint i = 0; i < 3; i++)
    {
      weft_symbol_put_number (rows, i > 0 ? 0x10 : 0);
      weft_symbol_put_number (rows, i % 2);
      weft_symbol_put_number (rows, weft_symbol_block_builder_string (builder, "b.h"));
      weft_symbol_put_number (rows, 20 + i);
    }
  function.n_scopes = 1;
  function.scopes = scopes;
  function.n_rows = 3;
  function.rows = rows;
  weft_symbol_block_builder_function (builder, &function);
  bytes = weft_symbol_block_builder_finish (builder);
  weft_symbol_block_builder_free (builder);
  return bytes;
}

static void
test_block (void)
{
  g_autoptr (GByteArray) bytes = make_block ();
  g_autoptr (WeftSymbolBlock) block = weft_symbol_block_decode (bytes->data, bytes->len);
  const WeftSymbolFunction *function;
  const WeftSymbolRow *row;

  g_assert_nonnull (block);
  g_assert_cmpuint (block->functions->len, ==, 1);
  function = &g_array_index (block->functions, WeftSymbolFunction, 0);
  g_assert_cmpstr (function->symbol->name, ==, "outer");
  g_assert_cmpstr (function->symbol->linkage_name, ==, "_Z5outerv");
  g_assert_cmpuint (function->file_offset, ==, 0x400);
  row = weft_symbol_function_find_row (function, 0x101f);
  g_assert_cmpuint (row->line, ==, 21);
  g_assert_cmpuint (row->scope, ==, 1);
  g_assert_cmpstr (function->scopes[0].symbol->name, ==, "inner");
  g_assert_cmpstr (function->scopes[0].file, ==, "a.cc");
  g_assert_cmpuint (function->scopes[0].line, ==, 5);
  g_assert_cmpuint (weft_symbol_function_find_row (function, 0x10ff)->line, ==, 22);
}

/* Whatever is made of one, it is refused or sound: every number in it leads somewhere. */
static void
test_block_fuzz (void)
{
  g_autoptr (GByteArray) good = make_block ();
  guint refused = 0;
  guint n = 0;

  for (gsize cut = 0; cut < good->len; cut++)
    g_assert_null (weft_symbol_block_decode (good->data, cut));
  for (guint i = 0; i < 200000; i++)
    {
      g_autofree guint8 *bytes = g_memdup2 (good->data, good->len);
      WeftSymbolBlock *block;

      for (int j = g_test_rand_int_range (1, 4); j > 0; j--)
        bytes[g_test_rand_int_range (0, good->len)] = g_test_rand_int_range (0, 256);
      block = weft_symbol_block_decode (bytes, good->len);
      refused += block == NULL;
      if (block == NULL)
        continue;
      for (guint f = 0; f < block->functions->len; f++)
        {
          const WeftSymbolFunction *function =
              &g_array_index (block->functions, WeftSymbolFunction, f);

          n += function->symbol != NULL ? strlen (function->symbol->name) : 0;
          for (guint r = 0; r < function->n_rows; r++)
            for (guint32 s = function->rows[r].scope; s != 0; s = function->scopes[s - 1].parent)
              n += strlen (function->scopes[s - 1].symbol->name);
        }
      weft_symbol_block_free (block);
    }
  g_assert_cmpuint (refused, >, 10000);
  g_assert_cmpuint (n, >, 0);
}

/* ---- The cache ---- */

static char *
make_folder (void)
{
  char *folder = g_dir_make_tmp ("weft-symbols-XXXXXX", NULL);

  g_assert_nonnull (folder);
  return folder;
}

static void
remove_folder (char *folder)
{
  GDir *directory = g_dir_open (folder, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        remove_folder (g_steal_pointer (&path));
      else
        g_unlink (path);
    }
  g_clear_pointer (&directory, g_dir_close);
  g_rmdir (folder);
  g_free (folder);
}

#define BUILD_ID "00112233445566778899aabbccddeeff00112233"

static void
save (WeftSymbolCache *cache, const char *build_id)
{
  g_autoptr (WeftSymbolCacheEntry) entry = weft_symbol_cache_entry_new ();
  g_autoptr (GByteArray) bytes = make_block ();

  entry->module_size = 1234;
  entry->state = WEFT_SYMBOL_STATE_LINES;
  entry->n_symbols = 2;
  g_ptr_array_add (entry->blocks, weft_symbol_block_decode (bytes->data, bytes->len));
  g_ptr_array_add (entry->bytes, g_bytes_new (bytes->data, bytes->len));
  weft_symbol_cache_save (cache, build_id, "/nonexistent", entry);
}

static gboolean
is_kept (WeftSymbolCache *cache, const char *build_id, guint64 size)
{
  g_autoptr (WeftSymbolCacheEntry) entry =
      weft_symbol_cache_load (cache, build_id, "/nonexistent", size);

  if (entry == NULL)
    return FALSE;
  g_assert_cmpuint (entry->blocks->len, ==, 1);
  g_assert_cmpint (entry->state, ==, WEFT_SYMBOL_STATE_LINES);
  g_assert_cmpuint (entry->n_symbols, ==, 2);
  return TRUE;
}

static void
test_cache (void)
{
  char *folder = make_folder ();
  g_autofree char *directory = g_build_filename (folder, "deeper", "symbols", NULL);
  WeftSymbolCache *cache = weft_symbol_cache_new (directory);
  struct stat status;

  g_assert_nonnull (cache);
  g_assert_cmpint (stat (directory, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0700);
  g_assert_false (is_kept (cache, BUILD_ID, 1234));
  save (cache, BUILD_ID);
  g_assert_true (is_kept (cache, BUILD_ID, 1234));
  g_assert_false (is_kept (cache, BUILD_ID, 1235));
  g_assert_false (is_kept (cache, "ffff", 1234));
  /* No name leads out of the directory. */
  save (cache, "../../outside");
  g_assert_false (is_kept (cache, "../../outside", 1234));
  weft_symbol_cache_free (cache);
  remove_folder (folder);
}

/* Debugging information that was installed since makes what was kept useless. */
static void
test_cache_debug_file (void)
{
  char *folder = make_folder ();
  g_autofree char *directory = g_build_filename (folder, "cache", NULL);
  g_autofree char *debug = g_build_filename (folder, "debug", ".build-id", "00", NULL);
  g_autofree char *file = g_build_filename (debug, BUILD_ID + 2, NULL);
  g_autofree char *path = g_strconcat (file, ".debug", NULL);
  g_autofree char *root = g_build_filename (folder, "debug", NULL);
  WeftSymbolCache *cache = weft_symbol_cache_new (directory);

  g_setenv ("WEFT_DEBUG_PATH", root, TRUE);
  save (cache, BUILD_ID);
  g_assert_true (is_kept (cache, BUILD_ID, 1234));
  g_assert_cmpint (g_mkdir_with_parents (debug, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, "one", -1, NULL));
  g_assert_false (is_kept (cache, BUILD_ID, 1234));
  save (cache, BUILD_ID);
  g_assert_true (is_kept (cache, BUILD_ID, 1234));
  g_assert_true (g_file_set_contents (path, "another", -1, NULL));
  g_assert_false (is_kept (cache, BUILD_ID, 1234));
  g_unsetenv ("WEFT_DEBUG_PATH");
  weft_symbol_cache_free (cache);
  remove_folder (folder);
}

static void
test_cache_damage (void)
{
  char *folder = make_folder ();
  WeftSymbolCache *cache = weft_symbol_cache_new (folder);
  g_autofree char *path = g_build_filename (folder, BUILD_ID ".symbols", NULL);
  g_autofree char *bytes = NULL;
  gsize length;

  save (cache, BUILD_ID);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  for (gsize i = 0; i < length; i++)
    {
      bytes[i] ^= 0x10;
      g_assert_true (g_file_set_contents (path, bytes, length, NULL));
      g_assert_cmpint (g_chmod (path, 0600), ==, 0);
      g_assert_false (is_kept (cache, BUILD_ID, 1234));
      bytes[i] ^= 0x10;
    }
  for (gsize cut = 0; cut < length; cut++)
    {
      g_assert_true (g_file_set_contents (path, bytes, cut, NULL));
      g_assert_false (is_kept (cache, BUILD_ID, 1234));
    }
  g_assert_true (g_file_set_contents (path, bytes, length, NULL));
  g_assert_cmpint (g_chmod (path, 0666), ==, 0);
  g_assert_false (is_kept (cache, BUILD_ID, 1234));
  g_assert_cmpint (g_chmod (path, 0600), ==, 0);
  g_assert_true (is_kept (cache, BUILD_ID, 1234));
  weft_symbol_cache_free (cache);
  remove_folder (folder);
}

static void
test_cache_limit (void)
{
  char *folder = make_folder ();
  WeftSymbolCache *cache = weft_symbol_cache_new (folder);
  g_autofree char *first = g_build_filename (folder, "0000.symbols", NULL);
  GStatBuf status;

  save (cache, "0000");
  g_assert_cmpint (g_stat (first, &status), ==, 0);
  weft_symbol_cache_set_limit (cache, status.st_size * 3);
  for (guint i = 1; i < 8; i++)
    {
      g_autofree char *build_id = g_strdup_printf ("%04u", i);

      g_usleep (10000);
      /* What was used is younger than what was only kept. */
      g_assert_true (is_kept (cache, "0000", 1234));
      g_usleep (10000);
      save (cache, build_id);
      g_assert_true (is_kept (cache, build_id, 1234));
    }
  g_assert_true (is_kept (cache, "0000", 1234));
  g_assert_false (is_kept (cache, "0001", 1234));
  weft_symbol_cache_free (cache);
  remove_folder (folder);
}

static void
test_cache_directories (void)
{
  char *folder = make_folder ();
  g_autofree char *open_to_all = g_build_filename (folder, "open", NULL);
  g_autofree char *link = g_build_filename (folder, "link", NULL);
  g_autofree char *foreign = g_build_filename (folder, "foreign", NULL);

  g_assert_cmpint (g_mkdir (open_to_all, 0777), ==, 0);
  g_assert_cmpint (g_chmod (open_to_all, 0777), ==, 0);
  g_assert_null (weft_symbol_cache_new (open_to_all));
  g_assert_cmpint (symlink (folder, link), ==, 0);
  g_assert_null (weft_symbol_cache_new (link));
  g_assert_null (weft_symbol_cache_new ("/proc/nonexistent/cache"));
  if (geteuid () == 0)
    {
      g_assert_cmpint (g_mkdir (foreign, 0700), ==, 0);
      g_assert_cmpint (chown (foreign, 65534, 65534), ==, 0);
      g_assert_null (weft_symbol_cache_new (foreign));
    }
  remove_folder (folder);
}

/* ---- Code that programs make ---- */

static int
make_file (const void *bytes, gsize length)
{
  int descriptor = memfd_create ("test", MFD_CLOEXEC);

  g_assert_cmpint (descriptor, >=, 0);
  g_assert_cmpint (write (descriptor, bytes, length), ==, (gssize) length);
  return descriptor;
}

static const char *
name_at (WeftSymbolNames *names, guint64 address)
{
  const WeftSymbolFunction *function = weft_symbol_names_find (names, address);

  return function != NULL ? function->symbol->name : NULL;
}

static void
test_map (void)
{
  static const char text[] = "7f0000001000 20 first\n"
                             "7f0000001020 20 a name, with blanks\n"
                             "nonsense\n"
                             "7f0000002000 0 empty\n"
                             "7f0000003000\n"
                             "7f0000003000 zz bad\n"
                             "ffffffffffffffff 10 over the end\n"
                             "7f0000001010 20 later\n"
                             "7f0000004000 10 \xff\xfe broken\n"
                             "7f0000005000 10 cut of";
  static const char rest[] = "f\n";
  int descriptor = make_file (text, strlen (text));
  WeftJitMap *map = weft_jit_map_new (descriptor);
  WeftSymbolNames *names = weft_symbol_names_new ();

  weft_jit_map_read (map, names);
  g_assert_cmpstr (name_at (names, 0x7f0000001010), ==, "later");
  g_assert_cmpstr (name_at (names, 0x7f000000102f), ==, "later");
  g_assert_null (name_at (names, 0x7f0000001000));
  g_assert_null (name_at (names, 0x7f0000001030));
  g_assert_true (g_utf8_validate (name_at (names, 0x7f0000004000), -1, NULL));
  g_assert_null (name_at (names, 0x7f0000005000));
  g_assert_cmpuint (weft_jit_map_get_n_refused (map), ==, 5);
  g_assert_cmpint (pwrite (descriptor, rest, strlen (rest), strlen (text)), ==, strlen (rest));
  weft_jit_map_read (map, names);
  g_assert_cmpstr (name_at (names, 0x7f0000005008), ==, "cut off");
  weft_symbol_names_free (names);
  weft_jit_map_free (map);
}

static void
test_map_long_line (void)
{
  g_autoptr (GString) text = g_string_new ("1000 10 ");
  WeftSymbolNames *names = weft_symbol_names_new ();
  WeftJitMap *map;

  for (guint i = 0; i < 300000; i++)
    g_string_append_c (text, 'x');
  g_string_append (text, "\n2000 10 after\n");
  map = weft_jit_map_new (make_file (text->str, text->len));
  weft_jit_map_read (map, names);
  g_assert_cmpstr (name_at (names, 0x2000), ==, "after");
  g_assert_cmpuint (weft_jit_map_get_n_refused (map), >, 0);
  weft_symbol_names_free (names);
  weft_jit_map_free (map);
}

/* A map lies where everybody may write: it has to be the process's own. */
static void
test_map_owner (void)
{
  g_autofree char *path = g_strdup_printf ("/tmp/perf-%d.map", getpid ());
  g_autofree char *target = g_strconcat (path, ".target", NULL);
  g_autofree char *reason = NULL;
  WeftJitMap *map;

  g_assert_null (weft_jit_map_open (getpid (), &reason));
  g_assert_null (reason);
  g_assert_true (g_file_set_contents (path, "1000 10 mine\n", -1, NULL));
  map = weft_jit_map_open (getpid (), &reason);
  g_assert_nonnull (map);
  weft_jit_map_free (map);
  if (geteuid () == 0)
    {
      g_assert_cmpint (chown (path, 65534, 65534), ==, 0);
      g_assert_null (weft_jit_map_open (getpid (), &reason));
      g_assert_nonnull (strstr (reason, "another user"));
    }
  g_assert_cmpint (rename (path, target), ==, 0);
  g_assert_cmpint (symlink (target, path), ==, 0);
  g_assert_null (weft_jit_map_open (getpid (), &(char *){ NULL }));
  g_unlink (path);
  g_unlink (target);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_clear_pointer (&reason, g_free);
  g_assert_null (weft_jit_map_open (getpid (), &reason));
  g_unlink (path);
}

static void
put_record (GByteArray *bytes, guint32 type, const void *body, guint32 length)
{
  guint32 head[4] = { type, length + 16, 0, 0 };

  g_byte_array_append (bytes, (const guint8 *) head, sizeof head);
  g_byte_array_append (bytes, body, length);
}

static void
put_load (GByteArray *bytes, guint64 address, guint64 size, const char *name)
{
  guint64 load[5] = { 0, address, address, size, 1 };
  g_autoptr (GByteArray) body = g_byte_array_new ();

  g_byte_array_append (body, (const guint8 *) load, sizeof load);
  g_byte_array_append (body, (const guint8 *) name, strlen (name) + 1);
  for (guint64 i = 0; i < size; i++)
    g_byte_array_append (body, &(guint8){ 0x90 + i % 4 }, 1);
  put_record (bytes, 0, body->data, body->len);
}

static GByteArray *
make_dump (void)
{
  GByteArray *bytes = g_byte_array_new ();
  guint32 header[10] = { 0x4a695444, 1, 40, EM_X86_64, 0, 4321 };
  guint64 move[6] = { 0, 0x9000, 0x1000, 0x9000, 0x20, 1 };
  g_autoptr (GByteArray) lines = g_byte_array_new ();
  guint64 head[2] = { 0x2000, 2 };
  guint64 first[2] = { 0x2000, 11 };
  guint64 second[2] = { 0x2008, 12 };

  g_byte_array_append (bytes, (const guint8 *) header, sizeof header);
  put_load (bytes, 0x1000, 0x20, "moved");
  g_byte_array_append (lines, (const guint8 *) head, sizeof head);
  g_byte_array_append (lines, (const guint8 *) first, sizeof first);
  g_byte_array_append (lines, (const guint8 *) "script.js", 10);
  g_byte_array_append (lines, (const guint8 *) second, sizeof second);
  g_byte_array_append (lines, (const guint8 *) "\377", 2);
  put_record (bytes, 2, lines->data, lines->len);
  put_load (bytes, 0x2000, 0x10, "lined");
  put_record (bytes, 1, move, sizeof move);
  put_record (bytes, 77, "of a kind to come", 18);
  put_load (bytes, 0x2008, 0x10, "over it");
  return bytes;
}

static void
test_dump (void)
{
  g_autoptr (GByteArray) bytes = make_dump ();
  WeftJitDump *dump = weft_jit_dump_new (make_file (bytes->data, bytes->len));
  WeftSymbolNames *names = weft_symbol_names_new ();
  g_autofree char *reason = NULL;
  const WeftSymbolFunction *function;
  guint8 code[0x10];

  g_assert_true (weft_jit_dump_read (dump, names, &reason));
  g_assert_cmpint (weft_jit_dump_get_pid (dump), ==, 4321);
  g_assert_cmpuint (weft_jit_dump_get_machine (dump), ==, EM_X86_64);
  g_assert_cmpstr (name_at (names, 0x9010), ==, "moved");
  g_assert_null (name_at (names, 0x2000));
  function = weft_symbol_names_find (names, 0x2010);
  g_assert_cmpstr (function->symbol->name, ==, "over it");
  g_assert_true (weft_jit_dump_get_code (dump, function->file_offset, code, sizeof code));
  g_assert_cmpuint (code[0], ==, 0x90);
  g_assert_cmpuint (code[3], ==, 0x93);
  weft_symbol_names_free (names);
  weft_jit_dump_free (dump);
}

/* It is read while it is written: what is not whole comes later; lines belong to what follows. */
static void
test_dump_grows (void)
{
  g_autoptr (GByteArray) bytes = make_dump ();
  int descriptor = make_file ("", 0);
  WeftJitDump *dump = weft_jit_dump_new (descriptor);
  WeftSymbolNames *names = weft_symbol_names_new ();
  gboolean was_lined = FALSE;

  for (guint i = 0; i < bytes->len; i++)
    {
      const WeftSymbolFunction *function;

      g_assert_cmpint (pwrite (descriptor, bytes->data + i, 1, i), ==, 1);
      g_assert_true (weft_jit_dump_read (dump, names, NULL));
      function = weft_symbol_names_find (names, 0x200a);
      if (function == NULL || !g_str_equal (function->symbol->name, "lined"))
        continue;
      was_lined = TRUE;
      g_assert_cmpuint (function->n_rows, ==, 2);
      g_assert_cmpuint (weft_symbol_function_find_row (function, 0x200a)->line, ==, 12);
      g_assert_cmpstr (weft_symbol_function_find_row (function, 0x200a)->file, ==, "script.js");
    }
  g_assert_true (was_lined);
  g_assert_cmpstr (name_at (names, 0x2010), ==, "over it");
  weft_symbol_names_free (names);
  weft_jit_dump_free (dump);
}

static void
test_dump_fuzz (void)
{
  g_autoptr (GByteArray) good = make_dump ();
  guint refused = 0;

  for (guint i = 0; i < 20000; i++)
    {
      g_autofree guint8 *bytes = g_memdup2 (good->data, good->len);
      WeftSymbolNames *names = weft_symbol_names_new ();
      g_autofree char *reason = NULL;
      WeftJitDump *dump;

      for (int j = g_test_rand_int_range (1, 5); j > 0; j--)
        bytes[g_test_rand_int_range (0, good->len)] = g_test_rand_int_range (0, 256);
      dump = weft_jit_dump_new (make_file (bytes, g_test_rand_int_range (0, good->len + 1)));
      refused += !weft_jit_dump_read (dump, names, &reason);
      for (guint64 address = 0x1000; address < 0xa000; address += 0x800)
        {
          const WeftSymbolFunction *function = weft_symbol_names_find (names, address);

          if (function != NULL)
            g_assert_true (g_utf8_validate (function->symbol->name, -1, NULL));
        }
      weft_jit_dump_free (dump);
      weft_symbol_names_free (names);
    }
  g_assert_cmpuint (refused, >, 100);
}

/* ---- The kernel ---- */

static void
test_kernel (void)
{
  static const char text[] = "0000000000000000 A fixed_percpu_data\n"
                             "ffffffff81000000 T _text\n"
                             "ffffffff81000000 T startup\n"
                             "ffffffff81000100 t helper\n"
                             "ffffffff81000200 D data_is_none\n"
                             "ffffffffc0000000 t probe\t[driver]\n"
                             "damaged line\n";
  static const char hidden[] = "0000000000000000 T _text\n0000000000000000 t helper\n";
  g_autofree char *reason = NULL;
  WeftKernelSymbols *kernel = weft_kernel_symbols_parse (g_strdup (text), strlen (text), &reason);
  static const struct
  {
    guint64 address;
    const char *name;
  } cases[] = {
    { 0xffffffff810000ff, "_text" },  { 0xffffffff81000000, "_text" },
    { 0xffffffff81000250, "helper" }, { 0xffffffffc0000010, "probe [driver]" },
    { 0xffffffff810000fe, "_text" },  { 0x1000, NULL },
  };

  g_assert_nonnull (kernel);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const WeftSymbolFunction *function = weft_kernel_symbols_find (kernel, cases[i].address);

      g_assert_cmpstr (function != NULL ? function->symbol->name : NULL, ==, cases[i].name);
    }
  weft_kernel_symbols_free (kernel);
  g_assert_null (weft_kernel_symbols_parse (g_strdup (hidden), strlen (hidden), &reason));
  g_assert_nonnull (strstr (reason, "kptr_restrict"));
  g_clear_pointer (&reason, g_free);
  g_assert_null (weft_kernel_symbols_parse (g_strdup (""), 0, &reason));
}

/* ---- The process ---- */

/* In a process of its own, which ends with a bit set for each thing that it could still do. */
static int
attempts (void)
{
  int could = 0;
  int sockets[2];

  weft_symbolizer_confine ();
  could |= (open ("/etc/passwd", O_RDONLY) >= 0) << 0;
  could |= (open ("/tmp/weft-test-sandbox", O_WRONLY | O_CREAT, 0600) >= 0) << 1;
  could |= (socket (AF_UNIX, SOCK_STREAM, 0) >= 0) << 2;
  could |= (socketpair (AF_UNIX, SOCK_STREAM, 0, sockets) == 0) << 3;
  could |= (kill (getppid (), 0) == 0) << 4;
  could |= (geteuid () == 0) << 5;
  if (fork () == 0)
    _exit (0);
  could |= (errno != EPERM && errno != EAGAIN) << 6;
  return could;
}

static void
test_sandbox (void)
{
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    _exit (attempts ());
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static void
exhaust (gboolean memory)
{
  weft_symbolizer_confine ();
  if (!memory)
    weft_symbolizer_limit_time (0);
  while (TRUE)
    if (memory && mmap (NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0) == MAP_FAILED)
      _exit (42);
}

static void
test_sandbox_limits (void)
{
  for (guint i = 0; i < 2; i++)
    {
      pid_t pid = fork ();
      int status;

      if (pid == 0)
        exhaust (i == 0);
      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
      if (i == 0)
        g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 42);
#endif
      if (i == 1)
        g_assert_true (WIFSIGNALED (status) &&
                       (WTERMSIG (status) == SIGXCPU || WTERMSIG (status) == SIGKILL));
    }
}

static WeftSymbolAnswer *
ask (WeftSymbolizer *symbolizer, const char *path)
{
  static const guint64 offsets[] = { 0x1000, 0x2000 };
  int descriptor = weft_debug_files_open (path);
  WeftSymbolAnswer *answer;

  g_assert_cmpint (descriptor, >=, 0);
  answer = weft_symbolizer_resolve_file (symbolizer, 1, path, NULL, descriptor, offsets,
                                         G_N_ELEMENTS (offsets));
  close (descriptor);
  return answer;
}

/* Whatever the process does, it costs one answer, and the next one is good. */
static void
test_hostile (void)
{
  static const struct
  {
    const char *how;
    const char *reason;
  } cases[] = {
    { "hang", "took longer than" },
    { "crash", "crashed" },
    { "leave", "has ended" },
    { "large", "no sound answer" },
    { "other", "no sound answer" },
    { "strings", "no sound answer" },
    { "function", "no sound answer" },
    { "scope", "no sound answer" },
    { "cut", "has ended" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      WeftSymbolizer *symbolizer = weft_symbolizer_new ();
      g_autoptr (WeftSymbolAnswer) bad = NULL;
      g_autoptr (WeftSymbolAnswer) good = NULL;

      weft_symbolizer_set_time_limit (symbolizer, NS_PER_SECOND / 2);
      g_setenv ("WEFT_TEST_SYMBOLIZER", cases[i].how, TRUE);
      g_setenv ("WEFT_SYMBOLIZER", g_getenv ("WEFT_TEST_HOSTILE_SYMBOLIZER"), TRUE);
      bad = ask (symbolizer, "/proc/self/exe");
      g_assert_cmpint (bad->state, ==, WEFT_SYMBOL_STATE_FAILED);
      g_test_message ("%s: %s", cases[i].how, bad->reason);
      g_assert_nonnull (strstr (bad->reason, cases[i].reason));
      g_setenv ("WEFT_SYMBOLIZER", g_getenv ("WEFT_TEST_SYMBOLIZER_PROGRAM"), TRUE);
      weft_symbolizer_set_time_limit (symbolizer, 0);
      good = ask (symbolizer, "/proc/self/exe");
      g_assert_cmpint (good->state, !=, WEFT_SYMBOL_STATE_FAILED);
      weft_symbolizer_free (symbolizer);
    }
}

/* A process that cannot be started is said with what to do. */
static void
test_not_there (void)
{
  WeftSymbolizer *symbolizer = weft_symbolizer_new ();
  g_autoptr (WeftSymbolAnswer) answer = NULL;

  g_setenv ("WEFT_SYMBOLIZER", "/nonexistent", TRUE);
  answer = ask (symbolizer, "/proc/self/exe");
  g_assert_cmpint (answer->state, ==, WEFT_SYMBOL_STATE_FAILED);
  g_assert_nonnull (strstr (answer->reason, "WEFT_SYMBOLIZER"));
  g_setenv ("WEFT_SYMBOLIZER", g_getenv ("WEFT_TEST_SYMBOLIZER_PROGRAM"), TRUE);
  weft_symbolizer_free (symbolizer);
}

/* ELF and DWARF that were garbled: the process may fall, nothing else may. */
static void
test_fuzz (void)
{
  WeftSymbolizer *symbolizer = weft_symbolizer_new ();
  g_autofree char *good = NULL;
  gint64 end = g_get_monotonic_time () + 3 * G_USEC_PER_SEC;
  guint64 offsets[64];
  guint n_bad = 0;
  guint n_crashes = 0;
  gsize length;
  guint n;

  if (g_getenv ("WEFT_FUZZ_SECONDS") != NULL)
    end = g_get_monotonic_time () + atoi (g_getenv ("WEFT_FUZZ_SECONDS")) * G_USEC_PER_SEC;
  g_assert_true (g_file_get_contents (g_getenv ("WEFT_TEST_FUZZED"), &good, &length, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (offsets); i++)
    offsets[i] = 0x1000 + i * 24;
  weft_symbolizer_set_time_limit (symbolizer, 5 * NS_PER_SECOND);
  for (n = 0; n < 20 || g_get_monotonic_time () < end; n++)
    {
      g_autofree char *bytes = g_memdup2 (good, length);
      g_autoptr (WeftSymbolAnswer) answer = NULL;
      int descriptor;

      for (int j = g_test_rand_int_range (1, 200); j > 0; j--)
        bytes[g_test_rand_int_range (n % 2 ? 64 : 0, length)] = g_test_rand_int_range (0, 256);
      descriptor = make_file (bytes, n % 5 ? length : (gsize) g_test_rand_int_range (0, length));
      answer = weft_symbolizer_resolve_file (symbolizer, n + 1, "/nonexistent/fuzzed", NULL,
                                             descriptor, offsets, G_N_ELEMENTS (offsets));
      n_bad += answer->state == WEFT_SYMBOL_STATE_FAILED;
      n_crashes += strstr (answer->reason, "crashed") != NULL;
      close (descriptor);
    }
  g_test_message ("%u garbled programs: %u could not be read, %u crashed what reads them", n, n_bad,
                  n_crashes);
  weft_symbolizer_free (symbolizer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("WEFT_SYMBOLIZER", g_getenv ("WEFT_TEST_SYMBOLIZER_PROGRAM"), TRUE);
  g_test_add_func ("/symbols/demangle", test_demangle);
  g_test_add_func ("/symbols/demangle-bombs", test_demangle_bombs);
  g_test_add_func ("/symbols/block", test_block);
  g_test_add_func ("/symbols/block-fuzz", test_block_fuzz);
  g_test_add_func ("/symbols/cache", test_cache);
  g_test_add_func ("/symbols/cache-debug-file", test_cache_debug_file);
  g_test_add_func ("/symbols/cache-damage", test_cache_damage);
  g_test_add_func ("/symbols/cache-limit", test_cache_limit);
  g_test_add_func ("/symbols/cache-directories", test_cache_directories);
  g_test_add_func ("/symbols/map", test_map);
  g_test_add_func ("/symbols/map-long-line", test_map_long_line);
  g_test_add_func ("/symbols/map-owner", test_map_owner);
  g_test_add_func ("/symbols/dump", test_dump);
  g_test_add_func ("/symbols/dump-grows", test_dump_grows);
  g_test_add_func ("/symbols/dump-fuzz", test_dump_fuzz);
  g_test_add_func ("/symbols/kernel", test_kernel);
  g_test_add_func ("/symbols/sandbox", test_sandbox);
  g_test_add_func ("/symbols/sandbox-limits", test_sandbox_limits);
  g_test_add_func ("/symbols/hostile", test_hostile);
  g_test_add_func ("/symbols/not-there", test_not_there);
  g_test_add_func ("/symbols/fuzz", test_fuzz);
  return g_test_run ();
}
