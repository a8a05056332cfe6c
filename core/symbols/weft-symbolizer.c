/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbolizer.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "weft-debug-files.h"
#include "weft-symbol-config.h"

#define PROGRAM "weft-symbolizer"
#define NS_PER_SECOND G_GINT64_CONSTANT (1000000000)
/* For one message: the largest programs take two seconds. */
#define TIME_LIMIT (30 * NS_PER_SECOND)
#define OFFSETS_PER_MESSAGE 8192
#define PATIENCE 100 /* times 10 ms */

struct _WeftSymbolizer
{
  WeftSymbolFindFunc find;
  gpointer find_data;
  gint64 time_limit;
  int socket;
  GPid pid;
  GByteArray *message;
  GHashTable *open;      /* number of a module → OpenModule, in the child that runs */
  GMutex lock;           /* of PID and CPU */
  guint64 cpu;           /* ns, of processes that have ended */
  gboolean is_cancelled; /* atomic */
};

typedef struct
{
  char *link;
  char *debug_file;
  char *refusal; /* why a file with debugging information was not taken */
  char *note;    /* why none came from elsewhere */
} OpenModule;

/* What is asked about. */
typedef struct
{
  guint number;
  const char *path;
  const char *build_id;
  int descriptor;
  gboolean is_plain;
} Question;

static void
open_module_free (gpointer data)
{
  OpenModule *module = data;

  g_free (module->link);
  g_free (module->debug_file);
  g_free (module->refusal);
  g_free (module->note);
  g_free (module);
}

void
weft_symbol_answer_free (WeftSymbolAnswer *self)
{
  g_free (self->reason);
  g_free (self->link);
  g_free (self->debug_file);
  g_ptr_array_unref (self->blocks);
  g_ptr_array_unref (self->bytes);
  g_free (self);
}

static WeftSymbolAnswer *
answer_new (void)
{
  WeftSymbolAnswer *self = g_new0 (WeftSymbolAnswer, 1);

  self->reason = g_strdup ("");
  self->link = g_strdup ("");
  self->debug_file = g_strdup ("");
  self->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_symbol_block_free);
  self->bytes = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  return self;
}

WeftSymbolizer *
weft_symbolizer_new (void)
{
  WeftSymbolizer *self = g_new0 (WeftSymbolizer, 1);

  self->socket = -1;
  self->time_limit = TIME_LIMIT;
  self->message = g_byte_array_new ();
  self->open = g_hash_table_new_full (NULL, NULL, NULL, open_module_free);
  g_mutex_init (&self->lock);
  return self;
}

void
weft_symbolizer_set_time_limit (WeftSymbolizer *self, gint64 limit)
{
  self->time_limit = limit > 0 ? limit : TIME_LIMIT;
}

void
weft_symbolizer_set_finder (WeftSymbolizer *self, WeftSymbolFindFunc find, gpointer data)
{
  self->find = find;
  self->find_data = data;
}

/* ---- The process ---- */

static char *
directory_of_library (void)
{
  Dl_info info;
  g_autofree char *path = NULL;

  if (dladdr ((gconstpointer) weft_symbolizer_new, &info) == 0 || info.dli_fname == NULL)
    return NULL;
  path = realpath (info.dli_fname, NULL);
  return path != NULL ? g_path_get_dirname (path) : NULL;
}

/* Where it was installed, or lies in the folder that it was built in. */
static char *
find_program (void)
{
  gboolean is_elevated =
      getauxval (AT_SECURE) != 0 || (geteuid () == 0 && g_getenv ("SUDO_UID") != NULL);
  const char *given = is_elevated ? NULL : g_getenv ("WEFT_SYMBOLIZER");
  g_autofree char *library = directory_of_library ();
  g_autofree char *built = NULL;
  g_autofree char *root = NULL;

  if (given != NULL && given[0] != '\0')
    return g_strdup (given);
  if (library != NULL)
    {
      built = g_build_filename (library, "symbols", PROGRAM, NULL);
      if (g_file_test (built, G_FILE_TEST_IS_EXECUTABLE))
        return g_steal_pointer (&built);
      if (g_str_has_suffix (library, WEFT_SYMBOL_LIBDIR))
        root = g_strndup (library, strlen (library) - strlen (WEFT_SYMBOL_LIBDIR));
    }
  return g_strconcat (root != NULL ? root : "", WEFT_SYMBOL_LIBEXECDIR "/" PROGRAM, NULL);
}

