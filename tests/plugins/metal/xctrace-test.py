#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tables of Instruments become recordings: all that they tell, nothing that they do not."""

import collections
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
import xml.etree.ElementTree as ElementTree

WEFT, PLUGINS = (os.path.abspath(path) for path in sys.argv[1:3])
SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, SOURCE)
sys.path.insert(0, os.path.join(SOURCE, '..', '..'))
import tap_report  # noqa: E402
from xctrace_export import COLUMNS, CONTENTS, Document, Frame, Process, Thread  # noqa: E402

REAL = os.path.join(os.environ.get('WEFT_TEST_DATA', ''), 'metal', 'xctrace')

WEAVER = Process('weaver', 700)
SCREEN = Process('Screen (GPU)', 30)
MAIN = Thread('Main Thread', 0x1a01, WEAVER)
CLOTH = Thread('cloth (2)', 0xdf999e, WEAVER)  # beyond what Linux gives to threads
DRAW = Thread('draw', 0x77, SCREEN)
NONE = 0xffffffffffffffff

# ---- A small trace, made up ----

GPU = [
    {'start': 10_000_000, 'duration': 4_000, 'channel-name': 'Compute', 'frame-number': 1,
     'start-latency': 900_000, 'event-depth': 0, 'event-label': ('Buffer 0:Warp', ' ', WEAVER, ' 0x1'),
     'state': 'Active', 'process': WEAVER, 'gpu': 'L1', 'bytes': 64,
     'cmdbuffer-id': 5_000_000_001, 'encoder-id': 5_000_000_002},
    {'start': 10_002_000, 'duration': 8_000, 'channel-name': 'Vertex',
     'event-label': ('', ' ', SCREEN, ' 0x2'), 'state': 'Active', 'process': SCREEN, 'gpu': 'L1',
     'cmdbuffer-id': 71, 'encoder-id': 72, 'iosurface-accesses': 'Read Surface: 4 -> Write Surface: 5'},
    {'start': 10_010_000, 'duration': 1_000, 'channel-name': 'Fragment',
     'event-label': ('Pane', ' ', SCREEN, ' 0x3'), 'state': 'Preempted', 'process': SCREEN, 'gpu': 'L1',
     'start-latency': 30_000, 'cmdbuffer-id': 71, 'encoder-id': 72},
    {'start': 20_000_000, 'duration': 6_000, 'channel-name': 'Compute', 'frame-number': 2,
     'start-latency': 700_000, 'event-label': ('Buffer 1:Weft', ' ', WEAVER, ' 0x4'), 'state': 'Active',
     'process': WEAVER, 'gpu': 'L1', 'cmdbuffer-id': 5_000_000_003, 'encoder-id': 5_000_000_004},
    {'start': 20_006_000, 'duration': 5_000, 'channel-name': 'Compute', 'frame-number': 2,
     'start-latency': 600_000, 'event-label': ('Buffer 1:Beat', ' ', WEAVER, ' 0x5'), 'state': 'Active',
     'process': WEAVER, 'gpu': 'L1', 'cmdbuffer-id': 5_000_000_003, 'encoder-id': 5_000_000_005},
]
ENCODERS = [
    {'start': 9_000_000, 'duration': 90_000, 'thread': MAIN, 'process': WEAVER,
     'cmdbuffer-label': 'Buffer 0', 'encoder-label': 'Warp',
     'cmdbuffer-id': 5_000_000_001, 'encoder-id': 5_000_000_002},
    {'start': 19_000_000, 'duration': 200_000, 'thread': CLOTH, 'process': WEAVER,
     'cmdbuffer-label': 'Buffer 1', 'encoder-label': 'Weft',
     'cmdbuffer-id': 5_000_000_003, 'encoder-id': 5_000_000_004},
    {'start': 19_200_000, 'duration': 100_000, 'thread': MAIN, 'process': WEAVER,
     'cmdbuffer-label': 'Buffer 1', 'encoder-label': 'Beat',
     'cmdbuffer-id': 5_000_000_003, 'encoder-id': 5_000_000_005},
    {'start': 30_000_000, 'duration': 50_000, 'thread': MAIN, 'process': WEAVER,
     'cmdbuffer-label': 'Buffer 2', 'encoder-label': 'Late',
     'cmdbuffer-id': 5_000_000_006, 'encoder-id': 5_000_000_007},
]
COMPLETED = [
    {'timestamp': 10_050_000, 'cmdbuffer-id': 5_000_000_001},
    {'timestamp': 10_060_000, 'cmdbuffer-id': 71},
    {'timestamp': 20_100_000, 'cmdbuffer-id': 5_000_000_003},
    {'timestamp': 40_000_000, 'cmdbuffer-id': 999},
]
DRIVER = [
    {'start': 9_100_000, 'duration': 100_000, 'gpu-driver-name': 'Driver Processing',
     'event-type': 'Command Buffer', 'event-depth': 0, 'event-label': ('Buffer 0', ' (', WEAVER, ')'),
     'process': WEAVER, 'thread': MAIN, 'gpu': 'L1'},
    {'start': 9_110_000, 'duration': 20_000, 'gpu-driver-name': 'Driver Processing',
     'event-type': 'Command Encoder', 'event-depth': 1, 'event-label': 'Warp', 'process': WEAVER,
     'thread': MAIN, 'gpu': 'L1'},
    {'start': 9_120_000, 'duration': 50_000, 'gpu-driver-name': 'Driver Processing',
     'event-type': 'Command Buffer', 'event-depth': 0, 'event-label': 'Other', 'process': SCREEN,
     'thread': DRAW, 'gpu': 'L1'},
    {'start': 9_140_000, 'duration': 60_000, 'gpu-driver-name': 'Driver Processing',
     'event-type': 'Command Encoder', 'event-depth': 1, 'event-label': 'Beat', 'process': WEAVER,
     'thread': MAIN, 'gpu': 'L1'},
    {'start': 9_190_000, 'duration': 50_000, 'gpu-driver-name': 'Driver Processing',
     'event-type': 'Command Buffer', 'event-depth': 0, 'event-label': 'Next', 'process': WEAVER,
     'thread': MAIN, 'gpu': 'L1'},
]
STATES = [
    {'start': 9_000_000, 'duration': 1_000_000, 'state': 'Idle', 'num-events': 0, 'gpu': 'L1'},
    {'start': 10_000_000, 'duration': 11_000, 'state': 'Active', 'num-events': 2, 'gpu': 'L1'},
    {'start': 10_011_000, 'duration': 9_989_000, 'state': 'Idle', 'num-events': 0, 'gpu': 'L1'},
    {'start': 20_000_000, 'duration': 11_000, 'state': 'Active', 'num-events': 1, 'gpu': 'L1'},
]
APP = ('weaver', '/Applications/weaver', '0A1B2C3D-0000-4000-8000-00000000AAAA', 0x100000000)
SYSTEM = ('libdispatch.dylib', '/usr/lib/system/libdispatch.dylib', 'FFFF0000-0000-4000-8000-1', 0x180000000)
START = Frame('start', 0x180000400, SYSTEM)
RUN = Frame('Loom::run(int)', 0x100001234, APP, 42, '/src/loom.cpp')
ENCODE = Frame('Loom::encode()', 0x100002000, APP, 77, '/src/loom.cpp')
SUBMIT = Frame('_dispatch_client_callout', 0x180000abc, SYSTEM)
BARE = Frame('0x300000010', 0x300000010, None)
CUT = Frame('<Call stack limit reached>', 0, None)
SAMPLES = [
    {'time': 8_000_000, 'thread': MAIN, 'process': WEAVER, 'core': 4, 'thread-state': 'Running',
     'weight': 1_000_000, 'stack': (RUN, START)},
    {'time': 9_001_000, 'thread': MAIN, 'process': WEAVER, 'core': 4, 'thread-state': 'Running',
     'weight': 1_000_000, 'stack': (ENCODE, RUN, START)},
    {'time': 9_002_000, 'thread': CLOTH, 'process': WEAVER, 'core': 5, 'thread-state': 'Blocked',
     'weight': 1_000_000, 'stack': (SUBMIT, START)},
    {'time': 10_000_000, 'thread': MAIN, 'process': WEAVER, 'core': 4, 'thread-state': 'Running',
     'weight': 1_000_000, 'stack': (ENCODE, RUN, START)},
    {'time': 11_000_000, 'thread': CLOTH, 'process': WEAVER, 'core': 5, 'thread-state': 'Running',
     'weight': 1_000_000, 'stack': (BARE, SUBMIT, CUT)},
    {'time': 12_000_000, 'thread': CLOTH, 'process': WEAVER, 'core': 5, 'thread-state': 'Running',
     'weight': 1_000_000},
]
TABLES = {
    'metal-gpu-intervals': GPU,
    'metal-application-encoders-list': ENCODERS,
    'metal-command-buffer-completed': COMPLETED,
    'metal-driver-intervals': DRIVER,
    'metal-gpu-state-intervals': STATES,
    'time-profile': SAMPLES,
}


