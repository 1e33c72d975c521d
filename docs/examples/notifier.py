#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Serves presence (RFC 3856) for every endpoint: whoever subscribes learns whether we are there, and hears of each change:
standard input says `open` or `closed`, a word a line. With an argument: the bus's address."""
import os
import sys
from xml.sax.saxutils import quoteattr

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

TYPE, PIDF = 'application/pidf+xml', ('<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity=%s>'
                                      '<tuple id="us"><status><basic>%s</basic></status></tuple></presence>')


class Agent(dbus.service.Object):
    basic, watched = 'open', {}  # the endpoints that somebody watches, each with the URI whose presence that is

    def state(self, uri):
        return dbus.ByteArray((PIDF % (quoteattr(uri), self.basic)).encode())

    @dbus.service.method('org.sipbus1.Agent', in_signature='oa{sv}')
    def SubscriptionReceived(self, subscriber, details):
        print(details['From'], 'watches', details['To'], flush=True)
        self.watched[details['Endpoint']] = details['To']
        state = {'ContentType': TYPE, 'Body': self.state(details['To'])}
        interface(subscriber, 'Subscriber').Accept(dbus.Dictionary(state, signature='sv'))

    def change(self, *_):
        words = os.read(0, 4096).decode().split()
        self.basic = words[-1] if words else self.basic
        for endpoint, uri in self.watched.items():
            none = dbus.Dictionary({}, signature='sv')
            told = interface(endpoint, 'Endpoint').NotifyAll('presence', TYPE, self.state(uri), none)
            print(uri, 'is', self.basic, 'to', told, flush=True)
        return bool(words)  # the end of input: nothing changes any more


def interface(path, name):
    return dbus.Interface(bus.get_object('org.sipbus1', path, introspect=False), 'org.sipbus1.' + name)


loop = dbus.mainloop.glib.DBusGMainLoop()
bus = dbus.bus.BusConnection(sys.argv[1], mainloop=loop) if sys.argv[1:] else dbus.SessionBus(mainloop=loop)
agent = Agent(bus, '/agent')
GLib.io_add_watch(0, GLib.IO_IN, agent.change)
wanted = {'Kinds': dbus.Array(['subscription'], signature='s'), 'Events': dbus.Array(['presence'], signature='s')}
interface('/org/sipbus1', 'Manager').RegisterAgent(dbus.ObjectPath('/agent'), dbus.Dictionary(wanted, signature='sv'))
print('waiting for watchers', flush=True)
GLib.MainLoop().run()
