#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The unwinder's tables against readelf's reading of the same files: every row of every function.

    rules-test.py UNWIND_RULES [FILE…]

With files, compares those and prints the shares.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))

import tap_report  # noqa: E402

UNWIND_RULES = sys.argv[1]
HEX = re.compile(r'[0-9a-f]+ ')


def theirs(path):
    """(begin, end, [(address, CFA, {register: place})]) of each function, as readelf has them."""
    lines = subprocess.Popen(['readelf', '--debug-dump=frames-interp', path], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    cies, function, columns, rows = {}, None, [], []
    section = ''

    def done():
        if isinstance(function, tuple):
            begin, end, cie = function
            yield begin, end, rows or [(begin, *row[1:]) for row in cies.get(cie, [])[:1]]
        elif function is not None:
            cies[function] = rows

    for line in lines:
        if line.startswith('Contents of the'):
            section = line.split()[3]
        elif section != '.eh_frame':
            continue
        elif match := re.match(r'([0-9a-f]+) [0-9a-f]+ [0-9a-f]+ CIE', line):
            yield from done()
            function, rows = int(match[1], 16), []
        elif match := re.search(r' FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.([0-9a-f]+)', line):
            yield from done()
            function, rows = (int(match[2], 16), int(match[3], 16), int(match[1], 16)), []
        elif line.startswith('   LOC '):
            columns = line.split()[2:]
        elif HEX.match(line) and 'ZERO' not in line:
            # Another register is written "r5 (rdi)".
            words = re.sub(r'r\d+ \((\w+)\)', r'\1', line).split()
            if len(words) == len(columns) + 2:
                rows.append((int(words[0], 16), words[1], {
                    column: place for column, place in zip(columns, words[2:]) if place not in 'us'}))
    yield from done()


def ours(path):
    done = subprocess.run([UNWIND_RULES, path], text=True, capture_output=True, check=True)
    functions = {}
    rows = []
    for line in done.stdout.splitlines():
        words = line.split()
        if words[0] == 'F':
            rows = functions.setdefault((int(words[1], 16), int(words[2], 16)), [])
        else:
            rows.append((words[0] if words[0] == 'another' else int(words[0], 16), words[1],
                         dict(word.split('=') for word in words[2:] if '=' in word)))
    return functions, done.stderr.strip()


def merged(rows, end, is_x86):
    """Rows of which each says something new; those of no length are replaced by the next. Where an
    x86-64 row has no return address, there is no caller.
    """
    result = []
    for address, cfa, places in rows:
        if is_x86 and 'ra' not in places:
            cfa, places = 'end', {}
        if address == end:
            continue
        if result and result[-1][0] == address:
            result.pop()
        if not result or result[-1][1:] != (cfa, places):
            result.append((address, cfa, places))
    return result


def is_alike(expected, got):
    """Of AArch64, readelf shows no difference between a return address that was not touched and none."""
    if len(got) > len(expected):
        got = [row for row in got if row[1] != 'end']
    return len(expected) == len(got) and all(
        one == other or (other[1] == 'end' and 'ra' not in one[2]) for one, other in zip(expected, got))


def compare(path):
    """How many functions there are, and those of which we say something else."""
    machine = subprocess.run(['readelf', '-h', path], text=True, capture_output=True).stdout
    is_x86 = 'X86-64' in machine
    mine, size = ours(path)
    total, different = 0, []
    for begin, end, rows in theirs(path):
        if begin == end:
            continue
        total += 1
        expected = merged(rows, end, is_x86)
        got = merged(mine.get((begin, end), []), end, is_x86)
        if not is_alike(expected, got):
            different.append((begin, expected, got))
    return total, different, size


def show(different):
    begin, expected, got = different
    for row, (theirs_, ours_) in enumerate(zip(expected + [None] * len(got), got + [None] * len(expected))):
        if theirs_ != ours_:
            return f'{begin:#x} row {row}: readelf {theirs_}, we {ours_}'
    return f'{begin:#x}'


def find(*names):
    for name in names:
        if os.path.exists(name):
            return name
    return None


class Rules(unittest.TestCase):
    def check(self, path):
        if shutil.which('readelf') is None:
            self.skipTest('no readelf (package binutils)')
        if path is None:
            self.skipTest('no such file here')
        total, different, size = compare(path)
        print(f'# {path}: {total} functions, {total - len(different)} alike; {size}')
        self.assertGreater(total, 0)
        self.assertEqual([show(function) for function in different[:3]], [])

    def test_libc(self):
        self.check(find('/lib/x86_64-linux-gnu/libc.so.6', '/usr/lib64/libc.so.6'))

    def test_loader(self):
        self.check(find('/lib64/ld-linux-x86-64.so.2'))

    def test_python(self):
        self.check(os.path.realpath('/usr/bin/python3'))

    def test_sqlite(self):
        self.check(find('/usr/lib/x86_64-linux-gnu/libsqlite3.so.0'))

    def test_large_program(self):
        self.check(find('/usr/lib/gcc/x86_64-linux-gnu/12/cc1'))

    def rules_of(self, contents):
        with tempfile.NamedTemporaryFile() as file:
            file.write(contents)
            file.flush()
            return ours(file.name)[0]

    def without_index(self, contents):
        result = bytearray(contents)
        offset, count = struct.unpack_from('<Q', result, 32)[0], struct.unpack_from('<H', result, 56)[0]
        for header in range(offset, offset + 56 * count, 56):
            if struct.unpack_from('<I', result, header)[0] == 0x6474e550:  # PT_GNU_EH_FRAME
                result[header:header + 4] = bytes(4)
        return result

    def test_without_headers(self):
        """Found without section headers, without the index, and in .debug_frame: the same rules."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'shapes')
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'shapes.c')
            cc = ['cc', '-O2', '-fomit-frame-pointer', '-D_GNU_SOURCE', source, '-lpthread', '-o', path]
            subprocess.run(cc, check=True)
            with open(path, 'rb') as file:
                whole = bytearray(file.read())
            expected = self.rules_of(whole)
            self.assertGreater(len(expected), 15)

            no_sections = bytearray(whole)
            no_sections[40:48] = bytes(8)
            no_sections[60:64] = bytes(4)
            self.assertEqual(self.rules_of(no_sections), expected)

            no_index = self.without_index(whole)
            self.assertNotEqual(no_index, whole)
            self.assertEqual(self.rules_of(no_index), expected)
            self.assertEqual(self.rules_of(no_index[:4096]), {})

            subprocess.run([*cc, '-g', '-fno-asynchronous-unwind-tables', '-fno-exceptions'], check=True)
            subprocess.run(['objcopy', '--remove-section=.eh_frame', '--remove-section=.eh_frame_hdr', path],
                           check=True)
            with open(path, 'rb') as file:
                self.assertGreater(len(self.rules_of(self.without_index(file.read()))), 15)

    def test_aarch64(self):
        compiler = shutil.which('aarch64-linux-gnu-gcc')
        if compiler is None:
            self.skipTest('no aarch64-linux-gnu-gcc (package gcc-aarch64-linux-gnu)')
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'shapes')
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'shapes.c')
            for flags in (['-fomit-frame-pointer'], ['-mbranch-protection=standard'], ['-mno-omit-leaf-frame-pointer']):
                subprocess.run([compiler, '-O2', '-D_GNU_SOURCE', *flags, '-o', path, source, '-lpthread'], check=True)
                self.check(path)


if len(sys.argv) > 2:
    for file in sys.argv[2:]:
        all_of_it, others, told = compare(file)
        print(f'{file}: {all_of_it} functions, {100 * (all_of_it - len(others)) / max(all_of_it, 1):.3f} % alike; {told}')
        for other in others[:10]:
            print('  ' + show(other))
else:
    tap_report.main()
