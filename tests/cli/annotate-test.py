#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is told of the lines and instructions of a real program, which is gone by then. Reports in TAP.

    annotate-test.py WEFT [TEST…]
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import unittest
import xml.dom.minidom

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT = os.path.abspath(sys.argv[1])

# Nearly all of its time goes into divisions, in one line that is inlined into another. They are several, since a sample
# is taken at the instruction after the one that took the time: that of most is in the same line.
SOURCE = '''\
#include <stdio.h>

static inline unsigned long
remainder_of (unsigned long value, unsigned long by)
{
  return value % by % (by | 3) % (by | 5) % (by | 9);
}

__attribute__ ((noinline)) unsigned long
hot (unsigned long seed, unsigned long n)
{
  unsigned long sum = seed;

  for (unsigned long i = 1; i < n; i++)
    sum += remainder_of (seed + sum, i);
  return sum;
}

int
main (void)
{
  unsigned long sum = 0;

  for (unsigned long i = 0; i < 25; i++)
    sum += hot (i, 2000000);
  printf ("%lu\\n", sum);
  return 0;
}
'''

CODE = '  return value % by % (by | 3) % (by | 5) % (by | 9);'
CALL = '    sum += remainder_of (seed + sum, i);'


def run(*command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=200, **options)


def hottest_of_perf(folder):
    """Address of the instruction that perf annotate finds hottest, or None."""
    done = run('perf', 'record', '-q', '-e', 'cpu-clock:u', '-F', '997', '-o', 'perf.data', './hot', cwd=folder)
    if done.returncode != 0:
        return None
    done = run('perf', 'annotate', '-i', 'perf.data', '--stdio', '-s', 'hot', cwd=folder)
    costs = re.findall(r'^\s*([\d.]+)\s+:\s+([0-9a-f]+):\s', done.stdout.decode(), re.M)
    return int(max(costs, key=lambda cost: float(cost[0]))[1], 16) if costs else None


