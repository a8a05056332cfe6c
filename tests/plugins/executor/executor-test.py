#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the command line answers about recordings of a task runtime, made by the real recorder.

    executor-test.py WEFT PLUGIN-FOLDER EXECUTOR-CORPUS [NAME…]
"""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS, CORPUS = (os.path.abspath(path) for path in sys.argv[1:4])
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
import tap_report
from recorded import nobody

COUNTERS = {'task.dispatch.total': 'dispatched', 'task.success.total': 'succeeded', 'task.failure.total': 'failed',
            'task.canceled.total': 'canceled', 'task.rejected.total': 'rejected', 'task.requeue.total': 'requeued'}
WORKER_COUNTERS = {'worker.spawn.total': 'spawned', 'worker.crash.total': 'crashed',
                   'worker.terminate.total': 'terminated'}
MS = 1_000_000


class Recording:
    """What the corpus did, as it says itself (TRUTH, by task), and the recording of it."""

    def __init__(self, folder, *arguments, options=('--with', 'executor'), prefix=(), status=0):
        os.chmod(folder, 0o777)
        self.file = os.path.join(folder, 'run.weft')
        self.environment = {**os.environ, 'WEFT_PLUGIN_PATH': PLUGINS, 'XDG_RUNTIME_DIR': folder,
                            'XDG_CACHE_HOME': folder, 'HOME': folder}
        self.environment.pop('WEFT_EXECUTOR_SPANS', None)
        run = self.run([*prefix, WEFT, 'record', '-q', *options, '-o', self.file, '--', CORPUS, *arguments], status)
        self.truth = {row['task']: row for row in map(json.loads, run.stdout.splitlines())}

    def run(self, command, status=0):
        run = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=100, check=False)
        if run.returncode != status:
            raise AssertionError(f'{command}: {run.returncode}\n{run.stdout}{run.stderr}')
        return run

    def ask(self, *words):
        return json.loads(self.run([WEFT, *words, '--json', self.file]).stdout)

    def rows(self, *words):
        everything = () if words == ('target', 'lanes') else ('--all',)
        return self.ask(*words, *everything)['rows']

    def calls(self, task):
        return self.rows('target', 'dispatches', '--filter', f'lane:"{task}"')

    def finding(self, check):
        return next(row for row in self.ask('diagnose')['rows'] if row['check'] == check)


class Case(unittest.TestCase):
    options = ('--with', 'executor')
    arguments = ()
    prefix = staticmethod(lambda: ())

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='weft-executor-')
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.recording = Recording(cls.folder, *cls.arguments, options=cls.options, prefix=cls.prefix())


class AsRoot(Case):
    """By whoever runs the tests."""

    def metrics(self):
        lanes = {row['lane']: row['name'] for row in self.recording.rows('target', 'lanes')}
        return [(lanes[row['lane']], row) for row in self.recording.rows('metrics') if row['lane'] in lanes]

    def test_counters(self):
        """Each counter is what the runtime counted itself, point by point."""
        found = {(lane, row['name']): row for lane, row in self.metrics()}
        self.assertEqual(len(self.recording.truth), 10)
        for task, truth in self.recording.truth.items():
            for name, key in COUNTERS.items():
                with self.subTest(f'{task} {name}'):
                    row = found[task, name]
                    self.assertEqual((row['total'] or 0, row['points']), (truth[key], truth[key]))
            ended = sum(truth[key] for key in ('succeeded', 'failed', 'canceled', 'rejected'))
            self.assertEqual(ended, truth['requested'])
            self.assertEqual(found[task, 'task.duration_ms']['points'], ended)
            self.assertEqual(found[task, 'queue.wait_ms']['points'], truth['dispatched'])

    def test_workers(self):
        metrics = self.metrics()
        for task, truth in self.recording.truth.items():
            for name, key in WORKER_COUNTERS.items():
                total = sum(row['total'] or 0 for lane, row in metrics
                            if lane.startswith(f'{task} worker ') and row['name'] == name)
                self.assertEqual(total, truth[key], f'{task} {name}')

    def test_attributes(self):
        for lane, row in self.metrics():
            self.assertIn('task.id=', row['tags'])
            self.assertIn('task.type=', row['tags'])
            self.assertEqual('worker.index=' in row['tags'], ' worker ' in lane)
            if row['name'].startswith('queue.'):
                self.assertIn('queue.policy=', row['tags'])

    def test_calls(self):
        """One span a call, with attempts and outcome; one on its worker's lane for each attempt."""
        for task, truth in self.recording.truth.items():
            with self.subTest(task):
                calls = [row for row in self.recording.calls(task) if row['lane_name'] == task]
                self.assertEqual(len(calls), truth['requested'])
                self.assertEqual(sum(row['status'] == 'ok' for row in calls), truth['succeeded'])
                self.assertEqual(sum(row['status'] == 'canceled' for row in calls), truth['canceled'])
                self.assertEqual(sum(row['status'] == 'error' for row in calls), truth['failed'] + truth['rejected'])
        lanes = self.recording.rows('target', 'lanes')
        attempts = sum(row['dispatches'] for row in lanes if row['kind'] == 'executor.worker')
        self.assertEqual(attempts, sum(truth['dispatched'] for truth in self.recording.truth.values()))
        self.assertTrue(all(row['adds_up'] is not False for row in lanes))

    def test_rejected(self):
        for task in ('reject', 'drop-latest', 'drop-oldest'):
            refused = [row for row in self.recording.calls(task)
                       if row['lane_name'] == task and row['status'] == 'error']
            self.assertEqual(len(refused), 4)
            for row in refused:
                one = self.recording.ask('target', 'dispatch', row['dispatch'])['value']
                self.assertEqual((one['attempts'], one['error_kind']), (0, 'queue'))
                # Only what stood in the queue before it was dropped did wait.
                self.assertEqual(one['queue_wait'] is not None, task == 'drop-oldest')

    def test_crashes(self):
        for row in self.recording.calls('crashes'):
            if row['lane_name'] != 'crashes':
                continue
            answer = self.recording.ask('target', 'dispatch', row['dispatch'])['value']
            self.assertEqual(answer['attempts'], 2)
            self.assertEqual([phase['name'] for phase in answer['phases']], ['queued', 'run', 'queued', 'run'])
            self.assertTrue(answer['phases'][1]['failed'])
            self.assertEqual(answer['phases'][3]['failed'], row['status'] == 'error')

    def test_polls(self):
        polled = self.recording.ask('target', 'dispatches', '--filter', 'tag:polls=3')['rows']
        self.assertEqual(len(polled), 1)
        phases = self.recording.ask('target', 'dispatch', polled[0]['dispatch'])['value']['phases']
        self.assertEqual([phase['name'] for phase in phases], ['queued', 'poll', 'poll', 'poll'])
        many = self.recording.ask('target', 'dispatches', '--filter', 'tag:polls=40')['rows']
        phases = self.recording.ask('target', 'dispatch', many[0]['dispatch'])['value']['phases']
        self.assertEqual(len(phases), 24)
        self.assertEqual(len(self.recording.ask('target', 'dispatches', '--filter', 'tag:phases.cut=17')['rows']), 1)

    def test_traces(self):
        traces = self.recording.rows('traces')
        self.assertEqual([trace['status'] for trace in traces], ['ok', 'error', 'canceled'] * 6)
        for trace in traces:
            self.assertEqual((trace['name'], trace['dispatches']), ('document', 2))

    # ---- Questions ----

    def test_outliers(self):
        """The call that worked long, and the one that had to wait for it, with the reason."""
        outliers = self.recording.ask('target', 'outliers', '--filter', 'lane:outlier', '--all')
        calls = [row for row in outliers['rows'] if row['lane_name'] == 'outlier']
        longest = sorted(calls, key=lambda row: -row['duration'])[:2]
        self.assertGreaterEqual(longest[1]['duration'], 290 * MS)
        waited = max(longest, key=lambda row: row['start'])
        self.assertIn('queue', waited['why'])
        one = self.recording.ask('target', 'dispatch', waited['dispatch'])['value']
        self.assertGreater(one['queue_wait'], 0.9 * one['duration'])

    def test_who_queued(self):
        threads = self.recording.ask('target', 'origins', '--group', 'thread')['rows']
        self.assertEqual(sum(row['queued'] for row in threads),
                         sum(truth['requested'] for truth in self.recording.truth.values()))
        # The main thread, and the four callers of the queue that blocks.
        self.assertEqual(sum(row['queued'] == 1 for row in threads), 4)
        call = self.recording.calls('pool')[0]
        origins = self.recording.ask('target', 'origins', call['dispatch'])['rows']
        self.assertTrue({'dispatch', 'completion'} <= {row['role'] for row in origins})

    def test_how_long_in_queue(self):
        rows = self.recording.ask('target', 'dispatches', '--by', 'queue_wait', '--limit', '5', '--filter', 'lane:pool')['rows']
        waits = [row['queue_wait'] for row in rows]
        self.assertEqual(waits, sorted(waits, reverse=True))
        self.assertEqual(rows[0]['lane_name'].split(' ')[0], 'pool')
        histogram = next(row for lane, row in self.metrics() if lane == 'pool' and row['name'] == 'queue.wait_ms')
        self.assertAlmostEqual(histogram['max'] * MS, waits[0], delta=1)

    def test_state_at(self):
        """At each of some moments, what ran is what the calls say, and so are the gauges: but for one call that is
        being ended, and one that is being asked for, neither of which the queue has told yet."""
        calls = [row for row in self.recording.calls('pool') if row['lane_name'] == 'pool']
        slow = max(calls, key=lambda row: row['duration'])
        for share in (0.3, 0.6, 0.9):
            at = int(slow['start'] + share * slow['duration'])
            state = self.recording.ask('state', '--at', f'{at}ns')['value']
            gauges = {row['name']: row['value'] for row in state['gauges'] if row['lane_name'] == 'pool'}
            running = {row['dispatch'] for row in state['running'] if row['lane_name'] == 'pool'}
            self.assertEqual(running, {row['dispatch'] for row in calls
                                       if row['start'] <= at < row['start'] + row['duration']})
            self.assertAlmostEqual(gauges['queue.pending'] + gauges['queue.in_flight'], len(running), delta=2)
            self.assertEqual(gauges['workers.active'], 4)

    # ---- The domain ----

    def test_words(self):
        lanes = {row['name']: row for row in self.recording.rows('target', 'lanes')}
        for name, label, icon, color in (('pool', 'Worker pool', 'network-workgroup-symbolic', '#1c71d8'),
                                         ('reject', 'Single worker', 'avatar-default-symbolic', '#26a269'),
                                         ('pool worker 0', 'Worker', 'applications-system-symbolic', '#e5a50a')):
            self.assertEqual((lanes[name]['kind_label'], lanes[name]['icon_name'], lanes[name]['color']),
                             (label, icon, color))
        routines = self.recording.rows('target', 'routines')
        self.assertTrue(any(row['routine_word'] == 'method' for row in routines))

    def test_derived(self):
        derived = {(row['name'], row['metric']): row for row in self.recording.ask('target', 'lanes')['derived']}
        pool = self.recording.truth['pool']
        histogram = next(row for lane, row in self.metrics() if lane == 'pool' and row['name'] == 'queue.wait_ms')
        self.assertEqual(derived['pool', 'queue_wait_p95']['value'], histogram['p95'])
        self.assertEqual(derived['pool', 'queue_wait_p95']['unit'], 'ms')
        self.assertEqual(derived['pool', 'rejection_rate']['value'], 0)
        self.assertAlmostEqual(derived['reject', 'rejection_rate']['value'], 100 * 4 / 7)
        self.assertAlmostEqual(derived['outcomes', 'failure_rate']['value'], 100 * 2 / 11)
        seconds = pool['succeeded'] / derived['pool', 'throughput']['value']
        self.assertGreater(seconds, 0.3)
        self.check_utilisation()

    def check_utilisation(self):
        """By hand, from the points: each value counts as long as it held."""
        gauge = next(row for lane, row in self.metrics() if lane == 'pool' and row['name'] == 'queue.in_flight')
        out = self.recording.run([WEFT, 'export', 'csv', '-t', 'metric_points', self.recording.file]).stdout
        points = [(int(row['time']), float(row['value'])) for row in csv.DictReader(io.StringIO(out))
                  if row['metric'] == gauge['metric']]
        begin, end = gauge['first'], gauge['last_time']
        area = sum(value * (after - time) for (time, value), (after, _) in zip(sorted(points), sorted(points)[1:]))
        answer = self.recording.ask('target', 'lanes', '--from', f'{begin}ns', '--to', f'{end}ns')
        found = next(row['value'] for row in answer['derived'] if (row['name'], row['metric']) == ('pool', 'utilisation'))
        self.assertGreater(found, 0)
        self.assertAlmostEqual(found, 100 * area / (end - begin) / 4, places=3)

    def test_findings(self):
        for check, verdict, lanes in (('executor.spans', 'good', ()), ('executor.metrics', 'good', ()),
                                      ('executor.attributes', 'good', ()), ('executor.books', 'good', ()),
                                      ('executor.rejections', 'attention', ('reject', 'drop-latest', 'drop-oldest')),
                                      ('executor.queue-wait', 'attention', ('pool',)),
                                      ('executor.blocked', 'attention', ('block',)),
                                      ('executor.failures', 'attention', ('outcomes', 'crashes', 'workflows')),
                                      ('executor.crashes', 'problem', ('crashes worker',))):
            with self.subTest(check):
                finding = self.recording.finding(check)
                self.assertEqual(finding['verdict'], verdict)
                for lane in lanes:
                    self.assertIn(lane, finding['evidence'])
                self.assertEqual(finding['advice'] is not None, verdict != 'good')


