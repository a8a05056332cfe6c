/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-commands.h"

#include "weft-xctrace-arena.h"

#define NOT_TOLD G_MININT64

/* One number in two processes is two command buffers; a completion, which names no process, is
 * nobody's then.
 */
typedef struct
{
  guint64 number;
  guint64 process; /* 0 until somebody says */
  gint64 begun;
  gint64 completed;
  gint64 handed;
  gint64 failed;
  const char *failure;
  const char *label;
  guint64 submission;
  gboolean is_disputed;     /* another process has a command buffer of this number */
  gboolean is_handed_apart; /* its work was not handed over at one time */
} Command;

struct _WeftXctraceCommands
{
  WeftXctraceArena *arena;
  GStringChunk *texts;
  GHashTable *commands;        /* number → Command */
  GHashTable *encoders;        /* set of WeftXctraceEncoder */
  GPtrArray *commands_in_turn; /* as they came */
  GPtrArray *encoders_in_turn;
  guint64 n_unreadable; /* rows without what joins them */
  guint64 n_repeated_encoders;
  guint64 n_repeated_completions;
  guint64 n_foreign; /* encoders of another process than the work */
};

static guint
hash_encoder (gconstpointer key)
{
  const WeftXctraceEncoder *encoder = key;
  guint64 mixed = encoder->command_buffer * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) ^
                  encoder->number * G_GUINT64_CONSTANT (0xc2b2ae3d27d4eb4f);

  return (guint) (mixed ^ mixed >> 32);
}

static gboolean
equal_encoders (gconstpointer a, gconstpointer b)
{
  const WeftXctraceEncoder *left = a;
  const WeftXctraceEncoder *right = b;

  return left->command_buffer == right->command_buffer && left->number == right->number;
}

static Command *
get_command (WeftXctraceCommands *self, guint64 number)
{
  Command *command = g_hash_table_lookup (self->commands, &number);

  if (command != NULL)
    return command;
  command = weft_xctrace_arena_alloc (self->arena, sizeof *command);
  *command = (Command){ .number = number,
                        .begun = NOT_TOLD,
                        .completed = NOT_TOLD,
                        .handed = NOT_TOLD,
                        .failed = NOT_TOLD };
  g_hash_table_insert (self->commands, &command->number, command);
  g_ptr_array_add (self->commands_in_turn, command);
  return command;
}

/* ---- Encoders ---- */

enum
{
  ENCODER_START,
  ENCODER_DURATION,
  ENCODER_THREAD,
  ENCODER_PROCESS,
  ENCODER_LABEL,
  ENCODER_COMMAND_BUFFER_LABEL,
  ENCODER_COMMAND_BUFFER,
  ENCODER_NUMBER,
};

static const WeftXctraceColumnWish encoder_wishes[] = {
  [ENCODER_START] = { "start", "start-time", TRUE },
  [ENCODER_DURATION] = { "duration", "duration", FALSE },
  [ENCODER_THREAD] = { "thread", "thread", FALSE },
  [ENCODER_PROCESS] = { "process", "process", FALSE },
  [ENCODER_LABEL] = { "encoder-label", NULL, FALSE },
  [ENCODER_COMMAND_BUFFER_LABEL] = { "cmdbuffer-label", NULL, FALSE },
  [ENCODER_COMMAND_BUFFER] = { "cmdbuffer-id", NULL, TRUE },
  [ENCODER_NUMBER] = { "encoder-id", NULL, TRUE },
};

static gboolean
read_people (WeftXctraceImport *import, const WeftXctraceElement *const *cells,
             WeftXctraceEncoder *encoder, GError **error)
{
  if (!weft_xctrace_entities_add_thread (import->entities, cells[ENCODER_THREAD],
                                         cells[ENCODER_PROCESS], &encoder->thread, error) ||
      !weft_xctrace_entities_add_process (import->entities, cells[ENCODER_PROCESS],
                                          &encoder->process, error))
    return FALSE;
  if (encoder->process == 0)
    encoder->process = weft_xctrace_entities_get_process (import->entities, encoder->thread);
  return TRUE;
}

static const char *
keep_text (WeftXctraceCommands *self, const char *text)
{
  return text != NULL ? g_string_chunk_insert_const (self->texts, text) : NULL;
}

static void
begin_command (WeftXctraceCommands *self, const WeftXctraceEncoder *encoder, const char *label)
{
  Command *command = get_command (self, encoder->command_buffer);

  if (command->label == NULL)
    command->label = keep_text (self, label);
  if (command->process == 0)
    command->process = encoder->process;
  command->is_disputed |= encoder->process != 0 && encoder->process != command->process;
  if (command->begun == NOT_TOLD || encoder->start < command->begun)
    command->begun = encoder->start;
}

