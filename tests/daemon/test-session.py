#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions over a real bus: two endpoints of one daemon call each other over loopback, or a telephone calls one."""
import os
import signal

import dbus
import dbus.service

import case
import sip
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


class Mute(dbus.service.Object):
    """An agent that is asked and does not answer until it is told to."""

    def __init__(self, client, **filter):
        super().__init__(client.bus, '/mute')
        self.asked = []
        client.call(lab.ROOT, lab.NAME + '.Manager.RegisterAgent', 'oa{sv}', '/mute', filter)

    @dbus.service.method(lab.NAME + '.Agent', in_signature='oa{sv}', async_callbacks=('done', 'failed'))
    def SessionReceived(self, session, details, done, failed):
        self.asked.append(done)

    def answer(self):
        self.asked.pop()()


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


class Example(Session):
    """docs/examples/call-agent.py as somebody runs it."""
    SDP = 'v=0\r\no=- 7 %d IN IP4 127.0.0.1\r\ns=-\r\nm=audio 9 RTP/AVP 0\r\na=%s\r\n'

    def setUp(self):
        super().setUp()
        program = os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..', 'docs', 'examples', 'call-agent.py')
        description = self.lab.write('answer.sdp', self.SDP % (1, 'sendrecv'))
        self.example = self.lab.start('call-agent', ['/usr/bin/python3', program, description, self.lab.address])
        lab.wait_for(lambda: self.example.says('waiting for calls'), 'the example')

    def sdp(self, version, direction):
        return (self.SDP % (version, direction)).encode()

    def says(self, pattern):
        lab.wait_for(lambda: self.example.says(pattern), pattern)

    def test_telephone(self):
        """A call over the wire is answered; Ctrl-C hangs up."""
        with sip.Telephone(self.here) as phone:
            phone.invite()
            phone.next('SIP/2.0 180')
            self.assertTrue(phone.next('SIP/2.0 200').endswith(b'\r\n\r\n' + self.sdp(1, 'sendrecv')))
            phone.send('ACK')
            self.says('call from sip:tester@')
            self.says('Established')
            self.example.popen.send_signal(signal.SIGINT)
            phone.answer(phone.next('BYE '))
            self.assertEqual(self.example.popen.wait(20), 0)
            self.says('Terminated')

    def test_hold_and_transfer(self):
        self.called.agent(Endpoints=dbus.Array([ALICE], signature='o'), Priority=dbus.Int32(1))
        out = self.caller.create()
        self.assertEqual(self.caller.wait(out, 'Progress')[0], 180)
        self.assertEqual(bytes(self.caller.wait(out, 'Established')[1]), self.sdp(1, 'sendrecv'))
        for version, wish, answer in (2, 'sendonly', 'recvonly'), (3, 'inactive', 'inactive'), (4, 'sendrecv', 'sendrecv'):
            offer = body(self.sdp(version, wish))
            self.assertEqual(bytes(self.caller.call(out, 'Offer', 'saya{sv}', *offer, {})[1]), self.sdp(version, answer))
        self.says('OfferReceived')
        # It calls whom it is told to call, and the one who asked learns how that went.
        self.caller.call(out, 'Refer', 'sa{sv}', 'sip:alice@127.0.0.1', {})
        inc = lab.wait_for(lambda: self.called.agent.sessions, 'the transferred call')[0]
        self.assertEqual(bytes(self.called.agent.details[0]['Description']), self.sdp(1, 'sendrecv'))
        self.called.call(inc, 'Accept', 'saya{sv}', *body(b'hello'), {})
        self.assertEqual(self.caller.wait(out, 'ReferFinished')[0], 200)
        self.caller.call(out, 'Terminate', 'a{sv}', {})
        self.says('Terminated')
        self.assertEqual(self.called.get(inc, 'State'), 'established')
        self.assertEqual(self.example.stop(signal.SIGINT), 0)
        self.assert_gone((self.called, inc))

    def test_ctrl_c_without_calls(self):
        self.assertEqual(self.example.stop(signal.SIGINT), 0)


