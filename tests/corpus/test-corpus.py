#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records the corpus and holds the recording to what each case says must be seen. Reports in TAP.

    test-corpus.py [TEST…]

WEFT, WEFT_CORPUS and WEFT_RECORD_CORPUS name the programs. Each case has a test of its name,
Cases.test_wait_pipe for wait-pipe.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'store'))

from weft_reader import Recording  # noqa: E402

WEFT = os.environ['WEFT']
WEFT_CORPUS = os.environ['WEFT_CORPUS']
RECORD_CORPUS = os.environ['WEFT_RECORD_CORPUS']

# The enumerations of docs/file-format.md, by number.
LINK_STATUSES = ['undecided', 'linked-exact', 'linked', 'missing-thread', 'no-stack', 'too-far', 'synthetic-tid',
                 'wrong-pid', 'stale', 'outside-run']
# Without a sample of the thread, with one that is near enough, or with others.
BY_SAMPLES = ('no-stack', 'linked', 'too-far')
# The check of “weft diagnose” that is meant for origins of a status.
FINDINGS = {'wrong-pid': 'origin-processes', 'synthetic-tid': 'origin-numbers', 'missing-thread': 'origin-threads',
            'outside-run': 'origin-times', 'stale': 'stale-origins', 'too-far': 'origin-samples',
            'no-stack': 'origin-stacks'}
CLASSIFICATIONS = ['undecided', 'synchronous', 'asynchronous', 'unknown']
CLASSIFICATION_REASONS = ['undecided', 'wait', 'no-wait', 'wait-elsewhere', 'wait-ended-first', 'wait-before',
                          'clock-error', 'no-origin', 'no-thread', 'not-completed', 'half-wait', 'waits-unknown']
NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
TABLES = ('processes', 'runtimes', 'threads', 'clocks', 'clock_pairs', 'lanes', 'lane_counts', 'lane_ends', 'losses',
          'queues', 'sources', 'source_lines', 'routines', 'source_ranges', 'submissions', 'submission_events',
          'dispatches', 'phases', 'errors', 'origins', 'stacks', 'attachments', 'attachment_ranges',
          'counter_sets', 'counter_set_states', 'counters', 'counter_samples', 'counter_values', 'metrics',
          'metric_points', 'tags', 'warnings', 'traces', 'artifacts', 'artifact_links', 'reservations')
# Tables of what the CPUs did: these differ from run to run.
CPU_TABLES = ('callchains', 'samples')
MS = 1000000
US = 1000

# Of these columns a second run shows other values.
VARYING = {
    'processes': {'pid', 'parent_pid', 'started', 'command_line'},
    'runtimes': {'instance', 'attached'},
    'threads': {'tid', 'namespace_tid', 'first_seen'},
    'clock_pairs': {'ticks', 'time'},
    'lane_counts': {'time'},
    'lane_ends': {'time'},
    'losses': {'time'},
    'stacks': {'time', 'program_counter', 'stack_pointer', 'copied'},
    'counter_set_states': {'time'},
    'traces': {'start', 'duration'},
    'dispatches': {'start_ticks', 'end_ticks', 'shared_callchain'},
    'origins': {'link_status', 'link_sample', 'link_distance', 'link_callchain'},
}
# Columns that show nothing: derived ones, and those of root and of a single copy of the library.
EMPTY = {
    'processes': {'uid'},
    'runtimes': {'instance'},
    'origins': {'link_sample', 'link_distance', 'link_callchain'},
    'dispatches': {'shared_callchain'},
    'stacks': {'end', 'callchain'},
}
# Numbers that a column must show.
ENUMERATIONS = {
    'losses': {'category': 4},
    'submission_events': {'kind': 4, 'status': 3},
    'dispatches': {'status': 3, 'error_kind': 7},
    'traces': {'status': 3},
    'origins': {'role': 5},
    'attachments': {'access': 4, 'privacy': 2},
    'counter_set_states': {'availability': 4},
    'counters': {'unit': 9, 'kind': 3, 'aggregation': 5, 'value_type': 3},
    'metrics': {'unit': 9, 'kind': 3},
    'tags': {'type': 5},
    'counter_samples': {'point': 8},
    'counter_values': {'is_error': 2},
    'warnings': {'severity': 3},
}
# Lanes, and a routine, whose times follow calls.
REAL_TIMES = {'consumer', 'ticker', 'reader', 'wait queue', 'coarse queue', 'scoped spans', 'origin-linked-exact'}


def run(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, **options)
    done.stdout = done.stdout.decode()
    done.stderr = done.stderr.decode()
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f'{command}: {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout


def signed(value):
    return value if value is None or value < 1 << 63 else value - (1 << 64)


def list_cases():
    """(group, name, summary, expectation) of all cases."""
    return [line.split('\t') for line in run([WEFT_CORPUS, '--list']).splitlines()]


class Corpus:
    """A recording of the corpus, with what the program says that it handed over."""

    def __init__(self, *options, before=(), cpu='off'):
        """What CPUs do differs from run to run: it is recorded where it is asked for."""
        folder = tempfile.mkdtemp(prefix='weft-corpus-')
        try:
            os.chmod(folder, 0o777)
            file, counts = os.path.join(folder, 'x.weft'), os.path.join(folder, 'counts')
            self.record(file, ['--counts', counts, *options], before, cpu)
            recording = Recording(file)
            with open(file, 'rb') as stream:
                self.bytes = stream.read()
            self.findings = json.loads(run([WEFT, 'diagnose', '--json', file]))['rows']
            with open(counts, encoding='ascii') as stream:
                lines = [line.rstrip('\n').split('\t') for line in stream]
        finally:
            shutil.rmtree(folder)
        self.submitted = {(int(pid), json.loads(name)[:256]): int(count) for pid, count, name in lines}
        self.blobs = recording.blobs
        self.strings = recording.strings
        for table in TABLES:
            setattr(self, table, recording.rows(table))
        for table in CPU_TABLES:
            setattr(self, table, recording.rows(table))
        self.base = next(d['start'] for d in self.dispatches if self.routine(d) == 'begin')

    @staticmethod
    def record(file, options, before, cpu):
        run([*before, 'env', f'WEFT_CORPUS_RECORD=--cpu={cpu}', RECORD_CORPUS, file, *options])

    def row(self, table, number):
        return getattr(self, table)[number - 1] if number else None

    def routine(self, dispatch):
        return self.row('routines', dispatch['routine'])['name']

    def lane_name(self, row):
        return self.row('lanes', row['lane'])['name']

    def pid_of_lane(self, lane):
        runtime = self.row('runtimes', lane['runtime'])
        return self.row('processes', runtime['process'])['pid']

    def last(self, table, *keys):
        """The newest of the rows that are written again and again, in the order of their keys."""
        newest = {}
        for row in getattr(self, table):
            newest[tuple(row[key] for key in keys)] = row
        return dict(sorted(newest.items()))

    def normal(self, table):
        """The rows of TABLE without what differs from run to run; times since the base."""
        rows = getattr(self, table)
        if table == 'lane_counts':
            rows = self.last(table, 'lane').values()
        elif table == 'losses':
            rows = self.last(table, 'lane', 'runtime', 'reason').values()
        elif table == 'reservations':
            rows = self.pending()
        elif table == 'traces':
            rows = sorted(rows, key=lambda row: row['id'])
        return [self.normal_row(table, row) for row in rows]

    def normal_row(self, table, row):
        row = {name: value for name, value in row.items() if name not in VARYING.get(table, ())}
        real = table == 'dispatches' and not REAL_TIMES.isdisjoint({self.lane_name(row), self.routine(row)})
        if table == 'origins':
            del row['tid']
            real = row['stack'] != 0 or not self.base <= row['time'] < self.base + 500 * MS
        for name in ('start', 'time', 'submitted'):
            if row.get(name) is not None and table != 'lane_counts':
                row[name] = None if real else row[name] - self.base
        if real and table == 'dispatches' and self.lane_name(row) == 'scoped spans':
            row['duration'] = row['child_time'] = None
        return row

    def pending(self):
        done = {(self.row('lanes', d['lane'])['runtime'], d['producer_id']) for d in self.dispatches}
        rows = [row for row in self.reservations if (row['runtime'], row['producer_id']) not in done]
        return sorted(rows, key=lambda row: row['producer_id'])


class Imported(Corpus):
    """The same, from the files that the program leaves where no recorder is."""

    @staticmethod
    def record(file, options, before, cpu):
        folder = os.path.dirname(file)
        environment = dict(os.environ, WEFT_RUNTIME_DIR=os.path.join(folder, 'none'), WEFT_TARGET_SPOOL=folder)
        run([WEFT_CORPUS, *options], env=environment)
        spools = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith('.spool')]
        run([WEFT, 'import', '-o', file, *spools])


