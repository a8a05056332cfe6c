#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""weft compare, asked about recordings of a real program with a knob. Reports in TAP.

    compare-test.py WEFT PROGRAM ARCHIVE [TEST…]
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT, PROGRAM, ARCHIVE = (os.path.abspath(path) for path in sys.argv[1:4])
ROUNDS = '500'


class Compare(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='weft-compare-')
        cls.addClassCleanup(subprocess.run, ['rm', '-r', cls.folder])
        cls.before, cls.after = [], []
        # In turns, so that what the machine does meanwhile is the same for both.
        for i in range(3):
            for side, name, knob in ((cls.before, 'before', ()), (cls.after, 'after', ('smooth', '100'))):
                side.append(f'{name}-{i}.weft')
                subprocess.run([WEFT, 'record', '-q', '-o', side[-1], '--', PROGRAM, ROUNDS, *knob], check=True,
                               cwd=cls.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120)

    def weft(self, *words, status=0):
        done = subprocess.run([WEFT, 'compare', *words], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                              env=dict(os.environ, LC_ALL='C.UTF-8', COLUMNS='120'))
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return (done.stderr if status else done.stdout).decode()

    def test_slower_routine_is_named_first(self):
        rows = json.loads(self.weft(*self.before, '--', *self.after, '--json'))['rows']
        first = rows[0]
        self.assertEqual((first['scope'], first['name'], first['lane'], first['verdict']),
                         ('routine', 'smooth', 'second', 'regressed'))
        p50 = next(row for row in rows if (row['scope'], row['name'], row['metric']) == ('routine', 'smooth', 'p50'))
        self.assertLess(p50['low'], p50['change'])
        self.assertLess(p50['change'], p50['high'])
        self.assertEqual((p50['recordings_a'], p50['samples_a']), (3, 3 * int(ROUNDS)))
        self.assertIn('regressed', self.weft(*self.before, '--', *self.after))

    def test_other_way_round_it_improved(self):
        rows = json.loads(self.weft('--json', *self.after, '--', *self.before))['rows']
        self.assertEqual((rows[0]['name'], rows[0]['verdict']), ('smooth', 'improved'))

    def test_a_recording_is_like_itself(self):
        self.assertIn('No significant change.', self.weft(ARCHIVE, ARCHIVE))
        rows = json.loads(self.weft(ARCHIVE, ARCHIVE, '--json'))['rows']
        self.assertEqual({row['verdict'] for row in rows}, {'no-change'})
        self.assertLessEqual({'routine', 'lane', 'source', 'counter', 'metric', 'coverage', 'attachment'},
                             {row['scope'] for row in rows})

    def test_same_answer_each_time(self):
        words = (*self.before, '--', *self.after, '--json')
        self.assertEqual(self.weft(*words), self.weft(*words))

    def test_markdown(self):
        text = self.weft(*self.before, '--', *self.after, '--markdown')
        self.assertIn('### What changed', text)
        self.assertIn('| regressed | smooth | p50 |', text)
        table = [line for line in text.splitlines() if line.startswith('|')]
        self.assertEqual({line.count('|') for line in table}, {9})

    def test_filter_and_scope(self):
        rows = json.loads(self.weft('--filter', 'routine:sort', self.before[0], self.after[0], '--json'))['rows']
        self.assertEqual({row['name'] for row in rows if row['scope'] == 'routine'}, {'sort'})
        text = self.weft('--all', '--scope', 'lane', self.before[0], self.after[0])
        self.assertNotIn('smooth', text)

    def test_what_cannot_be_compared(self):
        self.assertIn('name two recordings', self.weft(self.before[0], status=2))
        self.assertIn('name two recordings', self.weft(self.before[0], '--', status=2))
        self.assertIn('name two recordings', self.weft(*self.before, status=2))
        self.assertIn('such share', self.weft('--min-change', 'much', self.before[0], self.after[0], status=2))
        self.assertIn('nothing.weft', self.weft(self.before[0], 'nothing.weft', status=1))


tap_report.main(sys.argv[4:])
