#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is never answered. SIPp keeps silent in many ways at the same time, so that 64 T1 pass but once."""
import dbus

import call
import cases
import lab
import scenario

PATIENCE = 60  # seconds, for what comes after 32


class Silence(cases.WithSessions):
    """For each scenario an endpoint that has SIPp for a server."""
    scenarios = ('called-silent', 'called-deaf', 'caller-no-ack', 'caller-no-prack', 'caller-refers-deaf')

    def setUp(self):
        super().setUp()
        self.ports = {name: lab.free_port() for name in self.scenarios}
        for name, port in self.ports.items():
            self.lab.profile(name.replace('-', ''), port=port, register=False)
        self.check_at_end(self.lab.start_daemon())
        self.sound = call.Sound(self.lab)
        self.peers = {}

    def begin(self, name):
        """Our side of the scenario; it has a client of its own."""
        client, user = call.Caller(self.lab), name.replace('-', '')
        endpoint = lab.endpoint_path(user)
        client.serve(Endpoints=dbus.Array([endpoint], signature='o'))
        remote = self.lab.listen_port if name.startswith('caller') else None
        self.peers[name] = scenario.Sipp(self.lab, name, self.ports[name], remote, user=user)
        if not remote:
            return client.dial(endpoint, cases.uri('peer'), self.sound.describe())
        return client.wait_call()

    def test_all(self):
        silent = self.begin('called-silent')
        deaf = self.begin('called-deaf')
        deaf.wait('Established')
        deaf.terminate()
        no_ack = self.begin('caller-no-ack')
        no_ack.accept(self.sound.describe())
        no_prack = self.begin('caller-no-prack')
        no_prack.ring(Status=dbus.UInt32(183), ContentType=call.SDP, Description=self.sound.describe())
        referred = self.begin('caller-refers-deaf')
        referred.accept(self.sound.describe())
        number = referred.wait('ReferReceived')[0]
        referred.do('AcceptRefer', 'ua{sv}', number, {})
        for name, s, expected in (('INVITE', silent, (0, 'timeout')), ('BYE', deaf, (0, 'local')),
                                  ('200', no_ack, (0, 'timeout')), ('183', no_prack, (504, 'timeout'))):
            with self.subTest(name):
                self.assertEqual(s.ended(PATIENCE), expected)
        self.assertEqual(no_ack.of('Established'), [])
        with self.subTest('NOTIFY'):
            self.assertEqual(referred.get('State'), 'established')
            referred.do('NotifyRefer', 'uus', number, dbus.UInt32(200), '')
            referred.terminate()
            self.assertEqual(referred.ended()[1], 'local')
        for name in ('caller-no-ack', 'caller-no-prack', 'caller-refers-deaf'):
            with self.subTest(name):
                self.peers[name].end()


if __name__ == '__main__':
    lab.main('sipp')
