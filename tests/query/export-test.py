# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tables leave the library as they are: the Arrow files and the CSV files of the same tables, read by
Python, hold the same values.

    export-test.py EXPORT_TABLES [TEST…]
"""

import csv
import ctypes
import math
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import arrow_reader
import tap_report

LONG_ROWS = 150001
TYPES = {
    'unsigned': ('uint64', {'weft.type': 'uint64', 'weft.title': 'unsigned', 'weft.unit': 'bytes'}),
    'signed': ('int64', {'weft.type': 'int64', 'weft.title': 'signed'}),
    'double': ('double', {'weft.type': 'double', 'weft.title': 'A double, "quoted"'}),
    'time': ('int64', {'weft.type': 'time', 'weft.title': 'time', 'weft.unit': 'ns',
                       'weft.time': 'nanoseconds since the start of the recording'}),
    'duration': ('duration', {'weft.type': 'duration', 'weft.title': 'duration',
                              'weft.unit': 'ns'}),
    'string': ('utf8', {'weft.type': 'string', 'weft.title': 'string'}),
    'object': ('uint64', {'weft.type': 'id', 'weft.title': 'object', 'weft.prefix': 'd'}),
    'boolean': ('bool', {'weft.type': 'boolean', 'weft.title': 'boolean'}),
    'status': ('utf8', {'weft.type': 'enum', 'weft.title': 'status'}),
}

folder = None


def path(name, extension):
    return os.path.join(folder, f'{name}.{extension}')


def read_csv(name):
    with open(path(name, 'csv'), encoding='utf-8', newline='') as file:
        return list(csv.reader(file, strict=True))


def agrees(value, text, field):
    """Whether a value of the Arrow file is what the CSV file says."""
    if value is None:
        return text == ''
    if field.type == 'double':
        number = float(text)
        return (math.isnan(value) and math.isnan(number)) or (
            number == value and math.copysign(1, number) == math.copysign(1, value))
    if field.type == 'bool':
        return text == ('true' if value else 'false')
    if field.type == 'utf8':
        return text == value
    prefix = field.metadata.get('weft.prefix')
    return text == (f'{prefix}-{value}' if prefix else str(value))


class Export(unittest.TestCase):
    def compare(self, name):
        file = arrow_reader.File(path(name, 'arrow'))
        lines = read_csv(name)
        self.assertEqual(lines[0], [field.name for field in file.fields])
        self.assertEqual(len(lines) - 1, sum(file.batches))
        for column, field in enumerate(file.fields):
            for row, value in enumerate(file.columns[field.name]):
                if not agrees(value, lines[row + 1][column], field):
                    self.fail(f'{name}: row {row} of {field.name}: {value!r} and '
                              f'{lines[row + 1][column]!r}')
        return file

    def check_schema(self, file):
        self.assertEqual({field.name: (field.type, field.metadata) for field in file.fields}, TYPES)
        self.assertTrue(all(field.nullable for field in file.fields))
        self.assertEqual([field.name for field in file.fields if field.dictionary is not None],
                         ['string', 'status'])

    def test_types(self):
        file = self.compare('types')
        self.check_schema(file)
        self.assertEqual(file.metadata, {'weft.table': 'types', 'weft.cursor': 'next'})
        self.assertEqual(file.batches, [20])
        columns = file.columns
        self.assertEqual(columns['unsigned'][16:19], [2**64 - 1, None, 3])
        self.assertEqual(columns['signed'][8], -2**63 + 8)
        self.assertEqual(columns['double'][4], 5e-324)
        self.assertEqual(columns['time'][16], -(2**63 - 1))
        self.assertEqual(columns['string'][:6],
                         ['plain', 'a,b', 'say "hi"', 'two\r\nlines', '=1+1', ''])
        self.assertEqual(columns['string'][16], '"' * 2**20)
        self.assertIsNone(columns['string'][19])
        self.assertIsNone(columns['object'][0])
        self.assertEqual(columns['status'][:3] + columns['status'][17:],
                         ['ok', 'canceled', 'error', None, '77', '77'])
        self.assertEqual(file.dictionaries[8], ['ok', 'error', 'canceled', '77'])

    def test_empty(self):
        file = self.compare('empty')
        self.check_schema(file)
        self.assertEqual(file.batches, [])
        self.assertEqual(file.metadata,
                         {'weft.table': 'empty', 'weft.hint': 'Nothing was recorded.'})

    def test_nothing(self):
        file = arrow_reader.File(path('nothing', 'arrow'))
        self.assertEqual((file.fields, file.batches), ([], []))
        with open(path('nothing', 'csv'), 'rb') as text:
            self.assertEqual(text.read(), b'\r\n')

    def test_nulls(self):
        file = self.compare('nulls')
        self.check_schema(file)
        self.assertEqual(file.batches, [13])
        for values in file.columns.values():
            self.assertEqual(values, [None] * 13)

    def test_long(self):
        file = self.compare('long')
        self.assertEqual(file.batches, [65536, 65536, LONG_ROWS - 2 * 65536])
        for i, value in enumerate(file.columns['unsigned']):
            if value != (None if i % 7 == 0 else i):
                self.fail(f'row {i}: {value}')


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


Schema._fields_ = [
    ('format', ctypes.c_char_p), ('name', ctypes.c_char_p), ('metadata', ctypes.c_void_p),
    ('flags', ctypes.c_int64), ('n_children', ctypes.c_int64),
    ('children', ctypes.POINTER(ctypes.POINTER(Schema))), ('dictionary', ctypes.POINTER(Schema)),
    ('release', ctypes.CFUNCTYPE(None, ctypes.POINTER(Schema))), ('private', ctypes.c_void_p)]
Array._fields_ = [
    ('length', ctypes.c_int64), ('null_count', ctypes.c_int64), ('offset', ctypes.c_int64),
    ('n_buffers', ctypes.c_int64), ('n_children', ctypes.c_int64),
    ('buffers', ctypes.POINTER(ctypes.c_void_p)),
    ('children', ctypes.POINTER(ctypes.POINTER(Array))), ('dictionary', ctypes.POINTER(Array)),
    ('release', ctypes.CFUNCTYPE(None, ctypes.POINTER(Array))), ('private', ctypes.c_void_p)]


def words_of(array):
    ends = (ctypes.c_int32 * (array.length + 1)).from_address(array.buffers[1])
    text = ctypes.string_at(array.buffers[2], ends[array.length])
    return [text[ends[i]:ends[i + 1]].decode() for i in range(array.length)]


def is_valid(array, row):
    if not array.buffers[0]:
        return True
    byte = (ctypes.c_uint8).from_address(array.buffers[0] + row // 8).value
    return bool(byte >> row % 8 & 1)


class InMemory(unittest.TestCase):
    """Arrow's C data interface as a script sees it: through introspection and ctypes."""

    def setUp(self):
        try:
            import gi
        except ImportError:
            self.skipTest('needs python3-gi')
        if 'GI_TYPELIB_PATH' not in os.environ:
            self.skipTest('this build has no Weft-1.typelib that Python can load')
        gi.require_version('Weft', '1')
        from gi.repository import Weft
        self.table = Weft.Filter.list_fields()

    def export(self):
        array = Array()
        schema = Schema()
        self.assertTrue(self.table.export_arrow_c(ctypes.addressof(array),
                                                  ctypes.addressof(schema)))
        return array, schema

    def check_column(self, array, schema, column):
        name = schema.name.decode()
        self.assertEqual(name, self.table.get_column_name(column))
        if array.dictionary:
            self.assertEqual(schema.format, b'i')
            self.assertEqual(schema.dictionary.contents.format, b'u')
            words = words_of(array.dictionary.contents)
            indices = (ctypes.c_int32 * array.length).from_address(array.buffers[1])
        nulls = 0
        for row in range(array.length):
            self.assertEqual(is_valid(array, row), not self.table.is_null(column, row))
            nulls += not is_valid(array, row)
            if is_valid(array, row) and array.dictionary:
                self.assertEqual(words[indices[row]], self.table.get_string(column, row))
        self.assertEqual(array.null_count, nulls)

    def test_columns(self):
        array, schema = self.export()
        self.assertEqual((schema.format, schema.n_children), (b'+s', self.table.get_n_columns()))
        self.assertEqual((array.length, array.offset), (self.table.get_n_rows(), 0))
        for i in range(array.n_children):
            self.check_column(array.children[i].contents, schema.children[i].contents, i)
        self.assertEqual(schema.children[3].contents.format, b'b')
        array.release(array)
        schema.release(schema)
        self.assertFalse(array.release)
        self.assertFalse(schema.release)

    def test_outlives_table(self):
        array, schema = self.export()
        expected = self.table.get_string(0, 5)
        self.table = None
        child = array.children[0].contents
        indices = (ctypes.c_int32 * child.length).from_address(child.buffers[1])
        self.assertEqual(words_of(child.dictionary.contents)[indices[5]], expected)
        array.release(array)
        schema.release(schema)


if __name__ == '__main__':
    csv.field_size_limit(2**24)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        tap_report.main(sys.argv[2:])
