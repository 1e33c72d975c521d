# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon with many endpoints, each registering with a real registrar that challenges it.

bench-register.py SIPBUSD [ENDPOINTS]
"""
import os
import subprocess
import sys
import time

import dbus.mainloop.glib

import bench
import lab

ENDPOINTS = 1000
WINDOW = 32
SETTLE = 6  # seconds: the transactions that registered have ended (timer K) when memory is looked at
PACE = 'begins 20 a second, then doubles'
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


SCENARIO = """\
<?xml version="1.0" encoding="ISO-8859-1"?>
<scenario name="register">
<send retrans="500"><![CDATA[
REGISTER sip:sipbus.test SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:peer[call_number]@sipbus.test>;tag=[call_number]
To: <sip:peer[call_number]@sipbus.test>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:peer[call_number]@[local_ip]:[local_port];transport=[transport]>;expires=3600
Expires: 3600
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
"""


def sipp(here, count):
    """What SIPp reaches over one connection with the same registrar: registrations a second, CPU for each."""
    scenario = here.write('register.xml', SCENARIO)
    before = os.times()
    begin = time.monotonic()
    run = subprocess.run(['sipp', '127.0.0.1:%d' % here.port, '-sf', scenario, '-i', '127.0.0.1', '-t', 't1', '-m', str(count),
                          '-r', '100000', '-rp', '1000', '-l', str(WINDOW), '-nostdin', '-timeout', '60s'],
                         capture_output=True, text=True, cwd=here.folder, env={**os.environ, 'TERM': 'dumb'}, check=False)
    seconds, after = time.monotonic() - begin, os.times()
    if run.returncode:
        raise lab.NotYet('sipp: ' + run.stderr[-500:])
    return count / seconds, (after.children_user + after.children_system - before.children_user - before.children_system) / count


def over_one_connection(count):
    """Endpoints of one profile with SharedConnections, registering by D-Bus, WINDOW at a time."""
    here = lab.Lab()
    failed = True
    try:
        here.start_bus()
        here.start_registrar('OPEN')
        here.profile('bench', protocol='tcp', register=False, endpoint='SharedConnections=yes')
        client = here.start_daemon()
        pid = here.daemon.popen.pid
        memory_before = bench.resident_kib(pid)
        paths = [client.call(lab.ROOT, lab.NAME + '.Manager.CreateEndpoint', 'sa{sv}', 'bench',
                             {'Id': 'user%d' % i, 'Uri': 'sip:user%d@sipbus.test' % i}) for i in range(count)]
        waiting, done, wrong = list(paths), [], []

        def begin_one(*_):
            if waiting:
                client.bus.call_async(lab.NAME, waiting.pop(), lab.NAME + '.Endpoint', 'Register', 'a{sv}', ({},),
                                      lambda *_: (done.append(1), begin_one()), lambda e: (wrong.append(e), begin_one()))
        cpu, begin = bench.cpu_seconds(pid), time.monotonic()
        for _ in range(WINDOW):
            begin_one()
        lab.wait_for(lambda: len(done) + len(wrong) == count, 'the registrations', 120)
        seconds = time.monotonic() - begin
        cpu = bench.cpu_seconds(pid) - cpu
        if wrong:
            raise lab.NotYet(str(wrong[0]))
        connections = len({str(c['Local']) for p in paths[:50] for c in client.get(p, 'Connections')})
        time.sleep(SETTLE)
        memory = (bench.resident_kib(pid) - memory_before) / count
        peer = sipp(here, count)
        failed = False
        return count / seconds, cpu / count, memory, connections, peer
    finally:
        for line in here.close(failed):
            print('# ' + line)


def main():
    os.environ['SIPBUSD'] = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else ENDPOINTS
    lab.need('dbus-daemon', 'kamailio', 'sipp')
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
    rate, cpu, memory, connections, (peer_rate, peer_cpu) = over_one_connection(count)
    bench.table('register: %d endpoints by D-Bus over %d connection, Kamailio without Digest, TCP' % (count, connections), [
        ('registrations per second', '%.0f, %.2f of SIPp' % (rate, rate / peer_rate), '', 'SIPp here %.0f' % peer_rate),
        ('CPU per registration, us', '%.0f, %.1f times SIPp' % (cpu * 1e6, cpu / peer_cpu), '', 'SIPp here %.0f' % (peer_cpu * 1e6)),
        ('resident per endpoint, KiB', '%.1f' % memory, '', ''),
    ])


main()
