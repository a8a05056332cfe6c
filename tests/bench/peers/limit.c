/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the machine itself allows: the stores that a span needs and nothing else, and plain loops
 * over the columns that a query needs.
 */
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#define TICKS() __rdtsc ()
#else
#define TICKS() monotonic_ns ()
#endif

#include "batches.h"

#define RING_BYTES (32u << 10)
#define N_ROWS 10000000u
#define N_NAMES 40u
#define N_TOP 100u
#define STEP 64u /* rows; divides N_ROWS */
#define BUCKET_SHIFT 6
#define N_BUCKETS 2048u /* durations stay below 2048 << BUCKET_SHIFT */

/* ---- Spans ---- */

static uint64_t ring[RING_BYTES / sizeof (uint64_t)];
static uint64_t published;
static unsigned place;

static inline void
lay_down (unsigned words, uint64_t id, uint64_t start, uint64_t end)
{
  uint64_t *record = ring + place;

  memset (record, 0, words * sizeof *record);
  record[0] = id;
  record[1] = start;
  record[2] = end;
  place = (place + words) % (RING_BYTES / sizeof (uint64_t));
  __atomic_store_n (&published, published + words, __ATOMIC_RELEASE);
}

static void
spans (unsigned n)
{
  for (unsigned i = 0; i < n; i++)
    lay_down (4, i, i, i + 50);
}

static void
spans_with_ids (unsigned n)
{
  for (unsigned i = 0; i < n; i++)
    lay_down (8, i, i, i + 50);
}

static void
pairs (unsigned n)
{
  for (unsigned i = 0; i < n; i++)
    {
      uint64_t start = TICKS ();

      lay_down (4, i, start, TICKS ());
    }
}

/* ---- Queries ---- */

static uint8_t *names;
static uint32_t *durations;
static uint64_t counts[N_NAMES], sums[N_NAMES];
static uint32_t tops[N_TOP];
static uint32_t percentiles[N_NAMES];

static void
make_rows (void)
{
  uint64_t random = 0x9e3779b97f4a7c15u;

  names = malloc (N_ROWS);
  durations = malloc (N_ROWS * sizeof *durations);
  if (names == NULL || durations == NULL)
    abort ();
  for (unsigned i = 0; i < N_ROWS; i++)
    {
      random = random * 6364136223846793005u + 1442695040888963407u;
      names[i] = (uint8_t) ((random >> 40) % N_NAMES);
      durations[i] = 100 + (uint32_t) ((random >> 33) % 100000);
    }
}

/* Four tables, so that a row does not wait for the row before it; count and sum in one word, which
 * so many rows do not overflow.
 */
static void
group_by_name (void)
{
  static uint64_t partial[4][N_NAMES];

  memset (partial, 0, sizeof partial);
  for (unsigned i = 0; i < N_ROWS; i += 4)
    for (unsigned j = 0; j < 4; j++)
      partial[j][names[i + j]] += (UINT64_C (1) << 40) + durations[i + j];
  for (unsigned i = 0; i < N_NAMES; i++)
    {
      counts[i] = sums[i] = 0;
      for (unsigned j = 0; j < 4; j++)
        {
          counts[i] += partial[j][i] >> 40;
          sums[i] += partial[j][i] & ((UINT64_C (1) << 40) - 1);
        }
    }
}

/* Tops is a heap, least first. */
static void
top_add (uint32_t duration)
{
  unsigned at = 0, child;

  if (duration <= tops[0])
    return;
  while ((child = 2 * at + 1) < N_TOP)
    {
      if (child + 1 < N_TOP && tops[child + 1] < tops[child])
        child++;
      if (tops[child] >= duration)
        break;
      tops[at] = tops[child];
      at = child;
    }
  tops[at] = duration;
}

static void
top_durations (void)
{
  memset (tops, 0, sizeof tops);
  for (unsigned i = 0; i < N_ROWS; i += STEP)
    {
      uint32_t most = 0;

      for (unsigned j = 0; j < STEP; j++)
        most = durations[i + j] > most ? durations[i + j] : most;
      if (most > tops[0])
        for (unsigned j = 0; j < STEP; j++)
          top_add (durations[i + j]);
    }
}

static int
compare_durations (const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

  return (x > y) - (x < y);
}

/* Exact, by name: a histogram finds the bucket of the rank, a second pass sorts that bucket. */
static void
percentiles_by_name (void)
{
  static uint32_t histogram[N_NAMES][N_BUCKETS];
  uint32_t bucket[N_NAMES], *found[N_NAMES], n_found[N_NAMES] = { 0 };
  uint64_t rank[N_NAMES];

  memset (histogram, 0, sizeof histogram);
  for (unsigned i = 0; i < N_ROWS; i++)
    histogram[names[i]][durations[i] >> BUCKET_SHIFT]++;
  for (unsigned i = 0; i < N_NAMES; i++)
    {
      uint64_t n = 0;

      for (unsigned j = 0; j < N_BUCKETS; j++)
        n += histogram[i][j];
      rank[i] = (n * 95 + 99) / 100 - 1;
      for (bucket[i] = 0; rank[i] >= histogram[i][bucket[i]]; bucket[i]++)
        rank[i] -= histogram[i][bucket[i]];
      found[i] = malloc (histogram[i][bucket[i]] * sizeof **found);
      if (found[i] == NULL)
        abort ();
    }
  for (unsigned i = 0; i < N_ROWS; i++)
    if (durations[i] >> BUCKET_SHIFT == bucket[names[i]])
      found[names[i]][n_found[names[i]]++] = durations[i];
  for (unsigned i = 0; i < N_NAMES; i++)
    {
      qsort (found[i], n_found[i], sizeof **found, compare_durations);
      percentiles[i] = found[i][rank[i]];
      free (found[i]);
    }
}

static void
measure_query (const char *name, void (*query) (void))
{
  double best = 1e9;

  for (unsigned i = 0; i < 5; i++)
    {
      uint64_t from = monotonic_ns ();
      double took;

      query ();
      took = (double) (monotonic_ns () - from) / 1e6;
      best = took < best ? took : best;
    }
  printf ("%s %.2f ms\n", name, best);
  fflush (stdout);
}

int
main (void)
{
  measure_batches ("limit.span-known", spans);
  measure_batches ("limit.span-ids", spans_with_ids);
  measure_batches ("limit.span-pair", pairs);
  make_rows ();
  measure_query ("limit.group-by", group_by_name);
  measure_query ("limit.top-100", top_durations);
  measure_query ("limit.p95", percentiles_by_name);
  /* Seen, so computed. */
  return sums[0] + tops[0] + percentiles[0] + published == 0;
}
