/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is behind weft-metal.h: included by it, in the one file that defines
 * WEFT_METAL_IMPLEMENTATION. In what C11 and C++17 have in common. Names ending in _ are private.
 *
 * A queue has one lock, which guards its pairs, heaps and submissions. No function of the device
 * and no record is made with it held, but the making of a heap's entries unwritten.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEFT_METAL_MAX_TEXTS_ 65536u /* of resources */
#define WEFT_METAL_RUN_ 32u          /* pairs that are resolved by one call */

/* ---- Small things ---- */

static void
weft_metal_say_ (char *reason, size_t size, const char *path, unsigned long line, const char *what)
{
  if (reason == NULL || size == 0)
    return;
  if (line != 0)
    snprintf (reason, size, "%s:%lu: %s", path, line, what);
  else
    snprintf (reason, size, "%s: %s", path, what);
}

static char *
weft_metal_copy_ (const char *text)
{
  size_t length = text != NULL ? strlen (text) : 0;
  char *copy = text != NULL ? (char *) malloc (length + 1) : NULL;

  if (copy != NULL)
    memcpy (copy, text, length + 1);
  return copy;
}

static WeftTargetTag
weft_metal_text_tag_ (const char *key, const char *value)
{
  WeftTargetTag tag;

  memset (&tag, 0, sizeof tag);
  tag.key = key;
  tag.type = WEFT_TARGET_VALUE_STRING;
  tag.value.string = value;
  return tag;
}

static WeftTargetTag
weft_metal_number_tag_ (const char *key, uint64_t value)
{
  WeftTargetTag tag;

  memset (&tag, 0, sizeof tag);
  tag.key = key;
  tag.type = WEFT_TARGET_VALUE_U64;
  tag.value.u64 = value;
  return tag;
}

/* What the caller's version of a struct has, the rest zero. */
static void
weft_metal_take_ (void *to, size_t to_size, const void *from, size_t size)
{
  memset (to, 0, to_size);
  if (from != NULL)
    memcpy (to, from, size < to_size ? size : to_size);
}

/* What lives as long as the process stays reachable. */
typedef struct _WeftMetalKept_ WeftMetalKept_;

struct _WeftMetalKept_
{
  WeftMetalKept_ *next;
};

static WeftMetalKept_ *weft_metal_kept_; /* atomic */

static void
weft_metal_keep_ (WeftMetalKept_ *kept)
{
  kept->next = __atomic_load_n (&weft_metal_kept_, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n (&weft_metal_kept_, &kept->next, kept, true, __ATOMIC_RELEASE,
                                       __ATOMIC_RELAXED))
    ;
}

/* ---- SHA-256 (FIPS 180-4): the identity of a library ---- */

typedef struct
{
  uint32_t state[8];
  uint64_t length;
  uint8_t block[64];
} WeftMetalHash_;

static uint32_t
weft_metal_rotate_ (uint32_t x, unsigned int n)
{
  return x >> n | x << (32 - n);
}

static void
weft_metal_hash_block_ (WeftMetalHash_ *hash)
{
  static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
  };
  uint32_t w[64], s[8];

  for (unsigned int i = 0; i < 16; i++)
    w[i] = (uint32_t) hash->block[4 * i] << 24 | (uint32_t) hash->block[4 * i + 1] << 16 |
           (uint32_t) hash->block[4 * i + 2] << 8 | hash->block[4 * i + 3];
  for (unsigned int i = 16; i < 64; i++)
    {
      uint32_t a = w[i - 15], b = w[i - 2];

      w[i] = w[i - 16] + w[i - 7] +
             (weft_metal_rotate_ (a, 7) ^ weft_metal_rotate_ (a, 18) ^ a >> 3) +
             (weft_metal_rotate_ (b, 17) ^ weft_metal_rotate_ (b, 19) ^ b >> 10);
    }
  memcpy (s, hash->state, sizeof s);
  for (unsigned int i = 0; i < 64; i++)
    {
      uint32_t e = s[4], a = s[0];
      uint32_t one =
          s[7] + k[i] + w[i] + ((e & s[5]) ^ (~e & s[6])) +
          (weft_metal_rotate_ (e, 6) ^ weft_metal_rotate_ (e, 11) ^ weft_metal_rotate_ (e, 25));
      uint32_t two =
          ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2])) +
          (weft_metal_rotate_ (a, 2) ^ weft_metal_rotate_ (a, 13) ^ weft_metal_rotate_ (a, 22));

      memmove (s + 1, s, 7 * sizeof *s);
      s[4] += one;
      s[0] = one + two;
    }
  for (unsigned int i = 0; i < 8; i++)
    hash->state[i] += s[i];
}

static void
weft_metal_hash_start_ (WeftMetalHash_ *hash)
{
  static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

  memcpy (hash->state, start, sizeof start);
  hash->length = 0;
}

static void
weft_metal_hash_add_ (WeftMetalHash_ *hash, const uint8_t *bytes, size_t n)
{
  for (size_t i = 0; i < n; i++)
    {
      hash->block[hash->length++ % 64] = bytes[i];
      if (hash->length % 64 == 0)
        weft_metal_hash_block_ (hash);
    }
}

static void
weft_metal_hash_end_ (WeftMetalHash_ *hash, char *text)
{
  uint64_t bits = hash->length * 8;
  uint8_t end = 0x80, tail[8];

  for (unsigned int i = 0; i < 8; i++)
    tail[i] = (uint8_t) (bits >> (56 - 8 * i));
  weft_metal_hash_add_ (hash, &end, 1);
  end = 0;
  while (hash->length % 64 != 56)
    weft_metal_hash_add_ (hash, &end, 1);
  weft_metal_hash_add_ (hash, tail, sizeof tail);
  for (unsigned int i = 0; i < 8; i++)
    snprintf (text + 8 * i, 9, "%08x", (unsigned int) hash->state[i]);
}

/* ---- Devices and their clock ---- */

typedef struct
{
  uint64_t ticks; /* of the device */
  uint64_t time;  /* CLOCK_MONOTONIC ns, the middle of the reading */
  uint64_t error; /* half of its length */
} WeftMetalPair_;

typedef struct
{
  uint64_t address;
  uint64_t length;
  WeftTargetAttachment what; /* strings are ours */
} WeftMetalResource_;

struct _WeftMetalDevice
{
  WeftMetalKept_ kept;
  WeftMetalFunctions functions;
  uint32_t clock;
  pthread_mutex_t lock; /* the clock's pairs, and one reading at a time */
  WeftMetalPair_ first;
  WeftMetalPair_ last;
  uint64_t calibrations;
  uint64_t refused;
  uint32_t capture;       /* atomic: the artifact */
  WeftTargetLane *scopes; /* made with the first one */
  pthread_mutex_t resource_lock;
  WeftMetalResource_ *resources; /* by address */
  size_t n_resources;
  size_t room;
  char **texts; /* of resources, each once: tables may name them when the resource is gone */
  size_t n_texts;
  size_t texts_room; /* a power of two */
};

WeftMetalDevice *
weft_metal_device_new (const WeftMetalFunctions *functions, size_t size)
{
  WeftMetalDevice *device = (WeftMetalDevice *) calloc (1, sizeof *device);

  if (device == NULL)
    return NULL;
  weft_metal_take_ (&device->functions, sizeof device->functions, functions, size);
  if (device->functions.name == NULL)
    device->functions.name = "Metal device";
  pthread_mutex_init (&device->lock, NULL);
  pthread_mutex_init (&device->resource_lock, NULL);
  weft_metal_keep_ (&device->kept);
  device->clock = weft_target_clock_new (device->functions.name, device->functions.frequency);
  return device;
}

/* The tightest of a few readings. */
static bool
weft_metal_read_clock_ (WeftMetalDevice *device, uint64_t *ticks, uint64_t *before, uint64_t *after)
{
  bool found = false;

  for (int i = 0; i < 4; i++)
    {
      uint64_t value = 0, start = weft_target_now (), end;
      bool read = device->functions.clock_read (device->functions.data, &value);

      end = weft_target_now ();
      if (read && value != 0 && end >= start && (!found || end - start < *after - *before))
        {
          *ticks = value;
          *before = start;
          *after = end;
          found = true;
        }
    }
  return found;
}

bool
weft_metal_calibrate (WeftMetalDevice *device)
{
  uint64_t ticks = 0, before = 0, after = 0;
  WeftMetalPair_ pair;
  bool told = false;

  if (device == NULL || device->functions.clock_read == NULL)
    return false;
  pthread_mutex_lock (&device->lock);
  if (weft_metal_read_clock_ (device, &ticks, &before, &after))
    {
      uint64_t start = weft_target_to_nanoseconds (before);
      uint64_t end = weft_target_to_nanoseconds (after);

      pair.ticks = ticks;
      pair.time = start + (end - start) / 2;
      pair.error = (end - start + 1) / 2;
      told = device->calibrations == 0 ||
             (ticks > device->last.ticks && pair.time > device->last.time);
    }
  if (told)
    {
      weft_target_clock_calibrate (device->clock, ticks, before, after);
      if (device->calibrations++ == 0)
        device->first = pair;
      device->last = pair;
    }
  else
    device->refused++;
  pthread_mutex_unlock (&device->lock);
  return told;
}

