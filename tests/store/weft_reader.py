# SPDX-License-Identifier: LGPL-2.1-or-later
"""A reader of .weft files, written from docs/file-format.md alone, to prove that it suffices.

weft_reader.py FILE           prints every row
weft_reader.py --compare DUMP compares with what the program DUMP (store-dump) prints
"""

import ctypes
import os
import struct
import subprocess
import sys
import tempfile

CHUNK_MAGIC = b"\xf7WfChnk\n"
SCHEMA, STRINGS, BLOB, SEALED, JOURNAL, SUMMARY, LOD, INDEX, END, DERIVED = range(1, 11)
MASK = (1 << 64) - 1
I64, F64, TIME, STRING = 1, 2, 3, 5
NULLABLE, IS_DERIVED, KEY = 1, 2, 4
SORTED = 1


def crc_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = (i >> 1) ^ (0x82F63B78 if i & 1 else 0)
        table.append(i)
    return table


CRC_TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def decompress(data, size):
    zstd = ctypes.CDLL("libzstd.so.1")
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(size)
    got = zstd.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)))
    if got != size:
        raise ValueError("a segment does not decompress")
    return out.raw


def align8(n):
    return (n + 7) & ~7


def half(data, at, n, width):
    """One half (at most 32 bits) of the numbers of a block."""
    groups = (n + 7) // 8
    size = (groups * width + 31) // 32 * 32
    words = struct.unpack_from("<%dI" % (size // 4), data, at)
    numbers = []
    for i in range(n):
        group, lane = divmod(i, 8)
        word, shift = divmod(group * width, 32)
        value = words[word * 8 + lane] >> shift
        if shift + width > 32:
            value |= words[(word + 1) * 8 + lane] << (32 - shift)
        numbers.append(value & ((1 << width) - 1))
    return numbers, at + size


def packed(data, at, count):
    """A packed stream: its numbers and where it ends."""
    begin = at
    reference, size, base_bytes = struct.unpack_from("<QIB", data, at)
    blocks = (count + 255) // 256
    at += 16
    widths = data[at : at + blocks]
    exceptions = data[at + blocks : at + 2 * blocks]
    logs = data[at + 2 * blocks : at + 3 * blocks]
    at += align8(3 * blocks)
    bases = [
        int.from_bytes(data[at + i * base_bytes : at + (i + 1) * base_bytes], "little")
        for i in range(blocks)
    ]
    at += align8(blocks * base_bytes)
    offsets = []
    for i in range(blocks):
        n = min(256, count - i * 256)
        low, at = half(data, at, n, min(widths[i], 32)) if widths[i] else ([0] * n, at)
        if widths[i] > 32:
            high, at = half(data, at, n, widths[i] - 32)
            low = [a | b << 32 for a, b in zip(low, high)]
        offsets.append(low)
    values = []
    for i in range(blocks):
        n, step = exceptions[i], 1 << logs[i]
        for j in range(n):
            place = data[at + j]
            high = int.from_bytes(data[at + n + j * step : at + n + (j + 1) * step], "little")
            offsets[i][place] += high << widths[i]
        at += n * (1 + step)
        base = reference + bases[i]
        values += [(base + offset) & MASK for offset in offsets[i]]
    return values, begin + size


class Chunk:
    def __init__(self, file, offset):
        file.seek(offset)
        header = file.read(64)
        if len(header) < 64 or header[:8] != CHUNK_MAGIC:
            raise ValueError("no chunk")
        (self.kind, self.version, self.table, n_streams, self.flags, self.rows, payload,
         self.first_row, self.sequence, self.extra, directory_crc, crc) = struct.unpack(
            "<HHHHIIQQQQII", header[8:])
        if crc32c(header[:60]) != crc:
            raise ValueError("bad header")
        self.data = header + file.read(payload)
        self.size = 64 + payload
        if len(self.data) < self.size:
            raise ValueError("cut")
        directory = self.data[64 : 64 + 64 * n_streams]
        if crc32c(directory) != directory_crc:
            raise ValueError("bad directory")
        self.streams = {}
        for i in range(n_streams):
            entry = struct.unpack_from("<HBBBBHIIQQQQQQ", directory, 64 * i)
            self.streams[entry[0]] = entry

    def raw(self, stream):
        (_, _, compression, _, _, _, _, crc, offset, stored, raw, _, _, _) = self.streams[stream]
        data = self.data[offset : offset + stored]
        if stored < 20000 and crc32c(data) != crc:  # pure Python: not for the long ones
            raise ValueError("bad segment")
        return decompress(data, raw) if compression else data

    def column(self, stream):
        """Values, and which of them are there."""
        (_, encoding, _, flags, _, partner, count, _, _, _, _, _, _, base) = self.streams[stream]
        if count == 0:
            return [], []
        data = self.raw(stream)
        at = 0
        present = [True] * count
        if flags & 1:
            at = (count + 63) // 64 * 8
            present = [bool(data[i // 8] >> (i % 8) & 1) for i in range(count)]
        return self.decode(encoding, data, at, count, base, partner), present

    def decode(self, encoding, data, at, count, base, partner):
        if encoding == 0:
            return [base] * count
        if encoding == 1:
            return [(base + i) & MASK for i in range(count)]
        if encoding == 2:
            return packed(data, at, count)[0]
        if encoding == 4:
            values = []
            for delta in packed(data, at, count)[0]:
                base = (base + delta) & MASK
                values.append(base)
            return values
        (n,) = struct.unpack_from("<Q", data, at)
        at += 8
        if encoding == 7:
            words = struct.unpack_from("<%dQ" % n, data, at)
            return [words[code] for code in packed(data, at + 8 * n, count)[0]]
        lengths, at = packed(data, at, n)
        if encoding == 3:
            words, at = packed(data, at, n)
            return [word for word, length in zip(words, lengths) for _ in range(length)]
        firsts, at = packed(data, at, n)
        deltas, at = packed(data, at, count)
        durations = self.column(partner)[0] if encoding == 6 else [0] * count
        values = []
        for first, length in zip(firsts, lengths):
            base = (base + first) & MASK
            values.append(base)
            for row in range(len(values), len(values) + length - 1):
                values.append((values[-1] + durations[row - 1] + deltas[row]) & MASK)
        return values


class Recording:
    def __init__(self, path):
        self.tables = {}
        self.derived = {}
        self.names = {}
        self.strings = []
        self.blobs = {}
        rows = {}
        with open(path, "rb") as file:
            header = file.read(64)
            if header[:8] != b"\x89WEFT\r\n\x1a" or crc32c(header[:60]) != struct.unpack("<I", header[60:])[0]:
                raise ValueError("not a recording")
            offset = struct.unpack("<I", header[12:16])[0]
            while True:
                try:
                    chunk = Chunk(file, offset)
                except ValueError:
                    break
                offset += chunk.size
                if chunk.kind == SCHEMA:
                    self.read_schema(chunk.raw(0).decode())
                elif chunk.kind == STRINGS:
                    self.strings += chunk.raw(0).decode().split("\0")[:-1]
                elif chunk.kind == BLOB:
                    self.blobs[chunk.first_row] = chunk.raw(0)
                elif chunk.kind in (SEALED, JOURNAL):
                    rows.setdefault(chunk.table, []).append(chunk)
                elif chunk.kind == DERIVED:
                    self.derived.setdefault(chunk.table, []).append(chunk)
        for chunks in self.derived.values():
            chunks.sort(key=lambda c: (c.version, c.sequence))
        for table, chunks in rows.items():
            sealed = [c for c in chunks if c.kind == SEALED]
            journals = [
                c for c in chunks if c.kind == JOURNAL and not any(
                    s.first_row < c.first_row + c.rows and c.first_row < s.first_row + s.rows
                    for s in sealed)
            ]
            self.tables[table] = sorted(sealed + journals, key=lambda c: c.first_row)

    def read_schema(self, text):
        for line in text.splitlines():
            words = line.split(" ")
            if words[0] == "table":
                table = self.names[int(words[1])] = (words[2], {})
            elif words[0] == "column":
                table[1][int(words[1])] = (words[2], int(words[3]), int(words[4]))

    def column(self, number, chunk, place):
        """A column of a chunk of rows: values, and which of them are there; None if all are
        nought."""
        columns = self.names[number][1]
        if not columns[place][2] & IS_DERIVED:
            return chunk.column(place) if place in chunk.streams else None
        decision = min(p for p, (_, _, flags) in columns.items() if flags & IS_DERIVED)
        by_id = {}
        for derived in self.derived.get(number, []):
            if (derived.first_row >= chunk.first_row + chunk.rows or
                    chunk.first_row >= derived.first_row + derived.rows or
                    decision not in derived.streams):
                continue
            values = derived.column(place)[0] if place in derived.streams else [0] * derived.rows
            for row, decided in enumerate(derived.column(decision)[0]):
                if decided:
                    by_id[derived.first_row + row] = values[row]
        ids = range(chunk.first_row, chunk.first_row + chunk.rows)
        if chunk.flags & SORTED:
            ids = chunk.column(min(p for p, c in columns.items() if c[2] & KEY))[0]
        return [by_id.get(i, 0) for i in ids], [True] * chunk.rows

    def lines(self):
        for text in self.strings:
            yield "string " + text
        for number, (name, columns) in sorted(self.names.items()):
            for chunk in self.tables.get(number, []):
                yield from self.chunk_lines(number, chunk)

    def rows(self, wanted):
        """The rows of a table as dictionaries of all its columns: strings as text, None where there
        is no value."""
        number, columns = next((number, columns) for number, (name, columns) in self.names.items()
                               if name == wanted)
        result = []
        for chunk in self.tables.get(number, []):
            rows = [{} for _ in range(chunk.rows)]
            for place, (column, kind, flags) in sorted(columns.items()):
                values, present = [0] * chunk.rows, [not flags & NULLABLE] * chunk.rows
                if found := self.column(number, chunk, place):
                    values, present = found
                for row, value, there in zip(rows, values, present):
                    row[column] = self.plain(kind, value) if there else None
            result += rows
        return result

    def plain(self, kind, value):
        if kind in (I64, TIME) and value >> 63:
            return value - (1 << 64)
        if kind == F64:
            return struct.unpack("<d", struct.pack("<Q", value))[0]
        if kind == STRING:
            return self.strings[value - 1] if value else ""
        return value

    def chunk_lines(self, number, chunk):
        name, columns = self.names[number]
        rows = [[name] for _ in range(chunk.rows)]
        for place, (column, kind, flags) in sorted(columns.items()):
            found = self.column(number, chunk, place)
            if found is None:
                continue
            values, present = found
            for row, value, there in zip(rows, values, present):
                if not there or (value == 0 and not flags & NULLABLE):
                    continue
                if kind in (I64, TIME) and value >> 63:
                    value -= 1 << 64
                row.append("%s=%d" % (column, value))
        for row in rows:
            yield " ".join(row)


def compare(dump, path, what):
    expected = subprocess.run([dump, path], check=True, capture_output=True).stdout.decode()
    expected = expected.splitlines()
    found = list(Recording(path).lines())
    encodings = set()
    for chunks in Recording(path).tables.values():
        for chunk in chunks:
            encodings |= {entry[1] for entry in chunk.streams.values()}
    for a, b in zip(expected, found):
        if a != b:
            print("# store: %s\n# here:  %s" % (a, b))
            break
    good = expected == found
    print("%s %s: %d lines, encodings %s" % ("ok" if good else "not ok", what, len(found),
                                             sorted(encodings)))
    return encodings if good else set()


def main():
    if sys.argv[1] != "--compare":
        for line in Recording(sys.argv[1]).lines():
            print(line)
        return
    print("1..5")
    dump = sys.argv[2]
    with tempfile.TemporaryDirectory() as directory:
        closed = os.path.join(directory, "closed.weft")
        growing = os.path.join(directory, "growing.weft")
        cut = os.path.join(directory, "cut.weft")
        subprocess.run([dump, "--make", closed], check=True)
        subprocess.run([dump, "--make-unfinished", growing], check=True)
        encodings = compare(dump, closed, "a closed file")
        encodings |= compare(dump, growing, "a growing file")
        with open(growing, "rb") as file:
            data = file.read()
        for i, length in enumerate((len(data) - 1, len(data) * 2 // 3)):
            with open(cut, "wb") as file:
                file.write(data[:length])
            compare(dump, cut, "a cut file %d" % i)
    good = encodings >= {0, 1, 2, 3, 4, 7} and encodings & {5, 6}
    print("%s encodings" % ("ok" if good else "not ok"))


if __name__ == "__main__":
    main()