def document(*names):
    made = Document()
    for name in names or TABLES:
        made.add(name, TABLES[name])
    return made


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-xctrace-')
        self.addCleanup(shutil.rmtree, self.folder)
        self.n_recordings = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_weft(self, *arguments, code=0):
        where = {**os.environ, 'HOME': self.folder, 'XDG_DATA_HOME': self.path('data'),
                 'XDG_CACHE_HOME': self.path('cache'), 'WEFT_PLUGIN_PATH': PLUGINS}
        run = subprocess.run([WEFT, *arguments], env=where, capture_output=True, text=True,
                             timeout=200, check=False)
        self.assertEqual(run.returncode, code, (arguments, run.stdout, run.stderr))
        return run

    def write(self, name, text):
        with open(self.path(name), 'wb') as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return self.path(name)

    def load(self, *paths, options=()):
        """The recording, and what was told to be missing in it."""
        self.n_recordings += 1
        file = self.path(f'{self.n_recordings}.weft')
        run = self.run_weft('import', '-o', file, *options, *paths)
        return Recording(self, file, [line.split('not carried: ', 1)[1]
                                      for line in run.stderr.splitlines() if 'not carried: ' in line])

    def refuse(self, *paths, options=()):
        """The message; no file is left."""
        file = self.path('refused.weft')
        run = self.run_weft('import', '-o', file, *options, *paths, code=1)
        self.assertFalse(os.path.exists(file))
        self.assertNotIn('recovered', run.stderr)
        return run.stderr.strip()

    def refuse_text(self, text):
        return self.refuse(self.write('bad.xml', text))


class Recording:
    def __init__(self, case, file, losses):
        self.case, self.file, self.losses = case, file, losses
        self.tables = {}

    def table(self, name):
        """Rows as dictionaries of texts."""
        if name not in self.tables:
            run = self.case.run_weft('export', '-t', name, 'csv', self.file)
            self.tables[name] = list(csv.DictReader(io.StringIO(run.stdout)))
        return self.tables[name]

    def by_id(self, name):
        return {row['id']: row for row in self.table(name)}

    def tags(self, table):
        """Of each row, by key."""
        number, prefix = {'dispatches': ('20', 'd-'), 'submissions': ('18', 's-')}[table]
        tags = collections.defaultdict(dict)
        for row in self.table('tags'):
            if row['owner_table'] == number:
                tags[prefix + row['owner']][row['key']] = row['text'] or int(row['bits'])
        return tags

    def ask(self, *question):
        return json.loads(self.case.run_weft(*question, '--json', self.file).stdout)

    def dispatches(self, kind):
        """With the names of what they name, in the order of their starts."""
        lanes, routines = self.by_id('lanes'), self.by_id('routines')
        runtimes, processes = self.by_id('runtimes'), self.by_id('processes')
        submissions = self.by_id('submissions')
        rows = []
        for row in self.table('dispatches'):
            lane = lanes[row['lane']]
            if lane['kind'] != kind:
                continue
            process = processes.get(runtimes.get(lane['runtime'], {}).get('process'), {})
            rows.append({
                'id': row['id'], 'lane': lane['name'], 'pid': process.get('pid'),
                'routine': routines[row['routine']]['name'], 'start': int(row['start']),
                'duration': int(row['duration']), 'number': row['producer_id'], 'submitted': row['submitted'],
                'submission': submissions.get(row['submission'], {}).get('producer_id', ''),
                'depth': int(row['depth']), 'inside': int(row['child_time']),
                'thread': row['thread'], 'class': row['classification']})
        return sorted(rows, key=lambda row: (row['start'], row['duration']))

    def origins(self):
        """(tid, time) by dispatch."""
        return {row['dispatch']: (int(row['tid']), int(row['time']), row['link_status'])
                for row in self.table('origins') if row['dispatch']}

    def events(self):
        """Times of what happened to command buffers, by number and kind."""
        submissions = self.by_id('submissions')
        return {(int(submissions[row['submission']]['producer_id']), row['kind']): int(row['time'])
                for row in self.table('submission_events')}

    def everything(self):
        """What does not depend on the order of tables and files."""
        threads = self.by_id('threads')
        return [[{**row, 'id': None, 'thread': threads.get(row['thread'], {}).get('tid')} for row in rows]
                for rows in map(self.dispatches, ('metal.channel', 'metal.driver', 'metal.state'))]


