#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that use FFmpeg's libraries, unmodified: what is told of them equals what they count themselves, and
they do what they do without."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

WEFT, HOST, MODULE, OTHER = (os.path.abspath(sys.argv[index]) for index in (1, 3, 4, 5))
PLUGINS = sys.argv[2]
SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(SOURCE, '..', '..', '..'))
import recorded
import tap_report
from recorded import nobody

SECONDS = 4
RATE = 25
FRAMES = SECONDS * RATE
PATIENCE = 150  # seconds for one program, on a machine that does much else
EXACT = ('-fflags', '+bitexact', '-flags:v', '+bitexact', '-flags:a', '+bitexact')


class Recording(recorded.Recording):
    weft, patience = WEFT, PATIENCE

    def lanes(self):
        return {lane['name']: lane for lane in self.rows('target', 'lanes', '--filter', 'kind:codec.*')}

    def counts(self):
        """How often each operation of each stage ran, without errors."""
        return {row['name']: row['count']
                for row in self.rows('target', 'top', '--filter', 'kind:codec.* -status:error', '--limit', '0')}


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A clip of FFmpeg's own test sources, and one that is damaged behind its header."""
        if shutil.which('ffmpeg') is None:
            raise unittest.SkipTest('no ffmpeg (package ffmpeg)')
        cls.folder = tempfile.mkdtemp(prefix='weft-ffmpeg-')
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        os.chmod(cls.folder, 0o777)
        cls.clip = os.path.join(cls.folder, 'clip.mkv')
        cls.damaged = os.path.join(cls.folder, 'damaged.mkv')
        subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-f', 'lavfi', '-i',
                        f'testsrc2=size=320x240:rate={RATE}:duration={SECONDS}', '-f', 'lavfi', '-i',
                        f'sine=frequency=440:duration={SECONDS}', '-c:v', 'libx264', '-preset', 'veryfast', '-c:a',
                        'aac', cls.clip], check=True, timeout=PATIENCE)
        with open(cls.clip, 'rb') as file:
            content = bytearray(file.read())
        for place in range(len(content) // 4, len(content) - 4096, 997):
            content[place] ^= 0xff
        with open(cls.damaged, 'wb') as file:
            file.write(content)

    def environment(self, **more):
        return {**os.environ, 'XDG_RUNTIME_DIR': self.folder, 'XDG_CACHE_HOME': self.folder, 'HOME': self.folder,
                'WEFT_PLUGIN_PATH': PLUGINS, **more}

    def plain(self, *command):
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=PATIENCE, cwd=self.folder, env=self.environment())

    def record(self, *command, instruments='ffmpeg', before=(), **more):
        file = os.path.join(tempfile.mkdtemp(dir=self.folder), 'run.weft')
        os.chmod(os.path.dirname(file), 0o777)
        run = subprocess.run([*before, WEFT, 'record', '--quiet', '--with', instruments, '-o', file, '--', *command],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                             timeout=PATIENCE, cwd=self.folder, env=self.environment(XDG_RUNTIME_DIR=os.path.dirname(file), **more))
        if not os.path.exists(file):
            raise AssertionError(run.stderr)
        return Recording(file, run)

    def hash(self, *names):
        """Of what was written, which is gone after it."""
        sums = []
        for name in names:
            path = os.path.join(self.folder, name)
            with open(path, 'rb') as file:
                sums.append(hashlib.sha256(file.read()).hexdigest())
            os.remove(path)
        return sums

    def assert_adds_up(self, recording):
        lanes = recording.lanes()
        self.assertTrue(lanes)
        for lane in lanes.values():
            self.assertEqual(lane['submitted'], lane['completed'])
            self.assertEqual(lane['pending'] + lane['lost'] + lane['rejected'] + lane['sampled_out'], 0)
            self.assertLessEqual(lane['busy'], lane['total'])
            self.assertLessEqual(lane['utilisation'], 100.001)


