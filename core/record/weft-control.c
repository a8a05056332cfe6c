/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-control.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_LINE 4096
#define ASK_TIMEOUT 5

struct _WeftControl
{
  GSocketService *service;
  char *output;
  char *command_line;
  WeftControlStatus status;
  WeftControlStop stop;
  gpointer data;
  GCancellable *ended;
  GPtrArray *requests; /* element-type Request: being read */
};

/* ---- Answers ---- */

static void
add_count (JsonBuilder *builder, const char *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) MIN (value, (guint64) G_MAXINT64));
}

static void
add_status (WeftControl *self, JsonBuilder *builder)
{
  g_autofree char *output = g_utf8_make_valid (self->output, -1);
  WeftEngineStatus status;

  self->status (&status, self->data);
  json_builder_set_member_name (builder, "state");
  json_builder_add_string_value (builder, status.state);
  json_builder_set_member_name (builder, "file");
  json_builder_add_string_value (builder, output);
  json_builder_set_member_name (builder, "command_line");
  json_builder_add_string_value (builder, self->command_line);
  add_count (builder, "pid", (guint64) getpid ());
  add_count (builder, "elapsed", (guint64) status.elapsed);
  add_count (builder, "dispatches", status.dispatches);
  add_count (builder, "pending", status.pending);
  add_count (builder, "rejected", status.rejected);
  add_count (builder, "lost", status.lost);
  add_count (builder, "sampled_out", status.sampled_out);
  add_count (builder, "refused", status.refused);
  add_count (builder, "lanes", status.lanes);
  add_count (builder, "runtimes", status.runtimes);
  add_count (builder, "runtimes_seen", status.runtimes_seen);
  add_count (builder, "file_size", status.file_size);
  add_count (builder, "cpu", status.cpu);
  add_count (builder, "resident", status.resident);
  json_builder_set_member_name (builder, "sampler");
  json_builder_add_string_value (builder, status.sampler);
  add_count (builder, "samples", status.samples);
  add_count (builder, "stacks_complete", status.stacks_complete);
  add_count (builder, "waits", status.waits);
  add_count (builder, "events_lost", status.events_lost);
  json_builder_set_member_name (builder, "sampler_missing");
  json_builder_add_string_value (builder, status.sampler_missing);
}

static char *
make_answer (WeftControl *self, const char *command)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *schema = NULL;
  gboolean known = g_str_equal (command, "status") || g_str_equal (command, "stop");

  schema = g_strdup_printf ("weft.%s/1", known ? command : "error");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "schema");
  json_builder_add_string_value (builder, schema);
  json_builder_set_member_name (builder, "value");
  json_builder_begin_object (builder);
  if (known)
    add_status (self, builder);
  else
    {
      json_builder_set_member_name (builder, "message");
      json_builder_add_string_value (builder, "Unknown command: there are “status” and “stop”");
    }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

/* The command of a request, newly allocated; "" if there is none. */
static char *
read_command (const char *line)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonNode *root;
  const char *command = NULL;

  if (json_parser_load_from_data (parser, line, -1, NULL) &&
      (root = json_parser_get_root (parser)) != NULL && JSON_NODE_HOLDS_OBJECT (root))
    command =
        json_object_get_string_member_with_default (json_node_get_object (root), "command", NULL);
  return g_strdup (command ? command : "");
}

/* ---- A request ---- */

typedef struct
{
  WeftControl *control; /* NULL once that is gone */
  GSocketConnection *connection;
  char line[MAX_LINE];
  gsize length;
} Request;

static void
request_free (Request *request)
{
  if (request->control != NULL)
    g_ptr_array_remove_fast (request->control->requests, request);
  g_object_unref (request->connection);
  g_free (request);
}

static void
answer (Request *request)
{
  WeftControl *self = request->control;
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (request->connection));
  g_autofree char *command = NULL;
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;

  request->line[request->length] = '\0';
  command = read_command (request->line);
  text = make_answer (self, command);
  line = g_strconcat (text, "\n", NULL);
  /* One short line into an empty socket: it does not wait. */
  g_output_stream_write_all (output, line, strlen (line), NULL, NULL, NULL);
  if (g_str_equal (command, "stop"))
    self->stop (self->data);
}

static void on_read (GObject *object, GAsyncResult *result, gpointer data);

static void
read_more (Request *request)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (request->connection));

  g_input_stream_read_async (input, request->line + request->length, MAX_LINE - 1 - request->length,
                             G_PRIORITY_DEFAULT, request->control->ended, on_read, request);
}