# ---- What is carried over ----


class Tables(Folder):
    def write_folder(self):
        if os.path.isdir(self.path('export')):
            return self.path('export')
        os.mkdir(self.path('export'))
        for name in TABLES:
            document(name).write(self.path(f'export/{name}.xml'))
        self.write('export/toc.xml', CONTENTS)
        return self.path('export')

    def test_lanes(self):
        """A lane for each channel and process; what others did is theirs."""
        recording = self.load(self.write_folder())
        lanes = {(row['name'], row['kind'], row['dispatches'], row.get('pid'))
                 for row in recording.ask('target', 'lanes')['rows']}
        self.assertEqual(lanes, {
            ('L1 Compute (weaver)', 'metal.channel', 3, 700),
            ('L1 Vertex (Screen (GPU))', 'metal.channel', 1, 30),
            ('L1 Fragment (Screen (GPU))', 'metal.channel', 1, 30),
            ('L1 Driver Processing (weaver)', 'metal.driver', 4, 700),
            ('L1 Driver Processing (Screen (GPU))', 'metal.driver', 1, 30),
            ('L1 state', 'metal.state', 2, None)})

    def test_dispatches(self):
        recording = self.load(self.write_folder())
        rows = recording.dispatches('metal.channel')
        self.assertEqual(
            [(row['start'], row['duration'], row['routine'], row['submitted'], row['submission'])
             for row in rows],
            [(10_000_000, 4_000, 'Warp', '9100000', '5000000001'),
             (10_002_000, 8_000, '(no label)', '', '71'),
             (10_010_000, 1_000, 'Pane', '9980000', '71'),
             (20_000_000, 6_000, 'Weft', '19300000', '5000000003'),
             (20_006_000, 5_000, 'Beat', '19406000', '5000000003')])
        tags = recording.tags('dispatches')
        self.assertEqual([tags[row['id']] for row in rows], [
            {'metal.frame': 1, 'metal.bytes': 64, 'metal.encode-time': 90_000},
            {'metal.iosurfaces': 'Read Surface: 4 -> Write Surface: 5'},
            {'metal.state': 'Preempted'},
            {'metal.frame': 2, 'metal.encode-time': 200_000},
            {'metal.frame': 2, 'metal.encode-time': 100_000}])

    def test_origins(self):
        """The thread that encoded it, and when; and never that it waited, or that it did not."""
        recording = self.load(*(os.path.join(self.write_folder(), name + '.xml')
                                for name in TABLES if name != 'time-profile'))
        rows = recording.dispatches('metal.channel')
        origins = recording.origins()
        self.assertEqual([origins.get(row['id']) for row in rows], [
            (0x1a01, 9_000_000, 'no-stack'), None, None, (0xdf999e, 19_000_000, 'no-stack'),
            (0x1a01, 19_200_000, 'no-stack')])
        threads = recording.by_id('threads')
        self.assertEqual({(threads[row['thread']]['name'], threads[row['thread']]['tid'])
                          for row in recording.table('origins')},
                         {('Main Thread', str(0x1a01)), ('cloth (2)', str(0xdf999e))})
        self.assertEqual({row['class'] for row in rows}, {'unknown'})
        answer = recording.ask('target', 'dispatch', rows[0]['id'])
        self.assertIn('waits-unknown', json.dumps(answer))

    def test_submissions(self):
        recording = self.load(self.write_folder())
        self.assertEqual(recording.events(), {
            (5_000_000_001, 'begin'): 9_000_000,
            (5_000_000_001, 'commit'): 9_100_000,
            (5_000_000_001, 'completed'): 10_050_000,
            (71, 'commit'): 9_980_000,
            (71, 'completed'): 10_060_000,
            # Its two encoders were handed over one after the other: when it was, nothing tells.
            (5_000_000_003, 'begin'): 19_000_000,
            (5_000_000_003, 'completed'): 20_100_000,
            (5_000_000_006, 'begin'): 30_000_000})
        submissions = recording.by_id('submissions')
        labels = {submissions[owner]['producer_id']: tags['metal.label']
                  for owner, tags in recording.tags('submissions').items()}
        self.assertEqual(labels, {'5000000001': 'Buffer 0', '5000000003': 'Buffer 1',
                                  '5000000006': 'Buffer 2'})
        late = [row for row in recording.table('origins') if not row['dispatch']]
        self.assertEqual([(submissions[row['submission']]['producer_id'], row['time']) for row in late],
                         [('5000000006', '30000000')])
        self.assertIn('1 completions of command buffers that no other table names: whose they are is '
                      'unknown', recording.losses)

    def test_driver(self):
        """Nested as begin and end tell, by thread; self time is what is left."""
        recording = self.load(self.write_folder())
        rows = recording.dispatches('metal.driver')
        threads = recording.by_id('threads')
        self.assertEqual(
            [(row['routine'], row['depth'], row['inside'], threads[row['thread']]['name'], row['pid'])
             for row in rows],
            [('Command Buffer: Buffer 0', 0, 80_000, 'Main Thread', '700'),
             ('Command Encoder: Warp', 1, 0, 'Main Thread', '700'),
             ('Command Buffer: Other', 0, 0, 'draw', '30'),
             ('Command Encoder: Beat', 1, 0, 'Main Thread', '700'),
             ('Command Buffer: Next', 0, 0, 'Main Thread', '700')])

    def test_states(self):
        recording = self.load(self.write_folder())
        self.assertEqual([(row['routine'], row['start'], row['duration'], row['pid'])
                          for row in recording.dispatches('metal.state')],
                         [('Active', 10_000_000, 11_000, None), ('Active', 20_000_000, 11_000, None)])
        self.assertEqual([(int(row['time']), float(row['value'])) for row in
                          recording.table('metric_points')],
                         [(9_000_000, 0), (10_000_000, 2), (10_011_000, 0), (20_000_000, 1)])
        (metric,) = recording.table('metrics')
        self.assertEqual((metric['name'], metric['kind']), ('active channels', 'gauge'))

    def test_facts(self):
        recording = self.load(self.write_folder())
        facts = {(row['key'], row['text'] or row['number']) for row in recording.table('meta')}
        self.assertLessEqual({('recorder', 'Instruments 26.0 (17A1), Metal System Trace'),
                              ('system', 'macOS 26.1 (25A1), Loom Pro'),
                              ('command-line', 'weaver --rows 4'), ('duration', '250000000'),
                              ('start-realtime', '1770087906500000000')}, facts)
        self.assertEqual({row['text'] for row in recording.table('meta')
                          if row['key'] == 'imported-from'},
                         {name + '.xml' for name in TABLES} | {'toc.xml'})
        processes = {row['pid']: (row['name'], row['command_line'])
                     for row in recording.table('processes')}
        self.assertEqual(processes, {'700': ('weaver', 'weaver --rows 4'), '30': ('Screen (GPU)', '')})
        self.assertIn('metal', {row['domain'] for row in recording.table('words')})
        self.assertLessEqual({'command buffers', 'Encoding', 'Active channels'},
                             {row['text'] for row in recording.table('words')})

    def test_conservation(self):
        recording = self.load(self.write_folder())
        for row in recording.ask('target', 'lanes')['rows']:
            self.assertTrue(row['adds_up'], row)
            self.assertEqual(row['submitted'], row['dispatches'])

    def test_whole_or_in_parts(self):
        """A folder, the files one by one, one file with all tables, in any order: all is the same."""
        folder = self.write_folder()
        names = list(TABLES)
        paths = [os.path.join(folder, name + '.xml') for name in names]
        together = [document(*order).write(self.path(f'{i}.xml')) for i, order in
                    enumerate((names, names[::-1], names[3:] + names[:3]))]
        whole = self.load(folder).everything()
        for inputs in (paths, paths[::-1], *([path] for path in together)):
            recording = self.load(*inputs)
            self.assertEqual(recording.everything(), whole)
            self.assertEqual(len(recording.table('origins')), 4)

    def test_single_tables(self):
        for name in ('metal-gpu-intervals', 'metal-driver-intervals', 'metal-gpu-state-intervals',
                     'time-profile', 'metal-application-encoders-list'):
            recording = self.load(document(name).write(self.path(name + '.xml')))
            n = {'time-profile': ('samples', 5),
                 'metal-application-encoders-list': ('submissions', 3)}.get(name, ('dispatches', None))
            self.assertEqual(len(recording.table(n[0])), n[1] or len(
                [row for row in TABLES[name] if row.get('num-events') != 0]), name)
        self.assertIn('Which CPU threads encoded the work: export the table '
                      'metal-application-encoders-list, too',
                      self.load(self.path('metal-gpu-intervals.xml')).losses)

    def test_recorder_is_told(self):
        """What was left out can be read in the recording, wherever it goes."""
        recording = self.load(self.write_folder())
        told = {row['message'] for row in recording.table('diagnostics')}
        self.assertEqual(told, {'Not carried: ' + loss for loss in recording.losses})
        self.assertTrue(recording.ask('diagnose')['rows'])

    def test_device_is_of_no_process(self):
        """The GPU as a whole is nobody's: that is no fault of the recording."""
        recording = self.load(self.write_folder())
        verdicts = {row['check']: row['verdict'] for row in recording.ask('diagnose')['rows']}
        self.assertEqual(verdicts['target-processes'], 'good')

    def test_origins_without_samples(self):
        """Tables without CPU samples leave origins without stacks: no fault of theirs."""
        recording = self.load(*(os.path.join(self.write_folder(), name + '.xml')
                                for name in TABLES if name != 'time-profile'))
        verdicts = {row['check']: row['verdict'] for row in recording.ask('diagnose')['rows']}
        self.assertEqual((verdicts['origin-links'], verdicts['origin-stacks']), ('attention', 'not-applicable'))


