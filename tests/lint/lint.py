# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every lint shares: the list of files, and the two TAP results each of them gives.

A lint is a function from text to complaints. Before it looks at the tree it is fed samples: it has to
complain about each bad one and to be silent about each good one, so that a lint that has gone blind
fails instead of passing for ever.
"""
import os
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))


def files(*suffixes):
    """Paths relative to the root: what git tracks, or in a tree without git everything but builds."""
    git = subprocess.run(['git', '-C', ROOT, 'ls-files', '-z'], capture_output=True)
    if git.returncode == 0:
        names = git.stdout.decode().split('\0')
    else:
        names = []
        for folder, below, here in os.walk(ROOT):
            below[:] = [d for d in below if not d.startswith(('build', '.', '__pycache__'))]
            names += [os.path.relpath(os.path.join(folder, f), ROOT) for f in here]
    return sorted(n for n in names
                  if n and n.endswith(suffixes or ('',)) and os.path.isfile(os.path.join(ROOT, n)))


def read(name):
    with open(os.path.join(ROOT, name), encoding='utf-8', errors='replace') as f:
        return f.read()


def run(check, bad, good, tree):
    """Prints the results and ends the program.

    check(*sample) gives a list of complaints; bad and good are lists of samples; tree() gives the
    complaints about the real files.
    """
    blind = ['not noticed: %r' % (s,) for s in bad if not check(*s)]
    blind += ['wrongly noticed: %r: %s' % (s, check(*s)) for s in good if check(*s)]
    found = tree()
    print('1..2')
    for number, (name, complaints) in enumerate([('samples', blind), ('tree', found)], 1):
        print('%s %d - %s' % ('not ok' if complaints else 'ok', number, name))
        for line in complaints:
            print(line, file=sys.stderr)  # which meson --print-errorlogs shows
    sys.exit(1 if blind or found else 0)


def skip(reason):
    print('1..0 # SKIP ' + reason)
    sys.exit(0)
