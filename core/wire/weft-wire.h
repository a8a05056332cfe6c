/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layout shared by producers and recorders: the gate, the registry, the segment and the
 * records in them. docs/wire-format.md tells the protocol; this file is its letter.
 *
 * Everything is little-endian and 8-byte aligned. A field marked "atomic" is read and written with
 * the compiler's atomic built-ins, so that the header serves C and C++ alike. Nothing here
 * allocates or runs.
 *
 * Compatibility: the minor version grows when records or trailing fields are added; a reader skips
 * unknown record types by their length and reads a shorter fixed part as if zero-filled. The major
 * version grows when the meaning of something existing changes; recorders read all older majors.
 */
#ifndef WEFT_WIRE_H
#define WEFT_WIRE_H

#include <stdint.h>

#ifdef __cplusplus
#define WEFT_WIRE_ASSERT(condition, text) static_assert (condition, text)
#else
#define WEFT_WIRE_ASSERT(condition, text) _Static_assert (condition, text)
#endif

#define WEFT_WIRE_MAJOR 1
#define WEFT_WIRE_MINOR 2 /* 1: WEFT_WIRE_ENTRY_LANE_CLOSE; 2: WEFT_WIRE_HANDOVER */

/* ---- Rendezvous: a runtime directory holds these names ---- */

#define WEFT_WIRE_GATE_NAME "gate"
#define WEFT_WIRE_SOCKET_NAME "recorder.sock"
#define WEFT_WIRE_GATE_MAGIC UINT64_C (0x3145544147544657)    /* "WFTGATE1" */
#define WEFT_WIRE_REGISTRY_MAGIC UINT64_C (0x3153474552544657) /* "WFTREGS1" */
#define WEFT_WIRE_SEGMENT_MAGIC UINT64_C (0x314D474553544657)  /* "WFTSEGM1" */

/* One page, created by whoever comes first, never removed or shrunk while its directory lives. */
typedef struct
{
  uint64_t magic;
  uint32_t active;      /* atomic: generation of the recorder that listens, 0 if none */
  uint32_t generation;  /* atomic: last generation given out */
  uint16_t major_min;   /* majors that the active recorder reads */
  uint16_t major_max;
  uint32_t recorder_pid;
} WeftWireGate;

#define WEFT_WIRE_GATE_SIZE 4096

/* ---- Hello: what a producer sends over SOCK_SEQPACKET, with descriptors ---- */

enum
{
  WEFT_WIRE_HELLO = 1,       /* descriptors: registry, first segment */
  WEFT_WIRE_ADD_SEGMENT = 2, /* descriptor: a further segment */
  WEFT_WIRE_WAKE = 3,        /* half of the blocks are in use */
};

typedef struct
{
  uint16_t type;
  uint16_t major;
  uint16_t minor;
  uint16_t instance;     /* which copy of the library in this process, from 0 */
  uint32_t generation;   /* the gate generation that this answers */
  int32_t pid;           /* in the producer's own namespace; credentials come from the socket */
  uint64_t runtime_id;   /* same value in registry and segments */
  uint64_t size;         /* exact bytes of the (first) segment */
  uint64_t registry_size; /* exact bytes of the registry */
} WeftWireMessage;

WEFT_WIRE_ASSERT (sizeof (WeftWireMessage) == 40, "wire layout");

/* ---- Registry: one memfd a process; header, cells, log ---- */

enum
{
  WEFT_WIRE_CLOCK_MONOTONIC = 1, /* CLOCK_MONOTONIC, nanoseconds */
  WEFT_WIRE_CLOCK_TSC = 2,       /* the processor's counter, as the kernel's clocksource */
  WEFT_WIRE_CLOCK_DEVICE = 3,    /* registered; known through calibration pairs */
  WEFT_WIRE_CLOCK_INJECTED = 4,  /* given by the host, for tests */
};

/* Clock ids: 0 is the runtime's own clock, 1 is CLOCK_MONOTONIC ns, 2 and up are registered. */
#define WEFT_WIRE_CLOCK_ID_RUNTIME 0
#define WEFT_WIRE_CLOCK_ID_MONOTONIC 1