class Samples(Folder):
    def test_stacks(self):
        recording = self.load(document('time-profile').write(self.path('x.xml')))
        frames = {row['frame']: (row['symbol'], row['file'], row['line'])
                  for row in recording.table('frame_symbols')}
        symbols = {row['id']: row['name'] for row in recording.table('symbols')}
        offsets = {row['id']: int(row['offset']) for row in recording.table('frames')}
        chains = recording.by_id('callchains')

        def names(chain):
            while chain:
                frame = chains[chain]['frame']
                yield symbols[frames[frame][0]] if frame in frames else hex(offsets[frame])
                chain = chains[chain]['parent']

        rows = [(row['time'], tuple(names(row['callchain'])), row['end'])
                for row in recording.table('samples')]
        self.assertEqual(rows, [
            ('8000000', ('Loom::run(int)', 'start'), 'complete'),
            ('9001000', ('Loom::encode()', 'Loom::run(int)', 'start'), 'complete'),
            ('10000000', ('Loom::encode()', 'Loom::run(int)', 'start'), 'complete'),
            ('11000000', ('0x300000010', '_dispatch_client_callout'), 'depth'),
            ('12000000', (), 'not-unwound')])
        self.assertEqual({(symbols[symbol], file, line) for symbol, file, line in frames.values()},
                         {('Loom::run(int)', '/src/loom.cpp', '42'), ('start', '', '0'),
                          ('Loom::encode()', '/src/loom.cpp', '77'),
                          ('_dispatch_client_callout', '', '0')})
        modules = {row['name']: (row['path'], row['build_id']) for row in recording.table('modules')}
        self.assertEqual(modules, {'weaver': APP[1:3], 'libdispatch.dylib': SYSTEM[1:3]})
        self.assertIn(0x1234, offsets.values())
        self.assertEqual(len(chains), 5)
        self.assertEqual({(row['weight'], row['cpu']) for row in recording.table('samples')},
                         {('1000000', '4'), ('1000000', '5')})

    def test_threads_that_wait(self):
        recording = self.load(document('time-profile').write(self.path('x.xml')))
        self.assertIn('1 samples of threads that did not run', recording.losses)
        top = {row['name']: row['samples'] for row in recording.ask('top')['rows']}
        self.assertEqual(top['Loom::encode()'], 2)

    def test_shapes_of_stacks(self):
        """Frames in a <backtrace>, in one that is tagged, or right in the tagged one."""
        columns = [(mnemonic, 'backtrace' if mnemonic == 'stack' else tag)
                   for mnemonic, tag in COLUMNS['time-profile']]
        plain = Document().add('time-profile', SAMPLES, columns).write(self.path('plain.xml'))
        flat = re.sub('<backtrace [^>]*>|</backtrace>', '', document('time-profile').text())
        wanted = self.load(document('time-profile').write(self.path('x.xml')))
        for path in (plain, self.write('flat.xml', flat)):
            recording = self.load(path)
            self.assertEqual([row['callchain'] for row in recording.table('samples')],
                             [row['callchain'] for row in wanted.table('samples')], path)

    def test_linked_origins(self):
        """Samples come first, wherever their table stands: origins are linked to them."""
        recording = self.load(document().write(self.path('x.xml')))
        rows = recording.dispatches('metal.channel')
        origins = recording.origins()
        self.assertEqual([origins[row['id']][2] for row in rows if row['id'] in origins],
                         ['linked', 'linked', 'linked'])
        first = next(row for row in recording.table('origins') if row['time'] == '9000000')
        samples = recording.by_id('samples')
        self.assertEqual(samples[first['link_sample']]['time'], '9001000')
        self.assertEqual(first['link_distance'], '1000')


