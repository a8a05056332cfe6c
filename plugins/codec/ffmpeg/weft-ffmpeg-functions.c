/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * FFmpeg's own functions. A process may hold several versions of FFmpeg, and some that only a
 * module sees: each call goes on to the function that the code it came from is linked to.
 */
#include "weft-ffmpeg.h"

#include <dlfcn.h>
#include <link.h>

#define N_SITES 1024u
#define N_PROBES 8u

typedef enum
{
  AVCODEC,
  AVFORMAT,
  AVFILTER,
  N_LIBRARIES
} Library;

static const struct
{
  const char *name;
  const char *version; /* function that tells it */
  unsigned major;      /* whose structures are known here */
} libraries[N_LIBRARIES] = {
  [AVCODEC] = { "libavcodec", "avcodec_version", LIBAVCODEC_VERSION_MAJOR },
  [AVFORMAT] = { "libavformat", "avformat_version", LIBAVFORMAT_VERSION_MAJOR },
  [AVFILTER] = { "libavfilter", "avfilter_version", LIBAVFILTER_VERSION_MAJOR },
};

static const struct
{
  Library library;
  const char *name;
} functions[FF_N_FUNCTIONS] = {
#define F(library, name) { library, #name },
  FF_FUNCTIONS (F)
#undef F
};

/* Functions that help to tell; they are the same in all versions. */
static struct
{
  const char *(*pixel_format_name) (int format);
  const char *(*sample_format_name) (int format);
  int (*error_text) (int result, char *text, size_t size);
  int (*is_decoder) (const AVCodec *codec);
} helpers;

/* ---- Who is linked to what ---- */

/* The library, or program, that holds ADDRESS; NULL if it is the program itself or not known. */
static void *
open_library_of (const void *address)
{
  struct link_map *map = NULL;
  Dl_info info;

  if (dladdr1 (address, &info, (void **) &map, RTLD_DL_LINKMAP) == 0 || map == NULL ||
      map->l_name == NULL || *map->l_name == '\0')
    return NULL;
  return dlopen (map->l_name, RTLD_LAZY | RTLD_NOLOAD);
}

static void *
find_linked (const char *name, const void *caller)
{
  void *library = open_library_of (caller);
  void *found = NULL;

  if (library != NULL)
    {
      found = dlsym (library, name);
      dlclose (library);
    }
  return found != NULL ? found : dlsym (RTLD_NEXT, name);
}

/* Where the call passed through code that is linked to nothing, such as a stub. */
static void *
find_loaded (FfName name)
{
  const Library kind = functions[name].library;
  char soname[32];
  void *library, *found = NULL;

  snprintf (soname, sizeof soname, "%s.so.%u", libraries[kind].name, libraries[kind].major);
  library = dlopen (soname, RTLD_LAZY | RTLD_NOLOAD);
  if (library == NULL)
    return NULL;
  found = dlsym (library, functions[name].name);
  dlclose (library);
  return found;
}

static void
find_helpers (void *library)
{
  *(void **) &helpers.pixel_format_name = dlsym (library, "av_get_pix_fmt_name");
  *(void **) &helpers.sample_format_name = dlsym (library, "av_get_sample_fmt_name");
  *(void **) &helpers.error_text = dlsym (library, "av_strerror");
  *(void **) &helpers.is_decoder = dlsym (library, "av_codec_is_decoder");
}

/* Structures change with the major version. */
static bool
is_version_known (FfName name, const void *call)
{
  const Library kind = functions[name].library;
  void *library = open_library_of (call);
  unsigned (*version) (void);
  bool is_known = false;

  if (library == NULL)
    return false;
  *(void **) &version = dlsym (library, libraries[kind].version);
  is_known = version != NULL && version () >> 16 == libraries[kind].major;
  if (is_known && helpers.error_text == NULL)
    find_helpers (library);
  dlclose (library);
  return is_known;
}

static void
tell_unknown (void)
{
  static bool is_told;
  WeftTargetLane *lane;

  if (__atomic_exchange_n (&is_told, true, __ATOMIC_RELAXED))
    return;
  lane = weft_target_lane_new ("FFmpeg of another version", "codec.stream");
  weft_target_warn (&(WeftTargetWarning){
      .lane = lane,
      .severity = WEFT_TARGET_SEVERITY_WARNING,
      .code = "unknown-version",
      .message = "The program uses another major version of FFmpeg's libraries than this was "
                 "built for; its stages are not told of" });
}

static FfFunction
resolve (FfName name, const void *caller)
{
  FfFunction function = { find_linked (functions[name].name, caller), false };

  if (function.call == NULL)
    function.call = find_loaded (name);
  if (function.call == NULL)
    return function;
  function.is_known = is_version_known (name, function.call);
  if (!function.is_known)
    tell_unknown ();
  return function;
}

/* ---- Call sites: looked up once ---- */

typedef struct
{
  const void *caller; /* NULL: not there yet */
  bool is_taken;
  FfName name;
  FfFunction function;
} Site;

static Site sites[N_SITES];

static uint32_t
site_hash (FfName name, const void *caller)
{
  return (uint32_t) (((uintptr_t) caller * 31 + name) * 0x9e3779b97f4a7c15u >> 32);
}

/* No lock is held: the linker's own is taken in here, by threads that may run constructors. */
static FfFunction
add_site (FfName name, const void *caller)
{
  const uint32_t first = site_hash (name, caller);
  FfFunction function;

  weft_target_start ();
  function = resolve (name, caller);
  for (uint32_t i = 0; i < N_PROBES; i++)
    {
      Site *site = &sites[(first + i) % N_SITES];

      if (__atomic_exchange_n (&site->is_taken, true, __ATOMIC_RELAXED))
        continue;
      site->name = name;
      site->function = function;
      __atomic_store_n (&site->caller, caller, __ATOMIC_RELEASE);
      break;
    }
  return function;
}

FfFunction
ff_function_find (FfName name, const void *caller)
{
  const uint32_t first = site_hash (name, caller);

  for (uint32_t i = 0; i < N_PROBES; i++)
    {
      const Site *site = &sites[(first + i) % N_SITES];
      const void *known = __atomic_load_n (&site->caller, __ATOMIC_ACQUIRE);

      if (known == caller && site->name == name)
        return site->function;
    }
  return add_site (name, caller);
}

/* ---- Helpers ---- */

const char *
ff_pixel_format_name (int format)
{
  return helpers.pixel_format_name != NULL ? helpers.pixel_format_name (format) : NULL;
}

const char *
ff_sample_format_name (int format)
{
  return helpers.sample_format_name != NULL ? helpers.sample_format_name (format) : NULL;
}

const char *
ff_error_text (int result, char *text, size_t size)
{
  if (helpers.error_text == NULL || helpers.error_text (result, text, size) < 0)
    snprintf (text, size, "error %d", result);
  return text;
}

bool
ff_codec_is_decoder (const AVCodec *codec)
{
  return helpers.is_decoder != NULL && helpers.is_decoder (codec) != 0;
}
