#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Critical paths of real programs: they add up to the time that the program measured itself.

    paths-test.py WEFT PLUGINS CORPUS WORKERS POOL OPENMP OPENCL

PLUGINS is a list of folders as in WEFT_PLUGIN_PATH; OPENMP and OPENCL may be "-": not built.
"""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402
from recorded import nobody  # noqa: E402

WEFT = os.path.abspath(sys.argv[1])
PLUGINS, CORPUS, WORKERS, POOL, OPENMP, OPENCL = sys.argv[2:8]


class Paths(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-paths-')
        os.chmod(self.folder, 0o777)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.file = os.path.join(self.folder, 'run.weft')

    def record(self, *command, options=(), before=()):
        """From when to when the program says that it worked, since the recording's start."""
        where = {**os.environ, 'WEFT_PLUGIN_PATH': PLUGINS, 'XDG_RUNTIME_DIR': self.folder, 'HOME': self.folder,
                 'XDG_CACHE_HOME': self.folder, 'POCL_CACHE_DIR': os.path.join(self.folder, 'pocl')}
        run = subprocess.run([*before, WEFT, 'record', '-q', *options, '-o', self.file, '--', *command],
                             env=where, capture_output=True, text=True, timeout=150, check=False)
        if run.returncode == 77:
            self.skipTest(run.stdout.strip())
        self.assertEqual(run.returncode, 0, run.stderr)
        meta = {row['key']: row for row in self.table('meta')}
        self.sampler = meta.get('sampler', {}).get('text', 'off')
        if self.sampler == 'off':
            self.skipTest('nothing here samples CPUs')
        start = int(meta['start-monotonic']['number'])
        return [int(time) - start for time in run.stdout.split()[-2:]]

    def run_weft(self, *arguments):
        run = subprocess.run([WEFT, *arguments, self.file], capture_output=True, text=True, check=False, timeout=100)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def table(self, name):
        return list(csv.DictReader(io.StringIO(self.run_weft('export', '-t', name, 'csv'))))

    def ask(self, *arguments):
        return json.loads(self.run_weft('critical-path', '--json', *arguments))

    def ask_range(self, begin, end, *arguments):
        """The path of a range, which adds up to the nanosecond, whatever is known of it."""
        answer = self.ask('--all', '--from', f'{begin}ns', '--to', f'{end}ns', *arguments)
        time = begin
        for row in answer['rows']:
            self.assertEqual(row['start'], time)
            self.assertGreater(row['duration'], 0)
            if row['confidence'] in ('proven', 'approximate'):
                self.assertTrue(row['evidence'], row)
            time += row['duration']
        self.assertEqual(time, end)
        self.assertEqual(answer['path'][0]['wall'], end - begin)
        self.assertEqual(sum(row['duration'] for row in answer['kinds']), end - begin)
        return answer

    def tell(self, what, answer):
        path = answer['path'][0]
        kinds = {row['kind']: round(100 * row['duration'] / path['wall'], 1) for row in answer['kinds']}
        print(f'# {what}, {self.sampler}: {path["proven_share"]:.1f} % of {path["wall"] / 1e6:.1f} ms proven; {kinds}')
        return path['proven_share']

    def share(self, answer, kind):
        return sum(row['duration'] for row in answer['kinds'] if row['kind'] == kind) / answer['path'][0]['wall']

    # ---- Threads that take jobs ----

    def check_workers(self, answer):
        """Jobs of two threads, both are on it, and the one that hands over."""
        threads = {row['thread'] for row in answer['rows'] if row['kind'] == 'run'}
        self.assertGreaterEqual(len(threads), 2)
        self.assertIn('woke', {row['link'] for row in answer['rows']})

    def test_workers(self):
        begin, end = self.record(WORKERS, '20')
        answer = self.ask_range(begin, end)
        if self.sampler in ('perf-cgroup', 'perf'):
            self.assertGreater(self.tell('threads that take jobs', answer), 95)
            self.check_workers(answer)

    def test_workers_as_nobody(self):
        begin, end = self.record(WORKERS, '20', options=('--with', 'waits'), before=nobody())
        answer = self.ask_range(begin, end)
        share = self.tell('threads that take jobs, without privileges, with waits', answer)
        if self.sampler == 'perf-user':
            self.assertGreater(share, 80)
            self.check_workers(answer)

    def test_whole_run(self):
        """Without a range it is the time of the first thread, which holds what the program measured."""
        begin, end = self.record(WORKERS, '5')
        path = self.ask()['path'][0]
        self.assertLessEqual(path['begin'], begin)
        self.assertGreaterEqual(path['end'], end)
        self.assertEqual(path['wall'], path['end'] - path['begin'])

    def test_pool(self):
        """Work of a GThreadPool is dispatches of its workers, which the one waits for that frees it."""
        begin, end = self.record(POOL, '5', options=('--with', 'gthreadpool'))
        answer = self.ask_range(begin, end)
        share = self.tell('GThreadPool', answer)
        self.assertIn('device', {row['kind'] for row in answer['rows']})
        self.assertIn('completed', {row['link'] for row in answer['rows']})
        if self.sampler in ('perf-cgroup', 'perf'):
            self.assertGreater(share, 90)

    def check_openmp(self, *how, **options):
        if OPENMP == '-':
            self.skipTest('the compiler has no OpenMP')
        begin, end = self.record(OPENMP, '10', **options)
        return self.tell(f'OpenMP{" " if how else ""}{" ".join(how)}', self.ask_range(begin, end))

    def test_openmp(self):
        share = self.check_openmp()
        if self.sampler in ('perf-cgroup', 'perf'):
            self.assertGreater(share, 90)

    def test_openmp_as_nobody(self):
        self.check_openmp('as nobody', before=nobody(), options=('--with', 'waits'))

    # ---- OpenCL ----

    def check_opencl(self, **options):
        if OPENCL == '-':
            self.skipTest("OpenCL's loader (ocl-icd-opencl-dev) is missing")
        begin, end = self.record(OPENCL, '10', **options)
        answer = self.ask_range(begin, end)
        share = self.tell('OpenCL', answer)
        work = [row for row in answer['rows'] if row['kind'] == 'device']
        self.assertEqual(len(work), 10)
        self.assertEqual({row['routine_name'] for row in work}, {'churn'})
        for row in work:
            self.assertTrue(row['wait_begin'] and row['wait_end'], row)
        self.assertGreater(share, 80)
        return begin, end, answer

    def test_opencl(self):
        begin, end, answer = self.check_opencl(options=('--with', 'opencl'))
        tree = self.ask('--mode', 'tree', '--from', f'{begin}ns', '--to', f'{end}ns')['rows']
        under = {row['name']: tree[row['parent']] for row in tree if row['kind'] == 'target'}
        self.assertEqual(under['churn']['kind'], 'function')
        self.assertIn('work', {tree[row]['name'] for row in self.ancestors(tree, under['churn'])})
        self.assertEqual(tree[0]['total'], end - begin)
        device = sum(row['duration'] for row in answer['rows'] if row['kind'] == 'device')
        faster = self.ask('-n', '1', '--from', f'{begin}ns', '--to', f'{end}ns', '--what-if', 'routine:churn=2x')
        change = faster['what_if'][0]['wall'] - faster['what_if'][0]['forecast']
        # Where something else held it up meanwhile, that is on the path then.
        self.assertGreater(change, device / 4)
        self.assertLessEqual(change, device / 2 + len(answer['rows']))
        self.assertEqual(faster['what_if'][0]['dispatches'], 10)

    def ancestors(self, tree, row):
        """Numbers of the rows around, and of itself."""
        numbers = [tree.index(row)]
        while tree[numbers[-1]]['parent'] is not None:
            numbers.append(tree[numbers[-1]]['parent'])
        return numbers

    def test_opencl_as_nobody(self):
        self.check_opencl(options=('--with', 'opencl,waits'), before=nobody())

    def test_off_cpu(self):
        begin, end, _ = self.check_opencl(options=('--with', 'opencl'))
        times = ('--from', f'{begin}ns', '--to', f'{end}ns')
        rows = self.ask('--mode', 'off-cpu', '--all', *times)['rows']
        threads = json.loads(self.run_weft('threads', '--json', *times))['rows']
        self.assertEqual(sum(row['off_cpu'] for row in rows), sum(row['off_cpu'] or 0 for row in threads))
        self.assertIn('churn', {row['name'] for row in rows})

    # ---- The corpus ----

    def test_corpus(self):
        """One that the queuing thread waited for stands under its stack; one that another waited for is linked."""
        self.record(CORPUS, '--no-drops', '--only', 'wait-synchronous,wait-other-thread')
        dispatches = {row['name']: row['dispatch'] for row in json.loads(
            self.run_weft('target', 'dispatches', '--json', '--all'))['rows']}
        found = 0
        for thread in json.loads(self.run_weft('threads', '--json'))['rows']:
            if thread['name'] not in ('render', 'collector') or not thread['target_waits']:
                continue
            rows = self.ask('--all', thread['thread'])['rows']
            tree = self.ask('--mode', 'tree', thread['thread'])['rows']
            work = next(row for row in rows if row['kind'] == 'device')
            place = next(row for row in tree if row['kind'] == 'target')
            before = rows[rows.index(work) - 1]
            while before['kind'] == 'queue':
                before = rows[rows.index(before) - 1]
            found += 1
            if thread['name'] == 'render':
                self.assertEqual(work['dispatch'], dispatches['wait-synchronous'])
                self.assertEqual(tree[place['parent']]['kind'], 'function')
                self.assertEqual(before['thread'], thread['thread'])
            else:
                self.assertEqual(work['dispatch'], dispatches['wait-other-thread'])
                self.assertEqual(tree[place['parent']]['kind'], 'all')
                self.assertNotEqual(before['thread'], thread['thread'])
        self.assertEqual(found, 2)


if __name__ == '__main__':
    tap_report.main(sys.argv[8:])
