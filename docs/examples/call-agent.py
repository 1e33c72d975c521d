#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers the calls that arrive at any endpoint with the session description of a file, follows transfers, shows what
happens, and hangs up on Ctrl-C. Arguments: the file, whose media are `a=sendrecv`, and the bus's address if that is not
the session bus."""
import re
import signal
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME, SESSION = 'org.sipbus1', 'org.sipbus1.Session'
SDP = open(sys.argv[1], 'rb').read()
DIRECTIONS = {b'sendonly': b'recvonly', b'recvonly': b'sendonly', b'inactive': b'inactive'}


def describe(version, offer=b''):
    """Who is put on hold does not send (RFC 3264 section 6.1); a change has the next version (section 8)."""
    wish = re.search(rb'a=(sendonly|recvonly|inactive)', offer)
    sdp = SDP.replace(b'a=sendrecv', b'a=' + DIRECTIONS[wish[1]]) if wish else SDP
    return 'application/sdp', dbus.ByteArray(re.sub(rb'(?m)^(o=\S+ \S+) \S+', rb'\1 %d' % version, sdp))


class Agent(dbus.service.Object):
    sessions, stopping = {}, False  # the version of what each was told

    @dbus.service.method('org.sipbus1.Agent', in_signature='oa{sv}')
    def SessionReceived(self, session, details):
        show(session, 'call from', details['From'])
        self.sessions[session] = 1
        call(session, 'Ring', {})
        call(session, 'Accept', *describe(1), {})

    def heard(self, *values, path, member):
        if path not in self.sessions:
            return  # Terminated goes to everybody
        show(path, member, *(v for v in values if not isinstance(v, dbus.Array)))
        if member == 'OfferReceived':
            self.sessions[path] += 1
            call(path, 'Answer', *describe(self.sessions[path], bytes(values[1])))
        elif member == 'ReferReceived':
            options = dict(zip(('ContentType', 'Description'), describe(1)))
            call(path, 'FollowRefer', values[0], options, done=lambda new: self.sessions.update({new: 1}))
        elif member == 'Terminated':
            del self.sessions[path]
            if self.stopping and not self.sessions:
                loop.quit()

    def stop(self):
        self.stopping = True
        for session in self.sessions:
            call(session, 'Terminate', {})
        if not self.sessions:
            loop.quit()
        return True


def show(session, *what):
    print(session.rsplit('/', 1)[1], *what, flush=True)


def call(session, method, *arguments, done=lambda *result: None):
    bus.call_async(NAME, session, SESSION, method, SIGNATURES[method], arguments, done, lambda error: show(session, method, error))


SIGNATURES = {'Ring': 'a{sv}', 'Accept': 'saya{sv}', 'Answer': 'say', 'FollowRefer': 'ua{sv}', 'Terminate': 'a{sv}'}
main = dbus.mainloop.glib.DBusGMainLoop()
bus = dbus.bus.BusConnection(sys.argv[2], mainloop=main) if sys.argv[2:] else dbus.SessionBus(mainloop=main)
agent = Agent(bus, '/agent')
bus.add_signal_receiver(agent.heard, None, SESSION, NAME, path_keyword='path', member_keyword='member')
manager = dbus.Interface(bus.get_object(NAME, '/org/sipbus1'), 'org.sipbus1.Manager')
manager.RegisterAgent('/agent', {'Kinds': dbus.Array(['session'], signature='s')})
loop = GLib.MainLoop()
for number in signal.SIGINT, signal.SIGTERM:
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, agent.stop)
print('waiting for calls', flush=True)
loop.run()
