#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What OpenMP programs are told to do, by GCC's and by LLVM's runtime, is what they count themselves;
and they do the same with the instrument as without."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS, MORE_PLUGINS, GCC, LLVM, COUNTER = sys.argv[1:7]
SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(SOURCE, '..', '..', '..'))
import tap_report

PROGRAMS = {name: path for name, path in (('gcc', GCC), ('llvm', LLVM)) if path}
RUNTIMES = list(PROGRAMS)

# Runs a program with the counter behind what is preloaded.
BEHIND = 'LD_PRELOAD="$LD_PRELOAD:$COUNTER" exec "$@"'

# The number of threads is part of what they count.
THREADS = {'OMP_NUM_THREADS': '3', 'OMP_DYNAMIC': 'false'}


def environment(**more):
    return {**os.environ, 'WEFT_PLUGIN_PATH': PLUGINS + ':' + MORE_PLUGINS, **THREADS, **more}


def nobody(case):
    """What makes a program run without privileges; env where it does anyway."""
    if os.geteuid() != 0:
        return ['env']
    if shutil.which('setpriv') is None:
        case.skipTest('root, and no setpriv (package util-linux) to be somebody else')
    return ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']


def counts(output):
    """{WORD: NUMBER} of what the program printed."""
    return {line.split()[0]: int(line.split()[1]) for line in output.splitlines()}


class Recording:
    def __init__(self, case, *command, options=('--with', 'openmp'), status=0, cwd=None, before=(),
                 **more):
        folder = tempfile.mkdtemp(prefix='weft-openmp-')
        case.addCleanup(shutil.rmtree, folder)
        if before:
            os.chmod(folder, 0o777)
            more = {'XDG_RUNTIME_DIR': folder, 'XDG_CACHE_HOME': folder, 'HOME': folder, **more}
        self.file = os.path.join(folder, 'run.weft')
        run = subprocess.run([*before, WEFT, 'record', *options, '-o', self.file, '--', *command], cwd=cwd,
                             env=environment(**more), capture_output=True, text=True, timeout=200)
        if run.returncode != status:
            raise AssertionError(run.stdout + run.stderr)
        self.output = run.stdout
        self.errors = run.stderr

    def table(self, name):
        run = subprocess.run([WEFT, 'export', '-t', name, 'csv', self.file], env=environment(),
                             capture_output=True, text=True, check=True)
        return list(csv.DictReader(io.StringIO(run.stdout)))

    def ask(self, *words, table='rows'):
        run = subprocess.run([WEFT, *words, '--json', self.file], env=environment(),
                             capture_output=True, text=True, check=True)
        return json.loads(run.stdout)[table]

    def lanes(self):
        """Those of OpenMP."""
        return [row for row in self.table('lanes') if row['kind'].startswith('threadpool.')]

    def constructs(self):
        """{CONSTRUCT: [dispatch]} by the tag that each has."""
        rows = {row['id']: row for row in self.table('dispatches')}
        found = {}
        for tag in self.table('tags'):
            if tag['key'] == 'construct':
                found.setdefault(tag['text'], []).append(rows['d-' + tag['owner']])
        return found

    def check_conservation(self, case):
        lanes = [row for row in self.ask('target', 'lanes') if row['kind'].startswith('threadpool.')]
        case.assertTrue(lanes)
        for row in lanes:
            case.assertEqual(row['submitted'], row['completed'], row)
            case.assertEqual((row['pending'], row['rejected'], row['lost']), (0, 0, 0), row)
        return lanes


