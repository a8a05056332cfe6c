#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unmodified GStreamer programs, recorded with --with gstreamer and asked about.

    gstreamer-test.py WEFT PLUGIN-FOLDER WAITS-FOLDER SOURCE
"""

import collections
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS, WAITS, ROOT = (os.path.abspath(path) for path in sys.argv[1:5])
sys.path.insert(0, os.path.join(ROOT, 'tests'))
import tap_report

PLAYER = ['/usr/bin/python3', os.path.join(ROOT, 'tests/plugins/codec/player.py')]
LAUNCH = ['gst-launch-1.0', '-q']
SMALL = 'video/x-raw,width=160,height=120'
# All tests share what GStreamer knows of its plugins: finding them takes a second.
FOLDER = tempfile.mkdtemp(prefix='weft-gstreamer-')


def tearDownModule():
    shutil.rmtree(FOLDER)


def environment(**more):
    return {**os.environ, 'WEFT_PLUGIN_PATH': f'{PLUGINS}:{WAITS}', 'XDG_RUNTIME_DIR': FOLDER,
            'XDG_CACHE_HOME': FOLDER, 'XDG_DATA_HOME': FOLDER, 'HOME': FOLDER,
            'PYTHONDONTWRITEBYTECODE': '1', **more}


def run(*command, **more):
    return subprocess.run(command, env=environment(**more), capture_output=True, text=True,
                          timeout=100, check=False)


def missing(*elements):
    """Which of the elements GStreamer does not have; all where it is not there."""
    if shutil.which('gst-inspect-1.0') is None:
        return 'gst-inspect-1.0 (package gstreamer1.0-tools)'
    return ', '.join(name for name in elements
                     if run('gst-inspect-1.0', '--exists', name).returncode != 0)


def split(pipeline):
    return [word for word in pipeline.split(' ') if word]


class Recording:
    """What a program did, and what it printed."""

    def __init__(self, *command, options=('--cpu', 'off', '--with', 'gstreamer'), around=(), **more):
        handle, self.file = tempfile.mkstemp(dir=FOLDER, suffix='.weft')
        os.close(handle)
        os.unlink(self.file)
        self.run = run(*around, WEFT, 'record', '-q', *options, '-o', self.file, '--', *command,
                       **more)

    def ask(self, *question):
        answer = run(WEFT, *question, '--json', self.file)
        if answer.returncode != 0:
            raise AssertionError(f'{question}: {answer.stderr}')
        return json.loads(answer.stdout)

    def table(self, name, *options):
        answer = run(WEFT, 'export', '-t', name, *options, 'csv', self.file)
        if answer.returncode != 0:
            raise AssertionError(f'{name} {options}: {answer.stderr}')
        return list(csv.DictReader(io.StringIO(answer.stdout)))

    def number(self, table, select, where):
        value = list(self.table(table, '-s', select, '-f', where)[0].values())[0]
        return float(value or 0)

    def metrics(self, what='sum(value)'):
        """{(lane, metric): figure}; several lanes of one name add up."""
        rows = self.table('metric_points', '-g', 'metric.lane.name,metric.name', '-s', what,
                          '-f', 'kind:codec.*')
        return {(row['metric_lane_name'], row['metric_name']): float(list(row.values())[2])
                for row in rows}

    def findings(self):
        return {row['check']: row for row in self.ask('diagnose')['rows']
                if row['check'].startswith('codec.')}


def told(text):
    """What player.py counted: {(element, side): frames}, of all times together."""
    counts = collections.Counter()
    for name, side, n in re.findall(r'^\d+ (\S+) (in|out|rendered|dropped) (\d+)$', text, re.M):
        counts[name, side] += int(n)
    return counts


class Case(unittest.TestCase):
    needs = ()

    def setUp(self):
        lack = missing(*self.needs) if self.needs else ''
        if lack:
            self.skipTest(f'GStreamer has no {lack}')

    def assert_counts(self, recording):
        """Each frame that the program's own probes saw was told, at each element, on both sides."""
        counts = told(recording.run.stdout)
        metrics = recording.metrics()
        self.assertGreater(len(counts), 3, recording.run.stderr)
        for (name, side), n in counts.items():
            if side in ('in', 'out'):
                self.assertEqual(metrics.get((name, f'frames.{side}'), 0), n, (name, side))
        return counts, metrics

    def assert_nothing_lost(self, recording):
        rows = recording.ask('target', 'lanes')['rows']
        for row in rows:
            self.assertTrue(row['adds_up'], row)
            self.assertEqual((row['lost'], row['rejected'], row['pending']), (0, 0, 0), row)
        return rows


