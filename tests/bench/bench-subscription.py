# SPDX-License-Identifier: LGPL-2.1-or-later
"""Subscriptions kept by the protocol core alone, ours and those of others, and the memory that one needs."""
import subprocess
import sys

import bench

UNITS = 4000
HELD = 5000
ROUNDS = 5


def figures(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True).stdout.split()


def rows(program, role):
    start, fresh, settled, end = [int(word) for word in figures(program, role, 'hold', HELD)[1:]]
    lines = []
    for kind, what in (('run', 'NOTIFY and its 200'), ('life', 'SUBSCRIBE to the last NOTIFY')):
        rounds = [float(figures(program, role, kind, UNITS)[1]) / 1000 for _ in range(ROUNDS)]
        count = bench.instructions([program, role, kind], UNITS // 4, UNITS // 2)
        lines += [('%s: %s, instructions' % (role, what), 'no valgrind' if count is None else '%d' % count, '', ''),
                  ('%s: the same, CPU, us' % role, bench.spread(rounds), '', '')]
    return lines + [(role + ': heap for each of %d, bytes: made just now, 40 s ago' % HELD,
                     '%d, %d' % tuple((size - start) / HELD for size in (fresh, settled)), '', ''),
                    (role + ': heap kept when all are over, bytes for each', '%d' % ((end - start) / HELD), '', '')]


def main():
    bench.table('subscription: by the core alone, the peer\'s own work included',
                rows(sys.argv[1], 'subscriber') + rows(sys.argv[1], 'notifier'))


main()
