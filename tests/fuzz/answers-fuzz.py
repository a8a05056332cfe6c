#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asks everything of recordings that lie. Reports in TAP.

    answers-fuzz.py RECORDING [FILES [SEED]]

Values in the chunks of RECORDING are changed and the checksums made right again, so that readers
see sound chunks full of nonsense: ids of nothing, times of any size, circles, words out of range.
Each kind of analysis and some tables are asked, and how it compares with the sound one; an answer
or an error is right, anything else ends this program.
"""

import faulthandler
import os
import random
import struct
import sys
import tempfile
import time

import gi

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'store'))
from weft_reader import crc32c  # noqa: E402

gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, Weft  # noqa: E402

CHUNK, DIRECTORY_ENTRY = 64, 64
SIGNED, DOUBLE = (1, 3), 2  # types of values
WITH_VALUES = (4, 5, 6, 7)  # kinds of chunks: sealed, journal, summary, levels of detail
FILTERS = ('dur>1us', 'lane:worker*', 'status:error', 'fetch', 'counter:*>1', '-attachment:*', 'time:1ms..2ms',
           'function:~e', '-module:lib*', 'reason:lock', 'thread:worker or cpu:0')
HANDLES = {'target-dispatch': 'd-{}', 'target-source': 'd-{}', 'wakers': 't-{}', 'callers': '~e', 'annotate': 'churn'}
PATIENCE = 20  # seconds for one answer


def find_chunks(data):
    at = 64
    while data[at:at + 8] == b'\xf7WfChnk\n':
        kind, _, _, streams = struct.unpack_from('<HHHH', data, at + 8)
        size, = struct.unpack_from('<Q', data, at + 24)
        if kind in WITH_VALUES and streams:
            yield at, streams
        at += CHUNK + size


def widen(data, entry, kind):
    """Lets any value be within the stream's smallest and largest."""
    low, high = (-2 ** 63, 2 ** 63 - 1) if kind in SIGNED else (0, 2 ** 64 - 1)
    if kind == DOUBLE:
        low, high = struct.unpack('<qq', struct.pack('<dd', float('-inf'), float('inf')))
    struct.pack_into('<q' if kind in SIGNED or kind == DOUBLE else '<Q', data, entry + 40, low)
    struct.pack_into('<q' if kind in SIGNED or kind == DOUBLE else '<Q', data, entry + 48, high)


def lie(data, chunks, chance):
    """Changes a base, or stored bytes, of one stream."""
    at, streams = chance.choice(chunks)
    entry = at + CHUNK + DIRECTORY_ENTRY * chance.randrange(streams)
    compression, kind = data[entry + 3], data[entry + 5]
    offset, stored = struct.unpack_from('<QQ', data, entry + 16)
    widen(data, entry, kind)
    if stored == 0 or chance.random() < 0.4:
        struct.pack_into('<Q', data, entry + 56,
                         chance.choice((0, 1, chance.randrange(100), chance.getrandbits(32), chance.getrandbits(64),
                                        2 ** 63 - 1, 2 ** 63, 2 ** 64 - 1)))
    elif compression == 0:
        for _ in range(chance.choice((1, 3, 20))):
            data[at + offset + chance.randrange(stored)] = chance.randrange(256)
        struct.pack_into('<I', data, entry + 12, crc32c(bytes(data[at + offset:at + offset + stored])))
    struct.pack_into('<I', data, at + 56, crc32c(bytes(data[at + CHUNK:at + CHUNK + DIRECTORY_ENTRY * streams])))
    struct.pack_into('<I', data, at + 60, crc32c(bytes(data[at:at + 60])))


def answers(recording, chance):
    """Every question, as a function to call."""
    for kind in Weft.Analysis.list_kinds():
        analysis = Weft.Analysis.new(recording, kind)
        if kind in HANDLES:
            analysis.set_handle(HANDLES[kind].format(chance.choice((1, 2, chance.randrange(1, 900)))))
        if chance.random() < 0.3:
            analysis.set_filter(chance.choice(FILTERS))
        for words, choose in ((Weft.Analysis.kind_list_groups(kind), analysis.set_group_by),
                              (Weft.Analysis.kind_list_orders(kind), analysis.set_order_by)):
            if words and chance.random() < 0.3:
                choose(chance.choice([word for word in words if not word.endswith(':')]))
        if chance.random() < 0.3:
            analysis.set_inlines(True)
            analysis.set_excluded_symbols(['churn', '~schedule'])
        yield kind, lambda: analysis.run(None).to_json()
    comparison = Weft.Comparison.new()
    others = [recording, Weft.Recording.open(Gio.File.new_for_path(sys.argv[1]), None)]
    chance.shuffle(others)
    for side, other in zip((Weft.ComparisonSide.A, Weft.ComparisonSide.B), others):
        comparison.add_recording(side, other)
    if chance.random() < 0.3:
        comparison.set_filter(chance.choice(FILTERS))
    if chance.random() < 0.3:
        comparison.set_range(1000000, 200000000)
    yield 'compare', lambda: comparison.run(None).to_json()
    tables = Weft.Query.list_tables()
    for row in chance.sample(range(tables.get_n_rows()), 3):
        name = tables.get_string(0, row)
        yield name, lambda: Weft.Query.new(name).run(recording, None)


def ask_all(path, chance):
    """How many answers and errors came, and what took too long."""
    given = refused = 0
    slow = []
    try:
        recording = Weft.Recording.open(Gio.File.new_for_path(path), None)
    except GLib.Error:
        return 0, 1, slow
    for name, ask in answers(recording, chance):
        began = time.monotonic()
        try:
            ask()
            given += 1
        except GLib.Error:
            refused += 1
        if time.monotonic() - began > PATIENCE:
            slow.append(name)
    return given, refused, slow


def main():
    faulthandler.enable()
    with open(sys.argv[1], 'rb') as file:
        sound = file.read()
    files = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else int(time.time())
    chunks = list(find_chunks(sound))
    given = refused = 0
    slow = []
    print(f'1..2\n# seed {seed}, {files} files', flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'lying.weft')
        for number in range(files):
            chance = random.Random(seed * 1_000_003 + number)
            data = bytearray(sound)
            for _ in range(chance.choice((1, 1, 3, 10, 60))):
                lie(data, chunks, chance)
            with open(path, 'wb') as file:
                file.write(data)
            more = ask_all(path, chance)
            given, refused, slow = given + more[0], refused + more[1], slow + more[2]
    # Of nonsense alone, neither would be a test.
    print(f"{'ok' if given > files and refused > 0 else 'not ok'} 1 - {given} answers and {refused} errors")
    print(f"{'not ok' if slow else 'ok'} 2 - none took longer than {PATIENCE} s {' '.join(slow)}")
    return 0 if given > files and refused > 0 and not slow else 1


sys.exit(main())
