/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tables of a recording and their columns.
 *
 * A table is written WEFT_TABLE (NAME, name, COLUMNS) and a column C (TABLE, NAME, name, TYPE,
 * FLAGS). Numbers are part of the file format: new tables and columns are appended, none is ever
 * moved or given another meaning. A value of zero in an absent column means "none" or "nought";
 * columns marked NULLABLE tell the two apart with a presence bitmap.
 *
 * Every file carries its own copy of this description, so a reader needs no knowledge of it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  WEFT_STORE_TYPE_U64,      /* unsigned number */
  WEFT_STORE_TYPE_I64,      /* signed number */
  WEFT_STORE_TYPE_F64,      /* IEEE 754 double */
  WEFT_STORE_TYPE_TIME,     /* signed nanoseconds since the start of the recording */
  WEFT_STORE_TYPE_DURATION, /* unsigned nanoseconds */
  WEFT_STORE_TYPE_STRING,   /* number in the string dictionary; 0 is none */
  WEFT_STORE_TYPE_BLOB,     /* number in the blob table; 0 is none */
  WEFT_STORE_TYPE_ID,       /* id of a row in this or another table; 0 is none */
  WEFT_STORE_TYPE_ENUM,     /* small number named by docs/file-format.md */
} WeftStoreType;

typedef enum
{
  WEFT_COLUMN_NONE = 0,
  WEFT_COLUMN_NULLABLE = 1 << 0, /* zero and "none" differ */
  WEFT_COLUMN_DERIVED = 1 << 1,  /* never in raw chunks; 0 ("undecided") until a derived chunk */
  WEFT_COLUMN_KEY = 1 << 2,      /* dense id of the row, assigned in order of arrival, from 1 */
} WeftColumnFlags;

