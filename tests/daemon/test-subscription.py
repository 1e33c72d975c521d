#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Subscriptions over a real bus: several clients, and a notifier that does what it is told."""
import signal

import dbus

import case
import notifier
import sip
from case import lab

ALICE, BOB = lab.endpoint_path('alice'), 'sip:bob@127.0.0.1'
DENIED = 'org.freedesktop.DBus.Error.AccessDenied'


def error(name):
    return lab.NAME + '.Error.' + name


class Watcher:
    """A client with everything that it heard of subscriptions, in order; broadcasts and what is for it alone."""

    def __init__(self, test):
        self.client = test.lab.connect()
        self.name = self.client.bus.get_unique_name()
        self.heard = []
        for member in ('Notified', 'Terminated'):
            self.client.bus.add_signal_receiver(
                lambda *arguments, member=member, path: self.heard.append((str(path), member, arguments)),
                member, lab.NAME + '.Subscription', lab.NAME, path_keyword='path')

    def subscribe(self, target=BOB, event='presence', **options):
        return str(self.client.endpoint(ALICE, 'Subscribe', 'ssa{sv}', target, event, options))

    def call(self, path, member, signature='', *arguments):
        return self.client.call(path, lab.NAME + '.Subscription.' + member, signature, *arguments)

    def get(self, path, name):
        return self.client.get(path, name, 'Subscription')

    def wait(self, path, member):
        """The arguments of the first such signal not waited for yet."""
        def found():
            return next((h for h in self.heard if h[:2] == (path, member)), None)

        one = lab.wait_for(found, '%s of %s' % (member, path))
        self.heard.remove(one)
        return one[2]

    def expect(self, path, body):
        content_type, got, headers = self.wait(path, 'Notified')
        assert (content_type, bytes(got)) == ('text/plain', body), (content_type, bytes(got))
        return [(str(name), str(value)) for name, value in headers]

    def leave(self):
        self.client.bus.close()


class Scene(case.Case):
    grace, policy = '2s', 'end'

    def setUp(self):
        super().setUp()
        self.configure()
        self.bob = notifier.Notifier(self.lab.port)
        self.addCleanup(self.bob.close)
        self.start()
        self.anna, self.ben, self.cleo = Watcher(self), Watcher(self), Watcher(self)

    def resident(self, user='alice'):
        self.lab.configure('profiles.d/%s.conf' % user, (
            '[Profile]\nName=%s\nRegister=no\n[User]\nUri=sip:%s@127.0.0.1\n[Server]\nAddr=127.0.0.1:%d\nProtocol=udp\n'
            'Role=registrar\n[Endpoint]\nOwnerGrace=%s\nOnOwnerLost=%s\n')
            % (user, user, self.lab.port, self.grace, self.policy))

    def active(self):
        path = self.anna.subscribe()
        self.anna.expect(path, b'open')
        return path

    def refused(self, name, function, *arguments, **options):
        with self.assertRaises(dbus.DBusException) as caught:
            function(*arguments, **options)
        self.assertEqual(caught.exception.get_dbus_name(), name)
        return caught.exception.get_dbus_message()

    def statistics(self):
        counters = self.cleo.client.call(lab.ROOT, lab.NAME + '.Manager.GetStatistics')
        return [int(counters[n]) for n in ('Subscriptions', 'SubscriptionsOut', 'SubscriptionsShared', 'NotificationsIn')]

    def gone(self, path):
        managed = self.cleo.client.call(lab.ROOT, lab.OBJECTS + '.GetManagedObjects')
        return path not in managed


