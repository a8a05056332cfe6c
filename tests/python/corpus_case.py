# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of Python programs share: a recording of the corpus, the first word of the command line."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import gi

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, Weft  # noqa: E402

RECORDING = os.path.abspath(sys.argv[1])
WEFT = os.environ['WEFT']
CORPUS = os.environ['WEFT_CORPUS']
DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'docs')

try:
    import numpy
except ImportError:
    numpy = None
needs_numpy = unittest.skipIf(numpy is None, 'python3-numpy is not installed')


class Case(unittest.TestCase):
    def setUp(self):
        self.recording = Weft.open(RECORDING)

    def fails(self, domain, code, function, *arguments, **options):
        """The message of the GLib.Error that the call raises."""
        with self.assertRaises(GLib.Error) as raised:
            function(*arguments, **options)
        self.assertTrue(raised.exception.matches(domain, code), raised.exception)
        self.assertTrue(raised.exception.message)
        return raised.exception.message


class FolderCase(Case):
    """Recordings and recorders of its own, found by nobody else."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix='weft-python-')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for name, value in (('WEFT_RUNTIME_DIR', 'run'), ('WEFT_RECORDINGS', 'recordings')):
            GLib.setenv(name, self.path(value), True)
            os.environ[name] = self.path(value)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def weft(self, *arguments, status=0):
        """What the command line prints."""
        done = subprocess.run([WEFT, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return done.stdout

    def weft_json(self, *arguments):
        return json.loads(self.weft(*arguments))


def main():
    tap_report.main(sys.argv[2:])