class Counts(unittest.TestCase):
    """Regions, parts of threads, tasks, chunks: as many as the program counts."""

    def record(self, runtime, mode, number, **more):
        program = PROGRAMS[runtime]
        plain = subprocess.run([program, mode, str(number)], env={**environment(), **more},
                               capture_output=True, text=True, timeout=60, check=True)
        recording = Recording(self, program, mode, str(number), **more)
        self.assertEqual(recording.output, plain.stdout)
        recording.check_conservation(self)
        return recording, counts(plain.stdout), recording.constructs()

    def each(self, mode, number, **more):
        return [(runtime, *self.record(runtime, mode, number, **more)) for runtime in RUNTIMES]

    def check(self, told, found, extra=False):
        """EXTRA: LLVM's runtime divides large loops of tasks by tasks of its own."""
        self.assertEqual(len(found.get('parallel', [])), told['parts'])
        if extra:
            self.assertGreaterEqual(len(found['task']), told['tasks'])
        else:
            self.assertEqual(len(found.get('task', [])), told['tasks'])

    def test_regions(self):
        for runtime, recording, told, found in self.each('regions', 50):
            self.check(told, found)
            committed = [row for row in recording.table('submission_events')
                         if row['kind'] == 'commit']
            completed = [row for row in recording.table('submission_events')
                         if row['kind'] == 'completed']
            self.assertEqual((len(committed), len(completed)), (told['regions'], told['regions']))
            lanes = {row['name']: row for row in recording.ask('target', 'lanes')}
            self.assertEqual(set(lanes), {'OpenMP', 'OpenMP/0', 'OpenMP/1', 'OpenMP/2'})
            for number in range(3):
                self.assertEqual(lanes[f'OpenMP/{number}']['dispatches'], told['regions'])
            self.assertEqual(lanes['OpenMP']['kind'], 'threadpool.team')
            for row in recording.table('submissions'):
                self.assertEqual(row['lane'], lanes['OpenMP']['lane'])

    def test_tasks(self):
        for runtime, recording, told, found in self.each('tasks', 13):
            self.check(told, found)
            proven = [row for row in found['task'] if row['classification'] == 'synchronous']
            self.assertGreater(len(proven), 0)
            # In the end nothing waits.
            depths = [row for row in recording.table('metrics') if row['name'] == 'queue.pending']
            points = sorted(recording.table('metric_points'), key=lambda row: int(row['time']))
            last = {row['metric']: row['value'] for row in points}
            for row in depths:
                self.assertEqual(float(last.get(row['id'], 0)), 0)

    def test_loose_tasks(self):
        """Made by one thread, run by all: some of them elsewhere, which is told as steals."""
        for runtime, recording, told, found in self.each('loose', 300):
            self.check(told, found)
            creators = {row['dispatch']: row['thread'] for row in recording.table('origins')
                        if row['role'] == 'dispatch' and row['dispatch']}
            tasks = found['task']
            self.assertEqual(len({creators[row['id']] for row in tasks}), 1)
            elsewhere = sum(creators[row['id']] != row['thread'] for row in tasks)
            names = {row['id']: row['name'] for row in recording.table('metrics')}
            steals = sum(float(row['value']) for row in recording.table('metric_points')
                         if names[row['metric']] == 'steal.total')
            self.assertEqual(steals, elsewhere)
            for row in tasks:
                self.assertEqual(row['queue'] != '', True)

    def test_nested(self):
        for runtime, recording, told, found in self.each('nested', 15):
            self.check(told, found)
            self.assertEqual(len(recording.table('submissions')), told['regions'])
            lanes = {row['name'] for row in recording.ask('target', 'lanes')}
            self.assertEqual(lanes, {'OpenMP', 'OpenMP/0', 'OpenMP/1'} | {
                f'OpenMP/{outer} nested{inner}' for outer in (0, 1)
                for inner in ('', '/0', '/1', '/2')})

    def test_dependences(self):
        for runtime, recording, told, found in self.each('dependences', 20):
            self.check(told, found)
            uses = recording.table('attachments')
            dispatches = recording.table('dispatches')
            self.assertEqual(len(dispatches), told['parts'] + told['tasks'] +
                             len(found.get('single', [])))
            attached = recording.ask('target', 'attachments')
            self.assertEqual(sorted(row['uses'] for row in attached), [20, 40])
            self.assertEqual(len(uses), 60)

    def test_chunks(self):
        for runtime, recording, told, found in self.each('loop', 200):
            self.check(told, found)
            if runtime == 'gcc':
                self.assertEqual(len(found['loop']), told['chunks'])
            else:  # this runtime tells of a thread's share, or of its chunks
                self.assertGreaterEqual(len(found['loop']), told['parts'])

    def test_sections(self):
        for runtime, recording, told, found in self.each('sections', 20):
            self.check(told, found)
            if runtime == 'gcc':
                self.assertEqual(len(found['section']), told['sections'])
            else:
                self.assertGreaterEqual(len(found['section']), told['sections'])

    def test_kinds_of_tasks(self):
        for mode, number in (('taskloop', 40), ('groups', 40), ('data', 12), ('kinds', 12),
                             ('events', 12), ('cancel', 20)):
            for runtime, recording, told, found in self.each(mode, number):
                self.check(told, found, mode == 'taskloop' and runtime == 'llvm')

    def test_waits(self):
        """Barriers and locks are phases of the work around them, and its waiting is counted."""
        for runtime, recording, told, found in self.each('sync', 40):
            self.check(told, found)
            names = {row['name'] for row in recording.table('phases')}
            self.assertIn('barrier', names)
            waits = [row for row in recording.ask('target', 'counters')
                     if row['counter_name'] == 'work.wait_time']
            self.assertEqual(waits[0]['samples'] >= told['parts'], True)

    def test_canceled_tasks(self):
        """Those that never ran are not told as run; the result may differ from run to run."""
        for runtime in RUNTIMES:
            recording = Recording(self, PROGRAMS[runtime], 'cancel', '300', OMP_CANCELLATION='true')
            recording.check_conservation(self)
            found = recording.constructs()
            self.assertEqual(len(found.get('task', [])), counts(recording.output)['tasks'])


