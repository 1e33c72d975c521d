# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pages through the daemon, out for a client and in to an agent, beside the floor of this machine.

bench-pages.py SIPBUSD BENCH-PEER BENCH-CLIENT

The floors are taken in the same run, so that the ratios hold when the machine is slow: a peer that answers a page
as simply as can be, and a D-Bus call to the daemon that does nothing.
"""
import os
import subprocess
import sys

import dbus.mainloop.glib

import bench
import lab

PAGES = 10000
WINDOW = 32
OTHERS = 'SIPp uas 22.8, pjsip 25, sofia nta 27, re 36, Kamailio 78 us for an OPTIONS'
BUS = 'an empty libdbus service: 13.3 us, 30 242/s'

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


class Measured:
    """What one program achieved, and what it cost the process that it used."""

    def __init__(self, pid, argv):
        before = bench.cpu_seconds(pid)
        run = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=120, check=False)
        if run.returncode:
            raise lab.NotYet('%s: %s%s' % (argv, run.stdout, run.stderr))
        done, _, seconds = run.stdout.split()
        self.rate = int(done) / float(seconds)
        self.cost = (bench.cpu_seconds(pid) - before) / int(done) * 1e6

    def row(self, what, target='', others=''):
        return (what, '%.0f/s, %.1f us' % (self.rate, self.cost), target, others)


def begin(argv):
    """Starts a helper; gives it and its first line."""
    helper = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    return helper, helper.stdout.readline().strip()


def measure(here, peer, client):
    floor, port = begin([peer, 'answer'])
    here.listen()
    here.configure('profiles.d/bench.conf', PROFILE % port)
    here.start_bus()
    here.start_daemon()
    daemon = here.daemon.popen.pid
    agent, _ = begin([client, here.address, 'agent'])
    try:
        send = [peer, 'send']
        amount = [PAGES, WINDOW]
        return [Measured(floor.pid, [*send, port, 'bench', *amount]),
                Measured(daemon, [client, here.address, 'ping', *amount]),
                Measured(daemon, [client, here.address, 'page', lab.endpoint_path('bench'),
                                  'sip:peer@127.0.0.1:' + port, *amount]),
                Measured(daemon, [*send, here.listen_port, 'bench', *amount])]
    finally:
        for helper in (agent, floor):
            helper.kill()
            helper.wait()


def main():
    os.environ['SIPBUSD'] = sys.argv[1]
    lab.need('dbus-daemon')
    lab.own_network()
    dbus.mainloop.glib.threads_init()
    here = lab.Lab()
    failed = True
    try:
        floor, ping, out, incoming = measure(here, *sys.argv[2:])
        failed = False
    finally:
        for line in here.close(failed):
            print('# ' + line)
    least = floor.cost + ping.cost
    bench.table('pages: %d each way, %d in flight; rate and CPU of the process per page' % (PAGES, WINDOW), [
        floor.row('floor: minimal SIP peer, no bus', '', OTHERS),
        ping.row('floor: D-Bus call that does nothing', '', BUS),
        out.row('pages out: SendPage, 200 from the peer', '', ''),
        ('  against both floors together', '%.1f times' % (out.cost / least), '', ''),
        incoming.row('pages in: PageReceived, 200 by the agent', '25 000/s on a direct connection', ''),
        ('  against both floors together', '%.1f times' % (incoming.cost / least),
         '<= 1.5 (one call, one transaction)', 'with pjsip\'s transaction for the floor: %.1f times'
         % (incoming.cost / (ping.cost + 25.1 / 7.5 * floor.cost))),
    ])


main()
