#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every question answers about a recording of a program that reported nothing. Reports in TAP.

    empty-test.py WEFT
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

import tap_report  # noqa: E402

WEFT = os.path.abspath(sys.argv[1])
del sys.argv[1:]

# What acts on recordings, recorders or plugins, and does not ask; two sides are needed to compare.
ACTS = {'record', 'status', 'wait', 'stop', 'list', 'export', 'plugins', 'plugins install', 'plugins remove',
        'repair', 'import', 'completion', 'check', 'compare', 'sql'}
# These are about one thing, and say so.
ABOUT_ONE = {'callers', 'annotate', 'target dispatch'}


class Empty(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='weft-empty-')
        self.addCleanup(folder.cleanup)
        self.file = os.path.join(folder.name, 'none.weft')
        self.environment = dict(os.environ, HOME=folder.name, XDG_DATA_HOME=folder.name,
                                WEFT_RUNTIME_DIR=folder.name, LC_ALL='C.UTF-8')
        done = self.weft('record', '-q', '--no-plugins', '--no-system', '--cpu', 'off', '-o', self.file, '--', '/bin/true')
        self.assertEqual(done.returncode, 0, done.stderr)

    def weft(self, *arguments):
        return subprocess.run([WEFT, *arguments], capture_output=True, text=True, env=self.environment, timeout=120)

    def questions(self):
        for line in self.weft('--help').stdout.splitlines():
            name = line[2:].split('  ')[0] if line.startswith('  ') else ''
            if name and name not in ACTS:
                yield name

    def test_every_question_says_why(self):
        names = list(self.questions())
        self.assertGreater(len(names), 20)
        for name in names:
            with self.subTest(name):
                done = self.weft(*name.split(), self.file)
                self.assertEqual(done.returncode, 1 if name in ABOUT_ONE else 0, done.stderr)
                self.assertGreater(len((done.stdout + done.stderr).strip()), 20)
                if name in ABOUT_ONE:
                    continue
                answer = json.loads(self.weft(*name.split(), '--json', self.file).stdout)
                if answer.get('rows') == []:
                    self.assertGreater(len(answer['hint']), 20)

    def test_nothing_is_wrong(self):
        """That a program reports no lane is worth knowing, and all there is to know."""
        rows = json.loads(self.weft('diagnose', '--json', self.file).stdout)['rows']
        self.assertEqual({row['check'] for row in rows if row['verdict'] in ('problem', 'attention')}, {'target-data'})


tap_report.main()