enum
{
  WEFT_WIRE_STAT_QUEUED,          /* records written to a segment */
  WEFT_WIRE_STAT_DROPPED,         /* records not written, all reasons */
  WEFT_WIRE_STAT_DISCONNECTED,    /* of those: a recorder was announced but not reachable */
  WEFT_WIRE_STAT_DISABLED,        /* calls refused as the runtime or a counter set is disabled */
  WEFT_WIRE_STAT_UNSUPPORTED,     /* calls for what this system cannot do */
  WEFT_WIRE_STAT_SCHEMA_MISMATCH, /* recorders refused, or refusing, for their version */
  WEFT_WIRE_STAT_LISTENER_ERRORS,
  WEFT_WIRE_STAT_STACKS_SKIPPED,  /* stacks not copied: over the budget of 20,000/s, or no room */
  WEFT_WIRE_STAT_REGISTRY_FULL,   /* registrations refused */
  WEFT_WIRE_STAT_TRUNCATED,       /* strings and lists cut to their caps */
  WEFT_WIRE_STAT_CONNECTIONS,     /* recorders reached, all in all */
  WEFT_WIRE_N_STATS = 16
};

typedef struct
{
  uint64_t magic;
  uint16_t major;
  uint16_t minor;
  uint32_t header_size;
  uint64_t size;
  uint64_t runtime_id;
  int32_t pid;
  uint16_t instance;
  uint16_t clock;          /* WEFT_WIRE_CLOCK_MONOTONIC or _TSC */
  uint64_t start_ticks;    /* runtime clock when made … */
  uint64_t start_monotonic; /* … and CLOCK_MONOTONIC ns */
  uint32_t cells_offset;   /* bytes from the start of the file */
  uint32_t n_cells;
  uint64_t log_offset;
  uint64_t log_head;       /* atomic: bytes of the log published */
  uint32_t cells_used;     /* atomic */
  uint32_t reserved;
  uint64_t stats[WEFT_WIRE_N_STATS]; /* atomic; see docs/wire-format.md for who writes which */
  char name[64];           /* of the program, nul-terminated */
} WeftWireRegistry;

WEFT_WIRE_ASSERT (sizeof (WeftWireRegistry) == 88 + 128 + 64, "wire layout");

#define WEFT_WIRE_REGISTRY_HEADER 4096
#define WEFT_WIRE_REGISTRY_CELLS 65536
#define WEFT_WIRE_REGISTRY_SIZE (UINT64_C (64) << 20) /* sparse: only what is touched costs */

/* Why a record that a lane should have got was not written. */
enum
{
  WEFT_WIRE_DROP_NO_ROOM,      /* every block is full: the recorder is too slow */
  WEFT_WIRE_DROP_REENTRANT,    /* called from a signal handler inside a call of ours */
  WEFT_WIRE_DROP_DISCONNECTED, /* the recorder went away, or cannot be reached */
  WEFT_WIRE_DROP_TOO_LARGE,    /* does not fit into a block */
  WEFT_WIRE_DROP_INVALID,      /* the call's arguments make no record */
  WEFT_WIRE_DROP_SAMPLED_OUT,  /* by decision; not a loss */
  WEFT_WIRE_N_DROPS
};

/* A cell of 64 bytes. A lane's counts the spans, dispatches and reservations that it did not get; a
 * gauge's holds its last value.
 */
typedef union
{
  uint64_t drops[8]; /* atomic; indexed by WEFT_WIRE_DROP_… */
  struct
  {
    uint64_t bits;   /* atomic: double */
    uint64_t ticks;  /* atomic: runtime clock when set; 0 if never */
    uint64_t count;  /* atomic: times set */
  } gauge;
} WeftWireCell;

WEFT_WIRE_ASSERT (sizeof (WeftWireCell) == 64, "wire layout");

/* Head of a log entry. FIXED is the size of head and fixed part; strings follow it, in the order
 * of the entry's comment, each as WeftWireString and its bytes, padded to 8.
 */