/* Ticks a nanosecond: measured, else as stated; 0 if nobody knows. With the lock. */
static double
weft_metal_rate_ (const WeftMetalDevice *device)
{
  if (device->calibrations >= 2)
    return (double) (device->last.ticks - device->first.ticks) /
           (double) (device->last.time - device->first.time);
  return device->functions.frequency / 1e9;
}

void
weft_metal_device_get_clock (WeftMetalDevice *device, WeftMetalClockState *state, size_t size)
{
  WeftMetalClockState now;

  memset (&now, 0, sizeof now);
  pthread_mutex_lock (&device->lock);
  now.calibrations = device->calibrations;
  now.refused = device->refused;
  now.error = device->last.error;
  if (device->calibrations >= 2)
    {
      now.frequency = weft_metal_rate_ (device) * 1e9;
      if (device->functions.frequency > 0)
        now.drift = now.frequency / device->functions.frequency - 1;
    }
  pthread_mutex_unlock (&device->lock);
  memcpy (state, &now, size < sizeof now ? size : sizeof now);
}

/* ---- Libraries ---- */

typedef struct
{
  char *name;
  uint32_t source;
  uint32_t first_line;
  uint32_t last_line;
} WeftMetalFunction_;

struct _WeftMetalLibrary
{
  WeftMetalKept_ kept;
  char hash[65];
  char *flavour;
  char *name;        /* FLAVOUR/FILE, or what there is of it */
  uint32_t artifact; /* of the file */
  WeftMetalFunction_ *functions;
  size_t n_functions;
};

#define WEFT_METAL_MAX_MANIFEST_ (UINT32_C (1) << 20)
#define WEFT_METAL_MAX_SOURCE_ (UINT32_C (4) << 20)
#define WEFT_METAL_MAX_FUNCTIONS_ 4096u

/* A whole file, with a nul behind it; NULL if it cannot be read, or is larger than LIMIT. */
static char *
weft_metal_read_file_ (const char *path, size_t limit, size_t *length)
{
  FILE *file = fopen (path, "rb");
  char *text = NULL;
  size_t n = 0;

  if (file == NULL)
    return NULL;
  text = (char *) malloc (limit + 2);
  if (text != NULL)
    n = fread (text, 1, limit + 1, file);
  if (text != NULL && (ferror (file) || n > limit))
    {
      free (text);
      text = NULL;
    }
  fclose (file);
  if (text != NULL)
    {
      text[n] = '\0';
      *length = n;
    }
  return text;
}

static bool
weft_metal_hash_file_ (const char *path, char *text)
{
  uint8_t bytes[4096];
  WeftMetalHash_ hash;
  FILE *file = fopen (path, "rb");
  bool whole;
  size_t n;

  if (file == NULL)
    return false;
  weft_metal_hash_start_ (&hash);
  while ((n = fread (bytes, 1, sizeof bytes, file)) > 0)
    weft_metal_hash_add_ (&hash, bytes, n);
  whole = !ferror (file) && hash.length > 0;
  fclose (file);
  if (whole)
    weft_metal_hash_end_ (&hash, text);
  return whole;
}

/* The word up to the next tab or the line's end; NULL if there is none. */
static char *
weft_metal_word_ (char **at)
{
  char *word = *at, *end;

  if (word == NULL || *word == '\0')
    return NULL;
  end = strchr (word, '\t');
  *at = end != NULL ? end + 1 : NULL;
  if (end != NULL)
    *end = '\0';
  return word;
}

typedef struct
{
  WeftMetalLibrary *library;
  const char *path; /* the manifest's */
  const char *flags;
  uint32_t source; /* that functions are in */
} WeftMetalManifest_;

/* source PATH [SHA-256]: the text if it can be read, else the path and the hash. */
static bool
weft_metal_read_source_ (WeftMetalManifest_ *manifest, const char *path, const char *hash)
{
  const char *slash = strrchr (manifest->path, '/');
  size_t folder = path[0] != '/' && slash != NULL ? (size_t) (slash + 1 - manifest->path) : 0;
  char *full = (char *) malloc (folder + strlen (path) + 1);
  WeftTargetSource source;
  size_t length = 0;
  char *text;

  if (full == NULL)
    return false;
  memcpy (full, manifest->path, folder);
  strcpy (full + folder, path);
  text = weft_metal_read_file_ (full, WEFT_METAL_MAX_SOURCE_, &length);
  memset (&source, 0, sizeof source);
  source.language = "metal";
  source.path = path;
  source.hash = hash;
  source.text = text;
  source.text_length = length;
  source.flavour = manifest->library->flavour;
  source.build_flags = manifest->flags;
  manifest->source = weft_target_source_new (&source, sizeof source);
  free (text);
  free (full);
  return manifest->source != 0;
}

static bool
weft_metal_number_ (const char *word, uint32_t *value)
{
  unsigned long number;
  char *end;

  if (word == NULL || word[0] < '0' || word[0] > '9')
    return false;
  number = strtoul (word, &end, 10);
  *value = (uint32_t) number;
  return *end == '\0' && number > 0 && number <= UINT32_MAX;
}

/* function NAME FIRST LAST, of the source before it. */
static bool
weft_metal_read_function_ (WeftMetalManifest_ *manifest, const char *name, char **at)
{
  WeftMetalLibrary *library = manifest->library;
  WeftMetalFunction_ function;

  function.source = manifest->source;
  if (manifest->source == 0 || library->n_functions == WEFT_METAL_MAX_FUNCTIONS_ ||
      !weft_metal_number_ (weft_metal_word_ (at), &function.first_line) ||
      !weft_metal_number_ (weft_metal_word_ (at), &function.last_line) ||
      function.last_line < function.first_line)
    return false;
  function.name = weft_metal_copy_ (name);
  if (function.name == NULL)
    return false;
  library->functions[library->n_functions++] = function;
  return true;
}

static bool
weft_metal_read_line_ (WeftMetalManifest_ *manifest, char *line)
{
  char *at = line;
  const char *what = weft_metal_word_ (&at), *first = weft_metal_word_ (&at);

  if (what == NULL || what[0] == '#')
    return true;
  if (first == NULL)
    return false;
  if (strcmp (what, "flags") == 0)
    manifest->flags = first;
  else if (strcmp (what, "library") == 0)
    return manifest->library->hash[0] == '\0' || strcmp (manifest->library->hash, first) == 0;
  else if (strcmp (what, "source") == 0)
    return weft_metal_read_source_ (manifest, first, weft_metal_word_ (&at));
  else if (strcmp (what, "function") == 0)
    return weft_metal_read_function_ (manifest, first, &at);
  else
    return false;
  return true;
}

static void
weft_metal_read_manifest_ (WeftMetalLibrary *library, const char *path, char *reason, size_t size)
{
  static const char magic[] = "weft-metal-sources 1";
  WeftMetalManifest_ manifest;
  unsigned long number = 1;
  size_t length = 0;
  char *text = weft_metal_read_file_ (path, WEFT_METAL_MAX_MANIFEST_, &length);
  char *line = text, *next;

  memset (&manifest, 0, sizeof manifest);
  manifest.library = library;
  manifest.path = path;
  library->functions =
      (WeftMetalFunction_ *) calloc (WEFT_METAL_MAX_FUNCTIONS_, sizeof *library->functions);
  if (text == NULL || library->functions == NULL)
    {
      weft_metal_say_ (reason, size, path, 0, "cannot be read, or is larger than 1 MiB");
      free (text);
      return;
    }
  for (; line != NULL; line = next, number++)
    {
      next = strchr (line, '\n');
      if (next != NULL)
        *next++ = '\0';
      if (number == 1 ? strcmp (line, magic) != 0 : !weft_metal_read_line_ (&manifest, line))
        {
          weft_metal_say_ (reason, size, path, number,
                           "not a line of a source manifest, or not of this library");
          break;
        }
    }
  free (text);
}

static void
weft_metal_name_library_ (WeftMetalLibrary *library, const WeftMetalLibraryInfo *info)
{
  const char *slash = info->path != NULL ? strrchr (info->path, '/') : NULL;
  const char *file = slash != NULL ? slash + 1 : info->path;
  char name[256];

  snprintf (name, sizeof name, "%s%s%s", info->flavour != NULL ? info->flavour : "",
            info->flavour != NULL && file != NULL ? "/" : "", file != NULL ? file : "");
  library->name = weft_metal_copy_ (name);
  library->flavour = weft_metal_copy_ (info->flavour);
  if (info->path != NULL)
    library->artifact = weft_target_artifact_new ("metal.library", info->path, name, info->size);
}

