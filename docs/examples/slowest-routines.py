#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Which routines are slow, which of their dispatches stand out, and where their source is.

    slowest-routines.py [FILE.weft]
"""

import sys

import gi

gi.require_version('Weft', '1')
from gi.repository import Weft  # noqa: E402


def main():
    recording = Weft.open(*sys.argv[1:2])

    print('Slowest by their 95th percentile:')
    for row in recording.ask('target-top', by='p95', limit=5):
        print(f"  {row['routine']:>6}  {row['name']:<24} {row['count']:>7} times  p95 {row['p95'] / 1e6:10.3f} ms")

    print('What stands out:')
    for row in recording.ask('target-outliers', limit=5):
        print(f"  {row['dispatch']:>6}  {row['routine_name']:<24} {row['duration'] / 1e6:10.3f} ms  {row['why']}")

    print('Sources:')
    for row in recording.ask('target-source'):
        print(f"  {row['source']:>6}  {row['path'] or '(no path)':<40} {row['language']}")


main()
