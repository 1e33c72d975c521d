#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions over a real bus: two endpoints of one daemon call each other over loopback."""
import dbus
import dbus.service

import case
from case import lab

ALICE, BOB = lab.endpoint_path('alice'), lab.endpoint_path('bob')
PASS = lab.NAME + '.Error.Pass'
SDP = 'application/sdp'
DENIED = 'org.freedesktop.DBus.Error.AccessDenied'
SIGNALS = ('Progress', 'Established', 'OfferReceived', 'AnswerReceived', 'MessageReceived', 'InfoReceived',
           'ReferReceived', 'ReferProgress', 'ReferFinished', 'Terminated')


def body(text):
    return SDP, dbus.ByteArray(text)


class Agent(dbus.service.Object):
    """Takes sessions, or passes them on."""

    def __init__(self, client, answer=None):
        super().__init__(client.bus, '/agent')
        self.answer = answer
        self.sessions, self.details = [], []

    @dbus.service.method(lab.NAME + '.Agent', in_signature='oa{sv}')
    def SessionReceived(self, session, details):
        self.sessions.append(str(session))
        self.details.append(details)
        if self.answer:
            raise dbus.DBusException('not for me', name=self.answer)

    @dbus.service.method(lab.NAME + '.Agent')
    def Released(self):
        pass


class Party:
    """A client with everything that it heard of sessions, in order."""

    def __init__(self, test):
        self.client = test.lab.connect()
        self.heard = []
        for member in SIGNALS:
            self.client.bus.add_signal_receiver(
                lambda *arguments, member=member, path: self.heard.append((str(path), member, arguments)),
                member, lab.NAME + '.Session', lab.NAME, path_keyword='path')

    def agent(self, answer=None, **filter):
        self.agent = Agent(self.client, answer)
        filter = {'Kinds': dbus.Array(['session'], signature='s'), **filter}
        self.client.call(lab.ROOT, lab.NAME + '.Manager.RegisterAgent', 'oa{sv}', '/agent', filter)
        return self.agent

    def create(self, endpoint=ALICE, target='sip:bob@127.0.0.1', **options):
        options = {'ContentType': SDP, 'Description': dbus.ByteArray(b'offer'), **options}
        return str(self.client.endpoint(endpoint, 'CreateSession', 'sa{sv}', target, options))

    def call(self, path, member, signature='', *arguments):
        return self.client.call(path, lab.NAME + '.Session.' + member, signature, *arguments)

    def get(self, path, name):
        return self.client.get(path, name, 'Session')

    def wait(self, path, member):
        """The arguments of the first such signal not waited for yet."""
        def found():
            return next((h for h in self.heard if h[:2] == (path, member)), None)

        one = lab.wait_for(found, '%s of %s' % (member, path))
        self.heard.remove(one)
        return one[2]

    def leave(self):
        self.client.bus.close()


class Session(case.Case):
    grace = '15s'
    policy = 'end'

    def setUp(self):
        super().setUp()
        self.configure()
        self.start()
        self.caller, self.called, self.other = Party(self), Party(self), Party(self)

    def resident(self, user=None):
        """Two endpoints whose server is the daemon itself."""
        for user in ('alice', 'bob'):
            self.lab.configure('profiles.d/%s.conf' % user, '''\
[Profile]
Name=%s
Register=no
[User]
Uri=sip:%s@127.0.0.1
[Server]
Addr=127.0.0.1:%d
Protocol=udp
Role=registrar
[Endpoint]
OwnerGrace=%s
OnOwnerLost=%s
AgentTimeout=5s
''' % (user, user, self.here[1], self.grace, self.policy))

    def ringing(self, **options):
        """(caller's path, called party's path) of a call that the agent took."""
        agent = self.called.agent()
        out = self.caller.create(**options)
        return out, lab.wait_for(lambda: agent.sessions and agent.sessions[-1], 'the agent to be asked')

    def established(self):
        out, inc = self.ringing()
        lab.wait_for(lambda: self.called.get(inc, 'Owner') == self.called.client.bus.get_unique_name(), 'the owner')
        self.called.call(inc, 'Accept', 'saya{sv}', *body(b'answer'), {})
        self.assertEqual(bytes(self.caller.wait(out, 'Established')[1]), b'answer')
        self.called.wait(inc, 'Established')
        return out, inc

    def assert_gone(self, *parties_and_paths):
        for party, path in parties_and_paths:
            party.wait(path, 'Terminated')
            with self.refused('org.freedesktop.DBus.Error.UnknownObject'):
                party.get(path, 'State')
            self.assertEqual([h for h in party.heard if h[:2] == (path, 'Terminated')], [])

    def assert_discreet(self):
        """Who is neither owner nor agent has heard Terminated alone."""
        self.assertEqual({h[1] for h in self.other.heard} - {'Terminated'}, set())