class Whole(unittest.TestCase):
    def check_conservation(self, corpus):
        """submitted = completed + pending + sampled out + rejected + lost, each by its own witness."""
        counts = corpus.last('lane_counts', 'lane')
        losses = corpus.last('losses', 'lane', 'runtime', 'reason')
        for lane in corpus.lanes:
            with self.subTest(lane['name']):
                told = counts[(lane['id'],)]
                # An inherited lane, of which the child handed over nothing.
                handed = corpus.submitted.get((corpus.pid_of_lane(lane), lane['name']), 0)
                by_category = {category: sum(
                    loss['count'] for key, loss in losses.items()
                    if key[0] == lane['id'] and loss['category'] == category) for category in (0, 1, 2)}
                completed = sum(d['lane'] == lane['id'] for d in corpus.dispatches)
                pending = sum(row['lane'] == lane['id'] for row in corpus.pending())
                self.assertEqual(told['submitted'], handed)
                self.assertEqual(told['completed'], completed)
                self.assertEqual(told['pending'], pending)
                self.assertEqual([told['rejected'], told['lost'], told['sampled_out']],
                                 list(by_category.values()))
                self.assertEqual(handed, completed + pending + sum(by_category.values()))

    def test_conservation(self):
        corpus = Corpus()
        self.check_conservation(corpus)
        lost = {row['reason'] for row in corpus.losses if row['category'] == 1}
        self.assertEqual(lost, {'no-room', 'reentrant'})

    def test_two_runs_are_alike(self):
        first, second = Corpus('--no-drops'), Corpus('--no-drops')
        for table in TABLES:
            with self.subTest(table):
                self.assertEqual(first.normal(table), second.normal(table))

    def test_own_clock(self):
        """With the processor's counter, times are as exact as its calibration."""
        first, second = Corpus('--no-drops', '--own-clock'), Corpus('--no-drops')
        self.check_conservation(first)
        for a, b in zip(first.normal('dispatches'), second.normal('dispatches')):
            if a['start'] is not None and b['start'] is not None:
                self.assertLess(abs(a['start'] - b['start']), MS)
                self.assertLess(abs(a['duration'] - b['duration']), 20 * US)

    def test_import(self):
        """As a live recording, but that threads which never reported are unknown, and that nobody knows
        when the program was started and when the last was written."""
        imported, live = Imported('--no-drops'), Corpus('--no-drops')
        self.check_conservation(imported)
        self.assertEqual(self.count_dispatches(imported), self.count_dispatches(live))
        for table in TABLES:
            if table not in ('dispatches', 'threads', 'lane_counts', 'losses', 'clock_pairs'):
                with self.subTest(table):
                    self.assertEqual(len(imported.normal(table)), len(live.normal(table)))
        self.assertEqual({t['name'] for t in live.threads} - {t['name'] for t in imported.threads},
                         {'dormant', 'brief'})
        statuses = [LINK_STATUSES[o['link_status']] for o in imported.origins]
        self.assertNotIn('undecided', statuses)
        self.assertIn('outside-run', statuses)
        for status in ('synthetic-tid', 'linked-exact', 'stale'):
            self.assertEqual(statuses.count(status),
                             sum(LINK_STATUSES[o['link_status']] == status for o in live.origins), status)
        self.assertEqual(sum(CLASSIFICATIONS[d['classification']] == 'synchronous' for d in imported.dispatches), 3)
        for thread in imported.threads:
            self.assertLess(abs(thread['first_seen'] - imported.base), 60 * 1000 * MS)

    @staticmethod
    def count_dispatches(corpus):
        counts = {}
        for d in corpus.dispatches:
            normal = corpus.normal_row('dispatches', d)
            if corpus.lane_name(d) != 'refusals':
                key = (corpus.lane_name(d), corpus.routine(d), normal['start'], normal['duration'], d['status'],
                       d['depth'], corpus.row('threads', d['thread'])['name'])
                counts[key] = counts.get(key, 0) + 1
        return counts

    def test_scale(self):
        corpus = Corpus('--no-drops', '--only', 'lane-metal,lane-frames', '--scale', '50')
        self.check_conservation(corpus)
        self.assertEqual(len(corpus.dispatches), 1 + 50 * (80 + 24))
        self.assertLess(max(d['start'] for d in corpus.dispatches) - corpus.base, 400 * MS)

    def test_only(self):
        corpus = Corpus('--only', 'phases,spans')
        self.assertEqual({corpus.lane_name(d) for d in corpus.dispatches},
                         {'corpus', 'outcomes', 'spans', 'nested spans', 'scoped spans', 'extremes', 'overlapping'})

    def test_wrong_words(self):
        for words in (['--only', 'no-such'], ['--scale', '0'], ['--scale', '-1'], ['--scale', 'x'], ['word'],
                      ['--no-such']):
            done = subprocess.run([WEFT_CORPUS, *words], stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 2, words)
            self.assertNotEqual(done.stderr, b'')

    def test_without_recorder(self):
        with tempfile.TemporaryDirectory() as folder:
            run([WEFT_CORPUS, '--no-drops'], env=dict(os.environ, WEFT_RUNTIME_DIR=folder))

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which('setpriv'), 'not root, or no setpriv')
    def test_unprivileged(self):
        if subprocess.run([*NOBODY, 'test', '-x', WEFT_CORPUS]).returncode != 0:
            self.skipTest('the build folder is closed to others')
        self.check_conservation(Corpus(before=NOBODY))

    def test_readme(self):
        with open(os.path.join(HERE, 'README.md'), encoding='utf-8') as file:
            rows = [line[2:-3].split(' | ') for line in file if line.startswith('| `')]
        self.assertEqual(rows, [[f'`{name}`', summary, expectation]
                                for _, name, summary, expectation in list_cases()])