class Programs(Case):
    def transcode(self, source, *more):
        return ('ffmpeg', '-nostdin', '-y', '-v', 'verbose', *more, '-i', source, '-vf', 'scale=160:120,hflip',
                '-c:v', 'libx264', '-preset', 'veryfast', '-c:a', 'libmp3lame', *EXACT, 'out.mkv')

    def assert_equals_report(self, recording):
        """What ffmpeg says at its end that it read, decoded, encoded and wrote."""
        text = recording.run.stderr
        counts = recording.counts()
        read = re.findall(r'Input stream #0:(\d) \((\w+)\): (\d+) packets read .*?; (\d+) (?:frames|samples) decoded|'
                          r'Input stream #0:(\d) \((\w+)\): (\d+) packets read', text)
        self.assertEqual(len(read), 2, text[-2000:])
        for index, media, packets, frames, *_ in read:
            self.assertEqual(counts[f'matroska,webm demuxer stream {index} {media}: read'], int(packets))
        written = re.findall(r'Output stream #0:(\d) \((\w+)\): (\d+) frames encoded.*?; (\d+) packets muxed', text)
        self.assertEqual(len(written), 2, text[-2000:])
        for index, media, frames, packets in written:
            encoder = 'libx264' if media == 'video' else 'libmp3lame'
            self.assertEqual(counts[f'{encoder} encoder: encode'], int(frames))
            self.assertEqual(counts[f'{encoder} encoder: take packet'], int(packets))
            self.assertEqual(counts[f'matroska muxer stream {index} {media}: write'], int(packets))
        decoded = int(re.search(r'\(video\): \d+ packets read .*?; (\d+) frames decoded', text).group(1))
        self.assertEqual(counts['h264 decoder: take frame'], decoded)
        self.assertEqual(counts['scale,hflip filter: put frame'], decoded)

    def assert_metrics(self, recording):
        """Counters of stages count what their dispatches are."""
        lanes = {lane['lane']: name for name, lane in recording.lanes().items()}
        totals = {}
        for row in recording.table('metric_points'):
            metric = self.metrics[row['metric']]
            if metric['kind'] == 'counter' and metric['lane'] in lanes:
                key = lanes[metric['lane']], metric['name']
                totals[key] = totals.get(key, 0) + float(row['value'])
        counts = recording.counts()
        self.assertEqual(totals['h264 decoder', 'frames.in'], counts['h264 decoder: decode'])
        self.assertEqual(totals['h264 decoder', 'frames.out'], counts['h264 decoder: take frame'])
        self.assertEqual(totals['libx264 encoder', 'frames.out'], counts['libx264 encoder: take packet'])
        self.assertEqual(totals['libx264 encoder', 'bytes.out'],
                         totals['matroska muxer stream 0 video', 'bytes.in'])

    def assert_questions(self, recording):
        """What is asked of each recording: lanes, longest, outliers, who queued, who waited, how long it waited, when."""
        kinds = {lane['kind'] for lane in recording.lanes().values()}
        self.assertLessEqual({'codec.demuxer', 'codec.decoder', 'codec.filter', 'codec.encoder', 'codec.muxer'}, kinds)
        recording.rows('target', 'outliers')
        longest = recording.rows('target', 'top', '--filter', 'kind:codec.*')[0]
        self.assertGreater(longest['total'], 0)
        waited = [row for row in recording.rows('target', 'dispatches', '--by', 'queue_wait', '--filter',
                                                'routine:"libx264 encoder: take packet"', '--limit', '5')]
        self.assertGreater(waited[0]['queue_wait'], 0)
        origins = recording.rows('target', 'origins', '--filter', 'routine:"h264 decoder: decode"', '--all')
        queued = [row for row in origins if row['role'] == 'dispatch']
        self.assertTrue(all(row['link_status'] == 'linked-exact' for row in queued))
        self.assertTrue(all('avcodec_send_packet ← ' in row['call_stack'] and 'main' in row['call_stack']
                            for row in queued), queued[0])
        waits = [row for row in recording.rows('target', 'origins', '--filter', 'kind:codec.decoder', '--all')
                 if row['role'] == 'wait-begin']
        self.assertTrue(waits, 'nobody waited for the threads of a decoder')
        dispatch = recording.ask('target', 'dispatch', waits[0]['dispatch'])['value']
        self.assertEqual(dispatch['classification'], 'synchronous', dispatch)
        encoder = recording.lanes()['libx264 encoder']
        middle = f"{(encoder['first'] + encoder['last']) // 2}ns"
        gauges = {row['lane_name']: row['value'] for row in
                  recording.ask('state', '--at', middle)['value']['gauges'] if row['name'] == 'queue.level'}
        self.assertGreater(gauges['libx264 encoder'], 0)
        derived = {(row['name'], row['metric']) for row in recording.ask('target', 'lanes')['derived']}
        for metric in ('queue_wait_p95', 'utilisation', 'throughput_in', 'throughput_out'):
            self.assertIn(('libx264 encoder', metric), derived)

    def test_transcode(self):
        command = self.transcode(self.clip)
        plain = self.plain(*command)
        self.assertEqual(plain.returncode, 0, plain.stderr)
        expected = self.hash('out.mkv')
        recording = self.record(*command)
        self.assertEqual(recording.run.returncode, 0, recording.run.stderr)
        self.assertEqual(self.hash('out.mkv'), expected)
        self.metrics = {row['id']: row for row in recording.table('metrics')}
        self.assert_adds_up(recording)
        self.assert_equals_report(recording)
        self.assert_metrics(recording)
        self.assert_questions(recording)

    def test_transcode_as_nobody(self):
        command = self.transcode(self.clip)
        self.plain(*command)
        expected = self.hash('out.mkv')
        recording = self.record(*command, before=nobody())
        self.assertEqual(recording.run.returncode, 0, recording.run.stderr)
        self.assertEqual(self.hash('out.mkv'), expected)
        self.assert_equals_report(recording)

    def test_two_outputs(self):
        """Two encoders of one decoder; the second stage of a name is told from the first."""
        command = ('ffmpeg', '-nostdin', '-y', '-v', 'error', '-i', self.clip,
                   '-map', '0:v', '-c:v', 'mpeg4', *EXACT, 'one.mkv',
                   '-map', '0:v', '-vf', 'hflip', '-c:v', 'mpeg4', *EXACT, 'two.mkv')
        plain = self.plain(*command)
        self.assertEqual(plain.returncode, 0, plain.stderr)
        expected = self.hash('one.mkv', 'two.mkv')
        recording = self.record(*command)
        self.assertEqual(self.hash('one.mkv', 'two.mkv'), expected)
        counts = recording.counts()
        self.assertEqual(counts['h264 decoder: take frame'], FRAMES)
        self.assertEqual(counts['mpeg4 encoder: take packet'], 2 * FRAMES)
        self.assertEqual(recording.lanes()['mpeg4 encoder (2)']['completed'],
                         recording.lanes()['mpeg4 encoder']['completed'])
        self.assert_adds_up(recording)

    def test_damaged_input(self):
        """As many errors as ffmpeg tells of, and the same output."""
        # What threads make of damaged frames is another thing each time.
        command = self.transcode(self.damaged, '-threads', '1')
        plain = self.plain(*command)
        expected = self.hash('out.mkv')
        recording = self.record(*command)
        self.assertEqual(recording.run.returncode, plain.returncode)
        self.assertEqual(self.hash('out.mkv'), expected)
        told = len(re.findall('Error while decoding stream', recording.run.stderr))
        self.assertGreater(told, 0)
        errors = [row for row in recording.rows('target', 'dispatches', '--filter', 'kind:codec.decoder status:error',
                                                '--all') if '(probe)' not in row['lane_name']]
        self.assertEqual(len(errors), told)
        warnings = recording.rows('warnings')
        self.assertTrue(any('Invalid data' in row['message'] for row in warnings))
        self.assert_adds_up(recording)

    def test_exit_status(self):
        command = self.transcode(self.damaged, '-xerror')
        plain = self.plain(*command)
        recording = self.record(*command)
        self.assertNotEqual(plain.returncode, 0)
        self.assertEqual(recording.run.returncode, plain.returncode)

    def test_ffprobe(self):
        """Another program: it counts, and the counts are the same."""
        command = ('ffprobe', '-v', 'error', '-count_frames', '-count_packets', '-show_entries',
                   'stream=codec_type,nb_read_frames,nb_read_packets', '-of', 'json', self.clip)
        plain = self.plain(*command)
        recording = self.record(*command)
        self.assertEqual(recording.run.stdout, plain.stdout)
        counts = recording.counts()
        streams = {row['codec_type']: row for row in json.loads(plain.stdout)['streams']}
        self.assertEqual(counts['matroska,webm demuxer stream 0 video: read'], int(streams['video']['nb_read_packets']))
        self.assertEqual(counts['h264 decoder: take frame'], int(streams['video']['nb_read_frames']))
        self.assertEqual(counts['aac decoder: take frame'], int(streams['audio']['nb_read_frames']))
        self.assert_adds_up(recording)

    def test_threads(self):
        """The time of a codec's threads is told apart from that of its calls, and is that of other threads than the
        program's own; with other instruments and CPU samples in the same recording."""
        recording = self.record(*self.transcode(self.clip), instruments='ffmpeg,waits')
        self.assert_equals_report(recording)
        value = {row['counter_name']: row['value'] for row in recording.rows('target', 'counters')}['codec.thread_time']
        self.assertGreater(value, 0)
        threads = recording.rows('threads')
        caller = [row for row in threads if row['dispatched']]
        self.assertEqual(len(caller), 1)
        if caller[0]['cpu_time'] is None:
            self.skipTest('nothing here tells of switches')
        others = sum(row['cpu_time'] for row in threads if not row['dispatched'])
        self.assertLessEqual(value, 1.05 * others)

    def test_program_without(self):
        """Where FFmpeg is not, nothing happens."""
        recording = self.record('/bin/echo', 'here')
        self.assertEqual(recording.run.stdout, 'here\n')
        self.assertEqual(recording.lanes(), {})


