#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the library shows, and what frontends use of it, can be used from every language.

    frontends-use-gir.py Weft-1.gir LIBRARY PROGRAM…
"""

import os
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

import tap_report  # noqa: E402

GIR, LIBRARY, *PROGRAMS = sys.argv[1:]
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'

# What is shown and is no part of the interface.
PRIVATE = {
    'weft_plugin_probe_main',  # the whole of a program of ours
    'weft_sql_extend',  # the whole of our extension of SQLite, whose connections only C has
}


def nm(*arguments):
    lines = subprocess.run(['nm', *arguments], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].split('@')[0] for line in lines.splitlines() if line.strip()}


def read_gir():
    """Symbols in the GIR: those that can be used, and those that cannot."""
    usable, unusable = set(), set()
    for element in ElementTree.parse(GIR).iter():
        if symbol := element.get(C + 'identifier'):
            (unusable if element.get('introspectable') == '0' else usable).add(symbol)
        for attribute in (GLIB + 'get-type', GLIB + 'ref-func', GLIB + 'unref-func'):
            if element.get(attribute):
                usable.add(element.get(attribute))
    return usable, unusable


class Symbols(unittest.TestCase):
    def setUp(self):
        self.usable, self.unusable = read_gir()
        self.exported = {name for name in nm('--dynamic', '--defined-only', LIBRARY)
                         if name.startswith('weft_')}

    def test_all_that_is_shown_can_be_used(self):
        self.assertGreater(len(self.exported), 300)
        self.assertEqual(sorted(self.unusable - PRIVATE), [])
        self.assertEqual(sorted(self.exported - self.usable - PRIVATE), [])

    def test_frontends(self):
        checked = 0
        for program in PROGRAMS:
            needed = subprocess.run(['readelf', '--dynamic', program], check=True,
                                    capture_output=True, text=True).stdout
            if not re.search(r'NEEDED.*libweft-1[.]so', needed):
                continue
            checked += 1
            used = {name for name in nm('--undefined-only', program) if name.startswith('weft_')}
            used = {name for name in used if not name.startswith('weft_target_')}
            self.assertEqual(sorted(used - self.usable), [], program)
        if checked == 0:
            self.skipTest('no frontend links libweft-1')


tap_report.main()
