#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds model.toml to the schema of the store, and docs/tables.md to model.toml.

    description.py SOURCE-DIRECTORY
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest

SOURCE = sys.argv[1]
sys.path.insert(0, os.path.join(SOURCE, 'tests'))

import tap_report  # noqa: E402

TYPES = {'U64', 'I64', 'F64', 'TIME', 'DURATION', 'STRING', 'BLOB', 'ID', 'ENUM'}


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding='utf-8') as file:
        return file.read()


def read_schema():
    """Tables of the X-macro: name → [(column, type, flags)], in order."""
    tables = {}
    for line in read('core', 'store', 'weft-schema.h').splitlines():
        if table := re.match(r'\s+TABLE \((\w+), (\w+)\)', line):
            tables[table[2]] = []
        elif column := re.match(r'\s+C \((\w+), (\w+), (\w+), (\w+), (\w+)\)', line):
            tables[column[1].lower()].append((column[3], column[4], column[5]))
    return tables


class Description(unittest.TestCase):
    def setUp(self):
        self.schema = read_schema()
        self.model = tomllib.loads(read('core', 'model', 'model.toml'))

    def test_every_table_is_described(self):
        self.assertGreater(len(self.schema), 40)
        self.assertEqual(list(self.model), list(self.schema))

    def test_every_column_is_described(self):
        for table, columns in self.schema.items():
            stored = [f for f in self.model[table]['fields'] if 'computed' not in f]
            self.assertEqual([f['name'] for f in stored], [c[0] for c in columns], table)

    def test_types_agree(self):
        for table, columns in self.schema.items():
            fields = {f['name']: f for f in self.model[table]['fields']}
            for name, kind, flags in columns:
                field = fields[name]
                self.assertIn(kind, TYPES)
                # A truth is stored as a small number.
                described = 'ENUM' if field['type'] == 'BOOL' else field['type']
                self.assertEqual(described, kind, f'{table}.{name}')
                self.assertEqual(bool(field.get('nullable')), flags == 'NULLABLE', f'{table}.{name}')

    def test_computed_fields_follow_the_stored_ones(self):
        for table, entry in self.model.items():
            computed = ['computed' in field for field in entry['fields']]
            self.assertEqual(computed, sorted(computed), table)

    def test_references(self):
        for table, entry in self.model.items():
            for field in entry['fields']:
                if 'reference' in field:
                    self.assertEqual(field['type'], 'ID')
                    target = self.model[field['reference']]
                    self.assertEqual(target['fields'][0]['name'], 'id', f'{table}.{field["name"]}')
                    self.assertIn('object', target)

    def test_children(self):
        for table, entry in self.model.items():
            for child in entry.get('children', []):
                fields = {f['name']: f for f in self.model[child['table']]['fields']}
                by = fields[child['by']]
                if child['by'] == 'owner':
                    self.assertIn('owner_table', fields)
                else:
                    self.assertEqual(by['reference'], table, child)
                if 'through' in child:
                    self.assertIn('reference', fields[child['through']])
                else:
                    self.assertIn('object', self.model[child['table']])

    def test_no_function_hides_one_of_all_objects(self):
        taken = set(re.findall(r'weft_object_get_(\w+) \(', read('core', 'model', 'weft-object.h')))
        self.assertIn('value', taken)
        for table, entry in self.model.items():
            for field in entry['fields']:
                if field['name'] != 'id':
                    self.assertNotIn(field.get('accessor', field['name']), taken, table)

    def test_handles_are_told_apart(self):
        prefixes = [entry['prefix'] for entry in self.model.values() if 'prefix' in entry]
        self.assertEqual(len(prefixes), len(set(prefixes)))
        for prefix in prefixes:
            self.assertRegex(prefix, '^[a-z]+$')

    def test_enumerations_exist(self):
        known = set(re.findall(r'^\} Weft(\w+);', read('core', 'weft-enums.h'), re.MULTILINE))
        for table, entry in self.model.items():
            for field in entry['fields']:
                if 'enum' in field:
                    self.assertIn(field['enum'], known, f'{table}.{field["name"]}')

    def test_summaries_are_sentences(self):
        for table, entry in self.model.items():
            for summary in [entry['summary'], *(f['summary'] for f in entry['fields'])]:
                self.assertRegex(summary, r'^[A-Z].*[.…]$', table)

    def test_document_is_made_of_it(self):
        with tempfile.TemporaryDirectory() as folder:
            made = os.path.join(folder, 'tables.md')
            subprocess.run([sys.executable, os.path.join(SOURCE, 'core/model/generate-model.py'),
                            'document', os.path.join(SOURCE, 'core/model/model.toml'), made],
                           check=True)
            with open(made, encoding='utf-8') as file:
                self.assertEqual(file.read(), read('docs', 'tables.md'),
                                 'make it anew: generate-model.py document')


tap_report.main(sys.argv[2:])
