#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The notifier over a real bus: watchers over the wire, or at another daemon, and clients that serve event packages."""
import os
import select
import signal

import dbus
import dbus.service

import case
import sip
from case import lab

ALICE = lab.endpoint_path('alice')
PASS = lab.NAME + '.Error.Pass'
PIDF = 'application/pidf+xml'
DENIED = 'org.freedesktop.DBus.Error.AccessDenied'
SIGNALS = ('StateWanted', 'BodyReceived', 'Terminated')


class Agent(dbus.service.Object):
    """Takes subscribers, and accepts them with a state if it has one; or passes them on."""

    def __init__(self, client, state, answer):
        super().__init__(client.client.bus, '/agent')
        self.client, self.state, self.answer = client, state, answer
        self.subscribers, self.details, self.errors = [], [], []

    @dbus.service.method(lab.NAME + '.Agent', in_signature='oa{sv}')
    def SubscriptionReceived(self, subscriber, details):
        self.subscribers.append(str(subscriber))
        self.details.append(details)
        if self.answer:
            raise dbus.DBusException('not for me', name=self.answer)
        if self.state is not None:
            # Nobody may wait for an answer in here.
            options = {'ContentType': PIDF, 'Body': dbus.ByteArray(self.state)}
            self.client.client.bus.call_async(lab.NAME, subscriber, lab.NAME + '.Subscriber', 'Accept', 'a{sv}', (options,),
                                              lambda: None, self.errors.append)


class Party:
    """A client with everything that it heard of subscribers, in order."""

    def __init__(self, test):
        self.client = test.lab.connect()
        self.heard = []
        for member in SIGNALS:
            self.client.bus.add_signal_receiver(
                lambda *arguments, member=member, path: self.heard.append((str(path), member, arguments)),
                member, lab.NAME + '.Subscriber', lab.NAME, path_keyword='path')

    def serve(self, *events, state=None, answer=None, **filter):
        self.agent = Agent(self, state, answer)
        filter = {'Kinds': dbus.Array(['subscription'], signature='s'), **filter}
        if events:
            filter['Events'] = dbus.Array(events, signature='s')
        self.client.call(lab.ROOT, lab.NAME + '.Manager.RegisterAgent', 'oa{sv}', '/agent', filter)
        return self

    def asked(self, times=1):
        """The subscriber that it was asked about last."""
        lab.wait_for(lambda: len(self.agent.subscribers) >= times, 'the agent to be asked')
        return self.agent.subscribers[times - 1]

    def call(self, path, member, signature='', *arguments):
        return self.client.call(path, lab.NAME + '.Subscriber.' + member, signature, *arguments)

    def accept(self, path, state=None, **options):
        if state is not None:
            options = {'ContentType': PIDF, 'Body': dbus.ByteArray(state), **options}
        self.call(path, 'Accept', 'a{sv}', options)

    def notify(self, path, state, **options):
        self.call(path, 'Notify', 'saya{sv}', PIDF, dbus.ByteArray(state), options)

    def get(self, path, name):
        return self.client.get(path, name, 'Subscriber')

    def wait(self, path, member):
        """The arguments of the first such signal not waited for yet."""
        def found():
            return next((h for h in self.heard if h[:2] == (path, member)), None)

        one = lab.wait_for(found, '%s of %s' % (member, path))
        self.heard.remove(one)
        return one[2]


class Watcher(sip.Telephone):
    """One subscription at the daemon over UDP, message by message."""

    def next(self, what):
        """The same as a telephone's, but agents of this process answer meanwhile."""
        while True:
            lab.wait_for(lambda: select.select([self.socket], [], [], 0)[0], what)
            message = self.socket.recvfrom(65536)[0]
            if message.startswith(what.encode()):
                return message

    def subscribe(self, expires=600, event='presence', headers='', body=b''):
        self.send('SUBSCRIBE', 'Event: %s\r\n%s%s' % (event, '' if expires is None else 'Expires: %d\r\n' % expires, headers), body)

    def answered(self, code=200):
        message = self.next('SIP/2.0 %d' % code)
        if code < 300:
            self.them = sip.header(message, 'To')
            self.target = sip.header(message, 'Contact').split('<')[1].split('>')[0]
        return message

    def notified(self, state, code=200):
        """The body of the next NOTIFY, whose Subscription-State begins so; it is answered."""
        message = self.next('NOTIFY ')
        assert sip.header(message, 'Subscription-State').startswith(state), message
        self.answer(message, code)
        return message.split(b'\r\n\r\n', 1)[1]


