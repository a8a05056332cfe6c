#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes C of model.toml.

    generate-model.py fields model.toml OUTPUT.c     the tables and fields, for weft-model.h
    generate-model.py header model.toml OUTPUT.h     the classes of objects
    generate-model.py objects model.toml OUTPUT.c    their functions
    generate-model.py document model.toml OUTPUT.md  the tables, for people
"""

import re
import sys
import tomllib

VALUE_TYPES = {
    'U64': 'UINT64', 'I64': 'INT64', 'F64': 'DOUBLE', 'TIME': 'TIME', 'DURATION': 'DURATION',
    'STRING': 'STRING', 'BLOB': 'ID', 'ID': 'ID', 'ENUM': 'ENUM', 'BOOL': 'BOOLEAN',
}


# How a field's value is given: C type, what reads it, and what "Returns:" says.
GETTERS = {
    'U64': ('guint64', 'weft_object_read_uint64 ({})', 'the number{unit}'),
    'I64': ('gint64', '(gint64) weft_object_read_uint64 ({})', 'the number{unit}'),
    'F64': ('double', 'weft_object_read_double ({})', 'the number{unit}'),
    'TIME': ('gint64', '(gint64) weft_object_read_uint64 ({})',
             'nanoseconds since the start of the recording'),
    'DURATION': ('guint64', 'weft_object_read_uint64 ({})', 'nanoseconds'),
    'BOOL': ('gboolean', 'weft_object_read_uint64 ({}) != 0', 'whether it is so'),
    'STRING': ('const char *', 'weft_object_read_string ({})',
               '(transfer none) (nullable): the text, or %NULL if there is none'),
    'ENUM': ('{enum}', '({enum}) weft_object_read_uint64 ({})', 'the value'),
    'BLOB': ('GBytes *', 'weft_object_read_blob ({}, error)', '(transfer full): the contents'),
    'ID': ('{object} *', '({object} *) weft_object_read_reference ({})',
           '(transfer full) (nullable): the object, or %NULL if there is none'),
}
# What its absence is, for those that have a function to ask.
ABSENT = {'U64': '0', 'I64': '0', 'TIME': '0', 'DURATION': '0', 'F64': 'not a number'}

DOCUMENT_TYPES = {
    'U64': 'unsigned', 'I64': 'signed', 'F64': 'double', 'TIME': 'time', 'DURATION': 'duration',
    'STRING': 'text', 'BLOB': 'bytes', 'ID': 'id', 'ENUM': 'word', 'BOOL': 'boolean',
}


def words(camel):
    """SubmissionEventKind → submission_event_kind"""
    return re.sub(r'(?<!^)(?=[A-Z])', '_', camel).lower()


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"' if text else 'NULL'


def words_of(prefix):
    """weft_submission_event → SUBMISSION_EVENT"""
    return prefix.removeprefix('weft_').upper()


def joined(ctype, name):
    return ctype + name if ctype.endswith('*') else f'{ctype} {name}'


def type_function(entry):
    return f'weft_{words(entry["object"])}_get_type' if 'object' in entry else 'NULL'


class Model:
    def __init__(self, path):
        with open(path, 'rb') as file:
            self.tables = tomllib.load(file)

    def nullable(self, table, field):
        """Whether the field can be absent where 0 could be meant."""
        computed = field.get('computed', '')
        if field.get('nullable') or computed.startswith('number '):
            return True
        operands = re.fullmatch(r'(\w+) [+-] (\w+)', computed)
        return bool(operands) and any(self.nullable(table, f) for f in self.tables[table]['fields']
                                      if f['name'] in operands.groups())

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
            'nullable': 'TRUE' if self.nullable(table, field) else 'FALSE',
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
        out.write(NOTICE + '#include "weft-model.h"\n\n#include "weft-enum-types.h"\n'
                  '#include "weft-objects.h"\n')
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
                      f'.object = {type_function(entry)}, '
                      f'.n_fields = G_N_ELEMENTS ({table}_fields), .fields = {table}_fields }},\n')
        out.write('};\n')


    # ---- Classes ----

    def objects(self):
        """The tables whose rows are objects: (name, entry, class, prefix of functions)."""
        return [(name, entry, 'Weft' + entry['object'], 'weft_' + words(entry['object']))
                for name, entry in self.tables.items() if 'object' in entry]

    def getter(self, table, field):
        """C type, expression and description of what a field's function returns."""
        kind = field['type']
        known = {'unit': '', 'enum': 'Weft' + field.get('enum', '')}
        if 'unit' in field:
            known['unit'] = ', in ' + field['unit']
        target = self.tables[field['reference']] if 'reference' in field else None
        if field['name'] == 'owner':
            known['object'] = 'WeftObject'
        elif target is not None:
            known['object'] = 'Weft' + target['object']
        if (kind == 'ENUM' and 'enum' not in field) or (kind == 'ID' and 'object' not in known):
            kind = 'U64'
        ctype, value, returns = GETTERS[kind]
        return (ctype.format(**known), value.replace('{}', '@').format(**known),
                returns.format(**known))

    def functions(self):
        """All functions of the classes, as (C type, name, parameter, documentation, body)."""
        for table, entry, klass, prefix in self.objects():
            parameter = f'{klass} *self'
            for field in entry['fields']:
                if field['name'] != 'id':
                    yield from self.field_functions(table, field, prefix, parameter)
            for child in entry.get('children', []):
                yield self.child_function(child, prefix, parameter)
        for table, entry, klass, prefix in self.objects():
            yield ('WeftList *', f'weft_recording_get_{table}', 'WeftRecording *self',
                   [f'All of its [class@{entry["object"]}] objects. {entry["summary"]}'],
                   '(transfer full): a list of them', 'RECORDING',
                   f'weft_list_new (self, WEFT_TABLE_{table.upper()}, NULL, 0, 0)')

    def field_functions(self, table, field, prefix, parameter):
        ctype, value, returns = self.getter(table, field)
        name = field.get('accessor', field['name'])
        position = self.tables[table]['fields'].index(field)
        documentation = [field['summary']]
        if field['type'] == 'BLOB':
            parameter += ', GError **error'
        if self.nullable(table, field):
            asks = f'{prefix}_has_{name}'
            method = re.sub('^weft_.*_has', 'has', asks)
            returns += f'; {ABSENT[field["type"]]} if there is none, see ' \
                       f'[method@{self.tables[table]["object"]}.{method}]'
            yield ('gboolean', asks, parameter, [f'Tells whether there is a value: '
                   f'{field["summary"][0].lower()}{field["summary"][1:]}'], 'whether there is one',
                   words_of(prefix), f'weft_object_read (WEFT_OBJECT (self), {position}, &(guint64){{ 0 }})')
        yield (ctype, f'{prefix}_get_{name}', parameter, documentation, returns, words_of(prefix),
               value.replace('@', f'WEFT_OBJECT (self), {position}'))

    def child_function(self, child, prefix, parameter):
        table, name = child['table'], child.get('name', child['table'])
        item = self.tables[table]
        through = '0'
        if 'through' in child:
            through = self.column(table, child['through'])
            reference = next(f for f in item['fields'] if f['name'] == child['through'])
            item = self.tables[reference['reference']]
        return ('WeftList *', f'{prefix}_get_{name}', parameter,
                [f'What belongs to it as [class@{item["object"]}] objects.'],
                '(transfer full): a list of them', words_of(prefix),
                f'weft_list_new_children (WEFT_OBJECT (self), WEFT_TABLE_{table.upper()}, '
                f'{self.column(table, child["by"])}, {through})')

    def write_header(self, out):
        out.write(NOTICE + '#pragma once\n\n#include "weft-list.h"\n\nG_BEGIN_DECLS\n\n')
        for _, entry, klass, prefix in self.objects():
            name = words_of(prefix)
            out.write(f'#define WEFT_TYPE_{name} ({prefix}_get_type ())\nWEFT_API\n'
                      f'G_DECLARE_FINAL_TYPE ({klass}, {prefix}, WEFT, {name}, WeftObject)\n\n')
        for ctype, name, parameter, *_ in self.functions():
            out.write(f'WEFT_API {joined(ctype, name)} ({parameter});\n')
        out.write('\nG_END_DECLS\n')

    def write_objects(self, out):
        out.write(NOTICE + '#include "weft-objects.h"\n\n#include "weft-enum-types.h"\n'
                  '#include "weft-list-private.h"\n')
        for table, entry, klass, prefix in self.objects():
            out.write(CLASS.format(table=table.upper(), klass=klass, prefix=prefix,
                                   summary=entry['summary']))
            for field in entry['fields']:
                if field['name'] != 'id' and field['type'] != 'BLOB':
                    name = field['name'].replace('_', '-')
                    accessor = field.get('accessor', field['name'])
                    out.write(f'\n/**\n * {klass}:{name}: (getter get_{accessor})\n *\n'
                              f' * {field["summary"]}\n *\n * Since: 0.1\n */\n')
        for ctype, name, parameter, documentation, returns, check, value in self.functions():
            fails = ' * @error: return location for an error\n' if 'error' in parameter else ''
            absent = {'gboolean': 'FALSE', 'double': '0'}.get(ctype, 'NULL' if '*' in ctype else '0')
            if ctype.startswith('Weft') and '*' not in ctype:
                absent = f'({ctype}) 0'
            out.write(FUNCTION.format(ctype=ctype, name=name, parameter=parameter, fails=fails,
                                      documentation='\n * '.join(documentation), check=check,
                                      returns=returns, absent=absent, value=value))

    # ---- docs/tables.md ----

    def write_document(self, out):
        out.write(DOCUMENT)
        for table, entry in self.tables.items():
            out.write(f'\n## {table}\n\n{entry["summary"]}')
            if 'object' in entry:
                out.write(f' Rows are `Weft.{entry["object"]}` objects.')
            if 'prefix' in entry:
                out.write(f' Handles: `{entry["prefix"]}-1`, …')
            out.write('\n\n| field | type | meaning |\n|---|---|---|\n')
            for field in entry['fields']:
                out.write(f'| `{field["name"]}` | {self.document_type(table, field)} '
                          f'| {field["summary"]} |\n')

    def document_type(self, table, field):
        text = DOCUMENT_TYPES[field['type']]
        if field['type'] == 'ENUM':
            text = f'`Weft.{field["enum"]}`' if 'enum' in field else 'unsigned'
        if 'reference' in field:
            text += f' of `{field["reference"]}`'
        if 'unit' in field:
            text += f', {field["unit"]}'
        if self.nullable(table, field):
            text += ', or none'
        if 'computed' in field:
            text += f'; `{field["computed"]}`'
        return text


