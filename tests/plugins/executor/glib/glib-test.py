#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""GLib main loops of unmodified programs: recorded, asked about, and held against their own books."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS, LOOPS, WINDOWS, CC, ROOT, ALL_PLUGINS = sys.argv[1:8]
sys.path.insert(0, os.path.join(ROOT, 'tests'))
import tap_report
from recorded import nobody

HERE = os.path.dirname(os.path.abspath(__file__))
# One that everybody may run, and that has GObject introspection.
INTERPRETER = '/usr/bin/python3'
XVFB = ['xvfb-run', '-a', '-s', '-screen 0 800x600x24']
CONTEXTS = 'kind:executor.context'
# Lines of the program's books that differ from run to run.
BY_CHANCE = re.compile(r'^(invoked|polls) .*\n', re.M)


def environment(**more):
    return {**os.environ, 'WEFT_PLUGIN_PATH': PLUGINS, 'GSK_RENDERER': 'cairo', **more}


def books(text):
    """Lines of a name and a number."""
    return {name: int(value) for name, value in re.findall(r'^([a-z-]+) (\d+)$', text, re.M)}


def has_introspection(name, version):
    run = subprocess.run([INTERPRETER, '-c', f'import gi; gi.require_version("{name}", "{version}")'],
                         capture_output=True, check=False)
    return run.returncode == 0


class Recording:
    """What a program did."""

    def __init__(self, folder, *command, instruments='glib', cpu='off', around=(), **more):
        os.chmod(folder, 0o777)
        self.file = os.path.join(folder, f'run-{len(os.listdir(folder))}.weft')
        where = environment(XDG_RUNTIME_DIR=folder, XDG_CACHE_HOME=folder, HOME=folder, **more)
        run = subprocess.run([*around, WEFT, 'record', '--cpu', cpu, '--with', instruments, '-o',
                              self.file, '--', *command],
                             env=where, capture_output=True, text=True, timeout=100, check=False)
        self.output = run.stdout
        self.errors = run.stderr
        self.status = run.returncode
        self.books = books(run.stdout)

    def ask(self, *question):
        run = subprocess.run([WEFT, *question, '--json', self.file], env=environment(),
                             capture_output=True, text=True, check=True)
        return json.loads(run.stdout)

    def table(self, name, selects, text=''):
        run = subprocess.run([WEFT, 'export', '-t', name, '-s', selects, '-f', text, 'csv',
                              self.file], env=environment(), capture_output=True, text=True,
                             check=True)
        return list(csv.DictReader(io.StringIO(run.stdout)))

    def count(self, text, table='dispatches'):
        return int(self.table(table, 'count()', text)[0]['count'])

    def finding(self, check):
        found = [row for row in self.ask('diagnose')['rows'] if row['check'] == check]
        return found[0] if found else None

    def lanes(self):
        """Those of the first runtime; a child has the same, and more."""
        rows = self.ask('target', 'lanes')['rows']
        return {row['name']: row for row in reversed(rows)}

    def origins(self, text):
        """Of each dispatch, its thread, and the functions that it was queued by."""
        rows = self.ask('target', 'origins', '--filter', text, '--limit', '0')['rows']
        return [row for row in rows if row['role'] == 'dispatch']


class Recorded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='weft-glib-')

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def assert_adds_up(self, recording):
        """Each dispatch is in one lane, and nothing was lost on the way."""
        lanes = recording.ask('target', 'lanes')['rows']
        self.assertEqual(sum(lane['dispatches'] for lane in lanes), recording.count(''))
        self.assertEqual(sum(lane['lost'] + lane['pending'] for lane in lanes), 0)
        self.assertTrue(all(lane['adds_up'] for lane in lanes))


