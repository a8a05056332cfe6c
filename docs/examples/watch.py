#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Records a program and prints what comes in while it runs.

    watch.py PROGRAM [ARGUMENT…]
"""

import os
import sys
import tempfile

import gi

gi.require_version('Weft', '1')
from gi.repository import GLib, Weft  # noqa: E402

KINDS = Weft.EventKinds.DISPATCH | Weft.EventKinds.WARNING


class Watch:
    def __init__(self, path, argv):
        self.loop = GLib.MainLoop()
        self.total = 0
        self.recorder = Weft.Recorder.new()
        self.recorder.set_output(path)
        self.recorder.set_argv(argv)
        self.recorder.start(None)
        self.recorder.wait_async(None, self.on_program_ended)
        self.subscription = Weft.Subscription.new(Weft.open(path), KINDS)
        self.read()

    def on_program_ended(self, recorder, result):
        recorder.wait_finish(result)
        recorder.stop_async(None, lambda recorder, result: recorder.stop_finish(result))

    def read(self):
        self.subscription.read_async(1000, None, self.on_batch)

    def on_batch(self, subscription, result):
        batch = subscription.read_finish(result)
        if batch is None:  # the recording is finished, and all of it was read
            self.loop.quit()
            return
        for warning in batch.get_objects(Weft.EventKinds.WARNING):
            print('warning:', warning.get_code(), warning.get_message())
        self.total += batch.get_n_rows(Weft.EventKinds.DISPATCH)
        print(self.total, 'dispatches')
        self.read()


def main():
    with tempfile.TemporaryDirectory() as folder:
        Watch(os.path.join(folder, 'watched.weft'), sys.argv[1:]).loop.run()


main()