static gboolean
start (WeftSymbolizer *self, char **reason)
{
  g_autofree char *program = find_program ();
  const char *const argv[] = { program, NULL };
  const int target = WEFT_SYMBOL_SOCKET;
  g_autoptr (GError) error = NULL;
  int sockets[2];
  gboolean started;
  GPid pid = 0;

  if (self->socket >= 0)
    return TRUE;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    {
      *reason = g_strdup_printf ("no socket could be made (%s)", g_strerror (errno));
      return FALSE;
    }
  started = g_spawn_async_with_pipes_and_fds (
      NULL, argv, NULL,
      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
      NULL, -1, -1, -1, &sockets[1], &target, 1, &pid, NULL, NULL, NULL, &error);
  close (sockets[1]);
  if (!started)
    {
      close (sockets[0]);
      *reason = g_strdup_printf ("what reads symbols could not be started: %s. Install Weft whole, "
                                 "or say in WEFT_SYMBOLIZER where the program is",
                                 error->message);
      return FALSE;
    }
  self->socket = sockets[0];
  g_mutex_lock (&self->lock);
  self->pid = pid;
  if (g_atomic_int_get (&self->is_cancelled))
    kill (pid, SIGKILL);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* Ends the process; returns how it ended, or -1. */
static int
stop (WeftSymbolizer *self, gboolean kill_it)
{
  struct rusage used = { 0 };
  int status = -1;
  pid_t ended = 0;
  GPid pid;

  if (self->socket < 0)
    return -1;
  close (self->socket);
  self->socket = -1;
  g_hash_table_remove_all (self->open);
  /* Its number may be another's once it was waited for: nobody is to find it then. */
  g_mutex_lock (&self->lock);
  pid = self->pid;
  self->pid = 0;
  g_mutex_unlock (&self->lock);
  /* One that is ending by itself is let, for its end says why; but not for ever. */
  for (guint i = 0; !kill_it && ended == 0 && i < PATIENCE; i++)
    {
      ended = wait4 (pid, &status, WNOHANG, &used);
      if (ended == 0)
        g_usleep (10000);
    }
  if (ended == 0)
    kill (pid, SIGKILL);
  while (ended == 0 && wait4 (pid, &status, 0, &used) < 0 && errno == EINTR)
    continue;
  g_mutex_lock (&self->lock);
  self->cpu += (guint64) (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * NS_PER_SECOND +
               (guint64) (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
  g_mutex_unlock (&self->lock);
  return status;
}

/* What to say of a process that did not answer. */
static char *
bury (WeftSymbolizer *self)
{
  int cause = errno;
  int status;

  if (g_atomic_int_get (&self->is_cancelled))
    {
      stop (self, TRUE);
      return g_strdup ("there was no time left for it");
    }
  /* One that closed its end is ending; its own status says why. */
  status = stop (self, cause != ECONNRESET && cause != EPIPE);
  if (cause == ETIMEDOUT)
    return g_strdup_printf ("reading it took longer than %.1f s", self->time_limit / 1e9);
  if (cause == EPROTO)
    return g_strdup ("reading it gave no sound answer");
  if (status >= 0 && WIFSIGNALED (status) && WTERMSIG (status) == SIGXCPU)
    return g_strdup ("reading it took too much time");
  if (status >= 0 && WIFSIGNALED (status) && WTERMSIG (status) == SIGTRAP)
    return g_strdup ("reading it took too much memory");
  if (status >= 0 && WIFSIGNALED (status))
    return g_strdup_printf ("reading it crashed (%s)", g_strsignal (WTERMSIG (status)));
  return g_strdup ("what reads it has ended");
}

void
weft_symbolizer_free (WeftSymbolizer *self)
{
  stop (self, TRUE);
  g_hash_table_unref (self->open);
  g_byte_array_unref (self->message);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
weft_symbolizer_cancel (WeftSymbolizer *self)
{
  g_mutex_lock (&self->lock);
  g_atomic_int_set (&self->is_cancelled, TRUE);
  if (self->pid > 0)
    kill (self->pid, SIGKILL);
  g_mutex_unlock (&self->lock);
}

guint64
weft_symbolizer_get_cpu (WeftSymbolizer *self)
{
  struct timespec used;
  clockid_t clock;
  guint64 cpu;

  g_mutex_lock (&self->lock);
  cpu = self->cpu;
  if (self->pid > 0 && clock_getcpuclockid (self->pid, &clock) == 0 &&
      clock_gettime (clock, &used) == 0)
    cpu += (guint64) used.tv_sec * NS_PER_SECOND + (guint64) used.tv_nsec;
  g_mutex_unlock (&self->lock);
  return cpu;
}

/* ---- Messages ---- */

static gint64
deadline (WeftSymbolizer *self)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * NS_PER_SECOND + now.tv_nsec + self->time_limit;
}

static gboolean
receive (WeftSymbolizer *self, guint32 *type, WeftSymbolReader *reader)
{
  if (!weft_symbol_receive (self->socket, deadline (self), type, self->message, NULL))
    return FALSE;
  weft_symbol_reader_init (reader, self->message->data, self->message->len);
  return TRUE;
}

/* Sends and waits for what comes back, which must be of TYPE; or says why not. */
static gboolean
ask (WeftSymbolizer *self, guint32 message, const GByteArray *body, int descriptor, guint32 type,
     WeftSymbolReader *reader, char **reason)
{
  guint32 answered;

  if (!weft_symbol_send (self->socket, message, body, descriptor) ||
      !receive (self, &answered, reader))
    {
      *reason = bury (self);
      return FALSE;
    }
  if (answered == WEFT_SYMBOL_FAILURE)
    {
      *reason = weft_symbol_get_text (reader);
      return FALSE;
    }
  if (answered != type)
    {
      errno = EPROTO;
      *reason = bury (self);
      return FALSE;
    }
  return TRUE;
}

/* ---- Files that belong to a module ---- */

/* Offers the file and takes DESCRIPTOR. ALTERNATE gets what that in turn refers to. */
static gboolean
attach (WeftSymbolizer *self, guint number, WeftSymbolPart part, int descriptor, gboolean check_sum,
        char **alternate, char **reason)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  WeftSymbolReader reader;
  gboolean taken;

  weft_symbol_put_number (body, number);
  weft_symbol_put_number (body, part);
  weft_symbol_put_number (body, check_sum);
  taken = ask (self, WEFT_SYMBOL_ATTACH, body, descriptor, WEFT_SYMBOL_ATTACHED, &reader, reason);
  close (descriptor);
  if (!taken)
    return FALSE;
  taken = weft_symbol_get_number_below (&reader, 2);
  *reason = weft_symbol_get_text (&reader);
  *alternate = weft_symbol_get_text (&reader);
  return taken;
}

static void
attach_alternate (WeftSymbolizer *self, const Question *question, const char *file,
                  const char *name)
{
  g_autofree char *path = NULL;
  g_autofree char *reason = NULL;
  g_autofree char *alternate = NULL;
  int descriptor = weft_debug_files_open_alternate (file, name, &path);

  if (descriptor >= 0)
    attach (self, question->number, WEFT_SYMBOL_PART_ALTERNATE, descriptor, FALSE, &alternate,
            &reason);
}

/* Whether DESCRIPTOR was taken; if not, the module keeps the reason. */
static gboolean
try_debug_file (WeftSymbolizer *self, const Question *question, OpenModule *module, int descriptor,
                gboolean check_sum, char *path)
{
  g_autofree char *name = path;
  g_autofree char *alternate = NULL;
  g_autofree char *reason = NULL;

  if (descriptor < 0)
    return FALSE;
  if (!attach (self, question->number, WEFT_SYMBOL_PART_DEBUG, descriptor, check_sum, &alternate,
               &reason))
    {
      if (module->refusal == NULL)
        module->refusal =
            g_strdup_printf ("“%s” is not its debugging information: %s", name, reason);
      return FALSE;
    }
  module->debug_file = g_steal_pointer (&name);
  if (alternate[0] != '\0')
    attach_alternate (self, question, module->debug_file, alternate);
  return TRUE;
}

static void
find_debug_file (WeftSymbolizer *self, const Question *question, OpenModule *module)
{
  char *path = NULL;
  int descriptor =
      question->build_id != NULL ? weft_debug_files_open_build_id (question->build_id, &path) : -1;

  if (try_debug_file (self, question, module, descriptor, FALSE, path) || self->socket < 0)
    return;
  path = NULL;
  descriptor = weft_debug_files_open_link (question->path, module->link, &path);
  if (try_debug_file (self, question, module, descriptor, TRUE, path) || self->socket < 0)
    return;
  if (self->find == NULL || question->build_id == NULL)
    return;
  path = self->find (question->build_id, &module->note, self->find_data);
  if (path != NULL)
    try_debug_file (self, question, module, weft_debug_files_open (path), FALSE, path);
}

/* ---- Questions ---- */

static OpenModule *
open_module (WeftSymbolizer *self, const Question *question, char **reason)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  OpenModule *module = g_hash_table_lookup (self->open, GUINT_TO_POINTER (question->number));
  g_autofree char *alternate = NULL;
  WeftSymbolReader reader;
  gboolean has_debug_info;

  if (module != NULL)
    return module;
  weft_symbol_put_number (body, question->number);
  weft_symbol_put_number (body, question->is_plain);
  if (!ask (self, WEFT_SYMBOL_OPEN, body, question->descriptor, WEFT_SYMBOL_IDENTITY, &reader,
            reason))
    return NULL;
  module = g_new0 (OpenModule, 1);
  weft_symbol_get_number (&reader);
  has_debug_info = weft_symbol_get_number_below (&reader, 2);
  module->link = weft_symbol_get_text (&reader);
  alternate = weft_symbol_get_text (&reader);
  g_hash_table_replace (self->open, GUINT_TO_POINTER (question->number), module);
  if (question->is_plain)
    return module;
  if (has_debug_info && alternate[0] != '\0')
    attach_alternate (self, question, question->path, alternate);
  else if (!has_debug_info)
    find_debug_file (self, question, module);
  if (self->socket >= 0)
    return module;
  *reason = g_strdup ("reading its debugging information crashed");
  return NULL;
}

/* Blocks up to the end of the answer. */
static gboolean
take_answer (WeftSymbolizer *self, WeftSymbolAnswer *answer, gboolean *is_unknown)
{
  WeftSymbolReader reader;
  guint32 type;

  while (receive (self, &type, &reader))
    {
      WeftSymbolBlock *block;

      *is_unknown = type == WEFT_SYMBOL_UNKNOWN;
      if (*is_unknown)
        return TRUE;
      if (type == WEFT_SYMBOL_DONE)
        {
          answer->state = weft_symbol_get_number_below (&reader, WEFT_SYMBOL_STATE_MAP + 1);
          answer->n_symbols = weft_symbol_get_number (&reader);
          g_free (answer->reason);
          answer->reason = weft_symbol_get_text (&reader);
          return TRUE;
        }
      block = type == WEFT_SYMBOL_BLOCK
                  ? weft_symbol_block_decode (self->message->data, self->message->len)
                  : NULL;
      if (block == NULL)
        {
          errno = EPROTO;
          return FALSE;
        }
      g_ptr_array_add (answer->blocks, block);
      g_ptr_array_add (answer->bytes, g_bytes_new (self->message->data, self->message->len));
    }
  return FALSE;
}

static gboolean
ask_offsets (WeftSymbolizer *self, const Question *question, const guint64 *offsets, guint n,
             WeftSymbolAnswer *answer, char **reason)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  gboolean is_unknown = TRUE;

  weft_symbol_put_number (body, question->number);
  weft_symbol_put_number (body, n);
  for (guint i = 0; i < n; i++)
    weft_symbol_put_number (body, offsets[i] - (i > 0 ? offsets[i - 1] : 0));
  /* The other side forgets modules when it has no room for more. */
  for (guint attempt = 0; is_unknown && attempt < 2; attempt++)
    {
      if (!start (self, reason) || open_module (self, question, reason) == NULL)
        return FALSE;
      if (!weft_symbol_send (self->socket, WEFT_SYMBOL_RESOLVE, body, -1) ||
          !take_answer (self, answer, &is_unknown))
        {
          *reason = bury (self);
          return FALSE;
        }
      if (is_unknown)
        g_hash_table_remove (self->open, GUINT_TO_POINTER (question->number));
    }
  if (is_unknown)
    *reason = g_strdup ("reading it took too much memory");
  return !is_unknown;
}

