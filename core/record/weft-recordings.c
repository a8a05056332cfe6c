/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-recordings.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "weft-enum-types.h"
#include "weft-store.h"

#define LATEST "latest"

/**
 * weft_recordings_get_folder:
 *
 * Tells where recordings go when nobody says otherwise: the folder `WEFT_RECORDINGS`, else
 * `weft/recordings` in the user's data folder. It may not exist yet.
 *
 * Returns: (transfer full) (type filename): an absolute path
 *
 * Since: 0.1
 */
char *
weft_recordings_get_folder (void)
{
  const char *given = g_getenv ("WEFT_RECORDINGS");

  if (given != NULL && *given != '\0')
    return g_canonicalize_filename (given, NULL);
  return g_build_filename (g_get_user_data_dir (), "weft", "recordings", NULL);
}

/**
 * weft_recordings_new_path:
 * @program: (type filename): what the recording is of; its last part counts
 *
 * Makes up a name for a new recording, `PROGRAM-DATE-TIME.weft` in the recordings folder, which is
 * made if need be. The file itself is not.
 *
 * Returns: (transfer full) (type filename): a path where nothing is yet; %NULL with
 *   [error@Gio.IOErrorEnum] if the folder cannot be made
 *
 * Since: 0.1
 */
char *
weft_recordings_new_path (const char *program, GError **error)
{
  g_autofree char *folder = weft_recordings_get_folder ();
  g_autofree char *base = NULL;
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%d-%H%M%S");
  g_autofree char *name = NULL;
  char *path;

  g_return_val_if_fail (program != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  base = g_path_get_basename (program);
  name = g_strdup_printf ("%.64s-%s", base, time);
  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      int saved = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved),
                   "Cannot make the folder for recordings “%s”: %s; say where with --output or "
                   "WEFT_RECORDINGS",
                   folder, g_strerror (saved));
      return NULL;
    }
  path = g_strdup_printf ("%s/%s.weft", folder, name);
  for (guint i = 2; g_file_test (path, G_FILE_TEST_EXISTS) && i < 1000; i++)
    {
      g_free (path);
      path = g_strdup_printf ("%s/%s-%u.weft", folder, name, i);
    }
  return path;
}

/**
 * weft_recordings_set_latest:
 * @path: (type filename): a recording
 *
 * Lets `latest` in the recordings folder name @path. Does nothing if @path lies elsewhere.
 *
 * Returns: %FALSE with [error@Gio.IOErrorEnum] if it still names an older recording
 *
 * Since: 0.1
 */
gboolean
weft_recordings_set_latest (const char *path, GError **error)
{
  g_autofree char *folder = weft_recordings_get_folder ();
  g_autofree char *full = NULL;
  g_autofree char *parent = NULL;
  g_autofree char *name = NULL;
  g_autofree char *link = g_build_filename (folder, LATEST, NULL);
  g_autofree char *fresh = g_strdup_printf ("%s.%d", link, (int) getpid ());
  int saved;

  g_return_val_if_fail (path != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  full = g_canonicalize_filename (path, NULL);
  parent = g_path_get_dirname (full);
  name = g_path_get_basename (full);
  if (strcmp (parent, folder) != 0)
    return TRUE;
  g_unlink (fresh);
  if (symlink (name, fresh) == 0 && g_rename (fresh, link) == 0)
    return TRUE;
  saved = errno;
  g_unlink (fresh);
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved),
               "“%s” still names an older recording: %s", link, g_strerror (saved));
  return FALSE;
}

/**
 * weft_recordings_resolve:
 * @file: (nullable) (type filename): what somebody asked for
 *
 * Finds the recording that is meant: @file, or the latest one where it is %NULL or `latest`.
 *
 * Returns: (transfer full) (type filename): a path; %NULL with `G_IO_ERROR_NOT_FOUND` if nothing
 * was recorded yet
 *
 * Since: 0.1
 */