typedef struct
{
  uint16_t type;
  uint16_t fixed;
  uint32_t size; /* of the whole entry; multiple of 8 */
} WeftWireEntry;

typedef struct
{
  uint32_t length; /* bytes, without padding or nul */
  uint32_t flags;  /* WEFT_WIRE_STRING_CUT */
} WeftWireString;

#define WEFT_WIRE_STRING_CUT 1u

enum
{
  WEFT_WIRE_ENTRY_WRITER = 1,
  WEFT_WIRE_ENTRY_LANE = 2,
  WEFT_WIRE_ENTRY_QUEUE = 3,
  WEFT_WIRE_ENTRY_ROUTINE = 4,
  WEFT_WIRE_ENTRY_SOURCE = 5,
  WEFT_WIRE_ENTRY_SOURCE_RANGE = 6,
  WEFT_WIRE_ENTRY_COUNTER_SET = 7,
  WEFT_WIRE_ENTRY_COUNTER_STATE = 8,
  WEFT_WIRE_ENTRY_METRIC = 9,
  WEFT_WIRE_ENTRY_CLOCK = 10,
  WEFT_WIRE_ENTRY_ARTIFACT = 11,
  WEFT_WIRE_ENTRY_ARTIFACT_LINK = 12,
  WEFT_WIRE_ENTRY_TAG = 13,
  WEFT_WIRE_ENTRY_SOURCE_LINES = 14,
  WEFT_WIRE_ENTRY_LANE_CLOSE = 15,
};

/* Strings: thread name. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t id; /* from 1, dense */
  int32_t tid; /* in the producer's namespace */
  uint64_t ticks;
} WeftWireWriterEntry;

/* Strings: name, kind. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t id; /* from 1, dense */
  uint32_t cell;
  uint32_t clock;
  uint32_t parent; /* lane id or 0 */
} WeftWireLaneEntry;

/* No strings. The lane has come to its end: what is reported on it later is still valid. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t lane;
  uint32_t reserved;
  uint64_t ticks; /* runtime clock */
} WeftWireLaneCloseEntry;

/* Strings: name. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t id;
  uint32_t lane;
} WeftWireQueueEntry;

/* Strings: name, label, flavour. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t id;
  uint32_t source;
  uint32_t first_line;
  uint32_t last_line;
} WeftWireRoutineEntry;

/* Strings: language, path, hash, flavour, build flags, text. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t id;
  uint32_t reserved;
} WeftWireSourceEntry;

/* No strings; N_LINES elements of WeftWireLine follow. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t source;
  uint32_t n_lines;
} WeftWireSourceLinesEntry;

typedef struct
{
  uint64_t offset;
  uint32_t line;
  uint32_t column;
} WeftWireLine;

/* No strings. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t source;
  uint32_t routine;
  uint32_t first_line;
  uint32_t last_line;
} WeftWireSourceRangeEntry;

enum
{
  WEFT_WIRE_UNIT_NONE,
  WEFT_WIRE_UNIT_TICKS,
  WEFT_WIRE_UNIT_CYCLES,
  WEFT_WIRE_UNIT_INVOCATIONS,
  WEFT_WIRE_UNIT_BYTES,
  WEFT_WIRE_UNIT_PERCENT,
  WEFT_WIRE_UNIT_COUNT,
  WEFT_WIRE_UNIT_NANOSECONDS,
  WEFT_WIRE_UNIT_NAMED,
};

enum
{
  WEFT_WIRE_KIND_COUNTER,
  WEFT_WIRE_KIND_GAUGE,
  WEFT_WIRE_KIND_HISTOGRAM,
};

enum
{
  WEFT_WIRE_AGGREGATE_SUM,
  WEFT_WIRE_AGGREGATE_MEAN,
  WEFT_WIRE_AGGREGATE_MIN,
  WEFT_WIRE_AGGREGATE_MAX,
  WEFT_WIRE_AGGREGATE_LAST,
};

enum
{
  WEFT_WIRE_VALUE_U64,
  WEFT_WIRE_VALUE_I64,
  WEFT_WIRE_VALUE_F64,
  WEFT_WIRE_VALUE_BOOL,
  WEFT_WIRE_VALUE_STRING,
};

enum
{
  WEFT_WIRE_PRESENT,
  WEFT_WIRE_DISABLED,
  WEFT_WIRE_UNSUPPORTED,
  WEFT_WIRE_FAILING,
};

/* Strings: name; then per counter: name, unit name. N_COUNTERS elements of WeftWireCounter stand
 * between the fixed part and the strings.
 */
