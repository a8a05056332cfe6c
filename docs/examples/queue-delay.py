#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long work stood in the queue, lane by lane, by numpy over whole columns.

    queue-delay.py [FILE.weft]
"""

import sys

import gi
import numpy

gi.require_version('Weft', '1')
from gi.repository import Weft  # noqa: E402


def main():
    recording = Weft.open(*sys.argv[1:2])
    table = recording.query('dispatches', select=['lane.name', 'queue_delay'])
    lanes = table.column('lane_name')
    delays = table.column('queue_delay')
    known = delays.valid if delays.valid is not None else numpy.ones(len(table), bool)
    edges = [0, 10_000, 100_000, 1_000_000, 10_000_000, numpy.iinfo('i8').max]

    print(f"{'lane':<24}{'< 10 µs':>10}{'< 100 µs':>10}{'< 1 ms':>10}{'< 10 ms':>10}{'more':>10}")
    for number, lane in enumerate(lanes.words):
        chosen = delays.values[known & (lanes.values == number)]
        if len(chosen):
            counts, _ = numpy.histogram(chosen, edges)
            print(f'{lane[:23]:<24}' + ''.join(f'{count:>10}' for count in counts))


main()