WeftMetalLibrary *
weft_metal_library_new (const WeftMetalLibraryInfo *info, size_t size, char *reason,
                        size_t reason_size)
{
  WeftMetalLibrary *library = (WeftMetalLibrary *) calloc (1, sizeof *library);
  WeftMetalLibraryInfo full;

  weft_metal_take_ (&full, sizeof full, info, size);
  if (reason != NULL && reason_size > 0)
    reason[0] = '\0';
  if (library == NULL)
    return NULL;
  weft_metal_keep_ (&library->kept);
  weft_metal_name_library_ (library, &full);
  if (full.data != NULL)
    {
      WeftMetalHash_ hash;

      weft_metal_hash_start_ (&hash);
      weft_metal_hash_add_ (&hash, (const uint8_t *) full.data, full.size);
      weft_metal_hash_end_ (&hash, library->hash);
    }
  else if (full.path != NULL && !weft_metal_hash_file_ (full.path, library->hash))
    weft_metal_say_ (reason, reason_size, full.path, 0, "cannot be read, or is empty");
  if (full.manifest != NULL)
    weft_metal_read_manifest_ (library, full.manifest, reason, reason_size);
  return library;
}

const char *
weft_metal_library_get_hash (const WeftMetalLibrary *library)
{
  return library != NULL ? library->hash : "";
}

static void
weft_metal_tag_routine_ (uint32_t id, WeftTargetTag tag)
{
  if (id != 0 &&
      (tag.type == WEFT_TARGET_VALUE_U64 ? tag.value.u64 != 0
                                         : tag.value.string != NULL && tag.value.string[0] != '\0'))
    weft_target_tag (WEFT_TARGET_OWNER_ROUTINE, id, &tag);
}

WeftTargetRoutine *
weft_metal_shader_new (WeftMetalLibrary *library, const WeftMetalShaderInfo *info, size_t size)
{
  const char *flavour = library != NULL ? library->flavour : NULL;
  WeftMetalShaderInfo full;
  WeftTargetRoutineInfo routine_info;
  WeftTargetRoutine *routine;
  char both[512];
  uint32_t id;

  weft_metal_take_ (&full, sizeof full, info, size);
  memset (&routine_info, 0, sizeof routine_info);
  routine_info.name = full.function != NULL ? full.function : "";
  routine_info.label = full.label;
  routine_info.flavour = flavour != NULL ? flavour : full.pipeline;
  if (flavour != NULL && full.pipeline != NULL)
    {
      snprintf (both, sizeof both, "%s/%s", flavour, full.pipeline);
      routine_info.flavour = both;
    }
  for (size_t i = 0; library != NULL && i < library->n_functions; i++)
    if (strcmp (library->functions[i].name, routine_info.name) == 0)
      {
        routine_info.source = library->functions[i].source;
        routine_info.first_line = library->functions[i].first_line;
        routine_info.last_line = library->functions[i].last_line;
      }
  routine = weft_target_routine_new_full (&routine_info, sizeof routine_info);
  id = weft_target_routine_get_id (routine);
  weft_metal_tag_routine_ (
      id, weft_metal_text_tag_ ("metal.library", library != NULL ? library->name : NULL));
  weft_metal_tag_routine_ (
      id, weft_metal_text_tag_ ("metal.library-hash", weft_metal_library_get_hash (library)));
  weft_metal_tag_routine_ (id, weft_metal_text_tag_ ("metal.function", full.function));
  weft_metal_tag_routine_ (id, weft_metal_text_tag_ ("metal.pipeline", full.pipeline));
  weft_metal_tag_routine_ (id, weft_metal_text_tag_ ("metal.stage", full.stage));
  weft_metal_tag_routine_ (id, weft_metal_number_tag_ ("metal.threads-per-threadgroup-max",
                                                       full.max_threads_per_threadgroup));
  weft_metal_tag_routine_ (id,
                           weft_metal_number_tag_ ("metal.execution-width", full.execution_width));
  weft_metal_tag_routine_ (
      id, weft_metal_number_tag_ ("metal.threadgroup-memory", full.threadgroup_memory));
  if (library != NULL && library->artifact != 0 && id != 0)
    weft_target_artifact_link (library->artifact, WEFT_TARGET_OWNER_ROUTINE, id);
  return routine;
}

/* ---- Arguments ---- */

static bool
weft_metal_same_binding_ (const WeftTargetAttachment *a, const WeftTargetAttachment *b)
{
  const bool tensor_a = a->kind == NULL || strcmp (a->kind, "tensor") == 0;
  const bool tensor_b = b->kind == NULL || strcmp (b->kind, "tensor") == 0;
  const char *kind_a = tensor_a ? "buffer" : a->kind, *kind_b = tensor_b ? "buffer" : b->kind;

  return a->slot == b->slot && strcmp (kind_a, kind_b) == 0;
}

void
weft_metal_arguments_set (WeftMetalArguments *arguments, const WeftTargetAttachment *attachment)
{
  uint32_t at = 0;

  while (at < arguments->n && !weft_metal_same_binding_ (&arguments->bound[at], attachment))
    at++;
  if (attachment->kind == NULL)
    {
      if (at < arguments->n)
        memmove (arguments->bound + at, arguments->bound + at + 1,
                 (--arguments->n - at) * sizeof *arguments->bound);
      return;
    }
  if (at == WEFT_METAL_MAX_ARGUMENTS)
    {
      arguments->omitted++;
      return;
    }
  arguments->bound[at] = *attachment;
  if (at == arguments->n)
    arguments->n++;
}

void
weft_metal_arguments_clear (WeftMetalArguments *arguments)
{
  arguments->n = 0;
  arguments->omitted = 0;
}