typedef struct
{
  WeftWireEntry entry;
  uint32_t id;
  uint32_t n_counters;
} WeftWireCounterSetEntry;

typedef struct
{
  uint8_t unit;
  uint8_t kind;
  uint8_t aggregation;
  uint8_t value_type; /* U64, I64 or F64 */
  uint32_t reserved;
} WeftWireCounter;

/* Strings: reason, probe result, overhead in words. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t set;
  uint32_t availability;
  uint64_t overhead; /* ns a sample; UINT64_MAX if not stated */
  uint64_t ticks;
} WeftWireCounterStateEntry;

/* Strings: name, unit name. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t id;
  uint32_t lane;
  uint32_t cell; /* of gauges; UINT32_MAX otherwise */
  uint8_t kind;
  uint8_t unit;
  uint16_t reserved;
} WeftWireMetricEntry;

/* Strings: name. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t id; /* from 2 */
  uint32_t reserved;
  double frequency; /* ticks a second as the device says; 0 if unknown */
} WeftWireClockEntry;

/* Strings: kind, path, label. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t id;
  uint32_t reserved;
  uint64_t size; /* bytes; UINT64_MAX if unknown */
} WeftWireArtifactEntry;

/* What a tag or link belongs to. */
enum
{
  WEFT_WIRE_OWNER_RUNTIME,
  WEFT_WIRE_OWNER_LANE,
  WEFT_WIRE_OWNER_QUEUE,
  WEFT_WIRE_OWNER_ROUTINE,
  WEFT_WIRE_OWNER_SOURCE,
  WEFT_WIRE_OWNER_SUBMISSION,
  WEFT_WIRE_OWNER_DISPATCH,
  WEFT_WIRE_OWNER_TRACE,
  WEFT_WIRE_OWNER_METRIC,
  WEFT_WIRE_OWNER_METRIC_POINT,
  WEFT_WIRE_OWNER_WARNING,
  WEFT_WIRE_OWNER_ATTACHMENT,
  WEFT_WIRE_N_OWNERS
};

/* No strings. Links to submissions and dispatches travel in the segment. */
typedef struct
{
  WeftWireEntry entry;
  uint32_t artifact;
  uint32_t owner_kind;
  uint64_t owner;
} WeftWireArtifactLinkEntry;

/* Strings: key, text (of a string value). */
typedef struct
{
  WeftWireEntry entry;
  uint32_t owner_kind;
  uint32_t type; /* WEFT_WIRE_VALUE_… */
  uint64_t owner;
  uint64_t bits;
} WeftWireTagEntry;

/* ---- Segment: blocks of records, one writer each ---- */

#define WEFT_WIRE_BLOCK_SIZE 32768u
#define WEFT_WIRE_SEGMENT_BLOCKS 1024u /* 32 MiB of room */
#define WEFT_WIRE_MAX_SEGMENTS 8u      /* of one runtime with a recorder; a spool may have more */

enum
{
  WEFT_WIRE_BLOCK_FREE,
  WEFT_WIRE_BLOCK_OWNED, /* a writer fills it */
  WEFT_WIRE_BLOCK_FULL,  /* handed over; its writer never touches it again */
};

