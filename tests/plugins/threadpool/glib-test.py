#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs with a GThreadPool that know nothing of Weft: recorded, they do what they do without, and what they count
themselves is what lanes say.

    glib-test.py WEFT PLUGIN-FOLDER VICTIM WAITS-FOLDER [NAME…]
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS, VICTIM, WAITS = (os.path.abspath(path) for path in sys.argv[1:5])
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
import recorded
import tap_report
from recorded import nobody

PATIENCE = 100  # seconds for one program, on a machine that does much else


class Recording(recorded.Recording):
    weft, patience = WEFT, PATIENCE

    def lanes(self, kind):
        return [lane for lane in self.rows('target', 'lanes') if lane['kind'] == kind]

    def items(self, *words):
        return self.rows('target', 'dispatches', '--all', '--filter', ' '.join(('kind:threadpool.*', *words)))

    def depth(self, time):
        """Of the queue, of the one pool, at TIME."""
        gauge, = [row for row in self.ask('state', '--at', f'{time}ns')['value']['gauges']
                  if row['name'] == 'queue.pending']
        return gauge['value']

    def finding(self, check):
        return next(row for row in self.rows('diagnose') if row['check'] == check)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-gthreadpool-')
        os.chmod(self.folder, 0o777)
        self.n_recordings = 0
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def environment(self, **more):
        return {**os.environ, 'WEFT_PLUGIN_PATH': f'{PLUGINS}:{WAITS}', 'XDG_RUNTIME_DIR': self.folder,
                'XDG_CACHE_HOME': self.folder, 'XDG_DATA_HOME': self.folder, 'HOME': self.folder, **more}

    def run_program(self, *command, **more):
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE,
                              cwd=self.folder, env=self.environment(**more))

    def record(self, *command, options=('--with', 'gthreadpool'), before=(), **more):
        self.n_recordings += 1
        file = os.path.join(self.folder, f'run-{self.n_recordings}.weft')
        run = self.run_program(*before, WEFT, 'record', '-q', *options, '-o', file, '--', *command, **more)
        if not os.path.exists(file):
            raise AssertionError(run.stderr.decode())
        return Recording(file, run)

    def assert_adds_up(self, recording, pushed, ran, canceled=0):
        """All that was pushed is there once: it ran, it was dropped, or it is in the queue or not over."""
        for lane in recording.rows('target', 'lanes'):
            self.assertEqual(lane['submitted'], lane['completed'] + lane['pending'] + lane['sampled_out']
                             + lane['rejected'] + lane['lost'], lane)
        pools, workers = recording.lanes('threadpool.pool'), recording.lanes('threadpool.worker')
        self.assertEqual(sum(lane['lost'] + lane['rejected'] for lane in pools + workers), 0)
        self.assertEqual(sum(lane['completed'] for lane in workers), ran)
        self.assertEqual(sum(lane['canceled'] for lane in pools), canceled)
        self.assertEqual(sum(lane['submitted'] for lane in pools + workers), pushed)

    def compare(self, scene, *arguments, status=0, **more):
        """SCENE, recorded; it prints and returns what it does when nobody looks."""
        plain = self.run_program(VICTIM, scene, *arguments)
        recording = self.record(VICTIM, scene, *arguments, **more)
        self.assertEqual((plain.stdout, plain.stderr), (recording.run.stdout, recording.run.stderr))
        self.assertEqual(plain.returncode, status)
        # A shell's number of a signal, as that is what the recorder can say.
        self.assertEqual(recording.run.returncode, status if status >= 0 else 128 - status)
        return recording