class Modules(Case):
    def test_module(self):
        """FFmpeg's libraries come with a module, and only it sees them."""
        plain = self.plain(HOST, MODULE, self.clip)
        recording = self.record(HOST, MODULE, self.clip)
        self.assertEqual(recording.run.stdout, plain.stdout)
        packets, frames = map(int, re.findall(r'\d+', plain.stdout))
        counts = recording.counts()
        self.assertEqual(counts['h264 decoder: decode'], packets)
        self.assertEqual(counts['h264 decoder: take frame'], frames)
        self.assertEqual(frames, FRAMES)

    def test_crash(self):
        """It is the program's own, and what was told before it is kept."""
        recording = self.record(HOST, MODULE, self.clip, '40')
        self.assertEqual(recording.run.returncode, 128 + signal.SIGSEGV)
        self.assertEqual(recording.counts()['h264 decoder: take frame'], 40)

    def test_other_version(self):
        """Structures that are not known are not looked at: the calls go through, and it is said."""
        recording = self.record(OTHER)
        self.assertEqual(recording.run.stdout, f'{100 * 12345}\n')
        self.assertEqual(recording.counts(), {})
        self.assertEqual([row['code'] for row in recording.rows('warnings')], ['unknown-version'])


if __name__ == '__main__':
    tap_report.main(sys.argv[6:])
