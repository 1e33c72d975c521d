#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon from start to end: arguments, configuration, reload, registrations, the service manager."""
import os
import signal
import socket
import subprocess
import threading
import time

import case
import dbus
import sip
from case import lab

EX_CONFIG = 78
ALICE, BOB = lab.endpoint_path('alice'), lab.endpoint_path('bob')


def profile(port, user='alice', protocol='udp', host='127.0.0.1', endpoint='', head=''):
    return ('[Profile]\nName=%s\n%s[User]\nUri=sip:%s@example.com\n[Server]\nAddr=%s:%d\nProtocol=%s\nRole=registrar\n'
            '[Endpoint]\n%s\n' % (user, head, user, host, port, protocol, endpoint))


class Registered(case.Case):
    """One endpoint, or several, at a registrar that says yes."""

    def setUp(self):
        super().setUp()
        os.unlink(self.lab.path('config/profiles.d/alice.conf'))
        self.configure()
        self.peer = self.registrar()

    def add(self, user='alice', **options):
        self.lab.configure('profiles.d/%s.conf' % user, profile(self.lab.port, user, **options))

    def reload(self):
        return self.bus.call(lab.ROOT, lab.NAME + '.Manager.Reload')

    def wait(self, condition, what):
        return lab.wait_for(condition, what)


class End(Registered):
    def test_unregisters(self):
        for user, protocol in (('alice', 'udp'), ('bob', 'tcp')):
            self.add(user, protocol=protocol)
        self.start()
        for path in (ALICE, BOB):
            self.bus.wait_state(path, 'registered')
        self.assertEqual(self.lab.daemon.stop(), 0)
        for user in ('alice', 'bob'):
            self.assertEqual(len(self.peer.registers(user, gone=False)), 1)
            self.assertEqual(len(self.peer.registers(user, gone=True)), 1)

    def test_registrar_that_is_silent(self):
        """It ends all the same, within its bound."""
        self.add()
        self.start()
        self.bus.wait_state(ALICE, 'registered')
        self.peer.answer = lambda m: None
        self.assertEqual(self.lab.daemon.stop(), 0)
        self.assertTrue(self.peer.registers(gone=True))
        self.assertTrue(self.lab.daemon.says('could not be unregistered'))

    def test_second_signal(self):
        """Whoever asks twice means now."""
        self.add()
        self.start()
        self.bus.wait_state(ALICE, 'registered')
        self.peer.answer = lambda m: None
        self.lab.daemon.popen.send_signal(signal.SIGTERM)
        self.wait(lambda: self.peer.registers(gone=True), 'the end of the registration')
        self.assertEqual(self.lab.daemon.stop(signal.SIGINT), 0)
        self.assertFalse(self.lab.daemon.says('could not be unregistered'))

    def test_bus_is_gone(self):
        """Registrars are told, and the exit status says that something was wrong."""
        self.add()
        self.start()
        self.bus.wait_state(ALICE, 'registered')
        self.lab.processes[0].stop()
        self.wait(lambda: not self.lab.daemon.alive, 'the daemon to end')
        self.assertEqual(self.lab.daemon.popen.returncode, 1)
        self.assertEqual(len(self.peer.registers(gone=True)), 1)
        self.lab.processes.remove(self.lab.daemon)  # the lab would call this a failure