class Notifier(case.Case):
    grace = '15s'

    def setUp(self):
        super().setUp()
        self.configure()
        self.start()
        self.server, self.other = Party(self), Party(self)

    def resident(self, user='alice'):
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
AgentTimeout=5s
''' % (user, user, self.lab.port, self.grace))

    def watcher(self):
        watcher = Watcher(self.here)
        self.addCleanup(watcher.socket.close)
        return watcher

    def watching(self, server=None, state=b'open', **how):
        """(watcher, path) of a subscription that was accepted by the agent that `server` is."""
        server = server or self.server
        watcher, n = self.watcher(), len(server.agent.subscribers)
        watcher.subscribe(**how)
        watcher.answered()
        self.assertEqual(watcher.notified('active'), state)
        return watcher, server.asked(n + 1)

    def assert_gone(self, party, path, reason):
        self.assertEqual(str(party.wait(path, 'Terminated')[0]), reason)
        with self.refused('org.freedesktop.DBus.Error.UnknownObject'):
            party.get(path, 'State')
        self.assertEqual([h for h in party.heard if h[:2] == (path, 'Terminated')], [])


class Basic(Notifier):
    def test_whole(self):
        self.server.serve('presence')
        watcher = self.watcher()
        watcher.subscribe(event='presence;id=7', headers='Accept: %s\r\nContent-Type: text/x-filter\r\n' % PIDF, body=b'less')
        path = self.server.asked()
        details = self.server.agent.details[0]
        self.assertEqual((str(details['Event']), str(details['EventParameters'])), ('presence', 'id=7'))
        self.assertEqual((list(details['Accept']), int(details['Expires'])), ([PIDF], 600))
        self.assertEqual((str(details['ContentType']), bytes(details['Body'])), ('text/x-filter', b'less'))
        lab.wait_for(lambda: self.server.get(path, 'Owner') == self.server.client.bus.get_unique_name(), 'the owner')
        self.server.accept(path, b'open', Expires=dbus.UInt32(300))
        self.assertEqual(sip.header(watcher.answered(), 'Expires'), '300')
        self.assertEqual(watcher.notified('active'), b'open')
        self.assertEqual((self.other.get(path, 'State'), self.other.get(path, 'Event')), ('active', 'presence'))
        self.assertIn('tester@', self.other.get(path, 'From'))
        self.server.notify(path, b'closed')
        self.assertEqual(watcher.notified('active'), b'closed')
        # A refresh gets the whole state, which the daemon knows.
        watcher.subscribe(event='presence;id=7')
        watcher.answered()
        self.assertEqual(watcher.notified('active'), b'closed')
        counters = self.other.client.call(lab.ROOT, lab.NAME + '.Manager.GetStatistics')
        self.assertEqual((counters['Subscribers'], counters['SubscribersIn']), (1, 1))
        watcher.subscribe(0, event='presence;id=7')
        watcher.answered()
        watcher.notified('terminated')
        self.assert_gone(self.server, path, 'unsubscribed')
        self.assertEqual({h[1] for h in self.other.heard} - {'Terminated'}, set())

    def test_pending_then_accepted(self):
        self.server.serve('presence')
        watcher = self.watcher()
        watcher.subscribe()
        path = self.server.asked()
        self.server.accept(path, Pending=True)
        watcher.answered()
        self.assertEqual(watcher.notified('pending'), b'')
        self.server.accept(path, b'open')
        self.assertEqual(watcher.notified('active'), b'open')

    def test_pending_then_rejected(self):
        self.server.serve('presence')
        watcher = self.watcher()
        watcher.subscribe()
        path = self.server.asked()
        self.server.accept(path, Pending=True)
        watcher.answered()
        watcher.notified('pending')
        self.server.call(path, 'Reject', 'us', dbus.UInt32(403), '')
        watcher.notified('terminated;reason=rejected')
        self.assert_gone(self.server, path, 'rejected')

    def test_rejected(self):
        self.server.serve('presence')
        watcher = self.watcher()
        watcher.subscribe()
        path = self.server.asked()
        self.server.call(path, 'Reject', 'us', dbus.UInt32(403), 'Not You')
        watcher.answered(403)
        self.assert_gone(self.server, path, 'Not You')

    def test_fetch(self):
        """RFC 6665 section 4.4.3: one NOTIFY, and that was it."""
        self.server.serve('presence', state=b'open')
        watcher = self.watcher()
        watcher.subscribe(0)
        path = self.server.asked()
        watcher.answered()
        self.assertEqual(watcher.notified('terminated'), b'open')
        self.server.wait(path, 'Terminated')

    def test_changes_alone(self):
        """Who tells only changes is asked for the whole when a refresh wants it."""
        self.server.serve('presence', state=b'all')
        watcher, path = self.watching(state=b'all')
        self.server.notify(path, b'one more', Partial=True)
        self.assertEqual(watcher.notified('active'), b'one more')
        watcher.subscribe()
        watcher.answered()
        self.server.wait(path, 'StateWanted')
        self.server.notify(path, b'all and one more')
        self.assertEqual(watcher.notified('active'), b'all and one more')
        self.assertEqual({h[1] for h in self.other.heard} - {'Terminated'}, set())

    def test_another_filter(self):
        self.server.serve('presence', state=b'open')
        watcher, path = self.watching()
        watcher.subscribe(headers='Content-Type: text/x-filter\r\n', body=b'less')
        watcher.answered()
        content_type, body, _ = self.server.wait(path, 'BodyReceived')
        self.assertEqual((str(content_type), bytes(body)), ('text/x-filter', b'less'))
        self.assertEqual(bytes(self.server.call(path, 'GetRequest')[1]), b'less')

    def test_finished(self):
        self.server.serve('presence', state=b'open')
        watcher, path = self.watching()
        self.server.call(path, 'Finish', 's', 'noresource')
        self.assertEqual(watcher.notified('terminated;reason=noresource'), b'open')
        self.assert_gone(self.server, path, 'noresource')
        watcher, path = self.watching()
        self.server.call(path, 'Suspend', 'u', dbus.UInt32(20))
        watcher.notified('terminated;reason=probation;retry-after=20')
        self.assert_gone(self.server, path, 'probation')

    def test_watcher_has_forgotten(self):
        """RFC 6665 section 4.2.2: 481 to NOTIFY ends it."""
        self.server.serve('presence', state=b'open')
        watcher, path = self.watching()
        self.server.notify(path, b'closed')
        watcher.notified('active', 481)
        self.assertEqual(int(self.server.wait(path, 'Terminated')[1]), 481)

    def test_others_may_not_act(self):
        self.server.serve('presence', state=b'open')
        watcher, path = self.watching()
        for member, signature, arguments in (('Notify', 'saya{sv}', (PIDF, dbus.ByteArray(b'x'), {})), ('Finish', 's', ('',)),
                                             ('Accept', 'a{sv}', ({},)), ('Adopt', '', ()), ('Release', '', ())):
            with self.refused(DENIED):
                self.other.call(path, member, signature, *arguments)
        self.assertEqual(self.other.get(path, 'State'), 'active')

    def test_endpoint_closes(self):
        self.server.serve('presence', state=b'open')
        watcher, path = self.watching()
        self.server.client.endpoint(ALICE, 'Close', '')
        watcher.notified('terminated')
        self.server.wait(path, 'Terminated')

    def test_daemon_stops(self):
        """RFC 6665 section 4.1.3: it comes back, and so shall the watcher."""
        self.server.serve('presence', state=b'open')
        watcher, path = self.watching()
        self.lab.daemon.popen.send_signal(signal.SIGTERM)
        watcher.notified('terminated;reason=probation;retry-after=')
        self.assertEqual(self.lab.daemon.popen.wait(20), 0)
        self.lab.daemon.stopped = True


class Agents(Notifier):
    def test_nobody_serves_it(self):
        watcher = self.watcher()
        watcher.subscribe()
        watcher.answered(489)
        self.server.serve('dialog', state=b'x')
        watcher = self.watcher()
        watcher.subscribe()
        watcher.answered(489)

    def test_nobody_takes_it(self):
        self.server.serve('presence', answer=PASS)
        watcher = self.watcher()
        watcher.subscribe()
        watcher.answered(480)

    def test_in_turn(self):
        """By priority and by what they serve."""
        self.other.serve('presence', 'dialog', answer=PASS, Priority=dbus.Int32(9))
        self.server.serve('presence', state=b'open')
        watcher, path = self.watching()
        self.assertEqual(self.other.agent.subscribers, [path])
        watcher = self.watcher()
        watcher.subscribe(event='dialog')
        watcher.answered(480)
        self.assertEqual((len(self.other.agent.subscribers), len(self.server.agent.subscribers)), (2, 1))

    def test_all_at_once(self):
        self.server.serve('presence', 'dialog', state=b'open')
        watchers = [self.watching()[0] for _ in range(20)]
        self.watching(event='dialog')
        told = self.server.client.endpoint(ALICE, 'NotifyAll', 'ssaya{sv}', 'presence', PIDF, dbus.ByteArray(b'closed'), {})
        self.assertEqual(int(told), 20)
        for watcher in watchers:
            self.assertEqual(watcher.notified('active'), b'closed')
        told = self.other.client.endpoint(ALICE, 'NotifyAll', 'ssaya{sv}', 'presence', PIDF, dbus.ByteArray(b'open'), {})
        self.assertEqual(int(told), 0)

    def test_adopted(self):
        self.server.serve('presence', state=b'open')
        watcher, path = self.watching()
        self.server.client.bus.close()
        lab.wait_for(lambda: self.other.get(path, 'Owner') == '', 'the owner to be gone')
        self.other.call(path, 'Adopt')
        self.other.notify(path, b'closed')
        self.assertEqual(watcher.notified('active'), b'closed')


class Dies(Notifier):
    grace = '1s'

    def test_another_takes_over(self):
        """RFC 6665 section 4.1.3: deactivated, to come back at once."""
        self.server.serve('presence', state=b'open')
        watcher, path = self.watching()
        self.other.serve('presence', state=b'closed')
        self.server.client.bus.close()
        watcher.notified('terminated;reason=deactivated')
        self.assert_gone(self.other, path, 'deactivated')
        self.watching(self.other, b'closed')

    def test_nobody_is_left(self):
        self.server.serve('presence', state=b'open')
        watcher, path = self.watching()
        self.server.client.bus.close()
        watcher.notified('terminated;reason=probation;retry-after=')
        self.assert_gone(self.other, path, 'probation')


class BothSides(Notifier):
    """bob watches alice, at the same daemon: what one client says another one hears."""

    def resident(self, user=None):
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
''' % (user, user, self.here[1]))

    def test_whole(self):
        self.server.serve('presence', state=b'open', Endpoints=dbus.Array([ALICE], signature='o'))
        bob, heard = self.other.client, []
        bob.bus.add_signal_receiver(lambda *arguments, member: heard.append((str(member), arguments)), None,
                                    lab.NAME + '.Subscription', lab.NAME, member_keyword='member')

        def wait(member, number, value):
            lab.wait_for(lambda: [h for h in heard if h[0] == member and type(value)(h[1][number]) == value], '%s %r' % (member, value))

        path = bob.endpoint(lab.endpoint_path('bob'), 'Subscribe', 'ssa{sv}', 'sip:alice@127.0.0.1', 'presence',
                            {'Accept': dbus.Array([PIDF], signature='s')})
        wait('Notified', 1, b'open')
        subscriber = self.server.asked()
        self.assertEqual(str(self.server.get(subscriber, 'From')), 'sip:bob@127.0.0.1')
        self.assertEqual(int(self.server.client.endpoint(ALICE, 'NotifyAll', 'ssaya{sv}', 'presence', PIDF,
                                                         dbus.ByteArray(b'closed'), {})), 1)
        wait('Notified', 1, b'closed')
        self.assertEqual(bob.get(path, 'State', 'Subscription'), 'active')
        self.server.call(subscriber, 'Finish', 's', 'noresource')
        wait('Terminated', 0, 'noresource')
        self.assert_gone(self.server, subscriber, 'noresource')


