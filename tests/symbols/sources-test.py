#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where symbols come from at run time: programs that make code, servers.

    sources-test.py FRAMES SYMBOLIZER [TEST…]

FRAMES resolves the frames that it is told of, as a recorder would.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
import tap_report  # noqa: E402

FRAMES, SYMBOLIZER = map(os.path.abspath, sys.argv[1:3])
NONE, EXPORTED, SYMBOLS, LINES, MISMATCH, FAILED, MAP = range(7)

SCRIPT = '''
function busyWithNumbers (n) { let sum = 0; for (let i = 0; i < n; i++) sum += Math.sqrt (i); return sum; }
const end = Date.now () + 60000;
console.log ('ready');
(function turn () { busyWithNumbers (1e6); if (Date.now () < end) setImmediate (turn); }) ();
'''


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-sources-')
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, WEFT_SYMBOLIZER=SYMBOLIZER)

    def path(self, name):
        return os.path.join(self.folder, name)

    def need(self, program):
        if shutil.which(program) is None:
            self.skipTest(f'{program} is not installed')

    def spawn(self, *arguments, **options):
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    def frames(self, mode, module, addresses):
        """State and reason of the module; the innermost function's name by address, '' of none."""
        text = subprocess.run([FRAMES, mode, str(module), self.path('cache')], check=True, capture_output=True,
                              text=True, env=self.environment,
                              input=''.join(f'{address:x}\n' for address in addresses)).stdout
        lines = text.splitlines()
        state, reason = lines[0].split('\t')
        return int(state), reason, {int(a, 16): name for a, name in (line.split('\t') for line in lines[1:])}


class Made(Case):
    """Code that node makes."""

    def start(self, option):
        self.need('node')
        script = self.path('script.js')
        with open(script, 'w') as file:
            file.write(SCRIPT)
        node = self.spawn('node', option, script, cwd=self.folder)
        self.assertEqual(node.stdout.readline(), b'ready\n')
        return node

    def entries(self, path, wanted):
        """Addresses of functions of that name, as the map says."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with open(path, errors='replace') as file:
                found = re.findall(r'^([0-9a-f]+) ([0-9a-f]+) (.*' + wanted + '.*)$', file.read(), re.M)
            if found:
                return found
            time.sleep(0.1)
        self.fail(f'{wanted} is not in {path}')

    def test_node_map(self):
        node = self.start('--perf-basic-prof')
        path = f'/tmp/perf-{node.pid}.map'
        self.addCleanup(lambda: os.path.exists(path) and os.remove(path))
        found = self.entries(path, 'busyWithNumbers')
        last = found[-1]
        address = int(last[0], 16) + int(last[1], 16) // 2
        state, reason, names = self.frames('jit', node.pid, [address, 0x1000])
        self.assertEqual(state, MAP)
        self.assertEqual(names[address], last[2])
        self.assertEqual(names[0x1000], '')

    def test_says_nothing(self):
        node = self.start('--no-opt')
        state, reason, names = self.frames('jit', node.pid, [0x1000])
        self.assertEqual(state, NONE)
        self.assertIn('--perf-basic-prof', reason)


class Servers(Case):
    """A debuginfod on this machine: never asked unless it was wished for."""

    def setUp(self):
        super().setUp()
        for program in 'debuginfod', 'debuginfod-find', 'gcc':
            self.need(program)
        source = self.path('program.c')
        with open(source, 'w') as file:
            file.write('int __attribute__ ((noinline, used)) hidden (int x) { return x * 5; }\n'
                       'int main (int argc, char **argv) { return hidden (argc); }\n')
        os.mkdir(self.path('served'))
        whole = self.path('served/program')
        subprocess.run(['gcc', '-O2', '-g', '-Wl,--build-id', source, '-o', whole], check=True)
        symbols = subprocess.run(['nm', whole], check=True, capture_output=True, text=True).stdout
        self.hidden = int(re.search('^([0-9a-f]+) T hidden$', symbols, re.M).group(1), 16)
        self.stripped = self.path('program')
        subprocess.run(['strip', '-o', self.stripped, whole], check=True)
        self.environment['DEBUGINFOD_CACHE_PATH'] = self.path('downloads')
        self.environment['HOME'] = self.folder
        self.environment.pop('DEBUGINFOD_URLS', None)

    def serve(self):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        self.spawn('debuginfod', '-F', '-d', self.path('index.sqlite'), '-p', str(port), '-t', '0',
                   self.path('served'), env=dict(os.environ, HOME=self.folder))
        self.environment['DEBUGINFOD_URLS'] = f'http://127.0.0.1:{port}'
        identity = re.search('Build ID: ([0-9a-f]+)', subprocess.run(
            ['readelf', '-n', self.stripped], check=True, capture_output=True, text=True).stdout).group(1)
        deadline = time.monotonic() + 60
        # A server that has not looked yet says that there is none; that answer is not to be kept.
        probe = dict(self.environment, DEBUGINFOD_CACHE_PATH=self.path('probe'))
        while time.monotonic() < deadline:
            shutil.rmtree(self.path('probe'), ignore_errors=True)
            if subprocess.run(['debuginfod-find', 'debuginfo', identity], env=probe,
                              capture_output=True).returncode == 0:
                return
            time.sleep(0.3)
        self.skipTest('debuginfod does not serve here')

    def test_server(self):
        self.serve()
        state, reason, names = self.frames('auto', self.stripped, [self.hidden])
        self.assertEqual((state, names[self.hidden]), (EXPORTED, f'sub_{self.hidden:x}'))
        self.assertFalse(os.path.exists(self.path('downloads')))
        state, reason, names = self.frames('debuginfod', self.stripped, [self.hidden])
        self.assertEqual((state, reason, names[self.hidden]), (LINES, '', 'hidden'))
        # What was fetched once is there without a server, too.
        self.environment['DEBUGINFOD_URLS'] = 'http://127.0.0.1:1'
        state, reason, names = self.frames('debuginfod', self.stripped, [self.hidden])
        self.assertEqual((state, names[self.hidden]), (LINES, 'hidden'))

    def test_no_server(self):
        state, reason, names = self.frames('debuginfod', self.stripped, [self.hidden])
        self.assertEqual(state, EXPORTED)
        self.assertIn('DEBUGINFOD_URLS names no server', reason)
        self.environment['DEBUGINFOD_URLS'] = 'http://127.0.0.1:1'
        state, reason, names = self.frames('debuginfod', self.stripped, [self.hidden])
        self.assertEqual(state, EXPORTED)
        self.assertIn('no server has its debugging information', reason)


if __name__ == '__main__':
    tap_report.main(sys.argv[3:])
