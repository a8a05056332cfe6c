#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The extension in SQLite programs: sqlite3, and Python's module of that name.

    test-extension.py EXTENSION CORPUS [PRELOAD]
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

EXTENSION, CORPUS = map(os.path.abspath, sys.argv[1:3])
CAN_LOAD = hasattr(sqlite3.Connection, 'enable_load_extension')


@unittest.skipUnless(CAN_LOAD, "this Python's sqlite3 loads no extensions")
class Python(unittest.TestCase):
    def setUp(self):
        self.database = sqlite3.connect(':memory:')
        self.database.enable_load_extension(True)
        self.database.load_extension(EXTENSION)

    def tearDown(self):
        self.database.close()

    def ask(self, text, *values):
        return self.database.execute(text, values).fetchall()

    def test_open(self):
        self.assertEqual(self.ask('select weft_open(?)', CORPUS), [(CORPUS,)])
        n = self.ask('select count(*) from dispatches')[0][0]
        self.assertGreater(n, 100)
        self.assertEqual(self.ask('select sum(count) from lane_summary'), [(n,)])
        self.assertEqual(self.ask('select count(*) from named_dispatches'), [(n,)])
        self.assertEqual(self.ask('select sum(n) from (select count(*) n, p95(duration) from dispatches group by lane)'),
                         [(n,)])
        names = {name for name, in self.ask("select name from sqlite_temp_master where type in ('table', 'view')")}
        self.assertLessEqual({'dispatches', 'lanes', 'named_waits', 'routine_summary', 'weft_tables'}, names)
        self.assertEqual(self.ask('select handle from dispatches where id = 12'), [('d-12',)])

    def test_two_recordings(self):
        self.ask('select weft_open(?, ?)', CORPUS, 'a_')
        self.ask('select weft_open(?, ?)', CORPUS, 'b"\'_')
        self.assertEqual(self.ask('select count(*) from a_lanes x join "b""\'_lanes" y on x.id = y.id'),
                         self.ask('select count(*) from a_lanes'))

    def test_one_table(self):
        path = CORPUS.replace("'", "''")
        self.ask(f"create virtual table work using weft('{path}', 'dispatches')")
        self.ask(f"create virtual table lanes_of using weft_summary('{path}', lane_summary)")
        self.assertEqual(self.ask('select count(*) from work'), self.ask('select sum(count) from lanes_of'))

    def test_refusals(self):
        for text in ["select weft_open('/nonexistent.weft')", f"select weft_open('{EXTENSION}')", 'select weft_open(null)',
                     f"create virtual table x using weft('{CORPUS}', 'nothing')",
                     f"create virtual table x using weft('{CORPUS}')",
                     f"create virtual table x using weft_summary('{CORPUS}', 'dispatches')"]:
            with self.assertRaises(sqlite3.Error, msg=text):
                self.ask(text)
        self.ask('select weft_open(?)', CORPUS)
        for text in ['delete from dispatches', 'insert into lanes (id) values (1)', 'select weft_open(?)']:
            with self.assertRaises(sqlite3.Error, msg=text):
                self.ask(text, *([CORPUS] if '?' in text else []))

    def test_connections(self):
        """Loaded again, by others, and closed in between."""
        for _ in range(3):
            other = sqlite3.connect(':memory:')
            other.enable_load_extension(True)
            other.load_extension(EXTENSION)
            other.execute('select weft_open(?)', (CORPUS,))
            self.assertGreater(other.execute('select count(*) from dispatches').fetchone()[0], 0)
            other.close()

    def test_database_that_keeps_tables(self):
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(2):
                kept = sqlite3.connect(os.path.join(folder, 'kept.db'))
                kept.enable_load_extension(True)
                kept.load_extension(EXTENSION)
                kept.execute(f"create virtual table if not exists w using weft('{CORPUS}', 'lanes')")
                self.assertGreater(kept.execute('select count(*) from w').fetchone()[0], 0)
                kept.close()


@unittest.skipUnless(shutil.which('sqlite3'), 'sqlite3 is not installed')
class Shell(unittest.TestCase):
    def test_shell(self):
        done = subprocess.run(['sqlite3', ':memory:', f'.load {EXTENSION}', f"select weft_open('{CORPUS}')", '.tables',
                               'select name from lane_summary order by total desc limit 1'],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b'temp.dispatches', done.stdout)
        self.assertTrue(done.stdout.endswith(b'extremes\n'), done.stdout)


if __name__ == '__main__':
    sys.exit(tap_report.main())
