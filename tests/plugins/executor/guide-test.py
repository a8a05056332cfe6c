#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs of docs/executor.md, built as they stand there, run, recorded and asked about.

    guide-test.py WEFT PLUGIN-FOLDER SOURCE LIBRARY SANITIZERS
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS, SOURCE, LIBRARY = (os.path.abspath(path) for path in sys.argv[1:5])
SANITIZERS = [] if sys.argv[5] == 'none' else [f'-fsanitize={sys.argv[5]}']
sys.path.insert(0, os.path.join(SOURCE, 'tests'))
import tap_report

# What is said of GLib is proved by glib-test.py.
GUIDE = pathlib.Path(SOURCE, 'docs/executor.md').read_text(encoding='utf-8').split(
    '## GLib main loops, unmodified')[0]
STRICT = ['-O1', '-Wall', '-Wextra', '-Werror']


class Programs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-guide-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = {**os.environ, 'WEFT_PLUGIN_PATH': PLUGINS, 'XDG_RUNTIME_DIR': self.folder,
                            'XDG_CACHE_HOME': self.folder, 'XDG_DATA_HOME': self.folder}

    def run_command(self, *command):
        run = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=100, check=False)
        self.assertEqual(run.returncode, 0, f'{command}\n{run.stdout}{run.stderr}')
        return run.stdout

    def build(self, language, compiler, *options):
        if shutil.which(compiler) is None:
            self.skipTest(f'{compiler} is not installed')
        text, = re.findall(rf'^```{language}\n(.*?)^```$', GUIDE, re.M | re.S)
        source = os.path.join(self.folder, 'program.' + language)
        with open(source, 'w', encoding='utf-8') as file:
            file.write(text)
        program = os.path.join(self.folder, 'program')
        self.run_command(compiler, *options, *STRICT, *SANITIZERS, '-I', f'{SOURCE}/core/target', '-I',
                         f'{SOURCE}/plugins/executor', '-o', program, source, LIBRARY, '-ldl', '-pthread')
        return program

    def ask(self, *words):
        return json.loads(self.run_command(WEFT, *words, '--json'))

    def test_pool(self):
        program = self.build('c', 'cc', '-std=gnu11')
        self.assertRegex(self.run_command(program), r'^[0-4] of 4 wait$')
        self.run_command(WEFT, 'record', '-q', '--with', 'executor', '--', program)
        lanes = self.ask('target', 'lanes')
        resize = next(row for row in lanes['rows'] if row['name'] == 'Resize pictures')
        self.assertEqual((resize['kind'], resize['dispatches']), ('executor.pool', 20))
        totals = {row['name']: row['total'] or 0 for row in self.ask('metrics', '--all')['rows']
                  if row['lane_name'] == 'Resize pictures'}
        self.assertGreaterEqual(totals['task.rejected.total'], 4)
        self.assertEqual(totals['task.failure.total'], 1)
        self.assertEqual(totals['task.success.total'] + totals['task.rejected.total'], 19)
        self.assertEqual(self.ask('traces')['rows'][0]['name'], 'album:1')
        found = {row['check']: row['verdict'] for row in self.ask('diagnose')['rows']}
        self.assertEqual(found['executor.books'], 'good')
        self.assertEqual(found['executor.rejections'], 'attention')
        self.assertIn('“weft metrics --wide” tells how many', ' '.join(self.run_command(WEFT, 'diagnose').split()))
        self.assertIn(' total ', self.run_command(WEFT, 'metrics', '--wide').splitlines()[0])

    def test_questions(self):
        """Every command of the guide's table answers."""
        self.run_command(WEFT, 'record', '-q', '--with', 'executor', '--', self.build('c', 'cc', '-std=gnu11'))
        handle = self.ask('target', 'dispatches')['rows'][0]['dispatch']
        commands = [words.split()[1:] for words in re.findall(r'`(weft (?:target|state|metrics|traces)[^`]*)`', GUIDE)]
        self.assertGreater(len(commands), 8)
        for words in commands:
            answer = self.ask(*[handle if word == 'd-12' else '1ms' if word == '30ms' else word for word in words])
            self.assertTrue(answer.get('rows') or answer.get('value') or words[1] == 'outliers', words)

    def test_cpp(self):
        program = self.build('cpp', 'c++', '-std=c++17')
        self.assertEqual(self.run_command(program), '1 trace ended\n')


if __name__ == '__main__':
    tap_report.main(sys.argv[6:])
