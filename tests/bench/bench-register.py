# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon with many endpoints, each registering with a real registrar that challenges it.

bench-register.py SIPBUSD [ENDPOINTS]
"""
import os
import sys
import time

import dbus.mainloop.glib

import bench
import lab

ENDPOINTS = 1000
SETTLE = 6  # seconds: the transactions that registered have ended (timer K) when memory is looked at
PACE = 'the daemon begins 200 a second'
TIME = 'baresip, 1000 accounts: 3.5 s'


def registered(count):
    """Seconds from the daemon's start until all are registered, its CPU seconds by then, its memory later in KiB."""
    here = lab.Lab()
    failed = True
    try:
        here.start_bus()
        here.start_registrar()
        for i in range(count):
            here.profile('user%05d' % i)
        done = set()
        watcher = here.connect()
        watcher.bus.add_signal_receiver(
            lambda old, new, status, reason, path: done.add(path) if new == 'registered' else done.discard(path),
            'RegistrationChanged', lab.NAME + '.Endpoint', path_keyword='path')
        begin = time.monotonic()
        here.start_daemon()
        lab.wait_for(lambda: len(done) == count, '%d endpoints to register, not %d' % (count, len(done)), 120)
        seconds = time.monotonic() - begin
        pid = here.daemon.popen.pid
        cpu = bench.cpu_seconds(pid)
        time.sleep(SETTLE)
        memory = bench.resident_kib(pid)
        failed = False
        return seconds, cpu, memory
    finally:
        for line in here.close(failed):
            print('# ' + line)


def main():
    os.environ['SIPBUSD'] = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else ENDPOINTS
    lab.need('dbus-daemon', 'kamailio')
    lab.own_network()
    dbus.mainloop.glib.threads_init()
    _, cpu_one, memory_one = registered(1)
    seconds, cpu, memory = registered(count)
    each = (memory - memory_one) / (count - 1)
    bench.table('register: %d endpoints, Kamailio, UDP, Digest' % count, [
        ('start to all registered, s', '%.2f' % seconds, PACE, TIME),
        ('endpoints per second', '%.0f' % (count / seconds), '', 'baresip 286'),
        ('CPU per endpoint, us', '%.0f' % ((cpu - cpu_one) / (count - 1) * 1e6), '', ''),
        ('resident per endpoint, KiB', '%.1f' % each, '<= 4', 'pjsua: 8 accounts at most, Janus: a thread each'),
        ('resident with 1, with %d, MiB' % count, '%.1f, %.1f' % (memory_one / 1024, memory / 1024), '', ''),
    ])


main()