# ---- Other versions of the tables ----


class Versions(Folder):
    def test_columns_by_name(self):
        """In another order, with others in between, under another type."""
        wanted = self.load(document('metal-gpu-intervals').write(self.path('x.xml'))).everything()
        columns = [('new-column', 'string')] + COLUMNS['metal-gpu-intervals'][::-1]
        columns = [(mnemonic, {'gpu-state': 'state-of-gpu'}.get(tag, tag)) for mnemonic, tag in columns]
        rows = [{**row, 'new-column': 'new'} for row in GPU]
        recording = self.load(Document().add('metal-gpu-intervals', rows, columns)
                              .write(self.path('y.xml')))
        self.assertEqual(recording.everything(), wanted)
        self.assertIn('metal-gpu-intervals: columns new-column, event-depth', recording.losses)

    def test_columns_by_type(self):
        """Where mnemonics changed, a type that there is but once tells."""
        columns = [({'process': 'owner', 'channel-name': 'lane', 'start': 'begin'}.get(mnemonic, mnemonic),
                    tag) for mnemonic, tag in COLUMNS['metal-gpu-intervals']]
        rows = [{**row, 'owner': row['process'], 'lane': row['channel-name'], 'begin': row['start']}
                for row in GPU]
        recording = self.load(Document().add('metal-gpu-intervals', rows, columns)
                              .write(self.path('x.xml')))
        self.assertEqual([(row['lane'], row['start']) for row in recording.dispatches('metal.channel')][0],
                         ('L1 Compute (weaver)', 10_000_000))

    def test_missing_columns(self):
        columns = [column for column in COLUMNS['metal-gpu-intervals']
                   if column[0] in ('start', 'duration', 'channel-name')]
        recording = self.load(Document().add('metal-gpu-intervals', GPU, columns)
                              .write(self.path('x.xml')))
        self.assertEqual({(row['lane'], row['pid'], row['routine'], row['submission'])
                          for row in recording.dispatches('metal.channel')},
                         {(lane, None, '(no label)', '') for lane in ('Compute', 'Vertex', 'Fragment')})

    def test_needed_columns(self):
        columns = [column for column in COLUMNS['metal-gpu-intervals'] if column[0] != 'start']
        made = Document().add('metal-gpu-intervals', GPU, columns)
        made.add('metal-gpu-state-intervals', STATES)
        recording = self.load(made.write(self.path('x.xml')))
        self.assertIn('metal-gpu-intervals: it has no column “start”, without which it means nothing',
                      recording.losses)
        self.assertEqual(len(recording.table('dispatches')), 2)

    def test_schema_without_columns(self):
        """The tags of the first row tell."""
        text = re.sub('<col>.*?</col>', '', document('metal-gpu-state-intervals').text())
        self.assertEqual(len(self.load(self.write('x.xml', text)).table('dispatches')), 2)

    def test_unknown_tables(self):
        made = document('metal-gpu-state-intervals')
        made.add('kdebug', [{'time': 1, 'code': 2}, {'time': 3}], [('time', 'event-time'), ('code', 'uint64')])
        made.add('display-vsyncs', [{'time': 1}], [('time', 'event-time')])
        made.add('empty-table', [], [('time', 'event-time')])
        recording = self.load(made.write(self.path('x.xml')))
        self.assertEqual(recording.losses, ['Tables that are not understood: kdebug (2 rows), '
                                            'display-vsyncs (1 rows)'])
        only = Document().add('kdebug', [{'time': 1}], [('time', 'event-time')]).write(self.path('y.xml'))
        self.assertIn('no table with rows that this importer understands, only kdebug (1 rows)',
                      self.refuse(only))

    def test_uneven_rows(self):
        text = document('metal-gpu-state-intervals').text()
        text = text.replace('</row>', '<string>more</string></row>', 1)
        recording = self.load(self.write('x.xml', text))
        self.assertEqual(recording.losses, ['metal-gpu-state-intervals: 1 rows that have more or fewer '
                                            'cells than the table has columns'])
        self.assertEqual(len(recording.table('metric_points')), 3)

    def test_states_without_counts(self):
        columns = [column for column in COLUMNS['metal-gpu-state-intervals'] if column[0] != 'num-events']
        recording = self.load(Document().add('metal-gpu-state-intervals', STATES, columns)
                              .write(self.path('x.xml')))
        self.assertEqual([row['routine'] for row in recording.dispatches('metal.state')],
                         ['Idle', 'Active', 'Idle', 'Active'])
        self.assertEqual(recording.table('metric_points'), [])

    def test_errors(self):
        made = document('metal-gpu-intervals')
        made.add('metal-command-buffer-error',
                 [{'timestamp': 20_050_000, 'cmdbuffer-id': 5_000_000_003, 'error': 'Page fault'}])
        recording = self.load(made.write(self.path('x.xml')))
        self.assertEqual(recording.events()[5_000_000_003, 'fault'], 20_050_000)
        rows = [row for row in recording.ask('target', 'submissions')['rows'] if row['fault']]
        self.assertEqual([(row['status'], row['error']) for row in rows], [('error', 'Page fault')])

    def test_two_runs(self):
        made = Document().add('metal-gpu-intervals', GPU, run=1)
        made.add('metal-gpu-intervals', GPU[:2], run=2)
        path = made.write(self.path('x.xml'))
        self.assertIn('tables of run 1 and of run 2', self.refuse(path))
        for run, n in ((1, 5), (2, 2)):
            recording = self.load(path, options=('-O', f'run={run}'))
            self.assertEqual(len(recording.table('dispatches')), n)
        self.assertIn('this importer knows “run”', self.refuse(path, options=('-O', 'walk=1')))
        self.assertIn('write NAME=VALUE', self.refuse(path, options=('-O', 'run')))

    def test_a_table_twice(self):
        """Work does not count twice."""
        document('metal-gpu-intervals').write(self.path('x.xml'))
        document('metal-gpu-intervals').write(self.path('y.xml'))
        recording = self.load(self.path('x.xml'), self.path('y.xml'))
        self.assertEqual(len(recording.table('dispatches')), 5)
        self.assertIn('metal-gpu-intervals in “y.xml”, line 3: there is one already, and work would '
                      'count twice', recording.losses)

    def test_other_encodings(self):
        text = document('metal-gpu-intervals').text().replace('Pane', 'Flügel')
        wanted = self.load(self.write('x.xml', text)).everything()
        self.assertIn('Flügel', {row['routine'] for row in wanted[0]})
        declared = text.replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="{}"?>')
        for encoding in ('utf-16', 'iso-8859-1'):
            path = self.write('y.xml', declared.format(encoding).encode(encoding))
            if encoding == 'utf-16':  # recognized by what its first bytes say only
                self.assertIn('no plugin knows what it is', self.refuse(path))
            else:
                self.assertEqual(self.load(path).everything(), wanted)


