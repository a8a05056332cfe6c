#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Frame loops on the whole way: a game and programs with windows, recorded, and asked about."""

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

WEFT, PLUGINS, PRELOAD, GAME, WINDOWS, ROOT = (os.path.abspath(path) if path else ''
                                               for path in sys.argv[1:7])
EXAMPLES = [os.path.abspath(path) for path in sys.argv[7:9]]
sys.path.insert(0, os.path.join(ROOT, 'tests'))
import tap_report
from recorded import nobody

# One that everybody may run, and that has GObject introspection.
INTERPRETER = '/usr/bin/python3'
COUNTERS = ['step_budget', 'host_frame', 'lag_before', 'lag_after', 'queue.pending_before',
            'queue.drained', 'queue.accepted', 'queue.dropped', 'queue.rejected']


def environment(**more):
    return {**os.environ, 'WEFT_PLUGIN_PATH': PLUGINS, 'GSK_RENDERER': 'cairo', **more}


def books(text):
    """Lines of a name and a number."""
    return {name: int(value) for name, value in re.findall(r'^([a-z-]+) (\d+)$', text, re.M)}


class Recording:
    """What a program did."""

    def __init__(self, folder, *command, options=(), around=()):
        os.chmod(folder, 0o777)
        self.file = os.path.join(folder, 'run.weft')
        where = environment(XDG_RUNTIME_DIR=folder, XDG_CACHE_HOME=folder, HOME=folder)
        run = subprocess.run([*around, WEFT, 'record', '--cpu', 'off', *options, '-o', self.file,
                              '--', *command],
                             env=where, capture_output=True, text=True, timeout=100, check=False)
        self.output = run.stdout
        self.errors = run.stderr
        self.status = run.returncode

    def ask(self, *question):
        run = subprocess.run([WEFT, *question, '--json', self.file], env=environment(),
                             capture_output=True, text=True, check=True)
        return json.loads(run.stdout)

    def table(self, name, *options):
        run = subprocess.run([WEFT, 'export', '-t', name, *options, 'csv', self.file],
                             env=environment(), capture_output=True, text=True, check=True)
        return list(csv.DictReader(io.StringIO(run.stdout)))

    def sum(self, table, column, text):
        return int(float(self.table(table, '-s', f'sum({column})', '-f', text)[0].popitem()[1] or 0))

    def count(self, table, text):
        return int(self.table(table, '-s', 'count()', '-f', text)[0]['count'])


class Recorded(unittest.TestCase):
    recording = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='weft-frameloop-')

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)