static gboolean
read_encoder (WeftXctraceImport *import, const WeftXctraceElement *const *cells, GError **error)
{
  WeftXctraceCommands *self = import->commands;
  WeftXctraceEncoder encoder = { 0 };
  WeftXctraceEncoder *kept;

  if (!weft_xctrace_read_time (cells[ENCODER_START], &encoder.start) ||
      !weft_xctrace_read_name (cells[ENCODER_COMMAND_BUFFER], &encoder.command_buffer) ||
      !weft_xctrace_read_name (cells[ENCODER_NUMBER], &encoder.number))
    {
      self->n_unreadable++;
      return TRUE;
    }
  if (g_hash_table_contains (self->encoders, &encoder))
    {
      self->n_repeated_encoders++;
      return TRUE;
    }
  if (!weft_xctrace_read_time (cells[ENCODER_DURATION], &encoder.duration))
    encoder.duration = -1;
  encoder.label = keep_text (self, weft_xctrace_read_label (cells[ENCODER_LABEL]));
  if (!read_people (import, cells, &encoder, error))
    return FALSE;
  kept = weft_xctrace_arena_alloc (self->arena, sizeof *kept);
  *kept = encoder;
  g_hash_table_add (self->encoders, kept);
  g_ptr_array_add (self->encoders_in_turn, kept);
  begin_command (self, kept, weft_xctrace_read_label (cells[ENCODER_COMMAND_BUFFER_LABEL]));
  return TRUE;
}

const WeftXctraceKind weft_xctrace_encoders_kind = { "metal-application-encoders-list",
                                                     WEFT_XCTRACE_PHASE_COMMANDS, encoder_wishes,
                                                     G_N_ELEMENTS (encoder_wishes), read_encoder };

/* ---- Completions ---- */

enum
{
  COMPLETION_TIME,
  COMPLETION_COMMAND_BUFFER,
};

static const WeftXctraceColumnWish completion_wishes[] = {
  [COMPLETION_TIME] = { "timestamp", "start-time", TRUE },
  [COMPLETION_COMMAND_BUFFER] = { "cmdbuffer-id", "metal-command-buffer-id", TRUE },
};

static gboolean
read_completion (WeftXctraceImport *import, const WeftXctraceElement *const *cells, GError **error)
{
  WeftXctraceCommands *self = import->commands;
  guint64 number;
  gint64 time;
  Command *command;

  if (!weft_xctrace_read_time (cells[COMPLETION_TIME], &time) ||
      !weft_xctrace_read_name (cells[COMPLETION_COMMAND_BUFFER], &number))
    {
      self->n_unreadable++;
      return TRUE;
    }
  command = get_command (self, number);
  if (command->completed != NOT_TOLD)
    self->n_repeated_completions++;
  else
    command->completed = time;
  return TRUE;
}

const WeftXctraceKind weft_xctrace_completions_kind = {
  "metal-command-buffer-completed", WEFT_XCTRACE_PHASE_COMMANDS, completion_wishes,
  G_N_ELEMENTS (completion_wishes), read_completion
};

/* ---- Errors ---- */

enum
{
  ERROR_TIME,
  ERROR_COMMAND_BUFFER,
  ERROR_MESSAGE,
};

static const WeftXctraceColumnWish error_wishes[] = {
  [ERROR_TIME] = { "timestamp", "start-time", TRUE },
  [ERROR_COMMAND_BUFFER] = { "cmdbuffer-id", "metal-command-buffer-id", TRUE },
  [ERROR_MESSAGE] = { "error", "string", FALSE },
};

static gboolean
read_error (WeftXctraceImport *import, const WeftXctraceElement *const *cells, GError **error)
{
  WeftXctraceCommands *self = import->commands;
  guint64 number;
  gint64 time;
  Command *command;

  if (!weft_xctrace_read_time (cells[ERROR_TIME], &time) ||
      !weft_xctrace_read_name (cells[ERROR_COMMAND_BUFFER], &number))
    {
      self->n_unreadable++;
      return TRUE;
    }
  command = get_command (self, number);
  command->failed = time;
  command->failure = keep_text (self, weft_xctrace_read_label (cells[ERROR_MESSAGE]));
  return TRUE;
}

const WeftXctraceKind weft_xctrace_errors_kind = { "metal-command-buffer-error",
                                                   WEFT_XCTRACE_PHASE_COMMANDS, error_wishes,
                                                   G_N_ELEMENTS (error_wishes), read_error };