static gboolean
ask_all (WeftSymbolizer *self, const Question *question, const guint64 *offsets, guint n,
         WeftSymbolAnswer *answer, char **reason)
{
  if (g_atomic_int_get (&self->is_cancelled))
    {
      *reason = g_strdup ("there was no time left for it");
      return FALSE;
    }
  for (guint done = 0; done < n; done += OFFSETS_PER_MESSAGE)
    if (!ask_offsets (self, question, offsets + done, MIN (n - done, OFFSETS_PER_MESSAGE), answer,
                      reason))
      return FALSE;
  return TRUE;
}

/* What the module's own file says is not all that there could be. */
static void
complete (WeftSymbolizer *self, const Question *question, WeftSymbolAnswer *answer)
{
  OpenModule *module = g_hash_table_lookup (self->open, GUINT_TO_POINTER (question->number));

  if (module == NULL)
    return;
  g_free (answer->link);
  answer->link = g_strdup (module->link);
  if (module->debug_file != NULL)
    {
      g_free (answer->debug_file);
      answer->debug_file = g_strdup (module->debug_file);
    }
  else if (module->refusal != NULL || module->note != NULL)
    {
      g_free (answer->reason);
      answer->reason = g_strdup (module->refusal != NULL ? module->refusal : module->note);
    }
  if (module->refusal != NULL && module->debug_file == NULL &&
      answer->state != WEFT_SYMBOL_STATE_LINES && !question->is_plain)
    answer->state = WEFT_SYMBOL_STATE_MISMATCH;
}