class PlayedGame(Recorded):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.recording = Recording(cls.folder, GAME, '120')
        cls.books = books(cls.recording.output)

    def test_books(self):
        """What the game counted is what was recorded, to the last command."""
        recording, own = self.recording, self.books
        self.assertEqual(recording.status, 0, recording.errors)
        self.assertGreater(own['steps'], 60)
        self.assertGreater(own['catch-up-steps'], 0)
        self.assertEqual(recording.count('dispatches', 'routine:tick'), own['steps'])
        self.assertEqual(own['entries'], own['steps'])
        for name in ('accepted', 'rejected', 'dropped', 'drained'):
            self.assertEqual(recording.sum('dispatches', f'counter:queue.{name}', 'routine:tick'),
                             own[name] if name != 'accepted' else own['drained'] + own['left']
                             + own['dropped'], name)
        self.assertEqual(recording.count('dispatches', 'routine:"move unit"'), own['drained'])
        self.assertEqual(recording.count('dispatches', 'routine:tick status:error'), own['errors'])
        self.assertEqual(recording.count('dispatches', 'routine:system:scripts status:error'),
                         own['errors'])
        self.assertEqual(own['lag-wrong'], 0)

    def test_each_tick_once(self):
        """The loop's own numbers, without a gap: by them replays are laid beside each other."""
        numbers = [int(float(row['tag_tick'])) for row in self.recording.table(
            'dispatches', '-s', 'tag:tick', '-f', 'routine:tick')]
        self.assertEqual(numbers, list(range(1, self.books['steps'] + 1)))

    def test_which_system_made_ticks_slow(self):
        rows = self.recording.ask('target', 'outliers', '--filter', 'routine:tick', '--all')
        spikes = [row for row in rows['rows'] if row['duration'] >= 8e6
                  and 'system:pathfinding' in row['why']]
        self.assertGreaterEqual(len(spikes), self.books['spikes'] - 1)
        self.assertGreater(self.books['spikes'], 0)
        reasons = [row for row in rows['reasons'] if row['reason'] == 'phase']
        self.assertTrue(any('phase system:pathfinding, typically' in row['text']
                            for row in reasons))

    def test_which_systems_take_time(self):
        rows = self.recording.ask('target', 'top')['rows']
        names = {row['name'] for row in rows}
        for name in ('movement', 'collision', 'pathfinding', 'ai', 'economy', 'scripts',
                     'particles', 'autosave'):
            self.assertIn(f'system:{name}', names)
        tick = next(row for row in rows if row['name'] == 'tick')
        systems = sum(row['total'] for row in rows if row['name'].startswith('system:'))
        self.assertLess(systems, tick['total'])
        self.assertLess(tick['self'], tick['total'] - systems + 1)

    def test_over_budget(self):
        over = self.recording.count('dispatches', 'routine:tick warning:over-budget')
        long = self.recording.count('dispatches', 'routine:tick dur>5000000ns')
        self.assertEqual(over, self.recording.count('warnings', 'name:over-budget'))
        # A few nanoseconds lie between the clock of the entry and that of the recording.
        self.assertAlmostEqual(over, long, delta=1)
        self.assertGreaterEqual(over, self.books['spikes'])

    def test_slow_phases(self):
        """A slow run is marked on its phase, and a failed one tells why."""
        slow = self.recording.table('phases', '-s', 'slow,duration', '-f',
                                    'phase:system:pathfinding>=8ms name:system:pathfinding')
        self.assertGreaterEqual(len(slow), self.books['spikes'])
        for row in slow:
            self.assertEqual(row['slow'] in ('true', '1'), int(row['duration']) > 1.25e6, row)
        failed = [row for row in self.recording.table('phases', '-s', 'name,failed,error.message')
                  if row['failed'] in ('true', '1')]
        self.assertEqual(len(failed), self.books['errors'])
        for row in failed:
            self.assertEqual(row['name'], 'system:scripts')
            self.assertEqual(row['error_message'], 'attempt to index a unit that is gone')

    def test_errors(self):
        row = self.recording.table('errors')[0]
        self.assertEqual((row['name'], row['message'], row['stack'], row['cause']),
                         ('ScriptError', 'attempt to index a unit that is gone',
                          'on_step (quest.lua:12)', 'the unit was captured'))

    def test_who_queued(self):
        rows = self.recording.ask('target', 'origins', '--group', 'thread')['rows']
        queued = {row['thread_name']: row['queued'] for row in rows}
        self.assertEqual(set(queued), {'network', 'frameloop-game'})
        self.assertEqual(sum(queued.values()), self.books['drained'])

    def test_how_long_in_queue(self):
        waits = self.recording.table('dispatches', '-s', 'queue_wait', '-f', 'routine:"move unit"')
        self.assertEqual(len(waits), self.books['drained'])
        self.assertTrue(all(int(row['queue_wait']) > 0 for row in waits))

    def test_state_at_a_time(self):
        """Lag and queue are those of the last tick that had ended."""
        ticks = self.recording.table('dispatches', '-s', 'start,duration,counter:lag_after,'
                                     'counter:queue.pending_before', '-f', 'routine:tick')
        for number in (10, len(ticks) // 2):
            tick = ticks[number]
            end = int(tick['start']) + int(tick['duration'])
            state = self.recording.ask('state', '--at', f'{end + 1000000}ns')
            at = [row for row in ticks
                  if int(row['start']) + int(row['duration']) < end + 1000000][-1]
            gauges = {row['name']: row['value'] for row in state['value']['gauges']
                      if row['lane_name'] == 'game'}
            self.assertEqual(gauges['lag'], int(at['counter_lag_after']))
            self.assertEqual(gauges['queue.pending'], int(at['counter_queue_pending_before']))

    def test_derived(self):
        rows = self.recording.ask('target', 'lanes')['derived']
        found = {row['metric']: row['value'] for row in rows if row['name'] == 'game'}
        busy = self.recording.sum('dispatches', 'duration', 'routine:tick')
        budget = self.recording.sum('dispatches', 'counter:step_budget', 'routine:tick')
        self.assertAlmostEqual(found['tick_budget_use'], 100 * busy / budget, places=3)
        over = self.recording.count('warnings', 'name:over-budget')
        self.assertAlmostEqual(found['over_budget_share'], 100 * over / self.books['steps'],
                               places=3)
        self.assertGreater(found['jitter'], 0)
        self.assertGreaterEqual(found['worst_lag'], found['mean_lag'])
        accepted = self.books['drained'] + self.books['left'] + self.books['dropped']
        self.assertAlmostEqual(found['command_rejection'],
                               100 * self.books['rejected'] / (accepted + self.books['rejected']),
                               places=3)

    def test_diagnosis(self):
        """The answers are kept: they are there without the plugin, too."""
        run = subprocess.run([WEFT, 'diagnose', '--json', self.recording.file],
                             env=environment(WEFT_PLUGIN_PATH='', WEFT_PLUGIN_DISABLE='frameloop'),
                             capture_output=True, text=True, check=False)
        rows = {row['check']: row for row in json.loads(run.stdout)['rows']}
        self.assertEqual(rows['frameloop.budget']['verdict'], 'attention')
        self.assertIn('system:pathfinding', rows['frameloop.budget']['evidence'])
        self.assertEqual(rows['frameloop.systems']['verdict'], 'attention')
        self.assertIn(f"{self.books['errors']} ticks a system failed",
                      rows['frameloop.systems']['evidence'])
        self.assertEqual(rows['frameloop.queue']['verdict'], 'attention')
        self.assertIn(f"Turned away: {self.books['rejected']};",
                      rows['frameloop.queue']['evidence'])
        self.assertEqual(rows['frameloop.phases']['verdict'], 'good')
        self.assertIn('frameloop.lag', rows)

    def test_words(self):
        rows = self.recording.ask('target', 'lanes')['rows']
        row = next(row for row in rows if row['name'] == 'game')
        self.assertEqual(row['kind'], 'frameloop.loop')
        self.assertEqual(row['kind_label'], 'Frame loop')


class AsNobody(Recorded):
    def test_game(self):
        self.recording = Recording(self.folder, GAME, '30', around=nobody())
        self.assertEqual(self.recording.status, 0, self.recording.errors)
        self.assertEqual(self.recording.count('dispatches', 'routine:tick'),
                         books(self.recording.output)['steps'])


XVFB = ['xvfb-run', '-a', '-s', '-screen 0 1400x900x24']
CLOCK_PHASES = {'before-paint', 'update', 'layout', 'paint', 'after-paint'}


@unittest.skipUnless(shutil.which('xvfb-run') and shutil.which('xauth'),
                     'xvfb-run is missing (packages xvfb, xauth)')
class Windows(Recorded):
    def record(self, *command, options=('--with', 'gtk'), around=()):
        folder = tempfile.mkdtemp(dir=self.folder)
        os.chmod(self.folder, 0o777)
        return Recording(folder, *command, options=options, around=[*around, *XVFB])

    @unittest.skipUnless(WINDOWS, 'GTK 4 cannot be built with (package libgtk-4-dev)')
    def test_lane_for_each_window(self):
        """Frames, phases and flushed events are those that the program itself counts."""
        recording = self.record(WINDOWS, '60')
        self.assertEqual(recording.status, 0, recording.errors)
        own = books(recording.output)
        for lane in ('animated', 'quiet'):
            frames = recording.count('dispatches', f'lane:{lane} routine:frame')
            self.assertEqual(frames, own[lane], lane)
        self.assertGreaterEqual(own['animated'], 60)
        self.assertEqual(recording.count('phases', 'name:events')
                         + recording.count('dispatches', 'routine:events'), own['flushes'])
        names = {row['name'] for row in recording.table('phases', '-g', 'name', '-s', 'count()')}
        self.assertLessEqual(CLOCK_PHASES, names)
        for name in ('before-paint', 'after-paint'):
            self.assertEqual(recording.count('phases', f'name:{name}'),
                             own['animated'] + own['quiet'], name)

    @unittest.skipUnless(WINDOWS, 'GTK 4 cannot be built with (package libgtk-4-dev)')
    def test_slow_frames(self):
        recording = self.record(WINDOWS, '60')
        # The program spins for 80 ms in three frames: each is over any refresh interval.
        long = recording.table('phases', '-s', 'dispatch', '-f',
                               'lane:animated name:update duration>=80ms')
        self.assertEqual(len(long), 3)
        over = {row['id'] for row in recording.table('dispatches', '-s', 'id', '-f',
                                                     'lane:animated warning:over-budget')}
        self.assertLessEqual({row['dispatch'] for row in long}, over)
        # After the first two the animation goes on: at least the frames that passed meanwhile.
        missed = recording.sum('metric_points', 'value', 'lane:animated metric:ticks.missed')
        self.assertGreaterEqual(missed, 2 * 3)
        outliers = recording.ask('target', 'outliers', '--filter', 'lane:animated', '--all')
        self.assertTrue(any('in phase update' in row['text'] for row in outliers['reasons']))

    @unittest.skipUnless(WINDOWS, 'GTK 4 cannot be built with (package libgtk-4-dev)')
    def test_as_nobody(self):
        recording = self.record(WINDOWS, '20', around=nobody())
        own = books(recording.output)
        self.assertEqual(recording.count('dispatches', 'lane:animated routine:frame'),
                         own.get('animated'), recording.errors)

    @unittest.skipUnless(WINDOWS, 'GTK 4 cannot be built with (package libgtk-4-dev)')
    def test_only_when_asked(self):
        recording = self.record(WINDOWS, '10', options=())
        self.assertEqual(recording.table('lanes', '-f', 'kind:frameloop.*'), [])

    def test_demo(self):
        """A program of others: unmodified, and it ends as by itself."""
        if shutil.which('gtk4-demo') is None:
            self.skipTest('gtk4-demo is missing (package gtk-4-examples)')
        recording = self.record('gtk4-demo', '--run=spinner', '--autoquit')
        self.assertEqual(recording.status, 0, recording.errors)
        lanes = recording.table('lanes', '-s', 'name', '-f', 'kind:frameloop.window')
        self.assertIn('Spinner', {row['name'] for row in lanes})
        frames = recording.count('dispatches', 'kind:frameloop.window routine:frame')
        self.assertGreater(frames, 2)
        self.assertEqual(recording.count('phases', 'name:before-paint'), frames)
        self.assertEqual(recording.count('phases', 'name:after-paint'), frames)

    def in_python(self, version):
        """GTK is loaded by a module, where no other library sees it."""
        program = f'''
import gi, sys
try:
    gi.require_version('Gtk', '{version}')
except ValueError:
    sys.exit(77)
from gi.repository import Gtk, GLib
loop = GLib.MainLoop()
window = Gtk.Window(title='From Python')
window.present() if '{version}' == '4.0' else window.show_all()
frames = 0
def tick(widget, clock):
    global frames
    frames += 1
    if frames == 15:
        loop.quit()
    return frames < 15
window.add_tick_callback(tick)
loop.run()
print('frames', frames)
'''
        recording = self.record(INTERPRETER, '-c', program)
        if recording.status == 77 or 'No module named' in recording.errors:
            self.skipTest(f'GTK {version} cannot be used from Python')
        self.assertEqual(recording.status, 0, recording.errors)
        lane = recording.table('lanes', '-s', 'name,kind', '-f', 'kind:frameloop.window')
        self.assertEqual(lane, [{'name': 'From Python', 'kind': 'frameloop.window'}])
        self.assertEqual(books(recording.output)['frames'], 15)
        self.assertEqual(recording.count('phases', 'name:update'), 15)

    def test_gtk_4_in_python(self):
        self.in_python('4.0')

    def test_gtk_3_in_python(self):
        self.in_python('3.0')


class Harmless(unittest.TestCase):
    """Programs without GTK, and what they start, do not notice it."""

    def both(self, *command, **more):
        plain = subprocess.run(command, capture_output=True, check=False, timeout=60, **more)
        loaded = subprocess.run(command, capture_output=True, check=False, timeout=60,
                                env={**os.environ, 'LD_PRELOAD': PRELOAD}, **more)
        self.assertEqual((plain.returncode, plain.stdout, plain.stderr),
                         (loaded.returncode, loaded.stdout, loaded.stderr))
        return plain

    def test_shell(self):
        self.both('sh', '-c', 'echo one; ls / | wc -l; exit 3')
        killed = self.both('sh', '-c', 'kill -SEGV $$')
        self.assertEqual(killed.returncode, -11)

    def test_glib_without_gtk(self):
        program = '''
import gi
from gi.repository import Gio, GLib, GObject
class Thing(GObject.Object):
    number = GObject.Property(type=int, default=7)
print(Thing().number, GObject.type_name(Gio.SimpleAction), Gio.File.new_for_path('/x').get_path())
'''
        self.both(INTERPRETER, '-c', program)

    def test_no_display(self):
        if not WINDOWS:
            self.skipTest('GTK 4 cannot be built with (package libgtk-4-dev)')
        hidden = {key: value for key, value in os.environ.items()
                  if key not in ('DISPLAY', 'WAYLAND_DISPLAY')}
        runs = [subprocess.run([WINDOWS, '5'], env={**hidden, **more}, capture_output=True,
                               check=False, timeout=60)
                for more in ({}, {'LD_PRELOAD': PRELOAD})]
        self.assertEqual([run.returncode for run in runs], [77, 77])

    def test_windows_without_recorder(self):
        if not WINDOWS or not shutil.which('xvfb-run') or not shutil.which('xauth'):
            self.skipTest('GTK 4, or xvfb-run, is missing')
        run = subprocess.run([*XVFB, WINDOWS, '20'], capture_output=True, text=True, check=False,
                             timeout=60, env=environment(LD_PRELOAD=PRELOAD))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(books(run.stdout)['ticks'], 20)


class Guide(Recorded):
    """The programs of docs/frameloop.md do what the page says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(os.path.join(ROOT, 'docs/frameloop.md'), encoding='utf-8') as page:
            cls.outputs = re.findall(r'^```text\n(.*?)^```$', page.read(), re.M | re.S)

    def test_example(self):
        run = subprocess.run([EXAMPLES[0]], capture_output=True, text=True, check=True, timeout=60)
        self.assertEqual(run.stdout, self.outputs[0])

    def test_example_in_cxx(self):
        if len(EXAMPLES) < 2:
            self.skipTest('there is no C++ compiler')
        run = subprocess.run([EXAMPLES[1]], capture_output=True, text=True, check=True, timeout=60)
        self.assertEqual(run.stdout, self.outputs[2])

    def test_recorded(self):
        recording = Recording(self.folder, EXAMPLES[0])
        self.assertEqual(recording.output.splitlines()[:4], self.outputs[0].splitlines())
        slow = recording.ask('target', 'outliers', '--filter', 'routine:tick dur>=20ms')
        self.assertEqual(len(slow['rows']), 1)
        self.assertIn('in phase system:physics, typically', slow['rows'][0]['why'])
        self.assertEqual(recording.count('dispatches', 'routine:tick status:error'), 1)


RULE = re.compile(r'\bF-\d+\b')


class Rules(unittest.TestCase):
    """docs/frameloop-rules.md and the tests name the same rules."""

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(ROOT, 'docs/frameloop-rules.md'), encoding='utf-8') as page:
            cls.rows = re.findall(r'^\| (F-\d+) \|(.*)\| `([^`]+)`.*\|$', page.read(), re.M)
        cls.tests = {}
        folder = os.path.join(ROOT, 'tests/plugins/frameloop')
        with open(os.path.join(folder, 'meson.build'), encoding='utf-8') as build:
            cls.tests.update(dict.fromkeys(re.findall(r"'(plugin-frameloop-\w+)'", build.read())))
        for name in sorted(os.listdir(folder)):
            if name.endswith(('.c', '.py')):
                with open(os.path.join(folder, name), encoding='utf-8') as source:
                    text = source.read()
                for path in re.findall(r'"(/frameloop/[^"]+)"', text):
                    cls.tests[path] = name
                for test in re.findall(r'def (test_\w+) ?\(', text):
                    cls.tests[test] = name

    def test_each_rule_has_its_test(self):
        self.assertGreater(len(self.rows), 50)
        for rule, _, test in self.rows:
            self.assertIn(test, self.tests, rule)
            if test.startswith('/frameloop/'):
                self.assertEqual(test.split('/')[2], rule)

    def test_each_test_has_its_rule(self):
        listed = {rule for rule, _, _ in self.rows}
        named = {test.split('/')[2] for test in self.tests
                 if test.startswith('/frameloop/') and RULE.fullmatch(test.split('/')[2])}
        self.assertLessEqual(named, listed)

    def test_numbers(self):
        numbers = [int(rule[2:]) for rule, _, _ in self.rows]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))


if __name__ == '__main__':
    tap_report.main(sys.argv[9:])
