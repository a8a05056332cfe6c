#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Flame graphs of a program that reports target work and runs on CPUs: what stands under which stack. Reports in TAP.

    flame-test.py WEFT CORPUS [TEST…]
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT, CORPUS = (os.path.abspath(path) for path in sys.argv[1:3])

# Work that the corpus proves to be waited for, and the function that both asks and waits.
SYNCHRONOUS = {'wait-synchronous': 'render_and_wait', 'wait-submission': 'render_group'}


class Flame(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix='weft-flame-')
        cls.addClassCleanup(scratch.cleanup)
        cls.recording = os.path.join(scratch.name, 'corpus.weft')
        subprocess.run([WEFT, 'record', '-o', cls.recording, '--', CORPUS], stdin=subprocess.DEVNULL, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=200)
        rows = {table['table']: table['rows'] for table in cls.ask('show')['value']['tables']}
        if rows['samples'] == 0 or rows['waits'] == 0:
            raise unittest.SkipTest('neither samples nor waits can be taken here')
        cls.wall = cls.ask('flame', '--mode', 'wall')

    @classmethod
    def ask(cls, *arguments):
        done = subprocess.run([WEFT, *arguments, '--json', cls.recording], stdin=subprocess.DEVNULL, check=True,
                              stdout=subprocess.PIPE, timeout=100)
        return json.loads(done.stdout)

    def test_proven_work_hangs_under_its_stack(self):
        rows = self.wall['rows']
        works = [row for row in rows if row['kind'] == 'target']
        if not works:
            self.skipTest('no stack is known of both ends here')
        self.assertEqual({row['name'] for row in works} - set(SYNCHRONOUS), set())
        for row in works:
            self.assertEqual(rows[row['parent']]['name'], SYNCHRONOUS[row['name']])
            self.assertEqual((row['time_kind'], row['total']), ('target', row['target']))

    def test_other_work_is_counted_with_reasons(self):
        told = self.wall['target_work']
        self.assertEqual({row['shown'] for row in told if row['classification'] != 'synchronous'}, {0})
        self.assertIn('no-wait', {row['reason'] for row in told})
        for row in told:
            self.assertLessEqual(row['waited'], row['target_time'])
            self.assertLessEqual(row['shown'], row['dispatches'])

    def test_sums_hold(self):
        for mode in 'cpu', 'off-cpu', 'wall':
            rows = self.ask('flame', '--mode', mode)['rows']
            below = [0] * len(rows)
            for row in rows[1:]:
                below[row['parent']] += row['total']
            for row, sum_below in zip(rows, below):
                self.assertEqual(row['total'], row['self'] + sum_below, row)

    def test_cpu_time_has_no_target_time(self):
        cpu = self.ask('flame', '--mode', 'cpu')['rows']
        self.assertEqual({row['kind'] for row in cpu} & {'target', 'lane', 'span'}, set())
        self.assertEqual({row['target'] for row in cpu} | {row['waiting'] for row in cpu}, {0})
        wall = self.wall['rows'][0]
        off = self.ask('flame', '--mode', 'off-cpu')['rows'][0]
        self.assertEqual(wall['total'], cpu[0]['total'] + off['total'])
        self.assertEqual(wall['waiting'], off['total'])


tap_report.main(sys.argv[3:])
