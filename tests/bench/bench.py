# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the benchmarks share: measuring processes, and saying what came out beside other figures."""
import os
import re
import shutil
import statistics
import subprocess
import sys

WHERE = 'measured on a shared 2-core x86-64 machine, Debian 12, over loopback'


def machine():
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        model = re.search(r'model name\s*: (.*)', f.read())
    return '%s, %d cores' % (model.group(1) if model else 'unknown processor', os.cpu_count())


def instructions(argv, few, many):
    """Instructions per unit of a program whose last argument is a number of units.

    Two runs under callgrind, of which only the difference counts: start and end cancel out. None without valgrind.
    """
    if not shutil.which('valgrind'):
        return None
    counts = []
    for units in (few, many):
        run = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', *argv, str(units)],
                             capture_output=True, text=True, check=True)
        counts.append(int(re.search(r'Collected : (\d+)', run.stderr).group(1)))
    return (counts[1] - counts[0]) / (many - few)


def spread(values):
    return '%.1f [%.1f-%.1f]' % (statistics.median(values), min(values), max(values))


def cpu_seconds(pid):
    """User and system time of a process with one thread so far, to the nanosecond."""
    with open('/proc/%d/schedstat' % pid, encoding='utf-8') as f:
        return int(f.read().split()[0]) / 1e9


def resident_kib(pid):
    with open('/proc/%d/status' % pid, encoding='utf-8') as f:
        return int(re.search(r'VmRSS:\s*(\d+)', f.read()).group(1))


def table(title, rows):
    """Rows are (what, here, target, others)."""
    print('\n%s\n(%s; other programs: %s)' % (title, machine(), WHERE))
    rows = [('what', 'sipbus', 'target', 'others'), *rows]
    widths = [max(len(str(row[i])) for row in rows) for i in range(4)]
    for row in rows:
        print('  ' + '  '.join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())
    sys.stdout.flush()
