#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Metal libraries: imported, joined to what ran, refused. Values of Apple's own files, where
WEFT_TEST_DATA has them, are compared with what LLVM's own tools say."""

import bz2
import csv
import hashlib
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest

WEFT, PLUGINS, SCENES, OWN, ARCHIVES = (os.path.abspath(path) for path in sys.argv[1:6])
SOURCE = os.path.dirname(os.path.abspath(__file__))
FIXTURE = os.path.join(SOURCE, 'fixture')
DATA = os.path.join(os.environ.get('WEFT_TEST_DATA', '/nonexistent'), 'metal')
sys.path.insert(0, os.path.join(SOURCE, '..', '..'))
import tap_report


def tool(name):
    """A tool of LLVM 14, which reads what Apple's compilers of these files wrote."""
    found = shutil.which(f'{name}-14')
    if found is None:
        raise unittest.SkipTest(f'{name}-14 (package llvm-14) is not installed')
    return found


def real(name):
    path = os.path.join(DATA, name)
    if not os.path.exists(path):
        raise unittest.SkipTest(f'WEFT_TEST_DATA has no metal/{name}')
    return path


def numbers(text):
    return int(text) if text else None


class Case(unittest.TestCase):
    def setUp(self):
        if sys.argv[6] != 'bzip2':
            self.skipTest('built without bzip2 (package libbz2-dev): sources are not read')
        self.folder = tempfile.mkdtemp(prefix='weft-metal-')
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def weft(self, *arguments, expect=0, plugins=PLUGINS):
        where = {**os.environ, 'G_DEBUG': 'fatal-criticals',
                 'HOME': self.folder, 'XDG_DATA_HOME': self.folder,
                 'XDG_CACHE_HOME': self.folder, 'XDG_RUNTIME_DIR': self.folder,
                 'WEFT_PLUGIN_PATH': plugins}
        run = subprocess.run([WEFT, *arguments], env=where, capture_output=True, text=True,
                             timeout=200, check=False)
        self.assertEqual(run.returncode, expect, run.stderr)
        return run

    def imported(self, *files):
        output = self.path(f'{len(os.listdir(self.folder))}.weft')
        self.weft('import', *files, '-o', output)
        return output

    def table(self, file, name):
        out = self.weft('export', '-t', name, 'csv', file).stdout
        return list(csv.DictReader(io.StringIO(out)))

    def tags(self, file, table):
        """row → key → text"""
        names = [row['table'] for row in self.answer('show', file)['value']['tables']]
        tags = {}
        for row in self.table(file, 'tags'):
            if int(row['owner_table']) == names.index(table):
                tags.setdefault(int(row['owner'].split('-')[-1]), {})[row['key']] = row['text']
        return tags

    def arguments(self, file):
        """routine name → position → its row"""
        names = {row['id']: row['name'] for row in self.table(file, 'routines')}
        found = {}
        for row in self.table(file, 'routine_arguments'):
            found.setdefault(names[row['routine']], {})[int(row['position'])] = row
        return found

    def answer(self, *arguments):
        return json.loads(self.weft(*arguments, '--json').stdout)


