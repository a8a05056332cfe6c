#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tables in Arrow's capsules: who releases what, and when. Reports in TAP.

    test-arrow.py RECORDING
"""

import ctypes
import gc
import subprocess
import sys
import unittest
import unittest.mock

from corpus_case import RECORDING, Case, GLib, Weft, main

try:
    import pyarrow
except ImportError:
    pyarrow = None

RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Schema(ctypes.Structure):
    _fields_ = [('format', ctypes.c_char_p), ('name', ctypes.c_char_p), ('metadata', ctypes.c_void_p),
                ('flags', ctypes.c_int64), ('n_children', ctypes.c_int64),
                ('children', ctypes.POINTER(ctypes.c_void_p)), ('dictionary', ctypes.c_void_p),
                ('release', ctypes.c_void_p), ('private', ctypes.c_void_p)]


class Array(ctypes.Structure):
    _fields_ = [('length', ctypes.c_int64), ('null_count', ctypes.c_int64), ('offset', ctypes.c_int64),
                ('n_buffers', ctypes.c_int64), ('n_children', ctypes.c_int64),
                ('buffers', ctypes.POINTER(ctypes.c_void_p)), ('children', ctypes.POINTER(ctypes.c_void_p)),
                ('dictionary', ctypes.c_void_p), ('release', ctypes.c_void_p), ('private', ctypes.c_void_p)]


pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ('PyCapsule_GetPointer', ctypes.pythonapi))


def structures(capsules):
    schema, array = capsules
    return (Schema.from_address(pointer_of(schema, b'arrow_schema')),
            Array.from_address(pointer_of(array, b'arrow_array')))


def count_releases(structure, calls):
    """Calls what was to be called, and counts."""
    original = RELEASE(structure.release)

    def release(address):
        calls.append(address)
        original(address)

    counted = RELEASE(release)
    structure.release = ctypes.cast(counted, ctypes.c_void_p).value
    return counted


class Capsules(Case):
    def setUp(self):
        super().setUp()
        self.table = self.recording.query('dispatches', select=['duration', 'status'])

    def test_contents(self):
        capsules = self.table.__arrow_c_array__()
        schema, array = structures(capsules)
        self.assertEqual((schema.format, schema.n_children), (b'+s', 2))
        self.assertEqual((array.length, array.n_children), (len(self.table), 2))
        duration = Array.from_address(array.children[0])
        values = (ctypes.c_uint64 * len(self.table)).from_address(duration.buffers[1])
        self.assertEqual(list(values), self.table.column('duration').to_list())
        self.assertEqual(Schema.from_address(schema.children[0]).name, b'duration')

    def test_names_of_capsules(self):
        schema, array = self.table.__arrow_c_array__()
        for capsule, other in ((schema, b'arrow_array'), (array, b'arrow_schema')):
            with self.assertRaises(ValueError):
                pointer_of(capsule, other)

    def test_what_nobody_took_is_released_once(self):
        capsules = self.table.__arrow_c_array__()
        calls, keep = [], []
        for structure in structures(capsules):
            keep.append(count_releases(structure, calls))
        del structure
        self.assertEqual(calls, [])
        del capsules
        gc.collect()
        self.assertEqual(len(calls), 2)
        self.assertEqual(len(set(calls)), 2)

    def test_what_was_taken_is_not_released_again(self):
        capsules = self.table.__arrow_c_array__()
        calls, keep, taken = [], [], []
        for structure in structures(capsules):
            keep.append(count_releases(structure, calls))
            # Taking is a copy of the structure that leaves no release function behind.
            copy = type(structure)()
            ctypes.memmove(ctypes.addressof(copy), ctypes.addressof(structure), ctypes.sizeof(structure))
            structure.release = None
            taken.append(copy)
        del structure
        self.table = None
        del capsules
        gc.collect()
        self.assertEqual(calls, [])
        schema, array = taken
        duration = Array.from_address(array.children[0])
        same = self.recording.query('dispatches', select=['duration']).column('duration').to_list()
        self.assertEqual(list((ctypes.c_uint64 * array.length).from_address(duration.buffers[1])), same)
        for structure in taken:
            RELEASE(structure.release)(ctypes.addressof(structure))
            self.assertIsNone(structure.release)
        self.assertEqual(len(calls), 2)

    def test_many(self):
        for _ in range(200):
            structures(self.table.__arrow_c_array__())
        gc.collect()

    def test_failure(self):
        with unittest.mock.patch.object(type(self.table), 'export_arrow_c', side_effect=GLib.Error('none')):
            with self.assertRaises(GLib.Error):
                self.table.__arrow_c_array__()
        gc.collect()

    def test_at_the_end_of_the_interpreter(self):
        """A capsule that is still there when modules are gone."""
        program = ('import gi, sys\n'
                   "gi.require_version('Weft', '1')\n"
                   'from gi.repository import Weft\n'
                   "sys.kept = Weft.open(sys.argv[1]).query('dispatches').__arrow_c_array__()\n"
                   'import builtins\n'
                   'builtins.kept = sys.kept\n')
        done = subprocess.run([sys.executable, '-c', program, RECORDING], stderr=subprocess.PIPE, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b''))

    @unittest.skipIf(pyarrow is None, 'pyarrow is not installed')
    def test_pyarrow(self):
        batch = pyarrow.record_batch(self.table)
        self.assertEqual(batch.column('duration').to_pylist(), self.table.column('duration').to_list())
        self.assertEqual(batch.column('status').to_pylist(), self.table['status'])


main()