class Subscription(Scene):
    # ---- one client

    def test_state_as_it_comes(self):
        path = self.active()
        self.assertEqual(self.anna.get(path, 'State'), 'active')
        self.assertEqual(self.anna.get(path, 'Owner'), self.anna.name)
        self.assertGreater(self.anna.get(path, 'Expires'), 0)
        self.bob.tell(b'busy')
        self.assertIn(('Event', 'presence'), self.anna.expect(path, b'busy'))
        content_type, body, headers = self.anna.call(path, 'GetLast')
        self.assertEqual((content_type, bytes(body)), ('text/plain', b'busy'))
        self.anna.call(path, 'Unsubscribe')
        self.anna.expect(path, b'busy')
        self.assertEqual(self.anna.wait(path, 'Terminated'), ('unsubscribed', 0))
        lab.wait_for(lambda: self.gone(path), 'the object to go')
        self.assertEqual(len(self.bob.subscribes()), 2)
        lab.wait_for(lambda: len(self.bob.answers) == 3, 'answers')
        self.assertEqual(set(self.bob.answers), {200})

    def test_state_before_the_answer(self):
        self.bob.early = True
        path = self.active()
        self.bob.tell(b'busy')
        self.anna.expect(path, b'busy')
        self.assertEqual(self.anna.get(path, 'Dialogs'), 1)

    def test_fetch(self):
        path = self.anna.subscribe(Expires=dbus.UInt32(0))
        self.anna.expect(path, b'open')
        self.assertEqual(self.anna.wait(path, 'Terminated'), ('timeout', 0))
        self.assertEqual(len(self.bob.subscribes()), 1)

    def test_refusals(self):
        for code in (489, 404, 403):
            self.bob.answer = lambda message, code=code: code
            path = self.anna.subscribe()
            reason, retry_after = self.anna.wait(path, 'Terminated')
            self.assertEqual((reason, retry_after), ('%d Said So' % code, 0))
            lab.wait_for(lambda: self.gone(path), 'the object to go')

    def test_wrong_arguments(self):
        self.refused(error('InvalidArgument'), self.anna.subscribe, 'bob')
        self.refused(error('InvalidArgument'), self.anna.subscribe, event='a b')
        self.refused(error('InvalidArgument'), self.anna.subscribe, Bodi='x')
        self.refused(error('InvalidArgument'), self.anna.subscribe, Body=dbus.ByteArray(b'x'))
        path = self.active()
        self.refused(error('InvalidArgument'), self.anna.call, path, 'Refresh', 'u', dbus.UInt32(0))
        self.bob.answer = lambda message: None
        self.refused(error('WrongState'), self.anna.call, self.anna.subscribe(event='dialog'), 'GetLast')
        lab.wait_for(lambda: len(self.bob.subscribes()) == 2, 'the other one')

    def test_peer_to_peer(self):
        endpoint = self.anna.client.call(lab.ROOT, lab.NAME + '.Manager.CreateEndpoint', 'sa{sv}', '',
                                         {'Uri': 'sip:p@127.0.0.1', 'Kind': 'peer-to-peer'})
        text = self.refused(error('NotSupported'), self.anna.client.endpoint, endpoint, 'Subscribe', 'ssa{sv}', BOB, 'presence', {})
        self.assertIn('peer-to-peer', text)

    # ---- several

    def test_shared(self):
        path = self.active()
        self.bob.tell(b'busy')
        self.anna.expect(path, b'busy')
        self.assertEqual(self.ben.subscribe('sip:bob@127.0.0.1'), path)
        self.ben.expect(path, b'busy')  # what is known, though nothing came
        self.assertEqual(self.cleo.get(path, 'Shared'), 2)
        self.assertEqual(len(self.bob.subscribes()), 1)
        self.bob.tell(b'away')
        self.anna.expect(path, b'away')
        self.ben.expect(path, b'away')
        self.assertEqual([h for h in self.cleo.heard if h[1] == 'Notified'], [])
        self.refused(DENIED, self.cleo.call, path, 'Unsubscribe')
        self.refused(error('WrongState'), self.ben.call, path, 'Update', 'say', 'text/plain', dbus.ByteArray(b'x'))

        self.anna.call(path, 'Unsubscribe')
        self.assertEqual(self.anna.wait(path, 'Terminated'), ('unsubscribed', 0))
        self.assertEqual(self.cleo.get(path, 'Owner'), self.ben.name)
        self.bob.tell(b'back')
        self.ben.expect(path, b'back')
        self.assertEqual(self.anna.heard, [])
        self.assertEqual(len(self.bob.subscribes()), 1)

        self.ben.call(path, 'Unsubscribe')
        self.ben.expect(path, b'back')
        for watcher in (self.anna, self.ben, self.cleo):  # the real end is broadcast
            self.assertEqual(watcher.wait(path, 'Terminated'), ('unsubscribed', 0))
        self.assertEqual(self.statistics(), [0, 1, 1, 5])
        self.assertEqual(len(self.bob.subscribes(0)), 1)

    def test_not_shared(self):
        path = self.active()
        for options in ({'Private': True}, {'event': 'dialog'}, {'List': True}, {'target': 'sip:carol@127.0.0.1'}):
            self.assertNotEqual(self.ben.subscribe(**options), path)

    def test_joining_what_ends(self):
        path = self.active()
        self.bob.patient = True
        self.anna.call(path, 'Unsubscribe')
        lab.wait_for(lambda: self.bob.subscribes(0), 'the end')
        other = self.ben.subscribe()
        self.assertNotEqual(other, path)
        self.ben.expect(other, b'open')
        self.bob.finish('timeout')
        self.anna.wait(path, 'Terminated')

    # ---- clients that vanish

    def test_one_crashes(self):
        path = self.active()
        self.ben.subscribe()
        self.ben.expect(path, b'open')
        self.anna.leave()
        lab.wait_for(lambda: self.cleo.get(path, 'Owner') == self.ben.name, 'the next owner')
        self.bob.tell(b'busy')
        self.ben.expect(path, b'busy')
        self.ben.leave()
        lab.wait_for(lambda: self.cleo.get(path, 'Shared') == 0, 'nobody')
        self.assertEqual(self.cleo.subscribe(), path)  # in time
        self.cleo.expect(path, b'busy')
        self.assertEqual(self.bob.subscribes(0), [])
        self.cleo.leave()
        lab.wait_for(lambda: self.bob.subscribes(0), 'the end after the grace')

    # ---- verbs

    def test_refresh_and_update(self):
        path = self.active()
        self.anna.call(path, 'Refresh', 'u', dbus.UInt32(77))
        self.anna.expect(path, b'open')
        self.assertEqual(len(self.bob.subscribes(77)), 1)
        self.anna.call(path, 'Update', 'say', 'application/simple-filter+xml', dbus.ByteArray(b'<filter/>'))
        self.anna.expect(path, b'open')
        self.assertTrue(self.bob.subscribes()[-1].endswith(b'\r\n\r\n<filter/>'))

    # ---- the far end

    def test_the_notifier_ends_it(self):
        path = self.active()
        self.bob.finish('rejected')
        self.assertEqual(self.anna.wait(path, 'Terminated'), ('rejected', 0))

    def test_the_notifier_restarts(self):
        """RFC 6665 4.1.2.2: 481 means that the dialog is dead, not the wish."""
        path = self.active()
        self.bob.forget()
        self.bob.state = b'after all'
        self.anna.call(path, 'Refresh', 'u', dbus.UInt32(600))
        self.anna.expect(path, b'after all')
        self.assertEqual(self.anna.get(path, 'State'), 'active')
        self.assertEqual(self.ben.subscribe(), path)

    # ---- our own end

    def test_the_daemon_stops(self):
        """What it has with others is ended, and clients hear it."""
        path = self.active()
        self.assertEqual(self.lab.daemon.stop(signal.SIGTERM), 0)
        self.assertEqual(len(self.bob.subscribes(0)), 1)
        self.anna.wait(path, 'Terminated')


class Kept(Scene):
    grace, policy = '0s', 'keep'

    def test_it_waits_for_somebody(self):
        path = self.active()
        self.anna.leave()
        lab.wait_for(lambda: self.cleo.get(path, 'Shared') == 0, 'nobody')
        self.bob.tell(b'busy')
        lab.wait_for(lambda: bytes(self.cleo.call(path, 'GetLast')[1]) == b'busy', 'the state')
        self.cleo.call(path, 'Adopt')
        self.cleo.expect(path, b'busy')
        self.assertEqual(self.cleo.get(path, 'Owner'), self.cleo.name)
        self.assertEqual(self.bob.subscribes(0), [])


if __name__ == '__main__':
    case.main()