class Telephone(Session):
    """Where the far end has to be somebody else than the daemon."""

    def test_what_is_said_of_the_caller(self):
        """RFC 3323, 7044, 5806, 8224: it is reported; but for what a stranger asserts (RFC 3325 section 5)."""
        said = {'Privacy': 'id', 'Reason': 'SIP;cause=302',
                'History-Info': '<sip:x@example.com>;index=1', 'Diversion': '<sip:x@example.com>;reason=deflection',
                'Identity': 'abc;info=<https://example.com/c>'}
        agent = self.called.agent()
        with sip.Telephone(self.here) as phone:
            phone.invite('P-Asserted-Identity: <sip:boss@example.com>\r\n'
                         + ''.join('%s: %s\r\n' % item for item in said.items()))
            inc = lab.wait_for(lambda: agent.sessions, 'the agent to be asked')[0]
            got = {str(name): str(value) for name, value in agent.details[0]['Headers']}
            for name, value in said.items():
                self.assertEqual(got[name], value)
            self.assertNotIn('P-Asserted-Identity', got)
            self.assertEqual(list(self.called.get(inc, 'AssertedIdentity')), [])
            phone.send('CANCEL')
            phone.next('SIP/2.0 487')
            phone.send('ACK')
            self.assert_gone((self.called, inc))

    def test_reason_of_a_cancel(self):
        """RFC 3326: a call that somebody else took is not a missed one."""
        agent = self.called.agent()
        with sip.Telephone(self.here) as phone:
            phone.invite()
            inc = lab.wait_for(lambda: agent.sessions, 'the agent to be asked')[0]
            phone.send('CANCEL', 'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n')
            self.assertEqual(tuple(self.called.wait(inc, 'Terminated')), (200, 'Call completed elsewhere', 'remote'))

    def test_agent_dies_while_asked(self):
        """The next one is asked at once, not after the deadline."""
        dying = self.other.client
        with sip.Telephone(self.here) as phone:
            mute = Mute(dying, Priority=dbus.Int32(5))
            agent = self.called.agent()
            phone.invite()
            lab.wait_for(lambda: mute.asked, 'the first agent')
            self.assertEqual(agent.sessions, [])
            dying.bus.close()
            lab.wait_for(lambda: agent.sessions, 'the second agent', 4)

    def test_agent_that_is_late(self):
        """After the deadline the next one decides; what the first one says then changes nothing."""
        with sip.Telephone(self.here) as phone:
            mute = Mute(self.other.client, Priority=dbus.Int32(5))
            agent = self.called.agent()
            phone.invite()
            inc = lab.wait_for(lambda: agent.sessions, 'the second agent')[0]
            mute.answer()
            lab.wait_for(lambda: self.called.get(inc, 'Owner'), 'an owner')
            self.assertEqual(self.called.get(inc, 'Owner'), self.called.client.bus.get_unique_name())
            with self.refused(DENIED):
                self.other.call(inc, 'Accept', 'saya{sv}', *body(b'mine'), {})

    def test_bus_is_gone(self):
        """The far end is told, and the daemon ends."""
        agent = self.called.agent()
        with sip.Telephone(self.here) as phone:
            phone.invite()
            inc = lab.wait_for(lambda: agent.sessions, 'the agent to be asked')[0]
            self.called.call(inc, 'Accept', 'saya{sv}', *body(b'answer'), {})
            phone.next('SIP/2.0 200')
            phone.send('ACK')
            self.lab.processes[0].stop()
            phone.answer(phone.next('BYE '))
            lab.wait_for(lambda: not self.lab.daemon.alive, 'the daemon to end')
            self.lab.processes.remove(self.lab.daemon)  # the lab would call this a failure

    def test_daemon_ends(self):
        """The far end is told, and so are clients."""
        agent = self.called.agent()
        with sip.Telephone(self.here) as phone:
            phone.invite()
            inc = lab.wait_for(lambda: agent.sessions, 'the agent to be asked')[0]
            self.called.call(inc, 'Accept', 'saya{sv}', *body(b'answer'), {})
            phone.next('SIP/2.0 200')
            phone.send('ACK')
            self.lab.daemon.popen.send_signal(signal.SIGTERM)
            phone.answer(phone.next('BYE '))
            self.assertEqual(self.lab.daemon.popen.wait(20), 0)
            self.assertEqual(self.called.wait(inc, 'Terminated')[2], 'local')
            self.lab.processes.remove(self.lab.daemon)  # the lab would call this a failure

    def test_client_that_never_reads(self):
        """What it owns goes on, and others notice nothing."""
        agent = self.called.agent()
        with sip.Telephone(self.here) as phone:
            phone.invite()
            inc = lab.wait_for(lambda: agent.sessions, 'the agent to be asked')[0]
            self.called.call(inc, 'Accept', 'saya{sv}', *body(b'answer'), {})
            phone.next('SIP/2.0 200')
            phone.send('ACK')
            # From here on the owner's connection is not looked at any more: nobody runs its callbacks.
            for i in range(200):
                phone.send('MESSAGE', 'Content-Type: text/plain\r\n', b'x' * 1000)
                phone.next('SIP/2.0 200')
            run = self.lab.busctl('get-property', lab.NAME, inc, lab.NAME + '.Session', 'State')
            self.assertEqual(run.stdout.strip(), 's "established"')
            phone.send('BYE')
            phone.next('SIP/2.0 200')
            self.assert_gone((self.called, inc))


if __name__ == '__main__':
    case.main()
