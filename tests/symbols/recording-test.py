#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Functions, inlined calls, lines, code and sources of real programs, in recordings of them.

    recording-test.py WEFT [TEST…]
"""

import csv
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
import tap_report  # noqa: E402

WEFT = os.path.abspath(sys.argv[1])

PROGRAM_C = '''#include <stdio.h>
#include <stdlib.h>
static inline unsigned mixed (unsigned x)
{
  x ^= x << 13; x ^= x >> 17;
  return x ^ (x << 5);
}
__attribute__ ((noinline)) unsigned busy (unsigned n)
{
  unsigned total = 1;
  for (unsigned i = 0; i < n; i++)
    total += mixed (total + i);
  return total;
}
int main (int argc, char **argv)
{
  unsigned total = 0;
  for (int i = 0; i < 150; i++)
    total += busy (argc * 1000000 + i);
  printf ("%u\\n", total);
  return 0;
}
'''

PROGRAM_RS = '''#[inline(always)]
fn mixed(mut x: u32) -> u32 {
    x ^= x << 13; x ^= x >> 17;
    x ^ (x << 5)
}
#[inline(never)]
fn busy(n: u32) -> u32 {
    let mut total: u32 = 1;
    for i in 0..n {
        total = total.wrapping_add(mixed(total.wrapping_add(i)));
    }
    total
}
fn main() {
    let n = std::env::args().count() as u32;
    let mut total: u32 = 0;
    for i in 0..150 { total = total.wrapping_add(busy(n * 1000000 + i)); }
    println!("{}", total);
}
'''


class Recording(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-recording-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = dict(os.environ, XDG_CACHE_HOME=self.path('cache'))
        os.mkdir(self.path('cache'))

    def path(self, name):
        return os.path.join(self.folder, name)

    def build(self, compiler, text, ending, *flags):
        if shutil.which(compiler) is None:
            self.skipTest(f'{compiler} is not installed')
        source = self.path('program' + ending)
        with open(source, 'w') as file:
            file.write(text)
        subprocess.run([compiler, *flags, source, '-o', self.path('program')], check=True, cwd=self.folder,
                       capture_output=True)
        return self.path('program')

    def record(self, program, *options):
        file = self.path('program.weft')
        if os.path.exists(file):
            os.remove(file)
        subprocess.run([WEFT, 'record', '-q', '--no-plugins', *options, '-o', file, '--', program], check=True,
                       env=self.environment, stdout=subprocess.DEVNULL)
        return file

    def rows(self, file, table, *columns):
        text = subprocess.run([WEFT, 'export', 'csv', '-t', table, '-s', ','.join(columns), file], check=True,
                              capture_output=True, text=True).stdout
        return list(csv.reader(io.StringIO(text)))[1:]

    def check(self, file, function, inlined, source):
        if not self.rows(file, 'samples', 'id'):
            self.skipTest('programs cannot be sampled here')
        hot = self.rows(file, 'samples', 'id', 'callchain.frame')
        frames = {}
        for frame, depth, name, path, line in self.rows(file, 'frame_symbols', 'frame', 'depth', 'symbol.name', 'file',
                                                        'line'):
            frames.setdefault(frame, []).append((name, path, int(line)))
        named = [frames[frame] for _, frame in hot if frame in frames]
        here = [places for places in named if places[0][0] == function]
        print(f'# {len(here)} of {len(hot)} samples in {function}, {len(named)} with a name')
        self.assertGreater(len(here), 0.5 * len(hot))
        self.assertTrue(any(len(places) > 1 and places[1][0] == inlined for places in here))
        self.assertEqual({path for places in here for _, path, line in places if line and path.endswith(source)},
                         {self.path(source)})
        code = dict(self.rows(file, 'code', 'symbol.name', 'architecture'))
        self.assertIn(function, code)
        lines = self.rows(file, 'code_lines', 'code.symbol.name', 'depth', 'symbol.name', 'file', 'line')
        self.assertTrue([row for row in lines if row[0] == function and row[2] == inlined])
        self.assertIn([self.path(source)], self.rows(file, 'sources', 'path'))

    def test_gcc(self):
        program = self.build('gcc', PROGRAM_C, '.c', '-O2', '-g')
        self.check(self.record(program), 'busy', 'mixed', 'program.c')

    def test_clang(self):
        program = self.build('clang-14', PROGRAM_C, '.c', '-O2', '-g')
        self.check(self.record(program), 'busy', 'mixed', 'program.c')

    def test_rust(self):
        program = self.build('rustc', PROGRAM_RS, '.rs', '-O', '-g')
        self.check(self.record(program), 'program::busy', 'program::mixed', 'program.rs')

    def test_elsewhere(self):
        """What was recorded is answered without the program, its source and the cache."""
        program = self.build('gcc', PROGRAM_C, '.c', '-O2', '-g')
        file = self.record(program)
        for name in 'program', 'program.c':
            os.remove(self.path(name))
        shutil.rmtree(self.path('cache'))
        self.check(file, 'busy', 'mixed', 'program.c')

    def test_off(self):
        program = self.build('gcc', PROGRAM_C, '.c', '-O2', '-g')
        file = self.record(program, '--symbols', 'off')
        self.assertEqual(self.rows(file, 'symbols', 'id'), [])
        self.assertEqual(self.rows(file, 'code', 'id'), [])
        bad = subprocess.run([WEFT, 'record', '--symbols', 'some', '--', 'true'], capture_output=True, text=True)
        self.assertNotEqual(bad.returncode, 0)
        self.assertIn('auto, off or debuginfod', bad.stderr)

    def test_interrupted(self):
        """Who does not want to wait for names has the recording without."""
        program = self.build('gcc', PROGRAM_C, '.c', '-O2', '-g')
        if not self.rows(self.record(program), 'samples', 'id'):
            self.skipTest('programs cannot be sampled here')
        shutil.rmtree(self.path('cache'))
        os.mkdir(self.path('cache'))
        hanging = self.path('hanging')
        with open(hanging, 'w') as file:
            file.write('#!/bin/sh\nexec sleep 100\n')
        os.chmod(hanging, 0o755)
        file = self.path('interrupted.weft')
        recorder = subprocess.Popen([WEFT, 'record', '-q', '--no-plugins', '-o', file, '--', program],
                                    env=dict(self.environment, WEFT_SYMBOLIZER=hanging), stdout=subprocess.DEVNULL)
        self.addCleanup(recorder.kill)
        deadline = time.monotonic() + 60
        # The program has ended once its exit status is in the file, which can be read by then.
        while time.monotonic() < deadline:
            shown = subprocess.run([WEFT, 'show', file], capture_output=True, text=True).stdout
            if 'exit status' in shown:
                break
            time.sleep(0.1)
        self.assertIn('exit status', shown)
        self.assertIsNone(recorder.poll())
        self.assertTrue(self.rows(file, 'samples', 'id'))
        recorder.send_signal(signal.SIGINT)
        self.assertEqual(recorder.wait(30), 0)
        self.assertIn(['symbols-unfinished'], self.rows(file, 'diagnostics', 'code'))
        self.assertTrue(self.rows(file, 'samples', 'id'))

    def test_made_code(self):
        if shutil.which('node') is None:
            self.skipTest('node is not installed')
        script = self.path('script.js')
        with open(script, 'w') as file:
            file.write('function busyWithNumbers (n) { let sum = 0; for (let i = 0; i < n; i++) sum += Math.sqrt (i) % 7; '
                       'return sum; }\nlet total = 0; const end = Date.now () + 1500;\n'
                       'while (Date.now () < end) total += busyWithNumbers (1e6);\nconsole.log (total);\n')
        for option in '--perf-basic-prof', '--perf-prof':
            with self.subTest(option):
                file = self.path('made.weft')
                if os.path.exists(file):
                    os.remove(file)
                subprocess.run([WEFT, 'record', '-q', '--no-plugins', '-o', file, '--', 'node', option, script],
                               check=True, env=self.environment, cwd=self.folder, stdout=subprocess.DEVNULL)
                for pid, in self.rows(file, 'processes', 'pid'):
                    if os.path.exists(f'/tmp/perf-{pid}.map'):
                        os.remove(f'/tmp/perf-{pid}.map')
                frames = dict(self.rows(file, 'frame_symbols', 'frame', 'symbol.name'))
                hot = self.rows(file, 'samples', 'id', 'callchain.frame')
                if not hot:
                    self.skipTest('programs cannot be sampled here')
                here = [frame for _, frame in hot if 'busyWithNumbers' in frames.get(frame, '')]
                print(f'# {option}: {len(here)} of {len(hot)} samples')
                self.assertGreater(len(here), 0.3 * len(hot))
                if option == '--perf-prof':
                    self.assertTrue([name for name, in self.rows(file, 'code', 'symbol.name')
                                     if 'busyWithNumbers' in name])

    def test_cached(self):
        program = self.build('gcc', PROGRAM_C, '.c', '-O2', '-g', '-Wl,--build-id')
        self.record(program)
        folder = self.path('cache/weft/symbols')
        identity = re.search('Build ID: ([0-9a-f]+)', subprocess.run(
            ['readelf', '-n', program], check=True, capture_output=True, text=True).stdout).group(1)
        if self.rows(self.path('program.weft'), 'samples', 'id'):
            self.assertIn(identity + '.symbols', os.listdir(folder))
            self.check(self.record(program), 'busy', 'mixed', 'program.c')


if __name__ == '__main__':
    tap_report.main(sys.argv[2:])
