#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes C of model.toml.

    generate-model.py fields model.toml OUTPUT.c    the tables and fields, for weft-model.h
"""

import re
import sys
import tomllib

VALUE_TYPES = {
    'U64': 'UINT64', 'I64': 'INT64', 'F64': 'DOUBLE', 'TIME': 'TIME', 'DURATION': 'DURATION',
    'STRING': 'STRING', 'BLOB': 'ID', 'ID': 'ID', 'ENUM': 'ENUM', 'BOOL': 'BOOLEAN',
}


def words(camel):
    """SubmissionEventKind → submission_event_kind"""
    return re.sub(r'(?<!^)(?=[A-Z])', '_', camel).lower()


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"' if text else 'NULL'


class Model:
    def __init__(self, path):
        with open(path, 'rb') as file:
            self.tables = tomllib.load(file)

    def column(self, table, name):
        return f'WEFT_{table}_{name}'.upper()

    def computation(self, table, text):
        """The initialisers of a computed field."""
        sum_of = re.fullmatch(r'(\w+) ([+-]) (\w+)', text)
        if sum_of:
            first, sign, second = sum_of.groups()
            kind = 'SUM' if sign == '+' else 'DIFFERENCE'
            return {'computed': f'WEFT_COMPUTED_{kind}', 'first': self.column(table, first),
                    'second': self.column(table, second)}
        bit = re.fullmatch(r'(\w+) & (\d+)', text)
        if bit:
            return {'computed': 'WEFT_COMPUTED_BIT', 'first': self.column(table, bit[1]),
                    'mask': bit[2]}
        number = re.fullmatch(r'number \((\w+), (?:(\w+)\.)?(\w+)\)', text)
        if not number:
            sys.exit(f'{table}: no such computation: {text}')
        bits, through, kind = number.groups()
        found = {'computed': 'WEFT_COMPUTED_NUMBER', 'first': self.column(table, bits)}
        if through:
            found['through'] = self.column(table, through)
            field = next(f for f in self.tables[table]['fields'] if f['name'] == through)
            table = field['reference']
        found['second'] = self.column(table, kind)
        return found

    def field(self, table, field):
        members = {
            'name': quoted(field['name']),
            'summary': quoted(field['summary']),
            'unit': quoted(field.get('unit')),
            'type': 'WEFT_VALUE_' + VALUE_TYPES[field['type']],
            'nullable': 'TRUE' if field.get('nullable') else 'FALSE',
            'reference': '-1',
        }
        if field['type'] == 'BLOB':
            members['reference'] = 'WEFT_TABLE_BLOBS'
        if field['type'] == 'ENUM' and 'enum' not in field:
            members['type'] = 'WEFT_VALUE_UINT64'
        if 'reference' in field:
            members['reference'] = f"WEFT_TABLE_{field['reference']}".upper()
        if 'enum' in field:
            members['enumeration'] = f"weft_{words(field['enum'])}_get_type"
        if 'computed' in field:
            members.update(self.computation(table, field['computed']))
        else:
            members['column'] = self.column(table, field['name'])
        return '  { ' + ', '.join(f'.{name} = {value}' for name, value in members.items()) + ' },'

    def write_fields(self, out):
        out.write('#include "weft-model.h"\n\n#include "weft-enum-types.h"\n')
        for table, entry in self.tables.items():
            out.write(f'\nstatic const WeftField {table}_fields[] = {{\n')
            for field in entry['fields']:
                out.write(self.field(table, field) + '\n')
            out.write('};\n')
        out.write('\nconst WeftTableModel weft_model_tables[WEFT_N_TABLES] = {\n')
        for table, entry in self.tables.items():
            out.write(f'  [WEFT_TABLE_{table.upper()}] = {{ .name = "{table}", '
                      f'.summary = {quoted(entry["summary"])}, '
                      f'.prefix = {quoted(entry.get("prefix"))}, '
                      f'.n_fields = G_N_ELEMENTS ({table}_fields), .fields = {table}_fields }},\n')
        out.write('};\n')


def main():
    what, path, output = sys.argv[1:]
    model = Model(path)
    with open(output, 'w', encoding='utf-8') as out:
        out.write('/* SPDX-License-Identifier: LGPL-2.1-or-later */\n'
                  '/* Made from model.toml; edit that. */\n\n')
        getattr(model, f'write_{what}')(out)


main()