# ---- References ----

SHAPE = '''<?xml version="1.0"?>
<trace-query-result><node xpath='//trace-toc[1]/run[1]/data[1]/table[1]'>
<schema name="metal-gpu-intervals"><col><mnemonic>start</mnemonic></col><col><mnemonic>duration</mnemonic></col>
<col><mnemonic>process</mnemonic></col><col><mnemonic>event-label</mnemonic></col></schema>
{}
</node></trace-query-result>
'''


class References(Folder):
    def dispatches(self, rows):
        return self.load(self.write('x.xml', SHAPE.format(rows))).dispatches('metal.channel')

    def test_back_and_nested(self):
        """A reference to an element inside another, and inside an element that is itself referred to."""
        rows = self.dispatches('''
<row><t id="1">5</t><d id="2">7</d><sentinel/><formatted-label id="3"><string id="4">One</string>
<process id="5" fmt="inner (9)"><pid id="6">9</pid></process></formatted-label></row>
<row><t id="7">15</t><d ref="2"/><process ref="5"/><formatted-label ref="3"/></row>
<row><t id="8">25</t><d ref="2"/><process fmt="outer (9)"><pid ref="6"/></process><label><string ref="4"/></label></row>
''')
        self.assertEqual([(row['start'], row['duration'], row['lane'], row['pid'], row['routine'])
                          for row in rows],
                         [(5, 7, 'GPU', None, 'One'), (15, 7, 'GPU (inner)', '9', 'One'),
                          (25, 7, 'GPU (outer)', '9', 'One')])

    def test_forward(self):
        """Also within what comes later, and from there on to what comes later still."""
        rows = self.dispatches('''
<row><t id="1">5</t><d ref="20"/><process ref="30"/><l ref="40"/></row>
<row><t id="2">15</t><d id="20">9</d><process id="30" fmt="late (8)"><pid ref="50"/></process><sentinel/></row>
<row><t id="3">25</t><d ref="20"/><sentinel/><l id="40"><string ref="60"/></l></row>
<row><t id="4">35</t><d ref="50"/><sentinel/><l><a><b id="50">8</b></a><string id="60">Deep</string></l></row>
''')
        self.assertEqual([(row['start'], row['duration'], row['lane'], row['routine']) for row in rows],
                         [(5, 9, 'GPU (late)', 'Deep'), (15, 9, 'GPU (late)', '(no label)'),
                          (25, 9, 'GPU', 'Deep'), (35, 8, 'GPU', '(no label)')])

    def test_between_tables(self):
        """Ids are those of the document."""
        made = document('metal-gpu-state-intervals', 'metal-gpu-intervals')
        self.assertIn('<start-time ref=', made.text())
        wanted = self.load(document('metal-gpu-intervals').write(self.path('x.xml'))).everything()[0]
        found = self.load(made.write(self.path('y.xml'))).everything()[0]
        self.assertEqual(found, wanted)

    def test_rings(self):
        """An element in itself, and references in a ring, are nulls."""
        rows = self.dispatches('''
<row><t id="1">5</t><d id="2">7</d><p ref="10"/><l id="11"><string ref="11"/></l></row>
<row><t>15</t><d ref="2"/><p ref="11"/><l ref="12"/></row>
<row><t>25</t><d>1</d><p id="10" ref="12"/><l id="12" ref="10"/></row>
''')
        self.assertEqual([(row['start'], row['lane'], row['routine']) for row in rows],
                         [(5, 'GPU', '(no label)'), (15, 'GPU', '(no label)'), (25, 'GPU', '(no label)')])

    def test_bad_ids(self):
        row = '<row><t>5</t><d>7</d><sentinel/>{}</row>\n'
        for cells, message in (
                ('<l ref="99"/>', 'line 5: it refers to id 99, which nothing has'),
                ('<l id="x"/>', 'line 5: “x” is no id: ids and references are numbers from 1'),
                ('<l id="-1"/>', 'line 5: “-1” is no id'),
                ('<l id="0"/>', 'line 5: “0” is no id'),
                ('<l id="99999999999999999999"/>', 'line 5: “99999999999999999999” is no id'),
                ('<l id="3"/></row>\n<row><t ref="3"/><d id="3">1</d><sentinel/><sentinel/>',
                 'line 6: id 3 is given twice, and referred to'),
                ('<l id="3"/></row>\n<row><t id="3"/><d ref="3"/><sentinel/><sentinel/>',
                 'line 6: it refers to id 3, which was given twice')):
            self.assertIn(message, self.refuse_text(SHAPE.format(row.format(cells)).replace('\n', '\n', 1)))
        # Given twice, and nobody cares.
        self.assertEqual(len(self.dispatches(row.format('<l id="3"/>') * 2)), 2)


# ---- Nothing is invented ----


