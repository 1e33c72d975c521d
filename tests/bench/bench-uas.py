# SPDX-License-Identifier: LGPL-2.1-or-later
"""OPTIONS answered by the protocol core alone, each through a transaction that lives its full time."""
import subprocess
import sys

import bench

UNITS = 20000
ROUNDS = 5
CPU = 'pjsip 25, sofia nta 27, re 36 us with socket'
COUNT = 'pjsip 53 324, sofia nta 53 653, re 89 422 with socket'
MEMORY = 're 98, sofia nta 196, pjsip 340 MB after 20 000 units'


def main():
    program = sys.argv[1]
    rounds = [subprocess.run([program, str(UNITS)], capture_output=True, text=True, check=True).stdout.split()
              for _ in range(ROUNDS)]
    cpu = [float(words[3]) / 1000 for words in rounds]
    heap = [int(word) for word in rounds[-1][5:8]]
    resident = [int(word) for word in rounds[-1][9:12]]
    count = bench.instructions([program], UNITS // 4, UNITS // 2)
    bench.table('uas: OPTIONS -> 200, transaction kept 32 s', [
        ('CPU per unit, us', bench.spread(cpu), '<= 15', CPU),
        ('instructions per unit', 'no valgrind' if count is None else '%d' % count, '<= 25 000', COUNT),
        ('heap per transaction, bytes', (heap[1] - heap[0]) // UNITS, '', ''),
        ('heap kept when all timers ran out', '%+.1f %%' % (100 * (heap[2] / heap[0] - 1)), '<= 5 %', ''),
        ('resident: start, full, end, KiB', '%d, %d, %d' % tuple(resident), 'within 5 %', MEMORY),
    ])


main()
