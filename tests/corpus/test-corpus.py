#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records the corpus and holds the recording to what each case says must be seen. Reports in TAP.

    test-corpus.py [TEST…]

WEFT, WEFT_CORPUS and WEFT_RECORD_CORPUS name the programs. A test of its own for each case is a
function of the case's name with underscores, check_wait_pipe for wait-pipe.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'store'))

from weft_reader import Recording  # noqa: E402

WEFT_CORPUS = os.environ['WEFT_CORPUS']
RECORD_CORPUS = os.environ['WEFT_RECORD_CORPUS']
NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
TABLES = ('processes', 'runtimes', 'threads', 'clocks', 'clock_pairs', 'lanes', 'lane_counts', 'lane_ends', 'losses',
          'queues', 'sources', 'source_lines', 'routines', 'source_ranges', 'submissions', 'submission_events',
          'dispatches', 'phases', 'errors', 'origins', 'stacks', 'attachments', 'attachment_ranges',
          'counter_sets', 'counter_set_states', 'counters', 'counter_samples', 'counter_values', 'metrics',
          'metric_points', 'tags', 'warnings', 'traces', 'artifacts', 'artifact_links', 'reservations')
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
    'dispatches': {'start_ticks', 'end_ticks'},
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


def list_cases():
    """(group, name, summary, expectation) of all cases."""
    return [line.split('\t') for line in run([WEFT_CORPUS, '--list']).splitlines()]


class Corpus:
    """A recording of the corpus, with what the program says that it handed over."""

    def __init__(self, *options, before=()):
        folder = tempfile.mkdtemp(prefix='weft-corpus-')
        try:
            os.chmod(folder, 0o777)
            file, counts = os.path.join(folder, 'x.weft'), os.path.join(folder, 'counts')
            run([*before, RECORD_CORPUS, file, '--counts', counts, *options])
            recording = Recording(file)
            with open(file, 'rb') as stream:
                self.bytes = stream.read()
            with open(counts, encoding='ascii') as stream:
                lines = [line.rstrip('\n').split('\t') for line in stream]
        finally:
            shutil.rmtree(folder)
        self.submitted = {(int(pid), json.loads(name)): int(count) for pid, count, name in lines}
        self.blobs = recording.blobs
        self.strings = recording.strings
        for table in TABLES:
            setattr(self, table, recording.rows(table))
        self.base = next(d['start'] for d in self.dispatches if self.routine(d) == 'begin')

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
        """The newest of the rows that are written again and again."""
        newest = {}
        for row in getattr(self, table):
            newest[tuple(row[key] for key in keys)] = row
        return newest

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
        return [row for row in self.reservations if (row['runtime'], row['producer_id']) not in done]


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
        self.assertEqual(lost, {'no-room'})

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

    def test_scale(self):
        corpus = Corpus('--no-drops', '--only', 'lane-metal,lane-frames', '--scale', '50')
        self.check_conservation(corpus)
        self.assertEqual(len(corpus.dispatches), 1 + 50 * (80 + 24))
        self.assertLess(max(d['start'] for d in corpus.dispatches) - corpus.base, 400 * MS)

    def test_only(self):
        corpus = Corpus('--only', 'phases,spans')
        self.assertEqual({corpus.lane_name(d) for d in corpus.dispatches},
                         {'corpus', 'outcomes', 'spans', 'nested spans', 'scoped spans'})

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


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0

    def say(self, good, test, directive=''):
        self.number += 1
        name = test.id().replace('__main__.', '')
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}{directive}", flush=True)

    def explain(self, test, error):
        for line in self._exc_info_to_string(error, test).splitlines():
            print('#', line)

    def addSuccess(self, test):
        self.say(True, test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.explain(test, error)
        self.say(False, test)

    def addError(self, test, error):
        super().addError(test, error)
        self.explain(test, error)
        self.say(False, test)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            print('#', subtest)
            self.explain(test, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say(True, test, f' # SKIP {reason}')

    def stopTest(self, test):
        """A test of which only subtests failed has said nothing yet."""
        super().stopTest(test)
        if self.ended < 0:
            return
        if self.number == self.ended:
            self.say(False, test)

    ended = -1

    def startTest(self, test):
        super().startTest(test)
        self.ended = self.number


def main():
    names = sys.argv[1:]
    module = sys.modules['__main__']
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    print(f'1..{suite.countTestCases()}')
    result = TapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == '__main__':
    main()