class Start(Registered):
    def test_many(self):
        """More than one burst: all register, each of them once."""
        users = ['user%d' % i for i in range(120)]
        for user in users:
            self.add(user)
        self.start()
        self.assertEqual(len(self.bus.call(lab.ROOT, lab.OBJECTS + '.GetManagedObjects')), 2 * len(users))
        self.wait(lambda: len(self.peer.registers()) >= len(users), 'all registrations')
        self.bus.wait_state(lab.endpoint_path('user119'), 'registered')
        for user in users:
            self.assertEqual(len(self.peer.registers(user)), 1)

    def test_connection_of_its_own(self):
        """Each endpoint has one to its server; a broken one is made anew."""
        for user in ('alice', 'bob'):
            self.add(user, protocol='tcp')
        self.start()
        for path in (ALICE, BOB):
            self.bus.wait_state(path, 'registered')
            self.bus.endpoint(path, 'Register', 'a{sv}', {})
        self.assertEqual(self.peer.accepted, 2)
        self.peer.hang_up()
        self.wait(lambda: self.peer.accepted == 4, 'new connections')
        for path in (ALICE, BOB):
            self.bus.wait_state(path, 'registered')
            self.bus.endpoint(path, 'Register', 'a{sv}', {})
        self.assertEqual(self.peer.accepted, 4)

    def test_shared_connection(self):
        """SharedConnections: the endpoints of a profile have one together, and get it back together."""
        self.add('alice', protocol='tcp', endpoint='SharedConnections=yes')
        self.start()
        more = self.bus.call(lab.ROOT, lab.NAME + '.Manager.CreateEndpoint', 'sa{sv}', 'alice',
                             {'Id': dbus.String('second', variant_level=1)})
        for path in (ALICE, more):
            self.bus.wait_state(path, 'registered')
        self.assertEqual(self.peer.accepted, 1)
        self.peer.hang_up()
        self.wait(lambda: self.peer.accepted == 2, 'a new connection')
        for path in (ALICE, more):
            self.bus.wait_state(path, 'registered')
            self.bus.endpoint(path, 'Register', 'a{sv}', {})
        self.assertEqual(self.peer.accepted, 2)

    def test_same_instance(self):
        """The instance id survives a restart; Call-ID may not repeat with a lower CSeq."""
        self.add()
        seen = []
        for _ in range(2):
            self.start()
            self.bus.wait_state(ALICE, 'registered')
            seen.append(str(self.bus.get(ALICE, 'InstanceId')))
            self.assertEqual(self.lab.daemon.stop(), 0)
            self.lab.processes.remove(self.lab.daemon)
        self.assertEqual(seen[0], seen[1])

    def test_not_asked_to(self):
        self.add('alice', head='Autostart=no\n')
        self.add('bob', head='Register=no\n')
        self.add('carol', head='Enabled=no\n')
        self.start()
        self.assertEqual(self.bus.get(BOB, 'RegistrationState'), 'unregistered')
        for user in ('alice', 'carol'):
            with self.assertRaises(dbus.DBusException):
                self.bus.get(lab.endpoint_path(user), 'RegistrationState')
        self.assertEqual(self.peer.requests, [])


