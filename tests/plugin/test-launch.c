/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <weft.h>

static const char *const argv[] = { "program", "--fast", NULL };
static const char *const environment[] = { "LD_PRELOAD=/a.so /b.so", "NAMES=/x", NULL };

static void
test_paths (void)
{
  g_autoptr (WeftLaunch) launch = weft_launch_new (argv, environment);
  g_autoptr (GError) error = NULL;

  g_assert_true (weft_launch_prepend_path (launch, "LD_PRELOAD", "/c.so", &error));
  g_assert_no_error (error);
  g_assert_cmpstr (weft_launch_get_variable (launch, "LD_PRELOAD"), ==, "/c.so:/a.so /b.so");
  /* What is in the list stays, however it is parted. */
  g_assert_true (weft_launch_prepend_path (launch, "LD_PRELOAD", "/b.so", NULL));
  g_assert_true (weft_launch_append_path (launch, "LD_PRELOAD", "/c.so", NULL));
  g_assert_cmpstr (weft_launch_get_variable (launch, "LD_PRELOAD"), ==, "/c.so:/a.so /b.so");

  g_assert_true (weft_launch_append_path (launch, "NAMES", "/with space", NULL));
  g_assert_cmpstr (weft_launch_get_variable (launch, "NAMES"), ==, "/x:/with space");
  g_assert_true (weft_launch_append_path (launch, "NEW", "/n", NULL));
  g_assert_cmpstr (weft_launch_get_variable (launch, "NEW"), ==, "/n");
}

static void
test_unfit_paths (void)
{
  const struct
  {
    const char *name, *path;
  } cases[] = {
    { "LD_PRELOAD", "/with space" }, { "LD_PRELOAD", "/a:b" }, { "NAMES", "/a:b" }, { "NAMES", "" }
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WeftLaunch) launch = weft_launch_new (argv, environment);
      g_autofree char *before = g_strdup (weft_launch_get_variable (launch, cases[i].name));
      g_autoptr (GError) error = NULL;

      g_assert_false (weft_launch_prepend_path (launch, cases[i].name, cases[i].path, &error));
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN);
      g_assert_cmpstr (weft_launch_get_variable (launch, cases[i].name), ==, before);
    }
}

static void
test_arguments (void)
{
  const char *const wrapped[] = { "tool", "program", NULL };
  g_autoptr (WeftLaunch) launch = weft_launch_new (argv, environment);

  weft_launch_set_argv (launch, wrapped);
  g_assert_cmpstrv (weft_launch_get_argv (launch), wrapped);
  /* Its own list, handed back. */
  weft_launch_set_argv (launch, weft_launch_get_argv (launch));
  g_assert_cmpstrv (weft_launch_get_argv (launch), wrapped);
  weft_launch_unset_variable (launch, "NAMES");
  g_assert_null (weft_launch_get_variable (launch, "NAMES"));
  g_assert_cmpuint (g_strv_length ((char **) weft_launch_get_environment (launch)), ==, 1);
  weft_launch_add_note (launch, "One.");
  weft_launch_add_note (launch, "Two.");
  g_assert_cmpuint (g_strv_length ((char **) weft_launch_get_notes (launch)), ==, 2);
  g_assert_cmpstr (weft_launch_get_notes (launch)[1], ==, "Two.");
}

int
main (int argc_, char **argv_)
{
  g_test_init (&argc_, &argv_, NULL);
  g_test_add_func ("/plugin/launch/paths", test_paths);
  g_test_add_func ("/plugin/launch/unfit-paths", test_unfit_paths);
  g_test_add_func ("/plugin/launch/arguments", test_arguments);
  return g_test_run ();
}
