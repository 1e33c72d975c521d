#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Takes the pages that arrive at any endpoint, prints them and answers 200. With an argument: the bus's address."""
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib


class Agent(dbus.service.Object):
    @dbus.service.method('org.sipbus1.Agent', in_signature='osssaya{sv}', out_signature='us')
    def PageReceived(self, endpoint, page, sender, content_type, body, details):
        print('%s: page from %s: %s' % (endpoint, sender, bytes(body).decode(errors='replace')), flush=True)
        return 200, 'Thanks'


loop = dbus.mainloop.glib.DBusGMainLoop()
bus = dbus.bus.BusConnection(sys.argv[1], mainloop=loop) if sys.argv[1:] else dbus.SessionBus(mainloop=loop)
agent = Agent(bus, '/agent')
manager = dbus.Interface(bus.get_object('org.sipbus1', '/org/sipbus1'), 'org.sipbus1.Manager')
manager.RegisterAgent('/agent', {'Kinds': dbus.Array(['page'], signature='s')})
print('waiting for pages', flush=True)
GLib.MainLoop().run()
