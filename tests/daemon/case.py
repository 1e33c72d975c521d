# SPDX-License-Identifier: LGPL-2.1-or-later
"""A lab without registrar: the daemon, its bus, and sockets of our own."""
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'interop')]
import lab  # noqa: E402
import sip  # noqa: E402


class Case(lab.Case):
    host = '127.0.0.1'

    def setUp(self):
        super().setUp()
        self.here = (self.host, lab.free_port())
        self.resident()

    def configure(self, more='', hosts=None, **keys):
        """sipbus.conf: UDP and TCP at self.here, with further keys of [Listen]."""
        text = more
        for address in hosts or [self.host]:
            for transport in ('udp', 'tcp'):
                text += '[Listen]\nTransport=%s\nPort=%d\n' % (transport, self.here[1])
                text += 'Address=%s\n' % address if address else ''
                text += ''.join('%s=%s\n' % item for item in keys.items())
        self.lab.configure('sipbus.conf', text)

    def resident(self, user='alice'):
        """An endpoint that is there and registers nowhere, so that requests for it find somebody."""
        self.lab.configure('profiles.d/%s.conf' % user, '[Profile]\nName=%s\nRegister=no\n[User]\nUri=sip:%s@127.0.0.1\n'
                           '[Server]\nAddr=127.0.0.1:%d\nProtocol=udp\nRole=registrar\n' % (user, user, self.lab.port))

    def start(self, *arguments):
        self.bus = self.lab.start_daemon(*arguments)

    def registrar(self):
        """A registrar at the lab's port, closed in the end."""
        registrar = sip.Registrar(self.lab.port)
        self.addCleanup(registrar.close)
        return registrar

    def assert_alive(self, transport='tcp'):
        """A fresh connection gets its answer."""
        with sip.Stream(self.here) as s:
            s.send(sip.request(transport='TCP'))
            self.assertEqual([sip.status(m) for m in s.messages(1)], [200])


def main():
    lab.main()