/* Descriptors stand together, apart from the blocks, so that a drain reads few lines. */
typedef struct
{
  uint32_t state;     /* atomic */
  uint32_t committed; /* atomic: bytes of whole records from the block's start */
  uint32_t writer;    /* id in the registry; written before the state becomes OWNED */
  uint32_t next;      /* atomic: free list: index + 1 of the next free block, 0 at the end */
  uint64_t sequence;  /* records that this writer committed before this block */
  uint64_t pair_ticks; /* spools: a clock pair taken when the block was taken; else 0 */
  uint64_t pair_monotonic;
  uint32_t drained;   /* the recorder's: bytes already taken, for a successor */
  uint32_t reserved[5];
} WeftWireBlock;

WEFT_WIRE_ASSERT (sizeof (WeftWireBlock) == 64, "wire layout");

typedef struct
{
  uint64_t magic;
  uint16_t major;
  uint16_t minor;
  uint32_t header_size;
  uint64_t size;
  uint64_t runtime_id;
  uint32_t index; /* of the segment in its runtime, from 0 */
  uint32_t block_size;
  uint32_t n_blocks;
  uint32_t descriptors_offset;
  uint64_t blocks_offset;
  uint64_t reserved0[1];
  /* A line of its own: producers and recorder both write it. */
  uint64_t free_list;  /* atomic: tag << 32 | index + 1 of the first free block; 0 index: empty */
  uint32_t fresh;      /* atomic: blocks below were used at least once */
  uint32_t wake;       /* atomic: 1 once woken; the recorder sets it back */
  uint64_t sent;       /* atomic: records that recorders took */
  uint64_t reserved1[5];
} WeftWireSegment;

WEFT_WIRE_ASSERT (sizeof (WeftWireSegment) == 128, "wire layout");

#define WEFT_WIRE_SEGMENT_HEADER 4096u
#define WEFT_WIRE_SEGMENT_SIZE                                                                     \
  (WEFT_WIRE_SEGMENT_HEADER + (uint64_t) WEFT_WIRE_SEGMENT_BLOCKS * sizeof (WeftWireBlock)         \
   + (uint64_t) WEFT_WIRE_SEGMENT_BLOCKS * WEFT_WIRE_BLOCK_SIZE)

/* A spool file: the registry at 0, segment i at WEFT_WIRE_REGISTRY_SIZE + i × SEGMENT_SIZE. */

/* ---- Records ---- */

/* Head of every record. A side record (type >= WEFT_WIRE_SIDE) belongs to the record before it and
 * was committed together with it; its LANE is 0.
 */
typedef struct
{
  uint16_t type;
  uint16_t words; /* of 8 bytes, head included */
  uint32_t lane;
} WeftWireRecord;

#define WEFT_WIRE_SIDE 64

enum
{
  WEFT_WIRE_SPAN = 1,
  WEFT_WIRE_DISPATCH = 2,
  WEFT_WIRE_RESERVE = 3,          /* WeftWireDispatch: START is the time of submission */
  WEFT_WIRE_COMPLETE = 4,         /* WeftWireDispatch: joins the reservation of the same id */
  WEFT_WIRE_SUBMISSION_EVENT = 5,
  WEFT_WIRE_ORIGIN_EVENT = 6,     /* a wait, completion or fault told on its own */
  WEFT_WIRE_METRIC_POINT = 7,
  WEFT_WIRE_WARNING = 8,
  WEFT_WIRE_TRACE_BEGIN = 9,
  WEFT_WIRE_TRACE_END = 10,
  WEFT_WIRE_CLOCK_PAIR = 11,
  WEFT_WIRE_STACK = 12,
  WEFT_WIRE_COUNTER_EVENT = 13,   /* counter samples told on their own */
  WEFT_WIRE_HANDOVER = 14,        /* what threads wait for changes hands */

  WEFT_WIRE_SIDE_TIMES = WEFT_WIRE_SIDE,
  WEFT_WIRE_SIDE_LABEL,
  WEFT_WIRE_SIDE_SOURCE,
  WEFT_WIRE_SIDE_PHASE,
  WEFT_WIRE_SIDE_ERROR,
  WEFT_WIRE_SIDE_ORIGIN,
  WEFT_WIRE_SIDE_ATTACHMENT,
  WEFT_WIRE_SIDE_RANGE,           /* of the attachment before it */
  WEFT_WIRE_SIDE_COUNTERS,
  WEFT_WIRE_SIDE_TAG,
  WEFT_WIRE_SIDE_ARTIFACT,
};