class Basic(Session):
    def test_whole(self):
        out, inc = self.ringing(Id='c1')
        self.assertEqual(out, lab.ROOT + '/session/c1')
        details = self.called.agent.details[0]
        self.assertEqual(bytes(details['Description']), b'offer')
        self.assertEqual(details['From'], 'sip:alice@127.0.0.1')
        self.called.call(inc, 'Ring', 'a{sv}', {'Status': dbus.UInt32(183), 'ContentType': SDP,
                                               'Description': dbus.ByteArray(b'early')})
        status, _, fork, content_type, early = self.caller.wait(out, 'Progress')
        self.assertEqual((status, fork, content_type, bytes(early)), (183, '1', SDP, b'early'))
        self.assertEqual(self.caller.get(out, 'State'), 'early')
        self.called.call(inc, 'Accept', 'saya{sv}', *body(b'early'), {})
        self.caller.wait(out, 'Established')
        self.called.wait(inc, 'Established')
        for party, path in ((self.caller, out), (self.called, inc)):
            self.assertEqual((party.get(path, 'State'), party.get(path, 'DescriptionState')), ('established', 'stable'))
        self.assertEqual(self.caller.client.get(lab.ROOT, 'SessionCount', 'Manager'), 2)
        self.caller.call(out, 'Terminate', 'a{sv}', {})
        self.assert_gone((self.caller, out), (self.called, inc))
        self.assert_discreet()

    def test_hang_up_by_the_called(self):
        out, inc = self.established()
        self.called.call(inc, 'Terminate', 'a{sv}', {})
        self.assert_gone((self.caller, out), (self.called, inc))

    def test_within(self):
        out, inc = self.established()
        answers = []
        self.caller.client.bus.call_async(lab.NAME, out, lab.NAME + '.Session', 'Offer', 'saya{sv}', (*body(b'hold'), {}),
                                          lambda *values: answers.append(values), answers.append)
        self.assertEqual(bytes(self.called.wait(inc, 'OfferReceived')[1]), b'hold')
        self.called.call(inc, 'Answer', 'say', *body(b'held'))
        lab.wait_for(lambda: answers, 'the answer')
        self.assertEqual(bytes(answers[0][1]), b'held')
        self.assertEqual(self.caller.call(out, 'SendMessage', 'saya{sv}', 'text/plain', dbus.ByteArray(b'hello'), {})[0], 200)
        self.assertEqual(bytes(self.called.wait(inc, 'MessageReceived')[1]), b'hello')
        self.assertEqual(self.called.call(inc, 'SendInfo', 'ssaya{sv}', '', 'application/dtmf-relay',
                                          dbus.ByteArray(b'Signal=5'), {})[0], 200)
        self.assertEqual(bytes(self.caller.wait(out, 'InfoReceived')[2]), b'Signal=5')
        self.assertIn(b'INVITE', bytes(self.other.call(out, 'GetMessage', 's', 'invite')))
        self.assert_discreet()

    def test_refused(self):
        out, inc = self.ringing()
        self.called.call(inc, 'Reject', 'usa{sv}', dbus.UInt32(486), 'Busy Here', {})
        self.assertEqual(tuple(self.caller.wait(out, 'Terminated')), (486, 'Busy Here', 'remote'))

    def test_cancelled(self):
        out, inc = self.ringing()
        self.called.call(inc, 'Ring', 'a{sv}', {})
        self.caller.wait(out, 'Progress')
        self.caller.call(out, 'Terminate', 'a{sv}', {})
        self.assert_gone((self.caller, out), (self.called, inc))

    def test_nobody_takes_it(self):
        self.called.agent(PASS)
        out = self.caller.create()
        self.assertEqual(self.caller.wait(out, 'Terminated')[0], 480)

    def test_agents_in_turn(self):
        """One passes, one dies while it is asked, one takes it."""
        self.other.agent(PASS, Priority=dbus.Int32(9))
        self.called.agent()
        out = self.caller.create()
        inc = lab.wait_for(lambda: self.called.agent.sessions, 'the second agent')[0]
        self.assertEqual(self.other.agent.sessions, [inc])
        self.called.call(inc, 'Accept', 'saya{sv}', *body(b'answer'), {})
        self.caller.wait(out, 'Established')

    def test_others_may_not_act(self):
        out, inc = self.established()
        for path in (out, inc):
            with self.refused(DENIED):
                self.other.call(path, 'Terminate', 'a{sv}', {})
            with self.refused(DENIED):
                self.other.call(path, 'Adopt')
            self.assertEqual(self.other.get(path, 'State'), 'established')

    def test_adopt(self):
        out, inc = self.established()
        self.caller.leave()
        lab.wait_for(lambda: self.other.get(out, 'Owner') == '', 'the owner to be gone')
        self.called.call(inc, 'SendMessage', 'saya{sv}', 'text/plain', dbus.ByteArray(b'still there?'), {})
        self.other.call(out, 'Adopt')
        self.assertEqual(bytes(self.other.wait(out, 'MessageReceived')[1]), b'still there?')
        self.assertEqual(self.other.get(out, 'Owner'), self.other.client.bus.get_unique_name())
        self.other.call(out, 'Terminate', 'a{sv}', {})
        self.assert_gone((self.other, out), (self.called, inc))


class End(Session):
    grace = '1s'

    def test_owner_lost(self):
        out, inc = self.established()
        self.caller.leave()
        self.assert_gone((self.called, inc), (self.other, out))


class Keep(Session):
    grace = '1ms'
    policy = 'keep'

    def test_owner_lost(self):
        out, inc = self.established()
        self.caller.leave()
        lab.wait_for(lambda: self.other.get(out, 'Owner') == '', 'the owner to be gone')
        self.assertEqual(self.called.call(inc, 'SendMessage', 'saya{sv}', 'text/plain', dbus.ByteArray(b'1'), {})[0], 200)
        # Nobody answers an offer to nobody.
        with self.refused('Refused') as refused:
            self.called.call(inc, 'Offer', 'saya{sv}', *body(b'hold'), {})
        self.assertIn('488', str(refused.exception))
        # Every call of busctl is a client of its own.
        run = self.lab.busctl('call', lab.NAME, out, lab.NAME + '.Session', 'Terminate', 'a{sv}', '0')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assert_gone((self.called, inc), (self.other, out))


if __name__ == '__main__':
    case.main()