class Own(Case):
    """The library of our own, of which every value is known."""

    def test_arguments(self):
        found = self.arguments(self.imported(OWN))
        self.assertEqual(set(found), {'shade', 'corner'})
        wanted = [  # kind, type, name, access, slot, slots, size, space
            ('buffer', 'float', 'input', 'read', 0, 1, 4, 'device'),
            ('buffer', 'float', 'output', 'write', 1, 1, 4, 'device'),
            ('buffer', 'float', 'factor', 'read', 3, 1, 4, 'constant'),
            ('texture', 'texture2d<half, sample>', 'image', 'read', 0, 1, None, ''),
            ('texture', 'array<texture2d<float>, 4>', 'layers', 'read-write', 1, 4, None, ''),
            ('sampler', 'sampler', 'air.read', 'unknown', 0, 1, None, ''),
            ('buffer', 'float', 'scratch', 'read-write', 0, 1, 4, 'threadgroup'),
            ('thread_position_in_grid', 'uint', 'index', 'unknown', None, None, None, ''),
            ('thread_index_in_simdgroup', 'uint', 'unused', 'unknown', None, None, None, ''),
        ]
        for position, values in enumerate(wanted):
            row = found['shade'][position]
            self.assertEqual((row['kind'], row['type'], row['name'], row['access'],
                              numbers(row['slot']), numbers(row['n_slots']),
                              numbers(row['size']), row['space']), values)
        self.assertEqual(found['corner'][0]['kind'], 'vertex_id')

    def test_source_and_lines(self):
        """From its first line to the last one that code came of, inlined code left out."""
        file = self.imported(OWN)
        answer = self.answer('target', 'source', 'shade', file)
        (source,) = answer['rows']
        self.assertEqual(source['path'], '/shaders/shade.metal')
        self.assertEqual(source['build_flags'],
                         'metal -c -gline-tables-only -frecord-sources shade.metal')
        with open(os.path.join(FIXTURE, 'shade.metal'), encoding='utf-8') as text:
            self.assertEqual([line['text'] for line in answer['lines']],
                             text.read().splitlines())
        (routine,) = answer['routines']
        self.assertEqual((routine['name'], routine['first_line'], routine['last_line']),
                         ('shade', 3, 16))
        self.assertEqual(len(answer['arguments']), 9)

    def test_headers_come_along(self):
        paths = [row['path'] for row in self.table(self.imported(OWN), 'sources')]
        self.assertEqual(paths, ['/shaders/shade.metal', '/shaders/' + 'long/' * 30 + 'shade.h'])

    def test_what_is_no_text_is_told(self):
        run = self.weft('import', OWN, '-o', self.path('x.weft'))
        self.assertIn('not carried: “/shaders/blob.a”', run.stderr)

    def test_flavour_and_identity(self):
        file = self.imported(OWN)
        with open(OWN, 'rb') as data:
            digest = hashlib.sha256(data.read()).hexdigest()
        routines = {row['name']: row for row in self.table(file, 'routines')}
        tags = self.tags(file, 'routines')
        self.assertEqual(routines['shade']['flavour'], 'macOS 13.2, Metal 3.0, AIR 2.5')
        shade = tags[int(routines['shade']['id'].split('-')[-1])]
        self.assertEqual(shade['metal.library-hash'], digest)
        self.assertEqual(shade['metal.library-uuid'], bytes(range(16)).hex())
        self.assertEqual(shade['metal.stage'], 'kernel')
        self.assertEqual(shade['metal.math'], 'fast math')
        self.assertEqual(shade['metal.compiler'], 'compiler of the fixture')
        corner = tags[int(routines['corner']['id'].split('-')[-1])]
        self.assertEqual(corner['metal.stage'], 'vertex')
        self.assertNotIn('metal.math', corner)

    def test_read_without_the_plugin(self):
        file = self.imported(OWN)
        shown = [self.weft('target', 'source', 'shade', '--json', file, plugins=plugins).stdout
                 for plugins in (PLUGINS, '/nonexistent')]
        self.assertEqual(shown[0], shown[1])

    def test_made_anew(self):
        """What the assembler of today makes of the same text is read alike."""
        output = self.path('made.metallib')
        subprocess.run([sys.executable, os.path.join(FIXTURE, 'make-library.py'), tool('llvm-as'),
                        output], check=True)
        self.assertEqual(self.table(self.imported(output), 'routine_arguments'),
                         self.table(self.imported(OWN), 'routine_arguments'))


class Refused(Case):
    """Files that are not what they should be: a clear message, and no recording."""

    def refuse(self, data, *parts):
        file, output = self.path('x.metallib'), self.path('x.weft')
        with open(file, 'wb') as bad:
            bad.write(data)
        run = self.weft('import', file, '-o', output, expect=1)
        for part in parts:
            self.assertIn(part, run.stderr)
        self.assertEqual(os.listdir(self.folder).count('x.weft'), 0)

    def own(self):
        with open(OWN, 'rb') as data:
            return bytearray(data.read())

    def test_cut_short(self):
        data = self.own()
        self.refuse(data[:-100], 'damaged', f'{len(data)} bytes', f'has {len(data) - 100}')
        self.refuse(data[:60], 'header')

    def test_list_of_functions_elsewhere(self):
        data = self.own()
        struct.pack_into('<Q', data, 24, 1 << 60)
        self.refuse(data, 'list of functions lies outside')

    def test_too_many_functions(self):
        data = self.own()
        struct.pack_into('<I', data, 88, 0xffffffff)
        self.refuse(data, 'tells of 4294967295 functions')

    def test_code_elsewhere(self):
        data = self.own()
        struct.pack_into('<Q', data, data.index(b'MDSZ') + 6, 1 << 40)
        self.refuse(data, 'the code of “shade” lies outside')

    def test_code_that_is_none(self):
        data = self.own()
        at = data.index(b'BC\xc0\xde')
        data[at:at + 4] = b'ABCD'
        self.refuse(data, 'of “shade”, it does not begin as LLVM bitcode does')

    def test_sources_that_do_not_expand(self):
        data = self.own()
        at = data.index(b'BZh')
        data[at + 200] ^= 0xff
        self.refuse(data, 'archive of sources is damaged')

    def test_no_name(self):
        data = self.own()
        at = data.index(b'shade\0')
        data[at:at + 5] = bytes(5)
        self.refuse(data, 'function 1 has no name')

    def test_output_is_not_overwritten(self):
        output = self.imported(OWN)
        with open(output, 'rb') as before:
            kept = before.read()
        run = self.weft('import', OWN, '-o', output, expect=1)
        self.assertIn('exists', run.stderr)
        with open(output, 'rb') as after:
            self.assertEqual(after.read(), kept)