/* START and END are ticks of the lane's clock. DEPTH is the nesting of scoped spans on their
 * thread, from 1; 0 means that no scope is known (times given, ended on another thread).
 */
typedef struct
{
  WeftWireRecord record;
  uint64_t start;
  uint64_t end;
  uint32_t routine;
  uint16_t depth;
  uint16_t flags; /* WEFT_WIRE_FLAG_… */
} WeftWireSpan;

WEFT_WIRE_ASSERT (sizeof (WeftWireSpan) == 32, "wire layout");

#define WEFT_WIRE_FLAG_CLOCK 1u /* WeftWireDispatch.clock overrides the lane's clock */
#define WEFT_WIRE_FLAG_CUT 2u   /* a list of this record was cut to its cap */

enum
{
  WEFT_WIRE_STATUS_OK,
  WEFT_WIRE_STATUS_ERROR,
  WEFT_WIRE_STATUS_CANCELED,
};

enum
{
  WEFT_WIRE_ERROR_NONE,
  WEFT_WIRE_ERROR_ABORT,
  WEFT_WIRE_ERROR_QUEUE,
  WEFT_WIRE_ERROR_CRASH,
  WEFT_WIRE_ERROR_EXCEPTION,
  WEFT_WIRE_ERROR_FAULT,
  WEFT_WIRE_ERROR_TIMEOUT,
};

typedef struct
{
  WeftWireRecord record;
  uint64_t start;
  uint64_t end;
  uint32_t routine;
  uint16_t depth;
  uint16_t flags;
  uint64_t id;         /* process-wide unique; 0 if none was taken */
  uint64_t submission; /* process-wide unique; 0 is none */
  uint64_t trace;
  uint32_t queue;
  uint8_t status;
  uint8_t error_kind;
  uint16_t clock;      /* with WEFT_WIRE_FLAG_CLOCK */
} WeftWireDispatch;

WEFT_WIRE_ASSERT (sizeof (WeftWireDispatch) == 64, "wire layout");

enum
{
  WEFT_WIRE_SUBMISSION_BEGIN,
  WEFT_WIRE_SUBMISSION_COMMIT,
  WEFT_WIRE_SUBMISSION_COMPLETED,
  WEFT_WIRE_SUBMISSION_FAULT,
};

/* Sides: ERROR, ORIGIN, COUNTERS, TAG, ARTIFACT. */
typedef struct
{
  WeftWireRecord record;
  uint64_t submission;
  uint64_t ticks; /* runtime clock */
  uint32_t queue;
  uint8_t kind;   /* WEFT_WIRE_SUBMISSION_… */
  uint8_t status;
  uint16_t reserved;
} WeftWireSubmissionEvent;

enum
{
  WEFT_WIRE_ROLE_DISPATCH,
  WEFT_WIRE_ROLE_WAIT_BEGIN,
  WEFT_WIRE_ROLE_WAIT_END,
  WEFT_WIRE_ROLE_COMPLETION,
  WEFT_WIRE_ROLE_FAULT,
};

/* Also a side record (WEFT_WIRE_SIDE_ORIGIN), with DISPATCH and SUBMISSION 0: those of its owner. */
typedef struct
{
  WeftWireRecord record;
  uint64_t dispatch;   /* the producer's id, or 0 */
  uint64_t submission; /* or 0 */
  uint64_t ticks;      /* runtime clock */
  uint64_t stack;      /* id of a STACK record of this process, or 0 */
  int32_t tid;         /* in the producer's namespace */
  uint8_t role;
  uint8_t reserved[3];
} WeftWireOrigin;

WEFT_WIRE_ASSERT (sizeof (WeftWireOrigin) == 48, "wire layout");

