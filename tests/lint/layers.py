#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every #include against the table of layers: who may see whom, and where each library lives."""
import re

import lint

# First row whose pattern fits the path decides which files of ours it may include.
OURS = [
    (r'protocol/base/', r'protocol/base/'),
    (r'protocol/msg/', r'protocol/(base|msg)/'),
    (r'protocol/txn/', r'protocol/(base|msg|txn)/'),
    (r'protocol/dialog/', r'protocol/(base|msg|txn|dialog)/'),
    (r'protocol/ua/', r'protocol/'),
    (r'conf/', r'protocol/(base|msg)/|protocol/ua/(profile|limits)\.h$|conf/'),
    (r'ipc/bus', r'protocol/base/|ipc/bus'),
    (r'ipc/body-', r'protocol/(base|msg)/|ipc/body-'),
    (r'ipc/', r'protocol/(base|msg|ua)/|ipc/'),
    (r'daemon/', r'(protocol|ipc|conf|daemon)/'),
    (r'tests/', r''),
]

# Where a library may be seen. Tests may use what they like.
LIBRARIES = [
    (r'event2/', r'daemon/|ipc/bus-loop\.c$'),
    (r'dbus/', r'ipc/(?!body-)'),
    (r'gnutls/|nettle/', r'daemon/(hash|random)\.c$|daemon/tls[a-z-]*\.[ch]$'),
    (r'gsasl', r'daemon/secrets\.c$'),
    (r'gssapi', r'daemon/gss\.c$'),
    (r'ares', r'daemon/resolver(-answer)?\.c$'),
    (r'sqlite3\.h', r'daemon/store\.c$'),
    (r'expat\.h', r'(conf/profile|ipc/body)-xml\.c$'),
    (r'systemd/', r'daemon/(notify|log-sink)\.c$'),
    (r'check\.h', r'$'),
]

# What the calculator may know of libc. No clock, no files, no sockets, no locale.
PURE = {'assert.h', 'errno.h', 'inttypes.h', 'limits.h', 'stdarg.h', 'stdbool.h', 'stddef.h', 'stdint.h',
        'stdio.h', 'stdlib.h', 'string.h', 'strings.h'}
# Any other header of libc or of the kernel.
LIBC = re.compile(r'(sys|net|netinet|arpa|linux)/|[a-z_]+\.h$')

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)


def check(path, text):
    complaints = []
    for match in INCLUDE.finditer(text):
        ours, theirs = match.groups()
        if ours is not None and not own_ok(path, ours):
            complaints.append('%s may not include "%s"' % (path, ours))
        if theirs is not None and not library_ok(path, theirs):
            complaints.append('%s may not include <%s>' % (path, theirs))
    return complaints


def own_ok(path, header):
    if '/' not in header or '..' in header:
        return False  # paths are written from the root
    for who, whom in OURS:
        if re.match(who, path):
            return re.match(whom, header) is not None
    return False


def library_ok(path, header):
    if path.startswith('tests/'):
        return True
    for library, where in LIBRARIES:
        if re.match(library, header):
            return re.match(where, path) is not None
    if path.startswith('protocol/'):
        return header in PURE
    return LIBC.match(header) is not None


def tree():
    return [c for name in lint.files('.c', '.h') for c in check(name, lint.read(name))]


BAD = [
    ('protocol/base/buf.c', '#include "protocol/msg/uri.h"\n'),
    ('protocol/msg/uri.c', '#include "protocol/ua/ua.h"\n'),
    ('protocol/ua/ua.c', '#include "daemon/app.h"\n'),
    ('protocol/ua/ua.c', '#include <time.h>\n'),
    ('protocol/ua/ua.c', '  #  include <sys/socket.h>\n'),
    ('protocol/ua/ua.c', '#include "ua.h"\n'),
    ('conf/ini.c', '#include "ipc/bus.h"\n'),
    ('ipc/body-list.c', '#include "ipc/iface.h"\n'),
    ('ipc/body-list.c', '#include "protocol/ua/ua.h"\n'),
    ('ipc/body-list.c', '#include <dbus/dbus.h>\n'),
    ('ipc/body-list.c', '#include <expat.h>\n'),
    ('conf/ini.c', '#include "protocol/ua/ua.h"\n'),
    ('ipc/bus-call.c', '#include <event2/event.h>\n'),
    ('ipc/bus-call.c', '#include "protocol/ua/ua.h"\n'),
    ('ipc/iface-endpoint.c', '#include "daemon/app.h"\n'),
    ('ipc/iface-endpoint.c', '#include "conf/ini.h"\n'),
    ('daemon/app.c', '#include <gsasl.h>\n'),
    ('daemon/app.c', '#include <systemd/sd-daemon.h>\n'),
    ('daemon/app.c', '#include <dbus/dbus.h>\n'),
    ('daemon/app.c', '#include "tests/support/world.h"\n'),
    ('daemon/app.c', '#include <unheard/of.h>\n'),
    ('elsewhere/x.c', '#include "protocol/base/buf.h"\n'),
]
GOOD = [
    ('protocol/msg/uri.c', '#include <string.h>\n\n#include "protocol/base/slice.h"\n'),
    ('conf/profile-conf.c', '#include "protocol/ua/profile.h"\n#include <sys/stat.h>\n'),
    ('ipc/bus-loop.c', '#include <event2/event.h>\n#include <dbus/dbus.h>\n'),
    ('ipc/agent.c', '#include "protocol/ua/ua.h"\n'),
    ('ipc/body-xml.c', '#include <expat.h>\n'),
    ('ipc/iface-body.c', '#include "ipc/body-list.h"\n'),
    ('daemon/secrets.c', '#include <gsasl.h>\n'),
    ('daemon/log-sink.c', '#include <systemd/sd-journal.h>\n'),
    ('tests/unit/msg/test-uri.c', '#include <check.h>\n'),
]

if __name__ == '__main__':
    lint.run(check, BAD, GOOD, tree)
