#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guide's programs in a fresh interpreter, in their order, and the examples. Reports in TAP.

    test-guide.py RECORDING
"""

import json
import os
import re
import subprocess
import sys

from corpus_case import CORPUS, DOCS, RECORDING, FolderCase, main, needs_numpy

# Runs blocks of [line, text] one after the other in one scope; says so before each.
DRIVER = '''
import json, sys
scope = {"__name__": "__main__"}
for line, text in json.loads(sys.argv[1]):
    print(f"== {line}", flush=True)
    exec(compile("\\n" * line + text, "python-guide.md", "exec"), scope)
'''


def blocks():
    with open(os.path.join(DOCS, 'python-guide.md'), encoding='utf-8') as file:
        text = file.read()
    return [(text.count('\n', 0, found.start(1)), found[1]) for found in
            re.finditer(r'^```python\n(.*?)^```$', text, re.M | re.S)]


class Programs(FolderCase):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path('recordings'))
        os.symlink(RECORDING, self.path('recordings', 'latest'))
        os.symlink(CORPUS, self.path('program'))

    def run_python(self, *arguments):
        done = subprocess.run([sys.executable, *arguments], timeout=60, cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, done.stdout.decode() + done.stderr.decode())
        self.assertEqual(done.stderr, b'')
        return done.stdout.decode()

    @needs_numpy
    def test_guide(self):
        found = blocks()
        self.assertGreater(len(found), 7)
        printed = self.run_python('-c', DRIVER, json.dumps(found))
        answers = {int(line): text for line, text in re.findall(r'^== (\d+)\n(.*?)(?=^== |\Z)', printed, re.M | re.S)}
        self.assertEqual(list(answers), [line for line, _ in found])
        for line, text in found:
            # No recorder runs that is not the guide's own.
            self.assertTrue(answers[line] or 'Session.list' in text, f'line {line} printed nothing')
        everything = ''.join(answers.values())
        for expected in (r'^\S+.* \d+ \d+$', r' ns busy$', r'^True ', r'^complete 0$', r'^<Weft.Dispatch d-\d+> \w+',
                         r'^[1-9]\d* dispatches; ', r'^[1-9]\d* ns in dispatches that failed$'):
            self.assertRegex(everything, re.compile(expected, re.M))
        with open(self.path('routines.csv'), encoding='utf-8') as file:
            self.assertEqual(file.readline().strip(), 'name,count,total,p95')

    def test_slowest_routines(self):
        printed = self.run_python(os.path.join(DOCS, 'examples', 'slowest-routines.py'), RECORDING)
        self.assertRegex(printed, r'r-\d+ .* p95 +\d+\.\d+ ms')
        self.assertRegex(printed, r'  d-\d+ .* ms  \S')
        self.assertRegex(printed, r' src-\d+ ')
        self.assertEqual(printed, self.run_python(os.path.join(DOCS, 'examples', 'slowest-routines.py')))

    @needs_numpy
    def test_queue_delay(self):
        printed = self.run_python(os.path.join(DOCS, 'examples', 'queue-delay.py'), RECORDING)
        heading, *lanes = printed.splitlines()
        self.assertIn('< 1 ms', heading)
        table = self.recording.query('dispatches', select=['queue_delay'], where='')
        counted = sum(int(number) for lane in lanes for number in lane[24:].split())
        self.assertEqual(counted, sum(row['queue_delay'] is not None for row in table))
        self.assertGreater(counted, 0)

    def test_watch(self):
        printed = self.run_python(os.path.join(DOCS, 'examples', 'watch.py'), CORPUS, '--no-drops')
        counts = [int(count) for count in re.findall(r'^(\d+) dispatches$', printed, re.M)]
        self.assertEqual(counts, sorted(counts))
        self.assertGreater(counts[-1], 500)
        self.assertIn('warning: ', printed)


main()
