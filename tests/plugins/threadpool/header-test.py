#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What programs that report by weft-threadpool.h look like in recordings: a work-stealing pool of the tests, by what it
counted itself, and the program of docs/threadpool.md, built as it stands there.

    header-test.py WEFT PLUGIN-FOLDER STEALING-POOL SOURCE LIBRARY SANITIZERS [NAME…]
"""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS, STEALING, SOURCE, LIBRARY = (os.path.abspath(path) for path in sys.argv[1:6])
SANITIZERS = [] if sys.argv[6] == 'none' else [f'-fsanitize={sys.argv[6]}']
sys.path.insert(0, os.path.join(SOURCE, 'tests'))
import tap_report

GUIDE = pathlib.Path(SOURCE, 'docs/threadpool.md').read_text(encoding='utf-8')


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='weft-threadpool-')
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.environment = {**os.environ, 'WEFT_PLUGIN_PATH': PLUGINS, 'XDG_RUNTIME_DIR': cls.folder,
                           'XDG_CACHE_HOME': cls.folder, 'XDG_DATA_HOME': cls.folder}

    @classmethod
    def command(cls, *command):
        run = subprocess.run(command, env=cls.environment, capture_output=True, text=True, timeout=100, check=False)
        if run.returncode != 0:
            raise AssertionError(f'{command}: {run.returncode}\n{run.stdout}{run.stderr}')
        return run.stdout

    def ask(self, *words):
        return json.loads(self.command(WEFT, *words, '--json'))

    def rows(self, *words):
        return self.ask(*words)['rows']

    def items(self, *words):
        return self.rows('target', 'dispatches', '--all', *words)

    def assert_adds_up(self):
        for lane in self.rows('target', 'lanes'):
            self.assertEqual(lane['submitted'], lane['completed'] + lane['pending'] + lane['sampled_out']
                             + lane['rejected'] + lane['lost'], lane)


class Stealing(Case):
    """Three rounds of 127 jobs, four workers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.truth = collections.Counter()
        printed = cls.command(WEFT, 'record', '-q', '--', STEALING, '4', '6', '3')
        for line in printed.splitlines():
            *what, count = line.split()
            cls.truth[' '.join(what)] = int(count)

    def test_counts(self):
        """What each worker ran, enqueued and stole, as the program counted it."""
        lanes = {lane['name']: lane for lane in self.rows('target', 'lanes')}
        for worker in range(4):
            self.assertEqual(lanes[f'stealing worker {worker}']['dispatches'], self.truth[f'ran {worker}'])
            self.assertEqual(lanes[f'stealing worker {worker}']['parent'], lanes['stealing']['lane'])
            self.assertEqual(len(self.items('--filter', f'tag:enqueued.by={worker}')),
                             self.truth[f'enqueued {worker}'])
        self.assertEqual(sum(count for what, count in self.truth.items() if what.startswith('ran ')), 3 * 127)
        self.assertEqual((lanes['stealing']['dispatches'], lanes['stealing']['pending']), (0, 0))
        self.assert_adds_up()

    def test_steals(self):
        """From whom an item was stolen last; all steals are in the counter of the pool."""
        stolen = {what: count for what, count in self.truth.items() if what.startswith('stolen ')}
        self.assertTrue(stolen)
        metrics = {row['name']: row for row in self.rows('metrics') if row['lane_name'] == 'stealing'}
        self.assertEqual(metrics['steal.total']['total'], sum(stolen.values()))
        for victim in range(4):
            told = len(self.items('--filter', f'tag:stolen.from={victim}'))
            most = sum(count for what, count in stolen.items() if what.startswith(f'stolen {victim} '))
            self.assertLessEqual(told, most)
        times = collections.Counter()
        for steals in range(1, 9):
            times[steals] = len(self.items('--filter', f'tag:steals={steals}'))
        self.assertEqual(sum(steals * count for steals, count in times.items()), sum(stolen.values()))

    def test_queue(self):
        metrics = {row['name']: row for row in self.rows('metrics') if row['lane_name'] == 'stealing'}
        self.assertEqual(metrics['queue.wait_ms']['points'], 3 * 127)
        self.assertEqual(metrics['queue.pending']['points'], 2 * 3 * 127)
        self.assertEqual(metrics['queue.pending']['last'], 0)
        self.assertEqual((metrics['workers.active']['max'], metrics['workers.active']['last']), (4, 0))
        self.assertTrue(all(item['queue_wait'] is not None for item in self.items()))

    def test_derived(self):
        """Of the workers, by another way."""
        lanes = self.ask('target', 'lanes')
        workers = [lane for lane in lanes['rows'] if lane['kind'] == 'threadpool.worker']
        derived = {row['metric']: row['value'] for row in lanes['derived'] if row['name'] == 'stealing'}
        busy = [worker['busy'] for worker in workers]
        mean = sum(busy) / len(busy)
        self.assertAlmostEqual(derived['imbalance'], 100 * (max(busy) - mean) / max(busy), places=6)
        self.assertAlmostEqual(derived['steal_rate'], 100 * sum(
            count for what, count in self.truth.items() if what.startswith('stolen ')) / 381, places=6)
        self.assertGreater(derived['throughput'], 0)
        self.assertTrue(0 < derived['utilisation'] <= 100)
        self.assertFalse(any(row['name'].startswith('stealing worker') for row in lanes['derived']))

    def test_waits(self):
        """A job waits for the two that it enqueued: they are synchronous, where it waited to their end."""
        waits = [row for row in self.rows('target', 'origins', '--all') if row['role'] == 'wait-begin']
        self.assertEqual(len({row['submission'] for row in waits}), 3 * 63)
        verdicts = {row['check']: row for row in self.rows('diagnose')}
        self.assertEqual(verdicts['threadpool.dropped']['verdict'], 'good')
        self.assertIn(verdicts['threadpool.imbalance']['verdict'], ('good', 'attention'))
        origin = next(row for row in self.rows('target', 'origins', '--all') if row['role'] == 'dispatch')
        self.assertEqual(origin['link_status'], 'linked-exact')
        self.assertEqual(origin['function'], 'enqueue')


