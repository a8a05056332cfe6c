#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The questions of store-bench and query-bench, asked of databases about a table of the same shape.

    query-peer.py sqlite FOLDER [ROWS]
    query-peer.py duckdb FOLDER [ROWS]      DUCKDB_LIBRARY is the path of libduckdb.so

Ten million rows of 8 lanes and 40 names, in a file in FOLDER. Prints lines `PEER.FIGURE VALUE UNIT`:
best of several runs, of one for what takes longer than a second.
"""

import ctypes
import os
import sqlite3
import sys
import time

# A lane's dispatches one after the other; durations spread over three orders of magnitude.
ROWS = ('SELECT i AS id, i % 8 AS lane, (i * 2654435761 >> 7) % 40 AS name, '
        '(i >> 3) * 2000 + i % 8 AS start, 200 + ((i * 40503 % 65536) * (i * 40503 % 65536) >> 16) AS duration')


class Sqlite:
    name = 'sqlite'
    make = ('WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows}) '
            + ROWS + ' FROM n')
    percentile = ('SELECT name, min(duration) FROM (SELECT name, duration, '
                  'row_number () OVER (PARTITION BY name ORDER BY duration) AS rank, '
                  'count (*) OVER (PARTITION BY name) AS of FROM dispatches) WHERE rank * 100 >= of * 95 GROUP BY name')

    def __init__(self, path):
        self.path = path
        self.connect()

    def connect(self):
        self.connection = sqlite3.connect(self.path)
        self.connection.execute('PRAGMA cache_size = -1000000')

    def ask(self, sql):
        return len(self.connection.execute(sql).fetchall())

    def close(self):
        self.connection.commit()
        self.connection.close()


class Duckdb:
    name = 'duckdb'
    make = ROWS + ' FROM (SELECT range AS i FROM range ({rows}))'
    percentile = 'SELECT name, quantile_disc (duration, 0.95) FROM dispatches GROUP BY name'

    def __init__(self, path):
        self.path = path
        self.library = ctypes.CDLL(os.environ['DUCKDB_LIBRARY'])
        self.library.duckdb_result_error.restype = ctypes.c_char_p
        self.library.duckdb_row_count.restype = ctypes.c_uint64
        self.connect()

    def connect(self):
        self.database = ctypes.c_void_p()
        self.connection = ctypes.c_void_p()
        if (self.library.duckdb_open(self.path.encode(), ctypes.byref(self.database))
                or self.library.duckdb_connect(self.database, ctypes.byref(self.connection))):
            sys.exit('duckdb: cannot open ' + self.path)

    def ask(self, sql):
        result = (ctypes.c_uint64 * 64)()  # larger than duckdb_result of any version
        failed = self.library.duckdb_query(self.connection, sql.encode(), result)
        rows = self.library.duckdb_row_count(result)
        error = self.library.duckdb_result_error(result)
        self.library.duckdb_destroy_result(result)
        if failed:
            sys.exit(f'duckdb: {error.decode()}')
        return rows

    def close(self):
        self.library.duckdb_disconnect(ctypes.byref(self.connection))
        self.library.duckdb_close(ctypes.byref(self.database))


def milliseconds(ask, expected):
    """The best of runs of a second in all, of at least one."""
    best = None
    end = time.monotonic() + 1
    while best is None or time.monotonic() < end:
        began = time.perf_counter()
        rows = ask()
        best = min(time.perf_counter() - began, best or 1e9)
        if expected is not None and rows != expected:
            sys.exit(f'{rows} rows in place of {expected}')
    return best * 1e3


def main():
    peer = {'sqlite': Sqlite, 'duckdb': Duckdb}[sys.argv[1]]
    path = os.path.join(sys.argv[2], f'peer.{peer.name}')
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000_000

    def say(figure, value, unit):
        print(f'{peer.name}.{figure} {value:.3f} {unit}', flush=True)

    database = peer(path)
    database.ask('CREATE TABLE dispatches AS ' + peer.make.format(rows=rows))
    database.close()
    say('row-bytes', os.path.getsize(path) / rows, 'B')
    began = time.perf_counter()
    database.connect()
    database.ask('SELECT max (id) FROM dispatches WHERE id = 5')
    say('open', (time.perf_counter() - began) * 1e3, 'ms')
    for figure, sql, expected in (
            ('group-by', 'SELECT name, count (*), sum (duration) FROM dispatches GROUP BY name', 40),
            ('top-100', 'SELECT id, duration FROM dispatches ORDER BY duration DESC, id LIMIT 100', 100),
            ('p95', peer.percentile, 40)):
        say(figure, milliseconds(lambda: database.ask(sql), expected), 'ms')
    database.close()
    os.unlink(path)


main()