/* clang-format off */
#define WEFT_SCHEMA(TABLE, C)                                                                      \
  TABLE (META, meta)                                                                               \
    C (META, KEY, key, STRING, NONE)                                                               \
    C (META, TEXT, text, STRING, NONE)                                                             \
    C (META, NUMBER, number, I64, NULLABLE)                                                        \
  TABLE (BLOBS, blobs)                                                                             \
    C (BLOBS, ID, id, ID, KEY)                                                                     \
    C (BLOBS, SHA256, sha256, STRING, NONE)                                                        \
    C (BLOBS, SIZE, size, U64, NONE)                                                               \
  TABLE (PROCESSES, processes)                                                                     \
    C (PROCESSES, ID, id, ID, KEY)                                                                 \
    C (PROCESSES, PID, pid, U64, NONE)                                                             \
    C (PROCESSES, PARENT_PID, parent_pid, U64, NONE)                                               \
    C (PROCESSES, UID, uid, U64, NONE)                                                             \
    C (PROCESSES, STARTED, started, TIME, NULLABLE)                                                \
    C (PROCESSES, NAME, name, STRING, NONE)                                                        \
    C (PROCESSES, EXECUTABLE, executable, STRING, NONE)                                            \
    C (PROCESSES, COMMAND_LINE, command_line, STRING, NONE)                                        \
  TABLE (PROCESS_ENDS, process_ends)                                                               \
    C (PROCESS_ENDS, PROCESS, process, ID, NONE)                                                   \
    C (PROCESS_ENDS, TIME, time, TIME, NONE)                                                       \
    C (PROCESS_ENDS, STATUS, status, I64, NULLABLE)                                                \
  TABLE (RUNTIMES, runtimes)                                                                       \
    C (RUNTIMES, ID, id, ID, KEY)                                                                  \
    C (RUNTIMES, PROCESS, process, ID, NONE)                                                       \
    C (RUNTIMES, INSTANCE, instance, U64, NONE)                                                    \
    C (RUNTIMES, NAME, name, STRING, NONE)                                                         \
    C (RUNTIMES, WIRE_MAJOR, wire_major, U64, NONE)                                                \
    C (RUNTIMES, WIRE_MINOR, wire_minor, U64, NONE)                                                \
    C (RUNTIMES, CLOCK, clock, ENUM, NONE)                                                         \
    C (RUNTIMES, ATTACHED, attached, TIME, NONE)                                                   \
  TABLE (RUNTIME_ENDS, runtime_ends)                                                               \
    C (RUNTIME_ENDS, RUNTIME, runtime, ID, NONE)                                                   \
    C (RUNTIME_ENDS, TIME, time, TIME, NONE)                                                       \
    C (RUNTIME_ENDS, REASON, reason, STRING, NONE)                                                 \
  TABLE (RUNTIME_STATS, runtime_stats)                                                             \
    C (RUNTIME_STATS, RUNTIME, runtime, ID, NONE)                                                  \
    C (RUNTIME_STATS, TIME, time, TIME, NONE)                                                      \
    C (RUNTIME_STATS, NAME, name, STRING, NONE)                                                    \
    C (RUNTIME_STATS, COUNT, count, U64, NONE)                                                     \
  TABLE (THREADS, threads)                                                                         \
    C (THREADS, ID, id, ID, KEY)                                                                   \
    C (THREADS, PROCESS, process, ID, NONE)                                                        \
    C (THREADS, TID, tid, U64, NONE)                                                               \
    C (THREADS, NAMESPACE_TID, namespace_tid, U64, NONE)                                           \
    C (THREADS, GENERATION, generation, U64, NONE)                                                 \
    C (THREADS, NAME, name, STRING, NONE)                                                          \
    C (THREADS, FIRST_SEEN, first_seen, TIME, NONE)                                                \
  TABLE (CLOCKS, clocks)                                                                           \
    C (CLOCKS, ID, id, ID, KEY)                                                                    \
    C (CLOCKS, RUNTIME, runtime, ID, NONE)                                                         \
    C (CLOCKS, NAME, name, STRING, NONE)                                                           \
    C (CLOCKS, KIND, kind, ENUM, NONE)                                                             \
    C (CLOCKS, FREQUENCY, frequency, F64, NONE)                                                    \
  TABLE (CLOCK_PAIRS, clock_pairs)                                                                 \
    C (CLOCK_PAIRS, CLOCK, clock, ID, NONE)                                                        \
    C (CLOCK_PAIRS, TICKS, ticks, U64, NONE)                                                       \
    C (CLOCK_PAIRS, TIME, time, TIME, NONE)                                                        \
    C (CLOCK_PAIRS, ERROR_BOUND, error_bound, DURATION, NONE)                                      \
  TABLE (LANES, lanes)                                                                             \
    C (LANES, ID, id, ID, KEY)                                                                     \
    C (LANES, RUNTIME, runtime, ID, NONE)                                                          \
    C (LANES, PRODUCER_ID, producer_id, U64, NONE)                                                 \
    C (LANES, NAME, name, STRING, NONE)                                                            \
    C (LANES, KIND, kind, STRING, NONE)                                                            \
    C (LANES, PARENT, parent, ID, NONE)                                                            \
    C (LANES, CLOCK, clock, ID, NONE)                                                              \
  TABLE (LANE_COUNTS, lane_counts)                                                                 \
    C (LANE_COUNTS, LANE, lane, ID, NONE)                                                          \
    C (LANE_COUNTS, TIME, time, TIME, NONE)                                                        \
    C (LANE_COUNTS, SUBMITTED, submitted, U64, NONE)                                               \
    C (LANE_COUNTS, COMPLETED, completed, U64, NONE)                                               \
    C (LANE_COUNTS, PENDING, pending, U64, NONE)                                                   \
    C (LANE_COUNTS, SAMPLED_OUT, sampled_out, U64, NONE)                                           \
    C (LANE_COUNTS, REJECTED, rejected, U64, NONE)                                                 \
    C (LANE_COUNTS, LOST, lost, U64, NONE)                                                         \
  TABLE (LOSSES, losses)                                                                           \
    C (LOSSES, LANE, lane, ID, NONE)                                                               \
    C (LOSSES, RUNTIME, runtime, ID, NONE)                                                         \
    C (LOSSES, TIME, time, TIME, NONE)                                                             \
    C (LOSSES, CATEGORY, category, ENUM, NONE)                                                     \
    C (LOSSES, REASON, reason, STRING, NONE)                                                       \
    C (LOSSES, COUNT, count, U64, NONE)                                                            \
  TABLE (QUEUES, queues)                                                                           \
    C (QUEUES, ID, id, ID, KEY)                                                                    \
    C (QUEUES, LANE, lane, ID, NONE)                                                               \
    C (QUEUES, NAME, name, STRING, NONE)                                                           \
  TABLE (SOURCES, sources)                                                                         \
    C (SOURCES, ID, id, ID, KEY)                                                                   \
    C (SOURCES, RUNTIME, runtime, ID, NONE)                                                        \
    C (SOURCES, LANGUAGE, language, STRING, NONE)                                                  \
    C (SOURCES, PATH, path, STRING, NONE)                                                          \
    C (SOURCES, HASH, hash, STRING, NONE)                                                          \
    C (SOURCES, TEXT, text, BLOB, NONE)                                                            \
    C (SOURCES, FLAVOUR, flavour, STRING, NONE)                                                    \
    C (SOURCES, BUILD_FLAGS, build_flags, STRING, NONE)                                            \
  TABLE (SOURCE_LINES, source_lines)                                                               \
    C (SOURCE_LINES, SOURCE, source, ID, NONE)                                                     \
    C (SOURCE_LINES, OFFSET, offset, U64, NONE)                                                    \
    C (SOURCE_LINES, LINE, line, U64, NONE)                                                        \
    C (SOURCE_LINES, COLUMN, column, U64, NONE)                                                    \
  TABLE (ROUTINES, routines)                                                                       \
    C (ROUTINES, ID, id, ID, KEY)                                                                  \
    C (ROUTINES, RUNTIME, runtime, ID, NONE)                                                       \
    C (ROUTINES, NAME, name, STRING, NONE)                                                         \
    C (ROUTINES, LABEL, label, STRING, NONE)                                                       \
    C (ROUTINES, FLAVOUR, flavour, STRING, NONE)                                                   \
    C (ROUTINES, SOURCE, source, ID, NONE)                                                         \
    C (ROUTINES, FIRST_LINE, first_line, U64, NONE)                                                \
    C (ROUTINES, LAST_LINE, last_line, U64, NONE)                                                  \
  TABLE (SOURCE_RANGES, source_ranges)                                                             \
    C (SOURCE_RANGES, SOURCE, source, ID, NONE)                                                    \
    C (SOURCE_RANGES, ROUTINE, routine, ID, NONE)                                                  \
    C (SOURCE_RANGES, FIRST_LINE, first_line, U64, NONE)                                           \
    C (SOURCE_RANGES, LAST_LINE, last_line, U64, NONE)                                             \
  TABLE (SUBMISSIONS, submissions)                                                                 \
    C (SUBMISSIONS, ID, id, ID, KEY)                                                               \
    C (SUBMISSIONS, RUNTIME, runtime, ID, NONE)                                                    \
    C (SUBMISSIONS, PRODUCER_ID, producer_id, U64, NONE)                                           \
    C (SUBMISSIONS, LANE, lane, ID, NONE)                                                          \
    C (SUBMISSIONS, QUEUE, queue, ID, NONE)                                                        \
  TABLE (SUBMISSION_EVENTS, submission_events)                                                     \
    C (SUBMISSION_EVENTS, SUBMISSION, submission, ID, NONE)                                        \
    C (SUBMISSION_EVENTS, KIND, kind, ENUM, NONE)                                                  \
    C (SUBMISSION_EVENTS, TIME, time, TIME, NONE)                                                  \
    C (SUBMISSION_EVENTS, STATUS, status, ENUM, NONE)                                              \
    C (SUBMISSION_EVENTS, ERROR, error, ID, NONE)                                                  \
  TABLE (DISPATCHES, dispatches)                                                                   \
    C (DISPATCHES, ID, id, ID, KEY)                                                                \
    C (DISPATCHES, LANE, lane, ID, NONE)                                                           \
    C (DISPATCHES, ROUTINE, routine, ID, NONE)                                                     \
    C (DISPATCHES, START, start, TIME, NONE)                                                       \
    C (DISPATCHES, DURATION, duration, DURATION, NONE)                                             \
    C (DISPATCHES, DEPTH, depth, U64, NONE)                                                        \
    C (DISPATCHES, CHILD_TIME, child_time, DURATION, NONE)                                         \
    C (DISPATCHES, THREAD, thread, ID, NONE)                                                       \
    C (DISPATCHES, PRODUCER_ID, producer_id, U64, NONE)                                            \
    C (DISPATCHES, SUBMISSION, submission, ID, NONE)                                               \
    C (DISPATCHES, QUEUE, queue, ID, NONE)                                                         \
    C (DISPATCHES, TRACE, trace, ID, NONE)                                                         \
    C (DISPATCHES, STATUS, status, ENUM, NONE)                                                     \
    C (DISPATCHES, ERROR_KIND, error_kind, ENUM, NONE)                                             \
    C (DISPATCHES, ERROR, error, ID, NONE)                                                         \
    C (DISPATCHES, ATTEMPTS, attempts, U64, NULLABLE)                                              \
    C (DISPATCHES, QUEUE_WAIT, queue_wait, DURATION, NULLABLE)                                     \
    C (DISPATCHES, QUEUE_WAIT_LAST, queue_wait_last, DURATION, NULLABLE)                           \
    C (DISPATCHES, SUBMITTED, submitted, TIME, NULLABLE)                                           \
    C (DISPATCHES, LABEL, label, STRING, NONE)                                                     \
    C (DISPATCHES, SOURCE, source, ID, NONE)                                                       \
    C (DISPATCHES, FIRST_LINE, first_line, U64, NONE)                                              \
    C (DISPATCHES, LAST_LINE, last_line, U64, NONE)                                                \
    C (DISPATCHES, START_TICKS, start_ticks, U64, NULLABLE)                                        \
    C (DISPATCHES, END_TICKS, end_ticks, U64, NULLABLE)                                            \
    C (DISPATCHES, MARKS, marks, U64, NONE)                                                        \
    C (DISPATCHES, CLASSIFICATION, classification, ENUM, DERIVED)                                  \
    C (DISPATCHES, CLASSIFICATION_REASON, classification_reason, ENUM, DERIVED)                    \
    C (DISPATCHES, SHARED_CALLCHAIN, shared_callchain, ID, DERIVED)                                \
  TABLE (PHASES, phases)                                                                           \
    C (PHASES, DISPATCH, dispatch, ID, NONE)                                                       \
    C (PHASES, NAME, name, STRING, NONE)                                                           \
    C (PHASES, OFFSET, offset, DURATION, NONE)                                                     \
    C (PHASES, DURATION, duration, DURATION, NONE)                                                 \
    C (PHASES, FLAGS, flags, U64, NONE)                                                            \
    C (PHASES, ERROR, error, ID, NONE)                                                             \
  TABLE (ERRORS, errors)                                                                           \
    C (ERRORS, ID, id, ID, KEY)                                                                    \
    C (ERRORS, NAME, name, STRING, NONE)                                                           \
    C (ERRORS, MESSAGE, message, STRING, NONE)                                                     \
    C (ERRORS, STACK, stack, STRING, NONE)                                                         \
    C (ERRORS, CAUSE, cause, STRING, NONE)                                                         \
  TABLE (ORIGINS, origins)                                                                         \
    C (ORIGINS, ID, id, ID, KEY)                                                                   \
    C (ORIGINS, ROLE, role, ENUM, NONE)                                                            \
    C (ORIGINS, DISPATCH, dispatch, ID, NONE)                                                      \
    C (ORIGINS, SUBMISSION, submission, ID, NONE)                                                  \
    C (ORIGINS, THREAD, thread, ID, NONE)                                                          \
    C (ORIGINS, TID, tid, U64, NONE)                                                               \
    C (ORIGINS, TIME, time, TIME, NONE)                                                            \
    C (ORIGINS, STACK, stack, ID, NONE)                                                            \
    C (ORIGINS, RUNTIME, runtime, ID, NONE)                                                        \
    C (ORIGINS, PRODUCER_DISPATCH, producer_dispatch, U64, NONE)                                   \
    C (ORIGINS, LINK_STATUS, link_status, ENUM, DERIVED)                                           \
    C (ORIGINS, LINK_SAMPLE, link_sample, ID, DERIVED)                                             \
    C (ORIGINS, LINK_DISTANCE, link_distance, DURATION, DERIVED)                                   \
    C (ORIGINS, LINK_CALLCHAIN, link_callchain, ID, DERIVED)                                       \
  TABLE (STACKS, stacks)                                                                           \
    C (STACKS, ID, id, ID, KEY)                                                                    \
    C (STACKS, THREAD, thread, ID, NONE)                                                           \
    C (STACKS, TIME, time, TIME, NONE)                                                             \
    C (STACKS, PROGRAM_COUNTER, program_counter, U64, NONE)                                        \
    C (STACKS, STACK_POINTER, stack_pointer, U64, NONE)                                            \
    C (STACKS, COPIED, copied, U64, NONE)                                                          \
    C (STACKS, END, end, ENUM, NONE)                                                               \
    C (STACKS, CALLCHAIN, callchain, ID, NONE)                                                     \
  TABLE (ATTACHMENTS, attachments)                                                                 \
    C (ATTACHMENTS, ID, id, ID, KEY)                                                               \
    C (ATTACHMENTS, DISPATCH, dispatch, ID, NONE)                                                  \
    C (ATTACHMENTS, KIND, kind, STRING, NONE)                                                      \
    C (ATTACHMENTS, LABEL, label, STRING, NONE)                                                    \
    C (ATTACHMENTS, SLOT, slot, I64, NULLABLE)                                                     \
    C (ATTACHMENTS, OFFSET, offset, U64, NONE)                                                     \
    C (ATTACHMENTS, SIZE, size, U64, NULLABLE)                                                     \
    C (ATTACHMENTS, ACCESS, access, ENUM, NONE)                                                    \
    C (ATTACHMENTS, ROLE, role, STRING, NONE)                                                      \
    C (ATTACHMENTS, ELEMENT_TYPE, element_type, STRING, NONE)                                      \
    C (ATTACHMENTS, SHAPE, shape, STRING, NONE)                                                    \
    C (ATTACHMENTS, PRIVACY, privacy, ENUM, NONE)                                                  \
  TABLE (ATTACHMENT_RANGES, attachment_ranges)                                                     \
    C (ATTACHMENT_RANGES, ATTACHMENT, attachment, ID, NONE)                                        \
    C (ATTACHMENT_RANGES, NAME, name, STRING, NONE)                                                \
    C (ATTACHMENT_RANGES, FIRST, first, I64, NONE)                                                 \
    C (ATTACHMENT_RANGES, COUNT, count, U64, NONE)                                                 \
  TABLE (COUNTER_SETS, counter_sets)                                                               \
    C (COUNTER_SETS, ID, id, ID, KEY)                                                              \
    C (COUNTER_SETS, RUNTIME, runtime, ID, NONE)                                                   \
    C (COUNTER_SETS, NAME, name, STRING, NONE)                                                     \
  TABLE (COUNTER_SET_STATES, counter_set_states)                                                   \
    C (COUNTER_SET_STATES, SET, set, ID, NONE)                                                     \
    C (COUNTER_SET_STATES, TIME, time, TIME, NONE)                                                 \
    C (COUNTER_SET_STATES, AVAILABILITY, availability, ENUM, NONE)                                 \
    C (COUNTER_SET_STATES, REASON, reason, STRING, NONE)                                           \
    C (COUNTER_SET_STATES, PROBE, probe, STRING, NONE)                                             \
    C (COUNTER_SET_STATES, OVERHEAD, overhead, DURATION, NULLABLE)                                 \
    C (COUNTER_SET_STATES, OVERHEAD_TEXT, overhead_text, STRING, NONE)                             \
  TABLE (COUNTERS, counters)                                                                       \
    C (COUNTERS, ID, id, ID, KEY)                                                                  \
    C (COUNTERS, SET, set, ID, NONE)                                                               \
    C (COUNTERS, POSITION, position, U64, NONE)                                                    \
    C (COUNTERS, NAME, name, STRING, NONE)                                                         \
    C (COUNTERS, UNIT, unit, ENUM, NONE)                                                           \
    C (COUNTERS, UNIT_NAME, unit_name, STRING, NONE)                                               \
    C (COUNTERS, KIND, kind, ENUM, NONE)                                                           \
    C (COUNTERS, AGGREGATION, aggregation, ENUM, NONE)                                             \
    C (COUNTERS, VALUE_TYPE, value_type, ENUM, NONE)                                               \
  TABLE (COUNTER_SAMPLES, counter_samples)                                                         \
    C (COUNTER_SAMPLES, ID, id, ID, KEY)                                                           \
    C (COUNTER_SAMPLES, SET, set, ID, NONE)                                                        \
    C (COUNTER_SAMPLES, DISPATCH, dispatch, ID, NONE)                                              \
    C (COUNTER_SAMPLES, SUBMISSION, submission, ID, NONE)                                          \
    C (COUNTER_SAMPLES, POINT, point, ENUM, NONE)                                                  \
    C (COUNTER_SAMPLES, POINT_NAME, point_name, STRING, NONE)                                      \
    C (COUNTER_SAMPLES, TIME, time, TIME, NULLABLE)                                                \
    C (COUNTER_SAMPLES, RUNTIME, runtime, ID, NONE)                                                \
    C (COUNTER_SAMPLES, PRODUCER_DISPATCH, producer_dispatch, U64, NONE)                           \
  TABLE (COUNTER_VALUES, counter_values)                                                           \
    C (COUNTER_VALUES, SAMPLE, sample, ID, NONE)                                                   \
    C (COUNTER_VALUES, COUNTER, counter, ID, NONE)                                                 \
    C (COUNTER_VALUES, BITS, bits, U64, NONE)                                                      \
    C (COUNTER_VALUES, IS_ERROR, is_error, ENUM, NONE)                                             \
  TABLE (METRICS, metrics)                                                                         \
    C (METRICS, ID, id, ID, KEY)                                                                   \
    C (METRICS, LANE, lane, ID, NONE)                                                              \
    C (METRICS, NAME, name, STRING, NONE)                                                          \
    C (METRICS, KIND, kind, ENUM, NONE)                                                            \
    C (METRICS, UNIT, unit, ENUM, NONE)                                                            \
    C (METRICS, UNIT_NAME, unit_name, STRING, NONE)                                                \
  TABLE (METRIC_POINTS, metric_points)                                                             \
    C (METRIC_POINTS, ID, id, ID, KEY)                                                             \
    C (METRIC_POINTS, METRIC, metric, ID, NONE)                                                    \
    C (METRIC_POINTS, TIME, time, TIME, NONE)                                                      \
    C (METRIC_POINTS, VALUE, value, F64, NONE)                                                     \
    C (METRIC_POINTS, THREAD, thread, ID, NONE)                                                    \
  TABLE (TAGS, tags)                                                                               \
    C (TAGS, OWNER_TABLE, owner_table, ENUM, NONE)                                                 \
    C (TAGS, OWNER, owner, ID, NONE)                                                               \
    C (TAGS, KEY, key, STRING, NONE)                                                               \
    C (TAGS, TYPE, type, ENUM, NONE)                                                               \
    C (TAGS, TEXT, text, STRING, NONE)                                                             \
    C (TAGS, BITS, bits, U64, NONE)                                                                \
  TABLE (WARNINGS, warnings)                                                                       \
    C (WARNINGS, ID, id, ID, KEY)                                                                  \
    C (WARNINGS, LANE, lane, ID, NONE)                                                             \
    C (WARNINGS, DISPATCH, dispatch, ID, NONE)                                                     \
    C (WARNINGS, TIME, time, TIME, NONE)                                                           \
    C (WARNINGS, CODE, code, STRING, NONE)                                                         \
    C (WARNINGS, MESSAGE, message, STRING, NONE)                                                   \
    C (WARNINGS, SEVERITY, severity, ENUM, NONE)                                                   \
    C (WARNINGS, VALUE, value, F64, NONE)                                                          \
    C (WARNINGS, THRESHOLD, threshold, F64, NONE)                                                  \
    C (WARNINGS, PRODUCER_DISPATCH, producer_dispatch, U64, NONE)                                  \
  TABLE (TRACES, traces)                                                                           \
    C (TRACES, ID, id, ID, NONE)                                                                   \
    C (TRACES, RUNTIME, runtime, ID, NONE)                                                         \
    C (TRACES, PRODUCER_ID, producer_id, U64, NONE)                                                \
    C (TRACES, NAME, name, STRING, NONE)                                                           \
    C (TRACES, START, start, TIME, NULLABLE)                                                       \
    C (TRACES, DURATION, duration, DURATION, NULLABLE)                                             \
    C (TRACES, STATUS, status, ENUM, NONE)                                                         \
    C (TRACES, ERROR_KIND, error_kind, ENUM, NONE)                                                 \
    C (TRACES, ERROR, error, ID, NONE)                                                             \
  TABLE (ARTIFACTS, artifacts)                                                                     \
    C (ARTIFACTS, ID, id, ID, KEY)                                                                 \
    C (ARTIFACTS, RUNTIME, runtime, ID, NONE)                                                      \
    C (ARTIFACTS, KIND, kind, STRING, NONE)                                                        \
    C (ARTIFACTS, PATH, path, STRING, NONE)                                                        \
    C (ARTIFACTS, LABEL, label, STRING, NONE)                                                      \
    C (ARTIFACTS, SIZE, size, U64, NULLABLE)                                                       \
  TABLE (ARTIFACT_LINKS, artifact_links)                                                           \
    C (ARTIFACT_LINKS, ARTIFACT, artifact, ID, NONE)                                               \
    C (ARTIFACT_LINKS, OWNER_TABLE, owner_table, ENUM, NONE)                                       \
    C (ARTIFACT_LINKS, OWNER, owner, ID, NONE)                                                     \
  TABLE (OWN_COST, own_cost)                                                                       \
    C (OWN_COST, TIME, time, TIME, NONE)                                                           \
    C (OWN_COST, CPU, cpu, DURATION, NONE)                                                         \
    C (OWN_COST, RESIDENT, resident, U64, NONE)                                                    \
    C (OWN_COST, WRITTEN, written, U64, NONE)                                                      \
    C (OWN_COST, SAMPLER, sampler, DURATION, NONE)                                                 \
    C (OWN_COST, SYMBOLIZER, symbolizer, DURATION, NONE)                                           \
    C (OWN_COST, PERTURBATION, perturbation, DURATION, NONE)                                       \
  TABLE (DIAGNOSTICS, diagnostics)                                                                 \
    C (DIAGNOSTICS, TIME, time, TIME, NONE)                                                        \
    C (DIAGNOSTICS, SEVERITY, severity, ENUM, NONE)                                                \
    C (DIAGNOSTICS, CODE, code, STRING, NONE)                                                      \
    C (DIAGNOSTICS, MESSAGE, message, STRING, NONE)                                                \
  TABLE (RESERVATIONS, reservations)                                                               \
    C (RESERVATIONS, RUNTIME, runtime, ID, NONE)                                                   \
    C (RESERVATIONS, PRODUCER_ID, producer_id, U64, NONE)                                          \
    C (RESERVATIONS, LANE, lane, ID, NONE)                                                         \
    C (RESERVATIONS, ROUTINE, routine, ID, NONE)                                                   \
    C (RESERVATIONS, SUBMITTED, submitted, TIME, NONE)                                             \
    C (RESERVATIONS, SUBMISSION, submission, ID, NONE)                                             \
    C (RESERVATIONS, QUEUE, queue, ID, NONE)                                                       \
    C (RESERVATIONS, TRACE, trace, ID, NONE)                                                       \
  TABLE (LANE_ENDS, lane_ends)                                                                     \
    C (LANE_ENDS, LANE, lane, ID, NONE)                                                            \
    C (LANE_ENDS, TIME, time, TIME, NONE)                                                          \
  TABLE (WORDS, words)                                                                             \
    C (WORDS, DOMAIN, domain, STRING, NONE)                                                        \
    C (WORDS, SCOPE, scope, STRING, NONE)                                                          \
    C (WORDS, SUBJECT, subject, STRING, NONE)                                                      \
    C (WORDS, KEY, key, STRING, NONE)                                                              \
    C (WORDS, TEXT, text, STRING, NONE)                                                            \
  TABLE (PLUGINS, plugins)                                                                         \
    C (PLUGINS, NAME, name, STRING, NONE)                                                          \
    C (PLUGINS, VERSION, version, STRING, NONE)                                                    \
    C (PLUGINS, PATH, path, STRING, NONE)                                                          \
  TABLE (FINDINGS, findings)                                                                       \
    C (FINDINGS, DOMAIN, domain, STRING, NONE)                                                     \
    C (FINDINGS, CHECK, check, STRING, NONE)                                                       \
    C (FINDINGS, QUESTION, question, STRING, NONE)                                                 \
    C (FINDINGS, VERDICT, verdict, ENUM, NONE)                                                     \
    C (FINDINGS, EVIDENCE, evidence, STRING, NONE)                                                 \
    C (FINDINGS, ADVICE, advice, STRING, NONE)                                                     \
    C (FINDINGS, HANDLES, handles, STRING, NONE)                                                   \
  TABLE (MODULES, modules)                                                                         \
    C (MODULES, ID, id, ID, KEY)                                                                   \
    C (MODULES, KIND, kind, ENUM, NONE)                                                            \
    C (MODULES, NAME, name, STRING, NONE)                                                          \
    C (MODULES, PATH, path, STRING, NONE)                                                          \
    C (MODULES, BUILD_ID, build_id, STRING, NONE)                                                  \
    C (MODULES, SIZE, size, U64, NONE)                                                             \
    C (MODULES, PROCESS, process, ID, NONE)                                                        \
  TABLE (MODULE_STATES, module_states)                                                             \
    C (MODULE_STATES, MODULE, module, ID, NONE)                                                    \
    C (MODULE_STATES, TIME, time, TIME, NONE)                                                      \
    C (MODULE_STATES, SYMBOLS, symbols, ENUM, NONE)                                                \
    C (MODULE_STATES, N_SYMBOLS, n_symbols, U64, NONE)                                             \
    C (MODULE_STATES, DEBUG_FILE, debug_file, STRING, NONE)                                        \
    C (MODULE_STATES, REASON, reason, STRING, NONE)                                                \
  TABLE (MAPPINGS, mappings)                                                                       \
    C (MAPPINGS, PROCESS, process, ID, NONE)                                                       \
    C (MAPPINGS, MODULE, module, ID, NONE)                                                         \
    C (MAPPINGS, TIME, time, TIME, NONE)                                                           \
    C (MAPPINGS, ADDRESS, address, U64, NONE)                                                      \
    C (MAPPINGS, SIZE, size, U64, NONE)                                                            \
    C (MAPPINGS, OFFSET, offset, U64, NONE)                                                        \
  TABLE (FRAMES, frames)                                                                           \
    C (FRAMES, ID, id, ID, KEY)                                                                    \
    C (FRAMES, MODULE, module, ID, NONE)                                                           \
    C (FRAMES, OFFSET, offset, U64, NONE)                                                          \
    C (FRAMES, FLAGS, flags, U64, NONE)                                                            \
  TABLE (CALLCHAINS, callchains)                                                                   \
    C (CALLCHAINS, ID, id, ID, KEY)                                                                \
    C (CALLCHAINS, PARENT, parent, ID, NONE)                                                       \
    C (CALLCHAINS, FRAME, frame, ID, NONE)                                                         \
    C (CALLCHAINS, DEPTH, depth, U64, NONE)                                                        \
  TABLE (SYMBOLS, symbols)                                                                         \
    C (SYMBOLS, ID, id, ID, KEY)                                                                   \
    C (SYMBOLS, MODULE, module, ID, NONE)                                                          \
    C (SYMBOLS, NAME, name, STRING, NONE)                                                          \
    C (SYMBOLS, LINKAGE_NAME, linkage_name, STRING, NONE)                                          \
    C (SYMBOLS, OFFSET, offset, U64, NONE)                                                         \
    C (SYMBOLS, SIZE, size, U64, NONE)                                                             \
    C (SYMBOLS, FILE, file, STRING, NONE)                                                          \
    C (SYMBOLS, LINE, line, U64, NONE)                                                             \
  TABLE (FRAME_SYMBOLS, frame_symbols)                                                             \
    C (FRAME_SYMBOLS, FRAME, frame, ID, NONE)                                                      \
    C (FRAME_SYMBOLS, DEPTH, depth, U64, NONE)                                                     \
    C (FRAME_SYMBOLS, SYMBOL, symbol, ID, NONE)                                                    \
    C (FRAME_SYMBOLS, FILE, file, STRING, NONE)                                                    \
    C (FRAME_SYMBOLS, LINE, line, U64, NONE)                                                       \
  TABLE (SAMPLES, samples)                                                                         \
    C (SAMPLES, ID, id, ID, KEY)                                                                   \
    C (SAMPLES, THREAD, thread, ID, NONE)                                                          \
    C (SAMPLES, TIME, time, TIME, NONE)                                                            \
    C (SAMPLES, CALLCHAIN, callchain, ID, NONE)                                                    \
    C (SAMPLES, WEIGHT, weight, DURATION, NONE)                                                    \
    C (SAMPLES, CPU, cpu, U64, NONE)                                                               \
    C (SAMPLES, END, end, ENUM, NONE)                                                              \
    C (SAMPLES, MARKS, marks, U64, NONE)                                                           \
    C (SAMPLES, CYCLES, cycles, U64, NULLABLE)                                                     \
    C (SAMPLES, INSTRUCTIONS, instructions, U64, NULLABLE)                                         \
  TABLE (WAITS, waits)                                                                             \
    C (WAITS, ID, id, ID, KEY)                                                                     \
    C (WAITS, THREAD, thread, ID, NONE)                                                            \
    C (WAITS, START, start, TIME, NONE)                                                            \
    C (WAITS, DURATION, duration, DURATION, NONE)                                                  \
    C (WAITS, REASON, reason, ENUM, NONE)                                                          \
    C (WAITS, CALLCHAIN, callchain, ID, NONE)                                                      \
    C (WAITS, END, end, ENUM, NONE)                                                                \
    C (WAITS, MARKS, marks, U64, NONE)                                                             \
    C (WAITS, SNAPSHOT, snapshot, TIME, NULLABLE)                                                  \
    C (WAITS, SYSTEM_CALL, system_call, I64, NULLABLE)                                             \
    C (WAITS, OBJECT, object, U64, NONE)                                                           \
    C (WAITS, DETAIL, detail, STRING, NONE)                                                        \
    C (WAITS, WAKER, waker, ID, NONE)                                                              \
    C (WAITS, WAKEUP, wakeup, ID, NONE)                                                            \
  TABLE (WAKEUPS, wakeups)                                                                         \
    C (WAKEUPS, ID, id, ID, KEY)                                                                   \
    C (WAKEUPS, TIME, time, TIME, NONE)                                                            \
    C (WAKEUPS, WAKER, waker, ID, NONE)                                                            \
    C (WAKEUPS, WAKEE, wakee, ID, NONE)                                                            \
    C (WAKEUPS, CALLCHAIN, callchain, ID, NONE)                                                    \
    C (WAKEUPS, END, end, ENUM, NONE)                                                              \
    C (WAKEUPS, SOURCE, source, ENUM, NONE)                                                        \
    C (WAKEUPS, OBJECT, object, U64, NONE)                                                         \
  TABLE (THREAD_TIMES, thread_times)                                                               \
    C (THREAD_TIMES, THREAD, thread, ID, NONE)                                                     \
    C (THREAD_TIMES, TIME, time, TIME, NONE)                                                       \
    C (THREAD_TIMES, START, start, TIME, NONE)                                                     \
    C (THREAD_TIMES, ON_CPU, on_cpu, DURATION, NONE)                                               \
    C (THREAD_TIMES, OFF_CPU, off_cpu, DURATION, NONE)                                             \
    C (THREAD_TIMES, ENDED, ended, ENUM, NONE)                                                     \
  TABLE (CODE, code)                                                                               \
    C (CODE, ID, id, ID, KEY)                                                                      \
    C (CODE, MODULE, module, ID, NONE)                                                             \
    C (CODE, SYMBOL, symbol, ID, NONE)                                                             \
    C (CODE, OFFSET, offset, U64, NONE)                                                            \
    C (CODE, SIZE, size, U64, NONE)                                                                \
    C (CODE, ARCHITECTURE, architecture, STRING, NONE)                                             \
    C (CODE, BYTES, bytes, BLOB, NONE)                                                             \
  TABLE (CODE_LINES, code_lines)                                                                   \
    C (CODE_LINES, CODE, code, ID, NONE)                                                           \
    C (CODE_LINES, OFFSET, offset, U64, NONE)                                                      \
    C (CODE_LINES, DEPTH, depth, U64, NONE)                                                        \
    C (CODE_LINES, SYMBOL, symbol, ID, NONE)                                                       \
    C (CODE_LINES, FILE, file, STRING, NONE)                                                       \
    C (CODE_LINES, LINE, line, U64, NONE)                                                          \
  TABLE (RETENTION, retention)                                                                     \
    C (RETENTION, OWNER_TABLE, owner_table, ENUM, NONE)                                            \
    C (RETENTION, LANE, lane, ID, NONE)                                                            \
    C (RETENTION, ROWS, rows, U64, NONE)                                                           \
    C (RETENTION, BEFORE, before, TIME, NONE)                                                      \
  TABLE (ROUTINE_ARGUMENTS, routine_arguments)                                                     \
    C (ROUTINE_ARGUMENTS, ROUTINE, routine, ID, NONE)                                              \
    C (ROUTINE_ARGUMENTS, POSITION, position, U64, NONE)                                           \
    C (ROUTINE_ARGUMENTS, NAME, name, STRING, NONE)                                                \
    C (ROUTINE_ARGUMENTS, KIND, kind, STRING, NONE)                                                \
    C (ROUTINE_ARGUMENTS, TYPE, type, STRING, NONE)                                                \
    C (ROUTINE_ARGUMENTS, ACCESS, access, ENUM, NONE)                                              \
    C (ROUTINE_ARGUMENTS, SLOT, slot, I64, NULLABLE)                                               \
    C (ROUTINE_ARGUMENTS, N_SLOTS, n_slots, U64, NULLABLE)                                         \
    C (ROUTINE_ARGUMENTS, SIZE, size, U64, NULLABLE)                                               \
    C (ROUTINE_ARGUMENTS, SPACE, space, STRING, NONE)
/* clang-format on */

typedef enum
{
#define WEFT_SCHEMA_TABLE(NAME, name) WEFT_TABLE_##NAME,
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)
  WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN) WEFT_N_TABLES
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
} WeftTableId;

/* The running number of each column over all tables; WEFT_COLUMN_BASE_TABLE is one before a
 * table's first, so that WEFT_DISPATCHES_LANE - WEFT_COLUMN_BASE_DISPATCHES - 1 is its position.
 */
typedef enum
{
#define WEFT_SCHEMA_TABLE(NAME, name) WEFT_COLUMN_BASE_##NAME,
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS) WEFT_##TABLE##_##NAME,
  WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN) WEFT_N_COLUMN_NUMBERS
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
} WeftColumnNumber;

#define WEFT_MAX_COLUMNS 32

typedef struct
{
  const char *name;
  WeftStoreType type;
  WeftColumnFlags flags;
} WeftColumnSpec;

typedef struct
{
  const char *name;
  guint n_columns;
  const WeftColumnSpec *columns;
} WeftTableSpec;

const WeftTableSpec *weft_schema_table (WeftTableId table);

G_END_DECLS