class Joined(Case):
    """A library, and a recording of a program that ran its functions."""

    def record(self, *scene):
        output = self.path('run.weft')
        self.weft('record', '--cpu', 'off', '-q', '-o', output, '--', SCENES, *scene)
        return output

    def digest(self):
        with open(OWN, 'rb') as data:
            return hashlib.sha256(data.read()).hexdigest()

    def findings(self, file):
        return {row['check']: row['verdict'] for row in self.table(file, 'findings')
                if row['domain'] == 'metal'}

    def assertJoined(self, run, joined):
        routines = {row['name']: row for row in self.table(joined, 'routines')}
        self.assertEqual(set(routines), {'shade', 'corner'})
        self.assertEqual(routines['shade']['first_line'], '3')
        top = self.answer('target', 'routines', joined)['rows'][0]
        self.assertEqual((top['name'], top['count'], top['source_path']),
                         ('shade', 10, '/shaders/shade.metal'))
        self.assertEqual(len(self.arguments(joined)['shade']), 9)
        self.assertEqual(self.findings(run)['metal.sources'], 'attention')
        self.assertEqual(self.findings(joined)['metal.sources'], 'good')

    def test_by_hash(self):
        run = self.record('library', self.digest(), 'shade')
        self.assertJoined(run, self.imported(run, OWN))

    def test_by_uuid(self):
        run = self.record('library', bytes(range(16)).hex(), 'shade')
        self.assertJoined(run, self.imported(run, OWN))

    def test_by_name(self):
        """Where the program does not say of which library a shader is."""
        run = self.record('named', 'shade')
        self.assertJoined(run, self.imported(OWN, run))

    def joined_by(self, *scene):
        """How the routine “shade” came to its source; None if it did not."""
        run = self.record(*scene)
        joined = self.imported(run, OWN)
        self.assertEqual(len(self.table(joined, 'dispatches')), len(self.table(run, 'dispatches')))
        return self.tags(joined, 'routines').get(1, {}).get('metal.joined-by')

    def test_how_is_told(self):
        self.assertEqual(self.joined_by('named', 'shade'), 'name')

    def test_by_label(self):
        """Instruments' tables name no shaders: a label that is a function's name is one."""
        self.assertEqual(self.joined_by('encoders', 'shade'), 'label')

    def test_not_by_other_labels(self):
        self.assertIsNone(self.joined_by('encoders', 'Compute Command 0'))

    def test_not_those_of_other_libraries(self):
        run = self.record('library', 'ab' * 32, 'shade')
        output = self.path('joined.weft')
        told = self.weft('import', run, OWN, '-o', output).stderr
        self.assertIn('No routine of the recording', told)
        shades = [row for row in self.table(output, 'routines') if row['name'] == 'shade']
        self.assertEqual([bool(row['source']) for row in shades], [False, True])

    def test_a_dispatch_shows_its_shader(self):
        run = self.record('library', self.digest(), 'shade')
        dispatch = self.answer('target', 'dispatch', 'd-1', self.imported(run, OWN))
        self.assertEqual(dispatch['value']['source_path'], '/shaders/shade.metal')
        self.assertEqual([row['name'] for row in dispatch['value']['arguments']][:3],
                         ['input', 'output', 'factor'])

    def test_spool(self):
        """As on systems where recorders cannot be reached: spool and library make a recording."""
        spools = self.path('spools')
        os.mkdir(spools)
        subprocess.run([SCENES, 'library', self.digest(), 'shade'], check=True,
                       env={**os.environ, 'WEFT_TARGET_SPOOL': spools + '/'})
        files = [os.path.join(spools, name) for name in os.listdir(spools)]
        joined = self.imported(*files, OWN)
        top = self.answer('target', 'routines', joined)['rows'][0]
        self.assertEqual((top['name'], top['count'], top['first_line']), ('shade', 10, 3))

    def test_two_libraries(self):
        """One after the other: the second is another, for all that it has functions of one name."""
        run = self.record('named', 'shade', 'scale')
        other = self.path('other.metallib')
        with open(OWN, 'rb') as data, open(other, 'wb') as changed:
            changed.write(data.read().replace(bytes(range(16)), bytes(range(1, 17))))
        joined = self.imported(run, OWN, other)
        names = [row['name'] for row in self.table(joined, 'routines')]
        self.assertEqual(names, ['shade', 'scale', 'corner', 'shade', 'corner'])
        self.assertFalse([name for name in os.listdir(self.folder) if '.joined' in name])

    def test_twice(self):
        """What is known already is not told again."""
        joined = self.imported(self.record('named', 'shade'), OWN, OWN)
        self.assertEqual(len(self.table(joined, 'routine_arguments')), 10)
        self.assertEqual(len(self.table(joined, 'routines')), 2)

    def test_all_else_stays(self):
        """Rows, ids and what was derived: tables are the same to the byte, or go on as before."""
        added = {'routines', 'sources', 'runtimes', 'artifacts', 'artifact_links', 'tags', 'words',
                 'plugins', 'blobs', 'meta', 'routine_arguments', 'findings'}
        for name in 'corpus.weft', 'cpu.weft':
            archive = os.path.join(ARCHIVES, name)
            joined = self.imported(archive, OWN)
            tables = [row['table'] for row in self.answer('show', archive)['value']['tables']]
            self.assertGreater(len(tables), 50)
            for table in tables:
                before, after = (self.weft('export', '-t', table, 'csv', file).stdout
                                 for file in (archive, joined))
                if table not in added:
                    self.assertEqual(after, before, table)
                elif table not in ('routines', 'words', 'findings'):
                    self.assertTrue(after.startswith(before), table)

    def test_damaged_library_spoils_nothing(self):
        run = self.record('named', 'shade')
        bad = self.path('bad.metallib')
        with open(OWN, 'rb') as data, open(bad, 'wb') as cut:
            cut.write(data.read()[:2000])
        output = self.path('out.weft')
        told = self.weft('import', run, bad, '-o', output, expect=1).stderr
        self.assertIn('damaged', told)
        self.assertFalse(os.path.exists(output))
        self.assertEqual(len(self.table(run, 'dispatches')), 10)


