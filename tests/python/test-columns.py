#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Columns as arrays over the tables' own memory, with numpy and without. Reports in TAP.

    test-columns.py RECORDING
"""

import ctypes
import gc
import sys
import unittest
from unittest import mock

from corpus_case import Case, Weft, main, needs_numpy, numpy

try:
    import pandas
except ImportError:
    pandas = None


def address_of(data):
    """Of the memory of a GLib.Bytes, by GLib itself."""
    glib = ctypes.CDLL('libglib-2.0.so.0')
    glib.g_bytes_get_data.restype = ctypes.c_void_p
    glib.g_bytes_get_data.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    return glib.g_bytes_get_data(hash(data), None)


class Columns(Case):
    def tables(self):
        """All that was recorded, and some of what is only computed."""
        for row in Weft.Query.list_tables():
            yield self.recording.query(row['table'])
        yield self.recording.query('dispatches', group_by='lane', select=['mean(duration)', 'max(queue_wait)'])
        yield Weft.Filter.list_fields()

    def columns(self):
        for table in self.tables():
            for position, name in enumerate(table.columns):
                yield table, position, table.column(name)

    @needs_numpy
    def test_nothing_is_copied(self):
        types = set()
        for table, position, column in self.columns():
            data = table.get_column_data(position)
            self.assertEqual(len(column.values), len(table))
            if len(table):
                self.assertEqual(column.values.__array_interface__['data'], (address_of(data), True), column)
                self.assertFalse(column.values.flags.owndata)
                types.add(column.type)
        self.assertEqual(types, {getattr(Weft.ValueType, name) for name in vars(Weft.ValueType) if name.isupper()})

    @needs_numpy
    def test_validity_is_not_copied(self):
        bitmaps = 0
        for table, position, column in self.columns():
            validity = table.get_column_validity(position)
            if validity is not None and len(table):
                view = Weft.bytes_view(validity)
                self.assertEqual(numpy.frombuffer(view, 'B').__array_interface__['data'][0], address_of(validity))
                self.assertTrue(view.readonly)
                self.assertGreaterEqual(len(view) * 8, len(table))
                bitmaps += 1
        self.assertGreater(bitmaps, 20)

    def check_values(self):
        """Columns, rows and the table's own functions say the same, value by value."""
        missing = present = 0
        for table, position, column in self.columns():
            values = column.to_list()
            self.assertEqual(len(values), len(table))
            for row, value in list(enumerate(values))[-200:]:
                variant = table.get_variant(position, row)
                expected = None if variant is None else variant.unpack()
                if value == value:  # not NaN
                    self.assertEqual(value, expected, f'{column} {row}')
                self.assertEqual(value is None, table.is_null(position, row))
                missing += value is None
                present += value is not None
        self.assertGreater(missing, 500)
        self.assertGreater(present, 5000)

    @needs_numpy
    def test_values(self):
        self.check_values()

    def test_values_without_numpy(self):
        with mock.patch.dict(sys.modules, {'numpy': None}):
            self.check_values()

    def test_without_numpy(self):
        with mock.patch.dict(sys.modules, {'numpy': None}):
            table = self.recording.query('dispatches', select=['id', 'start', 'duration', 'status', 'queue_wait'])
            self.assertIsInstance(table['duration'], memoryview)
            self.assertEqual((table['duration'].format, table['start'].format), ('Q', 'q'))
            self.assertTrue(table['start'].readonly)
            self.assertEqual(table['start'][5], table[5]['start'])
            self.assertEqual(len(table.column('queue_wait').valid), len(table))
            self.assertIsInstance(Weft.Filter.list_fields()['keyed'][0], bool)
            empty = self.recording.query('dispatches', where='dur>1h', select=['duration', 'status'])
            self.assertEqual((len(empty['duration']), empty['status']), (0, []))
            for part in self.recording.query('dispatches', select=['duration']).to_dicts():
                self.assertIsInstance(part['duration'], int)

    @needs_numpy
    def test_arrays_outlive_tables(self):
        values = self.recording.query('dispatches', select=['duration'])['duration']
        copy = values.copy()
        self.recording = None
        gc.collect()
        junk = [bytes(len(copy) * 8) for _ in range(50)]
        self.assertTrue((values == copy).all())
        del junk

    def test_tables_outlive_recordings(self):
        table = self.recording.query('lanes')
        rows = table.to_dicts()
        row = table[0]
        self.recording = None
        gc.collect()
        self.assertEqual(table.to_dicts(), rows)
        del table
        gc.collect()
        self.assertEqual(dict(row), rows[0])

    @needs_numpy
    def test_arrays_are_read_only(self):
        values = self.recording.query('dispatches', select=['duration'])['duration']
        with self.assertRaises(ValueError):
            values[0] = 1
        with self.assertRaises(ValueError):
            values.flags.writeable = True

    @needs_numpy
    def test_types(self):
        table = self.recording.query('dispatches', select=['id', 'start', 'duration', 'status', 'routine.name'])
        self.assertEqual(table['start'].dtype, numpy.int64)
        self.assertEqual(table['duration'].dtype, numpy.uint64)
        self.assertEqual(Weft.Filter.list_fields()['keyed'].dtype, numpy.bool_)
        self.assertIsInstance(table['routine_name'], list)
        self.assertLessEqual(set(table['status']), {'ok', 'error', 'canceled'})
        self.assertEqual(len(table), self.recording.get_n_rows('dispatches'))

    @needs_numpy
    def test_what_columns_say(self):
        table = self.recording.query('dispatches', select=['id', 'duration', 'status', 'queue_wait'])
        ids, durations, statuses, waits = map(table.column, table.columns)
        self.assertEqual((ids.prefix, ids.words, ids.type), ('d', None, Weft.ValueType.ID))
        self.assertEqual(durations.unit, 'ns')
        self.assertIsNone(durations.valid)
        self.assertEqual([statuses.words[number] for number in statuses.values], table['status'])
        self.assertEqual(waits.valid.dtype, numpy.bool_)
        self.assertEqual(list(waits.valid), [row['queue_wait'] is not None for row in table])
        with self.assertRaises(KeyError) as raised:
            table['nonsense']
        self.assertIn('queue_wait', str(raised.exception))

    @unittest.skipIf(pandas is None, 'python3-pandas is not installed')
    def test_pandas(self):
        table = self.recording.query('dispatches', select=['id', 'duration', 'status', 'queue_wait'])
        frame = table.to_pandas()
        self.assertEqual(list(frame.columns), table.columns)
        self.assertEqual(frame['duration'].tolist(), table['duration'].tolist())
        self.assertEqual(frame['status'].tolist(), table['status'])
        self.assertEqual(frame['queue_wait'].isna().tolist(), (~table.column('queue_wait').valid).tolist())


main()
