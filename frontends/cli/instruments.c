/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "instruments.h"

#include <stdio.h>

#include "plugins.h"
#include "text.h"

void
instruments_clear (Instruments *self)
{
  g_clear_pointer (&self->instruments, g_ptr_array_unref);
  g_clear_object (&self->launch);
}

/* ---- Which ---- */

static char *
list_names (GListModel *instruments)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (instruments); i++)
    {
      g_autoptr (WeftInstrument) instrument = g_list_model_get_item (instruments, i);
      g_autofree char *name = weft_instrument_get_name (instrument);

      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", name);
    }
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static void
choose_all (Instruments *self, char **program)
{
  GListModel *all = weft_plugin_registry_get_instruments (weft_plugin_registry_get_default ());

  for (guint i = 0; i < g_list_model_get_n_items (all); i++)
    {
      g_autoptr (WeftInstrument) instrument = g_list_model_get_item (all, i);
      g_autofree char *reason = NULL;

      if (weft_instrument_is_applicable (instrument, (const char *const *) program, &reason))
        g_ptr_array_add (self->instruments, g_steal_pointer (&instrument));
    }
}

static gboolean
choose_one (Instruments *self, const char *name, char **program, GError **error)
{
  WeftPluginRegistry *registry = weft_plugin_registry_get_default ();
  WeftInstrument *instrument = weft_plugin_registry_find_instrument (registry, name);
  g_autofree char *names = list_names (weft_plugin_registry_get_instruments (registry));
  g_autofree char *reason = NULL;
  gboolean chosen = instrument != NULL && weft_instrument_is_applicable (
                                              instrument, (const char *const *) program, &reason);

  if (instrument == NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "there is no instrument “%s”; there %s%s", name,
                 *names ? "are: " : "is none: they come with plugins", names);
  else if (!chosen)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "“%s” cannot make this report: %s",
                 name, reason ? reason : "it gives no reason");
  else
    g_ptr_array_add (self->instruments, g_object_ref (instrument));
  return chosen;
}

gboolean
instruments_choose (Instruments *self, const char *names, char **program, GError **error)
{
  g_auto (GStrv) words = g_strsplit (names, ",", -1);

  plugins_load ();
  self->instruments = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; words[i] != NULL; i++)
    if (g_str_equal (words[i], "auto"))
      choose_all (self, program);
    else if (!choose_one (self, words[i], program, error))
      return FALSE;
  return TRUE;
}

/* ---- The launch ---- */

static gboolean
prepare_launch (Instruments *self, char **program, GError **error)
{
  g_auto (GStrv) environment = g_get_environ ();
  const char *const *notes;

  self->launch = weft_launch_new ((const char *const *) program, (const char *const *) environment);
  for (guint i = 0; i < self->instruments->len; i++)
    if (!weft_instrument_prepare (self->instruments->pdata[i], self->launch, error))
      return FALSE;
  notes = weft_launch_get_notes (self->launch);
  for (guint i = 0; notes[i] != NULL; i++)
    text_print (stderr, "weft: %s\n", notes[i]);
  return TRUE;
}

gboolean
instruments_prepare (Instruments *self, WeftRecorder *recorder, GError **error)
{
  g_auto (GStrv) program = g_strdupv ((char **) weft_recorder_get_argv (recorder));
  g_autofree char *command_line = g_strjoinv (" ", program);

  if (!prepare_launch (self, program, error))
    return FALSE;
  weft_recorder_set_command_line (recorder, command_line);
  weft_recorder_set_argv (recorder, weft_launch_get_argv (self->launch));
  weft_recorder_set_environment (recorder, weft_launch_get_environment (self->launch));
  return TRUE;
}

GStrv
instruments_list_domains (Instruments *self)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; self->instruments != NULL && i < self->instruments->len; i++)
    {
      g_auto (GStrv) domains = weft_instrument_get_domains (self->instruments->pdata[i]);

      if (domains != NULL)
        g_strv_builder_addv (names, (const char **) domains);
    }
  return g_strv_builder_end (names);
}

/* As wait () tells it. */
static int
wait_status_of (int exit_status)
{
  if (exit_status < 0)
    return 0;
  return exit_status > 128 ? exit_status - 128 : exit_status << 8;
}

void
instruments_finish (Instruments *self, int exit_status)
{
  for (guint i = 0; self->launch != NULL && i < self->instruments->len; i++)
    weft_instrument_finished (self->instruments->pdata[i], self->launch,
                              wait_status_of (exit_status));
}