# ---- Apple's own files ----

def modules(path):
    """name → bitcode, cut out by the list of functions alone."""
    with open(path, 'rb') as file:
        data = file.read()
    at, _, _, _, _, _, code, _ = struct.unpack_from('<8Q', data, 24)
    (count,) = struct.unpack_from('<I', data, at)
    at += 4
    found = {}
    for _ in range(count):
        (size,) = struct.unpack_from('<I', data, at)
        tags, tag = {}, at + 4
        while data[tag:tag + 4] != b'ENDT':
            (length,) = struct.unpack_from('<H', data, tag + 4)
            tags[data[tag:tag + 4]] = data[tag + 6:tag + 6 + length]
            tag += 6 + length
        (offset,) = struct.unpack_from('<Q', tags[b'OFFT'], 16)
        (length,) = struct.unpack('<Q', tags[b'MDSZ'])
        found[tags[b'NAME'].rstrip(b'\0').decode()] = data[code + offset:code + offset + length]
        at += size
    return found


def disassemble(code):
    run = subprocess.run([tool('llvm-dis'), '-o', '-', '-'], input=code, capture_output=True,
                         check=True)
    return run.stdout.decode()


ACCESS = {'air.read': 'read', 'air.sample': 'read', 'air.write': 'write',
          'air.read_write': 'read-write'}
SPACES = {'1': 'device', '2': 'constant', '3': 'threadgroup'}


def read_argument(node):
    """Of the text "i32 0, !"air.buffer", …"."""
    parts = re.findall(r'i32 -?\d+|!"(?:[^"\\]|\\.)*"|!\d+', node)
    words = [part[2:-1] if part.startswith('!"') else part.replace('i32 ', '') for part in parts]
    row = dict(kind=words[1][len('air.'):], access='unknown', slot='', n_slots='', size='',
               space='', name='', type='')
    for key, one, two in zip(words[2:], words[3:] + [''], words[4:] + ['', '']):
        if key == 'air.location_index':
            row['slot'], row['n_slots'] = one, two
        elif key in ('air.arg_type_size', 'air.buffer_size'):
            row['size'] = one if key == 'air.buffer_size' or not row['size'] else row['size']
        elif key == 'air.address_space':
            row['space'] = SPACES[one]
        elif key == 'air.arg_type_name':
            row['type'] = one
        elif key == 'air.arg_name':
            row['name'] = one
        elif key in ACCESS:
            row['access'] = ACCESS[key]
    return int(words[0]), row


