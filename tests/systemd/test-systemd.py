#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units as systemd reads them, the sandbox's score, the bus policy and the files' owners.

test-systemd.py SOURCE-FOLDER BUILD-FOLDER
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = os.path.realpath(sys.argv.pop(1)), os.path.realpath(sys.argv.pop(1))
BUS = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><deny own="*"/><deny send_type="method_call"/>
<allow send_type="signal"/><allow send_requested_reply="true" send_type="method_return"/>
<allow send_requested_reply="true" send_type="error"/><allow receive_type="method_call"/>
<allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
<allow send_destination="org.freedesktop.DBus"/></policy>
<include>%s/policy.conf</include></busconfig>
'''

# Stands in for the daemon; libdbus answers Ping by itself.
OWNER = '''
import sys, dbus, dbus.service, dbus.mainloop.glib
from gi.repository import GLib
bus = dbus.bus.BusConnection(sys.argv[1], mainloop=dbus.mainloop.glib.DBusGMainLoop())
name = dbus.service.BusName("org.sipbus1", bus)
print("owned", flush=True)
GLib.MainLoop().run()
'''


def run(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, **options)


def read(*names):
    with open(os.path.join(*names), encoding='utf-8') as f:
        return f.read()


class Systemd(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='sipbus-')
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return path

    def unit(self, kind, change=lambda text: text):
        """The unit with a program that exists on any machine."""
        text = re.sub(r'(?m)^ExecStart=\S+', 'ExecStart=/bin/true', read(BUILD, 'sipbusd-%s.service' % kind))
        text = re.sub(r'(?m)^(Documentation|Alias)=.*\n', '', text)
        return self.write('sipbusd.service', change(text))

    def verify(self, path, *options):
        """What systemd-analyze says about this unit; it ends with 0 even after an unknown key."""
        made = run('systemd-analyze', 'verify', '--man=no', *options, path,
                   env={**os.environ, 'XDG_RUNTIME_DIR': self.folder})
        return [line for line in (made.stdout + made.stderr).splitlines() if 'sipbusd.service' in line]

    def test_units_are_understood(self):
        for kind, options in (('system', []), ('user', ['--user'])):
            with self.subTest(kind):
                self.assertEqual(self.verify(self.unit(kind), *options), [])
                broken = self.unit(kind, lambda text: text.replace('[Service]', '[Service]\nNoSuchKey=yes'))
                self.assertNotEqual(self.verify(broken, *options), [])  # it would be noticed

    def test_sandbox(self):
        made = run('systemd-analyze', 'security', '--offline=yes', '--no-pager', '--threshold=15', self.unit('system'))
        score = re.search(r'Overall exposure level for sipbusd.service: ([\d.]+)', made.stdout)
        self.assertTrue(score, made.stdout + made.stderr)
        self.assertLess(float(score.group(1)), 1.5, made.stdout)
        self.assertEqual(made.returncode, 0)

    def test_network_is_watched(self):
        """rtnetlink: without its family an address that goes would not be noticed."""
        for kind in ('system', 'user'):
            families = re.search(r'(?m)^RestrictAddressFamilies=(.*)$', read(BUILD, 'sipbusd-%s.service' % kind)).group(1)
            self.assertEqual(set(families.split()), {'AF_INET', 'AF_INET6', 'AF_UNIX', 'AF_NETLINK'})
            self.assertNotIn('PrivateNetwork', read(BUILD, 'sipbusd-%s.service' % kind))

    def test_activation(self):
        for kind, flag in (('system', '/bin/false'), ('session', '/sipbusd --user')):
            text = read(BUILD, 'org.sipbus1-%s.service' % kind)
            self.assertIn('\nName=org.sipbus1\n', text)
            self.assertRegex(text, r'(?m)^Exec=.*%s$' % flag)
            self.assertIn('\nAlias=%s\n' % re.search('SystemdService=(.*)', text).group(1),
                          read(BUILD, 'sipbusd-%s.service' % kind.replace('session', 'user')))

    @unittest.skipUnless(os.getuid() == 0, 'needs root to become somebody else')
    def test_policy_holds(self):
        """A stranger is refused, a member of the group is let through, and only the daemon's user owns the name."""
        policy = read(SOURCE, 'org.sipbus1.conf').replace('group="sipbus"', 'group="daemon"')
        self.write('policy.conf', policy.replace('user="sipbus"', 'user="games"'))
        bus = self.start(['dbus-daemon', '--nofork', '--nopidfile', '--print-address=1',
                          '--config-file=' + self.write('bus.conf', BUS % (self.folder, self.folder))])
        address = bus.stdout.readline().strip()
        self.assertTrue(address, 'no bus')

        def become(user, group):
            return ['setpriv', '--reuid=' + user, '--regid=' + group, '--clear-groups']

        def says(group, *words):
            return run(*become('nobody', group), 'busctl', '--address=' + address, *words).stderr
        owner = self.start(become('games', 'games') + [sys.executable, '-c', OWNER, address])
        self.assertEqual(owner.stdout.readline(), 'owned\n')
        ping = ['call', 'org.sipbus1', '/org/sipbus1', 'org.freedesktop.DBus.Peer', 'Ping']
        self.assertRegex(says('nogroup', *ping), '(?i)access denied|rejected')
        self.assertEqual(says('daemon', *ping), '')
        own = ['call', 'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'RequestName', 'su', 'org.sipbus1', '0']
        self.assertRegex(says('daemon', *own), '(?i)access denied')

    def start(self, argv):
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.terminate(), process.communicate()))
        return process

    @unittest.skipUnless(os.getuid() == 0 and shutil.which('systemd-sysusers'), 'needs root')
    def test_users_and_folders(self):
        os.mkdir(os.path.join(self.folder, 'etc'))
        made = run('systemd-sysusers', '--root=' + self.folder, os.path.join(SOURCE, 'sipbus-sysusers.conf'))
        self.assertEqual(made.returncode, 0, made.stderr)
        user = re.search(r'(?m)^sipbus:x:(\d+):(\d+):.*:/usr/sbin/nologin$', read(self.folder, 'etc/passwd'))
        self.assertTrue(user)
        made = run('systemd-tmpfiles', '--create', '--root=' + self.folder, os.path.join(SOURCE, 'sipbus-tmpfiles.conf'))
        self.assertEqual(made.returncode, 0, made.stderr)
        for name, mode, group in (('etc/sipbus', 0o750, 0), ('etc/sipbus/profiles.d', 0o750, 0),
                                  ('var/lib/sipbus', 0o700, int(user.group(2)))):
            seen = os.stat(os.path.join(self.folder, name))
            self.assertEqual((seen.st_mode & 0o777, seen.st_uid, seen.st_gid), (mode, int(user.group(1)), group), name)


if __name__ == '__main__':
    if not shutil.which('systemd-analyze'):
        sys.exit(77)
    unittest.main(verbosity=2)