/* Sides: TAG. */
typedef struct
{
  WeftWireRecord record;
  uint64_t ticks;
  double value;
  uint32_t metric;
  uint32_t reserved;
} WeftWireMetricPoint;

enum
{
  WEFT_WIRE_SEVERITY_INFO,
  WEFT_WIRE_SEVERITY_WARNING,
  WEFT_WIRE_SEVERITY_ERROR,
};

/* Strings after the fixed part: code, message. Sides: TAG. */
typedef struct
{
  WeftWireRecord record;
  uint64_t ticks;
  uint64_t dispatch;
  double value;
  double threshold;
  uint8_t severity;
  uint8_t reserved[7];
} WeftWireWarning;

/* Strings: name. */
typedef struct
{
  WeftWireRecord record;
  uint64_t trace;
  uint64_t ticks;
} WeftWireTraceBegin;

/* Sides: ERROR, TAG. */
typedef struct
{
  WeftWireRecord record;
  uint64_t trace;
  uint64_t ticks;
  uint8_t status;
  uint8_t error_kind;
  uint8_t reserved[6];
} WeftWireTraceEnd;

enum
{
  WEFT_WIRE_HANDOVER_RELEASED, /* the thread gave OBJECT away at BEGIN */
  WEFT_WIRE_HANDOVER_WAITED,   /* it waited for OBJECT, and then perhaps for ALSO, until END */
  WEFT_WIRE_HANDOVER_EXPIRED,  /* likewise, and gave up then, for the time was over */
};

typedef struct
{
  WeftWireRecord record;
  uint64_t object; /* an address in the process */
  uint64_t also;   /* 0: none */
  uint64_t begin;
  uint64_t end;
  uint32_t kind; /* WEFT_WIRE_HANDOVER_… */
  uint32_t reserved;
} WeftWireHandover;

WEFT_WIRE_ASSERT (sizeof (WeftWireHandover) == 48, "wire layout");

/* The device clock showed DEVICE between BEFORE and AFTER of the runtime clock. */
typedef struct
{
  WeftWireRecord record;
  uint64_t device;
  uint64_t before;
  uint64_t after;
  uint32_t clock;
  uint32_t reserved;
} WeftWireClockPair;

#define WEFT_WIRE_N_REGISTERS 16

enum
{
  WEFT_WIRE_MACHINE_X86_64 = 1, /* rbx rbp r12 r13 r14 r15 */
  WEFT_WIRE_MACHINE_AARCH64 = 2, /* x19 … x28 x29 x30 */
};

/* COPIED bytes of stack from STACK_POINTER up follow, padded to 8. */
typedef struct
{
  WeftWireRecord record;
  uint64_t id;
  uint64_t ticks;
  uint64_t program_counter;
  uint64_t stack_pointer;
  uint64_t registers[WEFT_WIRE_N_REGISTERS];
  uint32_t copied;
  int32_t tid;
  uint8_t machine;
  uint8_t cut; /* 1: the stack goes on beyond what was copied */
  uint8_t reserved[6];
} WeftWireStack;

#define WEFT_WIRE_MAX_STACK 8192u

/* Sides: COUNTERS. */
typedef struct
{
  WeftWireRecord record;
  uint64_t dispatch;
  uint64_t submission;
} WeftWireCounterEvent;

/* ---- Side records ---- */

typedef struct
{
  WeftWireRecord record;
  uint32_t attempts;
  uint32_t has; /* 1: attempts, 2: queue waits, 4: submitted */
  uint64_t queue_wait;      /* ns, sum over attempts */
  uint64_t queue_wait_last; /* ns */
  uint64_t submitted;       /* ticks of the runtime clock */
} WeftWireTimes;

#define WEFT_WIRE_HAS_ATTEMPTS 1u
#define WEFT_WIRE_HAS_QUEUE_WAIT 2u
#define WEFT_WIRE_HAS_SUBMITTED 4u

/* Strings: label. */
typedef struct
{
  WeftWireRecord record;
} WeftWireLabel;

typedef struct
{
  WeftWireRecord record;
  uint32_t source;
  uint32_t first_line;
  uint32_t last_line;
  uint32_t reserved;
} WeftWireSourceSide;