def arguments_of(text):
    """position → row, by the text that LLVM makes of the bitcode."""
    nodes = dict(re.findall(r'^(!\d+) = (?:distinct )?!\{(.*)\}$', text, re.M))
    (entry,) = re.findall(r'^!air\.(?:kernel|vertex|fragment) = !\{(!\d+)\}$', text, re.M)
    taken = re.findall(r'!\d+', nodes[entry])[-1]
    return dict(read_argument(nodes[node]) for node in re.findall(r'!\d+', nodes[taken]))


class Real(Case):
    def compare_arguments(self, name, total):
        path = real(name)
        found = self.arguments(self.imported(path))
        count = 0
        for function, code in modules(path).items():
            wanted = arguments_of(disassemble(code))
            self.assertEqual(len(wanted), len(found.get(function, {})), function)
            for position, row in wanted.items():
                got = found[function][position]
                self.assertEqual({key: got[key] for key in row}, row, (function, position))
                count += 1
        self.assertEqual(count, total)

    def test_arguments_of_an_old_library(self):
        self.compare_arguments('add.metallib', 4)

    def test_arguments_of_a_new_library(self):
        self.compare_arguments('effort.metallib', 389)

    def test_lines(self):
        """Those of the function's own debugging information, as LLVM prints it."""
        path = real('effort.metallib')
        rows = {row['name']: row for row in self.table(self.imported(path), 'routines')}
        self.assertEqual(len(rows), 79)
        for function, code in modules(path).items():
            text = disassemble(code)
            (line,) = re.findall(rf'DISubprogram\(name: "{function}",.*?line: (\d+)', text)
            self.assertEqual(rows[function]['first_line'], line, function)
            self.assertGreaterEqual(int(rows[function]['last_line']), int(line))

    def test_sources(self):
        """Every text is the one in its archive, by Python's own bzip2 and tar."""
        path = real('effort.metallib')
        with open(path, 'rb') as file:
            data = file.read()
        wanted = {}
        for found in re.finditer(b'SARC', data):
            (size,) = struct.unpack_from('<I', data, found.start() + 4)
            packed = data[found.start() + 8:found.start() + 8 + size].split(b'\0', 1)[1]
            expanded = bz2.BZ2Decompressor().decompress(packed)
            with tarfile.open(fileobj=io.BytesIO(expanded)) as tar:
                for member in tar.getmembers():
                    if member.name.endswith('.metal'):
                        wanted[member.name] = tar.extractfile(member).read()
        rows = self.table(self.imported(path), 'sources')
        self.assertEqual({row['path']: row['hash'] for row in rows},
                         {name: hashlib.sha256(text).hexdigest() for name, text in wanted.items()})
        self.assertEqual(len(rows), 7)

    def test_every_function_has_its_source(self):
        """By the archive that it names, and the name of the file; the name stands in its line."""
        file = self.imported(real('effort.metallib'))
        rows = self.table(file, 'routines')
        texts = {}
        for row in rows:
            source = row['source']
            self.assertTrue(source, row['name'])
            if source not in texts:
                answer = self.answer('target', 'source', source, file)
                texts[source] = [line['text'] for line in answer['lines']]
            first = int(row['first_line']) - 1
            self.assertIn(row['name'], ' '.join(texts[source][first:first + 2]))

    def test_beside_tables_of_instruments(self):
        """These name encoders and no shaders: nothing is joined, and all of both is there."""
        tables = real('xctrace')
        alone, joined = self.imported(tables), self.imported(tables, real('effort.metallib'))
        before, after = (self.table(file, 'routines') for file in (alone, joined))
        self.assertEqual(after[:len(before)], before)
        self.assertEqual(len(after), len(before) + 79)
        for table in 'dispatches', 'origins', 'submissions', 'submission_events':
            self.assertEqual(self.table(joined, table), self.table(alone, table))

    def test_flavours(self):
        for name, flavour in (('add.metallib', 'macOS 10.15, Metal 2.2, AIR 2.2'),
                              ('effort.metallib', 'macOS 14.4, Metal 3.1, AIR 2.6')):
            rows = self.table(self.imported(real(name)), 'routines')
            self.assertEqual({row['flavour'] for row in rows}, {flavour})


if __name__ == '__main__':
    tap_report.main(sys.argv[7:])
