# SPDX-License-Identifier: LGPL-2.1-or-later
"""Subscriptions of one daemon: what one keeps in memory, and what a notification costs on its way to a D-Bus client.

bench-watch.py SIPBUSD BENCH-NOTIFIER BENCH-CLIENT [SUBSCRIPTIONS]

The notifier is as simple as can be. It tells SIPp, which subscribes as often and throws every state away, the same in
the same run: that, and a D-Bus call that does nothing, are what the daemon is compared with.
"""
import os
import subprocess
import sys
import time

import dbus.mainloop.glib

import bench
import lab

SUBSCRIPTIONS = 5000
ROUNDS = 4
WINDOW = 32
SETTLE = 36  # seconds: the transactions have ended (64*T1)
PROFILE = '''\
[Profile]
Kind=registered
Register=no
[User]
Uri=sip:bench@127.0.0.1
[Server]
Addr=127.0.0.1:%s
Protocol=udp
Role=registrar
'''
ANSWER = '''\
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
'''
SCENARIO = '''\
<?xml version="1.0" encoding="ISO-8859-1"?>
<scenario name="watch">
  <send retrans="500"><![CDATA[
SUBSCRIBE sip:user[call_number]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:bench@127.0.0.1>;tag=[call_number]
To: <sip:user[call_number]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 SUBSCRIBE
Contact: <sip:bench@[local_ip]:[local_port]>
Event: presence
Expires: 3600
Content-Length: 0

]]></send>
  <recv response="200"/>
''' + ('  <recv request="NOTIFY"/>\n' + ANSWER) * (ROUNDS + 1) + '  <recv request="NOTIFY"/>\n</scenario>\n'


class Notifier:
    def __init__(self, program):
        self.popen = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.popen.stdout.readline())

    def do(self, *words):
        self.popen.stdin.write(' '.join(map(str, words)) + '\n')
        self.popen.stdin.flush()
        return [float(word) for word in self.popen.stdout.readline().split()]

    def notify(self, count):
        answered, refused, _ = self.do('notify', count, WINDOW)
        if answered != count:
            raise lab.NotYet('%d of %d NOTIFYs were answered by 200, %d refused' % (answered, count, refused))

    def end(self):
        self.popen.kill()
        self.popen.wait()


class Costs:
    """CPU time of processes since then, in microseconds for each of `count`."""

    def __init__(self, **pids):
        self.pids = pids
        self.before = {name: bench.cpu_seconds(pid) for name, pid in pids.items()}

    def each(self, count):
        return {name: (bench.cpu_seconds(pid) - self.before[name]) / count * 1e6 for name, pid in self.pids.items()}


def by_sipp(here, notifier, count):
    """CPU for each notification, KiB for each subscription."""
    sipp = here.start('sipp', ['sipp', '127.0.0.1:%d' % notifier.port, '-sf', here.write('watch.xml', SCENARIO), '-i', '127.0.0.1',
                               '-p', str(lab.free_port()), '-nostdin', '-buff_size', '200000', '-m', str(count), '-l', str(count), '-r', '1000'],
                      env={**os.environ, 'TERM': 'dumb'}, cwd=here.folder)
    pid = sipp.popen.pid
    time.sleep(0.5)
    before = bench.resident_kib(pid)
    notifier.do('wait', count)
    resident = (bench.resident_kib(pid) - before) / count
    costs = Costs(sipp=pid, notifier=notifier.popen.pid)
    notifier.notify(ROUNDS * count)
    cost = costs.each(ROUNDS * count)
    sipp.popen.kill()
    notifier.do('forget')
    return cost, resident


def line_of(process):
    line = process.stdout.readline().split()
    if not line or (len(line) == 3 and line[1] != '0'):
        raise lab.NotYet('%s: %s' % (process.args, line))
    return line


def by_daemon(here, notifier, program, count):
    """Costs of the daemon for each subscription and notification; KiB of one, just now and when all else is over."""
    pid, bus = here.daemon.popen.pid, here.processes[0].popen.pid
    before = bench.resident_kib(pid)
    costs = Costs(daemon=pid, bus=bus)
    client = subprocess.Popen([program, here.address, 'watch', lab.endpoint_path('bench'), '127.0.0.1:%d' % notifier.port, str(count),
                               str(WINDOW)], stdout=subprocess.PIPE, text=True)
    try:
        notifier.do('wait', count)
        line_of(client)
        begun = costs.each(count)
        fresh = (bench.resident_kib(pid) - before) / count
        time.sleep(SETTLE)
        settled = (bench.resident_kib(pid) - before) / count
        costs = Costs(daemon=pid, bus=bus, notifier=notifier.popen.pid, client=client.pid)
        notifier.notify(ROUNDS * count)
        for _ in range(ROUNDS):
            line_of(client)
        return begun, costs.each(ROUNDS * count), fresh, settled
    finally:
        client.kill()
        client.wait()


def ping(here, program):
    costs = Costs(daemon=here.daemon.popen.pid)
    run = subprocess.run([program, here.address, 'ping', '10000', str(WINDOW)], capture_output=True, text=True, timeout=60, check=True)
    return costs.each(int(run.stdout.split()[0]))['daemon']


def measure(here, notifier, program, count):
    here.listen()
    here.configure('profiles.d/bench.conf', PROFILE % notifier.port)
    here.start_bus()
    here.start_daemon()
    return by_sipp(here, notifier, count), ping(here, program), by_daemon(here, notifier, program, count)


def main():
    os.environ['SIPBUSD'] = sys.argv[1]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else SUBSCRIPTIONS
    lab.need('dbus-daemon', 'sipp')
    lab.own_network()
    dbus.mainloop.glib.threads_init()
    here = lab.Lab()
    notifier = Notifier(sys.argv[2])
    failed = True
    try:
        (sipp, sipp_resident), empty, (begun, told, fresh, settled) = measure(here, notifier, sys.argv[3], count)
        failed = False
    finally:
        notifier.end()
        for line in here.close(failed):
            print('# ' + line)
    bench.table('watch: %d subscriptions of one process over UDP, %d NOTIFYs, %d in flight' % (count, ROUNDS * count, WINDOW), [
        ('resident for each subscription, KiB: subscribed just now, %d s ago' % SETTLE, '%.1f, %.1f' % (fresh, settled), '',
         'SIPp here %.1f' % sipp_resident),
        ('CPU of the daemon for each subscription, us', '%.0f' % begun['daemon'], '', ''),
        ('CPU of the daemon for each NOTIFY, 200 and Notified, us', '%.1f' % told['daemon'], '', 'SIPp here %.1f without a bus' % sipp['sipp']),
        ('  against SIPp', '%.2f times' % (told['daemon'] / sipp['sipp']), '', ''),
        ('  against SIPp and an empty D-Bus call (%.1f) together' % empty, '%.2f times' % (told['daemon'] / (sipp['sipp'] + empty)), '', ''),
        ('  of the notifier, the bus, the client', '%.1f, %.1f, %.1f' % (told['notifier'], told['bus'], told['client']), '', ''),
    ])


main()
