#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The questions of docs/questions.md, each answered by one command from a saved recording. Reports in TAP.

    questions-test.py [TEST…]

Environment: WEFT, WEFT_CORPUS and WEFT_RECORD_CORPUS, as tests/corpus/meson.build sets them.

Each answer is asked for twice: here, and where there is nothing but weft, its libraries and the
recording: an empty root, or, where a sanitizer needs /proc, an empty environment. Both are the same
to the byte, as text for narrow and wide terminals and as JSON.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT = os.path.abspath(os.environ['WEFT'])
MS = 1000000
EMPTY = {'LD_LIBRARY_PATH': '/lib', 'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'}


def libraries(program):
    """What the loader opens for PROGRAM, with the loader itself."""
    text = subprocess.run(['ldd', program], stdout=subprocess.PIPE, check=True).stdout.decode()
    return sorted(set(re.findall(r'(/\S+) \(0x', text)))


def make_root(folder):
    """A root with weft, its libraries, and nothing else."""
    shutil.copy(WEFT, folder + '/weft')
    os.mkdir(folder + '/lib')
    for path in libraries(WEFT):
        # Only the loader has to lie where programs name it.
        place = folder + (path if '/ld-' in path else '/lib/' + os.path.basename(path))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copy(path, place)


def enter_root(folder):
    """The words that run a command in FOLDER as its root; None if the system lets nobody do that."""
    words = ['chroot', folder] if os.geteuid() == 0 else \
        ['unshare', '--user', '--map-root-user', 'chroot', folder]
    try:
        done = subprocess.run([*words, '/weft', '--version'], env=EMPTY, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    except OSError:
        return None
    return words if done.returncode == 0 else None


class Questions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='weft-questions-')
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.root = os.path.join(cls.folder, 'root')
        os.mkdir(cls.root)
        cls.file = os.path.join(cls.root, 'corpus.weft')
        subprocess.run([os.environ['WEFT_RECORD_CORPUS'], cls.file, '--no-drops'], check=True,
                       stdin=subprocess.DEVNULL)
        make_root(cls.root)
        # A sanitizer reads /proc, which an empty root has not.
        is_sanitized = any('san.so' in path for path in libraries(WEFT))
        cls.enter = None if is_sanitized else enter_root(cls.root)
        cls.missing = 'a sanitizer needs /proc' if is_sanitized else 'chroot is not permitted here'

    def run_weft(self, command, environment, arguments):
        done = subprocess.run([*command, *arguments], cwd=self.root, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(done.stderr, b'')
        return done.stdout

    def run_outside(self, columns, arguments):
        return self.run_weft([WEFT], dict(os.environ, COLUMNS=columns, LC_ALL='C.UTF-8'),
                             [*arguments, 'corpus.weft'])

    def run_inside(self, columns, arguments):
        environment = {'COLUMNS': columns, 'LC_ALL': 'C.UTF-8'}
        if self.enter:
            return self.run_weft([*self.enter, '/weft'], dict(EMPTY, **environment), [*arguments, 'corpus.weft'])
        # What a sanitizer is told to do, and where libraries are, is not what an answer may depend on.
        environment.update({name: value for name, value in os.environ.items()
                            if name.endswith('SAN_OPTIONS') or name == 'LD_LIBRARY_PATH'})
        return self.run_weft([WEFT], dict(environment, HOME=self.folder, PATH='/nonexistent'),
                             [*arguments, 'corpus.weft'])

    def ask(self, *arguments):
        """The answer as text for 80 columns, and from its JSON."""
        texts = {}
        for columns in ('80', '120'):
            texts[columns] = self.run_outside(columns, arguments)
            self.assertEqual(self.run_inside(columns, arguments), texts[columns])
            for line in texts[columns].decode().splitlines():
                self.assertTrue(len(line) <= int(columns) or line.startswith('--cursor '), line)
        answer = self.run_outside('80', [*arguments, '--json'])
        self.assertEqual(self.run_inside('80', [*arguments, '--json']), answer)
        return texts['80'].decode(), json.loads(answer)

    def find(self, routine):
        """The handle of the only dispatch of ROUTINE."""
        rows = json.loads(self.run_outside('80', ['target', 'dispatches', '--routine', routine, '--json']))['rows']
        self.assertEqual(len(rows), 1)
        return rows[0]['dispatch']

    def test_empty_root(self):
        """What the other tests compare with has neither programs nor sources nor plugins."""
        if not self.enter:
            self.skipTest(self.missing)
        files = [os.path.join(folder, name) for folder, _, names in os.walk(self.root) for name in names]
        self.assertEqual(len(files), 2 + len(libraries(WEFT)))

    def test_which_lanes_exist(self):
        text, answer = self.ask('target', 'lanes')
        lanes = {row['name']: row for row in answer['rows']}
        self.assertEqual(len(answer['rows']), 54)
        self.assertEqual((lanes['GPU queue 0']['kind'], lanes['GPU queue 0']['dispatches']), ('metal.queue', 80))
        self.assertEqual(lanes['language model']['kind'], 'model.operator')
        self.assertRegex(text, r'(?m)^l-\d+ +GPU queue 0 +metal\.queue +80 ')

    def test_what_took_most_time(self):
        text, answer = self.ask('target', 'top', '--limit', '3')
        self.assertEqual([row['name'] for row in answer['rows']], ['span-extremes', 'fetch', 'frame'])
        self.assertEqual(answer['rows'][0]['total'], 390 * MS + 1)
        self.assertRegex(text, r'(?m)^r-\d+ +span-extremes +extremes +3 +390\.00 ms')

    def test_what_ran_most_often(self):
        text, answer = self.ask('target', 'top', '--by', 'count', '--limit', '6')
        self.assertEqual([row['count'] for row in answer['rows']], [60, 60, 60, 60, 60, 40])
        self.assertEqual(answer['rows'][5]['name'], 'clock-device')
        self.assertIn('outlier-queue-delay', text)

    def test_what_is_slow(self):
        """What comes first by a figure shows that figure first, however narrow the terminal."""
        text, answer = self.ask('target', 'top', '--by', 'p99', '--limit', '2')
        self.assertEqual([row['p99'] for row in answer['rows']], [390 * MS, 100 * MS])
        self.assertRegex(text.splitlines()[0], r'lane names +p99 +count')

    def test_which_are_outliers(self):
        text, answer = self.ask('target', 'outliers')
        whys = {row['routine_name']: row['why'] for row in answer['rows']}
        self.assertEqual(whys, {
            'outlier-queue-delay': 'waited 25 ms in the queue, typically 50 µs',
            'outlier-size': '64 MiB of attachments, typically 1 MiB',
            'outlier-counter': 'cache misses: 90000, typically 1003',
            'outlier-phase': '8.491 ms in phase system:physics, typically 500 µs',
            'outlier-unexplained': 'nothing that was recorded tells why',
        })
        self.assertIn('waited 25 ms in the queue, typically 50 µs', text)

    def test_who_queued_it(self):
        dispatch = self.find('wait-synchronous')
        text, answer = self.ask('target', 'origins', dispatch)
        queued = [row for row in answer['rows'] if row['role'] == 'dispatch']
        self.assertEqual([(row['dispatch'], row['thread_name']) for row in queued], [(dispatch, 'render')])
        self.assertLess(queued[0]['from_start'], 0)
        self.assertRegex(queued[0]['stack'], r'^st-\d+$')
        self.assertRegex(text, rf"(?m)^o-\d+ +dispatch +{dispatch} +render +\S+ +{queued[0]['stack']} ")

    def test_who_waited_for_it(self):
        dispatch = self.find('wait-synchronous')
        text, answer = self.ask('target', 'dispatch', dispatch)
        waits = answer['value']['waits']
        self.assertEqual([(wait['thread_name'], wait['same_thread'], wait['covers_end']) for wait in waits],
                         [('render', True, True)])
        self.assertEqual(answer['value']['evidence'], 'The thread that queued it waited for it past its end')
        self.assertIn('The thread that queued it waited for it past its end', text)

    def test_that_nobody_waited(self):
        """Only an origin says where work came from; that somebody waited has to be told, too."""
        text, answer = self.ask('target', 'dispatch', self.find('wait-asynchronous'))
        self.assertEqual(answer['value']['waits'], [])
        self.assertIn('nothing proves that a thread waited', ' '.join(text.split()))

    def test_which_submission(self):
        rows = json.loads(self.run_outside('80', ['target', 'dispatches', '--routine', 'wait-submission',
                                                  '--json']))['rows']
        self.assertEqual(len(rows), 2)
        self.assertEqual(rows[0]['submission'], rows[1]['submission'])
        text, answer = self.ask('target', 'dispatch', rows[0]['dispatch'])
        self.assertEqual(answer['value']['submission'], rows[0]['submission'])
        self.assertRegex(text, rf"(?m)^submission +{rows[0]['submission']}\b")
        text, answer = self.ask('target', 'submissions', '--routine', 'wait-submission')
        self.assertEqual([(row['submission'], row['dispatches']) for row in answer['rows']],
                         [(rows[0]['submission'], 2)])

    def test_which_source(self):
        text, answer = self.ask('target', 'source', '--routine', 'decode')
        self.assertEqual([row['path'] for row in answer['rows']], ['filters/decode.py'])
        dispatch = json.loads(self.run_outside('80', [
            'target', 'dispatches', '--filter', 'routine:decode source:*', '--json']))['rows'][0]
        text, answer = self.ask('target', 'source', dispatch['routine'])
        self.assertEqual(answer['rows'][0]['path'], 'filters/decode.py')
        self.assertEqual([(line['number'], line['text']) for line in answer['lines']],
                         [(1, 'def decode (frame):'), (2, '    for block in frame:'),
                          (3, '        yield block * 2')])
        self.assertIn('def decode (frame):', text)
        self.assertIn('filters/decode.py', text)

    def test_what_was_attached(self):
        outlier = [row for row in json.loads(self.run_outside('80', ['target', 'outliers', '--json']))['rows']
                   if row['routine_name'] == 'outlier-size'][0]
        text, answer = self.ask('target', 'attachments', outlier['dispatch'])
        self.assertEqual([(row['kind'], row['label'], row['access'], row['size']) for row in answer['rows']],
                         [('tensor', 'activations', 'read', 64 << 20)])
        self.assertRegex(text, r'tensor +activations')
        self.assertIn('64.0 MiB', text)

    def test_which_counters(self):
        text, answer = self.ask('target', 'counters')
        counters = {(row['set_name'], row['counter_name']): row for row in answer['rows']}
        misses = counters['cache', 'cache misses']
        self.assertEqual((misses['samples'], misses['unit'], misses['max']), (60, 'count', 90000))
        # Sampled before and after a dispatch.
        drift = counters['statistics', 'clock drift']
        self.assertEqual((drift['changes'], drift['change_total']), (1, 1))
        states = {row['name']: (row['availability'], row['reason']) for row in answer['sets']}
        self.assertEqual(states['counter-unsupported'],
                         ('unsupported', 'the device has no counters of its stages'))
        self.assertRegex(text, r'(?m)^c-\d+ +cache misses +cache +60 +149,168')
        self.assertIn('change total', text.splitlines()[0])


tap_report.main(sys.argv[1:])