/* ---- What the GPU asks for ---- */

WeftXctraceEncoder *
weft_xctrace_commands_find_encoder (WeftXctraceCommands *self, guint64 command_buffer,
                                    guint64 encoder, guint64 process)
{
  const WeftXctraceEncoder key = { .command_buffer = command_buffer, .number = encoder };
  WeftXctraceEncoder *found = g_hash_table_lookup (self->encoders, &key);

  if (found == NULL || found->process == 0 || process == 0 || found->process == process)
    return found;
  self->n_foreign++;
  return NULL;
}

static gboolean
add_event (WeftXctraceImport *import, guint64 submission, WeftSubmissionEventKind kind, gint64 time,
           guint64 failure, GError **error)
{
  WeftXctraceFields row;

  if (time == NOT_TOLD)
    return TRUE;
  row = (WeftXctraceFields){ 0 };
  weft_xctrace_row_set_number (&row, "submission", submission);
  weft_xctrace_row_set_number (&row, "kind", kind);
  weft_xctrace_row_set_time (&row, "time", time);
  if (kind == WEFT_SUBMISSION_EVENT_FAULT)
    weft_xctrace_row_set_number (&row, "status", WEFT_STATUS_ERROR);
  if (failure != 0)
    weft_xctrace_row_set_number (&row, "error", failure);
  import->end = MAX (import->end, time);
  return weft_xctrace_row_add (&row, import->builder, "submission_events", NULL, error);
}

static gboolean
add_failure (WeftXctraceImport *import, const Command *command, GError **error)
{
  WeftXctraceFields row;
  guint64 id = 0;

  if (command->failed == NOT_TOLD)
    return TRUE;
  if (command->failure != NULL)
    {
      row = (WeftXctraceFields){ 0 };
      weft_xctrace_row_set_text (&row, "message", command->failure);
      if (!weft_xctrace_row_add (&row, import->builder, "errors", &id, error))
        return FALSE;
    }
  return add_event (import, command->submission, WEFT_SUBMISSION_EVENT_FAULT, command->failed, id,
                    error);
}

static gboolean
make_submission (WeftXctraceImport *import, guint64 number, guint64 process, guint64 *id,
                 GError **error)
{
  WeftXctraceFields row;
  guint64 runtime;

  if (!weft_xctrace_entities_add_runtime (import->entities, process, &runtime, error))
    return FALSE;
  row = (WeftXctraceFields){ 0 };
  if (runtime != 0)
    weft_xctrace_row_set_number (&row, "runtime", runtime);
  weft_xctrace_row_set_number (&row, "producer_id", number);
  return weft_xctrace_row_add (&row, import->builder, "submissions", id, error);
}

static gboolean
begin_submission (WeftXctraceImport *import, Command *command, GError **error)
{
  return make_submission (import, command->number, command->process, &command->submission, error) &&
         (command->label == NULL ||
          weft_xctrace_add_text_tag (import->builder, WEFT_XCTRACE_SUBMISSIONS, command->submission,
                                     "metal.label", command->label, error)) &&
         add_event (import, command->submission, WEFT_SUBMISSION_EVENT_BEGIN, command->begun, 0,
                    error);
}

gboolean
weft_xctrace_commands_submit (WeftXctraceImport *import, guint64 command_buffer, guint64 process,
                              gint64 handed, guint64 *submission, GError **error)
{
  Command *command = get_command (import->commands, command_buffer);

  if (command->process == 0)
    command->process = process;
  if (process != 0 && command->process != process)
    {
      command->is_disputed = TRUE;
      *submission = 0;
      return TRUE;
    }
  if (command->submission == 0 && !begin_submission (import, command, error))
    return FALSE;
  if (handed >= 0)
    {
      command->is_handed_apart |= command->handed != NOT_TOLD && command->handed != handed;
      command->handed = handed;
    }
  *submission = command->submission;
  return TRUE;
}

gboolean
weft_xctrace_commands_add_origin (WeftXctraceImport *import, const WeftXctraceEncoder *encoder,
                                  guint64 dispatch, guint64 submission, GError **error)
{
  WeftXctraceFields row;
  guint64 runtime;

  if (encoder->thread == 0)
    return TRUE;
  if (!weft_xctrace_entities_add_runtime (import->entities, encoder->process, &runtime, error))
    return FALSE;
  row = (WeftXctraceFields){ 0 };
  weft_xctrace_row_set_number (&row, "role", WEFT_ORIGIN_ROLE_DISPATCH);
  if (dispatch != 0)
    weft_xctrace_row_set_number (&row, "dispatch", dispatch);
  else if (submission != 0)
    weft_xctrace_row_set_number (&row, "submission", submission);
  weft_xctrace_row_set_number (&row, "thread", encoder->thread);
  weft_xctrace_row_set_number (&row, "tid",
                               weft_xctrace_entities_get_tid (import->entities, encoder->thread));
  weft_xctrace_row_set_time (&row, "time", encoder->start);
  if (runtime != 0)
    weft_xctrace_row_set_number (&row, "runtime", runtime);
  import->end = MAX (import->end, encoder->start);
  return weft_xctrace_row_add (&row, import->builder, "origins", NULL, error);
}

