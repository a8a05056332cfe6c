#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every view answers about the corpus, compared with what it answered before. Reports in TAP.

    golden-test.py WEFT ARCHIVE GOLDEN [--update]

ARCHIVE is a recording of the corpus made elsewhere, cpu.weft beside it one of threads, before.weft and after.weft two to compare; nothing of
the machines that made them is here: neither programs nor sources nor plugins nor caches. GOLDEN is the folder of expected outputs, one
file a view; --update writes it anew (read the difference before committing it).
"""

import difflib
import json
import os
import subprocess
import sys
import tempfile

VIEWS = {
    'show': ['show'],
    'diagnose': ['diagnose'],
    'check': ['check', 'p95 < 20ms', 'many: count >= 900', 'counter:bytes <= 200', 'with-counters > 5%'],
    'threads': ['threads'],
    'top': ['top'],
    'top-range': ['top', '--from', '100ms', '--to', '200ms'],
    'flame': ['flame'],
    'flame-kind': ['flame', '--group', 'kind'],
    'timeline': ['timeline'],
    'timeline-filter': ['timeline', '--filter', 'kind:metal.*', '--buckets', '12'],
    'timeline-buckets': ['timeline', '--buckets', '5', '--lane', 'worker*'],
    'state': ['state'],
    'state-at': ['state', '--at', '150ms'],
    'target-lanes': ['target', 'lanes'],
    'target-conservation': ['target', 'conservation'],
    'target-lanes-filter': ['target', 'lanes', '--lane', 'worker*', '--to', '300ms'],
    'target-top': ['target', 'top'],
    'target-top-count': ['target', 'top', '--by', 'count', '--limit', '5'],
    'target-top-p95': ['target', 'top', '--by', 'p95', '--limit', '5'],
    'target-top-lane': ['target', 'top', '--group', 'lane'],
    'target-top-kind': ['target', 'top', '--group', 'kind'],
    'target-top-source': ['target', 'top', '--group', 'source'],
    'target-top-submission': ['target', 'top', '--group', 'submission', '--limit', '8'],
    'target-outliers': ['target', 'outliers'],
    'target-dispatches': ['target', 'dispatches', '--by', 'duration', '--limit', '12'],
    'target-dispatches-filter': ['target', 'dispatches', '--filter', 'status:error'],
    'target-dispatches-columns': ['target', 'dispatches', '--columns', 'dispatch,lane,error', '--limit', '3'],
    'target-dispatches-wide': ['target', 'dispatches', '--wide', '--limit', '3'],
    'target-dispatch': ['target', 'dispatch', 'd-12'],
    'target-dispatch-none': ['target', 'dispatch', 'd-999999'],
    'target-origins': ['target', 'origins', '--limit', '40'],
    'target-origins-thread': ['target', 'origins', '--group', 'thread'],
    'target-routines': ['target', 'routines'],
    'target-source': ['target', 'source'],
    'target-source-routine': ['target', 'source', 'r-101'],
    'target-attachments': ['target', 'attachments'],
    'target-counters': ['target', 'counters'],
    'target-submissions': ['target', 'submissions', '--limit', '20'],
    'target-submission': ['target', 'submissions', 's-7'],
    'traces': ['traces'],
    'metrics': ['metrics'],
    'warnings': ['warnings'],
    'critical-path': ['critical-path', 't-13'],
    'critical-path-linked': ['critical-path', 't-17'],
    'critical-path-tree': ['critical-path', '--mode', 'tree', 't-13'],
    'critical-path-dispatch': ['critical-path', '--dispatch', 'd-32'],
    'critical-path-unknown': ['critical-path', 't-20'],
    'critical-path-name': ['critical-path', '--thread', 'render'],
    'sql': ['sql', 'SELECT id, name, lane_name, start, duration, status FROM dispatches ORDER BY duration DESC, id LIMIT 8'],
    'sql-groups': ['sql', 'SELECT lane_name, count(*), sum(duration), avg(duration) FROM dispatches GROUP BY 1 LIMIT 8'],
    'sql-explain': ['sql', 'SELECT status, count(*) FROM dispatches WHERE duration > 5 GROUP BY 1', '--explain'],
    'sql-wrong': ['sql', 'SELECT * FROM dispatch'],
}

# The same about a recording of threads that run, wait and hand over work: cpu-program.c.
CPU_VIEWS = {
    'cpu-show': ['show'],
    'cpu-diagnose': ['diagnose'],
    'cpu-threads': ['threads'],
    'cpu-threads-range': ['threads', '--by', 'lock', '--from', '100ms', '--to', '200ms'],
    'cpu-threads-filter': ['threads', '--filter', 'thread:worker'],
    'cpu-threads-function': ['threads', '--filter', 'function:descend', '--from', '100ms'],
    'cpu-timeline': ['timeline', '--buckets', '40'],
    'cpu-timeline-filter': ['timeline', '--buckets', '12', '--filter', 'thread:worker', '--to', '300ms'],
    'cpu-state': ['state', '--at', '150ms'],
    'cpu-state-end': ['state'],
    'cpu-top': ['top'],
    'cpu-top-inlines': ['top', '--inlines', '--limit', '6'],
    'cpu-top-excluded': ['top', '--exclude-symbol', 'churn', '--exclude-symbol', '~timer', '--limit', '6'],
    'cpu-top-filter': ['top', '--filter', 'thread:worker function:descend', '--limit', '6'],
    'cpu-top-waits': ['top', '--by', 'lock', '--limit', '6'],
    'cpu-top-module': ['top', '--group', 'module'],
    'cpu-top-line': ['top', '--group', 'line', '--inlines', '--limit', '8'],
    'cpu-top-thread': ['top', '--group', 'thread'],
    'cpu-top-range': ['top', '--from', '100ms', '--to', '200ms', '--limit', '6'],
    'cpu-callers': ['callers', 'churn'],
    'cpu-callers-recursive': ['callers', 'descend'],
    'cpu-waits': ['waits', '--limit', '12'],
    'cpu-waits-reason': ['waits', '--group', 'reason'],
    'cpu-waits-stack': ['waits', '--group', 'stack', '--reason', 'lock,ipc'],
    'cpu-waits-object': ['waits', '--group', 'object', '--limit', '6'],
    'cpu-wakers': ['wakers'],
    'cpu-wakers-stack': ['wakers', 't-1', '--group', 'stack', '--limit', '4'],
    'cpu-target-origins': ['target', 'origins', 'd-1'],
    'cpu-critical-path': ['critical-path', '--limit', '20'],
    'cpu-critical-path-longest': ['critical-path', '--by', 'duration', '--limit', '6'],
    'cpu-critical-path-range': ['critical-path', '--from', '100ms', '--to', '300ms', '--limit', '12'],
    'cpu-critical-path-tree': ['critical-path', '--mode', 'tree'],
    'cpu-critical-path-off-cpu': ['critical-path', '--mode', 'off-cpu'],
    'cpu-critical-path-off-cpu-thread': ['critical-path', '--mode', 'off-cpu', '--group', 'thread'],
    'cpu-critical-path-what-if': ['critical-path', '--limit', '1', '--what-if', 'routine:run_work=2x'],
}

# Two recordings beside each other: make-compare-archives.
COMPARISONS = {
    'compare': ['compare'],
    'compare-all': ['compare', '--all', '--scope', 'routine', '--min-change', '40%'],
    'compare-part': ['compare', '--filter', 'lane:first', '--to', '10ms'],
}


class Views:
    def __init__(self, weft, archives, scratch):
        self.weft = os.path.abspath(weft)
        self.archives = [os.path.basename(archive) for archive in archives]
        self.folder = scratch
        self.environment = {'PATH': '/nonexistent', 'HOME': scratch, 'XDG_DATA_HOME': scratch,
                            'XDG_CACHE_HOME': scratch, 'LC_ALL': 'C.UTF-8', 'COLUMNS': '100', 'TZ': 'UTC',
                            'LD_LIBRARY_PATH': os.environ.get('LD_LIBRARY_PATH', ''),
                            'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '')}

    def run(self, *arguments):
        done = subprocess.run([self.weft, *arguments, *self.archives], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment, timeout=120)
        if done.returncode != 0 or done.stderr:
            return f'status {done.returncode}\n{done.stderr.decode()}'
        # Where the file lies is no part of an answer.
        return done.stdout.decode().replace(os.path.realpath(self.folder) + '/', '')

    def text(self, arguments):
        return f"$ weft {' '.join(arguments)}\n" + self.run(*arguments)

    def json(self, arguments):
        answer = self.run(*arguments, '--json')
        # The last digits of what is computed with logarithms are the C library's.
        number = (lambda text: float(f'{float(text):.9g}')) if len(self.archives) > 1 else float
        try:
            return json.dumps(json.loads(answer, parse_float=number), ensure_ascii=False, indent=1) + '\n'
        except ValueError:
            return answer


def compare(path, found, update):
    """The difference to what is expected, empty if there is none."""
    if update:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(found)
    try:
        with open(path, encoding='utf-8') as file:
            expected = file.read()
    except FileNotFoundError:
        return ['there is no such file: run with --update']
    return list(difflib.unified_diff(expected.splitlines(), found.splitlines(), path, 'found', lineterm=''))


def main():
    weft, archive, golden = sys.argv[1:4]
    update = '--update' in sys.argv
    failures = 0
    print(f'1..{2 * (len(VIEWS) + len(CPU_VIEWS) + len(COMPARISONS))}')
    number = 0
    with tempfile.TemporaryDirectory(prefix="weft-golden-") as scratch:
        for names, asked in (([os.path.basename(archive)], VIEWS), (['cpu.weft'], CPU_VIEWS),
                             (['before.weft', 'after.weft'], COMPARISONS)):
            for name in names:
                os.symlink(os.path.join(os.path.dirname(os.path.abspath(archive)), name), os.path.join(scratch, name))
            views = Views(weft, names, scratch)
            for name, arguments in asked.items():
                for suffix, answer in (('txt', views.text), ('json', views.json)):
                    difference = compare(os.path.join(golden, f'{name}.{suffix}'), answer(arguments), update)
                    failures += bool(difference)
                    number += 1
                    print(f"{'not ' if difference else ''}ok {number} {name}.{suffix}")
                    for line in difference[:40]:
                        print(f'# {line}')
    return 1 if failures else 0


sys.exit(main())
