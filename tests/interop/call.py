# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions as a D-Bus client sees them, and the sound that their descriptions speak of."""
import os
import socket

import dbus
import dbus.service

import lab

SDP = 'application/sdp'
SESSION = lab.NAME + '.Session'


class Sound:
    """A description from sdp/NAME.sdp for a socket of our own, which shows whether sound really arrives."""

    def __init__(self, here):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        here.sockets.append(self.socket)
        self.socket.bind(('127.0.0.1', 0))
        self.socket.setblocking(False)
        self.version = 0

    def describe(self, name='sound'):
        """RFC 3264 8: each description of a session has the version after the one before it."""
        self.version += 1
        with open(os.path.join(lab.HERE, 'sdp', name + '.sdp'), encoding='ascii') as f:
            text = f.read().replace('VERSION', str(self.version)).replace('PORT', str(self.socket.getsockname()[1]))
        return dbus.ByteArray(text.replace('\n', '\r\n').encode())

    def drain(self):
        try:
            while self.socket.recv(2048):
                pass
        except BlockingIOError:
            pass

    def heard(self):
        try:
            return bool(self.socket.recv(2048))
        except BlockingIOError:
            return False

    def wait(self):
        """For sound that is sent from now on."""
        self.drain()
        lab.wait_for(self.heard, 'sound')


class Call:
    """One session; news are the signals so far, as (member, arguments)."""

    def __init__(self, client, path, details=None):
        self.client, self.path, self.details = client, str(path), details

    @property
    def news(self):
        return self.client.news.get(self.path, [])

    def of(self, member):
        return [arguments for name, arguments in self.news if name == member]

    def wait(self, member, times=1, seconds=20):
        """The arguments of the signal, once it has come so often."""
        lab.wait_for(lambda: len(self.of(member)) >= times, '%s of %s among %s' % (member, self.path, self.news), seconds)
        return self.of(member)[times - 1]

    def do(self, method, signature='', *arguments):
        return self.client.call(self.path, SESSION + '.' + method, signature, *arguments)

    def get(self, name):
        return self.client.get(self.path, name, 'Session')

    def ring(self, **options):
        self.do('Ring', 'a{sv}', options)

    def accept(self, description, **options):
        self.do('Accept', 'saya{sv}', SDP if description else '', description, options)

    def reject(self, status, reason='', **options):
        self.do('Reject', 'usa{sv}', status, reason, options)

    def offer(self, description, **options):
        """Gives the answer's bytes."""
        return bytes(bytearray(self.do('Offer', 'saya{sv}', SDP, description, options)[1]))

    def answer(self, description):
        self.do('Answer', 'say', SDP, description)

    def refer(self, target, **options):
        self.do('Refer', 'sa{sv}', target, options)

    def terminate(self, **options):
        self.do('Terminate', 'a{sv}', options)

    def wait_state(self, state):
        lab.wait_for(lambda: self.get('State') == state, '%s to be %s' % (self.path, state))

    def ended(self, seconds=20):
        """(status, origin) of the one Terminated, after which nothing comes and nothing is there."""
        status, _, origin = self.wait('Terminated', seconds=seconds)
        lab.wait_for(lambda: not self.exists(), self.path + ' to go')
        assert len(self.of('Terminated')) == 1 and self.news[-1][0] == 'Terminated', self.news
        return int(status), str(origin)

    def exists(self):
        try:
            return bool(self.get('State'))
        except dbus.DBusException as e:
            if e.get_dbus_name() in ('org.freedesktop.DBus.Error.UnknownObject', lab.NAME + '.Error.NoSuchObject'):
                return False
            raise


class Caller(lab.Client):
    """A client that has sessions: makes them, and takes those that come (its agent is /agent)."""

    def __init__(self, here, take=None):
        """take(call) runs before SessionReceived returns; it may raise Pass."""
        super().__init__(here.address)
        self.news = {}
        self.received = []
        self.bus.add_signal_receiver(self.on_signal, None, SESSION, lab.NAME, None, member_keyword='member',
                                     path_keyword='path')
        self.agent = Agent(self, take)

    def on_signal(self, *arguments, member, path):
        self.news.setdefault(str(path), []).append((str(member), arguments))

    def serve(self, **options):
        self.call(lab.ROOT, lab.NAME + '.Manager.RegisterAgent', 'oa{sv}', '/agent',
                  {'Kinds': dbus.Array(['session'], signature='s'), **options})

    def dial(self, endpoint, target, description=None, **options):
        if description:
            options.update(ContentType=SDP, Description=description)
        return Call(self, self.endpoint(endpoint, 'CreateSession', 'sa{sv}', target, options))

    def wait_call(self, times=1):
        lab.wait_for(lambda: len(self.received) >= times, 'SessionReceived')
        return self.received[times - 1]


class Pass(dbus.DBusException):
    _dbus_error_name = lab.NAME + '.Error.Pass'


class Agent(dbus.service.Object):
    def __init__(self, client, take):
        super().__init__(client.bus, '/agent')
        self.client, self.take = client, take

    @dbus.service.method(lab.NAME + '.Agent', in_signature='oa{sv}')
    def SessionReceived(self, path, details):
        call = Call(self.client, path, details)
        if self.take:
            self.take(call)
        self.client.received.append(call)

    @dbus.service.method(lab.NAME + '.Agent')
    def Released(self):
        pass
