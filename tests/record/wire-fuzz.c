/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A hostile producer on the socket of a real `weft record`, while a well-behaved one reports beside
 * it and must lose nothing.
 *
 * WEFT_FUZZ_SECONDS (3) and WEFT_FUZZ_SEED; the seed is printed.
 */

#include "record-rig.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hand-producer.h"

#define BURST_MS 250
#define MAX_RESIDENT_KIB (700 * 1024)
#define MAX_RESIDENT_BOMB_KIB (1536 * 1024)
#define MAX_RESIDENT_SANITIZED_KIB (3 * 1024 * 1024)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static guint64 state;

/* splitmix64: the same on every machine. */
static guint64
any (void)
{
  guint64 z = (state += G_GUINT64_CONSTANT (0x9E3779B97F4A7C15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static guint
below (guint n)
{
  return (guint) (any () % n);
}

/* Numbers that break things, mostly. */
static guint64
odd_number (void)
{
  static const guint64 numbers[]
      = { 0, 1, 2, 7, 8, 63, 64, 65, 255, 256, 4095, 4096, 32767, 32768, 32769, 65535, 65536,
          G_MAXINT32, G_MAXUINT32, (guint64) G_MAXUINT32 + 1, G_MAXINT64, G_MAXUINT64,
          G_MAXUINT64 - 7 };

  switch (below (4))
    {
    case 0:
      return any ();
    case 1:
      return hand_now () + below (1000);
    default:
      return numbers[below (G_N_ELEMENTS (numbers))];
    }
}

static void
scribble (gpointer memory, gsize length, guint times)
{
  guint8 *bytes = memory;

  for (guint i = 0; i < times; i++)
    {
      guint64 value = odd_number ();
      gsize width = (gsize) 1 << below (4);
      gsize at = any () % (length - width + 1);

      memcpy (bytes + at, &value, width);
    }
}

/* ---- Descriptors that are not what they should be ---- */

static int
odd_descriptor (void)
{
  const guint all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  int fds[2];
  int fd;

  switch (below (11))
    {
    case 0:
      if (pipe (fds) != 0)
        return -1;
      close (fds[1]);
      return fds[0];
    case 1:
      return open ("/proc/self/exe", O_RDONLY);
    case 2:
      return open ("/dev/zero", O_RDWR);
    case 3:
      return open ("/tmp", O_RDONLY | O_DIRECTORY);
    case 4:
      return hand_memfd (WEFT_WIRE_SEGMENT_SIZE, 0);
    case 5:
      return hand_memfd (WEFT_WIRE_REGISTRY_SIZE, F_SEAL_SHRINK | F_SEAL_GROW);
    case 6:
      return hand_memfd (any () % (1 << 20), all);
    case 7:
      return hand_memfd (WEFT_WIRE_SEGMENT_SIZE, all | F_SEAL_WRITE);
    case 8:
      fd = memfd_create ("huge", MFD_HUGETLB | MFD_ALLOW_SEALING);
      if (fd >= 0 && ftruncate (fd, (off_t) (64 << 20)) == 0)
        fcntl (fd, F_ADD_SEALS, all);
      return fd;
    case 9:
      return socket (AF_UNIX, SOCK_STREAM, 0);
    default:
      return hand_memfd (WEFT_WIRE_SEGMENT_SIZE, all);
    }
}

static void
close_odd (int fd)
{
  if (fd >= 0)
    close (fd);
}

static void
send_odd_hello (const char *runtime)
{
  WeftWireMessage messages[4] = { { .type = WEFT_WIRE_HELLO,
                                    .major = WEFT_WIRE_MAJOR,
                                    .pid = getpid (),
                                    .runtime_id = any (),
                                    .size = WEFT_WIRE_SEGMENT_SIZE,
                                    .registry_size = WEFT_WIRE_REGISTRY_SIZE } };
  int first = odd_descriptor (), second = odd_descriptor ();
  int socket = hand_dial (runtime);

  if (below (3) == 0)
    scribble (messages, sizeof messages, 1 + below (6));
  if (socket >= 0)
    {
      hand_send (socket, messages, below (4) ? sizeof messages[0] : below (sizeof messages),
                 below (4) ? first : -1, below (4) ? second : -1);
      close (socket);
    }
  close_odd (first);
  close_odd (second);
}

/* ---- Registries ---- */

static void
add_string (guint8 **at, const guint8 *end)
{
  WeftWireString head = { below (40), below (2) };

  if (*at + 64 > end)
    return;
  if (below (8) == 0)
    head.length = (guint32) odd_number ();
  memcpy (*at, &head, sizeof head);
  for (guint i = 0; i < 40; i++)
    (*at)[sizeof head + i] = (guint8) any ();
  *at += sizeof head + ((MIN (head.length, 40) + 7) & ~7u);
}

/* An entry that is nearly right: dense id, plausible size, and something odd. */
static void
add_odd_entry (Hand *hand, guint *ids)
{
  guint64 head = hand->registry->log_head;
  guint8 buffer[1024] = { 0 };
  guint8 *at = buffer;
  WeftWireEntry *entry = (WeftWireEntry *) buffer;
  guint type = 1 + below (16);
  guint32 id;

  if (head > (1 << 20))
    return;
  entry->type = (guint16) type;
  entry->fixed = (guint16) (8 + 8 * below (6));
  for (guint i = 8; i < entry->fixed; i += 4)
    {
      guint32 value = below (3) ? below (5) : (guint32) odd_number ();

      memcpy (buffer + i, &value, sizeof value);
    }
  id = below (4) ? ++ids[type % 32] : (guint32) odd_number ();
  memcpy (buffer + 8, &id, sizeof id);
  at += entry->fixed;
  for (guint n = below (8); n > 0; n--)
    add_string (&at, buffer + sizeof buffer);
  entry->size = (guint32) (at - buffer);
  if (below (40) == 0)
    scribble (buffer, (gsize) (at - buffer), 1);
  memcpy (hand->log + head, buffer, (gsize) (at - buffer));
  __atomic_store_n (&hand->registry->log_head, head + (guint64) (at - buffer), __ATOMIC_RELEASE);
}

/* ---- Records ---- */

static gsize
odd_record (guint8 *buffer, gsize room)
{
  WeftWireRecord *record = (WeftWireRecord *) buffer;
  gsize size = 8 + 8 * (gsize) below (24);

  if (size > room)
    size = room;
  for (gsize i = 8; i < size; i += 8)
    {
      guint64 value = below (2) ? below (6) : odd_number ();

      memcpy (buffer + i, &value, sizeof value);
    }
  record->type = (guint16) (below (3) ? 1 + below (14) : 64 + below (12));
  record->words = (guint16) (size / 8);
  record->lane = below (6) ? 1 + below (2) : (guint32) odd_number ();
  if (record->type == WEFT_WIRE_STACK && size >= sizeof (WeftWireStack) && below (2))
    ((WeftWireStack *) buffer)->copied = (guint32) (size - sizeof (WeftWireStack) + below (16));
  if (below (60) == 0)
    record->words = (guint16) odd_number ();
  return size;
}

static void
write_odd_records (Hand *hand, guint n)
{
  guint8 buffer[256];

  for (guint i = 0; i < n && hand->block < 60; i++)
    {
      gsize size = odd_record (buffer, sizeof buffer);

      if (hand->cursor + size > WEFT_WIRE_BLOCK_SIZE || below (50) == 0)
        hand_full (hand);
      hand_commit (hand, buffer, size);
    }
}

/* ---- Attacks that need a peer ---- */

typedef struct
{
  Hand *hand;
  guint64 seed;
  int stop;
} Scribbler;

/* Changes memory while it is read. */
static void *
run_scribbler (void *data)
{
  Scribbler *scribbler = data;
  Hand *hand = scribbler->hand;
  guint64 seed = scribbler->seed;

  while (!__atomic_load_n (&scribbler->stop, __ATOMIC_RELAXED))
    {
      guint64 value;
      WeftWireBlock *block;

      seed = seed * G_GUINT64_CONSTANT (6364136223846793005) + 1442695040888963407u;
      value = seed >> 20;
      block = &hand->blocks[value % 64];
      switch (value >> 8 & 7)
        {
        case 0:
          __atomic_store_n (&hand->segment->free_list, seed, __ATOMIC_RELAXED);
          break;
        case 1:
          __atomic_store_n (&block->committed, (guint32) (value % 33000) & ~7u, __ATOMIC_RELAXED);
          break;
        case 2:
          __atomic_store_n (&block->state, (guint32) (value >> 16) % 5, __ATOMIC_RELAXED);
          break;
        case 3:
          __atomic_store_n (&hand->segment->fresh, (guint32) (value >> 16), __ATOMIC_RELAXED);
          break;
        case 4:
          __atomic_store_n (&block->drained, (guint32) value, __ATOMIC_RELAXED);
          break;
        case 5:
          __atomic_store_n (&hand->registry->log_head, value % 70000 & ~(guint64) 7,
                            __ATOMIC_RELAXED);
          break;
        default:
          __atomic_store_n ((guint64 *) (hand->data + (value % (64 * WEFT_WIRE_BLOCK_SIZE) & ~7ull)),
                            seed, __ATOMIC_RELAXED);
        }
    }
  return NULL;
}

static void
scribble_for (Hand *hand, guint milliseconds)
{
  Scribbler scribblers[2];
  pthread_t threads[2];

  for (guint i = 0; i < 2; i++)
    {
      scribblers[i] = (Scribbler){ hand, any (), 0 };
      pthread_create (&threads[i], NULL, run_scribbler, &scribblers[i]);
    }
  g_usleep (milliseconds * 1000);
  for (guint i = 0; i < 2; i++)
    {
      __atomic_store_n (&scribblers[i].stop, 1, __ATOMIC_RELAXED);
      pthread_join (threads[i], NULL);
    }
}

static void
odd_descriptors_of_blocks (Hand *hand)
{
  guint n = below (200);

  hand->segment->fresh = (guint32) (below (2) ? n : odd_number ());
  for (guint i = 0; i < n; i++)
    {
      WeftWireBlock *block = &hand->blocks[below (WEFT_WIRE_SEGMENT_BLOCKS)];

      block->writer = below (3) ? 1 : (guint32) odd_number ();
      block->sequence = odd_number ();
      block->drained = (guint32) odd_number ();
      __atomic_store_n (&block->committed, (guint32) odd_number (), __ATOMIC_RELEASE);
      __atomic_store_n (&block->state, below (4), __ATOMIC_RELEASE);
    }
}

static void
send_odd_messages (Hand *hand)
{
  for (guint i = 0; i < 12; i++)
    {
      WeftWireMessage message = hand->hello;
      int fd = below (2) ? odd_descriptor () : -1;

      message.type = (guint16) (below (2) ? WEFT_WIRE_WAKE : 1 + below (4));
      if (fcntl (hand->socket, F_GETFL) < 0
          || !hand_send (hand->socket, &message, sizeof message, fd, -1))
        i = 12;
      close_odd (fd);
    }
}

static void
add_right_segments (Hand *hand)
{
  WeftWireMessage message = hand->hello;

  message.type = WEFT_WIRE_ADD_SEGMENT;
  for (guint i = 0; i < 10; i++)
    if (!hand_send (hand->socket, &message, sizeof message, hand->segment_fd, -1))
      return;
}

static void
attack_with_peer (const char *runtime)
{
  Hand *hand = hand_new ();
  guint ids[32] = { 0 };

  hand->hello.instance = hand->registry->instance = (guint16) below (6);
  if (below (2) == 0)
    hand->registry->clock = (guint16) below (5);
  hand_writer (hand, 1, (int) getpid ());
  ids[WEFT_WIRE_ENTRY_WRITER] = 1;
  hand_lane (hand, 1, "hostile", below (3));
  hand_lane (hand, 2, "hostile too", 2);
  ids[WEFT_WIRE_ENTRY_LANE] = 2;
  hand_routine (hand, 1, "attack");
  ids[WEFT_WIRE_ENTRY_ROUTINE] = 1;
  hand_clock (hand, 2);
  ids[WEFT_WIRE_ENTRY_CLOCK] = 2;
  for (guint n = below (200); n > 0; n--)
    add_odd_entry (hand, ids);
  if (below (6) == 0)
    scribble (hand->registry, sizeof *hand->registry, 1 + below (4));
  if (below (6) == 0)
    scribble (hand->segment, sizeof *hand->segment, 1 + below (4));
  if (below (2))
    write_odd_records (hand, below (400));

  if (hand_connect (hand, runtime))
    {
      if (below (2))
        write_odd_records (hand, below (400));
      switch (below (6))
        {
        case 0:
          odd_descriptors_of_blocks (hand);
          break;
        case 1:
          scribble_for (hand, 20);
          break;
        case 2:
          send_odd_messages (hand);
          break;
        case 3:
          add_right_segments (hand);
          break;
        case 4:
          hand->registry->log_head -= below (64) * 8;
          break;
        default:
          for (guint n = below (300); n > 0; n--)
            add_odd_entry (hand, ids);
        }
      g_usleep (below (15000));
    }
  hand_free (hand);
}

/* ---- Floods ---- */

static void
flood (const char *runtime)
{
  int sockets[256];
  guint n = 0;

  for (; n < G_N_ELEMENTS (sockets); n++)
    {
      WeftWireMessage message = { .type = WEFT_WIRE_WAKE, .major = WEFT_WIRE_MAJOR };

      sockets[n] = hand_dial (runtime);
      if (sockets[n] < 0)
        break;
      if (below (3) == 0)
        hand_send (sockets[n], &message, below (sizeof message) + 1, -1, -1);
    }
  while (n > 0)
    close (sockets[--n]);
}

static void
burst (const char *runtime)
{
  gint64 end = g_get_monotonic_time () + BURST_MS * 1000;

  while (g_get_monotonic_time () < end)
    switch (below (8))
      {
      case 0:
        flood (runtime);
        break;
      case 1:
      case 2:
        send_odd_hello (runtime);
        break;
      default:
        attack_with_peer (runtime);
      }
}

/* Each burst in a process of its own, some of which are killed in the middle. */
static int
be_hostile (const char *runtime, guint64 seed, double seconds)
{
  gint64 end = g_get_monotonic_time () + (gint64) (seconds * 1e6);

  signal (SIGPIPE, SIG_IGN);
  for (guint i = 0; g_get_monotonic_time () < end; i++)
    {
      pid_t pid = fork ();
      int status;

      if (pid == 0)
        {
          prctl (PR_SET_PDEATHSIG, SIGKILL);
          state = seed + i;
          burst (runtime);
          _exit (0);
        }
      if (i % 4 == 3)
        {
          g_usleep (BURST_MS * 300);
          kill (pid, SIGKILL);
        }
      waitpid (pid, &status, 0);
      if (WIFSIGNALED (status) && WTERMSIG (status) != SIGKILL)
        return 1;
    }
  return 0;
}

/* ---- Bombs: as much as memory can hold, all of it well-formed and new ---- */

#define BOMB_RUNTIMES 6

static void
fill_log (Hand *hand, guint64 *serial)
{
  char name[241];

  for (guint id = 1; hand->registry->log_head < (60 << 20); id++)
    {
      memset (name, 'a', sizeof name - 1);
      g_snprintf (name, 24, "%020" G_GUINT64_FORMAT, (*serial)++);
      name[20] = 'x';
      name[21] = name[22] = name[23] = 'y';
      name[sizeof name - 1] = '\0';
      hand_routine (hand, id, name);
    }
}

/* One half a reservation each, with a thread nobody knows; the other half spans. */
static void
fill_segment (Hand *hand, guint64 *serial)
{
  while (hand->block + 1 < WEFT_WIRE_SEGMENT_BLOCKS)
    {
      guint64 now = hand_now ();
      WeftWireDispatch d = { { WEFT_WIRE_RESERVE, sizeof d / 8, 1 }, now, now, 1 };
      WeftWireOrigin origin = { { WEFT_WIRE_ORIGIN_EVENT, sizeof origin / 8, 1 } };

      d.id = origin.submission = ++*serial;
      d.trace = *serial;
      origin.ticks = now;
      origin.tid = (gint32) (*serial % G_MAXINT32);
      if (hand->cursor + sizeof d + sizeof origin > WEFT_WIRE_BLOCK_SIZE)
        hand_full (hand);
      hand_commit (hand, &d, sizeof d);
      hand_commit (hand, &origin, sizeof origin);
    }
}

static int
be_a_bomb (const char *runtime, guint64 seed)
{
  Hand *hands[BOMB_RUNTIMES];
  guint64 serial = seed;

  signal (SIGPIPE, SIG_IGN);
  for (guint i = 0; i < BOMB_RUNTIMES; i++)
    {
      hands[i] = hand_new ();
      hand_writer (hands[i], 1, (int) getpid ());
      hand_lane (hands[i], 1, "bomb", WEFT_WIRE_CLOCK_ID_RUNTIME);
      fill_log (hands[i], &serial);
      fill_segment (hands[i], &serial);
      if (!hand_connect (hands[i], runtime))
        return 1;
    }
  g_usleep (2000000);
  for (guint i = 0; i < BOMB_RUNTIMES; i++)
    hand_free (hands[i]);
  return 0;
}

/* ---- The test ---- */

static guint64
status_number (int pid, const char *key)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);
  g_autofree char *text = NULL;
  const char *at;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  at = strstr (text, key);
  return at ? g_ascii_strtoull (at + strlen (key), NULL, 10) : 0;
}

static gboolean
has_socket (gpointer path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static gboolean
is_idle (gpointer data)
{
  return FALSE;
}

static char *self_path;

static void
attack (const char *how, guint64 limit)
{
  const char *given = g_getenv ("WEFT_FUZZ_SECONDS"), *seed = g_getenv ("WEFT_FUZZ_SEED");
  g_autofree char *seconds = g_strdup (given ? given : "3");
  g_autofree char *seed_text
      = seed ? g_strdup (seed) : g_strdup_printf ("%" G_GINT64_FORMAT, g_get_real_time ());
  g_autofree char *folder = rig_make_folder ();
  g_autofree char *runtime = g_build_filename (folder, "run", NULL);
  g_autofree char *socket = g_build_filename (runtime, WEFT_WIRE_SOCKET_NAME, NULL);
  g_autofree char *file = g_build_filename (folder, "fuzz.weft", NULL);
  g_autofree char *output = NULL;
  char *record[] = { (char *) rig_weft (), (char *) "record", (char *) "-q", (char *) "-o", file,
                     NULL };
  char *hostile[] = { self_path, (char *) how, runtime, seed_text, seconds, NULL };
  RigProgram *recorder, *good, *bad;
  guint64 resident;

  printf ("# seed %s, %s seconds\n", seed_text, seconds);
  recorder = rig_spawn (runtime, record);
  g_assert_true (rig_until (has_socket, socket, 20));
  good = rig_produce (runtime, "threads=2 spans=-1 dispatches=100 rate=1500 full=1 wait=1 sleep=0");
  rig_until (is_idle, NULL, 0.2);
  bad = rig_spawn (runtime, hostile);
  g_assert_cmpint (rig_wait (bad, NULL, NULL), ==, 0);

  resident = status_number (recorder->pid, "VmHWM:");
  kill (good->pid, SIGTERM);
  g_assert_cmpint (rig_wait (good, &output, NULL), ==, 0);
  kill (recorder->pid, SIGINT);
  g_assert_cmpint (rig_wait (recorder, NULL, NULL), ==, 0);
  g_test_message ("the recorder's memory: at most %" G_GUINT64_FORMAT " MiB", resident / 1024);
  g_assert_cmpuint (resident, <, SANITIZED ? MAX_RESIDENT_SANITIZED_KIB : limit);
  {
    g_autoptr (GError) error = NULL;
    g_autoptr (WeftStore) store = weft_store_open (file, &error);
    WeftStoreReport report = { 0 };
    guint64 n, size;

    g_assert_no_error (error);
    n = weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES);
    size = weft_store_get_file_size (store);
    rig_check_conservation (store);
    rig_check_lanes (store, output);
    g_assert_cmpuint (rig_number (output, "dropped"), ==, 0);
    weft_store_verify (store, &report, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (report.damaged_chunks, ==, 0);
    g_test_message ("%" G_GUINT64_FORMAT " dispatches, %" G_GUINT64_FORMAT
                    " malformed, %" G_GUINT64_FORMAT " runtimes, file of %" G_GUINT64_FORMAT " KiB",
                    n, rig_loss (store, "malformed"),
                    weft_store_get_n_rows (store, WEFT_TABLE_RUNTIMES), size / 1024);
  }
  rig_remove_folder (g_steal_pointer (&folder));
}

static void
test_hostile (void)
{
  attack ("--hostile", MAX_RESIDENT_KIB);
}

static void
test_bomb (void)
{
  attack ("--bomb", MAX_RESIDENT_BOMB_KIB);
}

int
main (int argc, char **argv)
{
  if (argc == 5 && strcmp (argv[1], "--bomb") == 0)
    return be_a_bomb (argv[2], g_ascii_strtoull (argv[3], NULL, 10));
  if (argc == 5 && strcmp (argv[1], "--hostile") == 0)
    return be_hostile (argv[2], g_ascii_strtoull (argv[3], NULL, 10), g_ascii_strtod (argv[4], NULL));
  self_path = g_file_read_link ("/proc/self/exe", NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire-fuzz/hostile", test_hostile);
  g_test_add_func ("/wire-fuzz/bomb", test_bomb);
  return g_test_run ();
}