/* ---- The end ---- */

/* Encoded, but no work of it was seen on the GPU. */
static gboolean
add_idle_encoders (WeftXctraceImport *import, GError **error)
{
  WeftXctraceCommands *self = import->commands;

  for (guint i = 0; i < self->encoders_in_turn->len; i++)
    {
      const WeftXctraceEncoder *encoder = g_ptr_array_index (self->encoders_in_turn, i);
      guint64 submission;

      if (!encoder->has_work &&
          (!weft_xctrace_commands_submit (import, encoder->command_buffer, encoder->process, -1,
                                          &submission, error) ||
           !weft_xctrace_commands_add_origin (import, encoder, 0, submission, error)))
        return FALSE;
    }
  return TRUE;
}

/* Events of submissions; what is told of command buffers of nobody is counted. */
static gboolean
add_ends (WeftXctraceImport *import, guint64 *n_strange, guint64 *n_disputed, GError **error)
{
  const GPtrArray *commands = import->commands->commands_in_turn;

  for (guint i = 0; i < commands->len; i++)
    {
      const Command *command = g_ptr_array_index (commands, i);

      if (command->submission == 0)
        {
          *n_strange += 1;
          continue;
        }
      if (!command->is_handed_apart &&
          !add_event (import, command->submission, WEFT_SUBMISSION_EVENT_COMMIT, command->handed, 0,
                      error))
        return FALSE;
      *n_disputed += command->is_disputed;
      if (!command->is_disputed &&
          (!add_event (import, command->submission, WEFT_SUBMISSION_EVENT_COMPLETED,
                       command->completed, 0, error) ||
           !add_failure (import, command, error)))
        return FALSE;
    }
  return TRUE;
}

static void
add_loss (GPtrArray *losses, guint64 count, const char *format)
{
  if (count > 0)
    g_ptr_array_add (losses, g_strdup_printf ("%" G_GUINT64_FORMAT " %s", count, format));
}

gboolean
weft_xctrace_commands_finish (WeftXctraceImport *import, GPtrArray *losses, GError **error)
{
  WeftXctraceCommands *self = import->commands;
  guint64 n_strange = 0, n_disputed = 0;

  if (!add_idle_encoders (import, error) || !add_ends (import, &n_strange, &n_disputed, error))
    return FALSE;
  add_loss (losses, self->n_unreadable,
            "rows about command buffers or encoders: their time or number is missing");
  add_loss (losses, self->n_repeated_encoders,
            "rows about encoders that another row describes already");
  add_loss (losses, self->n_repeated_completions,
            "completions of command buffers that had completed: the first is kept");
  add_loss (losses, self->n_foreign,
            "joins of work with an encoder of another process that has the same numbers");
  add_loss (losses, n_disputed,
            "ends of command buffers: two processes have one of that number, and nothing tells "
            "whose it was");
  add_loss (losses, n_strange,
            "completions of command buffers that no other table names: whose they are is unknown");
  return TRUE;
}

/* ---- Life ---- */

WeftXctraceCommands *
weft_xctrace_commands_new (void)
{
  WeftXctraceCommands *self = g_new0 (WeftXctraceCommands, 1);

  self->arena = weft_xctrace_arena_new ();
  self->texts = g_string_chunk_new (4096);
  self->commands = g_hash_table_new (g_int64_hash, g_int64_equal);
  self->encoders = g_hash_table_new (hash_encoder, equal_encoders);
  self->commands_in_turn = g_ptr_array_new ();
  self->encoders_in_turn = g_ptr_array_new ();
  return self;
}

void
weft_xctrace_commands_free (WeftXctraceCommands *self)
{
  g_hash_table_unref (self->commands);
  g_hash_table_unref (self->encoders);
  g_ptr_array_unref (self->commands_in_turn);
  g_ptr_array_unref (self->encoders_in_turn);
  g_string_chunk_free (self->texts);
  weft_xctrace_arena_free (self->arena);
  g_free (self);
}