class Books(Recorded):
    """What a program counted itself is what was recorded, to the last dispatch."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.recording = Recording(cls.folder, LOOPS, cpu='auto')
        cls.own = cls.recording.books

    def test_program_is_as_before(self):
        alone = subprocess.run([LOOPS], capture_output=True, text=True, check=False)
        self.assertEqual(self.recording.status, alone.returncode, self.recording.errors)
        self.assertEqual(alone.returncode, 7)
        self.assertEqual(BY_CHANCE.sub('', self.recording.output), BY_CHANCE.sub('', alone.stdout))

    def test_sources(self):
        names = {'by idle': 'idle', 'by time': 'timeout', 'by pipe': 'read', 'custom': 'custom',
                 'on_outer': 'outer', 'on_inner': 'inner', 'named late': 'late',
                 'on_destroyed': 'destroyed', 'on_once': 'once', 'on_queued': 'queued',
                 'on_invoked': 'invoked', 'on_reader': 'readers', 'by hand': 'by-hand',
                 'cut slices': 'tasks-done'}
        for name, book in names.items():
            with self.subTest(name):
                self.assertEqual(self.recording.count(f'{CONTEXTS} routine:"{name}"'),
                                 self.own[book])
        self.assertEqual(self.recording.count(f'{CONTEXTS} routine:on_burning,on_sleeping'),
                         self.own['blocked'])
        # And nothing else.
        self.assertEqual(self.recording.count(f'{CONTEXTS} -routine:"in the child"'),
                         sum(self.own[book] for book in (*names.values(), 'blocked')))
        self.assert_adds_up(self.recording)

    def test_child_process(self):
        self.assertEqual(self.recording.count('routine:"in the child"'), 7)
        self.assertEqual(len(self.recording.table('runtimes', 'id')), 2)

    def test_contexts(self):
        lanes = self.recording.lanes()
        readers = [name for name in lanes if re.fullmatch(r'context \d+ \(reader\)', name)]
        self.assertEqual(len(readers), 3)
        for name in readers:
            self.assertEqual(lanes[name]['dispatches'], 20)
        self.assertEqual({lanes[name]['kind_label'] for name in readers}, {'Main context'})
        polls = self.recording.table('metric_points', 'sum(value)', 'metric:context.polls lane:*reader*')
        self.assertEqual(float(polls[0]['sum_value']), self.own['polls'])

    def test_priorities(self):
        for name, priority, kind in (('by time', -100, 'timeout'), ('by idle', 200, 'idle'),
                                     ('on_burning', 300, 'idle'), ('custom', 0, 'source'),
                                     ('by pipe', 0, 'fd')):
            rows = self.recording.table('dispatches', 'tag:source,tag:priority',
                                        f'{CONTEXTS} routine:"{name}"')
            self.assertEqual({row['tag_source'] for row in rows}, {kind})
            self.assertEqual({int(float(row['tag_priority'])) for row in rows}, {priority})

    def test_who_attached(self):
        """The thread and the stack, also where it is another thread."""
        for name, thread, function in (('on_queued', 'queuing', 'queue_things'),
                                       ('on_invoked', 'queuing', 'queue_things'),
                                       ('by idle', 'glib-loops', 'add_sources'),
                                       ('on_once', 'glib-loops', 'add_sources'),
                                       ('custom', 'glib-loops', 'add_custom'),
                                       ('cut slices', 'glib-loops', 'start_tasks')):
            with self.subTest(name):
                wanted = f'{CONTEXTS} routine:"{name}"'
                origins = self.recording.origins(wanted)
                self.assertEqual(len(origins), self.recording.count(wanted))
                self.assertEqual({row['thread_name'] for row in origins}, {thread})
                self.assertTrue(all(function in row['call_stack'] for row in origins))

    def test_how_long_they_waited(self):
        """Known of each: by the time that was set, by the attachment, or by the poll."""
        for name, words in (('by time', {'due'}), ('by idle', {'queued', 'again'}),
                            ('on_queued', {'queued'}), ('by pipe', {'polled'}),
                            ('custom', {'polled'}), ('cut slices', {'queued'})):
            rows = self.recording.table('dispatches', 'tag:ready,queue_wait',
                                        f'{CONTEXTS} routine:"{name}"')
            with self.subTest(name):
                self.assertEqual({row['tag_ready'] for row in rows}, words)
                self.assertTrue(all(row['queue_wait'] != '' for row in rows))
        # What came behind those that blocked waited as long.
        late = self.recording.table('dispatches', 'queue_wait', 'routine:on_sleeping')
        self.assertGreaterEqual(int(late[0]['queue_wait']), 120e6)

    def test_nesting(self):
        inner = self.recording.table('dispatches', 'depth', 'routine:on_inner')
        outer = self.recording.table('dispatches', 'depth,duration,self_time', 'routine:on_outer')
        self.assertEqual({int(row['depth']) for row in inner}, {int(outer[0]['depth']) + 1})
        self.assertLess(int(outer[0]['self_time']), int(outer[0]['duration']))

    def test_tasks(self):
        """From the start, through the thread, back to the context: one trace each."""
        calls = 'kind:executor.pool routine:"gtask.cut slices"'
        attempts = 'kind:executor.worker routine:"gtask.cut slices, attempt"'
        self.assertEqual(self.recording.count(calls), self.own['tasks-done'])
        self.assertEqual(self.recording.count(attempts), self.own['tasks-done'])
        self.assertEqual(self.recording.count('kind:executor.pool'), self.own['tasks-run'])
        self.assertEqual(self.recording.count(f'{calls} status:error'), self.own['tasks-failed'])
        origins = self.recording.origins(calls)
        self.assertEqual(len(origins), self.own['tasks-done'])
        self.assertTrue(all('start_tasks' in row['call_stack'] for row in origins))
        traces = [row for row in self.recording.ask('traces', '--all')['rows']
                  if row['name'] == 'cut slices']
        self.assertEqual(len(traces), self.own['tasks-done'])
        self.assertEqual({row['dispatches'] for row in traces}, {2})
        self.assertEqual({row['lanes'] for row in traces}, {2})

    def test_who_waited(self):
        """The thread that called g_task_run_in_thread_sync ()."""
        calls = 'kind:executor.pool routine:"gtask.wait for slices"'
        self.assertEqual(self.recording.count(calls), 5)
        rows = self.recording.ask('target', 'origins', '--filter', calls, '--limit', '0')['rows']
        waits = [row['thread_name'] for row in rows if row['role'] == 'wait-begin']
        self.assertEqual(waits, ['glib-loops'] * 5)
        proven = self.recording.table('dispatches', 'classification', calls)
        self.assertEqual([row['classification'] for row in proven], ['synchronous'] * 5)

    def test_what_blocked(self):
        finding = self.recording.finding('executor.blocked-loops')
        blocked = self.recording.table('dispatches', 'id', 'routine:on_burning,on_sleeping')
        self.assertEqual(finding['verdict'], 'attention')
        for row in blocked:
            self.assertIn(row['id'], finding['handles'])
        if self.recording.count('', 'samples') == 0:
            self.skipTest('CPUs cannot be sampled here: no stacks')
        self.assertRegex(finding['evidence'], 'on_burning took [^;]* on a CPU: on_burning → burn_time')
        if self.recording.count('', 'waits') > 0:
            self.assertRegex(finding['evidence'],
                             'on_sleeping took [^;]* waiting: on_sleeping → g_usleep → ')

    def test_loop_within_is_no_blocking(self):
        """It turned, though the dispatch that it ran in took 90 ms."""
        rows = self.recording.table('dispatches', 'id,duration', 'routine:on_outer')
        self.assertGreaterEqual(int(rows[0]['duration']), 90e6)
        warned = [row['dispatch'] for row in self.recording.ask('warnings', '--all')['rows']]
        values = [row['value'] for row in self.recording.ask('warnings', '--all')['rows']
                  if row['dispatch'] == rows[0]['id']]
        self.assertTrue(rows[0]['id'] not in warned or values[0] < int(rows[0]['duration']) / 1e6)

    def test_derived(self):
        derived = self.recording.ask('target', 'lanes')['derived']
        for name in ('context_wait_p95', 'context_utilisation', 'context_throughput'):
            self.assertTrue(any(row['metric'] == name and row['name'] == 'main context'
                                and row['value'] is not None for row in derived), name)


class Limits(Recorded):
    def test_limit_is_settable(self):
        recording = Recording(self.folder, LOOPS, WEFT_GLIB_BLOCKED_MS='60000')
        self.assertEqual(recording.count('', 'warnings'), 0)
        self.assertEqual(recording.finding('executor.blocked-loops')['verdict'], 'good')

    def test_without_privileges(self):
        with tempfile.TemporaryDirectory(prefix='weft-glib-') as folder:
            self.assert_recorded_by_nobody(folder)

    def assert_recorded_by_nobody(self, folder):
        recording = Recording(folder, LOOPS, around=nobody())
        self.assertEqual(recording.status, 7, recording.errors)
        self.assertEqual(recording.count(f'{CONTEXTS} routine:"by idle"'), 20)

    def test_program_without_loop(self):
        recording = Recording(self.folder, 'ls', '/', instruments='auto')
        self.assertEqual(recording.status, 0, recording.errors)
        self.assertEqual(recording.output, subprocess.run(['ls', '/'], capture_output=True, text=True,
                                                          check=True).stdout)
        self.assertEqual(recording.ask('target', 'lanes')['rows'], [])

    def test_cannot_be_served(self):
        source = os.path.join(self.folder, 'still.c')
        with open(source, 'w', encoding='utf-8') as file:
            file.write('int main (void) { return 0; }\n')
        still = os.path.join(self.folder, 'still')
        if subprocess.run([CC, '-static', source, '-o', still], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest('nothing can be linked statically here')
        recording = Recording(self.folder, still)
        self.assertNotEqual(recording.status, 0)
        self.assertIn('static', recording.errors)

    def test_set_uid(self):
        su = shutil.which('su')
        if su is None or not os.stat(su).st_mode & 0o4000:
            self.skipTest('su is no program that runs with the rights of another user')
        with tempfile.TemporaryDirectory(prefix='weft-glib-') as folder:
            recording = Recording(folder, su, '--version', around=nobody())
            self.assertNotEqual(recording.status, 0)
            self.assertIn('rights', recording.errors)

    def test_crash_is_the_program_s(self):
        recording = Recording(self.folder, INTERPRETER, '-c',
                              'import os; os.abort ()')
        self.assertEqual(recording.status, 128 + 6)


class Together(Recorded):
    """With all the instruments that the build has, of which some watch the same calls."""

    def record(self, *command, instruments='auto', around=()):
        recording = Recording(self.folder, *command, instruments=instruments, around=around,
                              WEFT_PLUGIN_PATH=ALL_PLUGINS)
        self.assert_adds_up(recording)
        return recording, {row['kind'] for row in recording.ask('target', 'lanes')['rows']}

    def assert_loops(self, recording):
        alone = subprocess.run([LOOPS], capture_output=True, text=True, check=False)
        own = recording.books
        self.assertEqual(recording.status, 7, recording.errors)
        self.assertEqual(BY_CHANCE.sub('', recording.output), BY_CHANCE.sub('', alone.stdout))
        # Each task is a call of GTask to the one, an item of its pool to the other.
        self.assertEqual(recording.count('kind:executor.pool'), own['tasks-run'])
        self.assertEqual(recording.count('kind:threadpool.worker'), own['tasks-run'])
        calls = 'kind:executor.pool routine:"gtask.cut slices"'
        self.assertEqual(recording.count(calls), own['tasks-done'])
        origins = recording.origins(calls)
        self.assertEqual(len(origins), own['tasks-done'])
        self.assertTrue(all('start_tasks' in row['call_stack'] for row in origins))
        self.assertEqual(recording.count(f'{CONTEXTS} routine:"cut slices"'), own['tasks-done'])
        self.assertEqual(recording.count(f'{CONTEXTS} routine:"by idle"'), own['idle'])

    def test_tasks_watched_twice(self):
        for instruments in ('glib,gthreadpool', 'gthreadpool,glib'):
            with self.subTest(instruments):
                recording, kinds = self.record(LOOPS, instruments=instruments)
                self.assert_loops(recording)

    def test_auto(self):
        recording, kinds = self.record(LOOPS)
        self.assert_loops(recording)
        self.assertEqual(kinds, {'executor.context', 'executor.pool', 'executor.worker',
                                 'threadpool.pool', 'threadpool.worker'})

    @unittest.skipUnless(shutil.which('gjs'), 'gjs is missing')
    def test_auto_of_gjs(self):
        script = os.path.join(HERE, 'script.js')
        alone = subprocess.run(['gjs', script], capture_output=True, text=True, check=True)
        recording, kinds = self.record('gjs', script)
        self.assertEqual((recording.status, recording.output), (0, alone.stdout), recording.errors)
        self.assertEqual(recording.count('kind:executor.pool routine:gtask.g_file_real_read_async'),
                         recording.books['files'])
        self.assertEqual({kind.split('.')[0] for kind in kinds}, {'executor', 'threadpool'})

    @unittest.skipUnless(WINDOWS and shutil.which('xvfb-run') and shutil.which('xauth'),
                         'GTK 4 cannot be built with, or xvfb-run is missing')
    def test_auto_of_window(self):
        recording, kinds = self.record(WINDOWS, '20', around=XVFB)
        self.assertEqual(recording.status, 0, recording.errors)
        self.assertGreater(recording.count('kind:frameloop.window routine:frame'), 0)
        self.assertGreater(recording.count(f'{CONTEXTS} routine:"[gtk] gdk_frame_clock_paint_idle"'), 0)
        self.assertLessEqual({'executor', 'frameloop'}, {kind.split('.')[0] for kind in kinds})
        self.assertLessEqual({kind.split('.')[0] for kind in kinds},
                             {'executor', 'frameloop', 'threadpool'})


class Guide(Recorded):
    """The program of docs/executor.md, as it stands there, and what the page asks of it."""

    def test_slices(self):
        with open(os.path.join(ROOT, 'docs/executor.md'), encoding='utf-8') as file:
            section = file.read().split('## GLib main loops, unmodified')[1]
        source, program = (os.path.join(self.folder, name) for name in ('slices.c', 'slices'))
        with open(source, 'w', encoding='utf-8') as file:
            file.write(re.search(r'^```c\n(.*?)^```$', section, re.M | re.S)[1])
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'gio-2.0'], capture_output=True,
                               text=True, check=True).stdout.split()
        subprocess.run([CC, '-o', program, source, *flags], check=True)
        recording = Recording(self.folder, program, cpu='auto')
        self.assertEqual(recording.status, 0, recording.errors)
        self.assertEqual(recording.count('trace:"cut a slice"'), 10)
        self.assertIn('on_button took', recording.finding('executor.blocked-loops')['evidence'])
        for group in ('tag:source', 'tag:priority'):
            self.assertTrue(recording.ask('target', 'top', '-g', group)['rows'])
        button = recording.table('dispatches', 'id', 'routine:on_button')[0]['id']
        for question in (['warnings'], ['traces'], ['target', 'lanes'], ['target', 'origins', button],
                         ['target', 'dispatches', '--by', 'queue_wait', '--filter', CONTEXTS],
                         ['target', 'origins', '--filter', 'kind:executor.pool']):
            self.assertTrue(recording.ask(*question)['rows'], question)
        self.assert_adds_up(recording)


class RealPrograms(Recorded):
    def assert_answers(self, recording):
        """What lanes, what took long and often, who queued it, how long it waited, what was then."""
        self.assert_adds_up(recording)
        lane = recording.lanes()['main context']
        self.assertGreater(lane['dispatches'], 0)
        for order in ('time', 'count'):
            self.assertTrue(recording.ask('target', 'top', '--by', order)['rows'])
        self.assertIn('rows', recording.ask('target', 'outliers'))
        # Of each it is told how its wait is known, or nothing at all.
        self.assertGreater(recording.count(f'{CONTEXTS} queue_wait:*'), 0)
        self.assertEqual(recording.count(f'{CONTEXTS} queue_wait:*'),
                         recording.count(f'{CONTEXTS} tag:ready'))
        self.assertTrue(any(row['call_stack'] for row in recording.origins(CONTEXTS)))
        last = recording.table('dispatches', 'max(end)', CONTEXTS)[0]['max_end']
        state = recording.ask('state', '--at', f'{int(last) - 1}ns')['value']
        self.assertTrue(any(row['name'] == 'context.asleep' for row in state['gauges']), state)

    @unittest.skipUnless(shutil.which('gjs'), 'gjs is missing')
    def test_gjs(self):
        script = os.path.join(HERE, 'script.js')
        alone = subprocess.run(['gjs', script], capture_output=True, text=True, check=True)
        recording = Recording(self.folder, 'gjs', script)
        self.assertEqual(recording.output, alone.stdout, recording.errors)
        self.assertEqual(recording.count('routine:idle'), recording.books['idle'])
        self.assertEqual(recording.count('routine:timeout'), recording.books['timeout'])
        reads = recording.count('kind:executor.pool routine:gtask.g_file_real_read_async')
        self.assertEqual(reads, recording.books['files'])
        self.assertEqual(recording.count(f'{CONTEXTS} routine:g_file_real_read_async origin:*'), reads)
        self.assert_answers(recording)

    @unittest.skipUnless(has_introspection('Soup', '3.0'), 'libsoup is missing (gir1.2-soup-3.0)')
    def test_soup_server(self):
        program = [INTERPRETER, os.path.join(HERE, 'soup-server.py'), '200']
        alone = subprocess.run(program, capture_output=True, text=True, check=True)
        recording = Recording(self.folder, *program)
        self.assertEqual(recording.output, alone.stdout, recording.errors)
        self.assertEqual(recording.books['answered'], 200)
        # Each answer is written by a dispatch of its own.
        self.assertGreaterEqual(recording.count('routine:SoupMessageIOSource'), 200)
        self.assertEqual(recording.count('routine:child'), 1)
        self.assert_answers(recording)

    @unittest.skipUnless(WINDOWS and shutil.which('xvfb-run') and shutil.which('xauth'),
                         'GTK 4 cannot be built with, or xvfb-run is missing')
    def test_window(self):
        """With the frames of the window, waits and CPUs in the same recording."""
        recording = Recording(self.folder, WINDOWS, '20', instruments='glib,gtk,waits', cpu='auto',
                              around=XVFB)
        alone = subprocess.run([*XVFB, WINDOWS, '20'], env=environment(), capture_output=True,
                               text=True, check=False)
        self.assertEqual(recording.status, alone.returncode, recording.errors)
        frames = recording.count('kind:frameloop.window routine:frame')
        self.assertGreater(frames, 0)
        # The clock by which windows are painted is a source of its loop.
        clock = recording.count(f'{CONTEXTS} routine:"[gtk] gdk_frame_clock_paint_idle"')
        self.assertGreater(clock, 0)
        self.assert_answers(recording)


if __name__ == '__main__':
    tap_report.main(sys.argv[8:])
