/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program, tells of the frames of its GTK windows: what each phase of the frame
 * clock took, which frames were missed, a lane for each window. For GTK 4 and GTK 3.
 *
 * When the program registers the type of GTK's frame clocks, it uses GTK; until then, and in other
 * programs, nothing is done. GLib and GTK are found in the program, not linked to: the few
 * declarations here are those of their stable interfaces. Frame clocks live on GTK's thread.
 */
#include <dlfcn.h>

#define WEFT_FRAMELOOP_IMPLEMENTATION
#include "weft-frameloop.h"

#define PUBLIC __attribute__ ((visibility ("default")))

/* Events that were flushed so long before a frame, or less, were flushed for it: ns. */
#define SAME_FRAME 1000000

/* ---- GLib and GTK, as they are called ---- */

typedef size_t Type;

typedef struct
{
  Type type;
  uint64_t data[2];
} Value;

typedef struct List
{
  void *data;
  struct List *next;
  struct List *previous;
} List;

typedef int (*EmissionHook) (void *hint, unsigned n_values, const Value *values, void *data);

static struct
{
  void *(*class_ref) (Type type);
  unsigned (*signal_lookup) (const char *name, Type type);
  unsigned long (*add_emission_hook) (unsigned signal, unsigned detail, EmissionHook hook,
                                      void *data, void (*destroy) (void *data));
  unsigned long (*connect) (void *instance, const char *signal, void (*handler) (void), void *data,
                            void (*destroy) (void *data, void *closure), int flags);
  int (*has_handler) (void *instance, unsigned signal, unsigned detail, int may_be_blocked);
  void *(*value_get_object) (const Value *value);
  void (*weak_ref) (void *object, void (*notify) (void *data, void *object), void *data);
  void (*unref) (void *object);
  int64_t (*frame_time) (void *clock);
  int64_t (*frame_counter) (void *clock);
  void (*refresh_info) (void *clock, int64_t base, int64_t *interval, int64_t *presentation);

  /* GTK 4 */
  void *(*surface_clock) (void *surface);
  void *(*toplevels) (void);
  unsigned (*n_items) (void *model);
  void *(*item) (void *model, unsigned position);
  void *(*surface) (void *native);

  /* GTK 3 */
  void *(*window_clock) (void *window);
  List *(*list_toplevels) (void);
  void (*list_free) (List *list);
  void *(*widget_window) (void *widget);

  const char *(*title) (void *window);
} gtk;

static void *library; /* that has the frame clocks */

static void *
find (const char *name)
{
  void *found = dlsym (library, name);

  return found != NULL ? found : dlsym (RTLD_DEFAULT, name);
}

#define FIND(member, name) (*(void **) &gtk.member = find (name))

static bool
find_glib (void)
{
  FIND (class_ref, "g_type_class_ref");
  FIND (signal_lookup, "g_signal_lookup");
  FIND (add_emission_hook, "g_signal_add_emission_hook");
  FIND (connect, "g_signal_connect_data");
  FIND (has_handler, "g_signal_has_handler_pending");
  FIND (value_get_object, "g_value_get_object");
  FIND (weak_ref, "g_object_weak_ref");
  FIND (unref, "g_object_unref");
  FIND (frame_time, "gdk_frame_clock_get_frame_time");
  FIND (frame_counter, "gdk_frame_clock_get_frame_counter");
  FIND (refresh_info, "gdk_frame_clock_get_refresh_info");
  return gtk.class_ref && gtk.signal_lookup && gtk.add_emission_hook && gtk.connect &&
         gtk.has_handler && gtk.value_get_object && gtk.weak_ref && gtk.unref && gtk.frame_time &&
         gtk.frame_counter && gtk.refresh_info;
}

/* What windows are called is asked later: of GTK 3, they are in a library of their own. */
static void
find_windows (void)
{
  static bool looked;
  void *other = NULL;

  if (looked)
    return;
  looked = true;
  FIND (surface_clock, "gdk_surface_get_frame_clock");
  if (gtk.surface_clock == NULL)
    other = dlopen ("libgtk-3.so.0", RTLD_LAZY | RTLD_NOLOAD);
  if (other != NULL)
    library = other;
  FIND (toplevels, "gtk_window_get_toplevels");
  FIND (n_items, "g_list_model_get_n_items");
  FIND (item, "g_list_model_get_item");
  FIND (surface, "gtk_native_get_surface");
  FIND (window_clock, "gdk_window_get_frame_clock");
  FIND (list_toplevels, "gtk_window_list_toplevels");
  FIND (list_free, "g_list_free");
  FIND (widget_window, "gtk_widget_get_window");
  FIND (title, "gtk_window_get_title");
}

/* ---- Windows ---- */

typedef struct Window
{
  struct Window *next;
  void *clock; /* NULL: it is gone */
  WeftFrameloop *loop;
  bool has_events;
  uint64_t events_start;
  uint64_t events_end;
  bool is_animated;  /* another frame was due right after the last one */
  int64_t last_time; /* µs, of the last frame; 0: none */
} Window;