NOTICE = """/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Made from model.toml; edit that. */

"""

CLASS = """
/**
 * {klass}:
 *
 * {summary}
 *
 * Since: 0.1
 */
struct _{klass}
{{
  WeftObject parent_instance;
}};

G_DEFINE_FINAL_TYPE ({klass}, {prefix}, WEFT_TYPE_OBJECT)

static void
{prefix}_class_init ({klass}Class *klass)
{{
  weft_object_class_set_table (WEFT_OBJECT_CLASS (klass), WEFT_TABLE_{table});
}}

static void
{prefix}_init ({klass} *self)
{{
}}
"""

FUNCTION = """
/**
 * {name}:
 * @self: the object
{fails} *
 * {documentation}
 *
 * Returns: {returns}
 *
 * Since: 0.1
 */
{ctype}
{name} ({parameter})
{{
  g_return_val_if_fail (WEFT_IS_{check} (self), {absent});

  return {value};
}}
"""

DOCUMENT = """# Tables

Made from `core/model/model.toml` by `core/model/generate-model.py document`; edit that.

What a recording holds, as queries, filters and objects know it. Times are nanoseconds since the start of the
recording, durations nanoseconds. A text or an id that is not there is nought; fields that say "or none" tell nought and
none apart. Ids name rows of the table that stands beside them.
"""


def main():
    what, path, output = sys.argv[1:]
    model = Model(path)
    with open(output, 'w', encoding='utf-8') as out:
        getattr(model, f'write_{what}')(out)


main()
