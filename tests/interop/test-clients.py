#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other clients than our own: busctl alone, dasbus, and clients that send nonsense."""
import json
import subprocess
import sys

import dbus
import dbus.lowlevel

import lab

ALICE, BOB = lab.endpoint_path('alice'), lab.endpoint_path('bob')
DASBUS = '''
import sys
from dasbus.connection import AddressedMessageBus
from dasbus.error import DBusError
bus = AddressedMessageBus(sys.argv[1])
alice = bus.get_proxy("org.sipbus1", "/org/sipbus1/endpoint/alice")
assert alice.RegistrationState == "registered", alice.RegistrationState
assert bus.get_proxy("org.sipbus1", "/org/sipbus1").EndpointCount == 2
try:
    alice.SendPage("sip:busy@%s" % sys.argv[2], "text/plain", b"x", {})
except DBusError as error:
    assert "486 Busy Here" in str(error), error
else:
    raise AssertionError("not refused")
print("good")
'''


class Clients(lab.Case):
    def setUp(self):
        super().setUp()
        self.lab.start_registrar()
        self.lab.profile('alice')
        self.lab.profile('bob', 'tcp')
        self.bus = self.lab.start_daemon()
        for path in (ALICE, BOB):
            self.bus.wait_state(path, 'registered')

    def busctl(self, *arguments):
        run = self.lab.busctl(*arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def call(self, path, method, *arguments):
        interface, member = method.rsplit('.', 1)
        return self.busctl('call', lab.NAME, path, lab.NAME + '.' + interface, member, *arguments)

    def test_busctl_alone(self):
        tree = self.busctl('tree', '--list', lab.NAME)
        self.assertIn(ALICE + '\n', tree)
        self.assertIn('SendPage', self.busctl('introspect', lab.NAME, ALICE))
        objects = json.loads(self.busctl('--json=short', 'call', lab.NAME, lab.ROOT, lab.OBJECTS, 'GetManagedObjects'))
        self.assertIn(BOB, objects['data'][0])
        self.assertEqual(self.busctl('get-property', lab.NAME, ALICE, lab.NAME + '.Endpoint', 'RegistrationState'),
                         's "registered"\n')
        self.assertEqual(self.call(ALICE, 'Endpoint.Unregister', 'a{sv}', '0'), '')
        self.assertEqual(self.call(ALICE, 'Endpoint.Register', 'a{sv}', '1', 'Expires', 'u', '600'), '')
        refused = self.lab.busctl('call', lab.NAME, ALICE, lab.NAME + '.Endpoint', 'SendPage', 'ssaya{sv}',
                                  'sip:busy@' + lab.DOMAIN, 'text/plain', '2', '104', '105', '0')
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn('486 Busy Here', refused.stderr)
        answer = self.call(ALICE, 'Endpoint.QueryCapabilities', 'sa{sv}', 'sip:bob@' + lab.DOMAIN, '0')
        self.assertTrue(answer.startswith('ua(ss)say 200 '), answer)
        self.assertEqual(self.busctl('get-property', lab.NAME, lab.ROOT, lab.NAME + '.Manager', 'EndpointCount'), 'u 2\n')
        self.assertEqual(self.call(lab.ROOT, 'Manager.CheckConfiguration'), 'a(ssus) 0\n')
        self.assertEqual(self.call(lab.ROOT, 'Manager.Reload'), 'a(ssus) 0\n')
        self.assertTrue(self.call(lab.ROOT, 'Manager.GetStatistics').startswith('a{st} '))

    def test_dasbus(self):
        run = subprocess.run([sys.executable, '-c', DASBUS, self.lab.address, lab.DOMAIN], capture_output=True, text=True,
                             timeout=60)
        self.assertEqual(run.stdout, 'good\n', run.stderr)

    def test_nonsense(self):
        endpoint, manager = lab.NAME + '.Endpoint.', lab.NAME + '.Manager.'
        bad = 'org.freedesktop.DBus.Error.'
        cases = [
            (ALICE, endpoint + 'SendPage', 's', ['x'], [bad + 'InvalidArgs', 'InvalidArgument']),
            (ALICE, endpoint + 'SendPage', '', [], [bad + 'InvalidArgs', 'InvalidArgument']),
            (ALICE, endpoint + 'NoSuchThing', '', [], [bad + 'UnknownMethod']),
            (ALICE, 'org.example.Nothing.At', '', [], [bad + 'UnknownInterface', bad + 'UnknownMethod']),
            (ALICE + '/below', endpoint + 'Register', 'a{sv}', [{}], [bad + 'UnknownObject', 'NoSuchObject']),
            (ALICE, endpoint + 'Register', 'a{sv}', [{'Unheard': 1}], ['InvalidArgument']),
            (ALICE, endpoint + 'Register', 'a{sv}', [{'Expires': 'soon'}], ['InvalidArgument']),
            (ALICE, endpoint + 'SendPage', 'ssaya{sv}', ['', 'text/plain', [], {}], ['InvalidArgument']),
            (ALICE, endpoint + 'SendPage', 'ssaya{sv}', ['not a uri', 'text/plain', [], {}], ['InvalidArgument']),
            (ALICE, endpoint + 'SendPage', 'ssaya{sv}', ['sip:bob@x\r\nEvil: 1', 'text/plain', [], {}], ['InvalidArgument']),
            (ALICE, endpoint + 'SendPage', 'ssaya{sv}', ['sip:bob@x', 'text/plain\r\nEvil: 1', [], {}], ['InvalidArgument']),
            (ALICE, endpoint + 'SendPage', 'ssaya{sv}', ['sip:bob@x', 'text/plain', [], {'Method': 'BYE'}],
             ['InvalidArgument', 'NotSupported']),
            (ALICE, endpoint + 'SendPage', 'ssaya{sv}',
             ['sip:bob@x', 'text/plain', [], {'Headers': dbus.Array([('X', 'a\r\nEvil: 1')], signature='(ss)')}],
             ['InvalidArgument']),
            (ALICE, lab.PROPERTIES + '.Get', 'ss', [lab.NAME + '.Endpoint', 'Nothing'],
             [bad + 'UnknownProperty', bad + 'InvalidArgs', 'InvalidArgument']),
            (ALICE, lab.PROPERTIES + '.Set', 'ssv', [lab.NAME + '.Endpoint', 'Uri', 'sip:x@y'],
             [bad + 'PropertyReadOnly', bad + 'AccessDenied']),
            (ALICE, lab.PROPERTIES + '.Set', 'ssv', [lab.NAME + '.Endpoint', 'AutoRefresh', 'yes'],
             [bad + 'InvalidArgs', 'InvalidArgument']),
            (lab.ROOT, manager + 'CreateEndpoint', 'sa{sv}', ['nobody', {}], ['InvalidArgument', 'NoSuchObject']),
            (lab.ROOT, manager + 'CreateEndpoint', 'sa{sv}', ['alice', {'Id': '../x'}], ['InvalidArgument']),
            (lab.ROOT, manager + 'UnregisterAgent', 'o', ['/nothing'], ['NoSuchObject', 'InvalidArgument']),
            (lab.ROOT, manager + 'RegisterAgent', 'oa{sv}', ['/agent', {'Kinds': dbus.Array(['x'], signature='s')}],
             ['InvalidArgument']),
        ]
        for path, method, signature, arguments, names in cases:
            with self.subTest('%s %r' % (method, arguments)):
                with self.refused(*names):
                    self.bus.call(path, method, signature, *arguments)
        self.assertEqual(self.bus.get(ALICE, 'RegistrationState'), 'registered')

    def test_client_that_leaves_in_the_middle(self):
        """Its calls are given up; the daemon and its registrations are not."""
        client = dbus.bus.BusConnection(self.lab.address)
        for _ in range(50):
            message = dbus.lowlevel.MethodCallMessage(lab.NAME, ALICE, lab.NAME + '.Endpoint', 'SendPage')
            message.append('sip:silent@' + lab.DOMAIN, 'text/plain', dbus.ByteArray(b'x'), dbus.Dictionary({}, signature='sv'),
                           signature='ssaya{sv}')
            client.send_message(message)
        client.flush()
        client.close()
        self.assertEqual(self.bus.get(ALICE, 'RegistrationState'), 'registered')
        self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})

    def test_agent_that_does_not_answer(self):
        """An agent that is dead or slow counts as passing: the far end still gets its answer."""
        self.lab.connect().call(lab.ROOT, lab.NAME + '.Manager.RegisterAgent', 'oa{sv}', '/nobody/here',
                                {'Kinds': dbus.Array(['page'], signature='s')})
        with self.refused('Refused') as caught:
            self.bus.page(ALICE, 'sip:bob@' + lab.DOMAIN, b'x')
        self.assertTrue(caught.exception.get_dbus_message().startswith('480 '), caught.exception)


if __name__ == '__main__':
    lab.main('kamailio', 'busctl')