class Reload(Registered):
    def test_only_what_changed(self):
        for user in ('alice', 'bob', 'carol'):
            self.add(user)
        self.start()
        for user in ('alice', 'bob', 'carol'):
            self.bus.wait_state(lab.endpoint_path(user), 'registered')
        os.unlink(self.lab.path('config/profiles.d/carol.conf'))
        self.add('bob', endpoint='RegisterExpires=120')
        self.add('dave')
        self.lab.daemon.popen.send_signal(signal.SIGHUP)
        self.bus.wait_state(lab.endpoint_path('dave'), 'registered')
        self.wait(lambda: len(self.peer.registers('bob', gone=False)) == 2, 'bob to register again')
        self.wait(lambda: self.peer.registers('carol', gone=True), 'carol to go')
        self.bus.wait_state(BOB, 'registered')
        self.assertEqual(sip.header(self.peer.registers('bob', gone=False)[1], 'Expires'), '120')
        self.assertEqual(len(self.peer.registers('bob', gone=True)), 1)
        self.assertEqual(len(self.peer.registers('alice')), 1)
        self.wait(lambda: 'carol' not in str(self.bus.call(lab.ROOT, lab.OBJECTS + '.GetManagedObjects')), 'no more carol')

    def test_errors(self):
        """Nothing of a faulty configuration is applied, and the next good one is."""
        self.add()
        self.start()
        self.bus.wait_state(ALICE, 'registered')
        self.add('bob')
        self.lab.configure('profiles.d/carol.conf', '[Profile]\nName=carol\n')
        self.assertTrue([p for p in self.reload() if p[0] == 'error' and str(p[1]).endswith('carol.conf')])
        with self.assertRaises(dbus.DBusException):
            self.bus.get(BOB, 'RegistrationState')
        problems = self.bus.call(lab.ROOT, lab.NAME + '.Manager.CheckConfiguration')
        self.assertTrue([p for p in problems if p[0] == 'error' and str(p[1]).endswith('carol.conf')], problems)
        os.unlink(self.lab.path('config/profiles.d/carol.conf'))
        self.assertEqual([p for p in self.reload() if p[0] == 'error'], [])
        self.bus.wait_state(BOB, 'registered')
        self.assertEqual(len(self.peer.registers('alice')), 1)

    def test_listeners(self):
        self.start()
        old = self.here
        with sip.Stream(old) as stays:
            stays.send(sip.request(transport='TCP'))
            self.assertEqual(len(stays.messages(1)), 1)
            self.here = (self.host, lab.free_port())
            self.configure()
            self.reload()
            with sip.Stream(self.here) as s:
                s.send(sip.request(transport='TCP'))
                self.assertEqual(len(s.messages(1)), 1)
            with self.assertRaises(ConnectionRefusedError):
                sip.Stream(old)
            stays.send(sip.request(transport='TCP'))  # an open connection is nobody's listener
            self.assertEqual(len(stays.messages(1)), 1)
        self.assertEqual({int(p) for _, _, p in self.bus.get(lab.ROOT, 'Listeners', 'Manager')}, {self.here[1]})

    def test_registered_over_a_socket_that_goes(self):
        """A UDP listener moves: who registered from it registers from the new one."""
        self.add()
        self.start()
        self.bus.wait_state(ALICE, 'registered')
        self.here = (self.host, lab.free_port())
        self.configure()
        self.reload()
        self.wait(lambda: ':%d' % self.here[1] in sip.header(self.peer.registers()[-1], 'Contact'),
                  'a registration from the new socket')
        self.bus.wait_state(ALICE, 'registered')


class Names(Registered):
    """Host names, answered by a name server of the test's own."""

    def setUp(self):
        super().setUp()
        self.asked = []
        self.records = {}
        self.dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.dns.bind(('127.0.0.1', lab.free_port()))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        self.configure('[Daemon]\nDnsServers=127.0.0.1:%d\n' % self.dns.getsockname()[1])

    def tearDown(self):
        self.dns.sendto(b'', self.dns.getsockname())
        self.thread.join()
        self.dns.close()
        super().tearDown()

    def serve(self):
        while True:
            data, peer = self.dns.recvfrom(512)
            if not data:
                return
            at, labels = 12, []
            while data[at]:
                labels.append(data[at + 1:at + 1 + data[at]].decode())
                at += 1 + data[at]
            kind = int.from_bytes(data[at + 1:at + 3], 'big')
            name = '.'.join(labels).lower()
            self.asked.append((name, kind))
            known = self.records.get(name)
            addresses = (known or {}).get({1: 'A', 28: 'AAAA'}.get(kind), [])
            code = 0 if known is not None else 3
            answer = data[:2] + bytes([0x81, 0x80 | code, 0, 1, 0, len(addresses), 0, 0, 0, 0]) + data[12:at + 5]
            for address in addresses:
                raw = socket.inet_pton(socket.AF_INET6 if ':' in address else socket.AF_INET, address)
                answer += b'\xc0\x0c' + kind.to_bytes(2, 'big') + b'\0\1' + (60).to_bytes(4, 'big')
                answer += len(raw).to_bytes(2, 'big') + raw
            self.dns.sendto(answer, peer)

    def test_one_look_up_for_all(self):
        self.records['registrar.test'] = {'A': ['127.0.0.1']}
        users = ['user%d' % i for i in range(20)]
        for user in users:
            self.add(user, host='Registrar.test')
        self.start()
        for user in users:
            self.bus.wait_state(lab.endpoint_path(user), 'registered')
        self.assertEqual(sorted(self.asked), [('registrar.test', 1), ('registrar.test', 28)])

    def test_next_address(self):
        """RFC 3263 section 4.3: nobody at the first address, so the next one."""
        self.records['registrar.test'] = {'A': ['127.0.0.77', '127.0.0.1']}
        self.add(host='registrar.test', protocol='tcp')
        self.start()
        self.bus.wait_state(ALICE, 'registered')

    def test_no_such_name(self):
        self.add(host='nobody.test')
        self.start()
        self.bus.wait_state(ALICE, 'waiting')
        status, reason, origin = self.bus.get(ALICE, 'LastError')
        self.assertEqual((int(status), str(origin)), (0, 'network'))
        self.assertTrue(reason)
        self.assertGreater(self.bus.get(ALICE, 'NextAttempt'), 0)

    def test_hosts_file(self):
        """localhost is known without any name server."""
        self.add(host='localhost')
        self.start()
        self.bus.wait_state(ALICE, 'registered')
        self.assertEqual(self.asked, [])

    def test_silent_server(self):
        """An end comes while a question is open."""
        self.configure('[Daemon]\nDnsServers=127.0.0.1:%d\n' % lab.free_port())
        self.add(host='registrar.test')
        self.start()
        self.assertEqual(self.lab.daemon.stop(), 0)


