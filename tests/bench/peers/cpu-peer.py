#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What sampling costs and yields: ours, perf's and sysprof's, on the same programs.

    cpu-peer.py WEFT FOLDER

Prints lines `NAME VALUE UNIT`. Programs do a fixed amount of work and tell what it took them; each is
run alone and under each profiler in turn, several times, and the median ratio counts.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

WEFT, FOLDER = sys.argv[1], sys.argv[2]
RATE = 997
PAIRS = 5
NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

# Says how long it took, and what it cost: an interpreter, compiled without frame pointers.
WORK = r'''
import sys, time
def fold (depth, seed):
    if depth == 0:
        total = 0
        for i in range (4000):
            total = (total * 31 + i ^ seed) & 0xffffffff
        return total
    return fold (depth - 1, seed + depth) ^ depth
start, cpu = time.perf_counter (), time.process_time ()
result = 0
for i in range (int (sys.argv[1])):
    result ^= fold (12, i)
print ('took', time.perf_counter () - start, time.process_time () - cpu, result, flush=True)
'''
STORM = r'''
import os, resource, sys
for i in range (int (sys.argv[1])):
    os.posix_spawn ('/bin/true', ['/bin/true'], {})
    os.wait ()
usage = resource.getrusage (resource.RUSAGE_CHILDREN)
print ('children', usage.ru_utime + usage.ru_stime, flush=True)
'''
# Waits on a lock, a condition, a queue, a pipe and the clock.
WAITS = r'''
import os, queue, threading, time
lock, jobs = threading.Lock (), queue.Queue (4)
source, sink = os.pipe ()
def holder ():
    for i in range (200):
        with lock:
            time.sleep (0.004)
def asker ():
    for i in range (200):
        with lock:
            sum (range (2000))
def worker ():
    while jobs.get () is not None:
        sum (range (20000))
def reader ():
    while os.read (source, 1):
        pass
threads = [threading.Thread (target=f) for f in (holder, asker, worker, reader)]
for thread in threads:
    thread.start ()
for i in range (150):
    jobs.put (i)
    os.write (sink, b'x')
    time.sleep (0.005)
jobs.put (None)
os.close (sink)
for thread in threads:
    thread.join ()
print ('took', 0, 0, 0)
'''


def put(name, value, unit=''):
    print(f'{name} {value:.6g} {unit}'.rstrip(), flush=True)


