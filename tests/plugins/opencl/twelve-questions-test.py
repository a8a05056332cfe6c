#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The twelve questions of docs/questions.md, asked as they stand there of a real program that uses OpenCL."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [SOURCE, os.path.join(SOURCE, '..', '..')]
import tap_report  # noqa: E402
from opencl_case import PATIENCE, WEFT, OpenclCase, missing_implementation  # noqa: E402

GUIDE = os.path.join(SOURCE, '..', '..', '..', 'docs', 'questions.md')
MISSING = missing_implementation()


class TwelveQuestions(OpenclCase):
    def setUp(self):
        if MISSING:
            self.skipTest(MISSING)
        if shutil.which('clpeak') is None:
            self.skipTest('clpeak is not installed')
        super().setUp()

    def weft(self, *words):
        run = subprocess.run([WEFT, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                             timeout=PATIENCE, cwd=self.folder, env=self.environment())
        self.assertEqual(run.returncode, 0, (words, run.stderr))
        return run.stdout

    def ask(self, command):
        """As text, which must not be empty, and as JSON."""
        self.assertTrue(self.weft(*command).strip(), command)
        return json.loads(self.weft(*command, '--json'))

    def find_kernel(self):
        """A dispatch of the kernel that ran most often and that a thread waited for, and its routine."""
        kernel = json.loads(self.weft('target', 'top', '--by', 'count', '--filter', 'counter:work_items', '--json',
                                      'new.weft'))['rows'][0]
        waited = json.loads(self.weft('target', 'dispatches', '--filter',
                                      'counter:work_items classification:synchronous', '--limit', '1', '--json',
                                      'new.weft'))['rows']
        self.assertTrue(waited, 'nobody waited for a kernel')
        return waited[0], kernel

    def test_questions(self):
        with open(GUIDE, encoding='utf-8') as file:
            section = file.read().split('## Twelve questions to one program')[1]
        for line in re.search(r'```sh\n(.*?)```', section, re.S).group(1).splitlines():
            self.weft(*shlex.split(line)[1:])
        dispatch, kernel = self.find_kernel()
        rows = re.findall(r'^\| (.+?\?) \| `weft (.+?)` \|$', section, re.M)
        self.assertEqual(len(rows), 12)
        answers = {}
        for question, command in rows:
            words = command.replace('d-12', dispatch['dispatch']).replace('r-3', kernel['routine']).split()
            answers[question] = self.ask(words)
        (stacks, waiting, lanes, often, longest, outliers, queued, waited, source, buffers, counters,
         compared) = answers.values()
        self.assertTrue(stacks.get('rows') or stacks.get('value'))
        self.assertTrue(any(row['duration'] > 0 for row in waiting['rows']))
        self.assertIn('opencl.queue', {row['kind'] for row in lanes['rows']})
        self.assertEqual(often['rows'][0]['name'], kernel['name'])
        self.assertEqual({row['name'] for row in often['rows']}, {row['name'] for row in longest['rows']})
        self.assertTrue(all(row['duration'] > row['typical'] for row in outliers['rows']))
        origins = [row for row in queued['rows'] if row['role'] == 'dispatch']
        self.assertEqual(origins[0]['link_status'], 'linked-exact')
        self.assertTrue(origins[0]['call_stack'])
        self.assertTrue(waited['value']['waits'])
        self.assertIn('__kernel', json.dumps(source))
        self.assertTrue(all(row['kind'] for row in buffers['rows']))
        self.assertTrue(buffers['rows'])
        self.assertIn('work_items', {row['counter_name'] for row in counters['rows']})
        self.assertIn(kernel['name'], json.dumps(compared))


if __name__ == '__main__':
    tap_report.main(sys.argv[6:])
