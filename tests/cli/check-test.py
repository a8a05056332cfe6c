#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `weft check` says, in which form and with which status. Reports in TAP.

    check-test.py WEFT ARCHIVE
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

import tap_report  # noqa: E402

WEFT, ARCHIVE = (os.path.abspath(argument) for argument in sys.argv[1:3])
CPU = os.path.join(os.path.dirname(ARCHIVE), 'cpu.weft')
del sys.argv[1:]


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='weft-check-')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def weft(self, status, *arguments):
        done = subprocess.run([WEFT, 'check', *arguments], cwd=self.folder, capture_output=True, text=True,
                              env=dict(os.environ, HOME=self.folder, XDG_DATA_HOME=self.folder, LC_ALL='C.UTF-8'))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stderr if done.stderr else done.stdout

    def test_statuses(self):
        self.assertIn('1 passed', self.weft(0, ARCHIVE, 'p95 < 20ms'))
        self.assertIn('✗ p95 < 1us', self.weft(1, ARCHIVE, 'p95 < 1us'))
        self.assertIn('Nothing to measure', self.weft(2, ARCHIVE, 'p95 lane:nowhere < 1us'))
        # What failed has failed, whatever else cannot be told.
        self.weft(1, ARCHIVE, 'p95 < 1us', 'p95 lane:nowhere < 1us')

    def test_of_cpu_functions(self):
        self.weft(0, CPU, 'cpu-share function:churn > 50%', 'cpu-time function:descend < 1s')
        self.weft(1, CPU, 'cpu-share function:churn < 50%')

    def test_baseline(self):
        self.weft(0, CPU, '--baseline', CPU, 'regressions = 0', 'p95 <= +0%')
        self.weft(2, CPU, 'regressions = 0')
        self.weft(2, CPU, '--baseline', CPU, '--min-runs', '2', 'regressions = 0')

    def test_wrong_words(self):
        """What cannot be read is not judged, and says what to write."""
        for words, message in (([], 'there is no threshold'), (['p95 < 2'], 'write a unit'),
                               (['p95ish < 2ms'], 'there is no figure “p95ish”'),
                               (['--format', 'pdf', 'p95 < 2ms'], 'junit'),
                               (['--thresholds', 'none.txt'], 'none.txt'),
                               (['--baseline', 'none.weft', 'p95 < 2ms'], 'none.weft'),
                               (['none.weft', 'p95 < 2ms'], 'none.weft'),
                               (['metric_points/sum(value) routine:x < 2'], '“metric_points/sum(value) routine:x < 2”: Rows'), (['--min-runs', '-1', 'p95 < 2ms'], 'min-runs')):
            with self.subTest(words):
                self.assertIn(message, self.weft(2, ARCHIVE, *words))

    def test_file_of_thresholds(self):
        path = os.path.join(self.folder, 'gates.txt')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('# ours\n\nnothing is slow: p95 < 20ms\nerrors = 0\n')
        told = self.weft(1, '--thresholds', path, ARCHIVE)
        self.assertIn('nothing is slow', told)
        self.assertIn('2 thresholds: 1 passed, 1 failed', told)
        with open(path, 'a', encoding='utf-8') as file:
            file.write('p95 < 1\n')
        self.assertIn('gates.txt, line 5', self.weft(2, '--thresholds', path, ARCHIVE))

    def test_formats(self):
        words = [ARCHIVE, 'quick: p95 < 20ms', 'errors = 0', 'p95 lane:nowhere < 1us']
        answer = json.loads(self.weft(1, '--json', *words))
        self.assertEqual(answer['schema'], 'weft.check/1')
        self.assertEqual([row['verdict'] for row in answer['rows']], ['passed', 'failed', 'cannot-judge'])
        self.assertEqual(answer['rows'][1]['value'], 16)
        self.assertEqual(answer['summary'][0], {'verdict': 'failed', 'passed': 1, 'failed': 1, 'cannot_judge': 1})
        suite = ElementTree.fromstring(self.weft(1, '--format', 'junit', *words)).find('testsuite')
        self.assertEqual((suite.get('tests'), suite.get('failures'), suite.get('errors')), ('3', '1', '1'))
        self.assertEqual([case.get('name') for case in suite], ['quick', 'errors = 0', 'p95 lane:nowhere < 1us'])
        lines = self.weft(1, '--format', 'markdown', *words).splitlines()
        self.assertEqual(lines[0], '### Performance: failed')
        self.assertIn('| errors = 0 | **failed** | 16 |', lines)

    def test_output(self):
        """The report goes to the file, and a person sees what came of it."""
        told = self.weft(0, '--format', 'junit', '--output', 'gates.xml', ARCHIVE, 'p95 < 20ms')
        self.assertIn('✓ p95 < 20ms', told)
        self.assertEqual(ElementTree.parse(os.path.join(self.folder, 'gates.xml')).getroot().tag, 'testsuites')


tap_report.main()
