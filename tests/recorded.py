# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests that record programs share: becoming somebody without privileges, and asking a recording."""

import csv
import io
import json
import os
import shutil
import subprocess
import unittest


def nobody():
    """What makes a program run without privileges; [] if it does anyway."""
    if os.geteuid() != 0:
        return []
    if shutil.which('setpriv') is None:
        raise unittest.SkipTest('root, and no setpriv (package util-linux) to be somebody else')
    return ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']


class Recording:
    """The recording FILE, which RUN, a program that has ended, made. It is asked without plugins: what they said is
    in the recording."""

    weft = None  # the command line; subclasses say where it is
    patience = 150  # seconds for one answer, on a machine that does much else

    def __init__(self, file, run):
        self.file, self.run = file, run
        self.tables = {}

    def read(self, *command):
        run = subprocess.run([self.weft, *command, self.file], capture_output=True, text=True, check=False,
                             env={**os.environ, 'WEFT_PLUGIN_PATH': '/nonexistent'}, timeout=self.patience)
        if run.returncode != 0:
            raise AssertionError(run.stderr)
        return run.stdout

    def ask(self, *words):
        """An answer as the command line gives it to programs."""
        return json.loads(self.read(*words, '--json'))

    def rows(self, *words):
        return self.ask(*words)['rows']

    def table(self, name):
        """A table of the recording, as dictionaries of texts."""
        if name not in self.tables:
            self.tables[name] = list(csv.DictReader(io.StringIO(self.read('export', '-t', name, 'csv'))))
        return self.tables[name]
