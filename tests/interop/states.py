# SPDX-License-Identifier: LGPL-2.1-or-later
"""States that are published and watched, and subscriptions as a D-Bus client sees them."""
import re

import dbus

import lab

ALICE, BOB = lab.endpoint_path('alice'), lab.endpoint_path('bob')
PIDF, SUMMARY = 'application/pidf+xml', 'application/simple-message-summary'
GONE = ('org.freedesktop.DBus.Error.UnknownObject', lab.NAME + '.Error.NoSuchObject')


def uri(user):
    return 'sip:%s@%s' % (user, lab.DOMAIN)


def pidf(user, basic, note=''):
    """RFC 3863."""
    return ('<?xml version="1.0" encoding="UTF-8"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="%s">'
            '<tuple id="t1"><status><basic>%s</basic></status>%s</tuple></presence>'
            % (uri(user), basic, '<note>%s</note>' % note if note else ''))


def summary(new, old):
    """RFC 3842."""
    return 'Messages-Waiting: %s\r\nVoice-Message: %d/%d (0/0)\r\n' % ('yes' if new else 'no', new, old)


class Thing:
    """An object that lives until it is terminated or removed."""

    def __init__(self, client, path, interface):
        self.client, self.path, self.interface = client, str(path), interface

    def do(self, method, signature='', *arguments):
        return self.client.call(self.path, '%s.%s.%s' % (lab.NAME, self.interface, method), signature, *arguments)

    def get(self, name):
        return self.client.get(self.path, name, self.interface)

    def wait_state(self, state, seconds=20):
        lab.wait_for(lambda: self.get('State') == state, '%s to be %s' % (self.path, state), seconds)

    def exists(self):
        try:
            return bool(self.get('State'))
        except dbus.DBusException as e:
            if e.get_dbus_name() in GONE:
                return False
            raise


class Watch(Thing):
    """A subscription, with what this client was told of it."""

    def __init__(self, client, path):
        super().__init__(client, path, 'Subscription')

    @property
    def told(self):
        """(content type, body) of each Notified."""
        return self.client.told.setdefault(self.path, [])

    def wait_told(self, pattern, seconds=20):
        """Until the last word has that in it; gives the body."""
        lab.wait_for(lambda: self.told and re.search(pattern, self.told[-1][1]), '%s in %s' % (pattern, self.told), seconds)
        return self.told[-1][1]

    def ended(self, seconds=40):
        """The reason of the one Terminated, after which nothing is there. Kamailio's RLS has no last word, which takes 64*T1."""
        ends = self.client.ends.setdefault(self.path, [])
        lab.wait_for(lambda: ends, self.path + ' to end', seconds)
        lab.wait_for(lambda: not self.exists(), self.path + ' to go')
        assert len(ends) == 1, ends
        return ends[0]


class Watcher(lab.Client):
    """A client that subscribes and publishes."""

    def __init__(self, here):
        super().__init__(here.address)
        self.told, self.ends, self.failures = {}, {}, {}
        for interface, member, heard in (('Subscription', 'Notified', self.on_notified), ('Subscription', 'Terminated', self.on_terminated),
                                         ('Publication', 'Failed', self.on_failed)):
            self.bus.add_signal_receiver(heard, member, '%s.%s' % (lab.NAME, interface), lab.NAME, None, path_keyword='path')

    def on_notified(self, content_type, body, headers, path):
        self.told.setdefault(str(path), []).append((str(content_type), bytes(bytearray(body)).decode()))

    def on_terminated(self, reason, retry_after, path):
        self.ends.setdefault(str(path), []).append(str(reason))

    def on_failed(self, status, reason, path):
        self.failures.setdefault(str(path), []).append((int(status), str(reason)))

    def subscribe(self, endpoint, target, event='presence', **options):
        return Watch(self, self.endpoint(endpoint, 'Subscribe', 'ssa{sv}', target, event,
                                         {'Accept': dbus.Array([PIDF], signature='s'), **options}))

    def publish(self, endpoint, body, event='presence', content_type=PIDF, **options):
        return Thing(self, self.endpoint(endpoint, 'Publish', 'ssaya{sv}', event, content_type, dbus.ByteArray(body.encode()), options),
                     'Publication')

    def modify(self, publication, body, content_type=PIDF):
        publication.do('Modify', 'say', content_type, dbus.ByteArray(body.encode()))


class WithStates(lab.Case):
    """alice and bob at the daemon; a presence server behind the registrar."""
    defines = ()
    lists = {}
    endpoint = ''

    def setUp(self):
        super().setUp()
        self.lab.start_registrar('PRESENCE')
        self.lab.start_presence(*self.defines, lists=self.lists)
        self.lab.profile('alice', self.protocol, endpoint=self.endpoint)
        self.lab.profile('bob', 'tls' if self.protocol == 'tls' else 'tcp')
        bus = self.lab.start_daemon()
        for path in (ALICE, BOB):
            bus.wait_state(path, 'registered')
        self.client = Watcher(self.lab)

    def server_saw(self, method, user, more=''):
        """How many such requests came to the presence server, over all its lives."""
        return len(self.lab.presence.says(r'lab: %s from %s by .*%s' % (method, user, more)))