class Manager(case.Case):
    """sd_notify(3)."""

    def setUp(self):
        super().setUp()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.lab.path('notify'))
        self.socket.settimeout(20)
        os.environ['NOTIFY_SOCKET'] = self.lab.path('notify')
        self.addCleanup(os.environ.pop, 'NOTIFY_SOCKET')
        self.addCleanup(self.socket.close)
        self.configure()

    def heard(self, word):
        """Reads until a notice with that word comes."""
        while True:
            notice = self.socket.recv(4096).decode()
            if word in notice:
                return notice

    def test_states(self):
        self.start()
        self.heard('READY=1')
        self.lab.daemon.popen.send_signal(signal.SIGHUP)
        self.assertIn('MONOTONIC_USEC=', self.heard('RELOADING=1'))
        self.assertIn('1 profiles', self.heard('STATUS='))
        self.heard('READY=1')
        self.lab.daemon.popen.send_signal(signal.SIGTERM)
        self.heard('STOPPING=1')

    def test_told_again_and_again(self):
        """Told to end once more while it ends, it is not killed by that."""
        self.start()
        self.heard('READY=1')
        daemon = self.lab.daemon.popen
        while daemon.poll() is None:
            daemon.send_signal(signal.SIGTERM)
            time.sleep(0.001)
        self.assertEqual(self.lab.daemon.stop(), 0)

    def test_watchdog(self):
        os.environ['WATCHDOG_USEC'] = '200000'
        self.addCleanup(os.environ.pop, 'WATCHDOG_USEC')
        self.start()
        for _ in range(5):
            self.heard('WATCHDOG=1')


