# SPDX-License-Identifier: LGPL-2.1-or-later
"""A dbus-daemon of one's own, TAP, and a client that writes down in which order things arrive."""
import os
import subprocess
import sys
import tempfile
import traceback

import dbus
import dbus.bus
import dbus.lowlevel
import dbus.mainloop.glib
from gi.repository import GLib

CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <!-- Answers that nobody asked for reach whom they name, as on a bus with a lax policy. -->
    <allow send_requested_reply="false" send_type="method_return"/>
    <allow receive_requested_reply="false" receive_type="method_return"/>
    <allow own="*"/>
    <deny own="org.example.Denied"/>
  </policy>
</busconfig>
'''

PATIENCE = 20  # seconds until a wait is given up; nothing is decided by how long anything takes


class PrivateBus:
    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory(prefix='bus-')
        config = os.path.join(self.dir.name, 'bus.conf')
        with open(config, 'w', encoding='ascii') as f:
            f.write(CONFIG % self.dir.name)
        self.daemon = subprocess.Popen(['dbus-daemon', '--nofork', '--print-address=1', '--config-file=' + config],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.daemon.stdout.readline().strip()
        assert self.address, 'dbus-daemon did not start'
        return self

    def __exit__(self, *args):
        self.stop()
        self.daemon.stdout.close()
        self.dir.cleanup()

    def stop(self):
        if self.daemon.poll() is None:
            self.daemon.terminate()
        self.daemon.wait(PATIENCE)

    def spawn(self, *argv):
        """Starts a program that prints one line when it is ready."""
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        process.ready = process.stdout.readline().strip()
        return process


def finish(process, terminate=True):
    """Ends a program; its exit status, which sanitizers make 1 when they found something."""
    if terminate:
        process.terminate()
    process.communicate(timeout=PATIENCE)
    return process.returncode


class Client:
    """A private connection. `seen` has every signal and reply in order of arrival."""

    def __init__(self, address, rules=()):
        self.bus = dbus.bus.BusConnection(address, mainloop=dbus.mainloop.glib.DBusGMainLoop())
        self.bus.set_exit_on_disconnect(False)
        self.seen = []
        self.replies = {}
        for rule in rules:
            self.bus.add_match_string(rule)
        self.bus.add_message_filter(self.on_message)
        self.name = self.bus.get_unique_name()

    def on_message(self, _, message):
        if message.get_sender() == 'org.freedesktop.DBus':
            return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
        self.seen.append(message)
        return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED

    def close(self):
        self.bus.close()

    def settle(self):
        """Lets everything arrive that was sent before now, and forgets it."""
        self.wait_reply(self.send('/', 'org.freedesktop.DBus.Peer', 'Ping'))
        self.seen.clear()

    def send(self, path, interface, member, signature='', *args, to='org.sipbus1', no_reply=False):
        """Sends a call as it is; the serial."""
        message = dbus.lowlevel.MethodCallMessage(destination=to, path=path, interface=interface, method=member)
        if args:
            message.append(*args, signature=signature)
        message.set_no_reply(no_reply)
        return self.bus.send_message(message)

    def call(self, path, interface, member, signature='', *args):
        """The arguments of the reply; a DBusException for an error."""
        return self.bus.call_blocking('org.sipbus1', path, interface, member, signature, args, timeout=PATIENCE)

    def error(self, *args):
        """The (name, text) of the error that a call ends in."""
        try:
            result = self.call(*args)
        except dbus.DBusException as e:
            return e.get_dbus_name(), e.get_dbus_message()
        raise AssertionError('%s gave %r' % (args, result))

    def wait(self, condition, what):
        """Runs the loop until condition() is true."""
        loop = GLib.MainContext.default()
        late = []
        timer = GLib.timeout_add_seconds(PATIENCE, lambda: late.append(True))
        while not condition():
            assert not late, 'waited in vain for ' + what
            loop.iteration(True)
        if not late:
            GLib.source_remove(timer)

    def wait_reply(self, serial):
        """The reply or error to a message that send() sent."""
        def found():
            return [m for m in self.seen if m.get_reply_serial() == serial]
        self.wait(found, 'the reply to %d' % serial)
        return found()[0]


def kind(message):
    """One word for a message: the member of a signal, `reply`, or the name of an error."""
    if message.get_type() == 4:
        return message.get_member()
    return 'reply' if message.get_type() == 2 else message.get_error_name().rsplit('.', 1)[1]


def run(tests):
    print('1..%d' % len(tests))
    failed = 0
    for i, test in enumerate(tests, 1):
        try:
            test()
            print('ok %d - %s' % (i, test.__name__))
        except Exception:
            failed += 1
            print('not ok %d - %s' % (i, test.__name__))
            for line in traceback.format_exc().splitlines():
                print('# ' + line)
        sys.stdout.flush()
    return 1 if failed else 0
