#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exported symbols start with the first word of the stem of the file that defines them.

prefix.py NM FOLDER=LIBRARY... (FOLDER is where the library's sources lie, from the root)
"""
import os
import re
import subprocess
import sys

import lint

# path: (further prefix, reason)
EXCEPTIONS = {
    'protocol/base/timer.c': [('timerq', 'the queue that times them is half of the same concept')],
}
HIDDEN = re.compile(r'__')


def check(path, symbols):
    word = re.split('[-_.]', os.path.basename(path))[0]
    words = [word] + [prefix for prefix, reason in EXCEPTIONS.get(path, [])]
    return ['%s exports %s, which does not begin with %s_' % (path, symbol, word) for symbol in symbols
            if not HIDDEN.match(symbol) and not any(symbol == w or symbol.startswith(w + '_') for w in words)]


def library(nm, folder, archive):
    # Meson names an object after the source's path below the folder: msg/uri.c is msg_uri.c.o.
    sources = {name[len(folder) + 1:].replace('/', '_') + '.o': name
               for name in lint.files('.c') if name.startswith(folder + '/')}
    listing = subprocess.run([nm, '-P', '-g', '--defined-only', archive], capture_output=True, text=True,
                             check=True).stdout
    path, complaints, seen = None, [], 0
    for line in listing.splitlines():
        member = re.match(r'.*\[(.*)\]:$', line)
        if member:
            name = os.path.basename(member.group(1))
            path = sources.get(name)
            if path is None:
                complaints.append('%s: no source of %s found below %s' % (archive, name, folder))
        elif path and len(line.split()) > 1:
            complaints += check(path, [line.split()[0]])
            seen += 1
    return complaints or ([] if seen else ['%s exports nothing: the wrong library?' % archive])


def tree():
    pairs = [argument.split('=', 1) for argument in sys.argv[2:]]
    return [c for folder, archive in pairs for c in library(sys.argv[1], folder, archive)]


BAD = [('protocol/msg/uri.c', ['parse_uri']), ('protocol/ua/session_out.c', ['sessions_new']),
       ('ipc/bus-call.c', ['call_reply']), ('protocol/base/buf.c', ['timerq_run'])]
GOOD = [('protocol/msg/uri.c', ['uri_parse', '__asan_x']), ('protocol/ua/session_out.c', ['session_new']),
        ('ipc/bus-call.c', ['bus_call_reply']), ('protocol/base/timer.c', ['timerq_run', 'timer_arm'])]

if __name__ == '__main__':
    lint.run(check, BAD, GOOD, tree)