class Arguments(case.Case):
    def run_daemon(self, *arguments, **environment):
        """(exit status, stdout, stderr)"""
        env = {**os.environ, **lab.FATAL_OPTIONS, **environment}
        run = subprocess.run([os.environ['SIPBUSD'], *arguments], capture_output=True, text=True, timeout=60, env=env)
        self.assertNotRegex(run.stderr, lab.SANITIZER)
        return run.returncode, run.stdout, run.stderr

    def folders(self):
        self.lab.path('state/x')
        return ['--address=' + self.lab.address, '--config=' + self.lab.path('config'), '--state=' + self.lab.path('state')]

    def test_words(self):
        status, out, err = self.run_daemon('--version')
        self.assertEqual((status, err), (0, ''))
        self.assertRegex(out, r'^sipbusd \d+\.\d+\.\d+\n$')
        status, out, err = self.run_daemon('--help')
        self.assertEqual((status, err), (0, ''))
        for word in ('--user', '--system', '--address', '--config', '--state', '--check', '--introspect', '--version'):
            self.assertIn(word, out)
        status, out, err = self.run_daemon('--introspect')
        self.assertEqual((status, err), (0, ''))
        self.assertIn('<interface name="org.sipbus1.Manager">', out)
        status, out, err = self.run_daemon('--dump-config')
        self.assertEqual((status, err), (0, ''))
        self.assertIn('MaximumMessageSize', out)

    def test_usage(self):
        for wrong in (['--no-such-option'], ['surplus'], ['--config'], ['--log-level=loud']):
            status, out, err = self.run_daemon(*wrong)
            self.assertEqual((status, out), (2, ''), wrong)
            self.assertTrue(err)
        for verb in ([], ['--check']):
            self.assertEqual(self.run_daemon(*verb, HOME='', XDG_CONFIG_HOME='relative')[0], 2)

    def test_check(self):
        self.configure()
        self.assertEqual(self.run_daemon('--check', *self.folders()), (0, '', ''))
        bad = self.lab.configure('profiles.d/bad.conf', '[Profile]\nName=bad\nKind=strange\nUnheard=of\n[User]\nUri=alice\n')
        status, out, err = self.run_daemon('--check', *self.folders())
        self.assertEqual((status, err), (EX_CONFIG, ''))
        lines = out.splitlines()
        self.assertTrue([line for line in lines if line.startswith(bad + ':3: error: ')], out)
        self.assertTrue([line for line in lines if line.startswith(bad + ':4: warning: ')], out)
        self.assertTrue([line for line in lines if line.startswith(bad + ':6: error: ')], out)

    def test_check_default_folder(self):
        self.lab.write('home/sipbus/sipbus.conf', '[Daemon]\nMaximumSessions=many\n')
        status, out, _ = self.run_daemon('--check', XDG_CONFIG_HOME=self.lab.path('home'))
        self.assertEqual(status, EX_CONFIG)
        self.assertIn(self.lab.path('home/sipbus/sipbus.conf') + ':2: error: ', out)

    def test_faulty_configuration(self):
        self.lab.configure('sipbus.conf', '[Daemon]\nMaximumSessions=many\n')
        status, _, err = self.run_daemon(*self.folders())
        self.assertEqual(status, EX_CONFIG)
        self.assertIn('<3>', err)
        self.assertIn('sipbus.conf:2: error: ', err)

    def test_port_in_use(self):
        with socket.create_server(self.here):
            self.configure()
            status, _, err = self.run_daemon(*self.folders())
        self.assertEqual(status, 1)
        self.assertIn('cannot use tcp 127.0.0.1 port %d: ' % self.here[1], err)

    def test_no_bus(self):
        self.configure()
        arguments = self.folders()
        arguments[0] = '--address=unix:path=' + self.lab.path('nothing')
        status, _, err = self.run_daemon(*arguments)
        self.assertEqual(status, 1)
        self.assertTrue(err)

    def test_second_daemon(self):
        self.configure()
        self.start()
        self.here = (self.host, lab.free_port())
        self.configure()
        status, _, err = self.run_daemon(*self.folders())
        self.assertEqual(status, 1)
        self.assertIn('another process owns org.sipbus1', err)

    def test_state_folder(self):
        self.configure()
        os.chmod(os.path.dirname(self.lab.path('state/x')), 0o777)
        status, _, err = self.run_daemon(*self.folders())
        self.assertEqual(status, 1)
        self.assertIn('state directory', err)
        os.chmod(self.lab.path('state'), 0o700)
        self.lab.write('state/seed', 'short')
        status, _, err = self.run_daemon(*self.folders())
        self.assertEqual(status, 1)
        self.assertIn('seed', err)


if __name__ == '__main__':
    case.main()
