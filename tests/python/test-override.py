#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Python override on a recording of the corpus. Reports in TAP.

    test-override.py RECORDING
"""

import ctypes
import gc
import os
import subprocess
import sys
import unittest

import gi

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, Weft  # noqa: E402

try:
    import numpy
except ImportError:
    numpy = None

RECORDING = os.path.abspath(sys.argv[1])
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../docs/examples')
needs_numpy = unittest.skipIf(numpy is None, 'python3-numpy is not installed')


def address_of(data):
    """Of the memory of a GLib.Bytes, by GLib itself."""
    glib = ctypes.CDLL('libglib-2.0.so.0')
    glib.g_bytes_get_data.restype = ctypes.c_void_p
    glib.g_bytes_get_data.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    return glib.g_bytes_get_data(hash(data), None)


class Override(unittest.TestCase):
    def setUp(self):
        self.recording = Weft.open(RECORDING)

    def test_open_what_is_not_there(self):
        with self.assertRaises(GLib.Error) as raised:
            Weft.open('/nonexistent.weft')
        self.assertTrue(raised.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND))

    @needs_numpy
    def test_columns_are_not_copied(self):
        table = self.recording.query('dispatches')
        shared = 0
        for position, name in enumerate(table.columns):
            values = table.column(name).values
            data = table.get_column_data(position)
            if len(values):
                self.assertEqual(values.__array_interface__['data'], (address_of(data), True), name)
                shared += 1
        self.assertGreater(shared, 10)

    @needs_numpy
    def test_arrays_keep_the_memory(self):
        values = self.recording.query('dispatches', select=['duration'])['duration']
        copy = values.copy()
        gc.collect()
        junk = [bytes(len(copy) * 8) for _ in range(50)]
        self.assertTrue((values == copy).all())
        del junk

    @needs_numpy
    def test_arrays_are_read_only(self):
        values = self.recording.query('dispatches', select=['duration'])['duration']
        with self.assertRaises(ValueError):
            values[0] = 1

    @needs_numpy
    def test_types(self):
        table = self.recording.query('dispatches', select=['id', 'start', 'duration', 'status', 'routine.name'])
        self.assertEqual(table['start'].dtype, numpy.int64)
        self.assertEqual(table['duration'].dtype, numpy.uint64)
        self.assertIsInstance(table['routine_name'], list)
        self.assertLessEqual(set(table['status']), {'ok', 'error', 'canceled'})
        self.assertEqual(len(table), self.recording.get_n_rows('dispatches'))

    def test_nulls(self):
        table = self.recording.query('dispatches', select=['id', 'queue_wait'])
        rows = table.to_dicts()
        self.assertIn(None, [row['queue_wait'] for row in rows])
        self.assertTrue(any(row['queue_wait'] is not None for row in rows))
        for row, same in zip(table, rows):
            self.assertEqual(row['queue_wait'], same['queue_wait'])

    def test_handles(self):
        rows = self.recording.query('dispatches', select=['id'], limit=3).to_dicts()
        for row in rows:
            self.assertRegex(row['id'], r'^d-\d+$')
            self.assertEqual(self.recording[row['id']].get_handle(), row['id'])
        with self.assertRaises(GLib.Error):
            self.recording['d-999999999']

    def test_rows_are_mappings(self):
        row = self.recording.query('lanes', limit=1)[0]
        self.assertEqual(dict(row)['name'], row['name'])
        with self.assertRaises(KeyError) as raised:
            row['nonsense']
        self.assertIn('name', str(raised.exception))

    def test_groups(self):
        table = self.recording.query('dispatches', group_by=('routine.name', 'name'), order_by='-total',
                                     select=['count', ('sum(duration)', 'total')])
        totals = {}
        for row in self.recording.query('dispatches', select=['routine.name', 'duration']):
            count, total = totals.get(row['routine_name'], (0, 0))
            totals[row['routine_name']] = (count + 1, total + row['duration'])
        self.assertEqual({row['name']: (row['count'], row['total']) for row in table}, totals)
        found = [row['total'] for row in table]
        self.assertEqual(found, sorted(found, reverse=True))

    def test_pages(self):
        pages = [page['id'] for page in self.recording.pages('dispatches', limit=50, select=['id'])]
        self.assertTrue(all(len(page) <= 50 for page in pages))
        ids = [int(i) for page in pages for i in page]
        self.assertEqual(len(ids), self.recording.get_n_rows('dispatches'))
        self.assertEqual(len(set(ids)), len(ids))

    def test_answers_are_those_of_the_command_line(self):
        weft = os.environ['WEFT']
        for kind, arguments in (('target-top', ['target', 'top', '--by', 'p95']), ('show', ['show']),
                                ('diagnose', ['diagnose']), ('target-lanes', ['target', 'lanes'])):
            options = {'by': 'p95'} if kind == 'target-top' else {}
            printed = subprocess.run([weft, *arguments, '--json', RECORDING], check=True,
                                     stdout=subprocess.PIPE).stdout
            self.assertEqual(self.recording.ask(kind, **options).to_json(), __import__('json').loads(printed))

    def test_bad_questions(self):
        for bad in (dict(table='nonsense'), dict(table='dispatches', select=['nonsense']),
                    dict(table='dispatches', where='dur>>'), dict(table='dispatches', cursor='garbage')):
            with self.assertRaises(GLib.Error) as raised:
                self.recording.query(**bad)
            self.assertEqual(raised.exception.domain, 'weft-error-quark', bad)
        with self.assertRaises(GLib.Error):
            self.recording.ask('nonsense')

    def test_times(self):
        self.assertEqual(Weft.nanoseconds('1.5s'), 1_500_000_000)
        self.assertEqual(Weft.nanoseconds('20ms'), 20_000_000)
        self.assertEqual(Weft.nanoseconds(7), 7)
        with self.assertRaises(ValueError):
            Weft.nanoseconds('soon')

    def test_asynchronously(self):
        loop = GLib.MainLoop()
        found = []

        def ran(query, result):
            found.append(query.run_finish(result))
            loop.quit()

        query = Weft.Query.new('lanes')
        query.run_async(self.recording, None, None, None, ran)
        GLib.timeout_add_seconds(30, loop.quit)
        loop.run()
        self.assertEqual(len(found[0]), self.recording.get_n_rows('lanes'))

    def test_cancelled(self):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        with self.assertRaises(GLib.Error) as raised:
            self.recording.query('dispatches', cancellable=cancellable)
        self.assertTrue(raised.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))


class Examples(unittest.TestCase):
    def run_example(self, name, *arguments):
        done = subprocess.run([sys.executable, os.path.join(EXAMPLES, name), *arguments], timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def test_slowest_routines(self):
        printed = self.run_example('slowest-routines.py', RECORDING)
        self.assertIn('outlier', printed)
        self.assertRegex(printed, r'r-\d+ .* p95')

    @needs_numpy
    def test_queue_delay(self):
        printed = self.run_example('queue-delay.py', RECORDING)
        self.assertGreater(len(printed.splitlines()), 1)

    def test_watch(self):
        printed = self.run_example('watch.py', os.environ['WEFT_CORPUS'], '--no-drops')
        self.assertIn('dispatches', printed)


tap_report.main(sys.argv[2:])