class AsNobody(AsRoot):
    """Without privileges."""
    prefix = staticmethod(nobody)


class Counted(Case):
    """A production build, not asked for spans: metrics only, and a hint how to get more."""
    options = ()
    arguments = ('--spans', 'off', 'outcomes', 'workflows')

    def test_spans_off(self):
        self.assertEqual(self.recording.rows('target', 'dispatches'), [])
        self.assertEqual(self.recording.rows('traces'), [])
        finding = self.recording.finding('executor.spans')
        self.assertEqual(finding['verdict'], 'attention')
        self.assertIn('--with executor', finding['advice'])
        metrics = [row for row in self.recording.rows('metrics') if row['name'] == 'task.success.total']
        self.assertEqual(sum(row['total'] for row in metrics),
                         sum(truth['succeeded'] for truth in self.recording.truth.values()))


class Sampled(Case):
    arguments = ('--sample', '0', 'workflows', 'outcomes')

    def test_sampled_out(self):
        """Nothing is recorded of calls, all of which are accounted for; metrics are whole."""
        self.assertEqual(self.recording.rows('target', 'dispatches'), [])
        for row in self.recording.rows('target', 'lanes'):
            if row['kind'] != 'executor.worker':
                self.assertEqual(row['sampled_out'], self.recording.truth[row['name']]['requested'])
        metrics = [row for row in self.recording.rows('metrics') if row['name'] == 'task.dispatch.total']
        self.assertEqual(sum(row['total'] for row in metrics),
                         sum(truth['dispatched'] for truth in self.recording.truth.values()))
        self.assertEqual(self.recording.finding('executor.spans')['verdict'], 'good')