class Doubts(Folder):
    def gpu(self, *changes):
        rows = [dict(GPU[i % len(GPU)], **change) for i, change in enumerate(changes)]
        return Document().add('metal-gpu-intervals', rows)

    def test_nulls(self):
        """A row without a time is refused, counted for its lane, and told of."""
        recording = self.load(self.gpu({}, {'process': None}, {'duration': None}, {'start': 'soon'},
                                       {'cmdbuffer-id': NONE, 'encoder-id': 0}).write(self.path('x.xml')))
        rows = recording.dispatches('metal.channel')
        self.assertEqual([(row['pid'], row['submission']) for row in rows],
                         [('700', '5000000001'), (None, '71'), ('700', '')])
        lanes = {row['name']: (row['submitted'], row['completed'], row['rejected'], row['adds_up'])
                 for row in recording.ask('target', 'lanes')['rows']}
        self.assertEqual(lanes, {'L1 Compute (weaver)': (3, 2, 1, True), 'L1 Vertex': (1, 1, 0, True),
                                 'L1 Fragment (Screen (GPU))': (1, 0, 1, True)})
        self.assertIn('2 intervals of the GPU without a start or duration', recording.losses)
        self.assertEqual({(row['reason'], row['count']) for row in recording.table('losses')},
                         {('no-times', '1')})

    def test_times_out_of_range(self):
        recording = self.load(self.gpu({}, {'start': 1 << 61}, {'duration': (1 << 64) - 1},
                                       {'start-latency': 1 << 50}).write(self.path('x.xml')))
        self.assertEqual([row['submitted'] for row in recording.dispatches('metal.channel')],
                         ['9100000', ''])

    def test_other_process(self):
        """One number in two processes: encoders are joined with work of their own process only."""
        made = self.gpu({}, {'cmdbuffer-id': 5_000_000_001, 'encoder-id': 5_000_000_002})
        made.add('metal-application-encoders-list', ENCODERS)
        made.add('metal-command-buffer-completed', COMPLETED)
        recording = self.load(made.write(self.path('x.xml')))
        rows = recording.dispatches('metal.channel')
        origins = recording.origins()
        self.assertEqual([(row['pid'], row['submission'], row['id'] in origins) for row in rows],
                         [('700', '5000000001', True), ('30', '', False)])
        self.assertNotIn((5_000_000_001, 'completed'), recording.events())
        self.assertIn('1 joins of work with an encoder of another process that has the same numbers',
                      recording.losses)
        self.assertIn('1 ends of command buffers: two processes have one of that number, and nothing '
                      'tells whose it was', recording.losses)

    def test_repeated(self):
        made = self.gpu({})
        made.add('metal-application-encoders-list', ENCODERS + ENCODERS[:1])
        made.add('metal-command-buffer-completed', COMPLETED + [
            {'timestamp': 11_000_000, 'cmdbuffer-id': 5_000_000_001}, {'timestamp': None}])
        recording = self.load(made.write(self.path('x.xml')))
        self.assertEqual(recording.events()[5_000_000_001, 'completed'], 10_050_000)
        for loss in ('1 rows about encoders that another row describes already',
                     '1 completions of command buffers that had completed: the first is kept',
                     '1 rows about command buffers or encoders: their time or number is missing'):
            self.assertIn(loss, recording.losses)

    def test_processes_beside_threads(self):
        """A thread that does not say whose it is, and a process that is a number."""
        text = document('time-profile').text()
        text = re.sub('<process id="([^"]*)" (fmt="[^"]*")>.*?</process>', '', text, count=1)
        text = text.replace('<process ref="4"/>', '<process id="4" fmt="weaver (700)">700</process>', 1)
        recording = self.load(self.write('x.xml', text))
        self.assertEqual({(row['pid'], row['name']) for row in recording.table('processes')},
                         {('700', 'weaver')})
        self.assertEqual({row['process'] for row in recording.table('threads')}, {'p-1'})

    def test_threads_without_numbers(self):
        made = document('metal-gpu-intervals')
        text = document('metal-application-encoders-list').text()
        text = re.sub('<tid[^>]*>[^<]*</tid>', '', text)
        made.write(self.path('x.xml'))
        recording = self.load(self.path('x.xml'), self.write('y.xml', text))
        self.assertEqual(recording.table('origins'), [])
        self.assertEqual(recording.events()[5_000_000_001, 'begin'], 9_000_000)


# ---- Bad and hostile files ----


class Files(Folder):
    def test_cut(self):
        """Whatever byte a file ends at, it is refused with the line, and no recording is left."""
        text = document('metal-gpu-intervals', 'time-profile').text().rstrip()
        for end in list(range(60, len(text), 997)) + [len(text) - 1]:
            lines = text[:end].count('\n') + 1
            message = self.refuse_text(text[:end])
            self.assertRegex(message, r'“bad\.xml”, line (\d+): the file ends before the document does: '
                                      r'export it again')
            self.assertLessEqual(abs(int(re.search(r'line (\d+)', message)[1]) - lines), 1)

    def test_garbled(self):
        text = document('metal-gpu-intervals').text()
        for bad in (text.replace('</row>', '</wor>', 1), text.replace('fmt="', 'fmt="<', 1),
                    text.replace('Pane', 'P\x01ane'), text + text, text.replace('Compute', '&compute;'),
                    text.encode().replace(b'Pane', b'P\xffne')):
            self.assertRegex(self.refuse_text(bad), r'“bad\.xml”, line \d+: this is not XML: \w+')

    def test_entities(self):
        """Billion laughs, and files of the reader's machine."""
        for declared in ('<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
                         '<!ENTITY a SYSTEM "file:///etc/passwd">', '<!ELEMENT row ANY>'):
            text = document('metal-gpu-intervals').text().replace(
                '?>\n', f'?>\n<!DOCTYPE trace-query-result [{declared}]>\n', 1)
            self.assertIn('line 2: it declares a document type, which exports of xctrace do not',
                          self.refuse_text(text))

    def test_too_much(self):
        row = '<row><t>5</t><d>7</d><sentinel/>{}</row>\n'
        for cells, message in (
                ('<a>' * 100 + '</a>' * 100, 'elements are nested more than 64 deep'),
                ('<l>' + 'x' * (2 << 20) + '</l>', 'an element has more than 1 MiB of text'),
                ('<l fmt="' + 'x' * (2 << 20) + '"/>', 'a tag or comment has more than 1 MiB'),
                ('<!--' + 'x' * (2 << 20) + '-->', 'a tag or comment has more than 1 MiB'),
                ('<l/>' * 300, 'a row has more than 256 cells'),
                ('<l>' + ''.join(f'<e{i}/>' for i in range(5000)) + '</l>', 'too many kinds of elements'),
                ('<l>' + ''.join(f'<e id="{i}000"/>' for i in range(1, 270_000)) + '</l>',
                 'its ids are too many or too scattered'),
                ('<l>' + ''.join(f'<e ref="{i}"/>' for i in range(1, 270_000)) + '</l>',
                 'too many references to what comes later')):
            self.assertIn(message, self.refuse_text(SHAPE.format(row.format(cells))))
        columns = '<col><mnemonic>x</mnemonic></col>' * 300
        self.assertIn('a table has more than 256 columns',
                      self.refuse_text(SHAPE.format('').replace('</schema>', columns + '</schema>')))
        nodes = '<node><schema name="x"></schema></node>' * 5000
        self.assertIn('it has more than 4096 tables', self.refuse_text(
            SHAPE.format('').replace('</trace-query-result>', nodes + '</trace-query-result>')))

    def test_deep_stacks(self):
        frames = tuple(Frame(f'f{i}', 0x100000000 + i, APP) for i in range(3000))
        made = Document().add('time-profile', [dict(SAMPLES[0], stack=frames)])
        recording = self.load(made.write(self.path('x.xml')))
        (sample,) = recording.table('samples')
        self.assertEqual((sample['end'], len(recording.table('callchains'))), ('depth', 1024))

    def test_no_exports(self):
        self.assertIn('no plugin knows what it is', self.refuse_text('<html><body/></html>'))
        self.assertIn('no plugin knows what it is', self.refuse_text(''))
        self.assertIn('this is no export of xctrace: it begins with <html>',
                      self.refuse_text('<html><!-- <trace-query-result --></html>'))
        document('metal-gpu-intervals').write(self.path('good.xml'))
        self.assertIn('“empty.xml”, line 1: the file is empty: see whether “xctrace export” printed an '
                      'error', self.refuse_folder('empty.xml', ''))
        os.mkdir(self.path('run.trace'))
        shutil.copy(self.path('good.xml'), self.path('run.trace'))
        self.assertIn('export its tables with “xctrace export” on a Mac', self.refuse(self.path('run.trace')))
        os.mkdir(self.path('nothing'))
        self.assertIn('no plugin knows what it is', self.refuse(self.path('nothing')))
        self.assertIn('No such file', self.refuse(self.path('good.xml'), self.path('absent.xml')))
        self.assertIn('There is no table with rows',
                      self.refuse_text(Document().add('metal-gpu-intervals', []).text()))
        self.assertIn('There is no table with rows', self.refuse_text(CONTENTS))

    def refuse_folder(self, name, text):
        folder = self.path('folder-of-' + name)
        os.mkdir(folder)
        shutil.copy(self.path('good.xml'), folder)
        self.write(os.path.join(folder, name), text)
        return self.refuse(folder)

    def test_names_are_shown_safely(self):
        text = document('metal-gpu-intervals').text().replace('weaver', 'wea&#xA;ver\u202e')
        recording = self.load(self.write('x.xml', text))
        shown = self.run_weft('target', 'lanes', recording.file).stdout
        self.assertNotIn('\u202e', shown)