/* Strings: name, error message (may be empty). */
typedef struct
{
  WeftWireRecord record;
  uint64_t offset;   /* ns from the dispatch's start */
  uint64_t duration; /* ns */
  uint32_t flags;    /* WEFT_WIRE_PHASE_… */
  uint32_t reserved;
} WeftWirePhase;

#define WEFT_WIRE_PHASE_SLOW 1u
#define WEFT_WIRE_PHASE_ERROR 2u

/* Strings: name, message, stack, cause. */
typedef struct
{
  WeftWireRecord record;
} WeftWireError;

enum
{
  WEFT_WIRE_ACCESS_UNKNOWN,
  WEFT_WIRE_ACCESS_READ,
  WEFT_WIRE_ACCESS_WRITE,
  WEFT_WIRE_ACCESS_READ_WRITE,
};

enum
{
  WEFT_WIRE_PRIVACY_METADATA, /* names and numbers, as given; never contents */
  WEFT_WIRE_PRIVACY_REDACTED, /* label and ranges withheld by the producer */
};

/* Strings: kind, label, role, element type, shape. */
typedef struct
{
  WeftWireRecord record;
  uint64_t offset; /* bytes */
  uint64_t size;   /* bytes; UINT64_MAX if unknown */
  int32_t slot;    /* INT32_MIN if none */
  uint8_t access;
  uint8_t privacy;
  uint16_t reserved;
} WeftWireAttachment;

/* Strings: name. */
typedef struct
{
  WeftWireRecord record;
  int64_t first;
  uint64_t count;
} WeftWireRange;

enum
{
  WEFT_WIRE_POINT_BEFORE_DISPATCH,
  WEFT_WIRE_POINT_AFTER_DISPATCH,
  WEFT_WIRE_POINT_SUBMISSION_BEGIN,
  WEFT_WIRE_POINT_SUBMISSION_END,
  WEFT_WIRE_POINT_WAIT_BEGIN,
  WEFT_WIRE_POINT_WAIT_END,
  WEFT_WIRE_POINT_STATE_CHANGE,
  WEFT_WIRE_POINT_NAMED,
};

/* N_VALUES pairs (bits, is-error: 8 bytes each) follow, then strings: point name. */
typedef struct
{
  WeftWireRecord record;
  uint32_t set;
  uint16_t point;
  uint16_t n_values;
  uint64_t ticks; /* runtime clock; 0 if unknown */
} WeftWireCounters;

typedef struct
{
  uint64_t bits;
  uint64_t is_error;
} WeftWireCounterValue;

/* Strings: key, text (of a string value). */
typedef struct
{
  WeftWireRecord record;
  uint64_t bits;
  uint32_t type;
  uint32_t reserved;
} WeftWireTag;

typedef struct
{
  WeftWireRecord record;
  uint32_t artifact;
  uint32_t reserved;
} WeftWireArtifactSide;

/* ---- Caps: beyond them strings and lists are cut, and the cut is counted ---- */

#define WEFT_WIRE_MAX_STRING 256u          /* bytes: names, labels, keys */
#define WEFT_WIRE_MAX_TEXT 2048u           /* bytes: messages, stacks, tag values */
#define WEFT_WIRE_MAX_SOURCE (4u << 20)    /* bytes of one source text */
#define WEFT_WIRE_MAX_PHASES 64u
#define WEFT_WIRE_MAX_ATTACHMENTS 32u
#define WEFT_WIRE_MAX_RANGES 8u            /* of one attachment */
#define WEFT_WIRE_MAX_TAGS 32u
#define WEFT_WIRE_MAX_ORIGINS 16u
#define WEFT_WIRE_MAX_COUNTERS 64u         /* of one set or sample */
#define WEFT_WIRE_MAX_SAMPLES 16u
#define WEFT_WIRE_MAX_ARTIFACTS 8u
#define WEFT_WIRE_MAX_LINES 65536u

#endif /* WEFT_WIRE_H */