char *
weft_recordings_resolve (const char *file, GError **error)
{
  g_autofree char *folder = NULL;
  g_autofree char *link = NULL;
  g_autofree char *target = NULL;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (file != NULL && strcmp (file, LATEST) != 0)
    return g_strdup (file);

  folder = weft_recordings_get_folder ();
  link = g_build_filename (folder, LATEST, NULL);
  target = g_file_read_link (link, NULL);
  /* By its own name: the link will mean another one soon. */
  if (target != NULL && g_file_test (link, G_FILE_TEST_EXISTS))
    return g_canonicalize_filename (target, folder);
  if (g_file_test (link, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&link);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
               "There is no recording in “%s” yet: make one with “weft record -- PROGRAM”", folder);
  return NULL;
}

/* ---- What is there ---- */

/**
 * WeftRecordingInfo:
 *
 * A file in the recordings folder, as a list of them shows it.
 *
 * Since: 0.1
 */
struct _WeftRecordingInfo
{
  GObject parent_instance;

  char *path;
  gint64 start;
  guint64 size;
  guint64 dispatches;
  gboolean readable;
  WeftRecordingState state;
};

enum
{
  PROP_0,
  PROP_PATH,
  PROP_START,
  PROP_SIZE,
  PROP_DISPATCHES,
  PROP_READABLE,
  PROP_STATE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WeftRecordingInfo, weft_recording_info, G_TYPE_OBJECT)

static void
weft_recording_info_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  WeftRecordingInfo *self = WEFT_RECORDING_INFO (object);

  switch (id)
    {
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_START:
      g_value_set_int64 (value, self->start);
      break;
    case PROP_SIZE:
      g_value_set_uint64 (value, self->size);
      break;
    case PROP_DISPATCHES:
      g_value_set_uint64 (value, self->dispatches);
      break;
    case PROP_READABLE:
      g_value_set_boolean (value, self->readable);
      break;
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    }
}

static void
weft_recording_info_finalize (GObject *object)
{
  g_free (WEFT_RECORDING_INFO (object)->path);
  G_OBJECT_CLASS (weft_recording_info_parent_class)->finalize (object);
}