# ---- What Instruments itself wrote ----


@unittest.skipUnless(os.path.isdir(REAL), 'no real exports: WEFT_TEST_DATA names no folder with metal/xctrace')
class Real(Folder):
    """Compared with what an independent reader finds in the same files."""

    @classmethod
    def rows(cls, name):
        root = ElementTree.parse(os.path.join(REAL, name + '.xml')).getroot()
        known = {element.get('id'): element for element in root.iter() if element.get('id')}
        columns = [column.findtext('mnemonic') for column in root.iter('col')]
        return [dict(zip(columns, (known.get(cell.get('ref'), cell) for cell in row)))
                for row in root.iter('row')]

    def test_all_of_it(self):
        recording = self.load(REAL)
        gpu = self.rows('metal-gpu-intervals')
        encoders = {(row['cmdbuffer-id'].text, row['encoder-id'].text): row
                    for row in self.rows('metal-application-encoders-list')}
        completed = {row['cmdbuffer-id'].text: int(row['timestamp'].text)
                     for row in self.rows('metal-command-buffer-completed')}
        dispatches = recording.dispatches('metal.channel')
        origins, events = recording.origins(), recording.events()

        # Each interval is a dispatch of its process, and no other is there.
        def key(row):
            return (int(row['start'].text), int(row['duration'].text),
                    row['process'].get('fmt').rsplit('(', 1)[1].rstrip(')'), row['cmdbuffer-id'].text)
        self.assertEqual(sorted(map(key, gpu)),
                         sorted((row['start'], row['duration'], row['pid'], row['submission'])
                                for row in dispatches))

        probe = [row for row in dispatches if row['lane'].endswith('(probe_host)')]
        self.assertEqual(len(probe), 1000)
        for row in probe:
            encoder = encoders[row['submission'], row['number']]
            tid, time, _ = origins[row['id']]
            self.assertEqual(time, int(encoder['start'].text))
            self.assertIn(f'{tid:#x} ', encoder['thread'].get('fmt'))
            self.assertEqual(events[int(row['submission']), 'completed'], completed[row['submission']])
            self.assertLessEqual(time, int(row['submitted']))
            self.assertLessEqual(int(row['submitted']), row['start'])
            self.assertLessEqual(row['start'] + row['duration'], completed[row['submission']])
        self.assertEqual(set(origins), {row['id'] for row in probe})
        self.assertEqual({row['class'] for row in dispatches}, {'unknown'})

    def test_driver_and_states(self):
        recording = self.load(REAL)
        driver = self.rows('metal-driver-intervals')
        rows = recording.dispatches('metal.driver')
        self.assertEqual(sorted((int(row['start'].text), int(row['duration'].text)) for row in driver),
                         sorted((row['start'], row['duration']) for row in rows))
        self.assertTrue(all(row['inside'] <= row['duration'] for row in rows))
        self.assertEqual(len({row['thread'] for row in rows}),
                         len({row['thread'].find('tid').text for row in driver}))
        states = self.rows('metal-gpu-state-intervals')
        self.assertEqual(len(recording.table('metric_points')), len(states))
        active = [row for row in states if row['num-events'].text != '0']
        self.assertEqual(sum(row['duration'] for row in recording.dispatches('metal.state')),
                         sum(int(row['duration'].text) for row in active))

    def test_conservation(self):
        rows = self.load(REAL).ask('target', 'lanes')['rows']
        self.assertTrue(all(row['adds_up'] and row['rejected'] == 0 for row in rows))
        self.assertEqual(sum(row['dispatches'] for row in rows if row['kind'] == 'metal.channel'),
                         len(self.rows('metal-gpu-intervals')))

    def test_single_files(self):
        for name in os.listdir(REAL):
            if name not in ('toc.xml', 'metal-command-buffer-completed.xml'):
                self.load(os.path.join(REAL, name))


if __name__ == '__main__':
    tap_report.main(sys.argv[3:])
