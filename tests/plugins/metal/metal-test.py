#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Metal plugin as a file: it is installed, loaded, removed, and refused without harm."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS = (os.path.abspath(path) for path in sys.argv[1:3])
PLUGIN = os.path.join(PLUGINS, 'metal.so')
SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(SOURCE, '..', '..'))
import tap_report


class Home:
    """A user's folders, with nothing in them."""

    def __init__(self, case):
        self.folder = tempfile.mkdtemp(prefix='weft-metal-')
        case.addCleanup(shutil.rmtree, self.folder)
        self.plugins = os.path.join(self.folder, 'weft', 'plugins')

    def run(self, *arguments, **variables):
        where = {**os.environ, 'G_DEBUG': 'fatal-criticals',
                 'HOME': self.folder, 'XDG_DATA_HOME': self.folder,
                 'XDG_CACHE_HOME': self.folder, **variables}
        return subprocess.run([WEFT, *arguments], env=where, capture_output=True, text=True,
                              timeout=100, check=False)

    def find(self, **variables):
        """What is told of the plugin; None if there is none."""
        listed = self.run('plugins', '--json', **variables)
        if listed.returncode != 0:
            raise AssertionError(listed.stderr)
        rows = json.loads(listed.stdout)['rows']
        return next((row for row in rows if row['name'] == 'metal'), None)


class Lifecycle(unittest.TestCase):
    def test_from_a_folder(self):
        plugin = Home(self).find(WEFT_PLUGIN_PATH=PLUGINS)
        self.assertEqual(plugin['state'], 'loaded')
        self.assertIn('metal', plugin['domains'])

    def test_installed_and_removed(self):
        home = Home(self)
        self.assertIsNone(home.find())
        installed = home.run('plugins', 'install', PLUGIN)
        self.assertEqual(installed.returncode, 0, installed.stderr)
        self.assertEqual(os.listdir(home.plugins), ['metal.so'])
        self.assertEqual(home.find()['state'], 'loaded')
        removed = home.run('plugins', 'remove', 'metal')
        self.assertEqual(removed.returncode, 0, removed.stderr)
        self.assertEqual(os.listdir(home.plugins), [])
        self.assertIsNone(home.find())

    def test_disabled(self):
        plugin = Home(self).find(WEFT_PLUGIN_PATH=PLUGINS, WEFT_PLUGIN_DISABLE='metal')
        self.assertEqual(plugin['state'], 'disabled')

    def test_cut_short(self):
        """A file that was not copied whole is refused with a reason; all else works."""
        home = Home(self)
        folder = os.path.join(home.folder, 'cut')
        os.mkdir(folder)
        with open(PLUGIN, 'rb') as whole, open(os.path.join(folder, 'metal.so'), 'wb') as cut:
            cut.write(whole.read()[:4096])
        listed = home.run('plugins', '--json', WEFT_PLUGIN_PATH=folder)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        (plugin,) = [row for row in json.loads(listed.stdout)['rows']
                     if row['path'].startswith(folder)]
        self.assertEqual(plugin['state'], 'refused')
        self.assertTrue(plugin['reason'])


if __name__ == '__main__':
    tap_report.main(sys.argv[3:])
