#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""All that the library shows says what it is, and since when.

    gir-test.py Weft-1.gir
"""

import os
import sys
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

import tap_report  # noqa: E402

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'

CALLABLES = ['function', 'method', 'constructor']
TYPES = ['class', 'interface', 'record', 'enumeration', 'bitfield', 'callback']

NAMESPACE = ElementTree.parse(sys.argv[1]).getroot().find(CORE + 'namespace')


def elements(*kinds):
    for kind in kinds:
        yield from NAMESPACE.iter(CORE + kind)


def label(element):
    return element.get(C + 'identifier') or element.get(C + 'type') or element.get('name')


def documented(element):
    """Has a description, or is described by what it returns, as getters are."""
    returned = element.find(CORE + 'return-value')
    return (element.find(CORE + 'doc') is not None
            or returned is not None and returned.find(CORE + 'doc') is not None)


def undocumented(found):
    return sorted(label(element) for element in found if not documented(element))


def undated(found):
    return sorted(label(element) for element in found if element.get('version') is None)


def types():
    """Those that are written by hand: not the private parts of classes, nor what is made of macros."""
    for element in elements(*TYPES):
        if element.get(GLIB + 'is-gtype-struct-for') or element.get('disguised') or element.get('opaque'):
            continue
        if element.tag == CORE + 'callback' and element.get(C + 'type') is None:
            continue  # a slot of a class; the virtual method says what it is
        yield element


def properties():
    for owner in elements('class', 'interface'):
        for element in owner.iter(CORE + 'property'):
            yield owner.get('name') + ':' + element.get('name'), element


class Documented(unittest.TestCase):
    def test_functions(self):
        found = [element for element in elements(*CALLABLES) if element.get('moved-to') is None]
        self.assertGreater(len(found), 300)
        self.assertEqual(undocumented(found), [])
        self.assertEqual(undated(found), [])

    def test_types(self):
        found = list(types())
        self.assertGreater(len(found), 30)
        self.assertEqual(undocumented(found), [])
        self.assertEqual(undated(found), [])

    def test_properties(self):
        self.assertGreater(len(list(properties())), 50)
        self.assertEqual([name for name, element in properties() if element.find(CORE + 'doc') is None], [])

    def test_what_is_given_and_returned(self):
        """Each parameter and each value that comes back is described."""
        found = []
        for element in elements(*CALLABLES):
            for part in element.findall(f'{CORE}parameters/{CORE}parameter'):
                if part.find(CORE + 'doc') is None:
                    found.append(f"{label(element)}: {part.get('name')}")
            back = element.find(CORE + 'return-value')
            nothing = back.find(CORE + 'type')
            if back.find(CORE + 'doc') is None and (nothing is None or nothing.get('name') != 'none'):
                found.append(f'{label(element)}: what it returns')
        self.assertEqual(found, [])


tap_report.main()
