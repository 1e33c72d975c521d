# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions through the daemon, owned by a D-Bus client: as caller against SIPp's uas, as called against its uac.

bench-calls.py SIPBUSD BENCH-CLIENT

SIPp runs its own scenarios (INVITE, 180, 200, ACK, BYE, 200). What it takes for the same sessions in the same run is
what the daemon is compared with.
"""
import os
import subprocess
import sys
import time

import dbus.mainloop.glib

import bench
import lab

CALLS = 4000
HELD = 2000
WINDOW = 32
SETTLE = 36  # seconds: all that the network may still want of an INVITE is over (64*T1)
CLOSING = 1  # second: for the rest of the last sessions
PROFILE = '''\
[Profile]
Kind=registered
Register=no
[User]
Uri=sip:bench@127.0.0.1
[Server]
Addr=127.0.0.1:%d
Protocol=udp
Role=registrar
'''
OTHERS = 'pjsip 103, sofia nta 104, sofia nua 139, re 302, Kamailio 332 us without a bus'


class Costs:
    """CPU time of processes between two moments, in microseconds for each of CALLS."""

    def __init__(self, **pids):
        self.pids = pids
        self.before = {name: bench.cpu_seconds(pid) for name, pid in pids.items()}

    def each(self, name):
        return (bench.cpu_seconds(self.pids[name]) - self.before[name]) / CALLS * 1e6


def sipp(here, name, port, *arguments):
    """By one of SIPp's own scenarios, uac or uas."""
    process = here.start('sipp-' + name, ['sipp', '-sn', name, '-i', '127.0.0.1', '-p', str(port), '-nostdin',
                                          *map(str, arguments)], env={**os.environ, 'TERM': 'dumb'}, cwd=here.folder)
    lab.wait_for(lambda: lab.listens('udp', port), 'SIPp to listen')
    return process


def client(here, program, verb, *arguments):
    return subprocess.Popen([program, here.address, verb, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def first_line(process):
    line = process.stdout.readline().split()
    if not line or (len(line) == 3 and line[1] != '0'):
        raise lab.NotYet('%s: %s' % (process.args, line))
    return line


def ended(process):
    process.kill()
    process.wait()


def bus_pid(here):
    return here.processes[0].popen.pid


def as_caller(here, program, peer, target):
    costs = Costs(daemon=here.daemon.popen.pid, sipp=peer.popen.pid, bus=bus_pid(here))
    caller = client(here, program, 'call', lab.endpoint_path('bench'), target, CALLS, WINDOW)
    first_line(caller)
    ended(caller)
    time.sleep(CLOSING)
    return {name: costs.each(name) for name in costs.pids}


def as_called(here, program):
    agent = client(here, program, 'agent')
    first_line(agent)
    daemon = Costs(daemon=here.daemon.popen.pid, bus=bus_pid(here))
    peer = sipp(here, 'uac', lab.free_port(), '127.0.0.1:%d' % here.listen_port, '-s', 'bench', '-m', CALLS, '-l', WINDOW, '-r', CALLS)
    pid = peer.popen.pid
    spent = 0.0
    while peer.alive:  # what it took goes with it
        spent = bench.cpu_seconds(pid) or spent
        time.sleep(0.005)
    if peer.popen.returncode:
        raise lab.NotYet('SIPp ended with %d: %s' % (peer.popen.returncode, peer.text()[-2000:]))
    time.sleep(CLOSING)
    ended(agent)
    return {'sipp': spent / CALLS * 1e6, **{name: daemon.each(name) for name in daemon.pids}}


def held(here, program, target):
    """KiB of the daemon for each session: established just now, and when all else is over."""
    pid = here.daemon.popen.pid
    time.sleep(SETTLE)
    before = bench.resident_kib(pid)
    caller = client(here, program, 'hold', lab.endpoint_path('bench'), target, HELD, WINDOW)
    first_line(caller)
    fresh = bench.resident_kib(pid)
    time.sleep(SETTLE)
    settled = bench.resident_kib(pid)
    ended(caller)
    return (fresh - before) / HELD, (settled - before) / HELD


def measure(here, program):
    port = lab.free_port()
    target = 'sip:peer@127.0.0.1:%d' % port
    here.listen()
    here.configure('profiles.d/bench.conf', PROFILE % port)
    here.start_bus()
    here.start_daemon()
    peer = sipp(here, 'uas', port)
    return as_caller(here, program, peer, target), as_called(here, program), held(here, program, target)


def rows(what, cost):
    return [
        (what + ': CPU of the daemon for each, us', '%.0f' % cost['daemon'], '', OTHERS),
        ('  of SIPp, its peer', '%.0f' % cost['sipp'], '', ''),
        ('  of the bus', '%.0f' % cost['bus'], '', ''),
        ('  the daemon against SIPp', '%.2f times' % (cost['daemon'] / cost['sipp']), '', ''),
    ]


def main():
    os.environ['SIPBUSD'] = sys.argv[1]
    lab.need('dbus-daemon', 'sipp')
    lab.own_network()
    dbus.mainloop.glib.threads_init()
    here = lab.Lab()
    failed = True
    try:
        caller, called, (fresh, settled) = measure(here, sys.argv[2])
        failed = False
    finally:
        for line in here.close(failed):
            print('# ' + line)
    bench.table('calls: %d sessions each way over UDP, %d at a time, owned by a D-Bus client' % (CALLS, WINDOW), [
        *rows('as caller', caller), *rows('as called', called),
        ('resident for each of %d sessions, KiB: established just now, %d s ago' % (HELD, SETTLE),
         '%.1f, %.1f' % (fresh, settled), '', 'pjsip 62, re 12, sofia nta 25, nua 22 after 8000'),
    ])


main()