class Cases(unittest.TestCase):
    """Each case, in one recording of all."""

    @classmethod
    def setUpClass(cls):
        cls.c = Corpus(cpu='auto')

    def test_every_case_has_a_test(self):
        tests = {name[5:].replace('_', '-') for name in dir(self) if name.startswith('test_')}
        self.assertEqual({test for test in tests if not test.startswith('every-')}, {case[1] for case in list_cases()})

    def test_every_column_has_something(self):
        for table in TABLES:
            rows = getattr(self.c, table)
            for column in rows[0]:
                with self.subTest(f'{table}.{column}'):
                    self.assertTrue(column in EMPTY.get(table, ()) or any(row[column] for row in rows))

    def test_every_number_is_there(self):
        for table, columns in ENUMERATIONS.items():
            for column, n in columns.items():
                with self.subTest(f'{table}.{column}'):
                    self.assertEqual({row[column] for row in getattr(self.c, table)}, set(range(n)))
        marks = {d['marks'] for d in self.c.dispatches}
        self.assertEqual(marks, {0, 1, 2, 4})
        owners = {tag['owner_table'] for tag in self.c.tags}
        self.assertEqual(owners, {4, 10, 13, 14, 16, 18, 20, 32, 33, 35})

    # ---- What was recorded of a case ----

    def lane(self, name):
        lanes = [lane for lane in self.c.lanes if lane['name'] == name]
        self.assertEqual(len(lanes), 1, name)
        return lanes[0]

    def on(self, name, kind=None):
        """The dispatches of a lane, by start."""
        lane = self.lane(name)
        if kind is not None:
            self.assertEqual(lane['kind'], kind)
        return sorted((d for d in self.c.dispatches if d['lane'] == lane['id']), key=lambda d: (d['start'], d['id']))

    def of(self, routine, lane=None):
        """The dispatches of a routine, by start."""
        return sorted((d for d in self.c.dispatches if self.c.routine(d) == routine
                       and (lane is None or self.c.lane_name(d) == lane)), key=lambda d: (d['start'], d['id']))

    def one(self, routine, **columns):
        dispatches = self.of(routine)
        self.assertEqual(len(dispatches), 1, routine)
        for name, value in columns.items():
            self.assertEqual(dispatches[0][name], value, name)
        return dispatches[0]

    def routines(self, dispatches):
        return [self.c.routine(d) for d in dispatches]

    def durations(self, dispatches):
        return [d['duration'] / MS for d in dispatches]

    def starts(self, dispatches):
        return [(d['start'] - self.c.base) / MS for d in dispatches]

    def belonging(self, table, column, row):
        return [other for other in getattr(self.c, table) if other[column] == row['id']]

    def origins(self, dispatch):
        """Those that came with it, and those that name it."""
        runtime = self.c.row('lanes', dispatch['lane'])['runtime']
        return sorted((o for o in self.c.origins if o['dispatch'] == dispatch['id'] or (
            o['dispatch'] == 0 and o['producer_dispatch'] == dispatch['producer_id'] != 0
            and o['runtime'] == runtime)), key=lambda o: o['time'])

    def thread_name(self, row):
        return self.c.row('threads', row['thread'])['name']

    def source(self, row):
        return self.c.row('sources', row['source'])

    def losses(self, lane):
        """Reason → count of a lane, or of none."""
        number = self.lane(lane)['id'] if lane else 0
        newest = {}
        for row in self.c.losses:
            if row['lane'] == number:
                newest[row['runtime'], row['reason']] = row['count']
        return {reason: sum(n for (_, r), n in newest.items() if r == reason) for _, reason in newest}

    def tags(self, table, row):
        number = {'dispatches': 20, 'lanes': 10, 'routines': 16, 'queues': 13, 'runtimes': 4, 'metrics': 32,
                  'metric_points': 33, 'warnings': 35, 'sources': 14, 'submissions': 18}[table]
        return {tag['key']: tag['text'] if tag['type'] == 4 else
                struct.unpack('<d', struct.pack('<Q', tag['bits']))[0] if tag['type'] == 2 else
                tag['bits'] - (tag['bits'] >> 63 << 64) if tag['type'] == 1 else
                bool(tag['bits']) if tag['type'] == 3 else tag['bits']
                for tag in self.c.tags if tag['owner_table'] == number and tag['owner'] == row['id']}

    # ---- threads ----

    def check_waiter(self, name, routine):
        dispatches = self.on(name, 'threadpool.worker')
        self.assertEqual(self.routines(dispatches), [routine] * 4)
        self.assertEqual(self.durations(dispatches), [10] * 4)
        self.assertEqual({self.thread_name(d) for d in dispatches}, {name})

    def test_wait_condition(self):
        self.check_waiter('consumer', 'pop_item')

    def test_wait_sleep(self):
        self.check_waiter('ticker', 'tick')

    def test_wait_pipe(self):
        self.check_waiter('reader', 'read_pipe')

    def test_cpu_work(self):
        dispatches = self.on('crunch', 'threadpool.worker')
        self.assertEqual(self.routines(dispatches), ['multiply_matrices', 'hash_blocks', 'parse_numbers'])
        self.assertEqual(self.starts(dispatches), [0, 100, 200])
        self.assertEqual(self.durations(dispatches), [100] * 3)
        self.assertEqual({self.thread_name(d) for d in dispatches}, {'crunch'})

    # ---- processes ----

    def test_process_fork(self):
        dispatches = self.on('child')
        self.assertEqual(self.routines(dispatches), ['child_work'] * 5)
        self.assertEqual(self.durations(dispatches), [8] * 5)
        # Others may be there that reported nothing.
        reported = {runtime['process'] for runtime in self.c.runtimes}
        parent, child = [process for process in self.c.processes if process['id'] in reported]
        self.assertEqual(child['parent_pid'], parent['pid'])
        runtime = self.c.row('runtimes', self.lane('child')['runtime'])
        self.assertEqual(runtime['process'], child['id'])
        self.assertEqual(self.c.row('threads', dispatches[0]['thread'])['process'], child['id'])
        self.assertEqual(self.thread_name(dispatches[0]), 'corpus-child')

    def test_thread_short(self):
        dispatches = self.on('short-lived')
        self.assertEqual(self.routines(dispatches), ['short_work'] * 3)
        self.assertEqual(len({d['thread'] for d in dispatches}), 3)
        self.assertEqual([self.thread_name(d) for d in dispatches], ['short-lived'] * 3)

    def test_thread_names(self):
        self.assertEqual({self.c.routine(d): self.thread_name(d) for d in self.on('named threads')},
                         {'long_name': 'a rather long t', 'not_ascii': 'überträger', 'no_name': ''})

    # ---- waits ----

    def check_wait(self, routine, threads, duration=4, lane='wait queue'):
        """THREADS: role → name. Returns the dispatch and role → origin."""
        dispatch = self.one(routine)
        self.assertEqual(self.c.lane_name(dispatch), lane)
        self.assertEqual(self.durations([dispatch]), [duration])
        origins = {o['role']: o for o in self.origins(dispatch)}
        self.assertEqual({role: self.thread_name(o) for role, o in origins.items()}, threads)
        for origin in origins.values():
            stack = self.c.row('stacks', origin['stack'])
            self.assertEqual(stack['thread'], origin['thread'])
            self.assertGreater(stack['copied'], 64)
        self.assertLess(origins[0]['time'], dispatch['start'])
        return dispatch, origins

    def check_classification(self, dispatch, classification, reason):
        self.assertEqual((CLASSIFICATIONS[dispatch['classification']],
                          CLASSIFICATION_REASONS[dispatch['classification_reason']]), (classification, reason))
        if classification != 'synchronous':
            self.assertEqual(dispatch['shared_callchain'], 0)

    def outwards(self, callchain):
        """A stack as the numbers of its callchains, the innermost first."""
        chains = []
        while callchain:
            chains.append(callchain)
            callchain = self.c.row('callchains', callchain)['parent']
        return chains

    def check_shared(self, dispatch, queued, waited):
        """The shared stack is a part of the one that queued the dispatch, and of the one that waited
        but for the place in the innermost function."""
        if not queued['link_callchain'] or not waited['link_callchain']:
            self.assertEqual(dispatch['shared_callchain'], 0)
            return
        first, second = self.outwards(queued['link_callchain']), self.outwards(waited['link_callchain'])
        shared = self.outwards(dispatch['shared_callchain'])
        self.assertGreater(len(shared), 1)
        self.assertEqual(shared, first[-len(shared):])
        self.assertEqual(shared[1:], second[-len(shared) + 1:])

    def test_every_bad_origin_has_its_finding(self):
        """And good ones none; where nothing was sampled, that is no fault of theirs."""
        statuses = {LINK_STATUSES[o['link_status']] for o in self.c.origins}
        self.assertLessEqual({'linked-exact', 'wrong-pid', 'synthetic-tid', 'missing-thread', 'outside-run', 'stale'},
                             statuses)
        if self.c.samples:
            self.assertLessEqual({'linked', 'too-far'}, statuses)
        for origin in self.c.origins:
            with self.subTest(origin['id']):
                self.check_findings(origin, LINK_STATUSES[origin['link_status']])
        checks = {f['check']: f for f in self.c.findings}
        self.assertIn(checks['origin-links']['verdict'], ('good', 'attention'))
        self.assertEqual(checks['parallelism']['verdict'], 'good')
        self.assertIn('synchronous: 3,', checks['parallelism']['evidence'])
        self.assertEqual(len(checks['waiting-threads']['handles'].split()), 2)
        if not self.c.samples:
            self.assertEqual(checks['origin-stacks']['verdict'], 'not-applicable')

    def test_wait_synchronous(self):
        dispatch, origins = self.check_wait('wait-synchronous', {0: 'render', 1: 'render', 2: 'render'})
        self.assertEqual(len({o['thread'] for o in origins.values()}), 1)
        self.assertLess(origins[0]['time'], origins[1]['time'])
        self.assertLess(origins[1]['time'], dispatch['start'] + dispatch['duration'])
        self.assertGreater(origins[2]['time'], dispatch['start'] + dispatch['duration'])
        self.check_classification(dispatch, 'synchronous', 'wait')
        self.check_shared(dispatch, origins[0], origins[1])

    def test_wait_asynchronous(self):
        dispatch, origins = self.check_wait('wait-asynchronous', {0: 'render', 3: 'completion'})
        self.assertGreaterEqual(origins[3]['time'], dispatch['start'] + dispatch['duration'])
        self.check_classification(dispatch, 'asynchronous', 'no-wait')

    def test_wait_other_thread(self):
        dispatch, origins = self.check_wait('wait-other-thread', {0: 'render', 1: 'collector', 2: 'collector'})
        self.assertGreater(origins[2]['time'], dispatch['start'] + dispatch['duration'])
        self.check_classification(dispatch, 'asynchronous', 'wait-elsewhere')

    def test_wait_submission(self):
        first, second = self.of('wait-submission')
        self.assertEqual(self.durations([first, second]), [4, 4])
        self.assertEqual(first['start'] + first['duration'], second['start'])
        self.assertEqual(first['submission'], second['submission'])
        waits = {o['role']: o for o in self.c.origins if o['submission'] == first['submission']}
        self.assertEqual(set(waits), {1, 2})
        for dispatch in first, second:
            origin, = self.origins(dispatch)
            self.check_classification(dispatch, 'synchronous', 'wait')
            self.check_shared(dispatch, origin, waits[1])
            self.assertEqual((origin['role'], origin['thread']), (0, waits[1]['thread']))
        self.assertEqual(waits[1]['thread'], waits[2]['thread'])
        self.assertGreater(waits[2]['time'], second['start'] + second['duration'])

    def test_wait_too_short(self):
        dispatch, origins = self.check_wait('wait-too-short', {0: 'render', 1: 'render', 2: 'render'})
        self.assertLess(origins[1]['time'], dispatch['start'])
        self.assertLess(origins[2]['time'], dispatch['start'] + dispatch['duration'])
        self.check_classification(dispatch, 'asynchronous', 'wait-ended-first')

    def test_wait_ambiguous(self):
        dispatch, origins = self.check_wait('wait-ambiguous', {0: 'render', 1: 'render', 2: 'render'},
                                            lane='coarse queue')
        clock = self.c.row('clocks', self.lane('coarse queue')['clock'])
        pairs = self.belonging('clock_pairs', 'clock', clock)
        self.assertEqual([pair['error_bound'] for pair in pairs], [200 * US] * 2)
        self.assertLess(abs(origins[2]['time'] - dispatch['start'] - dispatch['duration']), 40 * US)
        self.assertIsNotNone(dispatch['start_ticks'])
        self.check_classification(dispatch, 'unknown', 'clock-error')

    # ---- spans ----

    def test_span_plain(self):
        dispatch = self.one('span-plain', depth=0, producer_id=0, submission=0, child_time=0)
        self.assertEqual(self.durations([dispatch]), [2])
        self.assertEqual(self.c.lane_name(dispatch), 'spans')

    def test_span_ids(self):
        dispatch = self.one('span-ids')
        self.assertNotEqual(dispatch['producer_id'], 0)
        self.assertEqual(self.c.row('submissions', dispatch['submission'])['lane'], dispatch['lane'])

    def test_span_extremes(self):
        self.assertEqual([d['duration'] for d in self.on('extremes')], [0, 1, 390 * MS])

    def test_span_overlapping(self):
        dispatches = self.on('overlapping')
        self.assertEqual(self.starts(dispatches), [10, 12, 14, 16, 18])
        self.assertEqual(self.durations(dispatches), [7] * 5)
        self.assertEqual({(d['depth'], d['child_time']) for d in dispatches}, {(0, 0)})

    def test_span_nested(self):
        dispatches = self.on('nested spans')
        self.assertEqual(self.routines(dispatches), ['span-nested', 'span-nested-child', 'span-nested-leaf',
                                                     'span-nested-leaf', 'span-nested-child'])
        self.assertEqual([d['depth'] for d in dispatches], [1, 2, 3, 3, 2])
        self.assertEqual(self.durations(dispatches), [20, 10, 3, 2, 4])
        self.assertEqual([d['child_time'] / MS for d in dispatches], [14, 5, 0, 0, 0])

    def test_span_scope(self):
        outer = self.one('span-scope', depth=1)
        inner = self.of('span-scope-inner')
        self.assertEqual([d['depth'] for d in inner], [2, 2])
        self.assertEqual(outer['child_time'], sum(d['duration'] for d in inner))
        self.assertGreaterEqual(min(d['duration'] for d in inner), MS)
        self.assertGreater(outer['duration'], outer['child_time'])

    def test_span_foreign_end(self):
        dispatch = self.one('span-foreign-end', depth=0)
        self.assertEqual(self.thread_name(dispatch), 'finisher')
        self.assertGreaterEqual(dispatch['duration'], MS)

    # ---- lanes ----

    def check_traffic(self, lane, kind, routines, count):
        dispatches = self.on(lane, kind)
        self.assertEqual(self.routines(dispatches), (routines * count)[:count])
        for earlier, later in zip(dispatches, dispatches[1:]):
            self.assertLessEqual(earlier['start'] + earlier['duration'], later['start'])

    def test_lane_metal(self):
        self.check_traffic('GPU queue 0', 'metal.queue', ['gemm_q4', 'rms_norm', 'softmax', 'rope'], 80)

    def test_lane_model(self):
        self.check_traffic('language model', 'model.operator', ['attention', 'feed_forward', 'layer_norm'], 60)

    def test_lane_database(self):
        self.check_traffic('orders database', 'database.query', ['SELECT orders', 'UPDATE stock', 'INSERT audit'], 40)

    def test_lane_jit(self):
        self.check_traffic('script engine', 'jit.stage', ['parse', 'baseline', 'optimize', 'deoptimize'], 24)

    def test_lane_storage(self):
        self.check_traffic('nvme0n1', 'storage.request', ['read', 'write', 'flush'], 64)

    def test_lane_network(self):
        self.check_traffic('api.example', 'network.request', ['GET /orders', 'POST /payments'], 32)

    def test_lane_executor(self):
        pool = self.lane('worker pool')
        self.assertEqual(self.on('worker pool', 'executor.pool'), [])
        for i in range(4):
            self.assertEqual(self.lane(f'worker {i}')['parent'], pool['id'])
            self.check_traffic(f'worker {i}', 'executor.worker', ['fetch', 'decode', 'store'], 25 + i)

    def test_lane_codec(self):
        self.check_traffic('video decoder', 'codec.element', ['decode_slice', 'deblock', 'scale_frame'], 48)

    def test_lane_frames(self):
        self.check_traffic('frame loop', 'frameloop.loop', ['frame'], 24)
        starts = [d['start'] for d in self.on('frame loop')]
        self.assertEqual({b - a for a, b in zip(starts, starts[1:])}, {16666667})

    # ---- origins ----

    def check_link(self, origin, status):
        """What the linker decided. Which samples there are depends on how busy the machine is, and whether
        it can sample at all: what they have to lead to is worked out anew. Where none is near enough, it
        is decided before all are there."""
        if status in BY_SAMPLES:
            times = [s['time'] - origin['time'] for s in self.c.samples if s['thread'] == origin['thread']]
            nearest = min(map(abs, times), default=None)
            status = 'no-stack' if nearest is None else 'linked' if nearest <= 10 * MS else 'too-far'
            if status == 'too-far' and min(times) > 10 * MS and origin['link_distance'] == 0:
                status = 'no-stack'
            if status != 'too-far':
                self.assertEqual(origin['link_distance'], nearest if status == 'linked' else 0)
            else:
                self.assertGreaterEqual(origin['link_distance'], nearest)
        self.assertEqual(LINK_STATUSES[origin['link_status']], status)
        if status not in ('linked', 'too-far'):
            self.assertEqual((origin['link_sample'], origin['link_distance']), (0, 0))
        elif status == 'linked':
            self.assertLessEqual(origin['link_distance'], 10 * MS)
            self.assertNotEqual(origin['link_callchain'], 0)
            sample = self.c.row('samples', origin['link_sample'])
            self.assertEqual(sample['thread'], origin['thread'])
            self.assertEqual(abs(sample['time'] - origin['time']), origin['link_distance'])
            self.assertEqual(sample['callchain'], origin['link_callchain'])
        else:
            self.assertGreater(origin['link_distance'], 10 * MS)
            self.assertEqual(origin['link_callchain'], 0)

    def check_findings(self, origin, status):
        """Of all findings that name origins, exactly the one that is meant for it names this one."""
        checks = [f['check'] for f in self.c.findings if f'o-{origin["id"]}' in (f['handles'] or '').split()]
        expected = FINDINGS.get(status)
        # Whoever heard of an end tells who and when; that no stack goes with it is no fault.
        if expected in ('origin-stacks', 'origin-samples') and (not self.c.samples or origin['role'] >= 3):
            expected = None
        self.assertEqual(checks, [expected] if expected else [])
        if expected:
            finding, = (f for f in self.c.findings if f['check'] == expected)
            self.assertEqual(finding['verdict'], 'attention')
            self.assertTrue(finding['evidence'] and finding['advice'])

    def check_origin(self, routine, before, thread, status):
        """One origin of role dispatch without a stack, BEFORE ns before the start, on THREAD or none."""
        dispatch = self.one(routine)
        origin, = self.origins(dispatch)
        self.assertEqual((origin['role'], origin['stack']), (0, 0))
        if before is not None:
            self.assertEqual(dispatch['start'] - origin['time'], before)
        if thread is None:
            self.assertEqual(origin['thread'], 0)
        else:
            self.assertEqual(self.thread_name(origin), thread)
            self.assertEqual(self.c.row('threads', origin['thread'])['tid'], origin['tid'])
        if status:
            self.check_link(origin, status)
        self.check_findings(origin, LINK_STATUSES[origin['link_status']])
        return origin

    def test_origin_roles(self):
        origins = self.origins(self.one('origin-roles'))
        self.assertEqual([o['role'] for o in origins], [0, 1, 2, 3, 4])
        self.assertEqual([(o['time'] - origins[0]['time']) / US for o in origins], [0, 100, 200, 300, 400])
        self.assertEqual({(o['stack'], self.thread_name(o)) for o in origins}, {(0, 'weft-corpus')})

    def test_origin_roles_stacks(self):
        origins = self.origins(self.one('origin-roles-stacks'))
        self.assertEqual([o['role'] for o in origins], [0, 1, 2, 3, 4])
        self.assertEqual(len({o['stack'] for o in origins}), 5)
        for origin in origins:
            stack = self.c.row('stacks', origin['stack'])
            self.assertEqual((stack['thread'], stack['time']), (origin['thread'], origin['time']))
            self.assertGreater(stack['copied'], 64)
            self.assertNotEqual(stack['program_counter'], 0)
            self.check_link(origin, 'linked-exact')

    def test_origin_none(self):
        self.assertEqual(self.origins(self.one('origin-none')), [])

    def test_origin_unheard(self):
        self.assertEqual(self.origins(self.one('origin-unheard')), [])

    def test_origin_ended_thread(self):
        self.check_origin('origin-ended-thread', 200 * US, 'asker', None)  # it may be sampled

    def test_origin_late(self):
        dispatch = self.one('origin-late')
        origin, = self.origins(dispatch)
        self.assertEqual((origin['role'], origin['dispatch']), (3, dispatch['id']))
        self.assertEqual(origin['time'], dispatch['start'] + dispatch['duration'])

    def test_origin_linked_exact(self):
        dispatch = self.one('origin-linked-exact')
        origin, = self.origins(dispatch)
        self.assertEqual(self.thread_name(origin), 'encoder')
        self.assertEqual(self.c.row('stacks', origin['stack'])['time'], origin['time'])
        self.check_link(origin, 'linked-exact')

    def test_origin_linked(self):
        self.check_origin('origin-linked', 200 * US, 'crunch', 'linked')

    def test_origin_missing_thread(self):
        origin = self.check_origin('origin-missing-thread', 200 * US, None, 'missing-thread')
        self.assertNotIn(origin['tid'], {thread['tid'] for thread in self.c.threads})

    def test_origin_no_stack(self):
        self.check_origin('origin-no-stack', 200 * US, 'dormant', 'no-stack')

    def test_origin_too_far(self):
        self.check_origin('origin-too-far', 200 * US, 'brief', 'too-far')

    def test_origin_synthetic_tid(self):
        origin = self.check_origin('origin-synthetic-tid', 200 * US, None, 'synthetic-tid')
        self.assertEqual(origin['tid'], 2147418113)
        self.assertNotIn(origin['tid'], {thread['tid'] for thread in self.c.threads})

    def test_origin_wrong_pid(self):
        origin = self.check_origin('origin-wrong-pid', 200 * US, None, 'wrong-pid')
        self.assertEqual(origin['tid'], self.c.processes[1]['pid'])
        self.assertEqual({thread['process'] for thread in self.c.threads if thread['tid'] == origin['tid']}, {2})

    def test_origin_stale(self):
        self.check_origin('origin-stale', 390 * MS, 'crunch', 'stale')

    def test_origin_before_run(self):
        origin = self.check_origin('origin-before-run', None, 'weft-corpus', 'outside-run')
        self.assertLess(origin['time'], -50 * 1000 * MS)

    def test_origin_after_run(self):
        origin = self.check_origin('origin-after-run', None, 'weft-corpus', 'outside-run')
        self.assertEqual(origin['time'] - self.c.base, 3600 * 1000 * MS)

    # ---- submissions ----

    def events(self, submission):
        return [(e['kind'], e['status'], (e['time'] - self.c.base) / MS)
                for e in self.c.submission_events if e['submission'] == submission]

    def test_submission_life(self):
        dispatches = self.of('submission-life')
        self.assertEqual(self.durations(dispatches), [0.5, 1, 1.5])
        submission, = {d['submission'] for d in dispatches}
        self.assertEqual(self.events(submission), [(0, 0, 10), (1, 0, 11), (2, 0, 18)])
        self.assertEqual(self.c.row('submissions', submission)['lane'], self.lane('submissions')['id'])

    def test_submission_fault(self):
        dispatch = self.one('submission-fault')
        self.assertEqual(self.events(dispatch['submission']), [(1, 0, 20), (3, 1, 23)])
        event = [e for e in self.c.submission_events if e['submission'] == dispatch['submission']][1]
        error = self.c.row('errors', event['error'])
        self.assertEqual([error[name] for name in ('name', 'message', 'stack', 'cause')],
                         ['IOAF', 'execution was aborted: page fault', 'at scatter\nat step', 'buffer 3 was freed'])

    def test_submission_canceled(self):
        events = [s['id'] for s in self.c.submissions if self.events(s['id']) == [(0, 0, 30), (2, 2, 31)]]
        self.assertEqual(len(events), 1)
        self.assertEqual([d for d in self.c.dispatches if d['submission'] == events[0]], [])

    def test_submission_origin(self):
        submission = self.c.row('submissions', self.one('submission-origin')['submission'])
        origin, = self.belonging('origins', 'submission', submission)
        self.assertEqual((origin['role'], origin['dispatch'], self.thread_name(origin)), (0, 0, 'crunch'))
        self.assertEqual(self.tags('submissions', submission), {'pass': 'shadows'})
        self.assertEqual(self.events(submission['id']), [(1, 0, 34)])

    def test_submission_queues(self):
        by_queue = {}
        for d in self.of('submission-queues'):
            by_queue.setdefault(self.c.row('queues', d['queue'])['name'], []).append(d)
        self.assertEqual({name: len(ds) for name, ds in by_queue.items()}, {'compute': 4, 'copy': 2})
        for dispatches in by_queue.values():
            submission, = {d['submission'] for d in dispatches}
            self.assertEqual(self.c.row('submissions', submission)['queue'], dispatches[0]['queue'])

    def test_queue_delay(self):
        dispatches = self.of('queue-delay')
        self.assertEqual(self.durations(dispatches), [2, 2, 2])
        self.assertEqual([(d['start'] - d['submitted']) / MS for d in dispatches], [0.1, 1, 10])

    def test_reservation_completed(self):
        dispatches = self.of('reservation-completed')
        self.assertEqual(self.durations(dispatches), [3] * 4)
        for d in dispatches:
            self.assertEqual((d['start'] - d['submitted'], d['label'], d['marks']), (500 * US, 'asked for', 0))

    def test_reservation_reversed(self):
        dispatch = self.one('reservation-reversed', marks=0)
        self.assertEqual((dispatch['start'] - dispatch['submitted']) / MS, 1)

    def test_reservation_pending(self):
        self.assertEqual(self.of('reservation-pending'), [])
        lane = self.lane('submissions')
        self.assertEqual(self.c.last('lane_counts', 'lane')[lane['id'],]['pending'], 3)
        pending = self.c.pending()
        self.assertEqual([(row['submitted'] - self.c.base) / MS for row in pending], [130, 131, 132])
        self.assertEqual({(row['lane'], self.c.row('routines', row['routine'])['name']) for row in pending},
                         {(lane['id'], 'reservation-pending')})
        self.assertEqual([(row['submission'], row['queue'], row['trace']) for row in pending[:2]], [(0, 0, 0)] * 2)
        self.assertEqual(self.c.row('queues', pending[2]['queue'])['name'], 'stuck')
        self.assertEqual(self.c.row('submissions', pending[2]['submission'])['queue'], pending[2]['queue'])
        self.assertEqual(pending[2]['trace'], self.trace('reservation-pending')['id'])

    def test_completion_unreserved(self):
        dispatch = self.one('completion-unreserved', marks=4, submitted=None)
        self.assertEqual(self.durations([dispatch]), [3])

    # ---- outcomes ----

    def test_status_ok(self):
        self.assertEqual(self.c.lane_name(self.one('status-ok', status=0, label='job 17', attempts=None)), 'outcomes')

    def test_status_errors(self):
        names = ['status-error', 'error-abort', 'error-queue', 'error-crash', 'error-exception', 'error-fault',
                 'error-timeout']
        for kind, name in enumerate(names):
            self.one(name, status=1, error_kind=kind, error=0)

    def test_error_detail(self):
        error = self.c.row('errors', self.one('error-detail', status=1, error_kind=4)['error'])
        self.assertEqual([error[name] for name in ('name', 'message', 'stack', 'cause')],
                         ['ConnectionLost', 'the peer closed the connection', 'at fetch (client.c:88)\nat main',
                          'keep-alive expired'])

    def test_cancel_before_dispatch(self):
        dispatch = self.one('cancel-before-dispatch', status=2, duration=0, attempts=0, queue_wait=7 * MS)
        self.assertEqual(dispatch['start'] - dispatch['submitted'], 7 * MS)

    def test_cancel_in_flight(self):
        self.one('cancel-in-flight', status=2, duration=2 * MS, attempts=1)

    def test_attempts(self):
        self.assertEqual([d['attempts'] for d in self.of('attempts')], [0, 1, 3, None])

    def test_queue_wait(self):
        self.assertEqual([(d['attempts'], d['queue_wait'], d['queue_wait_last']) for d in self.of('queue-wait')],
                         [(3, 7 * MS, 4 * MS), (1, 0, 0)])

    def test_phases(self):
        phases = self.belonging('phases', 'dispatch', self.one('phases'))
        self.assertEqual([(p['name'], p['offset'] / MS, p['duration'] / MS, p['flags']) for p in phases],
                         [('queued', 0, 1, 0), ('parse', 1, 2, 0), ('decode', 3, 6, 1), ('store', 9, 1, 3)])
        self.assertEqual([p['error'] for p in phases[:3]], [0] * 3)
        self.assertEqual(self.c.row('errors', phases[3]['error'])['message'], 'no space left on the device')

    def test_tags(self):
        dispatch = self.one('tags')
        lane = self.lane('outcomes')
        self.assertEqual(self.tags('dispatches', dispatch),
                         {'bytes': 2 ** 64 - 1, 'balance': -12, 'ratio': 0.125, 'cached': True, 'tenant': 'north'})
        self.assertEqual(self.tags('lanes', lane), {'tenant': 'north'})
        self.assertEqual(self.tags('routines', self.c.row('routines', dispatch['routine'])), {'cached': True})
        queue, = [q for q in self.c.queues if q['name'] == 'tagged queue']
        self.assertEqual(self.tags('queues', queue), {'bytes': 2 ** 64 - 1})
        self.assertEqual(self.tags('runtimes', self.c.row('runtimes', lane['runtime'])), {'ratio': 0.125})

    # ---- outliers ----

    def check_outlier(self, name, kind='metal.queue'):
        dispatches = self.on(name, kind)
        self.assertEqual(self.routines(dispatches), [name] * 60)
        odd = dispatches.pop(41)
        self.assertEqual(odd['duration'], 9 * MS)
        self.assertGreaterEqual(min(d['duration'] for d in dispatches), MS)
        self.assertLessEqual(max(d['duration'] for d in dispatches), 1010 * US)
        return odd, dispatches

    def test_outlier_queue_delay(self):
        odd, others = self.check_outlier('outlier-queue-delay')
        self.assertEqual((odd['queue_wait'], odd['start'] - odd['submitted']), (25 * MS, 25 * MS))
        self.assertEqual({(d['queue_wait'], d['start'] - d['submitted']) for d in others}, {(50 * US, 50 * US)})

    def test_outlier_size(self):
        odd, others = self.check_outlier('outlier-size')
        sizes = {a['dispatch']: a['size'] for a in self.c.attachments}
        self.assertEqual(sizes[odd['id']], 64 << 20)
        self.assertEqual({sizes[d['id']] for d in others}, {1 << 20})

    def test_outlier_counter(self):
        odd, others = self.check_outlier('outlier-counter')
        samples = {s['dispatch']: s['id'] for s in self.c.counter_samples}
        misses = {v['sample']: v['bits'] for v in self.c.counter_values}
        self.assertEqual(misses[samples[odd['id']]], 90000)
        self.assertEqual({misses[samples[d['id']]] for d in others}, set(range(1000, 1007)))

    def test_outlier_phase(self):
        odd, others = self.check_outlier('outlier-phase', 'frameloop.loop')
        physics = {p['dispatch']: p for p in self.c.phases if p['name'] == 'system:physics'}
        self.assertEqual((physics[odd['id']]['offset'], physics[odd['id']]['flags']), (100 * US, 1))
        self.assertGreaterEqual(physics[odd['id']]['duration'], 8400 * US)
        self.assertEqual({(physics[d['id']]['duration'], physics[d['id']]['flags']) for d in others},
                         {(500 * US, 0)})
        ticks = [self.tags('dispatches', d)['tick'] for d in self.on('outlier-phase')]
        self.assertEqual(ticks, list(range(1, 61)))

    def test_outlier_unexplained(self):
        odd, _ = self.check_outlier('outlier-unexplained')
        self.assertEqual((odd['queue_wait'], odd['submitted']), (None, None))

    # ---- sources ----

    def text(self, source):
        return self.c.blobs[source['text']].decode() if source['text'] else None

    def test_source_text(self):
        wanted = {'decode': ('python', 'filters/decode.py', 'def decode'),
                  'SELECT orders by customer': ('sql', '', 'SELECT o.id'),
                  'scale': ('opencl', 'kernels/scale.cl', '__kernel void scale')}
        for d in (d for d in self.on('sources') if self.c.routine(d) in wanted):
            language, path, begin = wanted.pop(self.c.routine(d))
            source = self.source(self.c.row('routines', d['routine']))
            self.assertEqual((source['language'], source['path'], source['hash']), (language, path, ''))
            self.assertTrue(self.text(source).startswith(begin))
        self.assertEqual(wanted, {})

    def test_source_line_table(self):
        routine = self.c.row('routines', self.one('source-line-table')['routine'])
        source = self.source(routine)
        self.assertEqual((routine['first_line'], routine['last_line']), (4, 10))
        self.assertEqual([source[name] for name in ('language', 'path', 'hash', 'flavour', 'build_flags')],
                         ['metal', 'shaders/gemm.metal', 'sha256:6f2d0f0c5a3e', 'release',
                          '-O3 -ffast-math -std=metal3.1'])
        self.assertIn('größer als 4 Bit?', self.text(source))
        self.assertEqual([(line['offset'], line['line'], line['column'])
                          for line in self.belonging('source_lines', 'source', source)],
                         [(0, 4, 1), (16, 9, 3), (40, 9, 11), (64, 10, 1), (80, 12, 1), (96, 15, 3), (128, 16, 1)])

    def test_source_ranges(self):
        self.assertEqual([(self.c.row('routines', r['routine'])['name'], r['first_line'], r['last_line'])
                          for r in self.c.source_ranges],
                         [('source-ranges', 4, 7), ('source-ranges', 8, 10), ('source-ranges-other', 12, 16)])
        first, second = self.one('source-ranges'), self.one('source-ranges-other')
        self.assertEqual({self.source(self.c.row('routines', d['routine']))['path'] for d in (first, second)},
                         {'shaders/gemm.metal'})

    def routine_source(self, name):
        routine = self.c.row('routines', self.one(name)['routine'])
        return routine, self.source(routine)

    def test_source_hash_only(self):
        _, source = self.routine_source('source-hash-only')
        self.assertEqual([source[name] for name in ('language', 'path', 'hash', 'text')],
                         ['spir-v', '', 'sha256:9c56cc51b374c3ba189210d5b6d4bf57', 0])

    def test_source_path_only(self):
        routine, source = self.routine_source('source-path-only')
        self.assertEqual([source[name] for name in ('language', 'path', 'hash', 'text')],
                         ['c', '/usr/src/codec/deblock.c', '', 0])
        self.assertEqual((routine['first_line'], routine['last_line']), (120, 188))

    def test_source_flavours(self):
        routines = [self.c.row('routines', d['routine']) for d in self.of('source-flavours')]
        self.assertEqual([r['flavour'] for r in routines], ['f16', 'q4', 'q4-debug'])
        self.assertEqual({r['label'] for r in routines}, {'Attention'})
        sources = [self.source(r) for r in routines]
        self.assertEqual([s['build_flags'] for s in sources], ['-O3', '-O3 -DQ4=1', '-O0 -g -DQ4=1'])
        self.assertEqual([s['flavour'] for s in sources], ['f16', 'q4', 'q4-debug'])
        self.assertEqual(len({s['id'] for s in sources}), 3)
        self.assertEqual(len({s['text'] for s in sources}), 1)

    def test_source_override(self):
        dispatch = self.one('source-override', first_line=2, last_line=2)
        self.assertEqual(self.source(dispatch)['path'], 'app.js')
        self.assertEqual(self.routine_source('source-override')[1]['path'], 'shaders/gemm.metal')

    def test_source_none(self):
        self.assertIsNone(self.routine_source('source-none')[1])

    # ---- attachments ----

    def attachments(self, routine):
        return self.belonging('attachments', 'dispatch', self.one(routine))

    def test_attachment_tensor(self):
        tensor, = self.attachments('attachment-tensor')
        self.assertEqual([tensor[name] for name in ('kind', 'label', 'role', 'element_type', 'shape', 'slot', 'access',
                                                    'offset', 'size', 'privacy')],
                         ['tensor', 'blk.11.attn_q', 'weights', 'q4_0', '4096×4096', 2, 1, 1 << 20, 9 << 20, 0])
        self.assertEqual([(r['name'], r['first'], r['count'])
                          for r in self.belonging('attachment_ranges', 'attachment', tensor)],
                         [('layer', 11, 1), ('head', 0, 32), ('token', -4, 4)])

    def test_attachment_kinds(self):
        attachments = self.attachments('attachment-kinds')
        self.assertEqual([a['kind'] for a in attachments], ['buffer', 'texture', 'file', 'frame', 'message'])
        self.assertEqual([signed(a['slot']) for a in attachments], [0, 1, None, -1, None])
        self.assertEqual([a['size'] for a in attachments], [256, 4194304, 4096, 3110400, 0])

    def test_attachment_access(self):
        attachments = self.attachments('attachment-access')
        self.assertEqual([(a['label'], a['access']) for a in attachments],
                         [('unknown', 0), ('read', 1), ('write', 2), ('both', 3)])

    def test_attachment_redacted(self):
        secret, = self.attachments('attachment-redacted')
        self.assertEqual((secret['kind'], secret['label'], secret['size'], secret['privacy']), ('message', '', 512, 1))
        self.assertEqual(self.belonging('attachment_ranges', 'attachment', secret), [])
        self.assertNotIn('a name that must not be seen', self.c.strings)
        self.assertNotIn(b'a name that must not be seen', self.c.bytes)

    def test_attachment_unknown(self):
        attachment, = self.attachments('attachment-unknown')
        self.assertEqual((attachment['slot'], attachment['size']), (None, None))

    def test_attachment_many(self):
        self.assertEqual([a['slot'] for a in self.attachments('attachment-many')], list(range(32)))
        self.one('attachment-many', marks=2)
        self.assertEqual(self.losses('attachments'), {'list-cut': 1})

    # ---- counters ----

    def counter_set(self, name):
        found, = [s for s in self.c.counter_sets if s['name'] == name]
        return found

    def states(self, name):
        return self.belonging('counter_set_states', 'set', self.counter_set(name))

    def samples(self, rows):
        """(point, its name, values) of samples: values by the counter's type, or None for an error."""
        result = []
        for sample in rows:
            values = []
            for value in self.belonging('counter_values', 'sample', sample):
                kind = self.c.row('counters', value['counter'])['value_type']
                number = (value['bits'], signed(value['bits']),
                          struct.unpack('<d', struct.pack('<Q', value['bits']))[0])[kind]
                values.append(None if value['is_error'] else number)
            result.append((sample['point'], sample['point_name'], values))
        return result

    def samples_of(self, routine):
        return self.belonging('counter_samples', 'dispatch', self.one(routine))

    def test_counter_types(self):
        self.assertEqual(self.samples(self.samples_of('counter-types')), [(1, '', [2 ** 64 - 1, -1500, 62.5])])
        state, = self.states('statistics')
        self.assertEqual([state[name] for name in ('availability', 'reason', 'overhead', 'overhead_text', 'probe')],
                         [0, '', 250, 'two reads of a register', 'sampled a dispatch of one thread: 3 values'])
        counters = self.belonging('counters', 'set', self.counter_set('statistics'))
        self.assertEqual([(c['name'], c['position'], c['unit'], c['kind'], c['aggregation'], c['value_type'])
                          for c in counters],
                         [('cycles', 0, 2, 0, 0, 0), ('clock drift', 1, 7, 1, 4, 1), ('occupancy', 2, 5, 2, 1, 2)])

    def test_counter_availability(self):
        for availability, name in enumerate(('counter-disabled', 'counter-unsupported', 'counter-failing'), 1):
            state, = self.states(name)
            self.assertEqual((state['availability'], state['overhead']), (availability, None))
            self.assertTrue(state['reason'] and state['probe'])
            self.assertEqual(self.belonging('counter_samples', 'set', self.counter_set(name)), [])

    def test_counter_changes(self):
        self.assertEqual([(s['availability'], s['reason']) for s in self.states('counter-changes')],
                         [(3, 'another tool holds the counters'), (0, 'the other tool ended')])

    def test_counter_units(self):
        counters = self.belonging('counters', 'set', self.counter_set('counter-units'))
        self.assertEqual([(c['unit'], c['unit_name'], c['kind'], c['aggregation']) for c in counters],
                         [(i, 'W' if i == 8 else '', i % 3, i % 5) for i in range(9)])
        self.assertEqual(self.samples(self.samples_of('counter-units')), [(0, '', list(range(100, 109)))])

    def test_counter_points(self):
        rows = self.samples_of('counter-points')
        self.assertEqual(self.samples(rows),
                         [(i, 'after tile 3' if i == 7 else '', [i, i, float(i)]) for i in range(8)])
        self.assertEqual([(s['time'] - self.c.base) / US for s in rows], [30000 + 100 * i for i in range(8)])

    def test_counter_errors(self):
        rows = self.samples_of('counter-errors')
        self.assertEqual(self.samples(rows), [(1, '', [None, 0, None])])
        self.assertIsNone(rows[0]['time'])

    def test_counter_late(self):
        self.assertEqual(self.samples(self.samples_of('counter-late')), [(1, '', [777, -7, 7.75])])

    def test_counter_submission(self):
        dispatch = self.one('counter-submission')
        rows = [s for s in self.c.counter_samples if s['submission'] == dispatch['submission']]
        self.assertEqual(self.samples(rows), [(2, '', [1000, 0, 50.0]), (3, '', [2000, 0, 50.0])])
        self.assertEqual({s['dispatch'] for s in rows}, {0})

    # ---- metrics ----

    def metric(self, name, kind, unit, unit_name=''):
        metric, = [m for m in self.c.metrics if m['name'] == name]
        self.assertEqual((metric['lane'], metric['kind'], metric['unit'], metric['unit_name']),
                         (self.lane('metrics')['id'], kind, unit, unit_name))
        return metric, self.belonging('metric_points', 'metric', metric)

    def test_metric_counter(self):
        metric, points = self.metric('metric-counter', 0, 3)
        self.assertEqual(sum(p['value'] for p in points), 143)
        self.assertEqual([(p['time'] - self.c.base) / MS for p in points], list(range(10, 110, 10)))
        self.assertEqual(self.tags('metrics', metric), {'pool': 'north'})

    def test_metric_gauge(self):
        _, points = self.metric('metric-gauge', 1, 8, 'tasks')
        self.assertEqual([p['value'] for p in points], [0, 4, 9, 3, -1, 0, 0, 12, 7, 2.5])

    def test_metric_histogram(self):
        _, points = self.metric('metric-histogram', 2, 7)
        self.assertEqual([p['value'] for p in points], [1.5, 2, 2, 2.25, 3, 3, 4, 8, 16, 120])
        for point in points:
            self.assertEqual(self.tags('metric_points', point), {'region': 'eu', 'retry': True})

    def test_metric_units(self):
        names = ['plain', 'ticks', 'cycles', 'invocations', 'bytes', 'percent', 'count', 'nanoseconds', 'named']
        for unit, name in enumerate(names):
            _, points = self.metric('metric-' + name, 1, unit, 'km/h' if unit == 8 else '')
            self.assertEqual([p['value'] for p in points], [unit])

    def test_warning_severities(self):
        dispatch = self.one('warning-severities')
        self.assertEqual([(w['severity'], w['code'], w['value'], w['threshold'], w['dispatch'],
                           (w['time'] - self.c.base) / MS) for w in self.c.warnings],
                         [(0, 'cold-cache', 0, 16.667, 0, 134), (1, 'over-budget', 24, 16.667, dispatch['id'], 135),
                          (2, 'starving', 48, 16.667, 0, 136)])
        self.assertEqual([self.tags('warnings', w) for w in self.c.warnings], [{}, {'frame': '17'}, {}])

    # ---- traces ----

    def trace(self, name):
        trace, = [t for t in self.c.traces if t['name'] == name]
        return trace

    def trace_lanes(self, name):
        number = self.trace(name)['id']
        return sorted(self.c.lane_name(d) for d in self.c.dispatches if d['trace'] == number)

    def test_trace_ok(self):
        trace = self.trace('trace-ok')
        self.assertEqual((trace['status'], trace['error_kind'], trace['error']), (0, 0, 0))
        self.assertGreaterEqual(trace['duration'], MS)
        self.assertEqual(self.trace_lanes('trace-ok'), ['workflow back'] * 2 + ['workflow front'] * 2)

    def test_trace_error(self):
        trace = self.trace('trace-error')
        self.assertEqual((trace['status'], trace['error_kind']), (1, 4))
        error = self.c.row('errors', trace['error'])
        self.assertEqual((error['name'], error['message'], error['stack'], error['cause']),
                         ('StepFailed', 'the second step failed', '', 'no input'))
        self.assertEqual(len(self.trace_lanes('trace-error')), 4)

    def test_trace_canceled(self):
        self.assertEqual(self.trace('trace-canceled')['status'], 2)
        self.assertEqual(self.trace_lanes('trace-canceled'), [])

    def test_trace_open(self):
        trace = self.trace('trace-open')
        self.assertIsNotNone(trace['start'])
        self.assertIsNone(trace['duration'])
        self.assertEqual(len(self.trace_lanes('trace-open')), 4)

    def test_trace_unsampled(self):
        self.assertEqual([t for t in self.c.traces if t['name'] == 'trace-unsampled'], [])
        self.assertEqual(self.of('trace-unsampled'), [])
        for lane in 'workflow front', 'workflow back':
            self.assertEqual(self.losses(lane), {'by-sampling': 2})

    def test_sampling_none(self):
        self.assertEqual(len(self.on('sampled')), 1)
        self.assertEqual(self.losses('sampled'), {'by-sampling': 25})

    def test_sampling_share(self):
        recorded = len(self.on('sampled by share'))
        self.assertEqual(recorded + self.losses('sampled by share')['by-sampling'], 400)
        self.assertTrue(40 < recorded < 200, recorded)

    # ---- clocks ----

    def test_clock_device(self):
        dispatches = self.on('device queue', 'metal.queue')
        self.assertEqual(self.routines(dispatches), ['clock-device'] * 40)
        for i, d in enumerate(dispatches):
            self.assertLess(abs(d['start'] - self.c.base - i * 10 * MS), 100)
            self.assertLess(abs(d['duration'] - 5 * MS), 100)
            self.assertLess(abs(d['end_ticks'] - d['start_ticks'] - 120012), 2)
            self.assertEqual(d['marks'], 0)
        clock = self.c.row('clocks', self.lane('device queue')['clock'])
        self.assertEqual((clock['name'], clock['kind'], clock['frequency']), ('device', 3, 24e6))
        self.assertEqual([(p['time'] - self.c.base) / MS for p in self.belonging('clock_pairs', 'clock', clock)],
                         [0, 100, 200, 300, 400])

    def test_clock_one_pair(self):
        dispatches = self.on('once calibrated queue')
        self.assertEqual(self.starts(dispatches), [100] * 3)
        for d in dispatches:
            self.assertEqual((d['duration'], d['marks']), (0, 1))
            self.assertLess(abs(d['end_ticks'] - d['start_ticks'] - 120012), 2)

    def test_clock_uncalibrated(self):
        self.assertEqual(self.on('uncalibrated queue'), [])
        self.assertEqual(self.losses('uncalibrated queue'), {'no-clock': 5})

    def test_clock_runtime(self):
        dispatches = self.on('runtime clock')
        self.assertEqual(self.starts(dispatches), [0, 10, 20, 30, 40])
        self.assertEqual(self.durations(dispatches), [5] * 5)

    # ---- artifacts ----

    def linked(self, path):
        """(table, row) of what an artifact is linked with."""
        artifact, = [a for a in self.c.artifacts if a['path'] == path]
        tables = {4: 'runtimes', 10: 'lanes', 13: 'queues', 14: 'sources', 16: 'routines', 18: 'submissions',
                  20: 'dispatches'}
        return artifact, [(tables[link['owner_table']], link['owner'])
                          for link in self.belonging('artifact_links', 'artifact', artifact)]

    def test_artifact_dispatch(self):
        dispatch = self.one('artifact-dispatch')
        for path, kind, label, size in (('captures/frame-17.gputrace', 'gputrace', 'frame 17', 123456),
                                        ('captures/frame-17.log', 'log', '', 0)):
            artifact, links = self.linked(path)
            self.assertEqual((artifact['kind'], artifact['label'], artifact['size']), (kind, label, size))
            self.assertEqual(links, [('dispatches', dispatch['id'])])

    def test_artifact_submission(self):
        artifact, links = self.linked('captures/buffer.bin')
        self.assertIsNone(artifact['size'])
        self.assertEqual(links, [('submissions', self.one('artifact-submission')['submission'])])

    def test_artifact_registered(self):
        _, links = self.linked('cache/pipelines.bin')
        lane = self.lane('artifacts')
        queue, = self.belonging('queues', 'lane', lane)
        source, = [source for source in self.c.sources if source['path'] == 'shaders/blit.wgsl']
        self.assertEqual(links, [('runtimes', lane['runtime']), ('lanes', lane['id']), ('queues', queue['id']),
                                 ('routines', self.one('artifact-registered')['routine']),
                                 ('sources', source['id'])])
        self.assertEqual(self.tags('sources', source), {'version': '4'})

    def test_lane_close(self):
        self.assertEqual(len(self.on('closed lane')), 2)
        self.assertEqual([end['lane'] for end in self.c.lane_ends], [self.lane('closed lane')['id']])

    # ---- hostile ----

    def check_hostile(self, text, name=None):
        """TEXT as routine, label, error, tag and attachment."""
        name = text if name is None else name
        dispatch = self.one(name, label=name, status=1)
        self.assertEqual(self.c.lane_name(dispatch), 'hostile \x1b[31mred\x07 lane')
        error = self.c.row('errors', dispatch['error'])
        self.assertEqual([error[column] for column in ('name', 'message', 'stack', 'cause')], [name] + [text] * 3)
        self.assertEqual(self.tags('dispatches', dispatch), {name: text})
        attachment, = self.belonging('attachments', 'dispatch', dispatch)
        self.assertEqual({attachment[column] for column in ('kind', 'label', 'role', 'element_type', 'shape')}, {name})

    def test_hostile_escapes(self):
        self.check_hostile('\x1b[2Jgone\x1b]0;title\x07')

    def test_hostile_controls(self):
        self.check_hostile('two\nlines\r\tand \x01 more\x7f')

    def test_hostile_utf8(self):
        self.check_hostile('bad \ufffd\ufffd utf-8 \ufffd')
        self.assertEqual(self.losses('hostile \x1b[31mred\x07 lane')['invalid-utf8'], 12)

    def test_hostile_bidi(self):
        self.check_hostile('right \u202etfel-ot \u05e9\u05dc\u05d5\u05dd\u202c end')

    def test_hostile_wide(self):
        self.check_hostile('\u884c\u5217\u4e57\u7b97 \U0001f9f5 e\u0301\u0301\u0301')

    def test_hostile_long(self):
        self.check_hostile('ü' * 300, 'ü' * 128)
        self.assertEqual(self.losses('hostile \x1b[31mred\x07 lane')['string-cut'], 8)

    def test_hostile_markup(self):
        self.check_hostile('<script>alert (1)</script> & "\'; DROP TABLE orders; -- %s%n {}[]\\')

    def test_hostile_empty(self):
        self.check_hostile('')

    def test_hostile_lane(self):
        dispatch = self.one('hostile-lane')
        lane = self.c.row('lanes', dispatch['lane'])
        self.assertEqual((lane['name'], lane['kind']), ('', '\x1b[7mno.kind\x1b[0m \u202e'))

    def test_hostile_long_lane(self):
        lane = self.c.row('lanes', self.one('hostile-long-lane')['lane'])
        self.assertEqual((lane['name'], lane['kind']), ('l' * 256, 'k' * 256))

    def test_hostile_thread(self):
        self.assertEqual(self.thread_name(self.one('hostile-thread')), '\x1b[2J\r\n\ufffd) S 1')

    # ---- refusals ----

    def check_refused(self, routine, reason, count, kept=0):
        self.assertEqual(len(self.of(routine)), kept)
        self.assertEqual(self.losses('refusals')[reason], count)

    def test_refuse_reversed(self):
        self.check_refused('refuse-reversed', 'times-reversed', 2)

    def test_refuse_out_of_range(self):
        self.check_refused('refuse-out-of-range', 'out-of-range', 3)

    def test_refuse_before_recording(self):
        self.check_refused('refuse-before-recording', 'before-recording', 1)

    def test_refuse_unknown_routine(self):
        self.check_refused('refuse-unknown-routine', 'unknown-routine', 1)
        self.assertEqual([d for d in self.c.dispatches if d['label'] == 'refuse-unknown-routine'], [])

    def test_refuse_invalid(self):
        self.assertEqual(self.losses('refusals')['invalid'], 1)

    def test_refuse_duplicate_id(self):
        self.check_refused('refuse-duplicate-id', 'duplicate-id', 2, kept=1)

    def test_refuse_unknown_id(self):
        dispatch = self.one('refuse-unknown-id', queue=0)
        self.assertEqual(self.belonging('counter_samples', 'dispatch', dispatch), [])
        self.assertNotIn(('dispatches', dispatch['id']), [
            ('dispatches', link['owner']) for link in self.c.artifact_links if link['owner_table'] == 20])
        self.assertEqual(self.losses(None)['unknown-id'], 3)

    def test_cut_to_fit(self):
        dispatch = self.one('cut-to-fit', marks=2)
        tags = [tag for tag in self.c.tags if tag['owner_table'] == 20 and tag['owner'] == dispatch['id']]
        self.assertEqual([(tag['key'], tag['text']) for tag in tags], [('large', 'x' * 2000)] * len(tags))
        self.assertEqual(len(tags), 15)
        self.assertEqual(self.losses('refusals')['list-cut'], 1)

    def test_drop_reentrant(self):
        self.one('drop-reentrant', label='interrupted')
        self.check_refused('drop-reentrant-handler', 'reentrant', 1)

    def test_drop_no_room(self):
        lost = self.losses('burst')
        self.assertEqual(set(lost), {'no-room'})
        self.assertGreaterEqual(lost['no-room'], 10)
        handed = next(n for (_, name), n in self.c.submitted.items() if name == 'burst')
        self.assertEqual(len(self.on('burst')) + lost['no-room'], handed)


tap_report.main(sys.argv[1:])