class Guide(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if shutil.which('cc') is None:
            raise unittest.SkipTest('cc is not installed')
        text, = re.findall(r'^```c\n(.*?)^```$', GUIDE, re.M | re.S)
        source = os.path.join(cls.folder, 'pool.c')
        pathlib.Path(source).write_text(text, encoding='utf-8')
        cls.program = os.path.join(cls.folder, 'pool')
        cls.command('cc', '-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', *SANITIZERS, '-I',
                    f'{SOURCE}/core/target', '-I', f'{SOURCE}/plugins/threadpool', '-o', cls.program, source, LIBRARY,
                    '-ldl', '-pthread')
        cls.said = cls.command(WEFT, 'record', '-q', '--', cls.program)

    def test_counts(self):
        self.assertEqual(self.said, '12 of 12 are over\n')
        self.assertEqual(self.command(self.program), self.said)
        lanes = {lane['name']: lane for lane in self.rows('target', 'lanes')}
        self.assertEqual(lanes['pictures worker 0']['dispatches'] + lanes['pictures worker 1']['dispatches'], 12)
        failed = self.items('--filter', 'status:error')
        self.assertEqual(len(failed), 1)
        self.assertEqual(len({item['submission'] for item in self.items()}), 1)
        self.assert_adds_up()

    def test_questions(self):
        """Every command of the guide's table answers."""
        commands = [words.split()[1:] for words in re.findall(r'`(weft (?:target|state)[^`]*)`',
                                                                   GUIDE.split('\n## GThreadPool')[0])]
        self.assertGreater(len(commands), 8)
        handle = self.items()[0]['dispatch']
        for words in commands:
            answer = self.ask(*[handle if word == 'd-5' else word for word in words])
            self.assertTrue(answer.get('rows') or answer.get('value') or words[1] == 'outliers'
                            or words[-1] in ('tag:stolen.from', 'status:canceled'), words)

    def test_waited(self):
        """The batch was waited for; how much of it was over by then is a matter of speed."""
        batch = self.items()[0]['submission']
        roles = [row['role'] for row in self.rows('target', 'origins', '--all') if row['submission'] == batch]
        self.assertEqual((roles.count('wait-begin'), roles.count('wait-end')), (1, 1))
        self.assertLessEqual({item['classification'] for item in self.items()}, {'synchronous', 'asynchronous'})


if __name__ == '__main__':
    tap_report.main(sys.argv[7:])