enum
{
  FLUSH_EVENTS,
  BEFORE_PAINT,
  UPDATE,
  LAYOUT,
  PAINT,
  AFTER_PAINT,
  N_SIGNALS
};

static const char *const signals[N_SIGNALS] = { "flush-events", "before-paint", "update",
                                                "layout",       "paint",        "after-paint" };
static unsigned signal_numbers[N_SIGNALS];
static Window *windows;
static unsigned n_open; /* frames that are told of and have not ended */

static WeftTargetRoutine flushed = WEFT_TARGET_ROUTINE ("events");

static bool
listens (void)
{
  return weft_target_enabled () || n_open != 0;
}

/* Of the window whose surface has this clock; NULL if it has none, or there is no such window. */
static const char *
find_title_4 (void *clock)
{
  void *model = gtk.toplevels ();
  const char *title = NULL;

  for (unsigned i = 0; i < gtk.n_items (model) && title == NULL; i++)
    {
      void *window = gtk.item (model, i);
      void *surface = gtk.surface (window);

      if (surface != NULL && gtk.surface_clock (surface) == clock)
        title = gtk.title (window);
      gtk.unref (window);
    }
  return title;
}

static const char *
find_title_3 (void *clock)
{
  List *list = gtk.list_toplevels ();
  const char *title = NULL;

  for (List *item = list; item != NULL && title == NULL; item = item->next)
    {
      void *window = gtk.widget_window (item->data);

      if (window != NULL && gtk.window_clock (window) == clock)
        title = gtk.title (item->data);
    }
  gtk.list_free (list);
  return title;
}

static const char *
find_title (void *clock)
{
  find_windows ();
  if (gtk.title == NULL)
    return NULL;
  if (gtk.surface_clock != NULL && gtk.toplevels != NULL && gtk.n_items != NULL &&
      gtk.item != NULL && gtk.surface != NULL)
    return find_title_4 (clock);
  if (gtk.window_clock != NULL && gtk.list_toplevels != NULL && gtk.list_free != NULL &&
      gtk.widget_window != NULL)
    return find_title_3 (clock);
  return NULL;
}

/* Flushed for themselves: no frame came after them. */
static void
tell_events (Window *window)
{
  if (window->has_events)
    weft_target_span (weft_frameloop_get_lane (window->loop), &flushed, window->events_start,
                      window->events_end);
  window->has_events = false;
}

static void
end_frame (Window *window)
{
  if (!weft_frameloop_in_tick (window->loop))
    return;
  weft_frameloop_end_tick (window->loop, 0);
  n_open--;
}

static void
clock_gone (void *data, void *clock)
{
  Window *window = data;

  tell_events (window);
  end_frame (window);
  window->clock = NULL;
  weft_target_lane_close (weft_frameloop_get_lane (window->loop));
}

static void
after_events (void *clock, void *data)
{
  Window *window = data;

  if (window->has_events)
    window->events_end = weft_target_now ();
}

static void
after_frame (void *clock, void *data)
{
  Window *window = data;

  if (!weft_frameloop_in_tick (window->loop))
    return;
  window->is_animated = gtk.has_handler (clock, signal_numbers[UPDATE], 0, true) != 0;
  end_frame (window);
}

static WeftFrameloop *
make_loop (void *clock)
{
  static unsigned n_windows;
  WeftFrameloopOptions options;
  const char *title = find_title (clock);
  char name[32];

  snprintf (name, sizeof name, "window %u", ++n_windows);
  memset (&options, 0, sizeof options);
  options.name = title != NULL && *title != '\0' ? title : name;
  options.kind = "frameloop.window";
  options.tick_name = "frame";
  options.step = 16666667;
  options.enabled = WEFT_FRAMELOOP_OFF;
  return weft_frameloop_new (&options, sizeof options);
}

static Window *
find_window (void *clock)
{
  Window *window = windows;

  while (window != NULL && window->clock != clock)
    window = window->next;
  if (window != NULL)
    return window;
  window = calloc (1, sizeof *window);
  if (window == NULL)
    return NULL;
  window->clock = clock;
  window->loop = make_loop (clock);
  window->next = windows;
  windows = window;
  gtk.weak_ref (clock, clock_gone, window);
  /* Behind all other handlers: 1 is G_CONNECT_AFTER. */
  gtk.connect (clock, signals[FLUSH_EVENTS], (void (*) (void)) after_events, window, NULL, 1);
  gtk.connect (clock, signals[AFTER_PAINT], (void (*) (void)) after_frame, window, NULL, 1);
  return window;
}

/* ---- Frames ---- */

/* Frames that an animation was due since the last one. */
static uint64_t
count_missed (const Window *window, int64_t time, int64_t interval)
{
  int64_t frames;

  if (!window->is_animated || window->last_time == 0 || interval <= 0)
    return 0;
  frames = (time - window->last_time + interval / 2) / interval;
  return frames > 1 ? (uint64_t) (frames - 1) : 0;
}