class Scenes(Case):
    def test_plain(self):
        """Pushed by two threads: who pushed, how long it waited, who ran it, who waited for the pool."""
        recording = self.compare('plain')
        self.assert_adds_up(recording, 80, 80)
        pool, = recording.lanes('threadpool.pool')
        self.assertEqual(pool['name'], 'count_item')
        self.assertEqual({lane['parent'] for lane in recording.lanes('threadpool.worker')}, {pool['lane']})
        self.assertLessEqual(len(recording.lanes('threadpool.worker')), 3)
        items = recording.items()
        self.assertEqual({item['name'] for item in items}, {'count_item'})
        self.assertTrue(all(item['queue_wait'] >= 0 and item['duration'] >= 299_000 for item in items))
        origins = recording.rows('target', 'origins', '--all')
        pushes = [row for row in origins if row['role'] == 'dispatch']
        self.assertEqual(len(pushes), 80)
        self.assertEqual({row['link_status'] for row in pushes}, {'linked-exact'})
        self.assertEqual([row['thread_name'] for row in pushes].count('pusher'), 40)
        self.assertEqual({row['function'] for row in pushes}, {'push_half'})
        self.assertIn('push_half', pushes[0]['call_stack'])
        self.assertEqual({row['role'] for row in origins}, {'dispatch', 'wait-begin', 'wait-end'})

    def test_metrics(self):
        recording = self.compare('plain')
        metrics = {row['name']: row for row in recording.rows('metrics') if row['lane_name'] == 'count_item'}
        self.assertEqual((metrics['queue.pending']['points'], metrics['queue.pending']['last']), (160, 0))
        self.assertEqual(metrics['queue.wait_ms']['points'], 80)
        self.assertLessEqual(metrics['workers.active']['max'], 3)
        answer = recording.ask('target', 'lanes')
        derived = {row['metric']: row['value'] for row in answer['derived'] if row['name'] == 'count_item'}
        workers = [lane for lane in answer['rows'] if lane['kind'] == 'threadpool.worker']
        self.assertAlmostEqual(derived['utilisation'], sum(lane['utilisation'] for lane in workers) / len(workers),
                               places=6)
        self.assertAlmostEqual(derived['queue_wait_p95'], metrics['queue.wait_ms']['p95'], places=6)
        self.assertGreater(derived['throughput'], 0)
        # In the middle of the last item nothing waits.
        last = max(recording.items(), key=lambda item: item['start'])
        self.assertEqual(recording.depth(last['start'] + last['duration'] // 2), 0)

    def test_words(self):
        """They are in the recording; no plugin is needed to read it."""
        recording = self.compare('plain')
        pool, = recording.lanes('threadpool.pool')
        worker = recording.lanes('threadpool.worker')[0]
        self.assertEqual((pool['kind_label'], pool['icon_name']), ('Thread pool', 'network-workgroup-symbolic'))
        self.assertEqual((worker['kind_label'], worker['color']), ('Pool worker', '#2ec27e'))
        metrics = {row['name']: row['label'] for row in recording.rows('metrics') if row['lane'] == pool['lane']}
        self.assertEqual(metrics['queue.pending'], 'Pending')

    def test_same(self):
        """A pointer that is pushed 2,000 times is 2,000 items."""
        recording = self.compare('same', '2000')
        self.assert_adds_up(recording, 2000, 2000)
        self.assertEqual(len({item['dispatch'] for item in recording.items()}), 2000)

    def test_sorted(self):
        recording = self.compare('sorted')
        self.assertIn(b'order 100 7 6 5 4 3 2 2 1\n', recording.run.stdout)
        self.assert_adds_up(recording, 9, 9)

    def test_front(self):
        recording = self.compare('front')
        self.assertIn(b'moved 1 0 1\norder 100 5 1 4 2 6 3\n', recording.run.stdout)
        self.assert_adds_up(recording, 7, 7)

    def test_dropped(self):
        """Closed at once: what was in the queue was freed, and is told to have been dropped."""
        recording = self.compare('dropped')
        self.assert_adds_up(recording, 22, 2, canceled=20)
        canceled = recording.items('status:canceled')
        self.assertEqual({(item['duration'], item['error_kind']) for item in canceled}, {(0, 'abort')})
        self.assertTrue(all(item['queue_wait'] > 0 for item in canceled))
        self.assertEqual(recording.finding('threadpool.dropped')['verdict'], 'attention')

    def test_forgotten(self):
        """Closed at once, and nobody waited: nothing is made up about what became of the rest."""
        recording = self.compare('forgotten')
        workers = recording.lanes('threadpool.worker')
        self.assertEqual(sum(lane['completed'] for lane in workers), 2)
        pool, = recording.lanes('threadpool.pool')
        self.assertEqual(pool['pending'] + pool['canceled'], 10)

    def test_tree(self):
        """Items that push items are their origins."""
        recording = self.compare('tree')
        self.assert_adds_up(recording, 127, 127)
        pushes = [row for row in recording.rows('target', 'origins', '--all') if row['role'] == 'dispatch']
        main = [row for row in pushes if row['thread_name'] == os.path.basename(VICTIM)]
        self.assertEqual((len(pushes), len(main)), (127, 1))

    def test_fields(self):
        """pool->user_data is what it was, pool->func can be called; that is no item."""
        recording = self.compare('fields')
        self.assert_adds_up(recording, 2, 2)
        self.assertEqual({lane['name'] for lane in recording.lanes('threadpool.pool')}, {'count_item', 'count_item 2'})

    def test_many(self):
        """Lanes are bounded; items are not lost by that."""
        recording = self.compare('many', '300')
        self.assert_adds_up(recording, 600, 600)
        self.assertEqual(len(recording.lanes('threadpool.pool')), 256)

    def test_storm(self):
        """Three threads push, pull to the front and sort at once: nothing is lost, mixed up or run twice."""
        recording = self.compare('storm', '1500')
        self.assert_adds_up(recording, 4500, 4500)

    def test_tasks(self):
        """GTask's pool has its name, and tasks have theirs. The program ends when the last one returned, which may be
        before its function did."""
        recording = self.compare('tasks', '60')
        pool, = recording.lanes('threadpool.pool')
        self.assertEqual(pool['name'], 'GTask')
        ran = len(recording.items())
        self.assertIn(ran + pool['pending'], (60,))
        self.assertGreater(ran, 50)
        self.assertIn('odd one', {item['name'] for item in recording.items()})

    def test_crash(self):
        """It dies as it did; four items are over, one runs, fifteen wait."""
        recording = self.compare('crash', status=-signal.SIGABRT)
        pool, = recording.lanes('threadpool.pool')
        self.assertEqual((len(recording.items()), pool['pending']), (4, 16))

    def test_leave(self):
        recording = self.compare('leave', status=3)
        pool, = recording.lanes('threadpool.pool')
        self.assertEqual(pool['pending'], 10)

    def test_forks(self):
        recording = self.compare('forks')
        self.assert_adds_up(recording, 15, 15)
        self.assertEqual(sorted(lane['pid'] is not None for lane in recording.lanes('threadpool.pool')), [True, True])

    def test_together(self):
        """With who ended whose wait, and CPU samples."""
        recording = self.compare('plain', options=('--with', 'gthreadpool,waits'))
        self.assert_adds_up(recording, 80, 80)
        shown = recording.ask('show')['value']
        self.assertGreater(shown['cpu_samples'], 0)
        self.assertGreater(shown['waits'], 0)

    def test_nobody(self):
        before = nobody()
        recording = self.compare('plain', before=before)
        self.assert_adds_up(recording, 80, 80)

    def test_auto(self):
        """Programs without pools have no lane, and do what they did."""
        plain = self.run_program('sh', '-c', 'echo $((6 * 7)); exit 5')
        recording = self.record('sh', '-c', 'echo $((6 * 7)); exit 5', options=('--with', 'auto'))
        self.assertEqual((recording.run.stdout, recording.run.returncode), (plain.stdout, plain.returncode))
        self.assertEqual(recording.lanes('threadpool.pool'), [])

    def refusal(self, program):
        run = self.run_program(WEFT, 'record', '-q', '--with', 'gthreadpool', '-o', os.path.join(self.folder, 'x.weft'),
                               '--', program, 'plain')
        self.assertEqual(run.returncode, 2)
        return run.stderr.decode()

    def test_set_uid(self):
        if os.geteuid() != 0:
            self.skipTest('only root can make a program of another user')
        program = os.path.join(self.folder, 'set-uid')
        shutil.copy(VICTIM, program)
        os.chown(program, 65534, 65534)
        os.chmod(program, 0o4755)
        self.assertIn('runs with other rights than yours', self.refusal(program))

    def test_static(self):
        program = os.path.join(self.folder, 'static')
        if shutil.which('cc') is None or subprocess.run(
                ['cc', '-static', '-x', 'c', '-o', program, '-'], input=b'int main (void) { return 0; }',
                capture_output=True, check=False).returncode != 0:
            self.skipTest('cc makes no statically linked programs here')
        self.assertIn('is linked statically', self.refusal(program))


class Programs(Case):
    """Of others, as they are installed."""

    def need(self, program):
        if shutil.which(program) is None:
            self.skipTest(f'{program} is not installed')

    def assert_questions(self, recording):
        """What ran longest and most often, who queued it, who waited how long, each by its command."""
        longest = recording.rows('target', 'top', '--filter', 'kind:threadpool.*')
        often = recording.rows('target', 'top', '--by', 'count', '--filter', 'kind:threadpool.*')
        self.assertEqual({row['name'] for row in longest}, {row['name'] for row in often})
        recording.rows('target', 'outliers')
        item = max(recording.items(), key=lambda row: row['queue_wait'])
        origin = next(row for row in recording.rows('target', 'origins', item['dispatch']) if row['role'] == 'dispatch')
        self.assertEqual(origin['link_status'], 'linked-exact')
        self.assertGreaterEqual(recording.depth(item['start']), 0)
        self.assertIn(recording.finding('threadpool.growth')['verdict'], ('good', 'attention'))

    def test_gjs(self):
        """Files that are copied by GIO's asynchronous calls: a task of GTask's pool each, by its name."""
        self.need('gjs')
        script = os.path.join(self.folder, 'copy.js')
        with open(script, 'w', encoding='utf-8') as file:
            file.write('''
const {Gio, GLib} = imports.gi;
const loop = GLib.MainLoop.new(null, false);
let left = 20, bytes = 0;
for (let i = 0; i < 20; i++)
    Gio.File.new_for_path(ARGV[0]).query_info_async('standard::size', 0, 0, null, (file, result) => {
        bytes += file.query_info_finish(result).get_size();
        if (--left === 0)
            loop.quit();
    });
loop.run();
print(`20 files, ${bytes} bytes`);
''')
        plain = self.run_program('gjs', script, script)
        if plain.returncode != 0:
            self.skipTest(f'gjs does not work here: {plain.stderr.decode()}')
        recording = self.record('gjs', script, script)
        self.assertEqual((recording.run.stdout, recording.run.returncode), (plain.stdout, 0))
        counts = {row['name']: row['count'] for row in recording.rows('target', 'top', '--limit', '0', '--filter',
                                                                      'kind:threadpool.*')}
        pool = next(lane for lane in recording.lanes('threadpool.pool') if lane['name'] == 'GTask')
        told = [count for name, count in counts.items() if 'query_info' in name]
        self.assertEqual(sum(told) + pool['pending'], 20, counts)
        self.assert_questions(recording)

    def test_python(self):
        """The same by the C library's other language, with contents that are loaded."""
        python = '/usr/bin/python3'
        script = os.path.join(self.folder, 'load.py')
        with open(script, 'w', encoding='utf-8') as file:
            file.write('''
import sys
try:
    import gi
except ImportError:
    sys.exit(77)
from gi.repository import Gio, GLib
loop, done = GLib.MainLoop(), []
def loaded(file, result):
    done.append(len(file.load_contents_finish(result)[1]))
    if len(done) == 25:
        loop.quit()
for _ in range(25):
    Gio.File.new_for_path(sys.argv[1]).load_contents_async(None, loaded)
loop.run()
print(len(done), sum(done))
''')
        plain = self.run_program(python, script, script)
        if plain.returncode != 0:
            self.skipTest('PyGObject is not installed (package python3-gi)')
        recording = self.record(python, script, script)
        self.assertEqual((recording.run.stdout, recording.run.returncode), (plain.stdout, 0))
        pool = next(lane for lane in recording.lanes('threadpool.pool') if lane['name'] == 'GTask')
        opened = [item for item in recording.items() if 'read_async' in item['name'] or 'open' in item['name']]
        self.assertGreaterEqual(len(recording.items()) + pool['pending'], 25)
        self.assertGreaterEqual(len(opened), 25)
        self.assert_questions(recording)

    def test_gtk(self):
        """A GTK program has work done by GTask's pool before it shows anything."""
        self.need('xvfb-run')
        self.need('gtk4-demo')
        command = ('xvfb-run', '-a', '-s', '-screen 0 1400x900x24', 'gtk4-demo', '--run=spinner', '--autoquit')
        if self.run_program(*command, GSK_RENDERER='cairo').returncode != 0:
            self.skipTest('gtk4-demo does not work here')
        recording = self.record(*command, GSK_RENDERER='cairo')
        self.assertEqual(recording.run.returncode, 0)
        pool = next(lane for lane in recording.lanes('threadpool.pool') if lane['name'] == 'GTask')
        items = [item for item in recording.items() if item['lane_name'].startswith('GTask')]
        self.assertGreater(len(items) + pool['pending'], 0)
        pushes = [row for row in recording.rows('target', 'origins', '--all') if row['role'] == 'dispatch'
                  and row['dispatch'] in {item['dispatch'] for item in items}]
        self.assertEqual(len(pushes), len(items))
        self.assertEqual({row['process_name'] for row in pushes}, {'gtk4-demo'} if items else set())

    def test_gstreamer(self):
        """Streaming threads are items of GStreamer's pool: as many as its own log says."""
        self.need('gst-launch-1.0')
        command = ('gst-launch-1.0', '-q', 'fakesrc', 'num-buffers=300', '!', 'queue', '!', 'identity', '!', 'queue', '!',
                   'fakesink')
        plain = self.run_program(*command, GST_DEBUG='task:4', GST_DEBUG_NO_COLOR='1')
        if plain.returncode != 0:
            self.skipTest(f'gst-launch-1.0 does not work here: {plain.stderr.decode()[-200:]}')
        tasks = plain.stderr.count(b'setting stream lock')
        self.assertEqual(tasks, 3)
        recording = self.record(*command, GST_DEBUG='task:4', GST_DEBUG_NO_COLOR='1')
        self.assertEqual((recording.run.returncode, recording.run.stderr.count(b'setting stream lock')), (0, tasks))
        self.assert_adds_up(recording, tasks, tasks)
        self.assertTrue(all('libgstreamer-1.0' in item['name'] or 'func' in item['name'] for item in recording.items()))
        self.assert_questions(recording)


if __name__ == '__main__':
    tap_report.main(sys.argv[5:])
