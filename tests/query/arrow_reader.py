# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads Arrow files with nothing but Python: written from the format's documents, not from our writer.

It is strict: what is out of place, out of order or unaligned raises.
"""

import struct

MAGIC = b'ARROW1'


class Table:
    """A FlatBuffers table."""

    def __init__(self, data, position):
        self.data = data
        self.position = position
        assert position % 4 == 0, 'table is not aligned'
        vtable = position - self.number('<i', position)
        size, self.table_size = struct.unpack_from('<HH', data, vtable)
        assert vtable >= 0 and vtable % 2 == 0 and size >= 4 and size % 2 == 0
        self.slots = struct.unpack_from(f'<{(size - 4) // 2}H', data, vtable + 4)

    def number(self, form, position):
        size = struct.calcsize(form)
        assert position % size == 0, f'{form} at {position} is not aligned'
        return struct.unpack_from(form, self.data, position)[0]

    def place(self, slot):
        offset = self.slots[slot] if slot < len(self.slots) else 0
        assert offset < self.table_size
        return self.position + offset if offset else None

    def scalar(self, slot, form, default=0):
        place = self.place(slot)
        return default if place is None else self.number(form, place)

    def follow(self, slot):
        place = self.place(slot)
        return None if place is None else place + self.number('<I', place)

    def table(self, slot):
        place = self.follow(slot)
        return None if place is None else Table(self.data, place)

    def string(self, slot):
        place = self.follow(slot)
        if place is None:
            return None
        length = self.number('<I', place)
        assert self.data[place + 4 + length] == 0, 'string has no end'
        return bytes(self.data[place + 4:place + 4 + length]).decode()

    def tables(self, slot):
        place = self.follow(slot)
        if place is None:
            return []
        count = self.number('<I', place)
        elements = [place + 4 + 4 * i for i in range(count)]
        return [Table(self.data, at + self.number('<I', at)) for at in elements]

    def structs(self, slot, form):
        place = self.follow(slot)
        if place is None:
            return []
        count = self.number('<I', place)
        size = struct.calcsize(form)
        assert (place + 4) % 8 == 0, 'structs are not aligned'
        return [struct.unpack_from(form, self.data, place + 4 + size * i) for i in range(count)]

    def pairs(self, slot):
        return {pair.string(0): pair.string(1) for pair in self.tables(slot)}


def root(data):
    return Table(data, struct.unpack_from('<I', data, 0)[0])


class Field:
    TYPES = {2: 'int', 3: 'double', 5: 'utf8', 6: 'bool', 18: 'duration'}

    def __init__(self, table):
        self.name = table.string(0)
        self.nullable = bool(table.scalar(1, '<B'))
        self.type = self.TYPES[table.scalar(2, '<B')]
        detail = table.table(3)
        if self.type == 'int':
            assert detail.scalar(0, '<i') == 64
            self.type = 'int64' if detail.scalar(1, '<B') else 'uint64'
        elif self.type == 'double':
            assert detail.scalar(0, '<h') == 2
        elif self.type == 'duration':
            assert detail.scalar(0, '<h', 1) == 3, 'not nanoseconds'
        self.dictionary = None
        encoding = table.table(4)
        if encoding is not None:
            self.dictionary = encoding.scalar(0, '<q')
            index = encoding.table(1)
            assert (index.scalar(0, '<i'), index.scalar(1, '<B')) == (32, 1)
        assert table.tables(5) == [] and table.place(5) is not None
        self.metadata = table.pairs(6)

    def __eq__(self, other):
        return self.__dict__ == other.__dict__


class Batch:
    """A record batch and its body."""

    def __init__(self, table, body):
        self.length = table.scalar(0, '<q')
        self.nodes = table.structs(1, '<qq')
        self.buffers = table.structs(2, '<qq')
        self.body = body
        end = 0
        for offset, length in self.buffers:
            assert offset >= end and offset % 8 == 0 and offset + length <= len(body)
            end = offset + length

    def buffer(self, position):
        offset, length = self.buffers[position]
        return self.body[offset:offset + length]


def bits(data, count):
    assert len(data) == (count + 7) // 8
    return [data[i // 8] >> (i % 8) & 1 for i in range(count)]


def read_words(batch):
    assert batch.nodes == [(batch.length, 0)] and len(batch.buffers) == 3
    assert len(batch.buffer(0)) == 0
    ends = struct.unpack(f'<{batch.length + 1}i', batch.buffer(1))
    text = bytes(batch.buffer(2))
    assert ends[0] == 0 and ends[-1] == len(text) and list(ends) == sorted(ends)
    return [text[ends[i]:ends[i + 1]].decode() for i in range(batch.length)]


def read_column(field, batch, position, dictionaries):
    length, nulls = batch.nodes[position]
    assert length == batch.length
    validity = batch.buffer(2 * position)
    valid = bits(validity, length) if len(validity) else [1] * length
    assert valid.count(0) == nulls, f'{field.name}: {valid.count(0)} nulls, {nulls} told'
    data = batch.buffer(2 * position + 1)
    if field.type == 'bool':
        values = [bool(bit) for bit in bits(data, length)]
    else:
        form = {'uint64': 'Q', 'int64': 'q', 'duration': 'q', 'double': 'd', 'utf8': 'i'}[field.type]
        values = struct.unpack(f'<{length}{form}', data)
    if field.dictionary is not None:
        words = dictionaries[field.dictionary]
        values = [words[value] if there else None for value, there in zip(values, valid)]
    return [value if there else None for value, there in zip(values, valid)]


class File:
    """fields, metadata, columns by name (None is null), batches: rows of each."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.data = memoryview(file.read())
        assert self.data[:8] == MAGIC + b'\0\0' and self.data[-6:] == MAGIC
        size = struct.unpack_from('<i', self.data, len(self.data) - 10)[0]
        footer = root(self.data[len(self.data) - 10 - size:len(self.data) - 10])
        assert footer.scalar(0, '<h') == 4, 'not version 5 of the metadata'
        self.read_schema(footer.table(1))
        blocks = footer.structs(2, '<qi4xq') + footer.structs(3, '<qi4xq')
        messages = self.read_stream(len(self.data) - 10 - size)
        assert [place for place, _, _ in messages[1:]] == blocks, 'the footer tells other places'
        self.read_messages(messages, len(footer.structs(2, '<qi4xq')))

    def read_schema(self, schema):
        assert schema.scalar(0, '<h') == 0, 'not little-endian'
        self.fields = [Field(table) for table in schema.tables(1)]
        self.metadata = schema.pairs(2)

    def read_stream(self, end):
        """The messages as a reader sees them that goes from the start, up to the end mark."""
        messages = []
        at = 8
        while True:
            mark, size = struct.unpack_from('<II', self.data, at)
            assert mark == 0xffffffff and at % 8 == 0
            if size == 0:
                assert at + 8 == end
                return messages
            assert size % 8 == 0
            message = root(self.data[at + 8:at + 8 + size])
            assert message.scalar(0, '<h') == 4
            body = message.scalar(3, '<q')
            assert body % 8 == 0
            messages.append(((at, size + 8, body), message,
                             self.data[at + 8 + size:at + 8 + size + body]))
            at += 8 + size + body

    def read_messages(self, messages, n_dictionaries):
        kinds = [message.scalar(1, '<B') for _, message, _ in messages]
        assert kinds == [1] + [2] * n_dictionaries + [3] * (len(kinds) - 1 - n_dictionaries)
        schema = messages[0][1].table(2)
        assert [Field(table) for table in schema.tables(1)] == self.fields
        dictionaries = {}
        for _, message, body in messages[1:1 + n_dictionaries]:
            header = message.table(2)
            assert header.scalar(2, '<B') == 0, 'a delta'
            dictionaries[header.scalar(0, '<q')] = read_words(Batch(header.table(1), body))
        self.dictionaries = dictionaries
        self.batches = []
        self.columns = {field.name: [] for field in self.fields}
        for _, message, body in messages[1 + n_dictionaries:]:
            batch = Batch(message.table(2), body)
            assert len(batch.buffers) == 2 * len(self.fields)
            self.batches.append(batch.length)
            for i, field in enumerate(self.fields):
                self.columns[field.name] += read_column(field, batch, i, dictionaries)