static void
begin_frame (Window *window)
{
  uint64_t now = weft_target_now ();
  int64_t time = gtk.frame_time (window->clock), interval = 0;
  WeftFrameloopTick tick;
  bool with_events;

  end_frame (window);
  with_events =
      window->has_events && weft_target_to_nanoseconds (now) <=
                                weft_target_to_nanoseconds (window->events_end) + SAME_FRAME;
  if (!with_events)
    tell_events (window);
  window->has_events = false;
  gtk.refresh_info (window->clock, time, &interval, NULL);
  if (interval > 0)
    weft_frameloop_set_step (window->loop, (uint64_t) interval * 1000);
  memset (&tick, 0, sizeof tick);
  tick.tick = (uint64_t) gtk.frame_counter (window->clock);
  if (window->last_time != 0 && time > window->last_time)
    tick.host_frame = (uint64_t) (time - window->last_time) * 1000;
  tick.missed = count_missed (window, time, interval);
  tick.start = with_events ? window->events_start : now;
  weft_frameloop_begin_tick (window->loop, &tick);
  if (with_events)
    weft_frameloop_add_phase_between (window->loop, "events", window->events_start,
                                      window->events_end);
  n_open += weft_frameloop_in_tick (window->loop);
  window->last_time = time;
}

static void
take_signal (Window *window, unsigned number)
{
  if (number == FLUSH_EVENTS)
    {
      tell_events (window);
      window->has_events = true;
      window->events_start = window->events_end = weft_target_now ();
      return;
    }
  if (number == BEFORE_PAINT)
    begin_frame (window);
  else
    weft_frameloop_end_phase (window->loop);
  weft_frameloop_begin_phase (window->loop, signals[number]);
}

/* Before the handlers of a signal of any frame clock. */
static int
before_signal (void *hint, unsigned n_values, const Value *values, void *data)
{
  int saved = errno;
  Window *window;

  if (!listens ())
    return true;
  window = find_window (gtk.value_get_object (&values[0]));
  if (window != NULL)
    take_signal (window, (unsigned) (uintptr_t) data);
  errno = saved;
  return true;
}

static void
watch_clocks (Type type)
{
  if (!find_glib ())
    return;
  /* Its signals are made with its class. */
  gtk.class_ref (type);
  for (unsigned i = 0; i < N_SIGNALS; i++)
    {
      signal_numbers[i] = gtk.signal_lookup (signals[i], type);
      if (signal_numbers[i] != 0)
        gtk.add_emission_hook (signal_numbers[i], 0, before_signal, (void *) (uintptr_t) i, NULL);
    }
  weft_target_start ();
}

/* ---- Where a program shows that it uses GTK ---- */

typedef Type (*Register) (Type parent, const char *name, unsigned class_size, void *class_init,
                          unsigned instance_size, void *instance_init, unsigned flags);

/* The library of CALLER, which may be one that no other sees, such as a module's. */
static void *
open_library_of (const void *caller)
{
  Dl_info info;

  if (dladdr (caller, &info) == 0 || info.dli_fname == NULL)
    return NULL;
  return dlopen (info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

static Register
find_register (const void *caller)
{
  static Register real;
  Register found = __atomic_load_n (&real, __ATOMIC_RELAXED);

  if (found != NULL)
    return found;
  found = (Register) dlsym (RTLD_NEXT, "g_type_register_static_simple");
  if (found == NULL)
    {
      void *handle = open_library_of (caller);

      if (handle != NULL)
        found = (Register) dlsym (handle, "g_type_register_static_simple");
    }
  if (found == NULL)
    {
      void *handle = dlopen ("libgobject-2.0.so.0", RTLD_LAZY | RTLD_NOLOAD);

      if (handle != NULL)
        found = (Register) dlsym (handle, "g_type_register_static_simple");
    }
  __atomic_store_n (&real, found, __ATOMIC_RELAXED);
  return found;
}

PUBLIC Type g_type_register_static_simple (Type parent, const char *name, unsigned class_size,
                                           void *class_init, unsigned instance_size,
                                           void *instance_init, unsigned flags);

PUBLIC Type
g_type_register_static_simple (Type parent, const char *name, unsigned class_size, void *class_init,
                               unsigned instance_size, void *instance_init, unsigned flags)
{
  const void *caller = __builtin_return_address (0);
  Register real = find_register (caller);
  Type type;

  /* Nobody could have called it without it being there. */
  if (real == NULL)
    return 0;
  type = real (parent, name, class_size, class_init, instance_size, instance_init, flags);
  if (name != NULL && strcmp (name, "GdkFrameClockIdle") == 0 && library == NULL)
    {
      library = open_library_of (caller);
      if (library != NULL)
        watch_clocks (parent);
    }
  return type;
}