class Annotate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which('gcc') is None:
            raise unittest.SkipTest('gcc is not installed')
        scratch = tempfile.TemporaryDirectory(prefix='weft-annotate-')
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = scratch.name
        cls.recording = os.path.join(cls.folder, 'hot.weft')
        program = os.path.join(cls.folder, 'program')
        os.mkdir(program)
        with open(os.path.join(program, 'hot.c'), 'w', encoding='utf-8') as file:
            file.write(SOURCE)
        subprocess.run(['gcc', '-g', '-O2', '-o', 'hot', 'hot.c'], cwd=program, check=True, timeout=60)
        done = run(WEFT, 'record', '-o', cls.recording, '--', './hot', cwd=program,
                   env=dict(os.environ, XDG_CACHE_HOME=os.path.join(cls.folder, 'cache')))
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode())
        cls.of_perf = hottest_of_perf(program) if shutil.which('perf') else None
        shutil.rmtree(program)
        shutil.rmtree(os.path.join(cls.folder, 'cache'), ignore_errors=True)
        rows = {table['table']: table['rows'] for table in cls.ask('show')['value']['tables']}
        if rows['samples'] < 100:
            raise unittest.SkipTest('no CPU samples can be taken here')

    @classmethod
    def text(cls, *arguments, columns=100):
        done = run(WEFT, *arguments, cls.recording, cwd=cls.folder,
                   env=dict(os.environ, LC_ALL='C.UTF-8', COLUMNS=str(columns), PATH='/nonexistent'))
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode())
        return done.stdout.decode()

    @classmethod
    def ask(cls, *arguments):
        return json.loads(cls.text(*arguments, '--json'))

    def test_hottest_function_and_line(self):
        answer = self.ask('annotate')['value']
        self.assertEqual(answer['symbol_name'], 'hot')
        self.assertGreater(answer['share'], 0.9)
        lines = answer['lines']
        hottest = max((line for line in lines if line['depth'] == 1), key=lambda line: line['self'])
        self.assertEqual((hottest['function'], hottest['text']), ('remainder_of', CODE))
        self.assertGreater(hottest['share'], 0.5)
        around = [line for line in lines[:lines.index(hottest)] if line['depth'] == 0][-1]
        self.assertEqual(around['text'], CALL)
        self.assertGreaterEqual(around['self'], hottest['self'])
        self.assertEqual(sum(line['self'] for line in lines if line['depth'] == 0), answer['self'])

    def hottest_instruction(self):
        rows = self.ask('annotate', 'hot', '--mode', 'assembly')['value']['instructions']
        return rows, max(range(len(rows)), key=lambda row: rows[row]['self'])

    def test_hottest_instruction(self):
        rows, hottest = self.hottest_instruction()
        if rows[0]['text'] is None:
            self.skipTest('built without Capstone')
        # A sample is taken after what took the time.
        texts = [row['text'] for row in rows[max(hottest - 2, 0):hottest + 1]]
        self.assertTrue(any(text.startswith(('div', 'udiv')) for text in texts), texts)
        self.assertGreater(rows[hottest]['share'], 0.15)

    def test_callers_have_lines_of_calls(self):
        answer = self.ask('annotate', 'main')['value']
        self.assertGreater(answer['total'], 20 * max(answer['self'], 1))
        hottest = max(answer['lines'], key=lambda line: line['total'])
        self.assertEqual(hottest['text'], '    sum += hot (i, 2000000);')

    def test_agrees_with_perf(self):
        if self.of_perf is None:
            self.skipTest('perf is not installed, or cannot take samples here')
        rows, hottest = self.hottest_instruction()
        # Several are nearly as hot, and each run has samples of its own.
        same = [row for row in rows if row['address'] == self.of_perf]
        self.assertGreater(same[0]['self'], 0.5 * rows[hottest]['self'])

    def test_fits_terminal(self):
        for mode in 'mixed', 'source', 'assembly':
            text = self.text('annotate', '--mode', mode, columns=72)
            if mode != 'mixed':
                self.assertEqual(self.text('annotate', f'--{mode}', columns=72), text)
            for line in text.splitlines():
                width = sum(1 + (unicodedata.east_asian_width(letter) in 'WF') for letter in line)
                self.assertLessEqual(width, 72, line)
            self.assertEqual('return value' in text, mode != 'assembly', text)

    def test_flame_fits_terminal(self):
        for columns in 54, 72, 110:
            for arguments in [], ['--mode', 'wall'], ['--mode', 'off-cpu'], ['--inverted'], ['--mode', 'wall', '--by', 'time']:
                for line in self.text('flame', *arguments, columns=columns).splitlines():
                    self.assertLessEqual(len(line), columns, line)

    def test_flame(self):
        rows = self.ask('flame')['rows']
        self.assertEqual(rows[0]['time_kind'], 'cpu')
        inlined = [row for row in rows if row['name'] == 'remainder_of']
        self.assertTrue(inlined[0]['inlined'])
        self.assertEqual(rows[inlined[0]['parent']]['name'], 'hot')
        self.assertIn('remainder_of (inlined)', self.text('flame'))

    def test_flame_as_picture(self):
        target = os.path.join(self.folder, 'flame.svg')
        self.text('flame', '--svg', target)
        with open(target, encoding='utf-8') as file:
            picture = file.read()
        self.assertEqual(picture, self.text('flame', '--svg', '-'))
        root = xml.dom.minidom.parseString(picture).documentElement
        names = [title.firstChild.data.split('\n')[0] for title in root.getElementsByTagName('title')]
        self.assertIn('remainder_of', names)

    def test_wall_adds_up(self):
        rows = self.ask('flame', '--mode', 'wall', '--group', 'none')['rows']
        cpu = self.ask('flame', '--mode', 'cpu', '--group', 'none')['rows']
        self.assertEqual(rows[0]['total'] - rows[0]['waiting'], cpu[0]['total'])


tap_report.main(sys.argv[2:])
