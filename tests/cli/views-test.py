#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every question about a recording: whole and odd recordings, odd words, terminals. Reports in TAP.

    views-test.py WEFT PRODUCER ARCHIVE PLUGIN [TEST…]

ARCHIVE is a recording of the corpus, whose names are hostile and whose figures are extreme; PLUGIN brings
one of each.
"""

import csv
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT, PRODUCER, ARCHIVE, PLUGIN = (os.path.abspath(path) for path in sys.argv[1:5])
NOBODY = ['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups']
CONTROL = re.compile('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]')

VIEWS = [['show'], ['diagnose'], ['threads'], ['top'], ['flame'], ['timeline'], ['state'], ['target', 'lanes'],
         ['target', 'top'], ['target', 'top', '-g', 'lane'], ['target', 'outliers'], ['target', 'dispatches'],
         ['target', 'origins'], ['target', 'origins', '-g', 'thread'], ['target', 'routines'], ['target', 'source'],
         ['target', 'attachments'], ['target', 'counters'], ['target', 'submissions'], ['traces'], ['metrics'],
         ['warnings'], ['waits'], ['waits', '-g', 'stack'], ['wakers'], ['callers', '*']]
ABOUT_ONE = [['target', 'dispatch', 'd-12'], ['target', 'source', 'r-101'], ['target', 'submissions', 's-7'],
             ['target', 'attachments', 'd-54'], ['target', 'origins', 'd-532']]


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1
               for c in line)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-views-')
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, WEFT_RUNTIME_DIR=self.path('run'), WEFT_RECORDINGS=self.path('recordings'),
                                HOME=self.folder, XDG_DATA_HOME=self.folder, XDG_CACHE_HOME=self.folder,
                                WEFT_PLUGIN_PATH=self.path('none'), LC_ALL='C.UTF-8', COLUMNS='80', TZ='UTC')
        for name in ('WEFT_TARGET_SPOOL', 'WEFT_TARGET_DISABLE', 'SUDO_UID', 'NO_COLOR'):
            self.environment.pop(name, None)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def weft(self, *arguments, expect=0, before=(), **options):
        done = subprocess.run([*before, WEFT, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.environment, timeout=120, **options)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        for sign in ('Sanitizer', 'runtime error', 'CRITICAL', 'WARNING'):
            self.assertNotIn(sign, done.stderr)
        if expect is not None:
            self.assertEqual(done.returncode, expect, f'{arguments}\n{done.stdout}\n{done.stderr}')
        return done

    def json(self, *arguments):
        line = self.weft(*arguments, '--json').stdout
        self.assertIsNone(CONTROL.search(line.rstrip('\n')), arguments)
        answer = json.loads(line)
        words = arguments[:2] if arguments[0] == 'target' else arguments[:1]
        self.assertEqual(answer['schema'], f"weft.{'-'.join(words)}/1")
        self.assertEqual(('rows' in answer) + ('value' in answer), 1)
        return answer

    def refuse(self, *arguments, status=2):
        done = self.weft(*arguments, expect=status)
        self.assertEqual(done.stdout, '')
        self.assertTrue(done.stderr.startswith('weft: '), done.stderr)
        return done.stderr

    def record(self, *arguments, name='x.weft'):
        self.weft('record', '-q', '-o', self.path(name), '--', PRODUCER, *arguments)
        return self.path(name)


class Text(Case):
    def test_lines_fit(self):
        for columns in ('60', '80', '100', '200'):
            self.environment['COLUMNS'] = columns
            for view in VIEWS + ABOUT_ONE:
                for line in self.weft(*view, ARCHIVE).stdout.splitlines():
                    if not line.startswith('--cursor '):  # is copied as a whole
                        self.assertLessEqual(width(line), int(columns), f'{view} {line}')

    def test_no_control_characters(self):
        for view in VIEWS + ABOUT_ONE:
            for option in ([], ['--wide']):
                for line in self.weft(*view, *option, ARCHIVE).stdout.splitlines():
                    self.assertIsNone(CONTROL.search(line), (view, repr(line)))

    def test_json(self):
        for view in VIEWS + ABOUT_ONE:
            self.json(*view, ARCHIVE)

    def test_columns(self):
        text = self.weft('target', 'dispatches', '-c', 'dispatch,error', '-n', '2', ARCHIVE).stdout
        self.assertEqual(text.splitlines()[0].split(), ['dispatch', 'error'])
        self.assertIn('no column “nonsense”', self.refuse('target', 'dispatches', '-c', 'dispatch,nonsense', ARCHIVE))
        wide = self.weft('target', 'dispatches', '-w', '-n', '2', ARCHIVE).stdout.splitlines()[0]
        self.assertGreater(width(wide), 150)

    def terminal(self, *arguments):
        """What a terminal gets."""
        main, side = pty.openpty()
        process = subprocess.Popen([WEFT, *arguments], stdin=subprocess.DEVNULL, stdout=side, stderr=side,
                                   env=self.environment)
        os.close(side)
        text = b''
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        os.close(main)
        self.assertEqual(process.wait(60), 0)
        return text.decode()

    def test_bold_on_terminals_only(self):
        self.assertIn('\033[1m', self.terminal('show', ARCHIVE))
        self.environment['NO_COLOR'] = '1'
        self.assertNotIn('\033', self.terminal('show', ARCHIVE))

    def test_export_to_a_terminal(self):
        self.assertNotIn('\033', self.terminal('export', 'csv', '-t', 'routines', ARCHIVE))
        self.assertNotIn('\033', self.terminal('export', 'csv', '-t', 'routines', '-b', 'name', ARCHIVE))
        self.assertIn('\033', self.weft('export', 'csv', '-t', 'routines', ARCHIVE).stdout)

    def test_more(self):
        self.assertIn('more', self.weft('flame', ARCHIVE).stdout)
        self.assertIn('… 33 more', self.weft('show', ARCHIVE).stdout)
        first = self.json('target', 'dispatches', '-n', '400', ARCHIVE)
        rest = self.json('target', 'dispatches', '--all', '--cursor', first['cursor'], ARCHIVE)
        every = self.json('target', 'dispatches', '--all', ARCHIVE)
        self.assertEqual(len(every['rows']), 933)
        self.assertEqual(first['rows'] + rest['rows'], every['rows'])


class Words(Case):
    def test_words_that_make_no_sense(self):
        for words in (['-f', 'lane:('], ['-f', 'nonsense:x'], ['--from', '12'], ['--from', '1s', '--to', '2ms'],
                      ['--to', 'soon'], ['-b', 'nonsense'], ['-g', 'nonsense'], ['-n', '-1'], ['-n', 'x'],
                      ['--nonsense']):
            self.refuse('target', 'top', *words, ARCHIVE)
        self.refuse('timeline', '--buckets', '-4', ARCHIVE)
        self.refuse('state', '--at', 'x', ARCHIVE)
        self.refuse('target', ARCHIVE)
        self.refuse('target')
        self.refuse('target', 'nonsense')
        self.refuse('show', ARCHIVE, ARCHIVE)
        self.refuse('show', '--filter', 'lane:x', ARCHIVE)
        self.refuse('target', 'dispatches', '--cursor', 'nonsense', ARCHIVE, status=1)

    def test_objects_that_are_not_there(self):
        for words in (['dispatch', 'd-999999'], ['dispatch', 'd-0'], ['dispatch', 'l-1'], ['dispatch', 'nonsense'],
                      ['dispatch'], ['source', 'r-999999'], ['submissions', 's-999999'],
                      ['origins', 'd-999999'], ['attachments', 'd-999999']):
            self.refuse('target', *words, ARCHIVE, status=1)

    def test_order_of_words(self):
        expected = self.weft('target', 'top', '-n', '3', '-b', 'count', ARCHIVE).stdout
        self.assertEqual(self.weft('target', 'top', ARCHIVE, '--by=count', '--limit=3').stdout, expected)
        self.assertEqual(self.weft('target', 'top', '-b', 'count', ARCHIVE, '--limit', '3').stdout, expected)
        self.assertEqual(self.weft('target', 'top', '-b', 'count', '-n', '3', '--', ARCHIVE).stdout, expected)

    def test_ranges_outside_the_run(self):
        asked = 0
        for view in VIEWS:
            if '--from' in self.weft(*view, '--help').stdout:
                asked += 1
                for bounds in (['--from', '100s'], ['--from', '100s', '--to', '200s'], ['--to=-100s']):
                    self.assertIn('outside the recording', self.refuse(*view, *bounds, ARCHIVE, status=1))
                self.json(*view, '--from=-100s', '--to', '100s', ARCHIVE)
        self.assertGreater(asked, 10)
        self.assertIn('outside the recording', self.refuse('state', '--at', '100s', ARCHIVE, status=1))

    def test_files_that_look_like_handles(self):
        shutil.copy(ARCHIVE, self.path('d-12'))
        one = self.weft('target', 'dispatch', 'd-12', 'd-12', cwd=self.folder).stdout
        self.assertEqual(one, self.weft('target', 'dispatch', 'd-12', ARCHIVE).stdout)
        self.assertEqual(self.weft('target', 'lanes', 'd-12', cwd=self.folder).stdout,
                         self.weft('target', 'lanes', ARCHIVE).stdout)
        self.weft('target', 'origins', './d-12', cwd=self.folder)

    def test_functions_that_are_called_like_files(self):
        shutil.copy(ARCHIVE, self.path('main'))
        self.assertEqual(self.weft('callers', 'main', ARCHIVE, cwd=self.folder).stdout,
                         self.weft('callers', 'other', ARCHIVE).stdout)
        os.mkdir(self.path('recordings'))
        os.symlink(ARCHIVE, self.path('recordings', 'latest'))
        self.assertEqual(self.weft('callers', 'main', cwd=self.folder).stdout,
                         self.weft('callers', 'main', ARCHIVE).stdout)
        self.assertIn('which function', self.refuse('callers', 'latest', status=1))

    def test_latest(self):
        self.assertIn('weft record', self.refuse('target', 'lanes', status=1))
        os.mkdir(self.path('recordings'))
        os.symlink(ARCHIVE, self.path('recordings', 'latest'))
        for view in VIEWS + ABOUT_ONE:
            self.assertEqual(self.weft(*view, 'latest').stdout, self.weft(*view).stdout)


class Files(Case):
    def every_view(self, file, empty=False):
        for view in VIEWS:
            text = self.weft(*view, file).stdout
            self.assertNotEqual(text.strip(), '', view)
            self.json(*view, file)

    def test_nothing_in_it(self):
        self.weft('record', '-q', '--cpu', 'off', '-o', self.path('empty.weft'), '--', 'true')
        self.every_view(self.path('empty.weft'))
        self.assertIn('libweft-target', self.weft('show', self.path('empty.weft')).stdout)

    def test_while_it_is_written(self):
        file = self.path('growing.weft')
        recorder = subprocess.Popen([WEFT, 'record', '-q', '-o', file, '--', PRODUCER, 'spans=-1', 'rate=2000',
                                     'metrics=3'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL, env=self.environment)
        try:
            deadline = time.monotonic() + 30
            while not os.path.exists(file) or not self.json('show', file)['value']['dispatches']:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            self.every_view(file)
            readers = [subprocess.Popen([WEFT, *view, '--json', file], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=self.environment) for view in (['target', 'top'], ['target', 'lanes'])]
            for reader in readers:
                output, errors = reader.communicate(timeout=60)
                self.assertEqual((reader.returncode, errors), (0, b''))
                self.assertTrue(json.loads(output)['rows'])
            self.assertEqual(self.json('show', file)['value']['state'], 'unfinished')
        finally:
            recorder.terminate()
            recorder.wait(30)
        self.assertEqual(self.json('show', file)['value']['state'], 'complete')
        self.every_view(file)

    def test_cut(self):
        shutil.copy(ARCHIVE, self.path('cut.weft'))
        os.truncate(self.path('cut.weft'), os.path.getsize(ARCHIVE) * 2 // 3)
        for view in VIEWS:
            self.weft(*view, self.path('cut.weft'))

    def test_not_to_be_read(self):
        with open(self.path('junk.weft'), 'wb') as file:
            file.write(os.urandom(4096))
        os.mkdir(self.path('folder.weft'))
        for name in ('junk.weft', 'folder.weft', 'absent.weft'):
            for view in VIEWS + ABOUT_ONE:
                self.assertIn(name, self.refuse(*view, self.path(name), status=1))

    def test_closed_to_this_user(self):
        shutil.copy(ARCHIVE, self.path('closed.weft'))
        os.chmod(self.path('closed.weft'), 0o000)
        before = []
        if os.geteuid() == 0:
            try:
                works = subprocess.run(NOBODY + [WEFT, '--version'], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL).returncode == 0
            except OSError:
                works = False
            if not works:
                self.skipTest('the build folder is closed to other users, or setpriv is not there')
            before = NOBODY
        done = self.weft('show', self.path('closed.weft'), expect=1, before=before)
        self.assertIn('closed.weft', done.stderr)
        os.chmod(self.path('closed.weft'), 0o444)
        self.weft('target', 'lanes', self.path('closed.weft'), before=before)

    def test_answer_that_cannot_be_written(self):
        for arguments in (['show', ARCHIVE], ['export', 'csv', ARCHIVE], ['top', '--json', ARCHIVE]):
            with open('/dev/full', 'w') as full:
                done = subprocess.run([WEFT, *arguments], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                                      env=self.environment, timeout=60)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn(b'weft: ', done.stderr)


class Export(Case):
    def export(self, *arguments):
        return self.weft('export', *arguments, ARCHIVE).stdout

    def test_csv(self):
        rows = list(csv.DictReader(self.export('csv').splitlines(keepends=True)))
        self.assertEqual(len(rows), 933)
        self.assertEqual(len({row['id'] for row in rows}), 933)
        rows = list(csv.reader(self.export('csv', '-s', 'id, lane.name', '-f', 'lane:"GPU queue 0"', '-n', '7').splitlines()))
        self.assertEqual(len(rows), 8)
        self.assertEqual({row[1] for row in rows[1:]}, {'GPU queue 0'})

    def test_json(self):
        answer = json.loads(self.export('json'))
        self.assertEqual(len(answer['rows']), 933)
        self.assertNotIn('cursor', answer)
        counts = json.loads(self.export('json', '-g', 'lane.name', '-s', 'count()', '-b', '-count()'))['rows']
        self.assertEqual(sum(row['count'] for row in counts), 933)
        self.assertEqual([row['count'] for row in counts], sorted((row['count'] for row in counts), reverse=True))
        self.assertEqual(json.loads(self.export('json', '-f', 'lane:nowhere'))['rows'], [])
        part = json.loads(self.export('json', '--from', '100ms', '--to', '200ms'))['rows']
        self.assertTrue(0 < len(part) < 933)

    def test_pages(self):
        file = self.record('spans=300000', 'threads=1', 'wait=1')
        n = self.json('show', file)['value']['dispatches']
        self.assertGreater(n, 262144)
        with open(self.path('out.csv'), 'w') as out:
            subprocess.run([WEFT, 'export', 'csv', '-s', 'id', file], stdout=out, check=True, env=self.environment)
        with open(self.path('out.csv')) as out:
            ids = [line.strip() for line in out]
        self.assertEqual((ids[0], len(ids), len(set(ids))), ('id', n + 1, n + 1))
        self.weft('export', 'json', '-s', 'id', '-n', '200000', '-o', self.path('out.json'), file)
        with open(self.path('out.json')) as out:
            self.assertEqual([row['id'] for row in json.load(out)['rows']], ids[1:200001])

    def test_output(self):
        out = self.path('out')
        self.weft('export', 'arrow', '-o', out, ARCHIVE)
        with open(out, 'rb') as file:
            self.assertEqual(file.read(6), b'ARROW1')
        os.symlink('out', self.path('link'))
        self.weft('export', 'csv', '-o', self.path('link'), ARCHIVE)
        self.assertTrue(os.path.islink(self.path('link')))
        with open(out) as file:
            self.assertTrue(file.readline().startswith('id,'))
        self.assertEqual(sorted(os.listdir(self.folder)), ['link', 'out'])

    def test_output_stays_where_it_fails(self):
        with open(self.path('out'), 'w') as file:
            file.write('mine')
        with open(self.path('junk.weft'), 'w') as file:
            file.write('junk')
        self.refuse('export', 'csv', '-o', self.path('out'), self.path('junk.weft'), status=1)
        self.refuse('export', 'csv', '-o', self.path('no', 'out'), ARCHIVE, status=1)
        # The disk is full before all is written.
        done = subprocess.run(['sh', '-c', 'ulimit -f 8; trap "" XFSZ; exec "$0" export csv -o "$1" "$2"', WEFT,
                               self.path('out'), ARCHIVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.environment, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        with open(self.path('out')) as file:
            self.assertEqual(file.read(), 'mine')
        self.assertEqual(sorted(os.listdir(self.folder)), ['junk.weft', 'out'])

    def test_reader_that_leaves(self):
        process = subprocess.Popen([WEFT, 'export', 'csv', ARCHIVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment)
        process.stdout.close()
        errors = process.stderr.read().decode()
        process.stderr.close()
        self.assertEqual(process.wait(60), 1)
        self.assertIn('Broken pipe', errors)

    def test_words_that_make_no_sense(self):
        self.assertIn('csv, json, arrow', self.refuse('export', 'nonsense', ARCHIVE))
        for words in ([], ['csv', ARCHIVE, 'more'], ['csv', '-t', 'nonsense', ARCHIVE], ['csv', '-f', 'x:(', ARCHIVE],
                      ['csv', '-n', '-1', ARCHIVE], ['csv', '--from', '2s', '--to', '1s', ARCHIVE]):
            self.refuse('export', *words)
        self.refuse('export', 'csv', '-s', 'nonsense', ARCHIVE, status=None)


class Plugins(Case):
    def test_none(self):
        self.assertIn('No plugin', self.weft('plugins').stdout)
        self.assertEqual(self.json('plugins')['rows'], [])

    def test_refused(self):
        os.mkdir(self.path('none'))
        with open(self.path('none', 'broken.so'), 'w') as file:
            file.write('no library')
        row = self.json('plugins')['rows'][0]
        self.assertEqual((row['name'], row['state']), ('broken', 'refused'))
        self.assertTrue(row['reason'])
        self.assertIn('broken', self.weft('plugins').stdout)
        self.refuse('plugins', 'install', self.path('none', 'broken.so'), status=1)
        self.refuse('plugins', 'remove', 'nonsense', status=1)
        self.refuse('plugins', 'remove')
        self.refuse('plugins', 'install', 'a', 'b')
        self.refuse('plugins', 'nonsense')

    def test_instruments(self):
        self.assertIn('nonsense', self.refuse('record', '--with', 'nonsense', '--', 'true'))
        self.refuse('record', '--with', 'auto')
        self.refuse('record', '--with', 'auto', '--no-plugins', '--', 'true')
        for option in ('--with=auto', '--no-plugins'):
            self.weft('record', '-q', option, '-o', self.path(option + '.weft'), '--', 'true')
        self.assertFalse(os.path.exists(self.path('recordings')))

    def install(self):
        self.assertIn('cli-plugin 1.2, loaded', self.weft('plugins', 'install', PLUGIN).stdout)

    def test_installed_and_removed(self):
        self.install()
        row = self.json('plugins')['rows'][0]
        self.assertEqual((row['name'], row['version'], row['state'], row['reason']), ('cli-plugin', '1.2', 'loaded', None))
        self.assertEqual((row['domains'], row['instruments'], row['importers'], row['exporters']),
                         (['test'], ['test-instrument'], ['test-importer'], ['test-format']))
        self.assertIn('instrument test-instrument', self.weft('plugins').stdout)
        self.assertEqual(self.weft('completion', '--', 'export', 'test').stdout, 'test-format\n')
        self.assertEqual(self.weft('completion', '--', 'plugins', 'remove', '').stdout, 'cli-plugin\n')
        self.weft('plugins', 'remove', 'cli-plugin')
        self.assertEqual(self.json('plugins')['rows'], [])
        self.refuse('plugins', 'remove', 'cli-plugin', status=1)

    def test_recorded_with_an_instrument(self):
        self.install()
        done = self.weft('record', '-q', '--with', 'test-instrument', '-o', self.path('x.weft'), '--', 'sh', '-c',
                         'echo $WEFT_CLI_TEST; exit 3', expect=3)
        self.assertEqual(done.stdout, 'prepared\n')
        self.assertIn('The test is prepared', done.stderr)
        self.assertIn(f'finished with {3 << 8}', done.stderr)
        self.assertIn('nothing to report', self.refuse('record', '--with', 'test-instrument', '--', 'false'))
        self.assertIn('test-instrument', self.refuse('record', '--with', 'nonsense', '--', 'true'))
        self.weft('record', '-q', '--with', 'auto', '-o', self.path('y.weft'), '--', 'false', expect=1)

    def test_what_recordings_keep(self):
        self.install()
        for option, kept in (('--no-plugins', 0), ('-q', 1)):
            file = self.path(f'{kept}.weft')
            self.weft('record', '-q', option, '-o', file, '--', PRODUCER, 'spans=5', 'wait=1')
            tables = {row['table']: row['rows'] for row in self.json('show', file)['value']['tables']}
            self.assertEqual((tables['plugins'], bool(tables['words'])), (kept, bool(kept)))

    def test_formats(self):
        self.install()
        done = self.weft('export', 'test-format', ARCHIVE)
        self.assertEqual(done.stdout, 'exported\n')
        self.assertIn('not carried: half of it', done.stderr)
        self.refuse('export', 'test-format', '-t', 'lanes', ARCHIVE)
        with open(self.path('file.weft-test'), 'w') as file:
            file.write('anything')
        done = self.weft('import', '-o', self.path('x.weft'), self.path('file.weft-test'))
        self.assertIn('test-importer', done.stdout)
        self.assertIn('not carried: half of it', done.stderr)
        self.weft('show', self.path('x.weft'))
        self.refuse('import', '-o', self.path('x.weft'), self.path('file.weft-test'), status=1)

    def test_import_of_an_unknown_file(self):
        with open(self.path('file'), 'w') as file:
            file.write('anything')
        self.assertIn('no plugin knows', self.refuse('import', '-o', self.path('x.weft'), self.path('file'), status=1))
        self.assertFalse(os.path.exists(self.path('x.weft')))


tap_report.main(sys.argv[5:])
