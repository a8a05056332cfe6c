#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program of docs/codec.md does what the page says, and every command of its table answers.

    guide-test.py WEFT PLUGIN-FOLDER EXAMPLE SOURCE
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS, EXAMPLE, ROOT = (os.path.abspath(path) for path in sys.argv[1:5])
sys.path.insert(0, os.path.join(ROOT, 'tests'))
import tap_report

with open(os.path.join(ROOT, 'docs/codec.md'), encoding='utf-8') as page:
    GUIDE = page.read()


class Guide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='weft-codec-')
        cls.file = os.path.join(cls.folder, 'player.weft')
        cls.environment = {**os.environ, 'WEFT_PLUGIN_PATH': PLUGINS, 'XDG_RUNTIME_DIR': cls.folder,
                           'XDG_CACHE_HOME': cls.folder, 'XDG_DATA_HOME': cls.folder}
        cls.output = cls.run_command(WEFT, 'record', '-q', '--cpu', 'off', '-o', cls.file, '--',
                                     EXAMPLE)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def run_command(cls, *command):
        run = subprocess.run(command, env=cls.environment, capture_output=True, text=True,
                             timeout=100, check=False)
        if run.returncode != 0:
            raise AssertionError(f'{command}\n{run.stdout}{run.stderr}')
        return run.stdout

    def ask(self, *words):
        return json.loads(self.run_command(WEFT, *words, '--json', self.file))

    def test_codec_example(self):
        text, = re.findall(r'^```text\n(.*?)^```$', GUIDE, re.M | re.S)
        self.assertEqual(self.run_command(EXAMPLE), text)
        self.assertEqual(self.output, text)

    def test_recorded(self):
        lanes = {row['name']: row for row in self.ask('target', 'lanes')['rows']}
        self.assertEqual({name: row['kind'] for name, row in lanes.items()
                          if row['kind'].startswith('codec.')},
                         {'player': lanes['player']['kind'], 'reader': 'codec.source',
                          'read ahead': 'codec.queue', 'decoder': 'codec.decoder',
                          'screen': 'codec.sink'})
        top = {row['name']: row for row in self.ask('target', 'top')['rows']}
        self.assertEqual({name: top[name]['count'] for name in
                          ('reader', 'read ahead', 'decoder', 'screen', 'run')},
                         {'reader': 40, 'read ahead': 40, 'decoder': 40, 'screen': 39, 'run': 40})
        self.assertGreaterEqual(top['decoder']['total'], 39 * 3e6 + 25e6)
        self.assertLess(top['decoder']['total'] + top['screen']['total'], top['run']['total'])
        metrics = {(row['lane_name'], row['name']): row for row in self.ask('metrics', '--all')['rows']}
        self.assertGreater(metrics['read ahead', 'queue.full']['total'], 0)
        self.assertEqual(metrics['screen', 'latency']['points'], 39)
        outliers = self.ask('target', 'outliers', '--filter', 'routine:run', '--all')
        self.assertTrue(any('in phase decoder' in row['text'] for row in outliers['reasons']))

    def test_findings(self):
        found = {row['check']: row for row in self.ask('diagnose')['rows']}
        self.assertEqual(found['codec.errors']['verdict'], 'problem')
        self.assertIn('decoder (1); told: no start code', found['codec.errors']['evidence'])
        self.assertEqual(found['codec.bottleneck']['verdict'], 'attention')
        self.assertIn('read ahead was full', found['codec.bottleneck']['evidence'])
        self.assertIn('own: decoder', found['codec.bottleneck']['evidence'])

    def test_codec_questions(self):
        handle = self.ask('target', 'dispatches', '--filter', 'lane:"read ahead"')['rows'][0]['dispatch']
        commands = re.findall(r'`weft ((?:target|state|traces|warnings|diagnose)[^`]*)`', GUIDE)
        self.assertGreater(len(commands), 10)
        for words in {text.replace('d-12', handle) for text in commands}:
            self.ask(*words.split())


if __name__ == '__main__':
    tap_report.main(sys.argv[5:])