class Answers(unittest.TestCase):
    def test_names_and_origins(self):
        """Functions by the symbols that the program has; who queued them by the stack."""
        for runtime in RUNTIMES:
            recording = Recording(self, PROGRAMS[runtime], 'tasks', '12')
            top = {row['name'] for row in recording.ask('target', 'top')}
            self.assertTrue(any(name.startswith('fibonacci') for name in top), top)
            self.assertTrue(any(name.startswith('run_tasks') for name in top), top)
            stacks = {row['call_stack'] for row in recording.ask('target', 'origins')
                      if row['call_stack']}
            self.assertTrue(any('fibonacci' in stack for stack in stacks), stacks)
            self.assertTrue(any('run_tasks ← main' in stack for stack in stacks), stacks)
            if runtime == 'gcc':  # the library in front of the runtime is not what queued it
                self.assertIn('run_tasks', {row['function']
                                            for row in recording.ask('target', 'origins')})

    def test_master_waits_for_region(self):
        """Its last part runs while the first thread waits: that is proven."""
        for runtime in RUNTIMES:
            recording = Recording(self, PROGRAMS[runtime], 'uneven', '8')
            events = [row for row in recording.table('origins') if row['role'] == 'wait-begin']
            self.assertGreaterEqual(len(events), 8)
            last = [row for row in recording.ask('target', 'lanes') if row['name'] == 'OpenMP/2'][0]
            parts = [row for row in recording.table('dispatches') if row['lane'] == last['lane']]
            self.assertEqual(len(parts), 8)
            # On a busy machine the first thread may come to wait when the last is done.
            self.assertIn('synchronous', {row['classification'] for row in parts})
            self.assertLessEqual({row['classification'] for row in parts},
                                 {'synchronous', 'asynchronous'})

    def test_imbalance(self):
        for runtime in RUNTIMES:
            uneven = Recording(self, PROGRAMS[runtime], 'uneven', '8')
            found = {row['check']: row for row in uneven.ask('diagnose')}
            self.assertEqual(found['threadpool.openmp-imbalance']['verdict'], 'attention')
            figures = [row for row in uneven.ask('target', 'routines', table='derived')
                       if row['metric'] == 'region_imbalance']
            self.assertGreater(max(row['value'] for row in figures), 1.5)