class Without(Case):
    """Where the plugin is absent when it is read, the words are still there."""
    arguments = ('outcomes',)

    def test_words_travel(self):
        with_plugin = self.recording.ask('target', 'lanes')
        self.recording.environment['WEFT_PLUGIN_PATH'] = self.folder
        self.assertEqual(self.recording.ask('target', 'lanes'), with_plugin)
        self.assertEqual(self.recording.finding('executor.failures')['verdict'], 'attention')


class Killed(unittest.TestCase):
    def test_under_way(self):
        """What was asked for and not over when the program was killed is in the recording, as pending."""
        folder = tempfile.mkdtemp(prefix='weft-executor-')
        self.addCleanup(shutil.rmtree, folder)
        recording = Recording(folder, 'killed', status=128 + 9)
        lane = next(row for row in recording.rows('target', 'lanes') if row['name'] == 'killed')
        self.assertEqual((lane['submitted'], lane['pending'], lane['dispatches']), (3, 3, 0))
        self.assertTrue(lane['adds_up'])
        state = recording.ask('state')['value']
        self.assertEqual([row['routine_name'] for row in state['pending']], ['killed.hold'] * 3)
        gauges = {row['name']: row['value'] for row in state['gauges'] if row['lane_name'] == 'killed'}
        self.assertEqual((gauges['queue.in_flight'], gauges['queue.pending']), (1, 2))


class Mistakes(unittest.TestCase):
    def test_usage(self):
        run = subprocess.run([CORPUS, '--nonsense', '1'], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn('--spans', run.stderr)

    def test_list(self):
        run = subprocess.run([CORPUS, '--list'], capture_output=True, text=True, check=True)
        readme = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'README.md')
        with open(readme, encoding='utf-8') as file:
            text = file.read()
        for line in run.stdout.splitlines():
            name, summary = line.split('\t')
            self.assertIn(f'| `{name}` | {summary} |', text)


if __name__ == '__main__':
    tap_report.main(sys.argv[4:])
