#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates as the running daemon takes or refuses them, and what it says of them on the bus."""
import os
import shutil
import socket
import ssl
import threading

import dbus
import dbus.service

import case
import sip
from case import lab

PATH = lab.endpoint_path('alice')


class Registrar(sip.Registrar):
    """Over TLS, with a certificate that may be another for the next connection; says 200 to everything."""

    def __init__(self, port, pair):
        self.requests, self.failures, self.resumed = [], [], []
        self.streams = []
        self.answer = lambda message: 200
        self.show(pair)
        self.listener = socket.create_server(('127.0.0.1', port))
        threading.Thread(target=self.accept, daemon=True).start()

    def show(self, pair):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_ciphers('DEFAULT@SECLEVEL=0')  # weak keys, too
        self.context.load_cert_chain(pair.pem, pair.key)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def hang_up(self):
        for s in self.streams:
            s.shutdown(socket.SHUT_RDWR)

    def accept(self):
        while True:
            try:
                plain = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.converse, args=[plain, self.context], daemon=True).start()

    def converse(self, plain, context):
        left = b''
        try:
            with context.wrap_socket(plain, server_side=True) as s:
                self.resumed.append(s.session_reused)
                self.streams.append(s)
                while True:
                    data = s.recv(65536)
                    if not data:
                        return
                    messages, left = sip.split(left + data)
                    for m in messages:
                        self.take(m, s.sendall)
        except OSError as e:
            self.failures.append(str(e))


class Agent(dbus.service.Object):
    """Asked about certificates."""

    def __init__(self, client, error=None):
        super().__init__(client.bus, '/agent')
        self.asked, self.error = [], error
        client.call(lab.ROOT, lab.NAME + '.Manager.RegisterAgent', 'oa{sv}', '/agent', {'Kinds': dbus.Array(['certificate'], 's')})

    @dbus.service.method(lab.NAME + '.Agent', in_signature='osaya{sv}')
    def CertificateReceived(self, endpoint, server, certificate, details):
        self.asked.append((str(endpoint), str(server), bytes(bytearray(certificate)), details))
        if self.error:
            raise dbus.DBusException('no', name=lab.NAME + '.Error.' + self.error)

    @dbus.service.method(lab.NAME + '.Agent')
    def Released(self):
        pass


class Certificates(case.Case):
    def setUp(self):
        super().setUp()
        self.configure()
        self.server = Registrar(self.lab.port + 1, self.lab.certificates['server'])
        self.addCleanup(self.server.close)

    def account(self, tls=''):
        """alice, who registers when asked to."""
        self.lab.profile('alice', protocol='tls', register=False, more=tls)

    def register(self):
        return self.bus.endpoint(PATH, 'Register', 'a{sv}', {})

    def refused(self, reason):
        """The error of the method, and what the endpoint shows, name why."""
        with self.assertRaises(dbus.DBusException) as caught:
            self.register()
        self.assertIn(reason + ':', str(caught.exception))

    def restart(self):
        self.lab.daemon.stop()
        self.start()

    def test_reasons(self):
        self.account()
        self.start()
        for name, reason in (('expired', 'expired'), ('early', 'expired'), ('self-signed', 'untrusted'),
                             ('stranger', 'untrusted'), ('wrong-name', 'wrong name'), ('for-clients', 'untrusted'),
                             ('weak', 'too old'), ('wildcard', 'wrong name')):
            with self.subTest(name):
                self.server.show(self.lab.certificates[name])
                self.refused(reason)
        self.server.show(self.lab.certificates['chained'])
        self.register()

    def test_tickets(self):
        self.account()
        self.start()
        self.register()
        self.server.hang_up()
        lab.wait_for(lambda: not self.bus.get(PATH, 'Connections'), 'the connection to be gone')
        self.register()
        self.assertEqual(self.server.resumed, [False, True])

    def test_first_use(self):
        self.account('TrustOnFirstUse=yes\n')
        self.start()
        self.server.show(self.lab.certificates['self-signed'])
        self.refused('untrusted')  # nobody to ask
        agent = Agent(self.bus, 'Refused')
        self.refused('untrusted')
        agent.error = None
        self.register()
        self.assertEqual([a[:2] for a in agent.asked], [(PATH, '127.0.0.1')] * 2)
        with open(self.lab.certificates['self-signed'].pem) as f:
            self.assertEqual(agent.asked[0][2], ssl.PEM_cert_to_DER_cert(f.read()))
        self.assertEqual(agent.asked[0][3]['Subject'], 'CN=sipbus.test')
        agent.remove_from_connection()

        # remembered over a restart, where nobody is there to be asked
        self.restart()
        self.register()

        # another key is refused, and nobody is asked
        folder = self.lab.path('other', 'x')[:-2]
        os.makedirs(folder, exist_ok=True)
        self.server.show(type(self.lab.certificates)(folder)['self-signed'])
        self.restart()
        agent = Agent(self.bus)
        self.refused('changed')
        self.assertEqual(agent.asked, [])
        agent.remove_from_connection()
        shutil.rmtree(folder)


if __name__ == '__main__':
    case.main()
