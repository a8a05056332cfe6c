/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recorder small enough to trust: a private runtime directory, a gate, a socket, and a drain that
 * keeps every record it read.
 */
#ifndef TEST_RECORDER_H
#define TEST_RECORDER_H

#include "weft-wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TEST_MAX_SEGMENTS 8

typedef struct _TestPeer TestPeer;

struct _TestPeer
{
  int socket;
  bool hello;
  bool gone;
  WeftWireMessage message;
  pid_t pid; /* by credentials */
  WeftWireRegistry *registry;
  WeftWireSegment *segments[TEST_MAX_SEGMENTS];
  int fds[TEST_MAX_SEGMENTS + 1];
  size_t n_segments;
  unsigned int wakes;
  struct
  {
    uint64_t claimed; /* records before the latest block, as its sequence says */
    uint64_t seen;
  } *writers;
  size_t n_writers;
  uint64_t n_records; /* side records not counted */
  uint8_t *bytes;     /* all records, in the order drained */
  size_t n_bytes;
  size_t room;
  bool keep; /* BYTES */
  TestPeer *next;
};

typedef struct
{
  char directory[256];
  int listener;
  WeftWireGate *gate;
  TestPeer *peers; /* newest first */
  size_t n_peers;
  bool keep;
  const char *fault; /* what a producer did wrong, or NULL */
} TestRecorder;

/* Makes the directory and says so in the environment. */
TestRecorder *test_recorder_new (void);
void test_recorder_free (TestRecorder *recorder);
void test_recorder_start (TestRecorder *recorder);
void test_recorder_start_versions (TestRecorder *recorder, unsigned int minimum,
                                   unsigned int maximum);
void test_recorder_stop (TestRecorder *recorder);
/* As if killed: the gate stays open, the socket goes. */
void test_recorder_die (TestRecorder *recorder);

/* Takes connections, messages and records. Returns the records read. */
size_t test_recorder_drain (TestRecorder *recorder);
TestPeer *test_recorder_peer (TestRecorder *recorder, pid_t pid);

/* The first record of TYPE after AFTER (NULL: of all). */
const WeftWireRecord *test_peer_find (const TestPeer *peer, unsigned int type, const void *after);
/* Records that sequences claim and nobody saw; to be asked when all is drained. */
uint64_t test_peer_gaps (const TestPeer *peer);
size_t test_peer_count (const TestPeer *peer, unsigned int type);
void test_peer_forget (TestPeer *peer);
/* The same of the side records that follow OWNER. */
const WeftWireRecord *test_side_find (const TestPeer *peer, const void *owner, unsigned int type,
                                      const void *after);
/* String INDEX of those after a fixed part of FIXED bytes; static storage, four at a time. */
const char *test_string (const void *fixed, size_t size, unsigned int index);

const WeftWireEntry *test_entry_find (const WeftWireRegistry *registry, unsigned int type,
                                      const void *after);
const char *test_entry_string (const WeftWireEntry *entry, unsigned int index);
WeftWireCell *test_cell (const WeftWireRegistry *registry, uint32_t cell);

#endif
