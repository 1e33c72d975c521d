# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions set up and ended by the protocol core alone, and the memory that one needs."""
import subprocess
import sys

import bench

UNITS = 4000
HELD = 2000
ROUNDS = 5
COUNT = 'sofia nta 155 299, SIPp 202 467, sofia nua 248 710, pjsip 264 024, re 342 161 with socket'
CPU = 'SIPp 85, pjsip 103, sofia nta 104, sofia nua 139, re 302 us with socket'


def figures(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True).stdout.split()


def rows(program, role):
    rounds = [figures(program, role, 'run', UNITS) for _ in range(ROUNDS)]
    count = bench.instructions([program, role, 'run'], UNITS // 4, UNITS // 2)
    start, fresh, settled, ended, end = [int(word) for word in figures(program, role, 'hold', HELD)[1:]]
    return [
        (role + ': instructions for each', 'no valgrind' if count is None else '%d' % count, '<= 80 000', COUNT),
        (role + ': CPU for each, us', bench.spread([float(words[1]) / 1000 for words in rounds]), '<= 45', CPU),
        (role + ': heap for each, bytes: established just now, 40 s ago, ended just now',
         '%d, %d, %d' % tuple((size - start) / HELD for size in (fresh, settled, ended)), '', ''),
        (role + ': heap kept when all timers ran out, bytes for each', '%d' % ((end - start) / HELD), '', ''),
    ]


def main():
    bench.table('session: INVITE, 180, 200, ACK, BYE, 200 by the core alone, the peer\'s own work included',
                rows(sys.argv[1], 'called') + rows(sys.argv[1], 'caller'))


main()
