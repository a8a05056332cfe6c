#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real programs that know nothing of Weft: are their functions and waits there? Reports in TAP.

    real-programs-test.py WEFT SCRIPT

SCRIPT is scripts/prove-real-programs, which knows the programs and how to look at recordings.
Nothing here depends on how fast the machine is: counts are compared with the time that the kernel
gave, and shares have wide margins.
"""

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT = os.path.abspath(sys.argv[1])
LOADER = importlib.machinery.SourceFileLoader('real', sys.argv[2])
real = importlib.util.module_from_spec(importlib.util.spec_from_loader('real', LOADER))
LOADER.exec_module(real)
PROGRAMS = {program.name: program for program in real.programs(1)}


def percent(text):
    return float(text.split()[0])


class Case(unittest.TestCase):
    def record(self, name, user='root'):
        program = PROGRAMS[name]
        missing = [need for need in program.needs if not shutil.which(need)]
        if missing:
            self.skipTest(f"no {', '.join(missing)} here")
        if user == 'nobody' and os.geteuid() != 0:
            self.skipTest('only root can become nobody')
        if program.root_only and os.geteuid() != 0:
            self.skipTest('only root can do this')
        folder = tempfile.mkdtemp(prefix='weft-real-')
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        os.chmod(folder, 0o755)
        if program.prepare:
            program.prepare(folder)
        prefix = real.NOBODY if user == 'nobody' else []
        if user == 'nobody':
            subprocess.run(['chown', '-R', '65534:65534', folder], check=True)
            if subprocess.run([*prefix, WEFT, '--version'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode != 0:
                self.skipTest(f'{WEFT} is closed to nobody')
        file = os.path.join(folder, 'x.weft')
        environment = dict(os.environ, HOME=folder, XDG_CACHE_HOME=folder, XDG_RUNTIME_DIR=folder,
                           WEFT_RUNTIME_DIR=os.path.join(folder, 'run'), **program.environment)
        done = subprocess.run([*prefix, WEFT, 'record', '-q', '--no-plugins', '-o', file, '--', *program.command],
                              cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment,
                              timeout=real.LIMIT, check=False)
        self.assertNotIn('Sanitizer', done.stderr)
        self.assertNotIn('CRITICAL', done.stderr)
        self.assertTrue(os.path.exists(file), done.stderr)
        self.recording = real.Recording(WEFT, file)
        figures = real.measure(self.recording)
        if not figures['mode'].startswith('perf'):
            self.skipTest(f"performance events are closed here: {self.recording.meta().get('sampler-missing', '')}")
        return figures

    def check(self, figures, due, complete):
        self.assertGreater(int(figures['samples']), 20, figures)
        self.assertGreaterEqual(percent(figures['of those due']), due, figures)
        self.assertLessEqual(percent(figures['of those due']), 130, figures)
        self.assertGreaterEqual(percent(figures['complete stacks']), complete, figures)
        # On-CPU and off-CPU time of each thread make up its life.
        for thread, (start, until, on_cpu, off_cpu) in self.recording.thread_times().items():
            self.assertAlmostEqual(on_cpu + off_cpu, until - start, delta=1e6, msg=thread)

    def functions(self):
        return real.weft_top(self.recording)


class Real(Case):
    def test_gcc(self):
        self.check(self.record('gcc, a large file'), 90, 80)
        self.assertIn('cc1', ' '.join(row['name'] for row in self.recording.shown['processes']))

    def test_python_threads(self):
        figures = self.record('python3, threads')
        self.check(figures, 80, 90)
        self.assertGreaterEqual(percent(figures['wait time with a stack']), 80)
        self.assertTrue(any('PyEval' in name for name in self.functions()), list(self.functions())[:20])
        self.assertEqual(len([row for row in self.recording.table('threads', 'name') if row[0] == 'python3']), 5)

    def test_sqlite(self):
        self.check(self.record('sqlite3'), 90, 90)

    def test_xz(self):
        figures = self.record('xz -T2')
        self.check(figures, 90, 90)
        self.assertGreaterEqual(percent(figures['wait time with a stack']), 80)

    def test_node(self):
        self.check(self.record('node --perf-basic-prof'), 90, 85)
        self.assertTrue(any('mix' in name for name in self.functions()))

    def test_rust(self):
        self.check(self.record('Rust, with DWARF'), 90, 90)
        self.assertTrue(any('words::count' in name for name in self.functions()))

    def test_clang(self):
        self.check(self.record('C++ by clang, with DWARF'), 90, 90)
        self.assertTrue(any('work::tree' in name for name in self.functions()))

    def test_fork_storm(self):
        figures = self.record('500 × /bin/true')
        self.check(figures, 80, 70)
        self.assertGreaterEqual(self.recording.rows['processes'], 500)

    def test_mount_namespace(self):
        self.check(self.record('another mount namespace'), 80, 90)
        self.assertIn('/mnt/elsewhere', [row[0] for row in self.recording.table('modules', 'path')])

    def test_dropped_privileges(self):
        self.check(self.record('dropping privileges'), 80, 90)


class Nobody(Case):
    def test_xz(self):
        figures = self.record('xz -T2', 'nobody')
        self.check(figures, 50, 90)
        self.assertGreaterEqual(percent(figures['wait time with a stack']), 60)

    def test_clang(self):
        self.check(self.record('C++ by clang, with DWARF', 'nobody'), 60, 90)
        self.assertTrue(any('work::tree' in name for name in self.functions()))


tap_report.main(sys.argv[3:])