class Transcode(Case):
    """Test source → x264 → decode → sink, across two queues, in the player that counts."""

    needs = ('videotestsrc', 'x264enc', 'avdec_h264', 'h264parse')
    PIPELINE = (f'videotestsrc num-buffers=40 ! {SMALL} ! queue name=before ! x264enc name=encoder ! '
                'h264parse ! queue name=after max-size-buffers=3 ! avdec_h264 name=decoder ! '
                'videoconvert ! fakesink name=end')
    recording = None

    def setUp(self):
        super().setUp()
        if Transcode.recording is None:
            Transcode.recording = Recording(*PLAYER, '1', self.PIPELINE)
        self.recording = Transcode.recording
        self.assertEqual(self.recording.run.returncode, 0, self.recording.run.stderr)

    def test_counts(self):
        counts, _ = self.assert_counts(self.recording)
        self.assertEqual(counts['end', 'in'], 40)

    def test_lanes(self):
        rows = {row['name']: row for row in self.assert_nothing_lost(self.recording)}
        kinds = {'encoder': 'codec.encoder', 'decoder': 'codec.decoder', 'before': 'codec.queue',
                 'end': 'codec.sink', 'h264parse0': 'codec.parser', 'before:src': 'codec.thread',
                 'videotestsrc0': 'codec.source', 'videoconvert0': 'codec.filter',
                 'pipeline0': 'codec.pipeline'}
        for name, kind in kinds.items():
            self.assertEqual(rows[name]['kind'], kind)
        for name in ('encoder', 'before', 'before:src'):
            self.assertEqual(rows[name]['parent'], rows['pipeline0']['lane'], name)

    def test_one_dispatch_for_each_frame(self):
        for name in ('encoder', 'decoder', 'h264parse0', 'videoconvert0', 'end', 'before', 'after',
                     'videotestsrc0'):
            self.assertEqual(self.recording.number('dispatches', 'count()',
                                                   f'lane:{name} routine:{name}'), 40, name)

    def test_own_time(self):
        """What threads tell of stages is what the stages tell: no time is counted twice."""
        phases = {row['name']: (int(row['sum_duration']), int(row['count']))
                  for row in self.recording.table('phases', '-g', 'name', '-s',
                                                  'sum(duration),count()')}
        for name in ('encoder', 'decoder', 'h264parse0', 'videoconvert0', 'end'):
            own = self.recording.number('dispatches', 'sum(duration)', f'lane:{name}')
            time, n = phases[name]
            self.assertAlmostEqual(time, own, delta=2 * n, msg=name)
        carried = self.recording.number('dispatches', 'sum(duration)', 'kind:codec.thread')
        self.assertLessEqual(sum(time for time, _ in phases.values()), carried)

    def test_stages_of_a_run(self):
        rows = self.recording.table('phases', '-g', 'name', '-s', 'count()', '-f',
                                    'kind:codec.thread lane:before:src')
        self.assertLessEqual({'encoder', 'h264parse0'}, {row['name'] for row in rows})
        self.assertNotIn('decoder', {row['name'] for row in rows})

    def test_how_long_in_queue(self):
        metrics = self.recording.metrics('count()')
        rows = self.recording.table('dispatches', '-s', 'queue_wait', '-f', 'kind:codec.queue')
        self.assertEqual(len(rows), 80)
        self.assertTrue(all(int(row['queue_wait']) > 0 for row in rows))
        self.assertEqual(metrics['before', 'queue.wait'], 40)
        longest = self.recording.ask('target', 'dispatches', '--by', 'queue_wait',
                                     '--limit', '1')['rows'][0]
        self.assertEqual(longest['queue_wait'], max(int(row['queue_wait']) for row in rows))

    def test_who_queued(self):
        """The thread before the queue, with the stack by which it came there."""
        rows = self.recording.ask('target', 'origins', '--group', 'thread')['rows']
        queued = {row['thread_name']: row['queued'] for row in rows}
        self.assertEqual({name: n for name, n in queued.items() if n > 0},
                         {'videotestsrc0:s': 40, 'before:src': 40})
        dispatch = self.recording.ask('target', 'dispatches', '--filter', 'lane:after',
                                      '--limit', '1')['rows'][0]['dispatch']
        origin = [row for row in self.recording.ask('target', 'origins', dispatch)['rows']
                  if row['role'] == 'dispatch'][0]
        self.assertIn('gst_pad_push', json.dumps(origin))

    def test_who_waited(self):
        """Threads waited for frames of empty queues, or for room in full ones."""
        rows = self.recording.table('origins', '-s', 'role', '-f', 'kind:codec.queue')
        roles = collections.Counter(row['role'] for row in rows)
        self.assertEqual(roles['wait-begin'], roles['wait-end'])
        self.assertGreater(roles['wait-begin'], 0)

    def test_levels(self):
        """One gauge value for each frame that goes in and out, nought at the end."""
        for name in ('after', 'before'):
            rows = self.recording.table('metric_points', '-s', 'time,value', '-f',
                                        f'lane:{name} metric:queue.level')
            self.assertEqual(len(rows), 80, name)
            self.assertEqual(float(rows[-1]['value']), 0, name)
            self.assertGreater(max(float(row['value']) for row in rows), 0)
        bytes_ = self.recording.table('metric_points', '-s', 'value', '-f',
                                      'lane:before metric:queue.level_bytes')
        self.assertEqual(float(bytes_[-1]['value']), 0)
        self.assertEqual(max(float(row['value']) for row in bytes_) % 28800, 0)
        state = self.recording.ask('state', '--at', f'{int(rows[-1]["time"]) + 1}ns')['value']['gauges']
        self.assertEqual([row['value'] for row in state
                          if row['lane_name'] == 'before' and row['name'] == 'queue.level'], [0])

    def test_buffers(self):
        """Formats, times and sizes; never contents."""
        rows = self.recording.table('attachments', '-s',
                                    'kind,label,role,element_type,shape,size', '-f',
                                    'lane:encoder')
        self.assertEqual(len(rows), 40)
        for row in rows:
            self.assertEqual(list(row.values()), ['buffer', 'video/x-raw', 'SystemMemory',
                                                  row['element_type'], '160×120', row['size']])
        times = [int(float(row['tag_pts'])) for row in self.recording.table(
            'dispatches', '-s', 'tag:pts', '-f', 'lane:encoder routine:encoder')]
        self.assertEqual([time // 33333333 for time in times], list(range(40)))
        coded = self.recording.table('attachments', '-s', 'label', '-f', 'lane:decoder')
        self.assertEqual({row['label'] for row in coded}, {'video/x-h264'})
        self.assertEqual(self.recording.number('dispatches', 'count()',
                                               'lane:decoder tag:frame.flags=~key'), 1)

    def test_ways(self):
        """Each frame is one trace from the source to the sink, across encoder and queues."""
        rows = self.recording.ask('traces', '--limit', '0')['rows']
        self.assertEqual(len(rows), 40)
        self.assertEqual({row['status'] for row in rows}, {'ok'})
        lanes = {row['lane_name'] for row in self.recording.table(
            'dispatches', '-g', 'lane.name', '-s', 'count()', '-f', 'trace:*')}
        self.assertLessEqual({'videotestsrc0', 'before', 'encoder', 'h264parse0', 'after',
                              'decoder', 'videoconvert0', 'end'}, lanes)
        self.assertEqual(self.recording.metrics('count()')['end', 'latency'], 40)

    def test_derived(self):
        answer = self.recording.ask('target', 'lanes')
        busy = {row['name']: row['busy'] for row in answer['rows']}
        found = {(row['name'], row['metric']): row['value'] for row in answer['derived']}
        elapsed = 1e9 * 40 / found['encoder', 'throughput_in']
        for name in ('encoder', 'decoder'):
            self.assertAlmostEqual(found[name, 'utilisation'], 100 * busy[name] / elapsed, places=3)
        waits = sorted(float(row['value']) for row in self.recording.table(
            'metric_points', '-s', 'value', '-f', 'lane:after metric:queue.wait'))
        self.assertLessEqual(waits[36], found['after', 'queue_wait_p95'])
        self.assertLessEqual(found['after', 'queue_wait_p95'], waits[-1])

    def test_state_changes(self):
        rows = self.recording.table('dispatches', '-s', 'routine.name,label,status', '-f',
                                    'kind:codec.pipeline')
        self.assertEqual({row['status'] for row in rows}, {'ok'})
        # The pipeline and its nine elements.
        for change in ('NULL → READY', 'READY → PAUSED', 'PAUSED → READY', 'READY → NULL'):
            names = [row['label'] for row in rows if row['routine_name'] == change]
            self.assertEqual(len(names), 10, change)
            self.assertEqual(len(set(names)), 10, change)

    def test_words_and_findings(self):
        findings = self.recording.findings()
        self.assertEqual(findings['codec.drops']['verdict'], 'good')
        self.assertEqual(findings['codec.errors']['verdict'], 'good')
        self.assertIn('encoder', findings['codec.bottleneck']['evidence'])
        self.assertIn('of 40 took', findings['codec.latency']['evidence'])
        rows = {row['name']: row for row in self.recording.ask('target', 'lanes')['rows']}
        self.assertEqual(rows['encoder']['kind_label'], 'Encoder')

    def test_what_ran_longest_and_most_often(self):
        top = self.recording.ask('target', 'top', '--filter', 'kind:codec.encoder,codec.decoder')
        counts = {row['name']: row['count'] for row in top['rows']}
        self.assertEqual((counts['encoder'], counts['decoder']), (40, 40))
        self.recording.ask('target', 'outliers')


class Same(Case):
    """What comes out is the same, and so is the exit status."""

    needs = ('x264enc', 'avenc_mpeg4', 'avdec_mpeg4', 'matroskamux')

    def sums(self, pipeline, options=('--cpu', 'off', '--with', 'gstreamer')):
        plain, watched = (os.path.join(FOLDER, name) for name in ('plain', 'watched'))
        self.assertEqual(run(*LAUNCH, *split(pipeline), f'location={plain}').returncode, 0)
        recording = Recording(*LAUNCH, *split(pipeline), f'location={watched}', options=options)
        self.assertEqual(recording.run.returncode, 0, recording.run.stderr)
        sums = []
        for name in (plain, watched):
            with open(name, 'rb') as file:
                sums.append(hashlib.sha256(file.read()).hexdigest())
            os.unlink(name)
        self.assertEqual(*sums)
        return recording

    def test_x264(self):
        self.sums(f'videotestsrc num-buffers=30 ! {SMALL} ! queue ! x264enc threads=1 ! filesink')

    def test_libav(self):
        recording = self.sums(f'videotestsrc num-buffers=30 ! {SMALL} ! avenc_mpeg4 ! queue ! '
                              'avdec_mpeg4 ! videoconvert ! filesink')
        kinds = {row['name']: row['kind'] for row in recording.ask('target', 'lanes')['rows']}
        self.assertEqual((kinds['avenc_mpeg4-0'], kinds['avdec_mpeg4-0']),
                         ('codec.encoder', 'codec.decoder'))
        metrics = recording.metrics()
        self.assertEqual(metrics['avenc_mpeg4-0', 'frames.in'], 30)
        self.assertEqual(metrics['avdec_mpeg4-0', 'frames.out'], 30)

    def test_with_waits_and_samples(self):
        recording = self.sums(f'videotestsrc num-buffers=60 ! {SMALL} ! queue ! '
                              'x264enc threads=1 ! filesink',
                              options=('--with', 'gstreamer,waits'))
        self.assertEqual(recording.metrics()['x264enc0', 'frames.in'], 60)
        self.assertGreater(recording.number('samples', 'count()', ''), 0)
        rows = recording.ask('waits', '--group', 'reason')['rows']
        self.assertTrue(rows)

    def test_auto(self):
        recording = self.sums(f'videotestsrc num-buffers=10 ! {SMALL} ! queue ! x264enc threads=1 ! '
                              'filesink', options=('--cpu', 'off', '--with', 'auto'))
        self.assertEqual(recording.metrics()['queue0', 'frames.out'], 10)


class Trouble(Case):
    needs = ('videotestsrc', 'identity')

    def test_leaky(self):
        """Each frame that a queue threw away is counted, whichever end it leaks at."""
        for leak in ('upstream', 'downstream'):
            recording = Recording(
                *PLAYER, '1', f'videotestsrc num-buffers=60 ! {SMALL} ! tee name=t ! queue ! '
                f'fakesink t. ! queue name=leaky leaky={leak} max-size-buffers=2 ! '
                'identity sleep-time=5000 ! fakesink name=end')
            counts, metrics = self.assert_counts(recording)
            dropped = counts['leaky', 'in'] - counts['leaky', 'out']
            self.assertGreater(dropped, 0)
            self.assertEqual(metrics['leaky', 'frames.dropped'], dropped, leak)
            self.assertNotIn(('queue0', 'frames.dropped'), metrics)
            self.assertEqual(recording.findings()['codec.drops']['verdict'], 'attention')
            self.assertIn(f'{dropped} frames, by leaky', recording.findings()['codec.drops']['evidence'])
            derived = {(row['name'], row['metric']): row['value']
                       for row in recording.ask('target', 'lanes')['derived']}
            self.assertAlmostEqual(derived['leaky', 'drop_rate'],
                                   100 * dropped / counts['leaky', 'in'], places=3)
            self.assert_nothing_lost(recording)

    def test_late(self):
        """A sink that gets frames too late throws them away, and says how many."""
        recording = Recording(
            *PLAYER, '1', f'videotestsrc num-buffers=40 ! {SMALL},framerate=200/1 ! '
            'identity sleep-time=15000 ! fakesink name=end sync=true qos=true '
            'max-lateness=1000000')
        counts, metrics = self.assert_counts(recording)
        self.assertGreater(counts['end', 'dropped'], 0)
        self.assertEqual(metrics['end', 'frames.dropped'], counts['end', 'dropped'])
        self.assertGreaterEqual(metrics['end', 'frames.late'], counts['end', 'dropped'])
        findings = recording.findings()
        self.assertEqual(findings['codec.late']['verdict'], 'attention')
        self.assertIn('identity0', findings['codec.bottleneck']['evidence'])

    def test_full_queue(self):
        """Time at a full queue is the queue's, not that of the stage before it."""
        recording = Recording(
            *LAUNCH, *split(f'videotestsrc num-buffers=30 ! {SMALL} ! identity name=first ! '
                            'queue name=full max-size-buffers=2 ! '
                            'identity name=slow sleep-time=10000 ! fakesink'))
        metrics = recording.metrics()
        slow = recording.number('dispatches', 'sum(duration)', 'lane:slow')
        first = recording.number('dispatches', 'sum(duration)', 'lane:first')
        self.assertGreaterEqual(slow, 30 * 10e6)
        self.assertGreaterEqual(metrics['full', 'queue.full'], 20 * 10e6)
        self.assertLess(first, metrics['full', 'queue.full'])
        evidence = recording.findings()['codec.bottleneck']['evidence']
        self.assertIn('full was full', evidence)
        self.assertIn('Most work of their own: slow', evidence)
        rooms = recording.number('phases', 'sum(duration)', 'name:"wait for room"')
        self.assertAlmostEqual(rooms, metrics['full', 'queue.full'], delta=0.05 * rooms)

    def test_error(self):
        """One that fails mid-way: the same status and words, the frame that failed, and nothing
        blamed on others."""
        pipeline = split(f'videotestsrc num-buffers=60 ! {SMALL} ! queue ! identity error-after=20 ! '
                         'videoconvert ! fakesink')
        plain = run(*LAUNCH, *pipeline)
        recording = Recording(*LAUNCH, *pipeline)
        self.assertEqual((plain.returncode, plain.stdout), (1, recording.run.stdout))
        self.assertEqual(recording.run.returncode, 1)
        self.assertIn('Failed after iterations as requested', plain.stderr)
        self.assertIn('Failed after iterations as requested', recording.run.stderr)
        failed = recording.table('dispatches', '-s', 'lane.name,error.message', '-f',
                                 'status:error')
        self.assertEqual([list(row.values()) for row in failed],
                         [['identity0', 'Failed after iterations as requested.']])
        warnings = recording.table('warnings', '-s', 'lane.name,code', '-f', 'name:error')
        self.assertEqual([list(row.values()) for row in warnings], [['identity0', 'error']])
        finding = recording.findings()['codec.errors']
        self.assertEqual(finding['verdict'], 'problem')
        self.assertIn('identity0', finding['evidence'])

    def test_cannot_start(self):
        """A change of state that fails is an error, too."""
        pipeline = ('filesrc', 'location=/nonexistent', '!', 'fakesink')
        plain = run(*LAUNCH, *pipeline)
        recording = Recording(*LAUNCH, *pipeline)
        self.assertEqual(recording.run.returncode, plain.returncode)
        failed = recording.table('dispatches', '-s', 'name,label', '-f',
                                 'kind:codec.pipeline status:error')
        self.assertTrue(failed)
        self.assertTrue(any('filesrc0' in row['label'] for row in failed), failed)

    def test_error_of_a_bin(self):
        """What a bin could not make of its elements is told on its pipeline's lane."""
        pipeline = ('filesrc', f'location={os.path.abspath(__file__)}', '!', 'decodebin', '!', 'fakesink')
        plain = run(*LAUNCH, *pipeline)
        recording = Recording(*LAUNCH, *pipeline)
        self.assertEqual((recording.run.returncode, recording.run.stdout),
                         (plain.returncode, plain.stdout))
        self.assertNotEqual(plain.returncode, 0)
        told_ = recording.table('warnings', '-s', 'lane.kind,message', '-f', 'name:error')
        self.assertEqual(len(told_), recording.run.stderr.count('ERROR: from element'), told_)
        self.assertIn('codec.pipeline', {row['lane_kind'] for row in told_})
        self.assertEqual(recording.findings()['codec.errors']['verdict'], 'problem')

    def test_clock(self):
        """Waiting for the time to show a frame is no work."""
        recording = Recording(*LAUNCH, *split(
            f'videotestsrc num-buffers=20 ! {SMALL},framerate=50/1 ! fakesink sync=true'))
        metrics = recording.metrics()
        waited = metrics['fakesink0', 'wait.clock']
        self.assertGreater(waited, 0)
        phases = recording.number('phases', 'sum(duration)', 'name:"wait for the clock"')
        self.assertAlmostEqual(phases, waited, delta=100)
        own = recording.number('dispatches', 'sum(duration)', 'lane:fakesink0')
        carried = recording.number('dispatches', 'sum(duration)', 'kind:codec.thread')
        self.assertLessEqual(own + waited, carried)
        self.assertIn('The clock', recording.findings()['codec.bottleneck']['evidence'])


class Programs(Case):
    """Programs of others, and what they do to pipelines."""

    needs = ('videotestsrc', 'audiotestsrc', 'x264enc', 'matroskamux', 'matroskademux',
             'avdec_h264', 'playbin', 'vorbisenc')
    clip = os.path.join(FOLDER, 'clip.mkv')

    def setUp(self):
        super().setUp()
        if not os.path.exists(self.clip):
            made = run(*LAUNCH, *split(
                'matroskamux name=mux ! filesink location=' + self.clip + ' videotestsrc '
                f'num-buffers=30 ! {SMALL} ! x264enc ! h264parse ! mux. audiotestsrc '
                'num-buffers=43 ! audioconvert ! vorbisenc ! mux.'))
            self.assertEqual(made.returncode, 0, made.stderr)

    def test_player(self):
        """gst-play: a bin in bins, pads that come later, a demuxer that pulls."""
        if shutil.which('gst-play-1.0') is None:
            self.skipTest('gst-play-1.0 is missing (package gstreamer1.0-plugins-base-apps)')
        recording = Recording('gst-play-1.0', '-q', '--no-interactive', '--videosink=fakesink',
                              '--audiosink=fakesink', self.clip)
        self.assertEqual(recording.run.returncode, 0, recording.run.stderr)
        rows = self.assert_nothing_lost(recording)
        kinds = collections.Counter(row['kind'] for row in rows)
        for kind in ('codec.demuxer', 'codec.decoder', 'codec.sink', 'codec.queue', 'codec.source'):
            self.assertGreater(kinds[kind], 0, kinds)
        metrics = recording.metrics()
        decoded = [n for (name, metric), n in metrics.items()
                   if name.startswith('avdec_h264') and metric == 'frames.out']
        self.assertEqual(sum(decoded), 30)

    def test_discoverer(self):
        if shutil.which('gst-discoverer-1.0') is None:
            self.skipTest('gst-discoverer-1.0 is missing (package gstreamer1.0-plugins-base-apps)')
        plain = run('gst-discoverer-1.0', self.clip)
        recording = Recording('gst-discoverer-1.0', self.clip)
        self.assertEqual((plain.returncode, plain.stdout),
                         (recording.run.returncode, recording.run.stdout))
        self.assertIn('H.264', plain.stdout)
        self.assertTrue(recording.table('lanes', '-f', 'kind:codec.demuxer'))

    def test_again_and_again(self):
        """Pipelines are freed and made anew, with elements of the same names."""
        recording = Recording(*PLAYER, '6', f'videotestsrc name=a num-buffers=12 ! {SMALL} ! '
                              'queue name=b ! fakesink name=c')
        self.assertEqual(recording.run.returncode, 0, recording.run.stderr)
        counts, _ = self.assert_counts(recording)
        self.assertEqual(counts['c', 'in'], 72)
        lanes = recording.table('lanes', '-s', 'name,kind', '-f', 'kind:codec.*')
        self.assertEqual(sum(row['name'] == 'b' for row in lanes), 6)
        self.assert_nothing_lost(recording)

    def test_in_bins(self):
        """Borders of bins are not stages, and take nothing from frames."""
        recording = Recording(*PLAYER, '1', f'videotestsrc num-buffers=20 ! {SMALL} ! '
                              '( name=outer videoconvert name=v ! ( name=inner identity name=i ) ) ! '
                              'queue ! fakesink name=end')
        if 'syntax error' in recording.run.stderr:
            self.skipTest('this GStreamer reads no bins in pipelines')
        counts, metrics = self.assert_counts(recording)
        self.assertEqual(counts['end', 'in'], 20)
        self.assertEqual(recording.metrics('count()')['end', 'latency'], 20)
        names = {row['name'] for row in recording.ask('target', 'lanes')['rows']}
        self.assertFalse({'outer', 'inner'} & names)

    def test_lists(self):
        """Lists of buffers count as what is in them."""
        if missing('rtpvrawpay'):
            self.skipTest('GStreamer has no rtpvrawpay')
        recording = Recording(*PLAYER, '1', f'videotestsrc num-buffers=5 ! {SMALL} ! rtpvrawpay '
                              'mtu=400 ! queue ! fakesink name=end')
        counts, _ = self.assert_counts(recording)
        self.assertGreater(counts['end', 'in'], 100)

    def test_as_nobody(self):
        if os.geteuid() != 0 or shutil.which('setpriv') is None:
            self.skipTest('only root can be somebody else, by setpriv (package util-linux)')
        os.chmod(FOLDER, 0o777)
        folder = tempfile.mkdtemp(dir=FOLDER)
        os.chmod(folder, 0o777)
        recording = Recording.__new__(Recording)
        recording.file = os.path.join(folder, 'nobody.weft')
        more = {'XDG_RUNTIME_DIR': folder, 'XDG_CACHE_HOME': folder, 'HOME': folder,
                'XDG_DATA_HOME': folder}
        recording.run = run('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', WEFT,
                            'record', '-q', '--cpu', 'off', '--with', 'gstreamer', '-o',
                            recording.file, '--', *PLAYER, '1',
                            f'videotestsrc num-buffers=10 ! {SMALL} ! queue ! fakesink', **more)
        self.assertEqual(recording.run.returncode, 0, recording.run.stderr)
        self.assert_counts(recording)


class Settings(Case):
    """What users set of GStreamer stays set."""

    needs = ('videotestsrc',)
    PIPELINE = split(f'videotestsrc num-buffers=5 ! {SMALL} ! fakesink')

    def test_tracers_of_the_user(self):
        recording = Recording(*LAUNCH, *self.PIPELINE, GST_TRACERS='stats',
                              GST_DEBUG='GST_TRACER:7', GST_DEBUG_NO_COLOR='1')
        self.assertGreaterEqual(recording.run.stderr.count('buffer,'), 10)
        self.assertEqual(recording.metrics()['fakesink0', 'frames.in'], 5)

    def test_registry_of_the_user(self):
        """GStreamer's list of plugins neither gets ours, nor is written anew."""
        cache = os.path.join(FOLDER, 'gstreamer-1.0')
        run('gst-inspect-1.0', 'fakesink')
        files = {name: os.stat(os.path.join(cache, name)) for name in os.listdir(cache)}
        Recording(*LAUNCH, *self.PIPELINE)
        for name, before in files.items():
            after = os.stat(os.path.join(cache, name))
            self.assertEqual((before.st_ino, before.st_mtime_ns, before.st_size),
                             (after.st_ino, after.st_mtime_ns, after.st_size), name)
        self.assertNotIn('weft', run('gst-inspect-1.0').stdout)

    def test_plugin_path_of_the_user(self):
        folder = tempfile.mkdtemp(dir=FOLDER)
        shown = Recording('sh', '-c', 'echo "$GST_PLUGIN_PATH"; echo "$GST_TRACERS"',
                          GST_PLUGIN_PATH=folder)
        self.assertEqual(shown.run.stdout.splitlines(),
                         [f'{os.path.join(PLUGINS, "gstreamer")}:{folder}', 'weft'])

    def test_looking_for_plugins_forbidden(self):
        recording = Recording(*LAUNCH, *self.PIPELINE, options=('--with', 'gstreamer'),
                              GST_REGISTRY_UPDATE='no')
        self.assertEqual(recording.run.returncode, 0, recording.run.stderr)


class Harmless(unittest.TestCase):
    """Programs without GStreamer do not notice."""

    def test_other_programs(self):
        for command in (['sh', '-c', 'echo one; exit 3'],
                        ['/usr/bin/python3', '-c', 'print(sum(range(10)))']):
            plain = run(*command)
            recording = Recording(*command)
            self.assertEqual((plain.returncode, plain.stdout),
                             (recording.run.returncode, recording.run.stdout))
            self.assertEqual(recording.table('lanes', '-f', 'kind:codec.*'), [])

    def test_without_recorder(self):
        """The tracer alone: nothing is told, and nothing is different."""
        if missing('videotestsrc'):
            self.skipTest('GStreamer is missing')
        pipeline = split(f'videotestsrc num-buffers=10 ! {SMALL} ! queue ! fakesink')
        plain = run(*LAUNCH, *pipeline)
        traced = run(*LAUNCH, *pipeline, GST_TRACERS='weft',
                     GST_PLUGIN_PATH=os.path.join(PLUGINS, 'gstreamer'),
                     GST_REGISTRY=os.path.join(FOLDER, 'other-registry.bin'))
        self.assertEqual((plain.returncode, plain.stdout, plain.stderr),
                         (traced.returncode, traced.stdout, traced.stderr))


if __name__ == '__main__':
    tap_report.main(sys.argv[5:])