static void
weft_recording_info_class_init (WeftRecordingInfoClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = weft_recording_info_get_property;
  object_class->finalize = weft_recording_info_finalize;

  /**
   * WeftRecordingInfo:path: (getter get_path)
   *
   * Where it is.
   *
   * Since: 0.1
   */
  properties[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);

  /**
   * WeftRecordingInfo:start: (getter get_start)
   *
   * When it was started, nanoseconds since 1970; 0 if unknown.
   *
   * Since: 0.1
   */
  properties[PROP_START] =
      g_param_spec_int64 ("start", NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);

  /**
   * WeftRecordingInfo:size: (getter get_size)
   *
   * Size of the file, bytes.
   *
   * Since: 0.1
   */
  properties[PROP_SIZE] = g_param_spec_uint64 ("size", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecordingInfo:dispatches: (getter get_dispatches)
   *
   * How many dispatches it holds.
   *
   * Since: 0.1
   */
  properties[PROP_DISPATCHES] =
      g_param_spec_uint64 ("dispatches", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecordingInfo:readable: (getter is_readable)
   *
   * Whether it is a recording that this version can open; else all but the path is unknown.
   *
   * Since: 0.1
   */
  properties[PROP_READABLE] = g_param_spec_boolean ("readable", NULL, NULL, FALSE, flags);

  /**
   * WeftRecordingInfo:state: (getter get_state)
   *
   * Whether it is complete.
   *
   * Since: 0.1
   */
  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, WEFT_TYPE_RECORDING_STATE,
                                              WEFT_RECORDING_DAMAGED, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_recording_info_init (WeftRecordingInfo *self)
{
  self->state = WEFT_RECORDING_DAMAGED;
}

static WeftRecordingInfo *
read_info (const char *folder, const char *name)
{
  static const WeftRecordingState states[] = {
    [WEFT_STORE_COMPLETE] = WEFT_RECORDING_COMPLETE,
    [WEFT_STORE_GROWING] = WEFT_RECORDING_UNFINISHED,
    [WEFT_STORE_PARTIAL] = WEFT_RECORDING_DAMAGED,
  };
  WeftRecordingInfo *self = g_object_new (WEFT_TYPE_RECORDING_INFO, NULL);
  g_autoptr (WeftStore) store = NULL;

  self->path = g_build_filename (folder, name, NULL);
  store = weft_store_open (self->path, NULL);
  if (store != NULL)
    {
      self->readable = TRUE;
      self->start = weft_store_get_start_realtime (store);
      self->size = weft_store_get_file_size (store);
      self->dispatches = weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES);
      self->state = states[weft_store_get_state (store)];
    }
  return self;
}

static int
compare_infos (gconstpointer a, gconstpointer b, gpointer data)
{
  const WeftRecordingInfo *left = a, *right = b;

  return left->start < right->start ? 1 : left->start > right->start ? -1 : 0;
}

/**
 * weft_recordings_list:
 * @cancellable: (nullable): a cancellable
 *
 * Lists the recordings of the recordings folder, newest first; none if there is no such folder yet.
 * Of each file only the index is read.
 *
 * Returns: (transfer full): a list of [class@RecordingInfo]; %NULL with [error@Gio.IOErrorEnum]
 *
 * Since: 0.1
 */
GListModel *
weft_recordings_list (GCancellable *cancellable, GError **error)
{
  g_autoptr (GListStore) list = g_list_store_new (WEFT_TYPE_RECORDING_INFO);
  g_autofree char *folder = weft_recordings_get_folder ();
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
      if (g_str_has_suffix (name, ".weft"))
        {
          g_autoptr (WeftRecordingInfo) info = read_info (folder, name);

          g_list_store_insert_sorted (list, info, compare_infos, NULL);
        }
    }
  return G_LIST_MODEL (g_steal_pointer (&list));
}

/**
 * weft_recording_info_get_path: (get-property path)
 * @self: an entry
 *
 * Tells where the recording is.
 *
 * Returns: (type filename): its path
 *
 * Since: 0.1
 */
const char *
weft_recording_info_get_path (WeftRecordingInfo *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_INFO (self), NULL);

  return self->path;
}

/**
 * weft_recording_info_get_start: (get-property start)
 * @self: an entry
 *
 * Tells when the recording was started.
 *
 * Returns: nanoseconds since 1970; 0 if unknown
 *
 * Since: 0.1
 */
gint64
weft_recording_info_get_start (WeftRecordingInfo *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_INFO (self), 0);

  return self->start;
}

/**
 * weft_recording_info_get_size: (get-property size)
 * @self: an entry
 *
 * Tells how large the file is.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
guint64
weft_recording_info_get_size (WeftRecordingInfo *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_INFO (self), 0);

  return self->size;
}

/**
 * weft_recording_info_get_dispatches: (get-property dispatches)
 * @self: an entry
 *
 * Tells how many dispatches the recording holds.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recording_info_get_dispatches (WeftRecordingInfo *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_INFO (self), 0);

  return self->dispatches;
}

/**
 * weft_recording_info_is_readable: (get-property readable)
 * @self: an entry
 *
 * Tells whether it is a recording that this version can open.
 *
 * Returns: %FALSE if all but the path is unknown
 *
 * Since: 0.1
 */
gboolean
weft_recording_info_is_readable (WeftRecordingInfo *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_INFO (self), FALSE);

  return self->readable;
}

/**
 * weft_recording_info_get_state: (get-property state)
 * @self: an entry
 *
 * Tells whether the recording is complete.
 *
 * Returns: the state of the file
 *
 * Since: 0.1
 */
WeftRecordingState
weft_recording_info_get_state (WeftRecordingInfo *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_INFO (self), WEFT_RECORDING_DAMAGED);

  return self->state;
}