static WeftSymbolAnswer *
resolve (WeftSymbolizer *self, Question *question, const guint64 *offsets, guint n)
{
  WeftSymbolAnswer *answer = answer_new ();
  g_autofree char *reason = NULL;
  g_autofree char *second_reason = NULL;

  if (ask_all (self, question, offsets, n, answer, &reason))
    {
      complete (self, question, answer);
      return answer;
    }
  /* Debugging information is where files go wrong; symbol tables may still be read. */
  question->is_plain = TRUE;
  g_hash_table_remove (self->open, GUINT_TO_POINTER (question->number));
  if (!g_atomic_int_get (&self->is_cancelled) && self->socket < 0)
    ask_all (self, question, offsets, n, answer, &second_reason);
  g_hash_table_remove (self->open, GUINT_TO_POINTER (question->number));
  answer->state = WEFT_SYMBOL_STATE_FAILED;
  g_free (answer->reason);
  answer->reason = g_steal_pointer (&reason);
  return answer;
}

WeftSymbolAnswer *
weft_symbolizer_resolve_file (WeftSymbolizer *self, guint number, const char *path,
                              const char *build_id, int descriptor, const guint64 *offsets, guint n)
{
  Question question = { number, path, build_id, descriptor, FALSE };

  return resolve (self, &question, offsets, n);
}

WeftSymbolAnswer *
weft_symbolizer_resolve (WeftSymbolizer *self, WeftCodeModule *module, const guint64 *offsets,
                         guint n)
{
  int descriptor = weft_code_module_open (module);
  WeftSymbolAnswer *answer;

  if (descriptor < 0)
    {
      answer = answer_new ();
      answer->state = WEFT_SYMBOL_STATE_FAILED;
      g_free (answer->reason);
      answer->reason = g_strdup ("its file could not be opened: it is gone, or was replaced");
      return answer;
    }
  answer = weft_symbolizer_resolve_file (
      self, weft_code_module_get_number (module), weft_code_module_get_path (module),
      weft_code_module_get_build_id (module), descriptor, offsets, n);
  close (descriptor);
  return answer;
}
