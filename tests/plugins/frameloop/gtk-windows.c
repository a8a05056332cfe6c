/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two windows: one animates for some frames, of which a few are slow, and flushes events; the other
 * is drawn when it is shown, and when the first one is done. Prints how many frames each had, as
 * its own handlers count them: gtk-windows [FRAMES]
 */

#include <gtk/gtk.h>

#include <stdlib.h>

typedef struct
{
  GtkWidget *window;
  GtkWidget *label;
  guint n_frames;
  guint n_flushes;
} Counted;

static Counted animated, quiet;
static guint n_ticks;
static guint n_wanted = 60;
static GMainLoop *loop;

static void
count_frame (GdkFrameClock *clock, Counted *counted)
{
  counted->n_frames++;
}

static void
count_flush (GdkFrameClock *clock, Counted *counted)
{
  counted->n_flushes++;
}

static void
spin (gint64 microseconds)
{
  gint64 until = g_get_monotonic_time () + microseconds;

  while (g_get_monotonic_time () < until)
    ;
}

static gboolean
finish (gpointer data)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean
animate (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  g_autofree char *text = g_strdup_printf ("%u", ++n_ticks);

  gtk_label_set_text (GTK_LABEL (animated.label), text);
  if (n_ticks % 20 == 19)
    spin (80000);
  if (n_ticks % 10 == 5)
    gdk_frame_clock_request_phase (clock, GDK_FRAME_CLOCK_PHASE_FLUSH_EVENTS);
  if (n_ticks < n_wanted)
    return G_SOURCE_CONTINUE;
  gtk_label_set_text (GTK_LABEL (quiet.label), "done");
  g_timeout_add (200, finish, NULL);
  return G_SOURCE_REMOVE;
}

static void
show (Counted *counted, const char *title)
{
  GdkFrameClock *clock;

  counted->window = gtk_window_new ();
  counted->label = gtk_label_new ("0");
  gtk_window_set_title (GTK_WINDOW (counted->window), title);
  gtk_window_set_default_size (GTK_WINDOW (counted->window), 300, 200);
  gtk_window_set_child (GTK_WINDOW (counted->window), counted->label);
  gtk_widget_realize (counted->window);
  clock = gdk_surface_get_frame_clock (gtk_native_get_surface (GTK_NATIVE (counted->window)));
  g_signal_connect (clock, "before-paint", G_CALLBACK (count_frame), counted);
  g_signal_connect (clock, "flush-events", G_CALLBACK (count_flush), counted);
  gtk_window_present (GTK_WINDOW (counted->window));
}

int
main (int argc, char **argv)
{
  if (argc > 1)
    n_wanted = (guint) atoi (argv[1]);
  if (!gtk_init_check ())
    {
      g_printerr ("There is no display\n");
      return 77;
    }
  loop = g_main_loop_new (NULL, FALSE);
  show (&animated, "Animated");
  show (&quiet, "Quiet");
  gtk_widget_add_tick_callback (animated.label, animate, NULL, NULL);
  g_main_loop_run (loop);
  g_print ("ticks %u\nanimated %u\nquiet %u\nflushes %u\n", n_ticks, animated.n_frames,
           quiet.n_frames, animated.n_flushes + quiet.n_flushes);
  return 0;
}