class Harmless(unittest.TestCase):
    def test_exit_and_crash(self):
        for runtime in RUNTIMES:
            left = Recording(self, PROGRAMS[runtime], 'exit', '5', status=7)
            self.assertEqual(left.output, 'left 5\n')
            self.assertEqual(len(left.constructs()['parallel']) >= 13, True)
            Recording(self, PROGRAMS[runtime], 'crash', '5', status=134)

    def test_no_openmp(self):
        for command in (['/bin/true'], [GCC, 'serial', '5']):
            recording = Recording(self, *command)
            self.assertEqual(recording.lanes(), [])

    def test_runtime_loaded_later(self):
        """By a module that only its loader sees."""
        program = ('import ctypes, sys; f = ctypes.CDLL(sys.argv[1]).run; '
                   'f.restype = ctypes.c_long; print(f(300))')
        folder = tempfile.mkdtemp(prefix='weft-openmp-')
        self.addCleanup(shutil.rmtree, folder)
        with open(os.path.join(folder, 'module.c'), 'w', encoding='utf-8') as out:
            out.write('long run (long n) { long s = 0;\n#pragma omp parallel for schedule(dynamic)'
                      ' reduction(+:s)\nfor (long i = 0; i < n; i++) s += i;\nreturn s; }\n')
        module = os.path.join(folder, 'module.so')
        subprocess.run(['cc', '-shared', '-fPIC', '-fopenmp', '-o', module,
                        os.path.join(folder, 'module.c')], check=True)
        recording = Recording(self, '/usr/bin/python3', '-c', program, module)
        self.assertEqual(recording.output, '44850\n')
        found = recording.constructs()
        self.assertEqual((len(found['parallel']), len(found['loop'])), (3, 300))

    def test_tools_of_the_user(self):
        """A tool that is listed already stays the tool."""
        if not LLVM:
            self.skipTest('no clang with libomp (packages clang-14, libomp-14-dev)')
        folder = tempfile.mkdtemp(prefix='weft-openmp-')
        self.addCleanup(shutil.rmtree, folder)
        tool = os.path.join(folder, 'tool.so')
        with open(os.path.join(folder, 'tool.c'), 'w', encoding='utf-8') as out:
            out.write('#include <stdio.h>\nstatic int begin (void *l, int d, void *t)'
                      '{ puts ("their tool"); return 1; }\nstatic void end (void *t) {}\n'
                      'void *ompt_start_tool (unsigned v, const char *r)'
                      '{ static void *s[3] = { begin, end }; return s; }\n')
        subprocess.run(['cc', '-shared', '-fPIC', '-o', tool, os.path.join(folder, 'tool.c')],
                       check=True)
        recording = Recording(self, LLVM, 'regions', '3', OMP_TOOL_LIBRARIES=tool)
        self.assertIn('their tool', recording.output)
        self.assertEqual(recording.lanes(), [])

    def test_without_tools(self):
        if not LLVM:
            self.skipTest('no clang with libomp (packages clang-14, libomp-14-dev)')
        recording = Recording(self, LLVM, 'uneven', '20', OMP_TOOL='disabled')
        self.assertIn('OMP_TOOL=disabled', recording.errors)
        self.assertEqual(recording.lanes(), [])
        found = {row['check']: row for row in recording.ask('diagnose')}
        self.assertIn('libomp', found['threadpool.openmp-lanes']['evidence'])

    def test_other_runtime(self):
        """GCC's program on LLVM's runtime: only when asked for, and said."""
        runtime = '/usr/lib/llvm-14/lib/libomp.so.5'
        if not os.path.exists(runtime):
            self.skipTest('no LLVM runtime (package libomp-14-dev)')
        recording = Recording(self, GCC, 'tasks', '10', WEFT_OPENMP_RUNTIME=runtime)
        self.assertIn('not with the runtime that it was made for', recording.errors)
        told = counts(recording.output)
        self.assertEqual(len(recording.constructs()['task']), told['tasks'])
        with self.assertRaisesRegex(AssertionError, 'is no library'):
            Recording(self, GCC, 'tasks', '3', WEFT_OPENMP_RUNTIME='/nowhere.so')

    def test_beside_others(self):
        """With waits and CPU samples in one recording."""
        for runtime in RUNTIMES:
            recording = Recording(self, PROGRAMS[runtime], 'uneven', '20',
                                  options=('--with', 'openmp,waits'))
            self.assertTrue(recording.table('samples'))
            self.assertEqual(len(recording.constructs()['parallel']), 60)

    def test_without_privileges(self):
        for runtime in RUNTIMES:
            recording = Recording(self, PROGRAMS[runtime], 'loose', '50', before=nobody(self))
            told, found = counts(recording.output), recording.constructs()
            self.assertEqual((len(found['parallel']), len(found['task'])),
                             (told['parts'], told['tasks']))
            recording.check_conservation(self)

    def test_auto(self):
        """Found by itself, and nothing else; what the program prints and returns stays."""
        for runtime in RUNTIMES:
            plain = subprocess.run([PROGRAMS[runtime], 'regions', '20'], env=environment(),
                                   capture_output=True, text=True, timeout=60, check=True)
            recording = Recording(self, PROGRAMS[runtime], 'regions', '20', options=('--with', 'auto'))
            self.assertEqual(recording.output, plain.stdout)
            self.assertEqual(len(recording.constructs()['parallel']), counts(plain.stdout)['parts'])
            self.assertEqual({row['name'].split('/')[0] for row in recording.table('lanes')
                              if row['kind'].startswith('threadpool.')}, {'OpenMP'})
            Recording(self, PROGRAMS[runtime], 'exit', '5', options=('--with', 'auto'), status=7)

    def test_static_program(self):
        """Refused with the reason where it is asked for, and left alone where it is not."""
        folder = tempfile.mkdtemp(prefix='weft-openmp-')
        self.addCleanup(shutil.rmtree, folder)
        source, program = os.path.join(folder, 'still.c'), os.path.join(folder, 'still')
        with open(source, 'w', encoding='utf-8') as out:
            out.write('#include <stdio.h>\nint main (void) { int n = 0;\n'
                      '#pragma omp parallel for reduction(+:n)\nfor (int i = 0; i < 300; i++) n += i;\n'
                      'printf ("%d\\n", n); return n != 44850; }\n')
        if subprocess.run(['cc', '-static', '-fopenmp', '-o', program, source], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest('nothing can be linked statically with OpenMP here')
        with self.assertRaisesRegex(AssertionError, 'linked statically'):
            Recording(self, program)
        recording = Recording(self, program, options=('--with', 'auto'))
        self.assertEqual((recording.output, recording.lanes()), ('44850\n', []))

    def test_not_asked(self):
        recording = Recording(self, GCC, 'regions', '3', options=())
        self.assertEqual(recording.lanes(), [])


class Programs(unittest.TestCase):
    """Real ones, beside a count of regions that does not know of us."""

    def both(self, command, files):
        """Runs COMMAND as it is and recorded, in folders with FILES; what it wrote is the same."""
        made = []
        if shutil.which(command[0]) is None:
            self.skipTest(f'{command[0]} is not installed (package {command[0]})')
        for recorded in (False, True):
            folder = tempfile.mkdtemp(prefix='weft-openmp-')
            self.addCleanup(shutil.rmtree, folder)
            for name, data in files.items():
                with open(os.path.join(folder, name), 'wb') as out:
                    out.write(data)
            if recorded:
                count = folder + '.count'
                recording = Recording(self, '/bin/sh', '-c', BEHIND, 'sh', *command, cwd=folder,
                                      HOME=folder, COUNTER=COUNTER, WEFT_TEST_COUNT=count)
                with open(count, encoding='utf-8') as file:
                    counted = int(file.read())
                os.unlink(count)
            else:
                subprocess.run(command, cwd=folder, env=environment(HOME=folder), check=True,
                               capture_output=True)
            contents = {}
            for name in sorted(os.listdir(folder)):
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path, 'rb') as file:
                        contents[name] = file.read()
            made.append(contents)
        self.assertEqual(made[0], made[1])
        recording.check_conservation(self)
        self.assertEqual(len(recording.table('submissions')), counted)
        return recording, counted

    def check_answers(self, recording):
        top = recording.ask('target', 'top')
        self.assertTrue(all(row['count'] > 0 for row in top))
        self.assertTrue(recording.ask('target', 'lanes', table='derived'))
        self.assertTrue(recording.ask('target', 'origins'))
        regions = recording.ask('target', 'submissions')
        self.assertTrue(any(row['wait_time'] for row in regions), regions[:2])

    def test_par2(self):
        recording, n = self.both(['par2', 'create', '-q', '-r5', '-s20000', 'all.par2', 'data'],
                                 {'data': bytes(range(256)) * 16000})
        print(f'# par2: {n} regions')
        self.assertGreater(n, 100)
        self.check_answers(recording)

    def test_gmic(self):
        recording, n = self.both(['gmic', '300,300,1,3,"x*y%255"', 'blur', '4', 'rotate', '20', '-o',
                                  'out.ppm'], {})
        print(f'# gmic: {n} regions')
        self.check_answers(recording)


if __name__ == '__main__':
    tap_report.main(sys.argv[7:])
