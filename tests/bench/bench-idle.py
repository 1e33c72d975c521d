# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an idle connection that others opened costs the daemon, over TCP and over TLS.

bench-idle.py SIPBUSD [CONNECTIONS]
"""
import os
import socket
import ssl
import sys
import time

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

import certificates
import lab

CONNECTIONS = 400
WARM = 50  # before memory is looked at first: what is made once is there then


def private(pid):
    """KiB of memory that nobody shares."""
    with open('/proc/%d/smaps_rollup' % pid) as f:
        return int(next(line for line in f if line.startswith('Private_Dirty')).split()[1])


def grown(make, count, pid):
    """KiB for each of so many connections; and the connections."""
    kept = [make() for _ in range(WARM)]
    time.sleep(1)
    before = private(pid)
    kept += [make() for _ in range(count)]
    time.sleep(2)
    return (private(pid) - before) / count, kept


def main():
    os.environ['SIPBUSD'] = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else CONNECTIONS
    here = lab.Lab()
    pair = certificates.Certificates(here.path('certificates'))['server']
    ports = {name: lab.free_port() for name in ('tcp', 'tls')}
    text = '[Daemon]\nConnectionsPerPeer=65536\nNewConnectionsPerPeer=65536\n'
    for name, port in ports.items():
        text += '[Listen]\nTransport=%s\nAddress=127.0.0.1\nPort=%d\nFirstMessageTimeout=0\n' % (name, port)
    here.configure('sipbus.conf', text + '[Tls]\nCertificateFile=%s\nKeyFile=%s\n' % (pair.pem, pair.key))
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    makers = {'tcp': lambda: socket.create_connection(('127.0.0.1', ports['tcp'])),
              'tls': lambda: trusting.wrap_socket(socket.create_connection(('127.0.0.1', ports['tls'])))}
    failed = True
    try:
        here.start_bus()
        here.start_daemon()
        kept = []
        for name, make in makers.items():
            each, more = grown(make, count, here.daemon.popen.pid)
            kept.append(more)
            print('%s: %.1f KiB for each idle connection, of %d' % (name, each, count), flush=True)
        failed = False
    finally:
        here.close(failed)


if __name__ == '__main__':
    main()