def run(command, most=60):
    """Its output; a group of its own, so that nothing stays behind."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, errors='replace', start_new_session=True,
                               cwd=FOLDER)
    try:
        output, errors = process.communicate(timeout=most)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None
    if process.returncode != 0:
        print(f'# {command[0]}: status {process.returncode}: {(errors.strip().splitlines() or [""])[-1]}', file=sys.stderr)
        return None
    return output


def number_after(output, word, place=1):
    for line in (output or '').splitlines():
        if line.startswith(word):
            return float(line.split()[place])
    return None


def path(name):
    return os.path.join(FOLDER, name)


class Profiler:
    """How one is called, and where it writes."""

    def __init__(self, name, command, output):
        self.name, self.command, self.output = name, command, output

    def wrap(self, program):
        for file in (self.output, self.output + '.old'):
            if os.path.exists(file):
                os.unlink(file)
        return [*self.command, *program]


def weft(name, *options, user=()):
    output = path(f'{name}.weft')
    return Profiler(name, [*user, WEFT, 'record', '--no-plugins', '--json', '--output', output, *options, '--'], output)


def perf(name, *options):
    return Profiler(name, ['perf', 'record', '-q', '-F', str(RATE), '-e', 'cpu-clock', *options, '-o', path(f'{name}.data'), '--'],
                    path(f'{name}.data'))


def cost(profiler, program):
    """Median of paired ratios of the time that the program says it took, in per cent."""
    ratios = []
    for _ in range(PAIRS):
        alone = number_after(run(program), 'took')
        under = number_after(run(profiler.wrap(program)), 'took')
        if not alone or not under:
            return None
        ratios.append((under / alone - 1) * 100)
    return statistics.median(ratios)


def summary(output):
    """What `weft record --json` says last."""
    try:
        return json.loads(output[output.index('{'):])['value']
    except (ValueError, KeyError, TypeError):
        return {}


def rows(recording, table):
    output = run([WEFT, 'export', 'json', '--table', table, recording]) or '{}'
    return json.loads(output).get('rows', [])


def measure_costs(profilers):
    program = ['/usr/bin/python3', '-c', WORK, '6000']
    for profiler in profilers:
        if (value := cost(profiler, program)) is not None:
            put(f'{profiler.name}.cpu-cost', max(value, 0.01), '%')


def measure_yield(profiler):
    """Per sample: the recorder's time, bytes, and the share of stacks that reach the thread's start."""
    output = run(profiler.wrap(['/usr/bin/python3', '-c', WORK, '12000']))
    found = summary(output or '')
    samples = rows(profiler.output, 'samples')
    if not samples:
        return
    complete = sum(sample['end'] == 'complete' for sample in samples)
    put(f'{profiler.name}.cpu-sample', found.get('cpu', 0) / len(samples) / 1000, 'µs')
    put(f'{profiler.name}.cpu-sample-bytes', os.path.getsize(profiler.output) / len(samples), 'B')
    put(f'{profiler.name}.cpu-complete', 100 * complete / len(samples), '%')


def measure_readable(profiler):
    """From the end of the program to that of its recording."""
    output = run(profiler.wrap(['/bin/sh', '-c', '/usr/bin/python3 -c "$0" 1000; date "+end %s%N"', WORK]))
    if end := number_after(output, 'end'):
        put(f'{profiler.name}.cpu-readable', (time.time_ns() - end) / 1e9, 's')


def measure_perf_yield():
    profiler = perf('perf', '--call-graph', 'dwarf,16384')
    run(profiler.wrap(['/usr/bin/python3', '-c', WORK, '12000']))
    start = time.process_time()
    usage = os.times()
    text = run(['perf', 'script', '--no-inline', '-F', 'ip,sym', '-i', profiler.output], most=120)
    after = os.times()
    stacks = [stack for stack in (text or '').split('\n\n') if stack.strip()]
    if not stacks:
        return
    put('perf.cpu-sample', (after.children_user + after.children_system - usage.children_user - usage.children_system
                            + time.process_time() - start) / len(stacks) * 1e6, 'µs')
    put('perf.cpu-sample-bytes', os.path.getsize(profiler.output) / len(stacks), 'B')
    put('perf.cpu-complete', 100 * sum('_start' in stack or 'clone' in stack for stack in stacks) / len(stacks), '%')


def measure_storm(profiler, count):
    output = run(profiler.wrap(['/usr/bin/python3', '-c', STORM, '500']))
    due = (number_after(output, 'children') or 0) * RATE
    if due:
        put(f'{profiler.name}.cpu-storm', 100 * count(profiler.output) / due, '%')


def storm_samples(recording):
    names = {thread['id']: thread['name'] for thread in rows(recording, 'threads')}
    return sum(names.get(sample['thread']) == 'true' for sample in rows(recording, 'samples'))


def perf_storm_samples(file):
    return (run(['perf', 'script', '-F', 'comm', '-i', file]) or '').split().count('true')


def measure_waits(profiler):
    if run(profiler.wrap(['/usr/bin/python3', '-c', WAITS])) is None:
        return
    waits = [wait for wait in rows(profiler.output, 'waits') if wait['reason'] != 'preempted']
    total = sum(wait['duration'] for wait in waits)
    if total:
        put(f'{profiler.name}.wait-stacks', 100 * sum(w['duration'] for w in waits if w['callchain']) / total, '%')
        put(f'{profiler.name}.wait-wakers', 100 * sum(bool(w['waker']) for w in waits) / len(waits), '%')


def measure_loaded(profiler):
    """At 3,999 Hz, both processors busy: what did not arrive, of all that was counted."""
    busy = ['/bin/sh', '-c', f'/usr/bin/python3 -c "$0" 6000 & /usr/bin/python3 -c "$0" 6000; wait', WORK]
    found = summary(run(profiler.wrap(busy)) or '')
    if 'events_lost' in found:
        put(f'{profiler.name}.cpu-lost', found['events_lost'])


def main():
    is_root = os.geteuid() == 0
    ours = weft('weft', '--cpu', 'auto', '--symbols', 'off')
    nobody = weft('nobody', '--cpu', 'perf', '--symbols', 'off', user=NOBODY if is_root else [])
    stopping = weft('ptrace', '--cpu', 'ptrace', '--symbols', 'off')
    profilers = [ours, nobody, stopping]
    if shutil.which('perf'):
        profilers.append(perf('perf', '--call-graph', 'dwarf,16384'))
    if shutil.which('sysprof-cli'):
        profilers.append(Profiler('sysprof', ['sysprof-cli', '--force', path('sysprof.syscap'), '--'], path('sysprof.syscap')))
    os.chmod(FOLDER, 0o777)
    measure_costs(profilers)
    for profiler in (ours, nobody, stopping):
        measure_yield(profiler)
    if shutil.which('perf'):
        measure_perf_yield()
        measure_storm(perf('perf'), perf_storm_samples)
    if is_root:
        measure_storm(ours, storm_samples)
    measure_waits(ours)
    measure_waits(nobody)
    measure_readable(ours)
    measure_readable(nobody)
    for name, profiler in ('weft', ours), ('nobody', nobody):
        measure_loaded(Profiler(name, [*profiler.command[:-1], '--frequency', '3999', '--'], profiler.output))


if __name__ == '__main__':
    main()
