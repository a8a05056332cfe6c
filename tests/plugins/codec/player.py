#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays a pipeline some times, and counts by probes of its own what goes through its pads.

    player.py TIMES PIPELINE

Prints “TIME ELEMENT in|out FRAMES” for each element, “TIME SINK rendered|dropped FRAMES” for sinks
that count, and ends with status 1 where a pipeline failed.
"""

import sys

import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst

PROBES = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST


class Player:
    def __init__(self, text):
        self.pipeline = Gst.parse_launch(text)
        self.counts = {}
        self.rendered = []
        self.pipeline.connect('deep-element-added', lambda pipeline, bin, element: self.watch(element))
        elements = self.pipeline.iterate_recurse()
        while True:
            result, element = elements.next()
            if result != Gst.IteratorResult.OK:
                break
            self.watch(element)

    def watch(self, element):
        if isinstance(element, Gst.Bin):
            return
        element.connect('pad-added', lambda element, pad: self.watch_pad(element.get_name(), pad))
        for pad in element.pads:
            self.watch_pad(element.get_name(), pad)

    def watch_pad(self, name, pad):
        side = 'in' if pad.get_direction() == Gst.PadDirection.SINK else 'out'
        pad.add_probe(PROBES, self.count, (name, side))

    def count(self, pad, info, key):
        # Each pad has one thread at a time, but an element may have several pads.
        where = (*key, pad.get_name())
        several = info.type & Gst.PadProbeType.BUFFER_LIST
        self.counts[where] = self.counts.get(where, 0) + (
            info.get_buffer_list().length() if several else 1)
        return Gst.PadProbeReturn.OK

    def play(self):
        bus = self.pipeline.get_bus()
        self.pipeline.set_state(Gst.State.PLAYING)
        message = bus.timed_pop_filtered(60 * Gst.SECOND,
                                         Gst.MessageType.EOS | Gst.MessageType.ERROR)
        self.count_rendered()
        self.pipeline.set_state(Gst.State.NULL)
        return message is not None and message.type == Gst.MessageType.EOS

    def print_counts(self, time):
        sums = {}
        for (name, side, _), n in self.counts.items():
            sums[name, side] = sums.get((name, side), 0) + n
        for (name, side), n in sorted(sums.items()):
            print(time, name, side, n)
        for name, n in self.rendered:
            print(time, name, n)

    def count_rendered(self):
        sinks = self.pipeline.iterate_sinks()
        while True:
            result, sink = sinks.next()
            if result != Gst.IteratorResult.OK:
                return
            stats = sink.get_property('stats') if sink.find_property('stats') else None
            for name in ('rendered', 'dropped') if stats is not None else ():
                self.rendered.append((f'{sink.get_name()} {name}', stats.get_uint64(name)[1]))


def main():
    Gst.init(None)
    good = True
    for time in range(int(sys.argv[1])):
        player = Player(sys.argv[2])
        good = player.play() and good
        player.print_counts(time)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