/* The first resource that begins after ADDRESS. With the lock. */
static size_t
weft_metal_resource_after_ (const WeftMetalDevice *device, uint64_t address)
{
  size_t low = 0, high = device->n_resources;

  while (low < high)
    {
      size_t middle = low + (high - low) / 2;

      if (device->resources[middle].address <= address)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static size_t
weft_metal_text_place_ (char *const *texts, size_t room, const char *text)
{
  uint64_t hash = UINT64_C (0xcbf29ce484222325);
  size_t at;

  for (const char *c = text; *c != '\0'; c++)
    hash = (hash ^ (uint8_t) *c) * UINT64_C (0x100000001b3);
  for (at = hash & (room - 1); texts[at] != NULL && strcmp (texts[at], text) != 0;)
    at = (at + 1) & (room - 1);
  return at;
}

/* Room for one more; false where there is none. */
static bool
weft_metal_texts_grow_ (WeftMetalDevice *device)
{
  size_t room = device->texts_room != 0 ? device->texts_room * 2 : 64;
  char **grown;

  if (2 * (device->n_texts + 1) <= device->texts_room)
    return true;
  if (room > 2 * WEFT_METAL_MAX_TEXTS_ || (grown = (char **) calloc (room, sizeof *grown)) == NULL)
    return false;
  for (size_t i = 0; i < device->texts_room; i++)
    if (device->texts[i] != NULL)
      grown[weft_metal_text_place_ (grown, room, device->texts[i])] = device->texts[i];
  free (device->texts);
  device->texts = grown;
  device->texts_room = room;
  return true;
}

/* The one copy of TEXT; NULL if there is no room. With the lock. */
static const char *
weft_metal_text_ (WeftMetalDevice *device, const char *text)
{
  size_t at;

  if (text == NULL || !weft_metal_texts_grow_ (device))
    return NULL;
  at = weft_metal_text_place_ (device->texts, device->texts_room, text);
  if (device->texts[at] == NULL && (device->texts[at] = weft_metal_copy_ (text)) != NULL)
    device->n_texts++;
  return device->texts[at];
}

bool
weft_metal_resource_add (WeftMetalDevice *device, uint64_t address, uint64_t length,
                         const WeftTargetAttachment *description)
{
  WeftMetalResource_ resource;
  bool added = false;
  size_t at;

  resource.address = address;
  resource.length = length;
  resource.what = *description;
  resource.what.ranges = NULL;
  resource.what.n_ranges = 0;
  pthread_mutex_lock (&device->resource_lock);
  resource.what.kind = weft_metal_text_ (device, description->kind);
  resource.what.label = weft_metal_text_ (device, description->label);
  resource.what.role = weft_metal_text_ (device, description->role);
  resource.what.element_type = weft_metal_text_ (device, description->element_type);
  resource.what.shape = weft_metal_text_ (device, description->shape);
  if (device->n_resources == device->room)
    {
      size_t room = device->room != 0 ? device->room * 2 : 64;
      void *grown = realloc (device->resources, room * sizeof *device->resources);

      if (grown != NULL)
        {
          device->resources = (WeftMetalResource_ *) grown;
          device->room = room;
        }
    }
  if (device->n_resources < device->room)
    {
      at = weft_metal_resource_after_ (device, address);
      memmove (device->resources + at + 1, device->resources + at,
               (device->n_resources++ - at) * sizeof *device->resources);
      device->resources[at] = resource;
      added = true;
    }
  pthread_mutex_unlock (&device->resource_lock);
  return added;
}

void
weft_metal_resource_remove (WeftMetalDevice *device, uint64_t address)
{
  size_t at;

  pthread_mutex_lock (&device->resource_lock);
  at = weft_metal_resource_after_ (device, address);
  if (at > 0 && device->resources[at - 1].address == address)
    memmove (device->resources + at - 1, device->resources + at,
             (device->n_resources-- - at) * sizeof *device->resources);
  pthread_mutex_unlock (&device->resource_lock);
}

void
weft_metal_arguments_set_address (WeftMetalArguments *arguments, WeftMetalDevice *device,
                                  int32_t slot, uint64_t address, WeftTargetAccess access,
                                  const char *role, const WeftTargetRange *ranges, size_t n_ranges)
{
  WeftTargetAttachment attachment;
  size_t at;

  if (!weft_target_enabled ())
    return;
  memset (&attachment, 0, sizeof attachment);
  attachment.size = WEFT_TARGET_UNKNOWN_SIZE;
  pthread_mutex_lock (&device->resource_lock);
  at = weft_metal_resource_after_ (device, address);
  if (at > 0 && address - device->resources[at - 1].address < device->resources[at - 1].length)
    {
      const WeftMetalResource_ *resource = &device->resources[at - 1];

      attachment = resource->what;
      attachment.offset = address - resource->address;
      attachment.size = resource->length - attachment.offset;
    }
  pthread_mutex_unlock (&device->resource_lock);
  if (attachment.kind == NULL)
    attachment.kind = "buffer";
  if (role != NULL)
    attachment.role = role;
  attachment.slot = slot;
  attachment.access = access;
  attachment.ranges = ranges;
  attachment.n_ranges = n_ranges;
  weft_metal_arguments_set (arguments, &attachment);
}

/* ---- Counter sets ---- */

struct _WeftMetalCounterSet
{
  WeftMetalKept_ kept;
  char *name;
  uint32_t id;
  uint32_t n_counters;
  WeftTargetCounterState state; /* strings are ours, or static */
  char *told;                   /* the first reason */
  uint64_t samples;             /* atomic: encoded, up to those that are timed */
  uint64_t cost;                /* atomic: ns */
};

#define WEFT_METAL_TIMED_ 64u
#define WEFT_METAL_OVERHEAD_                                                                       \
  "encoding of one sample on the CPU, mean of the first 64; what barriers and sampling cost the "  \
  "GPU comes on top of it"

static bool
weft_metal_ends_ (const char *text, const char *end)
{
  size_t length = strlen (text), tail = strlen (end);

  return length >= tail && strcmp (text + length - tail, end) == 0;
}

WeftTargetUnit
weft_metal_counter_get_unit (const char *counter)
{
  if (weft_metal_ends_ (counter, "Timestamp"))
    return WEFT_TARGET_UNIT_TICKS;
  if (weft_metal_ends_ (counter, "Cycles"))
    return WEFT_TARGET_UNIT_CYCLES;
  if (weft_metal_ends_ (counter, "Invocations"))
    return WEFT_TARGET_UNIT_INVOCATIONS;
  return WEFT_TARGET_UNIT_COUNT;
}

WeftMetalCounterSet *
weft_metal_counter_set_new (const WeftMetalCounterSetInfo *info, size_t size)
{
  WeftMetalCounterSet *set = (WeftMetalCounterSet *) calloc (1, sizeof *set);
  WeftTargetCounter counters[WEFT_METAL_MAX_COUNTERS];
  WeftMetalCounterSetInfo full;

  weft_metal_take_ (&full, sizeof full, info, size);
  if (set == NULL || full.name == NULL)
    {
      free (set);
      return NULL;
    }
  weft_metal_keep_ (&set->kept);
  memset (counters, 0, sizeof counters);
  set->name = weft_metal_copy_ (full.name);
  set->n_counters = full.n_counters < WEFT_METAL_MAX_COUNTERS ? (uint32_t) full.n_counters
                                                              : WEFT_METAL_MAX_COUNTERS;
  for (uint32_t i = 0; i < set->n_counters; i++)
    {
      counters[i].name = full.counters[i];
      counters[i].unit = weft_metal_counter_get_unit (full.counters[i]);
      counters[i].value_type = WEFT_TARGET_VALUE_U64;
    }
  set->state = full.state;
  set->id = weft_target_counter_set_new (full.name, counters, set->n_counters, &full.state);
  set->state.reason = set->told = weft_metal_copy_ (full.state.reason);
  set->state.probe = weft_metal_copy_ (full.state.probe);
  set->state.overhead_text = weft_metal_copy_ (full.state.overhead_text);
  return set;
}

static void
weft_metal_set_state_ (WeftMetalCounterSet *set, WeftTargetAvailability availability,
                       const char *reason)
{
  set->state.availability = availability;
  set->state.reason = reason;
  weft_target_counter_set_update (set->id, &set->state);
}

/* ---- Queues ---- */

typedef struct
{
  uint64_t dispatch;
  uint32_t next; /* of its submission, + 1 */
} WeftMetalSlot_;

typedef struct
{
  void *heap;
  void *samples[WEFT_METAL_MAX_SETS];
  uint32_t used;      /* pairs given out since it was taken */
  uint32_t unsettled; /* of those, neither reported nor given up */
} WeftMetalHalf_;

struct _WeftMetalSubmission
{
  WeftMetalQueue *queue;
  WeftMetalSubmission *next; /* of the free, or the completed ones */
  uint64_t id;
  uint64_t committed; /* CLOCK_MONOTONIC ns; 0: never */
  uint64_t completed;
  uint32_t first; /* pair + 1; 0: none */
  uint32_t last;
  uint32_t n;
  bool failed;
};

struct _WeftMetalQueue
{
  WeftMetalDevice *device;
  WeftTargetLane *lane;
  WeftMetalQueueConfiguration configuration;
  pthread_mutex_t lock;
  WeftMetalHalf_ halves[2];
  uint32_t current;
  WeftMetalSlot_ *slots; /* of both heaps */
  WeftMetalSubmission *submissions;
  WeftMetalSubmission *free_ones;
  WeftMetalSubmission *completed; /* oldest first */
  WeftMetalSubmission **completed_end;
  uint32_t under_way; /* submissions that are open, committed or not resolved */
  bool closing;
  WeftMetalCounterSet *sets[WEFT_METAL_MAX_SETS];
  uint32_t n_sets;
  WeftMetalQueueStats stats;
  WeftTargetMetric *unresolved[WEFT_METAL_N_REASONS];
  WeftTargetMetric *refused;
  WeftTargetMetric *drift;
  WeftTargetMetric *error;
};

const char *
weft_metal_reason_get_name (WeftMetalReason reason)
{
  static const char *const names[WEFT_METAL_N_REASONS] = { "no-slot",     "no-heap",
                                                           "abandoned",   "fault",
                                                           "not-written", "error-value",
                                                           "reversed",    "outside-submission" };

  return (unsigned int) reason < WEFT_METAL_N_REASONS ? names[reason] : "unknown";
}

static void
weft_metal_tag_lane_ (WeftMetalQueue *queue)
{
  const WeftMetalFunctions *functions = &queue->device->functions;
  uint32_t id = weft_target_lane_get_id (queue->lane);
  WeftTargetTag tags[3];

  tags[0] = weft_metal_text_tag_ ("metal.device", functions->name);
  tags[1] = weft_metal_text_tag_ ("metal.surface", functions->surface == WEFT_METAL_TIMESTAMP_HEAP
                                                       ? "timestamp-heap"
                                                       : "counter-sample-buffer");
  tags[2] = weft_metal_text_tag_ (
      "metal.granularity",
      queue->configuration.granularity == WEFT_METAL_PRECISE ? "precise" : "relaxed");
  for (int i = 0; i < 3 && id != 0; i++)
    weft_target_tag (WEFT_TARGET_OWNER_LANE, id, &tags[i]);
}

static void
weft_metal_release_ (WeftMetalQueue *queue)
{
  const WeftMetalFunctions *functions = &queue->device->functions;

  for (int i = 0; i < 2; i++)
    {
      if (queue->halves[i].heap != NULL && functions->heap_free != NULL)
        functions->heap_free (functions->data, queue->halves[i].heap);
      for (uint32_t j = 0; j < queue->n_sets; j++)
        if (queue->halves[i].samples[j] != NULL)
          functions->samples_free (functions->data, queue->halves[i].samples[j]);
    }
  pthread_mutex_destroy (&queue->lock);
  free (queue->slots);
  free (queue->submissions);
  free (queue);
}

static void
weft_metal_make_heaps_ (WeftMetalQueue *queue)
{
  const WeftMetalFunctions *functions = &queue->device->functions;

  if (functions->heap_new == NULL || functions->heap_resolve == NULL)
    return;
  for (int i = 0; i < 2; i++)
    {
      void *heap = functions->heap_new (functions->data, queue->configuration.n_pairs * 2);

      queue->halves[i].heap = heap;
      if (heap != NULL && functions->heap_invalidate != NULL)
        functions->heap_invalidate (functions->data, heap, 0, queue->configuration.n_pairs * 2);
    }
}

WeftMetalQueue *
weft_metal_queue_new (WeftMetalDevice *device, const char *name,
                      const WeftMetalQueueConfiguration *configuration, size_t size)
{
  WeftMetalQueue *queue = (WeftMetalQueue *) calloc (1, sizeof *queue);
  WeftMetalQueueConfiguration *own;
  WeftTargetLaneInfo info;

  if (queue == NULL)
    return NULL;
  own = &queue->configuration;
  weft_metal_take_ (own, sizeof *own, configuration, size);
  own->n_pairs = own->n_pairs != 0 && own->n_pairs <= (1u << 20) ? own->n_pairs : 1024;
  own->n_submissions =
      own->n_submissions != 0 && own->n_submissions <= 65536 ? own->n_submissions : 256;
  own->calibration_interval = own->calibration_interval != 0 ? own->calibration_interval : 100;
  queue->device = device;
  queue->completed_end = &queue->completed;
  pthread_mutex_init (&queue->lock, NULL);
  queue->slots = (WeftMetalSlot_ *) calloc (2 * (size_t) own->n_pairs, sizeof *queue->slots);
  queue->submissions =
      (WeftMetalSubmission *) calloc (own->n_submissions, sizeof *queue->submissions);
  if (queue->slots == NULL || queue->submissions == NULL)
    {
      weft_metal_release_ (queue);
      return NULL;
    }
  for (uint32_t i = 0; i < own->n_submissions; i++)
    {
      queue->submissions[i].queue = queue;
      queue->submissions[i].next = queue->free_ones;
      queue->free_ones = &queue->submissions[i];
    }
  memset (&info, 0, sizeof info);
  info.name = name;
  info.kind = "metal.queue";
  info.clock = device->clock;
  queue->lane = weft_target_lane_new_full (&info, sizeof info);
  queue->refused = weft_target_metric_new (queue->lane, WEFT_TARGET_COUNTER, "metal.refused",
                                           WEFT_TARGET_UNIT_COUNT, NULL, NULL, 0);
  queue->drift = weft_target_metric_new (queue->lane, WEFT_TARGET_GAUGE, "metal.clock.drift",
                                         WEFT_TARGET_UNIT_NAMED, "ppm", NULL, 0);
  queue->error = weft_target_metric_new (queue->lane, WEFT_TARGET_GAUGE, "metal.clock.error",
                                         WEFT_TARGET_UNIT_NANOSECONDS, NULL, NULL, 0);
  weft_metal_tag_lane_ (queue);
  weft_metal_make_heaps_ (queue);
  return queue;
}

WeftTargetLane *
weft_metal_queue_get_lane (WeftMetalQueue *queue)
{
  return queue->lane;
}

void
weft_metal_queue_get_stats (WeftMetalQueue *queue, WeftMetalQueueStats *stats, size_t size)
{
  WeftMetalQueueStats now;

  pthread_mutex_lock (&queue->lock);
  now = queue->stats;
  pthread_mutex_unlock (&queue->lock);
  now.under_way = now.dispatches - now.resolved;
  for (int i = 0; i < WEFT_METAL_N_REASONS; i++)
    now.under_way -= now.unresolved[i];
  memcpy (stats, &now, size < sizeof now ? size : sizeof now);
}

/* Counts N, tells of them, and warns at the first and then ever more seldom. */
static void
weft_metal_count_ (WeftMetalQueue *queue, WeftMetalReason reason, uint64_t n, uint64_t dispatch)
{
  WeftTargetTag tag = weft_metal_text_tag_ ("reason", weft_metal_reason_get_name (reason));
  WeftTargetWarning warning;
  uint64_t before, after;

  if (n == 0)
    return;
  pthread_mutex_lock (&queue->lock);
  before = queue->stats.unresolved[reason];
  after = queue->stats.unresolved[reason] += n;
  if (queue->unresolved[reason] == NULL)
    queue->unresolved[reason] =
        weft_target_metric_new (queue->lane, WEFT_TARGET_COUNTER, "metal.unresolved",
                                WEFT_TARGET_UNIT_COUNT, NULL, &tag, 1);
  pthread_mutex_unlock (&queue->lock);
  weft_target_metric_report (queue->unresolved[reason], (double) n);
  if (before != 0 && (before ^ after) < before)
    return;
  memset (&warning, 0, sizeof warning);
  warning.lane = queue->lane;
  warning.severity = WEFT_TARGET_SEVERITY_WARNING;
  warning.code = "metal-unresolved";
  warning.message = tag.value.string;
  warning.dispatch = dispatch;
  warning.value = (double) after;
  warning.tags = &tag;
  warning.n_tags = 1;
  weft_target_warn (&warning);
}

/* If the last pair is older than INTERVAL (ns), or there are fewer than LEAST of them. */
static void
weft_metal_calibrate_if_due_ (WeftMetalQueue *queue, uint64_t interval, uint64_t least)
{
  WeftMetalDevice *device = queue->device;
  WeftMetalClockState state;
  bool due;

  if (device->functions.clock_read == NULL)
    return;
  pthread_mutex_lock (&device->lock);
  due = device->calibrations < least ||
        weft_target_to_nanoseconds (weft_target_now ()) - device->last.time >= interval;
  pthread_mutex_unlock (&device->lock);
  if (!due || !weft_metal_calibrate (device))
    return;
  weft_metal_device_get_clock (device, &state, sizeof state);
  weft_target_metric_report (queue->error, (double) state.error);
  if (state.drift != 0)
    weft_target_metric_report (queue->drift, state.drift * 1e6);
}

/* ---- Submissions and pairs ---- */

/* With the lock. */
static void
weft_metal_give_back_ (WeftMetalSubmission *submission)
{
  WeftMetalQueue *queue = submission->queue;

  submission->next = queue->free_ones;
  queue->free_ones = submission;
  queue->under_way--;
}

static bool
weft_metal_is_over_ (WeftMetalQueue *queue)
{
  return queue->closing && queue->under_way == 0;
}

static void
weft_metal_refuse_ (WeftMetalQueue *queue)
{
  WeftTargetWarning warning;
  uint64_t n;

  pthread_mutex_lock (&queue->lock);
  n = ++queue->stats.refused;
  pthread_mutex_unlock (&queue->lock);
  weft_target_metric_report (queue->refused, 1);
  if ((n & (n - 1)) != 0)
    return;
  memset (&warning, 0, sizeof warning);
  warning.lane = queue->lane;
  warning.severity = WEFT_TARGET_SEVERITY_WARNING;
  warning.code = "metal-refused";
  warning.message = "more command buffers are under way than the queue was made for";
  warning.value = (double) n;
  warning.threshold = queue->configuration.n_submissions;
  weft_target_warn (&warning);
}

WeftMetalSubmission *
weft_metal_submission_open (WeftMetalQueue *queue)
{
  WeftMetalSubmission *submission;
  WeftTargetSubmissionEvent event;

  if (queue == NULL)
    return NULL;
  weft_metal_calibrate_if_due_ (queue,
                                queue->configuration.calibration_interval * UINT64_C (1000000), 1);
  for (int i = 0; i < 2; i++)
    {
      pthread_mutex_lock (&queue->lock);
      submission = queue->free_ones;
      if (submission != NULL)
        {
          queue->free_ones = submission->next;
          queue->under_way++;
          queue->stats.submissions++;
        }
      pthread_mutex_unlock (&queue->lock);
      if (submission != NULL)
        break;
      weft_metal_resolve (queue);
    }
  if (submission == NULL)
    {
      weft_metal_refuse_ (queue);
      return NULL;
    }
  submission->id = weft_target_id_new ();
  submission->committed = submission->completed = 0;
  submission->first = submission->last = submission->n = 0;
  submission->failed = false;
  memset (&event, 0, sizeof event);
  event.lane = queue->lane;
  event.submission = submission->id;
  event.kind = WEFT_TARGET_SUBMISSION_BEGIN;
  weft_target_submission (&event);
  return submission;
}

uint64_t
weft_metal_submission_get_id (const WeftMetalSubmission *submission)
{
  return submission != NULL ? submission->id : 0;
}

/* A heap with room, with the lock; NULL if both hold what is outstanding. */
static WeftMetalHalf_ *
weft_metal_half_ (WeftMetalQueue *queue)
{
  const WeftMetalFunctions *functions = &queue->device->functions;
  WeftMetalHalf_ *half = &queue->halves[queue->current];

  if (half->used < queue->configuration.n_pairs)
    return half;
  for (uint32_t i = 1; i <= 2; i++)
    {
      uint32_t at = (queue->current + i) % 2;

      if (queue->halves[at].unsettled != 0 || queue->halves[at].heap == NULL)
        continue;
      half = &queue->halves[at];
      if (functions->heap_invalidate != NULL)
        functions->heap_invalidate (functions->data, half->heap, 0, half->used * 2);
      half->used = 0;
      queue->current = at;
      queue->stats.turns++;
      return half;
    }
  return NULL;
}

/* A pair for DISPATCH; false if there is none to be had. */
static bool
weft_metal_take_pair_ (WeftMetalSubmission *submission, WeftMetalDispatch *dispatch)
{
  WeftMetalQueue *queue = submission->queue;
  WeftMetalHalf_ *half;
  uint32_t at;

  pthread_mutex_lock (&queue->lock);
  half = weft_metal_half_ (queue);
  if (half == NULL && queue->completed != NULL)
    {
      pthread_mutex_unlock (&queue->lock);
      weft_metal_resolve (queue);
      pthread_mutex_lock (&queue->lock);
      half = weft_metal_half_ (queue);
    }
  if (half != NULL)
    {
      at = (half == &queue->halves[1] ? queue->configuration.n_pairs : 0) + half->used;
      dispatch->heap = half->heap;
      dispatch->first = half->used++ * 2;
      dispatch->pair = at;
      memcpy (dispatch->samples, half->samples, sizeof dispatch->samples);
      half->unsettled++;
      queue->slots[at].dispatch = dispatch->id;
      queue->slots[at].next = 0;
      if (submission->last != 0)
        queue->slots[submission->last - 1].next = at + 1;
      else
        submission->first = at + 1;
      submission->last = at + 1;
    }
  pthread_mutex_unlock (&queue->lock);
  return half != NULL;
}

static WeftTargetOrigin
weft_metal_origin_ (const WeftMetalQueue *queue)
{
  return queue->configuration.no_stacks ? weft_target_origin () : weft_target_origin_with_stack ();
}

static void
weft_metal_sample_ (WeftMetalQueue *queue, const WeftMetalDispatch *dispatch, void *encoder,
                    uint32_t index)
{
  const WeftMetalFunctions *functions = &queue->device->functions;

  for (uint32_t i = 0; i < queue->n_sets; i++)
    {
      WeftMetalCounterSet *set = queue->sets[i];
      bool timed = __atomic_load_n (&set->samples, __ATOMIC_RELAXED) < WEFT_METAL_TIMED_;
      uint64_t start = timed ? weft_target_now () : 0;

      if (dispatch->samples[i] == NULL)
        continue;
      functions->samples_write (functions->data, encoder, dispatch->samples[i], index);
      if (timed)
        {
          uint64_t cost =
              weft_target_to_nanoseconds (weft_target_now ()) - weft_target_to_nanoseconds (start);

          __atomic_fetch_add (&set->cost, cost, __ATOMIC_RELAXED);
          if (__atomic_fetch_add (&set->samples, 1, __ATOMIC_RELAXED) + 1 == WEFT_METAL_TIMED_)
            {
              set->state.has_overhead = true;
              set->state.overhead =
                  __atomic_load_n (&set->cost, __ATOMIC_RELAXED) / WEFT_METAL_TIMED_;
              set->state.overhead_text = WEFT_METAL_OVERHEAD_;
              weft_metal_set_state_ (set, WEFT_TARGET_PRESENT, NULL);
            }
        }
    }
}

/* Tells of the dispatch, its origin taken last. False if it is not to be recorded. */
static bool
weft_metal_reserve_ (WeftMetalSubmission *submission, const WeftMetalDispatchInfo *info,
                     WeftMetalDispatch *result)
{
  const WeftMetalArguments *arguments = info->arguments;
  uint32_t artifact = __atomic_load_n (&submission->queue->device->capture, __ATOMIC_RELAXED);
  WeftTargetDispatch dispatch;
  WeftTargetRoleOrigin origin;
  WeftTargetTag tags[8];

  memset (&dispatch, 0, sizeof dispatch);
  dispatch.lane = submission->queue->lane;
  dispatch.routine = info->shader;
  dispatch.submission = submission->id;
  dispatch.label = info->label;
  dispatch.trace = info->trace;
  dispatch.tags = info->tags;
  dispatch.n_tags = info->n_tags;
  if (arguments != NULL)
    {
      dispatch.attachments = arguments->bound;
      dispatch.n_attachments = arguments->n;
      if (arguments->omitted != 0)
        {
          size_t n = info->n_tags < 7 ? info->n_tags : 7;

          if (n > 0)
            memcpy (tags, info->tags, n * sizeof *tags);
          tags[n] = weft_metal_number_tag_ ("metal.arguments-omitted", arguments->omitted);
          dispatch.tags = tags;
          dispatch.n_tags = n + 1;
        }
    }
  if (artifact != 0)
    {
      dispatch.artifacts = &artifact;
      dispatch.n_artifacts = 1;
    }
  origin.role = WEFT_TARGET_ROLE_DISPATCH;
  origin.origin = weft_metal_origin_ (submission->queue);
  dispatch.origins = &origin;
  dispatch.n_origins = 1;
  dispatch.submitted = origin.origin.ticks;
  result->id = weft_target_reserve (&dispatch);
  return result->id != 0;
}

WeftMetalDispatch
weft_metal_dispatch_open (WeftMetalSubmission *submission, void *encoder,
                          const WeftMetalDispatchInfo *info, size_t size)
{
  WeftMetalQueue *queue = submission->queue;
  const WeftMetalFunctions *functions = &queue->device->functions;
  WeftMetalDispatchInfo full;
  WeftMetalDispatch result;

  memset (&result, 0, sizeof result);
  weft_metal_take_ (&full, sizeof full, info, size);
  if (!weft_metal_reserve_ (submission, &full, &result))
    return result;
  result.submission = submission;
  pthread_mutex_lock (&queue->lock);
  queue->stats.dispatches++;
  submission->n++;
  pthread_mutex_unlock (&queue->lock);
  if (queue->halves[0].heap == NULL || queue->halves[1].heap == NULL)
    weft_metal_count_ (queue, WEFT_METAL_NO_HEAP, 1, result.id);
  else if (!weft_metal_take_pair_ (submission, &result))
    weft_metal_count_ (queue, WEFT_METAL_NO_SLOT, 1, result.id);
  else if (encoder != NULL)
    {
      weft_metal_sample_ (queue, &result, encoder, result.first);
      if (functions->timestamp_write != NULL)
        functions->timestamp_write (functions->data, encoder, result.heap, result.first,
                                    queue->configuration.granularity);
    }
  return result;
}

void
weft_metal_dispatch_close (const WeftMetalDispatch *dispatch, void *encoder)
{
  WeftMetalQueue *queue = dispatch->submission->queue;
  const WeftMetalFunctions *functions = &queue->device->functions;

  if (functions->timestamp_write != NULL)
    functions->timestamp_write (functions->data, encoder, dispatch->heap, dispatch->first + 1,
                                queue->configuration.granularity);
  weft_metal_sample_ (queue, dispatch, encoder, dispatch->first + 1);
}

/* ---- Life of a submission ---- */

static void
weft_metal_tell_ (WeftMetalSubmission *submission, WeftTargetSubmissionKind kind,
                  WeftTargetStatus status, const WeftTargetRoleOrigin *origin,
                  const WeftTargetErrorDetail *error, const WeftTargetTag *tags, size_t n_tags)
{
  uint32_t artifact = __atomic_load_n (&submission->queue->device->capture, __ATOMIC_RELAXED);
  WeftTargetSubmissionEvent event;

  memset (&event, 0, sizeof event);
  event.lane = submission->queue->lane;
  event.submission = submission->id;
  event.kind = kind;
  event.status = status;
  event.ticks = origin->origin.ticks;
  event.error = error;
  event.origins = origin;
  event.n_origins = origin->origin.ticks != 0;
  event.tags = tags;
  event.n_tags = n_tags;
  if (kind == WEFT_TARGET_SUBMISSION_COMMIT && artifact != 0)
    {
      event.artifacts = &artifact;
      event.n_artifacts = 1;
    }
  weft_target_submission (&event);
}

void
weft_metal_commit (WeftMetalSubmission *submission)
{
  WeftTargetRoleOrigin origin;

  if (submission == NULL)
    return;
  origin.role = WEFT_TARGET_ROLE_DISPATCH;
  origin.origin = weft_metal_origin_ (submission->queue);
  submission->committed = weft_target_to_nanoseconds (weft_target_now ());
  weft_metal_tell_ (submission, WEFT_TARGET_SUBMISSION_COMMIT, WEFT_TARGET_OK, &origin, NULL, NULL,
                    0);
}

/* Gives up all pairs of SUBMISSION, which the GPU never saw. */
void
weft_metal_abandon (WeftMetalSubmission *submission)
{
  WeftTargetRoleOrigin origin;
  WeftMetalQueue *queue;
  uint64_t n = 0;
  bool over;

  if (submission == NULL)
    return;
  queue = submission->queue;
  origin.role = WEFT_TARGET_ROLE_COMPLETION;
  origin.origin = weft_target_origin ();
  weft_metal_tell_ (submission, WEFT_TARGET_SUBMISSION_COMPLETED, WEFT_TARGET_CANCELED, &origin,
                    NULL, NULL, 0);
  pthread_mutex_lock (&queue->lock);
  for (uint32_t at = submission->first; at != 0; at = queue->slots[at - 1].next, n++)
    queue->halves[(at - 1) / queue->configuration.n_pairs].unsettled--;
  pthread_mutex_unlock (&queue->lock);
  weft_metal_count_ (queue, WEFT_METAL_ABANDONED, n, 0);
  pthread_mutex_lock (&queue->lock);
  weft_metal_give_back_ (submission);
  over = weft_metal_is_over_ (queue);
  pthread_mutex_unlock (&queue->lock);
  if (over)
    weft_metal_release_ (queue);
}

static void
weft_metal_wait_ (WeftMetalQueue *queue, uint64_t id, WeftTargetRole role)
{
  if (id != 0 && weft_target_enabled ())
    weft_target_report_origin (queue->lane, role, 0, id, weft_metal_origin_ (queue));
}

void
weft_metal_wait_begin (WeftMetalQueue *queue, uint64_t id)
{
  weft_metal_wait_ (queue, id, WEFT_TARGET_ROLE_WAIT_BEGIN);
}

void
weft_metal_wait_end (WeftMetalQueue *queue, uint64_t id)
{
  weft_metal_wait_ (queue, id, WEFT_TARGET_ROLE_WAIT_END);
}

void
weft_metal_completed (WeftMetalSubmission *submission, const WeftMetalFeedback *feedback,
                      size_t size)
{
  WeftTargetRoleOrigin origin;
  WeftTargetErrorDetail error;
  WeftTargetTag tag;
  WeftMetalFeedback full;
  WeftMetalQueue *queue;
  size_t n_tags = 0;
  bool idle, resolve, over;

  if (submission == NULL)
    return;
  queue = submission->queue;
  weft_metal_take_ (&full, sizeof full, feedback, size);
  memset (&error, 0, sizeof error);
  error.name = full.error_name;
  error.message = full.error_message;
  error.cause = full.error_detail;
  origin.role = full.failed ? WEFT_TARGET_ROLE_FAULT : WEFT_TARGET_ROLE_COMPLETION;
  origin.origin = weft_target_origin ();
  memset (&tag, 0, sizeof tag);
  if (full.gpu_end > full.gpu_start && full.gpu_start > 0)
    {
      tag = weft_metal_number_tag_ ("metal.gpu-time",
                                    (uint64_t) ((full.gpu_end - full.gpu_start) * 1e9 + 0.5));
      n_tags = 1;
    }
  weft_metal_tell_ (submission,
                    full.failed ? WEFT_TARGET_SUBMISSION_FAULT : WEFT_TARGET_SUBMISSION_COMPLETED,
                    full.failed ? WEFT_TARGET_ERROR : WEFT_TARGET_OK, &origin,
                    full.failed ? &error : NULL, &tag, n_tags);
  submission->failed = full.failed;
  submission->completed = weft_target_to_nanoseconds (weft_target_now ());
  submission->next = NULL;
  pthread_mutex_lock (&queue->lock);
  *queue->completed_end = submission;
  queue->completed_end = &submission->next;
  idle = queue->under_way++ == 1; /* and stays while this function needs it */
  resolve = !queue->configuration.deferred || queue->closing;
  pthread_mutex_unlock (&queue->lock);
  /* Nothing may follow for long: the recorder needs a pair behind the last timestamps. */
  if (weft_target_enabled ())
    weft_metal_calibrate_if_due_ (
        queue, (idle ? 1 : queue->configuration.calibration_interval) * UINT64_C (1000000), 2);
  if (resolve)
    weft_metal_resolve (queue);
  pthread_mutex_lock (&queue->lock);
  queue->under_way--;
  over = weft_metal_is_over_ (queue);
  pthread_mutex_unlock (&queue->lock);
  if (over)
    weft_metal_release_ (queue);
}

/* ---- Resolving ---- */

typedef struct
{
  WeftMetalQueue *queue;
  WeftMetalSubmission *submission;
  double rate; /* ticks a nanosecond; 0: times cannot be checked */
  WeftMetalPair_ pair;
  uint64_t resolved;
  uint64_t unresolved[WEFT_METAL_N_REASONS];
  uint64_t example[WEFT_METAL_N_REASONS]; /* a dispatch of each */
  uint64_t ticks[2 * WEFT_METAL_RUN_];
  uint64_t values[WEFT_METAL_MAX_SETS][2 * WEFT_METAL_RUN_ * WEFT_METAL_MAX_COUNTERS];
  uint32_t n_values[WEFT_METAL_MAX_SETS]; /* samples of the run that were resolved */
} WeftMetalRun_;

/* Where TICKS lie, by the last pair and the rate. */
static double
weft_metal_time_ (const WeftMetalRun_ *run, uint64_t ticks)
{
  return (double) run->pair.time + (double) (int64_t) (ticks - run->pair.ticks) / run->rate;
}

/* A GPU cannot have worked for SUBMISSION before it was committed, or after it was completed. What
 * the clocks may be wrong by: the bound of the pair, and a thousandth of the way to it, as clocks
 * run apart by less.
 */
static bool
weft_metal_is_inside_ (const WeftMetalRun_ *run, uint64_t start, uint64_t end)
{
  const WeftMetalSubmission *submission = run->submission;
  double begin = weft_metal_time_ (run, start), stop = weft_metal_time_ (run, end);
  double away = (double) run->pair.time - begin;
  double slack = 2.0 * (double) run->pair.error + (away < 0 ? -away : away) / 1000 + 20000;

  if (run->rate <= 0 || submission->committed == 0)
    return true;
  return begin + slack >= (double) submission->committed &&
         stop - slack <= (double) submission->completed;
}

static WeftMetalReason
weft_metal_judge_ (const WeftMetalRun_ *run, bool read, uint64_t start, uint64_t end)
{
  if (!read || start == WEFT_METAL_NOT_WRITTEN || end == WEFT_METAL_NOT_WRITTEN)
    return run->submission->failed ? WEFT_METAL_FAULT : WEFT_METAL_UNWRITTEN;
  if (start == WEFT_METAL_ERROR_VALUE || end == WEFT_METAL_ERROR_VALUE)
    return WEFT_METAL_ERROR;
  if (end < start)
    return WEFT_METAL_REVERSED;
  return weft_metal_is_inside_ (run, start, end) ? WEFT_METAL_N_REASONS
                                                 : WEFT_METAL_OUTSIDE_SUBMISSION;
}

/* What the dispatch added, of pair AT of the run. */
static void
weft_metal_difference_ (const WeftMetalRun_ *run, uint32_t i, uint32_t at,
                        WeftTargetCounterValue *values, WeftTargetCounterSample *sample)
{
  const WeftMetalCounterSet *set = run->queue->sets[i];
  const uint64_t *before = run->values[i] + 2 * (size_t) at * set->n_counters;
  const uint64_t *after = before + set->n_counters;

  memset (sample, 0, sizeof *sample);
  sample->set = set->id;
  sample->point = WEFT_TARGET_POINT_AFTER_DISPATCH;
  sample->values = values;
  sample->n_values = set->n_counters;
  for (uint32_t j = 0; j < set->n_counters; j++)
    {
      values[j].value.u64 = after[j] - before[j];
      values[j].is_error = before[j] == WEFT_METAL_ERROR_VALUE ||
                           after[j] == WEFT_METAL_ERROR_VALUE || after[j] < before[j];
      if (values[j].is_error)
        values[j].value.u64 = 0;
    }
}

static void
weft_metal_report_ (WeftMetalRun_ *run, uint32_t at, uint64_t id)
{
  WeftTargetCounterValue values[WEFT_METAL_MAX_SETS][WEFT_METAL_MAX_COUNTERS];
  WeftTargetCounterSample samples[WEFT_METAL_MAX_SETS];
  WeftTargetDispatch dispatch;
  size_t n = 0;

  for (uint32_t i = 0; i < run->queue->n_sets; i++)
    if (run->n_values[i] >= 2 * at + 2)
      {
        weft_metal_difference_ (run, i, at, values[n], &samples[n]);
        n++;
      }
  memset (&dispatch, 0, sizeof dispatch);
  dispatch.lane = run->queue->lane;
  dispatch.id = id;
  dispatch.submission = run->submission->id;
  dispatch.start = run->ticks[2 * at];
  dispatch.end = run->ticks[2 * at + 1];
  dispatch.samples = samples;
  dispatch.n_samples = n;
  weft_target_complete (&dispatch);
  run->resolved++;
}

/* N pairs from FIRST on, which stand beside each other in one heap. */
static void
weft_metal_resolve_run_ (WeftMetalRun_ *run, uint32_t first, uint32_t n)
{
  WeftMetalQueue *queue = run->queue;
  const WeftMetalFunctions *functions = &queue->device->functions;
  WeftMetalHalf_ *half = &queue->halves[first / queue->configuration.n_pairs];
  uint32_t entry = first % queue->configuration.n_pairs * 2;
  uint32_t read = functions->heap_resolve (functions->data, half->heap, entry, 2 * n, run->ticks);

  for (uint32_t i = 0; i < queue->n_sets; i++)
    run->n_values[i] =
        half->samples[i] != NULL
            ? functions->samples_resolve (functions->data, half->samples[i], entry, 2 * n,
                                          queue->sets[i]->n_counters, run->values[i])
            : 0;
  for (uint32_t i = 0; i < n; i++)
    {
      uint64_t id = queue->slots[first + i].dispatch;
      WeftMetalReason reason =
          weft_metal_judge_ (run, read >= 2 * i + 2, run->ticks[2 * i], run->ticks[2 * i + 1]);

      if (reason == WEFT_METAL_N_REASONS)
        weft_metal_report_ (run, i, id);
      else
        {
          run->unresolved[reason]++;
          run->example[reason] = id;
        }
    }
}

static void
weft_metal_settle_ (WeftMetalRun_ *run)
{
  WeftMetalQueue *queue = run->queue;
  WeftMetalSubmission *submission = run->submission;
  const uint32_t n_pairs = queue->configuration.n_pairs;
  uint32_t at = submission->first, n, settled[2] = { 0, 0 };

  for (; at != 0; at = queue->slots[at + n - 2].next)
    {
      for (n = 1; n < WEFT_METAL_RUN_ && queue->slots[at + n - 2].next == at + n &&
                  (at + n - 1) / n_pairs == (at - 1) / n_pairs;)
        n++;
      weft_metal_resolve_run_ (run, at - 1, n);
      settled[(at - 1) / n_pairs] += n;
    }
  pthread_mutex_lock (&queue->lock);
  queue->halves[0].unsettled -= settled[0];
  queue->halves[1].unsettled -= settled[1];
  queue->stats.resolved += run->resolved;
  pthread_mutex_unlock (&queue->lock);
  for (int i = 0; i < WEFT_METAL_N_REASONS; i++)
    weft_metal_count_ (queue, (WeftMetalReason) i, run->unresolved[i], run->example[i]);
}

static WeftMetalSubmission *
weft_metal_next_completed_ (WeftMetalQueue *queue)
{
  WeftMetalSubmission *submission;

  pthread_mutex_lock (&queue->lock);
  submission = queue->completed;
  if (submission != NULL && (queue->completed = submission->next) == NULL)
    queue->completed_end = &queue->completed;
  pthread_mutex_unlock (&queue->lock);
  return submission;
}

/* What is large is made once a call, and only if there is something to resolve. */
void
weft_metal_resolve (WeftMetalQueue *queue)
{
  WeftMetalSubmission *submission;
  WeftMetalRun_ *run = NULL;
  bool over = false;

  while (!over && (submission = weft_metal_next_completed_ (queue)) != NULL)
    {
      if (run == NULL)
        run = (WeftMetalRun_ *) malloc (sizeof *run);
      if (run != NULL)
        {
          run->queue = queue;
          run->submission = submission;
          run->resolved = 0;
          memset (run->unresolved, 0, sizeof run->unresolved);
          pthread_mutex_lock (&queue->device->lock);
          run->rate = queue->device->calibrations > 0 ? weft_metal_rate_ (queue->device) : 0;
          run->pair = queue->device->last;
          pthread_mutex_unlock (&queue->device->lock);
          weft_metal_settle_ (run);
        }
      pthread_mutex_lock (&queue->lock);
      weft_metal_give_back_ (submission);
      over = weft_metal_is_over_ (queue);
      pthread_mutex_unlock (&queue->lock);
    }
  free (run);
  if (over)
    weft_metal_release_ (queue);
}

void
weft_metal_queue_free (WeftMetalQueue *queue)
{
  bool over;

  if (queue == NULL)
    return;
  weft_metal_resolve (queue);
  if (weft_target_enabled ())
    weft_metal_calibrate (queue->device);
  weft_target_lane_close (queue->lane);
  pthread_mutex_lock (&queue->lock);
  queue->closing = true;
  over = weft_metal_is_over_ (queue);
  pthread_mutex_unlock (&queue->lock);
  if (over)
    weft_metal_release_ (queue);
}

/* ---- Counter sampling ---- */

bool
weft_metal_queue_sample (WeftMetalQueue *queue, WeftMetalCounterSet *set)
{
  const WeftMetalFunctions *functions = &queue->device->functions;
  uint32_t n = queue->configuration.n_pairs * 2, at = queue->n_sets;
  bool made = at < WEFT_METAL_MAX_SETS && functions->samples_new != NULL &&
              functions->samples_resolve != NULL && functions->samples_write != NULL &&
              functions->samples_free != NULL;

  for (int i = 0; i < 2 && made; i++)
    {
      queue->halves[i].samples[at] = functions->samples_new (functions->data, set->name, n);
      made = queue->halves[i].samples[at] != NULL;
    }
  if (!made)
    {
      if (at < WEFT_METAL_MAX_SETS && queue->halves[0].samples[at] != NULL)
        functions->samples_free (functions->data, queue->halves[0].samples[at]);
      if (at < WEFT_METAL_MAX_SETS)
        queue->halves[0].samples[at] = NULL;
      weft_metal_set_state_ (
          set, functions->samples_new == NULL ? WEFT_TARGET_UNSUPPORTED : WEFT_TARGET_FAILING,
          functions->samples_new == NULL ? "this way to the device has no counter sample buffers"
                                         : "the device gave no sample buffer of that size");
      return false;
    }
  queue->sets[at] = set;
  queue->n_sets++;
  weft_metal_set_state_ (set, WEFT_TARGET_PRESENT, NULL);
  return true;
}

/* ---- Captures ---- */

static void
weft_metal_capture_warning_ (WeftMetalQueue *queue, const char *reason)
{
  WeftTargetWarning warning;

  memset (&warning, 0, sizeof warning);
  warning.lane = queue->lane;
  warning.severity = WEFT_TARGET_SEVERITY_WARNING;
  warning.code = "metal-capture";
  warning.message = reason;
  weft_target_warn (&warning);
}

uint32_t
weft_metal_capture_begin (WeftMetalDevice *device, WeftMetalQueue *queue, void *object,
                          const char *path, const char *label)
{
  const WeftMetalFunctions *functions = &device->functions;
  char reason[256] = "";
  uint32_t artifact;

  if (__atomic_load_n (&device->capture, __ATOMIC_RELAXED) != 0)
    snprintf (reason, sizeof reason, "a capture is under way already");
  else if (functions->capture_start == NULL)
    snprintf (reason, sizeof reason, "this way to the device has no captures");
  else if (functions->capture_start (functions->data, object, path, reason, sizeof reason))
    {
      artifact = weft_target_artifact_new ("metal.capture", path, label, 0);
      weft_target_artifact_link (artifact, WEFT_TARGET_OWNER_LANE,
                                 weft_target_lane_get_id (queue->lane));
      __atomic_store_n (&device->capture, artifact, __ATOMIC_RELAXED);
      return artifact;
    }
  weft_metal_capture_warning_ (queue, reason[0] != '\0' ? reason : "the capture did not start");
  return 0;
}

void
weft_metal_capture_end (WeftMetalDevice *device)
{
  if (__atomic_exchange_n (&device->capture, 0, __ATOMIC_RELAXED) != 0 &&
      device->functions.capture_stop != NULL)
    device->functions.capture_stop (device->functions.data);
}

static WeftTargetLane *
weft_metal_scopes_ (WeftMetalDevice *device)
{
  WeftTargetLane *lane;

  pthread_mutex_lock (&device->lock);
  if (device->scopes == NULL)
    device->scopes = weft_target_lane_new ("capture scopes", "metal.capture");
  lane = device->scopes;
  pthread_mutex_unlock (&device->lock);
  return lane;
}

WeftMetalScope
weft_metal_scope_begin (WeftMetalDevice *device, const char *label)
{
  WeftMetalScope scope;

  memset (&scope, 0, sizeof scope);
  if (device != NULL && weft_target_enabled ())
    {
      scope.device = device;
      scope.span =
          weft_target_span_begin (weft_metal_scopes_ (device), weft_target_routine_new (label));
    }
  return scope;
}

void
weft_metal_scope_end (WeftMetalScope scope)
{
  WeftTargetDispatch dispatch;
  uint32_t artifact;

  if (scope.device == NULL)
    return;
  artifact = __atomic_load_n (&scope.device->capture, __ATOMIC_RELAXED);
  memset (&dispatch, 0, sizeof dispatch);
  dispatch.lane = scope.span.lane;
  dispatch.routine = scope.span.routine;
  dispatch.span = &scope.span;
  dispatch.artifacts = &artifact;
  dispatch.n_artifacts = artifact != 0;
  weft_target_dispatch (&dispatch);
}