class Example(Notifier):
    """docs/examples/notifier.py as somebody runs it."""

    def setUp(self):
        super().setUp()
        program = os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..', 'docs', 'examples', 'notifier.py')
        self.input, given = os.pipe()[::-1]
        self.addCleanup(os.close, self.input)
        with os.fdopen(given) as standard_input:
            self.example = self.lab.start('notifier', ['/usr/bin/python3', program, self.lab.address], stdin=standard_input)
        lab.wait_for(lambda: self.example.says('waiting for watchers'), 'the example')

    def test_presence(self):
        watcher = self.watcher()
        watcher.subscribe()
        watcher.answered()
        state = watcher.notified('active')
        self.assertIn(b'entity="sip:alice@127.0.0.1"', state)
        self.assertIn(b'<basic>open</basic>', state)
        os.write(self.input, b'closed\n')
        self.assertIn(b'<basic>closed</basic>', watcher.notified('active'))
        watcher.subscribe()
        watcher.answered()
        self.assertIn(b'<basic>closed</basic>', watcher.notified('active'))
        watcher.subscribe(0)
        watcher.answered()
        self.assertIn(b'<basic>closed</basic>', watcher.notified('terminated'))
        other = self.watcher()
        other.subscribe(event='dialog')
        other.answered(489)


if __name__ == '__main__':
    case.main()