static void
on_read (GObject *object, GAsyncResult *result, gpointer data)
{
  Request *request = data;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (object), result, NULL);

  if (request->control == NULL)
    n = 0;
  if (n > 0)
    request->length += (gsize) n;
  if (n > 0 && memchr (request->line, '\n', request->length) == NULL &&
      request->length < MAX_LINE - 1)
    {
      read_more (request);
      return;
    }
  if (n > 0)
    answer (request);
  request_free (request);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
  Request *request = g_new0 (Request, 1);

  request->control = data;
  request->connection = g_object_ref (connection);
  g_ptr_array_add (request->control->requests, request);
  g_socket_set_timeout (g_socket_connection_get_socket (connection), ASK_TIMEOUT);
  read_more (request);
  return TRUE;
}

WeftControl *
weft_control_new (WeftRuntimeDirectory *directory, GMainContext *context, const char *output,
                  const char *command_line, WeftControlStatus status, WeftControlStop stop,
                  gpointer data, GError **error)
{
  int fd = weft_runtime_directory_listen (directory, WEFT_CONTROL_NAME, SOCK_STREAM, error);
  g_autoptr (GSocket) socket = NULL;
  WeftControl *self;

  if (fd < 0)
    return NULL;
  socket = g_socket_new_from_fd (fd, error);
  if (socket == NULL)
    {
      close (fd);
      return NULL;
    }

  self = g_new0 (WeftControl, 1);
  self->output = g_canonicalize_filename (output, NULL);
  self->command_line = g_utf8_make_valid (command_line ? command_line : "", -1);
  self->status = status;
  self->stop = stop;
  self->data = data;
  self->ended = g_cancellable_new ();
  self->requests = g_ptr_array_new ();
  g_main_context_push_thread_default (context);
  self->service = g_socket_service_new ();
  g_socket_listener_add_socket (G_SOCKET_LISTENER (self->service), socket, NULL, NULL);
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_incoming), self);
  g_main_context_pop_thread_default (context);
  return self;
}

void
weft_control_free (WeftControl *self)
{
  /* Their reads end with the next turns of the context. */
  for (guint i = 0; i < self->requests->len; i++)
    ((Request *) g_ptr_array_index (self->requests, i))->control = NULL;
  g_cancellable_cancel (self->ended);
  g_object_unref (self->ended);
  g_ptr_array_unref (self->requests);
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_object_unref (self->service);
  g_free (self->output);
  g_free (self->command_line);
  g_free (self);
}

/* ---- The other side ---- */

static int
connect_control (const char *directory)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct timeval timeout = { ASK_TIMEOUT, 0 };
  int folder = open (directory, O_DIRECTORY | O_CLOEXEC | O_PATH);
  int fd, saved;

  if (folder < 0)
    return -1;
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder,
              WEFT_CONTROL_NAME);
  if (fd >= 0 && connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    {
      saved = errno;
      close (fd);
      fd = -1;
      errno = saved;
    }
  saved = errno;
  close (folder);
  if (fd >= 0)
    {
      setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
      setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    }
  errno = saved;
  return fd;
}

static char *
make_request (const char *command)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "command");
  json_builder_add_string_value (builder, command);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  return g_strconcat (text, "\n", NULL);
}

char *
weft_control_ask (const char *directory, const char *command, GError **error)
{
  g_autofree char *request = make_request (command);
  g_autoptr (GString) text = g_string_new (NULL);
  int fd = connect_control (directory);
  char buffer[1024];
  ssize_t n = 0;

  if (fd < 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "No recorder answers in “%s”",
                   directory);
      return NULL;
    }
  if (send (fd, request, strlen (request), MSG_NOSIGNAL) == (ssize_t) strlen (request))
    while (strchr (text->str, '\n') == NULL && text->len < (1 << 16) &&
           (n = recv (fd, buffer, sizeof buffer, 0)) > 0)
      g_string_append_len (text, buffer, n);
  close (fd);
  if (strchr (text->str, '\n') == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The recorder in “%s” did not answer",
                   directory);
      return NULL;
    }
  return g_strdup (text->str);
}

static void
add_if_alive (GPtrArray *found, char *directory)
{
  int fd = connect_control (directory);

  if (fd < 0)
    {
      g_free (directory);
      return;
    }
  close (fd);
  g_ptr_array_add (found, directory);
}

char **
weft_control_find (GError **error)
{
  GPtrArray *found;
  g_autofree char *base = weft_runtime_directory_default_path ();
  g_autoptr (GError) local = NULL;
  g_autoptr (GDir) dir = g_dir_open (base, 0, &local);
  const char *name;

  if (dir == NULL && !g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "Cannot look for recorders: %s",
                   local->message);
      return NULL;
    }
  found = g_ptr_array_new ();
  add_if_alive (found, g_strdup (base));
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, "run-"))
      add_if_alive (found, g_build_filename (base, name, NULL));
  g_ptr_array_add (found, NULL);
  return (char **) g_ptr_array_free (found, FALSE);
}
